"""What proving rows costs: verified rows a second, and the whole over what the compilers alone take for the same texts.

    python -m benchmarks.verified [--rows 64] [--twins 16] [--repeats 3] [--lines 9,24,89]

For kernels of 9, 24 and 89 lines in the mean: the time that one prover takes for fully verified rows (lowering
excluded) over the time that the bundled Clang takes, in the same worker, to compile the same C++ texts, in turn
in one run; the same where every CUDA text is compiled too, over Clang's and NVRTC's time together; and the rows a
second that two workers lower and prove with the default sampling.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier

from benchmarks.machine import machine
from irsmith.frontends import get
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.row import Row
from irsmith.synth import Sizes
from irsmith.verify import Settings, Toolchain, Verifier
from irsmith.verify.ports import Adjoint, Trial

SIZES = {9: (3, 5, 6), 24: (22, 26, 28), 89: (110, 120, 130)}
"""The dials whose kernels come closest to a mean of so many lines; what is measured is chosen among them."""

WORKERS = 2

CANDIDATES = 4
"""Kernels that are made for each one that is measured."""


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """How long a piece of work takes, without searches for garbage, as where a shard is made."""
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    work(*arguments)
    took = time.perf_counter() - began
    gc.enable()
    return took


def pipeline_of(lines: int) -> Pipeline:
    """What makes rows of about so many lines."""
    shortest, median, longest = SIZES[lines]
    return Pipeline(Recipe(seed=7, sizes=Sizes(shortest=shortest, median=median, longest=longest, spread=0.1)))


def indices_of(lines: int, count: int) -> list[int]:
    """The indices of the kernels whose lines are nearest to a number, in order."""
    pipeline = pipeline_of(lines)
    made = ((index, pipeline.row(index)) for index in range(CANDIDATES * count))
    distance = {index: abs(row.structure.lines - lines) for index, row in made if isinstance(row, Row)}
    return sorted(sorted(distance, key=lambda index: (distance[index], index))[:count])


def rows_of(lines: int, indices: list[int]) -> list[Row]:
    """The rows at indices."""
    return [row for row in map(pipeline_of(lines).row, indices) if isinstance(row, Row)]


def compile_alone(toolchain: Toolchain, rows: list[Row], stage: str) -> None:
    """Compile the rows' texts of a stage and do no more."""
    toolchain.compile_only([Trial(row.id, row.kernel, stage, row.texts, None, Adjoint({}, {})) for row in rows])


def milliseconds(toolchain: Toolchain, rows: list[Row], stage: str) -> float:
    """What compiling a stage takes for a row."""
    return seconds(compile_alone, toolchain, rows, stage) / len(rows) * 1e3


def proving(toolchain: Toolchain, rows: list[Row], twins: float) -> float:
    """Milliseconds that proving takes for a row, with a share of the twins compiled."""
    verifier = Verifier(toolchain, settings=Settings(twin_compiles=twins))
    return seconds(verifier.verify, rows) / len(rows) * 1e3


_BARRIER: Barrier
"""Where the workers wait for each other before the clock starts."""


def _begin(barrier: Barrier) -> None:
    global _BARRIER  # noqa: PLW0603 - a pool gives its initialiser no other place to keep it
    _BARRIER = barrier


def _prove(lines: int, indices: list[int]) -> tuple[int, float]:
    """Lower and prove kernels in a worker: how many rows, and the seconds."""
    with get("warp").prover() as toolchain:
        Verifier(toolchain).verify(rows_of(lines, indices[:2]))
        _BARRIER.wait()
        proved: list[object] = []
        took = seconds(lambda: proved.extend(Verifier(toolchain).verify(rows_of(lines, indices))))
    return len(proved), took


def rate(lines: int, indices: list[int]) -> float:
    """Rows a second that workers lower and prove together, once they have started."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(WORKERS)
    parts = [indices[first::WORKERS] for first in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS, mp_context=context, initializer=_begin, initargs=(barrier,)) as pool:
        done = list(pool.map(_prove, [lines] * WORKERS, parts))
    return sum(count for count, _ in done) / max(took for _, took in done)


def measured(toolchain: Toolchain, rows: list[Row], twins: int, repeats: int) -> str:
    """One line of the table, but for the rate."""
    compile_alone(toolchain, rows[:2], toolchain.host)
    some = rows[:twins]
    clang, nvrtc, whole, all_over, both_over, over = [], [], [], [], [], []
    for _ in range(repeats):
        clang.append(milliseconds(toolchain, rows, toolchain.host))
        whole.append(proving(toolchain, rows, 0.0))
        over.append(whole[-1] / clang[-1])
        nvrtc.append(milliseconds(toolchain, some, toolchain.twin))
        both_over.append(milliseconds(toolchain, some, toolchain.host) + nvrtc[-1])
        all_over.append(proving(toolchain, some, 1.0) / both_over[-1])
    middle = statistics.median
    lines = statistics.fmean(row.structure.lines for row in rows)
    figures = f"{middle(whole):.1f} ms | {middle(clang):.1f} ms | {middle(over):.2f} | {middle(nvrtc):.1f} ms"
    return f"| {lines:.1f} | {figures} | {middle(all_over):.2f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--twins", type=int, default=16, help="rows whose CUDA is compiled too")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--lines", default=",".join(map(str, SIZES)))
    options = parser.parse_args()
    print(machine())
    print("| mean lines | proving a row | Clang alone | ratio | NVRTC alone | ratio over both | rows/s, two workers |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for lines in map(int, options.lines.split(",")):
        indices = indices_of(lines, options.rows)
        with get("warp").prover() as toolchain:
            line = measured(toolchain, rows_of(lines, indices), options.twins, options.repeats)
        print(line, f"{rate(lines, indices):.1f} |", flush=True)


if __name__ == "__main__":
    main()
