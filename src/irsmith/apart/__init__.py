"""Rows made in a process of their own, one at a time, where making some has ended a process before.

A compiler that lowers stands in the process that makes a shard: to start another for each kernel would cost more than
lowering does. A process that such a compiler ends, or that is ended because it hangs, leaves the note that its shard
was begun; who makes the shard next asks this module for each row, and so learns which kernel it was and what became
of it. A row comes out the same either way.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from irsmith.errors import StoppedError, UserError, killed
from irsmith.frontends import pipes
from irsmith.kernel import Kernel
from irsmith.outcome import Reject, Step
from irsmith.pipeline import Pipeline
from irsmith.row import Row

SECONDS = 300.0
"""What making one row may take, but for its proof."""
START_SECONDS = 60.0
"""What a process may take to start."""
MEMORY = 8 << 30
"""Bytes of data that a process may have while it makes rows."""


@contextmanager
def watched() -> Iterator[None]:
    """End this process if what is in the block, which is to make a row, takes too long.

    The watch is a thread that needs no lock of Python's, so that a compiler that hangs cannot hold it.
    """
    with Path(os.devnull).open("w", encoding="ascii") as nowhere:
        faulthandler.dump_traceback_later(SECONDS, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextmanager
def bounded() -> Iterator[None]:
    """Let this process have so much data and no more: then a compiler's request for memory fails."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = MEMORY if before[1] == resource.RLIM_INFINITY else min(MEMORY, before[1])
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def short_of_memory(outcome: Row | Reject) -> bool:
    """Whether a row did not come about for want of memory, which what was made before it may have taken."""
    return isinstance(outcome, Reject) and (
        outcome.symptom == MemoryError.__name__ or "RESOURCE_EXHAUSTED" in outcome.message
    )


class Apart:
    """Makes rows of a recipe in a process of its own. A context manager.

    Args:
        pipeline: The recipe's.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._process: pipes.Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def row(self, index: int) -> Row | Reject:
        """The row of an index, as `Pipeline.row` makes it, or a reject that says how its compiler fell over.

        Raises:
            StoppedError: It did not end in time, twice, or its process was killed from outside, twice: on another
                machine, or at another time, it might end.
        """
        found = self._asked(index)
        if isinstance(found, int):
            # Once more, in a new process, in which nothing else has happened.
            found = self._asked(index)
        if not isinstance(found, int):
            return found
        kernel = self._kernel(index)
        shown = f"index {index} ({kernel.name}, {kernel.category})" if kernel is not None else f"index {index}"
        if found == 0:
            raise StoppedError(
                f"{shown}: its lowering did not end within {SECONDS:g} seconds, twice: "
                "leave its category out, or choose another seed"
            )
        if found == signal.SIGKILL:
            raise StoppedError(f"{shown}: {killed('the process that lowers it')}")
        what = f"the process that lowers it ended with {_name(found)}, twice"
        name, category, source = (kernel.name, kernel.category, kernel.source) if kernel is not None else ("", "", "")
        return Reject(Step.LOWER, "crashed", what, name, category, source)

    def _kernel(self, index: int) -> Kernel | None:
        drawn = self._pipeline.drawing.drawn(index)
        return None if isinstance(drawn, Reject) else drawn.kernel

    def _asked(self, index: int) -> Row | Reject | int:
        """The row, or the number of the signal that ended the process, 0 where it did not answer in time."""
        process = self._process = self._process or pipes.Child("irsmith.apart.worker")
        try:
            process.ask((self._pipeline.recipe, self._pipeline.root, index))
            process.answer(START_SECONDS)
            _, payload = process.answer(SECONDS)
        except pipes.SilentError:
            self._stop()
            return 0
        except pipes.ClosedError:
            status = process.wait()
            self._stop()
            # An exit is a crash by another name: only a compiler that gives up on everything exits.
            return -status if status < 0 else signal.SIGABRT
        outcome: Row | Reject | UserError | StoppedError = pickle.loads(payload)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
