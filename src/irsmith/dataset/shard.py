"""One shard: the rows of an index range, made and written; the unit of work and of resuming."""

from __future__ import annotations

import gc
import json
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from irsmith import apart, files
from irsmith.dataset import measured
from irsmith.dataset.parts import (
    data_file,
    reject_record,
    rejects_file,
    sidecar_file,
    write_parquet,
    write_rejects,
)
from irsmith.errors import UserError
from irsmith.outcome import Reject
from irsmith.pipeline import Pipeline
from irsmith.places import Place, size
from irsmith.recipe import Recipe
from irsmith.row import Row, to_table
from irsmith.verify import Measurements

MARKERS = ".irsmith"
"""The folder of the notes that say which shards of an unfinished run are done."""
CHUNK = 50
"""Kernels that are proved together, and between two notes of progress."""


@dataclass(frozen=True, slots=True)
class Task:
    """An index range of a recipe, to be written below a dataset's folder.

    Attributes:
        recipe: Whose kernels.
        root: The dataset's folder.
        first: The first index.
        last: The index after the last.
        versions: What must make it, where another machine may do so; None where it is this one.
    """

    recipe: Recipe
    root: Place
    first: int
    last: int
    versions: tuple[tuple[str, str], ...] | None = None

    def __str__(self) -> str:
        return f"indices {self.first} to {self.last - 1}"


@dataclass(frozen=True, slots=True)
class Shard:
    """What a finished shard holds.

    Attributes:
        config: Which rows these are: those of a frontend, or those of it that people wrote.
        first: The first index.
        tried: The number of indices.
        rows: The number of rows, of which the data file has one each.
        sha256: Of the data file.
        bytes: Of the data file.
        rejected: The indices that did not become a row, in order.
        dropped: The indices whose row was taken out again when the shards were put together, in order.
        reasons: Rejects by reason.
        rejects_sha256: Of the file of rejects; empty where there are none.
        verdicts: How often each check ended how, as ``check: status``.
        difficulty: Rows by difficulty, as text.
        tags: Rows by tag.
    """

    config: str
    first: int
    tried: int
    rows: int
    sha256: str
    bytes: int
    rejected: tuple[int, ...]
    reasons: dict[str, int]
    rejects_sha256: str
    verdicts: dict[str, int] = field(default_factory=dict)
    difficulty: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    dropped: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """The index after its last one."""
        return self.first + self.tried

    @property
    def file(self) -> Path:
        """Where its rows stand, below the dataset's folder."""
        return data_file(self.config, self.first)

    def to_json(self) -> dict[str, object]:
        """The shard as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, table: dict[str, object]) -> Shard:
        """The shard of a JSON object that `to_json` made."""
        values = dict(table)
        values |= {name: tuple(table[name]) for name in ("rejected", "dropped")}  # type: ignore[arg-type]
        return cls(**values)  # type: ignore[arg-type]


def marker_file(first: int) -> Path:
    """The note that a shard is finished, below the dataset's folder, until the manifest says so."""
    return Path(MARKERS, f"{first:09d}.json")


def begun_file(first: int) -> Path:
    """The note that a shard was begun, below the dataset's folder: its maker has died if it finds one."""
    return Path(MARKERS, f"begun-{first:09d}")


@cache
def _pipeline(recipe: Recipe, root: Place) -> Pipeline:
    return Pipeline(recipe, root)


def make(task: Task, on_progress: Callable[[int], None]) -> Shard:
    """Make and write a shard: its rows, its rejects, and last the marker that says that both are there."""
    pipeline = _pipeline(task.recipe, task.root)
    wanted = dict(task.versions) if task.versions is not None else pipeline.versions
    if pipeline.versions != wanted:
        others = [f"{name} {has}, not {wanted.get(name)}" for name, has in pipeline.versions.items()]
        differing = [
            text
            for text, name in zip(others, pipeline.versions, strict=True)
            if pipeline.versions[name] != wanted.get(name)
        ]
        raise UserError(f"{platform.node()}: has {'; '.join(differing)}: all nodes need the versions of the first")
    begun = task.root / begun_file(task.first)
    died = begun.exists()
    if not died:
        files.write_text(begun, "begun\n")
    rows: list[Row] = []
    rejects: list[tuple[int, Reject]] = []
    measures: list[tuple[Row, Measurements]] = []
    for first in range(task.first, task.last, CHUNK):
        with _garbage_collected_at_the_end():
            made: list[Row] = []
            for index, outcome in _rows(pipeline, range(first, min(first + CHUNK, task.last)), died):
                if isinstance(outcome, Reject):
                    rejects.append((index, outcome))
                else:
                    made.append(outcome)
            for row, (proved, measurements) in zip(made, pipeline.proved(made), strict=True):
                if isinstance(proved, Reject):
                    rejects.append((row.index, proved))
                else:
                    rows.append(proved)
                    measures.append((proved, measurements))
        on_progress(min(first + CHUNK, task.last) - task.first)
    table = to_table(rows, pipeline.stages)
    rejects.sort(key=lambda reject: reject[0])
    config = task.recipe.config
    data = task.root / data_file(config, task.first)
    checksum = files.write(data, lambda aside: write_parquet(table, aside))
    lines = [reject_record(index, reject) for index, reject in rejects]
    shard = Shard(
        config=config,
        first=task.first,
        tried=task.last - task.first,
        rows=table.num_rows,
        sha256=checksum,
        bytes=size(data),
        rejected=tuple(index for index, _ in rejects),
        reasons=dict(sorted(Counter(reject.reason for _, reject in rejects).items())),
        rejects_sha256=write_rejects(task.root / rejects_file(config, task.first), lines),
        verdicts=dict(sorted(Counter(f"{v.check}: {v.status}" for row in rows for v in row.verdicts).items())),
        difficulty=dict(sorted(Counter(str(row.traits.difficulty) for row in rows).items())),
        tags=dict(sorted(Counter(tag for row in rows for tag in row.traits.tags).items())),
    )
    if task.recipe.verify == "full":
        measured.write(task.root / sidecar_file(config, task.first), measured.table_of(measures))
    write_marker(task.root, shard)
    begun.unlink(missing_ok=True)
    return shard


def _rows(pipeline: Pipeline, indices: Iterable[int], died: bool) -> Iterator[tuple[int, Row | Reject]]:
    """The outcomes of some indices: made here, or in a process apart where one of them has ended another.

    Args:
        pipeline: The recipe's.
        indices: Which.
        died: Whether a process has died of making them.
    """
    with ExitStack() as stack:
        other: apart.Apart | None = None
        for index in indices:
            outcome = None
            if not died:
                with apart.watched(), apart.bounded():
                    outcome = pipeline.row(index)
            if outcome is None or apart.short_of_memory(outcome):
                other = other or stack.enter_context(apart.Apart(pipeline))
                outcome = other.row(index)
            yield index, outcome


def write_marker(root: Place, shard: Shard) -> None:
    """Note that a shard's files are as the shard says."""
    files.write_text(root / marker_file(shard.first), json.dumps(shard.to_json()))


@contextmanager
def _garbage_collected_at_the_end() -> Iterator[None]:
    """Keep Python from looking for cyclic garbage until a shard is made, and then look once.

    A compiler makes many objects that live for one kernel and few cycles: to walk everything that lives each
    time so many were made costs more than the cycles weigh. What survives a shard is code and tables, which no
    later search need walk.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def verified(root: Place, shard: Shard) -> bool:
    """Whether the files of a shard are there and hold what they held when it was finished."""
    pairs = [(shard.file, shard.sha256)]
    if shard.rejects_sha256:
        pairs.append((rejects_file(shard.config, shard.first), shard.rejects_sha256))
    return all((root / path).is_file() and files.sha256(root / path) == checksum for path, checksum in pairs)
