"""Normalisation: of a layer, by the root mean square, and with known statistics."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import Expr, add, called, mul
from irsmith.frontends.jax.synth.learning.common import (
    BATCH,
    INPUT,
    SEQUENCE,
    WIDTH,
    activated,
    affine,
    before,
    ended,
    held,
    kept_shape,
    matrix_shape,
    tamed,
)


def normal_of(scope: Scope, x: Expr, kind: str) -> Expr:
    """A layer norm or a root-mean-square norm along the last axis, with its scale."""
    rng = scope.rng
    width = x.shape[-1]
    eps = rng.pick((1e-5, 1e-6, 1e-3, 1e-2)) if scope.draft.real in ("float32", "float64") else 0.01
    x = held(scope, x)
    # Kept off zero variance by the size of the eps alone: bounds follow from the width.
    reach = width**0.5
    kept = kept_shape(x.shape)
    if kind == "rms":
        inner = f"jnp.mean({x.text} ** 2, axis=-1, keepdims=True)"
        if rng.chance(0.5):
            ms = scope.assign(called(inner, x, shape=kept, low=0, high=x.reach**2), rng.pick(("ms", "var", "mean_sq")))
            inner = ms.text
            text = f"{x.text} * {scope.draft.lax}.rsqrt({inner} + {eps!r})"
            normed = called(text, x, ms, shape=x.shape, low=-reach, high=reach)
        else:
            normed = called(f"{x.text} / jnp.sqrt({inner} + {eps!r})", x, shape=x.shape, low=-reach, high=reach)
        normed = replace(normed, binding=4)
    else:
        mean = scope.assign(
            called(f"jnp.mean({x.text}, axis=-1, keepdims=True)", x, shape=kept, low=x.low, high=x.high),
            rng.pick(("mu", "mean", "m")),
        )
        if rng.chance(0.5):
            var = called(f"jnp.var({x.text}, axis=-1, keepdims=True)", x, shape=kept, low=0, high=x.width**2)
        else:
            text = f"jnp.mean(({x.text} - {mean.text}) ** 2, axis=-1, keepdims=True)"
            var = called(text, x, mean, shape=kept, low=0, high=x.width**2)
        var = scope.assign(var, rng.pick(("var", "sigma2", "variance")))
        if rng.chance(0.5):
            text = f"({x.text} - {mean.text}) / jnp.sqrt({var.text} + {eps!r})"
        else:
            text = f"({x.text} - {mean.text}) * {scope.draft.lax}.rsqrt({var.text} + {eps!r})"
        normed = replace(called(text, x, mean, var, shape=x.shape, low=-reach, high=reach), binding=4)
    normed = scope.assign(normed, rng.pick(("normed", "x_hat", "xn", "y", "norm_x")))
    gain = scope.argument((width,), ("gamma", "scale", "g", "gain", "weight"), bounds=(0.5, 1.5))
    made = mul(normed, gain)
    if kind != "rms" and rng.chance(0.8):
        made = add(made, scope.argument((width,), ("beta", "bias", "shift", "b"), bounds=(-0.5, 0.5)))
    return made


def layernorm(scope: Scope) -> None:
    """Layer normalisation."""
    rng = scope.rng
    shape = matrix_shape(scope) if rng.chance(0.6) else (rng.pick((2, 3)), rng.pick(SEQUENCE), rng.pick(WIDTH))
    x = before(scope, scope.argument(shape, INPUT, bounds=(-2, 2)))
    if rng.chance(0.4):
        x = scope.assign(add(x, scope.argument(shape, ("residual", "skip", "res"), bounds=(-1, 1))))
    scope.assign(normal_of(scope, x, "layer"))
    ended(scope)


def rmsnorm(scope: Scope) -> None:
    """Root-mean-square normalisation."""
    rng = scope.rng
    shape = matrix_shape(scope) if rng.chance(0.6) else (rng.pick((2, 3)), rng.pick(SEQUENCE), rng.pick(WIDTH))
    x = before(scope, scope.argument(shape, INPUT, bounds=(-2, 2)))
    y = scope.assign(normal_of(scope, x, "rms"))
    if rng.chance(0.3):
        scope.assign(tamed(scope, affine(scope, y)))
    ended(scope)


def batchnorm(scope: Scope) -> None:
    """Batch normalisation with statistics that are known."""
    rng = scope.rng
    image = rng.chance(0.4)
    c = rng.pick((3, 4, 6, 8))
    shape = (rng.pick((2, 3)), rng.pick((4, 5, 6)), rng.pick((4, 5)), c) if image else (rng.pick(BATCH), c)
    x = before(scope, scope.argument(shape, INPUT, bounds=(-2, 2)))
    mean = scope.argument((c,), ("running_mean", "mean", "mu"), bounds=(-0.5, 0.5))
    var = scope.argument((c,), ("running_var", "var", "sigma2"), bounds=(0.3, 2))
    gamma = scope.argument((c,), ("gamma", "scale", "weight"), bounds=(0.5, 1.5))
    beta = scope.argument((c,), ("beta", "shift", "bias"), bounds=(-0.5, 0.5))
    eps = scope.number(rng.pick((1e-5, 1e-3, 0.01)))
    inside = add(var, eps)
    if rng.chance(0.5):
        text = f"{scope.draft.lax}.rsqrt({inside.text})"
        inv = scope.assign(called(text, inside, shape=(c,), low=0.6, high=1.9), rng.pick(("inv_std", "inv", "rstd")))
        if rng.chance(0.4):
            factor = scope.assign(mul(gamma, inv), rng.pick(("factor", "a", "mult")))
            text = f"{x.at(4)} * {factor.text} + ({beta.text} - {mean.text} * {factor.text})"
            made = replace(called(text, x, factor, beta, mean, shape=shape, low=-9, high=9), binding=3)
        else:
            text = f"({x.text} - {mean.text}) * {inv.text} * {gamma.text} + {beta.text}"
            made = replace(called(text, x, mean, inv, gamma, beta, shape=shape, low=-9, high=9), binding=3)
    else:
        text = f"{gamma.text} * ({x.text} - {mean.text}) / jnp.sqrt({inside.text}) + {beta.text}"
        made = replace(called(text, x, mean, var, gamma, beta, shape=shape, low=-9, high=9), binding=3)
    reach = (x.reach + 0.5) * 1.9 * 1.5 + 0.5
    y = scope.assign(replace(made, low=-reach, high=reach))
    if rng.chance(0.5):
        scope.assign(activated(scope, tamed(scope, y)))
    ended(scope)
