"""Random numbers for arrays, keyed by text and the same under every NumPy version.

NumPy promises to keep the raw words of its bit generators, not what its distributions make of them.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from irsmith.verify.ports import Array


def digest(*key: str) -> int:
    """A 128-bit number from a key; different keys give different numbers."""
    state = blake2b(digest_size=16)
    for part in key:
        data = part.encode()
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return int.from_bytes(state.digest(), "little")


def chosen(share: float, *key: str) -> bool:
    """Whether a key is in a share of all keys."""
    return (digest(*key) >> 75) * 2.0**-53 < share


class Uniform:
    """A stream of numbers from 0 up to but without 1."""

    def __init__(self, *key: str) -> None:
        self._raw = np.random.Philox(key=digest(*key)).random_raw

    def draw(self, shape: tuple[int, ...]) -> Array:
        """The next numbers."""
        size = int(np.prod(shape))
        words = np.asarray(self._raw(size), np.uint64)
        return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)

    def signs(self, shape: tuple[int, ...]) -> Array:
        """Numbers whose size is from 0.5 to 1.5, of either sign."""
        numbers = self.draw(shape)
        return np.where(numbers < 0.5, -0.5 - 2 * numbers, 2 * numbers - 0.5)

    def orders(self, lanes: int, count: int) -> Array:
        """For each lane a random order of the numbers below ``count``."""
        return np.argsort(self.draw((lanes, count)), axis=1, kind="stable")
