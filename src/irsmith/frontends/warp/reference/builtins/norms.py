"""Norms of float32 vectors, as Warp's documentation gives their formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from irsmith.frontends.warp.reference.builtins import scalar as scalars
from irsmith.frontends.warp.reference.builtins import vector
from irsmith.frontends.warp.reference.builtins.overload import Overload, Rule, Table
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, Type
from irsmith.types import FLOAT32, Vector


def _taxicab(ops: Ops, v: Array) -> Array:
    return ops.total(scalars.absolute(ops, v))


def _huber(ops: Ops, v: Array, delta: Array | None = None) -> Array:
    """Half the square near zero, a straight line from ``delta`` on; both have the same slope there."""
    delta = _one(v) if delta is None else delta
    half = np.array([0.5], v.dtype)
    squared = vector.dot(ops, v, v)
    near = ops.compare(np.less_equal, squared, ops.mul(delta, delta))
    line = ops.mul(delta, ops.sub(ops.sqrt(squared), ops.mul(half, delta)))
    return np.where(near, ops.mul(half, squared), line)


def _pseudo_huber(ops: Ops, v: Array, delta: Array | None = None) -> Array:
    """``delta * sqrt(1 + |v|^2 / delta^2)``."""
    delta = _one(v) if delta is None else delta
    ratio = ops.div(vector.dot(ops, v, v), ops.mul(delta, delta))
    return ops.mul(delta, ops.sqrt(ops.add(_one(v), ratio)))


def _smooth_normalize(ops: Ops, v: Array, delta: Array | None = None) -> Array:
    return vector.divide(ops, v, _pseudo_huber(ops, v, delta))


def _one(v: Array) -> Array:
    return np.ones(1, v.dtype)


def _of_vector(result: Callable[[Type], Type], *, threshold: bool) -> Rule:
    """A float32 vector, and perhaps a float32 threshold."""

    def rule(types: Sequence[Type]) -> Type | None:
        match list(types):
            case [Vector(_, scalar) as whole, *rest] if scalar == FLOAT32 and rest in ([], [FLOAT32] * threshold):
                return result(whole)
        return None

    return rule


_PLAIN = _of_vector(lambda _: FLOAT32, threshold=False)
_WITH_THRESHOLD = _of_vector(lambda _: FLOAT32, threshold=True)

TABLE: Table = {
    "norm_l1": (Overload(_PLAIN, _taxicab),),
    "norm_l2": (Overload(_PLAIN, vector.length),),
    "norm_huber": (Overload(_WITH_THRESHOLD, _huber),),
    "norm_pseudo_huber": (Overload(_WITH_THRESHOLD, _pseudo_huber),),
    "smooth_normalize": (Overload(_of_vector(lambda whole: whole, threshold=True), _smooth_normalize),),
}
"""Norms."""
