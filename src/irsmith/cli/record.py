"""``irsmith record``: run a program, and make a dataset of what it lowers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from irsmith import recipe as recipes
from irsmith.cli.generate import showing
from irsmith.cli.running import given_recipe
from irsmith.cli.say import say
from irsmith.errors import UserError
from irsmith.recipe import Recipe
from irsmith.record.recording import LAUNCHES, Recording, record
from irsmith.record.spool import Limits
from irsmith.size import parse_size

_STORED = "kernels as text, with the types, shapes and launch dimensions that they were run with"
_SAMPLED = "and, because of --inputs, the contents of up to {samples} launches or calls of each"


@click.command("record", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("program", metavar="-- PROGRAM ARGS…", nargs=-1, type=click.UNPROCESSED, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The dataset's folder.")
@click.option("--inputs", is_flag=True, help="Keep samples of the arrays that are passed, and prove rows on them.")
@click.option("--max-samples", type=int, default=3, show_default=True, help="Samples of each kernel, with --inputs.")
@click.option("--max-bytes", default="1MB", show_default=True, help="The largest sample, all arguments together.")
@click.option("--max-spool", default="256MB", show_default=True, help="Room for samples while the program runs.")
@click.option("--recipe", "recipe_file", type=click.Path(path_type=Path), help="A recipe for what is made of them.")
@click.option("--verify", help="How rows are proved: full (default), compile, or none.")
@click.option("--workers", type=int, help="Worker processes that make the rows (default: one a processor).")
@click.option("--overwrite", is_flag=True, help="Replace the dataset in the folder.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing unless something is wrong.")
def command(
    program: tuple[str, ...],
    out: Path,
    inputs: bool,
    max_samples: int,
    max_bytes: str,
    max_spool: str,
    recipe_file: Path | None,
    verify: str | None,
    workers: int | None,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Run PROGRAM, and make a dataset of the kernels that it launches and the functions that it jits.

    The program runs as it would: its streams, its exit status and what it does stay its own. When it has ended, each
    distinct kernel becomes a row, as from any other source; launches.jsonl says what was launched how often.

    Kept are the kernels' sources, with the constants that they were compiled with, types, shapes, launch dimensions
    and the script's name. Not kept are inputs, arguments, the environment and folders. With --inputs, a few samples
    of the arrays and numbers that kernels were given and left are put into the rows, where who has the dataset can
    read them; handles of a program's objects are not.
    """
    settings: dict[str, Any] = {} if verify is None else {"verify": verify}
    recipe = given_recipe(recipes.read(recipe_file) if recipe_file is not None else Recipe(), settings)
    if max_samples < 1:
        raise UserError(f"--max-samples: {max_samples} is not a positive number: give 1 or more, or leave out --inputs")
    limits = Limits(max_samples if inputs else 0, _size("--max-bytes", max_bytes), _size("--max-spool", max_spool))
    if not quiet:
        sampled = f", {_SAMPLED.format(samples=max_samples)}" if inputs else ""
        say(f"irsmith: recording into {out}: {_STORED}{sampled}", err=True)
    with showing(quiet) as display:
        recording = record(
            program,
            out,
            limits=limits,
            recipe=recipe,
            workers=workers,
            overwrite=overwrite,
            on_progress=display.update,
        )
    _tell(recording, out, quiet=quiet)
    return recording.status


def _size(option: str, text: str) -> int:
    try:
        return parse_size(text)
    except UserError as error:
        raise UserError(f"{option}: {error}") from None


def _tell(recording: Recording, out: Path, *, quiet: bool) -> None:
    """What was made, on the standard error: the standard output is the program's."""

    def say(text: str) -> None:
        sys.stderr.write(f"irsmith: {' '.join(text.split())}\n")

    for name, message in recording.failed.items():
        say(f"{name}: no dataset: {message}")
    for what, times in sorted(recording.notes.items()):
        say(f"left out {times} times: {what}")
    if not recording.launches:
        say(
            f"nothing was recorded, and {out} was not made: the program (exit status {recording.status}) launched no "
            "Warp kernel and called no function that it gave to jax.jit"
        )
    if quiet:
        return
    for name, summary in recording.summaries.items():
        manifest = summary.manifest
        say(
            f"{name}: {recording.launches[name]} distinct launches or calls ({summary.out / LAUNCHES}), "
            f"{manifest.rows} rows, {manifest.tried - manifest.rows} rejects in {summary.out}"
        )
        for reason, times in manifest.rejects.items():
            say(f"  rejected {times}: {reason}")
        for verdict, times in manifest.verdicts.items():
            if verdict.startswith(("forward", "backward")):
                say(f"  {verdict} {times}")
