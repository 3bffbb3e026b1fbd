"""Files that are complete or absent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

_ASIDE = ".part~"


def write(path: Path, fill: Callable[[Path], None]) -> str:
    """Make a file appear under its name only when it is whole, and return its SHA-256.

    ``fill`` writes a file beside it, which is flushed to disk and renamed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}{_ASIDE}")
    try:
        fill(aside)
        with aside.open("rb+") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return checksum


def write_text(path: Path, text: str) -> str:
    """`write` for a text, in UTF-8."""
    return write(path, lambda aside: _put(aside, text))


def _put(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def clear_aside(root: Path) -> None:
    """Remove what a run that was killed had begun to write below a folder."""
    for path in root.rglob(f"*{_ASIDE}"):
        path.unlink(missing_ok=True)
