"""What certain categories promise of their kernels."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from irsmith.frontends.warp.printer import print_program
from irsmith.kernel import Direction, Kernel
from irsmith.structure import describe
from irsmith.synth import Settings, synthesise


@cache
def of(category: str, count: int) -> tuple[Kernel, ...]:
    settings = Settings(((category, 1.0),))
    return tuple(print_program(synthesise(6, "warp", index, settings)) for index in range(count))


@pytest.mark.parametrize("category", ["tile_spectrum", "tile_share", "tile_solve", "mesh_ray"])
def test_shapes_that_could_be_few_are_many(category: str) -> None:
    kernels = of(category, 400)
    assert len({describe(kernel.source, kernel.name).structure_id for kernel in kernels}) >= 0.98 * len(kernels)


def test_no_signal_goes_there_and_back_for_nothing() -> None:
    both = 0
    for kernel in of("tile_spectrum", 400):
        there, _, rest = kernel.source.partition("wp.tile_fft(")
        if "wp.tile_ifft(" in rest:
            both += 1
            between = rest.partition("wp.tile_ifft(")[0]
            assert "wp.tile_map(" in between or re.search(r"= \w+ [-+] ", between), kernel.source
        assert there
    assert both > 100


def test_numbers_that_are_transformed_are_of_a_named_type() -> None:
    """Warp's transforms ask for ``vec2f`` by name, which a vector made of its parts has only where it is said."""
    made = 0
    for kernel in of("tile_spectrum", 200):
        for function in ast.parse(kernel.source).body:
            if isinstance(function, ast.FunctionDef) and "func" in ast.unparse(function.decorator_list[0]):
                last = function.body[-1]
                assert isinstance(last, ast.Return)
                if last.value is not None and re.match(r"wp\.vec2[fd]?\(", ast.unparse(last.value)):
                    made += 1
                    assert function.returns is not None
    assert made > 50


def test_a_wrench_does_work_on_a_twist() -> None:
    kernels = of("rigid_transform", 200)
    assert sum("wp.spatial_dot(" in kernel.source for kernel in kernels) >= 8


def test_a_mean_is_over_as_many_as_the_loop_goes() -> None:
    """Where a kernel is told how wide its rows are, no number in it says that again."""
    told = 0
    for kernel in of("normalisation", 300):
        tree = ast.parse(kernel.source)
        loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)]
        bounds = {ast.unparse(loop.iter) for loop in loops}
        sums = {
            ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            for loop in loops
            for node in loop.body
            if isinstance(node, ast.Assign | ast.AugAssign)
        }
        means = [
            node.right
            for node in ast.walk(tree)
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and ast.unparse(node.left) in sums
        ]
        for argument in kernel.signature.arguments:
            if f"range({argument.name})" in bounds and argument.domain is not None:
                width = argument.domain.low
                told += sum(argument.name in ast.unparse(divisor) for divisor in means)
                assert not any(isinstance(d, ast.Constant) and d.value == width for d in means), kernel.source
    assert told > 20


def test_no_two_threads_scatter_to_one_place() -> None:
    """Where results are placed without atomics, by as many coordinates as there are."""
    seen = 0
    for kernel in of("scatter", 500):
        if len(kernel.signature.launch or ()) == 4:
            placed = [argument for argument in kernel.signature.arguments if argument.direction is Direction.OUT]
            seen += len(placed)
            assert all(argument.rank == 4 for argument in placed), kernel.source
    assert seen > 5
