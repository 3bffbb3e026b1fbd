"""Statements that can be taken away without anybody seeing it, found by taking them away one by one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from irsmith.kernel import Kernel
from irsmith.verdict import Uncovered
from irsmith.verify.explore import Explored
from irsmith.verify.inputs import SEARCH, Inputs
from irsmith.verify.liveness import reached
from irsmith.verify.observe import ways_of
from irsmith.verify.ports import Array, NotModelledError, Reference, Sets, Toolchain
from irsmith.verify.values import differs
from irsmith.verify.verdict import Problem

WIDE = 96
"""Further input sets on which a statement has to make no difference."""

_LIMITS = {"clamp", "min", "max"}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A statement, and the branches and loops that it stands in."""

    node: ast.stmt
    inside: tuple[tuple[ast.stmt, bool], ...]


def problem(
    kernel: Kernel, toolchain: Toolchain, reference: Reference, inputs: Inputs, explored: Explored
) -> Problem | None:
    """The first statement without which every input set gives the same, to the last bit."""
    lines = kernel.source.splitlines()
    wide: tuple[Sets, dict[str, Array]] | None = None
    for candidate in _candidates(kernel):
        if _untaken(candidate, explored.uncovered):
            continue
        source = _without(lines, candidate.node)
        if _changes(source, kernel, toolchain, explored.observed.sets, explored.observed.exact):
            continue
        if wide is None:
            sets = inputs.sets([SEARCH[place % len(SEARCH)] for place in range(WIDE)], "removals")
            wide = sets, ways_of(reference, kernel, sets)[0]
        if not _changes(source, kernel, toolchain, *wide):
            text = lines[candidate.node.lineno - 1].strip()
            return Problem("dead_statement", f"line {candidate.node.lineno} changes nothing: {text}")
    return None


def _changes(source: str, kernel: Kernel, toolchain: Toolchain, sets: Sets, right: dict[str, Array]) -> bool:
    try:
        outputs, _, faults = ways_of(toolchain.reference(source, kernel.name), kernel, sets)
    except NotModelledError:
        return True
    return any(faults) or any(differs(outputs[name], array).any() for name, array in right.items())


def _without(lines: list[str], node: ast.stmt) -> str:
    first, last = node.lineno - 1, node.end_lineno or node.lineno
    blank = [""] * (last - first - 1)
    return "\n".join([*lines[:first], " " * node.col_offset + "pass", *blank, *lines[last:]]) + "\n"


def _candidates(kernel: Kernel) -> Iterator[_Candidate]:
    functions = [node for node in ast.parse(kernel.source).body if isinstance(node, ast.FunctionDef)]
    # What the kernel does not reach, such as a gradient of the author's own, changes no output.
    used = reached({node.name: node for node in functions}, kernel.name)
    for node in functions:
        if node.name in used:
            declared = _declarations(node)
            yield from (one for one in _within(node.body, ()) if one.node not in declared)


def _declarations(function: ast.FunctionDef) -> set[ast.stmt]:
    """Statements that give a variable a plain value for a loop or a branch behind them to change.

    A compiler asks for them, whether or not any input lets the value be seen.
    """
    found: set[ast.stmt] = set()
    for place, node in enumerate(function.body):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _plain(node.value)):
            continue
        name = node.targets[0].id
        blocks = [later for later in function.body[place:] if isinstance(later, ast.If | ast.For | ast.While)]
        changed = (part for block in blocks for part in ast.walk(block) if isinstance(part, ast.Name))
        if any(part.id == name and isinstance(part.ctx, ast.Store) for part in changed):
            found.add(node)
    return found


def _plain(value: ast.expr) -> bool:
    """Whether an expression says a number, or makes a value of numbers."""
    if isinstance(value, ast.UnaryOp):
        return _plain(value.operand)
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and all(map(_plain, value.args)))


def _within(nodes: list[ast.stmt], inside: tuple[tuple[ast.stmt, bool], ...]) -> Iterator[_Candidate]:
    for node in nodes:
        if isinstance(node, ast.Pass | ast.Expr) and not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            continue
        if _only_prints(node):
            continue
        if not _limits(node) and not _counts(node, inside):
            yield _Candidate(node, inside)
        if isinstance(node, ast.If | ast.For | ast.While):
            yield from _within(node.body, (*inside, (node, True)))
            elif_ = len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)
            # The text of an ``elif`` cannot be replaced by itself, only what stands in it.
            rest = _within(node.orelse, (*inside, (node, False)))
            yield from (candidate for candidate in rest if not (elif_ and candidate.node is node.orelse[0]))


def _only_prints(node: ast.stmt) -> bool:
    """Whether a statement is there to print, which no output shows."""
    if isinstance(node, ast.If):
        return not node.orelse and all(map(_only_prints, node.body))
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in {"print", "printf"}


def _limits(node: ast.stmt) -> bool:
    """Whether a statement keeps a variable within limits, which may be wider than it needs."""
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
        return False
    value, name = node.value, node.targets[0].id
    called = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _LIMITS
    return called and any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(value))


def _counts(node: ast.stmt, inside: tuple[tuple[ast.stmt, bool], ...]) -> bool:
    """Whether a statement counts the turns of a ``while`` loop, which may end before the count does."""
    if not (isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)):
        return False
    tests = [loop.test for loop, _ in inside if isinstance(loop, ast.While)]
    return any(isinstance(part, ast.Name) and part.id == node.target.id for test in tests for part in ast.walk(test))


def _untaken(candidate: _Candidate, uncovered: tuple[Uncovered, ...]) -> bool:
    """Whether no input set reaches a statement, or all ways that begin at it."""
    missing = {(way.line, way.column, way.way) for way in uncovered}
    node = candidate.node
    if any((part.lineno, part.col_offset, way) in missing for part, way in candidate.inside):
        return True
    return any((part.lineno, part.col_offset, way) in missing for part in _ways_at(node) for way in (True, False))


def _ways_at(node: ast.stmt) -> list[ast.If | ast.IfExp | ast.While | ast.For]:
    return [part for part in ast.walk(node) if isinstance(part, ast.If | ast.IfExp | ast.While | ast.For)]
