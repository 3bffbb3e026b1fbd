"""What verification leaves behind: verdicts in the row, measured numbers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from irsmith.outcome import Step
from irsmith.verdict import Uncovered, Verdict


@dataclass(frozen=True, slots=True)
class Measured:
    """The comparison that came closest to failing: how far apart, and how far apart it might be."""

    error: float
    tolerance: float

    @property
    def ratio(self) -> float:
        """The error in units of the tolerance."""
        if self.error == 0:
            return 0.0
        return self.error / self.tolerance if self.tolerance > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Measurements:
    """Numbers that may differ between machines, for a sidecar.

    Attributes:
        sets: Input sets that the forward ran on.
        points: Input sets at which derivatives were compared.
        forward: The closest comparison of outputs; None where there was none.
        backward: The closest comparison of a derivative; None where there was none.
        seconds: Time by part, the row's share of what rows do together.
    """

    sets: int = 0
    points: int = 0
    forward: Measured | None = None
    backward: Measured | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verified:
    """A row that stands.

    Attributes:
        row_id: Which row.
        verdicts: One for each check.
        uncovered: The ways that no input set took.
        measurements: What was measured.
    """

    row_id: str
    verdicts: tuple[Verdict, ...]
    uncovered: tuple[Uncovered, ...] = ()
    measurements: Measurements = field(default_factory=Measurements)

    def verdict(self, check: str) -> Verdict:
        """The verdict of a check.

        Raises:
            KeyError: There is none of that name.
        """
        for verdict in self.verdicts:
            if verdict.check == check:
                return verdict
        raise KeyError(check)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is rejected: the symptom that rejects are counted by, the whole story, and at which step."""

    symptom: str
    message: str
    step: Step = Step.VERIFY
