"""Random streams keyed by a hash, so that no two keys share or overlap a sequence."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


class Stream:
    """A reproducible stream of random choices.

    Everything is derived from ``random.Random.random``, whose sequence for a given seed Python promises
    to keep between versions (it makes no such promise for ``choice`` or ``randrange``).
    """

    __slots__ = ("random",)

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def below(self, bound: int) -> int:
        """A whole number from 0 to ``bound - 1``."""
        return int(self.random() * bound)

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.random() * (high - low + 1))

    def uniform(self, low: float, high: float) -> float:
        """A float from ``low`` to ``high``."""
        return low + (high - low) * self.random()

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One item, all equally likely."""
        return items[int(self.random() * len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """One item, each with its weight."""
        totals = list(accumulate(weights))
        return items[bisect(totals, self.random() * totals[-1], 0, len(items) - 1)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order (Fisher and Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = int(self.random() * (last + 1))
            result[last], result[other] = result[other], result[last]
        return result


def stream(*key: str | int) -> Stream:
    """The stream of a key. Different keys give independent streams."""
    # Length-prefixed parts, so that ("a", "bc") and ("ab", "c") differ.
    digest = blake2b(digest_size=32)
    for part in key:
        data = f"{type(part).__name__}:{part}".encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return Stream(int.from_bytes(digest.digest(), "little"))
