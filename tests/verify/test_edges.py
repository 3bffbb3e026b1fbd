"""What stands on an edge is judged: ties of exact results, and adjoints beside inputs that are all equal."""

from dataclasses import replace

import numpy as np
import pytest

from irsmith.kernel import Provenance
from irsmith.outcome import Reject
from irsmith.verdict import Status
from irsmith.verify import backward
from irsmith.verify.backward import unsteadiness
from irsmith.verify.derivative import unit_roundoff
from irsmith.verify.verifier import WIDER

EXACT_TIE = """
@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    if wp.sqrt(wp.abs(2.0 * x[i] - wp.pow(x[i], 2.0))) < 1.0:
        o[i] = y[i]
    else:
        o[i] = x[i] * 3.0
"""
"""At an x of 1 everything is exact on every machine, and so is the tie."""


@pytest.fixture(scope="module")
def outcomes(verifier, make_row, edited):
    x, y, out = "in x: float32 24 from 0 to 2", "in y: float32 24 from 0.5 to 2", "out o: float32 24"
    tie = make_row(EXACT_TIE, x, y, out)
    return verifier.verify([tie, edited(tie, "cpp_forward", r"(\w+) < (\w+)\)", r"\1 <= \2)")])


def test_an_exact_tie_stays_a_tie(outcomes):
    right, moved = outcomes
    assert right.verdict("forward").status is Status.PASSED
    assert isinstance(moved, Reject)
    assert moved.reason == "verify: forward_differs"


def test_inputs_on_every_edge_do_not_excuse_an_adjoint_elsewhere():
    # Three points, one weighting, one direction: between edges, on every edge at once, on one by design.
    own = np.array([1e-7, 1e5, 3.0]).reshape(3, 1, 1)
    sizes = np.ones((3, 1, 1))
    between = np.array([True, True, False])
    valid = np.array([True, False, True]).reshape(3, 1, 1)
    assert unsteadiness(own, sizes, between, valid)[[0, 2], 0, 0].tolist() == [1e-7, 1e-7]
    # Where nothing is known, each point has its own.
    assert (unsteadiness(own, sizes, between, np.zeros_like(valid)) == own).all()


def test_an_adjoint_that_is_hardly_off_is_not_called_wrong(verifier, make_row, monkeypatch):
    source = """
@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    o[i] = wp.frac(x[i]) * y[i]
"""
    row = make_row(source, "in x: float32 24 from -1 to 1", "in y: float32 24 from 0.5 to 2", "out o: float32 24")
    (outcome,) = verifier.verify([row])
    assert outcome.verdict("backward").status is Status.COMPILER_WRONG
    # As if every tolerance were next to the error.
    monkeypatch.setattr(backward, "CLEAR", 1e30)
    (outcome,) = verifier.verify([row])
    verdict = outcome.verdict("backward")
    assert verdict.status is Status.NOT_APPLICABLE
    assert verdict.reason == "it is off by so little that rounding may be the cause"


SOFTMAX = """
@wp.kernel
def k(x: wp.array2d(dtype=float), o: wp.array2d(dtype=float)):
    i, j = wp.tid()
    m = wp.max(wp.max(x[i, 0], x[i, 1]), x[i, 2])
    total = wp.exp(x[i, 0] - m) + wp.exp(x[i, 1] - m) + wp.exp(x[i, 2] - m)
    o[i, j] = wp.exp(x[i, j] - m) / total
"""
"""Its maximum cancels out, but for values that overflow without it."""


@pytest.mark.parametrize(
    ("column", "pattern", "new"),
    [
        ("cpp_forward", r"wp::max\(", "wp::min("),
        ("python_source", r"wp\.max\(x", "wp.min(x"),
    ],
)
def test_what_matters_beyond_the_domain_alone_is_seen(verifier, make_row, edited, column, pattern, new):
    row = make_row(SOFTMAX, "in x: float32 16x3 from -3 to 3", "out o: float32 16x3", launch=(16, 3))
    right, wrong = verifier.verify([row, edited(row, column, pattern, new)])
    assert not isinstance(right, Reject), right
    assert right.verdict("forward").status is Status.PASSED
    assert right.verdict("backward").status is Status.PASSED
    assert isinstance(wrong, Reject)
    assert wrong.reason == "verify: forward_differs"


def test_an_adjoint_that_computes_something_else_again_is_wrong_whatever_it_moves(verifier, make_row, edited):
    row = make_row(SOFTMAX, "in x: float32 16x3 from -3 to 3", "out o: float32 16x3", launch=(16, 3))
    for column in ("cpp_backward", "cuda_backward"):
        row = edited(row, column, r"wp::max\(", "wp::min(")
    (outcome,) = verifier.verify([row])
    assert outcome.verdict("forward").status is Status.PASSED
    assert outcome.verdict("backward").status is Status.COMPILER_WRONG
    assert outcome.verdict("backward").reason == "the adjoint replays something else than the forward"


@pytest.mark.parametrize(
    ("value", "reason"), [("(b[i] + a[i]) - a[i]", "verify: ignored_input"), ("b[i] + a[i]", None)]
)
def test_an_input_that_cancels_out_is_ignored(verifier, make_row, value, reason):
    source = f"""
@wp.kernel
def k(a: wp.array(dtype=float), b: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    o[i] = {value}
"""
    domain = "float32 24 from 0.5 to 2"
    (outcome,) = verifier.verify([make_row(source, f"in a: {domain}", f"in b: {domain}", "out o: float32 24")])
    assert getattr(outcome, "reason", None) == reason


@pytest.mark.parametrize(("factor", "coarse"), [("wp.float64(wp.randn(state))", True), ("wp.float64(state)", False)])
def test_a_random_number_is_of_single_precision_whatever_it_is_used_with(make_kernel, factor, coarse):
    kernel = make_kernel(
        f"""
@wp.kernel
def k(x: wp.array(dtype=wp.float64), o: wp.array(dtype=wp.float64)):
    i = wp.tid()
    state = wp.rand_init(7, i)
    o[i] = x[i] * {factor}
""",
        "in x: float64 8 from -1 to 1",
        "out o: float64 8",
    )
    assert unit_roundoff(kernel) == float(np.finfo(np.float32 if coarse else np.float64).eps)


HALF = """
@wp.func
def shaped(v: wp.float16) -> wp.float16:
    return wp.float16(3.0) + v

@wp.kernel
def k(x: wp.array(dtype=wp.vec2h), y: wp.array(dtype=wp.float16), o: wp.array(dtype=wp.float16)):
    i = wp.tid()
    wp.atomic_add(o, i % 2, shaped(y[i]) * wp.length(x[i]))
"""
"""Sums of half precision, in which a few parts in a hundred are lost."""


def test_what_half_precision_hides_is_seen_in_single(verifier, make_row, edited):
    x, y = "in x: vec2[float16] 24 from 0.5 to 2", "in y: float16 24 from 0.5 to 2"
    wrong = row = make_row(HALF, x, y, "inout o: float16 2 from 0 to 0")
    for stage in ("cpp", "cuda"):
        wrong = edited(wrong, f"{stage}_functions_forward", r"var_0 = 3\.0", "var_0 = 3.02")
    right, found = verifier.verify([row, wrong])
    assert right.verdict("forward").status is Status.PASSED
    assert right.verdict("backward").status is Status.PASSED
    assert isinstance(found, Reject)
    assert found.reason == "verify: forward_differs"
    assert WIDER in found.message


BLOCK = """
@wp.kernel
def k(x: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    wp.tile_atomic_add(o, wp.tile_sum(wp.tile(x[i] * 2.0)))
"""
"""Its CUDA text holds an element for each thread of a block, which the host does not run."""


def test_a_text_that_cannot_run_has_to_say_the_same(verifier, make_row, edited):
    row = make_row(BLOCK, "in x: float32 24 from 0.5 to 2", "inout o: float32 1 from 0 to 1")
    wrong = edited(row, "cuda_forward", r"wp::mul\(", "wp::add(")
    by_a_person = replace(wrong, kernel=replace(wrong.kernel, provenance=Provenance("k.py")))
    right, found, theirs = verifier.verify([row, wrong, by_a_person])
    assert right.verdict("cuda").status is Status.PASSED
    assert isinstance(found, Reject)
    assert found.reason == "verify: twin_differs"
    assert theirs.verdict("cuda").status is Status.NOT_APPLICABLE
