"""A dataset's folder: who may write to it, what of it is done, and how it is finished."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from irsmith import files
from irsmith import recipe as recipes
from irsmith.dataset import card, manifest, shard
from irsmith.dataset.shard import MARKERS, Shard, Task
from irsmith.errors import UserError
from irsmith.recipe import Recipe

RECIPE_FILE = "recipe.toml"
CARD_FILE = "README.md"
_TOOLCHAIN_FILE = Path(MARKERS, "toolchain.json")
_OURS = (RECIPE_FILE, CARD_FILE, manifest.FILE, "data", "rejects", "measurements", "dataset.jsonl", MARKERS)


@contextmanager
def claimed(root: Path, recipe: Recipe, versions: dict[str, str], *, overwrite: bool) -> Iterator[None]:
    """Hold a folder for one run of one recipe by one toolchain.

    Raises:
        UserError: It holds another recipe's dataset, or what another toolchain began, or something that is no
            dataset, or another run has it.
    """
    _check(root, recipe, versions, overwrite=overwrite)
    root.mkdir(parents=True, exist_ok=True)
    lock = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{root}: another run is writing here: wait for it, or choose another folder") from None
        if overwrite:
            _empty(root)
        files.clear_aside(root)
        files.write_text(root / RECIPE_FILE, recipe.to_toml())
        files.write_text(root / _TOOLCHAIN_FILE, json.dumps(versions))
        yield
    finally:
        os.close(lock)


def _check(root: Path, recipe: Recipe, versions: dict[str, str], *, overwrite: bool) -> None:
    if not root.exists():
        return
    if not root.is_dir():
        raise UserError(f"{root}: not a folder")
    found = root / RECIPE_FILE
    if not found.exists():
        strangers = sorted(path.name for path in root.iterdir())
        if strangers:
            raise UserError(f"{root}: holds {strangers[0]!r} and no dataset: choose an empty folder or a new one")
        return
    if overwrite:
        return
    differences = recipe.differences(recipes.read(found))
    if differences:
        raise UserError(
            f"{root}: holds the dataset of another recipe ({'; '.join(differences)}): "
            "choose another folder, or replace it with --overwrite"
        )
    theirs = _versions(root)
    if theirs not in (None, versions):
        others = ", ".join(f"{name} {theirs.get(name)}" for name in versions if theirs.get(name) != versions[name])
        ours = ", ".join(f"{name} {versions[name]}" for name in versions if theirs.get(name) != versions[name])
        raise UserError(
            f"{root}: was begun with {others}, and this is {ours}, which may write other bytes: "
            "go on with those versions, or begin again with --overwrite"
        )


def _versions(root: Path) -> dict[str, str] | None:
    """What made, or began to make, the dataset of a folder; None where nothing says."""
    if (root / _TOOLCHAIN_FILE).exists():
        found: dict[str, str] = json.loads((root / _TOOLCHAIN_FILE).read_text(encoding="utf-8"))
        return found
    return manifest.read(root).toolchain if (root / manifest.FILE).exists() else None


def _empty(root: Path) -> None:
    for name in _OURS:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def tasks(root: Path, recipe: Recipe) -> list[Task]:
    """The shards of a recipe, in order."""
    size = recipe.shard_size
    return [Task(recipe, root, first, min(first + size, recipe.count)) for first in range(0, recipe.count, size)]


def finished(root: Path, recipe: Recipe) -> dict[int, Shard]:
    """The shards on disk that are whole, by first index. What is not is left to be made again."""
    notes = sorted((root / MARKERS).glob("[0-9]*.json"))
    found = [Shard.from_json(json.loads(path.read_text(encoding="utf-8"))) for path in notes]
    if (root / manifest.FILE).exists():
        found.extend(manifest.read(root).shards)
    extent = {task.first: task.last - task.first for task in tasks(root, recipe)}
    return {
        item.first: item
        for item in found
        if extent.get(item.first) == item.tried and shard.verified(root, recipe.frontend, item)
    }


def finish(root: Path, recipe: Recipe, versions: dict[str, str], shards: Iterable[Shard]) -> manifest.Manifest:
    """Write the card and, last, the manifest: from then on there is a dataset."""
    result = manifest.of_run(recipe.frontend, versions, shards)
    files.write_text(root / CARD_FILE, card.render(recipe, result))
    files.write_text(root / manifest.FILE, result.to_json())
    shutil.rmtree(root / MARKERS, ignore_errors=True)
    return result
