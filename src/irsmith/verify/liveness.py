"""Statements whose effect nobody sees, found from the syntax tree by working backwards through each function.

A name is live where something later may read it. An assignment to a name that is not live afterwards is dead,
unless computing its value changes something itself; so is what stands behind a ``return``, ``break`` or
``continue``. Storing to an array, and any call that stands alone, is taken to be seen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from irsmith.kernel import Kernel
from irsmith.syntax import nodes as nodes_of
from irsmith.verify.values import parsed

_CHANGING = ("atomic_", "rand", "sample_", "poisson", "printf", "print")
"""What the names of calls begin with that change memory or a generator's state."""


def dead_lines(kernel: Kernel) -> list[int]:
    """The lines of the dead statements of a kernel and of the helpers that it uses."""
    tree, _ = parsed(kernel.source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    # What a function takes is not changed by it.
    stored = kernel.signature.arguments if kernel.signature.launch is not None else ()
    # An array that a struct holds is written through the struct's name.
    ranks = {argument.name.partition(".")[0]: argument.rank for argument in stored}
    changing = {name for name, node in functions.items() if _changes(node)}
    lines: list[int] = []
    used = reached(functions, kernel.name)
    for name in (*used, *_gradients(functions, used)):
        node = functions[name]
        arrays = ranks if name == kernel.name else {a.arg: _rank(a.annotation) for a in node.args.args}
        walk = _Walk({array: rank for array, rank in arrays.items() if rank}, changing)
        walk.function(node)
        lines += walk.dead
    return sorted(set(lines))


def reached(functions: dict[str, ast.FunctionDef], kernel: str) -> list[str]:
    """The functions that a kernel reaches, itself first."""
    found = [kernel] if kernel in functions else []
    for name in found:
        for node in nodes_of(functions[name]):
            if isinstance(node, ast.Name) and node.id in functions and node.id not in found:
                found.append(node.id)
    return found


def _gradients(functions: dict[str, ast.FunctionDef], of: Iterable[str]) -> list[str]:
    """The gradients that an author wrote for functions: those whose decorator names one."""
    return [name for name, node in functions.items() if _reads(*node.decorator_list) & set(of)]


def _rank(annotation: ast.expr | None) -> int:
    """The rank that an annotation gives an array; 1 when it does not say, 0 for what is no array."""
    text = ast.unparse(annotation) if annotation is not None else ""
    if "array" not in text:
        return 0
    for rank in (2, 3, 4):
        if f"array{rank}d" in text or f"ndim={rank}" in text:
            return rank
    return 1


def _changes(node: ast.AST) -> bool:
    """Whether a helper may change anything but its own variables: it stores to what it is given."""
    for part in nodes_of(node):
        if isinstance(part, ast.Call) and _name(part.func).startswith(_CHANGING):
            return True
        if isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            return True
    return False


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _reads(*nodes: ast.AST | None) -> set[str]:
    return {part.id for part in nodes_of(*nodes) if isinstance(part, ast.Name)}


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node


@dataclass
class _Loop:
    """What is live where a loop is left, and where its next turn begins."""

    behind: set[str]
    head: set[str]


@dataclass
class _Walk:
    """The analysis of one function.

    Attributes:
        arrays: The names of arrays, with their ranks.
        changing: Helpers whose calls change more than their result.
        dead: The lines of dead statements.
    """

    arrays: dict[str, int]
    changing: set[str]
    dead: list[int] = field(default_factory=list)
    _loops: list[_Loop] = field(default_factory=list)
    _settled: bool = True

    def function(self, node: ast.FunctionDef) -> None:
        """Analyse a function's body."""
        for part in nodes_of(node):
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and self._is_view(part.value):
                self.arrays[part.targets[0].id] = 1
        self._block(node.body, set())

    def _is_view(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Name):
            return value.id in self.arrays
        if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
            indices = value.slice.elts if isinstance(value.slice, ast.Tuple) else [value.slice]
            return len(indices) < self.arrays.get(value.value.id, 0)
        return False

    def _block(self, nodes: Sequence[ast.stmt], live: set[str]) -> set[str]:
        """What is live before statements, given what is live behind them."""
        for place, node in enumerate(nodes):
            if isinstance(node, ast.Return | ast.Break | ast.Continue):
                for behind in nodes[place + 1 :]:
                    self._mark(behind)
                nodes = nodes[: place + 1]
                break
        for node in reversed(nodes):
            live = self._statement(node, live)
        return live

    def _mark(self, node: ast.stmt) -> None:
        if self._settled:
            self.dead.append(node.lineno)

    def _statement(self, node: ast.stmt, live: set[str]) -> set[str]:
        match node:
            case ast.Assign(targets, value):
                return self._assigned(node, targets[0], value, live)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                return self._assigned(node, target, value, live)
            case ast.AugAssign(target, _, value):
                if self._seen(target, value, live):
                    return live | _reads(target, value)
                self._mark(node)
                return live
            case ast.If(test, body, orelse):
                return _reads(test) | self._block(body, set(live)) | self._block(orelse, set(live))
            case ast.For(target, over, body):
                return _reads(over) | live | self._loop(body, live, set(), _reads(target))
            case ast.While(test, body):
                return self._loop(body, live, _reads(test), set()) | _reads(test) | live
            case ast.Break():
                return set(self._loops[-1].behind)
            case ast.Continue():
                return set(self._loops[-1].head)
            case ast.Return(value):
                return _reads(value)
            case ast.Pass() | ast.Expr(ast.Constant()):
                return live
        return live | _reads(node)

    def _assigned(self, node: ast.stmt, target: ast.expr, value: ast.expr, live: set[str]) -> set[str]:
        if not self._seen(target, value, live):
            self._mark(node)
            return live
        if isinstance(target, ast.Name | ast.Tuple):
            return (live - _reads(target)) | _reads(value)
        return live | _reads(target, value)

    def _seen(self, target: ast.expr, value: ast.expr, live: set[str]) -> bool:
        """Whether somebody sees an assignment."""
        if any(isinstance(part, ast.Call) and self._changing(part) for part in nodes_of(value)):
            return True
        names: Iterable[str] = _reads(target) if isinstance(target, ast.Tuple) else _reads(_root(target))
        if isinstance(target, ast.Subscript | ast.Attribute) and any(name in self.arrays for name in names):
            return True
        if isinstance(target, ast.Subscript) and _name(target.value) == "adjoint":
            return True
        return any(name in live for name in names)

    def _changing(self, call: ast.Call) -> bool:
        name = _name(call.func)
        return name.startswith(_CHANGING) or name in self.changing

    def _loop(self, body: Sequence[ast.stmt], live: set[str], test: set[str], counter: set[str]) -> set[str]:
        """What is live before a loop's body: found by going round until nothing is added."""
        settled, self._settled = self._settled, False
        head = live | test
        while True:
            self._loops.append(_Loop(live, head))
            before = self._block(body, set(head)) - counter
            self._loops.pop()
            if before | head == head:
                break
            head = head | before
        self._settled = settled
        if settled:
            self._loops.append(_Loop(live, head))
            self._block(body, set(head))
            self._loops.pop()
        return head
