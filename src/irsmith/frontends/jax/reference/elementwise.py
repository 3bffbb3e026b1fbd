"""JAX's functions that work element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irsmith.frontends.jax.reference.array import (
    FLOATS,
    Array,
    absolute,
    array,
    binary,
    cast,
    compared,
    floated,
    made,
    meeting,
    named_dtype,
    promoted,
    unary,
)
from irsmith.frontends.jax.reference.machine import Current

Values = NDArray[np.float64]


def _special(name: str) -> Any:
    def function(x: Values) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(x)

    return function


def _sigmoid(x: Values) -> Values:
    return np.asarray(np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))))


_SMOOTH: dict[str, Any] = {
    **{name: getattr(np, name) for name in (
        "exp", "expm1", "log", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh",
        "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
    )},
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "logistic": _sigmoid,
    "erf": _special("erf"),
}  # fmt: skip


def _smooth(name: str) -> Any:
    function = _SMOOTH[name]

    def smooth(x: Any) -> Array:
        if name in ("sqrt", "cbrt"):
            Current.lane.tie(floated(x).value == 0)
        return unary(function, x)

    return smooth


SMOOTH = {name: _smooth(name) for name in _SMOOTH}


def exp2(x: Any) -> Array:
    """A power of two: an exponential, of a product with a rounded logarithm."""
    return unary(np.exp, floated(x) * math.log(2.0))


def log2(x: Any) -> Array:
    """A logarithm of base two: the natural one over that of two, rounded. Of two, these are one number."""
    x = floated(x)
    found = unary(np.log, x) / math.log(2.0)
    if x.dtype_name == Current.lane.narrow:
        # There the base alone is rounded so far.
        return found
    return found.moved(np.where(x.value == 2, 1.0, found.value))


def log10(x: Any) -> Array:
    """A logarithm of base ten: the natural one times a rounded number."""
    return unary(np.log, floated(x)) * (1.0 / math.log(10.0))


def deg2rad(x: Any) -> Array:
    """Degrees in radians: a product with a number that is rounded to the dtype of the argument."""
    return floated(x) * (math.pi / 180.0)


def rad2deg(x: Any) -> Array:
    """Radians in degrees, likewise."""
    return floated(x) * (180.0 / math.pi)


def sinc(x: Any) -> Array:
    """The sine over its argument, which is a product with a rounded number."""
    return unary(lambda v: np.sinc(v / np.pi), floated(x) * math.pi)


SMOOTH |= {"exp2": exp2, "log2": log2, "log10": log10, "deg2rad": deg2rad, "rad2deg": rad2deg, "sinc": sinc}


def square(x: Any) -> Array:
    """The square, in the dtype of the argument."""
    x = array(x)
    return made(x.value**2, x.dtype_name, weak=x.weak)


def integer_pow(x: Any, y: int) -> Array:
    """A power with a whole exponent."""
    return array(x) ** y


def sign(x: Any) -> Array:
    """-1, 0 or 1."""
    x = array(x)
    outcome = np.sign(x.value)
    if x.dtype_name in FLOATS:
        Current.lane.decide(outcome)
    return x.moved(outcome)


def _step(function: Any) -> Any:
    def stepped(x: Any, *_: Any) -> Array:
        x = floated(x)
        outcome = function(x.value)
        Current.lane.decide(outcome)
        return Array(outcome, x.dtype_name, weak=x.weak)

    return stepped


floor, ceil, rint, trunc = _step(np.floor), _step(np.ceil), _step(np.rint), _step(np.trunc)


def maximum(a: Any, b: Any) -> Array:
    """The larger of two."""
    return _extreme(np.maximum, a, b)


def minimum(a: Any, b: Any) -> Array:
    """The smaller of two."""
    return _extreme(np.minimum, a, b)


def _extreme(function: Any, a: Any, b: Any) -> Array:
    dtype, weak, (left, right) = meeting(a, b)
    if dtype in FLOATS:
        Current.lane.decide(left > right)
        Current.lane.tie(left == right)
    return Array(function(left, right), dtype, weak=weak)


def clip(x: Any, min: Any = None, max: Any = None) -> Array:
    """Cut off at both ends."""
    x = array(x)
    low, high = min, max
    result = x
    if low is not None:
        result = maximum(result, low)
    return result if high is None else minimum(result, high)


def clamp(low: Any, x: Any, high: Any) -> Array:
    """`lax.clamp`: the ends come first and last."""
    return clip(x, low, high)


def where(condition: Any, x: Any, y: Any) -> Array:
    """Element by element, one of two."""
    test = array(condition)
    truth = test.value.astype(bool)
    Current.lane.went("ternary", true=bool(truth.any()), false=not bool(truth.all()))
    dtype, weak, (first, second) = meeting(x, y)
    return Array(np.where(truth, first, second), dtype, weak=weak)


def select(conditions: Any, choices: Any, default: Any = 0) -> Array:
    """`jnp.select`: the first whose condition holds."""
    result = array(default)
    for test, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = where(test, choice, result)
    return result


def lax_select(condition: Any, x: Any, y: Any) -> Array:
    """`lax.select`."""
    return where(condition, x, y)


def select_n(which: Any, *cases: Any) -> Array:
    """`lax.select_n`: by number."""
    chosen = array(which).value.astype(int)
    parts = [array(case) for case in cases]
    return Array(np.choose(chosen, [part.value for part in parts]), promoted(*parts)[0])


def logaddexp(a: Any, b: Any) -> Array:
    """The logarithm of a sum of exponentials."""
    return binary(np.logaddexp, floated(a), floated(b))


def arctan2(a: Any, b: Any) -> Array:
    """The angle of a point."""
    return binary(np.arctan2, floated(a), floated(b))


def hypot(a: Any, b: Any) -> Array:
    """The length of a right triangle's long side."""
    a, b = floated(a), floated(b)
    Current.lane.tie((a.value == 0) & (b.value == 0))
    return binary(np.hypot, a, b)


def _binary(function: Any) -> Any:
    return lambda a, b: binary(function, a, b)


add, subtract, multiply = _binary(np.add), _binary(np.subtract), _binary(np.multiply)
logical_and, logical_or, logical_xor = (
    lambda a, b: Array(np.logical_and(array(a).value, array(b).value), "bool"),
    lambda a, b: Array(np.logical_or(array(a).value, array(b).value), "bool"),
    lambda a, b: Array(np.logical_xor(array(a).value, array(b).value), "bool"),
)


def logical_not(x: Any) -> Array:
    """The opposite."""
    return Array(np.logical_not(array(x).value), "bool")


def comparison(function: Any) -> Any:
    """A comparison as a function of two."""
    return lambda a, b: compared(function, a, b)


def lax_div(a: Any, b: Any) -> Array:
    """`lax.div`: whole numbers are cut towards zero."""
    a, b = array(a), array(b)
    if promoted(a, b)[0] in FLOATS:
        return a / b
    dtype, _ = promoted(a, b)
    return Array(np.trunc(a.value / b.value), dtype)


def lax_rem(a: Any, b: Any) -> Array:
    """`lax.rem`: with the sign of the first."""
    a, b = array(a), array(b)
    if promoted(a, b)[0] in FLOATS:
        Current.lane.decide(np.trunc(a.value / b.value))
    return binary(np.fmod, a, b)


def nan_to_num(x: Any, **_: Any) -> Array:
    """What is not finite replaced; on the domains of rows nothing is."""
    return array(x)


def isfinite(x: Any) -> Array:
    """Whether finite."""
    return Array(np.isfinite(array(x).value), "bool")


def isnan(x: Any) -> Array:
    """Whether not a number."""
    return Array(np.isnan(array(x).value), "bool")


def relu(x: Any) -> Array:
    """The positive part, whose slope at zero is zero."""
    x = floated(x)
    Current.lane.decide(x.value > 0)
    return x.moved(np.maximum(x.value, 0))


def piecewise(condition: Any, x: Array, above: Any, below: Any) -> Array:
    """A function in two pieces, the choice noted."""
    Current.lane.decide(condition)
    return made(np.where(condition, above, below), x.dtype_name, weak=x.weak)


def relu6(x: Any) -> Array:
    """The positive part up to six."""
    return minimum(maximum(floated(x), 0), 6)


def hard_tanh(x: Any) -> Array:
    """Cut off at minus one and one."""
    x = floated(x)
    return where_plain(x.value > 1, Array(1.0, x.dtype_name), where_plain(x.value < -1, Array(-1.0, x.dtype_name), x))


def where_plain(condition: Any, x: Array, y: Array) -> Array:
    """One of two by a decision of the library's own."""
    Current.lane.decide(condition)
    return Array(np.where(condition, x.value, y.value), y.dtype_name)


def sigmoid(x: Any) -> Array:
    """The logistic function."""
    return unary(_sigmoid, x)


def silu(x: Any) -> Array:
    """A value times its logistic function."""
    x = floated(x)
    return x * sigmoid(x)


def gelu(x: Any, approximate: bool = True) -> Array:
    """A value times its share of a normal distribution, by default in the approximation by a hyperbolic tangent."""
    x = floated(x)
    if approximate:
        inner = 0.7978845608028654 * (x + 0.044715 * x**3)
        return 0.5 * x * (1.0 + unary(np.tanh, inner))
    from irsmith.frontends.jax.reference.special import SPECIAL

    return 0.5 * x * SPECIAL["erfc"](-x * 0.5**0.5)


def softplus(x: Any) -> Array:
    """A smooth positive part."""
    return unary(lambda v: np.logaddexp(v, 0.0), x)


def log_sigmoid(x: Any) -> Array:
    """The logarithm of the logistic function."""
    return unary(lambda v: -np.logaddexp(-v, 0.0), x)


def soft_sign(x: Any) -> Array:
    """A sign without a jump."""
    x = floated(x)
    return x / (1.0 + absolute(x))


def elu(x: Any, alpha: Any = 1.0) -> Array:
    """Linear above zero, exponential below."""
    x = floated(x)
    _, _, (scale, _) = meeting(alpha, x)
    return piecewise(x.value > 0, x, x.value, scale * np.expm1(np.minimum(x.value, 0)))


def selu(x: Any) -> Array:
    """A scaled `elu`."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def celu(x: Any, alpha: Any = 1.0) -> Array:
    """Linear above zero, exponential below, with a continuous slope."""
    x = floated(x)
    _, _, (scale, _) = meeting(alpha, x)
    return piecewise(x.value > 0, x, x.value, scale * np.expm1(np.minimum(x.value, 0) / scale))


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Array:
    """The positive part, and a little of the negative."""
    x = floated(x)
    _, _, (slope, _) = meeting(negative_slope, x)
    return piecewise(x.value >= 0, x, x.value, slope * x.value)


def mish(x: Any) -> Array:
    """A value times the hyperbolic tangent of its soft positive part."""
    x = floated(x)
    return x * unary(np.tanh, softplus(x))


def squareplus(x: Any, b: Any = 4.0) -> Array:
    """A soft positive part by a root."""
    x = floated(x)
    return (x + unary(np.sqrt, x * x + b)) / 2.0


def hard_sigmoid(x: Any) -> Array:
    """A logistic function in three pieces."""
    return relu6(floated(x) + 3.0) / 6.0


def hard_silu(x: Any) -> Array:
    """A value times its hard logistic function."""
    return floated(x) * hard_sigmoid(x)


def astype(x: Any, dtype: Any) -> Array:
    """In another dtype."""
    return cast(array(x), named_dtype(dtype))
