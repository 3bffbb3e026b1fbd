"""The arguments of calls of tiles' builtins."""

from __future__ import annotations

import ast
from collections.abc import Callable

from irsmith.frontends.warp.reference import tiles
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.values import (
    Expr,
    Type,
)

Handler = Callable[[Scope, ast.Call, int], Expr]

_IGNORED = frozenset({"storage", "aligned", "bounds_check"})
"""Options that say where a tile is held, and what the caller vouches for."""


def named(node: ast.Call, *names: str) -> dict[str, ast.expr]:
    """The arguments of a call by name."""
    found = dict(zip(names, node.args, strict=False))
    found |= {keyword.arg or "": keyword.value for keyword in node.keywords}
    if len(node.args) > len(names) or set(found) - set(names) - _IGNORED:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    return found


def needed(found: dict[str, ast.expr], name: str, node: ast.Call) -> ast.expr:
    """An argument that a call must have."""
    if name not in found:
        raise Unsupported(f"{ast.unparse(node.func)} without {name}", node)
    return found[name]


def several(node: ast.expr) -> list[ast.expr]:
    """The items of a tuple or a list, or what is none alone."""
    return list(node.elts) if isinstance(node, ast.Tuple | ast.List) else [node]


def shape_of(scope: Scope, node: ast.expr) -> tuple[int, ...]:
    """The extents of a tile that an argument names."""
    shape = tuple(tiles.constant(scope, extent) for extent in several(node))
    if not 1 <= len(shape) <= 4 or any(extent < 1 for extent in shape):
        raise Unsupported("shape of a tile", node)
    return shape


def element_type(scope: Scope, node: ast.expr | None, otherwise: Type) -> Type:
    """The type of a tile's elements that an argument names, or another one where there is none."""
    type = otherwise if node is None else scope.source.type(node)
    if not tiles.is_plain(type):
        raise Unsupported(f"tile of {type}", node)
    return type
