"""Arrays that structs hold: drawn, run, differentiated and written like any other, by the path of their field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from irsmith.kernel import Argument, Direction
from irsmith.outcome import Reject
from irsmith.records import kernel_of, kernel_record
from irsmith.types import ArrayType, Domain, Field, Scalar, Struct, Vector, parse_type
from irsmith.verdict import Status

FLOAT, WHOLE = Scalar("float32"), Scalar("int32")
POINTS, LINKS = ArrayType(Vector(3, FLOAT), 1), ArrayType(WHOLE, 2)
GRID = Struct("Grid", (Field("width", FLOAT, Domain(0.5, 2.0)), Field("heights", ArrayType(FLOAT, 2))))
MODEL = Struct(
    "Model",
    (
        Field("points", POINTS),
        Field("grid", GRID),
        Field("gain", FLOAT, Domain(0.5, 2.0)),
        Field("links", LINKS),
        Field("moved", POINTS),
    ),
)
SOURCE = """
@wp.struct
class Grid:
    width: float
    heights: wp.array2d(dtype=float)


@wp.struct
class Model:
    points: wp.array(dtype=wp.vec3)
    grid: Grid
    gain: float
    links: wp.array2d[int]
    moved: wp.array(dtype=wp.vec3)


@wp.func
def neighbour(m: Model, i: int, k: int):
    return m.points[m.links[i, k]] * m.gain


@wp.func
def height(g: Grid, i: int):
    row = g.heights[i]
    return row[0] * row[1] + g.width


@wp.kernel
def k(m: Model, o: wp.array(dtype=float)):
    i = wp.tid()
    n = neighbour(m, i, 0) - neighbour(m, i, 1)
    m.moved[i] = n * height(m.grid, i)
    g = m.grid
    wp.atomic_add(o, 0, wp.dot(n, n) * g.heights[i, 1] / float(m.points.shape[0]))
"""
HELD = (
    Argument("m", MODEL, 0, Direction.IN),
    Argument("m.points", POINTS.element, 1, Direction.IN, (6,), Domain(-1.0, 1.0)),
    Argument("m.grid.heights", FLOAT, 2, Direction.IN, (6, 2), Domain(-1.0, 1.0)),
    Argument("m.links", WHOLE, 2, Direction.IN, (6, 2), Domain(0, 5)),
    Argument("m.moved", POINTS.element, 1, Direction.OUT, (6,)),
)


@pytest.fixture(scope="module")
def row(make_row):
    made = make_row(SOURCE, "inout o: float32 1 from 0 to 1", launch=(6,))
    signature = replace(made.kernel.signature, arguments=(*HELD, *made.kernel.signature.arguments))
    return replace(made, kernel=replace(made.kernel, signature=signature))


def test_types_are_read_back():
    assert [path for path, _ in MODEL.arrays] == ["points", "grid.heights", "links", "moved"]
    assert str(LINKS) == "array2d[int32]"
    assert parse_type("array1d[vec3[float32]]") == POINTS


def test_a_kernel_is_read_back(row):
    assert kernel_of(kernel_record(row.kernel)) == row.kernel


def test_a_struct_that_an_array_in_a_struct_holds_is_read_back(row):
    scene = Struct("Scene", (Field("grids", ArrayType(GRID, 1)),))
    arguments = (*row.kernel.signature.arguments, Argument("scene", scene, 0, Direction.IN))
    kernel = replace(row.kernel, signature=replace(row.kernel.signature, arguments=arguments))
    assert kernel_of(kernel_record(kernel)) == kernel


@pytest.fixture(scope="module")
def outcomes(verifier, row, edited):
    wrong_text = edited(row, "cpp_functions_forward", r"wp::mul\(", "wp::add(")
    dropped = row
    for stage in ("cpp", "cuda"):
        dropped = edited(dropped, f"{stage}_backward", r"adj_neighbour_0\([^;]*;", ";")
    return verifier.verify([row, wrong_text, dropped])


def test_it_is_proved_forward_and_backward(outcomes):
    outcome = outcomes[0]
    assert not isinstance(outcome, Reject), outcome.message
    assert outcome.verdict("forward").status is Status.PASSED
    assert (outcome.verdict("backward").status, outcome.verdict("backward").reason) == (Status.PASSED, "")
    assert outcome.verdict("cuda").reason == "same statements as the text that ran and executed on the host"


def test_what_is_wrong_is_seen(outcomes):
    assert isinstance(outcomes[1], Reject)
    assert not isinstance(outcomes[2], Reject)
    assert outcomes[2].verdict("backward").status is Status.COMPILER_WRONG
    assert "m.points" in outcomes[2].verdict("backward").reason
