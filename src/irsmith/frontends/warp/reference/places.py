"""Places that can be assigned: variables, array elements, and the components and fields inside them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from irsmith.frontends.warp.reference import expressions, indexing, tiles
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.scope import ArrayExpr, Run, Scope
from irsmith.frontends.warp.reference.values import Array, Type, Value, is_composite, select
from irsmith.types import ArrayType, Quaternion, Struct, Vector


@dataclass(slots=True)
class Place:
    """Where a value can be read and written.

    Attributes:
        type: The type of what it holds.
        find: Computes the indices, once, before `load` and `save` use them.
        load: Reads it.
        save: Writes it in the active lanes.
    """

    type: Type
    find: Callable[[], None]
    load: Run
    save: Callable[[Value], None]


def _found() -> None:
    """Nothing to compute."""


def place(scope: Scope, node: ast.expr) -> Place:
    """Translate the target of an assignment, other than a name that is being declared."""
    match node:
        case ast.Name(name):
            variable = scope.variables.get(name)
            if variable is None or variable.view is not None:
                raise Unsupported(f"assignment to {name}", node)
            return Place(variable.type, _found, expressions.expression(scope, node).run, store_to(scope, name))
        case ast.Attribute(owner, name):
            return _member(place(scope, owner), name, node)
        case ast.Subscript():
            return tiles.element_place(scope, node) or _subscript(scope, node)
    raise Unsupported(f"assignment to {type(node).__name__}", node)


def store_to(scope: Scope, name: str) -> Callable[[Value], None]:
    """Writes a local variable in the active lanes."""
    machine, frame, slot = scope.machine, scope.frame, scope.variables[name].slot

    def save(value: Value) -> None:
        mask = machine.mask
        if mask is not None:
            old = frame[slot]
            if old is not None:
                value = select(mask, value, old)
        frame[slot] = value

    if name not in scope.doubtful:
        return save
    assigned = scope.assigned

    def noted(value: Value) -> None:
        known = assigned.get(name)
        assigned[name] = machine.active() if known is None else known | machine.active()
        save(value)

    return noted


def _inside(outer: Place, kind: Type, find: Callable[[], None], load: Run, save: Callable[[Value], None]) -> Place:
    def both() -> None:
        outer.find()
        find()

    return Place(kind, outer.find if find is _found else both, load, save)


def _member(outer: Place, name: str, node: ast.AST) -> Place:
    match outer.type:
        case Vector() | Quaternion():
            index = indexing.component(outer.type, name, node)
            return _inside(
                outer,
                outer.type.scalar,
                _found,
                lambda: outer.load()[:, index],
                lambda value: outer.save(indexing.replace(outer.load(), (index,), value)),
            )
        case Struct() as struct:
            names = [field.name for field in struct.fields]
            if name not in names:
                raise Unsupported(f"field {name} of {struct}", node)
            position = names.index(name)

            def save(value: Value) -> None:
                old = outer.load()
                outer.save((*old[:position], value, *old[position + 1 :]))

            return _inside(outer, struct.fields[position].type, _found, lambda: outer.load()[position], save)
    part = indexing.transform_part(outer.type, name)
    if part is None:
        raise Unsupported(f"assignment to attribute {name} of {outer.type}", node)
    kind, cut = part
    return _inside(
        outer,
        kind,
        _found,
        lambda: outer.load()[:, cut],
        lambda value: outer.save(indexing.replace(outer.load(), (cut,), value)),
    )


def _subscript(scope: Scope, node: ast.Subscript) -> Place:
    base, indices = indexing.flatten(node)
    array = expressions.expression(scope, base) if _is_array(scope, base) else None
    if isinstance(array, ArrayExpr):
        assert isinstance(array.type, ArrayType)
        rank = array.type.rank
        if len(indices) < rank:
            raise Unsupported("assignment to a row of an array", node)
        outer = _element(scope, array, indices[:rank], node)
        indices = indices[rank:]
    else:
        outer = place(scope, base)
    return _component(scope, outer, indices, node) if indices else outer


def _is_array(scope: Scope, node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        # A field of a struct, if of anything.
        owner = _struct(scope, node.value)
        field = owner.by_name.get(node.attr) if owner is not None else None
        return field is not None and isinstance(field.type, ArrayType)
    if not isinstance(node, ast.Name):
        return False
    variable = scope.variables.get(node.id)
    return variable is not None and isinstance(variable.type, ArrayType)


def _struct(scope: Scope, node: ast.expr) -> Struct | None:
    """The struct that a variable or a field holds, or None."""
    if isinstance(node, ast.Name):
        variable = scope.variables.get(node.id)
        return variable.type if variable is not None and isinstance(variable.type, Struct) else None
    owner = _struct(scope, node.value) if isinstance(node, ast.Attribute) else None
    field = owner.by_name.get(node.attr) if owner is not None and isinstance(node, ast.Attribute) else None
    return field.type if field is not None and isinstance(field.type, Struct) else None


def _element(scope: Scope, array: ArrayExpr, nodes: list[ast.expr], node: ast.AST) -> Place:
    assert isinstance(array.type, ArrayType)
    locate = indexing.position(scope, array, indexing.integers(scope, nodes), node)
    stores, name = scope.machine.stores, array.view.argument
    scope.machine.written.add(name)
    found: list[int | Array] = [0]

    def find() -> None:
        found[0] = locate()

    return Place(
        array.type.element,
        find,
        lambda: stores[name].load(found[0]),
        lambda value: stores[name].save(found[0], value),
    )


def _component(scope: Scope, outer: Place, nodes: list[ast.expr], node: ast.AST) -> Place:
    if not is_composite(outer.type):
        raise Unsupported(f"assignment to a subscript of {outer.type}", node)
    if len(nodes) == 1 and isinstance(nodes[0], ast.Slice):
        kind, cut = indexing.constant_slice(scope, outer.type, nodes[0])
        return _inside(
            outer,
            kind,
            _found,
            lambda: outer.load()[:, cut],
            lambda value: outer.save(indexing.replace(outer.load(), (cut,), value)),
        )
    kind, places, _ = indexing.places_in(scope, outer.type, nodes, node)
    found: list[tuple[int | Array, ...]] = [()]

    def find() -> None:
        found[0] = places()

    return _inside(
        outer,
        kind,
        find,
        lambda: indexing.pick(outer.load(), found[0]),
        lambda value: outer.save(indexing.replace(outer.load(), found[0], value)),
    )
