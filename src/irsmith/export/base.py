"""What an export is told, what it says afterwards, and what every format answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsmith.errors import UserError, check_positive, nearest
from irsmith.templates import Template

if TYPE_CHECKING:
    from irsmith.dataset.load import Dataset

OVER = ("drop", "mark")


@dataclass(frozen=True, slots=True)
class Options:
    """What to write of a dataset, and how. A format takes some of them; None and empty stand for its default.

    Attributes:
        full_module: Whether a text is the whole unit that compiles, not the functions alone.
        device: ``cpu`` or ``cuda``, for the formats that keep them apart.
        splits: The splits whose rows are written; all where none is named.
        tasks: For the training forms, ``FROM:TO`` pairs of `irsmith.export.tasks`.
        templates: By task, the words around the texts; the recipe's own where not given.
        tokenizer: Counts tokens: the name of one that is built in, or a ``tokenizer.json``.
        max_tokens: The most tokens that a record's texts may have together.
        over: What becomes of a longer one: ``drop``, or ``mark`` in a field of its own.
        size: Bytes: a file is complete with the first row with which it holds that many.
    """

    full_module: bool = False
    device: str | None = None
    splits: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    templates: Mapping[str, Template] = field(default_factory=dict)
    tokenizer: str | None = None
    max_tokens: int | None = None
    over: str | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_tokens", "size"):
            check_positive(f"--{name.replace('_', '-')}", getattr(self, name))
        if self.over is not None and self.over not in OVER:
            raise UserError(f"--over: {self.over!r} is not known: {nearest(self.over, OVER)}")
        if self.max_tokens is not None and self.tokenizer is None:
            raise UserError("--max-tokens: needs a tokenizer to count with: add --tokenizer tekken")
        if self.over is not None and self.max_tokens is None:
            raise UserError("--over: says what becomes of rows over --max-tokens, which is not given")

    def given(self) -> list[str]:
        """The names of the options that were given."""
        return [entry.name for entry in fields(self) if getattr(self, entry.name)]


@dataclass(slots=True)
class Exported:
    """What an export wrote.

    Attributes:
        out: The file or folder.
        rows: Rows of the dataset that were written.
        records: Records by file below ``out``; the file's own name where ``out`` is one.
        bytes: Bytes of those files.
        left_out: Rows or records that were not written, by reason.
        tokens: All tokens by field, where a tokenizer was named.
    """

    out: Path
    rows: int = 0
    records: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)

    def leave_out(self, reason: str, times: int = 1) -> None:
        """Count what is not written."""
        self.left_out[reason] = self.left_out.get(reason, 0) + times

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)} | {"out": str(self.out)}


@dataclass(frozen=True, slots=True)
class Format:
    """A layout that a dataset can be written in.

    Attributes:
        meaning: What it is, in one line.
        options: The names of `Options` that it takes.
        write: Writes a dataset to a path.
    """

    meaning: str
    options: frozenset[str]
    write: Callable[[Dataset, Path, Options], Exported]


COUNTING = frozenset({"splits", "tokenizer", "max_tokens", "over"})
"""The options that every format takes."""
