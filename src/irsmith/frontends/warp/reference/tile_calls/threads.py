"""Builtins by which each thread of a block says something of a tile: a CPU's block has one thread, of number 0."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import expressions, tiles
from irsmith.frontends.warp.reference.builtins.random import Draws, permute
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.tile_calls.arguments import Handler, named, needed, shape_of
from irsmith.frontends.warp.reference.tile_calls.memory import repeated
from irsmith.frontends.warp.reference.tiles import places_of, stacked, tile_of
from irsmith.frontends.warp.reference.values import Array, Expr, TileType, TupleType, Type, Value, components
from irsmith.types import BOOL, FLOAT32, INT32, UINT32, Matrix, Scalar, Vector


def _draws(kind: Scalar, one: Callable[[Draws], Array], between: Callable[..., Array]) -> Handler:
    """Random numbers, which each thread draws from a stream of its own; the state given stays as it is."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = named(node, "shape", "rng", "min", "max")
        state = expressions.expression(scope, needed(found, "rng", node))
        bounds = [expressions.expression(scope, found[name]) for name in ("min", "max") if name in found]
        if state.type != UINT32 or len(bounds) == 1 or any(bound.type != kind for bound in bounds):
            raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
        type = TileType(kind, shape_of(scope, needed(found, "shape", node)))
        ops, line = scope.ops, node.lineno

        def run() -> Value:
            ends = [bound.run() for bound in bounds]
            draws = Draws(ops, permute(state.run()), line)
            return stacked([between(draws, *ends) if ends else one(draws) for _ in places_of(type.shape)], type)

        return Expr(type, run, guarded=True)

    return handler


def _scatter(change: Callable[[Ops, Array, Array], Array], *options: str) -> Handler:
    """Change one element of a tile, if a condition holds."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = {keyword.arg: keyword.value for keyword in node.keywords}
        tile, *rest = node.args
        _, type = tiles.tile_of(scope, tile)
        rank = len(type.shape)
        found |= dict(zip(("value", "has_value", *options), rest[rank:], strict=False))
        if set(found) - {"value", "has_value", *options} or len(rest) > rank + 2 + len(options) or len(found) < 2:
            raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
        element = ast.Subscript(tile, ast.Tuple(rest[:rank], ast.Load()) if rank > 1 else rest[0], ast.Store())
        place = tiles.element_place(scope, ast.copy_location(element, node))
        value, wanted = (expressions.expression(scope, found[name]) for name in ("value", "has_value"))
        if place is None or place.type != value.type or wanted.type != BOOL:
            raise Unsupported(f"{value.type} put into {type}", node)
        machine, ops = scope.machine, scope.ops

        def run() -> Value:
            new, some, entry = value.run(), wanted.run(), machine.mask
            machine.mask = np.broadcast_to(some, machine.lanes) if entry is None else some & entry
            place.find()
            place.save(change(ops, place.load(), new))
            machine.mask = entry

        return Expr(TupleType(()), run, guarded=True)

    return handler


def _block(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """How many threads a block has."""
    del expected
    if node.args or node.keywords:
        raise Unsupported("arguments of block_dim", node)
    return scope.constant(INT32, 1)


def _from_thread(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """What one thread of the block says: there is one, of number 0."""
    del expected
    found = named(node, "shape", "value", "thread_idx")
    value = expressions.expression(scope, needed(found, "value", node))
    thread = expressions.expression(scope, needed(found, "thread_idx", node))
    if thread.const != 0 or not tiles.is_plain(value.type):
        raise Unsupported("another thread than the first", node)
    return repeated(TileType(value.type, shape_of(scope, needed(found, "shape", node))), value)


def _of_thread(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``tile(x)``: one element for each thread of the block, of which a CPU's has one."""
    del expected
    found = named(node, "x", "preserve_type")
    value = expressions.expression(scope, needed(found, "x", node))
    kept = "preserve_type" in found and bool(expressions.expression(scope, found["preserve_type"]).const)
    run = value.run
    if isinstance(value.type, Scalar) or (kept and tiles.is_plain(value.type)):
        return Expr(TileType(value.type, (1,)), lambda: run()[:, None], guarded=value.guarded)
    if isinstance(value.type, Vector | Matrix):
        type = TileType(value.type.scalar, (*components(value.type), 1))
        return Expr(type, lambda: run()[..., None], guarded=value.guarded)
    raise Unsupported(f"tile of {value.type}", node)


def _to_thread(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``untile(t)``: this thread's element, or vector of elements."""
    del expected
    tile, type = tile_of(scope, needed(named(node, "a"), "a", node))
    run = tile.run
    if type.shape[-1] != 1 or len(type.shape) > 2 or not isinstance(type.element, Scalar):
        raise Unsupported(f"untile of {type}", node)
    kind: Type = type.element if len(type.shape) == 1 else Vector(type.shape[0], type.element)
    return Expr(kind, lambda: run()[..., 0], guarded=tile.guarded)


THREADS: dict[str, Handler] = {
    "tile_from_thread": _from_thread,
    "tile": _of_thread,
    "untile": _to_thread,
    "tile_randi": _draws(INT32, lambda draws: draws.bits().view(np.int32), Draws.below),
    "tile_randf": _draws(FLOAT32, Draws.unit, Draws.between),
    "tile_scatter_add": _scatter(lambda ops, old, new: ops.add(old, new), "atomic"),
    "tile_scatter_masked": _scatter(lambda _, __, new: new),
    "block_dim": _block,
}
"""Builtins by name."""
