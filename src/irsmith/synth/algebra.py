"""Making expressions of one kernel's number types, with every operator's legal domain enforced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from irsmith.synth.cancel import refuse_empty
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr, Span
from irsmith.synth.operators import OPERATORS
from irsmith.types import (
    BOOL,
    FLOAT32,
    INT32,
    UINT32,
    Domain,
    Matrix,
    Quaternion,
    Scalar,
    Struct,
    Transformation,
    ValueType,
    Vector,
)

# How large values may grow. A half has 11 bits: small values keep rounding from hiding an operand.
_LIMITS = {"float16": 200.0, "float32": 2e4, "float64": 1e6}
_WHOLE_LIMITS = {
    "int8": (-128, 127), "uint8": (0, 255), "int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1),
    "int32": (-(2**30), 2**30), "uint32": (0, 2**31), "int64": (-(2**40), 2**40), "uint64": (0, 2**40),
}  # fmt: skip

# The least width of a usual band, relative to its size, that a result must keep: less would be rounding noise.
_NARROWEST = {"float16": 0.05, "float32": 1e-3, "float64": 1e-3}

_COMPARABLE = frozenset({"add", "sub", "vadd", "vsub", "madd", "msub"})


@cache
def vector(length: int, scalar: Scalar) -> Vector:
    """The one object for a vector type."""
    return Vector(length, scalar)


@cache
def matrix(rows: int, columns: int, scalar: Scalar) -> Matrix:
    """The one object for a matrix type."""
    return Matrix(rows, columns, scalar)


@cache
def quaternion(scalar: Scalar) -> Quaternion:
    """The one object for a quaternion type."""
    return Quaternion(scalar)


@cache
def motion(scalar: Scalar) -> Transformation:
    """The one object for a rigid transform's type."""
    return Transformation(scalar)


RESULTS: dict[str, Callable[[Scalar], tuple[str, ValueType]]] = {
    "int32": lambda _: ("i", INT32),
    "uint32": lambda _: ("i", UINT32),
    "f": lambda real: ("f", real),
    "q": lambda real: ("q", quaternion(real)),
    "t": lambda real: ("t", motion(real)),
    "w": lambda real: ("w", vector(6, real)),
    "v3": lambda real: ("v", vector(3, real)),
    "m3": lambda real: ("m", matrix(3, 3, real)),
    "h": lambda real: ("h", matrix(4, 4, real)),
    "a": lambda real: ("a", matrix(6, 6, real)),
}
"""Kind and type of results that do not follow from the operands, by what the table of operators calls them."""

# How many components a kind has where its type does not say.
_WIDTHS = {"q": 4, "w": 6}


def kind_of(type: ValueType) -> str:
    """The family of a type, as `ir.Expr.kind` names it."""
    if isinstance(type, Scalar):
        return "f" if type.is_float else "b" if type is BOOL else "i"
    if isinstance(type, Vector):
        return "w" if type.length == 6 and type.scalar.is_float else "v"
    if isinstance(type, Matrix):
        return "m"
    if isinstance(type, Quaternion):
        return "q"
    return "t" if isinstance(type, Transformation) else "s"


def usual(low: float, high: float) -> Span:
    """The span of inputs drawn evenly from an interval: usually in its middle half."""
    quarter = (high - low) / 4
    return Span(low, high, low + quarter, high - quarter)


def union(a: Span, b: Span) -> Span:
    """The span of a value that comes from either of two places."""
    return Span(min(a.low, b.low), max(a.high, b.high), min(a.usual_low, b.usual_low), max(a.usual_high, b.usual_high))


def exactly(value: float) -> Span:
    """The span of a literal."""
    return Span(value, value, value, value)


TRUTH = Span(0.0, 1.0, 0.0, 1.0)
"""The span of a Boolean."""

NO_SPAN = exactly(0.0)
"""The span of what has none, such as a struct."""


def name(text: str, type: ValueType, span: Span) -> Expr:
    """A variable, an argument by value, or a constant."""
    return Expr("name", kind_of(type), type, span, (), text)


def whole(value: int) -> Expr:
    """An index literal."""
    return Expr("literal", "i", INT32, exactly(value), (), "", value)


class Algebra:
    """Builds expressions of one real and one whole type.

    Attributes:
        real: The kernel's floating-point type.
        whole: The integer type of the kernel's data (indices are always int32).
        definitions: What each variable was last assigned, where that is known.
        length: Components of the kernel's vectors.
        numbers: Counters of loops that are unrolled: converted to another type than float32, such a number is an index
            no more.
        chances: How likely an application of an operator is kept, where a recipe weighs them; under the empty name
            that of every other operator.
    """

    __slots__ = ("_floor", "_limit", "_whole_high", "_whole_low", "chances", "definitions", "length", "numbers", "real",
                 "whole")  # fmt: skip

    def __init__(self, real: Scalar, whole: Scalar, chances: Mapping[str, float]) -> None:
        self.chances = chances
        self.length = 3
        self.real = real
        self.whole = whole
        self.definitions: dict[str, Expr] = {}
        self.numbers: set[str] = set()
        self._limit = _LIMITS[real.name]
        self._floor = _NARROWEST[real.name]
        self._whole_low, self._whole_high = _WHOLE_LIMITS[whole.name]

    def literal(self, value: float) -> Expr:
        """A literal of the real type."""
        return Expr("literal", "f", self.real, exactly(value), (), "", float(value))

    def do(self, operator: str, *args: Expr) -> Expr:
        """Apply an operator of the table.

        Raises:
            Discard: The operands are outside the operator's domain, the result would be too large, or one
                operand would drown in the rounding of the other.
        """
        if self.chances and self.chances.get(operator) == 0.0:
            raise Discard(operator)
        refuse_empty(operator, args, self.definitions)
        entry = OPERATORS[operator]
        _, kind, type, span, *_ = args[0]
        if kind in "fi":
            n = 1
        elif kind == "v":
            n = type.length  # type: ignore[union-attr]
        elif kind == "m":
            n = type.rows  # type: ignore[union-attr]
        else:
            n = _WIDTHS.get(kind, 1)
        rule = entry.rule
        low, high, near, far = span
        if len(args) == 2:
            low2, high2, near2, far2 = args[1].span
            full = rule(n, low, high, low2, high2)
            if full is None:
                raise Discard(operator)
            if operator in _COMPARABLE:
                # A term that is lost in the rounding of the other is a dead expression.
                width, width2 = far - near, far2 - near2
                if width2 and width and not 0.01 < width / width2 < 100.0:
                    raise Discard(operator)
            band = rule(n, near, far, near2, far2)
        elif len(args) == 1:
            full = rule(n, low, high)
            if full is None:
                raise Discard(operator)
            band = rule(n, near, far)
        else:
            full = rule(n, *(bound for arg in args for bound in arg.span[:2]))
            if full is None:
                raise Discard(operator)
            band = rule(n, *(bound for arg in args for bound in arg.span[2:]))
        result = entry.result
        if result != "same":
            if result == "scalar":
                kind, type = "f" if type.scalar.is_float else "i", type.scalar  # type: ignore[union-attr]
            elif result == "last":
                kind, type = args[-1].kind, args[-1].type
            elif result == "m":
                kind, type = "m", matrix(n, n, type.scalar)  # type: ignore[union-attr]
            elif result == "row":
                kind, type = "v", vector(n, type.scalar)  # type: ignore[union-attr]
            else:
                kind, type = RESULTS[result](self.real)
        low, high = full
        near, far = band if band is not None else full
        if kind != "i":
            limit = self._limit
            if low < -limit or high > limit:
                raise Discard(operator)
            damping = entry.damping
            if damping != 1.0:
                near, far = near * damping, far * damping
            if far - near < self._floor * max(1e-2, -near, far) and operator != "mod":
                raise Discard(operator)
        elif (
            low < self._whole_low
            or high > self._whole_high
            or (type is INT32 and high > 2**30)
            or (far <= near and high - low < 1)
        ):
            raise Discard(operator)
        return Expr(operator, kind, type, Span(low, high, near, far), args)

    def regular(self, m: Expr, shift: float) -> Expr:
        """``m + identity * shift``, which must be diagonally dominant.

        Raises:
            Discard: Off-diagonal entries could outweigh the diagonal.
        """
        rows = m.type.rows  # type: ignore[union-attr]
        scalar = m.type.scalar  # type: ignore[union-attr]
        identity = Expr("identity", "m", matrix(rows, rows, scalar), Span(0.0, 1.0, 0.0, 1.0))
        shifted = Expr("mscale", "m", m.type, Span(0.0, shift, 0.0, shift), (identity, self.literal(shift)))
        low, high, near, far = m.span
        if shift - rows * max(-low, high) < 0.25:
            raise Discard("regular")
        return Expr("madd", "m", m.type, Span(low, high + shift, near, far + shift), (m, shifted))

    def inverse(self, m: Expr, margin: float) -> Expr:
        """The inverse of a matrix whose rows are diagonally dominant by a margin (Varah's bound)."""
        bound = 1.0 / margin
        return Expr("inverse", "m", m.type, Span(-bound, bound, -bound / 2, bound / 2), (m,))

    def compare(self, test: str, a: Expr, b: Expr) -> Expr:
        """A comparison of two scalars."""
        return Expr(test, "b", BOOL, TRUTH, (a, b))

    def connect(self, word: str, *tests: Expr) -> Expr:
        """``both``, ``either`` or ``not``."""
        return Expr(word, "b", BOOL, TRUTH, tests)

    def choose(self, test: Expr, then: Expr, otherwise: Expr) -> Expr:
        """A conditional expression."""
        return Expr("choose", then.kind, then.type, union(then.span, otherwise.span), (test, then, otherwise))

    def cast(self, value: Expr, type: Scalar) -> Expr:
        """A scalar converted to another scalar type; a float towards zero.

        Raises:
            Discard: The value does not fit, or nothing would be left of it.
        """
        if value.kind not in "fi" or (value.name in self.numbers and type.is_float and type is not FLOAT32):
            raise Discard("cast")
        low, high, near, far = value.span
        kind = "f" if type.is_float else "i"
        if kind == "i" and value.kind == "f":
            if high - low < 1.5:
                raise Discard("cast")
            low, high, near, far = (float(int(bound)) for bound in value.span)
        if kind == "i":
            least, most = _WHOLE_LIMITS[type.name]
            if low < least or high > most:
                raise Discard("cast")
        elif high > _LIMITS[type.name] or low < -_LIMITS[type.name]:
            raise Discard("cast")
        return Expr("cast", kind, type, Span(low, high, near, far), (value,))

    def real_of(self, value: Expr) -> Expr:
        """A scalar as the real type."""
        return value if value.type is self.real else self.cast(value, self.real)

    def like(self, value: Expr, other: Expr) -> Expr:
        """An integer as another's type; anything else as it is."""
        if value.kind != "i" or value.type is other.type or not isinstance(other.type, Scalar):
            return value
        return self.cast(value, other.type)

    def component(self, value: Expr, position: int) -> Expr:
        """One component of a vector."""
        scalar: Scalar = value.type.scalar  # type: ignore[union-attr]
        return Expr("component", "f" if scalar.is_float else "i", scalar, value.span, (value,), "", position)

    def element(self, value: Expr, row: Expr, column: Expr) -> Expr:
        """One element of a matrix."""
        scalar: Scalar = value.type.scalar  # type: ignore[union-attr]
        return Expr("element", "f", scalar, value.span, (value, row, column))

    def made(self, result: str, *parts: Expr) -> Expr:
        """A quaternion, transform or spatial vector (one of `RESULTS`) of its parts."""
        span = parts[0].span
        for other in parts[1:]:
            span = union(span, other.span)
        kind, type = RESULTS[result](self.real)
        return Expr("make", kind, type, span, parts)

    def make(self, *components: Expr) -> Expr:
        """A vector of scalars."""
        span = components[0].span
        for other in components[1:]:
            span = union(span, other.span)
        scalar: Scalar = components[0].type  # type: ignore[assignment]
        return Expr("make", "v", vector(len(components), scalar), span, components)

    def field(self, value: Expr, struct: Struct, field_name: str) -> Expr:
        """A field of a struct, its span from its domain."""
        entry = struct.by_name[field_name]
        domain = entry.domain or Domain(0.0, 0.0)
        return Expr("field", kind_of(entry.type), entry.type, usual(domain.low, domain.high), (value,), field_name)
