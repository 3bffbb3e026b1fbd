"""Tags of a JAX function, read from its syntax."""

from __future__ import annotations

import ast

from irsmith.frontends.jax.features import NAMES
from irsmith.kernel import Kernel
from irsmith.traits import PATTERNS, Reading


def read(kernel: Kernel) -> Reading:
    """Patterns and features of a function's source.

    A function that neither reduces, scans, gathers, scatters nor looks at neighbours maps its elements.
    """
    tree = ast.parse(kernel.source)
    tags: set[str] = set()
    functions = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            tags |= {NAMES[node.attr]} if node.attr in NAMES else set()
            if node.attr == "at":
                tags |= {"scatter", "update"}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in NAMES:
            tags.add(NAMES[node.id])
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
    if tags.isdisjoint(PATTERNS):
        tags.add("map")
    return Reading(tuple(sorted(tags)))
