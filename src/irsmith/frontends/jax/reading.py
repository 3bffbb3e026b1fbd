"""Tags of a JAX function, read from its syntax."""

from __future__ import annotations

import ast

from irsmith.frontends.jax.features import MIXING, NAMES
from irsmith.kernel import Kernel
from irsmith.traits import PATTERNS, Reading


def read(kernel: Kernel) -> Reading:
    """Patterns and features of a function's source.

    A function that neither reduces, scans, gathers, scatters, looks at neighbours nor mixes its elements in another
    way maps them.
    """
    tree = ast.parse(kernel.source)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    # Python counts them: what they index is known when the function is traced.
    counted = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.For | ast.comprehension)
        for name in ast.walk(node.target)
        if isinstance(name, ast.Name)
    }
    tags: set[str] = set()
    functions = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            tags |= {NAMES[node.attr]} if node.attr in NAMES else set()
            if node.attr == "at":
                tags |= {"scatter", "update"}
        elif isinstance(node, ast.Name) and node.id in imported and node.id in NAMES:
            tags.add(NAMES[node.id])
        elif isinstance(node, ast.Subscript) and _gathers(node, counted):
            tags.add("gather")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            tags.add("matmul")
        elif isinstance(node, ast.FunctionDef):
            functions += 1
            if ast.get_docstring(node):
                tags.add("docstring")
    if functions > 1:
        tags.add("helper")
    if "#" in kernel.source:
        tags.add("comment")
    if tags.isdisjoint({*PATTERNS, *MIXING}):
        tags.add("map")
    return Reading(tuple(sorted(tags)))


def _gathers(node: ast.Subscript, counted: set[str]) -> bool:
    """Whether elements are read at places that are computed."""
    if not isinstance(node.ctx, ast.Load) or (isinstance(node.value, ast.Attribute) and node.value.attr == "at"):
        return False
    places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for place in places:
        if isinstance(place, ast.Slice):
            continue
        names = {name.id for name in ast.walk(place) if isinstance(name, ast.Name)}
        if names - counted:
            return True
    return False
