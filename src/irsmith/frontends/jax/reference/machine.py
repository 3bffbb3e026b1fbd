"""One run of a function: rounding errors, the path that it takes, and what its decisions were."""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from types import CodeType
from typing import Any

import numpy as np

from irsmith.verify.ports import Array

FILE_NAME = "<kernel>"
"""The file that a source is compiled as: frames in it are the kernel's own."""

EPSILONS = {"bfloat16": 2.0**-8, "float16": 2.0**-11, "float32": 2.0**-24, "float64": 2.0**-53}
"""Half a unit in the last place, relative, by dtype."""
LARGEST = {"bfloat16": 3.3895e38, "float16": 65504.0, "float32": 3.4028235e38}
"""The largest number of a dtype."""

_WORD, _STRIDE, _ODD = (1 << 64) - 1, 0x9E3779B97F4A7C15, np.uint64(0x9E3779B97F4A7C15)
_MIX = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
    (np.uint64(31), np.uint64(0x9E3779B97F4A7C15)),
)
"""The shifts and factors by which words are mixed until every bit of them follows from every bit of the key."""
_TOP = np.uint64(11)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a function decides."""

    line: int
    column: int
    kind: str


@dataclass
class Lane:
    """The state of one run.

    Attributes:
        x64: Whether Python numbers and counters are of 64 bits.
        rounding: The key of its rounding errors; None where there are none.
        epsilon: Their relative size; None for that of each value's dtype. With one, errors follow from where a value
            stands and not from what it is, so that lanes of one key round alike.
        traced: Whether the path is kept.
        narrow: A half precision in which is computed as in float32.
        path: A number for the decisions so far.
        kink: Whether a derivative has no one value.
        overflowed: Whether something was too large for its dtype, though nothing may show of it.
        ways: The ways taken at each place: whether in, whether past.
    """

    x64: bool = False
    rounding: int | None = None
    epsilon: float | None = None
    traced: bool = False
    narrow: str | None = None
    path: int = 0
    kink: bool = False
    overflowed: bool = False
    ways: dict[Place, tuple[bool, bool]] = field(default_factory=dict)
    _draws: int = 0

    def noise(self, value: Array) -> Array:
        """For each element a number from -1 to 1 by which an operation rounds it.

        Equal elements round alike, as they do on a machine: their errors add up, and their ties stay ties.
        """
        assert self.rounding is not None
        self._draws += 1
        key = np.uint64((self.rounding + self._draws * _STRIDE) & _WORD)
        if self.epsilon is None:
            words = np.ascontiguousarray(value, np.float64).reshape(-1).view(np.uint64) ^ key
        else:
            words = np.arange(np.size(value), dtype=np.uint64) * _ODD + key
        for shift, factor in _MIX:
            words = (words ^ (words >> shift)) * factor
        return ((words >> _TOP) * 2.0**-52 - 1.0).reshape(np.shape(value))

    def rounded(self, value: Array, dtype: str) -> Array:
        """A value with rounding errors, if this lane has any."""
        if self.rounding is None:
            return value
        return np.asarray(value * (1 + self.unit(dtype) * self.noise(value)))

    def within(self, value: Array, dtype: str) -> Array:
        """A value that is infinite where its dtype ends."""
        largest = LARGEST["float32" if dtype == self.narrow else dtype]
        top = np.abs(value).max()
        if top <= largest or self.epsilon is not None:
            return value
        beyond = np.abs(value) > largest
        self.overflowed |= bool(np.isfinite(value[beyond]).any())
        return np.where(beyond, np.copysign(np.inf, value), value)

    def unit(self, dtype: str) -> float:
        """The relative size of the errors of a dtype."""
        if self.epsilon is not None:
            return self.epsilon
        return EPSILONS["float32" if dtype == self.narrow else dtype]

    def decide(self, outcome: Any) -> None:
        """Note the outcome of something that is not smooth."""
        if self.traced:
            self.path = zlib.crc32(np.ascontiguousarray(outcome).tobytes(), self.path)

    def tie(self, tied: Any) -> None:
        """Note that a derivative has no one value."""
        if self.traced and np.any(tied):
            self.kink = True

    def went(self, kind: str, *, true: bool, false: bool) -> None:
        """Note the ways taken at the place in the kernel's source that is being run."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != FILE_NAME:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is None:
            return
        place = Place(*_position(frame.f_code, frame.f_lasti), kind)
        before = self.ways.get(place, (False, False))
        self.ways[place] = before[0] or true, before[1] or false


@lru_cache(maxsize=512)
def _position(code: CodeType, at: int) -> tuple[int, int]:
    """The line and column of an instruction."""
    line, _, column, _ = next(islice(code.co_positions(), at // 2, None))
    return line or code.co_firstlineno, column or 0


class Current:
    """Holds the lane that runs: the stand-ins for JAX's functions look here."""

    lane = Lane()
