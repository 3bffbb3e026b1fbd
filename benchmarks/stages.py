"""Rows a second per stage and frontend, over what the bare compiler makes of the same kernels.

    python -m benchmarks.stages [--warp 200] [--ptx 20] [--jax 24] [--repeats 5] [--json FILE]

Everything is measured by the clock in one process, in turn, on the same kernels. A row is made from its index:
grown, printed, lowered to the one stage, described and written; nothing is proved. The bare compiler has the sources:

- Warp declares each in a module of its own, hashes and builds it and emits the text for the stage's device; for PTX
  its NVRTC compiles what was emitted for CUDA.
- JAX executes each, and traces it and its vector-Jacobian product with empty caches, lowers and compiles both, with
  the options that irsmith gives XLA, as far as the stage is down, and prints the text.

The figure to quote is the median of the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.jax_overhead import jax_alone
from benchmarks.machine import machine
from benchmarks.overhead import warp_alone
from irsmith.dataset.shard import Task, make
from irsmith.drawing import Drawing
from irsmith.frontends.jax import compiler
from irsmith.frontends.warp.runner.native import CUDA_ARCHITECTURE, PTX_OPTIMIZATION, Native
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe

_HEADER = '#define WP_TILE_BLOCK_DIM 256\n#define WP_NO_CRT\n#include "builtin.h"\n'


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def kernels_of(frontend: str, count: int) -> list[Kernel]:
    """The kernels of the first indices that hold one."""
    drawing = Drawing(Recipe(frontend=frontend, seed=7))
    return [kernel for kernel in map(drawing.kernel, range(count)) if isinstance(kernel, Kernel)]


def drawing(frontend: str, count: int, repeats: int) -> float:
    """Kernels a second that are grown and printed."""
    return statistics.median(count / seconds(lambda: kernels_of(frontend, count)) for _ in range(repeats))


def compared(frontend: str, stage: str, count: int, alone: Callable[[Kernel], None], repeats: int) -> dict[str, float]:
    """Rows a second, the bare compiler's, and the median of the ratios of their times."""
    recipe = Recipe(frontend=frontend, seed=7, count=count, stages=(stage,), verify="none")
    kernels = kernels_of(frontend, count)
    with tempfile.TemporaryDirectory() as folder:

        def ours() -> None:
            make(Task(recipe, Path(folder), 0, count), lambda _: None)

        def bare() -> None:
            for kernel in kernels:
                alone(kernel)

        make(Task(recipe, Path(folder), 0, min(count, 4)), lambda _: None)
        for kernel in kernels[:4]:
            alone(kernel)
        pairs = [(seconds(bare) / len(kernels), seconds(ours) / count) for _ in range(repeats)]
    return {
        "rows": 1 / statistics.median(row for _, row in pairs),
        "bare": 1 / statistics.median(kernel for kernel, _ in pairs),
        "ratio": statistics.median(row / kernel for kernel, row in pairs),
    }


def _nvrtc(folder: Path) -> Callable[[Kernel], None]:
    (folder / "log").touch()
    native = Native(folder / "log", folder)

    def alone(kernel: Kernel) -> None:
        unit = _HEADER + warp_alone(kernel, ("cuda",))
        native.ptx(unit, architecture=CUDA_ARCHITECTURE, optimization=PTX_OPTIMIZATION)

    return alone


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warp", type=int, default=200)
    parser.add_argument("--ptx", type=int, default=20)
    parser.add_argument("--jax", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=5)
    figures.option(parser)
    options = parser.parse_args()
    print(machine())
    found: dict[str, dict[str, Any]] = {}
    for frontend, count in (("warp", options.warp), ("jax", options.jax)):
        rate = drawing(frontend, count, options.repeats)
        found[f"{frontend} kernels"] = {"rows": rate}
        print(f"{frontend}: {rate:.0f} kernels a second are grown and printed, before anything is lowered")
    with tempfile.TemporaryDirectory() as folder:
        todo: list[tuple[str, str, int, Callable[[Kernel], None]]] = [
            ("warp", "cpp", options.warp, lambda kernel: void(warp_alone(kernel, ("cpu",)))),
            ("warp", "cuda", options.warp, lambda kernel: void(warp_alone(kernel, ("cuda",)))),
            ("warp", "ptx", options.ptx, _nvrtc(Path(folder))),
        ]
        for stage in ("jaxpr", "stablehlo", "hlo", "hlo_optimized"):
            todo.append(("jax", stage, options.jax, partial(jax_alone, options=compiler.EMIT, stage=stage)))
        for frontend, stage, count, alone in todo:
            found[f"{frontend} {stage}"] = compared(frontend, stage, count, alone, options.repeats)
    figures.print_table(
        ("frontend and stage", "rows a second", "bare compiler, kernels a second", "time over the bare compiler's"),
        [
            (name, f"{one['rows']:.1f}", f"{one['bare']:.1f}", f"{one['ratio']:.2f}")
            for name, one in found.items()
            if "bare" in one
        ],
    )
    figures.keep(options.json, found)


def void(_: object) -> None:
    """Nothing of something."""


if __name__ == "__main__":
    main()
