"""How long one waits for another process, whatever else the machine does meanwhile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_BUSY = frozenset("RD")
"""States of a thread that runs, wants to, or waits for a disk; proc_pid_stat(5)."""


class Patience:
    """A bound on the processor time of a process, and on how long it may want none.

    Time in which the machine does other work, or stands still, counts for nothing: a process that ends within its time
    on an idle machine does so on a busy one. Where the system does not tell these apart (it is Linux that does), all
    time counts.

    Args:
        pid: The process.
        seconds: What it may use, and for how long it may sleep, from the first look on.
    """

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid = pid
        self._left = self._asleep = self._seconds = seconds
        self._used: float | None = None

    def over(self, waited: float) -> bool:
        """Look at the process, which has not answered; whether it has had its time.

        Args:
            waited: Seconds since the last look.
        """
        used, busy = _usage(self._pid) if sys.platform == "linux" else (None, False)
        if used is not None:
            self._left -= used - (used if self._used is None else self._used)
            self._used = used
        self._asleep = self._seconds if busy else self._asleep - waited
        return self._left <= 0.0 or self._asleep <= 0.0


def _usage(pid: int) -> tuple[float | None, bool]:
    """Seconds of processor time of a process, if it is there, and whether one of its threads wants more."""
    try:
        # What follows the name, which is in brackets and may hold anything, begins with the third field.
        used = _fields(Path(f"/proc/{pid}/stat"))
        threads = [_fields(Path(thread.path) / "stat") for thread in os.scandir(f"/proc/{pid}/task")]
    except (FileNotFoundError, ProcessLookupError):
        return None, False
    return (int(used[11]) + int(used[12])) / _TICKS, any(fields[0] in _BUSY for fields in threads)


def _fields(stat: Path) -> list[str]:
    return stat.read_text(errors="replace").rpartition(")")[2].split()
