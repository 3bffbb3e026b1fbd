"""What verification measured of a part's rows: a file beside it, which says by itself whether it is whole.

No two machines measure the same, so that the manifest states no checksum of it: its pages hold their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from irsmith import files
from irsmith.errors import UserError
from irsmith.places import Place
from irsmith.row import Row
from irsmith.verify import Measurements

_DIRECTIONS = ("forward", "backward")
_COLUMNS = [
    *("id", "input_sets", "derivative_points"),
    *(f"{name}_{what}" for name in _DIRECTIONS for what in ("error", "tolerance")),
    "reference_seconds",
]


def table_of(measured: Sequence[tuple[Row, Measurements]]) -> pa.Table:
    """What verification measured, a line a row, in the order of the rows."""
    closest = {name: [getattr(m, name) for _, m in measured] for name in _DIRECTIONS}
    columns: dict[str, Any] = {
        "id": [row.id for row, _ in measured],
        "input_sets": [m.sets for _, m in measured],
        "derivative_points": [m.points for _, m in measured],
    }
    for name, found in closest.items():
        columns[f"{name}_error"] = pa.array([item and item.error for item in found], pa.float64())
        columns[f"{name}_tolerance"] = pa.array([item and item.tolerance for item in found], pa.float64())
    columns["reference_seconds"] = [sum(m.seconds.values()) for _, m in measured]
    return pa.table(columns)


def write(path: Place, table: pa.Table) -> None:
    """Write a table of what was measured, with a checksum of each page."""
    files.write(path, lambda aside: pq.write_table(table, aside, write_page_checksum=True))


def read(path: Place) -> pa.Table:
    """A table of what was measured.

    Raises:
        UserError: It is missing or damaged.
    """
    try:
        with path.open("rb") as file, pq.ParquetFile(file, page_checksum_verification=True) as found:
            table = found.read()
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, str(error)) from None
    if table.column_names != _COLUMNS:
        raise _damaged(path, "not the columns of measurements")
    return table


def _damaged(path: Place, why: str) -> UserError:
    return UserError(
        f"{path}: cannot be read: {' '.join(why.split())}: have `irsmith generate` make its part again, or remove it"
    )


def whole(path: Place, rows: int) -> bool:
    """Whether a file is there, holds what was written, and is of so many rows."""
    try:
        return len(read(path)) == rows
    except UserError:
        return False


def write_of(path: Place, measured: Place, rows: pa.Table) -> None:
    """Write what was measured of some rows, out of a file of measurements.

    Raises:
        UserError: That file is damaged.
    """
    table = read(measured)
    write(path, table.filter(pc.is_in(table["id"], value_set=rows["id"])))
