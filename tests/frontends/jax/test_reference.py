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


def test_positions_beyond_the_end_are_at_the_end():
    source = "def f(x, i):\n    return x[i]\n"
    x, i = np.arange(4, dtype=np.float32), np.array([9, -1, 2], np.int32)
    np.testing.assert_array_equal(run(source, x=x, i=i, result=x[:3]), jaxs(source, "f", x, i)[0])


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
