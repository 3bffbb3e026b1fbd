"""A kernel: one Python function as text, with its signature and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from irsmith.types import Domain, ValueType


class Direction(StrEnum):
    """Which way an argument carries data."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kernel.

    Attributes:
        name: The name in the source.
        type: The element type of an array, or the type of a value.
        rank: The number of array dimensions; 0 for an argument passed by value.
        direction: Whether the kernel reads it, writes it, or both.
        shape: The array extents that the kernel needs to run; empty for a value, or when not known.
        domain: Where inputs are drawn from; None when not known, for a struct (its fields have their
            own), and for a pure output.
    """

    name: str
    type: ValueType
    rank: int
    direction: Direction
    shape: tuple[int, ...] = ()
    domain: Domain | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What is needed to run a kernel: its arguments in order, and the launch dimension.

    ``launch`` is empty when it is not known, as for a user's own file.
    """

    arguments: tuple[Argument, ...]
    launch: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a kernel that was not synthesised comes from; None where the source does not say."""

    file: str
    licence: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Kernel:
    """One Python function as text.

    Attributes:
        name: The function's name in ``source``.
        category: The shape of program that it was made as, or ``user`` for a user's own.
        description: One sentence on what it computes.
        source: A complete module: imports, structs, helpers, and the kernel.
        signature: Its arguments and launch dimension.
        provenance: None for a synthesised kernel.
    """

    name: str
    category: str
    description: str
    source: str
    signature: Signature
    provenance: Provenance | None = None
