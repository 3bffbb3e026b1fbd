"""Phases of functions mapped over the leading axis."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth.author import few
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Expr, add, broadcast, called, mul
from irsmith.frontends.jax.synth.loops import folded
from irsmith.frontends.jax.synth.moves import MIXED, grown
from irsmith.frontends.jax.synth.shapes import reduced


def mapped(scope: Scope) -> Expr:
    """``jax.vmap`` or ``lax.map`` of a function over the leading axis."""
    rng = scope.rng
    xs = [v for v in scope.unread() if v.real and v.rank >= 2]
    x = rng.pick(xs) if xs else scope.argument((few(rng) + 1, rng.pick((3, 4, 8))))
    mates = [v for v in scope.unread() if v.real and v.rank >= 1 and v.shape[:1] == x.shape[:1] and v.text != x.text]
    y = rng.pick(mates) if mates and rng.chance(0.6) else None
    body = scope.inner()
    item = body.bind(rng.pick(("row", "x", "example", "vec")), replace(x, shape=x.shape[1:]))
    scope.use(x)
    made = grown(body, item, MIXED, rng.pick((1, 2)))
    parameters = [item.text]
    if y is not None:
        second = body.bind(rng.pick(("w", "b", "other", "t")), replace(y, shape=y.shape[1:]))
        scope.use(y)
        parameters.append(second.text)
        if broadcast(second.shape, made.shape) != made.shape:
            second = called(f"jnp.mean({second.text})", second, shape=(), low=second.low, high=second.high)
        made = rng.pick((add, mul))(made, second)
    if made.size > 2 and rng.chance(0.6):
        made = body.assign(made)
    if made.rank and rng.chance(0.6):
        made = reduced(body, made) or made
    require(made.reach <= scope.draft.limit and made.text != item.text)
    body.use(made)
    require(not body.fresh)
    given = ", ".join([x.text] + ([y.text] if y is not None else []))
    result = Expr("", 7, (x.shape[0], *made.shape), x.dtype, made.low, made.high)
    if not body.lines and rng.chance(0.5) and len(made.text) < 60:
        text = f"{scope.draft.jax}.vmap(lambda {', '.join(parameters)}: {made.text})({given})"
    else:
        label = scope.names.claim(rng.pick(("per_row", "single", "one", "per_example", "row_fn")))
        body.write(f"return {made.text}")
        scope.put(body, f"def {label}({', '.join(parameters)}):")
        scope.lines.append("")
        if y is None and rng.chance(0.2):
            text = f"{scope.draft.lax}.map({label}, {given})"
        else:
            text = f"{scope.draft.jax}.vmap({label})({given})"
    return scope.assign(replace(called(text, x, shape=result.shape, low=result.low, high=result.high)))


def mapped_fold(scope: Scope) -> Expr:
    """A function with a loop of its own, mapped over the leading axis."""
    rng = scope.rng
    xs = [v for v in scope.unread() if v.real and v.rank >= 2 and v.shape[1] >= 2]
    x = rng.pick(xs) if xs else scope.argument((few(rng) + 1, rng.pick((3, 4, 8))))
    body = scope.inner()
    item = body.bind(rng.pick(("row", "series", "seq", "vec")), replace(x, shape=x.shape[1:]))
    scope.use(x)
    made = folded(body)
    if rng.chance(0.5):
        made = grown(body, made, MIXED, 1)
    body.use(made)
    require(not body.fresh and item.text not in body.fresh)
    body.write(f"return {made.text}")
    label = scope.names.claim(rng.pick(("per_row", "single", "one_series", "row_fn", "run")))
    scope.put(body, f"def {label}({item.text}):")
    scope.lines.append("")
    text = f"{scope.draft.jax}.vmap({label})({x.text})"
    return scope.assign(called(text, x, shape=(x.shape[0], *made.shape), low=made.low, high=made.high))
