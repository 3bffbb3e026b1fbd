"""A row: one kernel with its texts and metadata, and the Arrow schema that a dataset stores rows in.

The columns are described in ``docs/row-format.md``, which a test compares with `schema`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from irsmith import files
from irsmith.dataset.splits import Split
from irsmith.frontends.base import Stage
from irsmith.kernel import Kernel
from irsmith.outcome import LineSpan
from irsmith.records import PROVENANCE, kernel_of, kernel_record
from irsmith.structure import Structure
from irsmith.traits import Traits
from irsmith.verdict import Status, Uncovered, Verdict

SCHEMA_VERSION = 5
SCHEMA_CHANGES = {
    2: "rows have a column `split`",
    3: "rows say where kernels that people wrote come from: `package`, `line`, `docstring`",
    4: "rows name their twin in another frontend: `twin_id`",
    5: "rows of recorded kernels hold what they were run with: `recorded`",
}
"""What each version of the schema changed, for who opens a dataset of another one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a dataset.

    Attributes:
        id: Unique in the dataset.
        index: The place in the recipe's sequence, or in the user's file.
        seed: The recipe's seed; None for a kernel that was not synthesised.
        frontend: The Python kernel language.
        kernel: The source with its signature.
        texts: Column to text for every part of every stage that was asked for; None where there is none.
        lines: Which lines of each text came from which line of the source.
        structure: Identity without names and literals, and sizes.
        traits: Tags, complexity and difficulty, and the cost of a thread.
        group_id: The same for all rows that came from one program.
        split: What it is for: `irsmith.dataset.splits.Split`.
        toolchain: What lowered it, as ``name version`` joined by commas.
        verdicts: What each check found; empty where nothing was checked.
        uncovered: The ways of branches that no input of the checks took.
        parent_id: The row that this is a variant of; None for a program of its own.
        augmentation: What made it a variant; None for a program of its own.
        twin_id: The row of the same program in another frontend; None where it was not made in two.
    """

    id: str
    index: int
    seed: int | None
    frontend: str
    kernel: Kernel
    texts: Mapping[str, str | None]
    lines: tuple[LineSpan, ...]
    structure: Structure
    traits: Traits
    group_id: str
    split: Split
    toolchain: str
    verdicts: tuple[Verdict, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()
    parent_id: str | None = None
    augmentation: str | None = None
    twin_id: str | None = None

    @property
    def package(self) -> str | None:
        """The package that its kernel was harvested from."""
        return self.kernel.provenance.package if self.kernel.provenance is not None else None


_DOMAIN = [pa.field("low", pa.float64()), pa.field("high", pa.float64()), pa.field("rising", pa.bool_())]
_ARGUMENT = pa.struct(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("direction", pa.string(), nullable=False),
        pa.field("shape", pa.list_(pa.int32()), nullable=False),
        *_DOMAIN,
    ]
)
_STRUCT = pa.struct(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field(
            "fields",
            pa.list_(
                pa.struct(
                    [
                        pa.field("name", pa.string(), nullable=False),
                        pa.field("type", pa.string(), nullable=False),
                        *_DOMAIN,
                    ]
                )
            ),
            nullable=False,
        ),
    ]
)
_LINE_SPAN = pa.struct(
    [
        pa.field("column", pa.string(), nullable=False),
        pa.field("python_line", pa.int32(), nullable=False),
        pa.field("first", pa.int32(), nullable=False),
        pa.field("last", pa.int32(), nullable=False),
    ]
)
_VERDICT = pa.struct(
    [
        pa.field("check", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
_UNCOVERED = pa.struct(
    [
        pa.field("line", pa.int32(), nullable=False),
        pa.field("column", pa.int32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("way", pa.bool_(), nullable=False),
    ]
)
METRICS = (
    "lines",
    "statements",
    "operators",
    "calls",
    "branches",
    "loops",
    "loop_depth",
    "nesting",
    "helpers",
    "structs_used",
)
"""The figures of `Structure` that have a column of the same name."""
_OF_KERNEL = (
    "name",
    "category",
    "description",
    "python_source",
    "arguments",
    "structs",
    "launch",
    "recorded",
    *PROVENANCE,
)
"""The columns of the kernel itself."""
_TRAITS = tuple(field.name for field in dataclass_fields(Traits))
"""The columns of `Traits`."""


def schema(stages: Sequence[Stage]) -> pa.Schema:
    """The Arrow schema of a dataset with these stages."""
    required = dict.fromkeys(("id", "frontend", "name", "category", "description", "python_source"), pa.string())
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("index", pa.int64(), nullable=False),
            *(pa.field(name, type_, nullable=False) for name, type_ in required.items() if name != "id"),
            pa.field("arguments", pa.list_(_ARGUMENT), nullable=False),
            pa.field("structs", pa.list_(_STRUCT), nullable=False),
            pa.field("launch", pa.list_(pa.int32())),
            pa.field("recorded", pa.string()),
            *(pa.field(column, pa.string()) for stage in stages for column in stage.columns()),
            pa.field("line_map", pa.list_(_LINE_SPAN), nullable=False),
            pa.field("verdicts", pa.list_(_VERDICT), nullable=False),
            pa.field("uncovered", pa.list_(_UNCOVERED), nullable=False),
            pa.field("structure_id", pa.string(), nullable=False),
            pa.field("skeleton_id", pa.string(), nullable=False),
            pa.field("group_id", pa.string(), nullable=False),
            pa.field("parent_id", pa.string()),
            pa.field("augmentation", pa.string()),
            pa.field("twin_id", pa.string()),
            pa.field("split", pa.string(), nullable=False),
            pa.field("seed", pa.int64()),
            *(pa.field(name, pa.int32(), nullable=False) for name in METRICS),
            pa.field("tags", pa.list_(pa.string()), nullable=False),
            pa.field("complexity", pa.float32(), nullable=False),
            pa.field("difficulty", pa.int32(), nullable=False),
            pa.field("operations", pa.int64()),
            pa.field("bytes", pa.int64()),
            pa.field("bound", pa.string()),
            pa.field("capability", pa.string()),
            pa.field("toolchain", pa.string(), nullable=False),
            *(pa.field(name, pa.int32() if name == "line" else pa.string()) for name in PROVENANCE),
        ]
    )


def to_table(rows: Sequence[Row], stages: Sequence[Stage]) -> pa.Table:
    """Rows as an Arrow table of `schema`."""
    target = schema(stages)
    kernels = [kernel_record(row.kernel) for row in rows]
    columns: dict[str, Any] = {name: [record[name] for record in kernels] for name in _OF_KERNEL}
    columns |= {
        "id": [row.id for row in rows],
        "index": [row.index for row in rows],
        "frontend": [row.frontend for row in rows],
        "line_map": _line_map([row.lines for row in rows]),
        "verdicts": [[asdict(verdict) for verdict in row.verdicts] for row in rows],
        "uncovered": [[asdict(way) for way in row.uncovered] for row in rows],
        "structure_id": [row.structure.structure_id for row in rows],
        "skeleton_id": [row.structure.skeleton_id for row in rows],
        "group_id": [row.group_id for row in rows],
        "parent_id": [row.parent_id for row in rows],
        "augmentation": [row.augmentation for row in rows],
        "twin_id": [row.twin_id for row in rows],
        "split": [row.split.value for row in rows],
        "seed": [row.seed for row in rows],
        "toolchain": [row.toolchain for row in rows],
    }
    for metric in METRICS:
        columns[metric] = [getattr(row.structure, metric) for row in rows]
    for trait in _TRAITS:
        columns[trait] = [getattr(row.traits, trait) for row in rows]
    for stage in stages:
        for column in stage.columns():
            columns[column] = [row.texts[column] for row in rows]
    arrays = [
        values if isinstance(values, pa.Array) else pa.array(values, field.type)
        for field, values in ((field, columns[field.name]) for field in target)
    ]
    return pa.Table.from_arrays(arrays, schema=target)


def _line_map(maps: Sequence[Sequence[LineSpan]]) -> pa.Array:
    # Built from flat columns: a list of dictionaries a row costs several times as much.
    spans = [span for lines in maps for span in lines]
    offsets = [0]
    for lines in maps:
        offsets.append(offsets[-1] + len(lines))
    columns, *numbers = zip(*spans, strict=True) if spans else ((), (), (), ())
    children = [pa.array(columns, pa.string()), *(pa.array(values, pa.int32()) for values in numbers)]
    values = pa.StructArray.from_arrays(children, fields=list(_LINE_SPAN))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=pa.list_(_LINE_SPAN))


@cache
def _required() -> tuple[str, ...]:
    """Columns that always hold something, all the way down: Arrow lets the items of lists be null."""
    return tuple(field.name for field in schema(()) if not field.nullable)


def _refuse_nulls(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_nulls(key, item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            _refuse_nulls(name, item)
    elif value is None and name not in ("low", "high", "rising"):
        raise ValueError(f"{name} is null")


def from_record(record: Mapping[str, Any], stages: Iterable[Stage]) -> Row:
    """A row from one record of a table, such as ``table.to_pylist()`` or a line of JSONL gives.

    Raises:
        ValueError: It holds nulls where no row does, or values that nothing has.
        KeyError: It lacks a column.
        TypeError: It holds something of another type.
    """
    for column in _required():
        _refuse_nulls(column, record[column])
    kernel = kernel_of(record)
    lines = tuple(LineSpan(s["column"], s["python_line"], s["first"], s["last"]) for s in record["line_map"])
    return Row(
        id=record["id"],
        index=record["index"],
        seed=record["seed"],
        frontend=record["frontend"],
        kernel=kernel,
        texts={column: record[column] for stage in stages for column in stage.columns()},
        lines=lines,
        structure=Structure(
            record["structure_id"], record["skeleton_id"], **{metric: record[metric] for metric in METRICS}
        ),
        traits=Traits(**{trait: record[trait] for trait in _TRAITS} | {"tags": tuple(record["tags"])}),
        group_id=record["group_id"],
        split=Split(record["split"]),
        toolchain=record["toolchain"],
        verdicts=tuple(Verdict(v["check"], Status(v["status"]), v["reason"]) for v in record["verdicts"]),
        uncovered=tuple(Uncovered(**way) for way in record["uncovered"]),
        parent_id=record["parent_id"],
        augmentation=record["augmentation"],
        twin_id=record["twin_id"],
    )


def write_rows(path: Path, rows: Sequence[Row], stages: Sequence[Stage]) -> None:
    """Write rows to one file of their own, as Parquet or as JSONL by its ending."""
    table = to_table(rows, stages)
    if path.suffix == ".jsonl":
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in table.to_pylist())
        files.write_text(path, lines)
    else:
        files.write(path, lambda aside: pq.write_table(table, aside, compression="zstd"))
