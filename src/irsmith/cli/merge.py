"""``irsmith merge``: one dataset of several."""

from __future__ import annotations

import json
from pathlib import Path

import click

from irsmith.cli.dedup import record, summary
from irsmith.cli.running import progress, workers_given
from irsmith.cli.say import say
from irsmith.dataset.dedup import clusters, without_duplicates
from irsmith.dataset.derive import check_free
from irsmith.dataset.load import load


@click.command("merge")
@click.argument("directories", metavar="A B …", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option("--near", type=float, help="Take out near-duplicates too, from this similarity on, such as 0.8.")
@click.option("--workers", type=int, help="Worker processes (default: one a processor). They change no byte.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(directories: tuple[Path, ...], out: Path, near: float | None, workers: int | None, as_json: bool) -> None:
    """Make one dataset of several, without rows that repeat an earlier one.

    Of two rows with one structure the earlier stays: in the order of the datasets, then of their indices. The
    datasets may be of different frontends and recipes, but must be split alike. They are only read.
    """
    check_free(out)
    datasets = [load(directory) for directory in directories]
    rows = sum(map(len, datasets))
    found = clusters(
        datasets, threshold=near, workers=workers_given(workers), on_progress=progress(rows, "rows compared")
    )
    made = without_duplicates(datasets, out, "merge", found)
    if as_json:
        click.echo(json.dumps({"out": str(out), "delivered": made.rows, **record(found)}))
    else:
        summary(found, examples=3)
        say(f"{made.rows} rows of {len(datasets)} datasets in {out} ({made.bytes / 1e6:.1f} MB)")
