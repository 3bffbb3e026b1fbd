"""Angles of rotations: Euler angles and twists, of float32 quaternions."""

from __future__ import annotations

import math

import numpy as np

from irsmith.frontends.warp.reference.builtins import quaternion, vector
from irsmith.frontends.warp.reference.builtins import scalar as scalars
from irsmith.frontends.warp.reference.builtins.overload import Overload, Table, fixed
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, Value, along
from irsmith.types import FLOAT32, INT32, Quaternion, Vector


def _number(value: float, like: Array) -> Array:
    return np.array([value], like.dtype)


def _columns(*parts: Array) -> Array:
    return np.stack(np.broadcast_arrays(*parts), axis=1)


def _component(value: Array, place: Array) -> Array:
    """The component at a place that may differ between lanes."""
    lanes = max(len(value), len(place))
    wide = np.broadcast_to(value, (lanes, value.shape[1]))
    return np.take_along_axis(wide, np.broadcast_to(place, (lanes,)).astype(np.intp)[:, None], axis=1)[:, 0]


def _about(ops: Ops, axis: Array, angle: Array) -> Array:
    """The rotation about the x, y or z axis."""
    half = ops.mul(_number(0.5, angle), angle)
    sine, cosine = ops.library(np.sin, half), ops.library(np.cos, half)
    zero = _number(0.0, angle)
    return _columns(*(np.where(axis == place, sine, zero) for place in range(3)), cosine)


def _from_euler(ops: Ops, angles: Array, i: Array, j: Array, k: Array) -> Array:
    """Rotations about three fixed axes, in order; the angles are indexed by axis."""
    first, second, third = (_about(ops, axis, _component(angles, axis)) for axis in (i, j, k))
    return quaternion.times(ops, third, quaternion.times(ops, second, first))


def _to_euler(ops: Ops, q: Array, i: Array, j: Array, k: Array) -> Array:
    """The angles of a rotation about three axes, by the method of Bernardes and Viollet (2022)."""
    proper = i == k
    k = np.where(proper, 3 - i - j, k)
    parity = ((i - j) * (j - k) * (k - i)).astype(q.dtype) / 2
    w = q[:, 3]
    along_i, along_j, along_k = (_component(q, axis) for axis in (i, j, k))
    turned = ops.mul(along_k, parity)
    a = np.where(proper, w, ops.sub(w, along_j))
    b = np.where(proper, along_i, ops.add(along_i, turned))
    c = np.where(proper, along_j, ops.add(along_j, w))
    d = np.where(proper, turned, ops.sub(turned, along_i))
    two, one = _number(2.0, q), _number(1.0, q)
    near = ops.add(ops.mul(a, a), ops.mul(b, b))
    far = ops.add(ops.add(near, ops.mul(c, c)), ops.mul(d, d))
    cosine = ops.sub(ops.div(ops.mul(two, near), far), one)
    middle: Array = scalars.clamped(np.arccos)(ops, cosine)
    plus, minus = ops.library(np.arctan2, b, a), ops.library(np.arctan2, d, c)
    small = _number(1e-6, q)
    level = ops.compare(np.less, np.abs(middle), small)
    upside = ops.compare(np.less, np.abs(ops.sub(middle, _number(math.pi, q))), small)
    zero = _number(0.0, q)
    first = np.where(level | upside, zero, ops.sub(plus, minus))
    last = np.where(level, ops.mul(two, plus), np.where(upside, ops.mul(two, minus), ops.add(plus, minus)))
    middle = np.where(proper, middle, ops.sub(middle, _number(math.pi / 2, q)))
    last = np.where(proper, last, ops.mul(last, parity))
    return _columns(*(np.where(i == axis, first, np.where(j == axis, middle, last)) for axis in range(3)))


def _to_roll_pitch_yaw(ops: Ops, q: Array) -> Array:
    x, y, z, w = (q[:, place] for place in range(4))
    two, one = _number(2.0, q), _number(1.0, q)

    def doubled(a: Array, b: Array) -> Array:
        return ops.mul(two, ops.add(a, b))

    mul = ops.mul
    roll = ops.library(np.arctan2, doubled(mul(w, x), mul(y, z)), ops.sub(one, doubled(mul(x, x), mul(y, y))))
    sine = scalars.clamp(ops, mul(two, ops.sub(mul(w, y), mul(z, x))), -one, one)
    pitch: Array = scalars.clamped(np.arcsin)(ops, sine)
    yaw = ops.library(np.arctan2, doubled(mul(w, z), mul(x, y)), ops.sub(one, doubled(mul(y, y), mul(z, z))))
    return _columns(roll, pitch, yaw)


def _twist(ops: Ops, axis: Array, q: Array) -> Array:
    """The part of a rotation that turns about an axis of length one."""
    turned = ops.mul(along(vector.dot(ops, q[:, :3], axis), 2), axis)
    return quaternion.normalize(ops, _columns(turned[:, 0], turned[:, 1], turned[:, 2], q[:, 3]))


def _twist_angle_signed(ops: Ops, axis: Array, q: Array) -> Array:
    sine = vector.dot(ops, axis, q[:, :3])
    return ops.mul(_number(2.0, q), ops.library(np.arctan2, sine, q[:, 3]))


def _twist_angle(ops: Ops, axis: Array, q: Array) -> Value:
    sine = scalars.absolute(ops, vector.dot(ops, axis, q[:, :3]))
    return ops.mul(_number(2.0, q), ops.library(np.arctan2, sine, q[:, 3]))


_QUAT, _VEC3 = Quaternion(FLOAT32), Vector(3, FLOAT32)
_SEQUENCE = (INT32, INT32, INT32)

TABLE: Table = {
    "quat_from_euler": (Overload(fixed(_VEC3, *_SEQUENCE, result=_QUAT), _from_euler),),
    "quat_to_euler": (Overload(fixed(_QUAT, *_SEQUENCE, result=_VEC3), _to_euler),),
    "quat_to_rpy": (Overload(fixed(_QUAT, result=_VEC3), _to_roll_pitch_yaw),),
    "quat_twist": (Overload(fixed(_VEC3, _QUAT, result=_QUAT), _twist),),
    "quat_twist_angle": (Overload(fixed(_VEC3, _QUAT, result=FLOAT32), _twist_angle),),
    "quat_twist_angle_signed": (Overload(fixed(_VEC3, _QUAT, result=FLOAT32), _twist_angle_signed),),
}
"""Angles."""
