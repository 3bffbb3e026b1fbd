"""What the categories share: sizes, names, what comes before and after a core, and the parts of a layer."""

from __future__ import annotations

import math
from dataclasses import replace

from irsmith.frontends.jax.synth import choices, maps
from irsmith.frontends.jax.synth.curves import MATHEMATICAL, curve
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, called, div, mul, products
from irsmith.frontends.jax.synth.moves import LAYER, activation, grown
from irsmith.frontends.jax.synth.shared import attempt
from irsmith.frontends.jax.synth.straight import finish, statement

BATCH = (2, 3, 4, 5, 6, 8)
WIDTH = (4, 6, 8, 8, 10, 12, 16)
SEQUENCE = (3, 4, 5, 6, 8)

INPUT = ("x", "inputs", "h", "hidden", "features", "x_in", "acts", "z")
WEIGHT = ("w", "weight", "kernel", "W", "proj", "w1")
BIAS = ("b", "bias", "b1", "offset_b")


def ended(scope: Scope) -> None:
    """A few more statements, and the return. The shortest functions would be alike without one."""
    if scope.budget <= 3 and scope.rng.chance(0.85):
        statement(scope, LAYER, reshape=0.12)
    while scope.budget > 3:
        if scope.budget > 7 and scope.rng.chance(0.12):
            attempt(scope, scope.rng.pick((choices.where, choices.masked, maps.mapped)))
            scope.draft.budget -= 1
        else:
            statement(scope, LAYER, reshape=0.12)
    finish(scope, LAYER)


def before(scope: Scope, x: Expr) -> Expr:
    """What may happen to an input first."""
    if scope.rng.chance(0.6):
        made = grown(scope, x, LAYER, scope.rng.pick((1, 1, 2)))
        if made.text != x.text and made.reach <= 12:
            return scope.assign(made)
    return x


def held(scope: Scope, x: Expr) -> Expr:
    """The value with a name, so that it can be written more than once."""
    return x if x.size == 0 else scope.assign(x)


def affine(scope: Scope, x: Expr, width: int | None = None, *, wish: str | None = None) -> Expr:
    """A product with a weight and perhaps a bias."""
    rng = scope.rng
    width = width or rng.pick(WIDTH)
    w = scope.argument((x.shape[-1], width), wish or WEIGHT, bounds=(-1, 1))
    kind = rng.weighted(("@", "einsum", "transposed", "dot"), (6, 1.5, 1, 1))
    low, high = (bound * x.shape[-1] for bound in products(x, w))
    shape = (*x.shape[:-1], width)
    if kind == "einsum" and x.rank <= 3:
        letters = "bsn"[: x.rank - 1]
        text = f"jnp.einsum('{letters}d,dk->{letters}k', {x.text}, {w.text})"
        made = called(text, x, w, shape=shape, low=low, high=high)
    elif kind == "dot":
        made = called(f"jnp.dot({x.text}, {w.text})", x, w, shape=shape, low=low, high=high)
    else:
        made = replace(called(f"{x.at(4)} @ {w.text}", x, w, shape=shape, low=low, high=high), binding=4)
    if rng.chance(0.7):
        made = add(made, scope.argument((width,), BIAS, bounds=(-0.5, 0.5)))
    require(made.reach <= 400)
    return made


def tamed(scope: Scope, x: Expr, reach: float = 6.0) -> Expr:
    """The value, divided by the root of its width where sums grew large."""
    if x.reach <= reach:
        return x
    factor = 2.0 ** math.ceil(math.log2(x.reach / reach))
    return mul(scope.number(1 / factor), x) if scope.rng.chance(0.3) else over(scope, x, factor)


def over(scope: Scope, x: Expr, factor: float) -> Expr:
    """The value divided by a number."""
    return div(x, scope.number(factor))


def activated(scope: Scope, x: Expr) -> Expr:
    """A layer's end."""
    for _ in range(4):
        made = activation(scope, x)
        if made is not None:
            return made
    return curve(scope, tamed(scope, x, 3.5), MATHEMATICAL["tanh"]) or x


def kept_shape(shape: Shape) -> Shape:
    """The shape after a reduction of the last axis that keeps it."""
    return (*shape[:-1], 1)


def matrix_shape(scope: Scope) -> Shape:
    """A batch of vectors."""
    return scope.rng.pick(BATCH), scope.rng.pick(WIDTH)
