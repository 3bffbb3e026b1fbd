"""Take out of a dataset what stands in a benchmark, so that the benchmark still measures something.

A benchmark is read as Python texts, whoever wrote it: ``.py`` files, and every string with a function in it of
``.jsonl``, ``.json`` and ``.parquet`` files. Each text, and each function of it, is compared with each row: by
structure, and by likeness (see `irsmith.dataset.near`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from irsmith.dataset import own, reading
from irsmith.dataset.assemble import Gone
from irsmith.dataset.derive import derive, parts_of
from irsmith.dataset.load import Dataset
from irsmith.dataset.manifest import Manifest
from irsmith.dataset.near import THRESHOLD, check, index, signature
from irsmith.dataset.tokens import definitions
from irsmith.errors import UserError
from irsmith.structure import describe

CONTAMINATED = "Contaminated"
"""The symptom of a row that stands in a benchmark."""
_ENDINGS = (".py", ".jsonl", ".json", ".parquet")
_FUNCTION = "def "


@dataclass(frozen=True, slots=True)
class Match:
    """A row that stands in a benchmark.

    Attributes:
        part: The number of its part.
        index: Its index.
        row_id: Its id.
        where: The file and the place in it.
        similarity: How alike they are, as estimated; 1 where the structures are the same.
    """

    part: int
    index: int
    row_id: str
    where: str
    similarity: float


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """The Python texts of a file, or of all files below a folder, each with where it stands.

    Of a folder that holds a dataset of irsmith's, only its rows count.

    Raises:
        UserError: There is no such file, it is of no kind that is read, or it is damaged.
    """
    if path.is_dir():
        parts = own.parts(path)
        for below in sorted(path.rglob("*")) if parts is None else parts:
            if below.is_file() and below.suffix in _ENDINGS:
                yield from _of_file(below, below.relative_to(path).as_posix())
        return
    if path.suffix not in _ENDINGS:
        raise UserError(f"{path}: files ending in {', '.join(_ENDINGS)} are read, or a folder of them")
    yield from _of_file(path, path.name)


def _of_file(path: Path, name: str) -> Iterator[tuple[str, str]]:
    try:
        for place, text in _READERS[path.suffix](path):
            if _FUNCTION in text:
                yield f"{name}{place}", text
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from None
    except (ValueError, pa.ArrowInvalid) as error:
        raise UserError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None


def _of_python(path: Path) -> Iterator[tuple[str, str]]:
    yield "", path.read_text(encoding="utf-8")


def _of_lines(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield from ((f":{number}{key}", text) for key, text in _strings(json.loads(line), ""))


def _of_json(path: Path) -> Iterator[tuple[str, str]]:
    yield from ((f" {key}", text) for key, text in _strings(json.loads(path.read_text(encoding="utf-8")), ""))


def _of_parquet(path: Path) -> Iterator[tuple[str, str]]:
    file = pq.ParquetFile(path)
    number = 0
    for batch in file.iter_batches(batch_size=100):
        for record in batch.to_pylist():
            number += 1
            yield from ((f":{number}{key}", text) for key, text in _strings(record, ""))


_READERS: dict[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    ".py": _of_python,
    ".jsonl": _of_lines,
    ".json": _of_json,
    ".parquet": _of_parquet,
}


def _strings(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """The strings of a record, each with its keys."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, f"{key} {name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, f"{key} {number}")


class Benchmark:
    """What rows are compared with: its structures, and its signatures in an index."""

    def __init__(self, path: Path, threshold: float) -> None:
        self.threshold = threshold
        self.texts = 0
        self._structures: dict[str, str] = {}
        self._index = index(threshold)
        self._signatures: dict[str, Any] = {}
        for where, text in texts(path):
            self.texts += 1
            self._add(where, text)
        if not self.texts:
            raise UserError(f"{path}: holds no Python function: give a benchmark's files")

    def _add(self, where: str, text: str) -> None:
        functions = definitions(text)
        for name, body in functions:
            self._structures.setdefault(describe(text, name).structure_id, f"{where} {name}")
            self._sign(f"{where} {name}", body)
        self._sign(where, _body(text))

    def _sign(self, where: str, text: str) -> None:
        if where not in self._signatures:
            self._signatures[where] = signature(text)
            self._index.insert(where, self._signatures[where])

    def find(self, source: str, name: str, structure_id: str) -> tuple[str, float] | None:
        """Where a row stands in the benchmark, and how alike they are; None where it does not."""
        if structure_id in self._structures:
            return self._structures[structure_id], 1.0
        found: list[tuple[float, str]] = []
        for text in {_body(source), dict(definitions(source)).get(name, "")} - {""}:
            mine = signature(text)
            found += [(mine.jaccard(self._signatures[where]), where) for where in self._index.query(mine)]
        similarity, where = max(found, default=(0.0, ""))
        return (where, float(similarity)) if similarity >= self.threshold else None


def _body(text: str) -> str:
    """The functions of a source, without the imports that all kernels share; what is no Python whole."""
    return "\n".join(body for _, body in definitions(text)) or text


def contaminated(
    dataset: Dataset,
    against: Path,
    *,
    threshold: float = THRESHOLD,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Match]:
    """Find the rows of a dataset that stand in a benchmark.

    Args:
        dataset: The dataset, read a part at a time.
        against: The benchmark: a file, or a folder of files.
        threshold: From which similarity on a row counts as standing there.
        on_progress: Called with the number of rows looked at.

    Raises:
        UserError: The benchmark cannot be read or has no function in it, the threshold is none, or a file
            of rows is damaged.
    """
    check(threshold)
    dataset.check_intact()
    benchmark = Benchmark(against, threshold)
    matches: list[Match] = []
    done = 0
    for number, part in enumerate(parts_of([dataset])):
        table = reading.columns(part.path, ["id", "index", "name", "python_source", "structure_id"])
        for row in table.to_pylist():
            found = benchmark.find(row["python_source"], row["name"], row["structure_id"])
            if found is not None:
                matches.append(Match(number, row["index"], row["id"], *found))
        done += table.num_rows
        on_progress(done)
    return matches


def decontaminate(dataset: Dataset, against: Path, out: Path, threshold: float, matches: list[Match]) -> Manifest:
    """Write a dataset without the rows that stand in a benchmark.

    Args:
        dataset: Where the rows come from.
        against: The benchmark, which the manifest names.
        out: The folder to make. It must not exist.
        threshold: What the rows were found with.
        matches: The rows that were found.

    Raises:
        UserError: The folder exists or cannot be made.
    """
    gone: dict[int, dict[int, Gone]] = defaultdict(dict)
    for match in matches:
        gone[match.part][match.index] = Gone(CONTAMINATED, f"is {match.similarity:.2f} alike to {match.where}")
    return derive([dataset], out, "decontaminate", {"against": against.name, "near": threshold}, gone)
