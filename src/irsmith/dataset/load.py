"""Open a dataset that irsmith wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from irsmith import frontends, recipe
from irsmith.dataset import manifest as manifests
from irsmith.dataset.folder import RECIPE_FILE
from irsmith.dataset.manifest import Manifest
from irsmith.dataset.shard import data_file
from irsmith.errors import UserError
from irsmith.frontends.base import Stage, stage_named
from irsmith.recipe import Recipe
from irsmith.row import Row, from_record

BATCH = 100


@dataclass(frozen=True)
class Dataset:
    """A finished dataset on disk. Iterating it gives its rows in index order, a batch in memory at a time.

    Attributes:
        root: Its folder.
        recipe: What decided its content.
        manifest: What made it and what it holds.
    """

    root: Path
    recipe: Recipe
    manifest: Manifest

    def __len__(self) -> int:
        return self.manifest.rows

    def __iter__(self) -> Iterator[Row]:
        for record in self.records():
            yield from_record(record, self.stages)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages whose texts its rows hold."""
        frontend = frontends.get(self.recipe.frontend)
        return tuple(stage_named(frontend, name) for name in self.recipe.stages)

    def arrow(self) -> ds.Dataset:
        """The data files as one Arrow dataset, for queries that do not read everything."""
        files = [str(self.root / data_file(self.manifest.frontend, item.first)) for item in self.manifest.shards]
        return ds.dataset(files, format="parquet")

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow batches, in index order; only some columns if asked.

        One file after the other: a scan of an Arrow dataset reads ahead of who is slower, until all is in memory.
        """
        for item in self.manifest.shards:
            with pq.ParquetFile(self.root / data_file(self.manifest.frontend, item.first)) as file:
                yield from file.iter_batches(batch_size=BATCH, columns=columns)

    def records(self, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """The rows as plain records, in index order; only some columns if asked."""
        for batch in self.batches(columns):
            yield from batch.to_pylist()

    def row(self, row_id: str) -> Row:
        """The row of an id, or of an index given as text.

        Raises:
            UserError: There is none.
        """
        chosen = pa.compute.field("id") == row_id
        if row_id.isdecimal():
            chosen |= pa.compute.field("index") == int(row_id)
        table = self.arrow().to_table(filter=chosen)
        if not table.num_rows:
            raise UserError(f"{self.root}: no row {row_id!r}: ids look like {self._some_id()!r}, or give an index")
        return from_record(table.to_pylist()[0], self.stages)

    def _some_id(self) -> str:
        found: str = self.arrow().head(1, columns=["id"]).to_pylist()[0]["id"]
        return found


def load(path: str | os.PathLike[str]) -> Dataset:
    """Open the dataset of a folder. Nothing of it is executed, and no frontend's JIT is needed.

    Raises:
        UserError: There is no finished dataset there, or it is of another schema version.
    """
    root = Path(path)
    found = manifests.read(root)
    return Dataset(root, recipe.read(root / RECIPE_FILE), found)
