"""How JAX generation scales: two workers over one, and a process's memory over many functions.

    python -m benchmarks.jax_scaling [--count 60] [--repeats 3] [--memory 10000] [--every 1000]

The memory is of one process that lowers function after function to a jaxpr, StableHLO and HLO: its resident set
after every so many, so that a leak shows as a slope.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compared import print_speedup
from benchmarks.machine import machine
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe


def seconds(count: int, workers: int) -> float:
    """What a run takes, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(frontend="jax", count=count, seed=7, verify="none", shard_size=max(1, count // 8))
        path = Path(folder, "recipe.toml")
        path.write_text(recipe.to_toml())
        line = [sys.executable, "-m", "irsmith", "generate", str(path), "--out", f"{folder}/out", "--json"]
        shown = subprocess.run([*line, "--workers", str(workers)], capture_output=True, text=True, check=True)
    return float(json.loads(shown.stdout)["seconds"])


def resident() -> float:
    """MiB that this process occupies."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def curve(count: int, every: int, stages: tuple[str, ...]) -> None:
    """Print the resident set after every so many functions."""
    pipeline = Pipeline(Recipe(frontend="jax", stages=stages, seed=7, verify="none"))
    for index in range(count + 1):
        pipeline.row(index)
        if index % every == 0:
            gc.collect()
            print(f"{index:6} functions: {resident():.0f} MiB", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--stages", default="jaxpr,stablehlo,hlo")
    options = parser.parse_args()
    print(machine())
    count = options.count
    print_speedup(lambda workers: seconds(count, workers), options.repeats, f"{count} functions")
    if options.memory:
        curve(options.memory, options.every, tuple(options.stages.split(",")))


if __name__ == "__main__":
    main()
