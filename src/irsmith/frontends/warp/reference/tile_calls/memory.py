"""Builtins that make tiles, and that load, store and add to arrays."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from irsmith.frontends.warp.reference import expressions, indexing, tiles
from irsmith.frontends.warp.reference.constructors import construct
from irsmith.frontends.warp.reference.errors import FaultKind, Unsupported
from irsmith.frontends.warp.reference.memory import Sharing
from irsmith.frontends.warp.reference.scope import ArrayExpr, Cut, Run, Scope
from irsmith.frontends.warp.reference.tile_calls.arguments import (
    Handler,
    element_type,
    named,
    needed,
    several,
    shape_of,
)
from irsmith.frontends.warp.reference.tiles import Where, at, places_of, stacked, tile_of
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
from irsmith.types import FLOAT16, FLOAT32, INT32, ArrayType, Scalar


def _filled(number: int | None) -> Handler:
    """All elements are a number; without one they are not set: nothing of them may show, so floats are undefined."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = named(node, "shape", "dtype")
        type = TileType(element_type(scope, found.get("dtype"), FLOAT32), shape_of(scope, needed(found, "shape", node)))
        dtype = scope.ops.dtype(scalar_of(type))
        unset = np.nan if dtype.kind == "f" else 77
        value = np.full((1, *components(type)), unset if number is None else number, dtype)
        return Expr(type, lambda: value)

    return handler


def _full(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Every element is a value, converted where a dtype is given."""
    del expected
    found = named(node, "shape", "value", "dtype")
    value = expressions.expression(scope, needed(found, "value", node))
    kind = element_type(scope, found.get("dtype"), value.type)
    if kind != value.type:
        value = construct(scope, kind, [value], {}, node)
    return repeated(TileType(kind, shape_of(scope, needed(found, "shape", node))), value)


def repeated(type: TileType, value: Expr) -> Expr:
    """A tile whose elements are all one value."""
    run, rank = value.run, len(type.shape)

    def spread() -> Value:
        one = run()
        wide = one.reshape(len(one), *(1,) * rank, *components(type.element))
        return np.broadcast_to(wide, (len(one), *components(type)))

    return Expr(type, spread, guarded=value.guarded)


def _arange(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``start + i * step``, from Python numbers."""
    del expected
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg != "storage"}
    numbers = [expressions.expression(scope, argument) for argument in node.args]
    if not 1 <= len(numbers) <= 3 or set(options) - {"dtype"} or any(number.const is None for number in numbers):
        raise Unsupported("arguments of tile_arange", node)
    kind = element_type(scope, options.get("dtype"), numbers[0].type)
    bounds: list[Any] = [number.const for number in numbers]
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    count = math.ceil((stop - start) / step)
    if count < 1 or not isinstance(kind, Scalar):
        raise Unsupported("empty range", node)
    if kind == FLOAT16:
        raise Unsupported("range of float16, for which Warp's text does not compile", node)
    dtype = scope.ops.dtype(kind)
    first, stride = (scope.constant(kind, number).run() for number in (start, step))
    type = TileType(kind, (count,))
    ops, places = scope.ops, np.arange(count).astype(dtype)[None]
    if kind.is_float:
        return Expr(type, lambda: ops.add(first[:, None], ops.mul(places, stride[:, None])))
    value = (first[:, None] + places * stride[:, None]).astype(dtype)
    return Expr(type, lambda: value)


# Arrays.


class _Window:
    """Where the elements of a tile lie in an array.

    Attributes:
        name: The array.
    """

    def __init__(
        self,
        scope: Scope,
        found: dict[str, ast.expr],
        shape: tuple[int, ...],
        node: ast.Call,
    ) -> None:
        array = expressions.expression(scope, needed(found, "a", node))
        if not isinstance(array, ArrayExpr) or not isinstance(array.type, ArrayType):
            raise Unsupported("tile of something other than an array", node)
        if array.type.rank != len(shape) or not tiles.is_plain(array.type.element):
            raise Unsupported(f"tile of {len(shape)} dimensions of {array.type}", node)
        self.element, self.name = array.type.element, array.view.argument
        self._scope, self._shape, self._line = scope, shape, node.lineno
        self._prefix = [axis for axis in array.view.axes if not isinstance(axis, Cut)]
        if array.view.tables or len(self._prefix) < len(array.view.axes):
            raise Unsupported("tile of an array that is indexed or cut", node)
        self._prepare = array.prepare
        offset = several(found["offset"]) if "offset" in found else []
        if len(offset) not in (0, len(shape)):
            raise Unsupported("offset of a tile", node)
        self._offset = [expr.run for expr in indexing.integers(scope, offset)]
        self._indices: Run | None = None
        self._axis = 0
        if "indices" in found:
            indices, type = tile_of(scope, found["indices"])
            self._axis = tiles.constant(scope, found["axis"]) if "axis" in found else 0
            if type.element != INT32 or not 0 <= self._axis < len(shape) or type.shape != (shape[self._axis],):
                raise Unsupported("indices of a tile", node)
            self._indices = indices.run

    def places(self) -> list[tuple[int | Array, Array | None]]:
        """For each element its flat position, and in which lanes it is inside the array; None for all."""
        machine = self._scope.machine
        store = machine.stores[self.name]
        for prepare in self._prepare:
            prepare()
        prefix = [run() for run in self._prefix]
        offset = [run().astype(np.int64) for run in self._offset] or [np.zeros(1, np.int64)] * len(self._shape)
        indices = None if self._indices is None else self._indices().astype(np.int64)
        extents = store.shape[len(prefix) :]
        result: list[tuple[int | Array, Array | None]] = []
        for where in places_of(self._shape):
            inside: Any = True
            coordinates = []
            for axis, (place, extent) in enumerate(zip(where, extents, strict=True)):
                gathered = indices is not None and axis == self._axis
                step = indices[:, place] if gathered and indices is not None else place
                coordinate = offset[axis] + step
                if indices is None:
                    # Nothing is said of what lies before the array.
                    machine.fault(FaultKind.OUT_OF_BOUNDS, np.broadcast_to(coordinate < 0, machine.lanes), self._line)
                within = (coordinate >= 0) & (coordinate < extent)
                inside = inside & within
                coordinates.append(np.where(within, coordinate, 0).astype(np.int32))
            position = store.locate([*prefix, *coordinates], self._line)
            everywhere = bool(np.all(inside))
            result.append((position, None if everywhere else np.broadcast_to(inside, machine.lanes)))
        return result

    def at_each(self, act: Callable[[Where, int | Array, Array | None], None]) -> None:
        """Do something at each element, in the lanes in which it is inside the array."""
        machine = self._scope.machine
        entry = machine.mask
        for where, (position, inside) in zip(places_of(self._shape), self.places(), strict=True):
            if inside is not None:
                machine.mask = inside if entry is None else inside & entry
            act(where, position, inside)
            machine.mask = entry


def _load(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Elements of an array; 0 beyond its end."""
    del expected
    return _loaded(scope, node, named(node, "a", "shape", "offset"))


def _load_indexed(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Elements of an array, along one axis by a tile of indices; 0 outside of it."""
    del expected
    return _loaded(scope, node, named(node, "a", "indices", "shape", "offset", "axis"))


def _loaded(scope: Scope, node: ast.Call, found: dict[str, ast.expr]) -> Expr:
    shape = shape_of(scope, needed(found, "shape", node))
    window = _Window(scope, found, shape, node)
    type = TileType(window.element, shape)
    stores, whole = scope.machine.stores, len(components(window.element))

    def run() -> Value:
        elements: list[Array] = []

        def read(_: Where, position: int | Array, inside: Array | None) -> None:
            value = stores[window.name].load(position)
            elements.append(value if inside is None else np.where(along(inside, 1 + whole), value, value.dtype.type(0)))

        window.at_each(read)
        return stacked(elements, type)

    return Expr(type, run, guarded=True)


def _store(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Write a tile to an array; nothing beyond its end."""
    del expected
    return _stored(scope, node, named(node, "a", "t", "offset"))


def _store_indexed(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Write a tile to an array, along one axis by a tile of indices."""
    del expected
    return _stored(scope, node, named(node, "a", "indices", "t", "offset", "axis"))


def _stored(scope: Scope, node: ast.Call, found: dict[str, ast.expr]) -> Expr:
    tile, window = _written(scope, node, found)
    stores, run = scope.machine.stores, tile.run

    def write() -> Value:
        value = run()
        window.at_each(lambda where, position, _: stores[window.name].save(position, at(value, where)))

    return Expr(TupleType(()), write, guarded=True)


def _written(scope: Scope, node: ast.Call, found: dict[str, ast.expr]) -> tuple[Expr, _Window]:
    tile, type = tile_of(scope, needed(found, "t", node))
    window = _Window(scope, found, type.shape, node)
    if window.element != type.element:
        raise Unsupported(f"{type} for an array of {window.element}", node)
    scope.machine.written.add(window.name)
    return tile, window


def _atomic_add(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Add a tile to an array, and give what was there."""
    del expected
    return _added(scope, node, named(node, "a", "t", "offset"))


def _atomic_add_indexed(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Add a tile to an array, along one axis by a tile of indices."""
    del expected
    return _added(scope, node, named(node, "a", "indices", "t", "offset", "axis"))


def _added(scope: Scope, node: ast.Call, found: dict[str, ast.expr]) -> Expr:
    tile, window = _written(scope, node, found)
    type = tile.type
    assert isinstance(type, TileType)
    stores, run, ops = scope.machine.stores, tile.run, scope.ops
    sharing = Sharing()
    if scope.alone is node:
        sharing = Sharing(None if scalar_of(type).is_float else "sum", nearly=True)

    def add() -> Value:
        value = run()
        before: list[Array] = []

        def one(where: Where, position: int | Array, inside: Array | None) -> None:
            change = at(value, where)
            old = stores[window.name].update(position, lambda held: ops.add(held, change), sharing)
            before.append(old if inside is None else np.where(along(inside, old.ndim), old, old.dtype.type(0)))

        window.at_each(one)
        return stacked(before, type)

    return Expr(type, add, guarded=True)


MEMORY: dict[str, Handler] = {
    "tile_zeros": _filled(0),
    "tile_ones": _filled(1),
    "tile_empty": _filled(None),
    "tile_full": _full,
    "tile_arange": _arange,
    "tile_load": _load,
    "tile_load_indexed": _load_indexed,
    "tile_store": _store,
    "tile_store_indexed": _store_indexed,
    "tile_atomic_add": _atomic_add,
    "tile_atomic_add_indexed": _atomic_add_indexed,
}
"""Builtins by name."""
