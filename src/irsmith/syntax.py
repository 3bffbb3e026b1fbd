"""Walking syntax trees, which the checks of a source do often enough for the speed to matter."""

from __future__ import annotations

import ast

_WORDS = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "name", "kind", "type_comment"})
"""Fields that hold no node with anything below it."""


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of each kind of node that may hold others, in order."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _WORDS)
        return self[kind]


_FIELDS = _Fields()


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node, without operators and without what only says how a name is used."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def nodes(*roots: ast.AST | None) -> list[ast.AST]:
    """The roots and all nodes below them, level by level, as ``ast.walk`` gives them but for what `children` leaves.

    Args:
        roots: Where to begin; None adds nothing.
    """
    found = [root for root in roots if root is not None]
    # The list grows while it is read.
    for node in found:
        if _FIELDS[type(node)]:
            found += children(node)
    return found
