"""Make one dataset of several recipes, such as one a frontend: each in a folder of its own, then merged.

The folders beside the result are datasets like any other: an interrupted run goes on in them, and they can grow.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from irsmith.dataset.dedup import clusters, without_duplicates
from irsmith.dataset.derive import check_free
from irsmith.dataset.jsonl import write_jsonl
from irsmith.dataset.load import Dataset, load
from irsmith.dataset.manifest import FILE as MANIFEST
from irsmith.dataset.manifest import Manifest
from irsmith.errors import UserError
from irsmith.generation import Progress, Summary, generate
from irsmith.pipeline import Pipeline
from irsmith.places import Remote
from irsmith.recipe import Recipe

COMMAND = "merge"
"""What the manifest says made the result: the folders beside it and this command give the same."""


def folders(recipes: Sequence[Recipe], out: Path) -> list[Path]:
    """Where the dataset of each recipe is made: beside the result, named after it and the frontend."""
    return [out.with_name(f"{out.name}-{recipe.frontend}") for recipe in recipes]


def generate_together(
    recipes: Sequence[Recipe],
    out: str | os.PathLike[str] | Remote,
    *,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    overwrite: bool = False,
    jsonl: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> list[Summary]:
    """Make the datasets of some recipes, or complete those that an earlier run began, and merge them.

    Args:
        recipes: In the order of precedence, each of another frontend, all with one table ``splits``. A single one
            is made as by `generate`, with nothing beside it.
        out: The folder of the merged dataset; the others stand beside it (`folders`).
        workers: Worker processes; by default one a processor. They do not change the content.
        engine: What runs the shards, a name of `irsmith.engines.TABLE`.
        address: Where the engine's cluster is; by default it is this machine.
        overwrite: Replace what the folders hold, if it is datasets.
        jsonl: Write the merged rows as ``dataset.jsonl`` too.
        on_progress: Called a few times a second, for one dataset after the other.

    Returns:
        What was made of each recipe, and last the merged dataset.

    Raises:
        UserError: As for `generate`, or the folder holds something else.
        StoppedError: As for `generate`.
    """
    run: dict[str, Any] = {"workers": workers, "engine": engine, "address": address}
    run |= {"overwrite": overwrite, "on_progress": on_progress}
    if len(recipes) == 1:
        return [generate(recipes[0], out, jsonl=jsonl, **run)]
    if isinstance(out, Remote):
        raise UserError(f"{out}: several recipes are merged in a folder of this machine: give one")
    began, root = time.monotonic(), Path(out)
    for recipe in recipes:
        # Before hours are spent on another: is this one's frontend installed?
        _ = Pipeline(recipe).versions
    before = load(root) if (root / MANIFEST).exists() else None
    ours = before is not None and before.manifest.derived is not None and before.recipes == tuple(recipes)
    if not ours and not (overwrite and before is not None):
        check_free(root)
    made = [generate(recipe, folder, **run) for recipe, folder in zip(recipes, folders(recipes, root), strict=True)]
    result = _merged(made, root, before)
    if jsonl:
        write_jsonl(root)
    resumed = result.tried if before is not None and result is before.manifest else 0
    return [*made, Summary(root, result, resumed, time.monotonic() - began)]


def _merged(made: Sequence[Summary], root: Path, before: Dataset | None) -> Manifest:
    """The manifest of the merged dataset, which is made unless it is there already."""
    if before is not None:
        derived = before.manifest.derived
        if derived and [source.content for source in derived.sources] == [item.manifest.content for item in made]:
            return before.manifest
        shutil.rmtree(root)
    datasets = [load(summary.out) for summary in made]
    return without_duplicates(datasets, root, COMMAND, clusters(datasets))
