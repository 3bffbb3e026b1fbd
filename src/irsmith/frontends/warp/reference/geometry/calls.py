"""What the calls of geometry share: their operands, and what the ids among them stand for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

import numpy as np

from irsmith.frontends.warp.reference import expressions
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.geometry.triangles import Triangles
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.values import Array, Expr, Type, Value
from irsmith.types import FLOAT32, Vector

Handler = Callable[[Scope, ast.Call, int], Expr]

POINT = Vector(3, FLOAT32)


def operands(scope: Scope, node: ast.Call, *types: Type, usual: Mapping[str, float] | None = None) -> list[Expr]:
    """The operands of a call, of these types.

    Args:
        scope: The function in which the call stands.
        node: The call.
        types: The types that the operands have.
        usual: What further operands are by their names and in their order: no others have a meaning here.

    Raises:
        Unsupported: There are others.
    """
    usual = usual or {}
    given = [expressions.expression(scope, argument) for argument in node.args[: len(types)]]
    further = dict(zip(usual, node.args[len(types) :], strict=False))
    further |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    known = all(usual.get(name) == expressions.expression(scope, value).const for name, value in further.items())
    if (
        [operand.type for operand in given] != list(types)
        or len(node.args) > len(types) + len(usual)
        or len(further) != len(node.args) - len(types) + len(node.keywords)
        or not known
    ):
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    return given


def points(value: Value, node: ast.AST) -> Array:
    """The points of a hash grid ``(lanes, points, 3)``."""
    if isinstance(value, tuple) or value.ndim != 3:
        raise Unsupported("a grid that is not given as its points", node)
    held: Array = value
    return held


def mesh(value: Value, node: ast.AST) -> tuple[Array, Array, Array]:
    """A mesh's points and velocities ``(lanes, vertices, 3)``, and its indices ``(lanes, 3 * faces)``."""
    if not isinstance(value, tuple) or value[0].ndim != 3:
        raise Unsupported("a mesh that is not given as its arrays", node)
    at, velocities, indices = value
    return at, velocities, indices


def triangles(value: Value, node: ast.AST) -> Triangles:
    """The triangles of a mesh."""
    at, _, indices = mesh(value, node)
    return Triangles.of(at, indices)


def boxes(value: Value, node: ast.AST) -> tuple[Array, Array, Array]:
    """The groups ``(lanes, boxes)`` of boxes, and their lower and upper corners ``(lanes, boxes, 3)``."""
    if not isinstance(value, tuple) or value[0].ndim != 2:
        raise Unsupported("a hierarchy that is not given as its boxes", node)
    groups, lowers, uppers = value
    return groups, lowers, uppers


def spread(value: Array, lanes: int) -> Array:
    """A value in each of so many lanes."""
    return np.broadcast_to(value, (lanes, *value.shape[1:]))
