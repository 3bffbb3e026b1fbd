"""Phases of choices: element by element, by one truth value, and by a number."""

from __future__ import annotations

from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope, atom, require
from irsmith.frontends.jax.synth.expr import Expr, Shape, called, compared, hull, mul
from irsmith.frontends.jax.synth.moves import MIXED, PLAIN, Repertoire, chosen, condition, grown, threshold


def operand(scope: Scope) -> Expr:
    """A float value to go on with: unread if possible."""
    fits = [v for v in scope.unread() if v.real] or [v for v in scope.visible() if v.real]
    return scope.rng.pick(fits) if fits else scope.argument((scope.rng.pick((4, 6, 8, 16)),))


def where(scope: Scope) -> Expr:
    """Element by element, one of two."""
    x = operand(scope)
    for _ in range(8):
        made = chosen(scope, x)
        if made is not None and made.shape == x.shape:
            return scope.assign(made)
    require(False, "no choice")
    raise AssertionError


def masked(scope: Scope) -> Expr:
    """A mask with a name of its own, and what is chosen by it."""
    rng = scope.rng
    x = operand(scope)
    test = condition(scope, x)
    require(test is not None and test.shape == x.shape)
    assert test is not None
    mask = scope.assign(test, rng.pick(("mask", "keep", "is_large", "active", "above", "inside")))
    yes, no = grown(scope, x, MIXED, 1), grown(scope, x, PLAIN, 1)
    require(yes.text != no.text)
    if rng.chance(0.2):
        scope.use(mask)
        cast = called(f"{mask.text}.astype({x.text}.dtype)", mask, x, shape=x.shape, low=0, high=1, dtype=x.dtype)
        return scope.assign(mul(yes, cast))
    low, high = hull(yes, no)
    scope.use(mask)
    text = f"jnp.where({mask.text}, {yes.text}, {no.text})"
    return scope.assign(called(text, yes, no, mask, shape=x.shape, low=low, high=high))


def nested_where(scope: Scope) -> Expr:
    """A choice within a choice."""
    rng = scope.rng
    x = operand(scope)
    first, second = condition(scope, x), condition(scope, x)
    require(first is not None and second is not None)
    assert first is not None
    assert second is not None
    require(first.text != second.text and first.shape == second.shape == x.shape)
    parts = [grown(scope, x, rng.pick((MIXED, PLAIN)), 1) for _ in range(3)]
    require(len({part.text for part in parts}) == 3)
    if rng.chance(0.5):
        parts = [part if part.size < 3 else scope.assign(part, keep=True) for part in parts]
    inner_text = f"jnp.where({second.text}, {parts[0].text}, {parts[1].text})"
    inner = called(
        inner_text,
        second,
        *parts[:2],
        x,
        shape=x.shape,
        dtype=x.dtype,
        low=hull(*parts[:2])[0],
        high=hull(*parts[:2])[1],
    )
    if len(inner.text) > 60 or rng.chance(0.4):
        inner = scope.assign(inner, rng.pick(("inner", "upper", "low_case", "branch")))
    pair = (inner, parts[2]) if rng.chance(0.6) else (parts[2], inner)
    low, high = hull(inner, parts[2])
    text = f"jnp.where({first.text}, {pair[0].text}, {pair[1].text})"
    return scope.assign(called(text, first, inner, parts[2], shape=x.shape, dtype=x.dtype, low=low, high=high))


def select(scope: Scope) -> Expr:
    """One of several, by the first condition that holds."""
    rng = scope.rng
    x = operand(scope)
    require(x.width > 0.5)
    count = rng.pick((2, 2, 3, 4))
    cuts = sorted({round(x.low + x.width * rng.uniform(0.12, 0.88), 2) for _ in range(count)})
    tests = [compared(x, "<", scope.number(cut)) for cut in cuts]
    cases = [grown(scope, x, rng.pick((MIXED, PLAIN)), 1) for _ in range(len(cuts) + 1)]
    require(len({case.text for case in cases}) == len(cases))
    low, high = hull(*cases)
    if rng.chance(0.5):
        conditions = ", ".join(test.text for test in tests)
        scope.write(f"conditions = [{conditions}]") if len(conditions) > 40 else None
        shown = "conditions" if len(conditions) > 40 else f"[{conditions}]"
        if shown == "conditions":
            require("conditions" not in scope.names.taken)
            scope.names.taken.add("conditions")
            scope.use(*tests)
        choices = ", ".join(case.text for case in cases[:-1])
        text = f"jnp.select({shown}, [{choices}], {cases[-1].text})"
        return scope.assign(called(text, x, *cases, shape=x.shape, low=low, high=high))
    made = cases[-1]
    for test, case in zip(reversed(tests), reversed(cases[:-1]), strict=True):
        bounds = hull(case, made)
        text = f"jnp.where({test.text}, {case.text}, {made.text})"
        made = called(text, x, case, made, shape=x.shape, low=bounds[0], high=bounds[1])
        made = scope.assign(made)
    return made


def predicate(scope: Scope) -> Expr:
    """A condition of one truth value."""
    rng = scope.rng
    if rng.chance(0.2):
        return scope.argument(
            (), rng.pick(("training", "flag", "use_bias", "invert", "enabled")), bounds=(0, 1), dtype="bool"
        )
    x = operand(scope)
    subject: Expr | None = x if x.rank == 0 else None
    for _ in range(6):
        if subject is None and x.rank and not x.tied:
            kind = rng.pick(("mean", "max", "sum", "min"))
            scale = x.elements if kind == "sum" else 1
            if x.reach * scale < scope.draft.limit:
                subject = called(f"jnp.{kind}({x.text})", x, shape=(), low=x.low * scale, high=x.high * scale)
    if subject is None:
        subject = scope.argument(())
    if subject.low < 0 < subject.high:
        at: Expr | None = scope.number(rng.pick((0.0, 0.0, number(rng, 0.0, max(0.1, subject.high / 8)))))
    else:
        at = threshold(scope, subject)
    require(at is not None)
    assert at is not None
    return compared(subject, rng.pick((">", "<")), at)


def _case(scope: Scope, like: Expr, target: Shape, repertoire: Repertoire = MIXED) -> tuple[Scope, Expr]:
    """A function of one value to one of the same shape: its body, not yet written out."""
    body = scope.inner()
    x = body.bind(scope.rng.pick(("x", "v", "z", "operand", "h")), like)
    made = grown(body, x, repertoire, scope.rng.pick((1, 1, 2)))
    require(made.text != x.text and made.shape == target)
    return body, made


def conditional(scope: Scope, depth: int = 0) -> Expr:
    """``lax.cond`` with two functions."""
    rng, author = scope.rng, scope.draft.author
    test = predicate(scope)
    x = atom(operand(scope), scope)
    bodies = [_case(scope, x, x.shape, rng.pick((MIXED, PLAIN))) for _ in range(2)]
    require(bodies[0][1].text != bodies[1][1].text)
    low, high = hull(*(made for _, made in bodies))
    scope.use(test, x)
    if depth and rng.chance(0.9):
        low, high = _nested(scope, bodies, x, low, high)
        return scope.assign(_call_cond(scope, test, ("on_true", "on_false"), x, low, high))
    if rng.chance(author.lambdas) and all(len(made.text) < 34 for _, made in bodies):
        texts = []
        for body, made in bodies:
            body.use(made)
            texts.append(f"lambda {next(iter(body.pool))}: {made.text}")
            scope.use(*(v for v in scope.visible() if v.text in made.names))
        text = f"{scope.draft.lax}.cond({test.text}, {texts[0]}, {texts[1]}, {x.text})"
        if len(text) < 108:
            return scope.assign(called(text, test, x, shape=x.shape, dtype=x.dtype, low=low, high=high))
    names = tuple(scope.names.claim(wish) for wish in rng.pick(_CASES))
    for label, (body, made) in zip(names, bodies, strict=True):
        _close(scope, body, made, label)
    return scope.assign(_call_cond(scope, test, names, x, low, high))


_CASES = (
    ("true_fn", "false_fn"),
    ("on_true", "on_false"),
    ("active", "passive"),
    ("grow", "decay"),
    ("above", "below"),
)


def _call_cond(scope: Scope, test: Expr, names: tuple[str, ...], x: Expr, low: float, high: float) -> Expr:
    text = f"{scope.draft.lax}.cond({test.text}, {names[0]}, {names[1]}, {x.text})"
    return called(text, test, x, shape=x.shape, dtype=x.dtype, low=low, high=high)


def _close(scope: Scope, body: Scope, made: Expr, label: str) -> None:
    """Write a function of one value out."""
    body.use(made)
    require(not body.fresh, "a parameter that nobody reads")
    body.write(f"return {made.text}")
    scope.put(body, f"def {label}({next(iter(body.pool))}):")
    scope.lines.append("")


def _nested(scope: Scope, bodies: list[tuple[Scope, Expr]], x: Expr, low: float, high: float) -> tuple[float, float]:
    """The first of two functions decides again."""
    rng = scope.rng
    (first, made), (second, other) = bodies
    inner = [_case(first, x, x.shape, rng.pick((MIXED, PLAIN))) for _ in range(2)]
    require(inner[0][1].text != inner[1][1].text)
    value = next(iter(first.pool.values()))
    first.use(value)
    at = threshold(scope, x)
    require(at is not None)
    assert at is not None
    count = f"jnp.mean({value.text})" if x.rank else value.text
    test = compared(called(count, value, shape=(), low=x.low, high=x.high), ">", at)
    names = tuple(first.names.claim(wish) for wish in ("high", "low"))
    for label, (body, result) in zip(names, inner, strict=True):
        _close(first, body, result, label)
        low, high = min(low, result.low), max(high, result.high)
    call = _call_cond(first, test, names, made if made.size < 3 else value, low, high)
    if made.size < 3:
        # What the inner functions are given is not the parameter itself.
        require(made.low >= x.low and made.high <= x.high, "grows")
    first.use(call)
    require(not first.fresh)
    first.write(f"return {call.text}")
    scope.names.taken |= {"on_true", "on_false"}
    scope.put(first, f"def on_true({value.text}):")
    scope.lines.append("")
    _close(scope, second, other, "on_false")
    return low, high


def switched(scope: Scope) -> Expr:
    """``lax.switch`` on a whole number."""
    rng = scope.rng
    count = rng.pick((2, 3, 3, 4))
    x = atom(operand(scope), scope)
    index = scope.argument(
        (), rng.pick(("mode", "kind", "case", "branch", "level")), bounds=(0, count - 1), dtype="int32"
    )
    bodies = [_case(scope, x, x.shape, rng.pick((MIXED, PLAIN))) for _ in range(count)]
    require(len({made.text for _, made in bodies}) == count)
    low, high = hull(*(made for _, made in bodies))
    scope.use(x, index)
    if all(len(made.text) < 30 for _, made in bodies) and rng.chance(0.6):
        texts = []
        for body, made in bodies:
            scope.use(*(v for v in scope.visible() if v.text in made.names))
            texts.append(f"lambda {next(iter(body.pool))}: {made.text},")
        scope.write("branches = [")
        for text in texts:
            scope.write(f"    {text}")
        scope.write("]")
        require("branches" not in scope.names.taken)
        scope.names.taken.add("branches")
        shown = "branches"
    else:
        labels = [
            scope.names.claim(rng.pick(("first", "second", "third", "linear", "squashed", "damped", "raw")))
            for _ in bodies
        ]
        for label, (body, made) in zip(labels, bodies, strict=True):
            _close(scope, body, made, label)
        shown = f"[{', '.join(labels)}]"
    text = f"{scope.draft.lax}.switch({index.text}, {shown}, {x.text})"
    return scope.assign(called(text, x, index, shape=x.shape, low=low, high=high))
