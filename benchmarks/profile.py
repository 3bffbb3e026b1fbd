"""Where the processor time of making rows goes: what of it is the compilers', and what else shows.

    python -m benchmarks.profile [--warp 400] [--proved 96] [--jax 16] [--above 0.05] [--json FILE]

One process makes a shard and is looked at every few milliseconds of its processor time. A look counts for the compiler
where any of the functions that are running then is Warp's or JAX's, else for the innermost function of irsmith, what
it calls in NumPy, Arrow and Python included. The processes in which compilers and compiled code run are counted whole.
Shares are of the processor time of all.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import irsmith
from benchmarks import figures
from benchmarks.machine import machine
from irsmith.dataset.shard import Task, make
from irsmith.recipe import Recipe

INTERVAL = 0.004
"""Seconds of processor time between two looks."""
_OURS = str(Path(irsmith.__file__).parent)
_COMPILERS = {"warp": "Warp, as it lowers", "jax": "JAX, as it lowers", "jaxlib": "JAX, as it lowers"}


def _whose(frame: FrameType | None) -> tuple[str, str]:
    """The room and the function that a look counts for."""
    ours: tuple[str, str] | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        package = file.rpartition("/site-packages/")[2].partition("/")[0] if "/site-packages/" in file else ""
        if package in _COMPILERS:
            return _COMPILERS[package], _COMPILERS[package]
        if ours is None and file.startswith(_OURS):
            below = file[len(_OURS) + 1 :]
            ours = _room(below), f"{below}: {frame.f_code.co_qualname}"
        frame = frame.f_back
    return ours or ("Python and libraries", "Python and libraries")


def _room(below: str) -> str:
    parts = below.split("/")
    return "/".join(parts[:3] if parts[0] == "frontends" else parts[:1]).removesuffix(".py")


def _others() -> float:
    """Seconds of processor time that the processes below this one took, and those below them that have ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / ticks
    return total


def profiled(recipe: Recipe) -> dict[str, Any]:
    """Shares of processor time by room and by function."""
    rooms: Counter[str] = Counter()
    functions: Counter[str] = Counter()

    def look(_number: int, frame: FrameType | None) -> None:
        room, function = _whose(frame)
        rooms[room] += 1
        functions[function] += 1

    with tempfile.TemporaryDirectory() as folder:
        count = recipe.count
        assert count is not None
        # What is done once: imports, precompiled headers.
        make(Task(recipe, Path(folder), 0, 2), lambda _: None)
        before, began = _others(), time.process_time()
        signal.signal(signal.SIGPROF, look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        make(Task(recipe, Path(folder), 2, count + 2), lambda _: None)
        signal.setitimer(signal.ITIMER_PROF, 0)
        own, below = time.process_time() - began, _others() - before
    whole, looks = own + below, sum(rooms.values())
    apart = {"processes that compile and run": below / whole} if below else {}
    shares = [
        {name: own / whole * number / looks for name, number in counted.most_common()} | apart
        for counted in (rooms, functions)
    ]
    return {"milliseconds": whole / count * 1e3, "looks": looks, "rooms": shares[0], "functions": shares[1]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warp", type=int, default=400, help="Warp kernels that are not proved")
    parser.add_argument("--proved", type=int, default=96, help="Warp kernels that are")
    parser.add_argument("--jax", type=int, default=16, help="JAX functions, not proved and proved")
    parser.add_argument("--above", type=float, default=0.05, help="the share from which something is listed")
    figures.option(parser)
    options = parser.parse_args()
    print(machine())
    runs = [("warp", "none", options.warp), ("warp", "full", options.proved)]
    runs += [("jax", verify, options.jax) for verify in ("none", "full")]
    found: dict[str, Any] = {}
    lines = []
    for frontend, verify, count in runs:
        if not count:
            continue
        one = profiled(Recipe(frontend=frontend, seed=7, count=count, verify=verify))
        name = f"{frontend}, {'proved' if verify == 'full' else 'not proved'}"
        found[name] = one
        for kind in ("rooms", "functions"):
            shown = {what: share for what, share in one[kind].items() if share >= options.above}
            text = "; ".join(f"{what} {share:.0%}" for what, share in sorted(shown.items(), key=lambda pair: -pair[1]))
            lines.append((name, f"{one['milliseconds']:.1f} ms", kind, text))
    figures.print_table(("run", "processor time a row", "by", f"above {options.above:.0%}"), lines)
    figures.keep(options.json, found)


if __name__ == "__main__":
    main()
