"""Which builtins and types a dataset's sources use."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Self

from irsmith.dataset.load import Dataset
from irsmith.dataset.splits import builtins_of

SAMPLE = 5_000
"""Rows whose sources are parsed, at most, evenly spread over the dataset."""


@dataclass(slots=True)
class Coverage:
    """What sources use.

    Attributes:
        rows: The rows that were looked at.
        builtins: Rows by function of the frontend's module or of Python.
        types: Rows by type of an argument; every struct is ``struct``.
        ranks: Arguments by rank; 0 for a value.
    """

    rows: int = 0
    builtins: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    ranks: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Parse the sources of a sample of a dataset's rows."""
        found = cls()
        step = max(1, ceil(len(dataset) / SAMPLE))
        for number, row in enumerate(dataset.records(["python_source", "arguments", "structs"])):
            if number % step == 0:
                found.rows += 1
                # What is no Python counts no builtins; `validate` names it.
                with suppress(SyntaxError, ValueError, RecursionError):
                    found.builtins.update(builtins_of(row["python_source"]))
                structs = {struct["name"] for struct in row["structs"]}
                types = {argument["type"] for argument in row["arguments"]}
                found.types.update({"struct" if name in structs else name for name in types})
                found.ranks.update(argument["rank"] for argument in row["arguments"])
        return found
