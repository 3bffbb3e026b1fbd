"""Features of the language that a kernel uses, as tags, and the smallest device that has them."""

from __future__ import annotations

import ast
import re
from functools import cache

from irsmith.frontends.warp.traits.module import Module
from irsmith.kernel import Direction
from irsmith.types import IndexedArray, Struct

_DTYPES = re.compile(r"(?:vec\d|mat\d+|quat|transform|spatial_(?:vector|matrix))(f|d|h|b|ub|s|us|i|ui|l|ul)?")
_LETTERS = {
    "d": "float64", "h": "float16", "b": "int8", "ub": "uint8", "s": "int16", "us": "uint16", "i": "int32",
    "ui": "uint32", "l": "int64", "ul": "uint64",
}  # fmt: skip
_SCALARS = frozenset({
    "float16", "float64", "bfloat16", "int8", "uint8", "int16", "uint16", "uint32", "int64", "uint64",
})  # fmt: skip
_PREFIXES = {
    "vec": "vector", "mat": "matrix", "quat": "quaternion", "transform": "transform", "spatial_": "spatial",
    "rand": "random", "sample_": "random", "noise": "noise", "pnoise": "noise", "curlnoise": "noise", "tile_": "tile",
    "mesh_": "mesh", "bvh_": "bvh", "hash_grid_": "hash_grid", "volume_": "volume", "texture": "texture",
    "svd": "decomposition", "qr": "decomposition", "eig": "decomposition",
}  # fmt: skip
_NAMED = {
    "sin": "trigonometry", "cos": "trigonometry", "tan": "trigonometry", "asin": "trigonometry",
    "acos": "trigonometry", "atan": "trigonometry", "atan2": "trigonometry",
    "exp": "exponential", "log": "exponential", "log2": "exponential", "log10": "exponential", "pow": "exponential",
    "sinh": "hyperbolic", "cosh": "hyperbolic", "tanh": "hyperbolic",
    "where": "ternary", "select": "ternary", "static": "static", "randf": "random", "poisson": "random",
    "printf": "print", "print": "print", "inverse": "inverse", "determinant": "determinant",
}  # fmt: skip
_NODES: dict[type[ast.AST], str] = {
    ast.If: "branch", ast.IfExp: "ternary", ast.For: "for_loop", ast.While: "while_loop", ast.Break: "break",
    ast.Continue: "continue", ast.AugAssign: "augmented_assignment", ast.BoolOp: "boolean_logic",
}  # fmt: skip
_BITWISE = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift)

FEATURES = frozenset({
    "multi_dimensional", "helper", "custom_gradient", "struct", "generic", "constant", "early_return", "nested_loop",
    "bitwise", "docstring", "comment", "in_place", "indexed_array", *_SCALARS, *_PREFIXES.values(), *_NAMED.values(),
    *_NODES.values(),
})  # fmt: skip
"""Every tag that names a feature."""

# What Warp's NVRTC compiles for at least, and what needs more.
_BASE = "7.5"
_CAPABILITIES = {"bfloat16": "8.0"}


def features(module: Module) -> set[str]:
    """The features that a kernel and its helpers use."""
    found = {tag for kind, tag in _NODES.items() if module.of(kind)}
    names = set(module.builtins)
    used = {node.id for node in module.of(ast.Name)}
    if "Any" in used:
        found.add("generic")
    for annotation in _fields(module, used):
        names |= {name for node in ast.walk(annotation) if (name := module.builtin(node))}
    for name in names:
        found |= _named(name)
    if any(isinstance(node.op, _BITWISE) for node in module.of(ast.BinOp, ast.AugAssign)):
        found.add("bitwise")
    found |= {"helper"} if module.helpers else set()
    if module.gradients:
        found.add("custom_gradient")
    types = [argument.type for argument in module.kernel.signature.arguments]
    if used & module.classes.keys() or any(isinstance(t, Struct) and not isinstance(t, IndexedArray) for t in types):
        found.add("struct")
    if any(isinstance(t, IndexedArray) for t in types):
        found.add("indexed_array")
    if any(name.isupper() and len(name) > 1 for name in used):
        found.add("constant")
    if any(argument.direction is Direction.INOUT for argument in module.kernel.signature.arguments):
        found.add("in_place")
    found |= _shape(module)
    return found


def _fields(module: Module, used: set[str]) -> list[ast.expr]:
    """The annotations of the fields of structs that the kernel names."""
    return [
        item.annotation
        for name in used & module.classes.keys()
        for item in module.classes[name].body
        if isinstance(item, ast.AnnAssign)
    ]


@cache
def _named(name: str) -> frozenset[str]:
    """The tags of one builtin or dtype."""
    found = {name} & _SCALARS
    if name in _NAMED:
        found.add(_NAMED[name])
    found |= {tag for prefix, tag in _PREFIXES.items() if name.startswith(prefix)}
    match = _DTYPES.fullmatch(name)
    if match and match[1] in _LETTERS:
        found |= {_LETTERS[match[1]]} & _SCALARS
    return frozenset(found)


def _shape(module: Module) -> set[str]:
    """What the layout of the function shows: launch axes, returns, nested loops, docstring and comments."""
    found: set[str] = set()
    for node in module.below(module.function):
        if (
            isinstance(node, ast.Assign)
            and module.builtin(node.value) == "tid"
            and isinstance(node.targets[0], ast.Tuple)
        ):
            found.add("multi_dimensional")
        if isinstance(node, ast.For | ast.While) and any(
            isinstance(inner, ast.For | ast.While) for inner in module.below(node)[1:]
        ):
            found.add("nested_loop")
        if isinstance(node, ast.If) and any(isinstance(inner, ast.Return) for inner in node.body):
            found.add("early_return")
    if ast.get_docstring(module.function):
        found.add("docstring")
    if any(line.lstrip().startswith("#") or "  # " in line for line in module.kernel.source.splitlines()):
        found.add("comment")
    return found


def smallest_capability(found: set[str]) -> str:
    """The smallest compute capability that a kernel with these features needs."""
    return max([_BASE, *(_CAPABILITIES.get(tag, _BASE) for tag in found)], key=_order)


def _order(capability: str) -> tuple[int, ...]:
    return tuple(map(int, capability.split(".")))
