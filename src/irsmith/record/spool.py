"""The folder through which a recorded program and `irsmith record` speak: small files, each whole or not there.

A record is a JSON file; its name without the ending is its id. Beside it stand its samples, ``<id>.<n>.npz``. A process
keeps how often each record came about in ``<process>.counts``, and what it left out and why in ``<process>.notes``.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

MOST_RECORDS = 10_000
"""Records that one process keeps at most: more are counted and left out."""

INTERVAL = 1.0
"""Seconds after which counts are written down again: a process may end without a word."""


SPACING = 4
"""Samples are taken of the first call, and then each time there were so many times more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What samples of inputs and outputs may take.

    Attributes:
        samples: Samples a kernel; 0 for none.
        sample_bytes: Bytes of one sample's arguments, before they are compressed.
        spool_bytes: Bytes of the whole folder above which no more samples are taken.
    """

    samples: int = 0
    sample_bytes: int = 1 << 20
    spool_bytes: int = 256 << 20

    def wants(self, taken: int, seen: int) -> bool:
        """Whether the call of that number, from 1, is to be a sample of a kernel of which some were taken."""
        return taken < self.samples and seen >= SPACING**taken


class Spool:
    """The program's side.

    Args:
        folder: The folder. When it is gone, nothing is written any more.
        limits: What samples may take.
    """

    def __init__(self, folder: str, limits: Limits) -> None:
        self.limits = limits
        self._folder = Path(folder)
        self._records = 0
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.flush)

    def _begin(self) -> None:
        """Start anew in a process: what its parent counted is the parent's to write."""
        self._process = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._due = time.monotonic() + INTERVAL

    def record(self, content: Mapping[str, Any]) -> str | None:
        """Keep a record, and return its id; None where there are too many."""
        with self._lock:
            self._records += 1
            number = self._records
        if number > MOST_RECORDS:
            self.note(f"more than {MOST_RECORDS} distinct launches and functions in one process")
            return None
        name = f"{self._process}-{number:06d}"
        text = json.dumps(content)
        self._write(f"{name}.json", lambda file: file.write(text.encode()))
        return name

    def count(self, name: str) -> None:
        """Count that a record came about once more."""
        with self._lock:
            self._counts[name] += 1
        if time.monotonic() > self._due:
            self.flush()

    def note(self, what: str) -> None:
        """Count something that was left out."""
        with self._lock:
            self._notes[what] += 1
            new = self._notes[what] == 1
        if new:
            self.flush()

    def has_room(self) -> bool:
        """Whether further samples may be taken; if not, that is noted."""
        try:
            used = sum(entry.stat().st_size for entry in os.scandir(self._folder))
        except OSError:
            return False
        if used < self.limits.spool_bytes:
            return True
        self.note(f"samples beyond {self.limits.spool_bytes} bytes in all")
        return False

    def sample(self, name: str, number: int, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Keep a sample of a record."""
        self._write(f"{name}.{number}.npz", lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]

    def flush(self) -> None:
        """Write down what was counted."""
        self._due = time.monotonic() + INTERVAL
        with self._lock:
            counts, notes = json.dumps(self._counts), json.dumps(self._notes)
        if self._counts:
            self._write(f"{self._process}.counts", lambda file: file.write(counts.encode()))
        if self._notes:
            self._write(f"{self._process}.notes", lambda file: file.write(notes.encode()))

    def _write(self, name: str, fill: Callable[[IO[bytes]], Any]) -> None:
        aside = self._folder / f"{name}.{threading.get_ident()}.part"
        try:
            with aside.open("wb") as file:
                fill(file)
            aside.replace(self._folder / name)
        except OSError:
            # The recording is over, or the disk is full: the program goes on.
            self._notes["records that could not be written"] += 1


@dataclass(slots=True)
class Recorded:
    """One record as it is read.

    Attributes:
        content: What the program's side said.
        times: How often it came about, as far as that was written down.
        samples: Its samples: a name such as ``in/x`` to the array.
    """

    content: dict[str, Any]
    times: int = 0
    samples: list[dict[str, np.ndarray[Any, Any]]] = field(default_factory=list)


def read(folder: Path) -> tuple[list[Recorded], dict[str, int]]:
    """The records of a folder, and what was left out how often."""
    counts: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    for path in folder.glob("*.counts"):
        counts.update(json.loads(path.read_text(encoding="utf-8")))
    for path in folder.glob("*.notes"):
        notes.update(json.loads(path.read_text(encoding="utf-8")))
    found = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found.append(Recorded(content, counts[path.stem], list(_samples(folder, path.stem))))
    return found, dict(notes)


def _samples(folder: Path, name: str) -> Iterator[dict[str, np.ndarray[Any, Any]]]:
    for path in sorted(folder.glob(f"{name}.*.npz"), key=lambda path: int(path.suffixes[-2][1:])):
        try:
            with np.load(path, allow_pickle=False) as arrays:
                yield {key: arrays[key] for key in arrays.files}
        except (ValueError, zipfile.BadZipFile):
            continue
