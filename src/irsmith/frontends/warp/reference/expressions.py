"""Expressions: each syntax node becomes a closure that computes its value in the active lanes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from irsmith.frontends.warp.reference import indexing, types
from irsmith.frontends.warp.reference.errors import FaultKind, Site, Unsupported
from irsmith.frontends.warp.reference.geometry import meshes
from irsmith.frontends.warp.reference.scope import ArrayExpr, ArrayView, Run, Scope
from irsmith.frontends.warp.reference.source import Function, TypedConstant
from irsmith.frontends.warp.reference.values import (
    Array,
    Expr,
    TupleType,
    Value,
    is_composite,
    select,
)
from irsmith.types import (
    BOOL,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    PLACES,
    SHOWN,
    ArrayType,
    IndexedArray,
    Quaternion,
    Scalar,
    Struct,
    Vector,
)

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.MatMult: "mul",
    ast.Div: "div",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.BitAnd: "bit_and",
    ast.BitOr: "bit_or",
    ast.BitXor: "bit_xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.USub: "neg",
    ast.UAdd: "pos",
    ast.Invert: "invert",
}
"""The builtin that each operator stands for."""

Relation = Callable[..., Array]
"""Compares two values."""

_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


def expression(scope: Scope, node: ast.expr) -> Expr:
    """Translate an expression."""
    match node:
        case ast.Constant(bool() | int() | float() as number):
            return scope.plain_constant(number)
        case ast.Name(name):
            return _name(scope, name, node)
        case ast.BinOp(left, operator, right):
            return binary(scope, operator, expression(scope, left), expression(scope, right), node)
        case ast.UnaryOp():
            return _unary(scope, node)
        case ast.Compare():
            return _compare(scope, node)
        case ast.BoolOp():
            return _connective(scope, node)
        case ast.IfExp():
            return _ternary(scope, node)
        case ast.Call():
            return scope.callables.call(scope, node)
        case ast.Attribute():
            return _attribute(scope, node)
        case ast.Subscript():
            return indexing.load(scope, node)
        case ast.Tuple(items):
            return several([expression(scope, item) for item in items])
    raise Unsupported(type(node).__name__, node)


def several(items: list[Expr]) -> Expr:
    """Values side by side, as a function returns them.

    Raises:
        Unsupported: An array is among them.
    """
    if any(isinstance(item, ArrayExpr) for item in items):
        raise Unsupported("array among several values")
    runs = [item.run for item in items]
    guarded = any(item.guarded for item in items)
    return Expr(TupleType(tuple(item.type for item in items)), lambda: tuple(run() for run in runs), guarded=guarded)


def _name(scope: Scope, name: str, node: ast.expr) -> Expr:
    variable = scope.variables.get(name)
    if variable is None:
        return static_value(scope, scope.source.name(name, node), node)
    if variable.view is not None and isinstance(variable.type, ArrayType):
        return scope.array(variable.type, variable.view)
    frame, slot = scope.frame, variable.slot
    if name not in scope.doubtful:
        return Expr(variable.type, lambda: frame[slot], const=variable.const, holder=variable.holder)
    machine, assigned, line, type = scope.machine, scope.assigned, node.lineno, variable.type

    def checked() -> Value:
        known = assigned.get(name)
        missing = machine.all if known is None else ~known
        machine.fault(FaultKind.UNASSIGNED, missing, line)
        value = frame[slot]
        return scope.callables.zero(type) if value is None else value

    return Expr(variable.type, checked, const=variable.const, guarded=True)


def indexed(scope: Scope, type: IndexedArray, path: str) -> ArrayExpr:
    """An indexed array that an argument or a field is."""
    return scope.array(ArrayType(type.element, type.rank), indexed_view(type, path))


def indexed_view(type: IndexedArray, path: str) -> ArrayView:
    """Which arrays an indexed array is, that an argument or a field holds."""
    return ArrayView(f"{path}.{SHOWN}", (), tuple(f"{path}.{PLACES}{axis}" for axis in range(type.rank)))


def static_value(scope: Scope, meaning: object, node: ast.expr) -> Expr:
    """A module-level constant."""
    match meaning:
        case bool() | int() | float():
            return scope.plain_constant(meaning)
        case TypedConstant():
            return scope.typed_constant(meaning)
    raise Unsupported(f"{ast.unparse(node)} as a value", node)


def binary(scope: Scope, operator: ast.operator, left: Expr, right: Expr, node: ast.AST) -> Expr:
    """An arithmetic operator; a helper with the operator's builtin name takes it over."""
    name = OPERATORS.get(type(operator))
    if name is None:
        raise Unsupported(f"operator {type(operator).__name__}", node)
    own = scope.source.names.get(name)
    if isinstance(own, Function) and scope.callables.accepts(own, [left, right], scope):
        return scope.callables.call_function(scope, own, [left, right], node)
    return scope.callables.call_builtin(scope, name, [left, right], node)


def _unary(scope: Scope, node: ast.UnaryOp) -> Expr:
    operand = expression(scope, node.operand)
    if isinstance(node.op, ast.Not):
        truth = as_condition(scope, operand, node)
        run = truth.run
        return Expr(BOOL, lambda: ~run(), guarded=operand.guarded)
    if isinstance(node.op, ast.USub) and operand.const is not None and not isinstance(operand.const, bool):
        assert isinstance(operand.type, Scalar)
        return scope.constant(operand.type, -operand.const)
    return scope.callables.call_builtin(scope, OPERATORS[type(node.op)], [operand], node)


def as_condition(scope: Scope, operand: Expr, node: ast.AST) -> Expr:
    """A value as C++ tests it: a number is true unless it is zero."""
    if operand.type == BOOL:
        return operand
    if isinstance(operand, ArrayExpr):
        # An array is true if there is one: a run gives each argument one.
        there = np.ones(1, bool)
        return Expr(BOOL, lambda: there)
    if not isinstance(operand.type, Scalar) or operand.type == FLOAT16:
        raise Unsupported(f"{operand.type} as a condition", node)
    run, ops = operand.run, scope.ops
    return Expr(BOOL, lambda: ops.compare(np.not_equal, run(), np.zeros(1, run().dtype)), guarded=operand.guarded)


def _compare(scope: Scope, node: ast.Compare) -> Expr:
    operands = [expression(scope, operand) for operand in (node.left, *node.comparators)]
    guarded = any(operand.guarded for operand in operands)
    relations: list[Relation] = []
    for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
        if relations and left.type != right.type:
            raise Unsupported("chained comparison of different types", node)
        relations.append(_relation(scope, operator, left, right, node))
    runs = [operand.run for operand in operands]
    if len(relations) == 1:
        (relation,) = relations
        first, second = runs
        return Expr(BOOL, lambda: relation(first(), second()), guarded=guarded)

    def chain() -> Value:
        # All operands are computed, once each, before any comparison.
        values = [run() for run in runs]
        result = relations[0](values[0], values[1])
        for index, relation in enumerate(relations[1:], 1):
            result = result & relation(values[index], values[index + 1])
        return result

    return Expr(BOOL, chain, guarded=guarded)


def _relation(scope: Scope, operator: ast.cmpop, left: Expr, right: Expr, node: ast.AST) -> Relation:
    compare, function = scope.ops.compare, _RELATIONS.get(type(operator))
    if function is None:
        raise Unsupported(f"comparison {type(operator).__name__}", node)
    if isinstance(left.type, Scalar) and isinstance(right.type, Scalar):
        if left.type == right.type:
            return partial(compare, function) if left.type.is_float else function
        common = scope.ops.dtype(_common(left.type, right.type, node))
        return lambda a, b: compare(function, a.astype(common), b.astype(common))
    # Warp's text for `!=` of composite values does not compile.
    if left.type == right.type and is_composite(left.type) and function is np.equal:

        def components(a: Array, b: Array) -> Array:
            same = compare(np.equal, a, b)
            return np.logical_and.reduce(same.reshape(len(same), -1), axis=1, keepdims=True)[:, 0]

        return components
    raise Unsupported(f"comparison of {left.type} with {right.type}", node)


def _common(left: Scalar, right: Scalar, node: ast.AST) -> Scalar:
    """The type in which C++ compares two different ones (the usual arithmetic conversions)."""
    if left.is_float or right.is_float:
        if "float16" in (left.name, right.name):
            raise Unsupported(f"comparison of {left} with {right}", node)
        return FLOAT64 if FLOAT64 in (left, right) else FLOAT32
    wide = max((_promoted(left), _promoted(right)), key=lambda kind: (kind[1], kind[0] == "uint"))
    return Scalar(f"{wide[0]}{wide[1]}")


def _promoted(scalar: Scalar) -> tuple[str, int]:
    """Signedness and width after integer promotion: what is narrower than 32 bits becomes int32."""
    if scalar == BOOL:
        return "int", 32
    kind = scalar.name.rstrip("0123456789")
    width = int(scalar.name[len(kind) :])
    return (kind, width) if width >= 32 else ("int", 32)


def _connective(scope: Scope, node: ast.BoolOp) -> Expr:
    """``and`` and ``or``: later operands are computed only in the lanes that still need them."""
    operands = [as_condition(scope, expression(scope, value), node) for value in node.values]
    combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
    result = operands[0]
    for operand in operands[1:]:
        run = (
            _short_circuit(scope, result.run, operand.run, is_and=combine is np.logical_and)
            if operand.guarded
            else _both(combine, result.run, operand.run)
        )
        result = Expr(BOOL, run, guarded=result.guarded or operand.guarded)
    return result


def _both(combine: Any, left: Run, right: Run) -> Run:
    return lambda: combine(left(), right())


def _short_circuit(scope: Scope, left: Run, right: Run, *, is_and: bool) -> Run:
    machine = scope.machine

    def run() -> Value:
        first = left()
        open_ = first if is_and else ~first
        if len(open_) == 1:
            return right() if open_[0] else first
        entry = machine.mask
        machine.mask = open_ if entry is None else open_ & entry
        if not np.count_nonzero(machine.mask):
            machine.mask = entry
            return first
        second = right()
        machine.mask = entry
        return np.where(open_, second, first)

    return run


def _ternary(scope: Scope, node: ast.IfExp) -> Expr:
    test = expression(scope, node.test)
    if test.const is not None:
        return expression(scope, node.body if test.const else node.orelse)
    condition = as_condition(scope, test, node).run
    yes, no = expression(scope, node.body), expression(scope, node.orelse)
    if yes.type != no.type or isinstance(yes.type, ArrayType):
        raise Unsupported(f"ternary of {yes.type} and {no.type}", node)
    machine, site = scope.machine, Site(node.lineno, node.col_offset, "ternary")
    run_yes, run_no = yes.run, no.run

    def run() -> Value:
        true = condition()
        entry = machine.mask
        if len(true) == 1:
            taken = bool(true[0])
            machine.saw(site, taken and machine.active(), not taken and machine.active())
            return run_yes() if taken else run_no()
        if entry is None:
            false = ~true
            wanted = true
        else:
            false = entry & ~true
            wanted = true & entry
        machine.saw(site, wanted, false)
        if not np.count_nonzero(false):
            return run_yes()
        if not np.count_nonzero(wanted):
            return run_no()
        machine.mask = wanted
        a = run_yes()
        machine.mask = false
        b = run_no()
        machine.mask = entry
        return select(true, a, b)

    return Expr(yes.type, run, guarded=test.guarded or yes.guarded or no.guarded)


def _attribute(scope: Scope, node: ast.Attribute) -> Expr:
    if node.attr == "length":
        named = types.of_expression(scope, node.value)
        if named is None and indexing.root(node.value) in scope.variables:
            named = expression(scope, node.value).type
        if isinstance(named, Vector):
            return scope.plain_constant(named.length)
    if isinstance(node.value, ast.Name | ast.Attribute) and indexing.root(node.value) not in scope.variables:
        return static_value(scope, scope.source.meaning(node), node)
    owner = expression(scope, node.value)
    return meshes.told(scope, owner, node.attr, member(scope, owner, node.attr, node))


def member(scope: Scope, owner: Expr, name: str, node: ast.AST) -> Expr:
    """A component or field of a value."""
    run = owner.run
    if (held := meshes.held(owner, name)) is not None:
        return held
    match owner.type:
        case Vector() | Quaternion():
            place = indexing.component(owner.type, name, node)
            return Expr(owner.type.scalar, lambda: run()[:, place], guarded=owner.guarded)
        case Struct() as struct:
            names = [field.name for field in struct.fields]
            if name not in names:
                raise Unsupported(f"field {name} of {struct}", node)
            index = names.index(name)
            type, path = struct.fields[index].type, f"{owner.holder}.{name}"
            if isinstance(type, IndexedArray) and owner.holder:
                return indexed(scope, type, path)
            if not isinstance(type, ArrayType):
                return Expr(type, lambda: run()[index], guarded=owner.guarded, holder=path if owner.holder else "")
            if not owner.holder:
                raise Unsupported(f"array of a {struct} that is no argument", node)
            return scope.array(type, ArrayView(path))
    part = indexing.transform_part(owner.type, name)
    if part is None:
        raise Unsupported(f"attribute {name} of {owner.type}", node)
    kind, cut = part
    return Expr(kind, lambda: run()[:, cut], guarded=owner.guarded)
