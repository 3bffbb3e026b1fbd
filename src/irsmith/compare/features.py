"""What is counted of a kernel that somebody wrote or that was synthesised, by its syntax alone.

Each kernel gives a list of values for each feature; numbers are put into bins of growing width.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Sample:
    """One kernel's function.

    Attributes:
        node: Its syntax.
        text: Its text.
        origin: Where it is from: a category, or ``real``.
        helpers: The names of its module's helpers.
        structure_id: Its structure; empty where its module alone does not tell.
        skeleton_id: Its skeleton; empty likewise.
    """

    node: ast.FunctionDef
    text: str
    origin: str
    helpers: frozenset[str]
    structure_id: str = ""
    skeleton_id: str = ""

    def known(self, structure_id: str, skeleton_id: str) -> Sample:
        """The sample with what its structure is."""
        return replace(self, structure_id=structure_id, skeleton_id=skeleton_id)


def samples(source: str, origin: str) -> list[Sample]:
    """The kernels of a module's text."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    helpers = frozenset(node.name for node in functions if _decorated(node, "func"))
    lines = source.splitlines()
    return [
        Sample(node, "\n".join(lines[node.lineno - 1 : node.end_lineno]), origin, helpers)
        for node in functions
        if _decorated(node, "kernel")
    ]


def _decorated(node: ast.FunctionDef, word: str) -> bool:
    heads = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return any(isinstance(head, ast.Attribute) and head.attr == word for head in heads)


def builtins(sample: Sample) -> list[str]:
    """Warp's functions that are called."""
    return [
        node.func.attr
        for statement in sample.node.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def nodes(sample: Sample) -> list[str]:
    """Classes of syntax nodes."""
    skipped = (ast.expr_context, ast.arguments, ast.FunctionDef)
    return [type(node).__name__ for node in ast.walk(sample.node) if not isinstance(node, skipped)]


def operators(sample: Sample) -> list[str]:
    """Operators with the classes of what they combine."""
    return [
        f"{type(node.op).__name__}({type(node.left).__name__},{type(node.right).__name__})"
        for node in ast.walk(sample.node)
        if isinstance(node, ast.BinOp)
    ]


def depth(sample: Sample) -> list[str]:
    """The deepest nesting of each statement's expression."""

    def deep(node: ast.AST) -> int:
        return 1 + max((deep(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)), default=0)

    return [_bin(deep(node.value)) for node in ast.walk(sample.node) if isinstance(node, ast.Assign)]


def names(sample: Sample) -> list[str]:
    """Lengths of variables' names."""
    return [
        _bin(len(node.id))
        for node in ast.walk(sample.node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def _count(*kinds: type[ast.AST]) -> Callable[[Sample], list[str]]:
    return lambda sample: [_bin(sum(isinstance(node, kinds) for node in ast.walk(sample.node)))]


def _bin(value: int) -> str:
    """The bin of a number: exact to 4, then wider."""
    edges = (0, 1, 2, 3, 4, 5, 7, 9, 12, 16, 22, 30, 42, 60, 90, 140)
    return f"{max(edge for edge in edges if edge <= value):>3}"


def types(sample: Sample) -> list[str]:
    """Types of arguments, with the rank of arrays, however they are spelled."""
    return [_type(argument.annotation) for argument in sample.node.args.args]


def _type(node: ast.expr | None) -> str:
    """A type in one spelling: ``array2d[float32]``, ``vec3``."""
    match node:
        case ast.Call(called, given, keywords):
            options = {keyword.arg: keyword.value for keyword in keywords}
            maker = _last(called)
            if maker.startswith("array") and ("dtype" in options or given):
                rank = ast.unparse(options["ndim"]) if "ndim" in options else maker[5:6] or "1"
                return f"array{rank}d[{_type(options.get('dtype', given[0] if given else None))}]"
            return maker
        case ast.Subscript(called, inside) if _last(called).startswith("array"):
            return f"array{_last(called)[5:6] or '1'}d[{_type(inside)}]"
    name = _last(node)
    return {"float": "float32", "int": "int32"}.get(name, name.removesuffix("f") if name[:3] in _COMPOSITES else name)


def _last(node: ast.expr | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "other"


_COMPOSITES = ("vec", "mat", "qua", "tra", "spa")
"""How the names of types begin that end in ``f`` for float32, or leave it out."""

FEATURES: dict[str, Callable[[Sample], list[str]]] = {
    "builtins": builtins,
    "syntax nodes": nodes,
    "operators in context": operators,
    "depth of expressions": depth,
    "lengths of names": names,
    "lines": lambda s: [_bin(sum(bool(line.strip()) for line in s.text.splitlines()))],
    "`if`": _count(ast.If),
    "`for` and `while`": _count(ast.For, ast.While),
    "`return`": _count(ast.Return),
    "arguments": lambda s: [_bin(len(s.node.args.args))],
    "calls of helpers": lambda s: [
        _bin(
            sum(
                isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in s.helpers
                for n in ast.walk(s.node)
            )
        )
    ],
    "types of arguments": types,
    "docstring": lambda s: [str(ast.get_docstring(s.node) is not None)],
    "comments": lambda s: [_bin(sum(line.lstrip().startswith("#") for line in s.text.splitlines()))],
    "augmented assignment": lambda s: [
        type(n).__name__ for n in ast.walk(s.node) if isinstance(n, ast.AugAssign | ast.Assign)
    ],
}
"""What is compared."""


def tokens(sample: Sample) -> str:
    """A kernel's syntax in order, without names and numbers: what the classifier sees."""
    out: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.arguments | ast.expr_context):
            return
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "wp":
            out.append(f"wp_{node.attr}")
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        out.append(type(node).__name__)
        for child in ast.iter_child_nodes(node):
            visit(child)

    for statement in sample.node.body:
        visit(statement)
    return " ".join(out)
