"""Weighted tables that are built once and drawn from often."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from itertools import accumulate
from typing import Generic, TypeVar

from irsmith.rng import Stream

T = TypeVar("T")


class Choice(Generic[T]):
    """Items with weights, their running totals kept."""

    __slots__ = ("_last", "_totals", "items")

    def __init__(self, weighted: Iterable[tuple[T, float]]) -> None:
        pairs = [(item, weight) for item, weight in weighted if weight > 0.0]
        self.items = tuple(item for item, _ in pairs)
        self._totals = tuple(accumulate(weight for _, weight in pairs))
        self._last = len(pairs) - 1

    def draw(self, rng: Stream) -> T:
        """One item, each with its weight."""
        return self.items[bisect(self._totals, rng.random() * self._totals[-1], 0, self._last)]
