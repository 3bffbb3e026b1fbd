"""Runs the benchmarks and writes what they print to one page.

    python -m benchmarks.run [--quick] [--long] [--figures build/benchmarks] [--out docs/benchmarks.md] [PART ...]

Each part is a program of its own. What it printed and measured is kept as ``build/benchmarks/PART.json``, and the page
is made of all parts that are there: a part can be measured again, or on another day, without the others. Without names
all parts are run: an hour or two on a quiet machine, and with ``--quick``, for smaller figures, ten minutes. ``--long``
goes to 100,000 kernels where memory is measured against the count. Nothing else should run beside them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine


@dataclass(frozen=True)
class Part:
    """A benchmark, with what its page and its settings are.

    Attributes:
        title: Its heading.
        quick: Its options in a quick run.
        full: Its options in a full run.
        long: Its options in a long run, where they are others.
        keeps: Whether it keeps figures.
    """

    title: str
    quick: str
    full: str = ""
    long: str | None = None
    keeps: bool = True


PARTS: Mapping[str, Part] = {
    "start": Part("From the command on", "--repeats 2"),
    "stages": Part("Rows a second per stage, over the bare compilers", "--warp 60 --ptx 4 --jax 6 --repeats 2"),
    "overhead": Part("What irsmith adds to Warp", "--kernels 100 --repeats 2", keeps=False),
    "jax_overhead": Part("What irsmith adds to JAX", "--functions 6 --repeats 1", keeps=False),
    "verified": Part("What proving a row costs", "--rows 12 --twins 3 --repeats 1", keeps=False),
    "profile": Part("Where the time goes", "--warp 100 --proved 32 --jax 4"),
    "distinct": Part("Distinct structures", "--count 2000", "--count 20000"),
    "scaling": Part("Two workers over one, and Ray", "--count 400 --proved 64 --jax 8 --repeats 1"),
    "memory": Part(
        "Peak memory against the count",
        "--counts 250,1000 --proved 128",
        long="--counts 1000,10000,100000 --proved 1000,10000",
    ),
    "sizes": Part("Bytes a row", "--warp 250 --jax 16"),
    "examples": Part("Warp's own examples", "", keeps=False),
    "cost": Part("What a million and a billion rows take", ""),
}
"""The parts in the order of the page. The last one computes with what others kept."""


def measure(name: str, words: list[str], kept: Path) -> None:
    """Run a part and keep what it printed and measured."""
    figures = kept / f"{name}.figures"
    line = [sys.executable, "-m", f"benchmarks.{name}", *words]
    run = subprocess.run(
        [*line, *(["--json", str(figures)] if PARTS[name].keeps else [])], stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(figures.read_text()) if PARTS[name].keeps else {}
    figures.unlink(missing_ok=True)
    record = {"options": words, "machine": machine(), "printed": run.stdout, "figures": found}
    (kept / f"{name}.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def page(records: Mapping[str, dict[str, Any]]) -> str:
    """The page of what parts printed."""
    machines = sorted({record["machine"] for record in records.values()})
    parts = ["# Benchmarks", "", f"Made by `python -m benchmarks.run`. Measured on {'; '.join(machines)}.", ""]
    parts += ["Ratios are of things that were measured in turn in one run; other figures depend on what else ran.", ""]
    for name, record in records.items():
        lines = [line for line in record["printed"].splitlines() if line not in machines]
        command = " ".join(["python -m", f"benchmarks.{name}", *record["options"]])
        parts += [f"## {PARTS[name].title}", "", f"`{command}`", ""]
        table = [line for line in lines if line.startswith("|")]
        text = [line for line in lines if not line.startswith("|")]
        parts += [*table, ""] if table else []
        parts += ["```text", *text, "```", ""] if any(text) else []
    return "\n".join(parts)


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--page", action="store_true", help="measure nothing: make the page of what was kept")
    parser.add_argument("--measured", type=Path, help="for cost: what `irsmith generate --json` printed of a long run")
    parser.add_argument("--processor", help="for cost: the seconds of processors that this run took")
    parser.add_argument("--figures", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(PARTS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    options.figures.mkdir(parents=True, exist_ok=True)
    for name in [] if options.page else options.names or PARTS:
        part = PARTS[name]
        words = (part.quick if options.quick else part.long if options.long and part.long else part.full).split()
        if name == "cost":
            words += ["--figures", str(options.figures)]
            words += ["--measured", str(options.measured)] if options.measured else []
            words += ["--processor", options.processor] if options.processor else []
        print(f"{name} …", file=sys.stderr, flush=True)
        measure(name, words, options.figures)
    kept = {name: options.figures / f"{name}.json" for name in PARTS}
    options.out.write_text(
        page({name: json.loads(path.read_text()) for name, path in kept.items() if path.exists()}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
