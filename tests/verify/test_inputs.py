"""Input sets stay in their domains, tie, take every branch or name it, and can be drawn again from a file."""

import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from irsmith.row import write_rows
from irsmith.types import Domain, Field, Scalar, Struct, Vector
from irsmith.verify.explore import explore
from irsmith.verify.inputs import BASES, BEYOND, SEARCH, Inputs, Mode
from irsmith.verify.values import leaves

BRANCHES = """
@wp.kernel
def k(
    x: wp.array(dtype=float),
    y: wp.array(dtype=float),
    a: wp.array(dtype=int),
    n: int,
    q: float,
    h: wp.array(dtype=int),
):
    i = wp.tid()
    if i >= n:
        wp.atomic_add(h, 0, 1)
        return
    wp.atomic_add(h, 1, 1)
    if x[i] == 0.3125:
        wp.atomic_add(h, 2, 1)
    elif x[i] > 0.999:
        wp.atomic_add(h, 3, 1)
    elif x[i] < -0.5 and y[i] == x[i]:
        wp.atomic_add(h, 4, 1)
    elif a[i] % 7 == 6:
        wp.atomic_add(h, 5, 1)
    else:
        wp.atomic_add(h, 6, 1)
    wp.atomic_add(h, 7 if y[i] + x[i] > 1.9 else 8, 1)
    s = float(0.0)
    while s < x[i]:
        s += 0.25
        if s > 0.7:
            wp.atomic_add(h, 9, 1)
            break
        wp.atomic_add(h, 10, 1)
    for j in range(a[i] - 10):
        wp.atomic_add(h, 11, 1)
    if x[i] > 1.5:
        wp.atomic_add(h, 12, 1)
    if x[i] * x[i] + y[i] * y[i] < 0.0:
        wp.atomic_add(h, 13, 1)
    if wp.abs(x[i] - y[i]) > 1.95:
        wp.atomic_add(h, 14, 1)
    if q * q > 0.71 and q * q < 0.714:
        wp.atomic_add(h, 15, 1)
"""

UNREACHABLE = {12, 13}

ARGUMENTS = (
    "in x: float32 24 from -1 to 1",
    "in y: float32 24 from -1 to 1",
    "in a: int32 24 from 0 to 12",
    "in n: int32 from 12 to 24",
    "in q: float32 from 0 to 1",
    "inout h: int32 16 from 0 to 0",
)


def mark_of(line):
    """The number that a line's branch counts under."""
    return int(line.partition("wp.atomic_add(h, ")[2].partition(",")[0])


def test_every_branch_is_taken_or_named(make_kernel, toolchain):
    kernel = make_kernel(BRANCHES, *ARGUMENTS)
    found = explore(toolchain.reference(kernel.source, "k"), kernel, Inputs(kernel, toolchain.dtype), 0)
    counted = found.observed.exact["h"].sum(axis=0) + found.extra.exact["h"].sum(axis=0)
    assert {place for place, times in enumerate(counted) if not times} == UNREACHABLE
    lines = kernel.source.splitlines()
    # The line after the test counts what went in; nothing counts the other way.
    assert {mark_of(lines[way.line]) for way in found.uncovered} == UNREACHABLE
    assert all(way.way and way.kind == "if" for way in found.uncovered)


def test_the_sets_that_rounding_is_known_for_take_every_branch_too(make_kernel, toolchain):
    """A branch that only a set of the search took is judged as closely as the others."""
    kernel = make_kernel(BRANCHES, *ARGUMENTS)
    found = explore(toolchain.reference(kernel.source, "k"), kernel, Inputs(kernel, toolchain.dtype), 0)
    assert len(found.modes) == found.observed.count
    assert (found.observed.exact["h"].sum(axis=0) > 0).sum() == 16 - len(UNREACHABLE)


FLOAT = Scalar("float32")
PART = Struct("Part", (Field("m", FLOAT, Domain(0.1, 0.3)), Field("v", Vector(3, FLOAT), Domain(-2.0, 2.0))))


WITHIN = [mode for mode in Mode if mode is not Mode.BEYOND]


@pytest.mark.parametrize("mode", WITHIN)
@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("in x: int32 9 from 0 to 7", 0, 7),
        ("in x: int32 9x4 from -3 to 1", -3, 1),
        ("in x: uint8 9 from 0 to 255", 0, 255),
        ("in x: int32 from 5 to 5", 5, 5),
        ("in x: float32 9 from 0.1 to 0.3", 0.1, 0.3),
        ("in x: float16 9 from 0.1 to 0.3", 0.1, 0.3),
        ("in x: float64 9 from -1e9 to 1e-9", -1e9, 1e-9),
        ("in x: vec3[float32] 9 from -0.7 to -0.1", -0.7, -0.1),
    ],
)
def test_values_stay_in_their_domain(make_kernel, toolchain, mode, text, low, high):
    """Index arrays first of all: what is out of bounds reads what is not there."""
    kernel = make_kernel("x = 0.7 < 3 or 300 > 0.1", text)
    array = Inputs(kernel, toolchain.dtype).sets([mode] * 8, "test")["x"]
    assert (array.astype(float) >= low).all()
    assert (array.astype(float) <= high).all()
    assert low == high or mode in (Mode.EQUAL, Mode.CLOSE) or len(np.unique(array)) > 1


@pytest.mark.parametrize("mode", Mode)
def test_sorted_arrays_are_sorted(make_kernel, toolchain, mode):
    kernel = make_kernel("x = 0.7 < 3", "in x: float32 9 from -1 to 2")
    (argument,) = kernel.signature.arguments
    rising = replace(argument, domain=replace(argument.domain, rising=True))
    kernel = replace(kernel, signature=replace(kernel.signature, arguments=(rising,)))
    array = Inputs(kernel, toolchain.dtype).sets([mode] * 8, "test")["x"]
    assert (np.diff(array, axis=1) >= 0).all()
    assert mode in (Mode.EQUAL, Mode.CLOSE) or (np.diff(array, axis=1) > 0).any()


def test_beyond_a_domain_floats_alone_are_larger(make_kernel, toolchain):
    """Never an index; nor half precision, in which squares would overflow."""
    texts = ("in x: float32 9 from 0.5 to 2", "in h: float16 9 from 0.5 to 2", "in a: int32 9 from 0 to 8")
    sets = Inputs(make_kernel("pass", *texts), toolchain.dtype).sets(BEYOND, "beyond")
    far = sets["x"].max(axis=1)
    assert (sets["x"] >= 0.5).all()
    assert (far > 8).any()
    assert (far <= 2).any()
    assert sets["h"].max() <= 2
    assert sets["a"].max() <= 8


def test_sets_from_beyond_are_those_on_which_a_kernel_is_defined(make_kernel, toolchain):
    source = """
@wp.kernel
def k(x: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    o[i] = x[int(x[i])] + wp.exp(x[i])
"""
    kernel = make_kernel(source, "in x: float32 24 from 0 to 20", "out o: float32 24")
    found = explore(toolchain.reference(kernel.source, "k"), kernel, Inputs(kernel, toolchain.dtype), 0, BEYOND)
    assert 0 < found.beyond.count < len(BEYOND)
    assert not any(found.beyond.faults)
    assert found.all_observed.count == len(found.modes) + found.beyond.count


def test_a_loop_that_never_ends_beyond_a_domain_takes_no_steps_from_those_within(make_kernel, toolchain):
    """An infinity is not halved away, and the loop behind it needs steps of its own."""
    source = """
@wp.kernel
def k(x: wp.array(dtype=float), n: wp.array(dtype=int), o: wp.array(dtype=float)):
    i = wp.tid()
    rest = wp.exp(x[i])
    while rest > 0.8:
        rest *= 0.5
    left = n[i]
    turns = int(0)
    while left > 0:
        left //= 4
        turns += 1
    o[i] = rest + float(turns)
"""
    texts = ("in x: float32 24 from -3 to 9", "in n: int32 24 from 0 to 20", "out o: float32 24")
    kernel = make_kernel(source, *texts)
    found = explore(toolchain.reference(kernel.source, "k"), kernel, Inputs(kernel, toolchain.dtype), 0, BEYOND)
    assert not any(found.observed.faults)
    assert found.beyond.count < len(BEYOND)


@pytest.mark.parametrize("mode", WITHIN)
def test_fields_stay_in_their_domain(make_kernel, toolchain, mode):
    kernel = make_kernel("pass", "in x: Part 9", structs={"Part": PART})
    values = dict(leaves(Inputs(kernel, toolchain.dtype).sets([mode] * 8, "test")["x"]))
    for field in PART.fields:
        found = values[f".{field.name}"].astype(float)
        assert (found >= field.domain.low).all()
        assert (found <= field.domain.high).all()


def test_both_ends_of_an_index_are_met(make_kernel, toolchain):
    kernel = make_kernel("pass", "in x: int32 24 from 0 to 23")
    array = Inputs(kernel, toolchain.dtype).sets(BASES, "sets")["x"]
    assert {0, 23} <= set(array.ravel().tolist())


def test_values_tie(make_kernel, toolchain):
    """Within an array, between arrays at one place, and with what the source compares them with."""
    kernel = make_kernel(
        "if x < 0.3125 and y != -0.625:\n    pass",
        "in x: float32 24 from -1 to 1",
        "in y: float32 24 from -1 to 1",
    )
    for modes in (BASES, SEARCH):
        sets = Inputs(kernel, toolchain.dtype).sets(modes, "sets")
        x, y = sets["x"], sets["y"]
        assert any(len(np.unique(one)) == 1 for one in x)
        assert any(1 < len(np.unique(one)) <= 5 for one in x)
        assert (x == y).any()
        assert (x == np.float32(0.3125)).any()
        assert (y == np.float32(-0.625)).any()
        assert ((x == np.float32(0.3125)) & (y == np.float32(-0.625))).any()


def test_turns_are_the_numbers_that_something_is_compared_with(make_kernel, toolchain):
    """One of them in a set, at some elements: no corner of a minimum, and no other side of a branch, stands beside."""
    kernel = make_kernel("if x < 0.3125 or -0.5 > x:\n    x = 0.75 * wp.abs(x)", "in x: float32 512 from -1 to 1")
    array = Inputs(kernel, toolchain.dtype).sets([Mode.TURNS] * 16, "sets")["x"]
    ties = [(array == np.float32(number)).mean(axis=1) for number in (0.3125, -0.5)]
    assert all(share.any() for share in ties)
    assert not np.logical_and(*ties).any()
    assert ((np.add(*ties) > 0.05) & (np.add(*ties) < 0.7)).all()
    assert not np.isin(array, np.array([0.0, 0.75, 1.0, -1.0], np.float32)).any()


def test_an_end_that_rounds_outwards_is_not_met(make_kernel, toolchain):
    kernel = make_kernel("pass", "in x: float32 64 from 0.1 to 0.7")
    array = Inputs(kernel, toolchain.dtype).sets([Mode.ENDS], "sets")["x"]
    assert float(np.float32(0.7)) < 0.7
    assert float(array.max()) == float(np.float32(0.7))
    assert float(np.float32(0.1)) > 0.1
    assert float(array.min()) == float(np.float32(0.1))


DRAW = """
import sys
from hashlib import sha256
import pyarrow.parquet as pq
from irsmith.frontends.warp.runner import dtype_of
from irsmith.row import from_record
from irsmith.verify.inputs import BASES, SEARCH, Inputs

row = from_record(pq.read_table(sys.argv[1]).to_pylist()[int(sys.argv[2])], ())
sets = Inputs(row.kernel, dtype_of).sets([*BASES, *SEARCH], "sets")
print(sha256(b"".join(name.encode() + sets[name].tobytes() for name in sorted(sets))).hexdigest())
"""


def test_whoever_has_the_file_draws_the_same(make_row, toolchain, tmp_path):
    """A function of what the Parquet file holds of a row: not of the process, nor of the rows beside it."""
    body = """
        @wp.struct
        class Part:
            m: float
            v: wp.vec3

        @wp.kernel
        def k(p: wp.array(dtype=Part), c: wp.array(dtype=int), t: float, o: wp.array(dtype=float)):
            i = wp.tid()
            o[i] = p[c[i]].m * t + p[i].v[0]
        """
    row = make_row(
        body,
        "in p: Part 9",
        "in c: int32 9 from 0 to 8",
        "in t: float32 from 0.1 to 0.7",
        "out o: float32 9",
        launch=(9,),
        structs={"Part": PART},
    )
    sets = Inputs(row.kernel, toolchain.dtype).sets([*BASES, *SEARCH], "sets")
    expected = sha256(b"".join(name.encode() + sets[name].tobytes() for name in sorted(sets))).hexdigest()
    file = tmp_path / "rows.parquet"
    write_rows(file, [replace(row, id="another"), row], ())
    for place, seed in (("0", "1"), ("1", "2")):
        drawn = subprocess.run(
            [sys.executable, "-c", DRAW, file, place],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert drawn.stdout.strip() == expected


def test_other_sources_and_names_have_other_inputs(make_kernel, toolchain):
    kernel = make_kernel("pass", "in x: float32 9 from 0 to 1", "in y: float32 9 from 0 to 1")
    first = Inputs(kernel, toolchain.dtype).sets([Mode.EVEN], "sets")
    assert (first["x"] != first["y"]).all()
    for other in (replace(kernel, name="l"), replace(kernel, source=kernel.source + "# more")):
        assert (first["x"] != Inputs(other, toolchain.dtype).sets([Mode.EVEN], "sets")["x"]).all()
