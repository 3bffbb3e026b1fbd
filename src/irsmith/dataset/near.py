"""Near-duplicates: rows whose sources are alike once names and numbers are taken out.

How alike is the Jaccard similarity of the sets of `LENGTH` successive tokens, estimated from MinHash signatures.
Candidates are found by locality-sensitive hashing: signatures are cut into bands, and DuckDB, which works on disk
when memory is short, finds the rows that share one. In order of the rows, one that is as alike as the threshold to
an earlier row that stays is a near-duplicate of it; a row that stays and its near-duplicates are a cluster.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from irsmith import scratch
from irsmith.dataset import reading
from irsmith.dataset.tokens import normalised, shingles
from irsmith.engines.each import each
from irsmith.errors import UserError

THRESHOLD = 0.8
"""From which similarity on rows are near-duplicates when nothing is said."""
PERMUTATIONS = 128
LENGTH = 5
"""Tokens a shingle."""
FIRST = 16
"""Of the rows that share a band, each is compared with so many of the earliest."""
MEMORY = "1GB"
"""What DuckDB may hold before it works on disk."""
_PARTS = 8
"""Parts a task."""


@dataclass(frozen=True, slots=True)
class Near:
    """A near-duplicate.

    Attributes:
        place: Its place among all rows.
        of: The place of the row that stays.
        similarity: How alike they are, as estimated.
    """

    place: int
    of: int
    similarity: float


def library() -> Any:
    """The library of MinHash.

    Raises:
        UserError: It is not installed.
    """
    try:
        import datasketch
    except ImportError:
        raise UserError("near-duplicates need datasketch: pip install 'irsmith[near]'") from None
    return datasketch


def check(threshold: float) -> None:
    """Refuse what is no threshold.

    Raises:
        UserError: It is not above 0 and below or at 1.
    """
    if not 0 < threshold <= 1:
        raise UserError(f"--near: {threshold} is not a similarity: give a number above 0, up to 1, such as {THRESHOLD}")


def index(threshold: float) -> Any:
    """An empty ``datasketch.MinHashLSH`` whose bands find what is as alike as a threshold.

    Candidates are compared afterwards, so that the bands miss little rather than find little too much: at a
    threshold of 0.8, 95 % of the pairs that are just so alike and 99 % of those that are 0.85 alike share a band.
    """
    # The library knows no bands for a likeness of 1.
    return library().MinHashLSH(threshold=min(threshold, 0.95), num_perm=PERMUTATIONS, weights=(0.05, 0.95))


@cache
def _empty() -> Any:
    # The scheme and the hash are stated: signatures must not change with the library's defaults.
    return library().MinHash(PERMUTATIONS, seed=1, scheme="affine32", hashfunc=zlib.crc32)


def signature(text: str) -> Any:
    """The ``datasketch.MinHash`` of a source."""
    # Copied: to draw the permutations anew takes longer than to hash a source.
    found = _empty().copy()
    found.update_batch(shingles(normalised(text), LENGTH))
    return found


@dataclass(frozen=True, slots=True)
class _Task:
    """Files whose rows are to be signed."""

    first: int
    paths: tuple[Path, ...]


def _sign(task: _Task, on_progress: Callable[[int], None]) -> np.ndarray[Any, Any]:
    signed = []
    for path in task.paths:
        sources = reading.columns(path, ["python_source"])["python_source"]
        signed += [signature(source).hashvalues for source in sources.to_pylist()]
        on_progress(len(signed))
    return np.array(signed, np.uint32).reshape(-1, PERMUTATIONS)


def near_duplicates(
    paths: Sequence[Path],
    threshold: float = THRESHOLD,
    *,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Near]:
    """The near-duplicates among the rows of some files, in order.

    Args:
        paths: The data files, in the order in which rows take precedence.
        threshold: From which similarity on rows are near-duplicates.
        workers: Processes that sign rows. They do not change what is found.
        on_progress: Called with the number of rows signed.

    Raises:
        UserError: The threshold is none, the library is not installed, or a file holds no such rows.
    """
    import duckdb

    check(threshold)
    lsh = index(threshold)
    with scratch.folder("near") as folder:
        rows = sum(map(reading.rows, paths))
        if rows < 2:
            return []
        shape = (rows, PERMUTATIONS)
        signatures = np.lib.format.open_memmap(folder / "signatures.npy", "w+", np.uint32, shape)
        _sign_all(paths, signatures, workers, on_progress)
        bands = folder / "bands.parquet"
        _write_bands(signatures, lsh.b, lsh.r, bands)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": str(folder),
            "threads": workers,
        }
        with duckdb.connect(folder / "bands.duckdb", config=settings) as connection:
            return list(_judged(signatures, _candidates(connection, bands), threshold))


def _sign_all(
    paths: Sequence[Path], signatures: np.ndarray[Any, Any], workers: int, on_progress: Callable[[int], None]
) -> None:
    tasks, place = [], 0
    for number in range(0, len(paths), _PARTS):
        chosen = tuple(paths[number : number + _PARTS])
        tasks.append(_Task(place, chosen))
        place += sum(map(reading.rows, chosen))
    done = [0]
    for task, signed in each(_sign, tasks, workers, lambda in_hand: on_progress(done[0] + in_hand)):
        signatures[task.first : task.first + len(signed)] = signed
        done[0] += len(signed)
        on_progress(done[0])


def _write_bands(signatures: np.ndarray[Any, Any], bands: int, width: int, path: Path) -> None:
    """Write which row has which value in which band, a value hashed to 64 bits."""
    mixing = np.random.Generator(np.random.Philox(1)).integers(1, 2**63, size=width, dtype=np.uint64) * 2 + 1
    schema = pa.schema([("band", pa.int16()), ("key", pa.uint64()), ("place", pa.int64())])
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for band in range(bands):
            for first in range(0, len(signatures), 100_000):
                part = signatures[first : first + 100_000, band * width : (band + 1) * width].astype(np.uint64)
                keys = (part * mixing).sum(axis=1, dtype=np.uint64)
                places = np.arange(first, first + len(part))
                writer.write(pa.table([np.full(len(part), band, np.int16), keys, places], schema=schema))


def _candidates(connection: Any, bands: Path) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Pairs of rows that share a band, an earlier and a later one, in order of the later."""
    # It would stand on stdout, before what the command prints.
    connection.execute("set enable_progress_bar = false")
    connection.execute(
        "create table buckets as select band, key, place, "
        "row_number() over (partition by band, key order by place) as number from read_parquet(?) "
        "qualify count(*) over (partition by band, key) > 1",
        [str(bands)],
    )
    query = (
        "select distinct later.place as later, earlier.place as earlier from buckets as later join buckets as earlier "
        "on later.band = earlier.band and later.key = earlier.key and earlier.number < later.number "
        f"and earlier.number <= {FIRST} order by later, earlier"
    )
    for batch in connection.sql(query).to_arrow_reader(100_000):
        yield batch["later"].to_numpy(), batch["earlier"].to_numpy()


def _judged(
    signatures: np.ndarray[Any, Any],
    candidates: Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]],
    threshold: float,
) -> Iterator[Near]:
    gone = np.zeros(len(signatures), bool)
    for later, earlier in candidates:
        alike = (signatures[later] == signatures[earlier]).mean(axis=1)
        for place in np.flatnonzero(alike >= threshold):
            row, of = int(later[place]), int(earlier[place])
            if not gone[row] and not gone[of]:
                gone[row] = True
                yield Near(row, of, float(alike[place]))
