"""Loops over lanes that may run them a different number of times."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import expressions, places, statements
from irsmith.frontends.warp.reference.errors import FaultKind, Site, Unsupported
from irsmith.frontends.warp.reference.machine import Machine
from irsmith.frontends.warp.reference.scope import Loop, Scope, Statement
from irsmith.frontends.warp.reference.values import Array, QueryType
from irsmith.syntax import nodes as nodes_of
from irsmith.types import INT32

_SEARCH = re.compile(r"_query_(\w+_)?(next|valid)")
"""In the names of the builtins on which a loop over what a search finds goes on."""


def leave(scope: Scope, node: ast.Break | ast.Continue) -> Statement:
    """``break`` or ``continue``: the active lanes go on elsewhere."""
    if not scope.loops:
        raise Unsupported(f"{type(node).__name__} outside a loop", node)
    loop, machine = scope.loops[-1], scope.machine
    if isinstance(node, ast.Break):

        def stop() -> None:
            lanes = machine.active()
            loop.broken = lanes if loop.broken is None else loop.broken | lanes
            machine.mask = machine.none

        return Statement(stop, leaves=True)

    def skip() -> None:
        lanes = machine.active()
        loop.continued = lanes if loop.continued is None else loop.continued | lanes
        machine.mask = machine.none

    return Statement(skip, leaves=True)


def _returns(nodes: list[ast.stmt]) -> bool:
    return any(isinstance(part, ast.Return) for part in nodes_of(*nodes))


def _body(scope: Scope, nodes: list[ast.stmt], loop: Loop) -> Callable[[], None]:
    """One iteration; afterwards the mask holds the lanes that go on to the next."""
    scope.loops.append(loop)
    body = statements.block(scope, nodes)
    scope.loops.pop()
    run, machine = body.run, scope.machine
    if not body.leaves:
        return run

    def iterate() -> None:
        loop.continued = None
        run()
        if loop.continued is not None and machine.mask is not None:
            machine.mask = machine.mask | loop.continued
        if machine.mask is not None and np.count_nonzero(machine.mask) == machine.lanes:
            machine.mask = None

    return iterate


def _in_any_order(scope: Scope, body: Callable[[], None]) -> Callable[[], None]:
    """An iteration of a loop over what a search finds."""
    ops = scope.ops

    def iterate() -> None:
        ops.unordered += 1
        try:
            body()
        finally:
            # A conflict of threads ends the run, and another begins.
            ops.unordered -= 1

    return iterate


class _Exit:
    """Gathers the lanes that have finished a loop, and restores them after it."""

    __slots__ = ("entry", "left", "loop", "machine")

    def __init__(self, machine: Machine, loop: Loop) -> None:
        self.machine, self.loop, self.entry = machine, loop, machine.mask
        self.left: Array = machine.none
        loop.broken = loop.continued = None

    def take(self, lanes: Array) -> None:
        self.left = self.left | lanes

    def restore(self, *, returns: bool) -> None:
        if not returns:
            self.machine.mask = self.entry
            return
        lanes = self.left if self.loop.broken is None else self.left | self.loop.broken
        self.machine.mask = None if np.count_nonzero(lanes) == self.machine.lanes else lanes


def _spend(machine: Machine, line: int) -> bool:
    """Count one iteration; whether the limit is reached, which is a fault of the lanes still running."""
    machine.steps -= machine.threads
    if machine.steps >= 0:
        return False
    machine.fault(FaultKind.STEP_LIMIT, machine.active(), line)
    return True


def while_loop(scope: Scope, node: ast.While) -> Statement:
    """A ``while`` loop."""
    test = expressions.expression(scope, node.test)
    condition = expressions.as_condition(scope, test, node).run
    loop = Loop()
    body = _body(scope, node.body, loop)
    if any(isinstance(part, ast.Attribute) and _SEARCH.search(part.attr) for part in ast.walk(node.test)):
        body = _in_any_order(scope, body)
    returns = _returns(node.body)
    machine, site = scope.machine, Site(node.lineno, node.col_offset, "while")
    endless = bool(test.const)

    def run() -> None:
        exit_ = _Exit(machine, loop)
        while not machine.empty():
            going = condition()
            if len(going) == 1:
                if not endless:
                    machine.saw(site, bool(going[0]) and machine.active(), not going[0] and machine.active())
                if not going[0]:
                    exit_.take(machine.active())
                    break
            else:
                active = machine.active()
                going = going & active
                stopped = active & ~going
                machine.saw(site, going, stopped)
                if np.count_nonzero(stopped):
                    exit_.take(stopped)
                    machine.mask = going
                    if not np.count_nonzero(going):
                        break
            if _spend(machine, node.lineno):
                exit_.take(machine.active())
                break
            body()
        exit_.restore(returns=returns)

    return Statement(run, leaves=returns)


def for_loop(scope: Scope, node: ast.For) -> Statement:
    """A ``for`` loop over ``range``; its bounds are computed once, before it."""
    call = node.iter
    backwards = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "reversed"
    if backwards and isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
        call = call.args[0]
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        return _for_each(scope, node)
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"):
        raise Unsupported("loop over something other than range", node)
    if not isinstance(node.target, ast.Name) or call.keywords or not 1 <= len(call.args) <= 3:
        raise Unsupported("loop with other than a name and one to three bounds", node)
    bounds = [expressions.expression(scope, argument) for argument in call.args]
    if any(bound.type != INT32 for bound in bounds):
        raise Unsupported("range of something other than int32", node)
    runs = [bound.run for bound in bounds]
    known = scope.variables.get(node.target.id)
    if known is not None and known.type != INT32:
        # The loop's own variable from here on, whatever the name stood for.
        del scope.variables[node.target.id]
    scope.declare(node.target.id, INT32, node)
    count = places.store_to(scope, node.target.id)
    loop = Loop()
    body = _body(scope, node.body, loop)
    returns = _returns(node.body)
    machine, site, line = scope.machine, Site(node.lineno, node.col_offset, "for"), node.lineno
    zero, one = np.zeros(1, np.int32), np.ones(1, np.int32)
    constant = all(bound.const is not None for bound in bounds)

    def run() -> None:
        values = [bound() for bound in runs]
        start, stop, step = (zero, values[0], one) if len(values) == 1 else (*values, one)[:3]
        if not np.all(step):
            machine.fault(FaultKind.ZERO_STEP, np.equal(step, 0), line)
            step = np.where(step == 0, one, step)
        exit_ = _Exit(machine, loop)
        if len(start) == len(stop) == len(step) == 1:
            turns = range(int(start[0]), int(stop[0]), int(step[0]))
            turns = turns[::-1] if backwards else turns
            if not constant:
                machine.saw(site, len(turns) > 0 and machine.active(), len(turns) == 0 and machine.active())
            for number in turns:
                if machine.empty() or _spend(machine, line):
                    break
                count(machine.integer(number))
                body()
            exit_.take(machine.active())
        else:
            _diverging(exit_, site, (start, stop, step), count, body, backwards=backwards)
        exit_.restore(returns=returns)

    return Statement(run, leaves=returns)


def _for_each(scope: Scope, node: ast.For) -> Statement:
    """A loop over what a search finds, in the order of the numbers: which it is, is not defined."""
    query = expressions.expression(scope, node.iter)
    if not isinstance(query.type, QueryType) or not isinstance(node.target, ast.Name):
        raise Unsupported("loop over something other than range", node)
    scope.declare(node.target.id, INT32, node)
    count = places.store_to(scope, node.target.id)
    loop = Loop()
    body = _in_any_order(scope, _body(scope, node.body, loop))
    returns = _returns(node.body)
    machine, line = scope.machine, node.lineno

    def run() -> None:
        found: Array = query.run()[1]
        exit_ = _Exit(machine, loop)
        for number in np.flatnonzero(found.any(axis=0)).tolist():
            if machine.empty() or _spend(machine, line):
                break
            passed = machine.active() & ~found[:, number]
            if not np.count_nonzero(passed):
                count(machine.integer(number))
                body()
                continue
            machine.mask = machine.active() & found[:, number]
            if not machine.empty():
                count(machine.integer(number))
                body()
            machine.mask = machine.active() | passed
        exit_.take(machine.active())
        exit_.restore(returns=returns)

    return Statement(run, leaves=returns)


def _diverging(
    exit_: _Exit,
    site: Site,
    bounds: tuple[Array, Array, Array],
    count: Callable[[Array], None],
    body: Callable[[], None],
    *,
    backwards: bool,
) -> None:
    machine = exit_.machine
    start, stop, step = (np.asarray(bound, np.int64) for bound in bounds)
    length = _length(start, stop, step)
    if backwards:
        start, step = np.asarray(start + (length - 1) * step, np.int64), -step
    length = np.broadcast_to(length, machine.lanes)
    started, active = length > 0, machine.active()
    machine.saw(site, started & active, ~started & active)
    number = np.broadcast_to(start, machine.lanes)
    turn = 0
    while True:
        active = machine.active()
        going = (length > turn) & active
        if np.count_nonzero(going) < np.count_nonzero(active):
            exit_.take(active & ~going)
            machine.mask = going
        if machine.empty():
            return
        if _spend(machine, site.line):
            exit_.take(machine.active())
            return
        count(number.astype(np.int32))
        body()
        number = number + step
        turn += 1


def _length(start: Array, stop: Array, step: Array) -> Array:
    """How many turns ``range(start, stop, step)`` has."""
    span = np.where(step > 0, stop - start, start - stop)
    turns: Array = np.maximum(0, -(-span // np.abs(step)))
    return turns
