"""Deduplication of finished datasets: by structure, and by likeness; within one, and across several."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from irsmith import files
from irsmith.dataset import reading
from irsmith.dataset.assemble import DUPLICATE, Gone
from irsmith.dataset.derive import Part, derive, parts_of
from irsmith.dataset.load import Dataset
from irsmith.dataset.manifest import Manifest
from irsmith.dataset.near import near_duplicates
from irsmith.dataset.repeats import repeats

NEAR_DUPLICATE = "NearDuplicate"
"""The symptom of a row that is much like an earlier row."""


@dataclass(frozen=True, slots=True)
class Alike:
    """A row that an earlier row makes superfluous.

    Attributes:
        part: The number of its part.
        index: Its index.
        row_id: Its id.
        of: The id of the row that stays: their cluster's name.
        similarity: How alike they are, as estimated; 1 where their structures are the same.
        exact: Whether their structures are the same.
    """

    part: int
    index: int
    row_id: str
    of: str
    similarity: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Clusters:
    """What deduplication found.

    Attributes:
        rows: Rows looked at.
        threshold: From which similarity on rows are near-duplicates; None where only structures were compared.
        found: The rows that earlier ones make superfluous, in order.
    """

    rows: int
    threshold: float | None
    found: tuple[Alike, ...]

    @property
    def exact(self) -> int:
        """Rows whose structure an earlier one has."""
        return sum(item.exact for item in self.found)

    @property
    def sizes(self) -> dict[int, int]:
        """How many clusters of two rows or more there are of each size."""
        members = Counter(item.of for item in self.found)
        return dict(sorted(Counter(size + 1 for size in members.values()).items()))

    def largest(self, number: int) -> list[tuple[str, list[Alike]]]:
        """The clusters with the most rows: the row that stays, and the others."""
        members: dict[str, list[Alike]] = defaultdict(list)
        for item in self.found:
            members[item.of].append(item)
        return sorted(members.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:number]

    def gone(self) -> dict[int, dict[int, Gone]]:
        """The rows to leave out, for `derive`."""
        result: dict[int, dict[int, Gone]] = defaultdict(dict)
        for item in self.found:
            result[item.part][item.index] = (
                Gone(DUPLICATE, f"has the structure of {item.of}")
                if item.exact
                else Gone(NEAR_DUPLICATE, f"is {item.similarity:.2f} alike to {item.of}")
            )
        return result


def clusters(
    datasets: Sequence[Dataset],
    *,
    threshold: float | None = None,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Clusters:
    """Find the rows of some datasets that an earlier row makes superfluous.

    Args:
        datasets: In the order of precedence: of two alike the earlier one's row stays.
        threshold: From which similarity on rows are near-duplicates; None to compare structures only.
        workers: Processes. They do not change what is found.
        on_progress: Called with the number of rows looked at.

    Raises:
        UserError: The threshold is none, the library for near-duplicates is not installed, or a file of rows is
            damaged.
    """
    for dataset in datasets:
        dataset.check_intact()
    parts = parts_of(datasets)
    paths = [part.path for part in parts]
    found = {(r.part, r.index): Alike(r.part, r.index, r.row_id, r.of, 1.0, True) for r in repeats(paths)}
    if threshold is not None:
        near = near_duplicates(paths, threshold, workers=workers, on_progress=on_progress)
        located = _located(parts, {place for item in near for place in (item.place, item.of)})
        for item in near:
            part, row_id, index = located[item.place]
            kept = located[item.of]
            # A repeat that is found alike to something else than what it repeats is a repeat all the same.
            if (kept[0], kept[2]) not in found:
                found.setdefault((part, index), Alike(part, index, row_id, kept[1], item.similarity, False))
    # What an exact repeat repeats may itself be near to an earlier row.
    stays = {item.row_id: item.of for item in found.values() if not item.exact}
    ordered = tuple(replace(found[key], of=stays.get(found[key].of, found[key].of)) for key in sorted(found))
    return Clusters(sum(part.shard.rows for part in parts), threshold, ordered)


def _located(parts: Sequence[Part], places: set[int]) -> dict[int, tuple[int, str, int]]:
    """The part, id and index of rows, by their places among all. Each part is read once."""
    found: dict[int, tuple[int, str, int]] = {}
    wanted = sorted(places)
    first = 0
    for number, part in enumerate(parts):
        end = first + part.shard.rows
        mine = wanted[bisect_left(wanted, first) : bisect_left(wanted, end)]
        if mine:
            table = reading.columns(part.path, ["id", "index"]).take([place - first for place in mine])
            rows = zip(mine, table["id"].to_pylist(), table["index"].to_pylist(), strict=True)
            found |= {place: (number, row_id, index) for place, row_id, index in rows}
        first = end
    return found


def write_clusters(path: Path, found: Clusters) -> None:
    """Write the clusters as Parquet to join with the rows: a line for each row that an earlier one is like."""
    table = pa.table(
        {
            "id": pa.array([item.row_id for item in found.found], pa.string()),
            "cluster": pa.array([item.of for item in found.found], pa.string()),
            "similarity": pa.array([item.similarity for item in found.found], pa.float64()),
            "exact": pa.array([item.exact for item in found.found], pa.bool_()),
        }
    )
    files.write(path, lambda aside: pq.write_table(table, aside))


def without_duplicates(datasets: Sequence[Dataset], out: Path, command: str, found: Clusters) -> Manifest:
    """Write a dataset of the rows of others that no earlier row makes superfluous.

    Args:
        datasets: Those that were looked at.
        out: The folder to make. It must not exist.
        command: What the manifest says made it: ``merge`` or ``dedup``.
        found: What was found in them.

    Raises:
        UserError: As for `derive`.
    """
    return derive(datasets, out, command, {"near": found.threshold}, found.gone())
