"""What a row says of its kernel for whoever picks rows: tags, complexity, difficulty, and what a thread costs.

A frontend reads a kernel's source (`Reading`), because only it knows which call loads, stores or synchronises; the
formulas are the same for all frontends and stand here.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from irsmith.structure import Structure

PATTERNS = ("map", "reduce", "scan", "stencil", "gather", "scatter", "atomic")
"""Tags that say who reads and writes which element; the other tags name features of the language that are used."""

RIDGE = 12.5
"""Operations a byte from which arithmetic, not memory, bounds a kernel: the roofline's ridge of an NVIDIA A100
(19.5 TFLOP/s in float32, 1,555 GB/s)."""

LEVELS = (14.0, 27.0, 46.0, 84.0)
"""The least complexity of difficulty 2, 3, 4 and 5."""

_PATTERN_WEIGHTS = {"reduce": 2.0, "scan": 3.0, "stencil": 4.0, "gather": 3.0, "scatter": 3.0, "atomic": 2.0}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a frontend finds in a kernel's source.

    Attributes:
        tags: Patterns and features, in alphabetical order.
        operations: Arithmetic operations of one thread; None for a language without threads.
        bytes: Bytes of arrays that one thread reads and writes; None for a language without threads.
        capability: The smallest compute capability of a device that runs it, such as ``7.5``; None where the
            language has none.
    """

    tags: tuple[str, ...]
    operations: int | None = None
    bytes: int | None = None
    capability: str | None = None


@dataclass(frozen=True, slots=True)
class Traits:
    """A kernel's reading with what follows from it.

    Attributes:
        tags: Patterns and features, in alphabetical order.
        complexity: How much there is to understand, as `complexity` counts it.
        difficulty: 1 to 5, by the thresholds of `LEVELS`.
        operations: Arithmetic operations of one thread, or None.
        bytes: Bytes of arrays that one thread reads and writes, or None.
        bound: ``compute`` or ``memory``, by `RIDGE`; None where the language has no threads.
        capability: The smallest compute capability, or None.
    """

    tags: tuple[str, ...]
    complexity: float
    difficulty: int
    operations: int | None
    bytes: int | None
    bound: str | None
    capability: str | None


def traits(structure: Structure, reading: Reading) -> Traits:
    """What follows from a structure and a reading of the same source."""
    score = complexity(structure, reading.tags)
    bound = None
    if reading.operations is not None and reading.bytes is not None:
        bound = "compute" if reading.operations >= RIDGE * reading.bytes else "memory"
    return Traits(
        tags=reading.tags,
        complexity=score,
        difficulty=1 + bisect_right(LEVELS, score),
        operations=reading.operations,
        bytes=reading.bytes,
        bound=bound,
        capability=reading.capability,
    )


def complexity(structure: Structure, tags: tuple[str, ...]) -> float:
    """A score for how much of a kernel there is to understand.

    A statement counts 1, an operator or a call a half; a branch 2, a loop 3; each level of nested loops beyond the
    first 4, each level of nested blocks 1; a helper 3, a struct 2; and each pattern of access what following it
    costs: 4 for a stencil, 3 for a scan, a gather or a scatter, 2 for a reduction or an atomic.
    """
    s = structure
    return (
        s.statements
        + 0.5 * (s.operators + s.calls)
        + 2.0 * s.branches
        + 3.0 * s.loops
        + 4.0 * max(0, s.loop_depth - 1)
        + s.nesting
        + 3.0 * s.helpers
        + 2.0 * s.structs_used
        + sum(_PATTERN_WEIGHTS.get(tag, 0.0) for tag in tags)
    )
