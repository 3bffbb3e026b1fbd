"""The value types that kernels compute with, named independently of any frontend.

``str(type)`` is the spelling that rows use: ``float32``, ``vec3[float32]``, ``mat3x3[float32]``,
``quat[float32]``, ``transform[float32]``, or a struct's name; ``array2d[float32]`` for an array that a struct holds.
`parse_type` reads the built-in spellings back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Domain:
    """The closed interval from which inputs are drawn, component by component.

    Integer inputs take whole numbers from ``low`` to ``high``, both included; a Boolean takes both values.

    Attributes:
        low: The lower end.
        high: The upper end.
        rising: Whether the elements of an array rise along its last axis, as a search in it needs.
    """

    low: float
    high: float
    rising: bool = False


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar dtype: ``bool``, ``int8`` … ``uint64``, ``float16``, ``bfloat16``, ``float32`` or ``float64``."""

    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def is_float(self) -> bool:
        """Whether this is a floating-point dtype, the only kind with gradients."""
        return self.name.startswith(("float", "bfloat"))

    @property
    def is_integer(self) -> bool:
        """Whether this is a signed or unsigned integer dtype."""
        return self.name.startswith(("int", "uint"))


@dataclass(frozen=True, slots=True)
class Vector:
    """A fixed-length vector of scalars."""

    length: int
    scalar: Scalar

    def __str__(self) -> str:
        return f"vec{self.length}[{self.scalar}]"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A fixed-size matrix of scalars, row-major."""

    rows: int
    columns: int
    scalar: Scalar

    def __str__(self) -> str:
        return f"mat{self.rows}x{self.columns}[{self.scalar}]"


@dataclass(frozen=True, slots=True)
class Quaternion:
    """A quaternion stored ``(x, y, z, w)``."""

    scalar: Scalar

    def __str__(self) -> str:
        return f"quat[{self.scalar}]"


@dataclass(frozen=True, slots=True)
class Transformation:
    """A rigid transform: seven scalars, the translation and then the rotation as ``(x, y, z, w)``."""

    scalar: Scalar

    def __str__(self) -> str:
        return f"transform[{self.scalar}]"


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a struct, with the domain that its inputs are drawn from."""

    name: str
    type: ValueType
    domain: Domain | None = None


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array, as a field of a struct.

    Of an argument, the contents and the extents stand apart, as those of an argument of its own: `kernel.Argument`.
    """

    element: ValueType
    rank: int

    def __str__(self) -> str:
        return f"array{self.rank}d[{self.element}]"


@dataclass(frozen=True)
class Struct:
    """A named record of values and arrays."""

    name: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def arrays(self) -> tuple[tuple[str, ArrayType], ...]:
        """The arrays that it holds, those of structs within it too, by their path, such as ``mesh.points``."""
        found: list[tuple[str, ArrayType]] = []
        for field in self.fields:
            if isinstance(field.type, ArrayType):
                found.append((field.name, field.type))
            elif isinstance(field.type, Struct):
                found += [(f"{field.name}.{path}", type) for path, type in field.type.arrays]
        return tuple(found)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields keyed by name."""
        return {field.name: field for field in self.fields}


@dataclass(frozen=True)
class IndexedArray(Struct):
    """An array of which only some places are seen along each axis, in an order of their own.

    It is a record of what it shows: the array, and along each axis the places that an index stands for.
    """

    element: ValueType
    rank: int

    @classmethod
    def of(cls, element: ValueType, rank: int) -> IndexedArray:
        """The type for elements of a type along so many axes."""
        places = (Field(f"{PLACES}{axis}", ArrayType(INT32, 1)) for axis in range(rank))
        fields = (Field(SHOWN, ArrayType(element, rank)), *places)
        return cls(f"indexedarray{rank}d[{element}]", fields, element, rank)


SHOWN = "data"
"""The array that an indexed array shows."""
PLACES = "indices"
"""Before an axis, the places that an indexed array shows along it."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A type that a user's kernel names and that irsmith cannot make values of, by its frontend's spelling."""

    name: str

    def __str__(self) -> str:
        return f"opaque[{self.name}]"


@dataclass(frozen=True, slots=True)
class HashGrid:
    """The id of a hash grid, with cells as wide as the upper end of the argument's domain.

    Attributes:
        of: The argument whose elements are the points, in three dimensions.
        count: How many points there are.
    """

    of: str
    count: int

    def __str__(self) -> str:
        return f"hash_grid[{self.of},{self.count}]"


@dataclass(frozen=True, slots=True)
class Mesh:
    """The id of a closed triangle mesh around the origin, as far from it as the argument's domain says.

    Its vertices are two poles and rings of as many vertices each between them.

    Attributes:
        rings: How many rings.
        segments: How many vertices a ring has.
    """

    rings: int
    segments: int

    @property
    def vertices(self) -> int:
        """How many vertices there are."""
        return 2 + self.rings * self.segments

    @property
    def faces(self) -> int:
        """How many triangles there are."""
        return 2 * self.rings * self.segments

    def __str__(self) -> str:
        return f"mesh[{self.rings},{self.segments}]"


@dataclass(frozen=True, slots=True)
class Bvh:
    """The id of a bounding volume hierarchy of boxes, whose centres lie in the argument's domain.

    Attributes:
        count: How many boxes.
        groups: How many groups they belong to in turn; 1 where they are not grouped.
    """

    count: int
    groups: int = 1

    def __str__(self) -> str:
        return f"bvh[{self.count},{self.groups}]"


Handle = HashGrid | Mesh | Bvh
"""A structure of points, triangles or boxes that is built before the launch, and passed by its id."""

ValueType = Scalar | Vector | Matrix | Quaternion | Transformation | Struct | ArrayType | HashGrid | Mesh | Bvh | Opaque
"""A type that one array element, argument, field or variable can have."""

BOOL = Scalar("bool")
INT8, INT16, INT32, INT64 = (Scalar(f"int{bits}") for bits in (8, 16, 32, 64))
UINT8, UINT16, UINT32, UINT64 = (Scalar(f"uint{bits}") for bits in (8, 16, 32, 64))
FLOAT16, FLOAT32, FLOAT64 = (Scalar(f"float{bits}") for bits in (16, 32, 64))
BFLOAT16 = Scalar("bfloat16")

SCALARS: dict[str, Scalar] = {
    scalar.name: scalar
    for scalar in (BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT16, BFLOAT16, FLOAT32, FLOAT64)
}

_SPELLING = re.compile(
    r"(?:vec(?P<length>\d+)|mat(?P<rows>\d+)x(?P<columns>\d+)|(?P<quat>quat)|transform)\[(?P<scalar>\w+)\]"
)
_HANDLE = re.compile(r"(?P<kind>hash_grid|mesh|bvh)\[(?P<first>\w+),(?P<second>\d+)\]")
_ARRAY = re.compile(r"(?P<indexed>indexed)?array(?P<rank>[1-4])d\[(?P<element>.*)\]")
_OPAQUE = re.compile(r"opaque\[(.*)\]")


def parse_type(text: str, structs: dict[str, Struct] | None = None) -> ValueType:
    """Read a type from the spelling that ``str`` gives it.

    Args:
        text: The spelling, such as ``"vec3[float32]"``.
        structs: Structs by name, for spellings that name one.

    Raises:
        ValueError: The text names no type.
    """
    if text in SCALARS:
        return SCALARS[text]
    if structs and text in structs:
        return structs[text]
    if opaque := _OPAQUE.fullmatch(text):
        return Opaque(opaque[1])
    if handle := _HANDLE.fullmatch(text):
        return _handle(handle["kind"], handle["first"], int(handle["second"]))
    if array := _ARRAY.fullmatch(text):
        element, rank = parse_type(array["element"], structs), int(array["rank"])
        return IndexedArray.of(element, rank) if array["indexed"] else ArrayType(element, rank)
    match = _SPELLING.fullmatch(text)
    if match is None or match["scalar"] not in SCALARS:
        raise ValueError(f"no such type: {text!r}")
    scalar = SCALARS[match["scalar"]]
    if match["length"]:
        return Vector(int(match["length"]), scalar)
    if match["rows"]:
        return Matrix(int(match["rows"]), int(match["columns"]), scalar)
    return Quaternion(scalar) if match["quat"] else Transformation(scalar)


def _handle(kind: str, first: str, second: int) -> Handle:
    if kind == "hash_grid":
        return HashGrid(first, second)
    return Mesh(int(first), second) if kind == "mesh" else Bvh(int(first), second)


def scalar_of(type: ValueType) -> Scalar | None:
    """The scalar that a type is made of, or None for a struct, an array, a handle and what is opaque."""
    if isinstance(type, Scalar):
        return type
    return None if isinstance(type, Struct | ArrayType | Handle | Opaque) else type.scalar


def is_differentiable(type: ValueType) -> bool:
    """Whether values of the type carry a gradient: some component of it is a float."""
    if isinstance(type, Struct):
        return any(is_differentiable(field.type) for field in type.fields)
    scalar = scalar_of(type)
    return scalar is not None and scalar.is_float
