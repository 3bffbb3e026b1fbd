"""The machine's own faults, played: processes that are killed as a system does that is short of memory."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def below(pid: int) -> Iterator[int]:
    """The processes that a process started, and those that they did."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from below(child)


@contextmanager
def killed(command: str, times: int, *, forks: bool = False, after: float = 0.0) -> Iterator[list[int]]:
    """While in the block, kill so many processes below this one, one after the other; gives those killed.

    Args:
        command: What stands in their command line.
        times: How many.
        forks: Those that such a process forked instead.
        after: Seconds that each has lived before.
    """
    found: list[int] = []
    over = threading.Event()

    def matches(pid: int) -> bool:
        with contextlib.suppress(OSError):
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            ours = command in Path(f"/proc/{pid}/cmdline").read_text()
            forked = command in Path(f"/proc/{parent}/cmdline").read_text()
            return ours and forked == forks
        return False

    def work() -> None:
        while not over.is_set() and len(found) < times:
            for pid in [pid for pid in below(os.getpid()) if pid not in found and matches(pid)]:
                time.sleep(after)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    found.append(pid)
                break
            time.sleep(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
