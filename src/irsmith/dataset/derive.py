"""Make a dataset of finished ones: all their rows in order, without those that are to go, and all their rejects.

The sources are only read. What is made has the same layout, and its manifest says of which datasets, by which
recipes and toolchains, and what was taken out; it appears when it is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from irsmith import files
from irsmith.dataset import card, manifest, measured, reading
from irsmith.dataset.assemble import Gone, parted, write_part
from irsmith.dataset.load import BATCH, Dataset
from irsmith.dataset.manifest import Derived, Manifest, Source
from irsmith.dataset.own import CARD_FILE
from irsmith.dataset.pairs import orphans
from irsmith.dataset.parts import read_rejects, rejects_file, sidecar_file
from irsmith.dataset.shard import Shard
from irsmith.dataset.splits import of_groups
from irsmith.errors import UserError
from irsmith.row import schema


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a dataset that another is made of.

    Attributes:
        path: Its file.
        rejects: The file of what did not become a row of it, if anything did not.
        measured: The file of what verification measured, if there is one.
        shard: What it holds.
        first: The number that names it in what is made.
        schema: Of its rows.
    """

    path: Path
    rejects: Path
    measured: Path
    shard: Shard
    first: int
    schema: pa.Schema

    def table(self) -> pa.Table:
        """All its rows.

        Raises:
            UserError: Its file is missing, or is none that irsmith wrote.
        """
        return pa.Table.from_batches(reading.batches(self.path, self.schema, BATCH), self.schema)


def parts_of(datasets: Sequence[Dataset]) -> list[Part]:
    """The parts of some datasets, in the order in which their rows take precedence."""
    offsets = [0, *accumulate(dataset.manifest.end for dataset in datasets)]
    return [
        Part(
            dataset.root / shard.file,
            dataset.root / rejects_file(shard.config, shard.first),
            dataset.root / sidecar_file(shard.config, shard.first),
            shard,
            offset + shard.first,
            schema(dataset.stages_in(shard.config)),
        )
        for dataset, offset in zip(datasets, offsets, strict=False)
        for shard in dataset.manifest.shards
    ]


def check_free(out: Path) -> None:
    """Refuse a folder to make that exists, before rows are compared for nothing.

    Raises:
        UserError: It exists.
    """
    if out.exists():
        raise UserError(f"{out}: exists: choose a new folder")


def derive(
    datasets: Sequence[Dataset],
    out: Path,
    command: str,
    settings: Mapping[str, Any],
    gone: Mapping[int, Mapping[int, Gone]],
) -> Manifest:
    """Write a dataset of the rows of others.

    Args:
        datasets: Where the rows come from, in order of precedence.
        out: The folder to make. It must not exist.
        command: What the manifest says made it.
        settings: What the manifest says it was told.
        gone: The rows to leave out: number of the part to index to reason. Rows whose twins go are left out too.

    Returns:
        The manifest of what was made.

    Raises:
        UserError: The folder exists or cannot be made, the datasets were split differently, two of their rows have
            one id, or a file of rows or rejects is damaged.
    """
    check_free(out)
    _agree(datasets)
    gone = orphans([part.path for part in parts_of(datasets)], gone)
    try:
        with files.whole_folder(out) as root:
            return _write(datasets, root, Derived(command, dict(settings), tuple(_sources(datasets))), gone)
    except OSError as error:
        raise UserError(f"{error.filename or out}: {error.strerror}") from error


def _write(
    datasets: Sequence[Dataset], root: Path, derived: Derived, gone: Mapping[int, Mapping[int, Gone]]
) -> Manifest:
    parts = parts_of(datasets)
    _check_ids(parts, gone)
    moved = _moved(parts, gone)
    shards = []
    for number, part in enumerate(parts):
        reading.check_intact(part.path, part.shard)
        table, taken = parted(part.table(), gone.get(number, {}))
        dropped = tuple(sorted({*part.shard.dropped, *gone.get(number, ())}))
        shard = replace(part.shard, first=part.first, dropped=dropped)
        shards.append(write_part(root, shard, _resplit(table, moved), _rejects(part) + taken))
        if part.measured.exists():
            measured.write_of(root / sidecar_file(shard.config, shard.first), part.measured, table)
    versions = {
        name: " and ".join(dict.fromkeys(d.manifest.toolchain[name] for d in datasets if name in d.manifest.toolchain))
        for dataset in datasets
        for name in dataset.manifest.toolchain
    }
    origins = [origin for dataset in datasets for origin in dataset.manifest.origins]
    result = manifest.made_here(datasets[0].manifest.version, versions, shards, origins, derived)
    recipes = tuple(recipe for dataset in datasets for recipe in dataset.recipes)
    files.write_text(root / CARD_FILE, card.render(recipes, result))
    files.write_text(root / manifest.FILE, result.to_json())
    return result


def _rejects(part: Part) -> list[dict[str, Any]]:
    """What did not become a row of a part."""
    stated = len(part.shard.rejected) + len(part.shard.dropped)
    records = read_rejects(part.rejects)
    if len(records) != stated:
        raise UserError(f"{part.rejects}: holds {len(records)} rejects, and the manifest says {stated}")
    return records


def _sources(datasets: Sequence[Dataset]) -> Iterator[Source]:
    for dataset in datasets:
        found = dataset.manifest
        if found.derived is not None:
            yield from found.derived.sources
        else:
            yield Source(dataset.recipe.to_table(), found.toolchain, found.version, found.content, found.rows)


def _agree(datasets: Sequence[Dataset]) -> None:
    first = datasets[0]
    for dataset in datasets:
        for recipe in dataset.recipes:
            if recipe.splits != first.recipe.splits:
                raise UserError(
                    f"{dataset.root}: its recipe has another table [splits] than that of {first.root}: rows of one "
                    "group would stand in two splits; make both with one"
                )


def _columns(parts: Sequence[Part], gone: Mapping[int, Mapping[int, Gone]], names: list[str]) -> pa.Table:
    tables = []
    for number, part in enumerate(parts):
        table = reading.columns(part.path, ["index", *names])
        if number in gone:
            out = pa.array(list(gone[number]), pa.int64())
            table = table.filter(pc.invert(pc.is_in(table["index"], value_set=out)))
        tables.append(table.select(names))
    return pa.concat_tables(tables)


def _check_ids(parts: Sequence[Part], gone: Mapping[int, Mapping[int, Gone]]) -> None:
    counts = _columns(parts, gone, ["id"]).group_by("id").aggregate([([], "count_all")])
    twice = counts.filter(pc.field("count_all") > 1)["id"].slice(0, 1).to_pylist()
    if twice:
        raise UserError(f"{twice[0]!r} names two rows: datasets of one frontend and seed: make one with another seed")


def _moved(parts: Sequence[Part], gone: Mapping[int, Mapping[int, Gone]]) -> dict[str, str]:
    """The groups whose rows stand in two splits, each with the one that all of them go to."""
    rows = _columns(parts, gone, ["group_id", "split"])
    pairs = rows.group_by(["group_id", "split"]).aggregate([])
    counts = pairs.group_by("group_id").aggregate([([], "count_all")])
    several = counts.filter(pc.field("count_all") > 1)["group_id"]
    apart = pairs.filter(pc.is_in(pairs["group_id"], value_set=several))
    found = of_groups(zip(apart["group_id"].to_pylist(), apart["split"].to_pylist(), strict=True))
    return {group: split.value for group, split in found.items()}


def _resplit(table: pa.Table, moved: Mapping[str, str]) -> pa.Table:
    if not moved:
        return table
    pairs = zip(table["group_id"].to_pylist(), table["split"].to_pylist(), strict=True)
    splits = pa.array([moved.get(group, split) for group, split in pairs], pa.string())
    place = table.schema.get_field_index("split")
    return table.set_column(place, table.schema.field(place), splits)
