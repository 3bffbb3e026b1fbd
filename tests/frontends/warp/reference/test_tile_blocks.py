"""Builtins of tiles that solve, transform and share, against compiled Warp, whose CPU has one thread in a block."""

import numpy as np
import pytest

from irsmith.frontends.warp.reference import Reference, Unsupported

SOLVERS = """
import warp as wp

wp.set_module_options({"enable_mathdx_solver": False, "enable_mathdx_gemm": False})


@wp.kernel
def factored(a: wp.array3d[F], y: wp.array2d[F], b: wp.array3d[F], out: wp.array3d[F], x: wp.array2d[F]):
    i = wp.tid()
    m = wp.tile_load(a[i], shape=(4, 4))
    l = wp.tile_cholesky(m)
    u = wp.tile_cholesky(m, fill_mode="upper")
    wp.tile_store(out[2 * i], l)
    wp.tile_store(out[2 * i + 1], u)
    r = wp.tile_load(y[i], shape=4)
    wp.tile_store(x[i], wp.tile_cholesky_solve(l, r) + wp.tile_cholesky_solve(u, r, fill_mode="upper"))
    c = wp.tile_load(b[i], shape=(4, 2))
    wp.tile_store(out[2 * i], wp.tile_cholesky_solve(l, c), offset=(0, 4))


@wp.kernel
def in_place(a: wp.array3d[F], y: wp.array2d[F], b: wp.array3d[F], out: wp.array3d[F], x: wp.array2d[F]):
    i = wp.tid()
    m = wp.tile_load(a[i], shape=(4, 4))
    wp.tile_cholesky_inplace(m)
    r = wp.tile_load(y[i], shape=4)
    wp.tile_cholesky_solve_inplace(m, r)
    c = wp.tile_load(b[i], shape=(4, 2))
    wp.tile_lower_solve_inplace(m, c)
    wp.tile_store(out[i], m)
    wp.tile_store(out[i], c, offset=(0, 4))
    n = wp.tile_load(a[i], shape=(4, 4))
    wp.tile_cholesky_inplace(n, fill_mode="upper")
    wp.tile_upper_solve_inplace(n, r)
    wp.tile_store(x[i], r)


@wp.kernel
def triangles(a: wp.array3d[F], y: wp.array2d[F], b: wp.array3d[F], out: wp.array3d[F], x: wp.array2d[F]):
    i = wp.tid()
    m = wp.tile_load(a[i], shape=(4, 4))
    r = wp.tile_load(y[i], shape=4)
    z = wp.tile_lower_solve(m, r)
    wp.tile_store(x[i], wp.tile_upper_solve(m, z))
    c = wp.tile_load(b[i], shape=(4, 2))
    wp.tile_store(out[i], wp.tile_upper_solve(m, wp.tile_lower_solve(m, c)), offset=(0, 4))
"""

BLOCKS = """
import warp as wp

wp.set_module_options({"enable_mathdx_fft": False})
COUNT = wp.constant(12)


@wp.kernel
def spectra(z: wp.array2d[wp.vec2], w: wp.array2d[wp.vec2]):
    i = wp.tid()
    t = wp.tile_load(z, shape=(1, 256), offset=(i, 0))
    wp.tile_fft(t)
    wp.tile_store(w, t, offset=(i, 0))
    wp.tile_ifft(t)
    wp.tile_store(z, t * (1.0 / 256.0), offset=(i, 0))


@wp.kernel
def drawn(seed: int, o: wp.array2d[float], n: wp.array2d[int]):
    i = wp.tid()
    rng = wp.rand_init(seed, i)
    a = wp.tile_randf(shape=(2, 3), rng=rng)
    b = wp.tile_randf((2, 3), rng, -1.0, 2.0)
    wp.tile_store(o, a * 10.0 + b, offset=(i * 2, 0))
    k = wp.tile_randi(shape=6, rng=rng, min=-4, max=9)
    wp.tile_store(n[i], k + wp.tile_randi(6, rng))
    o[2 * i, 3] = wp.randf(rng)


@wp.kernel
def scattered(x: wp.array[float], place: wp.array[int], o: wp.array[float], p: wp.array2d[float]):
    b, lane = wp.tid()
    bins = wp.tile_zeros(shape=4, dtype=float, storage="shared")
    table = wp.tile_ones(shape=(2, 4), dtype=float, storage="shared")
    for base in range(0, COUNT, wp.block_dim()):
        i = base + lane
        k = place[i]
        wp.tile_scatter_add(bins, k % 4, x[i], k > 1)
        wp.tile_scatter_add(bins, 3, 1.0, x[i] > 0.5, atomic=False)
        wp.tile_scatter_masked(table, b % 2, k % 4, x[i] + 1.0, k < 6)
    wp.tile_store(o, bins, offset=b * 4)
    wp.tile_store(p, table, offset=(b * 2, 0))


@wp.kernel
def stacked(x: wp.array[float], place: wp.array[int], o: wp.array2d[float], n: wp.array2d[int]):
    b, lane = wp.tid()
    s = wp.tile_stack(capacity=5, dtype=float)
    for base in range(0, COUNT, wp.block_dim()):
        i = base + lane
        slot = wp.tile_stack_push(s, x[i] + float(b), place[i] > 2)
        if i < 6:
            n[b, i] = slot
    if lane == 0:
        n[b, 6] = wp.tile_stack_count(s)
    while wp.tile_stack_count(s) > 0:
        value, slot = wp.tile_stack_pop(s)
        if slot >= 0:
            o[b, slot] = value
    empty, none = wp.tile_stack_pop(s)
    again = wp.tile_stack_push(s, 2.0, True)
    wp.tile_stack_clear(s)
    n[b, 7] = none * 100 + again * 10 + wp.tile_stack_count(s)
    o[b, 5] = empty


@wp.kernel
def joined(x: wp.array[float], place: wp.array[int], o: wp.array[float]):
    i = wp.tid()
    t = wp.tile_empty(shape=(8,), dtype=float, storage="shared")
    wp.tile_assign(t, wp.tile_load(x, shape=(4,), offset=(i,)), offset=(0,))
    wp.tile_assign(t, wp.tile_load(x, shape=(4,), offset=(4,)), offset=(4,))
    wp.tile_store(o, t, offset=i * 8)
"""


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("kernel", ["factored", "in_place", "triangles"])
def test_equations(against_warp, kernel, kind):
    random = np.random.default_rng(5)
    root = random.uniform(-1.0, 1.0, (1, 6, 4, 4))
    a = root @ root.swapaxes(2, 3) + np.eye(4)
    y, b = random.uniform(-1.0, 1.0, (1, 6, 4)), random.uniform(-1.0, 1.0, (1, 6, 4, 2))
    given = {"a": a, "y": y, "b": b, "out": np.zeros((1, 12, 4, 6)), "x": np.zeros((1, 6, 4))}
    given = {name: value.astype(kind) for name, value in given.items()}
    module = against_warp(SOLVERS.replace("[F]", f"[wp.{kind}]"))
    found = module.check(kernel, given, (6,))
    if kernel == "factored":
        assert np.allclose(found["x"], 2.0 * np.linalg.solve(a, y[..., None])[..., 0], rtol=1e-3, atol=1e-4)
        lower = found["out"][0, ::2, :, :4]
        assert np.allclose(lower @ lower.swapaxes(1, 2), a[0], rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def blocks(against_warp):
    return against_warp(BLOCKS)


def test_spectra(blocks):
    z = np.random.default_rng(3).uniform(-1.0, 1.0, (1, 2, 256, 2)).astype(np.float32)
    found = blocks.check("spectra", {"z": z, "w": np.zeros_like(z)}, (2,))
    expected = np.fft.fft(z[0, ..., 0] + 1j * z[0, ..., 1])
    assert np.allclose(found["w"][0, ..., 0] + 1j * found["w"][0, ..., 1], expected, atol=1e-4)
    assert np.allclose(found["z"], z, atol=1e-5)


def test_rounding_moves_a_spectrum_as_a_whole():
    """What cancels in one component does not keep it from being as far off as the others."""
    lanes, wave = 24, np.zeros((24, 1, 256, 2), np.float32)
    wave[..., 0] = np.cos(2 * np.pi / 256 * np.arange(256)) + 0.3
    inputs = {"z": wave, "w": np.zeros_like(wave)}
    found = Reference(BLOCKS, "spectra").run(inputs, (1,), perturb=np.ones(lanes, bool), seed=1).outputs["w"]
    spread = np.ptp(found[:, 0].astype(float), axis=0)
    assert spread.min() > 128 * np.finfo(np.float32).eps


def test_draws(blocks):
    given = {"seed": np.array([7, 99], np.int32), "o": np.zeros((2, 6, 4), np.float32), "n": np.zeros((2, 3, 6))}
    given["n"] = given["n"].astype(np.int32)
    found = blocks.check("drawn", given, (3,))
    assert len(np.unique(found["n"])) > 20


def shared():
    random = np.random.default_rng(9)
    place = random.integers(0, 8, (5, 12)).astype(np.int32)
    place[0] = 7
    place[1] = 0
    return {"x": random.uniform(0.0, 1.0, (5, 12)).astype(np.float32), "place": place}


def test_scattering(blocks):
    more = {"o": np.zeros((5, 8), np.float32), "p": np.zeros((5, 4, 4), np.float32)}
    blocks.check("scattered", shared() | more, (2, 1))


def test_stacks(blocks):
    more = {"o": np.zeros((5, 2, 6), np.float32), "n": np.zeros((5, 2, 8), np.int32)}
    found = blocks.check("stacked", shared() | more, (2, 1))
    assert (found["n"][0, :, 6] == 5).all()
    assert (found["n"][1, :, 6] == 0).all()


def test_what_is_not_set_shows(blocks):
    given = shared() | {"o": np.zeros((5, 40), np.float32)}
    blocks.check("joined", given, (5,))
    half = BLOCKS.replace("    wp.tile_assign(t, wp.tile_load(x, shape=(4,), offset=(4,)), offset=(4,))\n", "")
    assert np.isnan(Reference(half, "joined").run(given, (5,)).outputs["o"]).any()


@pytest.mark.parametrize(
    ("before", "after", "construct"),
    [
        ("value, slot = wp.tile_stack_pop(s)", "t = s\n        value, slot = wp.tile_stack_pop(t)", "second name"),
        ("capacity=5", "capacity=lane", "constant"),
        ("wp.tile_stack_push(s, 2.0, True)", "wp.tile_stack_push(s, 2, True)", "int32 on a stack"),
    ],
)
def test_stacks_without_a_meaning(before, after, construct):
    assert before in BLOCKS
    with pytest.raises(Unsupported, match=construct):
        Reference(BLOCKS.replace(before, after), "stacked")
