"""What geometry of edges does to lanes."""

from __future__ import annotations

from typing import Any

import numpy as np


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
