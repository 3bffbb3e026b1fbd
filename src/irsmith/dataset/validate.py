"""Quality gates: a dataset's files checked against each other and against the row format.

Nothing is executed and no frontend's JIT is needed. Every fault is named, one after the other; a worker holds a
part at a time, and of all rows only identities are together.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from irsmith import files
from irsmith.dataset import card, jsonl, pairs, reading
from irsmith.dataset.assemble import difficulty_of, tags_of, verdicts_of
from irsmith.dataset.load import Dataset, load, recipe_of, stages_in
from irsmith.dataset.manifest import FILE as MANIFEST
from irsmith.dataset.manifest import read_table
from irsmith.dataset.own import CARD_FILE, of_unfinished_growth
from irsmith.dataset.parts import reject_of, rejects_file
from irsmith.dataset.rows import faults_of, split_wanted
from irsmith.dataset.shard import Shard
from irsmith.dataset.splits import Split
from irsmith.dataset.target import line_of
from irsmith.engines.each import each
from irsmith.errors import UserError
from irsmith.places import Place, files_below, parquet, size
from irsmith.recipe import Recipe
from irsmith.row import schema

_SHOWN = 3
"""Rows that one fault names."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it must be.

    Attributes:
        gate: The check that found it.
        where: The file, or the row.
        what: What is wrong.
    """

    gate: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.gate}: {self.where}: {self.what}"


def validate(
    root: Place, *, workers: int = 1, on_progress: Callable[[int], None] = lambda _: None
) -> tuple[int, list[Fault]]:
    """Check a dataset's files against each other and against the row format.

    Args:
        root: The dataset's folder.
        workers: Processes that look at rows.
        on_progress: Called with the number of rows looked at.

    Returns:
        The number of rows, and the faults: those of files first, then of rows in order, then of rows together.

    Raises:
        UserError: There is no dataset there at all.
    """
    table = read_table(root)
    try:
        dataset = load(root)
    except UserError as error:
        return 0, [Fault("manifest", MANIFEST, str(error))]
    faults = [*_manifest(dataset, table), *_strays(dataset)]
    tasks = [_Task(root, shard, dataset.recipes) for shard in dataset.manifest.shards]
    done = [0]
    looked: dict[int, _Looked] = {}
    for task, found in each(_look, tasks, workers, lambda in_hand: on_progress(done[0] + in_hand)):
        looked[task.shard.first] = found
        done[0] += task.shard.rows
        on_progress(done[0])
    ordered = [looked[first] for first in sorted(looked)]
    faults += [fault for found in ordered for fault in found.faults]
    readable = [root / task.shard.file for task in tasks if looked[task.shard.first].readable]
    faults += _together(readable, [pair for found in ordered for pair in found.misplaced])
    faults += [*_card(dataset), *_lines(dataset)]
    return done[0], faults


def _manifest(dataset: Dataset, table: dict[str, Any]) -> Iterator[Fault]:
    stated = json.loads(dataset.manifest.to_json())
    for name in sorted(stated.keys() | table.keys()):
        if stated.get(name) != table.get(name):
            yield Fault("manifest", MANIFEST, f"{name} is not what its shards add up to")
    ends: dict[str, int] = {}
    for shard in dataset.manifest.shards:
        if shard.first < ends.get(shard.config, 0) or (
            dataset.manifest.derived is None and shard.first != ends.get(shard.config, 0)
        ):
            yield Fault("manifest", MANIFEST, f"{shard.file} does not begin where the part before it ends")
        ends[shard.config] = shard.end
        if shard.rows != shard.tried - len(shard.rejected) - len(shard.dropped):
            yield Fault("manifest", MANIFEST, f"{shard.file}: rows and rejects are not what was tried")
    if dataset.manifest.derived is None:
        recipe = dataset.recipe
        if recipe.count is not None and recipe.count != dataset.manifest.tried:
            yield Fault("recipe", "recipe.toml", f"count is {recipe.count}, and {dataset.manifest.tried} were tried")
        if recipe.version != dataset.manifest.version:
            yield Fault("recipe", "recipe.toml", f"version is {recipe.version}, not {dataset.manifest.version}")
        if recipe.verified is not None and recipe.verified != dataset.manifest.rows:
            yield Fault("recipe", "recipe.toml", f"verified is {recipe.verified}, of {dataset.manifest.rows} rows")


def _strays(dataset: Dataset) -> Iterator[Fault]:
    known, end = {shard.file for shard in dataset.manifest.shards}, dataset.manifest.end
    for path in files_below(dataset.place / "data"):
        name = str(path).removeprefix(str(dataset.place)).lstrip("/")
        if PurePath(name) not in known and not of_unfinished_growth(dataset.place, PurePath(name), end):
            yield Fault("files", name, "is in no shard of the manifest")


@dataclass(frozen=True, slots=True)
class _Task:
    """A part to look at."""

    root: Place
    shard: Shard
    recipes: tuple[Recipe, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found in a part: its faults, whether it can be read, and the rows that stand in another split than
    they belong to by themselves, as group, id, where it stands and where it belongs.
    """

    faults: tuple[Fault, ...]
    readable: bool
    misplaced: tuple[tuple[str, str, str, str], ...] = ()


def _look(task: _Task, on_progress: Callable[[int], None]) -> _Looked:
    shard, name = task.shard, task.shard.file.as_posix()
    path = task.root / shard.file
    faults = list(_rejects(task))
    if not path.is_file():
        return _Looked((*faults, Fault("files", name, "is missing")), readable=False)
    if files.sha256(path) != shard.sha256 or size(path) != shard.bytes:
        faults.append(Fault("checksums", name, "does not have the checksum that the manifest states"))
    mine = [recipe for recipe in task.recipes if recipe.config == shard.config]
    stages = stages_in(mine, shard.config)
    try:
        with parquet(path) as file:
            differences = reading.differences(file.schema_arrow, schema(stages))
            if differences:
                return _Looked((*faults, *(Fault("schema", name, what) for what in differences)), readable=False)
            table = file.read()
        reading.check(table)
    except (OSError, ValueError, pa.ArrowException) as error:
        return _Looked((*faults, Fault("files", name, f"cannot be read: {error}")), readable=False)
    faults += [Fault("counts", name, what) for what in _counts(table, shard)]
    misplaced = []
    for done, record in enumerate(table.to_pylist(), 1):
        recipe = recipe_of(mine, mine[0].frontend, record["seed"], record["package"])
        faults += [Fault(gate, record["id"] or name, what) for gate, what in faults_of(record, recipe, stages)]
        belongs = split_wanted(record, recipe.splits)
        if record["split"] not in list(Split):
            faults.append(Fault("splits", record["id"], f"has an unknown split {record['split']!r}"))
        elif belongs is not None:
            misplaced.append((record["group_id"], record["id"], record["split"], belongs))
        if done % 50 == 0:
            on_progress(done)
    return _Looked(tuple(faults), readable=True, misplaced=tuple(misplaced))


def _counts(table: pa.Table, shard: Shard) -> Iterator[str]:
    if table.num_rows != shard.rows:
        yield f"holds {table.num_rows} rows, and the manifest says {shard.rows}"
    if verdicts_of(table) != shard.verdicts:
        yield "its verdicts are not those that the manifest counts"
    if difficulty_of(table) != shard.difficulty:
        yield "its rows are not of the difficulty that the manifest counts"
    if tags_of(table) != shard.tags:
        yield "its tags are not those that the manifest counts"
    indices = table["index"].to_pylist()
    if indices != sorted(set(indices)):
        yield "its rows are not in the order of their indices"
    both = set(indices) & {*shard.rejected, *shard.dropped}
    if both:
        yield f"index {min(both)} is a row, and the manifest says it is none"


def _rejects(task: _Task) -> Iterator[Fault]:
    shard = task.shard
    relative = rejects_file(shard.config, shard.first)
    path, name = task.root / relative, relative.as_posix()
    if not shard.rejects_sha256:
        if path.exists():
            yield Fault("files", name, "is there, and the manifest knows of no rejects")
        return
    if not path.is_file():
        yield Fault("files", name, "is missing")
        return
    if files.sha256(path) != shard.rejects_sha256:
        yield Fault("checksums", name, "does not have the checksum that the manifest states")
    records = []
    lines = path.read_text(encoding="utf-8", errors="replace").removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        try:
            records.append(reject_of(line))
        except ValueError as error:
            yield Fault("json", f"{name}:{number}", f"is no reject: {error}")
            return
    if sorted(record["index"] for record in records) != sorted((*shard.rejected, *shard.dropped)):
        yield Fault("counts", name, "does not hold the indices that the manifest says were rejected")
    if Counter(f"{record['step']}: {record['symptom']}" for record in records) != Counter(shard.reasons):
        yield Fault("counts", name, "its reasons are not those that the manifest counts")


def _together(paths: Sequence[Place], misplaced: Sequence[tuple[str, str, str, str]]) -> Iterator[Fault]:
    if not paths:
        return
    columns = ["id", "frontend", "structure_id", "group_id", "twin_id", "split"]
    rows = pa.concat_tables([parquet(path).read(columns=columns) for path in paths])
    for name, gate in (("id", "uniqueness"), ("structure_id", "uniqueness")):
        counts = rows.group_by(name).aggregate([([], "count_all")])
        twice = counts.filter(pc.field("count_all") > 1)[name]
        if len(twice):
            chosen = rows.filter(pc.is_in(rows[name], value_set=twice.slice(0, _SHOWN)))["id"].to_pylist()
            yield Fault(gate, ", ".join(chosen[: 2 * _SHOWN]), f"have one {name}; {len(twice)} are not unique")
    yield from leaks(rows)
    for row_id, what in pairs.faults(rows):
        yield Fault("twins", row_id, what)
    order = [split.value for split in Split]
    for group, row_id, stands, belongs in misplaced:
        further = order.index(stands) > order.index(belongs)
        if further and _demanded(rows, misplaced, group, stands):
            continue
        yield Fault("splits", row_id, f"stands in {stands}, and belongs to {belongs}")


def leaks(rows: pa.Table) -> Iterator[Fault]:
    """Groups whose rows stand in more than one split.

    Args:
        rows: The columns ``id``, ``group_id`` and ``split`` of all rows.
    """
    pairs = rows.group_by(["group_id", "split"]).aggregate([])
    counts = pairs.group_by("group_id").aggregate([([], "count_all")])
    apart = counts.filter(pc.field("count_all") > 1)["group_id"]
    for group in apart.slice(0, _SHOWN).to_pylist():
        members = rows.filter(pc.field("group_id") == group)
        named = zip(members["id"].to_pylist(), members["split"].to_pylist(), strict=True)
        listed = ", ".join(f"{row_id} in {split}" for row_id, split in list(named)[: 2 * _SHOWN])
        yield Fault("leaks", f"group {group}", f"stands in several splits: {listed}; {len(apart)} groups do")


def _demanded(rows: pa.Table, misplaced: Sequence[tuple[str, str, str, str]], group: str, split: str) -> bool:
    """Whether another row of a group, which belongs to a split by itself, takes the group there."""
    own = {row_id for _, row_id, _, _ in misplaced}
    members = rows.filter((pc.field("group_id") == group) & (pc.field("split") == split))["id"].to_pylist()
    return any(row_id not in own for row_id in members)


def _card(dataset: Dataset) -> Iterator[Fault]:
    path = dataset.place / CARD_FILE
    if not path.is_file():
        yield Fault("card", CARD_FILE, "is missing")
        return
    wanted = card.render(dataset.recipes, dataset.manifest)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, (line, should) in enumerate(zip([*lines, ""], [*wanted.splitlines(), ""], strict=False), 1):
        if line != should:
            yield Fault("card", f"{CARD_FILE}:{number}", f"says {line[:80]!r}, and the files {should[:80]!r}")
            return
    if len(lines) != len(wanted.splitlines()):
        yield Fault("card", CARD_FILE, "does not end where it should")


def _lines(dataset: Dataset) -> Iterator[Fault]:
    path = dataset.place / jsonl.FILE
    if not path.exists():
        return
    with path.open("rb") as file:
        number = 0
        try:
            for number, record in enumerate(dataset.records(), 1):
                if file.readline() != line_of(record).encode():
                    yield Fault("json", f"{jsonl.FILE}:{number}", f"is not the record of row {record['id']}")
                    return
        except UserError:
            # The part that cannot be read is named already.
            return
        if file.readline():
            yield Fault("json", f"{jsonl.FILE}:{number + 1}", "is one line more than there are rows")
