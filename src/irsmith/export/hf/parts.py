"""The Parquet files of one split, as the hub names them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from irsmith.dataset.parts import ROW_GROUP

GROUP_BYTES = 64_000_000
"""Bytes in memory at which a row group ends before it has its rows: the hub's viewer reads groups below 100 MB."""
FILE_BYTES = 400_000_000
"""Bytes on disk from which the next row group goes to the next file."""


class Parts:
    """Writes the rows of one split as they come, a row group in memory at a time.

    The files are numbered as they are written and get their names, which say how many there are, at the end.
    """

    def __init__(self, root: Path, folder: Path, split: str, schema: pa.Schema) -> None:
        self._root = root
        self._folder = folder
        self._split = split
        self._schema = schema
        self._waiting: list[pa.Table] = []
        self._counts: list[int] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, table: pa.Table) -> None:
        """Add rows."""
        self._waiting.append(table)
        while sum(part.num_rows for part in self._waiting) >= ROW_GROUP:
            whole = pa.concat_tables(self._waiting)
            self._write(whole.slice(0, ROW_GROUP))
            self._waiting = [whole.slice(ROW_GROUP)]

    def finish(self) -> dict[str, int]:
        """Write what is left, and return the files' paths below the root with their rows."""
        if any(part.num_rows for part in self._waiting):
            self._write(pa.concat_tables(self._waiting))
        if self._writer is not None:
            self._writer.close()
        named = {}
        for number, rows in enumerate(self._counts):
            name = self._folder / f"{self._split}-{number:05d}-of-{len(self._counts):05d}.parquet"
            (self._root / self._aside(number)).rename(self._root / name)
            named[name.as_posix()] = rows
        return named

    def _aside(self, number: int) -> Path:
        return self._folder / f"{self._split}-{number:05d}"

    def _write(self, table: pa.Table) -> None:
        if self._writer is not None and (self._root / self._aside(len(self._counts) - 1)).stat().st_size > FILE_BYTES:
            self._writer.close()
            self._writer = None
        if self._writer is None:
            path = self._root / self._aside(len(self._counts))
            path.parent.mkdir(parents=True, exist_ok=True)
            # The viewer reads pages by their index.
            self._writer = pq.ParquetWriter(
                path, self._schema, compression="zstd", use_dictionary=False, write_page_index=True
            )
            self._counts.append(0)
        rows = max(1, min(ROW_GROUP, int(table.num_rows * GROUP_BYTES / max(table.get_total_buffer_size(), 1))))
        self._writer.write_table(table.combine_chunks(), row_group_size=rows)
        self._counts[-1] += table.num_rows
