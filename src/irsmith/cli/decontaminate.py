"""``irsmith decontaminate``: leave out what stands in a benchmark."""

from __future__ import annotations

import json
from pathlib import Path

import click

from irsmith.cli.running import progress
from irsmith.cli.say import say
from irsmith.dataset.decontaminate import contaminated, decontaminate
from irsmith.dataset.derive import check_free
from irsmith.dataset.load import load
from irsmith.dataset.near import THRESHOLD

SHOWN = 10
"""Rows that are named on the terminal."""


@click.command("decontaminate")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--against", required=True, type=click.Path(path_type=Path), help="The benchmark: a file or a folder.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make (default: DIR-decontaminated).")
@click.option("--near", type=float, default=THRESHOLD, show_default=True, help="From which similarity on to remove.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(directory: Path, against: Path, out: Path | None, near: float, as_json: bool) -> None:
    """Make a dataset without the rows that stand in a benchmark, by structure or nearly.

    The benchmark is .py files, and every Python function in the strings of .jsonl, .json and .parquet files.
    DIR is only read; what is removed stands in rejects/ of the new folder, with where it was found.
    """
    dataset = load(directory)
    target = out or directory.with_name(f"{directory.resolve().name}-decontaminated")
    check_free(target)
    matches = contaminated(dataset, against, threshold=near, on_progress=progress(len(dataset), "rows compared"))
    made = decontaminate(dataset, against, target, near, matches)
    if as_json:
        listed = [{"id": match.row_id, "where": match.where, "similarity": match.similarity} for match in matches]
        click.echo(json.dumps({"out": str(target), "delivered": made.rows, "threshold": near, "removed": listed}))
        return
    say(f"{len(matches)} of {len(dataset)} rows stand in {against}; the other {made.rows} are in {target}")
    for match in matches[:SHOWN]:
        say(f"{match.row_id}: {match.where} ({match.similarity:.2f})")
