"""The figures of a report, counted from a dataset's files in batches."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

from irsmith.dataset import measured
from irsmith.dataset.load import Dataset
from irsmith.dataset.parts import rejects_file, sidecar_file
from irsmith.report.coverage import Coverage
from irsmith.row import METRICS

CURVE = 60
"""Points of the curve of structures over rows."""
EXAMPLES = 2
"""Rejects of each reason that are shown."""
SHOWN_SOURCE = 4_000
"""Characters of a reject's source that are shown."""


@dataclass(slots=True)
class Reason:
    """Rejects of one reason: how many, and the first few whole."""

    rows: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Figures:
    """What a report shows of a dataset.

    Attributes:
        rows: Rows delivered.
        tried: Indices tried.
        bytes: Of the data files.
        structures: Distinct structures.
        skeletons: Distinct skeletons.
        categories: Category and split to rows.
        frontends: Frontend and split to rows.
        curve: Rows so far and distinct structures so far.
        metrics: Figure of size or complexity to its values, each with its rows.
        difficulty: Difficulty and split to rows.
        tags: Rows by tag.
        lengths: Text column to lengths in bytes, by powers of the square root of two, each with its rows.
        texts: Text column to rows, mean and greatest length in bytes.
        coverage: Builtins and types, of a sample of the rows.
        verdicts: Check and status to rows.
        wrong: Reasons why adjoints are wrong, to rows.
        uncovered: Rows with a way that no input took.
        margins: Direction to the shares of its tolerance that rows used, as a power of ten, each with its rows.
        exact: Direction to rows without any error.
        rejects: By reason, the most frequent first.
    """

    rows: int
    tried: int
    bytes: int
    structures: int = 0
    skeletons: int = 0
    categories: Counter[tuple[str, str]] = field(default_factory=Counter)
    frontends: Counter[tuple[str, str]] = field(default_factory=Counter)
    curve: list[tuple[int, int]] = field(default_factory=list)
    metrics: dict[str, Counter[int]] = field(default_factory=dict)
    difficulty: Counter[tuple[int, str]] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, Counter[int]] = field(default_factory=dict)
    texts: dict[str, tuple[int, float, int]] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    uncovered: int = 0
    margins: dict[str, Counter[int]] = field(default_factory=dict)
    exact: Counter[str] = field(default_factory=Counter)
    rejects: dict[str, Reason] = field(default_factory=dict)

    def category_rows(self) -> list[tuple[str, int]]:
        """Rows by category, the most frequent first."""
        total: Counter[str] = Counter()
        for (category, _), rows in self.categories.items():
            total[category] += rows
        return sorted(total.items(), key=lambda item: (-item[1], item[0]))

    def text_rows(self) -> list[tuple[str, int, str, int]]:
        """The sizes of texts as lines of a table."""
        return [(name, rows, f"{mean:.0f}", longest) for name, (rows, mean, longest) in self.texts.items()]


def gather(dataset: Dataset) -> Figures:
    """Count what a report shows."""
    manifest = dataset.manifest
    figures = Figures(manifest.rows, manifest.tried, manifest.bytes)
    _rows(dataset, figures)
    _texts(dataset, figures)
    figures.coverage = Coverage.of(dataset)
    _margins(dataset, figures)
    for reject in _rejects(dataset):
        reason = figures.rejects.setdefault(f"{reject['step']}: {reject['symptom']}", Reason())
        reason.rows += 1
        if len(reason.examples) < EXAMPLES:
            reason.examples.append(reject | {"source": reject["source"][:SHOWN_SOURCE]})
    figures.rejects = dict(sorted(figures.rejects.items(), key=lambda item: (-item[1].rows, item[0])))
    return figures


def _rows(dataset: Dataset, figures: Figures) -> None:
    identity = ["frontend", "category", "split", "structure_id", "skeleton_id"]
    columns = [*identity, "difficulty", "tags", "verdicts", "uncovered", *METRICS]
    structures: set[bytes] = set()
    skeletons: set[bytes] = set()
    figures.metrics = {name: Counter() for name in METRICS}
    step = max(1, math.ceil(figures.rows / CURVE))
    figures.curve.append((0, 0))
    done = 0
    for batch in dataset.batches(columns):
        figures.categories.update(zip(batch["category"].to_pylist(), batch["split"].to_pylist(), strict=True))
        for identity in batch["structure_id"].to_pylist():
            structures.add(bytes.fromhex(identity))
            done += 1
            if done % step == 0 or done == figures.rows:
                figures.curve.append((done, len(structures)))
        skeletons.update(map(bytes.fromhex, batch["skeleton_id"].to_pylist()))
        for name in METRICS:
            figures.metrics[name].update(batch[name].to_pylist())
        figures.difficulty.update(zip(batch["difficulty"].to_pylist(), batch["split"].to_pylist(), strict=True))
        figures.tags.update(tag for tags in batch["tags"].to_pylist() for tag in tags)
        figures.frontends.update(zip(batch["frontend"].to_pylist(), batch["split"].to_pylist(), strict=True))
        figures.uncovered += sum(map(bool, batch["uncovered"].to_pylist()))
        for verdicts in batch["verdicts"].to_pylist():
            for verdict in verdicts:
                figures.verdicts[verdict["check"], verdict["status"]] += 1
                if verdict["status"] == "compiler_wrong":
                    figures.wrong[verdict["reason"]] += 1
    figures.structures, figures.skeletons = len(structures), len(skeletons)


def _texts(dataset: Dataset, figures: Figures) -> None:
    columns = ["python_source", *(column for stage in dataset.stages for column in stage.columns())]
    total, longest = (dict.fromkeys(columns, 0) for _ in range(2))
    figures.lengths = {name: Counter() for name in columns}
    for batch in dataset.batches(columns):
        for name in columns:
            lengths = [length for length in pc.binary_length(batch[name]).to_pylist() if length]
            figures.lengths[name].update(round(2 * math.log2(length)) for length in lengths)
            total[name] += sum(lengths)
            longest[name] = max([longest[name], *lengths])
    for name, counted in figures.lengths.items():
        rows = counted.total()
        figures.texts[name] = (rows, total[name] / max(rows, 1), longest[name])


def _margins(dataset: Dataset, figures: Figures) -> None:
    """How much of its tolerance each row used, in quarters of a power of ten."""
    names = ("forward", "backward")
    figures.margins = {name: Counter() for name in names}
    for shard in dataset.manifest.shards:
        path = dataset.root / sidecar_file(shard.config, shard.first)
        if not path.exists():
            continue
        table = measured.read(path)
        for name in names:
            pairs = zip(*(table[f"{name}_{what}"].to_pylist() for what in ("error", "tolerance")), strict=True)
            for error, tolerance in pairs:
                if error == 0:
                    figures.exact[name] += 1
                elif error is not None and math.isfinite(error) and tolerance > 0:
                    figures.margins[name][round(4 * (math.log10(error) - math.log10(tolerance)))] += 1


def _rejects(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for shard in dataset.manifest.shards:
        path = dataset.root / rejects_file(shard.config, shard.first)
        if path.exists():
            with path.open(encoding="utf-8") as file:
                yield from map(json.loads, file)
