"""What a process that lowers JAX functions occupies after many of them.

    python -m benchmarks.jax_memory [--functions 10000] [--every 1000]

One process lowers function after function to a jaxpr, StableHLO and HLO: its resident set after every so many, so that
a leak shows as a slope.
"""

from __future__ import annotations

import argparse
import gc
import os
from pathlib import Path

from benchmarks.machine import machine
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe


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
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--stages", default="jaxpr,stablehlo,hlo")
    options = parser.parse_args()
    print(machine())
    curve(options.functions, options.every, tuple(options.stages.split(",")))


if __name__ == "__main__":
    main()
