"""A user's own JAX file, and reproducers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import irsmith
from irsmith import Reject, Row, UserError
from irsmith.frontends.jax.read import parse
from irsmith.frontends.jax.repro import files
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe

EXAMPLE = Path(__file__).parents[3] / "examples" / "jax_layer.py"


def test_examples_in_the_file_say_the_types():
    rows = irsmith.lower(EXAMPLE, frontend="jax", stages=["jaxpr"])
    assert [row.kernel.name for row in rows] == ["normalise", "layer"]
    layer = rows[1]
    assert layer.kernel.signature.launch is None
    assert [(a.name, str(a.type), a.shape) for a in layer.kernel.signature.arguments] == [
        ("x", "float32", (4, 8)), ("w", "float32", (8, 8)), ("b", "float32", (8,)), ("result", "float32", (4, 8)),
    ]  # fmt: skip
    # What it needs comes along, and no more.
    assert "EPS = 1e-5" in layer.kernel.source
    assert "example_args" not in layer.kernel.source
    assert "dot_general" in layer.texts["jaxpr_forward"]


def test_the_command_line_says_the_types():
    rows = irsmith.lower(EXAMPLE, frontend="jax", kernel="normalise", stages=["stablehlo"], arguments="bf16[2,3]")
    (row,) = rows
    assert "tensor<2x3xbf16>" in row.texts["stablehlo_forward"]


def test_types_that_do_not_fit_are_a_reject():
    (outcome,) = irsmith.lower(EXAMPLE, frontend="jax", kernel="layer", arguments="f32[2] f32[3,3] f32[3]")
    assert isinstance(outcome, Reject)


def test_shapes_are_read():
    assert parse("f32[8,16] bf16[] i32 pred[2]") == [
        ("float32", (8, 16)), ("bfloat16", ()), ("int32", ()), ("bool", (2,)),
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"'q7\[2\]' is not a type with a shape"):
        parse("q7[2]")


def test_what_is_not_known_is_asked_for(tmp_path):
    file = tmp_path / "bare.py"
    file.write_text("def f(x):\n    return x\n\n\ndef g(x):\n    return x\n")
    with pytest.raises(UserError, match=r"types of f are not known: give --function NAME --args"):
        irsmith.lower(file, frontend="jax", kernel="f")
    with pytest.raises(UserError, match="has 2 functions: say which with --function"):
        irsmith.lower(file, frontend="jax", arguments="f32[2]")
    with pytest.raises(UserError, match="no function 'h'"):
        irsmith.lower(file, frontend="jax", kernel="h", arguments="f32[2]")
    with pytest.raises(UserError, match="a Warp kernel states its own types"):
        irsmith.lower(EXAMPLE.with_name("saxpy.py"), arguments="f32[2]")


def test_a_reproducer_runs_without_irsmith(tmp_path):
    row = next(row for index in range(9) if isinstance(row := Pipeline(Recipe(frontend="jax")).row(index), Row))
    for name, content in files(row.kernel, row.texts, "A story.").items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    code = "import sys\nsys.modules['irsmith'] = None\nimport runpy\nrunpy.run_path('run.py', run_name='__main__')"
    shown = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "JAX's HLO is the text that is here\nthe results are as expected\n" in shown.stdout
