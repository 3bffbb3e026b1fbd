"""Warp's private parts are touched in three files: its code generator, its live objects, its native libraries."""

from __future__ import annotations

import ast
from pathlib import Path

import irsmith

SOURCE = Path(irsmith.__file__).parent


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def users(name):
    found = {path for path in SOURCE.rglob("*.py") for module in imports(path) if f"{module}.".startswith(f"{name}.")}
    return {path.relative_to(SOURCE).as_posix() for path in found}


def test_only_two_modules_import_warp():
    # What stands in repro folders is a text that runs there without irsmith.
    texts = {f"frontends/warp/repro/{name}.py" for name in ("run", "refused", "structures")}
    assert users("warp") - texts == {"frontends/warp/compiler.py", "frontends/warp/live.py"}


def test_only_one_module_loads_its_libraries():
    loaders = {path for path in SOURCE.rglob("*.py") if "warp-clang" in path.read_text()}
    assert SOURCE / "frontends/warp/runner/native.py" in loaders
    assert {path.name for path in loaders} <= {"native.py", "run.py"}


def test_nothing_outside_the_frontends_imports_a_frontend():
    for path in SOURCE.rglob("*.py"):
        if "frontends" not in path.parts:
            outside = [m for m in imports(path) if m.startswith("irsmith.frontends.") and m != "irsmith.frontends.base"]
            assert outside == [], path
