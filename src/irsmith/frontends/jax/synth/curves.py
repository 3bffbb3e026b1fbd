"""Functions of one variable: how each is spelled, what it takes, and what it gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import Expr, called
from irsmith.frontends.jax.synth.idle import idle


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of one variable that rises throughout, or whose bounds are known.

    Attributes:
        spelling: ``{x}`` stands for the argument, ``{nn}``, ``{lax}`` and ``{jax}`` for the modules.
        low: Arguments may not be below it.
        high: Nor above it.
        at: The value for an argument; None where ``bounds`` are fixed.
        bounds: The bounds of values, whatever the argument.
        far: The largest magnitude of an argument at which it still says something.
    """

    spelling: str
    low: float
    high: float
    at: Callable[[float], float] | None = None
    bounds: tuple[float, float] | None = None
    far: float = math.inf

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.spelling.partition("(")[0].rpartition(".")[2]


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _softplus(x: float) -> float:
    return math.log1p(math.exp(x))


MATHEMATICAL: Mapping[str, Curve] = {
    "exp": Curve("jnp.exp({x})", -8, 4, math.exp),
    "exp2": Curve("jnp.exp2({x})", -8, 5, lambda x: 2.0**x),
    "expm1": Curve("jnp.expm1({x})", -6, 3, math.expm1),
    "log": Curve("jnp.log({x})", 0.05, 1e4, math.log),
    "log2": Curve("jnp.log2({x})", 0.05, 1e4, math.log2),
    "log1p": Curve("jnp.log1p({x})", -0.8, 1e4, math.log1p),
    "sqrt": Curve("jnp.sqrt({x})", 0.02, 1e4, math.sqrt),
    "cbrt": Curve("jnp.cbrt({x})", 0.05, 1e4, lambda x: x ** (1 / 3)),
    "sin": Curve("jnp.sin({x})", -20, 20, None, (-1, 1)),
    "cos": Curve("jnp.cos({x})", -20, 20, None, (-1, 1)),
    "tan": Curve("jnp.tan({x})", -1.2, 1.2, math.tan),
    "sinh": Curve("jnp.sinh({x})", -4, 4, math.sinh),
    "tanh": Curve("jnp.tanh({x})", -1e3, 1e3, math.tanh, far=4),
    "arctan": Curve("jnp.arctan({x})", -1e3, 1e3, math.atan, far=30),
    "arcsin": Curve("jnp.arcsin({x})", -0.95, 0.95, math.asin),
    "arcsinh": Curve("jnp.arcsinh({x})", -1e3, 1e3, math.asinh),
    "erf": Curve("{lax}.erf({x})", -1e3, 1e3, math.erf, far=2),
    "logistic": Curve("{lax}.logistic({x})", -1e3, 1e3, _sigmoid, far=6),
}
"""What a mathematics library has."""

RARE: Mapping[str, Curve] = {
    "arccos": Curve("jnp.arccos({x})", -0.95, 0.95, None, (0.0, math.pi)),
    "arctanh": Curve("jnp.arctanh({x})", -0.9, 0.9, math.atanh),
    "log10": Curve("jnp.log10({x})", 0.05, 1e4, math.log10),
    "lgamma": Curve("{lax}.lgamma({x})", 0.3, 6, None, (-0.15, 5.0)),
    "erfc": Curve("{lax}.erfc({x})", -2, 2, None, (0.0, 2.0)),
    "sinc": Curve("jnp.sinc({x})", -3, 3, None, (-0.25, 1.0)),
    "deg2rad": Curve("jnp.deg2rad({x})", -1e3, 1e3, math.radians),
}
"""What is called now and then."""

ACTIVATIONS: Mapping[str, Curve] = {
    "relu": Curve("{nn}.relu({x})", -1e3, 1e3, lambda x: max(x, 0.0)),
    "sigmoid": Curve("{nn}.sigmoid({x})", -1e3, 1e3, _sigmoid, far=6),
    "silu": Curve("{nn}.silu({x})", -1e3, 30, lambda x: max(x, -0.3) if x <= 0 else x),
    "gelu": Curve("{nn}.gelu({x})", -1e3, 30, lambda x: -0.2 if x <= 0 else x),
    "softplus": Curve("{nn}.softplus({x})", -10, 30, _softplus),
    "elu": Curve("{nn}.elu({x})", -20, 1e3, lambda x: x if x > 0 else math.expm1(x)),
    "leaky_relu": Curve("{nn}.leaky_relu({x})", -1e3, 1e3, lambda x: x if x > 0 else 0.01 * x),
    "selu": Curve("{nn}.selu({x})", -20, 1e3, lambda x: 1.0508 * (x if x > 0 else 1.6733 * math.expm1(x))),
    "log_sigmoid": Curve("{nn}.log_sigmoid({x})", -30, 10, lambda x: -_softplus(-x)),
    "soft_sign": Curve("{nn}.soft_sign({x})", -1e3, 1e3, lambda x: x / (1 + abs(x)), far=20),
    "tanh": MATHEMATICAL["tanh"],
    "relu6": Curve("{nn}.relu6({x})", -1e3, 8, lambda x: min(max(x, 0.0), 6.0)),
    "hard_tanh": Curve("{nn}.hard_tanh({x})", -3, 3, lambda x: min(max(x, -1.0), 1.0)),
}
"""What a layer ends with."""


def curve(scope: Scope, x: Expr, which: Curve) -> Expr | None:
    """A function applied to an expression, or None where it is not legal, says nothing or grows too large."""
    if x.low < which.low or x.high > which.high or x.reach > which.far or idle(which.name, x):
        return None
    low, high = which.bounds or (_of(which, x.low), _of(which, x.high))
    low, high = min(low, high), max(low, high)
    if max(abs(low), abs(high)) > scope.draft.limit or high - low < 1e-4:
        return None
    spelled = which.spelling.replace("{x}", x.text)
    if "{nn}" in spelled:
        spelled = spelled.replace("{nn}", scope.draft.nn)
    if "{lax}" in spelled:
        spelled = spelled.replace("{lax}", scope.draft.lax)
    if "{jax}" in spelled:
        spelled = spelled.replace("{jax}", scope.draft.jax)
    return called(spelled, x, shape=x.shape, low=low, high=high, made=(which.name,))


def _of(which: Curve, x: float) -> float:
    assert which.at is not None
    return which.at(x)
