"""How a builtin is written down: for which argument types it is defined, what it returns, and its formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irsmith.frontends.warp.reference.values import Type, Value
from irsmith.types import BOOL, Matrix, Quaternion, Scalar, Transformation, Vector

Rule = Callable[[Sequence[Type]], Type | None]
"""The result type for some argument types; None where the builtin is not defined for them."""

Formula = Callable[..., Value]
"""Called with the operations of the run and then the arguments' values."""


@dataclass(frozen=True, slots=True)
class Overload:
    """One form of a builtin.

    Attributes:
        rule: Its argument and result types.
        formula: What it computes.
        faults: Whether some arguments are undefined; the formula then takes the line as ``line``.
    """

    rule: Rule
    formula: Formula
    faults: bool = False


Table = dict[str, tuple[Overload, ...]]
"""The overloads of each builtin, tried in order."""


def is_float(type: Type) -> bool:
    """A float scalar."""
    return isinstance(type, Scalar) and type.is_float


def is_integer(type: Type) -> bool:
    """An integer scalar."""
    return isinstance(type, Scalar) and type.is_integer


def is_number(type: Type) -> bool:
    """A float or integer scalar."""
    return isinstance(type, Scalar) and type != BOOL


def is_vector(type: Type) -> bool:
    """A vector of any length."""
    return isinstance(type, Vector)


def is_float_vector(type: Type) -> bool:
    """A vector of floats."""
    return isinstance(type, Vector) and type.scalar.is_float


def is_integer_vector(type: Type) -> bool:
    """A vector of integers."""
    return isinstance(type, Vector) and type.scalar.is_integer


def is_matrix(type: Type) -> bool:
    """A matrix of any shape."""
    return isinstance(type, Matrix)


def is_quaternion(type: Type) -> bool:
    """A quaternion."""
    return isinstance(type, Quaternion)


def is_composite(type: Type) -> bool:
    """Anything made of several scalars."""
    return isinstance(type, Vector | Matrix | Quaternion | Transformation)


def vector_of(length: int) -> Callable[[Type], bool]:
    """A float vector of one length."""
    return lambda type: isinstance(type, Vector) and type.length == length


def square(*sizes: int) -> Callable[[Type], bool]:
    """A square matrix of one of the sizes, or of any."""
    return lambda type: isinstance(type, Matrix) and type.rows == type.columns and (not sizes or type.rows in sizes)


def alike(count: int, kind: Callable[[Type], bool], result: Callable[[Type], Type] | Type | None = None) -> Rule:
    """So many arguments of one and the same type; the result has that type, unless said otherwise."""

    def rule(types: Sequence[Type]) -> Type | None:
        first = types[0] if types else None
        if first is None or len(types) != count or not kind(first) or any(type != first for type in types):
            return None
        if result is None:
            return first
        return result(first) if callable(result) else result

    return rule


def scaled(kind: Callable[[Type], bool], *, scalar_first: bool = False) -> Rule:
    """A composite and a scalar of the kind that it is made of."""

    def rule(types: Sequence[Type]) -> Type | None:
        if len(types) != 2:
            return None
        whole, factor = reversed(types) if scalar_first else types
        return whole if kind(whole) and scalar(whole) == factor else None

    return rule


def fixed(*expected: Type, result: Type) -> Rule:
    """Exactly these types."""
    return lambda types: result if tuple(types) == expected else None


def scalar(type: Type) -> Scalar | None:
    """What a composite is made of."""
    return type.scalar if isinstance(type, Vector | Matrix | Quaternion | Transformation) else None


def scalar_result(type: Type) -> Type:
    """The scalar that a composite is made of, as a result."""
    found = scalar(type)
    assert found is not None
    return found
