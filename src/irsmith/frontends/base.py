"""What the rest of irsmith asks of a frontend, and the types that cross that boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a stage's text with a column of its own, ``<stage>_<name>``.

    Attributes:
        name: The column's suffix.
        meaning: What the text holds, for the row format's documentation.
        backward: Whether only the backward direction needs it: null where a row has no backward.
    """

    name: str
    meaning: str
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A named form of the code on its way down.

    Joining the parts in order with an empty line between them, nulls and empty texts left out, gives the
    unit that compiles.
    """

    name: str
    language: str
    parts: tuple[Part, ...]

    def columns(self) -> tuple[str, ...]:
        """The column names, in the order of concatenation."""
        return tuple(f"{self.name}_{part.name}" for part in self.parts)

    def unit(self, texts: Mapping[str, str | None], *, backward: bool = True) -> str:
        """The compilable unit made of a row's columns, with or without what only the backward needs."""
        kept = (part for part in self.parts if backward or not part.backward)
        texts_kept = (texts[f"{self.name}_{part.name}"] for part in kept)
        return "\n".join(text for text in texts_kept if text)
