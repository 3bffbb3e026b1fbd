"""The files of a part: how its rows and rejects are written, and where they stand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from irsmith import files
from irsmith.dataset import fields
from irsmith.errors import UserError
from irsmith.outcome import Reject, Step
from irsmith.places import Place

ROW_GROUP = 100
"""Rows a row group: what the Hugging Face viewer shows on one page."""


def data_file(config: str, first: int) -> Path:
    """Where a shard's rows stand, below the dataset's folder."""
    return Path("data", config, f"part-{first:09d}.parquet")


def rejects_file(config: str, first: int) -> Path:
    """Where a shard's rejects stand, below the dataset's folder."""
    return Path("rejects", config, f"part-{first:09d}.jsonl")


def sidecar_file(config: str, first: int) -> Path:
    """Where what verification measured stands, below the dataset's folder: no two machines measure the same."""
    return Path("measurements", config, f"part-{first:09d}.parquet")


def write_parquet(table: pa.Table, where: Path | pa.NativeFile) -> None:
    """Write rows as every part's are written."""
    pq.write_table(
        table,
        where,
        compression="zstd",
        row_group_size=ROW_GROUP,
        # Texts hardly ever repeat: a dictionary of them only costs time.
        use_dictionary=["frontend", "category", "split", "toolchain", "line_map.list.element.column"],
        write_statistics=["id", "index", "category", "split"],
    )


def write_rejects(path: Place, records: Iterable[dict[str, Any]]) -> str:
    """Write what became of kernels that are no rows, and return the file's SHA-256; none leave no file."""
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    if not lines:
        path.unlink(missing_ok=True)
        return ""
    return files.write_text(path, lines)


def reject_record(index: int, reject: Reject) -> dict[str, Any]:
    """A reject as a line of its file."""
    return {"index": index, **asdict(reject)}


def reject_of(line: str) -> dict[str, Any]:
    """What a line of a file of rejects says, as `reject_record` made it.

    Raises:
        ValueError: It is no such line.
    """
    try:
        found = fields.of_json(_Line, json.loads(line), "")
    except RecursionError:
        raise ValueError("is nested too deep") from None
    return asdict(found)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a file of rejects: an index, and the fields of `Reject`."""

    index: int
    step: Step
    symptom: str
    message: str
    name: str
    category: str
    source: str


def read_rejects(path: Place) -> list[dict[str, Any]]:
    """The lines of a file of rejects; none where there is no file.

    Raises:
        UserError: It cannot be read, or holds something else.
    """
    if not path.exists():
        return []
    try:
        # A message may hold what Python takes for the end of a line and JSON does not.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records += [reject_of(line)] if line else []
        except ValueError as error:
            raise UserError(f"{path}:{number}: is no reject: {error}") from None
    return records
