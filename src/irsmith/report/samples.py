"""Rows to look at: Python beside what it became, with the lines that belong together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from irsmith.dataset.load import Dataset
from irsmith.report.highlight import highlighted
from irsmith.row import Row

COUNT = 8
"""Rows shown."""
LONGEST = 60
"""Lines of a kernel that is shown, at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text as HTML, and the line of the Python that it came from; None where no line is known."""

    html: str
    python_line: int | None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with a heading, by lines."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A row to look at; ``first`` is the place of the text that is shown at first."""

    row: Row
    python: Text
    texts: tuple[Text, ...]
    first: int

    @property
    def linked(self) -> bool:
        """Whether any line of a text is known to come from one of the Python."""
        return bool(self.row.lines)


def choose(dataset: Dataset) -> list[Sample]:
    """Rows of different frontends and categories, each of about the median length of its category."""
    lengths: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for row in dataset.records(["id", "frontend", "category", "lines"]):
        if row["lines"] <= LONGEST:
            lengths[row["frontend"], row["category"]].append((row["lines"], row["id"]))
    middle = {category: sorted(found)[len(found) // 2][1] for category, found in sorted(lengths.items())}
    step = max(1, -(-len(middle) // COUNT))
    return [_sample(dataset, dataset.row(row_id)) for row_id in list(middle.values())[::step][:COUNT]]


def _sample(dataset: Dataset, row: Row) -> Sample:
    stages = dataset.stages_of(row.frontend)
    lines = highlighted(row.kernel.source, "python")
    # Only what a line of a text came from is linked.
    linked = {span.python_line for span in row.lines}
    python = tuple(Line(html, number if number in linked else None) for number, html in enumerate(lines, 1))
    texts = [
        _text(row, f"{stage.name}_{part.name}", stage.language)
        for stage in stages
        for part in stage.parts
        if not part.scaffold and row.texts[f"{stage.name}_{part.name}"]
    ]
    kernels = {f"{stage.name}_forward" for stage in stages}
    first = next((place for place, text in enumerate(texts) if text.title in kernels), 0)
    return Sample(row, Text("python_source", python), tuple(texts), first)


def _text(row: Row, column: str, language: str) -> Text:
    came_from = {
        number: span.python_line
        for span in row.lines
        if span.column == column
        for number in range(span.first, span.last + 1)
    }
    lines = highlighted(row.texts[column] or "", language)
    return Text(column, tuple(Line(html, came_from.get(number)) for number, html in enumerate(lines, 1)))
