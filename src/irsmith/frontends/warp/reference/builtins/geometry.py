"""Geometry that needs no structure: the closest points of two edges, and whether two triangles meet."""

from __future__ import annotations

import numpy as np

from irsmith.frontends.warp.reference.builtins import scalar as scalars
from irsmith.frontends.warp.reference.builtins import vector
from irsmith.frontends.warp.reference.builtins.overload import Overload, Table, fixed
from irsmith.frontends.warp.reference.geometry import triangles
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, along
from irsmith.types import FLOAT32, FLOAT64, INT32, Vector

_POINT = Vector(3, FLOAT32)

_LEVEL = 4e-6
"""How far a corner is from the other's plane, times the length of that one's normal, from which on it is off it: four
times what Möller's method takes."""

_PRODUCT = 8.0
"""How much larger Möller's products may be than those of two heights: differences of two stand in place of one, and two
such are subtracted."""

_FLAT = 1e-4
"""Triangles of less area than this, as a part of the square of how far out they lie, are as good as none."""


def _closest(ops: Ops, p1: Array, q1: Array, p2: Array, q2: Array, epsilon: Array) -> Array:
    """The weights of the closest points of two segments, and their distance.

    The lines' closest points, each kept on its segment, the other moved to what is then closest to it. A segment whose
    squared length is at most ``epsilon`` is a point, whose weight is 0. Of parallel ones the first weight is 0 where
    that is among the closest.
    """
    d1, d2, r = ops.sub(q1, p1), ops.sub(q2, p2), ops.sub(p1, p2)
    a, e, f, c = (vector.dot(ops, *pair) for pair in ((d1, d1), (d2, d2), (d2, r), (d1, r)))
    b = vector.dot(ops, d1, d2)
    zero, one = np.zeros(1, a.dtype), np.ones(1, a.dtype)

    def within(top: Array, bottom: Array) -> Array:
        safe = np.where(bottom == 0, one, bottom)
        return scalars.clamp(ops, ops.div(top, safe), zero, one)

    point1, point2 = (ops.compare(np.less_equal, size, epsilon) for size in (a, e))
    denominator = ops.sub(ops.mul(a, e), ops.mul(b, b))
    crossing = ops.compare(np.not_equal, denominator, zero)
    s = np.where(crossing, within(ops.sub(ops.mul(b, f), ops.mul(c, e)), denominator), zero)
    t = ops.div(ops.add(ops.mul(b, s), f), np.where(e == 0, one, e))
    before, behind = ops.compare(np.less, t, zero), ops.compare(np.greater, t, one)
    s = np.where(before, within(-c, a), np.where(behind, within(ops.sub(b, c), a), s))
    t = np.where(before, zero, np.where(behind, one, t))
    s, t = np.where(point2, within(-c, a), s), np.where(point2, zero, t)
    s, t = np.where(point1, zero, s), np.where(point1, np.where(point2, zero, within(f, e)), t)
    first = ops.add(p1, ops.mul(d1, along(s, 2)))
    second = ops.add(p2, ops.mul(d2, along(t, 2)))
    distance = vector.length(ops, ops.sub(second, first))
    return np.stack(np.broadcast_arrays(s, t, distance), axis=-1)


def _meet(ops: Ops, *corners: Array) -> Array:
    """Whether two triangles have a point in common: 1 or 0.

    They have none if some direction keeps them apart: a normal, one across two edges, or one across an edge within its
    triangle, which tells where both lie in one plane. How triangles that just touch are judged is open, and so is what
    is said of those that are so large that Möller's products of heights are not finite.
    """
    lanes = max(len(corner) for corner in corners)
    points = np.stack(np.broadcast_arrays(*corners), axis=1)
    reach = np.abs(points).reshape(lanes, -1).max(axis=1).astype(np.float64)
    moved = np.stack([triangles.moved(ops, points[:, place], reach) for place in range(6)], axis=1)
    one, other = moved[:, :3], moved[:, 3:]
    edges = [[face[:, (k + 1) % 3] - face[:, k] for k in range(3)] for face in (one, other)]
    normals = [np.cross(sides[0], sides[1]) for sides in edges]
    ways = [*normals, *(np.cross(a, b) for a in edges[0] for b in edges[1])]
    ways += [np.cross(normal, side) for normal, sides in zip(normals, edges, strict=True) for side in sides]
    slack = np.full(lanes, np.inf)
    for way in ways:
        size = np.sqrt((way * way).sum(axis=1))
        some = size > 1e-12
        along_it = [(face * (way / np.where(some, size, 1.0)[:, None])[:, None]).sum(axis=2) for face in (one, other)]
        (low, high), (low2, high2) = ((place.min(axis=1), place.max(axis=1)) for place in along_it)
        slack = np.where(some, np.minimum(slack, np.minimum(high - low2, high2 - low)), slack)
    flat = np.min([np.sqrt((normal * normal).sum(axis=1)) for normal in normals], axis=0) <= _FLAT * reach * reach
    heights = [
        np.abs(((corner - face[:, :1]) * normal[:, None]).sum(axis=2))
        for normal, face, corner in ((normals[0], one, other), (normals[1], other, one))
    ]
    flat |= (np.concatenate(heights, axis=1) <= _LEVEL).any(axis=1)
    # What has next to no area may be said to meet anything, and so may a corner that is next to the other's plane.
    first, second = (height.max(axis=1) for height in heights)
    unsure = flat | ((_PRODUCT * first * second) ** 2 * reach > np.finfo(corners[0].dtype).max)
    noise = triangles.noise(ops, unsure.shape)
    ops.decide(np.where(unsure, noise * 2.0**32, 0.0).astype(np.int64))
    result: Array = ((slack >= 0) ^ (unsure & (noise > 0))).astype(np.int32)
    ops.decide(result, reach + slack, reach)
    return result


_WIDE = Vector(3, FLOAT64)

TABLE: Table = {
    "intersect_tri_tri": tuple(Overload(fixed(*[point] * 6, result=INT32), _meet) for point in (_POINT, _WIDE)),
    "closest_point_edge_edge": (Overload(fixed(_POINT, _POINT, _POINT, _POINT, FLOAT32, result=_POINT), _closest),),
}
"""Edges and triangles."""
