"""Rigid motions as matrices and as spatial vectors, whose angular part comes first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irsmith.frontends.warp.reference.builtins import quaternion, vector
from irsmith.frontends.warp.reference.builtins.overload import Overload, Table, fixed
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, TupleType, Type, Value
from irsmith.types import FLOAT32, Matrix, Quaternion, Scalar, Transformation, Vector


def _homogeneous(rotation: Array, position: Array) -> Array:
    """A 3x3 matrix and a column in a 4x4 matrix."""
    lanes = max(len(rotation), len(position))
    result = np.zeros((lanes, 4, 4), rotation.dtype)
    result[:, :3, :3], result[:, :3, 3], result[:, 3, 3] = rotation, position, 1.0
    return result


def _to_matrix(ops: Ops, t: Array) -> Array:
    return _homogeneous(quaternion.to_matrix(ops, t[:, 3:]), t[:, :3])


def _from_matrix(ops: Ops, m: Array) -> Array:
    return np.concatenate([m[:, :3, 3], quaternion.from_matrix(ops, m)], axis=1)


def _compose(ops: Ops, position: Array, rotation: Array, scale: Array) -> Array:
    return _homogeneous(ops.mul(scale[:, None, :], quaternion.to_matrix(ops, rotation)), position)


def _decompose(ops: Ops, m: Array) -> Value:
    """Position, rotation, and the lengths of the columns."""
    part = m[:, :3, :3]
    scale = ops.sqrt(ops.total(ops.mul(part, part).swapaxes(1, 2)))
    present = np.not_equal(scale, 0)
    ops.decide(present)
    unit = np.where(present[:, None, :], ops.div(part, scale[:, None, :]), part)
    return m[:, :3, 3], quaternion.from_matrix(ops, unit), scale


def _adjoint(ops: Ops, r: Array, s: Array) -> Array:
    """``[[r, 0], [s, r]]``."""
    del ops
    result = np.zeros((max(len(r), len(s)), 6, 6), r.dtype)
    result[:, :3, :3], result[:, 3:, 3:], result[:, 3:, :3] = r, r, s
    return result


def _point_velocity(ops: Ops, twist: Array, offset: Array) -> Array:
    return ops.add(twist[:, 3:], vector.cross(ops, twist[:, :3], offset))


def _moved_twist(ops: Ops, t: Array, twist: Array) -> Array:
    angular = quaternion.rotate(ops, t[:, 3:], twist[:, :3])
    linear = ops.add(quaternion.rotate(ops, t[:, 3:], twist[:, 3:]), vector.cross(ops, t[:, :3], angular))
    return np.concatenate([angular, linear], axis=1)


def _moved_wrench(ops: Ops, t: Array, wrench: Array) -> Array:
    force = quaternion.rotate(ops, t[:, 3:], wrench[:, 3:])
    torque = ops.add(quaternion.rotate(ops, t[:, 3:], wrench[:, :3]), vector.cross(ops, t[:, :3], force))
    return np.concatenate([torque, force], axis=1)


def _adjoint_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [Matrix(3, 3, a), Matrix(3, 3, b)] if a == b:
            return Matrix(6, 6, a)
    return None


def _matrix_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [Transformation(scalar)]:
            return Matrix(4, 4, scalar)
    return None


def _transform_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [Matrix(4, 4, scalar)]:
            return Transformation(scalar)
    return None


def _composed_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [Vector(3, a), Quaternion(b), Vector(3, c)] if a == b == c:
            return Matrix(4, 4, a)
    return None


def _decomposed_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [Matrix(4, 4, Scalar() as scalar)]:
            return TupleType((Vector(3, scalar), Quaternion(scalar), Vector(3, scalar)))
    return None


_TWIST, _VEC3, _MOTION = Vector(6, FLOAT32), Vector(3, FLOAT32), Transformation(FLOAT32)

TABLE: Table = {
    "transform_to_matrix": (Overload(_matrix_type, _to_matrix),),
    "transform_from_matrix": (Overload(_transform_type, _from_matrix),),
    "transform_compose": (Overload(_composed_type, _compose),),
    "transform_decompose": (Overload(_decomposed_type, _decompose),),
    "spatial_adjoint": (Overload(_adjoint_type, _adjoint),),
    "velocity_at_point": (Overload(fixed(_TWIST, _VEC3, result=_VEC3), _point_velocity),),
    "transform_twist": (Overload(fixed(_MOTION, _TWIST, result=_TWIST), _moved_twist),),
    "transform_wrench": (Overload(fixed(_MOTION, _TWIST, result=_TWIST), _moved_wrench),),
}
"""Rigid motions."""
