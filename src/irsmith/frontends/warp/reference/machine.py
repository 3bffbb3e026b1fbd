"""The state of a run: which lanes are active, what each has decided, and what went wrong in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from irsmith.frontends.warp.reference.errors import Fault, FaultKind, Site
from irsmith.frontends.warp.reference.memory import Store
from irsmith.frontends.warp.reference.values import Array

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


class Machine:
    """State that the translated closures share.

    Attributes:
        lanes: How many executions run together.
        mask: The active lanes, or None when all are.
        coordinates: The position of the running thread, one array for each dimension of the launch.
        stores: The array arguments.
        written: The names of those that the kernel writes.
        threads: How many threads run together; 1 when they run one after the other.
        tracing: Whether the path and the margin are kept.
    """

    def __init__(self) -> None:
        self.tracing = False
        self.lanes = 0
        self.mask: Array | None = None
        self.coordinates: list[Array] = []
        self.stores: dict[str, Store] = {}
        self.written: set[str] = set()
        self.threads = 1
        self.integers: list[Array] = []

    def reset(self, lanes: int, steps: int, *, tracing: bool, threads: int = 1, blur: float = 0.0) -> None:
        """Make ready for a run with so many lanes and at most so many loop iterations.

        ``blur`` is the relative distance from which on two numbers count as equal when a kink is looked for.
        """
        self.lanes = lanes
        self.threads = threads
        self.mask = None
        self.all = np.ones(lanes, bool)
        self.none = np.zeros(lanes, bool)
        self.steps = steps
        self.fault_kind = np.zeros(lanes, np.uint8)
        self.fault_line = np.zeros(lanes, np.int64)
        self.seen: dict[Site, tuple[Array, Array]] = {}
        self.tracing = tracing
        # Not from zero, which an outcome of zero would leave as it is.
        self.path = np.full(lanes, _MULTIPLIER if tracing else 0, np.uint64)
        self.margin = np.full(lanes, np.inf)
        self.kink = np.zeros(lanes, bool)
        self.blur = blur

    def active(self) -> Array:
        """The active lanes as an array."""
        return self.all if self.mask is None else self.mask

    def empty(self) -> bool:
        """Whether no lane is active."""
        return self.mask is not None and not np.count_nonzero(self.mask)

    def integer(self, value: int) -> Array:
        """A whole number as a value that is the same in every lane."""
        if 0 <= value < 4096:
            while value >= len(self.integers):
                self.integers.append(np.array([len(self.integers)], np.int32))
            return self.integers[value]
        return np.array([value], np.int64).astype(np.int32)

    def fault(self, kind: FaultKind, bad: Array, line: int) -> None:
        """Note a fault in the active lanes of ``bad`` that have none yet."""
        if not np.count_nonzero(bad):
            return
        new = (bad if self.mask is None else bad & self.mask) & (self.fault_kind == 0)
        self.fault_kind[new] = kind
        self.fault_line[new] = line

    def faults(self) -> tuple[Fault | None, ...]:
        """The first fault of each lane."""
        return tuple(
            Fault(FaultKind(int(kind)), int(line)) if kind else None
            for kind, line in zip(self.fault_kind, self.fault_line, strict=True)
        )

    def saw(self, site: Site, true: Array | bool, false: Array | bool) -> None:
        """Note which lanes decided what at a site."""
        seen = self.seen.get(site)
        if seen is None:
            seen = self.seen[site] = (np.zeros(self.lanes, bool), np.zeros(self.lanes, bool))
        if true is not False:
            np.logical_or(seen[0], true, out=seen[0])
        if false is not False:
            np.logical_or(seen[1], false, out=seen[1])

    def decide(self, outcome: Array) -> None:
        """Mix a discrete outcome into the path of the active lanes."""
        if len(outcome) == 1:  # the same in every lane, so it tells no two apart
            return
        parts = outcome.reshape(self.lanes, -1)
        mixed = self.path
        for index in range(parts.shape[1]):
            mixed = (mixed ^ parts[:, index].astype(np.int64).view(np.uint64)) * _MULTIPLIER
            mixed = mixed ^ (mixed >> _SHIFT)
        self.path = mixed if self.mask is None else np.where(self.mask, mixed, self.path)

    def near(self, a: Array, b: Array | float, *, kink: bool = True) -> None:
        """Keep the smallest distance of two compared numbers, relative to their size.

        Args:
            a: A number.
            b: The number that it is compared with.
            kink: Whether a derivative has no one value where they are equal. Where it has, as at a comparison that
                goes the same way in any precision, numbers that are only nearly equal still count.
        """
        size = np.abs(a) + np.abs(b)
        distance: Any = np.where(size > 0, np.abs(a - b) / size, 0.0)
        if distance.ndim > 1:
            distance = distance.reshape(len(distance), -1).min(axis=1)
        if kink or self.blur:
            # Numbers that are equal compare alike in any precision; those that are nearly so may not.
            met = (distance <= self.blur) if kink else (distance <= self.blur) & (distance > 0)
            self.kink = self.kink | (met if self.mask is None else met & self.mask)
        smaller = np.fmin(self.margin, distance)
        self.margin = smaller if self.mask is None else np.where(self.mask, smaller, self.margin)
