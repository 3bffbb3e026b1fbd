"""What a worker is asked."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.verify.ports import Array

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Dtype and shape of each parameter or result."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a text may use.

    Attributes:
        seconds: Of one text, from parsing to its last result, as `irsmith.frontends.patience.Patience` counts them.
        memory: Bytes of address space beyond what the worker has when it is ready.
    """

    seconds: float = 120.0
    memory: int = 6 << 30


@dataclass(frozen=True, slots=True)
class Job:
    """A text to compile and, where there are inputs, to run.

    Attributes:
        stage: The stage that the text is of.
        text: The text.
        parameters: What it has to take.
        results: What it has to give.
        inputs: Each parameter's values, a set for each index of the leading axis; empty to compile alone.
    """

    stage: str
    text: str
    parameters: Shapes
    results: Shapes
    inputs: tuple[Array, ...] = ()

    @property
    def sets(self) -> int:
        """How often it is to be run."""
        return len(self.inputs[0]) if self.inputs else 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """An HLO text and a StableHLO text that may say the same."""

    hlo: str
    stablehlo: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked in one message."""

    jobs: tuple[Job | Comparison, ...]
    memory: int
