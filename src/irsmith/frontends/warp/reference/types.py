"""Types that expressions of a function name: ``type(x)``, ``a.dtype``, and annotations that leave a part open."""

from __future__ import annotations

import ast

from irsmith.frontends.warp.reference import expressions, indexing
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.source import Source
from irsmith.frontends.warp.reference.values import Type, is_composite, scalar_of
from irsmith.syntax import nodes
from irsmith.types import ArrayType, IndexedArray, Matrix, Scalar, Vector


def of_expression(scope: Scope, node: ast.expr) -> Type | None:
    """The type that ``type(x)``, ``a.dtype`` or ``type(a).dtype`` names, or None where a node is none of them."""
    match node:
        case ast.Call(ast.Name("type"), [argument], []) if "type" not in scope.source.names:
            return expressions.expression(scope, argument).type
        case ast.Attribute(owner, "dtype"):
            held = of_expression(scope, owner)
            if held is None and indexing.root(owner) in scope.variables:
                held = expressions.expression(scope, owner).type
            return None if held is None else _element(held)
    return None


def named(scope: Scope, node: ast.expr) -> Type:
    """The type that an argument such as ``dtype`` names.

    Raises:
        Unsupported: It names none.
    """
    found = of_expression(scope, node)
    return scope.source.type(node) if found is None else found


def _element(type: Type) -> Type | None:
    """What an array or a vector is made of."""
    if isinstance(type, ArrayType):
        return type.element
    return scalar_of(type) if isinstance(type, Scalar) or is_composite(type) else None


def wanted(source: Source, annotation: ast.expr) -> tuple[Type, bool]:
    """The type that an annotation asks for, and whether it leaves a part of it open.

    What is open stands as ``float`` or, where a number is open, as 1.
    """
    if not any(_is_any(node) for node in nodes(annotation)):
        return source.type(annotation), False
    return source.type(_Closed().visit(ast.parse(ast.unparse(annotation), mode="eval").body)), True


def _is_any(node: ast.AST) -> bool:
    named = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return named == "Any"


class _Closed(ast.NodeTransformer):
    """Puts something in the place of ``Any``."""

    def _visit(self, node: ast.Name | ast.Attribute) -> ast.expr:
        return ast.Name("float", ast.Load()) if _is_any(node) else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        if node.arg in ("length", "shape"):
            node.value = _Numbered().visit(node.value)
        return ast.keyword(node.arg, self.visit(node.value))


class _Numbered(_Closed):
    def _visit(self, node: ast.Name | ast.Attribute) -> ast.expr:
        return ast.Constant(1) if _is_any(node) else node


def alike(open_: Type, given: Type) -> bool:
    """Whether a type may stand where an annotation leaves a part open."""
    if isinstance(open_, ArrayType | IndexedArray) and isinstance(given, ArrayType | IndexedArray):
        return type(open_) is type(given) and open_.rank == given.rank
    if isinstance(open_, Vector | Matrix):
        return type(open_) is type(given)
    return type(open_) is type(given)
