"""``irsmith sample``: kernels to look at, drawn and printed, not lowered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from irsmith import recipe as recipes
from irsmith.cli.running import given_recipe
from irsmith.cli.say import say
from irsmith.drawing import Drawing
from irsmith.errors import StoppedError, UserError
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe
from irsmith.structure import describe
from irsmith.traits import traits


@click.command("sample")
@click.option("--recipe", "file", type=click.Path(path_type=Path), help="A recipe file to draw from.")
@click.option("--category", "categories", multiple=True, help="A category to draw; repeat for more, equally often.")
@click.option("-n", "--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many kernels.")
@click.option("--seed", type=int, help="Keys every random choice (default: 0).")
@click.option("--frontend", help="The kernel language (default: warp).")
@click.option("--require", multiple=True, metavar="TAG", help="A tag that every kernel must have; repeat for more.")
@click.option("--forbid", multiple=True, metavar="TAG", help="A tag that no kernel may have; repeat for more.")
def command(file: Path | None, categories: tuple[str, ...], count: int, **settings: Any) -> None:
    """Print kernels without lowering them: what a recipe, a category or a tag makes.

    Nothing is compiled, and neither Warp nor JAX needs to be installed; array functions are tried with NumPy, SciPy
    and ml_dtypes. The kernels are those that `irsmith generate` makes for the same settings, from index 0.
    """
    recipe = recipes.read(file) if file is not None else Recipe()
    given = {name: value for name, value in settings.items() if value not in (None, ())}
    if categories:
        given["categories"] = categories
    drawing = Drawing(given_recipe(recipe, given | {"count": count}))
    for index in range(count):
        outcome = drawing.kernel(index)
        if not isinstance(outcome, Kernel):
            kind = UserError if outcome.symptom == "Unsatisfied" else StoppedError
            raise kind(f"index {index}: {outcome.message}")
        _print(outcome, drawing, index)


def _print(kernel: Kernel, drawing: Drawing, index: int) -> None:
    found = traits(describe(kernel.source, kernel.name), drawing.frontend.reading(kernel))
    head = f"# {index}  {kernel.category}  difficulty {found.difficulty}  {', '.join(found.tags)}"
    if sys.stdout.isatty():
        from irsmith.cli.text import console, numbered

        terminal = console()
        terminal.print(head, style="bold", markup=False)
        terminal.print(numbered(kernel.source, "python", wrapped=True))
    else:
        say(f"{head}\n{kernel.source}")
