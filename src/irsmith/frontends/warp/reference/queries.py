"""Searches in structures of points, by trying every point.

A grid gives candidates, of which all within the radius are sure to be and others may be: here every point is one. What
a kernel makes of them must not hang on those that are too far, nor on their order.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import expressions, places
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.values import Expr, QueryType, Type, Value, select
from irsmith.types import BOOL, FLOAT32, INT32, UINT64, Vector

Handler = Callable[[Scope, ast.Call, int], Expr]


def _operands(scope: Scope, node: ast.Call, *types: Type) -> list[Expr]:
    operands = [expressions.expression(scope, argument) for argument in node.args]
    if node.keywords or [operand.type for operand in operands] != list(types):
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    return operands


def _grid_query(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The candidates within some distance of a point."""
    del expected
    grid, point, distance = _operands(scope, node, UINT64, Vector(3, FLOAT32), FLOAT32)

    def run() -> Value:
        points = grid.run()
        point.run()
        distance.run()
        if points.ndim != 3:
            raise Unsupported("a grid that is not given as its points", node)
        return np.array([[0, points.shape[1]]], np.int32)

    return Expr(QueryType(), run, guarded=True)


def _next(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Move a search on: whether there is a candidate, whose number goes to a variable."""
    del expected
    if len(node.args) != 2 or node.keywords or not isinstance(node.args[0], ast.Name):
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    query, index = places.place(scope, node.args[0]), places.place(scope, node.args[1])
    if not isinstance(query.type, QueryType) or index.type != INT32:
        raise Unsupported(f"{ast.unparse(node.func)} of {query.type} and {index.type}", node)

    def run() -> Value:
        state = query.load()
        index.find()
        found = state[:, 0] < state[:, 1]
        index.save(select(found, state[:, 0], index.load()))
        query.save(state + np.array([1, 0], np.int32))
        return found

    return Expr(BOOL, run, guarded=True)


def _point_id(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The point at a place of a grid's own order, which is not defined: here that of the points."""
    del expected
    _, index = _operands(scope, node, UINT64, INT32)
    return Expr(INT32, index.run, guarded=index.guarded)


QUERIES: dict[str, Handler] = {
    "hash_grid_query": _grid_query,
    "hash_grid_query_next": _next,
    "hash_grid_point_id": _point_id,
}
"""Builtins by name."""
