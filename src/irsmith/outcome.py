"""What becomes of a kernel: a lowering, or a reject that keeps all that is needed to read why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Step(StrEnum):
    """Where on its way a kernel was rejected."""

    HARVEST = "harvest"
    SYNTHESISE = "synthesise"
    LOWER = "lower"
    COMPILE = "compile"
    RUN = "run"
    VERIFY = "verify"
    ASSEMBLE = "assemble"


@dataclass(frozen=True, slots=True)
class Reject:
    """A kernel that did not become a row.

    Attributes:
        step: Where it failed.
        symptom: The short reason that rejects are counted by, such as an exception's name.
        message: The failure in full.
        name: The kernel's name, empty when it has none yet.
        category: The kernel's category.
        source: The Python source, empty when there is none yet.
    """

    step: Step
    symptom: str
    message: str
    name: str
    category: str
    source: str

    @property
    def reason(self) -> str:
        """The key that rejects are counted by: ``step: symptom``."""
        return f"{self.step}: {self.symptom}"


class LineSpan(NamedTuple):
    """The lines of one text that came from one line of ``python_source``; all count from 1.

    A backward text has two spans for most Python lines: where it replays the forward, and the adjoint.
    """

    column: str
    python_line: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Lowering:
    """The texts of one kernel: column to text, null where the kernel has none, and the line map."""

    texts: Mapping[str, str | None]
    lines: tuple[LineSpan, ...]
