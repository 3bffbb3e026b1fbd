"""Matrices taken apart: singular values, eigenvalues, and an orthogonal times a triangular factor.

The 3x3 ones follow McAdams, Selle, Tamstorf, Teran and Sifakis, "Computing the Singular Value Decomposition of 3x3
matrices with minimal branching and elementary floating point operations" (2011): sweeps of approximate Jacobi
rotations, kept as a quaternion, and Givens rotations. So the signs and the order of the factors, which Warp's
documentation leaves open, are those of the compiled text too, and so is how close a fixed number of sweeps comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from irsmith.frontends.warp.reference.builtins import matrix
from irsmith.frontends.warp.reference.builtins.overload import Overload, Rule, Table
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, TupleType, Type, along
from irsmith.types import Matrix, Vector

_SWEEPS = {4: 4, 8: 8}
"""Jacobi sweeps by the bytes of a float; as many for a half as for a single."""

_LEAST = {4: 1e-6, 8: 1e-12}
"""Columns shorter than this are not turned."""

_PAIRS = ((0, 1), (1, 2), (2, 0))
"""The planes of a sweep's rotations, in its order."""


_ULPS = 2.0
"""How far off an entry of a factor may be, in units of the last place of the largest."""


def _like(number: float, value: Array) -> Array:
    return np.array([number], value.dtype)


def _width(value: Array) -> int:
    return max(4, value.dtype.itemsize)


def _rotation(ops: Ops, pp: Array, pq: Array, qq: Array) -> tuple[Array, Array]:
    """The cosine and sine of half the angle of a Givens rotation that nearly removes ``pq``, or of an eighth of pi."""
    cosine, sine = ops.mul(_like(2.0, pp), ops.sub(pp, qq)), pq
    size = ops.mul(cosine, cosine), ops.mul(sine, sine)
    near = ops.mul(_like(3.0 + math.sqrt(8.0), pp), size[1]) < size[0]
    # What is gone but for rounding may be turned either way.
    ops.decide(near | (np.abs(sine) <= 8.0 * np.finfo(pp.dtype).eps * (np.abs(pp) + np.abs(qq))))
    scale = ops.div(_like(1.0, pp), ops.sqrt(ops.add(*size)))
    cosine = np.where(near, ops.mul(scale, cosine), _like(math.cos(math.pi / 8), pp))
    return cosine, np.where(near, ops.mul(scale, sine), _like(math.sin(math.pi / 8), pp))


def diagonalised(ops: Ops, symmetric: Array) -> Array:
    """The rotation matrix whose columns are a symmetric 3x3 matrix's eigenvectors, nearly.

    Only the lower triangle is read.
    """
    s = {(i, j): symmetric[:, max(i, j), min(i, j)] for i in range(3) for j in range(3)}
    zero, one = np.zeros_like(s[0, 0]), np.ones_like(s[0, 0])
    v, w = [zero, zero, zero], one
    for _ in range(_SWEEPS[_width(symmetric)]):
        for p, q in _PAIRS:
            r = 3 - p - q
            half_cosine, half_sine = _rotation(ops, s[p, p], s[q, p], s[q, q])
            squares = ops.mul(half_cosine, half_cosine), ops.mul(half_sine, half_sine)
            scale = ops.add(*squares)
            c = ops.div(ops.sub(*squares), scale)
            t = ops.div(ops.mul(ops.mul(_like(2.0, scale), half_sine), half_cosine), scale)
            # Both sides of the matrix are turned, the columns of the plane first.
            pp, qp, qq, rp, rq = s[p, p], s[q, p], s[q, q], s[r, p], s[r, q]
            left = _mixed(ops, c, pp, t, qp), _mixed(ops, c, qp, t, qq)
            right = _mixed(ops, c, qp, -t, pp), _mixed(ops, c, qq, -t, qp)
            s[p, p], s[q, q] = _mixed(ops, c, left[0], t, left[1]), _mixed(ops, c, right[1], -t, right[0])
            s[q, p] = s[p, q] = _mixed(ops, c, right[0], t, right[1])
            s[r, p] = s[p, r] = _mixed(ops, c, rp, t, rq)
            s[r, q] = s[q, r] = _mixed(ops, c, rq, -t, rp)
            turned = [ops.mul(part, half_sine) for part in (*v, w)]
            v = [ops.mul(part, half_cosine) for part in v]
            w = ops.sub(ops.mul(w, half_cosine), turned[r])
            v[r] = ops.add(v[r], turned[3])
            v[p], v[q] = ops.add(v[p], turned[q]), ops.sub(v[q], turned[p])
    return _turn(ops, np.stack([*v, w], axis=1))


def _mixed(ops: Ops, a: Array, x: Array, b: Array, y: Array) -> Array:
    return ops.add(ops.mul(a, x), ops.mul(b, y))


def _turn(ops: Ops, q: Array) -> Array:
    """A quaternion's matrix, by products of pairs of its components: its length is one but for rounding."""
    pairs = {(i, j): ops.mul(q[:, i], q[:, j]) for i in range(4) for j in range(i, 4)}
    one, two = _like(1.0, q), _like(2.0, q)
    result = np.empty((len(q), 3, 3), q.dtype)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        result[:, i, i] = ops.sub(one, ops.mul(two, ops.add(pairs[j, j], pairs[k, k])))
        both, turn = pairs[min(i, j), max(i, j)], pairs[k, 3]
        result[:, i, j], result[:, j, i] = ops.mul(two, ops.sub(both, turn)), ops.mul(two, ops.add(both, turn))
    return result


def _givens(ops: Ops, m: Array, p: int, q: int, total: Array | None) -> tuple[Array, Array]:
    """A matrix of which the entry of row ``q`` in column ``p`` is turned away, and all turns so far."""
    pivot, below = m[:, p, p], m[:, q, p]
    least = _like(_LEAST[_width(m)], m)
    size = ops.sqrt(_mixed(ops, pivot, pivot, below, below))
    some = size > least
    ops.decide(some)
    sine = np.where(some, below, np.zeros_like(below))
    cosine = ops.add(np.abs(pivot), np.maximum(size, least))
    behind = pivot < 0
    sine, cosine = np.where(behind, cosine, sine), np.where(behind, sine, cosine)
    scale = ops.div(_like(1.0, m), ops.sqrt(_mixed(ops, cosine, cosine, sine, sine)))
    cosine, sine = ops.mul(cosine, scale), ops.mul(sine, scale)
    c = ops.sub(_like(1.0, m), ops.mul(ops.mul(_like(2.0, m), sine), sine))
    s = ops.mul(ops.mul(_like(2.0, m), cosine), sine)
    turned = m.copy()
    c_row, s_row = c[:, None], s[:, None]
    turned[:, p] = _mixed(ops, c_row, m[:, p], s_row, m[:, q])
    turned[:, q] = _mixed(ops, c_row, m[:, q], -s_row, m[:, p])
    rotation = np.broadcast_to(np.eye(3, dtype=m.dtype), m.shape).copy()
    rotation[:, p, p] = rotation[:, q, q] = c
    rotation[:, p, q], rotation[:, q, p] = -s, s
    return turned, rotation if total is None else matrix.times(ops, total, rotation)


def orthogonal_triangular(ops: Ops, m: Array) -> tuple[Array, Array]:
    """A rotation and an upper triangular matrix, whose first two diagonal entries are not negative."""
    rest, total = _givens(ops, m, 0, 1, None)
    rest, total = _givens(ops, rest, 0, 2, total)
    upper, total = _givens(ops, rest, 1, 2, total)
    return total, upper


def singular_3(ops: Ops, m: Array) -> tuple[Array, Array, Array]:
    """``U``, the singular values and ``V`` of a 3x3 matrix.

    Both factors are rotations; the values fall by magnitude, and the last has the sign of the determinant.
    """
    v = diagonalised(ops, matrix.times(ops, m.swapaxes(1, 2), m))
    b = matrix.times(ops, m, v)
    lengths = [ops.total(ops.mul(b[:, :, k], b[:, :, k])) for k in range(3)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        swap = ops.compare(np.less, lengths[i], lengths[j])
        lengths[i], lengths[j] = np.where(swap, lengths[j], lengths[i]), np.where(swap, lengths[i], lengths[j])
        b, v = (_swapped(whole, i, j, swap) for whole in (b, v))
    u, upper = orthogonal_triangular(ops, b)
    values = np.diagonal(upper, axis1=1, axis2=2)
    return ops.blur(u, 2, _ULPS), ops.blur(values, 1, _ULPS), ops.blur(v, 2, _ULPS)


def _swapped(m: Array, i: int, j: int, swap: Array) -> Array:
    """Two columns exchanged, of which one is negated: a rotation stays one."""
    result = m.copy()
    result[:, :, i] = np.where(swap[:, None], m[:, :, j], m[:, :, i])
    result[:, :, j] = np.where(swap[:, None], -m[:, :, i], m[:, :, j])
    return result


def singular_2(ops: Ops, m: Array) -> tuple[Array, Array, Array]:
    """``U``, the singular values and ``V`` of a 2x2 matrix, where ``V`` is a rotation.

    Of a matrix that stretches all directions alike, ``V`` is the identity. Warp 1.19.0 says so of ``U`` too, which then
    are not its factors.
    """
    gram = matrix.times(ops, m.swapaxes(1, 2), m)
    first, both, last = gram[:, 0, 0], gram[:, 0, 1], gram[:, 1, 1]
    trace, gap = ops.add(first, last), ops.sub(first, last)
    two = _like(2.0, m)
    square = ops.add(ops.mul(gap, gap), ops.mul(ops.mul(_like(4.0, m), both), both))
    alike = ops.compare(np.equal, square, _like(0.0, m))
    root = ops.sqrt(square)
    half = _like(0.5, m)
    larger = ops.sqrt(ops.mul(ops.add(trace, root), half))
    smaller = ops.sqrt(ops.mul(ops.sub(trace, root), half))
    x = ops.sub(ops.add(gap, root), ops.mul(two, both))
    y = ops.add(ops.sub(gap, root), ops.mul(two, both))
    size = ops.sqrt(_mixed(ops, x, x, y, y))
    even = size == 0
    ops.decide(even)
    diagonal = _like(math.sqrt(0.5), m)
    c, s = np.where(even, diagonal, ops.div(x, size)), np.where(even, diagonal, ops.div(y, size))
    v = np.stack([np.stack([c, -s], axis=1), np.stack([s, c], axis=1)], axis=1)
    column = ops.div(matrix.times_vector(ops, m, v[:, :, 0]), along(larger, 2))
    side = np.where(ops.compare(np.less, matrix.determinant(ops, m), _like(0.0, m)), _like(-1.0, m), _like(1.0, m))
    other = np.stack([-column[:, 1] * side, column[:, 0] * side], axis=1)
    u = np.stack([column, other], axis=2)
    unit = np.eye(2, dtype=m.dtype)[None]
    middle = ops.sqrt(ops.mul(half, trace))
    some = along(middle > 0, 3)
    turn = np.where(some, ops.div(m, along(np.where(middle > 0, middle, _like(1.0, m)), 3)), unit)
    values = np.stack([np.where(alike, middle, larger), np.where(alike, middle, smaller)], axis=1)
    return np.where(along(alike, 3), turn, u), values, np.where(along(alike, 3), unit, v)


def eigen_3(ops: Ops, m: Array) -> tuple[Array, Array]:
    """The eigenvectors of a symmetric 3x3 matrix, as a rotation's columns, and its eigenvalues."""
    q = diagonalised(ops, m)
    turned = matrix.times(ops, matrix.times(ops, q.swapaxes(1, 2), m), q)
    return ops.blur(q, 2, _ULPS), ops.blur(np.diagonal(turned, axis1=1, axis2=2), 1, _ULPS)


def _parts(size: int, made: Callable[[Matrix, Vector], tuple[Type, ...]]) -> Rule:
    """A square matrix of floats; the result is made of its type and of the vector's of its length."""

    def rule(types: Sequence[Type]) -> Type | None:
        match list(types):
            case [Matrix(rows, columns, scalar) as whole] if rows == columns == size and scalar.is_float:
                return TupleType(made(whole, Vector(size, scalar)))
        return None

    return rule


TABLE: Table = {
    "svd3": (Overload(_parts(3, lambda m, v: (m, v, m)), singular_3),),
    "svd2": (Overload(_parts(2, lambda m, v: (m, v, m)), singular_2),),
    "qr3": (Overload(_parts(3, lambda m, _: (m, m)), orthogonal_triangular),),
    "eig3": (Overload(_parts(3, lambda m, v: (m, v)), eigen_3),),
}
"""Builtins that take a matrix apart."""
