"""A finished program, tried as a whole: whether it does what its statements promise.

While a kernel grows, each statement is tried where it stands; what the whole makes of it is seen only here. A
program is refused if one of its arguments or statements changes no output, or if an output is not written, is always
the same, or is not finite.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from irsmith.kernel import Argument, Direction
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Atomic, Comment, Expr, For, If, Program, Stmt, While
from irsmith.synth.stand_ins import assigned, imaginable
from irsmith.synth.variants import BeyondError, Doubt, Run

_UNREPEATABLE = frozenset({"atomic_cas", "atomic_exch", "tile"})
# Few points are near each other, as numbers that stand for them would not be; and what a block searches together.
_SEARCHES = re.compile("^hash_grid|tile")
_FEW, _MANY = 16, 96
"""Threads of the first round, which nearly every variant passes, and of the second, for the others."""


def rehearse(program: Program) -> None:
    """Run a program and its variants.

    Raises:
        Discard: An argument or a statement changes nothing, or an output is not written, constant, or not finite.
    """
    if not _repeatable(program):
        return
    program, excused = imaginable(program)
    doubts: list[Doubt] = [a for a in program.arguments if a.name not in excused and _matters(a, program.body)]
    doubts += [s for s in _removable(program.body, set(), inside=()) if not assigned(s) or not assigned(s) <= excused]
    try:
        run = Run(program, doubts, _FEW)
        if run.doubts or run.trouble():
            run = Run(program, run.doubts, _MANY)
    except BeyondError:
        return
    if run.doubts:
        raise Discard("changes nothing")
    if run.trouble():
        raise Discard(run.trouble())


def _repeatable(program: Program) -> bool:
    """Whether a program can be tried: not one that exchanges, has tiles or searches a grid, or that helps any
    type.
    """
    if any(helper.generic for helper in program.helpers):
        return False
    queue: list[object] = [*program.body]
    for helper in program.helpers:
        queue += helper.body
    while queue:
        node = queue.pop()
        if node.__class__ is Expr:
            if node.op in _UNREPEATABLE or (node.op == "query" and _SEARCHES.search(node.name)):
                return False
            queue += node.args
        else:
            # A statement, or several.
            queue += [part for part in node if isinstance(part, tuple)]  # type: ignore[attr-defined]
    return True


def _matters(argument: Argument, body: tuple[Stmt, ...]) -> bool:
    """Whether an argument's data should change some output."""
    if argument.direction is Direction.IN:
        domain = argument.domain
        return domain is None or domain.low < domain.high
    # What is only added to keeps what was there.
    return argument.direction is Direction.INOUT and not any(
        isinstance(s, Atomic) or s.op for s in _stores(body) if s.target.name == argument.name
    )


def _stores(body: tuple[Stmt, ...]) -> Iterator[Assign | Atomic]:
    """The statements that write to arrays."""
    for statement in body:
        if isinstance(statement, If):
            yield from _stores(statement.then + statement.orelse)
        elif isinstance(statement, For | While):
            yield from _stores(statement.body)
        elif isinstance(statement, Atomic) or (isinstance(statement, Assign) and statement.target.op == "index"):
            yield statement


def _removable(body: tuple[Stmt, ...], defined: set[str], inside: tuple[While, ...]) -> list[Stmt]:
    """The statements without which every variable still has a value; ``defined`` grows by what the body defines."""
    found: list[Stmt] = []
    for statement in body:
        if isinstance(statement, Assign) and statement.target.op == "name":
            name = statement.target.name
            if name in defined and not _limits(statement) and not any(_reads(loop.test, name) for loop in inside):
                found.append(statement)
            defined.add(name)
        elif isinstance(statement, If):
            before = set(defined)
            chained = len(statement.orelse) == 1 and isinstance(statement.orelse[0], If)
            within = _removable(statement.then, defined, inside)
            rest = _removable(statement.orelse, defined, inside)
            found += within + [other for other in rest if not (chained and other is statement.orelse[0])]
            if defined == before:
                found.append(statement)
        elif isinstance(statement, For | While):
            before = set(defined)
            if _only_limits(statement.body, before):
                continue
            found += _removable(
                statement.body, defined, (*inside, *([statement] if isinstance(statement, While) else []))
            )
            if defined == before:
                found.append(statement)
    return found


def _only_limits(body: tuple[Stmt, ...], outside: set[str]) -> bool:
    """Whether a loop does no more than limit variables from outside it: a softmax is the same for any maximum."""
    for statement in body:
        if isinstance(statement, Assign):
            target = statement.target
            if target.op != "name" or (target.name in outside and not _limits(statement)):
                return False
        elif isinstance(statement, For):
            if not _only_limits(statement.body, outside):
                return False
        elif not isinstance(statement, Comment):
            return False
    return True


def _limits(statement: Assign) -> bool:
    """Whether a statement keeps its variable within limits, which may be wider than it needs."""
    return statement.value.op in {"clamp", "min", "max"} and _reads(statement.value, statement.target.name)


def _reads(e: Expr, name: str) -> bool:
    return (e.op == "name" and e.name == name) or any(_reads(arg, name) for arg in e.args)
