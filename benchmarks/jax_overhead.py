"""What irsmith adds to JAX: its time per function, from index to written row, over JAX's own.

    python -m benchmarks.jax_overhead [--functions 40] [--repeats 3] [--default]

Both are measured in one process, in turn, on the same functions, without verification. JAX's own time is to
execute each source, trace, lower and compile it and its vector-Jacobian product, as ``jax.jit`` does when it is
first called, with caches emptied before each function, and to print the texts. It compiles with the options that
irsmith compiles with, for optimised HLO as text alone, or with ``--default`` with XLA's own. The figure to quote is
the median ratio.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.compared import overhead, print_overhead
from benchmarks.machine import machine
from irsmith.dataset.shard import Task, make
from irsmith.drawing import Drawing
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.lower import flat, plain, product
from irsmith.kernel import Direction, Kernel
from irsmith.recipe import Recipe


def jax_alone(kernel: Kernel, options: dict[str, str] | None, stage: str | None = None) -> None:
    """Trace, lower, compile with the options and print one function and its vector-Jacobian product.

    Args:
        kernel: The function.
        options: XLA's.
        stage: How far down, and the only text that is printed; None for all.
    """
    import jax
    import numpy as np

    with compiler.declared(kernel.source) as module:
        function = plain(getattr(module, kernel.name))
        given = [a for a in kernel.signature.arguments if a.direction is not Direction.OUT]
        shapes = [jax.ShapeDtypeStruct(a.shape, numpy_dtype(str(a.type))) for a in given]
        results = flat(_printed(function, shapes, options, stage))
        active = [place for place, a in enumerate(given) if a.type.is_float]
        cotangents = [result for result in results if jax.numpy.issubdtype(result.dtype, np.floating)]
        if active and cotangents:
            labels = [f"a{place}" for place in range(len(given) + len(cotangents))]
            try:
                backward = product(function, kernel.name, len(given), active, labels)
                _printed(backward, [*shapes, *cotangents], options, stage)
            except ValueError:
                # A loop of unknown length has no reverse.
                return


def _printed(function: object, shapes: list[object], options: dict[str, str] | None, stage: str | None) -> object:
    import jax

    traced = jax.jit(function, keep_unused=True).trace(*shapes)
    if stage in (None, "jaxpr"):
        str(traced.jaxpr)
    if stage != "jaxpr":
        lowered = traced.lower()
        for dialect in ("stablehlo", "hlo"):
            if stage in (None, dialect):
                lowered.as_text(dialect)
        if stage in (None, "hlo_optimized"):
            lowered.compile(compiler_options=options).as_text()
    return traced.out_info


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--default", action="store_true", help="compile JAX's side with XLA's own options")
    options = parser.parse_args()
    compiled = None if options.default else compiler.EMIT
    recipe = Recipe(frontend="jax", count=options.functions, seed=7, verify="none")
    compiler.start()
    kernels = [kernel for kernel in map(Drawing(recipe).kernel, range(options.functions)) if isinstance(kernel, Kernel)]
    jax_alone(kernels[0], compiled)

    def alone() -> None:
        for kernel in kernels:
            jax_alone(kernel, compiled)

    with tempfile.TemporaryDirectory() as folder:

        def ours() -> None:
            make(Task(recipe, Path(folder), 0, options.functions), lambda _: None)

        def draw() -> None:
            drawing = Drawing(recipe)
            for index in range(options.functions):
                drawing.kernel(index)

        counts = len(kernels), options.functions
        times = overhead(alone, ours, draw, counts, options.repeats)
    print(machine())
    print(f"{options.functions} functions, {options.repeats} repeats, medians of processor time")
    print(f"JAX alone compiles with {compiled or 'its own options'}")
    print_overhead("JAX", "function", *times)


if __name__ == "__main__":
    main()
