"""Peak memory against the count: of the largest worker, of the largest process that compiles, and of the run itself.

    python -m benchmarks.memory [--counts 1000,10000] [--proved 1000] [--workers 2] [--json FILE]

Each run is the command line in a process of its own. What counts is what the system says a process had resident at its
worst; it is read from the processes a few times a second, and each process's own record is kept by the system.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.machine import machine

INTERVAL = 0.2
KINDS = {"runner.worker": "compiling", "spawn_main": "worker"}
"""What in a command line tells which process it is."""


def _below(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = task.read_text().split()
        except OSError:
            continue
        for child in map(int, found):
            yield child
            yield from _below(child)


def _peak(pid: int) -> tuple[str, float]:
    """Which process it is, and its peak in MiB; nothing where it is gone."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "", 0.0
    highest = next((row.split()[1] for row in status.splitlines() if row.startswith("VmHWM:")), "0")
    return next((kind for part, kind in KINDS.items() if part in line), ""), int(highest) / 1024


def peaks(line: list[str]) -> tuple[dict[str, float], str]:
    """The peaks in MiB of a command's processes by kind, its own as ``run``, and what it printed."""
    found = {"run": 0.0, "worker": 0.0, "compiling": 0.0}
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            found["run"] = max(found["run"], _peak(process.pid)[1])
            for pid in _below(process.pid):
                kind, peak = _peak(pid)
                if kind:
                    found[kind] = max(found[kind], peak)
            time.sleep(INTERVAL)
        assert process.stdout is not None
        shown = process.stdout.read()
    assert process.returncode == 0, line
    return found, shown


def measured(count: int, verify: str, workers: int) -> dict[str, Any]:
    """The peaks of a run."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--verify", verify, "--count", str(count), "--seed", "7", "--out", f"{folder}/out", "--json"]
        found, shown = peaks([sys.executable, "-m", "irsmith", "generate", *options, "--workers", str(workers)])
    return {"count": count, "verify": verify, "seconds": json.loads(shown)["seconds"], **found}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="1000,10000", help="runs that prove nothing")
    parser.add_argument("--proved", default="1000", help="runs that prove every row")
    parser.add_argument("--workers", type=int, default=2)
    figures.option(parser)
    options = parser.parse_args()
    print(machine())
    wanted = [("none", int(count)) for count in options.counts.split(",") if count]
    wanted += [("full", int(count)) for count in options.proved.split(",") if count]
    found = [measured(count, verify, options.workers) for verify, count in wanted]
    figures.print_table(
        ("kernels", "proved", "largest worker", "largest compiling process", "the run itself", "seconds"),
        [
            (
                one["count"],
                "yes" if one["verify"] == "full" else "no",
                *(f"{one[kind]:.0f} MiB" if one[kind] else "none" for kind in ("worker", "compiling", "run")),
                f"{one['seconds']:.0f}",
            )
            for one in found
        ],
    )
    figures.keep(options.json, {"runs": found})


if __name__ == "__main__":
    main()
