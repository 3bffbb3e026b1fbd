"""Gradients that a kernel's author wrote: right ones pass, wrong ones are told, and whose fault they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from irsmith.kernel import Provenance
from irsmith.outcome import Reject
from irsmith.verdict import Status

SOURCE = """
@wp.func
def soft_length(v: wp.vec3, k: float):
    return k * wp.sqrt(wp.dot(v, v) + 0.1)


@wp.func_grad(soft_length)
def adj_soft_length(v: wp.vec3, k: float, adj_ret: float):
    size = wp.sqrt(wp.dot(v, v) + 0.1)
    wp.adjoint[v] += v * (k * adj_ret / size)
    if k > 1.0:
        wp.adjoint[k] += size * adj_ret
    else:
        wp.adjoint[k] += adj_ret * size


@wp.kernel
def k(v: wp.array(dtype=wp.vec3), k: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    o[i] = soft_length(v[i], k[i])
"""
WRONG = SOURCE.replace("k * adj_ret / size", "k * adj_ret * size")
ARGUMENTS = ("in v: vec3[float32] 24 from -1 to 1", "in k: float32 24 from 0.5 to 2", "out o: float32 24")


@pytest.fixture(scope="module")
def outcomes(verifier, make_row):
    rows = [make_row(source, *ARGUMENTS) for source in (SOURCE, WRONG, WRONG)]
    by_a_person = replace(rows[2].kernel, provenance=Provenance("k.py"))
    return verifier.verify([rows[0], rows[1], replace(rows[2], kernel=by_a_person)])


def backward(outcome):
    assert not isinstance(outcome, Reject), outcome.message
    assert outcome.verdict("forward").status is Status.PASSED
    verdict = outcome.verdict("backward")
    return verdict.status, verdict.reason


def test_the_derivative_passes_and_its_statements_are_not_dead(outcomes):
    assert backward(outcomes[0]) == (Status.PASSED, "")


def test_what_is_not_the_derivative_is_told(outcomes):
    assert backward(outcomes[1]) == (Status.COMPILER_WRONG, "the adjoint of v is not the derivative")


def test_a_person_may_mean_something_else_by_it(outcomes):
    said = "its author wrote a gradient that is not the derivative"
    assert backward(outcomes[2]) == (Status.NOT_APPLICABLE, said)
