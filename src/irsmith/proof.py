"""Prove the rows of a dataset again, from its files and the pinned toolchain alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import groupby, islice

from irsmith.apart.sealed import Sealed
from irsmith.dataset.load import Dataset
from irsmith.errors import UserError
from irsmith.outcome import Reject
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.row import Row
from irsmith.verdict import Status, Verdict
from irsmith.verify import Verified
from irsmith.verify.case import DEVICE

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that does not bear out what it says.

    Attributes:
        row_id: Which row.
        what: What was found, against what the row says.
    """

    row_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What proving a dataset again found.

    Attributes:
        rows: Rows looked at.
        verdicts: How often each check ended how, as ``check: status``.
        withheld: Rows whose adjoint was proved wrong and is not in the dataset, so that it cannot be run again.
        faults: Rows that do not bear out what they say.
    """

    rows: int
    verdicts: dict[str, int]
    withheld: int
    faults: tuple[Fault, ...]


def prove(
    dataset: Dataset,
    *,
    sample: int | None = None,
    device: bool = False,
    texts_only: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Proof:
    """Lower the rows of a dataset again, compile and run them in worker processes, and compare with what they carry.

    Args:
        dataset: The dataset.
        sample: How many rows to look at, the same ones each time; by default all.
        device: Whether the texts for the accelerator are run on this machine's accelerator too. Verdicts of rows
            that were once run on one are repeated only then.
        texts_only: Whether to compare the texts alone: nothing is compiled or run, and no verdict is repeated.
        on_progress: Called now and then with the number of rows done.

    Raises:
        UserError: The frontend is not installed, or not in the version that was tested, or there is no accelerator, or
            the rows hold no text that a row is proved by.
    """
    pipelines: dict[Recipe, Pipeline] = {}
    for recipe in dataset.recipes:
        if not texts_only and not any(s.proves for s in dataset.stages_of(recipe.frontend) if s.name in recipe.stages):
            raise UserError(
                f"{dataset.place}: holds rows of {', '.join(recipe.stages)} alone, which cannot be proved: "
                "compare their texts with --texts"
            )
        level = recipe.verify if recipe.verify != "none" or texts_only else "full"
        pipeline = Pipeline(replace(recipe, verify=level, checks=replace(recipe.checks, device=device)))
        pipeline.frontend.toolchain()
        pipeline.require_device()
        pipelines[recipe] = pipeline
    counts: Counter[str] = Counter()
    faults: list[Fault] = []
    rows = withheld = 0
    with ExitStack() as stack:
        lowerings = {recipe: _Lowering(pipeline, stack) for recipe, pipeline in pipelines.items()}
        for recipe, batch in _batches(dataset, _chosen(dataset, sample)):
            outcomes = [None] * len(batch) if texts_only else pipelines[recipe].verifier.verify(batch)
            for row, outcome in zip(batch, outcomes, strict=True):
                rows += 1
                if isinstance(outcome, Reject):
                    faults.append(Fault(row.id, f"{outcome.reason}: {outcome.message}"))
                    continue
                faults.extend(lowerings[recipe].faults(row))
                withheld += _withheld(row)
                if outcome is not None:
                    counts.update(f"{verdict.check}: {verdict.status}" for verdict in outcome.verdicts)
                    faults.extend(_differences(row, outcome, device=device))
            on_progress(rows)
    return Proof(rows, dict(sorted(counts.items())), withheld, tuple(faults))


class _Lowering:
    """Lowers the sources of a pipeline's rows again, in a process that executes them sealed off.

    What a compiler makes of another stage's text is made of what came of that.
    """

    def __init__(self, pipeline: Pipeline, stack: ExitStack) -> None:
        self._frontend = pipeline.frontend
        self._derived = [stage for stage in pipeline.stages if stage.of]
        wanted = {stage.of or stage.name for stage in pipeline.stages}
        lowered = [stage for stage in pipeline.frontend.stages if stage.name in wanted]
        self._sealed = stack.enter_context(Sealed(pipeline.frontend, lowered))

    def faults(self, row: Row) -> Iterator[Fault]:
        """What comes of a row other than it says."""
        again = self._sealed.texts(row.kernel)
        if isinstance(again, str):
            yield Fault(row.id, f"its source does not lower: {again}")
            return
        found = dict(again)
        for stage in self._derived:
            made = self._frontend.derived(row.kernel, stage, {**row.texts, **found})
            if isinstance(made, Reject):
                yield Fault(row.id, f"its {stage.of} text does not compile to {stage.name}: {made.message}")
                continue
            found |= made
        for column, text in found.items():
            if column not in row.texts:
                continue
            if row.texts[column] != text and not (row.texts[column] is None and _withheld(row)):
                yield Fault(row.id, f"{column}: its source lowers to another text")


def _chosen(dataset: Dataset, sample: int | None) -> Iterator[Row]:
    if sample is None:
        yield from dataset
        return
    ids = [record["id"] for record in dataset.records(["id"])]
    picked = set(sorted(ids, key=lambda row_id: blake2b(row_id.encode()).digest())[:sample])
    yield from (row for row in dataset if row.id in picked)


def _batches(dataset: Dataset, rows: Iterator[Row]) -> Iterator[tuple[Recipe, list[Row]]]:
    """Successive rows that one recipe made."""
    for recipe, mine in groupby(rows, dataset.recipe_of):
        while batch := list(islice(mine, _BATCH)):
            yield recipe, batch


def _withheld(row: Row) -> bool:
    says = _verdict(row.verdicts, "backward")
    return says is not None and says.status is Status.COMPILER_WRONG and _has_no_adjoint(row)


def _has_no_adjoint(row: Row) -> bool:
    return not any(text for column, text in row.texts.items() if column.endswith("_backward"))


def _verdict(verdicts: tuple[Verdict, ...], check: str) -> Verdict | None:
    return next((verdict for verdict in verdicts if verdict.check == check), None)


def _differences(row: Row, outcome: Verified, *, device: bool) -> Iterator[Fault]:
    for says in row.verdicts:
        if says.check.endswith(f"_{DEVICE}") and not device:
            continue
        if says.check == "backward" and _withheld(row):
            continue
        found = _verdict(outcome.verdicts, says.check)
        if found != says:
            shown = "nothing" if found is None else f"{found.status} ({found.reason})"
            yield Fault(row.id, f"{says.check}: found {shown}, and the row says {says.status} ({says.reason})")
