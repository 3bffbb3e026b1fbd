"""How generation scales: two workers over one, and a worker's peak memory against the count.

    python -m benchmarks.scaling [--count 4000] [--repeats 3] [--memory 2000,20000]

Each run is the command line in a process of its own, start-up included. The peak is of the largest worker.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile

from benchmarks.compared import print_speedup
from benchmarks.machine import machine

_PEAK = """
import resource, sys
from irsmith.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


def generate(count: int, workers: int) -> tuple[float, float]:
    """The seconds that a run took, and the peak memory of its largest worker in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        options = [
            "generate",
            "--verify",
            "none",
            "--count",
            str(count),
            "--seed",
            "7",
            "--out",
            f"{folder}/out",
            "--json",
        ]
        line = [sys.executable, "-c", _PEAK, *options, "--workers", str(workers)]
        run = subprocess.run(line, capture_output=True, text=True, check=True)
    peak = int(run.stderr.split()[-1]) / 1024
    return json.loads(run.stdout)["seconds"], peak


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", default="2000,20000")
    options = parser.parse_args()
    print(machine())
    count = options.count
    print_speedup(lambda workers: generate(count, workers)[0], options.repeats, f"{count} kernels")
    small, large = (int(count) for count in options.memory.split(","))
    peaks = [generate(count, 1)[1] for count in (small, large)]
    print(f"peak memory of a worker: {peaks[0]:.0f} MiB at {small}, {peaks[1]:.0f} MiB at {large}", end="")
    print(f", ratio {peaks[1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
