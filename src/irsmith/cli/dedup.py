"""``irsmith dedup``: which rows are alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from irsmith.cli.running import progress, workers_given
from irsmith.cli.say import say
from irsmith.dataset.dedup import Clusters, clusters, without_duplicates, write_clusters
from irsmith.dataset.derive import check_free
from irsmith.dataset.load import load
from irsmith.dataset.near import THRESHOLD

LISTED = 20
"""Clusters that ``--json`` lists."""


@click.command("dedup")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--near", type=float, default=THRESHOLD, show_default=True, help="From which similarity on rows are alike."
)
@click.option("--clusters", "clusters_file", type=click.Path(path_type=Path), help="Write them as Parquet, by row id.")
@click.option("--out", type=click.Path(path_type=Path), help="Make a dataset in this folder without the alike.")
@click.option("--workers", type=int, help="Worker processes (default: one a processor). They change no byte.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(
    directory: Path, near: float, clusters_file: Path | None, out: Path | None, workers: int | None, as_json: bool
) -> None:
    """Say which rows of a dataset are alike, and keep that as a column or leave them out.

    Similarity is the Jaccard index of runs of five tokens, names and numbers taken out, as MinHash estimates it.
    A row as alike as --near to an earlier one that stays is in that one's cluster.
    """
    dataset = load(directory)
    if out is not None:
        check_free(out)
    show = progress(len(dataset), "rows compared")
    found = clusters([dataset], threshold=near, workers=workers_given(workers), on_progress=show)
    if clusters_file is not None:
        write_clusters(clusters_file, found)
    made = None if out is None else without_duplicates([dataset], out, "dedup", found)
    if as_json:
        click.echo(json.dumps(record(found) | ({} if made is None else {"out": str(out), "delivered": made.rows})))
        return
    summary(found, examples=5)
    if made is not None:
        say(f"{made.rows} rows in {out} ({made.bytes / 1e6:.1f} MB)")


def record(found: Clusters) -> dict[str, Any]:
    """What was found, for ``--json``."""
    listed = [
        {"id": kept, "like_it": [{"id": a.row_id, "similarity": a.similarity, "exact": a.exact} for a in alike]}
        for kept, alike in found.largest(LISTED)
    ]
    return {
        "rows": found.rows,
        "threshold": found.threshold,
        "duplicates": found.exact,
        "near_duplicates": len(found.found) - found.exact,
        "cluster_sizes": {str(size): times for size, times in found.sizes.items()},
        "largest_clusters": listed,
    }


def summary(found: Clusters, examples: int) -> None:
    """Print what was found."""
    say(f"{found.rows} rows, {found.exact} with the structure of an earlier one", nl=False)
    if found.threshold is not None:
        say(f", {len(found.found) - found.exact} others at least {found.threshold:g} alike to one", nl=False)
    say()
    for size, times in found.sizes.items():
        say(f"{times:8} clusters of {size}")
    for kept, alike in found.largest(examples):
        others = ", ".join(f"{item.row_id} ({item.similarity:.2f})" for item in alike[:5])
        say(f"{kept}: {others}{', …' if len(alike) > 5 else ''}")
