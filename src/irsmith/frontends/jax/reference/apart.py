"""The reference in a process of its own, with limits on time and memory: a source may run for ever."""

from __future__ import annotations

import contextlib
import itertools
import signal
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from irsmith.errors import StoppedError, killed
from irsmith.frontends import pipes
from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference.machine import Place
from irsmith.frontends.jax.reference.reference import Fault, FaultKind, Result, Ways
from irsmith.frontends.jax.reference.requests import Declared, Forgotten, Run
from irsmith.verify import ports

SECONDS = 120.0
"""Seconds that one run of all input sets may take."""
MEMORY = 4 << 30
"""Bytes of address space that sources may have beyond what the process takes itself."""
_START_SECONDS = 120.0
_WAYS = 64 << 20

_Answer = TypeVar("_Answer")


class EndedError(Exception):
    """The process did not answer.

    Attributes:
        kind: What it did instead.
    """

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _KilledError(Exception):
    """Somebody else killed the process."""


class Keeper:
    """The process that executes sources. It is started when first asked, and again after a source has brought it down.

    Args:
        seconds: What one run may take.
        memory: Bytes of address space that sources may have.
    """

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._seconds = seconds
        self._memory = memory
        self._process: pipes.Child | None = None
        self._starts = 0
        self._sources: dict[int, Declared] = {}
        self._kept: dict[int, int] = {}
        self._dropped: list[int] = []
        self._keys = itertools.count()

    def close(self) -> None:
        """End the process, for good."""
        self._sources.clear()
        self._stop()

    def reference(self, source: str, name: str, narrow: str | None = None) -> ports.Reference:
        """The meaning of one function; see `irsmith.frontends.jax.reference.Reference`.

        Raises:
            NotModelledError: It uses something that has no meaning here, or cannot even be read within the limits.
        """
        key = next(self._keys)
        self._sources[key] = Declared(key, source, name, narrow)
        try:
            self._survived(lambda: self._declare(key))
        except EndedError as error:
            raise ports.NotModelledError(str(error)) from None
        found = _Apart(self, key)
        weakref.finalize(found, self._dropped.append, key)
        return found

    def run(self, request: Run) -> tuple[dict[str, Any], bytes]:
        """The frame that holds what a run gave.

        Raises:
            EndedError: It took too long, or brought the process down.
            StoppedError: What ended the process, twice, was not the source.
        """
        return self._survived(lambda: self._run(request))

    def _survived(self, ask: Callable[[], _Answer]) -> _Answer:
        """What is answered, though somebody kills the process once: the system, say, for want of memory."""
        with contextlib.suppress(_KilledError):
            return ask()
        try:
            return ask()
        except _KilledError:
            raise StoppedError(killed("the process of the reference")) from None

    def _run(self, request: Run) -> tuple[dict[str, Any], bytes]:
        while self._dropped:
            key = self._dropped.pop()
            if self._sources.pop(key, None) is not None and self._kept.pop(key, 0) == self._starts:
                self._asked(Forgotten(key))
        if request.key not in self._sources:
            raise EndedError(FaultKind.ENDED, "it has ended the process before")
        self._process = self._ready()
        if self._kept.get(request.key) != self._starts:
            self._declare(request.key)
        return self._asked(request)

    def _declare(self, key: int) -> None:
        header, _ = self._asked(self._sources[key])
        if "unknown" in header:
            raise ports.NotModelledError(*header["unknown"])
        self._kept[key] = self._starts

    def _asked(self, request: Declared | Forgotten | Run) -> tuple[dict[str, Any], bytes]:
        process = self._process = self._ready()
        try:
            process.ask(request, self._seconds)
            header, payload = process.answer(self._seconds, _most(request))
        except pipes.SilentError:
            raise self._ended(request, FaultKind.TIMED_OUT, f"did not end within {self._seconds:g} seconds") from None
        except pipes.ClosedError:
            if process.wait() == -signal.SIGKILL:
                self._stop()
                raise _KilledError from None
            raise self._ended(request, FaultKind.ENDED, "it ends the process that it runs in") from None
        if "bug" in header:
            raise RuntimeError(f"the reference failed: {header['bug']}")
        return header, payload

    def _ended(self, request: Declared | Forgotten | Run, kind: FaultKind, message: str) -> EndedError:
        """What ended the process is not asked again; the others are, in another one."""
        self._sources.pop(request.key, None)
        self._stop()
        return EndedError(kind, message)

    def _ready(self) -> pipes.Child:
        if self._process is not None and not self._process.ended:
            return self._process
        self._stop()
        self._starts += 1
        # One that is sealed can start no threads, nor read how the system gives out memory, as further arenas do.
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        process = pipes.Child("irsmith.frontends.jax.reference.worker", str(self._memory), environment=alone)
        try:
            process.answer(_START_SECONDS)
        except (pipes.SilentError, pipes.ClosedError) as error:
            if isinstance(error, pipes.ClosedError) and process.wait() == -signal.SIGKILL:
                raise _KilledError from None
            process.stop()
            raise RuntimeError("the process of the reference does not start") from None
        return process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def _most(request: Declared | Forgotten | Run) -> int:
    """Bytes that may be answered: every array, at its widest, and the ways of many branches."""
    return _WAYS + 16 * sum(array.nbytes for array in request.inputs.values()) if isinstance(request, Run) else 0


class _Apart:
    """A function whose meaning a keeper has; see `irsmith.verify.ports.Reference`."""

    def __init__(self, keeper: Keeper, key: int) -> None:
        self._keeper = keeper
        self._key = key
        self._declared: dict[str, str] = {}

    def run(
        self,
        inputs: ports.Sets,
        launch: tuple[int, ...] | None,
        *,
        precision: str = "declared",
        order: ports.Array | None = None,
        perturb: ports.Array | None = None,
        epsilon: float | None = None,
        seed: int = 0,
        trace: bool = False,
        step_limit: int = 0,
    ) -> Result:
        """Call the function once for every lane; see `irsmith.verify.ports.Reference.run`."""
        del launch, order, step_limit
        if precision != "float64":
            self._declared = {name: values.dtype.name for name, values in inputs.items()}
        given = {name: np.ascontiguousarray(values) for name, values in inputs.items()}
        request = Run(self._key, self._declared, given, precision, perturb, epsilon, seed, trace)
        try:
            return _result(list(given), *self._keeper.run(request))
        except EndedError as error:
            count = len(next(iter(given.values())))
            fault = Fault(error.kind, 0, str(error))
            return Result(given, (fault,) * count, {}, np.zeros(count, np.int64), np.zeros(count, bool))


def _result(names: list[str], header: dict[str, Any], payload: bytes) -> Result:
    """What a frame says."""
    count, place = len(header["faults"]), 0

    def taken(dtype: Any, shape: tuple[int, ...]) -> ports.Array:
        nonlocal place
        kind = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        place += size
        return np.frombuffer(payload[place - size : place], kind).reshape(shape).copy()

    outputs = {
        name: taken(numpy_dtype(dtype), tuple(shape))
        for name, (dtype, shape) in zip(names, header["outputs"], strict=True)
    }
    path, kink = taken(np.int64, (count,)), taken(bool, (count,))
    coverage = {Place(*site): Ways(taken(bool, (count,)), taken(bool, (count,))) for site in header["sites"]}
    faults = tuple(fault and Fault(FaultKind[fault[0]], fault[1], fault[2]) for fault in header["faults"])
    return Result(outputs, faults, coverage, path, kink)
