"""Builtins of tiles that factor a matrix or solve equations, as new tiles or in place of what they were given."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import tiles
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.tile_calls.arguments import Handler, named, needed
from irsmith.frontends.warp.reference.tiles import tile_of
from irsmith.frontends.warp.reference.values import Array, Expr, TileType, TupleType, Value
from irsmith.types import FLOAT32, FLOAT64


def factor(ops: Ops, a: Array, *, upper: bool) -> Array:
    """The triangle of Cholesky's factor of matrices ``(lanes, n, n)``; only the same triangle of them is read."""
    lower = a.swapaxes(1, 2) if upper else a
    size = a.shape[1]
    made = np.zeros(a.shape, a.dtype)
    for j in range(size):
        rest = lower[:, j:, j]
        for k in range(j):
            rest = ops.sub(rest, ops.mul(made[:, j:, k], made[:, j, k, None]))
        made[:, j, j] = ops.sqrt(rest[:, 0])
        if j + 1 < size:
            made[:, j + 1 :, j] = ops.div(rest[:, 1:], made[:, j, j, None])
    return made.swapaxes(1, 2) if upper else made


def substituted(ops: Ops, triangle: Array, y: Array, *, backward: bool) -> Array:
    """The unknowns ``(lanes, n, columns)`` of a lower triangle's equations, or with ``backward`` an upper one's."""
    size = triangle.shape[1]
    rows = range(size - 1, -1, -1) if backward else range(size)
    lanes = max(len(triangle), len(y))
    x = np.zeros((lanes, *y.shape[1:]), y.dtype)
    for i in rows:
        rest = y[:, i]
        for k in range(i + 1, size) if backward else range(i):
            rest = ops.sub(rest, ops.mul(triangle[:, i, k, None], x[:, k]))
        x[:, i] = ops.div(rest, triangle[:, i, i, None])
    return x


def _square(type: TileType, node: ast.Call) -> None:
    if type.element not in (FLOAT32, FLOAT64) or len(type.shape) != 2 or type.shape[0] != type.shape[1]:
        raise Unsupported(f"{ast.unparse(node.func)} of {type}", node)


def _is_upper(found: dict[str, ast.expr], node: ast.Call) -> bool:
    mode = found.get("fill_mode")
    if mode is None:
        return False
    if not isinstance(mode, ast.Constant) or mode.value not in ("lower", "upper"):
        raise Unsupported("fill_mode", node)
    return bool(mode.value == "upper")


def _given(scope: Scope, type: TileType, made: Callable[[], Value], place: ast.expr | None) -> Expr:
    """A new tile, or one in place of another."""
    if place is None:
        return Expr(type, made, guarded=True)
    save = tiles.kept(scope, place)
    return Expr(TupleType(()), lambda: save(made()), guarded=True)


def _cholesky(*, in_place: bool) -> Handler:
    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = named(node, "A", "fill_mode")
        source = needed(found, "A", node)
        tile, type = tile_of(scope, source)
        _square(type, node)
        upper, run, ops = _is_upper(found, node), tile.run, scope.ops
        return _given(scope, type, lambda: factor(ops, run(), upper=upper), source if in_place else None)

    return handler


def _solve(names: tuple[str, str], *, in_place: bool, backward: bool | None) -> Handler:
    """Unknowns of a triangle's equations, or without ``backward`` those of a matrix of which the factor is given."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = named(node, *names, *(("fill_mode",) if backward is None else ()))
        (triangle, kind), (right, type) = (tile_of(scope, needed(found, name, node)) for name in names)
        _square(kind, node)
        if type.element != kind.element or len(type.shape) > 2 or type.shape[0] != kind.shape[0]:
            raise Unsupported(f"{ast.unparse(node.func)} of {kind} and {type}", node)
        upper, ops = _is_upper(found, node), scope.ops

        def solved() -> Value:
            held, y = triangle.run(), right.run()
            wide = y.reshape(len(y), kind.shape[0], -1)
            if backward is not None:
                x = substituted(ops, held, wide, backward=backward)
            else:
                lower = held.swapaxes(1, 2) if upper else held
                x = substituted(ops, lower, wide, backward=False)
                x = substituted(ops, lower.swapaxes(1, 2), x, backward=True)
            return x.reshape(len(x), *type.shape)

        return _given(scope, type, solved, needed(found, names[1], node) if in_place else None)

    return handler


SOLVERS: dict[str, Handler] = {
    "tile_cholesky": _cholesky(in_place=False),
    "tile_cholesky_inplace": _cholesky(in_place=True),
    "tile_cholesky_solve": _solve(("L", "y"), in_place=False, backward=None),
    "tile_cholesky_solve_inplace": _solve(("L", "y"), in_place=True, backward=None),
    "tile_lower_solve": _solve(("L", "y"), in_place=False, backward=False),
    "tile_lower_solve_inplace": _solve(("L", "y"), in_place=True, backward=False),
    "tile_upper_solve": _solve(("U", "z"), in_place=False, backward=True),
    "tile_upper_solve_inplace": _solve(("U", "z"), in_place=True, backward=True),
}
"""Builtins by name."""
