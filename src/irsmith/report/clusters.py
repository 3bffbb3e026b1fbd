"""Rows that are nearly the same."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.dataset.load import Dataset
from irsmith.dataset.near import THRESHOLD, near_duplicates

MOST = 50_000
"""Rows up to which a report looks for near-duplicates; beyond, that is a command's work."""
SHOWN = 20
"""Clusters that are shown, the largest ones."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rows that are like an earlier one.

    Attributes:
        row_id: The earliest row.
        others: The rows like it.
        similarity: How alike the least alike of them is, as estimated.
    """

    row_id: str
    others: tuple[str, ...]
    similarity: float

    @property
    def size(self) -> int:
        """The rows of the cluster."""
        return len(self.others) + 1

    def line(self) -> tuple[str, int, str]:
        """The cluster as a line of a table."""
        return self.row_id, len(self.others), f"{self.similarity:.2f}"


def clusters(dataset: Dataset, threshold: float = THRESHOLD) -> list[Cluster] | None:
    """The clusters of a dataset at a similarity, the largest first; None where it is too large for a report."""
    if len(dataset) > MOST:
        return None
    found: dict[int, list[tuple[int, float]]] = {}
    for near in near_duplicates([dataset.root / shard.file for shard in dataset.manifest.shards], threshold):
        found.setdefault(near.of, []).append((near.place, near.similarity))
    ids = [row["id"] for row in dataset.records(["id"])] if found else []
    made = [
        Cluster(ids[first], tuple(ids[place] for place, _ in others), min(similarity for _, similarity in others))
        for first, others in found.items()
    ]
    return sorted(made, key=lambda cluster: (-cluster.size, cluster.row_id))
