"""Sources are executed in a process that limits them, and mean there what they mean anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from tests.killing import killed

from irsmith.errors import StoppedError
from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference import Reference
from irsmith.frontends.jax.reference.apart import EndedError, Keeper
from irsmith.frontends.jax.synth import CATEGORIES, synthesise
from irsmith.synth import Settings
from irsmith.verify.inputs import Inputs, Mode
from irsmith.verify.ports import NotModelledError

HONEST = "def f(x):\n    return x + 1.0\n"
X = {"x": np.ones((2, 3), np.float32), "result": np.ones((2, 3), np.float32)}


@pytest.fixture
def keeper():
    found = Keeper(seconds=3.0, memory=1 << 30)
    yield found
    found.close()


def same(one, two):
    assert one.faults == two.faults
    assert list(one.outputs) == list(two.outputs)
    arrays = [(one.outputs[name], two.outputs[name]) for name in one.outputs]
    assert one.coverage.keys() == two.coverage.keys()
    for site, ways in one.coverage.items():
        arrays += [(ways.true, two.coverage[site].true), (ways.false, two.coverage[site].false)]
    for a, b in [*arrays, (one.path, two.path), (one.kink, two.kink)]:
        assert a.dtype == b.dtype
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def test_a_source_means_the_same_there(keeper):
    for category in sorted(CATEGORIES)[::4]:
        kernel = synthesise(12, 1, Settings(((category, 1.0),)))
        sets = Inputs(kernel, lambda type_: numpy_dtype(str(type_))).sets([Mode.EVEN, Mode.EQUAL, Mode.LOW], "test")
        mine, apart = Reference(kernel.source, kernel.name), keeper.reference(kernel.source, kernel.name)
        same(mine.run(sets, None, trace=True), apart.run(sets, None, trace=True))
        wide = {name: a.astype(np.float64) if a.dtype.kind in "fV" else a for name, a in sets.items()}
        options = {"precision": "float64", "epsilon": 1e-7, "perturb": np.array([0, 1, 1]), "seed": 3, "trace": True}
        same(mine.run(wide, None, **options), apart.run(wide, None, **options))


ENDLESS = {
    "a loop": "    while True:\n        x = x + 1.0",
    "a loop of the interpreter's own": "    sum(itertools.count())",
    "a number": "    9 ** 9 ** 9",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_is_ended_and_costs_only_itself(keeper, name):
    honest = keeper.reference(HONEST, "f")
    endless = keeper.reference(f"import itertools\n\n\ndef f(x):\n{ENDLESS[name]}\n    return x\n", "f")
    for _ in range(2):
        (fault, _) = endless.run(X, None).faults
        assert fault.kind.name in ("TIMED_OUT", "ENDED")
    assert honest.run(X, None).outputs["result"].tolist() == [[2.0] * 3] * 2


def test_what_cannot_even_be_read_in_time_is_not_modelled(keeper):
    with pytest.raises(NotModelledError, match="did not end within 3 seconds"):
        keeper.reference("while True:\n    pass\n", "f")


def test_what_fills_the_memory_fails(keeper):
    filling = keeper.reference("import numpy\n\n\ndef f(x):\n    return numpy.ones(10 ** 9)\n", "f")
    (fault, _) = filling.run(X, None).faults
    assert fault.kind.name == "RAISED"
    assert "Memory" in fault.message


class Opens:
    """Opens a file where it is unpickled."""

    def __init__(self, path):
        self.path, self.key = path, -1

    def __reduce__(self):
        return open, (self.path, "w")


def test_no_file_can_be_opened_there(keeper, tmp_path):
    honest = keeper.reference(HONEST, "f")
    with pytest.raises(EndedError, match="ends the process"):
        keeper._asked(Opens(str(tmp_path / "left")))
    assert not list(tmp_path.iterdir())
    assert honest.run(X, None).faults == (None, None)


def test_a_source_that_is_forgotten_is_given_up(keeper):
    for _ in range(3):
        keeper.reference(HONEST, "f").run(X, None)
    keeper.reference(HONEST, "f").run(X, None)
    assert len(keeper._sources) <= 2


def test_what_the_machine_kills_is_no_source_s_fault(keeper):
    reference = keeper.reference(HONEST, "f")
    with killed("irsmith.frontends.jax.reference.worker", 1) as victims:
        while not victims:
            found = reference.run(X, None)
            assert found.faults == (None, None)
            assert (found.outputs["result"] == 2.0).all()
    assert reference.run(X, None).faults == (None, None)

    def for_ever():
        while True:
            reference.run(X, None)

    with (
        killed("irsmith.frontends.jax.reference.worker", 99),
        pytest.raises(StoppedError, match="was killed, twice: is there enough memory"),
    ):
        for_ever()
