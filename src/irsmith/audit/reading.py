"""Find a dataset's files and read their records one by one; what cannot be read is an outcome, not an exception."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from irsmith.audit.layouts import LAYOUTS, Layout, Sample
from irsmith.errors import UserError
from irsmith.places import check_within

LONGEST_LINE = 64_000_000
"""Bytes of one record beyond which it is not read."""
_TRIED = 100
"""Records that a layout is looked for in."""
_BATCH = 100
_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "held_out": "held_out",
    "out_of_distribution": "out_of_distribution",
}
_NOT_DATA = re.compile(r"(^|/)(rejects|measurements|\.[^/]+)/")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is none, with where it stands and why."""

    place: str
    reason: str


def detected(root: Path) -> tuple[Layout, list[Path], Iterator[Sample | Unreadable]]:
    """The layout of what stands at a path, its files, and its records.

    Raises:
        UserError: Nothing is there, or nothing in a known layout.
    """
    files = _files(root)
    raw = chain.from_iterable(_records(root, path) for path in files)
    first = list(islice(raw, _TRIED))
    tried = [record for _, record, _ in first if isinstance(record, dict)]
    for layout in LAYOUTS:
        if any(layout.matches(record) for record in tried):
            return layout, files, _samples(layout, chain(first, raw))
    known = ", ".join(layout.name for layout in LAYOUTS)
    fields = f"fields {', '.join(map(str, tried[0]))[:200]}" if tried else "no record that can be read"
    raise UserError(f"{root}: in no layout that is known ({known}): {fields}")


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise UserError(f"{root}: no such file or folder")
    from irsmith.dataset import own

    parts = own.parts(root)
    if parts is not None:
        return parts
    home = root.resolve()
    for pattern in ("*.parquet", "*.jsonl", "pair_*.json"):
        found = sorted(path for path in root.rglob(pattern) if not _NOT_DATA.search(_below(root, path)))
        for path in found:
            check_within(home, path)
        if found:
            return found
    raise UserError(f"{root}: holds no .parquet, no .jsonl and no pair_*.json")


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path != root else path.name


def _records(root: Path, path: Path) -> Iterator[tuple[str, Any, str]]:
    """Place, record and split of everything in a file; a record that cannot be read is its reason as a text."""
    where, split = _below(root, path), _split_of(root, path)
    if path.suffix == ".parquet":
        yield from ((place, record, split) for place, record in _parquet(path, where))
    elif path.suffix != ".json":
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                        pass
                    yield f"{where}:{number}", f"longer than {LONGEST_LINE // 10**6} MB", split
                elif line.strip():
                    yield f"{where}:{number}", _parsed(line), split
    elif path.stat().st_size > LONGEST_LINE:
        yield where, f"longer than {LONGEST_LINE // 10**6} MB", split
    else:
        yield where, _parsed(path.read_bytes()), split


def _parquet(path: Path, where: str) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for record in batch.to_pylist():
                    yield f"{where} row {number}", record
                    number += 1
    except (pa.ArrowException, OSError) as error:
        yield f"{where} row {number}", f"not Parquet: {' '.join(str(error).split())[:200]}"


def _parsed(data: bytes) -> Any:
    try:
        record = json.loads(data)
    except UnicodeDecodeError:
        return "not UTF-8"
    except ValueError:
        return "not JSON"
    except RecursionError:
        return "nested too deeply"
    return record if isinstance(record, dict) else "not a JSON object"


def _split_of(root: Path, path: Path) -> str:
    """The split that a file's or its folder's name says, as ``train-00000-of-00002.parquet`` does."""
    for part in reversed(path.relative_to(root).parts if path != root else (path.name,)):
        for word in (part.split(".")[0], re.split(r"[-.]", part)[0]):
            if word.lower() in _SPLITS:
                return _SPLITS[word.lower()]
    return "all"


def _samples(layout: Layout, raw: Iterator[tuple[str, Any, str]]) -> Iterator[Sample | Unreadable]:
    for place, record, split in raw:
        sample = layout.sample(record, place, split) if isinstance(record, dict) else record
        yield Unreadable(place, sample) if isinstance(sample, str) else sample
