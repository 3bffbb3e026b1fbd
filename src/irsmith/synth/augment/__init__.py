"""Augmentation: another way to write a program, with the same meaning.

Each kind maps a program and a stream to a variant, or to None where it would change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from irsmith.errors import UserError
from irsmith.rng import Stream
from irsmith.synth.augment.notes import annotated, respelt
from irsmith.synth.augment.order import reordered
from irsmith.synth.augment.renaming import renamed
from irsmith.synth.augment.rewriting import rewritten
from irsmith.synth.ir import Program

KINDS: dict[str, Callable[[Program, Stream], Program | None]] = {
    "rename": renamed,
    "reorder": reordered,
    "notes": annotated,
    "spelling": respelt,
    "rewrite": rewritten,
}
"""Every kind of augmentation, by name."""


@dataclass(frozen=True, slots=True)
class Augment:
    """The share of indices that hold a variant of an earlier program instead of a new one, by kind.

    Attributes:
        rename: Other names for arguments, variables and the kernel.
        reorder: Independent statements in another order.
        notes: Comments and a docstring added, or taken away.
        spelling: Annotations and literals as another author spells them.
        rewrite: A conditional expression as a branch or the other way round, or a short loop unrolled.
    """

    rename: float = 0.0
    reorder: float = 0.0
    notes: float = 0.0
    spelling: float = 0.0
    rewrite: float = 0.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            share = getattr(self, entry.name)
            if not 0 <= share <= 1:
                raise UserError(f"augment.{entry.name}: {share} is not a share: give 0 to 1")
        if self.total > 0.9:
            raise UserError(f"augment: the shares add up to {self.total:g}: leave 0.1 at least for new programs")

    @property
    def total(self) -> float:
        """The share of variants of any kind."""
        return float(sum(getattr(self, entry.name) for entry in fields(self)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are asked for."""
        return tuple(entry.name for entry in fields(self) if getattr(self, entry.name))

    def draw(self, rng: Stream) -> str | None:
        """The kind of an index, or None for a new program."""
        roll = rng.random()
        for entry in fields(self):
            roll -= getattr(self, entry.name)
            if roll < 0:
                return entry.name
        return None
