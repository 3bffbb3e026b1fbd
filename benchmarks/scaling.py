"""How generation scales: two workers over one, in the pool of this machine and on Ray, proved and unproved.

    python -m benchmarks.scaling [--count 4000] [--proved 600] [--lowered 240] [--jax 64] [--repeats 3]
        [--engines local,ray] [--json FILE]

Each run is the command line in a process of its own, from its start to the finished dataset. Ratios are of runs that
followed each other; the figure to quote is their median. For Ray one worker is one processor of a cluster that the
run starts on this machine; starting it is counted, and given for an empty run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.machine import machine
from irsmith.recipe import Recipe


def run(recipe: Recipe, engine: str, workers: int) -> tuple[float, int]:
    """The seconds that a run takes from its command on, and the rows that it gives."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recipe.toml")
        path.write_text(recipe.to_toml())
        line = [sys.executable, "-m", "irsmith", "generate", str(path), "--out", f"{folder}/out", "--json"]
        began = time.monotonic()
        shown = subprocess.run(
            [*line, "--engine", engine, "--workers", str(workers)], capture_output=True, text=True, check=True
        )
        return time.monotonic() - began, int(json.loads(shown.stdout)["rows"])


def measured(recipe: Recipe, engine: str, repeats: int) -> dict[str, Any]:
    """The medians of some pairs of runs, of one worker and of two."""
    # Sixteen shards or so: each worker has several, and none of them waits long for the last one.
    assert recipe.count is not None
    pairs = [(run(recipe, engine, 1), run(recipe, engine, 2)) for _ in range(repeats)]
    return {
        "frontend": recipe.frontend,
        "verify": recipe.verify,
        "count": recipe.count,
        "engine": engine,
        "rows": pairs[0][1][1],
        "one": statistics.median(one for (one, _), _ in pairs),
        "two": statistics.median(two for _, (two, _) in pairs),
        "ratio": statistics.median(one / two for (one, _), (two, _) in pairs),
        "ratios": [one / two for (one, _), (two, _) in pairs],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4000, help="Warp kernels that are not proved")
    parser.add_argument("--proved", type=int, default=600, help="Warp kernels that are")
    parser.add_argument("--lowered", type=int, default=240, help="JAX functions that are not proved")
    parser.add_argument("--jax", type=int, default=64, help="JAX functions that are")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", default="local,ray")
    figures.option(parser)
    options = parser.parse_args()
    print(machine())
    wanted = (
        ("warp", "none", options.count),
        ("warp", "full", options.proved),
        ("jax", "none", options.lowered),
        ("jax", "full", options.jax),
    )
    found = []
    for frontend, verify, count in wanted:
        if not count:
            continue
        size = max(1, min(250, count // 16))
        recipe = Recipe(frontend=frontend, count=count, seed=7, verify=verify, shard_size=size)
        found += [measured(recipe, engine, options.repeats) for engine in options.engines.split(",")]
    figures.print_table(
        ("run", "engine", "one worker", "two workers", "rows a second, two workers", "two over one (all pairs)"),
        [
            (
                f"{one['count']} kernels of {one['frontend']}, {'proved' if one['verify'] == 'full' else 'not proved'}",
                one["engine"],
                f"{one['one']:.1f} s",
                f"{one['two']:.1f} s",
                f"{one['rows'] / one['two']:.1f}",
                f"{one['ratio']:.2f} ({', '.join(f'{ratio:.2f}' for ratio in one['ratios'])})",
            )
            for one in found
        ],
    )
    if "ray" in options.engines:
        empty = Recipe(count=1, seed=7, verify="none")
        starts = {engine: run(empty, engine, 1)[0] for engine in ("local", "ray")}
        print(f"\nA run of one kernel takes {starts['local']:.1f} s with the pool and {starts['ray']:.1f} s with Ray.")
    figures.keep(options.json, {"runs": found})


if __name__ == "__main__":
    main()
