"""Tiles: what a block of threads holds together, as one value of each lane.

On a CPU a block is one thread, which holds all of a tile. Other names for a tile, or for a part of it, are copies
here: a function that changes a tile of which there is another view by then has no meaning.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from irsmith.frontends.warp.reference import expressions, indexing, places
from irsmith.frontends.warp.reference.errors import FaultKind, Unsupported
from irsmith.frontends.warp.reference.scope import Run, Scope
from irsmith.frontends.warp.reference.source import Builtin, Function, Meaning
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    TileType,
    Type,
    Value,
    components,
    is_composite,
)
from irsmith.types import Scalar

Where = tuple[int, ...]
"""The place of an element."""


def places_of(shape: tuple[int, ...]) -> Iterator[Where]:
    """The places of a tile's elements, row by row."""
    return iter(np.ndindex(*shape))


def at(value: Array, where: Where) -> Array:
    """The element of a tile at a place."""
    places: tuple[slice | int, ...] = (slice(None), *where)
    element: Array = value[places]
    return element


def stacked(elements: Sequence[Array], type: TileType) -> Array:
    """A tile of its elements, row by row."""
    lanes = max(len(element) for element in elements)
    whole = components(type.element)
    spread = [np.broadcast_to(element, (lanes, *whole)) for element in elements]
    return np.stack(spread, axis=1).reshape(lanes, *type.shape, *whole)


def flat(value: Array, type: TileType) -> Array:
    """A tile with its elements along one axis."""
    return value.reshape(len(value), math.prod(type.shape), *components(type.element))


def is_plain(type: Type) -> bool:
    """Whether a tile can be made of a type here: scalars, and what is made of several of one kind."""
    return isinstance(type, Scalar) or is_composite(type)


def tile_of(scope: Scope, node: ast.expr) -> tuple[Expr, TileType]:
    """An expression that has to be a tile."""
    expr = expressions.expression(scope, node)
    if not isinstance(expr.type, TileType):
        raise Unsupported(f"{expr.type} where a tile is expected", node)
    return expr, expr.type


class Call:
    """A callable of elements: what `tile_map` and its like are given, or what an operator stands for.

    Attributes:
        type: What it returns.
    """

    def __init__(self, scope: Scope, target: Meaning, types: Sequence[Type], node: ast.AST) -> None:
        self.held: list[Value] = [None] * len(types)
        operands = [Expr(type, self._reader(place), guarded=True) for place, type in enumerate(types)]
        if isinstance(target, Builtin):
            made = scope.callables.call_builtin(scope, target.name, operands, node)
        elif isinstance(target, Function):
            made = scope.callables.call_function(scope, target, operands, node)
        else:
            raise Unsupported("what is no function, called for each element", node)
        self.type, self._run = made.type, made.run

    def _reader(self, place: int) -> Run:
        return lambda: self.held[place]

    def __call__(self, *values: Value) -> Value:
        """What it makes of some values."""
        self.held[:] = values
        return self._run()


def operator(scope: Scope, name: str, arguments: list[Expr], node: ast.AST) -> Expr | None:
    """An operator of which an operand is a tile, element by element; None where none is."""
    tiles = [argument.type for argument in arguments if isinstance(argument.type, TileType)]
    if not tiles:
        return None
    shape = tiles[0].shape
    if any(tile.shape != shape for tile in tiles) or name not in _OPERATORS:
        raise Unsupported(f"{name} of {', '.join(str(argument.type) for argument in arguments)}", node)
    if len(tiles) < len(arguments) and name not in ("mul", "div"):
        raise Unsupported(f"{name} of a tile and a value", node)
    call = Call(scope, Builtin(name), [inside(argument.type) for argument in arguments], node)
    if name in _AT_ONCE and all(isinstance(inside(argument.type), Scalar) for argument in arguments):
        runs, rank = [argument.run for argument in arguments], 1 + len(shape)
        return Expr(TileType(call.type, shape), lambda: call(*(_spread(run(), rank) for run in runs)), guarded=True)
    return each(call, arguments, shape, node)


_AT_ONCE = frozenset({"add", "sub", "mul", "neg"})
_OPERATORS = frozenset({"add", "sub", "mul", "div", "neg", "bit_and", "bit_or", "bit_xor"})


def inside(type: Type) -> Type:
    """The type of a tile's elements, or of what is given to each."""
    return type.element if isinstance(type, TileType) else type


def _spread(value: Array, rank: int) -> Array:
    return value.reshape(len(value), *(1,) * (rank - 1)) if value.ndim < rank else value


def each(call: Call, arguments: Sequence[Expr], shape: tuple[int, ...], node: ast.AST) -> Expr:
    """A tile of what a call makes of every element; what is no tile is given to each as it is."""
    if not is_plain(call.type):
        raise Unsupported(f"tile of {call.type}", node)
    type = TileType(call.type, shape)
    runs = [(argument.run, isinstance(argument.type, TileType)) for argument in arguments]

    def run() -> Value:
        values = [(compute(), is_tile) for compute, is_tile in runs]
        made = []
        for where in places_of(shape):
            made.append(call(*(at(value, where) if is_tile else value for value, is_tile in values)))
        return stacked(made, type)

    return Expr(type, run, guarded=True)


def folded(call: Call, elements: Sequence[Array]) -> Array:
    """What a call of two makes of elements, from the first on."""
    result = elements[0]
    for element in elements[1:]:
        result = call(result, element)
    return result


# Names that share memory.


class View(Expr):
    """A tile that shows the elements of another one."""


def shows(scope: Scope, node: ast.expr) -> None:
    """Note that another name shows a tile.

    Raises:
        Unsupported: The tile is changed in a loop that is open, and so may be again.
    """
    name = indexing.root(node)
    if name is not None:
        scope.seen_through.add(name)
    if scope.loops and name in scope.changed:
        _refuse(name, node)


def changes(scope: Scope, node: ast.expr) -> str:
    """Note that a tile is changed in place, and give its name.

    Raises:
        Unsupported: Another name shows it, or it has none.
    """
    if not isinstance(node, ast.Name):
        raise Unsupported("change of a tile that has no name", node)
    scope.changed.add(node.id)
    if node.id in scope.seen_through:
        _refuse(node.id, node)
    return node.id


def _refuse(name: str | None, node: ast.AST) -> None:
    raise Unsupported(f"tile {name}, of which there is a view, changed in place", node)


# Subscripts.


def subscript(scope: Scope, owner: Expr, nodes: list[ast.expr], node: ast.Subscript) -> Expr:
    """An element of a tile, or a view of some of its rows."""
    type = owner.type
    assert isinstance(type, TileType)
    if len(nodes) < len(type.shape) or any(isinstance(index, ast.Slice) for index in nodes):
        shows(scope, node.value)
        return _part(scope, owner, nodes, node)
    return picked(scope, owner, nodes, node)


def picked(scope: Scope, owner: Expr, nodes: Sequence[ast.expr], node: ast.AST) -> Expr:
    """One element of a tile, or with further indices a component of it."""
    type, run = owner.type, owner.run
    assert isinstance(type, TileType)
    rank = len(type.shape)
    indices = _indices(scope, type, nodes[:rank], node)
    element = Expr(type.element, lambda: indexing.pick(run(), indices()), guarded=True)
    return indexing.extract(scope, element, list(nodes[rank:]), node) if nodes[rank:] else element


def _part(scope: Scope, owner: Expr, nodes: list[ast.expr], node: ast.AST) -> Expr:
    type, run = owner.type, owner.run
    assert isinstance(type, TileType)
    cuts: list[int | slice] = []
    shape: list[int] = []
    for index, extent in zip(nodes, type.shape, strict=False):
        if isinstance(index, ast.Slice):
            parts = [None if part is None else constant(scope, part) for part in (index.lower, index.upper, index.step)]
            cut = slice(*parts)
            cuts.append(cut)
            shape.append(len(range(*cut.indices(extent))))
        else:
            cuts.append(constant(scope, index))
    shape += type.shape[len(nodes) :]
    if not all(shape):
        raise Unsupported("empty part of a tile", node)
    return View(TileType(type.element, tuple(shape)), lambda: run()[(slice(None), *cuts)], guarded=owner.guarded)


def constant(scope: Scope, node: ast.expr) -> int:
    """A whole number that is known when the kernel is compiled."""
    number = expressions.expression(scope, node).const
    if not isinstance(number, int):
        raise Unsupported(f"{ast.unparse(node)} where a constant is expected", node)
    return number


def _indices(
    scope: Scope, type: TileType, nodes: Sequence[ast.expr], node: ast.AST
) -> Callable[[], tuple[int | Array, ...]]:
    runs = [expr.run for expr in indexing.integers(scope, nodes)]
    machine, line = scope.machine, getattr(node, "lineno", 0)

    def indices() -> tuple[int | Array, ...]:
        found: list[int | Array] = []
        for run, extent in zip(runs, type.shape, strict=True):
            wide = run().astype(np.intp)
            bad = (wide < 0) | (wide >= extent)
            if np.count_nonzero(bad):
                machine.fault(FaultKind.OUT_OF_BOUNDS, bad, line)
                wide = np.where(bad, 0, wide)
            found.append(int(wide[0]) if len(wide) == 1 else wide)
        return tuple(found)

    return indices


def element_place(scope: Scope, node: ast.Subscript) -> places.Place | None:
    """An element of a tile as something to assign to; None for what is no tile."""
    base, nodes = indexing.flatten(node)
    variable = scope.variables.get(base.id) if isinstance(base, ast.Name) else None
    if variable is None or not isinstance(variable.type, TileType):
        return None
    assert isinstance(base, ast.Name)
    type = variable.type
    if len(nodes) != len(type.shape):
        raise Unsupported("assignment to a part of a tile", node)
    changes(scope, base)
    indices = _indices(scope, type, nodes, node)
    outer = places.place(scope, base)
    found: list[tuple[int | Array, ...]] = [()]

    def find() -> None:
        found[0] = indices()

    return places.Place(
        type.element,
        find,
        lambda: indexing.pick(outer.load(), found[0]),
        lambda value: outer.save(indexing.replace(outer.load(), found[0], value)),
    )


def kept(scope: Scope, node: ast.expr) -> Callable[[Value], None]:
    """Writes a tile that is changed in place, in the active lanes."""
    return places.store_to(scope, changes(scope, node))
