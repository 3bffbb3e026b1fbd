"""Run a program and make a dataset of what it lowers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith import files, frontends, scratch
from irsmith.errors import StoppedError, UserError
from irsmith.generation import Progress, Summary, generate
from irsmith.kernel import Kernel
from irsmith.licence import UNSTATED
from irsmith.recipe import Recipe
from irsmith.record import spool
from irsmith.record.gathering import Harvested, gather
from irsmith.record.running import run
from irsmith.record.spool import Limits

LAUNCHES = "launches.jsonl"
"""The file of a dataset that says what was launched: one distinct launch or call a line."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What became of a recorded program.

    Attributes:
        status: Its exit status.
        launches: Frontend to the distinct launches or calls that were seen.
        summaries: Frontend to the dataset that was made.
        failed: Frontend to why none was made.
        notes: What was left out of the recording, and how often.
    """

    status: int
    launches: dict[str, int]
    summaries: dict[str, Summary]
    failed: dict[str, str]
    notes: dict[str, int]


def record(
    command: Sequence[str],
    out: str | os.PathLike[str],
    *,
    limits: Limits | None = None,
    recipe: Recipe | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    on_end: Callable[[int, int], None] = lambda _status, _records: None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Recording:
    """Run a program, and make a dataset of the kernels that it launched and the functions that it jitted.

    Args:
        command: The program and its arguments, as for a shell.
        out: The dataset's folder. Where the program used several kernel languages, each has a folder below it.
        limits: What samples of inputs and outputs may take; by default none are taken.
        recipe: What is made of the kernels; its frontend does not matter.
        workers: Worker processes that make rows; by default one a processor.
        overwrite: Replace the dataset that the folder holds.
        on_end: Called when the program has ended, with its status and how much was recorded.
        on_progress: Called a few times a second while rows are made.

    Raises:
        UserError: The program cannot be started, or the folder cannot be used. Nothing was run.
    """
    root = Path(out)
    if not command:
        raise UserError("no program to run: give it behind --, such as -- python script.py")
    if root.exists() and (not root.is_dir() or any(root.iterdir())) and not overwrite:
        raise UserError(f"{root}: is not an empty folder: name another, or give --overwrite")
    with scratch.folder("record") as folder:
        status = run(command, folder, limits or Limits())
        records, notes = spool.read(folder)
    on_end(status, len(records))
    recipe = recipe or Recipe()
    script = _script(command)
    recording = Recording(status, {}, {}, {}, notes)
    seen = [name for name in frontends.TABLE if any(r.content["frontend"] == name for r in records)]
    for name in seen:
        licences = (*recipe.real.licences, UNSTATED)
        found = gather([r for r in records if r.content["frontend"] == name], script, licences)
        recording.launches[name] = len(found.launches)
        place = root if len(seen) == 1 else root / name
        try:
            recording.summaries[name] = _made(found, name, place, recipe, workers, overwrite, on_progress)
        except (StoppedError, UserError) as error:
            recording.failed[name] = str(error)
    return recording


def _made(
    found: Harvested,
    frontend: str,
    out: Path,
    recipe: Recipe,
    workers: int | None,
    overwrite: bool,
    on_progress: Callable[[Progress], None],
) -> Summary:
    gathered = found.gathered
    if not any(isinstance(item, Kernel) for item in gathered.items):
        told = ", ".join(sorted({f"{item.reason}: {item.message}" for item in gathered.items}))  # type: ignore[union-attr]
        raise StoppedError(f"none of {len(gathered.items)} kernels could be taken: {told}")
    real = replace(
        recipe.real,
        kernels=gathered.digest(),
        packages=tuple(origin.title for origin in gathered.origins),
        licences=(*recipe.real.licences, UNSTATED),
    )
    wanted = replace(
        recipe,
        frontend=frontend,
        stages=recipe.stages if recipe.frontend == frontend else (),
        count=len(gathered.items),
        categories=(),
        max_reject_share=1.0,
        real=real,
    )
    summary = generate(wanted, out, workers=workers, overwrite=overwrite, given=gathered, on_progress=on_progress)
    lines = "".join(json.dumps(launch) + "\n" for launch in found.launches)
    files.write_text(out / LAUNCHES, lines)
    return summary


def _script(command: Sequence[str]) -> str:
    """What a program is called, without the folders that it stands in."""
    for word in command:
        if word.endswith(".py"):
            return Path(word).name
    return Path(command[0]).name
