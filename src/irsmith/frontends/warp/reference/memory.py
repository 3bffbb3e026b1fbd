"""The array arguments of a run: one copy for each lane, read and written under the mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from irsmith.frontends.warp.reference.errors import FaultKind
from irsmith.frontends.warp.reference.values import (
    Array,
    Precision,
    Type,
    Value,
    along,
    components,
    scalar_of,
    zero,
)
from irsmith.types import FLOAT32, UINT64, ArrayType, Struct

if TYPE_CHECKING:
    from irsmith.frontends.warp.reference.machine import Machine

Position = int | Array
"""A flat element index: a number when it is the same in every lane."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How much the order matters in which threads update the same elements.

    Attributes:
        exactly: A name that updates have in common whose order does not matter at all; None where it may.
        nearly: Whether it matters to rounding alone.
    """

    exactly: str | None = None
    nearly: bool = False


class Store:
    """One array argument, every lane's copy.

    A struct's fields are kept apart, each in an array of its own, so that reading one field is one indexing.
    """

    independent = True

    def __init__(self, machine: Machine, type: ArrayType, data: Array, precision: Precision) -> None:
        self.machine = machine
        self.type = type
        self.shape: tuple[int, ...] = data.shape[1 : 1 + type.rank]
        self.size = int(np.prod(self.shape))
        # One element at least, so that a faulting index still has somewhere harmless to go.
        self.stride = max(1, self.size)
        self.lanes = len(data)
        self.base = np.arange(self.lanes, dtype=np.intp) * self.stride
        self.extents = [machine.integer(extent) for extent in self.shape]
        self.wanted = list(self.shape)
        self.leaves = _split(type.element, data, self.lanes, self.stride, precision)

    def locate(self, indices: list[Array], line: int) -> Position:
        """The flat position of an element; a lane outside the bounds faults, and goes to element 0."""
        if len(indices) == 1:
            return self._within(indices[0], 0, line)
        position: Position = 0
        for axis, (index, extent) in enumerate(zip(indices, self.shape, strict=True)):
            position = position * extent + self._within(index, axis, line)
        return position

    def _within(self, index: Array, axis: int, line: int) -> Position:
        extent = self.shape[axis]
        if len(index) == 1:
            number = int(index[0])
            if 0 <= number < extent:
                return number
            self._want(axis, number, self.machine.all)
            self.machine.fault(FaultKind.OUT_OF_BOUNDS, self.machine.all, line)
            return 0
        wide = index.astype(np.intp)
        # A negative index is a huge unsigned one.
        bad = wide.view(np.uintp) >= extent
        if np.count_nonzero(bad):
            self._want(axis, wide, bad)
            self.machine.fault(FaultKind.OUT_OF_BOUNDS, bad, line)
            wide = np.where(bad, 0, wide)
        return wide

    def _want(self, axis: int, index: Array | int, bad: Array) -> None:
        """Note how far the first undefined access of each lane went beyond the end."""
        machine = self.machine
        asking = bad & machine.active() & (machine.fault_kind == 0)
        reached = np.broadcast_to(index, asking.shape)[asking]
        self.wanted[axis] = max(self.wanted[axis], int(reached.max(initial=-1)) + 1)

    def load(self, position: Position, leaves: Any = None) -> Value:
        """The elements at a position."""
        leaves = self.leaves if leaves is None else leaves
        if isinstance(leaves, tuple):
            return tuple(self.load(position, leaf) for leaf in leaves)
        if isinstance(position, int):
            return leaves.by_lane[:, position].copy()
        return leaves.flat.take(position + self.base, axis=0)

    def save(self, position: Position, value: Value, leaves: Any = None) -> None:
        """Write the elements at a position, in the active lanes."""
        leaves = self.leaves if leaves is None else leaves
        if isinstance(leaves, tuple):
            for leaf, part in zip(leaves, value, strict=True):
                self.save(position, part, leaf)
            return
        mask = self.machine.mask
        if isinstance(position, int):
            if mask is None:
                leaves.by_lane[:, position] = value
            else:
                np.copyto(leaves.by_lane[:, position], value, where=along(mask, value.ndim))
        elif mask is None:
            leaves.flat[position + self.base] = value
        else:
            places = (position + self.base)[mask]
            leaves.flat[places] = value if len(value) == 1 else value[mask]

    def update(self, position: Position, combine: Callable[[Value], Value], sharing: Sharing) -> Value:
        """Replace the elements at a position by what ``combine`` makes of them, and give what they were.

        Args:
            position: The position.
            combine: The new elements, from the old ones.
            sharing: How much the order of such updates matters.
        """
        del sharing
        old = self.load(position)
        self.save(position, combine(old))
        return old

    def clear(self, leaves: Any = None) -> None:
        """Make every element zero, in the active lanes."""
        leaves = self.leaves if leaves is None else leaves
        if isinstance(leaves, tuple):
            for leaf in leaves:
                self.clear(leaf)
            return
        mask = self.machine.mask
        leaves.by_lane[slice(None) if mask is None else mask] = 0

    def contents(self, precision: Precision) -> Array:
        """The array as a caller sees it."""
        result = np.empty((self.lanes, *self.shape), precision.layout(self.type.element))
        _join(self.type.element, self.leaves, result, (self.lanes, *self.shape), self.size)
        return result


class _Leaf:
    """The storage of one field (or of the whole element, when it is no struct)."""

    def __init__(self, by_lane: Array) -> None:
        self.by_lane = by_lane
        self.flat: Array = by_lane.reshape(-1, *by_lane.shape[2:])


def _split(type: Type, data: Array, lanes: int, stride: int, precision: Precision) -> Any:
    if isinstance(type, Struct):
        return tuple(_split(field.type, data[field.name], lanes, stride, precision) for field in type.fields)
    shape = (lanes, stride, *components(type))
    by_lane = np.zeros(shape, precision.dtype(scalar_of(type)))
    if data.size:
        by_lane[...] = data.reshape(lanes, -1, *components(type))
    return _Leaf(by_lane)


def _join(type: Type, leaves: Any, result: Array, shape: tuple[int, ...], size: int) -> None:
    if isinstance(type, Struct):
        for field, leaf in zip(type.fields, leaves, strict=True):
            _join(field.type, leaf, result[field.name], shape, size)
    else:
        result[...] = leaves.by_lane[:, :size].reshape(*shape, *components(type))


def unpack(type: Type, data: Array, precision: Precision) -> Value:
    """A by-value argument as a value."""
    if isinstance(type, Struct):
        return tuple(
            zero(field.type, precision)
            if isinstance(field.type, ArrayType)
            else unpack(field.type, data[field.name], precision)
            for field in type.fields
        )
    if type == UINT64 and data.dtype.kind in "fV":
        # An id: what it stands for was built of.
        return _built_of(data, precision)
    return np.ascontiguousarray(data, precision.dtype(scalar_of(type)))


def _built_of(data: Array, precision: Precision) -> Value:
    if data.dtype.names is not None:
        return tuple(_built_of(data[name], precision) for name in data.dtype.names)
    return np.ascontiguousarray(data, precision.dtype(FLOAT32) if data.dtype.kind == "f" else data.dtype)
