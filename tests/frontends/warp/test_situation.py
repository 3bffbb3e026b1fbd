"""Kernels that people wrote: inputs are found on which they are defined, and what is not run says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("warp")

from irsmith.frontends.warp import FRONTEND
from irsmith.frontends.warp.situation import situated
from irsmith.kernel import Argument, Direction, Kernel, Provenance, Signature
from irsmith.pipeline import Pipeline
from irsmith.real import Real
from irsmith.recipe import Recipe
from irsmith.types import FLOAT32, INT32, UINT64, Opaque, Vector
from irsmith.verdict import Status
from irsmith.verify import Verifier
from irsmith.verify.case import CANDIDATES
from irsmith.verify.evidence import ALONE, gather
from irsmith.verify.inputs import NOTHING_FOUND

FLOATS, INDICES = (Argument(name, type, 1, Direction.IN) for name, type in (("x", FLOAT32), ("at", INT32)))
OUT = Argument("out", FLOAT32, 1, Direction.OUT)


def kernel(body, *arguments):
    spelled = {FLOAT32: "float", INT32: "int"}
    stated = ", ".join(f"{a.name}: wp.array(dtype={spelled.get(a.type, 'float')})" for a in arguments)
    lines = "\n    ".join(body)
    source = f"import warp as wp\n\n\n@wp.kernel\ndef k({stated}):\n    {lines}\n"
    return Kernel("k", "real", "", source, Signature(arguments), Provenance("k.py"))


def shapes(found):
    return {a.name: a.shape for a in found.signature.arguments}


def evidence(found):
    with FRONTEND.prover() as toolchain:
        return gather(found, toolchain)


def test_arrays_grow_to_what_is_asked_of_them():
    found = situated(kernel(["i = wp.tid()", "out[i] = x[3 * i + 2]"], FLOATS, OUT))
    assert found.signature.launch == (8,)
    assert shapes(found) == {"x": (24,), "out": (8,)}


def test_indices_stay_within_what_they_index():
    found = situated(kernel(["i = wp.tid()", "out[i] = x[at[i]]"], FLOATS, INDICES, OUT))
    known = evidence(found)
    assert known.unknown is None
    assert known.inputs.sets(["even"] * 8, "x")["at"].max() < shapes(found)["x"][0]


def test_indices_that_say_who_writes_are_drawn_apart():
    found = situated(kernel(["i = wp.tid()", "out[at[i]] = x[i]"], FLOATS, INDICES, OUT))
    known = evidence(found)
    assert known.unknown is None
    written = known.inputs.sets(["even"] * 8, "x")["at"]
    assert all(len(set(places)) == len(places) for places in written)


def test_threads_that_race_whatever_they_are_given_run_one_alone():
    found = situated(kernel(["i = wp.tid()", "out[0] = x[i]"], FLOATS, OUT))
    known = evidence(found)
    assert found.signature.launch == (1,)
    assert (known.unknown, known.told) == (None, ALONE)


def test_a_race_that_no_input_ends_is_told():
    found = situated(kernel(["i = wp.tid()", "out[0] = x[i]"], FLOATS, OUT))
    known = evidence(replace(found, signature=replace(found.signature, launch=(8,))))
    assert known.unknown == "what it writes depends on the order in which threads run"


def test_no_mesh_is_searched_within_a_negative_distance():
    text = """
import warp as wp


@wp.kernel
def k(mesh: wp.uint64, x: wp.array(dtype=wp.vec3), radius: float, out: wp.array(dtype=float)):
    i = wp.tid()
    out[i] = float(wp.mesh_query_point_sign_normal(mesh, x[i], radius).result) + 1.0
"""
    types = (("mesh", UINT64, 0), ("x", Vector(3, FLOAT32), 1), ("radius", FLOAT32, 0), ("out", FLOAT32, 1))
    signature = Signature(tuple(Argument(name, type, rank, Direction.IN) for name, type, rank in types))
    known = evidence(situated(Kernel("k", "real", "", text.lstrip(), signature, Provenance("k.py"))))
    assert known.unknown is None
    assert known.explored.sets()["radius"].min() >= 0


def test_points_of_a_grid_are_all_seen():
    text = """
import warp as wp


@wp.kernel
def k(grid: wp.uint64, x: wp.array(dtype=wp.vec3), out: wp.array(dtype=wp.vec3)):
    i = wp.hash_grid_point_id(grid, wp.tid())
    out[i] = x[i]
"""
    types = (("grid", UINT64, 0), ("x", Vector(3, FLOAT32), 1), ("out", Vector(3, FLOAT32), 1))
    signature = Signature(tuple(Argument(name, type, rank, Direction.IN) for name, type, rank in types))
    found = situated(Kernel("k", "real", "", text.lstrip(), signature, Provenance("k.py")))
    assert shapes(found) == {"grid": (), "x": (12,), "out": (12,)}
    assert found.signature.launch == (12,)


def test_what_a_grid_gives_beyond_its_radius_is_open():
    text = """
import warp as wp


@wp.kernel(enable_backward=False)
def k(grid: wp.uint64, x: wp.array(dtype=wp.vec3), at: wp.array(dtype=wp.vec3), out: wp.array(dtype=float)):
    i = wp.tid()
    count = float(0.0)
    for index in wp.hash_grid_query(grid, 8.0 * at[i], 0.1):
        count += wp.length(x[index]) + 1.0
    out[i] = count
"""
    types = (("grid", UINT64, 0), ("x", Vector(3, FLOAT32), 1), ("at", Vector(3, FLOAT32), 1), ("out", FLOAT32, 1))
    signature = Signature(tuple(Argument(name, type, rank, Direction.IN) for name, type, rank in types))
    row = Pipeline(Recipe(stages=("cpp",), real=Real("given"))).lowered(
        Kernel("k", "real", "", text.lstrip(), signature, Provenance("k.py")), 0, "k", None
    )
    with FRONTEND.prover() as toolchain:
        [found] = Verifier(toolchain).verify([row])
    verdict = found.verdict("forward")
    assert (verdict.status, verdict.reason) == (Status.COMPILED, CANDIDATES)


def test_lanes_that_never_end_cost_little():
    body = ["i = wp.tid()", "while i < x.shape[0]:", "    out[i] = x[i]", "    i += at[0]"]
    known = evidence(situated(kernel(body, FLOATS, INDICES, OUT)))
    assert known.unknown is None
    assert known.explored.sets()["at"][:, 0].min() > 0


def test_numbers_that_are_not_finite_are_drawn_around():
    found = situated(kernel(["i = wp.tid()", "out[i] = wp.sqrt(x[i])"], FLOATS, OUT))
    assert found.signature.arguments[0].domain.low > 0
    assert evidence(found).unknown is None


def test_what_is_written_is_no_input():
    body = ["i = wp.tid()", "v = x[i]", "x[i] = v + 1.0"]
    [argument] = situated(kernel(body, FLOATS)).signature.arguments
    assert argument.direction is Direction.INOUT


@pytest.mark.parametrize(
    ("body", "arguments", "reason"),
    [
        (["i = wp.tid()", "if x[i] > 1.0e9:", "    out[i] = x[i]"], (FLOATS, OUT), NOTHING_FOUND),
        (["i = wp.tid()", "out[i] = x[i - 100]"], (FLOATS, OUT), NOTHING_FOUND),
        (["i = wp.tid()", "out[i] = wp.address_of(x[i])"], (FLOATS, OUT), "the reference does not know"),
    ],
)
def test_what_cannot_be_run_says_why(body, arguments, reason):
    assert evidence(situated(kernel(body, *arguments))).unknown.startswith(reason)


def test_what_has_no_values_is_named():
    mesh = Argument("mesh", Opaque("Texture3D"), 0, Direction.IN)
    given = kernel(["i = wp.tid()", "out[i] = x[i]"], FLOATS, OUT)
    source = given.source.replace("(x:", "(mesh: wp.uint64, x:")
    signature = Signature((mesh, *given.signature.arguments))
    found = situated(Kernel("k", "real", "", source, signature, given.provenance))
    assert found.signature == signature
    assert evidence(found).unknown == "no values can be made for mesh, which is Texture3D"
