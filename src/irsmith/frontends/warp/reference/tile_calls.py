"""The builtins of tiles: making, loading, storing, showing, mapping and folding them.

The order in which elements are combined is a CPU's, where one thread holds the whole tile: row by row. Where the
documentation leaves a choice among equal elements open, it is the first of them.
"""

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
from irsmith.frontends.warp.reference.scope import ArrayExpr, Run, Scope
from irsmith.frontends.warp.reference.source import Builtin, PythonModule
from irsmith.frontends.warp.reference.tiles import Call, View, Where, at, flat, places_of, stacked, tile_of
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    TileType,
    TupleType,
    Type,
    Value,
    along,
    components,
    scalar_of,
)
from irsmith.types import FLOAT16, FLOAT32, INT32, UINT32, ArrayType, Matrix, Scalar, Vector

Handler = Callable[[Scope, ast.Call, int], Expr]

_IGNORED = frozenset({"storage", "aligned", "bounds_check"})
"""Options that say where a tile is held, and what the caller vouches for."""


def _given(node: ast.Call, *names: str) -> dict[str, ast.expr]:
    """The arguments of a call by name."""
    found = dict(zip(names, node.args, strict=False))
    found |= {keyword.arg or "": keyword.value for keyword in node.keywords}
    if len(node.args) > len(names) or set(found) - set(names) - _IGNORED:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    return found


def _needed(found: dict[str, ast.expr], name: str, node: ast.Call) -> ast.expr:
    if name not in found:
        raise Unsupported(f"{ast.unparse(node.func)} without {name}", node)
    return found[name]


def _several(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple | ast.List) else [node]


def _shape(scope: Scope, node: ast.expr) -> tuple[int, ...]:
    shape = tuple(tiles.constant(scope, extent) for extent in _several(node))
    if not 1 <= len(shape) <= 4 or any(extent < 1 for extent in shape):
        raise Unsupported("shape of a tile", node)
    return shape


def _dtype(scope: Scope, node: ast.expr | None, otherwise: Type) -> Type:
    type = otherwise if node is None else scope.source.type(node)
    if not tiles.is_plain(type):
        raise Unsupported(f"tile of {type}", node)
    return type


# Tiles of given numbers.


def _filled(number: int | None) -> Handler:
    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = _given(node, "shape", "dtype")
        type = TileType(_dtype(scope, found.get("dtype"), FLOAT32), _shape(scope, _needed(found, "shape", node)))
        value = np.full((1, *components(type)), number, scope.ops.dtype(scalar_of(type)))
        return Expr(type, lambda: value)

    return handler


def _full(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Every element is a value, converted where a dtype is given."""
    del expected
    found = _given(node, "shape", "value", "dtype")
    value = expressions.expression(scope, _needed(found, "value", node))
    kind = _dtype(scope, found.get("dtype"), value.type)
    if kind != value.type:
        value = construct(scope, kind, [value], {}, node)
    return _repeated(TileType(kind, _shape(scope, _needed(found, "shape", node))), value)


def _repeated(type: TileType, value: Expr) -> Expr:
    run, rank = value.run, len(type.shape)

    def repeated() -> Value:
        one = run()
        wide = one.reshape(len(one), *(1,) * rank, *components(type.element))
        return np.broadcast_to(wide, (len(one), *components(type)))

    return Expr(type, repeated, guarded=value.guarded)


def _from_thread(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """What one thread of the block says: there is one, of number 0."""
    del expected
    found = _given(node, "shape", "value", "thread_idx")
    value = expressions.expression(scope, _needed(found, "value", node))
    thread = expressions.expression(scope, _needed(found, "thread_idx", node))
    if thread.const != 0 or not tiles.is_plain(value.type):
        raise Unsupported("another thread than the first", node)
    return _repeated(TileType(value.type, _shape(scope, _needed(found, "shape", node))), value)


def _arange(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``start + i * step``, from Python numbers."""
    del expected
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg != "storage"}
    numbers = [expressions.expression(scope, argument) for argument in node.args]
    if not 1 <= len(numbers) <= 3 or set(options) - {"dtype"} or any(number.const is None for number in numbers):
        raise Unsupported("arguments of tile_arange", node)
    kind = _dtype(scope, options.get("dtype"), numbers[0].type)
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


def _of_thread(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``tile(x)``: one element for each thread of the block, of which a CPU's has one."""
    del expected
    found = _given(node, "x", "preserve_type")
    value = expressions.expression(scope, _needed(found, "x", node))
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
    tile, type = tile_of(scope, _needed(_given(node, "a"), "a", node))
    run = tile.run
    if type.shape[-1] != 1 or len(type.shape) > 2 or not isinstance(type.element, Scalar):
        raise Unsupported(f"untile of {type}", node)
    kind: Type = type.element if len(type.shape) == 1 else Vector(type.shape[0], type.element)
    return Expr(kind, lambda: run()[..., 0], guarded=tile.guarded)


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
        array = expressions.expression(scope, _needed(found, "a", node))
        if not isinstance(array, ArrayExpr) or not isinstance(array.type, ArrayType):
            raise Unsupported("tile of something other than an array", node)
        if array.type.rank != len(shape) or not tiles.is_plain(array.type.element):
            raise Unsupported(f"tile of {len(shape)} dimensions of {array.type}", node)
        self.element, self.name = array.type.element, array.view.argument
        self._scope, self._shape, self._line = scope, shape, node.lineno
        self._prefix, self._prepare = array.view.prefix, array.prepare
        offset = _several(found["offset"]) if "offset" in found else []
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
    return _loaded(scope, node, _given(node, "a", "shape", "offset"))


def _load_indexed(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Elements of an array, along one axis by a tile of indices; 0 outside of it."""
    del expected
    return _loaded(scope, node, _given(node, "a", "indices", "shape", "offset", "axis"))


def _loaded(scope: Scope, node: ast.Call, found: dict[str, ast.expr]) -> Expr:
    shape = _shape(scope, _needed(found, "shape", node))
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
    return _stored(scope, node, _given(node, "a", "t", "offset"))


def _store_indexed(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Write a tile to an array, along one axis by a tile of indices."""
    del expected
    return _stored(scope, node, _given(node, "a", "indices", "t", "offset", "axis"))


def _stored(scope: Scope, node: ast.Call, found: dict[str, ast.expr]) -> Expr:
    tile, window = _written(scope, node, found)
    stores, run = scope.machine.stores, tile.run

    def write() -> Value:
        value = run()
        window.at_each(lambda where, position, _: stores[window.name].save(position, at(value, where)))

    return Expr(TupleType(()), write, guarded=True)


def _written(scope: Scope, node: ast.Call, found: dict[str, ast.expr]) -> tuple[Expr, _Window]:
    tile, type = tile_of(scope, _needed(found, "t", node))
    window = _Window(scope, found, type.shape, node)
    if window.element != type.element:
        raise Unsupported(f"{type} for an array of {window.element}", node)
    scope.machine.written.add(window.name)
    return tile, window


def _atomic_add(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Add a tile to an array, and give what was there."""
    del expected
    return _added(scope, node, _given(node, "a", "t", "offset"))


def _atomic_add_indexed(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Add a tile to an array, along one axis by a tile of indices."""
    del expected
    return _added(scope, node, _given(node, "a", "indices", "t", "offset", "axis"))


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


# Other shapes of the same elements.


def _shown(shape: Callable[[Scope, dict[str, ast.expr], TileType, ast.Call], tuple[int, ...]]) -> Handler:
    """A view with the elements in their order."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        found = _given(node, "t", "shape" if "reshape" in ast.unparse(node.func) else "axis")
        tile, type = _seen(scope, _needed(found, "t", node))
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
    axes = {tiles.constant(scope, axis) % len(type.shape) for axis in _several(found["axis"])}
    if any(type.shape[axis] != 1 for axis in axes):
        raise Unsupported("axis that is no single element", node)
    return tuple(extent for axis, extent in enumerate(type.shape) if axis not in axes)


def _reshaped(scope: Scope, found: dict[str, ast.expr], type: TileType, node: ast.Call) -> tuple[int, ...]:
    shape = [tiles.constant(scope, extent) for extent in _several(_needed(found, "shape", node))]
    if shape.count(-1) == 1:
        shape[shape.index(-1)] = math.prod(type.shape) // -math.prod(shape)
    return tuple(shape)


def _transpose(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    tile, type = _seen(scope, _needed(_given(node, "a"), "a", node))
    if len(type.shape) != 2:
        raise Unsupported(f"transpose of {type}", node)
    run = tile.run
    return View(TileType(type.element, type.shape[::-1]), lambda: run().swapaxes(1, 2), guarded=tile.guarded)


def _broadcast(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    found = _given(node, "a", "shape")
    tile, type = _seen(scope, _needed(found, "a", node))
    made = TileType(type.element, _shape(scope, _needed(found, "shape", node)))
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
    found = _given(node, "t", "offset", "shape")
    tile, type = _seen(scope, _needed(found, "t", node))
    offset = [tiles.constant(scope, place) for place in _several(_needed(found, "offset", node))]
    run = tile.run
    if "shape" not in found:
        made = TileType(type.element, type.shape[len(offset) :])
        fixed = (slice(None), *offset)
        if not made.shape:
            raise Unsupported("view of one element", node)
        return View(made, lambda: run()[fixed], guarded=tile.guarded)
    made = TileType(type.element, _shape(scope, found["shape"]))
    ends = [first + extent for first, extent in zip(offset, made.shape, strict=False)]
    if len(ends) != len(type.shape) or any(end > extent for end, extent in zip(ends, type.shape, strict=True)):
        raise Unsupported("view beyond its tile", node)
    cut = (slice(None), *(slice(first, end) for first, end in zip(offset, ends, strict=True)))
    return View(made, lambda: run()[cut], guarded=tile.guarded)


def _assign(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Copy a tile into a part of another one."""
    del expected
    found = _given(node, "dst", "src", "offset")
    target, into = tile_of(scope, _needed(found, "dst", node))
    source, type = tile_of(scope, _needed(found, "src", node))
    offset = [0] * len(into.shape)
    if "offset" in found:
        offset = [tiles.constant(scope, place) for place in _several(found["offset"])]
    ends = [first + extent for first, extent in zip(offset, type.shape, strict=False)]
    if (
        type.element != into.element
        or not len(ends) == len(into.shape) == len(type.shape)
        or any(end > extent for end, extent in zip(ends, into.shape, strict=True))
    ):
        raise Unsupported(f"assignment of {type} to {into}", node)
    cut = (slice(None), *(slice(first, end) for first, end in zip(offset, ends, strict=True)))
    save = tiles.kept(scope, _needed(found, "dst", node))
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
    found = _given(node, "t", "dtype")
    tile, type = tile_of(scope, _needed(found, "t", node))
    kind = scope.source.type(_needed(found, "dtype", node))
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


# Elements combined.


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
    found = _given(node, "a", "axis")
    tile, type = tile_of(scope, _needed(found, "a", node))
    return _reduction(scope, None, tile, _axis(scope, found, type, node))


def _extreme(name: str) -> Handler:
    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        tile, type = tile_of(scope, _needed(_given(node, "a"), "a", node))
        return _reduction(scope, Call(scope, Builtin(name), [type.element] * 2, node), tile, None)

    return handler


def _reduce(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    found = _given(node, "op", "a", "axis")
    tile, type = tile_of(scope, _needed(found, "a", node))
    target = scope.callables.target(scope, _needed(found, "op", node))
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
        tile, type = tile_of(scope, _needed(_given(node, "a"), "a", node))
        if not isinstance(type.element, Scalar):
            raise Unsupported(f"place of the extreme of {type}", node)
        run, ops = tile.run, scope.ops

        def find() -> Value:
            value = flat(run(), type)
            best, place = value[:, 0], np.zeros(len(value), np.int32)
            for other in range(1, value.shape[1]):
                better = ops.compare(relation, value[:, other], best)
                best = np.where(better, value[:, other], best)
                place = np.where(better, np.int32(other), place)
            return place[:, None]

        return Expr(TileType(INT32, (1,)), find, guarded=True)

    return handler


def _dot(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The sum of the products of all components."""
    del expected
    found = _given(node, "a", "b")
    (a, type), (b, other) = (tile_of(scope, _needed(found, name, node)) for name in ("a", "b"))
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
    found = _given(node, "alpha", "src", "dest")
    alpha = expressions.expression(scope, _needed(found, "alpha", node))
    (src, type), (dest, other) = (tile_of(scope, _needed(found, name, node)) for name in ("src", "dest"))
    if type != other or alpha.type != scalar_of(type):
        raise Unsupported(f"axpy of {alpha.type}, {type} and {other}", node)
    save = tiles.kept(scope, _needed(found, "dest", node))
    ops, rank = scope.ops, 1 + len(components(type))

    def add() -> Value:
        save(ops.add(dest.run(), ops.mul(along(alpha.run(), rank), src.run())))

    return Expr(TupleType(()), add, guarded=True)


def _scan(call_name: str, *, inclusive: bool = True) -> Handler:
    """Each element folded with all before it."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        tile, type = tile_of(scope, _needed(_given(node, "a"), "a", node))
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
    found = _given(node, "keys", "values")
    (keys, kind), (values, type) = (tile_of(scope, _needed(found, name, node)) for name in ("keys", "values"))
    if kind.shape != type.shape or not isinstance(kind.element, Scalar):
        raise Unsupported(f"sort of {kind} with {type}", node)
    saves = [tiles.kept(scope, _needed(found, name, node)) for name in ("keys", "values")]
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


# Matrices.


def _diag_add(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A square tile with the entries of another added to its diagonal."""
    del expected
    found = _given(node, "a", "d")
    (a, type), (d, other) = (tile_of(scope, _needed(found, name, node)) for name in ("a", "d"))
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
    found = _given(node, "a", "b", "out", "alpha", "beta")
    (a, left), (b, right) = (tile_of(scope, _needed(found, name, node)) for name in ("a", "b"))
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


TILES: dict[str, Handler] = {
    "tile_zeros": _filled(0),
    "tile_ones": _filled(1),
    "tile_full": _full,
    "tile_from_thread": _from_thread,
    "tile_arange": _arange,
    "tile": _of_thread,
    "untile": _to_thread,
    "tile_load": _load,
    "tile_load_indexed": _load_indexed,
    "tile_store": _store,
    "tile_store_indexed": _store_indexed,
    "tile_atomic_add": _atomic_add,
    "tile_atomic_add_indexed": _atomic_add_indexed,
    "tile_view": _view,
    "tile_squeeze": _shown(_squeezed),
    "tile_reshape": _shown(_reshaped),
    "tile_transpose": _transpose,
    "tile_broadcast": _broadcast,
    "tile_assign": _assign,
    "tile_astype": _astype,
    "tile_extract": _extract,
    "tile_map": _map,
    "tile_sum": _sum,
    "tile_min": _extreme("min"),
    "tile_max": _extreme("max"),
    "tile_reduce": _reduce,
    "tile_argmin": _place_of_extreme(np.less),
    "tile_argmax": _place_of_extreme(np.greater),
    "tile_dot": _dot,
    "tile_axpy": _axpy,
    "tile_scan_inclusive": _scan("add"),
    "tile_scan_exclusive": _scan("add", inclusive=False),
    "tile_scan_max_inclusive": _scan("max"),
    "tile_scan_min_inclusive": _scan("min"),
    "tile_sort": _sort,
    "tile_diag_add": _diag_add,
    "tile_matmul": _matmul,
}
"""Builtins by name."""
