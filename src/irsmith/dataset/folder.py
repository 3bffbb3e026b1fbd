"""A dataset's folder: who may write to it, what of it is done, and how it is finished."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

from irsmith import files
from irsmith import recipe as recipes
from irsmith.dataset import card, fields, manifest, measured, own, shard
from irsmith.dataset.lease import FILE as LEASE
from irsmith.dataset.lease import leased
from irsmith.dataset.manifest import RECIPE_FILE
from irsmith.dataset.own import CARD_FILE, GROWING_FILE
from irsmith.dataset.parts import data_file, rejects_file, sidecar_file
from irsmith.dataset.shard import MARKERS, Shard, Task
from irsmith.errors import StoppedError, UserError
from irsmith.places import Place, Remote, files_below
from irsmith.real import Origin
from irsmith.recipe import Recipe

_TOOLCHAIN_FILE = Path(MARKERS, "toolchain.json")


@contextmanager
def claimed(
    root: Place, recipe: Recipe, versions: dict[str, str], *, overwrite: bool, growing: bool = False
) -> Iterator[Callable[[], None]]:
    """Hold a folder for one run of one recipe by one toolchain, and give a check that it is held still.

    Args:
        root: The folder, made if need be.
        recipe: The run's recipe, which is noted there.
        versions: What the run makes rows with.
        overwrite: Empty the folder of another dataset.
        growing: Whether the folder holds a dataset of another extent, and keeps it until the run is finished.

    Raises:
        UserError: It holds another recipe's dataset, or what another toolchain began, or something that is no
            dataset, or another run has it.
    """
    _check(root, recipe, versions, overwrite=overwrite, growing=growing)
    with _held(root) as still:
        if overwrite:
            _empty(root)
        if isinstance(root, Path):
            files.clear_aside(root)
        if not growing:
            (root / GROWING_FILE).unlink(missing_ok=True)
        files.write_text(root / (GROWING_FILE if growing else RECIPE_FILE), recipe.to_toml())
        files.write_text(root / _TOOLCHAIN_FILE, json.dumps(versions))
        yield still


@contextmanager
def _held(root: Place) -> Iterator[Callable[[], None]]:
    """Hold a folder against other runs. The system frees a folder of this machine however this process ends."""
    if isinstance(root, Remote):
        with leased(root) as lease:
            yield lease.check
        return
    root.mkdir(parents=True, exist_ok=True)
    lock = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{root}: another run is writing here: wait for it, or choose another folder") from None
        try:
            yield lambda: _there(root, lock)
        except OSError:
            # A file that cannot be written may be a folder that is gone, which says more.
            _there(root, lock)
            raise
        finally:
            # Of workers that were ended while they wrote.
            if _is(root, lock):
                files.clear_aside(root)
    finally:
        os.close(lock)


def _there(root: Path, held: int) -> None:
    """Stop where a folder is no more the one that was opened: what is made now would stand apart from the rest.

    Raises:
        StoppedError: It was moved, removed or replaced.
    """
    if not _is(root, held):
        raise StoppedError(f"{root}: was moved or removed while a run was writing to it: put it back, and run it again")


def _is(root: Path, held: int) -> bool:
    """Whether a folder is the one that was opened."""
    return root.exists() and os.path.samestat(root.stat(), os.fstat(held))


def _check(root: Place, recipe: Recipe, versions: dict[str, str], *, overwrite: bool, growing: bool) -> None:
    if not root.exists():
        return
    if not root.is_dir():
        raise UserError(f"{root}: not a folder")
    own.check(root)
    found = root / RECIPE_FILE
    if not found.exists():
        if (root / manifest.FILE).exists():
            command = manifest.read(root).derived
            raise UserError(f"{root}: holds what `irsmith {command and command.command}` made: choose another folder")
        strangers = _names(root)
        if strangers:
            raise UserError(f"{root}: holds {strangers[0]!r} and no dataset: choose an empty folder or a new one")
        return
    if overwrite:
        return
    there = recipes.read(found)
    differences = (recipe.with_extent_of(there) if growing else recipe).differences(there)
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


def _names(root: Place) -> list[str]:
    """What stands in a folder, without what a run that was killed at once has left there."""
    if isinstance(root, Remote):
        names = {file.below.split("/")[0] for file in root.files()} - {MARKERS}
    else:
        names = {path.name for path in root.iterdir() if not files.is_aside(path)}
    return sorted(names)


def _versions(root: Place) -> dict[str, str] | None:
    """What made, or began to make, the dataset of a folder; None where nothing says."""
    if (root / _TOOLCHAIN_FILE).exists():
        # A note that was cut off says nothing.
        with suppress(ValueError, RecursionError):
            found = json.loads((root / _TOOLCHAIN_FILE).read_text(encoding="utf-8"))
            return fields.of_json(dict[str, str], found, "")
    held = holds(root)
    return held.toolchain if held is not None else None


def holds(root: Place) -> manifest.Manifest | None:
    """The manifest of a folder; None where there is none, or one that is damaged beside notes of what is done.

    Raises:
        UserError: It is damaged, and nothing else says what is done; or it is of another schema version.
    """
    if not (root / manifest.FILE).exists():
        return None
    try:
        manifest.read_table(root)
    except UserError as error:
        if _notes(root):
            return None
        raise UserError(f"{error}: remove it, and the same command makes its parts again") from None
    return manifest.read(root)


def _notes(root: Place) -> list[Shard]:
    """The shards that an unfinished run has noted as done. A note that was cut off says nothing."""
    found = []
    for path in files_below(root / MARKERS):
        if path.stem.isdecimal():
            with suppress(ValueError, RecursionError):
                found.append(Shard.from_json(json.loads(path.read_text(encoding="utf-8"))))
    return found


def _empty(root: Place) -> None:
    for name in own.NAMES:
        path = root / name
        if isinstance(path, Remote):
            for file in files_below(path) if path.is_dir() else [path]:
                if file.below != LEASE.as_posix():
                    file.unlink(missing_ok=True)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _stretches(recipe: Recipe, end: int) -> Iterator[tuple[int, int]]:
    """The index ranges that a recipe cuts into shards, up to an index."""
    return pairwise([0, *(count for count in recipe.grown if count < end), end])


def tasks(root: Place, recipe: Recipe, end: int, versions: dict[str, str]) -> Iterator[Task]:
    """The shards of a recipe up to an index, in order, to be made with some versions."""
    size = recipe.shard_size
    for begin, last in _stretches(recipe, end):
        for first in range(begin, last, size):
            yield Task(recipe, root, first, min(first + size, last), tuple(versions.items()))


def finished(root: Place, recipe: Recipe, end: int, known: Container[int]) -> Iterator[Shard]:
    """The shards of a recipe up to an index that are whole on disk. What is not is left to be made again.

    Args:
        root: The dataset's folder.
        recipe: The recipe.
        end: The index.
        known: First indices of shards that are not asked for.
    """
    held = holds(root)
    stretches = list(_stretches(recipe, end))
    # What a finished dataset states is what was put together: it comes last.
    found = {
        item.first: item
        for item in (*_notes(root), *(held.shards if held is not None else ()))
        if item.first not in known and any(_cut(recipe, item, *stretch) for stretch in stretches)
    }
    return (found[first] for first in sorted(found) if _whole(root, recipe, found[first]))


def _cut(recipe: Recipe, item: Shard, begin: int, last: int) -> bool:
    """Whether a recipe cuts a stretch of indices so that a shard is one of its pieces."""
    size = recipe.shard_size
    return begin <= item.first < last and not (item.first - begin) % size and item.end == min(item.first + size, last)


def _whole(root: Place, recipe: Recipe, item: Shard) -> bool:
    """Whether all files of a shard hold what they held when it was finished."""
    if not shard.verified(root, item):
        return False
    return recipe.verify != "full" or measured.whole(root / sidecar_file(item.config, item.first), item.rows)


def clear_beyond(root: Place, recipe: Recipe, shards: Iterable[Shard]) -> None:
    """Remove the parts that some shards do not account for: of an earlier end, or from beyond a target."""
    known = {item.first for item in shards}
    for place in (data_file, rejects_file, sidecar_file):
        for path in files_below((root / place(recipe.config, 0)).parent):
            number = path.stem.removeprefix("part-")
            if number.isdecimal() and int(number) not in known:
                path.unlink()


def finish(
    root: Place, recipe: Recipe, versions: dict[str, str], shards: Iterable[Shard], origins: Iterable[Origin] = ()
) -> manifest.Manifest:
    """Write the recipe, the card and, last, the manifest: from then on there is a dataset."""
    files.write_text(root / RECIPE_FILE, recipe.to_toml())
    result = manifest.made_here(recipe.version, versions, shards, origins)
    files.write_text(root / CARD_FILE, card.render([recipe], result))
    files.write_text(root / manifest.FILE, result.to_json())
    if isinstance(root, Path):
        shutil.rmtree(root / MARKERS, ignore_errors=True)
        return result
    for path in files_below(root / MARKERS):
        if path.below != LEASE.as_posix():
            path.unlink(missing_ok=True)
    return result
