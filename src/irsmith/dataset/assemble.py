"""Put finished shards together: take out the rows that repeat an earlier one, and note them as rejects.

Rows stay where they are: an engine reads and rewrites parts, and what comes together here is a few bytes of each row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from irsmith import files
from irsmith.dataset import measured
from irsmith.dataset.delivered import Delivered
from irsmith.dataset.parts import (
    read_rejects,
    reject_record,
    rejects_file,
    sidecar_file,
    write_parquet,
    write_rejects,
)
from irsmith.dataset.repeats import repeats
from irsmith.dataset.shard import Shard, write_marker
from irsmith.engines import Run
from irsmith.engines.each import here
from irsmith.outcome import Reject, Step
from irsmith.places import Place, parquet, size

DUPLICATE = "Duplicate"
"""The symptom of a row whose structure an earlier row has."""


FEW = 20
"""Parts that are sooner read in this process than by an engine."""


class Gone(NamedTuple):
    """Why a row is taken out: what it is counted by, and the reason in full."""

    symptom: str
    message: str


@dataclass(frozen=True, slots=True)
class _Task:
    """A part to write again without some rows."""

    root: Place
    shard: Shard
    gone: Mapping[int, Gone]

    def __str__(self) -> str:
        return f"the repeats of {self.shard.file}"


def duplicates(root: Place, shards: Sequence[Shard], run: Run = here) -> dict[int, dict[int, str]]:
    """The rows to take out: first index of the shard to index to the id of the row that stays."""
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for repeat in repeats([root / shard.file for shard in shards], run if len(shards) > FEW else here):
        found[shards[repeat.part].first][repeat.index] = repeat.of
    return found


def delivered(root: Place, shards: Sequence[Shard], out: Mapping[int, Mapping[int, str]]) -> list[Delivered]:
    """What is left of shards without the rows to take out."""
    parts = []
    for shard in shards:
        path = root / shard.file
        indices = parquet(path).read(columns=["index"])["index"].to_pylist()
        gone = out.get(shard.first, {})
        kept = tuple(index for index in indices if index not in gone)
        parts.append(Delivered(path, shard.first, shard.bytes, shard.rows, kept))
    return parts


def assemble(root: Place, shards: Sequence[Shard], run: Run = here) -> list[Shard]:
    """Take the repeats out of the shards of a folder, in index order.

    Args:
        root: The dataset's folder.
        shards: All its shards, in order.
        run: What reads and writes parts.

    A run that dies between a part's new file and its marker finds that they disagree, and makes the shard again.
    """
    out = duplicates(root, shards, run)
    tasks = []
    for shard in shards:
        gone = {index: Gone(DUPLICATE, f"has the structure of {of}") for index, of in out.get(shard.first, {}).items()}
        if gone:
            tasks.append(_Task(root, shard, gone))
    written = (run if len(tasks) > FEW else here)(_without, tasks, lambda _: None)
    rewritten = {task.shard.first: result for task, result in written}
    return [rewritten.get(shard.first, shard) for shard in shards]


def _without(task: _Task, _: Callable[[int], None]) -> Shard:
    """Rewrite a shard's part without some rows, which its rejects keep."""
    root, shard, gone = task.root, task.shard, task.gone
    table = parquet(root / shard.file).read()
    kept, records = parted(table, gone)
    earlier = read_rejects(root / rejects_file(shard.config, shard.first))
    sidecar = root / sidecar_file(shard.config, shard.first)
    if sidecar.exists():
        measured.write_of(sidecar, sidecar, kept)
    result = write_part(root, replace(shard, dropped=tuple(sorted({*shard.dropped, *gone}))), kept, earlier + records)
    write_marker(root, result)
    return result


def parted(table: pa.Table, gone: Mapping[int, Gone]) -> tuple[pa.Table, list[dict[str, Any]]]:
    """The rows of a part that stay, and the others as rejects."""
    chosen = pc.is_in(table["index"], value_set=pa.array(list(gone), pa.int64()))
    columns = ["index", "name", "category", "python_source"]
    records = [
        reject_record(
            row["index"],
            Reject(Step.ASSEMBLE, *gone[row["index"]], row["name"], row["category"], row["python_source"]),
        )
        for row in table.select(columns).filter(chosen).to_pylist()
    ]
    return table.filter(pc.invert(chosen)), records


def write_part(root: Place, shard: Shard, rows: pa.Table, rejects: list[dict[str, Any]]) -> Shard:
    """Write a part's rows and rejects, and return its shard with what follows from them."""
    rejects.sort(key=lambda record: record["index"])
    noted = write_rejects(root / rejects_file(shard.config, shard.first), rejects)
    checksum = files.write(root / shard.file, lambda aside: write_parquet(rows, aside))
    return replace(
        shard,
        rows=rows.num_rows,
        sha256=checksum,
        bytes=size(root / shard.file),
        reasons=dict(sorted(Counter(f"{record['step']}: {record['symptom']}" for record in rejects).items())),
        rejects_sha256=noted,
        verdicts=verdicts_of(rows),
        difficulty=difficulty_of(rows),
        tags=tags_of(rows),
    )


def verdicts_of(table: pa.Table) -> dict[str, int]:
    """How often each check of some rows ended how, as ``check: status``."""
    verdicts = pc.list_flatten(table["verdicts"].combine_chunks())
    pairs = zip(
        verdicts.field("check").to_pylist() if len(verdicts) else [],
        verdicts.field("status").to_pylist() if len(verdicts) else [],
        strict=True,
    )
    return dict(sorted(Counter(f"{check}: {status}" for check, status in pairs).items()))


def difficulty_of(table: pa.Table) -> dict[str, int]:
    """Some rows by difficulty, as text."""
    return _counts(table["difficulty"].cast(pa.string()))


def tags_of(table: pa.Table) -> dict[str, int]:
    """Some rows by tag."""
    return _counts(pc.list_flatten(table["tags"]))


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    return dict(sorted((item["values"], item["counts"]) for item in pc.value_counts(values).to_pylist()))
