"""The special functions of statistics and physics."""

from __future__ import annotations

import math
from collections.abc import Mapping

from irsmith.frontends.jax.synth.curves import Curve, curve
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Expr, add, called, mul, squared
from irsmith.frontends.jax.synth.idle import idle
from irsmith.frontends.jax.synth.moves import MATH, absolute, grown, shrunk
from irsmith.frontends.jax.synth.straight import fill, finish, opened

FUNCTIONS: Mapping[str, Curve] = {
    "lgamma": Curve("{lax}.lgamma({x})", 0.3, 8, None, (-0.15, 8.6)),
    "gammaln": Curve("{jax}.scipy.special.gammaln({x})", 0.3, 8, None, (-0.15, 8.6)),
    "digamma": Curve("{jax}.scipy.special.digamma({x})", 0.4, 10, None, (-2.6, 2.3)),
    "trigamma": Curve("{jax}.scipy.special.polygamma(1, {x})", 0.5, 10, None, (0.1, 5.0)),
    "tetragamma": Curve("{jax}.scipy.special.polygamma(2, {x})", 0.6, 10, None, (-11.0, 0.0)),
    "gammainc": Curve("{jax}.scipy.special.gammainc(1.5, {x})", 0.1, 10, None, (0.0, 1.0), far=6),
    "gammaincc": Curve("{jax}.scipy.special.gammaincc(2.0, {x})", 0.1, 10, None, (0.0, 1.0), far=6),
    "i0e": Curve("{lax}.bessel_i0e({x})", -8, 8, None, (0.1, 1.0)),
    "i1e": Curve("{lax}.bessel_i1e({x})", 0.4, 8, None, (0.1, 0.22)),
    "erf": Curve("{jax}.scipy.special.erf({x})", -9, 9, math.erf, far=2),
    "erfc": Curve("{lax}.erfc({x})", -2, 2, None, (0.0, 2.0)),
    "ndtr": Curve("{jax}.scipy.special.ndtr({x})", -4, 4, None, (0.0, 1.0)),
    "erf_inv": Curve("{lax}.erf_inv({x})", -0.9, 0.9, None, (-1.2, 1.2)),
    "erfinv": Curve("{jax}.scipy.special.erfinv({x})", -0.9, 0.9, None, (-1.2, 1.2)),
    "acos": Curve("jnp.arccos({x})", -0.9, 0.9, None, (0.4, 2.7)),
    "arctanh": Curve("jnp.arctanh({x})", -0.9, 0.9, math.atanh),
    "acosh": Curve("jnp.arccosh({x})", 1.2, 1e3, math.acosh),
    "logit": Curve("{jax}.scipy.special.logit({x})", 0.05, 0.95, lambda x: math.log(x / (1 - x))),
    "beta_cdf": Curve("{jax}.scipy.special.betainc(2.0, 3.0, {x})", 0.05, 0.95, None, (0.0, 1.0)),
    "arcsine_cdf": Curve("{jax}.scipy.special.betainc(0.5, 0.5, {x})", 0.05, 0.95, None, (0.0, 1.0)),
    "entr": Curve("{jax}.scipy.special.entr({x})", 0.05, 20, None, (-60.0, 0.37)),
}
"""Functions of one variable, with the bounds of their values."""


def fitted(scope: Scope, x: Expr, which: Curve) -> Expr | None:
    """An expression made of ``x`` whose values a function takes."""
    rng, most = scope.rng, min(which.high, which.far)
    if which.low <= x.low and x.high <= most:
        return x
    small = shrunk(scope, x) or x
    if which.low >= 0 and most >= 5:
        least = scope.number(rng.pick((0.5, 1.0)) if which.low < 1 else 1.5)
        made = add(absolute(small) if idle("square", small) else rng.pick((absolute, squared))(small), least)
        if small.reach <= 4 and rng.chance(0.4):
            soft = f"{scope.draft.nn}.softplus({small.text})"
            made = add(called(soft, small, shape=x.shape, low=0.0, high=math.log1p(math.exp(small.high))), least)
    elif which.name in ("logit", "arctanh"):
        # The inverse of what would squash it is not asked for what it was.
        low, high = (0.05, 0.95) if which.low >= 0 else (-0.9, 0.9)
        if small.high < low + 0.2 or small.low > high - 0.2:
            return None
        made = called(f"jnp.clip({small.text}, {low!r}, {high!r})", small, shape=x.shape, low=low, high=high)
    elif which.low >= 0:
        inner = f"{scope.draft.nn}.sigmoid({small.text})"
        half = 1 / (1 + math.exp(-min(small.reach, 30.0)))
        made = called(inner, small, shape=x.shape, low=1 - half, high=half, made=("sigmoid",))
        if half > which.high:
            made = called(f"jnp.clip({inner}, 0.05, 0.95)", small, shape=x.shape, low=0.05, high=0.95)
    elif most < 1:
        made = mul(scope.number(0.9), called(f"jnp.tanh({small.text})", small, shape=x.shape, low=-1, high=1))
    else:
        made = small
    return made if which.low <= made.low and made.high <= most else None


_LONG = ("gammainc", "betainc")
"""What XLA writes out as loops of hundreds of instructions: once in a function is enough."""


def special(scope: Scope, x: Expr) -> Expr | None:
    """A special function of one variable."""
    which = scope.rng.pick(list(FUNCTIONS.values()))
    if _is_long(which.spelling) and any(map(_is_long, (*scope.lines, x.text))):
        return None
    inner = fitted(scope, x, which)
    return None if inner is None else curve(scope, inner, which)


def _is_long(text: str) -> bool:
    return any(name in text for name in _LONG)


def of_two(scope: Scope, x: Expr) -> Expr | None:
    """A special function of two arrays of which both have a slope."""
    rng = scope.rng
    inner = fitted(scope, x, FUNCTIONS["digamma"])
    kind = rng.pick(("gammainc", "gammaincc", "xlogy", "xlogy"))
    if inner is None or (_is_long(kind) and any(map(_is_long, (*scope.lines, x.text)))):
        return None
    base = f"{scope.draft.jax}.scipy.special."
    y = scope.argument(x.shape[-1:], ("a", "alpha", "shape_param", "k", "conc"), bounds=(0.5, 3.0))
    bounds = {"gammainc": (0, 1), "gammaincc": (0, 1), "xlogy": (-3, 7)}[kind]
    text = f"{base}{kind}({y.text}, {inner.text})"
    return called(text, y, inner, shape=x.shape, low=bounds[0], high=bounds[1])


_REPERTOIRE = ((special, 5.0), (of_two, 0.8), *((move, weight * 0.3) for move, weight in MATH))


def special_function(scope: Scope) -> None:
    """Functions of statistics and physics."""
    # XLA writes each of these functions out as up to hundreds of instructions.
    scope.draft.budget = min(scope.draft.budget, scope.rng.pick((6, 8, 10)))
    whole = opened(scope, count=scope.rng.pick((1, 1, 2)))
    for _ in range(scope.rng.pick((1, 2, 2))):
        fits = [v for v in scope.unread() if v.shape == whole] or [v for v in scope.visible() if v.shape == whole]
        made: Expr | None = None
        for _ in range(8):
            made = made or special(scope, scope.rng.pick(fits))
        require(made is not None)
        assert made is not None
        scope.assign(made if scope.rng.chance(0.5) else grown(scope, made, _REPERTOIRE, 1))
    fill(scope, _REPERTOIRE, reshape=0.08)
    finish(scope, MATH)
