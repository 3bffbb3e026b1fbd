"""Kernels that Warp's front end accepts, or should, and that do not build.

    python docs/findings/refused.py [NAME …]

Needs nothing but warp-lang and NumPy. Prints what became of each, Clang's messages go to the standard error; exits
with 1 when one of them builds.
"""

from __future__ import annotations

import sys

import warp as wp

wp.config.log_level = wp.LOG_ERROR


@wp.struct
class WithRet:
    """A field that is called like the result of the struct's generated constructor."""

    ret: float


@wp.struct
class WithRhs:
    """A field that is called like the operand of the struct's generated addition."""

    rhs: float


@wp.kernel(module="unique")
def field_ret(s: WithRet, o: wp.array(dtype=float)):
    """Clang: redefinition of parameter ``adj_ret``."""
    o[0] = s.ret


@wp.kernel(module="unique")
def field_rhs(s: WithRhs, o: wp.array(dtype=float)):
    """Clang: no viable overloaded ``+=``."""
    o[0] = s.rhs


@wp.kernel(module="unique")
def converted_counter(n: int, o: wp.array(dtype=wp.float64)):
    """The counter of an unrolled loop as a ``float64``: Warp calls ``view()`` where it expects ``address()``."""
    s = wp.float64(0.0)
    for j in range(3):
        k = wp.float64(j)
        s += o[j] * k
    o[0] = s


@wp.kernel(module="unique")
def truth_of_half(n: int, o: wp.array(dtype=wp.float16)):
    """Clang: the conversion of a ``float16`` to ``bool`` is ambiguous."""
    if bool(o[1]):
        o[0] = wp.float16(1.0)


@wp.kernel(module="unique")
def vectors_differ(n: int, o: wp.array(dtype=wp.vec3)):
    """Clang: vectors have no ``!=``, where ``==`` compiles."""
    if o[1] != o[2]:
        o[0] = wp.vec3()


@wp.kernel(module="unique")
def range_of_halves(n: int, o: wp.array(dtype=wp.float16)):
    """Clang: a ``float16`` times an ``int`` is ambiguous inside ``tile_arange``."""
    wp.tile_store(o, wp.tile_arange(4, dtype=wp.float16))


CALLS = [
    (field_ret, WithRet()),
    (field_rhs, WithRhs()),
    (converted_counter, 3),
    (truth_of_half, 3),
    (vectors_differ, 3),
    (range_of_halves, 3),
]
"""Each kernel with its first argument."""


def main() -> int:
    """Build and print."""
    wanted = set(sys.argv[1:])
    surprises = 0
    for kernel, first in CALLS:
        if wanted and kernel.key not in wanted:
            continue
        out = wp.zeros(4, dtype=kernel.adj.args[1].type.dtype, device="cpu")
        try:
            wp.launch(kernel, dim=1, inputs=[first, out], device="cpu")
        except Exception as error:  # noqa: BLE001 Warp raises Exception itself
            print(f"{kernel.key}: wrong: {type(error).__name__}: {str(error).splitlines()[-1]}")
        else:
            surprises += 1
            print(f"{kernel.key}: builds")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
