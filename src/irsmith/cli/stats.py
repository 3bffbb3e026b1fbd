"""``irsmith stats``: what is in a dataset."""

from __future__ import annotations

import json

import click

from irsmith.cli.running import PLACE
from irsmith.dataset.load import load
from irsmith.dataset.stats import stats
from irsmith.places import Place


@click.command("stats")
@click.argument("directory", metavar="DIR", type=PLACE)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(directory: Place, as_json: bool) -> None:
    """Say what is in a dataset: rows, bytes, categories, structures, sizes, rejects and toolchain."""
    found = stats(load(directory))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
        return
    from rich.table import Table

    from irsmith.cli.text import cell, console

    terminal = console()
    total = found.total
    terminal.print(f"{total.rows} rows of {found.tried} tried, {found.bytes / 1e6:.1f} MB")
    terminal.print(f"{total.structures} structures ({total.structures / max(total.rows, 1):.1%}), ", end="")
    terminal.print(f"{total.skeletons} skeletons ({total.skeletons / max(total.rows, 1):.1%})")
    table = Table("category", *(f"{name}" for name in ("rows", "structures", "skeletons", "lines 10/50/90 %")))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, group in [*found.categories.items(), ("all", total)]:
        lines = "/".join(str(value) for value in group.lines)
        table.add_row(cell(name), str(group.rows), str(group.structures), str(group.skeletons), lines)
    terminal.print(table)
    for title, counts in (("difficulty", found.difficulty), ("tags", found.tags)):
        listed = ", ".join(f"{name}: {times}" for name, times in counts.items())
        terminal.print(cell(f"{title}: {listed or 'none'}"))
    splits = Table("split", "rows", "share", "structures", "lines 10/50/90 %")
    balance, levels = Table("category", *found.splits), Table("difficulty", *found.splits)
    for shown in (splits, balance, levels):
        for column in shown.columns[1:]:
            column.justify = "right"
    for name, group in found.splits.items():
        lines = "/".join(str(value) for value in group.lines)
        share = f"{group.rows / max(total.rows, 1):.1%}"
        splits.add_row(cell(name), str(group.rows), share, str(group.structures), lines)
    for shown, counted in ((balance, found.balance), (levels, found.difficulty_balance)):
        for name, by_split in counted.items():
            whole = sum(by_split.values())
            shown.add_row(cell(name), *(f"{rows / whole:.0%}" if rows else "0" for rows in by_split.values()))
    for shown in (splits, balance, levels):
        terminal.print(shown)
    sizes = Table("text", "rows", "mean bytes", "longest")
    for column in sizes.columns[1:]:
        column.justify = "right"
    for name, text in found.texts.items():
        sizes.add_row(name, str(text.rows), f"{text.mean:.0f}", str(text.longest))
    terminal.print(sizes)
    if found.verdicts:
        verdicts = Table("check", "verdict", "rows")
        verdicts.columns[2].justify = "right"
        for outcome, times in found.verdicts.items():
            check, _, status = outcome.partition(": ")
            verdicts.add_row(cell(check), cell(status), str(times))
        terminal.print(verdicts)
    for reason, times in found.unproved.items():
        terminal.print(cell(f"compiled and not run {times}: {reason}"))
    for reason, times in found.rejects.items():
        terminal.print(cell(f"rejected {times}: {reason}"))
    terminal.print(cell("made by " + ", ".join(f"{name} {version}" for name, version in found.toolchain.items())))
