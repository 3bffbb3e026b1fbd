"""Builtins on quaternions, stored ``(x, y, z, w)``, and on transforms, stored translation first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irsmith.frontends.warp.reference.builtins import vector
from irsmith.frontends.warp.reference.builtins.overload import Overload, Rule, Table, alike, is_quaternion
from irsmith.frontends.warp.reference.builtins.scalar import plain
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, TupleType, Type, Value, along
from irsmith.types import Matrix, Quaternion, Scalar, Transformation, Vector


def _parts(q: Array) -> tuple[Array, Array, Array, Array]:
    return q[:, 0], q[:, 1], q[:, 2], q[:, 3]


def _columns(*parts: Array) -> Array:
    return np.stack(np.broadcast_arrays(*parts), axis=1)


def times(ops: Ops, a: Array, b: Array) -> Array:
    """Hamilton's product."""
    ax, ay, az, aw = _parts(a)
    bx, by, bz, bw = _parts(b)
    mul = ops.mul

    def signed(p: Array, q: Array, r: Array, s: Array) -> Array:
        return ops.sub(ops.add(ops.add(p, q), r), s)

    return _columns(
        signed(mul(aw, bx), mul(bw, ax), mul(ay, bz), mul(by, az)),
        signed(mul(aw, by), mul(bw, ay), mul(az, bx), mul(bz, ax)),
        signed(mul(aw, bz), mul(bw, az), mul(ax, by), mul(bx, ay)),
        ops.sub(ops.sub(ops.sub(mul(aw, bw), mul(ax, bx)), mul(ay, by)), mul(az, bz)),
    )


def inverse(ops: Ops, q: Array) -> Array:
    """The conjugate: the inverse of a unit quaternion."""
    del ops
    conjugate: Array = np.multiply(q, np.array([-1, -1, -1, 1], q.dtype))
    return conjugate


def normalize(ops: Ops, q: Array) -> Array:
    """The quaternion divided by its length; zero becomes the identity."""
    size = vector.length(ops, q)
    positive = np.greater(size, 0)
    ops.decide(positive)
    unit = ops.mul(q, along(ops.div(np.ones(1, q.dtype), size), 2))
    return np.where(along(positive, 2), unit, np.array([[0, 0, 0, 1]], q.dtype))


def rotate(ops: Ops, q: Array, v: Array) -> Array:
    """``v (2w^2 - 1) + 2 q (q . v) + 2w (q x v)``."""
    return _rotated(ops, q, v, ops.add)


def rotate_inverse(ops: Ops, q: Array, v: Array) -> Array:
    """The rotation by the conjugate."""
    return _rotated(ops, q, v, ops.sub)


def _rotated(ops: Ops, q: Array, v: Array, combine: object) -> Array:
    assert callable(combine)
    axis, w = q[:, :3], q[:, 3]
    two = np.array([2], q.dtype)
    keep = ops.sub(ops.mul(ops.mul(two, w), w), np.ones(1, q.dtype))
    along_axis = ops.mul(two, vector.dot(ops, axis, v))
    turned = ops.mul(ops.mul(vector.cross(ops, axis, v), along(w, 2)), two)
    result: Array = combine(ops.add(ops.mul(v, along(keep, 2)), ops.mul(axis, along(along_axis, 2))), turned)
    return result


def to_matrix(ops: Ops, q: Array) -> Array:
    """The rotated unit vectors as columns."""
    unit = np.eye(3, dtype=q.dtype)
    return np.stack([rotate(ops, q, unit[None, index]) for index in range(3)], axis=2)


def from_axis_angle(ops: Ops, axis: Array, angle: Array) -> Array:
    """A rotation by an angle about an axis of length one."""
    half = ops.mul(angle, np.array([0.5], angle.dtype))
    imaginary = ops.mul(axis, along(ops.library(np.sin, half), 2))
    return _columns(imaginary[:, 0], imaginary[:, 1], imaginary[:, 2], ops.library(np.cos, half))


def to_axis_angle(ops: Ops, q: Array) -> Value:
    """The axis, and the angle from 0 to pi."""
    negative = np.less(q[:, 3], 0)
    ops.decide(negative)
    axis = vector.normalize(ops, q[:, :3])
    axis = np.where(along(negative, 2), -axis, axis)
    size = vector.length(ops, q[:, :3])
    return axis, ops.mul(np.array([2], q.dtype), ops.library(np.arctan2, size, np.abs(q[:, 3])))


def from_roll_pitch_yaw(ops: Ops, roll: Array, pitch: Array, yaw: Array) -> Array:
    """Rotations about x, y and z, in this order."""
    half = np.array([0.5], roll.dtype)
    halves = [ops.mul(angle, half) for angle in (yaw, roll, pitch)]
    (cy, cr, cp), (sy, sr, sp) = ([ops.library(f, angle) for angle in halves] for f in (np.cos, np.sin))

    def product(a: Array, b: Array, c: Array) -> Array:
        return ops.mul(ops.mul(a, b), c)

    return _columns(
        ops.sub(product(cy, sr, cp), product(sy, cr, sp)),
        ops.add(product(cy, cr, sp), product(sy, sr, cp)),
        ops.sub(product(sy, cr, cp), product(cy, sr, sp)),
        ops.add(product(cy, cr, cp), product(sy, sr, sp)),
    )


def interpolate(ops: Ops, a: Array, b: Array, t: Array) -> Array:
    """The rotation from one to the other, taken to a fraction of its angle."""
    axis, angle = to_axis_angle(ops, times(ops, inverse(ops, a), b))
    return times(ops, a, from_axis_angle(ops, axis, ops.mul(t, angle)))


def from_matrix(ops: Ops, m: Array) -> Array:
    """The rotation that a matrix is: solved from its largest diagonal term, for accuracy (Shepperd's method)."""
    trace = ops.add(ops.add(m[:, 0, 0], m[:, 1, 1]), m[:, 2, 2])
    half, one = np.array([0.5], m.dtype), np.ones(1, m.dtype)
    largest = np.where(m[:, 1, 1] > m[:, 0, 0], 1, 0)
    diagonal = np.diagonal(m, axis1=1, axis2=2)
    largest = np.where(m[:, 2, 2] > np.take_along_axis(diagonal, largest[:, None], axis=1)[:, 0], 2, largest)
    case = np.where(trace >= 0, 3, largest)
    ops.decide(case)
    results = []
    for index in range(4):
        j, k = (index + 1) % 3, (index + 2) % 3
        if index == 3:
            root = ops.sqrt(ops.add(trace, one))
        else:
            others = ops.add(m[:, j, j], m[:, k, k])
            root = ops.sqrt(ops.add(ops.sub(m[:, index, index], others), one))
        inverse_root = ops.div(half, root)
        parts = [root] * 4
        if index == 3:
            for axis, (p, q) in enumerate(((2, 1), (0, 2), (1, 0))):
                parts[axis] = ops.mul(ops.sub(m[:, p, q], m[:, q, p]), inverse_root)
            parts[3] = ops.mul(half, root)
        else:
            parts[index] = ops.mul(half, root)
            parts[j] = ops.mul(ops.add(m[:, index, j], m[:, j, index]), inverse_root)
            parts[k] = ops.mul(ops.add(m[:, k, index], m[:, index, k]), inverse_root)
            parts[3] = ops.mul(ops.sub(m[:, k, j], m[:, j, k]), inverse_root)
        results.append(_columns(*parts))
    chosen = results[3]
    for index in range(3):
        chosen = np.where(along(case == index, 2), results[index], chosen)
    return normalize(ops, chosen)


def compose(ops: Ops, a: Array, b: Array) -> Array:
    """The transform that applies ``b`` and then ``a``."""
    moved = ops.add(rotate(ops, a[:, 3:], b[:, :3]), a[:, :3])
    return _join(moved, times(ops, a[:, 3:], b[:, 3:]))


def _join(p: Array, q: Array) -> Array:
    lanes = max(len(p), len(q))
    return np.concatenate([np.broadcast_to(p, (lanes, 3)), np.broadcast_to(q, (lanes, 4))], axis=1)


def move_point(ops: Ops, t: Array, p: Array) -> Array:
    """A point rotated and then translated."""
    return ops.add(t[:, :3], rotate(ops, t[:, 3:], p))


def move_vector(ops: Ops, t: Array, v: Array) -> Array:
    """A direction rotated."""
    return rotate(ops, t[:, 3:], v)


def invert(ops: Ops, t: Array) -> Array:
    """The transform that undoes one with a unit rotation."""
    turned = inverse(ops, t[:, 3:])
    return _join(-rotate(ops, turned, t[:, :3]), turned)


def _is_transform(type: Type) -> bool:
    return isinstance(type, Transformation)


def _same_scalar(pattern: list[type], result: object) -> Rule:
    """Types of the given kinds made of one scalar; vectors have length 3."""

    def rule(types: Sequence[Type]) -> Type | None:
        if len(types) != len(pattern):
            return None
        found = {type if isinstance(type, Scalar) else getattr(type, "scalar", None) for type in types}
        if len(found) != 1 or not all(isinstance(type, kind) for type, kind in zip(types, pattern, strict=True)):
            return None
        if any(isinstance(type, Vector) and type.length != 3 for type in types):
            return None
        (scalar,) = found
        if not isinstance(scalar, Scalar) or not scalar.is_float:
            return None
        assert callable(result)
        made: Type = result(scalar)
        return made

    return rule


def _vec3(scalar: Scalar) -> Type:
    return Vector(3, scalar)


def _mat33(scalar: Scalar) -> Type:
    return Matrix(3, 3, scalar)


def _axis_and_angle(scalar: Scalar) -> Type:
    return TupleType((Vector(3, scalar), scalar))


def _from_matrix_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [Matrix(3 | 4 as rows, columns, scalar)] if rows == columns:
            return Quaternion(scalar)
    return None


_ROTATION = _same_scalar([Quaternion, Vector], _vec3)

TABLE: Table = {
    "mul": (Overload(alike(2, is_quaternion), times), Overload(alike(2, _is_transform), compose)),
    "normalize": (Overload(alike(1, is_quaternion), normalize),),
    "quat_inverse": (Overload(alike(1, is_quaternion), inverse),),
    "quat_rotate": (Overload(_ROTATION, rotate),),
    "quat_rotate_inv": (Overload(_ROTATION, rotate_inverse),),
    "quat_to_matrix": (Overload(_same_scalar([Quaternion], _mat33), to_matrix),),
    "quat_from_matrix": (Overload(_from_matrix_type, from_matrix),),
    "quat_from_axis_angle": (Overload(_same_scalar([Vector, Scalar], Quaternion), from_axis_angle),),
    "quat_to_axis_angle": (Overload(_same_scalar([Quaternion], _axis_and_angle), to_axis_angle),),
    "quat_rpy": (Overload(_same_scalar([Scalar] * 3, Quaternion), from_roll_pitch_yaw),),
    "quat_slerp": (Overload(_same_scalar([Quaternion, Quaternion, Scalar], Quaternion), interpolate),),
    "transform_multiply": (Overload(alike(2, _is_transform), compose),),
    "transform_inverse": (Overload(alike(1, _is_transform), invert),),
    "transform_point": (Overload(_same_scalar([Transformation, Vector], _vec3), move_point),),
    "transform_vector": (Overload(_same_scalar([Transformation, Vector], _vec3), move_vector),),
    "transform_get_translation": (Overload(_same_scalar([Transformation], _vec3), plain(lambda t: t[:, :3])),),
    "transform_get_rotation": (Overload(_same_scalar([Transformation], Quaternion), plain(lambda t: t[:, 3:])),),
}
"""Builtins on quaternions and transforms."""
