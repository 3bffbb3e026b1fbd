"""What can go wrong, as values: a construct without a meaning, and what C++ leaves undefined."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import IntEnum


class Unsupported(Exception):  # noqa: N818 - an outcome to be counted, not a defect
    """The source uses something that the reference gives no meaning to.

    Attributes:
        construct: What it is, in a few words.
        line: The line of the source, counted from 1; 0 when it belongs to no line.
    """

    def __init__(self, construct: str, node: ast.AST | int | None = None) -> None:
        self.construct = construct
        self.line: int = node if isinstance(node, int) else getattr(node, "lineno", 0)
        super().__init__(f"line {self.line}: {construct}")


class FaultKind(IntEnum):
    """What a lane did that the compiled text leaves undefined, or that ends the run."""

    OUT_OF_BOUNDS = 1
    DIVISION_BY_ZERO = 2
    STEP_LIMIT = 3
    UNASSIGNED = 4
    SHIFT_RANGE = 5
    CAST_RANGE = 6
    ASSERTION = 7
    ZERO_STEP = 8
    OVERFLOW = 9
    UNSPECIFIED_ORDER = 10
    NEGATIVE_DISTANCE = 11


@dataclass(frozen=True, slots=True)
class Fault:
    """The first undefined thing that a lane did, and the line where it did it."""

    kind: FaultKind
    line: int


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place where a kernel decides: an ``if``, a ternary, a ``while`` or a ``for``."""

    line: int
    column: int
    kind: str
