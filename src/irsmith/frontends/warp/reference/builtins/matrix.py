"""Builtins on matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irsmith.frontends.warp.reference.builtins.overload import (
    Formula,
    Overload,
    Table,
    alike,
    is_matrix,
    scalar_result,
    square,
)
from irsmith.frontends.warp.reference.builtins.scalar import plain
from irsmith.frontends.warp.reference.builtins.vector import cross, dot
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, Type, along
from irsmith.types import Matrix, Vector


def times_vector(ops: Ops, m: Array, v: Array) -> Array:
    """Each row's dot product with a column vector."""
    return ops.total(ops.mul(m, v[:, None, :]))


def vector_times(ops: Ops, v: Array, m: Array) -> Array:
    """A row vector's dot product with each column."""
    return ops.total(ops.mul(m.swapaxes(1, 2), v[:, None, :]))


def times(ops: Ops, a: Array, b: Array) -> Array:
    """The matrix product."""
    return ops.total(ops.mul(a[:, :, None, :], b.swapaxes(1, 2)[:, None, :, :]))


def double_dot(ops: Ops, a: Array, b: Array) -> Array:
    """The sum of the products of all elements, row by row."""
    return dot(ops, a.reshape(len(a), -1), b.reshape(len(b), -1))


def diagonal(ops: Ops, m: Array) -> Array:
    """The elements on the diagonal."""
    del ops
    return np.diagonal(m, axis1=1, axis2=2).copy()


def trace(ops: Ops, m: Array) -> Array:
    """The sum of the diagonal."""
    return ops.total(diagonal(ops, m))


def from_diagonal(ops: Ops, v: Array) -> Array:
    """A matrix that is zero off its diagonal."""
    del ops
    size = v.shape[1]
    m = np.zeros((*v.shape, size), v.dtype)
    # Not a product with the identity: infinity times zero is not zero.
    m[:, range(size), range(size)] = v
    return m


def _minors(ops: Ops, upper: Array, lower: Array) -> dict[tuple[int, int], Array]:
    """The 2x2 determinants of two rows, by their columns."""
    size = upper.shape[1]
    return {
        (i, j): ops.sub(ops.mul(upper[:, i], lower[:, j]), ops.mul(lower[:, i], upper[:, j]))
        for i in range(size)
        for j in range(i + 1, size)
    }


def determinant(ops: Ops, m: Array) -> Array:
    """The determinant of a 2x2, 3x3 or 4x4 matrix."""
    size = m.shape[1]
    if size == 2:
        return ops.sub(ops.mul(m[:, 0, 0], m[:, 1, 1]), ops.mul(m[:, 1, 0], m[:, 0, 1]))
    if size == 3:
        return dot(ops, m[:, 0], cross(ops, m[:, 1], m[:, 2]))
    # Laplace's expansion by the upper and the lower pair of rows.
    top, bottom = _minors(ops, m[:, 0], m[:, 1]), _minors(ops, m[:, 2], m[:, 3])
    terms = [(0, 1, 2, 3, 1), (0, 2, 1, 3, -1), (0, 3, 1, 2, 1), (1, 2, 0, 3, 1), (1, 3, 0, 2, -1), (2, 3, 0, 1, 1)]
    products = [sign * ops.mul(top[i, j], bottom[k, n]) for i, j, k, n, sign in terms]
    return ops.total(np.stack(products, axis=-1))


def _adjugate(ops: Ops, m: Array) -> Array:
    size = m.shape[1]
    if size == 2:
        parts = [m[:, 1, 1], -m[:, 0, 1], -m[:, 1, 0], m[:, 0, 0]]
        return np.stack(parts, axis=1).reshape(-1, 2, 2)
    if size == 3:
        rows = m[:, 0], m[:, 1], m[:, 2]
        columns = [cross(ops, rows[1], rows[2]), cross(ops, rows[2], rows[0]), cross(ops, rows[0], rows[1])]
        return np.stack(columns, axis=2)
    result = np.empty(m.shape, m.dtype)
    for i in range(4):
        for j in range(4):
            rest = np.delete(np.delete(m, i, axis=1), j, axis=2)
            result[:, j, i] = (-1) ** (i + j) * determinant(ops, rest)
    return result


def inverse(ops: Ops, m: Array) -> Array:
    """The adjugate divided by the determinant; zero for a singular matrix (as documented)."""
    size = determinant(ops, m)
    regular = np.not_equal(size, 0)
    ops.decide(regular, size, -size)
    scaled = ops.mul(_adjugate(ops, m), along(ops.div(np.ones(1, m.dtype), size), 3))
    return np.where(along(regular, 3), scaled, np.zeros(1, m.dtype))


def product_type(types: Sequence[Type]) -> Type | None:
    """Matrix times matrix."""
    match list(types):
        case [Matrix(rows, inner, a), Matrix(other, columns, b)] if a == b and inner == other:
            return Matrix(rows, columns, a)
    return None


def image_type(types: Sequence[Type]) -> Type | None:
    """Matrix times column vector."""
    match list(types):
        case [Matrix(rows, columns, a), Vector(length, b)] if a == b and columns == length:
            return Vector(rows, a)
    return None


def row_image_type(types: Sequence[Type]) -> Type | None:
    """Row vector times matrix."""
    match list(types):
        case [Vector(length, a), Matrix(rows, columns, b)] if a == b and rows == length:
            return Vector(columns, a)
    return None


def _transposed(type: Type) -> Type:
    assert isinstance(type, Matrix)
    return Matrix(type.columns, type.rows, type.scalar)


def _diagonal_type(type: Type) -> Type:
    assert isinstance(type, Matrix)
    return Vector(type.rows, type.scalar)


def _from_diagonal_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [Vector(length, scalar)]:
            return Matrix(length, length, scalar)
    return None


def _from_rows_type(types: Sequence[Type]) -> Type | None:
    first = types[0] if types else None
    if isinstance(first, Vector) and all(type == first for type in types):
        return Matrix(len(types), first.length, first.scalar)
    return None


def _from_columns_type(types: Sequence[Type]) -> Type | None:
    rows = _from_rows_type(types)
    return None if rows is None else _transposed(rows)


def _from_rows(ops: Ops, *rows: Array) -> Array:
    del ops
    return np.stack(np.broadcast_arrays(*rows), axis=1)


def _from_columns(ops: Ops, *columns: Array) -> Array:
    del ops
    return np.stack(np.broadcast_arrays(*columns), axis=2)


def _moved_type(types: Sequence[Type]) -> Type | None:
    """A 4x4 matrix and a three-vector of the same scalar."""
    match list(types):
        case [Matrix(4, 4, a), Vector(3, b)] if a == b:
            return Vector(3, a)
    return None


def _moved(last: float) -> Formula:
    """The product with a vector in homogeneous coordinates, whose fourth component is given."""

    def formula(ops: Ops, m: Array, v: Array) -> Array:
        fourth = np.full((len(v), 1), last, v.dtype)
        return times_vector(ops, m, np.concatenate([v, fourth], axis=1))[:, :3]

    return formula


_SMALL = square(2, 3, 4)
_PAIR = alike(2, is_matrix)

TABLE: Table = {
    "mul": (
        Overload(product_type, times),
        Overload(image_type, times_vector),
        Overload(row_image_type, vector_times),
    ),
    "transpose": (Overload(alike(1, is_matrix, _transposed), plain(lambda m: m.swapaxes(1, 2))),),
    "determinant": (Overload(alike(1, _SMALL, scalar_result), determinant),),
    "inverse": (Overload(alike(1, _SMALL), inverse),),
    "inverse_approx": (Overload(alike(1, _SMALL), inverse),),
    "trace": (Overload(alike(1, square(), scalar_result), trace),),
    "get_diag": (Overload(alike(1, square(), _diagonal_type), diagonal),),
    "diag": (Overload(_from_diagonal_type, from_diagonal),),
    "ddot": (Overload(alike(2, is_matrix, scalar_result), double_dot),),
    "cw_mul": (Overload(_PAIR, lambda ops, a, b: ops.mul(a, b)),),
    "cw_div": (Overload(_PAIR, lambda ops, a, b: ops.div(a, b)),),
    "matrix_from_rows": (Overload(_from_rows_type, _from_rows),),
    "matrix_from_cols": (Overload(_from_columns_type, _from_columns),),
    "transform_point": (Overload(_moved_type, _moved(1.0)),),
    "transform_vector": (Overload(_moved_type, _moved(0.0)),),
}
"""Builtins on matrices."""
