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
from irsmith.frontends.warp.reference.scope import ArrayExpr, ArrayView, Run, Scope
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    TileType,
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
    if (held := meshes.element(scope, node)) is not None:
        return held
    base, indices = flatten(node)
    owner = expressions.expression(scope, base)
    if isinstance(owner.type, TileType):
        return tiles.subscript(scope, owner, indices, node)
    if isinstance(owner, ArrayExpr):
        assert isinstance(owner.type, ArrayType)
        rank = owner.type.rank
        if len(indices) < rank:
            return view(scope, owner, integers(scope, indices))
        owner, indices = element(scope, owner, integers(scope, indices[:rank]), node), indices[rank:]
    return extract(scope, owner, indices, node) if indices else owner


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
    if not isinstance(owner, ArrayExpr) or not isinstance(axis, int):
        raise Unsupported("shape", node)
    return extent(scope, owner, axis, node)


def extent(scope: Scope, owner: ArrayExpr, axis: int, node: ast.AST) -> Expr:
    """The size of an array along one axis."""
    assert isinstance(owner.type, ArrayType)
    if not 0 <= axis < owner.type.rank:
        raise Unsupported(f"axis {axis} of {owner.type}", node)
    stores, name, place = scope.machine.stores, owner.view.argument, axis + len(owner.view.prefix)
    return Expr(INT32, lambda: stores[name].extents[place])


def view(scope: Scope, owner: ArrayExpr, indices: list[Expr]) -> ArrayExpr:
    """An array with its leading indices fixed now: they keep the values that they have where the view is made."""
    assert isinstance(owner.type, ArrayType)
    prefix, prepare = list(owner.view.prefix), list(owner.prepare)
    for index in indices:
        slot = scope.new_slot()
        prefix.append(partial(scope.frame.__getitem__, slot))
        prepare.append(_keep(scope, slot, index.run))
    rank = owner.type.rank - len(indices)
    kept = ArrayView(owner.view.argument, tuple(prefix))
    return scope.array(ArrayType(owner.type.element, rank), kept, tuple(prepare))


def _keep(scope: Scope, slot: int, run: Run) -> Callable[[], None]:
    machine, frame = scope.machine, scope.frame

    def keep() -> None:
        value, old = run(), frame[slot]
        frame[slot] = value if machine.mask is None or old is None else select(machine.mask, value, old)

    return keep


def position(scope: Scope, owner: ArrayExpr, indices: list[Expr], node: ast.AST) -> Callable[[], int | Array]:
    """Computes the flat position of an element, checked against the bounds."""
    stores, name = scope.machine.stores, owner.view.argument
    runs = [*owner.view.prefix, *(index.run for index in indices)]
    line = getattr(node, "lineno", 0)
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
    if len(nodes) == 1 and isinstance(nodes[0], ast.Slice):
        kind, cut = constant_slice(scope, owner.type, nodes[0])
        return Expr(kind, lambda: run()[:, cut], guarded=owner.guarded)
    kind, places, guarded = places_in(scope, owner.type, nodes, node)
    return Expr(kind, lambda: pick(run(), places()), guarded=owner.guarded or guarded)


def constant_slice(scope: Scope, type: Type, node: ast.Slice) -> tuple[Type, slice]:
    """The type and place of ``v[1:3]``."""
    bounds = [None if part is None else _constant_index(scope, part) for part in (node.lower, node.upper, node.step)]
    cut = slice(*bounds)
    shape = components(type)
    length = len(range(*cut.indices(shape[0])))
    if length == 0 or len(shape) != 1:
        raise Unsupported("slice", node)
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
