"""``irsmith compare``: two corpora side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from irsmith.cli.say import say
from irsmith.compare import Comparison, compare, corpus

SHOWN = 8
"""Values of a feature that are shown."""
MISSING = 30
"""Builtins that one side lacks that are shown."""


@click.command("compare")
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(path_type=Path), help="Write the comparison as a page, too.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(first: Path, second: Path, html: Path | None, as_json: bool) -> None:
    """Put two corpora side by side: length, depth, builtins, types, syntax, and the structures in common.

    Each is a dataset or a folder of Python files, which are parsed and not executed. A distance is 0 for the same
    distribution and 1 for nothing in common.
    """
    found = compare(corpus(first), corpus(second), (str(first), str(second)))
    if html is not None:
        from irsmith.report import comparison_page

        comparison_page(found, html)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
    else:
        _print(found)


def _print(found: Comparison) -> None:
    a, b = found.names
    for name, kernels, structures in zip(found.names, found.kernels, found.structures, strict=True):
        say(f"{name}: {kernels} kernels, {structures} structures")
    say(f"in common: {found.common_structures} structures, {found.common_skeletons} skeletons")
    say(f"mean distance: {found.distance:.3f}\n")
    for name, feature in found.features.items():
        say(f"{name}: distance {feature.distance:.3f}")
        for value, mine, theirs in feature.shares(SHOWN):
            say(f"  {value.strip():32} {mine:7.1%} {theirs:7.1%}")
    for name, other, lacking in ((a, b, found.lacking[0]), (b, a, found.lacking[1])):
        if lacking:
            told = ", ".join(f"{builtin} {times}" for builtin, times in list(lacking.items())[:MISSING])
            say(f"\n{len(lacking)} builtins of {name} that {other} lacks: {told}")
