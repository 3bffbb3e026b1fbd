"""Long lines are broken, and mean what they meant."""

from __future__ import annotations

import ast

import pytest

from irsmith.drawing import Drawing
from irsmith.folding import folded, quoted
from irsmith.frontends.warp.printer import print_program
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe
from irsmith.synth import synthesise
from irsmith.synth.synthesis import Settings

LINES = [
    "total = alpha * (beta + gamma) - delta / epsilon + wp.max(alpha, beta) * -gamma",
    "out[i, j + 1] += wp.clamp(values[i, j] * scale + offset, -1.0, 1.0) * weights[i, j]",
    "result = wp.vec3(first + second, third * fourth, wp.sin(fifth) - wp.cos(sixth))",
    "value = first_choice if first < second and third > fourth or not fifth else -other",
    "wp.atomic_add(histogram, bucket_of(values[i], lowest, highest), weight * float(count))",
    "bits = (first_word & mask) | (second_word << 3) ^ third_word >> 2 | first_word // 16",
    "first, second, third = wp.quat_decompose(rotation_of_the_body, axis_of_the_joint[i])",
    "return wp.normalize(wp.quat_rotate(wp.quat_inverse(rotation_of_body), gravity_vector))",
]
HEADS = [
    "if first < second and (third > fourth or fifth >= sixth) and not seventh_of_the_tests:",
    "while residual > tolerance * wp.length(right_hand_side) and iteration < most_iterations:",
    "for k in range(first_neighbor_of(i, offsets), last_neighbor_of(i, offsets) + 1, stride):",
]


@pytest.mark.parametrize("width", [32, 40, 60])
@pytest.mark.parametrize("line", LINES)
def test_a_statement_stays_what_it_is(line: str, width: int) -> None:
    lines = folded("    " + line, width + 4)
    assert len(lines) > 2
    # What has no bracket, operator or comma cannot be broken.
    assert max(map(len, lines)) <= width + 4 or width < 60
    broken = "\n".join(lines)
    assert ast.dump(ast.parse(f"def f():\n{broken}")) == ast.dump(ast.parse(f"def f():\n    {line}"))
    assert folded("    " + line, 200) == ["    " + line]


@pytest.mark.parametrize("head", HEADS)
def test_a_head_stays_what_it_is(head: str) -> None:
    lines = folded(head, 50)
    assert max(map(len, lines)) <= 50
    assert ast.dump(ast.parse("\n".join([*lines, "    pass"]))) == ast.dump(ast.parse(f"{head}\n    pass"))


def test_brackets_break_before_operators_do() -> None:
    assert folded("x = length(alpha_of_the_first, beta_of_the_second)", 44) == [
        "x = length(",
        "    alpha_of_the_first, beta_of_the_second",
        ")",
    ]
    assert folded("total = alpha_of_the_first + beta_of_the_second - 1.0", 40) == [
        "total = (",
        "    alpha_of_the_first",
        "    + beta_of_the_second",
        "    - 1.0",
        ")",
    ]


def test_a_docstring_of_several_lines() -> None:
    text = "Say what this function does with each of its arguments, and why it does so at all."
    lines = quoted(text, "    ", 60)
    assert len(lines) == 3
    assert max(map(len, lines)) <= 60
    function = ast.parse("\n".join(["def f():", *lines])).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert (ast.get_docstring(function) or "").replace("\n", " ") == text


def test_no_line_of_a_kernel_is_long() -> None:
    broken = 0
    for index in range(1000):
        lines = print_program(synthesise(5, "warp", index, Settings())).source.splitlines()
        assert max(map(len, lines)) <= 120
        broken += any(line.strip() in {")", "):"} and line.startswith("    ") for line in lines)
    # Some would be.
    assert broken > 10


def test_no_line_of_a_function_over_arrays_is_long() -> None:
    drawing = Drawing(Recipe(frontend="jax", stages=("jaxpr",), seed=5, verify="none"))
    for index in range(150):
        kernel = drawing.kernel(index)
        assert isinstance(kernel, Kernel)
        assert max(map(len, kernel.source.splitlines())) <= 120
