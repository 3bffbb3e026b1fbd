"""The special functions of statistics and physics, and what JAX does to the bits of whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference.array import Array, array, floated, made, meeting
from irsmith.frontends.jax.reference.elementwise import SMOOTH
from irsmith.frontends.jax.reference.machine import Current
from irsmith.verify.ports import Array as Values

Size = Callable[..., Any]


def _relative(units: float) -> Size:
    return lambda *given: units * np.abs(given[-1])


def _incomplete(a: Values, x: Values, value: Values) -> Values:
    """An exponential of a sum of terms, each of which rounds."""
    return np.asarray(4 * (1 + np.abs(a * np.log(x)) + x) * np.abs(value) + 8 * (np.abs(value) > 0.5))


_FUNCTIONS: Mapping[str, tuple[str, Size]] = {
    "erfc": ("erfc", _relative(12)),
    "erfinv": ("erfinv", _relative(4)),
    "erf_inv": ("erfinv", _relative(4)),
    "lgamma": ("gammaln", lambda x, _: 6 * (1 + np.abs(x * np.log(np.abs(x))))),
    "digamma": ("digamma", lambda x, _: 5 * (1 + np.abs(np.log(np.abs(x))) + 1 / np.abs(x))),
    "i0e": ("i0e", _relative(6)),
    "i1e": ("i1e", _relative(20)),
    "i0": ("i0", _relative(8)),
    "i1": ("i1", _relative(20)),
    "zeta": ("zeta", _relative(8)),
    "ndtr": ("ndtr", _relative(24)),
    "log_ndtr": ("log_ndtr", lambda _, value: 28 + 8 * np.abs(value)),
    "ndtri": ("ndtri", lambda _, value: 8 * (1 + np.abs(value))),
    "gammainc": ("gammainc", _incomplete),
    "gammaincc": ("gammaincc", _incomplete),
    "betainc": ("betainc", _relative(150)),
    "xlogy": ("xlogy", _relative(2)),
    "xlog1py": ("xlog1py", _relative(2)),
}
"""SciPy's name for each function, and how large its error in XLA is, in units of half a last place of one.

Sums and exponentials of sums inside these functions round as any do; what they come to was measured on their domains.
"""


def _function(name: str) -> Callable[..., Array]:
    exact, size = _FUNCTIONS[name]

    def function(*given: Any) -> Array:
        import scipy.special

        dtype, weak, values = meeting(*(floated(part) for part in given))
        found = getattr(scipy.special, exact)(*values)
        return made(approximated(found, size(*values, found), dtype), dtype, weak=weak)

    return function


def approximated(value: Values, size: Values, dtype: str) -> Values:
    """A value with the error of an approximation, if this lane has any errors."""
    lane = Current.lane
    return value if lane.rounding is None else value + size * lane.unit(dtype) * lane.noise(value)


SPECIAL = {name: _function(name) for name in _FUNCTIONS}


def betaln(a: Any, b: Any) -> Array:
    """The logarithm of the beta function."""
    a, b = floated(a), floated(b)
    lgamma = SPECIAL["lgamma"]
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def polygamma(n: Any, x: Any) -> Array:
    """A derivative of the digamma function, of a whole order."""
    import scipy.special

    x = floated(x)
    found = scipy.special.polygamma(np.rint(array(n).value).astype(int), x.value)
    return made(approximated(found, 24 * np.abs(found), x.dtype_name), x.dtype_name, weak=x.weak)


def logit(x: Any) -> Array:
    """The inverse of the logistic function."""
    return SMOOTH["log"](floated(x) / (1.0 - floated(x)))


def entr(x: Any) -> Array:
    """What a value adds to an entropy."""
    return -SPECIAL["xlogy"](x, x)


def nextafter(a: Any, b: Any) -> Array:
    """The neighbour of one number on the way to another, in the dtype that they meet in."""
    dtype, weak, (left, right) = meeting(floated(a), floated(b))
    kind = numpy_dtype(dtype)
    return Array(np.nextafter(left.astype(kind), right.astype(kind)).astype(np.float64), dtype, weak=weak)


def _bits(x: Array) -> tuple[Values, int]:
    """The bits of whole numbers as unsigned ones, and how many each has."""
    width = 8 * x.value.dtype.itemsize
    return x.value.view(f"u{width // 8}").astype(np.uint64), width


def population_count(x: Any) -> Array:
    """How many bits are set."""
    x = array(x)
    bits, _ = _bits(x)
    return x.moved(np.bitwise_count(bits).astype(x.value.dtype))


def bitwise_count(x: Any) -> Array:
    """`jnp.bitwise_count`: how many bits of the magnitude are set."""
    x = array(x)
    return Array(np.bitwise_count(x.value), "uint8")


def clz(x: Any) -> Array:
    """How many zeros stand before the first bit that is set."""
    x = array(x)
    bits, width = _bits(x)
    after = np.sum([bits >> np.uint64(place) != 0 for place in range(width)], axis=0)
    return x.moved((width - after).astype(x.value.dtype))


def mulhi(a: Any, b: Any) -> Array:
    """The upper half of a product of twice the width."""
    a, b = array(a), array(b)
    width = 8 * a.value.dtype.itemsize
    product = a.value.astype(object) * b.value.astype(object)
    return a.moved(np.asarray(product >> width).astype(a.value.dtype))


def shift_right_logical(a: Any, b: Any) -> Array:
    """To the right, with zeros from the left."""
    a, b = array(a), array(b)
    bits, width = _bits(a)
    kind = np.dtype(f"u{width // 8}")
    return a.moved((bits.astype(kind) >> b.value.astype(kind)).view(a.value.dtype))


def reduced(function: np.ufunc) -> Callable[..., Array]:
    """Bits folded along axes."""

    def reduce(x: Any, axes: Any) -> Array:
        x = array(x)
        return x.moved(function.reduce(x.value, axis=tuple(axes)))

    return reduce
