"""The page on operations says what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from irsmith.coverage import page
from irsmith.frontends import get
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax import coverage as module

PAGE = Path(__file__).parents[3] / "docs" / "coverage-jax.md"


@pytest.fixture(scope="module")
def few():
    return module.coverage(12)


@pytest.mark.slow
def test_the_page_is_current():
    command = "irsmith coverage --frontend jax --out docs/coverage-jax.md"
    assert PAGE.read_text() == page(get("jax").coverage(), command), "run: make docs"


def test_every_operation_stands_on_the_page_once(few):
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    stated = [line.split("`")[1] for line in lines]
    grouped = [b.name for coverage in few for group in coverage.groups().values() for b in group]
    assert stated == grouped
    assert {b.name for b in few[0].builtins} >= {"add", "scan", "cond", "fft", "linalg.qr", "dynamic_index_in_dim"}


def test_what_a_few_programs_use_stands_as_used_on_the_page(few):
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    used = {line.split("`")[1] for line in lines if line.split("|")[2] == " yes "}
    assert {b.name for coverage in few for b in coverage.builtins if b.emitted} <= used


def test_what_is_missing_has_a_reason(few):
    for coverage in few:
        for builtin in coverage.builtins:
            complete = builtin.counted and builtin.emitted and builtin.forward
            assert bool(builtin.reason) != bool(complete), builtin


def test_tables_name_operations():
    operations = {name for name, _, _ in compiler.operations()}
    assert {*module._NOT_COUNTED, *module._WHY_NOT, *module._PRIMITIVES, *module._WITHOUT_GRADIENT} <= operations
    assert set(module._HLO_NOT_COUNTED) <= set(compiler.dialects())


def test_operations_are_found_in_texts(make):
    source = (
        "import jax.numpy as jnp\nfrom jax import lax\n\n\ndef f(x):\n"
        "    y = lax.fori_loop(0, 3, lambda i, c: c * jnp.sin(c), x)\n"
        "    return lax.cond(y[0] > 0, jnp.exp, jnp.cbrt, y)\n"
    )
    from irsmith.frontends.jax.lower import lower

    texts = lower(make(source, "f", [("x", "float32", (4,))], [("float32", (4,))]), get("jax").stages[:2]).texts
    found = module.primitives_in(texts["jaxpr_forward"])
    assert found >= {"scan", "mul", "sin", "cond", "exp", "cbrt", "gt"}
    assert not found & {"cos", "lambda", "while"}
    found = module.operations_in(texts["stablehlo_forward"])
    assert found >= {"stablehlo.while", "stablehlo.case", "stablehlo.sine", "stablehlo.cbrt"}
    assert "stablehlo.cosine" not in found
    assert "stablehlo.cosine" in module.operations_in(texts["stablehlo_backward"])


def test_gradients_are_where_jax_has_them():
    smooth = {name: differentiable for name, _, differentiable in compiler.operations()}
    assert smooth["sin"]
    assert smooth["reduce_sum"]
    assert not smooth["lt"]
    assert not smooth["sign"]
    assert not smooth["population_count"]
