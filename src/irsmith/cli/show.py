"""``irsmith show``: read one row."""

from __future__ import annotations

import click

from irsmith.cli.running import PLACE
from irsmith.cli.say import printable
from irsmith.cli.text import cell, console, print_row
from irsmith.dataset.load import load
from irsmith.frontends import get
from irsmith.frontends.base import stage_named
from irsmith.places import Place


@click.command("show")
@click.argument("directory", metavar="DIR", type=PLACE)
@click.argument("row_id", metavar="ID")
@click.option("--stage", help="The stage to show (default: the first that the dataset has).")
@click.option("--direction", type=click.Choice(["forward", "backward", "both"]), default="both", show_default=True)
def command(directory: Place, row_id: str, stage: str | None, direction: str) -> None:
    """Read one row of a dataset: Python beside what it became.

    ID is a row's id, or its index. Nothing of the row is executed.
    """
    dataset = load(directory)
    row = dataset.row(row_id)
    chosen = dataset.stages[0] if stage is None else stage_named(get(row.frontend), stage)
    directions = ["forward", "backward"] if direction == "both" else [direction]
    terminal = console()
    terminal.print(
        cell(row.id).append(printable(f"  {row.kernel.category}  {row.toolchain}"), "not bold"), style="bold"
    )
    terminal.print(cell(row.kernel.description))
    signature = row.kernel.signature
    for argument in signature.arguments:
        extent = "x".join(map(str, argument.shape)) or ("by value" if signature.launch is not None else "rank 0")
        domain = "" if argument.domain is None else f"  {argument.domain.low:g} to {argument.domain.high:g}"
        terminal.print(
            printable(f"  {argument.direction:5} {argument.name}: {argument.type}  {extent}{domain}"), markup=False
        )
    launch = signature.launch
    terminal.print("" if launch is None else f"  launch {'x'.join(map(str, launch))}\n")
    print_row(terminal, row, [chosen], directions)
