"""What irsmith adds to Warp: its time per kernel, from index to written row, over Warp's own.

    python -m benchmarks.overhead [--kernels 1000] [--repeats 5]

Both are measured in one process, in turn, on the same kernels. Warp's own time is to declare each source in a
module of its own, hash it, build it once for both devices, and emit C++ and CUDA, forward and backward. The
figure to quote is the median ratio.
"""

from __future__ import annotations

import argparse
import itertools
import linecache
import sys
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compared import overhead, print_overhead
from benchmarks.machine import machine
from irsmith.dataset.shard import Task, make
from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe

SHARD = 250
_numbers = itertools.count()


def warp_alone(kernel: Kernel, devices: Sequence[str] = ("cpu", "cuda")) -> str:
    """Declare, build and emit one kernel as Warp's own JIT does it, but for all devices from one build.

    Returns:
        What was emitted for the last device.
    """
    import warp as wp
    from warp._src import context

    name = f"bare_{next(_numbers)}"
    file = f"{name}.py"
    module = types.ModuleType(name)
    linecache.cache[file] = (len(kernel.source), None, kernel.source.splitlines(keepends=True), file)
    sys.modules[name] = module
    exec(compile(kernel.source, file, "exec"), module.__dict__)
    warp_module = context.user_modules[name]
    options = warp_module.resolve_options(wp.config, block_dim=1) | {"output_arch": None}
    hasher = context.ModuleHasher(warp_module._get_live_kernels(), options)
    builder = context.ModuleBuilder(warp_module, options, hasher)
    emitted = [str(builder.codegen(device)) for device in devices]
    del context.user_modules[name], sys.modules[name], linecache.cache[file]
    return emitted[-1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    recipe = Recipe(count=options.kernels, seed=7, shard_size=SHARD, verify="none")
    pipeline = Pipeline(recipe)
    pipeline.frontend.toolchain()
    kernels = [kernel for kernel in map(pipeline.drawing.kernel, range(options.kernels)) if isinstance(kernel, Kernel)]
    for kernel in kernels[:50]:
        warp_alone(kernel)

    def alone() -> None:
        for kernel in kernels:
            warp_alone(kernel)

    with tempfile.TemporaryDirectory() as folder:
        make(Task(recipe, Path(folder), 0, 50), lambda _: None)

        def ours() -> None:
            for first in range(0, options.kernels, SHARD):
                make(Task(recipe, Path(folder), first, min(first + SHARD, options.kernels)), lambda _: None)

        def draw() -> None:
            drawing = Drawing(recipe)
            for index in range(options.kernels):
                drawing.kernel(index)

        counts = len(kernels), options.kernels
        times = overhead(alone, ours, draw, counts, options.repeats)
    print(machine())
    print(f"{options.kernels} kernels, {options.repeats} repeats, medians of processor time")
    print_overhead("Warp", "kernel", *times)


if __name__ == "__main__":
    main()
