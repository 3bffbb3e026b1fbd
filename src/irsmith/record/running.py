"""Run a user's program with a recorder beside it: its streams, its exit status and what it does stay its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import irsmith
from irsmith import frontends
from irsmith.errors import UserError
from irsmith.record.spool import Limits

VARIABLE = "IRSMITH_RECORD"
"""The environment variable that tells the hook what to do."""

_HOOK = Path(__file__).with_name("hook")


def run(command: Sequence[str], spool: Path, limits: Limits) -> int:
    """Run a program to its end, recording into a folder.

    Python programs that it starts are recorded too, as far as they take over its environment.

    Args:
        command: The program and its arguments.
        spool: The folder.
        limits: What samples may take.

    Returns:
        Its exit status; for one that a signal ended, 128 and the signal's number, as shells say it.

    Raises:
        UserError: It cannot be started.
    """
    settings = {
        "spool": str(spool),
        "home": str(Path(irsmith.__file__).parent),
        "limits": asdict(limits),
        "recorders": {name: frontends.get(name).recorder for name in frontends.TABLE},
    }
    path = os.pathsep.join(filter(None, (str(_HOOK), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, VARIABLE: json.dumps(settings)}
    try:
        process = subprocess.Popen(list(command), env=environment)
    except OSError as error:
        raise UserError(f"{command[0]}: cannot be run: {error.strerror}: give the program behind --") from None
    with _left_to(process):
        status = process.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def _left_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave Ctrl-C to the program, which the terminal tells too, and hand a request to terminate on to it."""

    def hand_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    earlier = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, hand_on),
    }
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
