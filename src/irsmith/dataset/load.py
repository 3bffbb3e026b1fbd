"""Open a dataset that irsmith wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from irsmith import frontends, recipe
from irsmith.dataset import manifest as manifests
from irsmith.dataset import own, reading
from irsmith.dataset.manifest import RECIPE_FILE, Manifest
from irsmith.errors import UserError
from irsmith.frontends.base import Stage
from irsmith.places import Place, Remote, place
from irsmith.real import config_of
from irsmith.recipe import Recipe
from irsmith.row import Row, from_record, schema

if TYPE_CHECKING:
    import pyarrow.dataset

BATCH = 100


@dataclass(frozen=True)
class Dataset:
    """A finished dataset on disk. Iterating it gives its rows in index order, a batch in memory at a time.

    Attributes:
        place: Its folder, here or on a remote filesystem.
        recipes: What decided its content: one recipe, or those of the datasets that it was made of.
        manifest: What made it and what it holds.
    """

    place: Place
    recipes: tuple[Recipe, ...]
    manifest: Manifest

    def __len__(self) -> int:
        return self.manifest.rows

    def __iter__(self) -> Iterator[Row]:
        for record in self.records():
            yield row_of(record, self.stages_of(record["frontend"]), str(self.place))

    @property
    def root(self) -> Path:
        """Its folder on this machine.

        Raises:
            UserError: It stands on a remote filesystem.
        """
        if isinstance(self.place, Remote):
            raise UserError(f"{self.place}: this works on folders of this machine alone: copy the dataset here first")
        return self.place

    @property
    def recipe(self) -> Recipe:
        """The recipe that decided its content; of a merged dataset the first."""
        return self.recipes[0]

    def recipe_of(self, row: Row) -> Recipe:
        """The recipe that made a row."""
        return recipe_of(self.recipes, row.frontend, row.seed, row.package)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages whose texts its rows hold; of several frontends all, and a row has those of its own."""
        return tuple(stage for name in self.frontends for stage in self.stages_of(name))

    @property
    def frontends(self) -> tuple[str, ...]:
        """Whose kernels its rows are, in the order of its recipes."""
        return tuple(dict.fromkeys(recipe.frontend for recipe in self.recipes))

    def stages_in(self, config: str) -> tuple[Stage, ...]:
        """The stages whose texts the files of a config hold, in its frontend's order."""
        return stages_in(self.recipes, config)

    def stages_of(self, frontend: str) -> tuple[Stage, ...]:
        """The stages whose texts the rows of a frontend hold, in its order."""
        names = {name for recipe in self.recipes if recipe.frontend == frontend for name in recipe.stages}
        return tuple(stage for stage in frontends.get(frontend).stages if stage.name in names)

    def arrow(self) -> pyarrow.dataset.Dataset:
        """The data files as one Arrow dataset, for queries that do not read everything."""
        parts = [self.place / item.file for item in self.manifest.shards]
        paths = [part.path if isinstance(part, Remote) else str(part) for part in parts]
        filesystem = self.place.filesystem if isinstance(self.place, Remote) else None
        # Imports pandas where that is installed.
        from pyarrow import dataset

        return dataset.dataset(paths, format="parquet", schema=schema(self.stages), filesystem=filesystem)

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow batches, in index order; only some columns if asked.

        One file after the other: a scan of an Arrow dataset reads ahead of who is slower, until all is in memory.
        The columns of other frontends' stages are null.

        Raises:
            UserError: A file is missing, or is none that irsmith wrote.
        """
        whole = schema(self.stages)
        wanted = whole if columns is None else pa.schema([whole.field(name) for name in columns])
        for item in self.manifest.shards:
            own = schema(self.stages_in(item.config))
            here = [name for name in wanted.names if name in own.names]
            for batch in reading.batches(self.place / item.file, own, BATCH, here):
                arrays = [
                    batch[field.name] if field.name in here else pa.nulls(batch.num_rows, field.type)
                    for field in wanted
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=wanted)

    def records(self, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """The rows as plain records, in index order; only some columns if asked."""
        for batch in self.batches(columns):
            yield from batch.to_pylist()

    def row(self, row_id: str) -> Row:
        """The row of an id, or of an index given as text.

        Raises:
            UserError: There is none.
        """
        for item in self.manifest.shards:
            path = self.place / item.file
            keys = reading.columns(path, ["id", "index"])
            chosen = pc.equal(keys["id"], row_id)
            if row_id.isdecimal():
                chosen = pc.or_(chosen, pc.equal(keys["index"].cast(pa.string()), str(int(row_id))))
            number = pc.index(chosen, True).as_py()
            if number >= 0:
                stages = self.stages_in(item.config)
                return row_of(reading.record(path, schema(stages), number), stages, str(self.place))
        known = next(self.records(["id"]), {"id": "warp-0-0"})["id"]
        raise UserError(f"{self.place}: no row {row_id!r}: ids look like {known!r}, or give an index")

    def check_intact(self) -> None:
        """Check that each file of rows is the one that the manifest knows: all of them are read.

        Raises:
            UserError: One is missing, or holds other bytes.
        """
        for item in self.manifest.shards:
            reading.check_intact(self.place / item.file, item)


def row_of(record: Mapping[str, Any], stages: Iterable[Stage], where: str) -> Row:
    """The row of a record of a dataset, whoever wrote it.

    Raises:
        UserError: It is none.
    """
    try:
        return from_record(record, stages)
    except (UserError, ValueError, KeyError, TypeError, AttributeError) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{where}: {str(record.get('id'))[:100]!r} is no row: {told[:300]}") from None


def stages_in(recipes: Sequence[Recipe], config: str) -> tuple[Stage, ...]:
    """The stages whose texts the files of a config hold, in its frontend's order."""
    mine = [recipe for recipe in recipes if recipe.config == config]
    names = {name for recipe in mine for name in recipe.stages}
    return tuple(stage for stage in frontends.get(mine[0].frontend).stages if stage.name in names)


def recipe_of(recipes: Sequence[Recipe], frontend: str, seed: int | None, package: str | None) -> Recipe:
    """Which of the recipes of a dataset made a row."""
    config = config_of(frontend, synthesised=seed is not None)
    mine = [recipe for recipe in recipes if recipe.config == config]
    if seed is None:
        fitting = [r for r in mine if package in {title.partition(" ")[0] for title in r.real.packages}]
    else:
        fitting = [recipe for recipe in mine if recipe.seed == seed]
    return next(iter((*fitting, *mine, *recipes)))


def load(path: str | os.PathLike[str] | Remote) -> Dataset:
    """Open the dataset of a folder. Nothing of it is executed, and no frontend's JIT is needed.

    Args:
        path: The folder: a path, or the URI of one on a remote filesystem, such as ``s3://bucket/dataset``.

    Raises:
        UserError: There is no finished dataset there, it is of another schema version, or something of it is no
            file of its own folder.
    """
    root = place(path)
    own.check(root)
    found = manifests.read(root)
    where = str(root / manifests.FILE)
    if found.derived is None:
        recipes: tuple[Recipe, ...] = (recipe.read(root / RECIPE_FILE),)
    else:
        recipes = tuple(recipe.of_table(source.recipe, where) for source in found.derived.sources)
    for config in found.configs:
        if config not in [one.config for one in recipes]:
            raise UserError(f"{where}: holds rows of {config}, and no recipe of the dataset makes such")
    return Dataset(root, recipes, found)
