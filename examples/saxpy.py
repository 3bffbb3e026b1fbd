"""A file of Warp kernels to lower: ``irsmith lower examples/saxpy.py``."""

import warp as wp


@wp.func
def scaled(a: float, x: float):
    """Scale one value."""
    return a * x


@wp.kernel
def saxpy(a: float, x: wp.array(dtype=float), y: wp.array(dtype=float)):
    """Add a multiple of x to y."""
    i = wp.tid()
    y[i] = scaled(a, x[i]) + y[i]
