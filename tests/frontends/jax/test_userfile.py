"""A user's own JAX file, and reproducers."""

from __future__ import annotations

import os
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


RUN = "import sys\nsys.modules['irsmith'] = None\nimport runpy\nrunpy.run_path('run.py', run_name='__main__')"
SAME = "JAX's HLO is the text that is here\nthe results are as expected\n"
KEYED = """import jax


def noisy(x):
    return x + jax.random.uniform(jax.random.PRNGKey(3), (4,))
"""
SETTINGS = {
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_DISABLE_JIT": "1",
    "JAX_ENABLE_X64": "1",
    "JAX_NUM_CPU_DEVICES": "3",
    "JAX_RANDOM_SEED_OFFSET": "7",
}


def _reproduced(folder, row, environment):
    for name, content in files(row.kernel, row.texts, "A story.").items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    line = [sys.executable, "-c", RUN]
    shown = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    return shown.stdout


def test_a_reproducer_runs_without_irsmith(tmp_path):
    row = next(row for index in range(9) if isinstance(row := Pipeline(Recipe(frontend="jax")).row(index), Row))
    assert SAME in _reproduced(tmp_path, row, None)


def test_a_reproducer_does_not_depend_on_jax_options_in_the_environment(make, tmp_path):
    kernel = make(KEYED, "noisy", [("x", "float32", (4,))], [("float32", (4,))])
    row = Pipeline(Recipe(frontend="jax")).lowered(kernel, 0, "row", None)
    assert SAME in _reproduced(tmp_path, row, {**os.environ, **SETTINGS})


def _lowered(tmp_path, text, **asked):
    file = tmp_path / "user.py"
    file.write_text("import functools\nimport jax\nimport jax.numpy as jnp\nimport numpy as np\n" + text)
    found = irsmith.lower(file, frontend="jax", stages=["jaxpr"], **asked)
    return {outcome.name if isinstance(outcome, Reject) else outcome.kernel.name: outcome for outcome in found}


def test_a_text_means_what_the_function_means_in_its_file(tmp_path):
    found = _lowered(
        tmp_path,
        """
K = C = S = 1.0
class Config:
    scale = 1.0
Config.scale = 5.0
vars()["K"] = 7.0
RULE = {"slope": 2.0}
globals()["RULE"]["slope"] = 3.0
TABLE = np.zeros(4, np.float32)
globals()["TABLE"][1] = 2.0
def scaled(x):
    return x * Config.scale
def hidden(x):
    return x * K
def looked_up(x):
    return x * TABLE
@jax.custom_vjp
def steep(x):
    return jnp.sin(x)
def steep_fwd(x):
    return steep(x), None
def steep_bwd(kept, ct):
    return (ct * RULE["slope"],)
steep.defvjp(steep_fwd, steep_bwd)
ones = jnp.ones(4)
example_args = {"scaled": ones, "hidden": ones, "looked_up": ones, "steep": ones}
""",
    )
    assert "5.0:f32[]" in found["scaled"].texts["jaxpr_forward"]
    for name in ("hidden", "looked_up", "steep"):
        reject = found[name]
        assert isinstance(reject, Reject), name
        assert (reject.reason, name in reject.message) == ("lower: CannotStandAlone", True)


def test_functions_with_rules_of_their_own(tmp_path):
    found = _lowered(
        tmp_path,
        """
@jax.custom_vjp
def by_vjp(x):
    return jnp.sin(x)
by_vjp.defvjp(lambda x: (by_vjp(x), x), lambda kept, ct: (ct * 3.0,))
@jax.custom_jvp
def by_jvp(x):
    return jnp.exp(x)
@by_jvp.defjvp
def rule(given, tangents):
    return by_jvp(*given), tangents[0] * 5.0
def around(x):
    return by_jvp(x) + 1.0
ones = jnp.ones(4)
example_args = {"by_vjp": ones, "around": ones}
""",
    )
    assert "3.0:f32[]" in found["by_vjp"].texts["jaxpr_backward"]
    assert "5.0:f32[]" in found["around"].texts["jaxpr_backward"]


NAMES = """
def square(x):
    return x * x
fast = jax.jit(square)
slope = jax.grad(lambda x: jnp.sum(x**2))
twice = lambda x: x * 2
def layer(params, x):
    return x @ params["w"] + params["b"]
@functools.partial(jax.jit, static_argnames=("n",))
def repeated(x, n):
    for _ in range(n):
        x = jnp.sin(x)
    return x
@functools.partial(jax.jit, static_argnums=(1,))
def power(x, k, kind="plain"):
    return x**k
"""


@pytest.mark.parametrize(
    ("name", "arguments", "call"),
    [
        ("fast", "f32[4]", "fast(x)"),
        ("slope", "f32[4]", "slope(x)"),
        ("twice", "f32[4]", "twice(x)"),
        ("layer", "{'w': f32[8,16], 'b': f32[16]} f32[4,8]", "layer({'b': params_b, 'w': params_w}, x)"),
        ("repeated", "f32[4] 3", "repeated(x, 3)"),
        ("power", "f32[4] -2", "power(x, -2)"),
    ],
)
def test_what_is_called_by_one_written_for_it(tmp_path, name, arguments, call):
    found = _lowered(tmp_path, NAMES, kernel=name, arguments=arguments)
    row = found[f"{name}_of_arrays"]
    assert isinstance(row, Row)
    assert f"return {call}" in row.kernel.source


def test_settings_among_the_examples(tmp_path):
    found = _lowered(tmp_path, NAMES + 'ones = jnp.ones(3)\nexample_args = {"repeated": (ones, 2), "fast": ones}\n')
    assert "repeated(x, 2)" in found["repeated_of_arrays"].kernel.source
    assert "fast_of_arrays" in found


def test_what_one_function_returns_or_is_given_does_not_end_the_file(tmp_path):
    found = _lowered(
        tmp_path,
        """
def spectrum(x):
    return jnp.fft.fft(x)
def nibbles(x):
    return x.astype(jnp.int4)
def none(x):
    return {}
def constant(x):
    return 3.0
def wide(x):
    return x
def leaves(x):
    raise SystemExit(3)
def scaled(x, by):
    return x * by
def counted(x, by):
    return x * by
def called(x):
    return jax.pure_callback(np.asarray, jax.ShapeDtypeStruct(x.shape, x.dtype), x)
def solved(a, b):
    return jax.lax.custom_linear_solve(lambda v: a @ v, b, lambda _, c: jnp.linalg.solve(a, c))
@jax.custom_vjp
def unruly(x):
    return x * 2
unruly.defvjp(lambda x: (x, None), lambda kept, ct: (ct, ct))
half, ones = jnp.ones(3, jnp.float16), jnp.ones(3)
example_args = {
    "spectrum": ones, "nibbles": ones, "none": ones, "constant": ones, "wide": np.ones((3, 4)), "scaled": (half, 0.5),
    "leaves": ones, "counted": (np.arange(3, dtype=np.int32), 0.5), "called": ones,
    "solved": (jnp.eye(3), ones), "unruly": ones,
}
""",
    )
    for name, told in (
        ("spectrum", "complex64"), ("nibbles", "int4"), ("none", "nothing"), ("wide", "jax_enable_x64"),
        ("leaves", "3"),
    ):  # fmt: skip
        assert isinstance(found[name], Reject), name
        assert told in found[name].message
    # A number beside an array is an array to a row, and so is what comes of both.
    for name in ("scaled", "counted"):
        assert str(found[name].kernel.signature.arguments[-1].type) == "float32"
    assert isinstance(found["constant"], Row)
    # JAX says of these that they have no backward; of a rule that is wrong it says something else.
    for name in ("called", "solved"):
        assert found[name].texts["jaxpr_forward"]
        assert found[name].texts["jaxpr_backward"] is None
    assert isinstance(found["unruly"], Reject)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("f32[4], f32[4]", r"--args: 'f32\[4\],': spaces stand between arguments"),
        ("f32[True] f32[4]", r"--args: 'f32\[True\]' is not a type with a shape"),
        ("f64[8] f64[8]", "--args: float64, which JAX takes for float32: .*jax_enable_x64"),
        ("i64 f32", "--args: int64, which JAX takes for int32: .*jax_enable_x64"),
    ],
)
def test_arguments_that_cannot_be_meant(tmp_path, arguments, told):
    with pytest.raises(UserError, match=told):
        _lowered(tmp_path, "def f(x, y):\n    return x + y\n", arguments=arguments)


def test_a_file_that_asks_for_wide_types_has_them(tmp_path):
    text = 'jax.config.update("jax_enable_x64", True)\ndef f(x, y):\n    return x + y\n'
    row = _lowered(tmp_path, text, arguments="f64[8] f64[8]")["f"]
    assert str(row.kernel.signature.arguments[-1].type) == "float64"
    assert "f64[8]" in row.texts["jaxpr_forward"]
