"""Values and their types.

A value is a NumPy array whose first axis is the lane, followed by the value's own components: ``(lanes,)`` for
a scalar, ``(lanes, 3)`` for a vec3. A first axis of length 1 means "the same in every lane". A struct's value
is a tuple of its fields' values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irsmith.types import ArrayType, Matrix, Quaternion, Scalar, Struct, Transformation, ValueType, Vector

Array = NDArray[Any]
Value = Any
"""An `Array`, or for a struct a tuple of values."""


@dataclass(frozen=True, slots=True)
class TileType:
    """A tile: an array of fixed extents that a block of threads holds together.

    Its value has the tile's axes behind the lane's, and behind them the components of an element.
    """

    element: Type
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"tile{list(self.shape)}[{self.element}]"


@dataclass(frozen=True, slots=True)
class QueryType:
    """What a search in a structure goes through; its value is a `geometry.searches.Search`."""

    def __str__(self) -> str:
        return "query"


@dataclass(frozen=True, slots=True)
class StackType:
    """A stack of a block; its value is how many items it holds ``(lanes,)`` and its slots ``(lanes, slots, ...)``."""

    element: Type
    capacity: int

    def __str__(self) -> str:
        return f"stack[{self.element}]"


@dataclass(frozen=True, slots=True)
class ListType:
    """What a structure holds in a row; its value has an axis for the places behind the lane's."""

    element: Type

    def __str__(self) -> str:
        return f"list[{self.element}]"


@dataclass(frozen=True, slots=True)
class TupleType:
    """What a function with several results returns."""

    items: tuple[Type, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


Type = ValueType | TileType | QueryType | StackType | ListType | TupleType


class Precision:
    """Which NumPy dtype stands for each scalar: the declared one, or float64 for every float."""

    def __init__(self, name: str) -> None:
        self.exact = name == "float64"

    def dtype(self, scalar: Scalar) -> np.dtype[Any]:
        """The dtype that holds a scalar."""
        if scalar.is_float and self.exact:
            return np.dtype(np.float64)
        return np.dtype(scalar.name)

    def layout(self, type: Type) -> np.dtype[Any]:
        """The dtype of one array element, structs with C alignment."""
        if isinstance(type, Struct):
            fields = [(field.name, self.layout(field.type)) for field in type.fields]
            return np.dtype([(name, part.base, part.shape) for name, part in fields], align=True)
        scalar = scalar_of(type)
        return np.dtype((self.dtype(scalar), components(type)))


def components(type: Type) -> tuple[int, ...]:
    """The shape of one value of a type."""
    match type:
        case Scalar():
            return ()
        case Vector(length):
            return (length,)
        case Matrix(rows, columns):
            return (rows, columns)
        case Quaternion():
            return (4,)
        case Transformation():
            return (7,)
        case TileType(element, shape):
            return (*shape, *components(element))
    raise TypeError(f"{type} has no components")


def scalar_of(type: Type) -> Scalar:
    """The scalar that a value type is made of."""
    if isinstance(type, Scalar):
        return type
    if isinstance(type, Vector | Matrix | Quaternion | Transformation):
        return type.scalar
    if isinstance(type, TileType):
        return scalar_of(type.element)
    raise TypeError(f"{type} is not made of one scalar")


def is_composite(type: Type) -> bool:
    """Whether a type holds several scalars of one kind."""
    return isinstance(type, Vector | Matrix | Quaternion | Transformation)


def select(mask: Array, new: Value, old: Value) -> Value:
    """``new`` in the lanes of the mask and ``old`` in the others."""
    if isinstance(new, tuple):
        return tuple(select(mask, a, b) for a, b in zip(new, old, strict=True))
    return np.where(along(mask, new.ndim), new, old)


def repeated(value: Value, times: int) -> Value:
    """A value with each lane so many times, one after the other."""
    if isinstance(value, tuple):
        return tuple(repeated(part, times) for part in value)
    return value if times == 1 else np.repeat(value, times, axis=0)


def along(lanes: Array, rank: int) -> Array:
    """Scalars reshaped so that they broadcast over the components of a value with ``rank`` axes."""
    if rank == 1:
        return lanes
    return lanes.reshape(lanes.shape + (1,) * (rank - 1))


def zero(type: Type, precision: Precision) -> Value:
    """The value of a type with every bit zero."""
    if isinstance(type, Struct):
        return tuple(zero(field.type, precision) for field in type.fields)
    if isinstance(type, TupleType):
        return tuple(zero(item, precision) for item in type.items)
    if isinstance(type, ArrayType):
        # Which array it is, is known when a function is translated.
        return np.zeros(1, bool)
    return np.zeros((1, *components(type)), precision.dtype(scalar_of(type)))


@dataclass(slots=True)
class Expr:
    """A translated expression.

    Attributes:
        type: Its static type.
        run: Computes its value in the active lanes; in the others the value means nothing.
        const: The number, for a literal or a constant that is written as one.
        guarded: Whether running it in lanes that do not reach it could fault or change memory.
        holder: Of a struct that holds arrays, the path of the argument or field that they are those of.
    """

    type: Type
    run: Callable[[], Value]
    const: bool | int | float | None = None
    guarded: bool = False
    holder: str = ""
