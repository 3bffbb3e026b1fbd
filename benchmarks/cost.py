"""What a million and a billion rows take in core-hours, storage and money, from what other benchmarks measured.

    python -m benchmarks.cost [--figures build/benchmarks] [--core-hour 0.04] [--gb-month 0.023] [--months 1]
        [--measured FILE --workers 2 [--processor SECONDS]] [--json FILE]

Nothing is run: the figures are those that `benchmarks.scaling`, `benchmarks.sizes` and `benchmarks.distinct` kept.
A row costs what two workers took for one, start-up included, times their cores. Rejected kernels cost as much as
rows, and so do the repeats among as many kernels, whose share follows from the power law of `benchmarks.distinct`.

``--measured`` is what ``irsmith generate --json`` printed of a long run: the model says what it should have taken,
but for what an earlier run had done. Where other programs took a part of the machine, ``--processor`` says how much
much time of processors the run took, as the shell's ``time`` prints it; else its cores are taken as wholly its own.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.distinct import heaps
from benchmarks.machine import machine

TARGETS = {"a million": 1_000_000, "a billion": 1_000_000_000}
LEAST = 0.5
"""The share of distinct structures down to which the power law is followed."""
_CORES = 2


def model(scaling: dict[str, Any], sizes: dict[str, Any]) -> dict[tuple[str, str], dict[str, float]]:
    """Core-seconds and bytes a row, and rows a kernel, by frontend and level of verification."""
    found = {}
    for run in scaling["runs"]:
        if run["engine"] == "local":
            found[run["frontend"], run["verify"]] = {
                "core_seconds": _CORES * run["two"] / run["rows"],
                "bytes": sizes[run["frontend"]]["parquet"],
                "kept": run["rows"] / run["count"],
            }
    return found


def tries(rows: float, seen: dict[int, int]) -> float | None:
    """How many kernels that pass give so many distinct structures, by the power law; None where it names no number."""
    kernels = rows
    for _ in range(50):
        share = heaps(seen, int(kernels))
        # Below that the law, which promises too little, says more of itself than of the kernels.
        if share < LEAST:
            return None
        kernels = rows / share
    return kernels


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--core-hour", type=float, default=0.04, help="the price of a core for an hour")
    parser.add_argument("--gb-month", type=float, default=0.023, help="the price of 10^9 bytes for a month")
    parser.add_argument("--months", type=float, default=1.0)
    parser.add_argument("--measured", type=Path, help="what `irsmith generate --json` printed")
    parser.add_argument("--workers", type=int, default=_CORES, help="how many workers that run had")
    parser.add_argument("--processor", type=float, help="the seconds of processors that it took")
    figures.option(parser)
    options = parser.parse_args()
    kept = {
        name: json.loads((options.figures / f"{name}.json").read_text()) for name in ("scaling", "sizes", "distinct")
    }
    costs = model(kept["scaling"]["figures"], kept["sizes"]["figures"])
    seen = {int(times): number for times, number in kept["distinct"]["figures"]["seen"].items()}
    print(machine())
    lines = []
    result: dict[str, Any] = {}
    for what, rows in TARGETS.items():
        for (frontend, verify), one in costs.items():
            found = tries(rows, seen) if frontend == "warp" else None
            kernels = found or float(rows)
            hours = kernels * one["core_seconds"] / 3600
            gigabytes = rows * one["bytes"] / 1e9
            money = hours * options.core_hour, gigabytes * options.gb_month * options.months
            level = "proved" if verify == "full" else "not proved"
            lines.append(
                (
                    f"{what} rows of {frontend}, {level}",
                    f"{kernels / rows:.3f}" if found else "none counted",
                    f"{hours:,.0f}",
                    f"{gigabytes:,.1f}",
                    f"{money[0]:,.0f} + {money[1]:,.2f} = {sum(money):,.0f}",
                )
            )
            result[f"{what} {frontend} {verify}"] = {"core_hours": hours, "gigabytes": gigabytes, "money": sum(money)}
    figures.print_table(("what", "kernels a row, repeats counted", "core-hours", "GB", "money"), lines)
    print(f"\nAt {options.core_hour:g} a core-hour and {options.gb_month:g} a GB and month, ", end="")
    print(f"kept {options.months:g} months.")
    print("Warp's repeats follow the power law, down to a share of distinct structures of a half. Beyond that, and for")
    print("JAX, of which fewer kernels were measured, none are counted.")
    if options.measured is not None:
        run = json.loads(options.measured.read_text())
        one = costs["warp", "full"]
        made = run["tried"] - run["resumed"]
        hours = (options.processor or run["seconds"] * options.workers) / 3600
        expected = made * one["kept"] * one["core_seconds"] / 3600
        size = run["rows"] * one["bytes"] / 1e6
        print(f"{made} kernels of a run took {hours:.1f} core-hours, and {expected:.1f} by the model ", end="")
        print(f"({hours / expected:.2f}). The dataset holds {run['bytes'] / 1e6:.0f} MB, and {size:.0f} by the model.")
        result["measured"] = {"core_hours": hours, "expected": expected}
    figures.keep(options.json, result)


if __name__ == "__main__":
    main()
