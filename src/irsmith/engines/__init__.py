"""Engines run shards: they know tasks and processes, and nothing of kernels.

An engine is a module with `opened`: a context that gives a `Run`. Each has one line in `TABLE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Protocol, TypeVar

from irsmith.errors import UserError, nearest

Task = TypeVar("Task")
Result = TypeVar("Result")
Work = Callable[[Task, Callable[[int], None]], Result]
"""What a worker does: the task, and a function to call with the number of items done so far."""

TABLE = {"local": "irsmith.engines.local", "ray": "irsmith.engines.ray"}
"""Engine name to the module that has its ``opened(workers, address)``."""


class Run(Protocol):
    """Does tasks, started in their order, and yields each with its result as it is finished."""

    def __call__(
        self, work: Work[Task, Result], tasks: Iterable[Task], on_progress: Callable[[int], None]
    ) -> Iterator[tuple[Task, Result]]:
        """Do the tasks.

        Args:
            work: A function that a fresh interpreter can import.
            tasks: What to do, taken as there is room for it.
            on_progress: Called a few times a second with the number of items done in unfinished tasks.

        Raises:
            StoppedError: A task's worker died again and again.
            Exception: Whatever the work raised.
        """


def opened(name: str, workers: int | None, address: str | None) -> AbstractContextManager[Run]:
    """Open an engine.

    Args:
        name: Which of `TABLE`.
        workers: How many tasks run at a time; None for one a processor of what the engine runs on.
        address: Where the engine's cluster is, if it is not this machine.

    Raises:
        UserError: There is no such engine, it is not installed, or nothing is at the address.
    """
    if name not in TABLE:
        raise UserError(f"engine: unknown {name!r}: {nearest(name, TABLE)}")
    engine: Any = import_module(TABLE[name])
    context: AbstractContextManager[Run] = engine.opened(workers, address)
    return context
