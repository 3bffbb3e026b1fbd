"""What proving rows costs: verified rows a second, and the whole over what Clang alone takes for the same texts.

    python -m benchmarks.verified [--rows 64] [--repeats 3]

For kernels of about 9, 24 and 89 lines: the time that one prover takes for fully verified rows (lowering excluded)
over the time that the bundled Clang takes, in the same worker, to compile the same C++ texts, in turn in one run;
NVRTC's time for one CUDA text apart; and the rows a second that ``irsmith generate`` makes with two workers.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

import irsmith
from benchmarks.machine import machine
from irsmith.frontends import get
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.row import Row
from irsmith.synth import Sizes
from irsmith.verify import Settings, Toolchain, Verifier
from irsmith.verify.ports import Adjoint, Trial

LINES = (9, 24, 89)


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rows_of(lines: int, count: int) -> list[Row]:
    """Rows of about that many lines."""
    sizes = Sizes(shortest=lines - 1, median=lines, longest=lines + 1, spread=0.1)
    pipeline = Pipeline(Recipe(seed=7, count=count, sizes=sizes))
    return [row for row in map(pipeline.row, range(count)) if isinstance(row, Row)]


def compile_alone(toolchain: Toolchain, rows: list[Row], stage: str) -> None:
    """Compile the rows' texts of a stage and do no more."""
    toolchain.compile_only([Trial(row.id, row.kernel, stage, row.texts, None, Adjoint({}, {})) for row in rows])


def rate(lines: int, count: int) -> float:
    """Rows a second of a run with two workers, start-up included."""
    sizes = Sizes(shortest=lines - 1, median=lines, longest=lines + 1, spread=0.1)
    recipe = Recipe(seed=8, count=count, sizes=sizes, shard_size=count // 4, max_reject_share=1.0)
    with tempfile.TemporaryDirectory() as folder:
        summary = irsmith.generate(recipe, folder, workers=2)
    return summary.manifest.rows / summary.seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(machine())
    for lines in LINES:
        rows = rows_of(lines, options.rows)
        mean = statistics.fmean(row.structure.lines for row in rows)
        with get("warp").prover() as toolchain:
            compile_alone(toolchain, rows[:8], toolchain.host)
            clang, whole = [], []
            for _ in range(options.repeats):
                clang.append(seconds(partial(compile_alone, toolchain, rows, toolchain.host)) / len(rows) * 1e3)
                verifier = Verifier(toolchain, settings=Settings(twin_compiles=0.0))
                whole.append(seconds(partial(verifier.verify, rows)) / len(rows) * 1e3)
            nvrtc = seconds(partial(compile_alone, toolchain, rows[:16], toolchain.twin)) / 16 * 1e3
        ratio = statistics.median(w / c for w, c in zip(whole, clang, strict=True))
        print(f"{mean:3.0f} lines: {statistics.median(whole):6.1f} ms a row", end="")
        print(f" over Clang's {statistics.median(clang):6.1f}, ratio {ratio:.2f}; NVRTC {nvrtc:.0f} ms", end="")
        print(f"; two workers {rate(lines, 4 * options.rows):.1f} rows a second")


if __name__ == "__main__":
    main()
