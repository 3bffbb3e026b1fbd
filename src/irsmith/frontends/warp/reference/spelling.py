"""The names that Warp gives to types and numbers."""

from __future__ import annotations

import math

from irsmith.frontends.warp.reference.values import Type
from irsmith.types import (
    BOOL,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT32,
    SCALARS,
    Matrix,
    Quaternion,
    Scalar,
    Transformation,
    Vector,
)

_SUFFIXES: dict[str, Scalar] = {
    "": FLOAT32,
    "h": FLOAT16,
    "f": FLOAT32,
    "d": FLOAT64,
    "b": SCALARS["int8"],
    "ub": SCALARS["uint8"],
    "s": SCALARS["int16"],
    "us": SCALARS["uint16"],
    "i": SCALARS["int32"],
    "ui": SCALARS["uint32"],
    "l": SCALARS["int64"],
    "ul": SCALARS["uint64"],
}


def _types() -> dict[str, Type]:
    # NumPy has no bfloat16 to compute with.
    types: dict[str, Type] = {name: scalar for name, scalar in SCALARS.items() if name != "bfloat16"}
    for suffix, scalar in _SUFFIXES.items():
        for length in (2, 3, 4):
            types[f"vec{length}{suffix}"] = Vector(length, scalar)
        if not scalar.is_float:
            continue
        for size in (2, 3, 4):
            types[f"mat{size}{size}{suffix}"] = Matrix(size, size, scalar)
        types[f"quat{suffix}"] = Quaternion(scalar)
        types[f"transform{suffix}"] = Transformation(scalar)
        types[f"spatial_vector{suffix}"] = Vector(6, scalar)
        types[f"spatial_matrix{suffix}"] = Matrix(6, 6, scalar)
    return types


BUILTIN_TYPES = _types()
"""Types by their name in the ``warp`` module."""

PYTHON_TYPES: dict[str, Type] = {"float": FLOAT32, "int": INT32, "bool": BOOL}
"""What Python's own type names mean inside a kernel."""

NUMBERS: dict[str, float] = {
    name: value
    for lower, value in {
        "pi": math.pi,
        "e": math.e,
        "tau": math.tau,
        "half_pi": math.pi / 2,
        "phi": (1 + math.sqrt(5)) / 2,
        "ln2": math.log(2),
        "ln10": math.log(10),
        "log2e": math.log2(math.e),
        "log10e": math.log10(math.e),
        "inf": math.inf,
        "nan": math.nan,
    }.items()
    for name in (lower, lower.upper())
}
"""Numbers by their name in the ``warp`` module."""

FEM: dict[str, int | float] = {
    "NULL_ELEMENT_INDEX": -1,
    "NULL_QP_INDEX": -1,
    "NULL_NODE_INDEX": (1 << 31) - 1,
    "OUTSIDE": -1.0e8,
}
"""Numbers by their name in the ``warp.fem`` module."""
