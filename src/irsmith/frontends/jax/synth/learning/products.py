"""Products and contractions of arrays, and what brings arrays into the shapes for them."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth import shapes
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import called, mul, products
from irsmith.frontends.jax.synth.learning.common import (
    BATCH,
    INPUT,
    SEQUENCE,
    WIDTH,
    activated,
    affine,
    before,
    ended,
    tamed,
)
from irsmith.frontends.jax.synth.moves import LAYER, grown


def matmul(scope: Scope) -> None:
    """Products of matrices."""
    rng = scope.rng
    x = before(scope, scope.argument((rng.pick(BATCH), rng.pick(WIDTH)), INPUT, bounds=(-1, 1)))
    y = scope.assign(affine(scope, x), rng.pick(("y", "out", "h", "z")))
    if rng.chance(0.5):
        y = scope.assign(activated(scope, tamed(scope, y)))
        if rng.chance(0.5):
            scope.assign(affine(scope, y))
    ended(scope)


def batched_matmul(scope: Scope) -> None:
    """Products of matrices, one for each example."""
    rng = scope.rng
    b, n, k, m = rng.pick(BATCH), rng.pick(SEQUENCE), rng.pick(SEQUENCE), rng.pick(SEQUENCE)
    x = before(scope, scope.argument((b, n, k), ("a", "lhs", "x", "q"), bounds=(-1, 1)))
    kind = rng.pick(("@", "einsum", "matmul", "vmap", "transposed"))
    shape = (b, n, m)
    y = scope.argument((b, m, k) if kind == "transposed" else (b, k, m), ("b", "rhs", "w", "k"), bounds=(-1, 1))
    low, high = (bound * k for bound in products(x, y))
    text = {
        "@": f"{x.text} @ {y.text}",
        "einsum": f"jnp.einsum('bnk,bkm->bnm', {x.text}, {y.text})",
        "matmul": f"jnp.matmul({x.text}, {y.text})",
        "vmap": f"{scope.draft.jax}.vmap(jnp.dot)({x.text}, {y.text})",
        "transposed": f"jnp.matmul({x.text}, {y.text}.swapaxes(-1, -2))",
    }[kind]
    made = called(text, x, y, shape=shape, low=low, high=high)
    scope.assign(replace(made, binding=4) if kind == "@" else made)
    ended(scope)


_CONTRACTIONS = (
    "ij,jk->ik",
    "bij,bjk->bik",
    "bi,bj->bij",
    "ij,ij->i",
    "bij,jk->bik",
    "bhqd,bhkd->bhqk",
    "ijk,k->ij",
    "ij,j->i",
    "bij,bij->b",
    "ijk->ik",
    "ij->ji",
    "bi,ij,bj->b",
    "ij,kj->ik",
    "bnd,nd->bn",
    "ii->i",
    "bic,bjc->bij",
)


def einsum(scope: Scope) -> None:
    """Contractions by subscripts."""
    rng = scope.rng
    for _ in range(rng.pick((1, 1, 2))):
        spec = rng.pick(_CONTRACTIONS)
        inputs, output = spec.split("->")
        sizes = {letter: rng.pick((2, 3, 4, 5, 6, 8)) for letter in sorted(set(inputs) - {","})}
        parts, reach = [], 1.0
        for term in inputs.split(","):
            shape = tuple(sizes[letter] for letter in term)
            part = scope.argument(shape, bounds=(-1, 1))
            if rng.chance(0.3):
                part = scope.assign(grown(scope, part, LAYER, 1))
            require(part.shape == shape)
            parts.append(part)
            reach *= part.reach
        for letter in set(inputs) - {","} - set(output):
            reach *= sizes[letter]
        require(reach <= 300)
        shape = tuple(sizes[letter] for letter in output)
        text = f"jnp.einsum('{spec}', {', '.join(part.text for part in parts)})"
        scope.assign(called(text, *parts, shape=shape, low=-reach, high=reach))
    ended(scope)


def experts(scope: Scope) -> None:
    """Rows that go to one of several weights, which stand in groups."""
    rng, lax = scope.rng, scope.draft.lax
    sizes = [rng.pick((1, 2, 3, 4)) for _ in range(rng.pick((2, 3, 4)))]
    rows, width, out = sum(sizes), rng.pick(WIDTH), rng.pick(WIDTH)
    x = before(scope, scope.argument((rows, width), ("tokens", "x", "routed", "h"), bounds=(-1, 1)))
    w = scope.argument((len(sizes), width, out), ("experts", "w", "expert_weights"), bounds=(-1, 1))
    groups = scope.names.claim(rng.pick(("group_sizes", "counts", "load")))
    scope.write(f"{groups} = jnp.array({sizes}, dtype=jnp.int32)")
    low, high = (bound * width for bound in products(x, w))
    text = f"{lax}.ragged_dot({x.text}, {w.text}, {groups})"
    y = scope.assign(called(text, x, w, shape=(rows, out), low=low, high=high), rng.pick(("y", "mixed", "expert_out")))
    if rng.chance(0.6):
        y = scope.assign(activated(scope, tamed(scope, y)))
    if rng.chance(0.5):
        gate = scope.argument((rows, 1), ("gate", "router_weight", "gates"), bounds=(0, 1))
        scope.assign(mul(gate, tamed(scope, y)))
    ended(scope)


def shaped(scope: Scope) -> None:
    """Arrays reshaped, joined and cut."""
    rng = scope.rng
    x = scope.argument((rng.pick(BATCH), rng.pick(WIDTH)), INPUT)
    for _ in range(rng.pick((2, 3))):
        made = shapes.viewed(scope, x) or shapes.joined(scope, x)
        if made is not None and made.rank and made.elements <= 1024:
            x = scope.assign(made)
    ended(scope)
