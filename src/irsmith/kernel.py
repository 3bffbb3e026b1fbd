"""A kernel: one Python function as text, with its signature and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from irsmith.types import Domain, ValueType

USER = "user"
"""The category of the kernels of a user's own file."""

REAL = "real"
"""The category of kernels that people wrote and that were gathered into a dataset."""


class Direction(StrEnum):
    """Which way an argument carries data."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kernel, or an array that a struct among its arguments holds.

    Attributes:
        name: The name in the source. An array of a struct's follows the struct, as ``<argument>.<field>``.
        type: The element type of an array, or the type of a value.
        rank: The number of array dimensions; 0 for an argument passed by value, or an array of one element.
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

    @property
    def held(self) -> bool:
        """Whether it is an array that a struct among the arguments holds."""
        return "." in self.name


@dataclass(frozen=True, slots=True)
class Signature:
    """What is needed to run a kernel: its arguments in order, and the launch dimension.

    Attributes:
        arguments: What it takes, and behind that what a function returns.
        launch: The extents that it is launched over: empty when they are not known, as for a user's own file; None
            for a function, which is called and not launched.
    """

    arguments: tuple[Argument, ...]
    launch: tuple[int, ...] | None = ()

    @property
    def parameters(self) -> tuple[Argument, ...]:
        """The arguments that the source names: all but the arrays that structs among them hold."""
        return tuple(a for a in self.arguments if not a.held)

    @property
    def arrays(self) -> tuple[Argument, ...]:
        """The arguments that stand in memory: arrays, and all that a function takes or returns."""
        return tuple(a for a in self.arguments if a.rank or self.launch is None)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a kernel that was not synthesised comes from; None where nothing says.

    Attributes:
        file: Its file, below the folder that its package stands in.
        licence: The file's or else the package's, as an SPDX expression.
        version: The package's, or the file's own.
        package: The distribution or folder that it was harvested from; None for a single file.
        line: The line of the file on which its definition begins.
        docstring: Its docstring.
    """

    file: str
    licence: str | None = None
    version: str | None = None
    package: str | None = None
    line: int | None = None
    docstring: str | None = None


@dataclass(frozen=True, slots=True)
class Kernel:
    """One Python function as text.

    Attributes:
        name: The function's name in ``source``.
        category: The shape of program that it was made as, or `USER` or `REAL`.
        description: One sentence on what it computes.
        source: A complete module: imports, structs, helpers, and the kernel.
        signature: Its arguments and launch dimension.
        provenance: None for a synthesised kernel.
        recorded: What a running program gave it and was left with, as `irsmith.record.samples` writes it; None where
            that was not kept.
    """

    name: str
    category: str
    description: str
    source: str
    signature: Signature
    provenance: Provenance | None = None
    recorded: str | None = None
