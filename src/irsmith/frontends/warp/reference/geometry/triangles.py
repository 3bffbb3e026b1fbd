"""Points and rays against the triangles of meshes.

Which triangle is meant is found in float64, for a point or a ray that is moved by what rounding does to coordinates of
the mesh's size: so a run with randomly rounded intermediates shows where that is undecided. What is then said of the
triangle is computed from it in the precision of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from irsmith.frontends.warp.reference.builtins import vector
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array
from irsmith.types import FLOAT32

_ULPS = 4.0
"""How far rounding moves a coordinate, in units in the last place of the largest there is."""


@dataclass(frozen=True, slots=True)
class Triangles:
    """The triangles of each lane's mesh.

    Attributes:
        corners: Their corners ``(lanes, faces, 3, 3)``.
        indices: The vertices that those are ``(lanes, faces, 3)``, or the same for all ``(1, faces, 3)``.
        reach: The largest coordinate ``(lanes,)``.
    """

    corners: Array
    indices: Array
    reach: Array

    @staticmethod
    def of(points: Array, indices: Array) -> Triangles:
        """The triangles of points ``(lanes, vertices, 3)`` whose corners are listed ``(lanes, 3 * faces)``."""
        indices = indices.reshape(len(indices), -1, 3)
        if (indices == indices[:1]).all():
            indices = indices[:1]
            corners = points[:, indices[0]]
        else:
            corners = points[np.arange(len(points))[:, None, None], indices]
        return Triangles(corners, indices, np.abs(points).reshape(len(points), -1).max(axis=1))

    def face(self, numbers: Array) -> tuple[Array, Array, Array]:
        """The corners of one triangle in each lane."""
        chosen = self.corners[np.arange(len(self.corners)), numbers]
        return chosen[:, 0], chosen[:, 1], chosen[:, 2]

    def normals(self, ops: Ops, numbers: Array) -> Array:
        """The cross product of two edges of one triangle in each lane: twice its area long."""
        a, b, c = self.face(numbers)
        return vector.cross(ops, ops.sub(b, a), ops.sub(c, a))


@dataclass(frozen=True, slots=True)
class Closest:
    """The point of a mesh that is closest to another one, or furthest from it.

    Attributes:
        face: The triangle that it is on, one of those that share it.
        u: The weight of that triangle's first corner.
        v: The weight of its second.
        distance: How far away it is.
        feature: The corner, edge or inside that it is on, told alike whichever triangle was chosen.
        inside: Whether the other point is inside.
    """

    face: Array
    u: Array
    v: Array
    distance: Array
    feature: Array
    inside: Array


def _dot(a: Array, b: Array) -> Array:
    """The dot product of vectors whose components stand along the first axis, where they are quick to reach."""
    total: Array = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return total


def _cross(a: Array, b: Array) -> Array:
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def _apart(triangles: Triangles, point: Array) -> tuple[Array, Array, Array]:
    """From a point in each lane to the corners of all triangles, in float64, each ``(3, lanes, faces)``."""
    a, b, c = np.ascontiguousarray(triangles.corners.transpose(2, 3, 0, 1), np.float64) - point.T[:, :, None]
    return a, b, c


def noise(ops: Ops, shape: tuple[int, ...]) -> Array:
    """Numbers of the size of a few units in the last place of 1, in the lanes that are shaken; else nothing."""
    ones = np.ones(shape, ops.dtype(FLOAT32))
    moved: Array = ops.shake(ones, _ULPS) - ones
    return moved.astype(np.float64)


def moved(ops: Ops, value: Array, reach: Array) -> Array:
    """A point or a direction ``(lanes, 3)`` in float64, moved by what rounding does to numbers of some size."""
    size = np.maximum(reach, np.abs(value).max(axis=-1))
    result: Array = value + noise(ops, value.shape) * size[:, None]
    return result


def closest(ops: Ops, triangles: Triangles, point: Array, *, furthest: bool = False) -> Closest:
    """The closest point of each lane's mesh, or the furthest corner.

    Args:
        ops: The arithmetic of the run.
        triangles: The meshes.
        point: A point in each lane ``(lanes, 3)``.
        furthest: Whether the furthest is meant.
    """
    reach = np.maximum(triangles.reach, np.abs(point).max(axis=-1)).astype(np.float64)
    gaps = _apart(triangles, moved(ops, point, reach))
    away, part = _furthest(*gaps) if furthest else _nearest(*gaps)
    if ops.machine.tracing:
        _leave_open(ops, triangles, away, part, reach, furthest=furthest)
    # Of triangles that share the point, it is open which one is named.
    away = away + noise(ops, away.shape) * reach[:, None]
    face = (away.argmax(axis=1) if furthest else away.argmin(axis=1)).astype(np.int32)
    lanes = np.arange(len(face))
    a, b, c = triangles.face(face)
    one = np.ones(1, a.dtype)
    if furthest:
        part = part[lanes, face]
        u, v = ((part == corner).astype(a.dtype) for corner in (_A, _B))
    else:
        u, v, part = _weights(ops, a, b, c, point)
    w = ops.sub(ops.sub(one, u), v)
    there = ops.add(ops.add(ops.mul(a, u[:, None]), ops.mul(b, v[:, None])), ops.mul(c, w[:, None]))
    distance = vector.length(ops, ops.sub(there, point))
    corners = triangles.indices[lanes if len(triangles.indices) > 1 else 0 * lanes, face]
    return Closest(face, u, v, distance, _feature(corners, face, part), _winding(*gaps) > 0.5)


def _leave_open(ops: Ops, triangles: Triangles, away: Array, part: Array, reach: Array, *, furthest: bool) -> None:
    """See that no shaken lane takes the path of another one where rounding decides between two places on a mesh.

    Next to an edge, the edge is hardly further away than the closest point, which a few such lanes may not show.
    """
    best = away.max(axis=1) if furthest else away.min(axis=1)
    near = np.abs(away - best[:, None]) <= 2 * _ULPS * np.finfo(np.float32).eps * reach[:, None]
    corners = np.broadcast_to(triangles.indices, (*away.shape, 3))
    places = _feature(corners, np.arange(away.shape[1]), part)
    first = np.take_along_axis(places, near.argmax(axis=1)[:, None], axis=1)
    several = (near & (places != first)).any(axis=1)
    ops.decide(np.where(several, noise(ops, several.shape) * 2.0**32, 0.0).astype(np.int64))


def distances(ops: Ops, triangles: Triangles, point: Array) -> Array:
    """How far each triangle is from a point ``(lanes, faces)``."""
    return _nearest(*_apart(triangles, moved(ops, point, triangles.reach)))[0]


_A, _B, _AB, _C, _AC, _BC, _INNER = range(7)
"""The parts of a triangle."""


def _part(ways: tuple[Array, ...], va: Array, vb: Array, vc: Array) -> Array:
    """The part of a triangle that is closest to a point.

    Args:
        ways: How far the point is along the two edges from the first corner, from each of the corners.
        va: The weights of the three corners where it is the inside, all times the same number.
        vb: That of the second.
        vc: That of the third.
    """
    d1, d2, d3, d4, d5, d6 = ways
    return np.select(
        [
            (d1 <= 0) & (d2 <= 0),
            (d3 >= 0) & (d4 <= d3),
            (vc <= 0) & (d1 >= 0) & (d3 <= 0),
            (d6 >= 0) & (d5 <= d6),
            (vb <= 0) & (d2 >= 0) & (d6 <= 0),
            (va <= 0) & (d4 >= d3) & (d5 >= d6),
        ],
        [_A, _B, _AB, _C, _AC, _BC],
        _INNER,
    )


def _nearest(a: Array, b: Array, c: Array) -> tuple[Array, Array]:
    """How far each triangle is from a point, by the way from it to the corners, and the part that is closest to it."""
    ab, ac, bc = b - a, c - a, c - b
    d1, d2 = -_dot(ab, a), -_dot(ac, a)
    aa, cc, between = _dot(ab, ab), _dot(ac, ac), _dot(ab, ac)
    d3, d4, d5, d6 = d1 - aa, d2 - between, d1 - between, d2 - cc
    part = _part((d1, d2, d3, d4, d5, d6), d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2)
    with np.errstate(all="ignore"):
        v = np.select([part == place for place in (_B, _AB, _BC)], [1.0, d1 / aa, 1.0 - (d4 - d3) / _dot(bc, bc)])
        w = np.select([part == place for place in (_C, _AC, _BC)], [1.0, d2 / cc, 1.0 - v])
        gap = a + ab * v + ac * w
        normal = _cross(ab, ac)
        height = _dot(normal, a) ** 2 / _dot(normal, normal)
    return np.sqrt(np.where(part == _INNER, height, _dot(gap, gap))), part


def _furthest(*corners: Array) -> tuple[Array, Array]:
    """How far the furthest corner of each triangle is from a point, and which it is."""
    away = np.sqrt(np.stack([_dot(gap, gap) for gap in corners]))
    return away.max(axis=0), np.array([_A, _B, _C])[away.argmax(axis=0)]


def _weights(ops: Ops, a: Array, b: Array, c: Array, p: Array) -> tuple[Array, Array, Array]:
    """The weights of the first and the second corner at a triangle's closest point, and the part that this is on.

    Which part that is hangs on small differences of large products, as much as rounding does to them.
    """
    ab, ac = ops.sub(b, a), ops.sub(c, a)
    gaps = [ops.sub(p, corner) for corner in (a, b, c)]
    ways = d1, d2, d3, d4, d5, d6 = tuple(vector.dot(ops, edge, gap) for gap in gaps for edge in (ab, ac))

    def crossed(x: Array, y: Array, z: Array, w: Array) -> Array:
        return ops.sub(ops.mul(x, y), ops.mul(z, w))

    va, vb, vc = crossed(d3, d6, d5, d4), crossed(d5, d2, d1, d6), crossed(d1, d4, d3, d2)
    part = _part(ways, va, vb, vc)
    zero, one = np.zeros(1, a.dtype), np.ones(1, a.dtype)
    whole = ops.add(ops.add(va, vb), vc)
    beyond, before = ops.sub(d4, d3), ops.sub(d5, d6)
    # Of the second corner, and of the third.
    on_bc = ops.div(beyond, ops.add(beyond, before))
    v = np.select(
        [part == place for place in (_B, _AB, _BC, _INNER)],
        [
            np.broadcast_to(one, part.shape),
            ops.div(d1, ops.sub(d1, d3)),
            ops.sub(one, on_bc),
            ops.div(vb, whole),
        ],
        zero,
    )
    w = np.select(
        [part == place for place in (_C, _AC, _BC, _INNER)],
        [np.broadcast_to(one, part.shape), ops.div(d2, ops.sub(d2, d6)), on_bc, ops.div(vc, whole)],
        zero,
    )
    return ops.sub(ops.sub(one, v), w), v, part


def _feature(corners: Array, face: Array, part: Array) -> Array:
    """One number for each corner, edge and inside of a mesh.

    Args:
        corners: The vertices of triangles ``(…, 3)``.
        face: The numbers of the triangles.
        part: The parts of them.
    """
    ends = np.array([(0, 0), (1, 1), (0, 1), (2, 2), (0, 2), (1, 2), (0, 0)])[part]
    one, other = (np.take_along_axis(corners, ends[..., end, None], axis=-1)[..., 0] for end in range(2))
    low, high = np.minimum(one, other).astype(np.int64), np.maximum(one, other).astype(np.int64)
    return np.where(part == _INNER, -1 - face.astype(np.int64), low << 20 | high)


def _winding(a: Array, b: Array, c: Array) -> Array:
    """How often each mesh goes around a point, by the solid angles of its triangles."""
    la, lb, lc = (np.sqrt(_dot(gap, gap)) for gap in (a, b, c))
    volume = _dot(a, _cross(b, c))
    angles = np.arctan2(volume, la * lb * lc + _dot(a, b) * lc + _dot(b, c) * la + _dot(c, a) * lb)
    around: Array = angles.sum(axis=1) / (2.0 * np.pi)
    return around


@dataclass(frozen=True, slots=True)
class Hits:
    """Where rays meet the triangles of a mesh.

    Attributes:
        met: The triangles that each meets, in front of its start ``(lanes, faces)``.
        along: How far along, in multiples of the direction ``(lanes, faces)``.
    """

    met: Array
    along: Array


def hits(ops: Ops, triangles: Triangles, start: Array, direction: Array) -> Hits:
    """The triangles that a ray in each lane meets."""
    a, b, c = _apart(triangles, moved(ops, start, triangles.reach))
    towards = moved(ops, direction, np.zeros(len(direction))).T[:, :, None]
    # On which side of the ray the edges pass.
    sides = np.stack([_dot(towards, _cross(*pair)) for pair in ((c, b), (a, c), (b, a))])
    met = (sides >= 0).all(axis=0) | (sides <= 0).all(axis=0)
    normal = _cross(b - a, c - a)
    with np.errstate(all="ignore"):
        along = _dot(a, normal) / _dot(towards, normal)
    # A ray that goes nowhere, or in a triangle's plane, does not meet it.
    return Hits(met & (sides != 0).any(axis=0) & (along >= 0), along)


@dataclass(frozen=True, slots=True)
class Meeting:
    """What is said of the triangle that a ray meets first: its weights, its normal, and the side it was met from."""

    along: Array
    u: Array
    v: Array
    sign: Array
    normal: Array


def meeting(ops: Ops, triangles: Triangles, face: Array, start: Array, direction: Array) -> Meeting:
    """Where a ray meets the plane of one triangle in each lane."""
    corners = [ops.sub(corner, start) for corner in triangles.face(face)]
    lanes = np.arange(len(face))
    # Along the axis along which the ray goes furthest, the others sheared away.
    axis = np.abs(direction).argmax(axis=-1)
    ahead, right, left = (direction[lanes, (axis + turn) % 3] for turn in range(3))
    sx, sy, one = ops.div(right, ahead), ops.div(left, ahead), np.ones(1, ahead.dtype)
    flat = []
    for corner in corners:
        depth, x, y = (corner[lanes, (axis + turn) % 3] for turn in range(3))
        flat.append((ops.sub(x, ops.mul(sx, depth)), ops.sub(y, ops.mul(sy, depth)), depth))

    def side(first: int, second: int) -> Array:
        (x, y, _), (z, w, _) = flat[first], flat[second]
        return ops.sub(ops.mul(x, w), ops.mul(y, z))

    sides = side(2, 1), side(0, 2), side(1, 0)
    whole = ops.add(ops.add(sides[0], sides[1]), sides[2])
    scale = ops.div(one, ahead)
    depths = [ops.mul(weight, ops.mul(scale, depth)) for weight, (_, _, depth) in zip(sides, flat, strict=True)]
    along = ops.div(ops.add(ops.add(depths[0], depths[1]), depths[2]), whole)
    normal = vector.normalize(ops, triangles.normals(ops, face))
    # Seen along the axis backwards, what turns left turns right.
    sign = np.where(ahead < 0, -whole, whole)
    return Meeting(along, ops.div(sides[0], whole), ops.div(sides[1], whole), sign, normal)


def boxes(triangles: Triangles) -> tuple[Array, Array]:
    """The lower and upper corners of the boxes around each triangle ``(lanes, faces, 3)``."""
    return triangles.corners.min(axis=2), triangles.corners.max(axis=2)


def interpolated(ops: Ops, corners: tuple[Array, Array, Array], u: Array, v: Array) -> Any:
    """What three corners hold, weighted by ``u``, ``v`` and what is left."""
    first, second, third = corners
    rest = ops.sub(ops.sub(np.ones(1, u.dtype), u), v)
    sums = ops.add(ops.mul(first, u[:, None]), ops.mul(second, v[:, None]))
    return ops.add(sums, ops.mul(third, rest[:, None]))
