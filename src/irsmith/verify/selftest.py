"""The checker checked: rows that stand are spoiled in many ways, and the verifier has to see it.

A mutant of the host's text is judged without the twin's text beside it: what a compiler gets wrong stands in both.
One that nobody flags is equivalent only if its outputs, and the adjoints of what it has, are the same, to the last
bit, on 64 wide input sets that take in the edges of branches. Adjoints of the host's text count where the function
has a derivative: what they are elsewhere is not said of any text. Every other one is a miss. What no compiler and no
reference accepts is left out: seeing it takes no verifier.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from statistics import NormalDist

import numpy as np

from irsmith.kernel import Kernel
from irsmith.outcome import Reject
from irsmith.rng import stream
from irsmith.row import Row
from irsmith.verdict import Status
from irsmith.verify.case import EXECUTED
from irsmith.verify.derivative import differentiable
from irsmith.verify.inputs import SEARCH, Inputs
from irsmith.verify.mutants import Mutant
from irsmith.verify.ports import Adjoint, Array, Failed, NotModelledError, Ran, Texts, Toolchain, Trial
from irsmith.verify.spoiled_python import spoiled_source
from irsmith.verify.values import bits, floats, joined, leaves, take
from irsmith.verify.verdict import Verified
from irsmith.verify.verifier import Settings, Verifier

WIDE = 64
"""Input sets on which an equivalent mutant gives the same."""

LEAST_SMOOTH = 16
"""Of those, how many need to have a derivative for the others to be left out of account."""

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
    made, broken, detected, equivalent = (Counter[tuple[str, str]]() for _ in range(4))
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
        for mutant, same in zip(quiet, _equivalent(row, quiet, toolchain), strict=True):
            if same:
                equivalent[mutant.where, mutant.mutation] += 1
            else:
                missed.append(Miss(row.id, mutant))
        if on_progress is not None:
            on_progress(len(mutants))
    tallies = {key: Tally(count, broken[key], detected[key], equivalent[key]) for key, count in sorted(made.items())}
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


def _equivalent(row: Row, mutants: Sequence[Mutant], toolchain: Toolchain) -> list[bool]:
    """Whether each mutant computes the same as its row."""
    right = {
        stage: _wide_trial(row, stage, toolchain) for stage in {_stage(one, toolchain) for one in mutants if one.texts}
    }
    trials = list(right.values())
    trials += [replace(right[_stage(one, toolchain)], texts=one.texts) for one in mutants if one.texts is not None]
    outcomes = iter(toolchain.submit(trials)() if trials else [])
    expected = {stage: next(outcomes) for stage in right}
    smooth = _smooth(row, toolchain) if toolchain.host in right else None
    return [
        _same_meaning(row.kernel, one.source, toolchain)
        if one.source is not None
        else _same_outcome(
            expected[_stage(one, toolchain)],
            next(outcomes),
            smooth if _stage(one, toolchain) == toolchain.host else None,
        )
        for one in mutants
    ]


def _smooth(row: Row, toolchain: Toolchain) -> Array | None:
    """The adjoint's runs of `_wide_trial` at which the function has a derivative; None where those are few."""
    sets = _wide_sets(row.kernel, toolchain)
    reference = toolchain.reference(row.kernel.source, row.kernel.name)
    found = ~np.asarray(reference.run(sets, row.kernel.signature.launch, trace=True).kink)
    return np.tile(found, 2) if found.sum() >= LEAST_SMOOTH else None


def _stage(mutant: Mutant, toolchain: Toolchain) -> str:
    stages = (toolchain.host, toolchain.twin, *toolchain.also)
    return max((stage for stage in stages if mutant.where.startswith(f"{stage}_")), key=len)


def _wide_sets(kernel: Kernel, toolchain: Toolchain) -> dict[str, Array]:
    modes = [SEARCH[place % len(SEARCH)] for place in range(WIDE)]
    return Inputs(kernel, toolchain.dtype).sets(modes, "selftest")


def _wide_trial(row: Row, stage: str, toolchain: Toolchain) -> Trial:
    """The row on the wide sets; its adjoint on what stood in memory before the launch, and on what it left."""
    sets = _wide_sets(row.kernel, toolchain)
    adjoint = None
    if row.texts.get(f"{stage}_backward"):
        left = toolchain.reference(row.kernel.source, row.kernel.name).run(sets, row.kernel.signature.launch).outputs
        primal = joined(sets, {name: left.get(name, array) for name, array in sets.items()})
        random = Inputs(row.kernel, toolchain.dtype).uniform("selftest weights")
        weights = {name: np.zeros_like(primal[name]) for name in differentiable(row.kernel)}
        for weight in weights.values():
            for _, leaf in floats(weight):
                leaf[...] = random.signs(leaf.shape)
        adjoint = Adjoint(primal, weights)
    return Trial(row.id, row.kernel, stage, row.texts, sets, adjoint)


def _same_outcome(first: Ran | Failed, second: Ran | Failed, smooth: Array | None) -> bool:
    if isinstance(first, Failed) or isinstance(second, Failed):
        return False
    pairs = [(first.forward, second.forward, None), (first.backward, second.backward, smooth)]
    for one, two, kept in pairs:
        if one is None:
            continue
        if two is None or not _same_arrays(*(take(part, slice(None) if kept is None else kept) for part in (one, two))):
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
