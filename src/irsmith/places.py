"""Where a dataset stands: a folder of this machine, or one on a remote filesystem, given as a URI.

Arrow opens ``s3://``, ``gs://``, ``abfs://`` and ``hdfs://`` itself, and any fsspec filesystem as
``fsspec+<protocol>://``. `Remote` has what irsmith needs of `pathlib.Path`, so that the rest asks no questions.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from irsmith.errors import UserError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_WITHOUT_FOLDERS = {"s3", "gcs", "abfs"}
"""Filesystems, as Arrow calls them, on which nothing has to be there before a file is put below it."""


@cache
def _opened(uri: str) -> tuple[Any, str]:
    """The Arrow filesystem of a URI, and the path on it that the URI names."""
    import pyarrow as pa
    from pyarrow import fs

    try:
        filesystem, path = fs.FileSystem.from_uri(uri)
    except (pa.ArrowException, ValueError, OSError, ImportError) as error:
        raise UserError(
            f"{uri}: cannot be opened: {error}: give a folder, or a URI of a filesystem that Arrow knows (s3://, "
            "gs://, abfs://, hdfs://) or of an installed fsspec one (fsspec+<protocol>://)"
        ) from None
    return filesystem, path.rstrip("/")


@dataclass(frozen=True, slots=True, order=True)
class Remote:
    """A file or folder on a remote filesystem, named by the URI of a folder and what stands below it.

    Attributes:
        uri: Of the folder that everything is below; options of the filesystem stand behind a question mark.
        below: The path below it, empty for the folder itself.
    """

    uri: str
    below: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.uri.split("?", maxsplit=1)[0].rstrip("/"), self.below)))

    def __truediv__(self, name: str | PurePath) -> Remote:
        return Remote(self.uri, "/".join(filter(None, (self.below, PurePath(name).as_posix()))))

    @property
    def filesystem(self) -> Any:
        """The Arrow filesystem that it is on."""
        return _opened(self.uri)[0]

    @property
    def path(self) -> str:
        """Its path on that filesystem."""
        return "/".join(filter(None, (_opened(self.uri)[1], self.below)))

    @property
    def stem(self) -> str:
        """Its last name without a suffix."""
        return PurePath(self.path).stem

    @property
    def parent(self) -> Remote:
        """The folder that it stands in, as far up as the folder of the URI."""
        return Remote(self.uri, PurePath(self.below).parent.as_posix().removeprefix("."))

    def _type(self) -> Any:
        return self.filesystem.get_file_info(self.path).type

    def is_file(self) -> bool:
        """Whether a file stands here."""
        from pyarrow import fs

        return bool(self._type() == fs.FileType.File)

    def is_dir(self) -> bool:
        """Whether something stands below it."""
        from pyarrow import fs

        return bool(self._type() == fs.FileType.Directory)

    def exists(self) -> bool:
        """Whether anything stands here."""
        from pyarrow import fs

        return bool(self._type() != fs.FileType.NotFound)

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """Open the file for reading bytes."""
        file: IO[bytes] = self.filesystem.open_input_file(self.path)
        return file

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """What the file holds."""
        with self.open() as file:
            return file.read().decode(encoding, errors)

    def put(self, source: Path) -> None:
        """Make a whole local file stand here. Object stores show it when all of it is there, and not before."""
        if self.filesystem.type_name not in _WITHOUT_FOLDERS:
            self.filesystem.create_dir(PurePath(self.path).parent.as_posix(), recursive=True)
        with source.open("rb") as file, self.filesystem.open_output_stream(self.path) as sink:
            while piece := file.read(1 << 22):
                sink.write(piece)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        if missing_ok and not self.exists():
            return
        # Arrow puts an empty object for the folder behind a deletion, which not every store takes.
        with suppress(OSError):
            self.filesystem.delete_file(self.path)
        if self.exists():
            raise OSError(0, "cannot be removed", str(self))

    def files(self) -> Iterator[Remote]:
        """The files below it, in order."""
        from pyarrow import fs

        found = self.filesystem.get_file_info(fs.FileSelector(self.path, recursive=True, allow_not_found=True))
        top = _opened(self.uri)[1]
        for item in sorted(found, key=lambda item: str(item.path)):
            if item.type == fs.FileType.File:
                yield Remote(self.uri, item.path.removeprefix(top).lstrip("/"))


Place: TypeAlias = Path | Remote
"""Where something stands, here or elsewhere."""


def place(given: str | os.PathLike[str] | Remote) -> Place:
    """The place of a path, or of a URI given as text."""
    if isinstance(given, Remote):
        return given
    if isinstance(given, str) and "://" in given:
        _opened(given)
        return Remote(given)
    return Path(given)


def files_below(where: Place) -> list[Any]:
    """The files below a folder, in order; none where there is no folder."""
    if isinstance(where, Remote):
        return list(where.files())
    return sorted(path for path in where.rglob("*") if path.is_file())


def check_within(home: Path, path: Path) -> None:
    """Refuse what stands in a folder and is no file of it, which a stranger's folder may hold.

    Links to files of the same folder are fine, and those that the Hugging Face hub's cache consists of: from a
    snapshot to the blobs beside it, or to those that the cache's repositories share. What is not there is not refused.

    Args:
        home: The folder, with no link in its path.
        path: Below it.

    Raises:
        UserError: It is a link that leads elsewhere, a link to a folder, or neither a file nor a folder.
    """
    try:
        mode = path.stat().st_mode
        linked = path.is_symlink()
        led = path.resolve()
    except FileNotFoundError:
        return
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not any(led.is_relative_to(folder) for folder in (home, *_blobs(home))):
        raise UserError(f"{path}: is a link out of its folder, to {led}: put the file itself there")
    if not stat.S_ISREG(mode) and (linked or not stat.S_ISDIR(mode)):
        what = "a link to a folder" if stat.S_ISDIR(mode) else "neither a file nor a folder"
        raise UserError(f"{path}: is {what}: put the file itself there")


_REPOSITORY = re.compile("(datasets|models|spaces)--.+")
"""What the hub's cache calls the folder of a repository."""


def _blobs(home: Path) -> Iterator[Path]:
    """Where the files stand that a snapshot in the hub's cache links to; nothing for any other folder."""
    for above in (home, *home.parents):
        repository = above.parent.parent
        if above.parent.name == "snapshots" and _REPOSITORY.fullmatch(repository.name):
            yield from (repository / "blobs", repository.parent / "blobs")


def size(where: Place) -> int:
    """The size of a file in bytes."""
    if isinstance(where, Remote):
        return int(where.filesystem.get_file_info(where.path).size)
    return where.stat().st_size


def parquet(where: Place) -> pq.ParquetFile:
    """A Parquet file, opened as one file: the names of its folders say nothing about its rows."""
    import pyarrow.parquet as pq

    return (
        pq.ParquetFile(where.path, filesystem=where.filesystem) if isinstance(where, Remote) else pq.ParquetFile(where)
    )
