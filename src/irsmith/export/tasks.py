"""Tasks of the training forms: which of a row's texts a model is given, and which it should answer.

A task is spelled ``FROM:TO``. Either end is ``source`` (the Python), a stage (``cpp``: its forward functions), or a
stage's adjoint (``cpp.backward``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from irsmith.dataset.load import Dataset
from irsmith.errors import UserError, nearest
from irsmith.export.rows import Record
from irsmith.frontends.base import Stage
from irsmith.templates import DEFAULTS, Template

SOURCE = "source"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a task: the Python where ``stage`` is None, else a direction of a stage."""

    stage: Stage | None = None
    direction: str = "forward"

    @property
    def language(self) -> str:
        """What the text is written in."""
        return "python" if self.stage is None else self.stage.language

    @property
    def title(self) -> str:
        """What a template calls the text."""
        return "Python source" if self.stage is None else f"{self.stage.name} {self.direction} code"

    def text(self, row: Record) -> str | None:
        """The text of a row; None where it has none."""
        if self.stage is None:
            found: str = row["python_source"]
            return found
        return self.stage.functions(row, self.direction)


@dataclass(frozen=True, slots=True)
class Task:
    """What a model is given and what it should answer, with the words around both."""

    name: str
    given: End
    wanted: End
    template: Template

    @property
    def stages(self) -> set[str]:
        """The stages whose texts it takes."""
        return {end.stage.name for end in (self.given, self.wanted) if end.stage is not None}

    def example(self, row: Record) -> dict[str, str] | None:
        """The filled template for a row; None where the row lacks one of the texts."""
        texts = self.given.text(row), self.wanted.text(row)
        if texts[0] is None or texts[1] is None:
            return None
        values = {
            "input": texts[0].strip("\n"),
            "output": texts[1].strip("\n"),
            "from": self.given.title,
            "to": self.wanted.title,
            "from_language": self.given.language,
            "to_language": self.wanted.language,
        }
        columns = ("frontend", "toolchain", "name", "category", "description")
        return self.template.fill(values | {name: row[name] for name in columns})


def of(dataset: Dataset, names: Sequence[str], templates: dict[str, Template]) -> list[Task]:
    """The tasks of those names, or all that the dataset's stages allow where none is named.

    Raises:
        UserError: A name is no task, no frontend's rows have both its texts, or a template's task is none.
    """
    stages = {stage.name: stage for stage in dataset.stages}
    for name in templates:
        if name not in DEFAULTS:
            _ends(name, stages)
    found = [_task(name, stages, templates) for name in dict.fromkeys(names or _every(dataset))]
    for task in found:
        if not any(task.stages <= {s.name for s in dataset.stages_of(name)} for name in dataset.frontends):
            raise UserError(f"task {task.name!r}: its ends are stages of different frontends: no row has both")
    return found


def _task(name: str, stages: dict[str, Stage], templates: dict[str, Template]) -> Task:
    given, wanted = _ends(name, stages)
    if given.stage is not None and given.stage is wanted.stage:
        kind = "forward:backward"
    else:
        kind = f"{'stage' if given.stage else SOURCE}:{'stage' if wanted.stage else SOURCE}"
    return Task(name, given, wanted, templates.get(name) or templates.get(kind) or DEFAULTS[kind])


def _ends(name: str, stages: dict[str, Stage]) -> tuple[End, End]:
    ends = name.split(":")
    if len(ends) != 2 or ends[0] == ends[1]:
        raise UserError(f"task {name!r}: write FROM:TO, such as {next(_all(list(stages)))!r}")
    return _end(ends[0], stages), _end(ends[1], stages)


def _end(name: str, stages: dict[str, Stage]) -> End:
    if name == SOURCE:
        return End()
    stage, _, direction = name.partition(".")
    if stage not in stages or direction not in ("", "forward", "backward"):
        known = [SOURCE, *stages, *(f"{each}.backward" for each in stages)]
        raise UserError(f"task: {name!r} is no text of this dataset: {nearest(name, known)}")
    return End(stages[stage], direction or "forward")


def _every(dataset: Dataset) -> Iterator[str]:
    for frontend in dataset.frontends:
        yield from _all([stage.name for stage in dataset.stages_of(frontend)])


def _all(stages: list[str]) -> Iterator[str]:
    for stage in stages:
        yield f"{SOURCE}:{stage}"
    for stage in stages:
        yield f"{stage}:{SOURCE}"
    for first, second in pairwise(stages):
        yield f"{first}:{second}"
    for stage in stages:
        yield f"{stage}:{stage}.backward"
