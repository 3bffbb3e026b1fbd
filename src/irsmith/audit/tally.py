"""Count what an audit reads."""

from __future__ import annotations

import ast
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from irsmith.audit.layouts import Sample
from irsmith.structure import describe
from irsmith.unpredictable import find

EXAMPLES = 3
"""Places that are kept of each thing found."""


@dataclass(slots=True)
class Category:
    """The records of one category: how many, how many structures are behind them, how many could not be parsed."""

    rows: int = 0
    structures: int = 0
    unparsable: int = 0


@dataclass(slots=True)
class TextSize:
    """One field of output: the records that have it, and its mean and greatest length in bytes."""

    rows: int = 0
    mean: float = 0.0
    longest: int = 0


@dataclass(slots=True)
class Found:
    """Something found in records: in how many, and where, with the words, for the first few."""

    rows: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)

    def add(self, place: str, words: str) -> None:
        """Count a record."""
        self.rows += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((place, words))


@dataclass(slots=True)
class Audit:
    """What is in a dataset.

    Attributes:
        path: The file or folder.
        layout: Its layout, as exports call it.
        files: The files read.
        rows: Records that could be read.
        structures: Distinct structures: sources with names and constants taken out.
        most_frequent: Records that share the most frequent structure.
        duplicates: Records whose source another one before has, letter by letter.
        splits: Records by split.
        leaks: Records whose structure or group a split for training has too, by both splits and what they share.
        categories: By category.
        texts: By field of output.
        unreadable: Records that could not be read, by reason.
        unparsable: Records whose Python does not parse.
        unpredictable: Records with an output that does not follow from the source, by kind.
    """

    path: str
    layout: str
    files: int
    rows: int = 0
    structures: int = 0
    most_frequent: int = 0
    duplicates: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    leaks: dict[str, Found] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)
    texts: dict[str, TextSize] = field(default_factory=dict)
    unreadable: dict[str, Found] = field(default_factory=dict)
    unparsable: Found = field(default_factory=Found)
    unpredictable: dict[str, Found] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The audit as a JSON object."""
        return asdict(self)

    def category_rows(self) -> list[tuple[str, int, int, int]]:
        """The categories as lines of a table."""
        return [(n or "(none)", c.rows, c.structures, c.unparsable) for n, c in self.categories.items()]

    def text_rows(self) -> list[tuple[str, int, str, int]]:
        """The sizes of texts as lines of a table."""
        return [(name, size.rows, f"{size.mean:.0f}", size.longest) for name, size in self.texts.items()]


class Tally:
    """Counts samples one by one."""

    def __init__(self, path: str, layout: str, files: int) -> None:
        self._audit = Audit(path, layout, files)
        self._sources: set[bytes] = set()
        self._of_category: dict[str, set[bytes]] = {}
        self._shared = {"structure": _Shared(), "group": _Shared()}

    def unreadable(self, place: str, reason: str) -> None:
        """Count a record that cannot be read."""
        self._audit.unreadable.setdefault(reason, Found()).add(place, reason)

    def add(self, sample: Sample) -> None:
        """Count a record."""
        audit = self._audit
        audit.rows += 1
        audit.splits[sample.split] = audit.splits.get(sample.split, 0) + 1
        category = audit.categories.setdefault(sample.category, Category())
        category.rows += 1
        for name, text in sample.texts.items():
            size = audit.texts.setdefault(name, TextSize())
            if text is not None:
                size.rows += 1
                length = len(text.encode("utf-8", "surrogatepass"))
                size.mean += length
                size.longest = max(size.longest, length)
        source = _digest(f"{sample.twin}\0{sample.source}")
        audit.duplicates += source in self._sources
        self._sources.add(source)
        tree = _tree(sample.source)
        structure = _structure(sample, tree)
        if structure is not None:
            self._of_category.setdefault(sample.category, set()).add(structure)
            self._shared["structure"].add(structure, sample)
        elif sample.source is not None:
            category.unparsable += 1
            audit.unparsable.add(sample.place, sample.category)
        if sample.group is not None:
            self._shared["group"].add(_digest(sample.group), sample)
        self._search(sample, tree)

    def _search(self, sample: Sample, tree: ast.Module | None) -> None:
        kinds: dict[str, str] = {}
        for text in sample.texts.values():
            if text is not None:
                for finding in find(text, sample.source, tree):
                    kinds.setdefault(finding.kind, finding.excerpt)
        for kind, excerpt in kinds.items():
            self._audit.unpredictable.setdefault(kind, Found()).add(sample.place, excerpt)

    def result(self) -> Audit:
        """What was counted."""
        audit = self._audit
        audit.structures, audit.most_frequent = self._shared["structure"].sizes()
        for what, shared in self._shared.items():
            for (earlier, later), found in shared.leaks().items():
                audit.leaks[f"{later}: {what} of {earlier}"] = found
        for name, category in audit.categories.items():
            category.structures = len(self._of_category.get(name, ()))
        audit.categories = dict(sorted(audit.categories.items()))
        audit.splits = dict(sorted(audit.splits.items(), key=lambda item: _place(item[0])))
        for size in audit.texts.values():
            size.mean /= max(size.rows, 1)
        return audit


class _Shared:
    """What records of several splits have in common, such as a structure: one whole number for each."""

    _BITS = 32

    def __init__(self) -> None:
        self._splits: list[str] = []
        self._counts: dict[bytes, int] = {}
        self._examples: dict[frozenset[str], list[tuple[str, str]]] = {}

    def add(self, key: bytes, sample: Sample) -> None:
        if sample.split not in self._splits:
            self._splits.append(sample.split)
        here = self._splits.index(sample.split)
        packed = self._counts.get(key, 0)
        for other, name in enumerate(self._splits):
            if other != here and self._count(packed, other):
                examples = self._examples.setdefault(frozenset((name, sample.split)), [])
                if len(examples) < EXAMPLES:
                    examples.append((sample.place, sample.name or ""))
        self._counts[key] = packed + (1 << self._BITS * here)

    def _count(self, packed: int, split: int) -> int:
        return packed >> self._BITS * split & ((1 << self._BITS) - 1)

    def sizes(self) -> tuple[int, int]:
        """How many keys there are, and how many records have the most frequent one."""
        each = (sum(self._count(packed, n) for n in range(len(self._splits))) for packed in self._counts.values())
        return len(self._counts), max(each, default=0)

    def leaks(self) -> dict[tuple[str, str], Found]:
        """By two splits, the records of the later one whose key a record of the earlier one has."""
        order = sorted(self._splits, key=_place)
        pairs = [(a, b) for n, a in enumerate(order) for b in order[n + 1 :] if frozenset((a, b)) in self._examples]
        found = {}
        for earlier, later in pairs:
            first, second = self._splits.index(earlier), self._splits.index(later)
            rows = sum(self._count(p, second) for p in self._counts.values() if self._count(p, first))
            found[earlier, later] = Found(rows, self._examples[frozenset((earlier, later))])
        return found


def _place(split: str) -> tuple[int, str]:
    order = ("train", "validation", "test")
    return (order.index(split) if split in order else len(order), split)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _tree(source: str | None) -> ast.Module | None:
    if source is None:
        return None
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # What a parser says of text that is no Python, holds null bytes, or is nested beyond its stack.
        return None


def _structure(sample: Sample, tree: ast.Module | None) -> bytes | None:
    """The structure of the kernel in a sample; None where its Python cannot be parsed or has no function."""
    if sample.source is None or tree is None:
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    names = [sample.name, *(f.name for f in reversed(functions) if f.decorator_list), *(f.name for f in functions)]
    for name in names:
        if name is not None:
            try:
                return bytes.fromhex(describe(sample.source, name).structure_id)[:12]
            except (ValueError, RecursionError):
                continue
    return None
