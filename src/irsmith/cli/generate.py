"""``irsmith generate``: make a dataset."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import click

from irsmith import recipe as recipes
from irsmith.cli.running import PLACE, given_recipe
from irsmith.cli.say import printable, say
from irsmith.dataset.load import load
from irsmith.errors import UserError
from irsmith.generation import Progress, Summary, append
from irsmith.places import Place
from irsmith.recipe import Recipe
from irsmith.together import generate_together

PLAIN_INTERVAL = 5.0
"""Seconds between two lines of progress where there is no terminal."""


@click.command("generate")
@click.argument("recipe_file", metavar="[RECIPE.toml]", required=False, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=PLACE, help="The dataset's folder, or a URI such as s3://bucket/dataset.")
@click.option("--frontend", help="The kernel language (default: warp).")
@click.option("--count", type=int, help="Indices to try (default: 1000). Rejects are not replaced.")
@click.option("--verified", type=int, help="Instead: go on until so many rows are delivered.")
@click.option("--size", help="Instead: go on until the rows fill so much, such as 200MB.")
@click.option("--size-format", help="Of what: parquet (default), jsonl, or a format of export.")
@click.option("--append", "appending", is_flag=True, help="Add --count indices to the finished dataset in the folder.")
@click.option("--seed", type=int, help="Keys every random choice (default: 0).")
@click.option(
    "--stage", "stages", multiple=True, help="A stage to keep; repeat for more (default: those of the frontend)."
)
@click.option("--category", "categories", multiple=True, help="A category to make; repeat for more, equally often.")
@click.option("--verify", help="How rows are proved: full (default), compile, or none.")
@click.option("--device", type=click.Choice(["cuda"]), help="Run the rows' texts for this accelerator on it, too.")
@click.option("--workers", type=int, help="Worker processes (default: one a processor). They change no byte.")
@click.option("--engine", default="local", help="What runs the shards: local (default) or ray. It changes no byte.")
@click.option("--address", help="Where the engine's cluster is: auto, HOST:PORT or ray://HOST:PORT (default: here).")
@click.option("--overwrite", is_flag=True, help="Replace the dataset of another recipe in the folder.")
@click.option("--jsonl", is_flag=True, help="Write the rows as dataset.jsonl too.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def command(
    recipe_file: Path | None,
    out: Place,
    workers: int | None,
    engine: str,
    address: str | None,
    overwrite: bool,
    appending: bool,
    jsonl: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Make a dataset of synthesised kernels with their lowerings.

    Give a recipe file, or the settings as options; an option given beside a recipe takes its setting's place.
    The same recipe gives the same bytes. A run that was interrupted goes on where it was when the same command
    is given again.

    With --append the folder's own recipe goes on where it ended, and no part file that is there is touched.
    """
    given = {name: value for name, value in settings.items() if value not in (None, ())}
    means = _Means(workers, engine, address)
    with showing(quiet) as on_progress:
        if appending:
            summaries = [_append(recipe_file, out, given, overwrite, means, jsonl, on_progress)]
        else:
            wanted = recipes.read_all(recipe_file) if recipe_file is not None else (Recipe(),)
            for name in ("frontend", "stages", "categories"):
                if len(wanted) > 1 and name in given:
                    raise UserError(f"{recipe_file}: holds several recipes: say {name} in the file")
            summaries = generate_together(
                [given_recipe(recipe, given) for recipe in wanted],
                out,
                **means._asdict(),
                overwrite=overwrite,
                jsonl=jsonl,
                on_progress=on_progress.update,
            )
    if as_json:
        apart = [record(summary) for summary in summaries[:-1]]
        click.echo(json.dumps(record(summaries[-1]) | ({"datasets": apart} if apart else {})))
    elif not quiet:
        for summary in summaries:
            print_summary(summary)


class _Means(NamedTuple):
    """What runs the shards, as `generate` and `append` take it."""

    workers: int | None
    engine: str
    address: str | None


def _append(
    recipe_file: Path | None,
    out: Place,
    given: dict[str, Any],
    overwrite: bool,
    means: _Means,
    jsonl: bool,
    display: _Display,
) -> Summary:
    if "count" not in given:
        raise UserError("--append: say how many indices to add with --count")
    for name in ("verified", "size", "size_format", *(["overwrite"] if overwrite else [])):
        if name in given or name == "overwrite":
            raise UserError(f"--{name.replace('_', '-')}: does not go with --append, which adds --count indices")
    count = given.pop("count")
    own = recipes.read(recipe_file) if recipe_file is not None else load(out).recipe
    recipe = given_recipe(own, given) if given or recipe_file is not None else None
    return append(out, count, recipe=recipe, **means._asdict(), jsonl=jsonl, on_progress=display.update)


class _Display(Protocol):
    def update(self, progress: Progress) -> None: ...

    def say(self, what: str) -> None: ...


class _Silent:
    def update(self, progress: Progress) -> None:
        pass

    def say(self, what: str) -> None:
        pass


class _Lines:
    """Progress as a plain line now and then, for logs."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def update(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self.last >= PLAIN_INTERVAL:
            self.last = now
            say(f"{progress.tried}/{progress.count} kernels, {_pace(progress)}", err=True)

    def say(self, what: str) -> None:
        now = time.monotonic()
        if now - self.last >= PLAIN_INTERVAL:
            self.last = now
            say(what, err=True)


class _Bar:
    """Progress as a bar, for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Rich

        self.rich = Rich(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
        )
        self.task = self.rich.add_task("starting", total=None)

    def update(self, progress: Progress) -> None:
        self.rich.update(
            self.task, completed=progress.tried, total=progress.count, description=printable(_pace(progress))
        )

    def say(self, what: str) -> None:
        self.rich.update(self.task, description=printable(what))


def _pace(progress: Progress) -> str:
    fresh = progress.tried - progress.resumed
    rate = fresh / progress.seconds if progress.seconds else 0.0
    parts = [f"{rate:.0f}/s"]
    if rate:
        left = int((progress.count - progress.tried) / rate)
        parts.append(f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left")
    if progress.rejects:
        worst = ", ".join(f"{reason} {times}" for reason, times in list(progress.rejects.items())[:3])
        parts.append(f"{sum(progress.rejects.values())} rejected ({worst})")
    return ", ".join(parts)


@contextmanager
def showing(quiet: bool) -> Iterator[_Display]:
    """Progress as the terminal takes it."""
    if quiet:
        yield _Silent()
    elif sys.stderr.isatty():
        bar = _Bar()
        with bar.rich:
            yield bar
    else:
        yield _Lines()


def record(summary: Summary) -> dict[str, Any]:
    """A summary as a JSON object."""
    manifest = summary.manifest
    return {
        "out": str(summary.out),
        "tried": manifest.tried,
        "rows": manifest.rows,
        "bytes": manifest.bytes,
        "rejects": manifest.rejects,
        "resumed": summary.resumed,
        "seconds": round(summary.seconds, 3),
        "toolchain": manifest.toolchain,
    }


def print_summary(summary: Summary) -> None:
    """A summary as lines."""
    manifest = summary.manifest
    fresh = manifest.tried - summary.resumed
    rate = f", {fresh / summary.seconds:.0f} a second" if fresh and summary.seconds else ""
    say(f"{manifest.rows} rows in {summary.out} ({manifest.bytes / 1e6:.1f} MB, {summary.seconds:.1f} s{rate})")
    if summary.resumed:
        say(f"{summary.resumed} of {manifest.tried} kernels were done already")
    for reason, times in manifest.rejects.items():
        say(f"rejected {times}: {reason}")
