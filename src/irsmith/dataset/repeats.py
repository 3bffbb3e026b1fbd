"""Exact deduplication: of rows with one structure, the earliest stays, and with it the variants of its program.

Of every row eight bytes come together, and more only of rows that may be repeats. As the earliest stays, what a
part delivers depends on the parts before it alone: later ones can be added without touching it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from irsmith.dataset import reading
from irsmith.engines import Run
from irsmith.engines.each import here
from irsmith.places import Place

_COLUMNS = ["id", "index", "structure_id", "group_id", "parent_id"]
_SEVERAL = 50
"""Parts a task, so that there are not more tasks than there is to read."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row whose structure an earlier one has.

    Attributes:
        part: The number of its file among those that were looked at.
        index: Its index.
        row_id: Its id.
        of: The id of the earliest row of that structure.
    """

    part: int
    index: int
    row_id: str
    of: str


@dataclass(frozen=True, slots=True)
class _Task:
    """Some parts to look at: all their structures, or, once it is known which came several times, their rows."""

    first: int
    paths: tuple[Place, ...]
    several: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return f"parts from {self.first}"


def repeats(paths: Sequence[Place], run: Run = here) -> list[Repeat]:
    """The rows of some files, in order, that repeat an earlier one's structure, within a file or across.

    Args:
        paths: The files.
        run: What reads them.
    """
    tasks = [_Task(first, tuple(paths[first : first + _SEVERAL])) for first in range(0, len(paths), _SEVERAL)]
    hashes = [found for _, found in run(_hashes, tasks, lambda _: None)]
    if not hashes:
        return []
    values, times = np.unique(np.concatenate(hashes), return_counts=True)
    several = tuple(values[times > 1].tolist())
    if not several:
        return []
    again = [_Task(task.first, task.paths, several) for task in tasks]
    read = {task.first: rows for task, rows in run(_rows, again, lambda _: None)}
    found: list[Repeat] = []
    first: dict[str, tuple[str, str]] = {}
    variants: set[str] = set()
    for batch in pa.concat_tables([read[task.first] for task in tasks]).to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            if row["structure_id"] not in first:
                first[row["structure_id"]] = (row["id"], row["group_id"])
                continue
            holder, group = first[row["structure_id"]]
            # An augmented variant is meant to be like its program, and is in its group; the same one again is not.
            if (
                row["parent_id"] is not None
                and row["group_id"] == group
                and row["id"] != holder
                and row["id"] not in variants
            ):
                variants.add(row["id"])
            else:
                found.append(Repeat(row["part"], row["index"], row["id"], holder))
    return found


def _hashes(task: _Task, _: Callable[[int], None]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.concatenate([_hashed(reading.columns(path, ["structure_id"])) for path in task.paths])


def _hashed(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    ids = table["structure_id"].to_pylist()
    return np.array([int.from_bytes(blake2b(str(one).encode(), digest_size=8).digest()) for one in ids], np.uint64)


def _rows(task: _Task, _: Callable[[int], None]) -> pa.Table:
    chosen = []
    for number, path in enumerate(task.paths, task.first):
        table = reading.columns(path, _COLUMNS)
        table = table.append_column("part", pa.array([number] * table.num_rows, pa.int32()))
        chosen.append(table.filter(pa.array(np.isin(_hashed(table), np.array(task.several, np.uint64)))))
    return pa.concat_tables(chosen)
