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


def _plain(tree):
    """A tree with its types as pairs of a dtype and a shape."""
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, tuple | list):
        return type(tree)(_plain(value) for value in tree)
    return (str(tree.dtype), tree.shape)


def test_shapes_are_read():
    assert _plain(parse("f32[8,16] bf16[] i32 pred[2]")) == [
        ("float32", (8, 16)), ("bfloat16", ()), ("int32", ()), ("bool", (2,)),
    ]  # fmt: skip
    assert _plain(parse("{'w': f32[8, 16], 'b': [f32[], (i32[4],)]} f64[2]")) == [
        {"w": ("float32", (8, 16)), "b": [("float32", ()), (("int32", (4,)),)]},
        ("float64", (2,)),
    ]
    for wrong, named in (
        ("q7[2]", r"q7\[2\]"),
        ("{'w': f32[x]}", r"f32\[x\]"),
        ("f32[8", r"f32\[8"),
        ("open()", "open"),
    ):
        with pytest.raises(UserError, match=rf"--args: ['\"]{named}.*is not a type with a shape"):
            parse(wrong)


TREES = """
import collections

import jax
import jax.numpy as jnp

State = collections.namedtuple("State", "mean count")


def step(params, state, batch):
    x, y = batch
    error = x @ params["w"] + params["b"] - y
    return {"b": params["b"] - 0.1 * jnp.mean(error), "w": params["w"] - 0.1 * x.T @ error}, State(
        state.mean + error.mean(), state.count + 1
    )


example_args = (
    {"w": jnp.zeros((3,)), "b": jnp.zeros(())},
    State(jnp.zeros(()), jnp.zeros((), jnp.int32)),
    (jnp.zeros((4, 3)), jnp.zeros(4)),
)
"""


def test_arguments_may_be_trees(tmp_path):
    file = tmp_path / "trees.py"
    file.write_text(TREES)
    (row,) = irsmith.lower(file, frontend="jax")
    assert isinstance(row, Row), row
    assert row.kernel.name == "step_of_arrays"
    given = [(a.name, a.shape) for a in row.kernel.signature.arguments if not a.name.startswith("result")]
    assert given == [
        ("params_b", ()), ("params_w", (3,)), ("state_mean", ()), ("state_count", ()), ("batch_0", (4, 3)),
        ("batch_1", (4,)),
    ]  # fmt: skip
    assert len(row.kernel.signature.arguments) == len(given) + 4
    assert "State(state_mean, state_count)" in row.kernel.source
    assert "dot" in row.texts["hlo_forward"]
    plain = tmp_path / "plain.py"
    plain.write_text("def scaled(params, x):\n    return params['scale'] * x + params['shift'][0]\n")
    (row,) = irsmith.lower(plain, frontend="jax", arguments="{'scale': f32[], 'shift': (f32[4],)} f32[2,4]")
    assert [a.shape for a in row.kernel.signature.arguments] == [(), (4,), (2, 4), (2, 4)]


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
