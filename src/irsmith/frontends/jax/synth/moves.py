"""The table of moves that keep an array's shape: each takes an expression and gives a longer one, or None.

A move looks at the bounds of what it is given and says None where the result would not be legal, would say
nothing (a function that is flat there) or would grow too large.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.curves import ACTIVATIONS, MATHEMATICAL, RARE, Curve, curve
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
from irsmith.frontends.jax.synth.idle import idle, undone

Move = Callable[[Scope, Expr], Expr | None]


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


_LARGE = 12.0
"""Beyond it a value is brought back to a smaller size first."""


def scaled(scope: Scope, x: Expr) -> Expr | None:
    """Times or over a number."""
    rng = scope.rng
    if idle("scale", x):
        return None
    value = number(rng, 0.05, 3.0)
    if rng.chance(0.35):
        made = div(x, scope.number(rng.pick((2.0, 3.0, 4.0, 8.0, 1.5, 10.0))))
    else:
        made = mul(scope.number(value), x) if rng.chance(0.6) else mul(x, scope.number(value))
    return made if made.reach <= min(_LARGE, scope.draft.limit) else None


def shifted(scope: Scope, x: Expr) -> Expr | None:
    """Plus or minus a number."""
    rng = scope.rng
    if idle("shift", x):
        return None
    value = scope.number(rng.pick((1.0, 0.5, 0.1, 2.0, number(rng))))
    made = rng.pick((add(x, value), sub(x, value), sub(value, x)))
    return made if made.reach <= scope.draft.limit else None


def shrunk(scope: Scope, x: Expr) -> Expr | None:
    """A large value brought back to a size that functions still say something about."""
    if x.reach <= (_LARGE if idle("scale", x) else 6):
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
    operation, a, b = (
        (rng.pick((add, sub, mul, mul, add)), x, y) if rng.chance(0.75) else (rng.pick((add, sub, mul)), y, x)
    )
    if undone(operation.__name__, a, b):
        return None
    made = operation(a, b)
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
    if undone("div", x, y) or (idle("abs", y) and y.low < 0):
        return None
    below = y
    if not (y.low >= 0.1 or y.high <= -0.1):
        one = scope.number(rng.pick((1.0, 1.0, 0.5, 2.0)))
        how = "abs" if idle("square", y) else rng.pick(("square", "abs", "exp"))
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
    """``jnp.abs``, where it changes anything."""
    if x.low >= 0:
        return x
    low = 0.0 if x.low <= 0 <= x.high else min(abs(x.low), abs(x.high))
    return called(f"jnp.abs({x.text})", x, shape=x.shape, low=low, high=x.reach, made=("abs",))


def guarded(scope: Scope, x: Expr) -> Expr | None:
    """A root, logarithm or reciprocal of something that is made positive first."""
    rng = scope.rng
    eps = scope.number(rng.pick((1.0, 0.5, 0.1, 1.0)))
    inner = squared(x) if rng.chance(0.6) and not idle("square", x) else absolute(x)
    if idle("abs", x) and x.low < 0:
        return None
    base = inner if idle("shift", inner) else add(inner, eps)
    if base.high > scope.draft.limit or base.low < 0.1:
        return None
    kind = rng.pick(("sqrt", "log", "rsqrt", "inverse", "log1p"))
    if kind == "sqrt":
        return called(
            f"jnp.sqrt({base.text})", base, shape=x.shape, low=base.low**0.5, high=base.high**0.5, made=("sqrt",)
        )
    if kind == "log":
        low, high = math.log(base.low), math.log(base.high)
        return called(f"jnp.log({base.text})", base, shape=x.shape, low=low, high=high, made=("log",))
    if kind == "rsqrt":
        text = f"{scope.draft.lax}.rsqrt({base.text})"
        return called(text, base, shape=x.shape, low=base.high**-0.5, high=base.low**-0.5, made=("sqrt",))
    if kind == "log1p":
        inner = absolute(x)
        low, high = math.log1p(inner.low), math.log1p(inner.high)
        return (
            None
            if idle("log1p", inner)
            else called(f"jnp.log1p({inner.text})", inner, shape=x.shape, low=low, high=high, made=("log1p",))
        )
    return div(scope.number(1.0), base)


def limited(scope: Scope, x: Expr) -> Expr | None:
    """Cut off at one end or both."""
    rng = scope.rng
    if x.width < 0.5 or not x.names or idle("clip", x):
        return None
    low = round(x.low + x.width * rng.uniform(0.15, 0.4), 2)
    high = round(x.high - x.width * rng.uniform(0.15, 0.4), 2)
    kind = rng.pick(("clip", "max", "min", "floor0"))
    if kind == "clip":
        text = f"jnp.clip({x.text}, {low!r}, {high!r})"
    elif kind == "max":
        text, high = f"jnp.maximum({x.text}, {low!r})", x.high
    elif kind == "min":
        text, low = f"jnp.minimum({x.text}, {high!r})", x.low
    elif x.low < -0.2 and x.high > 0.2:
        text, low, high = f"jnp.maximum({x.text}, 0.0)", 0.0, x.high
    else:
        return None
    return called(text, x, shape=x.shape, low=low, high=high, made=("clip", x.text))


def extreme(scope: Scope, x: Expr) -> Expr | None:
    """The larger or smaller of two values whose intervals overlap."""
    y = other(scope, x)
    if min(x.high, y.high) - max(x.low, y.low) < 0.3 * min(x.width, y.width) + 0.05 or undone("extreme", x, y):
        return None
    kind = scope.rng.pick(("maximum", "minimum"))
    pick = max if kind == "maximum" else min
    text, low, high = f"jnp.{kind}({x.text}, {y.text})", pick(x.low, y.low), pick(x.high, y.high)
    return called(text, x, y, shape=x.shape, low=low, high=high, made=("extreme", x.text, y.text))


def two_place(scope: Scope, x: Expr) -> Expr | None:
    """A library function of two values."""
    rng = scope.rng
    y = other(scope, x)
    kind = rng.pick(("logaddexp", "hypot", "arctan2", "power", "lerp", "average"))
    if kind == "logaddexp" and x.reach < 30 and y.reach < 30:
        low, high = max(x.low, y.low), max(x.high, y.high) + math.log(2)
        return called(f"jnp.logaddexp({x.text}, {y.text})", x, y, shape=x.shape, low=low, high=high)
    if kind == "hypot" and not (idle("square", x) or idle("square", y)):
        root = (x.reach**2 + y.reach**2 + 1) ** 0.5
        inner = add(add(squared(x), squared(y)), scope.number(1.0))
        return called(f"jnp.sqrt({inner.text})", inner, shape=x.shape, low=1.0, high=root, made=("sqrt",))
    if kind == "arctan2" and (y.low > 0.1 or x.low > 0.1):
        return called(f"jnp.arctan2({x.text}, {y.text})", x, y, shape=x.shape, low=-math.pi, high=math.pi)
    if kind == "power" and x.low >= 0.1 and y.reach * abs(math.log(max(x.high, 1 / x.low))) < 4:
        ends = [x.low**y.low, x.low**y.high, x.high**y.low, x.high**y.high]
        return called(f"jnp.power({x.text}, {y.text})", x, y, shape=x.shape, low=min(ends), high=max(ends))
    if kind == "lerp" and not (x.size and idle("scale", x)):
        t = number(rng, 0.1, 0.9)
        first, rest = scope.number(t), scope.number(round(1 - t, 2))
        return add(mul(first, x), mul(rest, y))
    if kind == "average":
        return mul(scope.number(0.5), replace(add(x, y)))
    return None


def powered(scope: Scope, x: Expr) -> Expr | None:
    """A small whole power."""
    if x.reach**2 > scope.draft.limit or idle("square", x):
        return None
    made = squared(x)
    if scope.rng.chance(0.3) and x.size == 0:
        made = called(f"jnp.square({x.text})", x, shape=x.shape, low=made.low, high=made.high, made=made.made)
    elif scope.rng.chance(0.25) and x.reach**3 <= scope.draft.limit:
        made = replace(made, text=f"{x.at(7)} ** 3", low=x.low**3, high=x.high**3, made=("power",))
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
    if x.size or x.reach > 6 or idle("gate", x):
        return None
    which = scope.rng.pick((ACTIVATIONS["sigmoid"], MATHEMATICAL["tanh"], ACTIVATIONS["soft_sign"]))
    gate = curve(scope, x, which)
    if gate is None:
        return None
    made = mul(x, gate)
    # A gate with the sign of the value leaves nothing below zero, and the other one next to nothing.
    least = -0.3 if which.name == "sigmoid" else 0.0
    return replace(made, low=max(made.low, least), made=("gate", x.text))


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
    return negated(x) if (x.binding > PRODUCT or x.size == 0) and not idle("neg", x) else None


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
        small = shrunk(scope, x) if x.reach > _LARGE or (x.reach > 6 and rng.chance(0.5)) else None
        made = small or rng.weighted(moves, weights)(scope, x)
        if made is None or made.reach > scope.draft.limit or len(made.text) > 84 or made.shape != x.shape:
            continue
        x = made
        done += 1
    return x
