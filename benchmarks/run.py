"""Runs every benchmark, one after another, and writes what they print to a page.

    python -m benchmarks.run [--out docs/benchmarks.md] [NAME ...]

They take the better part of an hour; nothing else should run beside them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.machine import machine

BENCHMARKS = {
    "distinct": "How many different kernels the synthesiser makes",
    "overhead": "What irsmith adds to Warp",
    "scaling": "Two workers over one, and memory against the count",
    "examples": "Warp's own examples",
    "verified": "What proving a row costs",
}
"""The modules in order, with the headings that they get."""


def page(outputs: dict[str, str]) -> str:
    """The page of what benchmarks printed."""
    parts = ["# Benchmarks", "", f"Made by `python -m benchmarks.run`. Measured on {machine()}.", ""]
    for name, output in outputs.items():
        lines = [line for line in output.splitlines() if line != machine()]
        parts += [f"## {BENCHMARKS[name]}", "", f"`python -m benchmarks.{name}`", ""]
        table = [line for line in lines if line.startswith("|")]
        text = [line for line in lines if not line.startswith("|")]
        parts += [*table, ""] if table else []
        parts += ["```text", *text, "```", ""] if text else []
    return "\n".join(parts)


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    outputs = {}
    for name in options.names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        line = [sys.executable, "-m", f"benchmarks.{name}"]
        outputs[name] = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True).stdout
        options.out.write_text(page(outputs), encoding="utf-8")


if __name__ == "__main__":
    main()
