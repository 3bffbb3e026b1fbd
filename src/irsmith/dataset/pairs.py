"""Rows and their twins in a dataset of several frontends: both are there, or neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from irsmith.dataset import reading
from irsmith.dataset.assemble import Gone

ORPHAN = "TwinMissing"
"""The symptom of a row whose twin was rejected or taken out."""
_COLUMNS = ["id", "index", "frontend", "group_id", "twin_id"]


def orphans(paths: Sequence[Path], gone: Mapping[int, Mapping[int, Gone]]) -> dict[int, dict[int, Gone]]:
    """What is to be left out: what is gone already, and each row whose twin is not there.

    A twin is looked for only where rows of its frontend are: a dataset of one frontend has none.

    Args:
        paths: The files of the parts.
        gone: The rows that are left out anyway: number of the part to index to reason.
    """
    result = {number: dict(rows) for number, rows in gone.items()}
    kept = [
        (number, row)
        for number, path in enumerate(paths)
        for row in reading.columns(path, _COLUMNS).to_pylist()
        if row["index"] not in result.get(number, {})
    ]
    found = {row["frontend"] for number, row in kept if row["twin_id"] is not None}
    ids = {row["id"] for _, row in kept}
    for number, row in kept:
        if len(found) > 1 and row["twin_id"] is not None and row["twin_id"] not in ids:
            result.setdefault(number, {})[row["index"]] = Gone(ORPHAN, f"{row['twin_id']} is no row")
    return result


def faults(rows: pa.Table) -> Iterator[tuple[str, str]]:
    """Rows whose twin is missing, names another row, or is of another group: each as the row's id and a sentence.

    Args:
        rows: The columns ``id``, ``frontend``, ``group_id`` and ``twin_id`` of all rows.
    """
    twins = [row for row in rows.to_pylist() if row["twin_id"] is not None]
    if len({row["frontend"] for row in twins}) < 2:
        return
    known = {row["id"]: row for row in twins}
    for row in twins:
        other = known.get(row["twin_id"])
        if other is None:
            yield row["id"], f"its twin {row['twin_id']} is no row"
        elif other["twin_id"] != row["id"]:
            yield row["id"], f"its twin {row['twin_id']} names {other['twin_id']}"
        elif other["group_id"] != row["group_id"]:
            yield row["id"], f"its twin {row['twin_id']} is of another group"
