"""What irsmith adds to JAX: its time per function, from index to written row, over JAX's own.

    python -m benchmarks.jax_overhead [--functions 40] [--repeats 3]

Both are measured in one process, in turn, on the same functions, without verification. JAX's own time is to
execute each source, trace, lower and compile it and its vector-Jacobian product, as ``jax.jit`` does when it is
first called, with caches emptied before each function, and to print the texts. The figure to quote is the median
ratio.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.machine import machine
from irsmith.dataset.shard import Task, make
from irsmith.drawing import Drawing
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.lower import flat, plain, product
from irsmith.kernel import Direction, Kernel
from irsmith.recipe import Recipe


def jax_alone(kernel: Kernel) -> None:
    """Trace, lower, compile and print one function and its vector-Jacobian product."""
    import jax
    import numpy as np

    with compiler.declared(kernel.source) as module:
        function = plain(getattr(module, kernel.name))
        given = [a for a in kernel.signature.arguments if a.direction is not Direction.OUT]
        shapes = [jax.ShapeDtypeStruct(a.shape, numpy_dtype(str(a.type))) for a in given]
        results = flat(_printed(function, shapes))
        active = [place for place, a in enumerate(given) if a.type.is_float]
        cotangents = [result for result in results if jax.numpy.issubdtype(result.dtype, np.floating)]
        if active and cotangents:
            labels = [f"a{place}" for place in range(len(given) + len(cotangents))]
            try:
                _printed(product(function, kernel.name, len(given), active, labels), [*shapes, *cotangents])
            except ValueError:
                # A loop of unknown length has no reverse.
                return


def _printed(function: object, shapes: list[object]) -> object:
    import jax

    traced = jax.jit(function, keep_unused=True).trace(*shapes)
    lowered = traced.lower()
    str(traced.jaxpr)
    lowered.as_text("stablehlo")
    lowered.as_text("hlo")
    lowered.compile().as_text()
    return traced.out_info


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    recipe = Recipe(frontend="jax", count=options.functions, seed=7, verify="none")
    compiler.start()
    kernels = [kernel for kernel in map(Drawing(recipe).kernel, range(options.functions)) if isinstance(kernel, Kernel)]
    jax_alone(kernels[0])
    ratios, bare, ours = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            began = time.process_time()
            for kernel in kernels:
                jax_alone(kernel)
            middle = time.process_time()
            make(Task(recipe, Path(folder), 0, options.functions), lambda _: None)
            end = time.process_time()
            bare.append((middle - began) / len(kernels) * 1e3)
            ours.append((end - middle) / options.functions * 1e3)
            ratios.append(ours[-1] / bare[-1])
    print(machine())
    print(f"{options.functions} functions, {options.repeats} repeats, medians of processor time")
    print(f"JAX alone            {statistics.median(bare):.0f} ms a function")
    print(f"index to written row {statistics.median(ours):.0f} ms a function")
    print(f"ratio                {statistics.median(ratios):.3f}  ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
