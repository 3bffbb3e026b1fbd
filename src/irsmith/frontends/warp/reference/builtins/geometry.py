"""Geometry that needs no structure: the closest points of two edges."""

from __future__ import annotations

import numpy as np

from irsmith.frontends.warp.reference.builtins import scalar as scalars
from irsmith.frontends.warp.reference.builtins import vector
from irsmith.frontends.warp.reference.builtins.overload import Overload, Table, fixed
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, along
from irsmith.types import FLOAT32, Vector

_POINT = Vector(3, FLOAT32)


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


TABLE: Table = {
    "closest_point_edge_edge": (Overload(fixed(_POINT, _POINT, _POINT, _POINT, FLOAT32, result=_POINT), _closest),),
}
"""Edges."""
