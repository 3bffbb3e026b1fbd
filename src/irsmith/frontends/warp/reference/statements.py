"""Statements: each syntax node becomes a closure that acts on the active lanes and leaves the mask behind it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import numpy as np

from irsmith.frontends.warp.reference import expressions, loops, places, tiles
from irsmith.frontends.warp.reference.errors import FaultKind, Site, Unsupported
from irsmith.frontends.warp.reference.scope import ArrayExpr, Scope, Statement
from irsmith.frontends.warp.reference.values import Expr, StackType, TileType, TupleType, Type, Value, select


def block(scope: Scope, nodes: Sequence[ast.stmt]) -> Statement:
    """Translate statements that follow each other."""
    parts = [part for part in (statement(scope, node) for node in nodes) if part is not None]
    runs = [part.run for part in parts]
    if not any(part.leaves for part in parts):
        if len(runs) == 1:
            return Statement(runs[0])

        def straight() -> None:
            for run in runs:
                run()

        return Statement(straight)
    machine = scope.machine
    steps = [(part.run, part.leaves) for part in parts]

    def until_empty() -> None:
        for run, leaves in steps:
            run()
            if leaves and machine.empty():
                return

    return Statement(until_empty, leaves=True)


def statement(scope: Scope, node: ast.stmt) -> Statement | None:
    """Translate a statement; None for one that does nothing."""
    match node:
        case ast.Assign([target], value):
            return Statement(_assign(scope, target, value, node))
        case ast.AugAssign():
            return Statement(_update(scope, node))
        case ast.If():
            return _if(scope, node)
        case ast.For(orelse=[]):
            return loops.for_loop(scope, node)
        case ast.While(orelse=[]):
            return loops.while_loop(scope, node)
        case ast.Break() | ast.Continue():
            return loops.leave(scope, node)
        case ast.Return():
            return _return(scope, node)
        case ast.Expr(ast.Constant()) | ast.Pass():
            return None
        case ast.Expr(ast.Call() as call):
            scope.alone = call
            return Statement(_effect(scope.callables.call(scope, call)))
        case ast.Assert():
            return Statement(_assert(scope, node))
    raise Unsupported(type(node).__name__, node)


def _effect(expr: Expr) -> Callable[[], None]:
    run = expr.run

    def effect() -> None:
        run()

    return effect


def _assign(scope: Scope, target: ast.expr, value: ast.expr, node: ast.stmt) -> Callable[[], None]:
    if isinstance(target, ast.Tuple):
        return _unpack(scope, target, value, node)
    expr = expressions.expression(scope, value)
    if isinstance(expr.type, TileType | StackType) and isinstance(value, ast.Name):
        raise Unsupported("second name for a tile or a stack", node)
    if isinstance(target, ast.Name):
        if isinstance(expr, ArrayExpr):
            return _name_array(scope, target, expr)
        return _bind(scope, target, expr)
    place = places.place(scope, target)
    _same_type(place.type, expr, node)
    run, find, save = expr.run, place.find, place.save

    def assign() -> None:
        result = run()
        find()
        save(result)

    return assign


def _same_type(type: object, expr: Expr, node: ast.AST) -> None:
    if type != expr.type:
        raise Unsupported(f"{expr.type} assigned to {type}", node)


def _bind(scope: Scope, target: ast.Name, expr: Expr) -> Callable[[], None]:
    if isinstance(expr, tiles.View):
        tiles.shows(scope, target)
    variable = scope.declare(target.id, expr.type, target)
    if target.id in scope.once:
        variable.const, variable.holder = expr.const, expr.holder
    save, run = places.store_to(scope, target.id), expr.run
    return lambda: save(run())


def _name_array(scope: Scope, target: ast.Name, expr: ArrayExpr) -> Callable[[], None]:
    """Another name for an array, or for a row of it."""
    if target.id not in scope.once:
        raise Unsupported(f"array variable {target.id} assigned twice", target)
    scope.declare(target.id, expr.type, target).view = expr.view

    def name() -> None:
        for prepare in expr.prepare:
            prepare()

    return name


def _unpack(scope: Scope, target: ast.Tuple, value: ast.expr, node: ast.stmt) -> Callable[[], None]:
    targets = target.elts
    if isinstance(value, ast.Tuple):
        exprs = [expressions.expression(scope, item) for item in value.elts]
        runs = [expr.run for expr in exprs]
        types = [expr.type for expr in exprs]

        def several() -> Value:
            return [run() for run in runs]

        compute: Callable[[], Value] = several
    else:
        expr = scope.callables.call(scope, value, len(targets)) if isinstance(value, ast.Call) else None
        if expr is None or not isinstance(expr.type, TupleType):
            raise Unsupported("unpacking of one value", node)
        types, compute = list(expr.type.items), expr.run
    saves = _saves(scope, targets, types, node)

    def unpack() -> None:
        for save, result in zip(saves, compute(), strict=True):
            save(result)

    return unpack


def _saves(
    scope: Scope, targets: Sequence[ast.expr], types: Sequence[Type], node: ast.stmt
) -> list[Callable[[Value], None]]:
    """For each of several targets what writes its value."""
    if len(types) != len(targets):
        raise Unsupported(f"{len(types)} values unpacked to {len(targets)} names", node)
    saves: list[Callable[[Value], None]] = []
    for target, type in zip(targets, types, strict=True):
        if isinstance(target, ast.Tuple) and isinstance(type, TupleType):
            saves.append(_each(_saves(scope, target.elts, type.items, node)))
        elif isinstance(target, ast.Name):
            scope.declare(target.id, type, node)
            saves.append(places.store_to(scope, target.id))
        else:
            raise Unsupported("tuple assignment to something other than names", node)
    return saves


def _each(saves: list[Callable[[Value], None]]) -> Callable[[Value], None]:
    def save(values: Value) -> None:
        for one, value in zip(saves, values, strict=True):
            one(value)

    return save


def _update(scope: Scope, node: ast.AugAssign) -> Callable[[], None]:
    """``place op= value``: the place is found first, then the value computed, then the place read.

    Warp turns ``array[i] += value`` into an atomic operation, which comes to the same in a thread's own order.
    """
    place = places.place(scope, node.target)
    if isinstance(place.type, TileType):
        tiles.changes(scope, node.target)
    amount = expressions.expression(scope, node.value)
    held: list[Value] = [None, None]
    current = Expr(place.type, lambda: held[0], guarded=True)
    operand = Expr(amount.type, lambda: held[1], const=amount.const)
    result = expressions.binary(scope, node.op, current, operand, node)
    _same_type(place.type, result, node)
    find, load, save = place.find, place.load, place.save
    run_amount, run_result = amount.run, result.run

    def update() -> None:
        find()
        held[1] = run_amount()
        held[0] = load()
        save(run_result())

    return update


def _if(scope: Scope, node: ast.If) -> Statement | None:
    test = expressions.expression(scope, node.test)
    if test.const is not None:
        kept = node.body if test.const else node.orelse
        return block(scope, kept) if kept else None
    condition = expressions.as_condition(scope, test, node).run
    yes, no = block(scope, node.body), block(scope, node.orelse)
    run_yes, run_no, leaves = yes.run, no.run, yes.leaves or no.leaves
    machine, site = scope.machine, Site(node.lineno, node.col_offset, "if")

    def branch() -> None:
        true = condition()
        entry = machine.mask
        if len(true) == 1:
            taken = bool(true[0])
            machine.saw(site, taken and machine.active(), not taken and machine.active())
            if taken:
                run_yes()
            else:
                run_no()
            return
        if entry is None:
            false = ~true
        else:
            false = entry & ~true
            true = true & entry
        machine.saw(site, true, false)
        if not np.count_nonzero(false):
            run_yes()
            return
        if not np.count_nonzero(true):
            run_no()
            return
        machine.mask = true
        run_yes()
        after = machine.mask
        machine.mask = false
        run_no()
        machine.mask = after | machine.mask if leaves else entry

    return Statement(branch, leaves)


def _return(scope: Scope, node: ast.Return) -> Statement:
    machine = scope.machine
    if scope.is_kernel or node.value is None:
        if node.value is not None:
            raise Unsupported("kernel that returns a value", node)

        def stop() -> None:
            machine.mask = machine.none

        return Statement(stop, leaves=True)
    expr = expressions.expression(scope, node.value)
    if scope.returns is not None and scope.returns != expr.type:
        raise Unsupported(f"helper that returns both {scope.returns} and {expr.type}", node)
    if isinstance(expr, ArrayExpr):
        raise Unsupported("helper that returns an array", node)
    scope.returns = expr.type
    run = expr.run

    def give() -> None:
        result = run()
        mask = machine.mask
        if mask is not None and scope.result is not None:
            result = select(mask, result, scope.result)
        scope.result = result
        machine.mask = machine.none

    return Statement(give, leaves=True)


def _assert(scope: Scope, node: ast.Assert) -> Callable[[], None]:
    condition = expressions.as_condition(scope, expressions.expression(scope, node.test), node).run
    machine, line = scope.machine, node.lineno

    def check() -> None:
        machine.fault(FaultKind.ASSERTION, ~condition(), line)

    return check
