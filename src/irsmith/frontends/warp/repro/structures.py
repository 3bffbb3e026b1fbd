"""What the ids among a kernel's arguments stand for, built of what lies in a folder's files.

Each is built as Warp builds it by default, a mesh with what its winding number needs.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

_KEPT: list[Any] = []
"""What the library goes on reading."""


class Array(ctypes.Structure):
    """What `builtin.h` calls array_t, as Warp's library is given it."""

    _fields_ = (
        *(("data", ctypes.c_uint64), ("grad", ctypes.c_uint64)),
        *(("shape", ctypes.c_int32 * 4), ("strides", ctypes.c_int32 * 4)),
        *(("ndim", ctypes.c_uint16), ("flags", ctypes.c_uint16)),
    )


def _described(given: Any) -> Array:
    shape, strides = (ctypes.c_int32 * 4)(len(given)), (ctypes.c_int32 * 4)(given.strides[0])
    return Array(given.ctypes.data, 0, shape, strides, 1, 0)


def identify(library: ctypes.CDLL, value: Any, about: dict[str, Any]) -> int:
    """The id of a structure that Warp's native library builds, with its defaults; it lasts as long as the program."""
    number = ctypes.c_int
    _KEPT.append(given := np.array(value, order="C"))
    if about["kind"] == "hash_grid":
        kind, cells = 1, 8  # float32
        library.wp_hash_grid_create_host.restype = ctypes.c_uint64
        grid = ctypes.c_uint64(library.wp_hash_grid_create_host(kind, cells, cells, cells))
        points, width = ctypes.byref(_described(given)), ctypes.c_double(about["cells"])
        library.wp_hash_grid_reserve_host(grid, kind, len(given), ctypes.c_bool(False))
        library.wp_hash_grid_update_host(grid, kind, width, points, None)
        return int(grid.value)
    if about["kind"] == "mesh":
        arrays = [_described(given[name]) for name in ("points", "velocities", "indices")]
        create, counts = library.wp_mesh_create_host, (len(given["points"]), len(given["indices"]) // 3)
        create.argtypes, create.restype = [*[Array] * 3, *[number] * 4, ctypes.c_void_p, number], ctypes.c_uint64
        return int(create(*arrays, *counts, 1, 0, None, 4))
    create = library.wp_bvh_create_host
    create.argtypes, create.restype = [*[ctypes.c_void_p] * 2, number, number, ctypes.c_void_p, number], ctypes.c_uint64
    lowers, uppers, groups = (given[name].ctypes.data for name in ("lowers", "uppers", "groups"))
    return int(create(lowers, uppers, len(given["lowers"]), 0, groups if about["grouped"] else None, 1))


def launched(value: Any, about: dict[str, Any]) -> Any:
    """The same structure as Warp's own object."""
    import warp as wp

    def array(name: str, dtype: Any) -> Any:
        return wp.array(np.ascontiguousarray(value[name]), dtype=dtype, device="cpu")

    if about["kind"] == "hash_grid":
        grid = wp.HashGrid(8, 8, 8, device="cpu")
        grid.build(wp.array(value, dtype=wp.vec3, device="cpu"), radius=about["cells"])
        return grid
    if about["kind"] == "mesh":
        corners = array("indices", wp.int32)
        arrays = (array("points", wp.vec3), corners, array("velocities", wp.vec3))
        return wp.Mesh(*arrays, support_winding_number=True)
    groups = array("groups", wp.int32) if about["grouped"] else None
    return wp.Bvh(array("lowers", wp.vec3), array("uppers", wp.vec3), groups=groups)
