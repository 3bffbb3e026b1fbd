"""Phases that open a function, fill it with statements, and end it."""

from __future__ import annotations

from irsmith.frontends.jax.synth.author import extent
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, broadcast, called, mul
from irsmith.frontends.jax.synth.idle import idle, undone
from irsmith.frontends.jax.synth.moves import MIXED, Repertoire, combined, grown, shrunk
from irsmith.frontends.jax.synth.shapes import changed, reduced

_MOST_ELEMENTS = 512


def shape(scope: Scope, rank: int) -> Shape:
    """A shape of that rank with not too many elements."""
    while True:
        drawn = tuple(extent(scope.rng, (32, 32, 16, 8, 5)[rank]) for _ in range(rank))
        count = 1
        for size in drawn:
            count *= size
        if count <= _MOST_ELEMENTS:
            return drawn


def opened(scope: Scope, ranks: tuple[int, ...] = (1, 2, 2, 2, 3), count: int | None = None) -> Shape:
    """Declare a first few arguments that go together, and say what shape they have."""
    rng = scope.rng
    whole = shape(scope, rng.pick(ranks))
    for _ in range(count or rng.pick((1, 2, 2, 3))):
        scope.argument(whole if rng.chance(0.75) or not whole else whole[-1:])
    if not any(v.shape == whole for v in scope.unread()):
        scope.argument(whole)
    return whole


def statement(scope: Scope, repertoire: Repertoire = MIXED, *, reshape: float = 0.15) -> Expr:
    """One assignment made of something that nobody has read."""
    rng = scope.rng
    unread = [v for v in scope.unread() if v.real]
    if not unread:
        unread = [v for v in scope.visible() if v.real] or [scope.argument(shape(scope, 1))]
    x = rng.pick(unread)
    made: Expr | None = changed(scope, x) if rng.chance(reshape) else None
    if made is not None and rng.chance(0.4) and len(made.text) < 50:
        made = grown(scope, made, repertoire, 1)
    if made is None:
        made = grown(scope, x, repertoire)
    if made.text == x.text:
        made = combined(scope, x) or made
    require(made.text != x.text, "nothing grew")
    return scope.assign(made)


def fill(scope: Scope, repertoire: Repertoire = MIXED, *, reshape: float = 0.15) -> None:
    """Statements for the lines that are left."""
    while scope.budget > 3:
        statement(scope, repertoire, reshape=reshape)
        if scope.rng.chance(scope.draft.author.blank):
            scope.lines.append("")


def finish(scope: Scope, repertoire: Repertoire = MIXED, most: int | None = None) -> list[Expr]:
    """Return what is left unread, brought together if it is too much."""
    rng = scope.rng
    most = most or rng.pick((1, 1, 1, 2, 2, 3))
    unread = scope.unread()
    for value in unread:
        if value.text in {given.name for given in scope.draft.given} and value.real:
            # An argument is no result.
            merged(scope, value)
    unread = scope.unread()
    while len(unread) > most:
        merged(scope, unread[0])
        after = scope.unread()
        require(len(after) < len(unread), "cannot be brought together")
        unread = after
    values = list(unread)
    results = []
    for value in values:
        result = value
        if value.real and rng.chance(0.3) and len(values) == 1:
            result = grown(scope, value, repertoire, 1)
        scope.use(result)
        results.append(result)
    # What growing asked for anew comes before the return, as arguments.
    require(not scope.unread(), "unread")
    scope.draft.results = results
    texts = [result.text for result in results]
    if len(texts) == 1:
        scope.write(f"return {texts[0]}")
    else:
        scope.write(f"return {', '.join(texts)}")
    return results


def merged(scope: Scope, value: Expr) -> Expr:
    """A value made part of another that is unread, or grown where there is none."""
    rng = scope.rng
    if not value.real:
        kind = scope.draft.real
        low, high = (0.0, 1.0) if value.dtype == "bool" else (value.low, value.high)
        cast = called(f"{value.at(7)}.astype(jnp.{kind})", value, shape=value.shape, low=low, high=high, dtype=kind)
        return scope.assign(cast)
    others = [v for v in scope.unread() if v.real and v.dtype == value.dtype and v.text != value.text]
    for y in others:
        for a, b in ((value, y), (y, value)):
            if broadcast(a.shape, b.shape) in (a.shape, b.shape):
                made = mul(a, b) if undone("add", a, b) else rng.pick((add, mul))(a, b)
                if made.reach > scope.draft.limit:
                    made = add(shrunk(scope, a) or a, shrunk(scope, b) or b)
                if made.elements <= 1024:
                    return scope.assign(made)
    if others:
        small = None
        for _ in range(8):
            small = small or reduced(scope, value)
        if small is not None and small.rank:
            # A mean of means is a mean.
            whole = value if idle("mean", small) else small
            text = f"jnp.mean({whole.text})"
            small = None if whole.tied else called(text, whole, shape=(), low=whole.low, high=whole.high)
        require(small is not None and small.rank == 0, "cannot be brought together")
        assert small is not None
        y = others[0]
        made = add(y, small) if y.reach + small.reach <= scope.draft.limit else mul(y, small)
        require(made.reach <= scope.draft.limit * 4, "grows too large")
        return scope.assign(made)
    made = grown(scope, value)
    require(made.text != value.text, "nothing grew")
    return scope.assign(made)
