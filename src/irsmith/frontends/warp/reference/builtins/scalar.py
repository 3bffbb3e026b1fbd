"""Builtins on scalars, from the docstrings of Warp's scalar math functions and operators."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference.builtins import special_functions
from irsmith.frontends.warp.reference.builtins.overload import (
    Formula,
    Overload,
    Table,
    alike,
    is_float,
    is_integer,
    is_number,
)
from irsmith.frontends.warp.reference.errors import FaultKind
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, along
from irsmith.types import BOOL, INT32

_MANY_ULPS = 2.0**20


def truncated_quotient(ops: Ops, a: Array, b: Array, line: int = 0) -> Array:
    """Integer division rounds toward zero, as in C++: -7/2 is -3."""
    check_divisor(ops, a, b, line)
    if a.dtype.kind == "u":
        result: Array = np.floor_divide(a, b)
        return result
    whole: Array = np.floor_divide(np.subtract(a, np.fmod(a, b)), b)
    return whole


def floored_quotient(ops: Ops, a: Array, b: Array, line: int = 0) -> Array:
    """``//`` of integers rounds down: -7//2 is -4."""
    check_divisor(ops, a, b, line)
    return np.floor_divide(a, b)


def _negated(value: Array) -> Array:
    """Minus a value as Warp has it, which takes it from zero: that of 0.0 is 0.0."""
    result: Array = value.dtype.type(0) - value
    return result


def integer_remainder(ops: Ops, a: Array, b: Array, line: int = 0) -> Array:
    """``%`` of integers takes the sign of the dividend, as in C++: -7%3 is -1."""
    check_divisor(ops, a, b, line)
    return np.fmod(a, b)


def check_divisor(ops: Ops, a: Array, b: Array, line: int) -> None:
    """Division by zero, and of the smallest integer by -1, is undefined."""
    zero = b == 0
    if np.count_nonzero(zero):
        ops.machine.fault(FaultKind.DIVISION_BY_ZERO, zero, line)
    if a.dtype.kind == "i" and a.dtype.itemsize >= 4:
        low = np.iinfo(a.dtype).min
        least = a == low
        if np.count_nonzero(least):
            ops.machine.fault(FaultKind.OVERFLOW, least & (b == -1), line)


def quotient(ops: Ops, a: Array, b: Array) -> Array:
    """Division of floats; by zero it gives an infinity or NaN."""
    if ops.machine.tracing:
        ops.machine.near(b, -b)
    return ops.div(a, b)


def float_floored_quotient(ops: Ops, a: Array, b: Array) -> Array:
    """``//`` of floats: the quotient rounded down."""
    down: Array = stepped(np.floor)(ops, ops.div(a, b))
    return down


def float_remainder(ops: Ops, a: Array, b: Array) -> Array:
    """``%`` of floats takes the sign of the dividend, as C's ``fmod``."""
    result = ops.remainder(a, b)
    if ops.machine.tracing:
        ops.decide(np.trunc(np.divide(a, b)))
    return result


def minimum(ops: Ops, a: Array, b: Array) -> Array:
    """The smaller; of a NaN and a number, the number (documented as C's ``fmin``)."""
    if ops.machine.tracing and a.dtype.kind == "f":
        ops.decide(np.less(a, b), a, b)
    return np.fmin(a, b)


def maximum(ops: Ops, a: Array, b: Array) -> Array:
    """The larger; of a NaN and a number, the number."""
    if ops.machine.tracing and a.dtype.kind == "f":
        ops.decide(np.greater(a, b), a, b)
    return np.fmax(a, b)


def clamp(ops: Ops, x: Array, low: Array, high: Array) -> Array:
    """``min(max(low, x), high)``: the upper bound wins when the bounds are crossed."""
    return minimum(ops, maximum(ops, low, x), high)


def absolute(ops: Ops, x: Array) -> Array:
    """The magnitude; that of the smallest integer is itself."""
    if x.dtype.kind == "f":
        ops.decide(np.less(x, 0), x, -x)
    return np.abs(x)


def sign(ops: Ops, x: Array) -> Array:
    """-1 below zero, else 1 (also at zero, as documented)."""
    below = np.less(x, 0)
    if x.dtype.kind == "f":
        ops.decide(below, x, -x)
    one = np.ones(1, x.dtype)
    return np.where(below, -one if x.dtype.kind != "u" else one, one)


def step(ops: Ops, x: Array) -> Array:
    """1 below zero, else 0 (as documented)."""
    below = np.less(x, 0)
    if x.dtype.kind == "f":
        ops.decide(below, x, -x)
    return below.astype(x.dtype)


def nonzero(ops: Ops, x: Array) -> Array:
    """0 at zero, else 1."""
    differs = np.not_equal(x, 0)
    if x.dtype.kind == "f":
        ops.decide(differs)
    return differs.astype(x.dtype)


def stepped(function: Callable[[Array], Array]) -> Formula:
    """A rounding to a whole number."""

    def formula(ops: Ops, x: Array) -> Array:
        result = function(x)
        if ops.machine.tracing:
            ops.decide(np.nan_to_num(result))
        return result

    return formula


def round_half_away(x: Array) -> Array:
    """The nearest whole number, ties away from zero."""
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(np.ones(1, x.dtype), x), whole)


def copysign(ops: Ops, x: Array, sign: Array) -> Array:
    """``x`` with the sign of another number. That of zero is not defined: ``min(0.0, -0.0)`` may be either."""
    neither = sign == 0
    if np.count_nonzero(neither):
        either = ops.shake(np.ones_like(sign)) - 1
        sign = np.where(neither & (either != 0), either, sign)
        ops.decide(neither & np.signbit(sign))
    return np.copysign(x, sign)


def fraction(ops: Ops, x: Array) -> Array:
    """What truncation drops; it has the sign of ``x``."""
    return np.subtract(x, stepped(np.trunc)(ops, x))


def square_root(ops: Ops, x: Array) -> Array:
    """The square root, rounded to nearest."""
    if ops.machine.tracing:
        ops.machine.near(x, -x)
    return ops.sqrt(x)


def library(function: Callable[..., Array]) -> Formula:
    """A function of the mathematical library."""
    return lambda ops, *operands: ops.library(function, *operands)


def error_inverse(function: Callable[..., Array], rounded: Callable[[Array], Array]) -> Formula:
    """An inverse of the error function, which Warp 1.19.0 takes on the host of ``(1 + x) / 2`` in double precision.

    So a result near zero has no correct digits behind those of double precision at one, and one far out is infinite.

    Args:
        function: The inverse.
        rounded: What is left of an operand after that half.
    """

    def formula(ops: Ops, x: Array) -> Array:
        one = np.ones(x.shape)
        # So large that what is moved at all is seen to be.
        moved = ops.shake(one, _MANY_ULPS) - one

        def taken(wide: Array) -> Array:
            found: Array = function(np.where(moved == 0.0, wide, rounded(wide))) + moved / _MANY_ULPS
            return found

        return ops.library(taken, x)

    return formula


def clamped(function: Callable[..., Array]) -> Formula:
    """An inverse function whose input is documented to be clamped to [-1, 1]."""

    def formula(ops: Ops, x: Array) -> Array:
        one = np.ones(1, x.dtype)
        return ops.library(function, clamp(ops, x, -one, one))

    return formula


def interpolate(ops: Ops, a: Array, b: Array, t: Array) -> Array:
    """``a*(1-t) + b*t``."""
    rest = ops.sub(np.ones(1, t.dtype), t)
    if a.ndim > t.ndim:
        t, rest = along(t, a.ndim), along(rest, a.ndim)
    return ops.add(ops.mul(a, rest), ops.mul(b, t))


def smoothstep(ops: Ops, low: Array, high: Array, x: Array) -> Array:
    """``3*t^2 - 2*t^3`` of ``t = (x-low)/(high-low)`` clamped to [0, 1]."""
    one = np.ones(1, x.dtype)
    t = clamp(ops, ops.div(ops.sub(x, low), ops.sub(high, low)), one - one, one)
    return ops.mul(ops.mul(t, t), ops.sub(3 * one, ops.mul(2 * one, t)))


def shift(function: Callable[..., Array]) -> Formula:
    """A shift; narrow integers are widened to 32 bits before it, and a count outside the width is undefined."""

    def formula(ops: Ops, a: Array, b: Array, line: int = 0) -> Array:
        width = max(32, a.dtype.itemsize * 8)
        bad = np.logical_or(np.less(b, 0), np.greater_equal(b, min(width, np.iinfo(b.dtype).max)))
        if np.count_nonzero(bad):
            ops.machine.fault(FaultKind.SHIFT_RANGE, bad, line)
        wide = np.int64 if a.dtype.kind == "i" else np.uint64
        return function(a.astype(wide), np.where(bad, 0, b).astype(wide)).astype(a.dtype)

    return formula


def bit_count(ops: Ops, x: Array) -> Array:
    """How many bits are set, in the width of the integer."""
    del ops
    count: Array = np.bitwise_count(x.view(f"u{x.dtype.itemsize}"))
    return count.astype(np.int32)


def plain(function: Callable[..., Array]) -> Formula:
    """A NumPy function that rounds nothing."""

    def formula(ops: Ops, *operands: Array) -> Array:
        del ops
        return function(*operands)

    return formula


def _add(ops: Ops, a: Array, b: Array) -> Array:
    return ops.add(a, b)


def _sub(ops: Ops, a: Array, b: Array) -> Array:
    return ops.sub(a, b)


def _mul(ops: Ops, a: Array, b: Array) -> Array:
    return ops.mul(a, b)


def _is_bool(type: object) -> bool:
    return type == BOOL


_F1, _F2, _F3 = alike(1, is_float), alike(2, is_float), alike(3, is_float)
_I1, _I2 = alike(1, is_integer), alike(2, is_integer)
_N1, _N2, _N3 = alike(1, is_number), alike(2, is_number), alike(3, is_number)
_BOOL_OF_FLOAT = alike(1, is_float, BOOL)

TABLE: Table = {
    "add": (Overload(_N2, _add),),
    "sub": (Overload(_N2, _sub),),
    "mul": (Overload(_N2, _mul),),
    "div": (Overload(_F2, quotient), Overload(_I2, truncated_quotient, faults=True)),
    "floordiv": (Overload(_F2, float_floored_quotient), Overload(_I2, floored_quotient, faults=True)),
    "mod": (Overload(_F2, float_remainder), Overload(_I2, integer_remainder, faults=True)),
    "neg": (Overload(_N1, plain(_negated)),),
    "pos": (Overload(_N1, plain(np.positive)),),
    "invert": (Overload(_I1, plain(np.invert)),),
    "bit_and": (Overload(_I2, plain(np.bitwise_and)),),
    "bit_or": (Overload(_I2, plain(np.bitwise_or)),),
    "bit_xor": (Overload(_I2, plain(np.bitwise_xor)),),
    "lshift": (Overload(_I2, shift(np.left_shift), faults=True),),
    "rshift": (Overload(_I2, shift(np.right_shift), faults=True),),
    "unot": (Overload(alike(1, _is_bool), plain(np.logical_not)),),
    "min": (Overload(_N2, minimum),),
    "max": (Overload(_N2, maximum),),
    "clamp": (Overload(_N3, clamp),),
    "abs": (Overload(_N1, absolute),),
    "sign": (Overload(_N1, sign),),
    "step": (Overload(_N1, step),),
    "nonzero": (Overload(_N1, nonzero),),
    "copysign": (Overload(_F2, copysign),),
    "bit_count": (Overload(alike(1, is_integer, INT32), bit_count),),
    "pow": (Overload(_F2, library(np.power)),),
    "sqrt": (Overload(_F1, square_root),),
    "cbrt": (Overload(_F1, library(np.cbrt)),),
    "exp": (Overload(_F1, library(np.exp)),),
    "log": (Overload(_F1, library(np.log)),),
    "log2": (Overload(_F1, library(np.log2)),),
    "log10": (Overload(_F1, library(np.log10)),),
    "sin": (Overload(_F1, library(np.sin)),),
    "cos": (Overload(_F1, library(np.cos)),),
    "tan": (Overload(_F1, library(np.tan)),),
    "asin": (Overload(_F1, clamped(np.arcsin)),),
    "acos": (Overload(_F1, clamped(np.arccos)),),
    "atan": (Overload(_F1, library(np.arctan)),),
    "atan2": (Overload(_F2, library(np.arctan2)),),
    "sinh": (Overload(_F1, library(np.sinh)),),
    "cosh": (Overload(_F1, library(np.cosh)),),
    "tanh": (Overload(_F1, library(np.tanh)),),
    "degrees": (Overload(_F1, library(lambda x: x * (180.0 / math.pi))),),
    "radians": (Overload(_F1, library(lambda x: x * (math.pi / 180.0))),),
    "erf": (Overload(_F1, library(special_functions.erf)),),
    "erfc": (Overload(_F1, library(special_functions.erfc)),),
    "erfinv": (Overload(_F1, error_inverse(special_functions.erfinv, lambda y: (1.0 + y) - 1.0)),),
    "erfcinv": (Overload(_F1, error_inverse(special_functions.erfcinv, lambda y: 2.0 - (1.0 + (1.0 - y)))),),
    "round": (Overload(_F1, stepped(round_half_away)),),
    "rint": (Overload(_F1, stepped(np.rint)),),
    "trunc": (Overload(_F1, stepped(np.trunc)),),
    "floor": (Overload(_F1, stepped(np.floor)),),
    "ceil": (Overload(_F1, stepped(np.ceil)),),
    "frac": (Overload(_F1, fraction),),
    "isnan": (Overload(_BOOL_OF_FLOAT, plain(np.isnan)),),
    "isinf": (Overload(_BOOL_OF_FLOAT, plain(np.isinf)),),
    "isfinite": (Overload(_BOOL_OF_FLOAT, plain(np.isfinite)),),
    "lerp": (Overload(_F3, interpolate),),
    "smoothstep": (Overload(_F3, smoothstep),),
}
"""Builtins on scalars."""
