"""How exports, the report and the audit scale: rows a second, and peak memory against the number of rows.

    python -m benchmarks.exports [--rows 500] [--times 10]

The larger dataset is the smaller one's files several times over. Each run is the command line in a process of its
own, start-up included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import irsmith
from benchmarks.machine import machine
from irsmith.dataset import manifest as manifests
from irsmith.dataset.manifest import Manifest

FORMATS = ("pairs-jsonl", "pair-files", "device-jsonl", "chat", "hf")
_PEAK = """
import resource, sys
from irsmith.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def repeated(root: Path, out: Path, times: int) -> None:
    """A dataset that has another's files several times over."""
    found: Manifest = manifests.read(root)
    span = max(shard.first + shard.tried for shard in found.shards)
    shards = []
    for number in range(times):
        for shard in found.shards:
            moved = replace(shard, first=shard.first + number * span)
            target = out / moved.file
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(root / shard.file, target)
            shards.append(moved)
    (out / "recipe.toml").write_bytes((root / "recipe.toml").read_bytes())
    (out / manifests.FILE).write_text(replace(found, shards=tuple(shards)).to_json(), encoding="utf-8")


def measured(*arguments: str) -> tuple[float, float]:
    """The seconds and the peak memory in MiB of a command."""
    start = time.monotonic()
    line = [sys.executable, "-c", _PEAK, *arguments]
    run = subprocess.run(line, capture_output=True, text=True, check=True)
    return time.monotonic() - start, int(run.stderr.split()[-1]) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--times", type=int, default=10)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small"), Path(folder, "large")
        irsmith.generate(irsmith.Recipe(count=options.rows, seed=7, verify="none"), small)
        repeated(small, large, options.times)
        rows = [json.loads((root / "manifest.json").read_text())["rows"] for root in (small, large)]
        commands = {f"export --format {name}": ["--format", name, "--out"] for name in FORMATS}
        commands |= {"report": ["--out"]}
        for name, tail in commands.items():
            found = []
            for root in (small, large):
                out = Path(folder, f"{root.name}-{name.split()[-1]}")
                found.append(measured(name.split()[0], str(root), *tail, str(out)))
            _print(name, rows, found)
        _print("audit", rows, [measured("audit", str(root)) for root in (small, large)])


def _print(name: str, rows: list[int], found: list[tuple[float, float]]) -> None:
    (_, low), (seconds, high) = found
    print(
        f"{name}: {rows[1] / seconds:.0f} rows/s; peak {low:.0f} MiB at {rows[0]}, {high:.0f} MiB at {rows[1]} rows, "
        f"ratio {high / low:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
