"""Kernels that Warp's forward gives another result than Python's meaning of the same statements.

    python docs/findings/forward.py [NAME …]

Needs nothing but warp-lang and NumPy. Prints what Warp stores and what Python computes, and exits with 1 when
one of them has become right.
"""

from __future__ import annotations

import sys

import numpy as np
import warp as wp

wp.config.log_level = wp.LOG_ERROR


@wp.kernel
def swap_in_loop(n: int, o: wp.array(dtype=float)):
    """A swap in a dynamic loop: the first assignment is done before the second value is read."""
    a = float(1.0)
    b = float(2.0)
    for _j in range(n):
        a, b = b, a
    o[0] = a
    o[1] = b


@wp.kernel
def tuple_aliases_vector(n: int, o: wp.array(dtype=float)):
    """``a = v`` copies a vector; ``a, b = v, w`` does not."""
    v = wp.vec3(1.0, 2.0, 3.0)
    w = wp.vec3(4.0, 5.0, 6.0)
    a, b = v, w
    a[0] = 9.0
    o[0] = v[0]
    o[1] = b[0]


@wp.kernel
def tuple_keeps_reference(n: int, o: wp.array(dtype=float)):
    """A value taken from an array in a tuple assignment follows the array."""
    o[0] = 1.0
    t, u = o[0], 3.0
    o[0] = 77.0
    o[1] = t + 0.0 * u


@wp.kernel
def late_load(n: int, o: wp.array(dtype=float)):
    """The left operand is read after the atomic on the right has changed it."""
    o[0] = 0.0
    o[1] = o[0] + wp.atomic_add(o, 0, 5.0)


@wp.kernel
def else_of_loop(n: int, o: wp.array(dtype=float)):
    """The ``else`` of a ``for`` loop disappears."""
    o[0] = 1.0
    o[1] = 1.0
    for _j in range(n):
        o[0] = 2.0
    else:
        o[1] = 2.0


@wp.kernel
def inverse_error_function(n: int, o: wp.array(dtype=float)):
    """``wp.erfinv`` of a ``float64`` near zero is off by far more than a ``float64`` rounds: here in parts of 1e9."""
    x = wp.float64(1.0e-8)
    slope = wp.sqrt(wp.float64(wp.pi)) / wp.float64(2.0)
    o[0] = 0.0
    o[1] = float(wp.round((wp.erfinv(x) / (x * slope) - wp.float64(1.0)) * wp.float64(1.0e9)))


@wp.kernel
def negated_zero(n: int, o: wp.array(dtype=float)):
    """The negative of zero is a zero without its sign."""
    zero = float(n - 3)
    o[0] = wp.copysign(1.0, -zero)
    o[1] = wp.copysign(1.0, zero * -1.0)


@wp.kernel
def factors_of_turn(n: int, o: wp.array(dtype=float)):
    """``wp.svd2`` of a quarter turn: the factors multiply to the identity, not to the matrix."""
    turn = wp.mat22(0.0, float(2 - n), float(n - 2), 0.0)
    u, s, v = wp.svd2(turn)
    back = u * wp.diag(s) * wp.transpose(v)
    o[0] = back[0, 0]
    o[1] = back[1, 0]


@wp.kernel
def large_triangles(n: int, o: wp.array(dtype=float)):
    """``wp.intersect_tri_tri`` of triangles that are apart, as they are and 8,192 times as large."""
    a, b = wp.vec3(4.0, 0.0, 0.0), wp.vec3(0.0, 4.0, 0.0)
    d, e, f = wp.vec3(4.0, 4.0, -2.0), wp.vec3(2.0, 1.0, 2.0), wp.vec3(3.0, 3.0, 2.0)
    large = wp.pow(2.0, float(n + 10))
    o[0] = float(wp.intersect_tri_tri(wp.vec3(), a, b, d, e, f))
    o[1] = float(wp.intersect_tri_tri(wp.vec3(), a * large, b * large, d * large, e * large, f * large))


EXPECTED = [
    (swap_in_loop, [2.0, 1.0]),
    (tuple_aliases_vector, [1.0, 4.0]),
    (tuple_keeps_reference, [77.0, 1.0]),
    (late_load, [5.0, 0.0]),
    (else_of_loop, [2.0, 2.0]),
    (inverse_error_function, [0.0, 0.0]),
    (negated_zero, [-1.0, -1.0]),
    (factors_of_turn, [0.0, 1.0]),
    (large_triangles, [0.0, 0.0]),
]
"""Each kernel with what Python's meaning stores, for ``n`` of 3."""


def main() -> int:
    """Compare and print."""
    wanted = set(sys.argv[1:])
    surprises = 0
    for kernel, expected in EXPECTED:
        if wanted and kernel.key not in wanted:
            continue
        o = wp.zeros(2, dtype=float, device="cpu")
        wp.launch(kernel, dim=1, inputs=[3, o], device="cpu")
        right = np.array_equal(o.numpy(), expected)
        surprises += right
        print(f"{kernel.key}: {'right' if right else 'wrong'}: Warp {o.numpy()}, Python {np.array(expected)}")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
