"""What is in a dataset, counted from its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from irsmith.dataset.load import Dataset
from irsmith.dataset.splits import Split
from irsmith.row import schema
from irsmith.verdict import Status


@dataclass(frozen=True, slots=True)
class Group:
    """A set of rows.

    Attributes:
        rows: How many.
        structures: Distinct ``structure_id``.
        skeletons: Distinct ``skeleton_id``.
        lines: The 10th, 50th and 90th percentile of the kernels' lines.
    """

    rows: int
    structures: int
    skeletons: int
    lines: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TextSize:
    """The sizes of one text column: the rows that have the text, its mean and its greatest length in bytes."""

    rows: int
    mean: float
    longest: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What is in a dataset.

    Attributes:
        tried: Indices tried.
        bytes: Bytes of data files.
        total: All rows.
        categories: Rows by category, in alphabetical order.
        splits: Rows by split, in the order of `irsmith.dataset.splits.Split`, those without rows left out.
        balance: Rows of each category by split.
        difficulty_balance: Rows of each difficulty, ``1`` to ``5``, by split.
        texts: Sizes by text column.
        rejects: Rejects by reason, the most frequent first.
        unproved: Rows whose text was compiled and not run, by reason, the most frequent first.
        verdicts: How often each check ended how, as ``check: status``.
        difficulty: Rows by difficulty, ``1`` to ``5``.
        tags: Rows by tag, the most frequent first.
        toolchain: Versions by distribution name.
    """

    tried: int
    bytes: int
    total: Group
    categories: Mapping[str, Group]
    splits: Mapping[str, Group]
    balance: Mapping[str, Mapping[str, int]]
    difficulty_balance: Mapping[str, Mapping[str, int]]
    texts: Mapping[str, TextSize]
    rejects: Mapping[str, int]
    unproved: Mapping[str, int]
    verdicts: Mapping[str, int]
    difficulty: Mapping[str, int]
    tags: Mapping[str, int]
    toolchain: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return asdict(self)


def stats(dataset: Dataset) -> Stats:
    """Count what is in a dataset. The texts are read in batches and never held together.

    Raises:
        UserError: A file is missing, or is none that irsmith wrote.
    """
    columns = ["category", "split", "structure_id", "skeleton_id", "lines", "difficulty"]
    wanted = schema(())
    identity = pa.Table.from_batches(dataset.batches(columns), pa.schema([wanted.field(name) for name in columns]))
    held = set(identity["split"].to_pylist())
    splits = [split.value for split in Split if split in held]
    names = sorted(set(identity["category"].to_pylist()))
    return Stats(
        tried=dataset.manifest.tried,
        bytes=dataset.manifest.bytes,
        total=_group(identity),
        categories={name: _group(identity.filter(pc.field("category") == name)) for name in names},
        splits={name: _group(identity.filter(pc.field("split") == name)) for name in splits},
        balance=_balance(identity["category"].to_pylist(), identity["split"].to_pylist(), splits),
        difficulty_balance=_balance(
            identity["difficulty"].cast(pa.string()).to_pylist(), identity["split"].to_pylist(), splits
        ),
        texts=_text_sizes(dataset),
        rejects=dataset.manifest.rejects,
        unproved=_unproved(dataset),
        verdicts=dataset.manifest.verdicts,
        difficulty=dataset.manifest.difficulty,
        tags=dataset.manifest.tags,
        toolchain=dataset.manifest.toolchain,
    )


def _unproved(dataset: Dataset) -> dict[str, int]:
    found = (v for record in dataset.records(["verdicts"]) for v in record["verdicts"] if v["check"] == "forward")
    return dict(Counter(verdict["reason"] for verdict in found if verdict["status"] == Status.COMPILED).most_common())


def _balance(values: list[str], of_rows: list[str], splits: list[str]) -> dict[str, dict[str, int]]:
    pairs = Counter(zip(values, of_rows, strict=True))
    return {value: {split: pairs[value, split] for split in splits} for value in sorted(set(values))}


def _group(table: pa.Table) -> Group:
    lines = np.percentile(table["lines"].to_numpy(), [10, 50, 90], method="nearest") if table.num_rows else [0] * 3
    return Group(
        rows=table.num_rows,
        structures=pc.count_distinct(table["structure_id"]).as_py(),
        skeletons=pc.count_distinct(table["skeleton_id"]).as_py(),
        lines=(int(lines[0]), int(lines[1]), int(lines[2])),
    )


def _text_sizes(dataset: Dataset) -> dict[str, TextSize]:
    columns = ["python_source", *(column for stage in dataset.stages for column in stage.columns())]
    rows, total, longest = (dict.fromkeys(columns, 0) for _ in range(3))
    for batch in dataset.batches(columns):
        for name in columns:
            lengths = pc.binary_length(batch[name])
            rows[name] += batch.num_rows - lengths.null_count
            total[name] += pc.sum(lengths).as_py() or 0
            longest[name] = max(longest[name], pc.max(lengths).as_py() or 0)
    return {name: TextSize(rows[name], total[name] / max(rows[name], 1), longest[name]) for name in columns}
