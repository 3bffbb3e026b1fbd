"""Structures of points that kernels search, built by Warp's own library before anything runs.

What they hold is private to that library, and the text that is run knows it by its header: a text is given ids only.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from irsmith.frontends.warp.runner.native import home

CELLS = 8
"""Cells of a hash grid along each axis."""

_FLOAT32 = 1

_ARRAY = np.dtype(
    [
        *(("data", np.uint64), ("grad", np.uint64)),
        *(("shape", np.int32, (4,)), ("strides", np.int32, (4,))),
        *(("ndim", np.uint16), ("flags", np.uint16)),
    ],
    align=True,
)


@cache
def _core() -> ctypes.CDLL:
    core = ctypes.CDLL(str(home() / "bin" / "warp.so"))
    number, size = ctypes.c_int, ctypes.c_uint64
    core.wp_hash_grid_create_host.argtypes = [number, number, number, number]
    core.wp_hash_grid_create_host.restype = size
    core.wp_hash_grid_destroy_host.argtypes = [size, number]
    core.wp_hash_grid_update_host.argtypes = [size, number, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p]
    core.wp_hash_grid_reserve_host.argtypes = [size, number, number, ctypes.c_bool]
    return core


class Grids:
    """One hash grid for each set of points; they last as long as this does.

    Args:
        points: The points ``(sets, count, 3)`` of float32.
        width: The side of a cell.

    Attributes:
        ids: Their ids ``(sets,)``.
    """

    def __init__(self, points: np.ndarray, width: float) -> None:
        core = _core()
        self.ids = np.zeros(len(points), np.uint64)
        for place, given in enumerate(np.ascontiguousarray(points)):
            self.ids[place] = number = core.wp_hash_grid_create_host(_FLOAT32, CELLS, CELLS, CELLS)
            array: Any = np.zeros((), _ARRAY)
            array["data"], array["ndim"] = given.ctypes.data, 1
            array["shape"][0], array["strides"][0] = len(given), given.strides[0]
            core.wp_hash_grid_reserve_host(number, _FLOAT32, len(given), False)
            core.wp_hash_grid_update_host(number, _FLOAT32, width, array.ctypes.data, None)

    def __del__(self) -> None:
        for number in self.ids:
            _core().wp_hash_grid_destroy_host(int(number), _FLOAT32)
