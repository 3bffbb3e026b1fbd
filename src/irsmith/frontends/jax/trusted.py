"""Whether the text of a recorded function only defines things: executing it must not run the program again."""

from __future__ import annotations

import ast
import sys

_MODULES = {"jax", "numpy", "__future__", "collections", "dataclasses", "enum", "functools", "itertools", "math",
            "operator", "string", "typing"}  # fmt: skip
"""What a text may import: no module here reads, writes or computes anything by itself."""

_READING = ("load", "from", "gen", "mem", "open", "save", "to")
"""How names of NumPy's functions begin that go to files."""

_BUILTINS = {"int", "float", "bool", "str", "len", "range", "tuple", "list", "dict", "set", "frozenset", "min", "max",
             "sum", "abs", "round", "zip", "enumerate", "sorted"}  # fmt: skip


def objection(source: str) -> str | None:
    """Why a module's text is more than imports, definitions and constants, or None."""
    imported: set[str] = set()
    for statement in ast.parse(source).body:
        match statement:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
                imported |= {alias.asname or alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=module, names=names, level=level):
                modules = [module or "" if not level else "." * level + (module or "")]
                imported |= {alias.asname or alias.name for alias in names}
            case ast.FunctionDef() | ast.ClassDef():
                continue
            case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.Expr(value=value):
                found = _computed(value, imported)
                if found is not None:
                    return f"it uses what the program computes: {found}"
                continue
            case _:
                return f"it uses what the program does on its line {ast.unparse(statement).splitlines()[0]!r}"
        for name in modules:
            if name.partition(".")[0] not in _MODULES:
                kind = "a module of Python's" if name.partition(".")[0] in sys.stdlib_module_names else "no part of JAX"
                return f"it imports {name}, {kind}"
    return None


def _computed(value: ast.expr | None, imported: set[str]) -> str | None:
    """The first call in a constant's expression that is none of JAX's, NumPy's or Python's plain ones."""
    for node in ast.walk(value) if value is not None else ():
        if not isinstance(node, ast.Call):
            continue
        root: ast.expr = node.func
        while isinstance(root, ast.Attribute):
            root = root.value
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        known = isinstance(root, ast.Name) and (root.id in imported or (root.id in _BUILTINS and not name))
        if not known or name.startswith(_READING):
            return ast.unparse(node)
    return None
