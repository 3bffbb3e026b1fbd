"""Do tasks that need no process of their own: here where one worker is asked for, else in a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from irsmith.engines import Result, Task, Work, local


def here(
    work: Work[Task, Result], tasks: Iterable[Task], on_progress: Callable[[int], None]
) -> Iterator[tuple[Task, Result]]:
    """Do tasks in this process: an `irsmith.engines.Run` for what is little."""
    for task in tasks:
        yield task, work(task, on_progress)


def each(
    work: Work[Task, Result], tasks: Sequence[Task], workers: int, on_progress: Callable[[int], None]
) -> Iterator[tuple[Task, Result]]:
    """Do tasks that run no stranger's code, and yield each with its result in whatever order.

    Args:
        work: A function that a fresh interpreter can import.
        tasks: What to do.
        workers: Processes; one is this one.
        on_progress: Called with the number of items done in unfinished tasks.

    Raises:
        StoppedError: A task's worker died twice.
        Exception: Whatever the work raised.
    """
    if workers > 1 and len(tasks) > 1:
        return local.run(work, tasks, workers, on_progress)
    return here(work, tasks, on_progress)
