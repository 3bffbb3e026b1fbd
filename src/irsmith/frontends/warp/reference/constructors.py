"""Values made of other values: casts between scalars, vectors, matrices, quaternions, transforms and structs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from irsmith.frontends.warp.reference.errors import FaultKind, Unsupported
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.scope import Scope, convert_number
from irsmith.frontends.warp.reference.values import Array, Expr, Type, Value, components, is_composite, scalar_of, zero
from irsmith.types import BOOL, FLOAT16, Matrix, Quaternion, Scalar, Struct, Transformation, Vector


def construct(scope: Scope, type: Type, arguments: list[Expr], named: dict[str, Expr], node: ast.AST) -> Expr:
    """``type(...)``."""
    if isinstance(type, Struct):
        return _struct(scope, type, arguments, named, node)
    if isinstance(type, Transformation):
        arguments = arguments + [named.pop(name) for name in ("p", "q") if name in named]
    if named:
        raise Unsupported(f"named arguments of {type}", node)
    match type:
        case Scalar():
            if len(arguments) == 1:
                return cast(scope, type, arguments[0], node)
        case Vector():
            return _vector(scope, type, arguments, node)
        case Matrix():
            return _matrix(scope, type, arguments, node)
        case Quaternion() | Transformation():
            return _parts(scope, type, arguments, node)
    raise Unsupported(f"{type} of {', '.join(str(argument.type) for argument in arguments)}", node)


def cast(scope: Scope, type: Scalar, argument: Expr, node: ast.AST) -> Expr:
    """A scalar converted to another type.

    A literal goes to the new type without being rounded to its own first, so ``wp.float64(0.1)`` is the
    double nearest to 0.1; what comes out is no literal any more, so ``wp.float64(float(0.1))`` is not.
    """
    if not isinstance(argument.type, Scalar):
        raise Unsupported(f"{type} of {argument.type}", node)
    if argument.const is not None and not (type.is_integer and isinstance(argument.const, float)):
        value = convert_number(argument.const, type, scope.ops.dtype(type))
        return Expr(type, lambda: value)
    if type == BOOL and argument.type == FLOAT16:
        raise Unsupported("bool of float16, for which Warp's text does not compile", node)
    convert, run = converter(scope.ops, argument.type, type, getattr(node, "lineno", 0)), argument.run
    if convert is None:
        return Expr(type, run, guarded=argument.guarded)
    guarded = argument.guarded or (argument.type.is_float and type.is_integer)
    return Expr(type, lambda: convert(run()), guarded=guarded)


def converter(ops: Ops, source: Scalar, target: Scalar, line: int) -> Callable[[Array], Array] | None:
    """C++'s conversion between two scalar types; None when there is nothing to do."""
    dtype = ops.dtype(target)
    if source == target or (source.is_float and target.is_float and ops.dtype(source) == dtype):
        return None
    if target == BOOL:
        return lambda value: ops.compare(np.not_equal, value, np.zeros(1, value.dtype))
    if target.is_float:
        return lambda value: ops.round(value, dtype)
    if source.is_float:
        return lambda value: _truncated(ops, value, dtype, line)
    return lambda value: value.astype(dtype)


def _truncated(ops: Ops, value: Array, dtype: np.dtype[Any], line: int) -> Array:
    """A float cut off to a whole number; one that does not fit the integer type is undefined."""
    whole = np.trunc(value)
    limits = np.iinfo(dtype)
    # The upper limit is compared exclusively: the largest integer itself may round up to a power of two.
    fits = (whole >= float(limits.min)) & (whole < float(limits.max) + 1.0)
    if np.count_nonzero(fits) < len(fits):
        ops.machine.fault(FaultKind.CAST_RANGE, ~fits, line)
        whole = np.where(fits, whole, 0)
    result = whole.astype(dtype)
    ops.decide(result)
    return result


def _gather(runs: Sequence[Callable[[], Value]], shape: tuple[int, ...]) -> Callable[[], Value]:
    """Scalars put side by side."""

    def run() -> Value:
        parts = [part() for part in runs]
        lanes = max(map(len, parts))
        result = np.empty((lanes, len(parts)), parts[0].dtype)
        for index, part in enumerate(parts):
            result[:, index] = part
        return result.reshape(lanes, *shape)

    return run


def _scalars(scope: Scope, type: Type, arguments: list[Expr], node: ast.AST) -> list[Expr]:
    """Arguments that must be scalars of the type's own kind; literals take that kind."""
    kind = scalar_of(type)
    result = []
    for argument in arguments:
        if argument.type == kind:
            result.append(argument)
        elif argument.const is not None and isinstance(argument.type, Scalar):
            result.append(cast(scope, kind, argument, node))
        else:
            raise Unsupported(f"{argument.type} in {type}", node)
    return result


def _filled(scope: Scope, type: Type, arguments: list[Expr], node: ast.AST) -> Expr | None:
    """No argument gives zero, one scalar fills, one value of the same shape converts."""
    shape = components(type)
    if not arguments:
        value = zero(type, scope.ops.precision)
        return Expr(type, lambda: value)
    if len(arguments) != 1:
        return None
    (argument,) = arguments
    run = argument.run
    if isinstance(argument.type, Scalar):
        (part,) = _scalars(scope, type, arguments, node)
        fill = part.run

        def splat() -> Value:
            value = fill()
            return np.broadcast_to(value.reshape(-1, *(1 for _ in shape)), (len(value), *shape)).copy()

        return Expr(type, splat, guarded=argument.guarded)
    if is_composite(argument.type) and components(argument.type) == shape:
        convert = converter(scope.ops, scalar_of(argument.type), scalar_of(type), getattr(node, "lineno", 0))
        if convert is None:
            return Expr(type, run, guarded=argument.guarded)
        return Expr(type, lambda: convert(run()), guarded=argument.guarded)
    return None


def _vector(scope: Scope, type: Vector, arguments: list[Expr], node: ast.AST) -> Expr:
    made = _filled(scope, type, arguments, node)
    if made is not None:
        return made
    guarded = any(argument.guarded for argument in arguments)
    if len(arguments) == type.length:
        runs = [part.run for part in _scalars(scope, type, arguments, node)]
        return Expr(type, _gather(runs, (type.length,)), guarded=guarded)
    if type.length == 6 and [argument.type for argument in arguments] == [Vector(3, type.scalar)] * 2:
        return Expr(type, _concatenate([argument.run for argument in arguments]), guarded=guarded)
    raise Unsupported(f"{type} of {len(arguments)} values", node)


def _concatenate(runs: Sequence[Callable[[], Value]]) -> Callable[[], Value]:
    def run() -> Value:
        parts = [part() for part in runs]
        lanes = max(map(len, parts))
        return np.concatenate([np.broadcast_to(part, (lanes, part.shape[1])) for part in parts], axis=1)

    return run


def _matrix(scope: Scope, type: Matrix, arguments: list[Expr], node: ast.AST) -> Expr:
    made = _filled(scope, type, arguments, node)
    if made is not None:
        return made
    guarded = any(argument.guarded for argument in arguments)
    if len(arguments) == type.rows * type.columns:
        runs = [part.run for part in _scalars(scope, type, arguments, node)]
        return Expr(type, _gather(runs, (type.rows, type.columns)), guarded=guarded)
    raise Unsupported(f"{type} of {len(arguments)} values", node)


def _parts(scope: Scope, type: Quaternion | Transformation, arguments: list[Expr], node: ast.AST) -> Expr:
    (size,) = components(type)
    guarded = any(argument.guarded for argument in arguments)
    if len(arguments) == size and size > 1:
        runs = [part.run for part in _scalars(scope, type, arguments, node)]
        return Expr(type, _gather(runs, (size,)), guarded=guarded)
    first: Type = Vector(3, type.scalar)
    rest: Type = type.scalar if isinstance(type, Quaternion) else Quaternion(type.scalar)
    if len(arguments) == 2 and arguments[0].type == first:
        second = arguments[1]
        if second.const is not None:
            (second,) = _scalars(scope, type, [second], node)
        if second.type == rest:
            runs = [arguments[0].run, second.run]
            return Expr(type, _concatenate([runs[0], _as_columns(runs[1])]), guarded=guarded)
    if not arguments or (len(arguments) == 1 and is_composite(arguments[0].type)):
        made = _filled(scope, type, arguments, node)
        if made is not None:
            return made
    raise Unsupported(f"{type} of {len(arguments)} values", node)


def _as_columns(run: Callable[[], Value]) -> Callable[[], Value]:
    def columns() -> Value:
        value = run()
        return value if value.ndim == 2 else value[:, None]

    return columns


def _struct(scope: Scope, type: Struct, arguments: list[Expr], named: dict[str, Expr], node: ast.AST) -> Expr:
    """Fields in order or by name; a field that is not given is zero."""
    names = [field.name for field in type.fields]
    given = dict(zip(names, arguments, strict=False)) | named
    if len(arguments) > len(names) or set(given) - set(names):
        raise Unsupported(f"{type} of {len(given)} values", node)
    runs: list[Callable[[], Value]] = []
    for field in type.fields:
        part = given.get(field.name)
        if part is None:
            value = zero(field.type, scope.ops.precision)
            runs.append(lambda value=value: value)  # type: ignore[misc]
        elif part.type == field.type:
            runs.append(part.run)
        else:
            raise Unsupported(f"{part.type} for field {field.name} of {type}", node)
    guarded = any(part.guarded for part in given.values())
    return Expr(type, lambda: tuple(run() for run in runs), guarded=guarded)
