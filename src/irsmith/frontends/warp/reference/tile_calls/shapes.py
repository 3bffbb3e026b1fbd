"""Builtins that show a tile otherwise, in part or in another type, or that put one into another."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import tiles
from irsmith.frontends.warp.reference.constructors import construct
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.tile_calls.arguments import Handler, named, needed, several, shape_of
from irsmith.frontends.warp.reference.tiles import View, at, places_of, stacked, tile_of
from irsmith.frontends.warp.reference.values import (
    Expr,
    TileType,
    TupleType,
    Value,
    components,
)
from irsmith.types import Scalar


def _shown(shape: Callable[[Scope, dict[str, ast.expr], TileType, ast.Call], tuple[int, ...]]) -> Handler:
    """A view with the elements in their order."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = named(node, "t", "shape" if "reshape" in ast.unparse(node.func) else "axis")
        tile, type = _seen(scope, needed(found, "t", node))
        made = TileType(type.element, shape(scope, found, type, node))
        if math.prod(made.shape) != math.prod(type.shape):
            raise Unsupported("shape of other extent", node)
        run = tile.run
        return View(made, lambda: (value := run()).reshape(len(value), *components(made)), guarded=tile.guarded)

    return handler


def _seen(scope: Scope, node: ast.expr) -> tuple[Expr, TileType]:
    tile, type = tile_of(scope, node)
    tiles.shows(scope, node)
    return tile, type


def _squeezed(scope: Scope, found: dict[str, ast.expr], type: TileType, node: ast.Call) -> tuple[int, ...]:
    if "axis" not in found:
        return tuple(extent for extent in type.shape if extent != 1) or (1,)
    axes = {tiles.constant(scope, axis) % len(type.shape) for axis in several(found["axis"])}
    if any(type.shape[axis] != 1 for axis in axes):
        raise Unsupported("axis that is no single element", node)
    return tuple(extent for axis, extent in enumerate(type.shape) if axis not in axes)


def _reshaped(scope: Scope, found: dict[str, ast.expr], type: TileType, node: ast.Call) -> tuple[int, ...]:
    shape = [tiles.constant(scope, extent) for extent in several(needed(found, "shape", node))]
    if shape.count(-1) == 1:
        shape[shape.index(-1)] = math.prod(type.shape) // -math.prod(shape)
    return tuple(shape)


def _transpose(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    tile, type = _seen(scope, needed(named(node, "a"), "a", node))
    if len(type.shape) != 2:
        raise Unsupported(f"transpose of {type}", node)
    run = tile.run
    return View(TileType(type.element, type.shape[::-1]), lambda: run().swapaxes(1, 2), guarded=tile.guarded)


def _broadcast(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    found = named(node, "a", "shape")
    tile, type = _seen(scope, needed(found, "a", node))
    made = TileType(type.element, shape_of(scope, needed(found, "shape", node)))
    padded = (1,) * (len(made.shape) - len(type.shape)) + type.shape
    if len(padded) != len(made.shape) or any(a not in (1, b) for a, b in zip(padded, made.shape, strict=True)):
        raise Unsupported(f"broadcast of {type} to {made}", node)
    run, whole = tile.run, components(type.element)

    def spread() -> Value:
        value = run()
        return np.broadcast_to(value.reshape(len(value), *padded, *whole), (len(value), *components(made)))

    return View(made, spread, guarded=tile.guarded)


def _view(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A rectangle of a tile, or what is left when leading indices are fixed."""
    del expected
    found = named(node, "t", "offset", "shape")
    tile, type = _seen(scope, needed(found, "t", node))
    offset = [tiles.constant(scope, place) for place in several(needed(found, "offset", node))]
    run = tile.run
    if "shape" not in found:
        made = TileType(type.element, type.shape[len(offset) :])
        fixed = (slice(None), *offset)
        if not made.shape:
            raise Unsupported("view of one element", node)
        return View(made, lambda: run()[fixed], guarded=tile.guarded)
    made = TileType(type.element, shape_of(scope, found["shape"]))
    ends = [first + extent for first, extent in zip(offset, made.shape, strict=False)]
    if len(ends) != len(type.shape) or any(end > extent for end, extent in zip(ends, type.shape, strict=True)):
        raise Unsupported("view beyond its tile", node)
    cut = (slice(None), *(slice(first, end) for first, end in zip(offset, ends, strict=True)))
    return View(made, lambda: run()[cut], guarded=tile.guarded)


def _assign(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Copy a tile into a part of another one."""
    del expected
    found = named(node, "dst", "src", "offset")
    target, into = tile_of(scope, needed(found, "dst", node))
    source, type = tile_of(scope, needed(found, "src", node))
    offset = [0] * len(into.shape)
    if "offset" in found:
        offset = [tiles.constant(scope, place) for place in several(found["offset"])]
    ends = [first + extent for first, extent in zip(offset, type.shape, strict=False)]
    if (
        type.element != into.element
        or not len(ends) == len(into.shape) == len(type.shape)
        or any(end > extent for end, extent in zip(ends, into.shape, strict=True))
    ):
        raise Unsupported(f"assignment of {type} to {into}", node)
    cut = (slice(None), *(slice(first, end) for first, end in zip(offset, ends, strict=True)))
    save = tiles.kept(scope, needed(found, "dst", node))
    old, new = target.run, source.run

    def assign() -> Value:
        value, part = old(), new()
        lanes = max(len(value), len(part))
        result = np.array(np.broadcast_to(value, (lanes, *value.shape[1:])))
        result[cut] = part
        save(result)

    return Expr(TupleType(()), assign, guarded=True)


def _astype(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A tile of another scalar type."""
    del expected
    found = named(node, "t", "dtype")
    tile, type = tile_of(scope, needed(found, "t", node))
    kind = scope.source.type(needed(found, "dtype", node))
    if not isinstance(type.element, Scalar) or not isinstance(kind, Scalar):
        raise Unsupported(f"{type} as {kind}", node)
    held: list[Value] = [None]
    convert = construct(scope, kind, [Expr(type.element, lambda: held[0])], {}, node).run
    made, run = TileType(kind, type.shape), tile.run

    def converted() -> Value:
        value = run()
        elements = []
        for where in places_of(type.shape):
            held[0] = at(value, where)
            elements.append(convert())
        return stacked(elements, made)

    return Expr(made, converted, guarded=True)


def _extract(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """One element, or a component of it."""
    del expected
    if node.keywords or len(node.args) < 2:
        raise Unsupported("arguments of tile_extract", node)
    tile, type = tile_of(scope, node.args[0])
    if len(node.args) - 1 < len(type.shape):
        raise Unsupported("a row from tile_extract", node)
    return tiles.picked(scope, tile, node.args[1:], node)


SHAPES: dict[str, Handler] = {
    "tile_view": _view,
    "tile_squeeze": _shown(_squeezed),
    "tile_reshape": _shown(_reshaped),
    "tile_transpose": _transpose,
    "tile_broadcast": _broadcast,
    "tile_assign": _assign,
    "tile_astype": _astype,
    "tile_extract": _extract,
}
"""Builtins by name."""
