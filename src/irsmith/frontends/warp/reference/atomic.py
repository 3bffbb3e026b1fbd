"""Builtins that read and change an array element in one step, and the search in a sorted array.

A lane's threads run one after the other, so every read-modify-write is atomic here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import numpy as np

from irsmith.frontends.warp.reference import expressions, indexing
from irsmith.frontends.warp.reference.builtins import scalar as scalars
from irsmith.frontends.warp.reference.errors import FaultKind, Unsupported
from irsmith.frontends.warp.reference.memory import Sharing
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.scope import ArrayExpr, Run, Scope
from irsmith.frontends.warp.reference.values import Array, Expr, Type, Value, is_composite, scalar_of, select
from irsmith.types import INT32, ArrayType, Scalar

Handler = Callable[[Scope, ast.Call, int], Expr]
Combine = Callable[[Ops, Array, Array], Array]


def _target(scope: Scope, node: ast.Call, values: int) -> tuple[ArrayExpr, list[Expr], list[Expr]]:
    """The array, its indices, and the values that follow them."""
    if node.keywords:
        raise Unsupported(f"named arguments of {ast.unparse(node.func)}", node)
    array = expressions.expression(scope, node.args[0]) if node.args else None
    if not isinstance(array, ArrayExpr) or not isinstance(array.type, ArrayType):
        raise Unsupported(f"{ast.unparse(node.func)} of something other than an array", node)
    rank = array.type.rank
    if len(node.args) != 1 + rank + values:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    indices = indexing.integers(scope, node.args[1 : 1 + rank])
    given = [expressions.expression(scope, argument) for argument in node.args[1 + rank :]]
    for value in given:
        if value.type != array.type.element:
            raise Unsupported(f"{value.type} for an array of {array.type.element}", node)
    return array, indices, given


def _update(combine: Combine, *, commuting: str, bits: bool = False) -> Handler:
    """The old element is returned, and replaced by its combination with a value.

    Args:
        combine: The combination.
        commuting: What updates share whose order does not matter, as long as nobody looks at what they return.
        bits: Whether only whole numbers can be combined so.
    """

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        array, indices, (value,) = _target(scope, node, 1)
        assert isinstance(array.type, ArrayType)
        element = array.type.element
        if not (isinstance(element, Scalar) or is_composite(element)) or (bits and scalar_of(element).is_float):
            raise Unsupported(f"{ast.unparse(node.func)} of {element}", node)
        locate = indexing.position(scope, array, indices, node)
        stores, name, ops, amount = scope.machine.stores, array.view.argument, scope.ops, value.run
        scope.machine.written.add(name)
        rounds = commuting == "sum" and scalar_of(element).is_float
        sharing = Sharing()
        if scope.alone is node:
            sharing = Sharing(None if rounds else commuting, nearly=True)

        def run() -> Value:
            position = locate()
            change = amount()
            return stores[name].update(position, lambda old: combine(ops, old, change), sharing)

        return Expr(element, run, guarded=True)

    return handler


def _exchange(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The old element is returned, and replaced."""
    del expected
    array, indices, (value,) = _target(scope, node, 1)
    return _replace(scope, (array, indices), node, value)


def _compare_and_swap(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The old element is returned, and replaced where it equals ``compare``."""
    del expected
    array, indices, (compare, value) = _target(scope, node, 2)
    return _replace(scope, (array, indices), node, value, compare)


def _replace(
    scope: Scope, target: tuple[ArrayExpr, list[Expr]], node: ast.Call, value: Expr, compare: Expr | None = None
) -> Expr:
    array, indices = target
    assert isinstance(array.type, ArrayType)
    if not isinstance(array.type.element, Scalar):
        raise Unsupported(f"{ast.unparse(node.func)} of {array.type.element}", node)
    locate = indexing.position(scope, array, indices, node)
    stores, name, ops, amount = scope.machine.stores, array.view.argument, scope.ops, value.run
    scope.machine.written.add(name)

    def run() -> Value:
        position = locate()
        expected = None if compare is None else compare.run()
        new = amount()

        def replaced(old: Value) -> Value:
            return new if expected is None else select(ops.compare(np.equal, old, expected), new, old)

        return stores[name].update(position, replaced, Sharing())

    return Expr(array.type.element, run, guarded=True)


def _lower_bound(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The first place in a sorted array (or in a part of it) whose element is not less than a value.

    The last place when there is none: the documentation does not say so, Warp does it.
    """
    del expected
    arguments = [expressions.expression(scope, argument) for argument in node.args]
    array = arguments[0] if arguments else None
    if not isinstance(array, ArrayExpr) or not isinstance(array.type, ArrayType) or node.keywords:
        raise Unsupported("arguments of lower_bound", node)
    rest: list[Type] = [argument.type for argument in arguments[1:]]
    element = array.type.element
    if array.type.rank != 1 or rest not in ([element], [INT32, INT32, element]) or not isinstance(element, Scalar):
        raise Unsupported("arguments of lower_bound", node)
    *part, value = [argument.run for argument in arguments[1:]]
    return Expr(INT32, search(scope, array, value, node.lineno, part), guarded=True)


def search(scope: Scope, array: ArrayExpr, wanted: Run, line: int, part: Sequence[Run] = ()) -> Run:
    """Computes the place that `lower_bound` finds in a sorted array of one dimension, or in a part of it."""
    name, machine, ops = array.view.argument, scope.machine, scope.ops
    zero = np.zeros(1, np.int32)
    held: list[Array] = [zero]
    places = indexing.along(scope, array, [lambda: held[0]], line)
    extent = indexing.extent(scope, array, 0, ast.Pass()).run

    def run() -> Value:
        store = machine.stores[name]
        for prepare in array.prepare:
            prepare()
        bounds = [compute() for compute in part]
        value = wanted()
        size = extent()
        lower, upper = bounds or [zero, size]
        lower, upper = lower.astype(np.int32), upper.astype(np.int32)
        bad = (lower < 0) | (upper > size)
        machine.fault(FaultKind.OUT_OF_BOUNDS, bad, line)
        lower, upper = np.where(bad, 0, lower), np.where(bad, 0, upper - 1)
        while np.any(lower < upper):
            open_ = lower < upper
            middle = lower + (upper - lower) // 2
            held[0] = np.where(open_, middle, 0).astype(np.int32)
            found = store.load(store.locate([place() for place in places], line))
            less = ops.compare(np.less, found, value)
            upper = np.where(open_ & ~less, middle, upper)
            lower = np.where(open_ & less, middle + 1, lower)
        return lower.astype(np.int32)

    return run


HANDLERS: dict[str, Handler] = {
    "atomic_add": _update(lambda ops, old, change: ops.add(old, change), commuting="sum"),
    "atomic_sub": _update(lambda ops, old, change: ops.sub(old, change), commuting="sum"),
    "atomic_min": _update(scalars.minimum, commuting="min"),
    "atomic_max": _update(scalars.maximum, commuting="max"),
    "atomic_and": _update(scalars.plain(np.bitwise_and), commuting="and", bits=True),
    "atomic_or": _update(scalars.plain(np.bitwise_or), commuting="or", bits=True),
    "atomic_xor": _update(scalars.plain(np.bitwise_xor), commuting="xor", bits=True),
    "atomic_exch": _exchange,
    "atomic_cas": _compare_and_swap,
    "lower_bound": _lower_bound,
}
"""Builtins by name."""
