"""A kernel's module as its traits are read from it: the functions that it reaches, and small questions of syntax."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any

from irsmith.kernel import Kernel
from irsmith.structure import kernel_of, parsed
from irsmith.syntax import children


class Module:
    """The syntax of a kernel with the helpers that it calls.

    Attributes:
        kernel: The kernel.
        function: Its own function.
        helpers: Each helper that it reaches, by name.
        gradients: Whether some helper's derivative is written beside it.
        names: What Warp's module is called in the source.
    """

    def __init__(self, kernel: Kernel) -> None:
        tree = self._tree = parsed(kernel.source)
        self.kernel = kernel
        self.function = kernel_of(tree, kernel.name)
        self.names = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name == "warp"
        }
        self._lines = kernel.source.splitlines()
        self._kinds: dict[type[ast.AST], list[ast.AST]] = {}
        self._order: list[ast.AST] = []
        self._span: dict[int, tuple[int, int]] = {}
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.helpers: dict[str, ast.FunctionDef] = {}
        queue = [self.function]
        while queue:
            function = queue.pop()
            self._list(function)
            for node in self.below(function):
                if isinstance(node, ast.Name):
                    name: str = node.id
                    helper = functions.get(name)
                    if helper is not None and name not in self.helpers and helper is not self.function:
                        self.helpers[name] = helper
                        queue.append(helper)
        self.gradients = any(
            self._derives(decorator) for node in functions.values() for decorator in node.decorator_list
        )

    def _derives(self, decorator: ast.expr) -> bool:
        """Whether a decorator makes a function the gradient of a helper that the kernel reaches."""
        if not isinstance(decorator, ast.Call) or self.builtin(decorator) != "func_grad" or not decorator.args:
            return False
        given = decorator.args[0]
        return isinstance(given, ast.Name) and given.id in self.helpers

    def constant(self, node: ast.AST) -> float | None:
        """The number that a name of the module stands for."""
        name = node.id if isinstance(node, ast.Name) else ""
        for item in self._tree.body if name else ():
            if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name) and item.targets[0].id == name:
                value = item.value.args[0] if isinstance(item.value, ast.Call) and item.value.args else item.value
                return float(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, int) else None
        return None

    def _list(self, node: ast.AST) -> None:
        """Put a node and all below it in order. Operators and contexts have nothing below and stay with their owner."""
        order = self._order
        first = len(order)
        order.append(node)
        self._kinds.setdefault(node.__class__, []).append(node)
        for child in children(node):
            self._list(child)
        self._span[id(node)] = first, len(order)

    def of(self, *kinds: type[ast.AST]) -> list[Any]:
        """Every node of some classes, in the kernel and its helpers."""
        return [node for kind in kinds for node in self._kinds.get(kind, ())]

    def text(self, node: ast.expr) -> str:
        """An expression as the source has it, on one line."""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if first == last and self._lines[first].isascii():
            return self._lines[first][node.col_offset : node.end_col_offset]
        return ast.unparse(node)

    def below(self, node: ast.AST) -> list[ast.AST]:
        """A node of the kernel or a helper, and every node below it."""
        first, last = self._span[id(node)]
        return self._order[first:last]

    def builtin(self, node: ast.AST) -> str:
        """The Warp builtin that a call or an attribute names, or an empty text. ``abs`` and its like count too."""
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self.names:
            return node.attr
        if isinstance(node, ast.Name) and node.id in {"abs", "min", "max", "round", "float", "int", "bool", "len"}:
            return node.id
        return ""

    @cached_property
    def builtins(self) -> set[str]:
        """Every Warp builtin and dtype that the source names in the kernel and its helpers."""
        return {name for node in self.of(ast.Attribute, ast.Name) if (name := self.builtin(node))}
