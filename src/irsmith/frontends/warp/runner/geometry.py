"""Structures that kernels search, built by Warp's own library before anything runs.

What they hold is private to that library, and the text that is run knows it by its header: a text is given ids only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from irsmith.frontends.warp.runner.native import home
from irsmith.types import Domain, Handle, HashGrid, Mesh

CELLS = 8
"""Cells of a hash grid along each axis."""

_FLOAT32 = 1
_SURFACE_AREA = 0
"""How hierarchies are built on a CPU unless somebody asks for another way."""

_MESH_LEAF, _BVH_LEAF = 4, 1
"""How many triangles or boxes stand together, as `wp.Mesh` and `wp.Bvh` have it by default."""


class _Array(ctypes.Structure):
    """Warp's ``array_t``."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("grad", ctypes.c_uint64),
        ("shape", ctypes.c_int32 * 4),
        ("strides", ctypes.c_int32 * 4),
        ("ndim", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
    )


@cache
def _core() -> ctypes.CDLL:
    core = ctypes.CDLL(str(home() / "bin" / "warp.so"))
    number, size, address = ctypes.c_int, ctypes.c_uint64, ctypes.c_void_p
    core.wp_hash_grid_create_host.argtypes = [number, number, number, number]
    core.wp_hash_grid_create_host.restype = size
    core.wp_hash_grid_destroy_host.argtypes = [size, number]
    core.wp_hash_grid_update_host.argtypes = [size, number, ctypes.c_double, address, address]
    core.wp_hash_grid_reserve_host.argtypes = [size, number, number, ctypes.c_bool]
    core.wp_mesh_create_host.argtypes = [*[_Array] * 3, *[number] * 4, address, number]
    core.wp_mesh_create_host.restype = size
    core.wp_mesh_destroy_host.argtypes = [size]
    core.wp_bvh_create_host.argtypes = [address, address, number, number, address, number]
    core.wp_bvh_create_host.restype = size
    core.wp_bvh_destroy_host.argtypes = [size]
    return core


class Structures:
    """Structures of one kind, one for each set; they last as long as this does.

    Attributes:
        ids: Their ids ``(sets,)``.
    """

    def __init__(self, ids: Sequence[int], keep: object, destroy: Callable[[int], None]) -> None:
        self.ids = np.array(ids, np.uint64)
        self._keep = keep
        self._destroy = destroy

    def __del__(self) -> None:
        for number in self.ids:
            self._destroy(int(number))


def built(type_: Handle, sets: np.ndarray, domain: Domain | None) -> Structures:
    """The structures of an argument.

    Args:
        type_: What they are.
        sets: What each is built of, in the layout of `layout.dtype_of`.
        domain: The argument's domain.
    """
    core = _core()
    # The library reads what a structure was built of whenever it is searched.
    sets = np.ascontiguousarray(sets)
    if isinstance(type_, HashGrid):
        width = domain.high if domain else 1.0
        return Structures(
            [_grid(core, points, width) for points in sets],
            sets,
            lambda number: core.wp_hash_grid_destroy_host(number, _FLOAT32),
        )
    if isinstance(type_, Mesh):
        return Structures([_mesh(core, one) for one in sets], sets, core.wp_mesh_destroy_host)
    groups = type_.groups > 1
    return Structures([_bvh(core, one, grouped=groups) for one in sets], sets, core.wp_bvh_destroy_host)


def _described(array: np.ndarray) -> _Array:
    shape, strides = (ctypes.c_int32 * 4)(len(array)), (ctypes.c_int32 * 4)(array.strides[0])
    return _Array(array.ctypes.data, 0, shape, strides, 1, 0)


def _grid(core: ctypes.CDLL, points: np.ndarray, width: float) -> int:
    number: int = core.wp_hash_grid_create_host(_FLOAT32, CELLS, CELLS, CELLS)
    core.wp_hash_grid_reserve_host(number, _FLOAT32, len(points), False)
    core.wp_hash_grid_update_host(number, _FLOAT32, width, ctypes.byref(_described(points)), None)
    return number


def _mesh(core: ctypes.CDLL, given: Any) -> int:
    arrays = [_described(given[name]) for name in ("points", "velocities", "indices")]
    counts = len(given["points"]), len(given["indices"]) // 3
    number: int = core.wp_mesh_create_host(*arrays, *counts, True, _SURFACE_AREA, None, _MESH_LEAF)
    return number


def _bvh(core: ctypes.CDLL, given: Any, *, grouped: bool) -> int:
    lowers, uppers, groups = (given[name].ctypes.data for name in ("lowers", "uppers", "groups"))
    settings = (len(given["lowers"]), _SURFACE_AREA, groups if grouped else None, _BVH_LEAF)
    number: int = core.wp_bvh_create_host(lowers, uppers, *settings)
    return number
