"""Hold a remote folder for one run, where no lock of the system reaches.

A file there holds who writes and a number that it raises now and then. A run that finds such a file watches it:
if the number rises, another run is at work; if it does not, that run is gone. No clock of another machine counts.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from irsmith import files
from irsmith.errors import StoppedError, UserError
from irsmith.places import Remote

FILE = Path(".irsmith", "writer.json")
BEAT = 3.0
"""Seconds between two raises."""
PATIENCE = 5 * BEAT
"""Seconds without a raise after which a run is taken to be gone."""
SETTLED = 1.0
"""Seconds after which, of two runs that began together, both read the later one's name."""


@dataclass(slots=True)
class Lease:
    """That this run writes to a folder.

    Attributes:
        root: The folder.
        lost: Who took it over, if anyone did.
    """

    root: Remote
    lost: str | None = None
    _token: str = field(default_factory=lambda: uuid4().hex)
    _beats: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Stop if the folder was taken over.

        Raises:
            StoppedError: It was.
        """
        if self.lost is not None:
            raise StoppedError(f"{self.root}: {self.lost} writes here now: this run heard nothing for too long")

    def put(self) -> None:
        """Say that this run is at work."""
        self._beats += 1
        who = f"process {os.getpid()} on {socket.gethostname()}"
        files.write_text(self.root / FILE, json.dumps({"token": self._token, "who": who, "beats": self._beats}))

    def other(self) -> str | None:
        """Who holds the folder, if not this run."""
        found = _read(self.root)
        return None if found is None or found["token"] == self._token else found["who"]

    def keep(self) -> None:
        """Raise the number until the run is over, or the folder is another's."""
        while not self._over.wait(BEAT):
            try:
                self.lost = self.other()
                if self.lost is not None:
                    return
                self.put()
            except OSError:
                # What cannot be reached for a moment is tried again; a run that needs it longer fails by itself.
                continue

    def end(self) -> None:
        """Leave the folder to others."""
        self._over.set()


def _read(root: Remote) -> dict[str, str] | None:
    try:
        found = json.loads((root / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return {name: str(found.get(name)) for name in ("token", "who", "beats")} if isinstance(found, dict) else None


@contextmanager
def leased(root: Remote) -> Iterator[Lease]:
    """Hold a remote folder.

    Raises:
        UserError: Another run does.
    """
    lease = Lease(root)
    found = _read(root)
    waited = time.monotonic()
    while found is not None and time.monotonic() - waited < PATIENCE:
        time.sleep(BEAT / 3)
        if _read(root) != found:
            raise _taken(root, found["who"])
    lease.put()
    time.sleep(SETTLED)
    other = lease.other()
    if other is not None:
        raise _taken(root, other)
    keeper = threading.Thread(target=lease.keep, daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.end()
        keeper.join()
        if lease.lost is None:
            (root / FILE).unlink(missing_ok=True)


def _taken(root: Remote, who: str) -> UserError:
    return UserError(f"{root}: another run is writing here ({who}): wait for it, or choose another folder")
