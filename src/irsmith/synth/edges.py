"""What geometry of edges does to lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Lanes = npt.NDArray[Any]


def closest_edges(p1: Any, q1: Any, p2: Any, q2: Any, epsilon: float) -> Any:
    """The weights of the closest points of two segments, and their distance, as vectors.

    Found by turns: each point is moved to what is closest to the other.
    """
    d1, d2 = q1 - p1, q2 - p2
    a, e = ((d * d).sum(axis=-1) + epsilon for d in (d1, d2))
    t: Any = 0.5
    s: Any = 0.5
    for _ in range(12):
        s = np.clip((((p2 + d2 * _column(t)) - p1) * d1).sum(axis=-1) / a, 0.0, 1.0)
        t = np.clip((((p1 + d1 * _column(s)) - p2) * d2).sum(axis=-1) / e, 0.0, 1.0)
    gap = p1 + d1 * _column(s) - p2 - d2 * _column(t)
    return np.stack(np.broadcast_arrays(s, t, np.sqrt((gap * gap).sum(axis=-1))), axis=-1)


def _column(value: Any) -> Any:
    return value[..., None] if isinstance(value, np.ndarray) else value


def triangles_meet(*corners: Lanes) -> Lanes:
    """Whether two triangles have a point in common, as 1 or 0: an edge of one goes through the other."""
    one, other = corners[:3], corners[3:]
    met = np.zeros(len(corners[0]), bool)
    for edges, face in ((one, other), (other, one)):
        for k in range(3):
            met |= _pierced(edges[k], edges[(k + 1) % 3], face)
    result: Lanes = met.astype(np.float64)
    return result


def _pierced(start: Lanes, end: Lanes, face: tuple[Lanes, ...]) -> Lanes:
    """Whether a segment goes through a triangle."""
    a, u, v = face[0], face[1] - face[0], face[2] - face[0]
    normal, way = np.cross(u, v), end - start
    slope = (normal * way).sum(axis=-1)
    along = (normal * (a - start)).sum(axis=-1) / np.where(np.abs(slope) < 1e-9, 1e-9, slope)
    at = start + along[:, None] * way - a
    size = (normal * normal).sum(axis=-1) + 1e-12
    first = (np.cross(at, v) * normal).sum(axis=-1) / size
    second = (np.cross(u, at) * normal).sum(axis=-1) / size
    inside: Lanes = (along >= 0) & (along <= 1) & (first >= 0) & (second >= 0) & (first + second <= 1)
    return inside
