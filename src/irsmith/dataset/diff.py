"""What changed between two datasets: recipe, toolchain, rows that came and went, and texts that differ.

Rows are told by their ids and compared column by column through hashes of the columns, in DuckDB, which works on
disk when memory is short.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from irsmith import scratch
from irsmith.dataset.load import Dataset
from irsmith.row import schema

MEMORY = "1GB"
"""What DuckDB may hold before it works on disk."""
_MADE_BY = "toolchain"
"""The column that differs in every row of two toolchains, and says nothing more."""
_CONTEXT = 2


@dataclass(frozen=True, slots=True)
class Example:
    """A text that differs.

    Attributes:
        row_id: Whose.
        column: Which.
        lines: A unified difference.
    """

    row_id: str
    column: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed from one dataset to another.

    Attributes:
        version: The datasets' own versions, where they differ.
        recipe: Settings that differ, each as ``name: theirs there, mine here``; here is the second dataset.
        toolchain: Distribution name to the two versions, where they differ; empty where one has none.
        columns_gone: Columns that only the first has.
        columns_new: Columns that only the second has.
        rows: Rows of the two.
        gone: Rows that only the first has.
        new: Rows that only the second has.
        changed: Rows of both that differ in more than what made them.
        columns: Column to the number of rows in which it differs, those that differ most first.
        examples: Some of the texts that differ.
    """

    version: tuple[str, str] | None
    recipe: tuple[str, ...]
    toolchain: dict[str, tuple[str, str]]
    columns_gone: tuple[str, ...]
    columns_new: tuple[str, ...]
    rows: tuple[int, int]
    gone: int
    new: int
    changed: int
    columns: dict[str, int]
    examples: tuple[Example, ...]

    @property
    def same(self) -> bool:
        """Whether the datasets hold the same rows, whatever made them."""
        return not (self.gone or self.new or self.changed or self.columns_gone or self.columns_new)

    def to_json(self) -> dict[str, Any]:
        """The difference as a JSON object."""
        return asdict(self) | {"same": self.same}


def diff(first: Dataset, second: Dataset, *, examples: int = 3) -> Diff:
    """Say what changed from one dataset to another.

    Args:
        first: The earlier one.
        second: The later one.
        examples: How many rows to show a text of that differs.

    Raises:
        UserError: A file of one is missing, or is none that irsmith wrote.
    """
    import duckdb

    a, b = (_hashed_names(dataset) for dataset in (first, second))
    common = [name for name in a if name in b and name not in ("id", _MADE_BY)]
    with scratch.folder("diff") as folder:
        config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": str(folder), "threads": 1}
        with duckdb.connect(f"{folder}/diff.duckdb", config=config) as connection:
            # It would stand on stdout, before what the command prints.
            connection.execute("set enable_progress_bar = false")
            for name, dataset in (("a", first), ("b", second)):
                hashes = ", ".join(f'hash("{column}") as "{column}"' for column in common)
                sizes = "".join(f', "{column}" ubigint' for column in common)
                connection.execute(f"create table {name} (id varchar{sizes})")
                for batch in dataset.batches():
                    connection.register("batch", pa.Table.from_batches([batch]))
                    connection.execute(f"insert into {name} select id, {hashes} from batch")
            gone, new = (
                _one(connection, f"select count(*) from {x} anti join {y} using (id)") for x, y in ("ab", "ba")
            )
            differs = {column: f'a."{column}" != b."{column}"' for column in common}
            counted = ", ".join(f"count(*) filter ({test})" for test in differs.values())
            anything = " or ".join(differs.values())
            counts = connection.execute(
                f"select count(*) filter ({anything}), {counted} from a join b using (id)"
            ).fetchone()
            changed = [
                str(found[0])
                for found in connection.execute(
                    f"select id from a join b using (id) where {anything} order by id limit {int(examples)}"
                ).fetchall()
            ]
    numbers = dict(zip(common, (counts or (0,) * (len(common) + 1))[1:], strict=True))
    columns = dict(sorted(((n, c) for n, c in numbers.items() if c), key=lambda pair: (-pair[1], pair[0])))
    versions = first.manifest.version, second.manifest.version
    old, fresh = first.manifest.toolchain, second.manifest.toolchain
    return Diff(
        version=versions if versions[0] != versions[1] else None,
        recipe=tuple(_recipes(first, second)),
        toolchain={
            name: (old.get(name, ""), fresh.get(name, ""))
            for name in dict.fromkeys((*old, *fresh))
            if old.get(name) != fresh.get(name)
        },
        columns_gone=tuple(name for name in a if name not in b),
        columns_new=tuple(name for name in b if name not in a),
        rows=(len(first), len(second)),
        gone=gone,
        new=new,
        changed=counts[0] if counts else 0,
        columns=columns,
        examples=tuple(_examples(first, second, changed, list(columns))),
    )


def _one(connection: Any, query: str) -> int:
    found: int = connection.execute(query).fetchone()[0]
    return found


def _hashed_names(dataset: Dataset) -> list[str]:
    names: list[str] = schema(dataset.stages).names
    return names


def _recipes(first: Dataset, second: Dataset) -> list[str]:
    if len(first.recipes) != len(second.recipes):
        return [f"made of {len(first.recipes)} datasets there, {len(second.recipes)} here"]
    pairs = zip(first.recipes, second.recipes, strict=True)
    return [line for one, other in pairs for line in other.differences(one)]


def _examples(first: Dataset, second: Dataset, ids: Sequence[str], columns: Sequence[str]) -> list[Example]:
    """The first text that differs of some rows, the source before what was made of it."""
    if not ids:
        return []
    one_of, other_of = (_records(dataset, ids, columns) for dataset in (first, second))
    found = []
    for row_id in ids:
        one, other = one_of[row_id], other_of[row_id]
        texts = [name for name in one if isinstance(one[name] or other[name] or [], str) and one[name] != other[name]]
        if texts:
            name = texts[0]
            lines = difflib.unified_diff(
                (one[name] or "").splitlines(), (other[name] or "").splitlines(), lineterm="", n=_CONTEXT
            )
            # Without the two lines that name the files.
            found.append(Example(row_id, name, tuple(lines)[2:]))
    return found


def _records(dataset: Dataset, ids: Sequence[str], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Some rows by their ids, with some columns in the order of all."""
    ordered = [name for name in schema(dataset.stages).names if name in columns]
    return {
        record["id"]: {name: record[name] for name in ordered}
        for batch in dataset.batches(["id", *ordered])
        for record in batch.filter(pc.is_in(batch["id"], value_set=pa.array(ids, pa.string()))).to_pylist()
    }
