"""Builtins of tiles as vectors and matrices."""

from __future__ import annotations

import ast

import numpy as np

from irsmith.frontends.warp.reference import expressions, tiles
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.scope import Run, Scope
from irsmith.frontends.warp.reference.tile_calls.arguments import Handler, named, needed
from irsmith.frontends.warp.reference.tiles import tile_of
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    TileType,
    TupleType,
    Value,
    along,
    components,
    scalar_of,
)
from irsmith.types import Scalar


def _dot(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The sum of the products of all components."""
    del expected
    found = named(node, "a", "b")
    (a, type), (b, other) = (tile_of(scope, needed(found, name, node)) for name in ("a", "b"))
    if type != other:
        raise Unsupported(f"dot of {type} and {other}", node)
    first, second, ops = a.run, b.run, scope.ops

    def dot() -> Value:
        products = ops.mul(first(), second())
        return ops.total(products.reshape(len(products), -1))[:, None]

    return Expr(TileType(scalar_of(type), (1,)), dot, guarded=True)


def _axpy(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``dest += alpha * src``."""
    del expected
    found = named(node, "alpha", "src", "dest")
    alpha = expressions.expression(scope, needed(found, "alpha", node))
    (src, type), (dest, other) = (tile_of(scope, needed(found, name, node)) for name in ("src", "dest"))
    if type != other or alpha.type != scalar_of(type):
        raise Unsupported(f"axpy of {alpha.type}, {type} and {other}", node)
    save = tiles.kept(scope, needed(found, "dest", node))
    ops, rank = scope.ops, 1 + len(components(type))

    def add() -> Value:
        save(ops.add(dest.run(), ops.mul(along(alpha.run(), rank), src.run())))

    return Expr(TupleType(()), add, guarded=True)


def _diag_add(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A square tile with the entries of another added to its diagonal."""
    del expected
    found = named(node, "a", "d")
    (a, type), (d, other) = (tile_of(scope, needed(found, name, node)) for name in ("a", "d"))
    if type.element != other.element or type.shape != other.shape * 2 or not isinstance(type.element, Scalar):
        raise Unsupported(f"diag_add of {type} and {other}", node)
    first, second, ops = a.run, d.run, scope.ops
    places = np.arange(other.shape[0])

    def add() -> Value:
        value, entries = first(), second()
        result = np.array(np.broadcast_to(value, (max(len(value), len(entries)), *value.shape[1:])))
        result[:, places, places] = ops.add(value[:, places, places], entries)
        return result

    return Expr(type, add, guarded=True)


def _matmul(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``out = alpha * a @ b + beta * out`` in place; without ``out``, the product as a new tile."""
    del expected
    found = named(node, "a", "b", "out", "alpha", "beta")
    (a, left), (b, right) = (tile_of(scope, needed(found, name, node)) for name in ("a", "b"))
    kind = left.element
    if (
        len(left.shape) != 2
        or len(right.shape) != 2
        or left.shape[1] != right.shape[0]
        or kind != right.element
        or not isinstance(kind, Scalar)
        or not kind.is_float
    ):
        raise Unsupported(f"product of {left} and {right}", node)
    made = TileType(kind, (left.shape[0], right.shape[1]))
    alpha = _factor(scope, found.get("alpha"), kind, node)
    beta = _factor(scope, found.get("beta"), kind, node)
    ops = scope.ops

    def product() -> Array:
        x, y = a.run(), b.run()
        total = None
        for k in range(left.shape[1]):
            term = ops.mul(x[:, :, k, None], y[:, None, k, :])
            total = term if total is None else ops.add(total, term)
        assert total is not None
        return total if alpha is None else ops.mul(along(alpha(), 3), total)

    if "out" not in found:
        return Expr(made, product, guarded=True)
    out, type = tile_of(scope, found["out"])
    if type != made:
        raise Unsupported(f"product {made} added to {type}", node)
    save = tiles.kept(scope, found["out"])

    def accumulate() -> Value:
        before = out.run()
        save(ops.add(product(), before if beta is None else ops.mul(along(beta(), 3), before)))

    return Expr(TupleType(()), accumulate, guarded=True)


def _factor(scope: Scope, node: ast.expr | None, kind: Scalar, call: ast.Call) -> Run | None:
    if node is None:
        return None
    factor = expressions.expression(scope, node)
    if factor.const is not None:
        factor = scope.constant(kind, factor.const)
    if factor.type != kind:
        raise Unsupported(f"factor of type {factor.type} for {kind}", call)
    return factor.run


PRODUCTS: dict[str, Handler] = {
    "tile_dot": _dot,
    "tile_axpy": _axpy,
    "tile_diag_add": _diag_add,
    "tile_matmul": _matmul,
}
"""Builtins by name."""
