"""The reference gives JAX's meaning, though it has no part of JAX in it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.lower import flat, plain
from irsmith.frontends.jax.proving import JaxToolchain
from irsmith.frontends.jax.reference import Reference
from irsmith.frontends.jax.synth import CATEGORIES, synthesise
from irsmith.synth import Settings
from irsmith.verify.inputs import Inputs, Mode
from irsmith.verify.ports import NotModelledError

ROUGH = {"float16": 0.1, "bfloat16": 0.3, "float32": 2e-4, "float64": 1e-9}


def run(source, name="f", **arrays):
    result = Reference(source, name).run({k: np.asarray(v)[None] for k, v in arrays.items()}, None, trace=True)
    assert result.faults == (None,), result.faults
    return result.outputs["result"][0]


def jaxs(source, name, *arrays):
    with compiler.declared(source) as module:
        import jax

        return [np.asarray(leaf) for leaf in flat(jax.jit(plain(getattr(module, name)))(*arrays))]


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_synthesised_functions_mean_what_jax_computes(category):
    kernel = synthesise(11, 3, Settings(((category, 1.0),)))
    sets = Inputs(kernel, JaxToolchain().dtype).sets([Mode.EVEN], "test")
    result = Reference(kernel.source, kernel.name).run(sets, None)
    assert result.faults == (None,)
    with compiler.declared(kernel.source) as module:
        import jax

        given = [sets[a.name][0] for a in kernel.signature.arguments if a.direction != "out"]
        found = [np.asarray(leaf) for leaf in flat(jax.jit(plain(getattr(module, kernel.name)))(*given))]
    outputs = [result.outputs[a.name][0] for a in kernel.signature.arguments if a.direction == "out"]
    for mine, theirs in zip(outputs, found, strict=True):
        assert mine.dtype == theirs.dtype
        a, b = mine.astype(np.float64), theirs.astype(np.float64)
        assert np.abs(a - b).max() <= ROUGH.get(mine.dtype.name, 0.0) * (1 + np.abs(b).max()), kernel.source


def test_random_numbers_are_jaxs():
    source = (
        "import jax\n\ndef f(x):\n    key, sub = jax.random.split(jax.random.PRNGKey(7))\n"
        "    kept = jax.random.bernoulli(jax.random.fold_in(sub, 3), 0.6, x.shape)\n"
        "    return x * kept + jax.random.uniform(key, (5, 4))\n"
    )
    x = np.ones((5, 4), np.float32)
    np.testing.assert_allclose(run(source, x=x, result=x), jaxs(source, "f", x)[0], rtol=1e-6)


def test_numbers_of_a_source_take_the_dtype_that_they_meet():
    source = "def f(x):\n    return (x < 0.81) * 1.0\n"
    x = np.full(3, np.float32(0.81))
    assert not run(source, x=x, result=x).any()


@pytest.mark.parametrize("call", ["jnp.deg2rad(x)", "jnp.rad2deg(x)", "jnp.sinc(x)"])
def test_the_circle_s_number_is_rounded_to_half_precision(call):
    source = f"import jax.numpy as jnp\n\ndef f(x):\n    return {call}\n"
    x = np.linspace(0.5, 0.9, 5, dtype=np.float16)
    wide = Reference(source, "f", "float16").run(
        {"x": x.astype(np.float32)[None], "result": x.astype(np.float32)[None]}, None
    )
    number = {"deg2rad": np.pi / 180, "rad2deg": 180 / np.pi, "sinc": np.pi}[call[4:-3]]
    near = float(np.float16(number)) * x.astype(np.float64)
    expected = np.sin(near) / near if "sinc" in call else near
    assert wide.faults == (None,)
    np.testing.assert_allclose(wide.outputs["result"][0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "number"), [("log2", 1 / float(np.float16(np.log(2)))), ("log10", float(np.float16(0.4342944819)))]
)
def test_the_base_of_a_logarithm_is_a_number_of_half_precision(call, number):
    source = f"import jax.numpy as jnp\n\ndef f(x):\n    return jnp.{call}(x)\n"
    x = np.linspace(1.5, 3.0, 5, dtype=np.float16).astype(np.float32)
    wide = Reference(source, "f", "float16").run({"x": x[None], "result": x[None]}, None)
    np.testing.assert_allclose(wide.outputs["result"][0], np.log(x.astype(float)) * number, rtol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"precision": "float64"}, {"perturb": np.arange(1, 9)}])
def test_the_logarithm_of_the_base_itself_is_one(settings):
    source = "import jax.numpy as jnp\n\ndef f(x):\n    return jnp.floor(jnp.log2(jnp.minimum(x, 2.0)))\n"
    x = np.full((8, 3), 7.0, np.float32)
    found = Reference(source, "f").run({"x": x, "result": x}, None, **settings)
    assert (found.outputs["result"] == jaxs(source, "f", x[0])[0]).all()
    assert (found.outputs["result"] == 1).all()


STANDARD = "import jax\n\ndef f(x):\n    return jax.nn.standardize(x)\n"


def test_a_variance_of_nothing_is_no_decision():
    """Its sign is rounding's, and so is the side on which the larger of it and nothing stands."""
    x = np.full((40, 5), 0.0, np.float32) + np.linspace(0.1, 3.0, 40, dtype=np.float32)[:, None]
    found = Reference(STANDARD, "f").run({"x": x, "result": x}, None, precision="float64", trace=True)
    assert len(set(found.path)) == 1
    assert not found.kink.any()


def test_positions_beyond_the_end_are_at_the_end():
    source = "def f(x, i):\n    return x[i]\n"
    x, i = np.arange(4, dtype=np.float32), np.array([9, -1, 2], np.int32)
    np.testing.assert_array_equal(run(source, x=x, i=i, result=x[:3]), jaxs(source, "f", x, i)[0])


CALLS = {
    "jax.scipy.special.gammainc(a, x)": "ax", "jax.scipy.special.gammaincc(2.5, x)": "x",
    "jax.scipy.special.betainc(2.0, 3.5, u)": "u", "jax.scipy.special.zeta(2.5, x)": "x",
    "jax.scipy.special.polygamma(1, x)": "x", "lax.polygamma(jnp.full_like(x, 2.0), x)": "x",
    "jax.scipy.special.ndtr(x - a)": "xa", "jax.scipy.special.log_ndtr(x - a)": "xa", "jax.scipy.special.ndtri(u)": "u",
    "jax.scipy.special.xlogy(a, x)": "ax", "jax.scipy.special.xlog1py(a, x)": "ax", "jax.scipy.special.entr(x)": "x",
    "jax.scipy.special.logit(u)": "u", "jax.scipy.special.i0(x)": "x", "jax.scipy.special.i1(x)": "x",
    "jax.scipy.special.betaln(a, x)": "ax", "lax.bessel_i0e(x) + lax.bessel_i1e(x)": "x", "lax.digamma(x)": "x",
    "jnp.minimum(u, jnp.nextafter(0.5, 1.0))": "u", "jnp.fmod(x, 0.75)": "x", "jnp.arccosh(1.0 + x)": "x",
    "lax.population_count(i)": "i", "jnp.bitwise_count(i)": "i", "lax.clz(i)": "i", "lax.mulhi(i * 99991, i)": "i",
    "lax.shift_right_logical(i, lax.full_like(i, 3))": "i", "(i << 3) ^ (i >> 2) | ~i & 12": "i",
    "lax.reduce_xor(i, (0,))": "i", "lax.reduce_and(i | 1, (1,))": "i", "lax.reduce_or(i, (0, 1))": "i",
    "lax.clz(i.astype(jnp.uint8))": "i", "(i.astype(jnp.uint32) * jnp.uint32(0x9E3779B1)) >> 15": "i",
    "lax.reduce(i, 0, lax.bitwise_xor, (1,))": "i", "lax.sort_key_val(x, a, dimension=0)": "xa",
    "lax.dynamic_update_index_in_dim(x, a[0], 2, 0)": "xa", "lax.index_take(x, (jnp.array([2, 0]),), (1,))": "x",
    "lax.index_take(x, (jnp.array([2, -1]), jnp.array([0, 1])), (0, 1))": "x",
    "lax.broadcast_to_rank(x, 3)": "x", "lax.broadcast_like(x[0], a)": "xa", "lax.tile(x, (2, 1))": "x",
    "lax.platform_dependent(x, cpu=jnp.sin, default=jnp.cos)": "x", "lax.composite(jnp.sin, name='a.b')(x)": "x",
    "lax.conv_transpose(x[None], w, (2,), 'SAME')": "xw", "lax.conv_transpose(x[None], w, (3,), 'VALID')": "xw",
    "lax.conv_general_dilated_patches(x[None, None], (2, 2), (1, 1), 'VALID')": "x",
    "lax.conv_general_dilated_patches(x[None, None], (2, 3), (2, 1), 'SAME')": "x",
    "lax.conv_general_dilated_local(x[None], w, (1,), 'VALID', (2,))": "xw",
    "lax.conv_with_general_padding(x[None], w, (1,), ((1, 2),), (2,), None)": "xw",
    "lax.ragged_dot(x, w, jnp.array([1, 2], jnp.int32))": "xw", "lax.ragged_dot(x, w, jnp.array([1, 3]))": "xw",
    "jnp.linalg.svd(x, compute_uv=False)": "x", "jnp.linalg.svdvals(x)": "x", "jnp.linalg.eigvalsh(x @ x.T)": "x",
    "lax.linalg.cholesky_update(jnp.triu(x[:3, :3]) + jnp.eye(3), a[0])": "xa",
    "lax.linalg.tridiagonal_solve(a[:, 0], 2.0 + x[:, 0], a[:, 1], x)": "xa",
    "jnp.trace(a[None] * x[:3, :1, None], axis1=-2, axis2=-1)": "xa",
    "jnp.stack(jnp.broadcast_arrays(0.1, x[:, :1], a[0]), axis=-1)": "xa",
    "lax.linalg.symmetric_product(x, a @ a.T, alpha=2.0, beta=0.5, symmetrize_output=True)": "xa",
}  # fmt: skip


@pytest.mark.parametrize("call", sorted(CALLS))
def test_a_call_means_what_jax_computes(call):
    random = np.random.default_rng(5)
    shapes = {"w": (2, 3, 2) if "ragged" in call else (4, 8, 3)} | ({"w": (5, 8, 2)} if "local" in call else {})
    shapes |= {"w": (2, 3, 5)} if "transpose" in call else {}
    shapes |= {"w": (2, 4, 2)} if "general_padding" in call else {}
    arrays = {name: random.uniform(0.3, 2.5, shapes.get(name, (4, 3))).astype(np.float32) for name in CALLS[call]}
    arrays |= {"u": random.uniform(0.1, 0.9, (4, 3)).astype(np.float32)} if "u" in CALLS[call] else {}
    arrays |= {"i": random.integers(-70_000, 70_000, (4, 3)).astype(np.int32)} if "i" in CALLS[call] else {}
    source = (
        f"import jax\nimport jax.numpy as jnp\nfrom jax import lax\n\ndef f({', '.join(arrays)}):\n    return {call}\n"
    )
    theirs = jaxs(source, "f", *arrays.values())
    names = ["result"] if len(theirs) == 1 else [f"result[{place}]" for place in range(len(theirs))]
    given = {**arrays, **dict(zip(names, theirs, strict=True))}
    found = Reference(source, "f").run({key: value[None] for key, value in given.items()}, None)
    assert found.faults == (None,)
    for name, value in zip(names, theirs, strict=True):
        np.testing.assert_allclose(found.outputs[name][0], value, rtol=2e-5, atol=1e-5)


def test_what_is_not_modelled_is_said():
    with pytest.raises(NotModelledError, match=r"jax\.numpy\.vectorize"):
        Reference("import jax.numpy as jnp\n\ndef f(x):\n    return jnp.vectorize(abs)(x)\n", "f")
    with pytest.raises(NotModelledError, match="import os"):
        Reference("import os\n\ndef f(x):\n    return x\n", "f")


def test_a_lane_that_fails_says_where():
    result = Reference("def f(x):\n    y = x\n    return y + unknown\n", "f").run({"x": np.ones((1, 2))}, None)
    assert result.faults[0].line == 3


def test_ties_and_paths_are_seen():
    reference = Reference("import jax.numpy as jnp\n\ndef f(x):\n    return jnp.maximum(x, 0.0)\n", "f")
    x = np.array([[1.0], [-1.0], [2.0], [0.0]])
    result = reference.run({"x": x, "result": x}, None, trace=True)
    assert result.path[0] == result.path[2] != result.path[1]
    assert list(result.kink) == [False, False, False, True]


def test_the_reference_loads_no_jax():
    code = "import sys\nimport irsmith.frontends.jax.reference\nassert not {'jax', 'jaxlib', 'warp'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
