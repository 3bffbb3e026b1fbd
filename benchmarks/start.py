"""How long commands take from their start: help, the first row, and the end of a run that is asked to end.

    python -m benchmarks.start [--repeats 5] [--json FILE]

Each command is run once to fill the file cache and then so often; median and fastest. A first row is that of
``irsmith generate --count 1 --workers 1``, from the command to the finished dataset.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import figures
from benchmarks.machine import machine

COMMANDS = {
    "irsmith --help": ["--help"],
    "first row of Warp, not proved": ["generate", "--verify", "none"],
    "first row of Warp, proved": ["generate"],
    "first row of JAX, not proved": ["generate", "--frontend", "jax", "--verify", "none"],
    "first row of JAX, proved": ["generate", "--frontend", "jax"],
}


def seconds(words: list[str]) -> float:
    """What a command takes."""
    with tempfile.TemporaryDirectory() as folder:
        extent = ["--count", "1", "--workers", "1", "--out", f"{folder}/out", "-q"] if words[0] == "generate" else []
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "irsmith", *words, *extent], stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - began


def stopping() -> float:
    """What a run with two workers takes from the request to end until it has ended."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        line = [sys.executable, "-m", "irsmith", "generate", "--count", "10000", "--workers", "2", "--out", str(out)]
        run = subprocess.Popen(line, stderr=subprocess.DEVNULL)
        while not (out / ".irsmith").exists():
            time.sleep(0.05)
        # In the midst of proving.
        time.sleep(8)
        began = time.monotonic()
        run.send_signal(signal.SIGTERM)
        run.wait()
        return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    figures.option(parser)
    options = parser.parse_args()
    print(machine())
    found = {}
    for what, words in COMMANDS.items():
        seconds(words)
        found[what] = [seconds(words) for _ in range(options.repeats)]
    found["SIGTERM to the end of a run"] = [stopping() for _ in range(options.repeats)]
    figures.print_table(
        ("what", "median", "fastest"),
        [(what, f"{statistics.median(took):.2f} s", f"{min(took):.2f} s") for what, took in found.items()],
    )
    figures.keep(options.json, found)


if __name__ == "__main__":
    main()
