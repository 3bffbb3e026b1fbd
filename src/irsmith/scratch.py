"""Folders for what is needed only while a process runs. What a killed process left behind, the next one removes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def folder(purpose: str) -> Iterator[Path]:
    """An empty folder where the system keeps temporary files, which is gone afterwards.

    Its owner holds a lock on it, which the system gives up with the process: a folder without one is nobody's.

    Args:
        purpose: A word for its name.
    """
    remove_abandoned(path for path in Path(tempfile.gettempdir()).glob("irsmith-*.*") if path.is_dir())
    path, lock = locked(lambda: Path(tempfile.mkdtemp(prefix=f"irsmith-{purpose}.")))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def locked(make: Callable[[], Path]) -> tuple[Path, int]:
    """A file or folder that is marked as somebody's until what is opened here is closed, or this process ends.

    Args:
        make: Makes one that was not there, and says which.

    Returns:
        The file or folder, and what to close.
    """
    while True:
        path = make()
        # Between these two somebody else may have taken it for an abandoned one.
        with suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)


def remove_abandoned(paths: Iterable[Path]) -> None:
    """Remove those of some files and folders that are a user's own and marked as nobody's."""
    for path in paths:
        # Others' cannot be opened, those in use cannot be locked, and another process may be faster.
        with suppress(PermissionError, BlockingIOError, FileNotFoundError):
            if path.is_symlink():
                continue
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if os.fstat(lock).st_uid == os.getuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink()
            finally:
                os.close(lock)
