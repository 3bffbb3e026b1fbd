"""Matrices taken apart, against compiled Warp: the factors themselves, and what they are the factors of."""

import numpy as np
import pytest

from irsmith.frontends.warp.reference import Reference

TEXT = """
import warp as wp


@wp.kernel
def svd3_K(a: wp.array[wp.mat33K], u: wp.array[wp.mat33K], s: wp.array[wp.vec3K], v: wp.array[wp.mat33K]):
    i = wp.tid()
    left, sigma, right = wp.svd3(a[i])
    u[i] = left
    s[i] = sigma
    v[i] = right


@wp.kernel
def svd2_K(b: wp.array[wp.mat22K], u: wp.array[wp.mat22K], s: wp.array[wp.vec2K], v: wp.array[wp.mat22K]):
    i = wp.tid()
    left, sigma, right = wp.svd2(b[i])
    u[i] = left
    s[i] = sigma
    v[i] = right


@wp.kernel
def qr3_K(a: wp.array[wp.mat33K], q: wp.array[wp.mat33K], r: wp.array[wp.mat33K]):
    i = wp.tid()
    turn, upper = wp.qr3(a[i])
    q[i] = turn
    r[i] = upper


@wp.kernel
def eig3_K(a: wp.array[wp.mat33K], q: wp.array[wp.mat33K], d: wp.array[wp.vec3K]):
    i = wp.tid()
    vectors, values = wp.eig3((a[i] + wp.transpose(a[i])) * wp.KIND(0.5))
    q[i] = vectors
    d[i] = values
"""
COUNT = 200


def matrices(size, dtype):
    """At random, a few of them with values that tie, with a mirror, or with one that is nearly lost."""
    random = np.random.default_rng(size)
    made = random.uniform(-2.0, 2.0, (COUNT, size, size))
    made[0] = np.eye(size)
    made[1] = np.diag(np.arange(size) + 1.0)
    made[2, 0] *= -1.0
    made[3] = np.full((size, size), 0.5) + np.eye(size)
    made[4, :, 0] *= 1e-3
    return made[None].astype(dtype)


def product(*factors):
    result = factors[0]
    for factor in factors[1:]:
        result = result @ factor
    return result


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_factors(against_warp, kind):
    suffix = {"float32": "f", "float64": "d"}[kind]
    module = against_warp(TEXT.replace("KIND", kind).replace("K", suffix))
    close = 1e-3 if kind == "float32" else 1e-9
    for size in (2, 3):
        given = matrices(size, kind)
        m, v, held = np.zeros_like(given), np.zeros((1, COUNT, size), kind), "a" if size == 3 else "b"
        found = module.check(f"svd{size}_{suffix}", {held: given, "u": m, "s": v, "v": m.copy()}, (COUNT,))
        u, s, v = (found[name][0] for name in "usv")
        assert np.allclose(u * s[:, None, :] @ v.swapaxes(1, 2), given[0], atol=close)
        assert (np.diff(np.abs(s), axis=1) <= close).all()
    given, m, v = matrices(3, kind), np.zeros((1, COUNT, 3, 3), kind), np.zeros((1, COUNT, 3), kind)
    found = module.check(f"qr3_{suffix}", {"a": given, "q": m, "r": m.copy()}, (COUNT,))
    q, r = found["q"][0], found["r"][0]
    assert np.allclose(q @ r, given[0], atol=close)
    assert np.allclose(np.linalg.det(q), 1.0, atol=close)
    assert (r[:, 0, 0] >= 0).all()
    assert (r[:, 1, 1] >= -close).all()
    assert np.allclose(np.tril(r, -1), 0.0, atol=close)
    found = module.check(f"eig3_{suffix}", {"a": given, "q": m, "d": v}, (COUNT,))
    q, d, even = found["q"][0], found["d"][0], 0.5 * (given[0] + given[0].swapaxes(1, 2))
    assert np.allclose(q * d[:, None, :] @ q.swapaxes(1, 2), even, atol=close)


def test_a_turn_alone_has_factors_that_warp_misses(against_warp):
    """Warp 1.19.0 takes every matrix that stretches all directions alike for a multiple of the identity."""
    module = against_warp(TEXT.replace("KIND", "float32").replace("K", "f"))
    turn = np.array([[[[0.0, -2.0], [2.0, 0.0]]]], np.float32)
    m, v = np.zeros_like(turn), np.zeros((1, 1, 2), np.float32)
    _, actual, expected = module.ratio("svd2_f", {"b": turn, "u": m, "s": v, "v": m.copy()}, (1,))
    made = [found["u"][0] * found["s"][0][:, None, :] @ found["v"][0].swapaxes(1, 2) for found in (actual, expected)]
    assert np.allclose(made[0], 2.0 * np.eye(2))
    assert np.allclose(made[1], turn[0])


def test_rounding_moves_factors_as_a_whole_and_not_entry_by_entry():
    """However near zero an entry of their product is by chance."""
    lanes, text = 24, TEXT.replace("KIND", "float32").replace("K", "f")
    given = np.tile(np.array([[1.0, 0.0, 0.2], [0.0, 1.2, 0.0], [0.0, 0.0, 1.0]], np.float32), (lanes, 1, 1, 1))
    m, v = np.zeros((lanes, 1, 3, 3), np.float32), np.zeros((lanes, 1, 3), np.float32)
    run = Reference(text, "svd3_f").run(
        {"a": given, "u": m, "s": v, "v": m.copy()}, (1,), perturb=np.ones(lanes, bool), seed=1
    )
    u, s, v = (run.outputs[name][:, 0].astype(np.float64) for name in "usv")
    assert (np.ptp(u * s[:, None, :] @ v.swapaxes(1, 2), axis=0) > 2e-7).all()
