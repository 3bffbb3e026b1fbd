"""The table of moves that keep an array's shape: each takes an expression and gives a longer one, or None.

A move looks at the bounds of what it is given and says None where the result would not be legal, would say
nothing (a function that is flat there) or would grow too large.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import (
    PRODUCT,
    Expr,
    add,
    called,
    compared,
    div,
    hull,
    mul,
    negated,
    squared,
    sub,
)

Move = Callable[[Scope, Expr], Expr | None]


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
    if x.low < which.low or x.high > which.high or x.reach > which.far:
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
    return called(spelled, x, shape=x.shape, low=low, high=high)


def _of(which: Curve, x: float) -> float:
    assert which.at is not None
    return which.at(x)


def _any_curve(table: Mapping[str, Curve]) -> Move:
    curves = list(table.values())

    def move(scope: Scope, x: Expr) -> Expr | None:
        for _ in range(3):
            made = curve(scope, x, scope.rng.pick(curves))
            if made is not None:
                return made
        return None

    return move


mathematical = _any_curve(MATHEMATICAL)
activation = _any_curve(ACTIVATIONS)
rare = _any_curve(RARE)


def scaled(scope: Scope, x: Expr) -> Expr | None:
    """Times or over a number."""
    rng = scope.rng
    value = number(rng, 0.05, 3.0)
    if rng.chance(0.35):
        made = div(x, scope.number(rng.pick((2.0, 3.0, 4.0, 8.0, 1.5, 10.0))))
    else:
        made = mul(scope.number(value), x) if rng.chance(0.6) else mul(x, scope.number(value))
    return made if made.reach <= scope.draft.limit else None


def shifted(scope: Scope, x: Expr) -> Expr | None:
    """Plus or minus a number."""
    rng = scope.rng
    value = scope.number(rng.pick((1.0, 0.5, 0.1, 2.0, number(rng))))
    made = rng.pick((add(x, value), sub(x, value), sub(value, x)))
    return made if made.reach <= scope.draft.limit else None


def shrunk(scope: Scope, x: Expr) -> Expr | None:
    """A large value brought back to a size that functions still say something about."""
    if x.reach <= 6:
        return None
    for divisor in (2.0, 4.0, 5.0, 8.0, 10.0, 16.0, 20.0, 32.0, 50.0, 64.0, 100.0, 200.0, 500.0, 1000.0, 1e4):
        if x.reach / divisor <= 4:
            factor = scope.number(divisor if divisor < 1e4 else 10000.0)
            return div(x, factor)
    return None


def combined(scope: Scope, x: Expr) -> Expr | None:
    """A sum, a difference or a product with another value."""
    y = other(scope, x)
    rng = scope.rng
    made = rng.pick((add, sub, mul, mul, add))(x, y) if rng.chance(0.75) else rng.pick((add, sub, mul))(y, x)
    return made if made.reach <= scope.draft.limit and made.shape == x.shape else None


def other(scope: Scope, x: Expr, wish: str | None = None) -> Expr:
    """A value that broadcasts to the shape of ``x``: one that is there, or a new argument."""
    found = scope.partner(x) if scope.rng.chance(0.75) else None
    return found if found is not None else scope.argument(_shape_for(scope, x), wish)


def _shape_for(scope: Scope, x: Expr) -> tuple[int, ...]:
    rng = scope.rng
    if x.rank == 0 or rng.chance(0.5):
        return x.shape
    return rng.pick((x.shape[-1:], (), x.shape[-1:], (*x.shape[:-1], 1) if x.rank > 1 else x.shape))


def quotient(scope: Scope, x: Expr) -> Expr | None:
    """Over another value that is kept off zero, as one writes it."""
    rng = scope.rng
    y = other(scope, x)
    below = y
    if not (y.low >= 0.1 or y.high <= -0.1):
        one = scope.number(rng.pick((1.0, 1.0, 0.5, 2.0)))
        how = rng.pick(("square", "abs", "exp"))
        if how == "square":
            below = add(one, squared(y))
        elif how == "abs":
            below = add(one, absolute(y))
        elif y.reach <= 4:
            below = add(one, called(f"jnp.exp({y.text})", y, shape=y.shape, low=math.exp(y.low), high=math.exp(y.high)))
        else:
            return None
    made = div(x, below)
    return made if made.reach <= scope.draft.limit and made.shape == x.shape else None


def absolute(x: Expr) -> Expr:
    """``jnp.abs``."""
    low = 0.0 if x.low <= 0 <= x.high else min(abs(x.low), abs(x.high))
    return called(f"jnp.abs({x.text})", x, shape=x.shape, low=low, high=x.reach)


def guarded(scope: Scope, x: Expr) -> Expr | None:
    """A root, logarithm or reciprocal of something that is made positive first."""
    rng = scope.rng
    low = 0.0 if x.low <= 0 <= x.high else min(x.low**2, x.high**2)
    eps = scope.number(rng.pick((1.0, 0.5, 0.1, 1.0)))
    base = add(squared(x), eps) if rng.chance(0.6) else add(absolute(x), eps)
    if base.high > scope.draft.limit or low < 0:
        return None
    kind = rng.pick(("sqrt", "log", "rsqrt", "inverse", "log1p"))
    if kind == "sqrt":
        return called(f"jnp.sqrt({base.text})", base, shape=x.shape, low=base.low**0.5, high=base.high**0.5)
    if kind == "log":
        return called(f"jnp.log({base.text})", base, shape=x.shape, low=math.log(base.low), high=math.log(base.high))
    if kind == "rsqrt":
        text = f"{scope.draft.lax}.rsqrt({base.text})"
        return called(text, base, shape=x.shape, low=base.high**-0.5, high=base.low**-0.5)
    if kind == "log1p":
        inner = absolute(x)
        return called(f"jnp.log1p({inner.text})", inner, shape=x.shape, low=0.0, high=math.log1p(x.reach))
    return div(scope.number(1.0), base)


def limited(scope: Scope, x: Expr) -> Expr | None:
    """Cut off at one end or both."""
    rng = scope.rng
    if x.width < 0.5 or not x.names:
        return None
    low = round(x.low + x.width * rng.uniform(0.15, 0.4), 2)
    high = round(x.high - x.width * rng.uniform(0.15, 0.4), 2)
    kind = rng.pick(("clip", "max", "min", "floor0"))
    if kind == "clip":
        return called(f"jnp.clip({x.text}, {low!r}, {high!r})", x, shape=x.shape, low=low, high=high)
    if kind == "max":
        return called(f"jnp.maximum({x.text}, {low!r})", x, shape=x.shape, low=low, high=x.high)
    if kind == "min":
        return called(f"jnp.minimum({x.text}, {high!r})", x, shape=x.shape, low=x.low, high=high)
    if x.low < -0.2 and x.high > 0.2:
        return called(f"jnp.maximum({x.text}, 0.0)", x, shape=x.shape, low=0.0, high=x.high)
    return None


def extreme(scope: Scope, x: Expr) -> Expr | None:
    """The larger or smaller of two values whose intervals overlap."""
    y = other(scope, x)
    if min(x.high, y.high) - max(x.low, y.low) < 0.3 * min(x.width, y.width) + 0.05:
        return None
    kind = scope.rng.pick(("maximum", "minimum"))
    pick = max if kind == "maximum" else min
    return called(
        f"jnp.{kind}({x.text}, {y.text})", x, y, shape=x.shape, low=pick(x.low, y.low), high=pick(x.high, y.high)
    )


def two_place(scope: Scope, x: Expr) -> Expr | None:
    """A library function of two values."""
    rng = scope.rng
    y = other(scope, x)
    kind = rng.pick(("logaddexp", "hypot", "arctan2", "power", "lerp", "average"))
    if kind == "logaddexp" and x.reach < 30 and y.reach < 30:
        low, high = max(x.low, y.low), max(x.high, y.high) + math.log(2)
        return called(f"jnp.logaddexp({x.text}, {y.text})", x, y, shape=x.shape, low=low, high=high)
    if kind == "hypot":
        root = (x.reach**2 + y.reach**2 + 1) ** 0.5
        inner = add(add(squared(x), squared(y)), scope.number(1.0))
        return called(f"jnp.sqrt({inner.text})", inner, shape=x.shape, low=1.0, high=root)
    if kind == "arctan2" and (y.low > 0.1 or x.low > 0.1):
        return called(f"jnp.arctan2({x.text}, {y.text})", x, y, shape=x.shape, low=-math.pi, high=math.pi)
    if kind == "power" and x.low >= 0.1 and y.reach * abs(math.log(max(x.high, 1 / x.low))) < 4:
        ends = [x.low**y.low, x.low**y.high, x.high**y.low, x.high**y.high]
        return called(f"jnp.power({x.text}, {y.text})", x, y, shape=x.shape, low=min(ends), high=max(ends))
    if kind == "lerp":
        t = number(rng, 0.1, 0.9)
        first, rest = scope.number(t), scope.number(round(1 - t, 2))
        return add(mul(first, x), mul(rest, y))
    if kind == "average":
        return mul(scope.number(0.5), replace(add(x, y)))
    return None


def powered(scope: Scope, x: Expr) -> Expr | None:
    """A small whole power."""
    if x.reach**2 > scope.draft.limit:
        return None
    made = squared(x)
    if scope.rng.chance(0.3) and x.size == 0:
        made = called(f"jnp.square({x.text})", x, shape=x.shape, low=made.low, high=made.high)
    elif scope.rng.chance(0.25) and x.reach**3 <= scope.draft.limit:
        made = replace(made, text=f"{x.at(7)} ** 3", low=x.low**3, high=x.high**3)
    return made


def polynomial(scope: Scope, x: Expr) -> Expr | None:
    """A short polynomial by Horner's rule, of a name."""
    if x.size or x.reach > 4:
        return None
    rng = scope.rng
    made: Expr = mul(scope.number(number(rng)), x)
    for _ in range(rng.pick((1, 2))):
        constant = scope.number(number(rng))
        made = mul(add(constant, made), x)
    return made if made.reach <= scope.draft.limit else None


def gated(scope: Scope, x: Expr) -> Expr | None:
    """A value times its own gate."""
    if x.size or x.reach > 6:
        return None
    gate = curve(scope, x, scope.rng.pick((ACTIVATIONS["sigmoid"], MATHEMATICAL["tanh"], ACTIVATIONS["soft_sign"])))
    return None if gate is None else mul(x, gate)


def chosen(scope: Scope, x: Expr) -> Expr | None:
    """One of two values, element by element."""
    rng = scope.rng
    test = condition(scope, x)
    if test is None:
        return None
    a = x
    b: Expr | None = rng.pick((scaled, shifted, mathematical, negate))(scope, x)
    if rng.chance(0.4):
        b = other(scope, x)
    elif rng.chance(0.25):
        b = scope.number(rng.pick((0.0, 1.0, -1.0, 0.5)))
    if b is None or b.text == a.text:
        return None
    if rng.chance(0.4):
        a, b = b, a
    if not a.names and not b.names:
        return None
    low, high = hull(a, b)
    parts = test, a, b
    text = f"jnp.where({', '.join(part.text for part in parts)})"
    if x.size and text.count(x.text) > 1:
        # Who writes a value twice gives it a name.
        return None
    made = called(text, x, test, a, b, shape=x.shape, low=low, high=high)
    return made if made.reach <= scope.draft.limit else None


def negate(_scope: Scope, x: Expr) -> Expr | None:
    """The sign turned."""
    return negated(x) if x.binding > PRODUCT or x.size == 0 else None


def threshold(scope: Scope, x: Expr) -> Expr | None:
    """A number well within the interval of an expression."""
    if x.width < 0.2:
        return None
    if x.low < -0.2 * x.width and x.high > 0.2 * x.width and scope.rng.chance(0.5):
        return scope.number(0.0)
    return scope.number(round(x.low + x.width * scope.rng.uniform(0.3, 0.7), 2))


def condition(scope: Scope, x: Expr) -> Expr | None:
    """A comparison, of the shape of ``x``, that may go either way."""
    rng = scope.rng
    subject = x
    if rng.chance(0.4):
        subject = scope.partner(x) or x
    at = threshold(scope, subject)
    if at is None:
        return None
    sign = rng.pick((">", "<", ">=", "<="))
    against: Expr = at
    if rng.chance(0.25):
        y = scope.partner(subject, lambda v: min(v.high, subject.high) - max(v.low, subject.low) > 0.4 * subject.width)
        against = y or at
    made = compared(subject, sign, against)
    if rng.chance(0.15) and subject.width > 1:
        low, high = round(subject.low + 0.2 * subject.width, 2), round(subject.high - 0.2 * subject.width, 2)
        text = f"({subject.at(3)} > {low!r}) & ({subject.at(3)} < {high!r})"
        made = replace(compared(subject, ">", scope.number(low)), text=text, binding=2)
    return made


PLAIN: tuple[tuple[Move, float], ...] = (
    (combined, 5.0),
    (scaled, 1.5),
    (shifted, 1.5),
    (quotient, 1.3),
    (powered, 0.8),
    (polynomial, 0.6),
    (negate, 0.3),
    (two_place, 0.4),
)
"""Sums, products and quotients."""

MATH: tuple[tuple[Move, float], ...] = (
    (mathematical, 5.0),
    (combined, 2.0),
    (guarded, 1.2),
    (two_place, 1.0),
    (scaled, 0.7),
    (powered, 0.5),
    (rare, 0.7),
    (shifted, 0.5),
    (limited, 0.4),
)
"""Functions of a mathematics library."""

MIXED: tuple[tuple[Move, float], ...] = (
    (combined, 3.0),
    (mathematical, 1.5),
    (activation, 0.8),
    (scaled, 1.0),
    (shifted, 0.8),
    (quotient, 0.8),
    (guarded, 0.6),
    (limited, 0.7),
    (extreme, 0.6),
    (two_place, 0.6),
    (powered, 0.5),
    (gated, 0.4),
    (chosen, 0.6),
    (polynomial, 0.3),
)
"""A little of everything."""

LAYER: tuple[tuple[Move, float], ...] = (
    (activation, 3.0),
    (combined, 2.5),
    (scaled, 1.0),
    (gated, 0.8),
    (shifted, 0.5),
    (limited, 0.4),
    (chosen, 0.3),
    (mathematical, 0.6),
    (powered, 0.3),
)
"""What stands between the layers of a network."""

Repertoire = tuple[tuple[Move, float], ...]


def grown(scope: Scope, x: Expr, repertoire: Repertoire = MIXED, steps: int | None = None) -> Expr:
    """An expression of the same shape made of ``x`` by some moves."""
    rng = scope.rng
    if steps is None:
        steps = 1
        while steps < 5 and rng.chance(1 - 1 / scope.draft.author.weight):
            steps += 1
    moves, weights = zip(*repertoire, strict=True)
    done = 0
    for _ in range(steps * 6):
        if done == steps:
            break
        small = shrunk(scope, x) if x.reach > 12 or (x.reach > 6 and rng.chance(0.5)) else None
        made = small or rng.weighted(moves, weights)(scope, x)
        if made is None or made.reach > scope.draft.limit or len(made.text) > 84 or made.shape != x.shape:
            continue
        x = made
        done += 1
    return x
