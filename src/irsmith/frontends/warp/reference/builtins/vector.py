"""Builtins on vectors, and the component-wise operators of every composite type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from irsmith.frontends.warp.reference.builtins import scalar as scalars
from irsmith.frontends.warp.reference.builtins.overload import (
    Formula,
    Overload,
    Rule,
    Table,
    alike,
    is_composite,
    is_float,
    is_float_vector,
    is_integer_vector,
    is_quaternion,
    is_vector,
    scalar,
    scalar_result,
    scaled,
    vector_of,
)
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, Type, along
from irsmith.types import BOOL, Matrix, Quaternion, Scalar, Transformation, Vector


def dot(ops: Ops, a: Array, b: Array) -> Array:
    """The sum of the products of the components, in order."""
    return ops.total(ops.mul(a, b))


def length_squared(ops: Ops, v: Array) -> Array:
    """The dot product with itself."""
    return dot(ops, v, v)


def length(ops: Ops, v: Array) -> Array:
    """The square root of the squared length."""
    return scalars.square_root(ops, dot(ops, v, v))


def normalize(ops: Ops, v: Array) -> Array:
    """The vector divided by its length; zero stays zero."""
    size = length(ops, v)
    positive = np.greater(size, 0)
    ops.decide(positive)
    return np.where(along(positive, 2), ops.div(v, along(size, 2)), np.zeros(1, v.dtype))


def cross(ops: Ops, a: Array, b: Array) -> Array:
    """The cross product of three-vectors."""
    following, preceding = [1, 2, 0], [2, 0, 1]
    return ops.sub(ops.mul(a[:, following], b[:, preceding]), ops.mul(a[:, preceding], b[:, following]))


def scale(ops: Ops, whole: Array, factor: Array) -> Array:
    """Each component times a scalar."""
    return ops.mul(whole, along(factor, whole.ndim))


def scale_reversed(ops: Ops, factor: Array, whole: Array) -> Array:
    """A scalar times each component."""
    return ops.mul(along(factor, whole.ndim), whole)


def divide(ops: Ops, whole: Array, divisor: Array) -> Array:
    """Each component divided by a scalar."""
    if ops.machine.tracing:
        ops.machine.near(divisor, -divisor)
    return ops.div(whole, along(divisor, whole.ndim))


def divide_into(ops: Ops, number: Array, whole: Array) -> Array:
    """A scalar divided by each component."""
    return ops.div(along(number, whole.ndim), whole)


def divide_integers(ops: Ops, whole: Array, divisor: Array, line: int = 0) -> Array:
    """Each component divided by a scalar, rounded toward zero."""
    result: Array = by_component(scalars.truncated_quotient)(ops, whole, along(divisor, whole.ndim), line=line)
    return result


def by_component(formula: Formula) -> Formula:
    """A scalar formula that may fault, applied to each component of equally shaped operands."""

    def applied(ops: Ops, *operands: Array, line: int = 0) -> Array:
        width = operands[0].shape[1]
        columns = [
            formula(ops, *(part[:, min(index, part.shape[1] - 1)] for part in operands), line=line)
            for index in range(width)
        ]
        return np.stack(columns, axis=1)

    return applied


def reduce(formula: Formula) -> Formula:
    """A formula of two scalars folded over the components of one vector."""

    def folded(ops: Ops, v: Array) -> Array:
        result: Array = v[:, 0]
        for index in range(1, v.shape[1]):
            result = formula(ops, result, v[:, index])
        return result

    return folded


def extreme(choose: Callable[..., Array], worst: float) -> Formula:
    """The place of the first smallest or largest component; NaN is passed over."""

    def formula(ops: Ops, v: Array) -> Array:
        known = np.where(np.isnan(v), worst, v) if v.dtype.kind == "f" else v
        result = choose(known, axis=1).astype(np.uint32)
        if v.dtype.kind == "f":
            ops.decide(result)
        return result

    return formula


def every(test: Callable[[Array], Array]) -> Formula:
    """Whether all components pass."""
    return scalars.plain(lambda v: np.all(test(v).reshape(len(v), -1), axis=1, keepdims=True)[:, 0])


def some(test: Callable[[Array], Array]) -> Formula:
    """Whether some component passes."""
    return scalars.plain(lambda v: np.any(test(v).reshape(len(v), -1), axis=1, keepdims=True)[:, 0])


def outer(ops: Ops, a: Array, b: Array) -> Array:
    """Every component of one times every component of the other."""
    return ops.mul(a[:, :, None], b[:, None, :])


def skew(ops: Ops, v: Array) -> Array:
    """The matrix whose product with a vector is the cross product."""
    del ops
    zero = np.zeros(len(v), v.dtype)
    x, y, z = v[:, 0], v[:, 1], v[:, 2]
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)


def outer_type(types: Sequence[Type]) -> Type | None:
    """The matrix that an outer product makes."""
    match list(types):
        case [Vector(rows, a), Vector(columns, b)] if a == b:
            return Matrix(rows, columns, a)
    return None


def skew_type(types: Sequence[Type]) -> Type | None:
    """The matrix of a three-vector."""
    if len(types) == 1 and isinstance(types[0], Vector) and types[0].length == 3:
        return Matrix(3, 3, types[0].scalar)
    return None


def blend_type(types: Sequence[Type]) -> Type | None:
    """Two composites and a scalar of their kind."""
    if len(types) == 3 and types[0] == types[1] and is_composite(types[0]) and scalar(types[0]) == types[2]:
        return types[0]
    return None


def _is_numeric_vector(type: Type) -> bool:
    return isinstance(type, Vector) and type.scalar != BOOL


def _is_addable(type: Type) -> bool:
    return isinstance(type, Vector | Matrix | Quaternion | Transformation)


def _is_float_composite(type: Type) -> bool:
    found = scalar(type)
    return found is not None and found.is_float


def _is_scalable(type: Type) -> bool:
    return isinstance(type, Vector | Matrix | Quaternion | Transformation)


def _index_type(type: Type) -> Type:
    del type
    return Scalar("uint32")


_SPATIAL: Rule = alike(2, vector_of(6))
_TWO = alike(2, _is_addable)
_VECTORS, _INTEGER_VECTORS = alike(2, _is_numeric_vector), alike(2, is_integer_vector)
_PREDICATE = alike(1, _is_float_composite, BOOL)

TABLE: Table = {
    "add": (Overload(_TWO, lambda ops, a, b: ops.add(a, b)),),
    "sub": (Overload(_TWO, lambda ops, a, b: ops.sub(a, b)),),
    "neg": (Overload(alike(1, _is_addable), scalars.plain(np.negative)),),
    "pos": (Overload(alike(1, _is_addable), scalars.plain(np.positive)),),
    "mul": (
        Overload(scaled(_is_scalable), scale),
        Overload(scaled(_is_scalable, scalar_first=True), scale_reversed),
    ),
    "div": (
        Overload(scaled(_is_float_composite), divide),
        Overload(scaled(_is_float_composite, scalar_first=True), divide_into),
        Overload(scaled(is_integer_vector), divide_integers, faults=True),
    ),
    # Approximate on a GPU alone.
    "div_approx": (
        Overload(alike(2, is_float), scalars.quotient),
        Overload(scaled(_is_float_composite), divide),
        Overload(scaled(_is_float_composite, scalar_first=True), divide_into),
    ),
    "mod": (
        Overload(alike(2, is_float_vector), scalars.float_remainder),
        Overload(_INTEGER_VECTORS, by_component(scalars.integer_remainder), faults=True),
    ),
    "bit_and": (Overload(_INTEGER_VECTORS, scalars.plain(np.bitwise_and)),),
    "bit_or": (Overload(_INTEGER_VECTORS, scalars.plain(np.bitwise_or)),),
    "bit_xor": (Overload(_INTEGER_VECTORS, scalars.plain(np.bitwise_xor)),),
    "lshift": (Overload(_INTEGER_VECTORS, by_component(scalars.shift(np.left_shift)), faults=True),),
    "rshift": (Overload(_INTEGER_VECTORS, by_component(scalars.shift(np.right_shift)), faults=True),),
    "invert": (Overload(alike(1, is_integer_vector), scalars.plain(np.invert)),),
    "dot": (
        Overload(alike(2, is_vector, scalar_result), dot),
        Overload(alike(2, is_quaternion, scalar_result), dot),
    ),
    "length": (
        Overload(alike(1, is_float_vector, scalar_result), length),
        Overload(alike(1, is_quaternion, scalar_result), length),
    ),
    "length_sq": (
        Overload(alike(1, is_vector, scalar_result), length_squared),
        Overload(alike(1, is_quaternion, scalar_result), length_squared),
    ),
    "normalize": (Overload(alike(1, is_float_vector), normalize),),
    "cross": (Overload(alike(2, vector_of(3)), cross),),
    "outer": (Overload(outer_type, outer),),
    "skew": (Overload(skew_type, skew),),
    "cw_mul": (Overload(_VECTORS, lambda ops, a, b: ops.mul(a, b)),),
    "cw_div": (
        Overload(alike(2, is_float_vector), lambda ops, a, b: ops.div(a, b)),
        Overload(_INTEGER_VECTORS, by_component(scalars.truncated_quotient), faults=True),
    ),
    "min": (Overload(_VECTORS, scalars.minimum), Overload(alike(1, is_vector, scalar_result), reduce(scalars.minimum))),
    "max": (Overload(_VECTORS, scalars.maximum), Overload(alike(1, is_vector, scalar_result), reduce(scalars.maximum))),
    "abs": (Overload(alike(1, _is_numeric_vector), scalars.absolute),),
    "sign": (Overload(alike(1, _is_numeric_vector), scalars.sign),),
    "argmin": (Overload(alike(1, is_vector, _index_type), extreme(np.argmin, np.inf)),),
    "argmax": (Overload(alike(1, is_vector, _index_type), extreme(np.argmax, -np.inf)),),
    "isnan": (Overload(_PREDICATE, some(np.isnan)),),
    "isinf": (Overload(_PREDICATE, some(np.isinf)),),
    "isfinite": (Overload(_PREDICATE, every(np.isfinite)),),
    "lerp": (Overload(blend_type, scalars.interpolate),),
}
"""Builtins on vectors."""


def _top(ops: Ops, v: Array) -> Array:
    del ops
    return v[:, :3]


def _bottom(ops: Ops, v: Array) -> Array:
    del ops
    return v[:, 3:]


def _spatial_cross(ops: Ops, a: Array, b: Array) -> Array:
    """The cross product of spatial motions: ``(wa x wb, va x wb + wa x vb)``."""
    moment = ops.add(cross(ops, a[:, 3:], b[:, :3]), cross(ops, a[:, :3], b[:, 3:]))
    return np.concatenate(np.broadcast_arrays(cross(ops, a[:, :3], b[:, :3]), moment), axis=1)


def _spatial_cross_dual(ops: Ops, a: Array, b: Array) -> Array:
    """The cross product of a spatial motion with a force: ``(wa x wb + va x vb, wa x vb)``."""
    moment = ops.add(cross(ops, a[:, :3], b[:, :3]), cross(ops, a[:, 3:], b[:, 3:]))
    return np.concatenate(np.broadcast_arrays(moment, cross(ops, a[:, :3], b[:, 3:])), axis=1)


def _half(type: Type) -> Type:
    found = scalar(type)
    assert found is not None
    return Vector(3, found)


TABLE |= {
    "spatial_dot": (Overload(alike(2, vector_of(6), scalar_result), dot),),
    "spatial_cross": (Overload(_SPATIAL, _spatial_cross),),
    "spatial_cross_dual": (Overload(_SPATIAL, _spatial_cross_dual),),
    "spatial_top": (Overload(alike(1, vector_of(6), _half), _top),),
    "spatial_bottom": (Overload(alike(1, vector_of(6), _half), _bottom),),
}
