"""Builtins that map and fold tiles.

The order in which elements are combined is a CPU's, where one thread holds the whole tile: row by row. Where the
documentation leaves a choice among equal elements open, it is the first of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import expressions, tiles
from irsmith.frontends.warp.reference.errors import FaultKind, Unsupported
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.source import Builtin, PythonModule
from irsmith.frontends.warp.reference.tile_calls.arguments import Handler, named, needed
from irsmith.frontends.warp.reference.tiles import Call, at, flat, places_of, stacked, tile_of
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    TileType,
    TupleType,
    Value,
    components,
)
from irsmith.types import FLOAT32, INT32, UINT32, Scalar


def _map(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A function of each element, with those of other tiles, and with what is the same for all."""
    del expected
    if node.keywords or len(node.args) < 2:
        raise Unsupported("arguments of tile_map", node)
    operands = [expressions.expression(scope, argument) for argument in node.args[1:]]
    shapes = {operand.type.shape for operand in operands if isinstance(operand.type, TileType)}
    if len(shapes) != 1 or not isinstance(operands[0].type, TileType):
        raise Unsupported("tile_map of tiles of different shapes", node)
    call = Call(
        scope, scope.callables.target(scope, node.args[0]), [tiles.inside(operand.type) for operand in operands], node
    )
    return tiles.each(call, operands, shapes.pop(), node)


def _reduction(scope: Scope, call: Call | None, tile: Expr, axis: int | None) -> Expr:
    """A tile folded along an axis, or whole to a tile of one element; by addition where no call is given."""
    type = tile.type
    assert isinstance(type, TileType)
    run, ops = tile.run, scope.ops
    if axis is None or len(type.shape) == 1:
        made, split = TileType(type.element, (1,)), False
    else:
        made, split = TileType(type.element, type.shape[:axis] + type.shape[axis + 1 :]), True

    def fold() -> Value:
        value = run()
        lines = np.moveaxis(value, 1 + (axis or 0), 1) if split else flat(value, type)
        if call is None:
            total = lines[:, 0]
            for place in range(1, lines.shape[1]):
                total = ops.add(total, lines[:, place])
            return total if split else total[:, None]
        results = []
        for where in places_of(made.shape if split else ()):
            elements = [at(lines[:, place], where) for place in range(lines.shape[1])]
            results.append(tiles.folded(call, elements))
        return stacked(results, made)

    return Expr(made, fold, guarded=True)


def _axis(scope: Scope, found: dict[str, ast.expr], type: TileType, node: ast.Call) -> int | None:
    if "axis" not in found:
        return None
    axis = tiles.constant(scope, found["axis"])
    if not 0 <= axis < len(type.shape):
        raise Unsupported("axis of a tile", node)
    return axis


def _sum(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    found = named(node, "a", "axis")
    tile, type = tile_of(scope, needed(found, "a", node))
    return _reduction(scope, None, tile, _axis(scope, found, type, node))


def _extreme(name: str) -> Handler:
    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        tile, type = tile_of(scope, needed(named(node, "a"), "a", node))
        return _reduction(scope, Call(scope, Builtin(name), [type.element] * 2, node), tile, None)

    return handler


def _reduce(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    found = named(node, "op", "a", "axis")
    tile, type = tile_of(scope, needed(found, "a", node))
    target = scope.callables.target(scope, needed(found, "op", node))
    if isinstance(target, PythonModule):
        raise Unsupported("reduction by a module", node)
    call = Call(scope, target, [type.element] * 2, node)
    if call.type != type.element:
        raise Unsupported(f"reduction of {type} to {call.type}", node)
    return _reduction(scope, call, tile, _axis(scope, found, type, node))


def _place_of_extreme(relation: Callable[..., Array]) -> Handler:
    """Where an extreme stands, counted row by row."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        tile, type = tile_of(scope, needed(named(node, "a"), "a", node))
        if not isinstance(type.element, Scalar):
            raise Unsupported(f"place of the extreme of {type}", node)
        run, ops, machine = tile.run, scope.ops, scope.machine

        def find() -> Value:
            value = flat(run(), type)
            # Which of them is compared with which hangs on the number of threads.
            unknown = np.isnan(value).any(axis=1)
            machine.fault(FaultKind.UNSPECIFIED_ORDER, np.broadcast_to(unknown, machine.lanes), node.lineno)
            best, place = value[:, 0], np.zeros(len(value), np.int32)
            for other in range(1, value.shape[1]):
                better = ops.compare(relation, value[:, other], best)
                best = np.where(better, value[:, other], best)
                place = np.where(better, np.int32(other), place)
            return place[:, None]

        return Expr(TileType(INT32, (1,)), find, guarded=True)

    return handler


def _scan(call_name: str, *, inclusive: bool = True) -> Handler:
    """Each element folded with all before it."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        tile, type = tile_of(scope, needed(named(node, "a"), "a", node))
        if type.element not in (FLOAT32, INT32, UINT32):
            raise Unsupported(f"scan of {type}", node)
        call, run = Call(scope, Builtin(call_name), [type.element] * 2, node), tile.run

        def scan() -> Value:
            value = flat(run(), type)
            done = [value[:, 0]]
            for place in range(1, value.shape[1]):
                done.append(call(done[-1], value[:, place]))
            if not inclusive:
                done = [np.zeros_like(done[0]), *done[:-1]]
            return stacked(done, type)

        return Expr(type, scan, guarded=True)

    return handler


def _sort(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Sort keys, and values with them, in place. The order of values with equal keys is not defined."""
    del expected
    found = named(node, "keys", "values")
    (keys, kind), (values, type) = (tile_of(scope, needed(found, name, node)) for name in ("keys", "values"))
    if kind.shape != type.shape or not isinstance(kind.element, Scalar):
        raise Unsupported(f"sort of {kind} with {type}", node)
    saves = [tiles.kept(scope, needed(found, name, node)) for name in ("keys", "values")]
    ops, machine, line = scope.ops, scope.machine, node.lineno

    def sort() -> Value:
        one, other = flat(keys.run(), kind), flat(values.run(), type)
        order = np.argsort(one, axis=1, kind="stable")
        lanes = max(len(one), len(other))
        rows = np.arange(lanes)[:, None]
        sorted_ = np.broadcast_to(one, (lanes, *one.shape[1:]))[rows, order]
        moved = np.broadcast_to(other, (lanes, *other.shape[1:]))[rows, order]
        ops.decide(np.broadcast_to(order, (lanes, order.shape[1])), sorted_[:, 1:], sorted_[:, :-1])
        unlike = (moved[:, 1:] != moved[:, :-1]).reshape(lanes, len(order[0]) - 1, -1).any(axis=2)
        tied = ((sorted_[:, 1:] == sorted_[:, :-1]) & unlike).any(axis=1)
        machine.fault(FaultKind.UNSPECIFIED_ORDER, np.broadcast_to(tied, machine.lanes), line)
        for save, result, made in zip(saves, (sorted_, moved), (kind, type), strict=True):
            save(result.reshape(lanes, *components(made)))

    return Expr(TupleType(()), sort, guarded=True)


REDUCTIONS: dict[str, Handler] = {
    "tile_map": _map,
    "tile_sum": _sum,
    "tile_min": _extreme("min"),
    "tile_max": _extreme("max"),
    "tile_reduce": _reduce,
    "tile_argmin": _place_of_extreme(np.less),
    "tile_argmax": _place_of_extreme(np.greater),
    "tile_scan_inclusive": _scan("add"),
    "tile_scan_exclusive": _scan("add", inclusive=False),
    "tile_scan_max_inclusive": _scan("max"),
    "tile_scan_min_inclusive": _scan("min"),
    "tile_sort": _sort,
}
"""Builtins by name."""
