"""Files that are complete or absent."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from irsmith import scratch
from irsmith.places import Place, Remote

_ASIDE = ".part~"


def write(path: Place, fill: Callable[[Path], None]) -> str:
    """Make a file appear under its name only when it is whole, and return its SHA-256.

    ``fill`` writes a file beside it, which is flushed to disk and renamed; for a remote filesystem one of this
    machine, which is then put there. What a killed process had begun to write for this name is removed.
    """
    if isinstance(path, Remote):
        with scratch.folder("part") as folder:
            aside = folder / "whole"
            fill(aside)
            path.put(aside)
            return sha256(aside)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside, lock = _aside(path, lambda aside: aside.touch(exist_ok=False))
    try:
        with _naming(path, aside):
            fill(aside)
        with aside.open("rb+") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
        os.close(lock)
    _flush(path.parent)
    return checksum


def _aside(path: Path, make: Callable[[Path], object]) -> tuple[Path, int]:
    """Make what is to stand at a path until it is whole, marked as this process's until what is opened is closed.

    What no process holds any more of that name goes.
    """
    scratch.remove_abandoned(path.parent.glob(f"{glob.escape(path.name)}.*{_ASIDE}"))
    aside = path.with_name(f"{path.name}.{os.getpid()}{_ASIDE}")

    def made() -> Path:
        make(aside)
        return aside

    with _naming(path, aside):
        return scratch.locked(made)


def is_aside(path: Path) -> bool:
    """Whether a file is one that was not whole when its writer ended."""
    return path.name.endswith(_ASIDE)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when everything in it was written without an error.

    An empty folder that stands there gives way. What a killed process had begun to write for this name is removed.
    """
    aside, lock = _aside(path, lambda aside: aside.mkdir(parents=True))
    try:
        yield aside
        for file in aside.rglob("*"):
            _flush(file)
        if path.exists():
            path.rmdir()
        aside.rename(path)
        _flush(path.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        os.close(lock)


@contextmanager
def _naming(path: Path, aside: Path) -> Iterator[None]:
    """Have an error name what was asked for, and not what is written in its place."""
    try:
        yield
    except OSError as error:
        if str(error.filename) == str(aside):
            error.filename = str(path)
        raise


def _flush(path: Path) -> None:
    """Have the system put a file or folder on disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_text(path: Place, text: str) -> str:
    """`write` for a text, in UTF-8."""
    return write(path, lambda aside: _put(aside, text))


def _put(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def sha256(path: Place) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def clear_aside(root: Path) -> None:
    """Remove what a run that was killed had begun to write below a folder."""
    for path in root.rglob(f"*{_ASIDE}"):
        path.unlink(missing_ok=True)
