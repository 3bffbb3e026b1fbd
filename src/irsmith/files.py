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
    machine, which is then put there.
    """
    if isinstance(path, Remote):
        with scratch.folder("part") as folder:
            aside = folder / "whole"
            fill(aside)
            path.put(aside)
            return sha256(aside)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(path)
    try:
        with _naming(path, aside):
            fill(aside)
        with aside.open("rb+") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _flush(path.parent)
    return checksum


def aside_of(path: Path) -> Path:
    """Where what is to stand at a path is written until it is whole."""
    return path.with_name(f"{path.name}.{os.getpid()}{_ASIDE}")


def is_aside(path: Path) -> bool:
    """Whether a file is one that was not whole when its writer ended."""
    return path.name.endswith(_ASIDE)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when everything in it was written without an error.

    An empty folder that stands there gives way. What a killed process had begun to write for this name is removed.
    """
    scratch.remove_abandoned(path.parent, f"{glob.escape(path.name)}.*{_ASIDE}")
    aside = aside_of(path)
    with _naming(path, aside):
        _, lock = scratch.locked(lambda: _made(aside))
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


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


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
