"""Exact deduplication: of rows with one structure, the earliest stays, and with it the variants of its program.

Only identities are read, a few dozen bytes a row. As the earliest stays, what a part delivers depends on the
parts before it alone: later ones can be added without touching it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


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


def repeats(paths: Sequence[Path]) -> list[Repeat]:
    """The rows of some files, in order, that repeat an earlier one's structure, within a file or across."""
    tables = []
    for number, path in enumerate(paths):
        table = pq.ParquetFile(path).read(columns=["id", "index", "structure_id", "group_id", "parent_id"])
        tables.append(table.append_column("part", pa.array([number] * table.num_rows, pa.int32())))
    if not tables:
        return []
    rows = pa.concat_tables(tables)
    counts = rows.group_by("structure_id").aggregate([([], "count_all")])
    several = counts.filter(pc.field("count_all") > 1)["structure_id"]
    found: list[Repeat] = []
    first: dict[str, tuple[str, str]] = {}
    variants: set[str] = set()
    for batch in rows.filter(pc.is_in(rows["structure_id"], value_set=several)).to_batches(max_chunksize=10_000):
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
