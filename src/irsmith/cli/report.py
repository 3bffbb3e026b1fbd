"""``irsmith report``: a dataset as one page that a person reads."""

from __future__ import annotations

from pathlib import Path

import click

from irsmith.cli.say import say
from irsmith.dataset.load import load
from irsmith.report import report


@click.command("report")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file (default: report.html in the folder).")
def command(directory: Path, out: Path | None) -> None:
    """Write a dataset's report: one page that opens from disk and asks no network.

    It shows composition, sizes, complexity, builtins and types, verification and its margins, rejects, how
    structures grow with rows, and rows side by side. Nothing of a row is executed.
    """
    path = report(load(directory), out)
    say(f"{path.stat().st_size / 1e6:.1f} MB in {path}")
