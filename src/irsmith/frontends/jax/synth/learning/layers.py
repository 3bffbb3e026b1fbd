"""Layers of a network, and the activations at their ends."""

from __future__ import annotations

import math
from dataclasses import replace

from irsmith.frontends.jax.synth.curves import ACTIVATIONS, curve
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Shape, add, called, mul
from irsmith.frontends.jax.synth.learning.common import (
    INPUT,
    SEQUENCE,
    WIDTH,
    activated,
    affine,
    before,
    ended,
    held,
    matrix_shape,
    tamed,
)
from irsmith.frontends.jax.synth.learning.norms import normal_of
from irsmith.frontends.jax.synth.moves import scaled


def mlp(scope: Scope) -> None:
    """Layers one after the other."""
    rng = scope.rng
    x = before(scope, scope.argument(matrix_shape(scope), INPUT, bounds=(-1, 1)))
    kind = rng.pick(("plain", "plain", "gated", "residual"))
    if kind == "gated":
        hidden = rng.pick(WIDTH)
        x = held(scope, x)
        gate = scope.assign(activated(scope, tamed(scope, affine(scope, x, hidden))), rng.pick(("gate", "g")))
        up = scope.assign(tamed(scope, affine(scope, x, hidden)), rng.pick(("up", "u")))
        scope.assign(tamed(scope, affine(scope, scope.assign(mul(gate, up)), x.shape[-1])))
        ended(scope)
        return
    width = x.shape[-1]
    for _ in range(rng.pick((2, 2, 3))):
        x = scope.assign(tamed(scope, affine(scope, x, width if kind == "residual" else None)))
        y = scope.assign(activated(scope, x))
        x = scope.assign(add(y, x)) if kind == "residual" else y
    ended(scope)


def gelu(scope: Scope) -> None:
    """The Gaussian error linear unit, from the library or by hand."""
    rng = scope.rng
    x = before(scope, scope.argument(matrix_shape(scope), INPUT, bounds=(-3, 3)))
    x = held(scope, x)
    x = x if x.reach <= 12 else scope.assign(tamed(scope, x))
    kind = rng.pick(("library", "tanh", "erf", "exact", "fast"))
    low, high = -0.2, max(x.high, 0.1)
    text = {
        "library": f"{scope.draft.nn}.gelu({x.text})",
        "exact": f"{scope.draft.nn}.gelu({x.text}, approximate=False)",
        "tanh": f"0.5 * {x.text} * (1.0 + jnp.tanh(0.7978846 * ({x.text} + 0.044715 * {x.text} ** 3)))",
        "erf": f"0.5 * {x.text} * (1.0 + {scope.draft.lax}.erf({x.text} / {math.sqrt(2):.6f}))",
        "fast": f"{x.text} * {scope.draft.nn}.sigmoid(1.702 * {x.text})",
    }[kind]
    made = called(text, x, shape=x.shape, low=low, high=high)
    y = scope.assign(made if kind in ("library", "exact") else replace(made, binding=4))
    if rng.chance(0.5):
        scope.assign(tamed(scope, affine(scope, y)))
    ended(scope)


def silu(scope: Scope) -> None:
    """A value times its logistic function, often with a gate."""
    rng = scope.rng
    x = before(scope, scope.argument(matrix_shape(scope), INPUT, bounds=(-3, 3)))
    x = held(scope, x)
    x = x if x.reach <= 8 else scope.assign(tamed(scope, x))
    kind = rng.pick(("library", "sigmoid", "hand", "swish"))
    text = {
        "library": f"{scope.draft.nn}.silu({x.text})",
        "swish": f"{scope.draft.nn}.swish({x.text})",
        "sigmoid": f"{x.text} * {scope.draft.nn}.sigmoid({x.text})",
        "hand": f"{x.text} / (1.0 + jnp.exp(-{x.text}))",
    }[kind]
    made = called(text, x, shape=x.shape, low=-0.3, high=max(x.high, 0.1))
    y = scope.assign(made if kind in ("library", "swish") else replace(made, binding=4))
    if rng.chance(0.5):
        scope.assign(mul(y, scope.argument(x.shape, ("gate", "up", "value"), bounds=(-1, 1))))
    ended(scope)


def dropout(scope: Scope) -> None:
    """Dropout with a key."""
    rng = scope.rng
    require(scope.draft.real == "float32", "random numbers of float32 alone")
    x = before(scope, scope.argument(matrix_shape(scope), INPUT, bounds=(-2, 2)))
    x = held(scope, x)
    rate = rng.pick((0.1, 0.2, 0.25, 0.3, 0.5))
    kind = rng.pick(("seed", "key", "split", "fold"))
    if kind == "seed":
        seed = scope.argument((), ("seed", "step"), bounds=(0, 1000), dtype="int32")
        scope.use(seed)
        key = scope.names.claim("rng")
        scope.write(f"{key} = {scope.draft.jax}.random.PRNGKey({seed.text})")
    else:
        key = scope.names.claim("rng")
        scope.write(f"{key} = {scope.draft.jax}.random.PRNGKey({rng.below(1000)})")
        if kind == "split":
            other = scope.names.claim("subkey")
            scope.write(f"{key}, {other} = {scope.draft.jax}.random.split({key})")
            key = other
        elif kind == "fold":
            step = scope.argument((), ("step", "layer"), bounds=(0, 50), dtype="int32")
            scope.use(step)
            scope.write(f"{key} = {scope.draft.jax}.random.fold_in({key}, {step.text})")
    mask = scope.names.claim(rng.pick(("keep", "mask", "kept")))
    scope.write(f"{mask} = {scope.draft.jax}.random.bernoulli({key}, {1 - rate:g}, {x.text}.shape)")
    low, high = min(x.low / (1 - rate), 0), max(x.high / (1 - rate), 0)
    if rng.chance(0.7):
        made = called(f"jnp.where({mask}, {x.text} / {1 - rate:g}, 0.0)", x, shape=x.shape, low=low, high=high)
    else:
        made = replace(called(f"{x.text} * {mask} / {1 - rate:g}", x, shape=x.shape, low=low, high=high), binding=4)
    y = scope.assign(made)
    if rng.chance(0.5):
        scope.assign(tamed(scope, affine(scope, y)))
    ended(scope)


def embedding(scope: Scope) -> None:
    """Rows of a table by number."""
    rng = scope.rng
    vocabulary, width = rng.pick((8, 10, 12, 16, 20, 32)), rng.pick((4, 6, 8))
    table = scope.argument((vocabulary, width), ("table", "embedding", "emb", "wte"), bounds=(-1, 1))
    shape: Shape = rng.pick(((rng.pick(SEQUENCE),), (rng.pick((2, 3)), rng.pick(SEQUENCE))))
    ids = scope.argument(shape, ("ids", "tokens", "token_ids", "idx"), bounds=(0, vocabulary - 1), dtype="int32")
    kind = rng.pick(("index", "take", "one_hot"))
    full = (*shape, width)
    if kind == "one_hot":
        dtype = "" if scope.draft.real in ("float32", "float64") else f", dtype={table.text}.dtype"
        text = f"{scope.draft.nn}.one_hot({ids.text}, {vocabulary}{dtype}) @ {table.text}"
        made = replace(called(text, table, ids, shape=full, low=-1, high=1), binding=4)
    else:
        text = f"{table.text}[{ids.text}]" if kind == "index" else f"jnp.take({table.text}, {ids.text}, axis=0)"
        made = called(text, table, ids, shape=full, low=-1, high=1)
    x = scope.assign(made, rng.pick(("x", "embedded", "h", "emb_x")))
    if rng.chance(0.5):
        pos = scope.argument((shape[-1], width), ("pos", "wpe", "positions"), bounds=(-0.5, 0.5))
        x = scope.assign(add(x, pos))
    if rng.chance(0.3):
        x = scope.assign(mul(x, scope.number(round(width**0.5, 3))))
    if rng.chance(0.3):
        scope.assign(normal_of(scope, x, rng.pick(("layer", "rms"))))
    ended(scope)


def activations(scope: Scope) -> None:
    """Several activations of a layer's output."""
    x = scope.argument(matrix_shape(scope), INPUT, bounds=(-3, 3))
    which = scope.rng.pick(list(ACTIVATIONS.values()))
    made = curve(scope, x, which) or activated(scope, x)
    scope.assign(scaled(scope, made) or made)
    ended(scope)
