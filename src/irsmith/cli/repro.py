"""``irsmith repro``: a row or a reject as a folder that stands alone."""

from __future__ import annotations

from pathlib import Path

import click

from irsmith.cli.say import say
from irsmith.repro import write


@click.command("repro")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("row_id", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make (default: repro-ID here).")
def command(directory: Path, row_id: str, out: Path | None) -> None:
    """Write a row or a reject as a folder that a stranger can build and run.

    ID is a row's id or its index, or the index of a reject. The folder holds the source, the units that the
    compilers made of it, a program that runs them and compares, inputs and expected outputs. It needs the
    compiler and no irsmith.
    """
    say(f"{write(directory, row_id, out)}: see README.md there")
