"""``irsmith export``: write a dataset in the layout that a training program reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from irsmith import recipe as recipes
from irsmith.cli.running import PLACE
from irsmith.cli.say import say
from irsmith.dataset.load import load
from irsmith.export import export
from irsmith.export.base import Options
from irsmith.export.table import TABLE
from irsmith.places import Place
from irsmith.size import parse_size


@click.command("export")
@click.argument("directory", metavar="DIR", type=PLACE)
@click.option("--format", "format_name", required=True, metavar="NAME", help=f"One of {', '.join(TABLE)}.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file or folder to make.")
@click.option("--split", "splits", multiple=True, help="Only the rows of this split; repeat for more.")
@click.option("--full-module", is_flag=True, help="Texts as the whole unit that compiles.")
@click.option("--device", help="cpu or cuda (default: both that the dataset holds).")
@click.option("--task", "tasks", multiple=True, help="FROM:TO, as source:cpp or cpp:cpp.backward; repeat for more.")
@click.option("--recipe", type=click.Path(path_type=Path), help="Take the templates of this recipe file.")
@click.option("--tokenizer", help="Count tokens: tekken, or the path of a tokenizer.json.")
@click.option("--max-tokens", type=int, help="The most tokens that a record may have.")
@click.option("--over", help="What becomes of a longer one: drop (default) or mark.")
@click.option("--size", help="End each file with the row with which it holds so many bytes, as 200MB.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(
    directory: Place,
    format_name: str,
    out: Path,
    recipe: Path | None,
    size: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Write a dataset in the layout that a training program reads.

    The dataset is read in batches: it may be of any size. Nothing of it is executed.
    """
    templates = dict(recipes.read(recipe).templates) if recipe is not None else {}
    options = Options(templates=templates, size=None if size is None else parse_size(size), **settings)
    done = export(load(directory), out, format_name, options)
    if as_json:
        click.echo(json.dumps(done.to_json()))
        return
    say(f"{done.rows} rows, {done.bytes / 1e6:.1f} MB in {done.out}")
    for name, count in done.records.items():
        say(f"{count:8} records in {name}")
    for name, count in done.tokens.items():
        say(f"{count:8} tokens of {options.tokenizer} in {name}")
    for reason, count in done.left_out.items():
        say(f"{count:8} left out: {reason}")
