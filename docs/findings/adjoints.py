"""Kernels whose adjoint Warp gets wrong, beside the derivative of the same kernel by central differences.

    python docs/findings/adjoints.py [NAME …]

Needs nothing but warp-lang and NumPy. Prints both gradients of each kernel and exits with 1 when one that is
listed here as wrong has become right, or the control is wrong.
"""

from __future__ import annotations

import sys

import numpy as np
import warp as wp

wp.config.log_level = wp.LOG_ERROR

COLUMNS = 4
X = np.array([[0.7, 1.3, 0.9, 1.1]], dtype=np.float32)
STEP = 1e-2
TETRAHEDRON = wp.Mesh(
    wp.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=wp.vec3, device="cpu"),
    wp.array([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], dtype=int, device="cpu"),
)


@wp.kernel
def unrolled_product(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The control: a static loop of at most 16 rounds is unrolled, and its adjoint is right."""
    i = wp.tid()
    p = float(1.0)
    for j in range(4):
        p = p * x[i, j]
    y[i] = p


@wp.kernel
def dynamic_product(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A product in a dynamic loop: the adjoint needs the partial products, and sees the last one."""
    i = wp.tid()
    p = float(1.0)
    for j in range(n):
        p = p * x[i, j]
    y[i] = p


@wp.kernel
def recurrence(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A state that each round maps to the next."""
    i = wp.tid()
    s = float(0.5)
    for j in range(n):
        s = wp.sin(s) + x[i, j]
    y[i] = s


@wp.kernel
def horner(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """Horner's rule."""
    i = wp.tid()
    s = float(0.0)
    for j in range(n):
        s = s * x[i, 0] + x[i, j]
    y[i] = s


@wp.kernel
def long_static_product(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A static loop of more than 16 rounds is not unrolled either."""
    i = wp.tid()
    p = float(1.0)
    for j in range(17):
        p = p * x[i, j % 4]
    y[i] = p


@wp.kernel
def nested_sum(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """An inner sum that the outer loop uses: its value is gone when the adjoint asks for it."""
    i = wp.tid()
    s = float(0.0)
    for j in range(n):
        t = float(0.0)
        for k in range(n):
            t += x[i, k] * x[i, j]
        s += t * t
    y[i] = s


@wp.kernel
def counted_while(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A while loop with a counter: the adjoint runs it once more from where the counter ended."""
    i = wp.tid()
    s = float(0.0)
    j = int(0)
    while j < n:
        s += x[i, j] * x[i, j]
        j += 1
    y[i] = s


@wp.kernel
def halving_while(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A while loop that changes what it tests."""
    i = wp.tid()
    s = x[i, 0]
    while s > 0.5:
        s = s * 0.5
    y[i] = s * x[i, 1]


@wp.kernel
def break_in_sum(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A loop that is left early: the adjoint leaves its reversed loop at another round."""
    i = wp.tid()
    s = float(0.0)
    for j in range(n):
        if j == 2:
            break
        s += x[i, j] * x[i, j]
    y[i] = s


@wp.kernel
def array_in_place(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """An element that is multiplied in place: the adjoint reads the new value for the old."""
    i = wp.tid()
    y[i] = y[i] * x[i, 0]


@wp.kernel
def component_in_place(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A vector component that is assigned again."""
    i = wp.tid()
    v = wp.vec2(x[i, 0], x[i, 1])
    v[0] = v[0] * v[1]
    y[i] = v[0]


@wp.kernel
def while_reaches_beyond(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The loop ends before the last element; the round too many adds to that element's gradient all the same."""
    i = wp.tid()
    s = float(0.0)
    j = int(0)
    while j < n - 1:
        s += x[i, j] * x[i, j]
        j += 1
    y[i] = s


@wp.kernel
def remainder(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The derivative of ``a % b`` with respect to ``b`` is minus the whole part of ``a / b``; Warp leaves it out."""
    i = wp.tid()
    y[i] = (5.0 * x[i, 1]) % x[i, 0]


@wp.kernel
def fraction(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The derivative of the fractional part is 1; Warp leaves it out."""
    i = wp.tid()
    y[i] = wp.frac(x[i, 0])


@wp.kernel
def furthest_point(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The furthest point of a mesh is a corner, which stays where it is; Warp moves it as if it were the closest."""
    i = wp.tid()
    mesh = wp.static(wp.uint64(TETRAHEDRON.id))
    p = wp.vec3(0.3 * x[i, 0], -0.4 * x[i, 1], 0.2 * x[i, 2])
    query = wp.mesh_query_furthest_point_no_sign(mesh, p, 0.0)
    y[i] = wp.length(p - wp.mesh_eval_position(mesh, query.face, query.u, query.v))


@wp.kernel
def part_of_transform(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """A transform's translation that is replaced: the old one keeps its gradient."""
    i = wp.tid()
    t = wp.transform(wp.vec3(x[i, 0], x[i, 1], x[i, 2]), wp.quat_identity())
    wp.transform_set_translation(t, wp.vec3(x[i, 3], 1.0, 2.0))
    y[i] = wp.length_sq(wp.transform_get_translation(t))


@wp.kernel
def tile_extreme(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The greatest element of a tile."""
    i = wp.tid()
    t = wp.tile_load(x[i], shape=4)
    wp.tile_store(y, wp.tile_max(t), offset=i)


@wp.kernel
def tile_running_sum(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The running sums of a tile."""
    i = wp.tid()
    t = wp.tile_scan_inclusive(wp.tile_load(x[i], shape=4))
    y[i] = t[2]


@wp.kernel
def tile_in_order(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The second smallest element of a tile."""
    i = wp.tid()
    t = wp.tile_load(x[i], shape=4)
    k = wp.tile_zeros(shape=4, dtype=int)
    wp.tile_sort(t, k)
    y[i] = t[1]


@wp.kernel
def tile_diagonal(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The trace of a tile to whose diagonal another one was added."""
    i = wp.tid()
    t = wp.tile_diag_add(wp.tile_zeros(shape=(4, 4), dtype=float), wp.tile_load(x[i], shape=4))
    y[i] = t[0, 0] + t[2, 2]


@wp.kernel
def tile_of_a_thread(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """What one thread of a block gives to all."""
    i = wp.tid()
    t = wp.tile_from_thread(shape=4, value=x[i, 1], thread_idx=0)
    y[i] = t[3]


@wp.kernel
def result_of_atomic(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """What an atomic returned: the adjoint does not replay the atomic, and reads a variable that nobody set."""
    i = wp.tid()
    old = wp.atomic_add(y, i, 1.0)
    y[i] = x[i, 0] * old


@wp.kernel
def atomic_extreme(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """What an atomic maximum replaced keeps its gradient, as if it had been added to."""
    i = wp.tid()
    y[i] = x[i, 0]
    wp.atomic_max(y, i, x[i, 1])


@wp.kernel
def root_of_nothing(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """The root of what is zero all around: the derivative is zero, and the adjoint no number."""
    i = wp.tid()
    y[i] = x[i, 0] + wp.sqrt(wp.abs(x[i, 1] * wp.min(x[i, 2], 0.0)))


@wp.kernel
def local_array(x: wp.array2d(dtype=float), n: int, y: wp.array(dtype=float)):
    """An array of the own thread: the adjoint does not store in it again, and reads zeros."""
    i = wp.tid()
    kept = wp.zeros(shape=(2,), dtype=float)
    kept[0] = x[i, 0] * x[i, 1]
    y[i] = kept[0] * kept[0] + x[i, 2]


CONTROL = unrolled_product
WRONG = [
    dynamic_product,
    recurrence,
    horner,
    long_static_product,
    nested_sum,
    counted_while,
    halving_while,
    break_in_sum,
    array_in_place,
    component_in_place,
    part_of_transform,
    while_reaches_beyond,
    remainder,
    fraction,
    furthest_point,
    tile_extreme,
    tile_running_sum,
    tile_in_order,
    tile_diagonal,
    tile_of_a_thread,
    result_of_atomic,
    atomic_extreme,
    root_of_nothing,
    local_array,
]


def run(kernel: wp.Kernel, values: np.ndarray) -> tuple[float, np.ndarray]:
    """The result for one row of values, and Warp's gradient with respect to them."""
    x = wp.array(values, dtype=float, requires_grad=True, device="cpu")
    y = wp.array([2.0], dtype=float, requires_grad=True, device="cpu")
    with wp.Tape() as tape:
        wp.launch(kernel, dim=1, inputs=[x, COLUMNS], outputs=[y], device="cpu")
    result = float(y.numpy()[0])
    tape.backward(grads={y: wp.ones(1, dtype=float, device="cpu")})
    return result, x.grad.numpy()[0]


def numeric(kernel: wp.Kernel) -> np.ndarray:
    """The gradient by central differences."""
    gradient = np.zeros(COLUMNS)
    for column in range(COLUMNS):
        step = np.zeros_like(X)
        step[0, column] = STEP
        gradient[column] = (run(kernel, X + step)[0] - run(kernel, X - step)[0]) / (2 * STEP)
    return gradient


def main() -> int:
    """Compare and print."""
    wanted = set(sys.argv[1:])
    surprises = 0
    for kernel in [CONTROL, *WRONG]:
        if wanted and kernel.key not in wanted:
            continue
        ours, expected = run(kernel, X)[1], numeric(kernel)
        right = np.allclose(ours, expected, rtol=0.01, atol=0.01)
        surprises += right != (kernel is CONTROL)
        print(f"{kernel.key}: {'right' if right else 'wrong'}")
        print(f"  Warp's adjoint       {np.array2string(ours, precision=3, suppress_small=True)}")
        print(f"  central differences  {np.array2string(expected, precision=3, suppress_small=True)}")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
