"""The checker checked: rows that stand are spoiled in many ways, and the verifier has to see it.

A mutant of the host's text is judged without the twin's text beside it: what a compiler gets wrong stands in both.
One that nobody flags is a miss unless it is equivalent, as `irsmith.verify.equivalent` says. What no compiler and no
reference accepts is left out: seeing it takes no verifier.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from statistics import NormalDist

from irsmith.outcome import Reject
from irsmith.rng import stream
from irsmith.row import Row
from irsmith.verdict import Status
from irsmith.verify.case import EXECUTED
from irsmith.verify.equivalent import equivalent
from irsmith.verify.mutants import Mutant
from irsmith.verify.ports import (
    Texts,
    Toolchain,
)
from irsmith.verify.spoiled_python import spoiled_source
from irsmith.verify.verdict import Verified
from irsmith.verify.verifier import Settings, Verifier

_SETTINGS = Settings(twin_runs=0.0, twin_compiles=0.0, removals=0.0)

_BROKEN = ("compile: compile_error", "verify: not_modelled")
"""What says of a mutant that it is no program."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the mutants of one kind.

    Attributes:
        made: How many there were.
        broken: Those that do not compile, or that the reference cannot read.
        detected: The others that were rejected, or whose adjoint was called wrong.
        equivalent: Those that nobody can tell from the row.
    """

    made: int = 0
    broken: int = 0
    detected: int = 0
    equivalent: int = 0

    @property
    def judged(self) -> int:
        """Those that compute something, and something else than the row."""
        return self.made - self.broken - self.equivalent


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
        return Tally(*(sum(column) for column in zip(*map(astuple, self.by_kind.values()), strict=True)))

    @property
    def ways(self) -> int:
        """In how many ways something was spoiled, wherever it stood."""
        return len({mutation for _, mutation in self.by_kind})

    @property
    def detection(self) -> float:
        """The share of the mutants that compute something else which was detected."""
        return self.total.detected / max(1, self.total.judged)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of that share, by Wilson's score."""
        count, share, z = max(1, self.total.judged), self.detection, NormalDist().inv_cdf(0.975)
        centre = share + z * z / (2 * count)
        half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
        return (centre - half) / (1 + z * z / count), min(1.0, (centre + half) / (1 + z * z / count))


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
    made, broken, detected, unseen = (Counter[tuple[str, str]]() for _ in range(4))
    symptoms: Counter[str] = Counter()
    missed: list[Miss] = []
    standing = 0
    for row in rows:
        # One by one: what the verifier remembers of a row and of its spoiled sources takes memory.
        verifier = Verifier(toolchain, settings=_SETTINGS, remember=True)
        (right,) = verifier.verify([row])
        if isinstance(right, Reject):
            continue
        standing += 1
        mutants = _mutants(row, right, toolchain, seed, per_row)
        quiet = []
        for mutant, outcome in zip(mutants, verifier.verify([_spoiled(row, one) for one in mutants]), strict=True):
            key = mutant.where, mutant.mutation
            made[key] += 1
            symptom = _symptom(outcome)
            if symptom is None:
                quiet.append(mutant)
            elif symptom in _BROKEN:
                broken[key] += 1
            else:
                detected[key] += 1
                symptoms[symptom] += 1
        for mutant, same in zip(quiet, equivalent(row, quiet, toolchain), strict=True):
            if same:
                unseen[mutant.where, mutant.mutation] += 1
            else:
                missed.append(Miss(row.id, mutant))
        if on_progress is not None:
            on_progress(len(mutants))
    tallies = {key: Tally(count, broken[key], detected[key], unseen[key]) for key, count in sorted(made.items())}
    return Report(standing, tallies, dict(symptoms), tuple(missed))


def _mutants(row: Row, outcome: Verified, toolchain: Toolchain, seed: int, most: int | None) -> list[Mutant]:
    found = list(_all_mutants(row, outcome, toolchain, seed))
    if most is not None and len(found) > most:
        found = stream("selftest", seed, row.kernel.source, "chosen").shuffled(found)[:most]
    return found


def _all_mutants(row: Row, outcome: Verified, toolchain: Toolchain, seed: int) -> Iterator[Mutant]:
    random = stream("selftest", seed, row.kernel.source, row.kernel.name)
    # An adjoint that is wrong already cannot be told from a spoiled one.
    backward = outcome.verdict("backward").status is Status.PASSED
    # A text that was read and not run is not said to compute anything.
    ran = [stage for stage in toolchain.also if any((v.check, v.reason) == (stage, EXECUTED) for v in outcome.verdicts)]
    for stage in (toolchain.host, toolchain.twin, *ran):
        yield from toolchain.spoiled(_alone(row.texts, stage, toolchain), stage, backward=backward, random=random)
    yield from spoiled_source(row.kernel.source, random)


def _alone(texts: Texts, stage: str, toolchain: Toolchain) -> Texts:
    """The texts that a spoiled one is judged beside.

    What a compiler gets wrong stands in all texts, so that the host's has to be seen through without the others.
    """
    if stage != toolchain.host:
        return texts
    others = tuple(f"{other}_" for other in (toolchain.twin, *toolchain.also) if other != stage)
    own = (f"{stage}_forward", f"{stage}_backward")
    return {name: text for name, text in texts.items() if name in own or not name.startswith(others)}


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
