"""The embedded engine: a pool of worker processes on this machine.

Each worker has a pipe of its own, so that one that dies holds no lock that the others wait for. A task whose
worker died is tried once more in a fresh one; a second death ends the run.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, Generic

from irsmith.engines import Result, Run, Task, Work
from irsmith.errors import StoppedError, UserError

BEAT = 0.2
"""Seconds between two looks at the workers' progress."""
_GRACE = 10.0
"""Seconds in which a worker may clear up."""
ATTEMPTS = 2


@contextmanager
def opened(workers: int | None, address: str | None) -> Iterator[Run]:
    """The pool of this machine, with one worker a processor unless told otherwise.

    Raises:
        UserError: There is an address.
    """
    if address is not None:
        raise UserError(f"address: {address} is of a cluster: name its engine, such as --engine ray")
    width = workers or os.cpu_count() or 1

    def do(
        work: Work[Task, Result], tasks: Iterable[Task], on_progress: Callable[[int], None]
    ) -> Iterator[tuple[Task, Result]]:
        return run(work, tasks, width, on_progress)

    yield do


def run(
    work: Work[Task, Result],
    tasks: Iterable[Task],
    workers: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[Task, Result]]:
    """Do the tasks, and yield each with its result as it is finished, in whatever order.

    Args:
        work: A function that a fresh interpreter can import.
        tasks: What to do, started in this order and taken as there is room for it.
        workers: The number of processes.
        on_progress: Called a few times a second with the number of items done in unfinished tasks.

    Raises:
        StoppedError: A task's worker died twice.
        Exception: Whatever the work raised.
    """
    rest = iter(tasks)
    pending = deque((task, 1) for task in islice(rest, workers))
    pool = [_Worker(work) for _ in pending]
    try:
        while pending or any(worker.busy for worker in pool):
            for worker in pool:
                if pending and not worker.busy:
                    worker.start(*pending.popleft())
                    pending.extend((task, 1) for task in islice(rest, 1))
            for ready in wait([worker.pipe for worker in pool if worker.busy], BEAT):
                worker = next(worker for worker in pool if worker.pipe is ready)
                try:
                    kind, value = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    pending.appendleft(worker.lost())
                    worker.replace()
                    continue
                if kind == "progress":
                    worker.done = value
                elif kind == "failed":
                    raise value
                else:
                    yield worker.finish(), value
            on_progress(sum(worker.done for worker in pool if worker.busy))
    finally:
        for worker in pool:
            worker.end()
        for worker in pool:
            worker.stop()


class _Worker(Generic[Task, Result]):
    """One process and the task that it has in hand."""

    def __init__(self, work: Work[Task, Result]) -> None:
        self.work = work
        self.busy = False
        self.done = 0
        self.task: Any = None
        self.attempt = 0
        self._open()

    def _open(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(self.work, theirs), daemon=False)
        self.process.start()
        theirs.close()

    def start(self, task: Task, attempt: int) -> None:
        self.task, self.attempt, self.busy, self.done = task, attempt, True, 0
        # A worker that died idle is noticed when its answer is read.
        with suppress(BrokenPipeError):
            self.pipe.send(task)

    def finish(self) -> Task:
        self.busy = False
        task: Task = self.task
        return task

    def lost(self) -> tuple[Task, int]:
        """The task of a dead worker and the number of its next attempt."""
        self.process.join()
        self.busy = False
        if self.attempt == ATTEMPTS:
            raise StoppedError(f"a worker died {ATTEMPTS} times on {self.task} (exit code {self.process.exitcode})")
        return self.task, self.attempt + 1

    def replace(self) -> None:
        self.stop()
        self._open()

    def end(self) -> None:
        """Have the process end: once it has cleared up, or at once where it is at work."""
        self.pipe.close()
        if self.busy:
            self.process.terminate()

    def stop(self) -> None:
        """End the process, if need be by force."""
        self.end()
        self.process.join(_GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(work: Work[Any, Any], pipe: Connection) -> None:
    """A worker's life: take a task, answer, until the other end closes."""
    # Ctrl-C reaches the whole process group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = pipe.recv()
            try:
                answer = ("done", work(task, lambda done: pipe.send(("progress", done))))
            except Exception as error:  # noqa: BLE001  (raised again by the parent)
                error.add_note(f"in a worker, on {task}:\n{traceback.format_exc()}")
                answer = ("failed", error)
            pipe.send(answer)
