"""Proving rows by running them: `Verifier` takes rows and gives a `Verified` or a `Reject` for each.

Rows go through in batches. While one batch is compiled in the toolchain's processes, the reference computes its
derivatives and runs the next batch's inputs. What needs a second look is compiled once more at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from irsmith.kernel import Kernel
from irsmith.outcome import Reject
from irsmith.row import Row
from irsmith.verdict import Status
from irsmith.verify.case import ADJOINT_ALONE, UNASKED, Case
from irsmith.verify.evidence import Evidence, gather
from irsmith.verify.ports import Adjoint, Failed, Ran, Toolchain, Trial
from irsmith.verify.stream import chosen
from irsmith.verify.verdict import Verified

Level = Literal["full", "compile", "none"]

WIDER = "in wider arithmetic"


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is checked beyond what every row gets. Which rows are in a share follows from their sources.

    Attributes:
        twin_runs: The share of rows whose twin text is executed on the host although it says the same.
        twin_compiles: The share of rows whose twin text is compiled for its device.
        removals: The share of rows whose statements are removed one by one.
        device: Whether the twin's text is run on this machine's accelerator too.
        batch: Rows that are compiled together.
    """

    twin_runs: float = 0.05
    twin_compiles: float = 0.05
    removals: float = 0.05
    device: bool = False
    batch: int = 32


_WIDE = Settings(twin_runs=0.0, twin_compiles=0.0, removals=0.0)


class Verifier:
    """Proves rows.

    Args:
        toolchain: The frontend's reference and runner.
        level: ``full``; ``compile`` for the compilers alone; ``none`` for nothing.
        settings: How much is checked.
        remember: Whether to keep what the reference makes of a source, for further rows of the same source.
    """

    def __init__(
        self, toolchain: Toolchain, level: Level = "full", settings: Settings | None = None, *, remember: bool = False
    ) -> None:
        self._toolchain = toolchain
        self._level = level
        self._settings = settings or Settings()
        self._remember = remember
        self._known: dict[Kernel, Evidence] = {}
        self._wider: dict[Toolchain, Verifier] = {}

    def verify(self, rows: Sequence[Row]) -> list[Verified | Reject]:
        """Prove rows; the outcomes are in their order."""
        outcomes = self._verify(rows)
        for toolchain, places in self._wide_places(rows, outcomes).items():
            verifier = self._wider.setdefault(toolchain, Verifier(toolchain, settings=_WIDE, remember=self._remember))
            found = verifier.verify([row for _, row in places])
            for (place, _), wide in zip(places, found, strict=True):
                own = outcomes[place]
                assert isinstance(own, Verified)
                outcomes[place] = _with_wider(own, wide)
        return outcomes

    def _wide_places(
        self, rows: Sequence[Row], outcomes: Sequence[Verified | Reject]
    ) -> dict[Toolchain, list[tuple[int, Row]]]:
        """The rows that ran and whose arithmetic hides too much, in wider arithmetic, by what runs them."""
        found: dict[Toolchain, list[tuple[int, Row]]] = {}
        for place, (row, outcome) in enumerate(zip(rows, outcomes, strict=True)):
            if isinstance(outcome, Verified) and outcome.verdict("forward").status is Status.PASSED:
                wide = self._toolchain.wider(row.kernel, row.texts)
                if wide is not None:
                    changed = replace(row, kernel=wide.kernel, texts=wide.texts)
                    found.setdefault(wide.toolchain, []).append((place, changed))
        return found

    def _verify(self, rows: Sequence[Row]) -> list[Verified | Reject]:
        cases: list[Case] = []
        aside: list[Future[None]] = []
        flight: _Flight | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="irsmith-verify") as thread:
            for batch in _batches(rows, self._settings.batch):
                opened = [self._open(row) for row in batch]
                cases += opened
                following = _Flight(self._toolchain, opened)
                if self._level != "none":
                    aside.append(thread.submit(self._compile, [case for case in opened if case.problem is None]))
                for case in opened:
                    if case.problem is None:
                        case.evidence.differentiate()
                if flight is not None:
                    flight.land()
                flight = following
            if flight is not None:
                flight.land()
            while any(case.trials() for case in cases):
                _Flight(self._toolchain, cases).land()
            for future in aside:
                future.result()
        return [case.outcome() for case in cases]

    def _open(self, row: Row) -> Case:
        run_twin = self._in_share(self._settings.twin_runs, "twin runs", row.kernel)
        return Case(
            row, self._evidence(row.kernel), self._toolchain, run_twin=run_twin, on_device=self._settings.device
        )

    def _evidence(self, kernel: Kernel) -> Evidence:
        if self._level != "full":
            return Evidence(kernel, unknown=UNASKED)
        evidence = self._known.get(kernel)
        if evidence is None:
            removals = self._in_share(self._settings.removals, "removals", kernel)
            evidence = gather(kernel, self._toolchain, removals=removals)
            if self._remember:
                self._known[kernel] = evidence
        return evidence

    def _in_share(self, share: float, what: str, kernel: Kernel) -> bool:
        return chosen(share, what, kernel.source, kernel.name)

    def _compile(self, cases: Sequence[Case]) -> None:
        """Compile the twins of the rows in the share, and the host's texts of rows that are not run."""
        wanted: list[tuple[Case, str]] = []
        for case in cases:
            if self._in_share(self._settings.twin_compiles, "twin compiles", case.row.kernel):
                wanted.append((case, self._toolchain.twin))
            if case.evidence.unknown is not None:
                wanted.append((case, self._toolchain.host))
        wanted = [(case, stage) for case, stage in wanted if case.row.texts.get(f"{stage}_forward")]
        outcomes = self._compiles([_bare(case.row, stage) for case, stage in wanted])
        for (case, stage), outcome in zip(wanted, outcomes, strict=True):
            case.compiled[stage] = outcome

    def _compiles(self, trials: Sequence[Trial]) -> list[Failed | None]:
        """Which texts do not compile. Where it is the adjoint alone, the failure says so."""
        outcomes = self._toolchain.compile_only(trials) if trials else []
        again = [place for place, outcome in enumerate(outcomes) if outcome and trials[place].backward]
        if again:
            forward = self._toolchain.compile_only([replace(trials[place], backward=None) for place in again])
            for place, outcome in zip(again, forward, strict=True):
                outcomes[place] = outcome or ADJOINT_ALONE
        return outcomes


def _with_wider(own: Verified, wide: Verified | Reject) -> Verified | Reject:
    """What a row's own arithmetic shows, and what wider arithmetic shows of the same program."""
    if isinstance(wide, Reject):
        # Anything else than another result says something of the inputs or of the wider texts.
        return replace(wide, message=f"{wide.message}, {WIDER}") if wide.symptom.endswith("_differs") else own
    before, after = own.verdict("backward"), wide.verdict("backward")
    if after.status is Status.COMPILER_WRONG or (
        after.status is Status.PASSED and before.status is not Status.COMPILER_WRONG
    ):
        reason = f"{after.reason}, {WIDER}" if after.reason else WIDER
        verdicts = tuple(replace(after, reason=reason) if one is before else one for one in own.verdicts)
        return replace(own, verdicts=verdicts)
    return own


class _Flight:
    """The trials of some cases, being run."""

    def __init__(self, toolchain: Toolchain, cases: Sequence[Case]) -> None:
        self._asked = [(case, case.trials()) for case in cases]
        trials = [trial for _, trials in self._asked for trial in trials]
        self._wait: Callable[[], list[Ran | Failed]] = toolchain.submit(trials) if trials else list

    def land(self) -> None:
        """Wait for the outcomes and hand them to their cases."""
        outcomes = iter(self._wait())
        for case, trials in self._asked:
            if trials:
                case.take([next(outcomes) for _ in trials])


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _bare(row: Row, stage: str) -> Trial:
    """A trial for compiling alone."""
    adjoint = Adjoint({}, {}) if row.texts.get(f"{stage}_backward") else None
    return Trial(row.id, row.kernel, stage, row.texts, None, adjoint)
