"""Running the texts gives what Warp itself gives, forward and backward, from C++ and from CUDA text."""

import numpy as np
import pytest

from irsmith.frontends.warp.runner import Ran

SOURCES = {
    "elementwise": (
        """
        @wp.kernel
        def k(x: wp.array(dtype=float), s: float, out: wp.array(dtype=float)):
            i = wp.tid()
            out[i] = wp.sin(x[i]) * s + wp.exp(-x[i])
        """,
        (13,),
    ),
    "helper": (
        """
        @wp.func
        def clip(v: float, top: float):
            if v > top:
                return top * 2.0
            return v * v

        @wp.kernel
        def k(x: wp.array(dtype=float), out: wp.array(dtype=float), n: int):
            i = wp.tid()
            if i >= n:
                return
            total = float(0.0)
            for j in range(20):
                total += clip(x[i], float(j) * 0.1)
            out[i] = total
        """,
        (11,),
    ),
    "struct": (
        """
        @wp.struct
        class Inner:
            flag: bool
            w: wp.float64

        @wp.struct
        class Body:
            mass: float
            velocity: wp.vec3
            inner: Inner
            kind: wp.int8

        @wp.kernel
        def k(bodies: wp.array(dtype=Body), field: Body, out: wp.array(dtype=wp.vec3), kept: wp.array(dtype=Body)):
            i = wp.tid()
            b = bodies[i]
            if b.inner.flag:
                out[i] = b.velocity * b.mass + field.velocity
            else:
                out[i] = b.velocity * float(b.inner.w)
            kept[i] = b
        """,
        (9,),
    ),
    "matrix": (
        """
        @wp.kernel
        def k(m: wp.array(dtype=wp.mat33), v: wp.array(dtype=wp.vec3), q: wp.array(dtype=wp.quat), a: wp.mat22,
              out: wp.array(dtype=wp.vec3), d: wp.array(dtype=float)):
            i = wp.tid()
            out[i] = wp.quat_rotate(wp.normalize(q[i]), m[i] * v[i])
            d[i] = wp.determinant(m[i]) + wp.determinant(a)
        """,
        (7,),
    ),
    "two dimensions": (
        """
        @wp.kernel
        def k(x: wp.array2d(dtype=float), bias: wp.array(dtype=float), out: wp.array2d(dtype=float)):
            i, j = wp.tid()
            out[i, j] = x[i, j] * bias[i] + float(i - j)
        """,
        (5, 7),
    ),
    "three dimensions": (
        """
        @wp.kernel
        def k(x: wp.array3d(dtype=wp.vec2), out: wp.array3d(dtype=float)):
            i, j, l = wp.tid()
            out[i, j, l] = wp.dot(x[i, j, l], x[i, j, l]) + float(i * 100 + j * 10 + l)
        """,
        (3, 4, 5),
    ),
    "atomics": (
        """
        @wp.kernel
        def k(x: wp.array(dtype=float), bins: wp.array(dtype=int), total: wp.array(dtype=float),
              n: wp.array(dtype=int)):
            i = wp.tid()
            b = bins[i] % 3
            wp.atomic_add(total, b, x[i] * x[i])
            wp.atomic_add(n, b, 1)
            wp.atomic_max(total, 5, x[i])
        """,
        (17,),
    ),
    "float64": (
        """
        @wp.kernel
        def k(x: wp.array(dtype=wp.float64), c: wp.float64, out: wp.array(dtype=wp.float64)):
            i = wp.tid()
            out[i] = wp.sqrt(x[i]) * c + wp.pow(x[i], wp.float64(3.0))
        """,
        (13,),
    ),
    "float16": (
        """
        @wp.kernel
        def k(x: wp.array(dtype=wp.float16), c: wp.float16, out: wp.array(dtype=wp.float16),
              w: wp.array(dtype=wp.vec3h)):
            i = wp.tid()
            out[i] = x[i] * c + w[i][0]
        """,
        (13,),
    ),
    "integers": (
        """
        @wp.kernel
        def k(a: wp.array(dtype=wp.int64), b: wp.array(dtype=wp.uint8), c: wp.int16, f: wp.array(dtype=bool),
              out: wp.array(dtype=wp.int64), small: wp.array(dtype=wp.uint8)):
            i = wp.tid()
            out[i] = a[i] * wp.int64(-7) // wp.int64(3) + wp.int64(c)
            small[i] = b[i] * wp.uint8(250)
            if f[i]:
                out[i] = wp.int64(1)
        """,
        (13,),
    ),
}


def close(actual, expected):
    if actual.dtype.names:
        for name in actual.dtype.names:
            close(actual[name], expected[name])
    elif actual.dtype.kind == "f":
        tolerance = {2: 2e-3, 4: 1e-5, 8: 1e-12}[actual.dtype.itemsize]
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("name", SOURCES)
def test_texts_run_as_warp_runs_them(name, row, runner, by_warp):
    source, shape = SOURCES[name]
    made = row(source)
    jobs = [made.job(stage, shape, stage) for stage in ("cpp", "cuda")]
    cpp, cuda = runner.run(jobs)
    assert isinstance(cpp, Ran), cpp
    assert isinstance(cuda, Ran), cuda
    forward, backward = by_warp(made, jobs[0])
    assert set(cpp.forward) == set(forward)
    assert set(cpp.backward) == set(backward)
    for argument, value in forward.items():
        close(cpp.forward[argument][0], value.reshape(cpp.forward[argument][0].shape))
    for argument, value in backward.items():
        close(cpp.backward[argument][0], value.reshape(cpp.backward[argument][0].shape))
    # The emulated grid runs threads in another order, which rounding of atomic sums shows.
    for argument in forward:
        close(cuda.forward[argument], cpp.forward[argument])
    for argument in backward:
        close(cuda.backward[argument], cpp.backward[argument])


def test_the_kernel_did_something(row, runner):
    job = row().job(sets=3)
    (ran,) = runner.run([job])
    np.testing.assert_array_equal(ran.forward["out"], job.forward["x"] ** 2 + np.float32(1))
    np.testing.assert_array_equal(ran.forward["x"], job.forward["x"])
    np.testing.assert_array_equal(ran.backward["out"], 0)
    expected = job.backward.adjoint["x"] + 2 * job.backward.primal["x"] * job.backward.adjoint["out"]
    np.testing.assert_allclose(ran.backward["x"], expected, rtol=1e-6)


@pytest.mark.parametrize("stage", ["cpp", "cuda"])
@pytest.mark.parametrize("launch", [(300,), (4, 3)])
def test_every_thread_runs_once(stage, launch, row, runner):
    """More threads than the emulated grid has, and a launch with more dimensions than the kernel asks for."""
    made = row(
        """
        @wp.kernel
        def k(count: wp.array(dtype=int)):
            i = wp.tid()
            wp.atomic_add(count, i, 1)
        """
    )
    job = made.job("count", (launch[0],), stage, launch, count=np.zeros((2, launch[0]), np.int32))
    (ran,) = runner.run([job])
    assert isinstance(ran, Ran), ran
    assert (ran.forward["count"] == np.prod(launch[1:], dtype=int)).all()


def test_a_kernel_without_a_loop_over_the_grid(row, runner):
    made = row(
        """
        @wp.kernel(grid_stride=False)
        def k(count: wp.array(dtype=int)):
            i = wp.tid()
            count[i] = count[i] + i
        """
    )
    assert "_idx +=" not in made.texts["cuda_forward"]
    cpp, cuda = runner.run([made.job(stage, (200,), stage) for stage in ("cpp", "cuda")])
    np.testing.assert_array_equal(cpp.forward["count"], cuda.forward["count"])


def test_an_array_without_gradient_gets_none(row, runner):
    job = row().job()
    del job.backward.adjoint["x"]
    (ran,) = runner.run([job])
    assert set(ran.backward) == {"out"}
