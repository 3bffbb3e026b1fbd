"""Whether the text of a recorded function only defines things: executing it must not run the program again."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping

from irsmith.frontends.jax.effects import CHANGING

_MODULES = {"jax", "numpy", "__future__", "collections", "dataclasses", "enum", "functools", "itertools", "math",
            "operator", "string", "typing"}  # fmt: skip
"""What a text may import: no module here reads, writes or computes anything by itself."""

_READING = ("load", "from", "gen", "mem", "open", "save", "to")
"""How names of NumPy's functions begin that go to files."""

_BUILTINS = {"int", "float", "bool", "str", "len", "range", "tuple", "list", "dict", "set", "frozenset", "min", "max",
             "sum", "abs", "round", "zip", "enumerate", "sorted"}  # fmt: skip


_RULES = {"defjvp", "defjvps", "defvjp"}
"""Methods that give a function of the text its derivative."""

_GENERATORS = {"Generator", "RandomState", "default_rng"}
"""What NumPy's random numbers come of that no other draw has a part in."""


def objection(source: str) -> str | None:
    """Why a module's text is more than imports, definitions and constants, or None."""
    imported: dict[str, str] = {}
    for statement in ast.parse(source).body:
        match statement:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
                for alias in names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    imported[bound] = alias.name if alias.asname else bound
            case ast.ImportFrom(module=module, names=names, level=level):
                modules = [module or "" if not level else "." * level + (module or "")]
                imported |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
            case ast.FunctionDef() | ast.ClassDef():
                continue
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Expr():
                found = _computed(statement.value, imported)
                if found is not None:
                    return f"it uses what the program computes: {found}"
                changed = _changed(statement, imported)
                if changed is not None:
                    return f"it changes {changed}, which is not its own"
                continue
            case _:
                return f"it uses what the program does on its line {ast.unparse(statement).splitlines()[0]!r}"
        for name in modules:
            if name.partition(".")[0] not in _MODULES:
                kind = "a module of Python's" if name.partition(".")[0] in sys.stdlib_module_names else "no part of JAX"
                return f"it imports {name}, {kind}"
    return None


def _changed(statement: ast.stmt, imported: Mapping[str, str]) -> str | None:
    """The part of an imported module that a statement stores into."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            root: ast.expr = node
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name) and root.id in imported:
                return ast.unparse(node)
    return None


def _computed(value: ast.expr | None, imported: Mapping[str, str]) -> str | None:
    """The first call in a constant's expression that is none of JAX's, NumPy's or Python's plain ones."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _RULES:
        # A rule runs when it is traced.
        given = [*value.args, *(keyword.value for keyword in value.keywords)]
        parts = [part for part in given if not isinstance(part, ast.Lambda)]
    else:
        parts = [value] if value is not None else []
    for node in (node for part in parts for node in ast.walk(part)):
        if not isinstance(node, ast.Call):
            continue
        root: ast.expr = node.func
        while isinstance(root, ast.Attribute):
            root = root.value
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if not isinstance(root, ast.Name):
            return ast.unparse(node)
        if root.id in imported:
            path = imported[root.id] + ast.unparse(node.func)[len(root.id) :]
            drawn = path.startswith("numpy.random.") and path.rpartition(".")[2] not in _GENERATORS
            known = not name.startswith(_READING) and not drawn
        else:
            known = name in CHANGING if name else root.id in _BUILTINS
        if not known:
            return ast.unparse(node)
    return None
