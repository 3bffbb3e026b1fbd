"""``irsmith harvest``: make a dataset of the kernels of packages and folders."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from irsmith import recipe as recipes
from irsmith.cli.generate import print_summary, record, showing
from irsmith.cli.running import given_recipe
from irsmith.cli.say import say
from irsmith.errors import check_positive
from irsmith.generation import Summary
from irsmith.harvest import harvest
from irsmith.recipe import Recipe


@click.command("harvest")
@click.argument("targets", metavar="PACKAGE|FOLDER|WHEEL…", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The dataset's folder.")
@click.option("--recipe", "recipe_file", type=click.Path(path_type=Path), help="A recipe for what is made of them.")
@click.option("--frontend", help="The kernel language (default: warp).")
@click.option("--licence", "licences", multiple=True, help="A licence to allow too, by SPDX identifier, or unstated.")
@click.option(
    "--stage", "stages", multiple=True, help="A stage to keep; repeat for more (default: those of the frontend)."
)
@click.option("--sample", type=int, help="How many of the kernels to take, the same ones each time (default: all).")
@click.option("--verify", help="How rows are proved: full (default), compile, or none.")
@click.option("--workers", type=int, help="Worker processes (default: one a processor). They change no byte.")
@click.option("--overwrite", is_flag=True, help="Replace the dataset of another recipe in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def command(
    targets: tuple[str, ...],
    out: Path,
    recipe_file: Path | None,
    licences: tuple[str, ...],
    sample: int | None,
    workers: int | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Make a dataset of every kernel of installed packages, wheels, or folders of sources.

    Their modules are imported, and so executed, in a process of its own with limits; one that does not import is
    counted with its reason. Kernels under a licence that the recipe does not allow are counted and left out.

    The same packages and versions give the same bytes. A run that was interrupted goes on where it was when the same
    command is given again.
    """
    check_positive("--sample", sample)
    given = {name: value for name, value in settings.items() if value not in (None, ())}
    recipe = given_recipe(recipes.read(recipe_file) if recipe_file is not None else Recipe(), given)
    recipe = replace(recipe, real=replace(recipe.real, licences=(*recipe.real.licences, *licences)))
    with showing(quiet) as display:
        summary = harvest(
            targets,
            out,
            recipe=recipe,
            sample=sample,
            workers=workers,
            overwrite=overwrite,
            on_module=display.say,
            on_progress=display.update,
        )
    if as_json:
        click.echo(json.dumps(record(summary) | {"origins": _origins(summary)}))
    elif not quiet:
        _print(summary)


def _origins(summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "package": origin.package,
            "version": origin.version,
            "licence": origin.licence,
            "kernels": origin.kernels,
            "modules": origin.modules,
            "failed": dict(origin.failed),
        }
        for origin in summary.manifest.origins
    ]


def _print(summary: Summary) -> None:
    for origin in summary.manifest.origins:
        failed = f", {len(origin.failed)} not" if origin.failed else ""
        say(f"{origin.title}: {origin.kernels} kernels; {origin.modules} modules imported{failed}")
        for reason, times in origin.reasons().items():
            example = next(name for name, why in origin.failed.items() if why.partition(":")[0] == reason)
            say(f"  not imported {times}: {reason}, such as {example}: {origin.failed[example][:120]}")
    print_summary(summary)
