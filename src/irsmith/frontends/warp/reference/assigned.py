"""Which local variables may be read before they are assigned (definite assignment, as Java defines it)."""

from __future__ import annotations

import ast
from functools import lru_cache

from irsmith.syntax import children, nodes


class _Everything(frozenset[str]):
    """The names assigned at a point that is never reached: all of them."""

    def __contains__(self, name: object) -> bool:
        return True


_UNREACHED = _Everything()


def _merge(a: frozenset[str], b: frozenset[str]) -> frozenset[str]:
    if a is _UNREACHED:
        return b
    return a if b is _UNREACHED else a & b


class _Analysis(ast.NodeVisitor):
    def __init__(self, locals_: set[str], assigned: frozenset[str]) -> None:
        self.locals = locals_
        self.assigned = assigned
        self.doubtful: set[str] = set()
        self.breaks: list[frozenset[str]] = []

    def generic_visit(self, node: ast.AST) -> None:
        for child in children(node):
            self.visit(child)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            if self.assigned is not _UNREACHED:
                self.assigned = self.assigned | {node.id}
        elif node.id in self.locals and node.id not in self.assigned:
            self.doubtful.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in self.assigned:
            self.doubtful.add(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def _body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        before = self.assigned
        self._body(node.body)
        after, self.assigned = self.assigned, before
        self._body(node.orelse)
        self.assigned = _merge(after, self.assigned)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._loop(node.body, _UNREACHED if endless else self.assigned)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        before = self.assigned
        self.visit(node.target)
        runs = _runs(node.iter)
        self._loop(node.body, None if runs else before)

    def _loop(self, body: list[ast.stmt], skipped: frozenset[str] | None) -> None:
        self.breaks.append(_UNREACHED)
        self._body(body)
        after = self.assigned if skipped is None else skipped
        self.assigned = _merge(after, self.breaks.pop())

    def visit_Break(self, node: ast.Break) -> None:  # noqa: ARG002
        self.breaks[-1] = _merge(self.breaks[-1], self.assigned)
        self.assigned = _UNREACHED

    def visit_Continue(self, node: ast.Continue) -> None:  # noqa: ARG002
        # Only the names assigned before it are sure at the end of the body; `break` is the same way out.
        self.visit_Break(ast.Break())

    def visit_Return(self, node: ast.Return) -> None:
        self.generic_visit(node)
        self.assigned = _UNREACHED


def _runs(iterable: ast.expr) -> bool:
    """Whether ``range`` of literals runs at least once."""
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.func.id == "reversed":
        return bool(iterable.args) and _runs(iterable.args[0])
    if not isinstance(iterable, ast.Call) or not iterable.args or len(iterable.args) > 3:
        return False
    try:
        numbers = [ast.literal_eval(argument) for argument in iterable.args]
        return len(range(*numbers)) > 0
    except (ValueError, TypeError):
        return False


@lru_cache(maxsize=64)
def _stored(function: ast.FunctionDef) -> tuple[str, ...]:
    """The names that a function assigns, once for each place."""
    return tuple(n.id for n in nodes(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def doubtful_names(function: ast.FunctionDef) -> set[str]:
    """The local variables of which some read may come before any assignment."""
    arguments = frozenset(argument.arg for argument in function.args.args)
    analysis = _Analysis(set(_stored(function)) - arguments, arguments)
    for statement in function.body:
        analysis.visit(statement)
    return analysis.doubtful


def once_assigned_names(function: ast.FunctionDef) -> set[str]:
    """The local variables that are bound in one place only."""
    counts: dict[str, int] = {argument.arg: 1 for argument in function.args.args}
    for name in _stored(function):
        counts[name] = counts.get(name, 0) + 1
    return {name for name, count in counts.items() if count == 1}
