"""Running all threads of a launch at once, each as a lane of its own, where nobody could tell the difference.

Threads run one after the other by definition, each seeing what those before it left. Most kernels cannot
tell: no thread touches what another one writes. So the threads run together, and every access to an array that
the kernel writes notes who made it. An access that comes out of turn, behind one of a later thread to the same
element, is a `ConflictError`, and the run is made again thread by thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from irsmith.frontends.warp.reference.machine import Machine
from irsmith.frontends.warp.reference.memory import Position, Sharing, Store
from irsmith.frontends.warp.reference.values import Array, Precision, Value, along
from irsmith.types import ArrayType

MOST_LANES = 1 << 16
"""Lanes and threads together that are not worth more memory."""


_SEVERAL = np.iinfo(np.int32).max
"""Stands for the thread where several have read an element: whoever writes it then is out of turn."""


class ConflictError(Exception):
    """What a thread does depends on the order of the threads."""


class SharedStore(Store):
    """An array argument that several threads of a lane use at the same time.

    Attributes:
        thread: For each lane of the machine, which thread it is.
        independent: Whether no thread used an element that another one wrote, but to add something to it.
    """

    def __init__(
        self, machine: Machine, type: ArrayType, data: Array, precision: Precision, thread: Array, *, written: bool
    ) -> None:
        super().__init__(machine, type, data, precision)
        self.thread = thread
        threads = machine.lanes // self.lanes
        self.base = np.repeat(self.base, threads)
        self.written = written
        self.commuting: str | None = None
        self.touched = False
        self.independent = True
        if written:
            self.read = np.full(self.lanes * self.stride, -1, thread.dtype)
            self.wrote = np.full(self.lanes * self.stride, -1, thread.dtype)

    def load(self, position: Position, leaves: Any = None) -> Value:
        """The elements at a position."""
        places = position + self.base
        if self.written and leaves is None:
            self._noted(places, self.read, self.wrote)
        return self._take(places, self.leaves if leaves is None else leaves)

    def _take(self, places: Array, leaves: Any) -> Value:
        if isinstance(leaves, tuple):
            return tuple(self._take(places, leaf) for leaf in leaves)
        return leaves.flat.take(places, axis=0)

    def save(self, position: Position, value: Value, leaves: Any = None) -> None:
        """Write the elements at a position, in the active lanes; of several threads the last one's stays."""
        del leaves
        places = position + self.base
        self._noted(places, self.wrote, self.read, self.wrote)
        self._put(places, value, self.leaves, self.machine.mask)

    def _put(self, places: Array, value: Value, leaves: Any, mask: Array | None) -> None:
        if isinstance(leaves, tuple):
            for leaf, part in zip(leaves, value, strict=True):
                self._put(places, part, leaf, mask)
        elif mask is None:
            leaves.flat[places] = value
        else:
            leaves.flat[places[mask]] = value if len(value) == 1 else value[mask]

    def _noted(self, places: Array, into: Array, *against: Array, adding: bool = False) -> None:
        """Note an access, which nobody may have come before who has his turn after."""
        if self.commuting is not None:
            raise ConflictError
        self.touched = True
        thread, mask = self.thread, self.machine.mask
        if mask is not None:
            places, thread = places[mask], thread[mask]
        for others in against:
            found = others.take(places)
            if np.any(found > thread):
                raise ConflictError
            self.independent &= not np.any((found != thread) & (found >= 0))
        before = into.take(places)
        # Threads stand in their order, so that of several at one place the last is noted.
        into[places] = np.maximum(before, thread)
        if into is self.wrote:
            self.independent &= adding or not np.any(into.take(places) != thread)
        else:
            shared = (into.take(places) != thread) | ((before != thread) & (before >= 0))
            into[places[shared]] = _SEVERAL

    def update(self, position: Position, combine: Callable[[Value], Value], sharing: Sharing) -> Value:
        """Replace elements by what ``combine`` makes of them, thread by thread where several meet."""
        commuting = sharing.exactly
        places = np.broadcast_to(position + self.base, len(self.base))
        if commuting is not None and not self.touched and self.commuting in (None, commuting):
            self.commuting = commuting
        else:
            self._noted(places, self.wrote, self.read, self.wrote, adding=sharing.nearly)
        machine = self.machine
        entry = machine.mask
        turn = _turns(places, entry)
        result = None
        for number in range(int(turn.max(initial=-1)) + 1):
            mask = turn == number
            machine.mask = mask
            old = self._take(places, self.leaves)
            self._put(places, combine(old), self.leaves, mask)
            result = old if result is None else np.where(along(mask, old.ndim), old, result)
        machine.mask = entry
        return self._take(places, self.leaves) if result is None else result


def _turns(places: Array, mask: Array | None) -> Array:
    """For each lane, how many active lanes before it go to the same place; -1 where it is not active."""
    lanes = np.arange(len(places)) if mask is None else np.flatnonzero(mask)
    order = lanes[np.argsort(places[lanes], kind="stable")]
    ordered = places[order]
    turn = np.full(len(places), -1)
    if len(order):
        first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        turn[order] = np.arange(len(order)) - start
    return turn


def folded(machine: Machine, lanes: int) -> None:
    """Make of what was noted for each thread what is known of its lane."""
    threads = machine.lanes // lanes
    kinds = machine.fault_kind.reshape(lanes, threads)
    first = np.argmax(kinds != 0, axis=1)
    rows = np.arange(lanes)
    machine.fault_kind = kinds[rows, first]
    machine.fault_line = machine.fault_line.reshape(lanes, threads)[rows, first]
    for site, ways in machine.seen.items():
        true, false = (np.asarray(way.reshape(lanes, threads).any(axis=1)) for way in ways)
        machine.seen[site] = true, false
    # Odd multipliers, so that two threads which exchange their paths are told apart.
    mixed = machine.path.reshape(lanes, threads) * (2 * np.arange(threads, dtype=np.uint64) + np.uint64(1))
    machine.path = np.bitwise_xor.reduce(mixed ^ (mixed >> np.uint64(31)), axis=1)
    machine.margin = machine.margin.reshape(lanes, threads).min(axis=1)
    machine.kink = np.asarray(machine.kink.reshape(lanes, threads).any(axis=1))
