"""The page on builtins says what is so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytest.importorskip("warp")

from irsmith.coverage import page, reasons
from irsmith.frontends import get
from irsmith.frontends.warp import compiler
from irsmith.frontends.warp import coverage as module
from irsmith.frontends.warp.coverage import named_in

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "tests" / "frontends" / "warp" / "reference"


@pytest.fixture(scope="module")
def coverage():
    return module.coverage(300)


@pytest.mark.slow
def test_the_page_is_current():
    (coverage,) = get("warp").coverage()
    command = "irsmith coverage --frontend warp --out docs/coverage-warp.md"
    assert (ROOT / "docs" / "coverage-warp.md").read_text() == page([coverage], command), "run: make docs"


def test_every_builtin_stands_on_it_once(coverage):
    assert [builtin.name for builtin in coverage.builtins] == list(compiler.builtins())


def test_what_is_missing_has_a_reason(coverage):
    for builtin in coverage.builtins:
        complete = builtin.counted and builtin.emitted and builtin.forward
        assert bool(builtin.reason) != bool(complete), builtin


def test_reasons_name_builtins():
    named = {*module._NOT_COUNTED, *module._WITHOUT_REFERENCE, *module._NOT_EMITTED}
    assert named <= set(compiler.builtins())
    with pytest.raises(ValueError, match="two reasons"):
        reasons([("a", "x y"), ("b", "y")])


def test_what_is_checked_forward_is_compared_with_compiled_warp(coverage):
    compared = set()
    for path in TESTS.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                compared |= set(node.value.replace("(", " ( ").replace(".", " ").replace("{", " ").split())
    operators = {"add", "sub", "mul", "div", "mod", "floordiv", "pos", "neg", "unot", "invert", "bit_and", "bit_or"}
    operators |= {"bit_xor", "lshift", "rshift", "range", "vector", "matrix", "quaternion", "transformation"}
    missing = {builtin.name for builtin in coverage.builtins if builtin.forward} - compared - operators
    assert not missing


def test_names_are_found_in_a_text():
    source = '''import warp as wp


@wp.kernel
def k(x: wp.array[float], v: wp.array[wp.vec3]):
    """Not wp.cos(x)."""
    i = wp.tid()
    y = -x[i] * wp.sin(float(i))
    v[i] += wp.vec3(y)
    v[i] = wp.transform_point(wp.transform(), v[i]) if not (y > 0.0) else wp.spatial_top(wp.spatial_vector())
'''
    assert named_in(source) == {
        "tid", "neg", "mul", "sin", "float", "add", "vector", "transform_point", "transformation", "unot",
        "spatial_top", "spatial_vector",
    }  # fmt: skip
