"""Rows of what belongs to a block of threads, and of what is built of points before a launch."""

import pytest

from irsmith.outcome import Reject
from irsmith.types import Handle, parse_type
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


def test_a_handle_is_read_back():
    handle = Handle("hash_grid", "x", 16)
    assert parse_type(str(handle)) == handle


@pytest.mark.parametrize(
    ("body", "arguments", "launch"),
    [
        (neighbours("d < h"), (GRID, X, H, OUT), (16,)),
        (TILES, ("in a: float32 6x8 from -1 to 1", "out o: float32 6"), (6,)),
        (THREADS, ("in a: float32 32 from -1 to 1", "inout o: float32 1 from 0 to 1"), (32,)),
    ],
    ids=["neighbours", "tiles", "threads"],
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


@pytest.mark.parametrize(
    ("body", "arguments", "launch", "why"),
    [
        (neighbours("d < h"), (GRID, X, H, OUT), (16,), "built in the host's memory"),
        (TILES, ("in a: float32 6x8 from -1 to 1", "out o: float32 6"), (6,), "launched by the block"),
    ],
    ids=["neighbours", "tiles"],
)
def test_what_only_the_host_can_launch_is_not_tried_on_a_device(make_row, toolchain, body, arguments, launch, why):
    verifier = Verifier(toolchain, settings=Settings(device=True))
    [outcome] = verifier.verify([make_row(body, *arguments, launch=launch)])
    verdict = outcome.verdict("cuda_device")
    assert verdict.status is Status.NOT_APPLICABLE
    assert why in verdict.reason
