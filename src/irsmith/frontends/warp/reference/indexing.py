"""Subscripts and components: reading elements of arrays, vectors, matrices, quaternions and transforms."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from irsmith.frontends.warp.reference import expressions, tiles
from irsmith.frontends.warp.reference.errors import FaultKind, Unsupported
from irsmith.frontends.warp.reference.geometry import meshes
from irsmith.frontends.warp.reference.machine import Machine
from irsmith.frontends.warp.reference.scope import ArrayExpr, ArrayView, Cut, Run, Scope
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    ListType,
    TileType,
    TupleType,
    Type,
    Value,
    components,
    is_composite,
    scalar_of,
    select,
)
from irsmith.types import INT32, ArrayType, Matrix, Quaternion, Scalar, Transformation, Vector

Indices = Callable[[], tuple[int | Array, ...]]
"""Computes the places of a component: a number where it is the same in every lane."""


def root(node: ast.expr) -> str | None:
    """The name that a chain of attributes and subscripts starts from."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def component(type: Vector | Quaternion, name: str, node: ast.AST) -> int:
    """The place of ``.x``, ``.y``, ``.z`` or ``.w``."""
    place = "xyzw".find(name) if len(name) == 1 else -1
    if not 0 <= place < components(type)[0]:
        raise Unsupported(f"component {name} of {type}", node)
    return place


def transform_part(type: Type, name: str) -> tuple[Type, slice] | None:
    """The type and place of a transform's translation ``.p`` or rotation ``.q``."""
    if isinstance(type, Transformation):
        if name == "p":
            return Vector(3, type.scalar), slice(0, 3)
        if name == "q":
            return Quaternion(type.scalar), slice(3, 7)
    return None


def flatten(node: ast.Subscript) -> tuple[ast.expr, list[ast.expr]]:
    """``a[i][j, k]`` as ``a`` and ``[i, j, k]``."""
    base: ast.expr = node
    groups: list[list[ast.expr]] = []
    while isinstance(base, ast.Subscript):
        groups.insert(0, list(base.slice.elts) if isinstance(base.slice, ast.Tuple) else [base.slice])
        base = base.value
    return base, [index for group in groups for index in group]


def load(scope: Scope, node: ast.Subscript) -> Expr:
    """A subscript that is read."""
    if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        return _extent(scope, node)
    base, indices = flatten(node)
    owner = expressions.expression(scope, base)
    if isinstance(owner.type, TileType):
        return tiles.subscript(scope, owner, indices, node)
    if isinstance(owner.type, TupleType):
        owner, indices = _item(scope, owner, indices[0], node), indices[1:]
    if isinstance(owner.type, ListType):
        owner, indices = meshes.element(scope, owner, integers(scope, indices[:1])[0], node), indices[1:]
    if isinstance(owner, ArrayExpr):
        assert isinstance(owner.type, ArrayType)
        rank = owner.type.rank
        if len(indices) < rank or any(isinstance(index, ast.Slice) for index in indices[:rank]):
            return view(scope, owner, indices, node)
        owner, indices = element(scope, owner, integers(scope, indices[:rank]), node), indices[rank:]
    return extract(scope, owner, indices, node) if indices else owner


def _item(scope: Scope, owner: Expr, index: ast.expr, node: ast.AST) -> Expr:
    """One of the values that a function returned together."""
    assert isinstance(owner.type, TupleType)
    number, run = expressions.expression(scope, index).const, owner.run
    if not isinstance(number, int) or not 0 <= number < len(owner.type.items):
        raise Unsupported(f"item of {owner.type}", node)
    return Expr(owner.type.items[number], lambda: run()[number], guarded=owner.guarded)


def integers(scope: Scope, nodes: Sequence[ast.expr]) -> list[Expr]:
    """Index expressions."""
    result = []
    for node in nodes:
        if isinstance(node, ast.Slice):
            raise Unsupported("slice of an array", node)
        index = expressions.expression(scope, node)
        if not (isinstance(index.type, Scalar) and index.type.is_integer):
            raise Unsupported(f"index of type {index.type}", node)
        result.append(index)
    return result


def _extent(scope: Scope, node: ast.Subscript) -> Expr:
    assert isinstance(node.value, ast.Attribute)
    owner = expressions.expression(scope, node.value.value)
    axis = expressions.expression(scope, node.slice).const
    if isinstance(owner.type, ListType) and axis == 0:
        return meshes.length(scope, owner)
    if not isinstance(owner, ArrayExpr) or not isinstance(axis, int):
        raise Unsupported("shape", node)
    return extent(scope, owner, axis, node)


def extent(scope: Scope, owner: ArrayExpr, axis: int, node: ast.AST) -> Expr:
    """The size of an array along one axis."""
    assert isinstance(owner.type, ArrayType)
    if not 0 <= axis < owner.type.rank:
        raise Unsupported(f"axis {axis} of {owner.type}", node)
    return Expr(INT32, _count(scope, owner.view, *_axes(owner)[axis]))


def _axes(owner: ArrayExpr) -> list[tuple[int, Cut | None]]:
    """The axes of the array behind an expression that its indices go along."""
    assert isinstance(owner.type, ArrayType)
    cuts = sum(isinstance(axis, Cut) for axis in owner.view.axes)
    return owner.view.free(len(owner.view.axes) + owner.type.rank - cuts)


def _count(scope: Scope, view: ArrayView, axis: int, cut: Cut | None) -> Run:
    """Computes how many places there are along an axis."""
    stores = scope.machine.stores
    if cut is not None:
        return cut.count
    name, place = (view.tables[axis], 0) if view.tables else (view.argument, axis)
    return lambda: stores[name].extents[place]


def view(scope: Scope, owner: ArrayExpr, nodes: list[ast.expr], node: ast.AST) -> ArrayExpr:
    """An array with some indices fixed and axes cut now: they keep the values that they have where it is made."""
    assert isinstance(owner.type, ArrayType)
    if len(nodes) > owner.type.rank:
        raise Unsupported("component of a slice of an array", node)
    free = _axes(owner)
    axes: list[Run | Cut] = list(owner.view.axes)
    prepare = list(owner.prepare)
    for (axis, cut), part in zip(free, nodes, strict=False):
        if isinstance(part, ast.Slice):
            made: Run | Cut = _cut(scope, part, _count(scope, owner.view, axis, cut), prepare)
        else:
            made = _kept(scope, integers(scope, [part])[0].run, prepare)
        placed = made if cut is None else _within(cut, made)
        axes[axis : axis + 1] = [placed]
    rank = owner.type.rank - sum(not isinstance(part, ast.Slice) for part in nodes)
    kept = ArrayView(owner.view.argument, tuple(axes), owner.view.tables)
    return scope.array(ArrayType(owner.type.element, rank), kept, tuple(prepare))


def _within(outer: Cut, inner: Run | Cut) -> Run | Cut:
    """An index of a cut axis, or a cut of it, along the whole axis."""
    start, step = outer.start, outer.step
    if not isinstance(inner, Cut):
        return lambda: start() + inner() * step
    begin = inner.start
    return Cut(lambda: start() + begin() * step, inner.count, step * inner.step)


def _cut(scope: Scope, node: ast.Slice, extent: Run, prepare: list[Callable[[], None]]) -> Cut:
    """What ``low:high:step`` leaves of an axis. What Warp pulls in because it lies beyond the axis is a fault."""
    step = 1 if node.step is None else expressions.expression(scope, node.step).const
    if not isinstance(step, int) or step < 1:
        raise Unsupported("slice of an array with such a step", node)
    bounds = [None if part is None else integers(scope, [part])[0] for part in (node.lower, node.upper)]
    machine, line = scope.machine, node.lineno
    zero = np.zeros(1, np.int32)

    def ends() -> tuple[Array, Array]:
        size = extent()
        low, high = (
            whole if bound is None else _from_end(bound, size)
            for bound, whole in zip(bounds, (zero, size), strict=True)
        )
        bad = np.broadcast_to((low < 0) | (high > size) | (low > high), machine.lanes)
        machine.fault(FaultKind.OUT_OF_BOUNDS, bad, line)
        return low, high

    def count() -> Array:
        low, high = ends()
        return np.asarray(np.maximum(0, -((low - high) // step)), np.int32)

    return Cut(_kept(scope, lambda: ends()[0], prepare), _kept(scope, count, prepare), step)


def _from_end(bound: Expr, size: Array) -> Array:
    """A bound of a slice, counted from the end where it is written so."""
    value: Array = bound.run()
    return size + value if isinstance(bound.const, int) and bound.const < 0 else value


def _kept(scope: Scope, run: Run, prepare: list[Callable[[], None]]) -> Run:
    """Computes what a number is when the view is made."""
    slot = scope.new_slot()
    prepare.append(_keep(scope, slot, run))
    return partial(scope.frame.__getitem__, slot)


def _keep(scope: Scope, slot: int, run: Run) -> Callable[[], None]:
    machine, frame = scope.machine, scope.frame

    def keep() -> None:
        value, old = run(), frame[slot]
        frame[slot] = value if machine.mask is None or old is None else select(machine.mask, value, old)

    return keep


def position(scope: Scope, owner: ArrayExpr, indices: list[Expr], node: ast.AST) -> Callable[[], int | Array]:
    """Computes the flat position of an element, checked against the bounds."""
    stores, name = scope.machine.stores, owner.view.argument
    line = getattr(node, "lineno", 0)
    runs = along(scope, owner, [index.run for index in indices], line)
    if owner.prepare:

        def prepared() -> int | Array:
            for prepare in owner.prepare:
                prepare()
            return stores[name].locate([run() for run in runs], line)

        return prepared
    if len(runs) == 1:
        (run,) = runs
        return lambda: stores[name].locate([run()], line)
    return lambda: stores[name].locate([run() for run in runs], line)


def along(scope: Scope, owner: ArrayExpr, indices: Sequence[Run], line: int) -> list[Run]:
    """Computes the place along each axis of the array behind an expression, from the indices into it."""
    view, given = owner.view, iter(indices)
    runs: list[Run] = [axis if not isinstance(axis, Cut) else axis.start for axis in view.axes]
    for axis, cut in _axes(owner):
        index = next(given)
        runs[axis : axis + 1] = [index if cut is None else _of_cut(scope, cut, index, line)]
    if not view.tables:
        return runs
    stores = scope.machine.stores

    def through(table: str, run: Run) -> Run:
        return lambda: stores[table].load(stores[table].locate([run()], line))

    return [through(table, run) for table, run in zip(view.tables, runs, strict=True)]


def _of_cut(scope: Scope, cut: Cut, index: Run, line: int) -> Run:
    machine = scope.machine

    def run() -> Array:
        number = index()
        bad = np.broadcast_to((number < 0) | (number >= cut.count()), machine.lanes)
        machine.fault(FaultKind.OUT_OF_BOUNDS, bad, line)
        placed: Array = cut.start() + number * cut.step
        return placed

    return run


def spread(scope: Scope, nodes: Sequence[ast.expr]) -> list[Expr]:
    """Arguments of a call, with the parts of those that stand behind a star."""
    result: list[Expr] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            result += _parts(scope, node.value)
        else:
            result.append(expressions.expression(scope, node))
    return result


def _parts(scope: Scope, node: ast.expr) -> list[Expr]:
    """The components of a vector, the rows of a matrix, or the elements that a slice of an array names."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        owner = expressions.expression(scope, node.value)
        if isinstance(owner, ArrayExpr):
            low, high, step = (
                usual if part is None else _constant_index(scope, part)
                for part, usual in ((node.slice.lower, 0), (node.slice.upper, 0), (node.slice.step, 1))
            )
            numbers = [ast.copy_location(ast.Constant(place), node) for place in range(low, high, step)]
            return [element(scope, owner, integers(scope, [number]), node) for number in numbers]
    owner = expressions.expression(scope, node)
    if not is_composite(owner.type):
        raise Unsupported(f"parts of {owner.type}", node)
    places = range(components(owner.type)[0])
    return [extract(scope, owner, [ast.copy_location(ast.Constant(place), node)], node) for place in places]


def element(scope: Scope, owner: ArrayExpr, indices: list[Expr], node: ast.AST) -> Expr:
    """One element of an array."""
    assert isinstance(owner.type, ArrayType)
    locate = position(scope, owner, indices, node)
    stores, name = scope.machine.stores, owner.view.argument

    def run() -> Value:
        return stores[name].load(locate())

    return Expr(owner.type.element, run, guarded=True)


def extract(scope: Scope, owner: Expr, nodes: list[ast.expr], node: ast.AST) -> Expr:
    """A component, row or slice of a vector, matrix, quaternion or transform."""
    run = owner.run
    if not is_composite(owner.type):
        raise Unsupported(f"subscript of {owner.type}", node)
    if any(isinstance(part, ast.Slice) for part in nodes):
        return block(scope, owner, nodes, node)
    kind, places, guarded = places_in(scope, owner.type, nodes, node)
    return Expr(kind, lambda: pick(run(), places()), guarded=owner.guarded or guarded)


def block(scope: Scope, owner: Expr, nodes: list[ast.expr], node: ast.AST) -> Expr:
    """A part of a vector or a matrix whose places are known beforehand, or one of a row or column."""
    run, shape = owner.run, components(owner.type)
    if len(nodes) == 1 and isinstance(nodes[0], ast.Slice) and len(shape) == 1:
        kind, cut = constant_slice(scope, owner.type, nodes[0])
        return Expr(kind, lambda: run()[:, cut], guarded=owner.guarded)
    if len(shape) != 2:
        raise Unsupported("slice", node)
    rows, columns = nodes if len(nodes) == 2 else (nodes[0], ast.Slice())
    scalar = scalar_of(owner.type)
    if isinstance(rows, ast.Slice) and isinstance(columns, ast.Slice):
        (first, high), (second, wide) = (
            _constant_cut(scope, part, size) for part, size in zip((rows, columns), shape, strict=True)
        )
        return Expr(Matrix(high, wide, scalar), lambda: run()[:, first, second], guarded=owner.guarded)
    machine, line = scope.machine, getattr(node, "lineno", 0)
    sliced, other, axis = (rows, columns, 0) if isinstance(rows, ast.Slice) else (columns, rows, 1)
    assert isinstance(sliced, ast.Slice)
    cut, length = _constant_cut(scope, sliced, shape[axis])
    (index,) = integers(scope, [other])

    def part() -> Value:
        place = _checked(machine, index.run(), shape[1 - axis], line)
        value = np.swapaxes(run(), 1, 2) if axis == 0 else run()
        return pick(value, (place,))[:, cut]

    return Expr(Vector(length, scalar), part, guarded=owner.guarded or index.const is None)


def _constant_cut(scope: Scope, node: ast.Slice, size: int) -> tuple[slice, int]:
    """A slice, and how many places of so many it leaves."""
    bounds = [None if part is None else _constant_index(scope, part) for part in (node.lower, node.upper, node.step)]
    cut = slice(*bounds)
    length = len(range(*cut.indices(size)))
    if length == 0:
        raise Unsupported("slice of nothing", node)
    return cut, length


def constant_slice(scope: Scope, type: Type, node: ast.Slice) -> tuple[Type, slice]:
    """The type and place of ``v[1:3]``."""
    shape = components(type)
    if len(shape) != 1:
        raise Unsupported("slice", node)
    cut, length = _constant_cut(scope, node, shape[0])
    return Vector(length, scalar_of(type)), cut


def _constant_index(scope: Scope, node: ast.expr) -> int:
    number = expressions.expression(scope, node).const
    if not isinstance(number, int):
        raise Unsupported("slice with computed bounds", node)
    return number


def places_in(scope: Scope, type: Type, nodes: list[ast.expr], node: ast.AST) -> tuple[Type, Indices, bool]:
    """The type of a component, where it is, and whether computing that may fault."""
    shape = components(type)
    if len(nodes) > len(shape):
        raise Unsupported(f"{len(nodes)} indices of {type}", node)
    if len(nodes) == len(shape):
        kind: Type = scalar_of(type)
    else:
        assert isinstance(type, Matrix)
        kind = Vector(type.columns, type.scalar)
    exprs = integers(scope, nodes)
    guarded = any(expr.const is None for expr in exprs)
    line = getattr(node, "lineno", 0)
    machine = scope.machine
    if not guarded:
        fixed = tuple(_normal(int(expr.const or 0), size, node) for expr, size in zip(exprs, shape, strict=False))
        return kind, lambda: fixed, False
    runs = [expr.run for expr in exprs]

    def places() -> tuple[int | Array, ...]:
        return tuple(_checked(machine, run(), size, line) for run, size in zip(runs, shape, strict=False))

    return kind, places, True


def _normal(index: int, size: int, node: ast.AST) -> int:
    if not -size <= index < size:
        raise Unsupported(f"component {index} out of range", node)
    return index % size


def _checked(machine: Machine, index: Array, size: int, line: int) -> int | Array:
    """An index counted from the end where it is negative; a lane outside the bounds faults."""
    wide = index.astype(np.intp)
    wide = np.where(wide < 0, wide + size, wide)
    bad = (wide < 0) | (wide >= size)
    if np.count_nonzero(bad):
        machine.fault(FaultKind.OUT_OF_BOUNDS, bad, line)
        wide = np.where(bad, 0, wide)
    return int(wide[0]) if len(wide) == 1 else wide


def pick(value: Array, places: tuple[int | Array, ...]) -> Array:
    """The component at a place, which may differ between lanes."""
    if all(isinstance(place, int) for place in places):
        return value[(slice(None), *places)]
    lanes = max(len(place) for place in places if not isinstance(place, int))
    rows = np.arange(lanes) if len(value) == lanes else np.zeros(lanes, np.intp)
    result: Array = value[(rows, *places)]
    return result


def replace(value: Array, places: tuple[int | Array | slice, ...], part: Array) -> Array:
    """A copy of a value with the component at a place replaced."""
    widths = [len(place) for place in places if isinstance(place, np.ndarray)]
    lanes = max(len(value), len(part), *widths, 1)
    result = np.array(np.broadcast_to(value, (lanes, *value.shape[1:])))
    if widths:
        result[(np.arange(lanes), *places)] = part
    else:
        result[(slice(None), *places)] = part
    return result
