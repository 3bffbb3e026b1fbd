"""Moves that change an array's shape: reductions, views, joins, products."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from irsmith.frontends.jax.synth.author import extent
from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import ATOM, PRODUCT, Expr, Shape, broadcast, called, products
from irsmith.frontends.jax.synth.idle import idle

Reshaping = Callable[[Scope, Expr], Expr | None]


def axis_text(scope: Scope, axis: int, rank: int) -> str:
    """An axis as the author writes it."""
    shown = axis - rank if scope.draft.author.negative_axes and axis == rank - 1 else axis
    return f"axis={shown}" if scope.draft.author.keyword_axis else f"{shown}"


def reduced(scope: Scope, x: Expr, axis: int | None = None, *, kept: bool | None = None) -> Expr | None:
    """Many elements to one along an axis, or all of them."""
    rng, author = scope.rng, scope.draft.author
    if x.rank == 0:
        return None
    whole = axis is None and rng.chance(0.25)
    if axis is None and not whole:
        axis = rng.below(x.rank)
    count = x.elements if whole or axis is None else x.shape[axis]
    if count < 2:
        return None
    kept = bool(not whole and rng.chance(0.25)) if kept is None else kept
    shape: Shape = () if whole or axis is None else _without(x.shape, axis, kept=kept)
    kinds = ["sum", "mean", "max", "min", "mean", "sum", "std", "var", "logsumexp", "prod", "norm", "ptp", "median"]
    kind = rng.weighted(kinds, [3, 3, 2, 1.2, 1, 1, 0.7, 0.7, 0.8, 0.3, 0.8, 0.2, 0.15])
    if idle(kind, x):
        return None
    bounds = _reduction(kind, x, count)
    if bounds is None or max(map(abs, bounds)) > scope.draft.limit:
        return None
    where = "" if whole or axis is None else axis_text(scope, axis, x.rank)
    tail = "".join(f", {item}" for item in (where, "keepdims=True" if kept else "") if item)
    if kind == "logsumexp":
        spelled = f"{scope.draft.nn}.logsumexp({x.text}{tail})"
    elif kind == "norm":
        one = "" if whole or axis is None else f", axis={axis}"
        if not one and x.rank > 2:
            return None
        spelled = f"jnp.linalg.norm({x.text}{one}{', keepdims=True' if kept else ''})"
    elif (
        kind in ("sum", "mean", "max", "min", "std", "var", "prod") and x.binding == ATOM and rng.chance(author.methods)
    ):
        spelled = f"{x.text}.{kind}({tail[2:]})"
    else:
        spelled = f"jnp.{kind}({x.text}{tail})"
    return called(spelled, x, shape=shape, low=bounds[0], high=bounds[1], made=(kind,))


def _without(shape: Shape, axis: int, *, kept: bool) -> Shape:
    return (*shape[:axis], *((1,) if kept else ()), *shape[axis + 1 :])


def _reduction(kind: str, x: Expr, count: int) -> tuple[float, float] | None:
    if kind in ("sum", "mean"):
        if x.tied:
            return None
        return (x.low * count, x.high * count) if kind == "sum" else (x.low, x.high)
    if kind in ("max", "min", "median"):
        return x.low, x.high
    if kind == "ptp":
        return 0.0, x.width
    if kind in ("std", "var"):
        if x.tied:
            return None
        half = x.width / 2
        # A standard deviation has no slope where all elements are the same.
        return (0.0, half**2) if kind == "var" else None
    if kind == "logsumexp":
        return (x.low + math.log(count), x.high + math.log(count)) if x.reach < 30 else None
    if kind == "norm":
        return (0.0, x.reach * count**0.5) if x.low > 0.02 or x.high < -0.02 else None
    if kind == "prod":
        return (-(x.reach**count), x.reach**count) if count <= 6 and x.reach <= 3 else None
    return None


def viewed(scope: Scope, x: Expr) -> Expr | None:
    """A slice, a transpose, a reshape, a reversal."""
    rng = scope.rng
    if x.rank == 0:
        return None
    kinds = ["slice", "stride", "flip", "roll", "reshape", "expand"] + ["transpose", "swap"] * (x.rank > 1)
    kind = rng.pick(kinds)
    made = None if idle(kind, x) else _view(scope, x, kind)
    return None if made is None else replace(made, made=(kind,))


def _view(scope: Scope, x: Expr, kind: str) -> Expr | None:
    rng = scope.rng
    axis = rng.below(x.rank)
    size = x.shape[axis]
    lead = ":, " * axis
    a = x.at(ATOM)
    if kind == "slice" and size >= 3:
        cut = rng.pick((1, 2)) if size > 4 else 1
        start = rng.chance(0.5)
        text = f"{a}[{lead}{cut}:]" if start else f"{a}[{lead}:-{cut}]"
        return _same(x, text, _sized(x.shape, axis, size - cut))
    if kind == "stride" and size >= 4:
        return _same(x, f"{a}[{lead}::2]", _sized(x.shape, axis, (size + 1) // 2))
    if kind == "flip" and size >= 2:
        text = f"jnp.flip({x.text}, axis={axis})" if rng.chance(0.6) else f"{a}[{lead}::-1]"
        return _same(x, text, x.shape)
    if kind == "roll" and size >= 3:
        return _same(x, f"jnp.roll({x.text}, {rng.pick((1, -1, 2))}, axis={axis})", x.shape)
    if kind == "transpose" and x.rank >= 2:
        if x.rank == 2:
            return _same(x, f"{a}.T", x.shape[::-1])
        order = tuple(rng.shuffled(range(x.rank)))
        if order == tuple(range(x.rank)):
            return None
        text = f"jnp.transpose({x.text}, {order})" if rng.chance(0.6) else f"{a}.transpose{order}"
        return _same(x, text, tuple(x.shape[place] for place in order))
    if kind == "swap" and x.rank >= 2:
        shape = (*x.shape[:-2], x.shape[-1], x.shape[-2])
        return _same(x, f"jnp.swapaxes({x.text}, -1, -2)", shape)
    if kind == "reshape":
        return _reshaped(scope, x)
    if kind == "expand" and x.rank < 4:
        return _same(x, f"{a}[..., None]", (*x.shape, 1)) if rng.chance(0.5) else _same(x, f"{a}[None]", (1, *x.shape))
    return None


def _reshaped(scope: Scope, x: Expr) -> Expr | None:
    rng = scope.rng
    if x.rank > 1 and rng.chance(0.6):
        if x.rank == 2 or rng.chance(0.4):
            return _same(x, f"{x.at(ATOM)}.reshape(-1)", (x.elements,))
        shape = (x.shape[0] * x.shape[1], *x.shape[2:])
        return _same(x, f"{x.at(ATOM)}.reshape({', '.join(map(str, shape))})", shape)
    last = x.shape[-1]
    factors = [size for size in (2, 3, 4, 5, 8) if last % size == 0 and last > size]
    if not factors or x.rank >= 4:
        return None
    shape = (*x.shape[:-1], last // (by := rng.pick(factors)), by)
    return _same(x, f"jnp.reshape({x.text}, {shape})", shape)


def _same(x: Expr, text: str, shape: Shape) -> Expr:
    return called(text, x, shape=shape, low=x.low, high=x.high)


def _sized(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def cumulated(scope: Scope, x: Expr) -> Expr | None:
    """A running sum, product or extreme."""
    rng = scope.rng
    if x.rank == 0:
        return None
    axis = rng.below(x.rank)
    count = x.shape[axis]
    kind = rng.pick(("cumsum", "cumsum", "cummax", "cummin", "cumlogsumexp", "cumprod"))
    if count < 2 or idle(kind, x):
        return None
    if kind == "cumsum" and x.reach * count <= scope.draft.limit:
        low, high = min(x.low, x.low * count), max(x.high, x.high * count)
        return called(f"jnp.cumsum({x.text}, axis={axis})", x, shape=x.shape, low=low, high=high, made=(kind,))
    if kind == "cumprod" and x.reach <= 1.5 and count <= 8:
        reach = max(1.0, x.reach) ** count
        return called(f"jnp.cumprod({x.text}, axis={axis})", x, shape=x.shape, low=-reach, high=reach, made=(kind,))
    if kind == "cumlogsumexp" and x.reach < 20:
        high = x.high + math.log(count)
        text = f"{scope.draft.lax}.cumlogsumexp({x.text}, axis={axis})"
        return called(text, x, shape=x.shape, low=x.low, high=high, made=(kind,))
    if kind in ("cummax", "cummin"):
        text = f"{scope.draft.lax}.{kind}({x.text}, axis={axis})"
        return called(text, x, shape=x.shape, low=x.low, high=x.high, made=(kind,))
    return None


def joined(scope: Scope, x: Expr) -> Expr | None:
    """Stacked or concatenated with another, or padded."""
    rng = scope.rng
    if x.rank == 0:
        return None
    axis = rng.below(x.rank)
    mates = [v for v in scope.visible() if v.shape == x.shape and v.dtype == x.dtype and v.names != x.names]
    if mates and rng.chance(0.7):
        y = rng.pick([v for v in mates if v.text in scope.fresh] or mates)
        low, high = min(x.low, y.low), max(x.high, y.high)
        if rng.chance(0.6) or x.rank >= 4:
            shape = _sized(x.shape, axis, 2 * x.shape[axis])
            return called(f"jnp.concatenate([{x.text}, {y.text}], axis={axis})", x, y, shape=shape, low=low, high=high)
        shape = (*x.shape[:axis], 2, *x.shape[axis:])
        return called(f"jnp.stack([{x.text}, {y.text}], axis={axis})", x, y, shape=shape, low=low, high=high)
    if x.rank > 2 or x.elements > 256:
        return None
    if rng.chance(0.25):
        counts = ", ".join("2" if place == axis else "1" for place in range(x.rank))
        text = f"jnp.tile({x.text}, ({counts}))" if x.rank > 1 else f"jnp.tile({x.text}, {rng.pick((2, 3))})"
        count = 2 if x.rank > 1 else int(text[-2])
        return called(text, x, shape=_sized(x.shape, axis, count * x.shape[axis]), low=x.low, high=x.high)
    before, after = rng.below(2), rng.pick((1, 2))
    widths = [(0, 0)] * x.rank
    widths[axis] = (before, after)
    mode = rng.pick(("", ', mode="edge"', ', mode="constant"'))
    spec = f"({widths[0][0]}, {widths[0][1]})" if x.rank == 1 else f"({', '.join(map(str, widths))})"
    low, high = (x.low, x.high) if "edge" in mode else (min(x.low, 0.0), max(x.high, 0.0))
    shape = _sized(x.shape, axis, x.shape[axis] + before + after)
    return called(f"jnp.pad({x.text}, {spec}{mode})", x, shape=shape, low=low, high=high)


def product(scope: Scope, x: Expr, wish: Sequence[str] = ("w", "weight", "kernel", "proj", "W")) -> Expr | None:
    """A product with a matrix, or of two vectors."""
    rng = scope.rng
    if x.rank == 0 or x.rank > 3:
        return None
    inner = x.shape[-1]
    if x.rank == 1 and rng.chance(0.4):
        y = scope.partner(x, lambda v: v.shape == x.shape) or scope.argument(x.shape)
        if rng.chance(0.5):
            low, high = (bound * inner for bound in products(x, y))
            return _limited(scope, called(f"jnp.dot({x.text}, {y.text})", x, y, shape=(), low=low, high=high))
        low, high = products(x, y)
        made = called(f"jnp.outer({x.text}, {y.text})", x, y, shape=(inner, y.shape[0]), low=low, high=high)
        return _limited(scope, made)
    mates = [
        v
        for v in scope.unread()
        if v.rank == 2 and v.shape[0] == inner and v.real and v.dtype == x.dtype and v.names != x.names
    ]
    y = rng.pick(mates) if mates and rng.chance(0.6) else scope.argument((inner, extent(rng, 16)), wish, bounds=(-1, 1))
    return _limited(scope, matmul(scope, x, y))


def matmul(scope: Scope, x: Expr, y: Expr) -> Expr:
    """``x @ y`` in one of its spellings."""
    low, high = (bound * x.shape[-1] for bound in products(x, y))
    shape = (*x.shape[:-1], *y.shape[1:]) if y.rank <= 2 else (*x.shape[:-1], y.shape[-1])
    kind = scope.rng.weighted(("@", "dot", "matmul"), (6, 1, 1))
    if kind == "@":
        made = called(f"{x.at(PRODUCT)} @ {y.at(PRODUCT + 1)}", x, y, shape=shape, low=low, high=high)
        return replace(made, binding=PRODUCT)
    return called(f"jnp.{kind}({x.text}, {y.text})", x, y, shape=shape, low=low, high=high)


def _limited(scope: Scope, made: Expr) -> Expr | None:
    return made if made.reach <= scope.draft.limit else None


def centred(scope: Scope, x: Expr) -> Expr | None:
    """Less its mean, along the last axis."""
    if x.rank == 0 or x.shape[-1] < 2 or x.size or x.tied:
        return None
    where = axis_text(scope, x.rank - 1, x.rank)
    text = f"{x.text} - jnp.mean({x.text}, {where}, keepdims=True)"
    return replace(called(text, x, shape=x.shape, low=-x.width, high=x.width, tied=True), binding=3)


def normalised(scope: Scope, x: Expr) -> Expr | None:
    """A softmax, a logarithm of one, or a norm taken out."""
    rng = scope.rng
    if x.rank == 0 or x.shape[-1] < 2 or x.reach > 12:
        return None
    axis = rng.below(x.rank) if rng.chance(0.3) else x.rank - 1
    count = x.shape[axis]
    if count < 2:
        return None
    where = f"axis={axis - x.rank if axis == x.rank - 1 else axis}"
    kind = rng.pick(("softmax", "log_softmax", "standardize"))
    if idle(kind, x):
        return None
    if kind == "softmax":
        text = f"{scope.draft.nn}.softmax({x.text}, {where})"
        return called(text, x, shape=x.shape, low=0.0, high=1.0, tied=True, made=(kind,))
    if kind == "log_softmax":
        low = -(x.width + math.log(count))
        text = f"{scope.draft.nn}.log_softmax({x.text}, {where})"
        return called(text, x, shape=x.shape, low=low, high=0.0, made=(kind,))
    text = f"{scope.draft.nn}.standardize({x.text}, {where}, epsilon=0.01)"
    return called(text, x, shape=x.shape, low=-(count**0.5), high=count**0.5, tied=True, made=(kind,))


def indexed(scope: Scope, x: Expr) -> Expr | None:
    """One element along an axis, by a fixed position."""
    rng = scope.rng
    if x.rank == 0:
        return None
    axis = rng.below(x.rank)
    place = rng.pick((0, -1, rng.below(x.shape[axis])))
    return _same(x, f"{x.at(ATOM)}[{':, ' * axis}{place}]", _sized(x.shape, axis, 1)[:axis] + x.shape[axis + 1 :])


def updated(scope: Scope, x: Expr) -> Expr | None:
    """Part of an array replaced or changed."""
    rng = scope.rng
    if x.rank == 0 or x.shape[0] < 2:
        return None
    place = rng.pick((0, -1, rng.below(x.shape[0])))
    part: Shape = x.shape[1:]
    where = f"{place}"
    if rng.chance(0.35) and x.shape[0] >= 4:
        cut = rng.between(1, x.shape[0] - 2)
        where, part = f"{cut}:", (x.shape[0] - cut, *x.shape[1:])
    elif rng.chance(0.3) and x.rank >= 2:
        where, part = f":, {place if place == -1 else 0}", (x.shape[0], *x.shape[2:])
    op = rng.pick(("set", "add", "multiply", "add", "max", "min", "set", "subtract"))
    y = next(
        (
            v
            for v in scope.unread()
            if v.real and v.dtype == x.dtype and v.names != x.names and broadcast(v.shape, part) == part
        ),
        None,
    )
    value = y or scope.argument(part if rng.chance(0.4) else ())
    if op == "set":
        low, high = min(x.low, value.low), max(x.high, value.high)
    elif op == "add":
        low, high = min(x.low, x.low + value.low), max(x.high, x.high + value.high)
    elif op == "subtract":
        low, high = min(x.low, x.low - value.high), max(x.high, x.high - value.low)
    elif op == "multiply":
        both = products(x, value)
        low, high = min(x.low, both[0]), max(x.high, both[1])
    elif op == "max":
        low, high = x.low, max(x.high, value.high)
        if value.low >= x.high or value.high <= x.low:
            return None
    else:
        low, high = min(x.low, value.low), x.high
        if value.low >= x.high or value.high <= x.low:
            return None
    made = called(f"{x.at(ATOM)}.at[{where}].{op}({value.text})", x, value, shape=x.shape, low=low, high=high)
    return _limited(scope, made)


RESHAPING: tuple[tuple[Reshaping, float], ...] = (
    (reduced, 3.0),
    (viewed, 2.5),
    (cumulated, 0.8),
    (joined, 0.8),
    (product, 1.0),
    (centred, 0.7),
    (normalised, 0.7),
    (indexed, 0.6),
    (updated, 0.8),
)


def changed(scope: Scope, x: Expr) -> Expr | None:
    """An expression of some other shape made of ``x``, or None."""
    moves, weights = zip(*RESHAPING, strict=True)
    for _ in range(5):
        move: Reshaping = scope.rng.weighted(moves, weights)
        made = move(scope, x)
        if made is not None and made.elements <= 1024 and len(made.text) <= 90 and made.rank <= 4:
            return made
    return None
