"""What a source may reach while it is executed: no files, no processes, no way to the interpreter behind it.

A source is checked before it runs: it may name no attribute that begins with an underscore, and none of the frames
through which running code leads to its callers. It then runs with few builtins and with modules that lack what reads
files, evaluates strings or looks attributes up by name. This keeps in a source that was written to break out by what
Python offers; time, memory and system calls are limited where it runs, in `irsmith.frontends.jax.reference.worker`.
"""

from __future__ import annotations

import ast
import builtins
from functools import cache
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

from irsmith.verify import ports

_BUILTINS = (
    "abs", "all", "any", "bool", "bytes", "callable", "complex", "dict", "divmod", "enumerate", "filter", "float",
    "frozenset", "hash", "id", "int", "isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "next",
    "object", "pow", "print", "property", "range", "repr", "reversed", "round", "set", "slice", "sorted",
    "staticmethod", "classmethod", "str", "sum", "super", "tuple", "type", "zip", "__build_class__", "NotImplemented",
    "Ellipsis", "ArithmeticError", "AssertionError", "AttributeError", "Exception", "IndexError", "KeyError",
    "NotImplementedError", "OverflowError", "RuntimeError", "StopIteration", "TypeError", "ValueError",
    "ZeroDivisionError",
)  # fmt: skip

_LEFT_OUT = {
    "numpy": (
        "load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "fromregex",
        "memmap", "open_memmap", "DataSource", "test", "get_include", "show_config", "show_runtime", "info", "source",
    ),
    "operator": ("attrgetter", "methodcaller"),
    "typing": ("get_type_hints", "ForwardRef", "evaluate_forward_ref"),
    "string": ("Formatter",),
}  # fmt: skip
"""What of a module reads files, evaluates strings or looks attributes up by name."""

_FRAMES = frozenset((
    "gi_frame", "gi_code", "gi_yieldfrom", "cr_frame", "cr_code", "cr_await", "ag_frame", "ag_code", "ag_await",
    "f_back", "f_builtins", "f_code", "f_globals", "f_locals", "tb_frame", "tb_next", "ctypes", "tofile", "dump",
    "dumps",
))  # fmt: skip
"""Attributes without an underscore that lead out, or write files."""

BUILTINS = {name: getattr(builtins, name) for name in _BUILTINS}
"""The builtins of a source."""


def check(tree: ast.Module) -> None:
    """See that a source names nothing that leads out.

    Raises:
        NotModelledError: It does; the message says what.
    """
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.MatchClass):
            names = node.kwd_attrs
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("_") or name in _FRAMES:
                raise ports.NotModelledError(f"the attribute {name}")


@cache
def module(name: str) -> SimpleNamespace:
    """A module of the standard library, or NumPy, without what leads out and without the modules in it."""
    whole = import_module(name)
    left_out = {*_LEFT_OUT.get(name, ()), *_FRAMES}
    return SimpleNamespace(**{public: found for public, found in _public(whole) if public not in left_out})


def _public(whole: ModuleType) -> list[tuple[str, Any]]:
    names = getattr(whole, "__all__", None) or [name for name in dir(whole) if not name.startswith("_")]
    found = [(name, getattr(whole, name)) for name in names if hasattr(whole, name)]
    return [(name, value) for name, value in found if not isinstance(value, ModuleType)]
