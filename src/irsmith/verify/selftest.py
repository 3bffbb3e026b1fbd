"""The checker checked: rows that stand are spoiled in many ways, and the verifier has to see it.

A mutant that nobody flags is equivalent only if its outputs are the same, to the last bit, on 64 wide input sets
that take in the edges of branches. Every other one is a miss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from irsmith.kernel import Kernel
from irsmith.outcome import Reject
from irsmith.rng import stream
from irsmith.row import Row
from irsmith.verdict import Status
from irsmith.verify.derivative import differentiable
from irsmith.verify.inputs import SEARCH, Inputs
from irsmith.verify.mutants import Mutant
from irsmith.verify.ports import Adjoint, Array, Failed, NotModelledError, Ran, Texts, Toolchain, Trial
from irsmith.verify.spoiled_python import spoiled_source
from irsmith.verify.values import bits, floats, leaves
from irsmith.verify.verdict import Verified
from irsmith.verify.verifier import Settings, Verifier

WIDE = 64
"""Input sets on which an equivalent mutant gives the same."""

_BATCH = 400


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the mutants of one kind.

    Attributes:
        made: How many there were.
        detected: Those that were rejected, or whose adjoint was called wrong.
        equivalent: Those that nobody can tell from the row.
    """

    made: int
    detected: int
    equivalent: int


@dataclass(frozen=True, slots=True)
class Miss:
    """A mutant that went through although it computes something else."""

    row_id: str
    mutant: Mutant


@dataclass(frozen=True, slots=True)
class Report:
    """What a self-test found.

    Attributes:
        rows: Rows that were spoiled.
        by_kind: The tally for each place and mutation.
        symptoms: How often each check saw a mutant.
        missed: Every miss.
    """

    rows: int
    by_kind: dict[tuple[str, str], Tally]
    symptoms: dict[str, int]
    missed: tuple[Miss, ...]

    @property
    def total(self) -> Tally:
        """The tally of all mutants."""
        tallies = self.by_kind.values()
        return Tally(sum(t.made for t in tallies), sum(t.detected for t in tallies), sum(t.equivalent for t in tallies))

    @property
    def detection(self) -> float:
        """The share of the mutants that are not equivalent which was detected."""
        total = self.total
        return total.detected / max(1, total.made - total.equivalent)


def selftest(
    rows: Sequence[Row],
    toolchain: Toolchain,
    *,
    seed: int = 0,
    per_row: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Spoil rows and verify what comes of it.

    Args:
        rows: The rows; those that do not stand are left out.
        toolchain: The frontend.
        seed: Which places are spoiled.
        per_row: The most mutants of one row, chosen at random; all by default.
        on_progress: Called with the number of mutants done.
    """
    settings = Settings(twin_runs=0.0, twin_compiles=0.0, removals=0.0)
    verifier = Verifier(toolchain, settings=settings, remember=True)
    standing = [(row, out) for row, out in zip(rows, verifier.verify(rows), strict=True) if isinstance(out, Verified)]
    made: Counter[tuple[str, str]] = Counter()
    detected: Counter[tuple[str, str]] = Counter()
    equivalent: Counter[tuple[str, str]] = Counter()
    symptoms: Counter[str] = Counter()
    missed: list[Miss] = []
    work = [(row, mutant) for row, outcome in standing for mutant in _mutants(row, outcome, toolchain, seed, per_row)]
    for start in range(0, len(work), _BATCH):
        batch = work[start : start + _BATCH]
        quiet = []
        for (row, mutant), outcome in zip(batch, verifier.verify([_spoiled(*one) for one in batch]), strict=True):
            key = mutant.where, mutant.mutation
            made[key] += 1
            symptom = _symptom(outcome)
            if symptom is None:
                quiet.append((row, mutant))
            else:
                detected[key] += 1
                symptoms[symptom] += 1
        for (row, mutant), same in zip(quiet, _equivalent(quiet, toolchain), strict=True):
            if same:
                equivalent[mutant.where, mutant.mutation] += 1
            else:
                missed.append(Miss(row.id, mutant))
        if on_progress is not None:
            on_progress(start + len(batch))
    tallies = {key: Tally(count, detected[key], equivalent[key]) for key, count in sorted(made.items())}
    return Report(len(standing), tallies, dict(symptoms), tuple(missed))


def _mutants(row: Row, outcome: Verified, toolchain: Toolchain, seed: int, most: int | None) -> list[Mutant]:
    found = list(_all_mutants(row, outcome, toolchain, seed))
    if most is not None and len(found) > most:
        found = stream("selftest", seed, row.kernel.source, "chosen").shuffled(found)[:most]
    return found


def _all_mutants(row: Row, outcome: Verified, toolchain: Toolchain, seed: int) -> Iterator[Mutant]:
    random = stream("selftest", seed, row.kernel.source, row.kernel.name)
    # An adjoint that is wrong already cannot be told from a spoiled one.
    backward = outcome.verdict("backward").status is Status.PASSED
    for stage in (toolchain.host, toolchain.twin, *toolchain.also):
        yield from toolchain.spoiled(row.texts, stage, backward=backward, random=random)
    yield from spoiled_source(row.kernel.source, random)


def _spoiled(row: Row, mutant: Mutant) -> Row:
    if mutant.source is not None:
        return replace(row, kernel=replace(row.kernel, source=mutant.source))
    assert mutant.texts is not None
    return replace(row, texts=mutant.texts)


def _symptom(outcome: Verified | Reject) -> str | None:
    """What gave a mutant away."""
    if isinstance(outcome, Reject):
        return outcome.reason
    wrong = [verdict.check for verdict in outcome.verdicts if verdict.status is Status.COMPILER_WRONG]
    before = outcome.verdict("backward")
    return f"{wrong[0]}: {before.status}" if wrong else None


def _equivalent(pairs: Sequence[tuple[Row, Mutant]], toolchain: Toolchain) -> list[bool]:
    """Whether each mutant computes the same as its row."""
    trials: list[Trial] = []
    for row, mutant in pairs:
        if mutant.texts is not None:
            stage = _stage(mutant, toolchain)
            trials += [_wide_trial(row, row.texts, stage, toolchain), _wide_trial(row, mutant.texts, stage, toolchain)]
    outcomes = iter(toolchain.submit(trials)() if trials else [])
    answers = []
    for row, mutant in pairs:
        if mutant.source is not None:
            answers.append(_same_meaning(row.kernel, mutant.source, toolchain))
        else:
            answers.append(_same_outcome(next(outcomes), next(outcomes)))
    return answers


def _stage(mutant: Mutant, toolchain: Toolchain) -> str:
    stages = (toolchain.host, toolchain.twin, *toolchain.also)
    return max((stage for stage in stages if mutant.where.startswith(f"{stage}_")), key=len)


def _wide_sets(kernel: Kernel, toolchain: Toolchain) -> dict[str, Array]:
    modes = [SEARCH[place % len(SEARCH)] for place in range(WIDE)]
    return Inputs(kernel, toolchain.dtype).sets(modes, "selftest")


def _wide_trial(row: Row, texts: Texts, stage: str, toolchain: Toolchain) -> Trial:
    sets = _wide_sets(row.kernel, toolchain)
    adjoint = None
    if texts.get(f"{stage}_backward"):
        random = Inputs(row.kernel, toolchain.dtype).uniform("selftest weights")
        weights = {name: np.zeros_like(sets[name]) for name in differentiable(row.kernel)}
        for weight in weights.values():
            for _, leaf in floats(weight):
                leaf[...] = random.signs(leaf.shape)
        adjoint = Adjoint(sets, weights)
    return Trial(row.id, row.kernel, stage, texts, sets, adjoint)


def _same_outcome(first: Ran | Failed, second: Ran | Failed) -> bool:
    if isinstance(first, Failed) or isinstance(second, Failed):
        return False
    for one, two in ((first.forward, second.forward), (first.backward, second.backward)):
        if one is not None and (two is None or not _same_arrays(dict(one), dict(two))):
            return False
    return True


def _same_meaning(kernel: Kernel, source: str, toolchain: Toolchain) -> bool:
    sets = _wide_sets(kernel, toolchain)
    try:
        spoiled = toolchain.reference(source, kernel.name)
    except NotModelledError:
        return False
    right = toolchain.reference(kernel.source, kernel.name).run(sets, kernel.signature.launch)
    found = spoiled.run(sets, kernel.signature.launch)
    return not any(found.faults) and _same_arrays(right.outputs, found.outputs)


def _same_arrays(first: dict[str, Array], second: dict[str, Array]) -> bool:
    return all(
        (bits(a) == bits(b)).all()
        for name, array in first.items()
        for (_, a), (_, b) in zip(leaves(array), leaves(second[name]), strict=True)
    )
