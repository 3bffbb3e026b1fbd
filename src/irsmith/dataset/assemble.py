"""Put finished shards together: take out the rows that repeat an earlier one, and note them as rejects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from irsmith import files
from irsmith.dataset.parts import read_rejects, rejects_file, sidecar_file, write_parquet, write_rejects
from irsmith.dataset.repeats import repeats
from irsmith.dataset.shard import Shard, write_marker
from irsmith.dataset.target import Delivered
from irsmith.outcome import Step

DUPLICATE = "Duplicate"
"""The symptom of a row whose structure an earlier row has."""


def duplicates(root: Path, shards: Sequence[Shard]) -> dict[int, dict[int, str]]:
    """The rows to take out: first index of the shard to index to the id of the row that stays."""
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for repeat in repeats([root / shard.file for shard in shards]):
        found[shards[repeat.part].first][repeat.index] = repeat.of
    return found


def delivered(root: Path, shards: Sequence[Shard], out: Mapping[int, Mapping[int, str]]) -> list[Delivered]:
    """What is left of shards without the rows to take out."""
    parts = []
    for shard in shards:
        path = root / shard.file
        indices = pq.ParquetFile(path).read(columns=["index"])["index"].to_pylist()
        gone = out.get(shard.first, {})
        kept = tuple(index for index in indices if index not in gone)
        parts.append(Delivered(path, shard.first, shard.bytes, shard.rows, kept))
    return parts


def assemble(root: Path, shards: Sequence[Shard]) -> list[Shard]:
    """Take the repeats out of the shards of a folder, in index order.

    A run that dies between a part's new file and its marker finds that they disagree, and makes the shard again.
    """
    out = duplicates(root, shards)
    return [without(root, shard, out[shard.first]) if shard.first in out else shard for shard in shards]


def without(root: Path, shard: Shard, gone: Mapping[int, str]) -> Shard:
    """Rewrite a shard's part without some rows, which its rejects keep."""
    data = root / shard.file
    table = pq.ParquetFile(data).read()
    chosen = pc.is_in(table["index"], value_set=pa.array(list(gone), pa.int64()))
    kept = table.filter(pc.invert(chosen))
    path = root / rejects_file(shard.frontend, shard.first)
    records = [*read_rejects(path), *(_reject(row, gone) for row in table.filter(chosen).to_pylist())]
    records.sort(key=lambda record: record["index"])
    rejects = write_rejects(path, records)
    sidecar = root / sidecar_file(shard.frontend, shard.first)
    if sidecar.exists():
        measured = pq.ParquetFile(sidecar).read()
        measured = measured.filter(pc.is_in(measured["id"], value_set=kept["id"]))
        files.write(sidecar, lambda aside: pq.write_table(measured, aside))
    checksum = files.write(data, lambda aside: write_parquet(kept, aside))
    result = replace(
        shard,
        rows=kept.num_rows,
        sha256=checksum,
        bytes=data.stat().st_size,
        reasons=dict(sorted((Counter(shard.reasons) + Counter({f"{Step.ASSEMBLE}: {DUPLICATE}": len(gone)})).items())),
        rejects_sha256=rejects,
        verdicts=verdicts_of(kept),
        dropped=tuple(sorted({*shard.dropped, *gone})),
    )
    write_marker(root, result)
    return result


def verdicts_of(table: pa.Table) -> dict[str, int]:
    """How often each check of some rows ended how, as ``check: status``."""
    verdicts = pc.list_flatten(table["verdicts"].combine_chunks())
    pairs = zip(
        verdicts.field("check").to_pylist() if len(verdicts) else [],
        verdicts.field("status").to_pylist() if len(verdicts) else [],
        strict=True,
    )
    return dict(sorted(Counter(f"{check}: {status}" for check, status in pairs).items()))


def _reject(row: Mapping[str, Any], gone: Mapping[int, str]) -> dict[str, Any]:
    return {
        "index": row["index"],
        "step": Step.ASSEMBLE.value,
        "symptom": DUPLICATE,
        "message": f"has the structure of {gone[row['index']]}",
        "name": row["name"],
        "category": row["category"],
        "source": row["python_source"],
    }
