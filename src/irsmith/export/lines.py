"""Write records as JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from irsmith import files
from irsmith.export.base import Exported


def encode(record: dict[str, Any]) -> bytes:
    """A record as its line of a JSONL file. Characters beyond ASCII stand as they are."""
    return (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8")


class Lines:
    """A JSONL file that is being written, and how long it is to become.

    Attributes:
        full: Whether it holds as many bytes as were asked for.
    """

    def __init__(self, file: BinaryIO, name: str, exported: Exported, size: int | None = None) -> None:
        self._file = file
        self._name = name
        self._exported = exported
        self._size = size
        self._written = 0
        self.full = False
        exported.records[name] = 0

    def write(self, record: dict[str, Any]) -> None:
        """Add a record."""
        line = encode(record)
        self._file.write(line)
        self._written += len(line)
        self._exported.bytes += len(line)
        self._exported.records[self._name] += 1
        self.full = self._size is not None and self._written >= self._size


def one_file(out: Path, exported: Exported, size: int | None, records: Iterable[dict[str, Any]]) -> Exported:
    """Write one JSONL file, one record a row, until the records end or the file has its size."""

    def fill(aside: Path) -> None:
        with aside.open("wb") as file:
            lines = Lines(file, out.name, exported, size)
            for record in records:
                lines.write(record)
                exported.rows += 1
                if lines.full:
                    break

    files.write(out, fill)
    return exported
