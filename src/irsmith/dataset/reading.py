"""Open a part's file, whoever wrote it: what every reader of rows goes through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from irsmith import files, frontends
from irsmith.dataset.shard import Shard
from irsmith.dataset.splits import Split
from irsmith.errors import UserError
from irsmith.places import Place, parquet
from irsmith.row import schema
from irsmith.verdict import Status


@contextmanager
def told(path: Place) -> Iterator[None]:
    """Tell what cannot be read in one line, instead of as Arrow or Python says it.

    Raises:
        UserError: What is read meanwhile is missing, damaged, or no text or number of the kind that it claims to be.
    """
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: is missing") from None
    except (pa.ArrowException, OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def differences(found: pa.Schema, wanted: pa.Schema) -> list[str]:
    """What tells a file's schema from that of rows, a sentence each; empty where nothing does."""
    if found.equals(wanted):
        return []
    names = set(found.names) ^ set(wanted.names)
    listed = [f"column {name} is {'missing' if name in wanted.names else 'unknown'}" for name in sorted(names)]
    for name, times in sorted((name, found.names.count(name)) for name in set(found.names)):
        if times > 1:
            listed.append(f"column {name} is there {times} times")
        elif name in wanted.names and not found.field(name).equals(wanted.field(name)):
            mine, its = found.field(name), wanted.field(name)
            what = f"is {mine.type}, not {its.type}" if mine.type != its.type else "may be null"
            listed.append(f"column {name} {what}")
    return listed or ["its columns are in another order"]


@contextmanager
def opened(path: Place, wanted: pa.Schema) -> Iterator[pq.ParquetFile]:
    """A part's file, once it is known to be one.

    Args:
        path: The file.
        wanted: The schema that its rows must have: `irsmith.row.schema` of the config's stages.

    Raises:
        UserError: It is missing, cannot be read, or holds something else than such rows.
    """
    with told(path), parquet(path) as file:
        found = differences(file.schema_arrow, wanted)
        if found:
            raise UserError(f"{path}: is no such file as irsmith writes: {found[0]}: see `irsmith validate`")
        yield file


def batches(
    path: Place, wanted: pa.Schema, size: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a part's file, a batch in memory at a time.

    Args:
        path: The file.
        wanted: The schema that its rows must have.
        size: Rows a batch.
        columns: The columns to read, in order; by default all.

    Raises:
        UserError: As for `opened`, or a text is not UTF-8, or there is nothing where something must be.
    """
    with opened(path, wanted) as file:
        names = wanted.names if columns is None else list(columns)
        for batch in file.iter_batches(size, columns=names):
            check(batch)
            _check_values(batch)
            yield batch.select(names)


def check(rows: pa.RecordBatch | pa.Table) -> None:
    """Check what Arrow believes of a file without looking.

    Raises:
        pyarrow.ArrowInvalid: A text is not UTF-8, or lists do not fit into each other.
        ValueError: There is nothing where something must be.
    """
    rows.validate(full=True)
    for field in rows.schema:
        column = rows[field.name]
        if not field.nullable and column.null_count:
            raise ValueError(f"column {field.name} holds nulls")
        if pa.types.is_list(field.type) and pc.list_flatten(column).null_count:
            raise ValueError(f"column {field.name} holds lists with nulls")


_VALUES = {
    "frontend": "|".join(frontends.TABLE),
    "split": "|".join(Split),
    "structure_id": "[0-9a-f]{32}",
    "skeleton_id": "[0-9a-f]{32}",
}
"""Columns to what their texts look like, of those that readers count or look up by what they say."""


def _check_values(rows: pa.RecordBatch | pa.Table) -> None:
    for name, pattern in _VALUES.items():
        if name not in rows.schema.names:
            continue
        # Of a part without rows, all are as they should be.
        right = pc.all(pc.match_substring_regex(rows[name], f"^({pattern})$"), min_count=0)
        if not right.as_py():
            raise ValueError(f"column {name} holds what irsmith never writes: `irsmith validate` names the rows")
    if "verdicts" in rows.schema.names:
        verdicts = pc.list_flatten(rows["verdicts"])
        known = pc.is_in(pc.struct_field(verdicts, "status"), value_set=pa.array([status.value for status in Status]))
        if not pc.all(known).as_py() and len(verdicts):
            raise ValueError("column verdicts holds an unknown status: `irsmith validate` names the rows")


def columns(path: Place, names: Sequence[str]) -> pa.Table:
    """Some columns that all rows have, of a part's file.

    Args:
        path: The file.
        names: Columns that do not depend on a frontend.

    Raises:
        UserError: The file is missing, cannot be read, or does not hold such columns.
    """
    wanted = pa.schema([schema(()).field(name) for name in names])
    with told(path), parquet(path) as file:
        here = [field for field in file.schema_arrow if field.name in names]
        found = differences(pa.schema(sorted(here, key=lambda field: names.index(field.name))), wanted)
        if found:
            raise UserError(f"{path}: is no such file as irsmith writes: {found[0]}: see `irsmith validate`")
        table = file.read(columns=list(names)).select(list(names))
        check(table)
        _check_values(table)
        return table


def record(path: Place, wanted: pa.Schema, number: int) -> dict[str, Any]:
    """One row of a part's file, for which only the group of rows that it stands in is read.

    Args:
        path: The file.
        wanted: The schema that its rows must have.
        number: How many rows stand before it.

    Raises:
        UserError: As for `batches`.
    """
    with opened(path, wanted) as file:
        group = 0
        while number >= file.metadata.row_group(group).num_rows:
            number -= file.metadata.row_group(group).num_rows
            group += 1
        table = file.read_row_group(group).slice(number, 1)
        check(table)
        _check_values(table)
        found: dict[str, Any] = table.to_pylist()[0]
        return found


def rows(path: Place) -> int:
    """How many rows a part's file says that it holds.

    Raises:
        UserError: It is missing, or is no Parquet file.
    """
    with told(path), parquet(path) as file:
        return int(file.metadata.num_rows)


def check_intact(path: Place, shard: Shard) -> None:
    """Check that a part's file is the one that its dataset's manifest knows.

    Args:
        path: The file.
        shard: What the manifest says.

    Raises:
        UserError: It is missing or holds other bytes.
    """
    with told(path):
        same = files.sha256(path) == shard.sha256
    if not same:
        raise UserError(
            f"{path}: does not have the checksum that the manifest states: `irsmith validate` says what is wrong; "
            "get the file again, or make it again with the command that made the dataset, which goes on with what "
            "is whole"
        )
    held = rows(path)
    if held != shard.rows:
        raise UserError(f"{path}: holds {held} rows, and the manifest says {shard.rows}: see `irsmith validate`")
