"""Which files of a folder are a dataset's own: what reads, counts or sends a dataset goes by this."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from irsmith import real
from irsmith.dataset import manifest
from irsmith.dataset.manifest import RECIPE_FILE
from irsmith.dataset.shard import MARKERS
from irsmith.errors import UserError
from irsmith.places import Place, Remote, check_within

CARD_FILE = "README.md"
GROWING_FILE = Path(MARKERS, RECIPE_FILE)
"""The recipe of a dataset that is being appended to; what stands beside the manifest is that of what it holds."""
NAMES = (
    RECIPE_FILE,
    CARD_FILE,
    manifest.FILE,
    real.FILE,
    "data",
    "rejects",
    "measurements",
    "dataset.jsonl",
    "report.html",
    MARKERS,
)
"""What stands at the top of a dataset's folder."""


def check(root: Place) -> None:
    """Refuse a dataset of which something is no file of its own folder: a link out of it, a pipe, a device.

    The folder itself may be reached over links.

    Raises:
        UserError: It holds such a thing; see `irsmith.places.check_within`.
    """
    if isinstance(root, Remote):
        if root.filesystem.type_name != "local":
            return
        root = Path(root.path)
    home = root.resolve()
    for name in NAMES:
        check_within(home, root / name)
        for entry in _entries(root / name):
            # A look at what the system says beside the name is all that most entries cost.
            if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False):
                check_within(home, Path(entry.path))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder, down no links; nothing where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise UserError(f"{folder}: cannot be read: {error.strerror}") from None
    for entry in listed:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path))


def parts(root: Path) -> list[Path] | None:
    """The files of rows of the dataset that irsmith made in a folder; None where there is none.

    Those of an append that is not finished are none of them.

    Raises:
        UserError: Something of the dataset is no file of its own folder.
    """
    if not (root / manifest.FILE).exists():
        return None
    check(root)
    try:
        found = manifest.read(root)
    except UserError:
        # Somebody else's manifest, or one that says nothing any more.
        return None
    return [root / shard.file for shard in found.shards]


def of_unfinished_growth(root: Place, file: PurePath, end: int) -> bool:
    """Whether a file that the manifest does not know belongs to an append that has yet to be finished.

    Args:
        root: The dataset's folder.
        file: Below it.
        end: The index after the dataset's last.
    """
    first = file.name.removeprefix("part-").partition(".")[0]
    return first.isdecimal() and int(first) >= end and (root / GROWING_FILE).exists()
