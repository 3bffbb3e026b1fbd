"""``irsmith diff``: what changed between two datasets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from irsmith.cli.say import say
from irsmith.dataset.diff import diff
from irsmith.dataset.load import load
from irsmith.errors import UserError

LINES = 20
"""Lines of one example that are shown."""


@click.command("diff")
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("--examples", type=int, default=3, show_default=True, help="Rows to show a text of that differs.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(first: Path, second: Path, examples: int, as_json: bool) -> int:
    """Say what changed from dataset A to dataset B: recipe, toolchain, rows, and which texts differ.

    Rows are told by their ids. The exit status is 1 when rows or columns differ, 0 when they are the same.
    """
    if examples < 0:
        raise UserError(f"--examples: {examples} is not a count: give 0 or more")
    found = diff(load(first), load(second), examples=examples)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
        return 0 if found.same else 1
    if found.version:
        say("version: {} → {}".format(*found.version))
    for line in found.recipe:
        say(f"recipe: {line}")
    for name, (old, new) in found.toolchain.items():
        say(f"toolchain: {name} {old or 'none'} → {new or 'none'}")
    for what, names in (("gone", found.columns_gone), ("new", found.columns_new)):
        for name in names:
            say(f"column {what}: {name}")
    say(f"rows: {found.rows[0]} → {found.rows[1]}: {found.gone} gone, {found.new} new, {found.changed} changed")
    for name, times in found.columns.items():
        say(f"{times:8} rows differ in {name}")
    for example in found.examples:
        say(f"\n{example.row_id} {example.column}")
        for line in example.lines[:LINES]:
            say(line)
        if len(example.lines) > LINES:
            say(f"… {len(example.lines) - LINES} lines more")
    return 0 if found.same else 1
