"""Rows of what belongs to a block of threads, and of what is built before a launch."""

import pytest

from irsmith.outcome import Reject
from irsmith.types import Bvh, HashGrid, Mesh, parse_type
from irsmith.verdict import Status
from irsmith.verify.verifier import Settings, Verifier

GRID = "in grid: hash_grid[x,16] from 0.5 to 0.5"
X, H, OUT = "in x: vec3[float32] 16 from -1 to 1", "in h: float32 from 0.4 to 0.9", "out o: float32 16"


def neighbours(test):
    return f"""
    @wp.kernel
    def k(grid: wp.uint64, x: wp.array(dtype=wp.vec3), h: float, o: wp.array(dtype=float)):
        i = wp.tid()
        s = float(0.0)
        for j in wp.hash_grid_query(grid, x[i], h):
            d = wp.length(x[i] - x[j])
            if {test}:
                s += d * d
        o[i] = s + h
    """


TILES = """
    @wp.kernel
    def k(a: wp.array2d(dtype=float), o: wp.array(dtype=float)):
        i = wp.tid()
        t = wp.tile_load(a[i], shape=8)
        wp.tile_store(o, wp.tile_sum(t * t), offset=i)
    """
THREADS = """
    @wp.kernel
    def k(a: wp.array(dtype=float), o: wp.array(dtype=float)):
        i = wp.tid()
        wp.tile_atomic_add(o, wp.tile_sum(wp.tile(a[i] * a[i])))
    """


@pytest.mark.parametrize("handle", [HashGrid("x", 16), Mesh(3, 5), Bvh(24, 2)], ids=str)
def test_a_handle_is_read_back(handle):
    assert parse_type(str(handle)) == handle


MESH = "in mesh: mesh[2,4] from 0.6 to 1.2"
BOXES = "in boxes: bvh[16,1] from -1 to 1"


def distances(query):
    return f"""
    @wp.kernel
    def k(mesh: wp.uint64, x: wp.array(dtype=wp.vec3), h: float, o: wp.array(dtype=float)):
        i = wp.tid()
        query = wp.{query}(mesh, x[i], h)
        if query.result:
            o[i] = wp.length(x[i] - wp.mesh_eval_position(mesh, query.face, query.u, query.v))
        else:
            o[i] = -h
    """


RAYS = """
    @wp.kernel
    def k(mesh: wp.uint64, x: wp.array(dtype=wp.vec3), h: float, o: wp.array(dtype=float)):
        i = wp.tid()
        query = wp.mesh_query_ray(mesh, x[i], wp.vec3(h, 0.3, -0.2), 10.0)
        if query.result:
            o[i] = query.t * query.normal[0] + query.u
        else:
            o[i] = -1.0
    """
OVERLAPS = """
    @wp.kernel
    def k(boxes: wp.uint64, x: wp.array(dtype=wp.vec3), h: float, o: wp.array(dtype=float)):
        i = wp.tid()
        query = wp.bvh_query_sphere(boxes, x[i], h)
        total = float(0.0)
        j = int(0)
        while wp.bvh_query_next(query, j):
            total += x[j][0]
        o[i] = total
    """
H_FAR = "in h: float32 from 1.0 to 1.6"


@pytest.mark.parametrize(
    ("body", "arguments", "launch"),
    [
        (neighbours("d < h"), (GRID, X, H, OUT), (16,)),
        (distances("mesh_query_point_no_sign"), (MESH, X, H, OUT), (16,)),
        (RAYS, (MESH, X, H, OUT), (16,)),
        (OVERLAPS, (BOXES, X, H, OUT), (16,)),
        (TILES, ("in a: float32 6x8 from -1 to 1", "out o: float32 6"), (6,)),
        (THREADS, ("in a: float32 32 from -1 to 1", "inout o: float32 1 from 0 to 1"), (32,)),
    ],
    ids=["neighbours", "distances", "rays", "overlaps", "tiles", "threads"],
)
def test_what_is_right_is_proved(make_row, verifier, body, arguments, launch):
    [outcome] = verifier.verify([make_row(body, *arguments, launch=launch)])
    assert not isinstance(outcome, Reject), outcome
    verdicts = {verdict.check: verdict for verdict in outcome.verdicts}
    assert {verdicts[check].status for check in ("forward", "backward", "cuda")} == {Status.PASSED}


def test_candidates_that_are_too_far_must_not_count(make_row, verifier):
    [outcome] = verifier.verify([make_row(neighbours("d < h + 1.0"), GRID, X, H, OUT, launch=(16,))])
    assert isinstance(outcome, Reject)
    assert outcome.symptom == "forward_differs"


def test_the_furthest_point_has_the_adjoint_of_the_closest(make_row, verifier):
    body = distances("mesh_query_furthest_point_no_sign")
    [outcome] = verifier.verify([make_row(body, MESH, X, H_FAR, OUT, launch=(16,))])
    assert outcome.verdict("forward").status is Status.PASSED
    assert outcome.verdict("backward").status is Status.COMPILER_WRONG


@pytest.mark.parametrize(("body", "fixed"), [(RAYS, "0.3"), (distances("mesh_query_point_no_sign"), "query.u")])
def test_a_spoiled_search_is_seen(make_row, verifier, edited, body, fixed):
    row = make_row(body, MESH, X, H, OUT, launch=(16,))
    spoiled = edited(row, "python_source", fixed.replace(".", r"\."), {"0.3": "0.4", "query.u": "query.v"}[fixed])
    [outcome] = verifier.verify([spoiled])
    assert isinstance(outcome, Reject)
    assert outcome.symptom == "forward_differs"


@pytest.mark.parametrize(
    ("body", "arguments", "launch", "why"),
    [
        (RAYS, (MESH, X, H, OUT), (16,), "built in the host's memory"),
        (neighbours("d < h"), (GRID, X, H, OUT), (16,), "built in the host's memory"),
        (TILES, ("in a: float32 6x8 from -1 to 1", "out o: float32 6"), (6,), "launched by the block"),
    ],
    ids=["rays", "neighbours", "tiles"],
)
def test_what_only_the_host_can_launch_is_not_tried_on_a_device(make_row, toolchain, body, arguments, launch, why):
    verifier = Verifier(toolchain, settings=Settings(device=True))
    [outcome] = verifier.verify([make_row(body, *arguments, launch=launch)])
    verdict = outcome.verdict("cuda_device")
    assert verdict.status is Status.NOT_APPLICABLE
    assert why in verdict.reason
