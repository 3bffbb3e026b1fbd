"""Bytes a row: Parquet against JSONL.

    python -m benchmarks.sizes [--warp 1000] [--jax 100] [--json FILE]

Of datasets with the stages and the shards that they have by default, not proved: verdicts add little.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import irsmith
from benchmarks import figures
from benchmarks.machine import machine
from irsmith.dataset.jsonl import FILE
from irsmith.recipe import Recipe


def measured(frontend: str, count: int) -> dict[str, float]:
    """The rows of a dataset and their bytes either way."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(frontend=frontend, count=count, seed=7, verify="none")
        made = irsmith.generate(recipe, Path(folder, "out"), jsonl=True).manifest
        lines = Path(folder, "out", FILE).stat().st_size
    return {"rows": made.rows, "parquet": made.bytes / made.rows, "jsonl": lines / made.rows}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warp", type=int, default=1000)
    parser.add_argument("--jax", type=int, default=100)
    figures.option(parser)
    options = parser.parse_args()
    print(machine())
    found = {frontend: measured(frontend, count) for frontend, count in (("warp", options.warp), ("jax", options.jax))}
    figures.print_table(
        ("frontend", "rows", "Parquet, bytes a row", "JSONL, bytes a row", "JSONL over Parquet"),
        [
            (name, one["rows"], f"{one['parquet']:.0f}", f"{one['jsonl']:.0f}", f"{one['jsonl'] / one['parquet']:.1f}")
            for name, one in found.items()
        ],
    )
    figures.keep(options.json, found)


if __name__ == "__main__":
    main()
