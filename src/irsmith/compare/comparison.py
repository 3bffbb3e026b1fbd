"""Two corpora side by side: datasets, or folders of code."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from irsmith.compare.features import FEATURES, Sample, samples
from irsmith.dataset.load import load
from irsmith.dataset.manifest import FILE as MANIFEST
from irsmith.errors import UserError
from irsmith.structure import describe


@dataclass(frozen=True, slots=True)
class Feature:
    """How one feature is distributed in two corpora.

    Attributes:
        distance: The Jensen–Shannon distance: 0 for the same, 1 for nothing in common.
        counts: Each value with how often it occurs in the one and in the other.
    """

    distance: float
    counts: dict[str, tuple[int, int]]

    def shares(self, most: int = 20) -> list[tuple[str, float, float]]:
        """The most frequent values with their shares of all occurrences; numbers in their order."""
        totals = [max(1, sum(pair[side] for pair in self.counts.values())) for side in (0, 1)]
        rows = [(value, pair[0] / totals[0], pair[1] / totals[1]) for value, pair in self.counts.items()]
        if all(value.strip().isdigit() for value in self.counts):
            return sorted(rows, key=lambda row: int(row[0]))[:most]
        return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))[:most]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two corpora side by side.

    Attributes:
        names: What they are called.
        kernels: How many kernels each has.
        structures: How many distinct structures each has.
        common_structures: Structures that both have.
        common_skeletons: Skeletons that both have.
        features: What is compared, by feature.
        lacking: Builtins that the one uses and the other never does, with their kernels, the most used first: those
            of the first that the second lacks, and the other way round.
    """

    names: tuple[str, str]
    kernels: tuple[int, int]
    structures: tuple[int, int]
    common_structures: int
    common_skeletons: int
    features: dict[str, Feature]
    lacking: tuple[dict[str, int], dict[str, int]]

    @property
    def distance(self) -> float:
        """The mean of the features' distances."""
        return statistics.mean(feature.distance for feature in self.features.values())

    def to_json(self) -> dict[str, Any]:
        """The comparison as a JSON object."""
        return {"distance": self.distance, **asdict(self)}


def distance(a: Counter[str], b: Counter[str]) -> float:
    """The Jensen–Shannon distance of two distributions, with logarithms to base 2: 0 to 1."""
    keys = sorted({*a, *b})
    p = np.array([a[key] for key in keys], float) / max(1, sum(a.values()))
    q = np.array([b[key] for key in keys], float) / max(1, sum(b.values()))
    middle = (p + q) / 2

    def divergence(x: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        seen = x > 0
        return float((x[seen] * np.log2(x[seen] / middle[seen])).sum())

    return float(np.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2)))


def corpus(path: str | os.PathLike[str]) -> list[Sample]:
    """The kernels of a dataset, or of the Python files below a folder, which are parsed and not executed.

    Raises:
        UserError: There is no such folder, or no kernel in it.
    """
    root = Path(path)
    if not root.is_dir():
        raise UserError(f"{root}: neither a dataset nor a folder of code")
    found = _of_dataset(root) if (root / MANIFEST).exists() else _of_folder(root)
    if not found:
        raise UserError(f"{root}: no kernels in it")
    return found


def _of_dataset(root: Path) -> list[Sample]:
    columns = ["name", "category", "python_source", "structure_id", "skeleton_id"]
    found = []
    for record in load(root).records(columns):
        of_row = samples(record["python_source"], record["category"])
        mine = [sample for sample in of_row if sample.node.name == record["name"]] or of_row[-1:]
        found += [sample.known(record["structure_id"], record["skeleton_id"]) for sample in mine[-1:]]
    return found


def _of_folder(root: Path) -> list[Sample]:
    found = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for sample in samples(text, "real"):
            try:
                told = describe(text, sample.node.name)
            except ValueError:
                found.append(sample)
                continue
            found.append(sample.known(told.structure_id, told.skeleton_id))
    return found


def compare(first: Sequence[Sample], second: Sequence[Sample], names: tuple[str, str] = ("A", "B")) -> Comparison:
    """Count two corpora side by side.

    Args:
        first: The kernels of the one.
        second: The kernels of the other.
        names: What to call them.
    """
    features = {}
    for name, read in FEATURES.items():
        a, b = (Counter(value for sample in side for value in read(sample)) for side in (first, second))
        features[name] = Feature(distance(a, b), {value: (a[value], b[value]) for value in sorted({*a, *b})})
    structures = [{s.structure_id for s in side if s.structure_id} for side in (first, second)]
    skeletons = [{s.skeleton_id for s in side if s.skeleton_id} for side in (first, second)]
    used = [Counter(name for s in side for name in set(FEATURES["builtins"](s))) for side in (first, second)]
    return Comparison(
        names=names,
        kernels=(len(first), len(second)),
        structures=(len(structures[0]), len(structures[1])),
        common_structures=len(structures[0] & structures[1]),
        common_skeletons=len(skeletons[0] & skeletons[1]),
        features=features,
        lacking=(_lacking(used[0], used[1]), _lacking(used[1], used[0])),
    )


def _lacking(used: Counter[str], known: Counter[str]) -> dict[str, int]:
    return {name: times for name, times in used.most_common() if name not in known}
