"""Input sets: the same for the same source, within every domain, on its ends and on the numbers of the source."""

import subprocess
import sys

import numpy as np
import pytest

from irsmith.types import Domain, Field, Scalar, Struct
from irsmith.verify.inputs import BASES, SEARCH, Inputs, Mode, missing
from irsmith.verify.stream import Uniform, chosen, digest

BODY = """
@wp.kernel
def k(x: wp.array(dtype=float), n: wp.array(dtype=int), s: float, o: wp.array(dtype=float)):
    i = wp.tid()
    if x[i] > 0.375:
        o[i] = x[i] * s
    else:
        o[i] = x[n[i]]
"""
ARGUMENTS = (
    "in x: float32 24 from -0.7 to 1.1",
    "in n: int32 24 from 0 to 23",
    "in s: float32 from 0.1 to 0.2",
    "out o: float32 24",
)


@pytest.fixture
def inputs(make_kernel, toolchain):
    return Inputs(make_kernel(BODY, *ARGUMENTS), toolchain.dtype)


def same(a, b):
    return all((a[name] == b[name]).all() for name in a)


def test_the_same_source_gives_the_same_sets(inputs, make_kernel, toolchain):
    again = Inputs(make_kernel(BODY, *ARGUMENTS), toolchain.dtype)
    assert same(inputs.sets(BASES, "sets"), again.sets(BASES, "sets"))
    other = Inputs(make_kernel(BODY.replace("0.375", "0.5"), *ARGUMENTS), toolchain.dtype)
    assert not same(inputs.sets(BASES, "sets"), other.sets(BASES, "sets"))
    assert not same(inputs.sets(BASES, "sets"), inputs.sets(BASES, "others"))


def test_streams_are_those_of_any_other_process():
    code = "from irsmith.verify.stream import Uniform; print(Uniform('a', 'b').draw((3,)).tolist())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str(Uniform("a", "b").draw((3,)).tolist())
    # These numbers are part of what whoever has a dataset can repeat.
    assert Uniform("a").draw((2,)).tolist() == pytest.approx([0.7096150, 0.3374468], abs=1e-7)
    assert digest("ab", "c") != digest("a", "bc")


def test_a_share_is_of_all_keys():
    assert 0.17 < np.mean([chosen(0.2, "share", str(number)) for number in range(2000)]) < 0.23
    assert not chosen(0.0, "a")
    assert chosen(1.0, "a")


@pytest.mark.parametrize("mode", Mode)
def test_every_value_is_in_its_domain(mode, inputs):
    sets = inputs.sets([mode] * 8, "domain")
    assert (sets["x"].astype(np.float64) >= -0.7).all()
    assert (sets["x"].astype(np.float64) <= 1.1).all()
    assert sets["n"].min() >= 0
    assert sets["n"].max() <= 23
    assert sets["s"].shape == (8,)


def test_ends_ties_and_the_numbers_of_the_source_come_up(inputs):
    sets = inputs.sets(BASES, "sets")["x"]
    assert (np.abs(sets - np.float32(-0.7)) < 1e-6).any()
    assert (np.abs(sets - np.float32(1.1)) < 1e-6).any()
    assert (sets == np.float32(0.375)).any()
    few = sets[BASES.index(Mode.FEW)]
    assert len(np.unique(few)) <= 3
    assert len(np.unique(sets[BASES.index(Mode.EQUAL)])) == 1
    assert len(np.unique(sets[0])) == 24


def test_a_variant_changes_one_argument(inputs):
    base = inputs.sets(SEARCH[:2], "base")
    variants = inputs.variants(base, ["x", "s"], SEARCH[:2], "base")
    assert (variants["x"][2:] == base["x"]).all()
    assert (variants["s"][:2] == base["s"]).all()
    assert (variants["x"][:2] != base["x"]).any()
    assert (variants["s"][2:] != base["s"]).all()
    assert (variants["n"] == np.concatenate([base["n"]] * 2)).all()


def test_fields_have_domains_of_their_own(make_kernel, toolchain):
    fields = (Field("a", Scalar("float32"), Domain(5.0, 6.0)), Field("n", Scalar("int32"), Domain(-3, -2)))
    struct = Struct("S", fields)
    kernel = make_kernel("x = 1", "in s: S 4", "out o: S 4", structs={"S": struct})
    sets = Inputs(kernel, toolchain.dtype).sets(BASES, "sets")
    assert ((sets["s"]["a"] >= 5.0) & (sets["s"]["a"] <= 6.0)).all()
    assert set(np.unique(sets["s"]["n"])) == {-3, -2}


@pytest.mark.parametrize(
    ("arguments", "launch", "reason"),
    [
        (ARGUMENTS, (24,), None),
        (ARGUMENTS, (), "its launch is not known"),
        (("in x: float32 24",), (24,), "the domain of x is not known"),
    ],
)
def test_what_is_not_known_is_named(arguments, launch, reason, make_kernel):
    assert missing(make_kernel(BODY, *arguments, launch=launch)) == reason
