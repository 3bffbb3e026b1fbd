"""The self-test sees spoiled rows, calls the same what is the same, and counts what it misses."""

import math
import re
from collections import Counter

import pytest

from irsmith.outcome import Reject
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.rng import stream
from irsmith.types import FLOAT32, Domain, Field, Struct, Vector
from irsmith.verify import selftest as module
from irsmith.verify.equivalent import equivalent
from irsmith.verify.mutants import FORWARD, REVERSE, Mutant, spoiled_texts
from irsmith.verify.selftest import Report, Tally, selftest
from irsmith.verify.spoiled_python import MUTATIONS

KERNEL = """
@wp.func
def bent(a: float, b: float):
    if a < b:
        return wp.sin(a) * b
    return wp.exp(-a) + b


@wp.kernel
def k(
    x: wp.array(dtype=float),
    y: wp.array(dtype=float),
    bins: wp.array(dtype=int),
    n: int,
    o: wp.array(dtype=float),
    total: wp.array(dtype=float),
):
    i = wp.tid()
    if i >= n:
        return
    s = x[i] - 2.0 * y[i]
    for j in range(3):
        s = s + wp.min(x[i], y[(i + j) % 16]) / 3.0
    if x[i] > 0.25 and y[i] < 1.5:
        s = bent(s, y[i])
    o[i] = wp.sqrt(wp.abs(s) + 1.0)
    wp.atomic_add(total, bins[i], s * x[i])
"""

ARGUMENTS = (
    "in x: float32 16 from -1 to 1",
    "in y: float32 16 from 0.5 to 2",
    "in bins: int32 16 from 0 to 3",
    "in n: int32 from 8 to 16",
    "out o: float32 16",
    "inout total: float32 4 from -1 to 1",
)


BODIES = """
@wp.struct
class Body:
    mass: float
    place: wp.vec3


@wp.kernel
def k(bodies: wp.array(dtype=Body), near: wp.array2d(dtype=int), n: int, o: wp.array(dtype=wp.vec3)):
    i = wp.tid()
    b = bodies[i]
    push = wp.vec3(0.0, 0.0, 0.0)
    for turn in range(n):
        other = bodies[near[i, turn]]
        away = other.place - b.place
        if wp.length(away) > 2.5:
            break
        push += away * (other.mass / (wp.dot(away, away) + 0.5))
    o[i] = push / b.mass - wp.cross(push, b.place)
"""

BODY = Struct(
    "Body",
    (Field("mass", FLOAT32, Domain(0.5, 2.0)), Field("place", Vector(3, FLOAT32), Domain(-1.0, 1.0))),
)


@pytest.fixture(scope="module")
def bodies(make_row):
    return make_row(
        BODIES,
        "in bodies: Body 12",
        "in near: int32 12x4 from 0 to 11",
        "in n: int32 from 2 to 4",
        "out o: vec3[float32] 12",
        name="bodies",
        launch=(12,),
        structs={"Body": BODY},
    )


@pytest.fixture(scope="module")
def row(make_row):
    return make_row(KERNEL, *ARGUMENTS, launch=(16,))


@pytest.fixture(scope="module")
def report(row, bodies, toolchain):
    return selftest([row, bodies], toolchain, per_row=60)


def test_every_place_is_spoiled_in_many_ways(report):
    places = Counter(where for where, _ in report.by_kind)
    assert set(places) == {
        *(f"{s}_{p}" for s in ("cpp", "cuda") for p in ("forward", "backward")),
        *(f"{s}_functions_{p}" for s in ("cpp", "cuda") for p in ("forward", "backward")),
        "python_source",
    }
    assert report.ways >= 20
    assert len({*FORWARD, *REVERSE, *MUTATIONS}) >= 40


def test_every_mutant_is_seen_or_proved_equivalent(report):
    assert report.missed == ()
    assert report.detection == 1.0
    assert report.rows == 2
    assert report.total.judged > 80
    assert report.total.made > 100


def test_the_reference_sees_through_adjoints_alone(report):
    """And not only that one text says something else than the other."""
    assert report.symptoms["backward: compiler_wrong"] >= 10
    assert report.symptoms["verify: forward_differs"] >= 20
    assert report.symptoms["verify: twin_differs"] >= 20


def equal(row, toolchain, column, old, new):
    text = row.texts[column]
    assert old in text
    changed = text.replace(old, new, 1)
    mutant = Mutant("by hand", column, old, texts={**row.texts, column: changed})
    return equivalent(row, [mutant], toolchain)[0]


def test_only_what_is_the_same_to_the_last_bit_is_equivalent(row, toolchain):
    line = next(line for line in row.texts["cpp_forward"].splitlines() if "wp::abs(" in line)
    name = line.split(" = ")[0].strip()
    assert equal(row, toolchain, "cpp_forward", line, f"{line} {name} = wp::mul({name}, 1.0f);")
    assert not equal(row, toolchain, "cpp_forward", line, f"{line} {name} = wp::mul({name}, 1.0000001f);")
    # On the edges of branches alone.
    for column in ("cpp_forward", "cpp_backward"):
        test = re.search(r"= \(var_\w+ > var_\w+\);", row.texts[column])[0]
        assert not equal(row, toolchain, column, test, test.replace(">", ">="))
    assert not equal(row, toolchain, "cpp_backward", "wp::adj_sqrt(", "// wp::adj_sqrt(")
    # On what the launch alone leaves in memory.
    changed = "// reverse\n if (var_total.data[0] > {}) adj_x.data[0] = 7.0f;"
    assert not equal(row, toolchain, "cpp_backward", "// reverse", changed.format("1.5f"))
    assert equal(row, toolchain, "cpp_backward", "// reverse", changed.format("1e6f"))
    assert not equal(row, toolchain, "cpp_forward", line, f"{line} *(volatile int*)0 = 1;")
    assert not equal(row, toolchain, "cpp_forward", line, line.replace("wp::abs(", "no_such_name("))


def test_the_same_source_is_equivalent_and_another_tie_is_not(row, toolchain):
    def same(old, new):
        assert old in row.kernel.source
        mutant = Mutant("by hand", "python_source", old, source=row.kernel.source.replace(old, new, 1))
        return equivalent(row, [mutant], toolchain)[0]

    assert same("2.0 * y[i]", "y[i] * 2.0")
    assert not same("2.0 * y[i]", "2.0000002 * y[i]")
    assert not same("x[i] > 0.25", "x[i] >= 0.25")
    assert not same("wp.sqrt(", "wp.no_such_builtin(")


def test_a_blind_verifier_is_found_out(row, toolchain, monkeypatch):
    """What the self-test reports comes from what the verifier says."""
    monkeypatch.setattr(module, "_symptom", lambda outcome: None)
    report = selftest([row], toolchain, per_row=8)
    assert report.detection == 0.0
    assert len(report.missed) == report.total.judged == 8 - report.total.equivalent > 0


def test_rows_that_do_not_stand_are_left_out(row, toolchain, edited):
    spoiled = edited(row, "cpp_forward", r"wp::sqrt\(", "wp::sin(")
    assert selftest([spoiled], toolchain) == Report(0, {}, {}, ())


def test_mutants_are_those_of_the_seed(row):
    def mutants(seed):
        return [(m.mutation, m.line) for m in spoiled_texts(row.texts, "cpp_forward", stream("test", seed))]

    assert mutants(1) == mutants(1)
    assert mutants(1) != mutants(2)


def test_the_interval_is_that_of_wilson():
    report = Report(1, {("a", "b"): Tally(1010, 4, 990, 6)}, {}, ())
    low, high = report.interval
    assert report.detection == 0.99
    assert (round(low, 4), round(high, 4)) == (0.9817, 0.9946)
    assert Report(1, {}, {}, ()).interval[1] <= 1.0
    assert math.isclose(Report(1, {("a", "b"): Tally(10, 0, 10, 0)}, {}, ()).interval[0], 0.7225, abs_tol=1e-4)


@pytest.mark.slow
def test_fresh_rows_of_every_size_are_seen_through(toolchain):
    pipeline = Pipeline(Recipe(seed=71, count=12))
    rows = [row for index in range(12) if not isinstance(row := pipeline.row(index), Reject)]
    report = selftest(rows, toolchain, per_row=40)
    assert report.rows >= 10
    assert report.ways >= 40
    assert report.detection >= 0.99, [(miss.row_id, miss.mutant.where, miss.mutant.mutation) for miss in report.missed]
