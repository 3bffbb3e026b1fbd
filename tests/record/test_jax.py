"""What a program jits becomes rows: functions of arrays alone, proved on what the program passed."""

from __future__ import annotations

import sys
import textwrap

import pytest

pytest.importorskip("jax")

from irsmith.dataset.load import load
from irsmith.dataset.validate import validate
from irsmith.frontends.jax.trusted import objection
from irsmith.proof import prove
from irsmith.record import samples
from irsmith.record.recording import record
from irsmith.record.spool import Limits

PROGRAM = """
    import functools
    from typing import NamedTuple

    import jax
    import jax.numpy as jnp


    class Layer(NamedTuple):
        w: jax.Array
        b: jax.Array


    traced = []


    def act(x):
        return jnp.tanh(x)


    @jax.jit
    def predict(params, x):
        for layer in params["layers"]:
            x = act(x @ layer.w + layer.b)
        return {"y": x, "mean": x.mean()}


    @functools.partial(jax.jit, static_argnames=("n",))
    def power(x, *, n):
        return x**n


    def plain(x):
        traced.append(x.shape)
        return x + 1


    class Model:
        rate = 2.0

        @functools.partial(jax.jit, static_argnums=0)
        def scaled(self, x):
            return x * self.rate


    def main():
        rate = 0.5

        def halved(x):
            return x * rate

        @jax.jit
        def step(p, g):
            return p - halved(g)

        table = jnp.arange(3.0)

        @jax.jit
        def looked_up(i):
            return table[i]

        return step(jnp.ones(3), jnp.arange(3.0)), looked_up(1)


    if __name__ == "__main__":
        params = {"layers": [Layer(jnp.full((4, 4), 0.125), jnp.zeros(4)), Layer(jnp.eye(4), jnp.ones(4))]}
        for _ in range(5):
            predict(params, jnp.ones((5, 4)))
        power(jnp.arange(3.0), n=3)
        power(jnp.arange(3.0), n=2)
        for _ in range(3):
            jax.jit(plain)(jnp.ones(2))
        jax.grad(jax.jit(lambda z: z * 2))(3.0)
        jax.jit(plain).lower(jnp.ones(3)).compile()
        Model().scaled(jnp.ones(2))
        main()
        print(traced, predict.__name__, jax.jit.__name__)
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The program's recording, with inputs."""
    root = tmp_path_factory.mktemp("recorded")
    (root / "nets.py").write_text(textwrap.dedent(PROGRAM).lstrip())
    recording = record([sys.executable, str(root / "nets.py")], root / "out", limits=Limits(samples=2), workers=1)
    return recording, load(root / "out")


def test_each_function_is_kept_with_the_types_that_it_was_traced_for(recorded):
    recording, dataset = recorded
    assert recording.status == 0
    kernels = {row.kernel.name: row.kernel for row in dataset}
    # Two settings are two texts, here of one structure; two shapes of one function are one text.
    assert recording.summaries["jax"].manifest.tried == 8
    assert sorted(kernels) == ["plain", "power_of_arrays", "predict_of_arrays", "step"]
    predict = kernels["predict_of_arrays"]
    assert [a.name for a in predict.signature.arguments] == [
        "params_layers_0_w",
        "params_layers_0_b",
        "params_layers_1_w",
        "params_layers_1_b",
        "x",
        "result[0]",
        "result[1]",
    ]
    assert "class Layer(NamedTuple)" in predict.source
    assert "traced" not in predict.source
    assert "rate = 0.5\n\n\ndef halved(x):" in kernels["step"].source
    assert (predict.provenance.package, predict.provenance.file, predict.provenance.line) == ("nets.py", "nets.py", 20)


def test_what_no_text_can_give_is_counted_with_its_reason(recorded):
    recording, _ = recorded
    [summary] = recording.summaries.values()
    assert summary.manifest.rejects == {"harvest: CannotStandAlone": 3, "assemble: Duplicate": 1}
    lines = (summary.out / "rejects").rglob("*.jsonl")
    told = "".join(path.read_text() for path in lines)
    assert "it closes over table, a ArrayImpl" in told
    assert "it is a lambda" in told
    assert "self holds a Model" in told


def test_rows_are_proved_on_what_was_recorded(recorded):
    _, dataset = recorded
    for row in dataset:
        verdicts = {verdict.check: verdict for verdict in row.verdicts}
        assert verdicts["forward"].status == "passed", row.kernel.name
        assert verdicts["forward"].reason.endswith(", as the program's own run left them")
        assert verdicts["backward"].status == "passed"
    predict = next(row.kernel for row in dataset if row.kernel.name == "predict_of_arrays")
    assert samples.of(predict).inputs["params_layers_0_w"].shape == (2, 4, 4)
    assert prove(dataset).faults == ()
    assert validate(dataset.root)[1] == []


@pytest.mark.parametrize("inputs", [False, True])
def test_the_program_computes_and_compiles_as_it_did(script, spooled, capfd, inputs):
    status, _, notes = spooled(script(PROGRAM), Limits(samples=1) if inputs else None)
    assert (status, notes) == (0, {})
    # A function that is jitted anew each time is traced once a shape.
    assert capfd.readouterr().out == "[(2,), (3,)] predict jit\n"


CHANGED = """
    import jax
    import jax.numpy as jnp
    import numpy as np

    TABLE = np.zeros(3, np.float32)
    TABLE[1] = 2.0
    SCALE = {"k": 1.0}
    SCALE.update(k=9.0)
    STEPS, K, LATE, LOG, ONES = [], 1.0, [1.0], [], jnp.ones(3)
    for step in range(3):
        STEPS.append(float(step))


    class Config:
        scale = 1.0


    def setup():
        global K
        K = 7.0


    setup()


    def half(x):
        return x / 2


    def whole(x):
        return x


    @jax.jit
    def kept(x):
        LOG.append(x.shape)
        return x * TABLE * SCALE["k"] + ONES


    @jax.jit
    def of_list(x):
        return sum(step * x for step in STEPS)


    @jax.jit
    def of_global(x):
        return x * K


    @jax.jit
    def of_class(x):
        return x * Config.scale


    @jax.jit
    def of_late(x):
        return x * LATE[0]


    @jax.jit
    def of_helper(x):
        return half(x)


    @jax.custom_vjp
    def steep(x):
        return jnp.sin(x)


    steep.defvjp(lambda x: (steep(x), None), lambda kept, ct: (ct * 3.0,))
    jitted = jax.jit(steep)


    @jax.jit
    def around(x):
        return steep(x) + 1.0


    def main():
        global half
        Config.scale = 5.0
        LATE[0] = 3.0
        half = whole
        for f in (kept, of_list, of_global, of_class, of_late, of_helper, around):
            f(jnp.ones(3))
        print(LOG, np.random.rand(), half.__name__)


    np.random.seed(0)
    if __name__ == "__main__":
        main()
"""


def test_a_text_has_the_values_that_the_program_has(script, spooled, capfd):
    status, records, notes = spooled(script(CHANGED))
    assert (status, notes) == (0, {})
    assert capfd.readouterr().out == "[(3,)] 0.5488135039273248 whole\n"
    told = {name: record.content.get("reject", [""])[-1] for name, record in records.items()}
    assert {name for name, reason in told.items() if not reason} == {"kept", "around"}
    for name, changed in (
        ("of_class", "Config"), ("of_late", "LATE"), ("of_helper", "half"),
    ):  # fmt: skip
        assert told[name] == f"cannot stand alone: {name} reads {changed}, which the program has changed"
    # Executing what sets these would be running the program.
    assert "for step in range(3)" in told["of_list"]
    assert "computes: setup()" in told["of_global"]
    for line in ("TABLE[1] = 2.0", "SCALE.update(k=9.0)"):
        assert line in records["kept"].content["kernel"]["python_source"]
    assert "steep.defvjp" in records["around"].content["kernel"]["python_source"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import jax\nX = jax.numpy.zeros(3) + 1", None),
        ("import numpy as np\nX = np.load('x.npy')", "computes: np.load('x.npy')"),
        ("import numpy.random\nX = numpy.zeros(3)\nX[0] += 1\nY = numpy.random.default_rng(0)", None),
        ("import numpy as np\nnp.random.seed(0)", "computes: np.random.seed(0)"),
        ("from numpy.random import rand\nX = rand(3)", "computes: rand(3)"),
        ("import numpy as np\nnp.float = float", "it changes np.float, which is not its own"),
        ("import jax\nfrom model import f", "it imports model, no part of JAX"),
        ("import os", "it imports os, a module of Python's"),
        ("from . import f", "it imports ., no part of JAX"),
        ("for i in range(3):\n    x = i", "'for i in range(3):'"),
        ("def f(): ...\nX = f()", "computes: f()"),
    ],
)
def test_a_text_only_defines_things(text, reason):
    found = objection(text)
    assert found is None if reason is None else reason in found
