"""What stands on an edge is judged: ties of exact results, and adjoints beside inputs that are all equal."""

import numpy as np
import pytest

from irsmith.outcome import Reject
from irsmith.verdict import Status
from irsmith.verify.backward import unsteadiness

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
