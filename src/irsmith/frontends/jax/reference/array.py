"""An array of the reference: exact values, with the dtype that JAX would give them.

Floats are kept in float64 whatever they are declared as; whole numbers are kept in their own dtype, so that they
wrap as they should. Dtypes follow JAX's rules of promotion, in which a Python number takes the dtype of what it
meets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference.machine import Current
from irsmith.verify.ports import Array as Values

FLOATS = ("bfloat16", "float16", "float32", "float64")
_ORDER = ("bool", "uint8", "int8", "int16", "uint32", "int32", "uint64", "int64", "bfloat16", "float16", "float32",
          "float64", "complex64", "complex128")  # fmt: skip


def stored(dtype: str) -> type[Any]:
    """The NumPy dtype in which the values of a dtype are kept."""
    if dtype in FLOATS:
        return np.float64
    if dtype.startswith("complex"):
        return np.complex128
    kept: type[Any] = np.dtype(dtype).type
    return kept


def named_dtype(given: Any) -> str:
    """A dtype's name, of whatever a source gives for one."""
    plain = {bool: "bool", int: default_whole(), float: default_float()}
    return plain[given] if isinstance(given, type) and given in plain else str(given)


def default_float() -> str:
    """The dtype of floats that come from nowhere."""
    return "float64" if Current.lane.x64 else "float32"


def default_whole() -> str:
    """The dtype of whole numbers that come from nowhere."""
    return "int64" if Current.lane.x64 else "int32"


class Array:
    """An array.

    Attributes:
        value: Its values.
        dtype_name: Its dtype, by JAX's name.
        weak: Whether it gives way to the dtype of what it meets, as a Python number does.
    """

    __slots__ = ("dtype_name", "value", "weak")
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any, dtype: str, *, weak: bool = False) -> None:
        self.value: Values = np.asarray(value, stored(dtype))
        self.dtype_name = dtype
        self.weak = weak

    # What JAX's arrays say of themselves.

    @property
    def shape(self) -> tuple[int, ...]:
        """The static shape."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.value.size)

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.dtype_name

    @property
    def T(self) -> Array:  # noqa: N802
        """Axes in reverse order."""
        return self.moved(self.value.T)

    @property
    def mT(self) -> Array:  # noqa: N802
        """The last two axes exchanged."""
        return self.moved(np.swapaxes(self.value, -1, -2))

    @property
    def real(self) -> Array:
        """The real part."""
        return Array(self.value.real, _part(self.dtype_name))

    @property
    def imag(self) -> Array:
        """The imaginary part."""
        return Array(self.value.imag, _part(self.dtype_name))

    @property
    def at(self) -> Any:
        """Parts of it, to be changed in a copy."""
        from irsmith.frontends.jax.reference.shaping import At

        return At(self)

    def moved(self, value: Any) -> Array:
        """The same elements, or some of them, in another place."""
        return Array(value, self.dtype_name, weak=self.weak)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Array]:
        return (self.moved(item) for item in self.value)

    def __getitem__(self, where: Any) -> Array:
        from irsmith.frontends.jax.reference.shaping import element

        return element(self, where)

    def __getattr__(self, name: str) -> Any:
        from irsmith.frontends.jax.reference.modules import METHODS

        if name not in METHODS:
            raise AttributeError(f"array has no attribute {name!r}")
        function = METHODS[name]
        return lambda *args, **kwargs: function(self, *args, **kwargs)

    def __bool__(self) -> bool:
        if self.value.size != 1:
            raise TypeError("the truth value of an array is not known while JAX traces")
        raise TypeError("a truth value is not known while JAX traces")

    def __index__(self) -> int:
        if self.dtype_name in FLOATS:
            raise TypeError("no whole number")
        return int(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    # Operators.

    def __add__(self, other: Any) -> Array:
        return binary(np.add, self, other)

    def __radd__(self, other: Any) -> Array:
        return binary(np.add, other, self)

    def __sub__(self, other: Any) -> Array:
        return binary(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Array:
        return binary(np.subtract, other, self)

    def __mul__(self, other: Any) -> Array:
        return binary(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Array:
        return binary(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Array:
        return divided(self, other)

    def __rtruediv__(self, other: Any) -> Array:
        return divided(other, self)

    def __floordiv__(self, other: Any) -> Array:
        return stepped(np.floor_divide, self, other)

    def __mod__(self, other: Any) -> Array:
        return stepped(np.mod, self, other)

    def __rmod__(self, other: Any) -> Array:
        return stepped(np.mod, other, self)

    def __rfloordiv__(self, other: Any) -> Array:
        return stepped(np.floor_divide, other, self)

    def __pow__(self, other: Any) -> Array:
        return power(self, other)

    def __rpow__(self, other: Any) -> Array:
        return power(other, self)

    def __matmul__(self, other: Any) -> Array:
        return matmul(self, other)

    def __neg__(self) -> Array:
        return self.moved(-self.value)

    def __pos__(self) -> Array:
        return self

    def __invert__(self) -> Array:
        return self.moved(~self.value)

    def __and__(self, other: Any) -> Array:
        return binary(np.bitwise_and, self, other)

    def __rand__(self, other: Any) -> Array:
        return binary(np.bitwise_and, other, self)

    def __or__(self, other: Any) -> Array:
        return binary(np.bitwise_or, self, other)

    def __ror__(self, other: Any) -> Array:
        return binary(np.bitwise_or, other, self)

    def __xor__(self, other: Any) -> Array:
        return binary(np.bitwise_xor, self, other)

    def __lshift__(self, other: Any) -> Array:
        return binary(np.left_shift, self, other)

    def __rshift__(self, other: Any) -> Array:
        return binary(np.right_shift, self, other)

    def __abs__(self) -> Array:
        return absolute(self)

    def __lt__(self, other: Any) -> Array:
        return compared(np.less, self, other)

    def __le__(self, other: Any) -> Array:
        return compared(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Array:
        return compared(np.greater, self, other)

    def __ge__(self, other: Any) -> Array:
        return compared(np.greater_equal, self, other)

    def __eq__(self, other: object) -> Array:  # type: ignore[override]
        return compared(np.equal, self, other)

    def __ne__(self, other: object) -> Array:  # type: ignore[override]
        return compared(np.not_equal, self, other)


def _part(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def array(value: Any, dtype: str | None = None) -> Array:
    """Anything that JAX takes for an array."""
    if isinstance(value, Array):
        return value if dtype is None else cast(value, dtype)
    if isinstance(value, list | tuple) and any(isinstance(item, Array | list | tuple) for item in value):
        parts = [array(item) for item in value]
        kind, _ = promoted(*parts)
        return Array(np.stack([part.value for part in parts]), dtype or kind)
    if isinstance(value, bool | np.bool_):
        return Array(value, dtype or "bool")
    weak = dtype is None and isinstance(value, int | float | complex) and not isinstance(value, np.generic)
    values = np.asarray(value)
    if dtype is None:
        dtype = {"f": default_float(), "i": default_whole(), "u": "uint32", "b": "bool",
                 "c": "complex128" if Current.lane.x64 else "complex64"}[values.dtype.kind]  # fmt: skip
        if isinstance(value, np.generic | np.ndarray) and values.dtype.name in ("float32", "int32", "float16", "int64"):
            dtype = values.dtype.name if Current.lane.x64 or "64" not in values.dtype.name else dtype
    return Array(values, dtype, weak=weak)


def promoted(*parts: Array) -> tuple[str, bool]:
    """The dtype that arrays meet in, and whether it is weak."""
    first = parts[0]
    if not first.weak and all(
        (part.weak and part.dtype_name == first.dtype_name) or (not part.weak and part.dtype_name == first.dtype_name)
        for part in parts
    ):
        return first.dtype_name, False
    strong = [part.dtype_name for part in parts if not part.weak]
    weak = [part.dtype_name for part in parts if part.weak]
    if not strong:
        return _highest(weak), True
    kind = _highest(strong)
    if weak:
        highest = _highest(weak)
        if highest in FLOATS and kind not in FLOATS and not kind.startswith("complex"):
            return default_float(), True
        if highest.startswith("complex") and not kind.startswith("complex"):
            return "complex128" if kind == "float64" else "complex64", False
        if highest not in FLOATS and kind == "bool":
            return highest, True
    return kind, False


def _highest(dtypes: list[str]) -> str:
    found = set(dtypes)
    if {"bfloat16", "float16"} <= found:
        found.add("float32")
    if "complex64" in found and "float64" in found:
        found.add("complex128")
    return max(found, key=_ORDER.index)


def made(value: Any, dtype: str, *, weak: bool = False) -> Array:
    """A computed array, rounded as the lane says."""
    if dtype in FLOATS:
        value = Current.lane.rounded(np.asarray(value, np.float64), dtype)
    return Array(value, dtype, weak=weak)


_EXACT = (np.add, np.subtract, np.multiply)
"""What every machine does without error where the result is a number of the dtype."""


def _exactly(function: Any, value: Values, dtype: str) -> Any:
    """What of a result no machine rounds."""
    if function not in _EXACT or Current.lane.rounding is None or Current.lane.epsilon is not None:
        return None
    with np.errstate(all="ignore"):
        return value == value.astype(numpy_dtype(dtype))


def cast(x: Array, dtype: str) -> Array:
    """The array in another dtype."""
    if dtype == x.dtype_name:
        return Array(x.value, dtype)
    if x.dtype_name in FLOATS and dtype not in FLOATS and not dtype.startswith("complex"):
        whole = x.value != 0 if dtype == "bool" else np.trunc(x.value)
        Current.lane.decide(whole)
        return Array(whole, dtype)
    if dtype in FLOATS:
        return made(x.value.real if x.value.dtype.kind == "c" else x.value, dtype)
    return Array(x.value, dtype)


def meeting(*given: Any) -> tuple[str, bool, list[Values]]:
    """The dtype that arrays meet in, whether it is weak, and their values: a Python number is rounded to it."""
    parts = [array(part) for part in given]
    dtype, weak = promoted(*parts)
    if dtype not in FLOATS or dtype == "float64":
        return dtype, weak, [part.value for part in parts]
    kind = numpy_dtype(dtype)
    return (
        dtype,
        weak,
        [part.value.astype(kind).astype(np.float64) if part.weak and not weak else part.value for part in parts],
    )


def floated(x: Any) -> Array:
    """An array as floats, as functions of a real number take it."""
    x = array(x)
    if x.dtype_name in FLOATS or x.dtype_name.startswith("complex"):
        return x
    return Array(x.value, default_float(), weak=x.weak)


def unary(function: Callable[[Values], Any], x: Any) -> Array:
    """A smooth function of a real number."""
    x = floated(x)
    return made(function(x.value), x.dtype_name, weak=x.weak)


def binary(function: Callable[[Values, Values], Any], a: Any, b: Any) -> Array:
    """An operation on two arrays in the dtype that they meet in."""
    dtype, weak, (left, right) = meeting(a, b)
    kept = stored(dtype)
    value = np.asarray(function(left.astype(kept, copy=False), right.astype(kept, copy=False)))
    result = made(value, dtype, weak=weak)
    if dtype in FLOATS and dtype != "float64":
        exact = _exactly(function, value, dtype)
        if exact is not None:
            result.value = np.where(exact, value, result.value)
    return result


def divided(a: Any, b: Any) -> Array:
    """True division."""
    dtype, weak, (left, right) = meeting(a, b)
    if dtype not in FLOATS and not dtype.startswith("complex"):
        dtype = default_float()
    return made(left / right, dtype, weak=weak)


def stepped(function: Callable[[Values, Values], Any], a: Any, b: Any) -> Array:
    """Floor division or remainder, which jump."""
    a, b = array(a), array(b)
    if promoted(a, b)[0] in FLOATS:
        Current.lane.decide(np.floor(a.value / b.value))
    return binary(function, a, b)


def compared(function: Callable[[Values, Values], Any], a: Any, b: Any) -> Array:
    """A comparison, which is a decision where it is of floats."""
    dtype, _, (left, right) = meeting(a, b)
    outcome = function(left, right)
    if dtype in FLOATS:
        Current.lane.decide(outcome)
    return Array(outcome, "bool")


def absolute(x: Any) -> Array:
    """The magnitude."""
    x = array(x)
    if x.dtype_name.startswith("complex"):
        return made(np.abs(x.value), _part(x.dtype_name))
    if x.dtype_name in FLOATS:
        Current.lane.decide(x.value > 0)
        Current.lane.tie(x.value == 0)
    return x.moved(np.abs(x.value))


def power(a: Any, b: Any) -> Array:
    """A power; one with a whole exponent is a product."""
    if isinstance(b, int) and not isinstance(b, bool):
        a = array(a)
        return made(a.value**b if b >= 0 or a.dtype_name in FLOATS else a.value, a.dtype_name, weak=a.weak)
    dtype, weak, (left, right) = meeting(a, b)
    if dtype not in FLOATS:
        return binary(np.power, a, b)
    return made(np.power(left.astype(np.float64), right.astype(np.float64)), dtype, weak=weak)


def matmul(a: Any, b: Any) -> Array:
    """A product of matrices, whose sums round as sums do."""
    a, b = array(a), array(b)
    dtype, _ = promoted(a, b)
    return summed_products(np.matmul, a, b, dtype)


def summed_products(function: Callable[[Values, Values], Any], a: Array, b: Array, dtype: str) -> Array:
    """A sum of products: each factor is rounded first, so that the terms round on their own."""
    lane = Current.lane
    kept = stored(dtype)
    left, right = a.value.astype(kept), b.value.astype(kept)
    if dtype not in FLOATS or lane.rounding is None:
        return made(function(left, right), dtype)
    found = function(lane.rounded(left, dtype), lane.rounded(right, dtype))
    count = max(a.shape[-1] if a.ndim else 1, 1)
    # Where all terms are equal, so are their errors.
    alike = lane.epsilon is None and left.size and right.size and not np.ptp(left) and not np.ptp(right)
    sums = function(np.abs(left), np.abs(right))
    return made(found + added(sums, count if alike else count**0.5, dtype), dtype)


def added(size: Values, steps: Any, dtype: str) -> Values:
    """What partial sums are rounded by, of terms whose magnitudes add up to ``size``.

    Args:
        size: That sum.
        steps: How many of their errors add up: the root of the number of terms where the errors are independent.
        dtype: The dtype.
    """
    lane = Current.lane
    if lane.rounding is None or dtype not in FLOATS:
        return np.zeros(())
    return np.asarray(size * lane.unit(dtype) * lane.noise(size) * (steps / 2))
