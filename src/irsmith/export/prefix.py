"""How many bytes the first rows of an unfinished dataset are in a format: those that its exporter writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from irsmith import scratch
from irsmith.dataset.delivered import Delivered
from irsmith.dataset.load import BATCH, Dataset
from irsmith.dataset.manifest import made_here
from irsmith.dataset.shard import Shard
from irsmith.export import export
from irsmith.places import Place, parquet
from irsmith.recipe import Recipe
from irsmith.row import schema


@dataclass(frozen=True)
class Prefix(Dataset):
    """The rows that stay of the first parts of a folder, as a dataset.

    Attributes:
        parts: The parts, in order; of the last one perhaps not all rows.
    """

    parts: tuple[Delivered, ...] = ()

    def check_intact(self) -> None:
        """Nothing to check: this run has just written the files, and no manifest knows them yet."""

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow batches, as those of a finished dataset come."""
        names = schema(self.stages).names if columns is None else columns
        for part in self.parts:
            kept = pa.array(part.indices, pa.int64())
            with parquet(part.path) as file:
                for batch in file.iter_batches(BATCH, columns=["index", *(n for n in names if n != "index")]):
                    chosen = batch.filter(pc.is_in(batch["index"], value_set=kept))
                    if chosen.num_rows:
                        yield chosen.select(names)


def size(recipe: Recipe, versions: dict[str, str], root: Place, parts: Sequence[Delivered], format_name: str) -> int:
    """The bytes of data that an export of some rows holds, with the format's default options.

    Args:
        recipe: What makes the rows.
        versions: What they are made with.
        root: The folder that the parts stand in.
        parts: The rows.
        format_name: A name of `irsmith.export.table.TABLE`.

    Raises:
        UserError: The recipe's rows lack what the format needs, or a library of the format is not installed.
    """
    shards = [Shard(recipe.config, part.first, part.held, part.held, "", part.bytes, (), {}, "") for part in parts]
    rows = Prefix(root, (recipe,), made_here(recipe.version, versions, shards), tuple(parts))
    with scratch.folder("size") as folder:
        return export(rows, folder / "rows", format_name).bytes
