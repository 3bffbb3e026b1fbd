"""Write a dataset in the layout that a training program reads: one file a format, behind one table.

``export`` streams: a batch of rows is in memory at a time, whatever the dataset's size. What it writes appears
under its name only when it is whole.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from irsmith.errors import UserError, nearest
from irsmith.export.base import Exported, Format, Options
from irsmith.export.table import TABLE

if TYPE_CHECKING:
    from irsmith.dataset.load import Dataset


def get(name: str) -> Format:
    """The format of that name.

    Raises:
        UserError: There is none of that name.
    """
    if name not in TABLE:
        raise UserError(f"unknown format {name!r}: {nearest(name, TABLE)}")
    found: Format = import_module(TABLE[name]).FORMAT
    return found


def export(dataset: Dataset, out: str | os.PathLike[str], format_name: str, options: Options | None = None) -> Exported:
    """Write a dataset in a format.

    Args:
        dataset: What `irsmith.load` opened.
        out: The file or folder to make, as the format has it. It must not exist yet.
        format_name: A name of `TABLE`.
        options: What to write of it, and how.

    Raises:
        UserError: There is no such format, it lacks what the dataset does not hold, an option is not one of its
            own, or something stands at ``out``, or a file of rows is damaged.
    """
    chosen = get(format_name)
    options = options or Options()
    for name in options.given():
        if name not in chosen.options:
            takes = ", ".join(_spelled(option) for option in sorted(chosen.options))
            raise UserError(f"{_spelled(name)}: not an option of format {format_name}, which takes {takes}")
    path = Path(out)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f"{path}: something is there already: choose another name, or remove it first")
    dataset.check_intact()
    return chosen.write(dataset, path, options)


def _spelled(option: str) -> str:
    return "--" + {"splits": "split", "tasks": "task"}.get(option, option).replace("_", "-")
