"""How much a run makes: a count of indices, a number of delivered rows, or bytes of a format.

What is delivered is always a prefix of the recipe's sequence: a target decides nothing but where it ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from irsmith.dataset.delivered import Delivered
from irsmith.export.table import TABLE
from irsmith.places import Place
from irsmith.size import parse_size

if TYPE_CHECKING:
    import pyarrow as pa

    from irsmith.recipe import Recipe

_LEAP = 4
"""A round tries at most so many times what was tried before: little that was seen says little of what is to come."""


class Target(Protocol):
    """Something to be filled by delivered rows."""

    def reached(self, parts: Sequence[Delivered]) -> tuple[float, int | None]:
        """How full the target is, 0 to 1, and the index before which it is reached, if it is."""


@dataclass(frozen=True, slots=True)
class Summed:
    """A target that each part fills on its own.

    Attributes:
        wanted: How much.
        sizes: What the first row, the first two and so on of a part fill.
    """

    wanted: int
    sizes: Callable[[Delivered], Sequence[int]]

    def reached(self, parts: Sequence[Delivered]) -> tuple[float, int | None]:
        """How full the target is, 0 to 1, and the index before which it is reached, if it is."""
        total = 0
        for part in parts:
            sizes = self.sizes(part)
            whole = sizes[len(sizes) - 1] if len(sizes) else 0
            if total + whole >= self.wanted:
                low, high = 0, len(sizes) - 1
                while low < high:
                    middle = (low + high) // 2
                    low, high = (low, middle) if total + sizes[middle] >= self.wanted else (middle + 1, high)
                return 1.0, part.indices[low] + 1
            total += whole
        return total / self.wanted, None


@dataclass(frozen=True, slots=True)
class Together:
    """A target that is measured on all parts together, because files of its format hold rows of several parts.

    Attributes:
        wanted: How much.
        measure: What some rows fill. It takes as long as writing them, so that few prefixes are measured.
    """

    wanted: int
    measure: Callable[[Sequence[Delivered]], int]

    def reached(self, parts: Sequence[Delivered]) -> tuple[float, int | None]:
        """How full the target is, 0 to 1, and the index before which it is reached, if it is."""
        rows = [index for part in parts for index in part.indices]
        low, high = 0, len(rows)
        less, enough = 0, self.measure(parts)
        if enough < self.wanted:
            return enough / self.wanted, None
        turn = 0
        while high - low > 1:
            # Where a straight line between what is known meets the target; now and then the middle, which is sure.
            share = (self.wanted - less) / (enough - less) if turn % 3 < 2 else 0.5
            guess = min(max(low + round((high - low) * share), low + 1), high - 1)
            found = self.measure(_prefix(parts, guess))
            low, less, high, enough = (guess, found, high, enough) if found < self.wanted else (low, less, guess, found)
            turn += 1
        return 1.0, rows[high - 1] + 1


def _prefix(parts: Sequence[Delivered], rows: int) -> list[Delivered]:
    """The first rows of some parts."""
    found = []
    for part in parts:
        if rows <= 0:
            break
        found.append(replace(part, indices=part.indices[:rows]))
        rows -= len(part.indices)
    return found


def of(recipe: Recipe, root: Place, versions: dict[str, str]) -> Target | None:
    """What a recipe wants filled; None where it counts indices.

    Args:
        recipe: The recipe.
        root: The folder that is filled.
        versions: What fills it.

    Raises:
        UserError: The recipe's rows cannot be written in the format whose bytes it wants.
    """
    if recipe.verified is not None:
        return Summed(recipe.verified, lambda part: range(1, len(part.indices) + 1))
    if recipe.size is None:
        return None
    wanted = parse_size(recipe.size)
    if recipe.size_format in TABLE:
        from irsmith.export.prefix import size

        def measure(parts: Sequence[Delivered]) -> int:
            return size(recipe, versions, root, parts, recipe.size_format)

        # Before any row is made: an export of nothing says what it lacks.
        measure([])
        return Together(wanted, measure)
    return Summed(wanted, _Lines() if recipe.size_format == "jsonl" else _Parquet)


def next_round(recipe: Recipe, tried: int, full: float) -> int:
    """The count of indices to go on to, whole shards, when so many filled so much of the target."""
    size = recipe.shard_size
    if not tried:
        return size if recipe.verified is None else -(-recipe.verified // size) * size
    wanted = min(tried / full, tried * _LEAP) if full else tried * _LEAP
    return max(-(-int(wanted) // size) * size, tried + size)


class _Lines:
    """Parts as lines of JSON; each is measured once."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, int], list[int]] = {}

    def __call__(self, part: Delivered) -> Sequence[int]:
        key = (part.first, len(part.indices))
        if key not in self.known:
            self.known[key] = list(_cumulative(part.rows()))
        return self.known[key]


def _cumulative(table: pa.Table) -> Iterator[int]:
    total = 0
    for batch in table.to_batches(max_chunksize=100):
        for record in batch.to_pylist():
            total += len(line_of(record).encode())
            yield total


def line_of(record: dict[str, Any]) -> str:
    """A record as a line of ``dataset.jsonl``."""
    return json.dumps(record, ensure_ascii=False) + "\n"


class _Parquet(Sequence[int]):
    """A part as Parquet: its prefixes are written to measure them; the whole part's size is known."""

    def __init__(self, part: Delivered) -> None:
        self.part = part
        self.table: pa.Table | None = None

    def __len__(self) -> int:
        return len(self.part.indices)

    def __getitem__(self, place: Any) -> Any:
        if place == len(self) - 1 and len(self) == self.part.held:
            return self.part.bytes
        import pyarrow as pa

        from irsmith.dataset.parts import write_parquet

        if self.table is None:
            self.table = self.part.rows()
        sink = pa.BufferOutputStream()
        write_parquet(self.table.slice(0, place + 1), sink)
        return sink.tell()
