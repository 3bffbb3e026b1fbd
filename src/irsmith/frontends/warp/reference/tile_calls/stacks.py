"""Stacks that a block of threads shares, of which a CPU's has one: what was pushed last is popped first."""

from __future__ import annotations

import ast

import numpy as np

from irsmith.frontends.warp.reference import expressions, places, tiles
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.tile_calls.arguments import Handler, element_type, named, needed
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    StackType,
    TupleType,
    Type,
    Value,
    components,
    scalar_of,
    select,
)
from irsmith.types import BOOL, FLOAT32, INT32


def _stack(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """An empty stack."""
    del expected
    found = named(node, "capacity", "dtype")
    capacity = tiles.constant(scope, needed(found, "capacity", node))
    element = element_type(scope, needed(found, "dtype", node), FLOAT32)
    if capacity < 1:
        raise Unsupported("capacity of a stack", node)
    items = np.zeros((1, capacity, *components(element)), scope.ops.dtype(scalar_of(element)))
    return Expr(StackType(element, capacity), lambda: (np.zeros(1, np.int32), items), guarded=True)


def _of(scope: Scope, node: ast.expr) -> tuple[places.Place, StackType]:
    place = places.place(scope, node) if isinstance(node, ast.Name) else None
    if place is None or not isinstance(place.type, StackType):
        raise Unsupported("what is no stack", node)
    return place, place.type


def _push(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Put a value on a stack if a condition holds and there is room: where it stands, or -1."""
    del expected
    found = named(node, "s", "value", "has_value")
    place, type = _of(scope, needed(found, "s", node))
    value, wanted = (expressions.expression(scope, needed(found, name, node)) for name in ("value", "has_value"))
    if value.type != type.element or wanted.type != BOOL:
        raise Unsupported(f"{value.type} on a stack of {type.element}", node)
    capacity = type.capacity

    def run() -> Value:
        item, some = value.run(), wanted.run()
        count, items = place.load()
        fits = some & (count < capacity)
        slots = np.arange(capacity) == count[:, None]
        put = (slots & fits[:, None]).reshape(-1, capacity, *(1,) * (items.ndim - 2))
        place.save(((count + fits).astype(np.int32), np.where(put, item[:, None], items)))
        return np.where(fits, count, -1).astype(np.int32)

    return Expr(INT32, run, guarded=True)


def _pop(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Take the last value from a stack, and where it stood: zero and -1 where there is none."""
    del expected
    place, type = _of(scope, needed(named(node, "s"), "s", node))
    result: Type = TupleType((type.element, INT32))

    def run() -> Value:
        count, items = place.load()
        some = count > 0
        lanes = np.arange(len(items)) if len(items) > 1 else np.zeros(len(count), int)
        top: Array = items[lanes, np.maximum(count - 1, 0)]
        place.save(((count - some).astype(np.int32), items))
        return select(some, top, np.zeros_like(top)), np.where(some, count - 1, -1).astype(np.int32)

    return Expr(result, run, guarded=True)


def _clear(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    place, _ = _of(scope, needed(named(node, "s"), "s", node))

    def run() -> Value:
        count, items = place.load()
        place.save((np.zeros_like(count), items))

    return Expr(TupleType(()), run, guarded=True)


def _count(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    place, _ = _of(scope, needed(named(node, "s"), "s", node))
    return Expr(INT32, lambda: place.load()[0], guarded=True)


STACKS: dict[str, Handler] = {
    "tile_stack": _stack,
    "tile_stack_push": _push,
    "tile_stack_pop": _pop,
    "tile_stack_clear": _clear,
    "tile_stack_count": _count,
}
"""Builtins by name."""
