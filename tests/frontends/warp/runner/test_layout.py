"""Values lie in memory as Warp's C++ has them, and every buffer stands between guards."""

import ctypes

import numpy as np
import pytest

wp = pytest.importorskip("warp")

from warp._src.types import array_t, launch_bounds_t  # noqa: E402

from irsmith.frontends.warp.runner import dtype_of, layout, unit  # noqa: E402
from irsmith.types import BOOL, FLOAT16, FLOAT32, FLOAT64, INT8, Field, Matrix, Opaque, Quaternion, Struct, Vector  # noqa: E402


def test_descriptors_are_those_of_warp():
    assert layout.ARRAY.itemsize == ctypes.sizeof(array_t)
    for name in ("data", "grad", "shape", "strides", "ndim", "flags"):
        assert layout.ARRAY.fields[name][1] == getattr(array_t, name).offset
    for rank in (1, 2, 3, 4):
        expected = launch_bounds_t((2,) * rank)
        assert layout.bounds_dtype(rank).itemsize == ctypes.sizeof(expected)
        assert layout.bounds_dtype(rank).fields["size"][1] == type(expected).size.offset


def test_structs_are_laid_out_as_in_c():
    inner = Struct("Inner", (Field("a", INT8), Field("b", FLOAT64)))
    outer = Struct(
        "Outer", (Field("f", BOOL), Field("v", Vector(3, FLOAT16)), Field("i", inner), Field("q", Quaternion(FLOAT32)))
    )
    dtype = dtype_of(outer)
    assert [dtype.fields[name][1] for name in dtype.names] == [0, 2, 8, 24]
    assert dtype.itemsize == 40
    assert dtype_of(Matrix(2, 3, FLOAT64)).shape == (2, 3)
    with pytest.raises(ValueError, match="opaque"):
        dtype_of(Opaque("Texture2D"))


def test_every_byte_around_a_buffer_is_watched(row):
    job = row().job()
    memory = layout.arena(job, job.backward.primal, job.backward.adjoint)
    assert memory.damage() is None
    buffers = np.zeros(memory.memory.shape[1], bool)
    sizes = {"x": 13 * 4, "out": 13 * 4}
    arena_bytes = memory.memory.shape[1]
    watched = np.zeros(arena_bytes, bool)
    for low, high, _ in memory.guards:
        watched[low:high] = True
    buffers = ~watched
    assert buffers.sum() == 2 * sum(sizes.values())
    for offset in np.flatnonzero(watched):
        memory.memory[1, offset] ^= 1
        assert "run 1" in memory.damage()
        memory.memory[1, offset] ^= 1
    assert memory.damage() is None


def test_a_header_that_warp_did_not_write_is_compiled_as_it_is(row):
    header = row().texts["cpp_header"]
    assert unit.precompiled_block(header) == 1
    assert unit.precompiled_block(row().texts["cuda_header"]) == 256
    assert unit.precompiled_block(header.replace('#include "builtin.h"', "")) is None
    assert unit.precompiled_block("#define wp wq\n" + header) is None
