"""Verdicts: what the checks of a row found. They stand in the row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended for a row that stands."""

    PASSED = "passed"
    COMPILED = "compiled"
    NOT_APPLICABLE = "not_applicable"
    COMPILER_WRONG = "compiler_wrong"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found. A function of the row's text and the toolchain: no measured number is in it.

    Attributes:
        check: ``compile_<stage>``, ``forward``, ``backward``, or the name of the twin stage.
        status: How it ended.
        reason: Why it does not apply, what the compiler does wrong, or how it was shown; may be empty.
    """

    check: str
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Uncovered:
    """A way that no input set took: into or past the branch or loop at a line and column."""

    line: int
    column: int
    kind: str
    way: bool
