"""A CUDA text that is the C++ text in its launch wrapper is known as such, and no other is."""

import re

import pytest

from irsmith.frontends.warp.runner.statements import same_statements

SOURCE = """
@wp.struct
class Body:
    mass: float
    velocity: wp.vec3

@wp.func
def drag(v: float, c: float):
    if v > c:
        return v - c
    return v * c

@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array2d(dtype=wp.vec3), b: wp.array(dtype=Body), s: float, n: int,
      out: wp.array(dtype=float)):
    i = wp.tid()
    if i >= n:
        return
    total = float(0.0)
    for j in range(30):
        if total > 100.0:
            break
        total += drag(x[i], s) - b[i].mass
    while total < 0.0:
        total = total + wp.length(y[i, 0])
    out[i] = total / s
    wp.atomic_add(out, 0, total)
"""

OTHERS = {
    "one dimension": """
@wp.kernel
def k(x: wp.array(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    out[i] = x[i]
""",
    "three dimensions": """
@wp.kernel
def k(x: wp.array3d(dtype=wp.float64), out: wp.array3d(dtype=wp.float64)):
    i, j, l = wp.tid()
    if l > 3:
        return
    out[i, j, l] = x[l, j, i]
""",
    "no loop over the grid": """
@wp.kernel(grid_stride=False)
def k(x: wp.array(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    if x[i] < 0.0:
        return
    out[i] = x[i]
""",
    "launch bounds": """
@wp.kernel(launch_bounds=(128, 2))
def k(x: wp.array(dtype=float)):
    i = wp.tid()
    x[i] = 1.0
""",
    "tiles": """
@wp.kernel
def k(x: wp.array2d(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    t = wp.tile_load(x, shape=(1, 8), offset=(i, 0), storage="shared")
    wp.tile_store(out, wp.tile_sum(t * 2.0), offset=i)
""",
    "tiles of what threads hold": """
@wp.kernel
def k(x: wp.array(dtype=wp.vec3), out: wp.array(dtype=float)):
    i = wp.tid()
    t = wp.tile(x[i] * 0.5)
    s = wp.untile(t * 2.0)
    wp.tile_atomic_add(out, wp.tile_sum(wp.tile(s[0])))
""",
    "a transform that threads share": """
wp.set_module_options({"enable_mathdx_fft": False})


@wp.kernel
def k(x: wp.array2d(dtype=wp.vec2), out: wp.array2d(dtype=wp.vec2)):
    i = wp.tid()
    t = wp.tile_load(x, shape=(1, 256), offset=(i, 0))
    wp.tile_fft(t)
    wp.tile_ifft(t)
    wp.tile_store(out, t, offset=(i, 0))
""",
    "no backward": """
@wp.kernel(enable_backward=False)
def k(x: wp.array(dtype=float)):
    i = wp.tid()
    x[i] = 1.0
""",
}


def test_what_warp_writes_is_the_same(row):
    assert same_statements("k", row(SOURCE).texts).same


@pytest.mark.parametrize("name", OTHERS)
def test_other_wrappers_are_known(name, row):
    comparison = same_statements("k", row(OTHERS[name]).texts)
    assert comparison.same, comparison.difference


def mutants(texts):
    """Every text that differs from the given ones in one line or word."""
    for column, text in texts.items():
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if not line.strip() or line.strip().startswith("//"):
                continue
            yield column, number, [*lines[:number], *lines[number + 1 :]]
            yield column, number, [*lines[:number], line, *lines[number:]]
            for pattern, change in (
                (r"var_(\d+)\b", lambda match: f"var_{int(match[1]) + 1}"),
                (r"adj_(\d+)\b", lambda match: f"adj_{int(match[1]) + 1}"),
                (r"\((\w+), (\w+)\)", lambda match: f"({match[2]}, {match[1]})"),
                (r"wp::add\b", lambda match: "wp::sub"),
                (r" < ", lambda match: " <= "),
                (r"\b\d+\.\d+\b", lambda match: f"{match[0]}1"),
                (r"float32", lambda match: "float64"),
                (r"label(\d)", lambda match: f"label{int(match[1]) + 1}"),
            ):
                changed = re.sub(pattern, change, line, count=1)
                if changed != line:
                    yield column, number, [*lines[:number], changed, *lines[number + 1 :]]


def test_no_mutant_passes(row):
    texts = row(SOURCE).texts
    passed, count = [], 0
    for column, number, lines in mutants(texts):
        if column.startswith("cpp_entry"):
            continue  # The C++ entry points have nothing to stand beside in CUDA.
        count += 1
        if same_statements("k", {**texts, column: "".join(lines)}).same:
            passed.append((column, number, lines[number]))
    assert count > 1500
    assert passed == []


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("cuda_forward", "continue;", "return;"),
        ("cuda_backward", "goto label0;", "continue;"),
        ("cuda_functions_forward", "return var_1;", "continue;"),
        ("cuda_forward", "_idx +=", "_idx -="),
        ("cuda_forward", "wp::float32 var_s,", "wp::float64 var_s,"),
        ("cuda_header", "wp::tid(_idx, dim)", "wp::tid(_idx + 1, dim)"),
        ("cuda_header", "#define int(x) cast_int(x)", "#define int(x) cast_int(x + 1)"),
        ("cpp_forward", "sizeof(wp::float32)", "sizeof(wp::float64)"),
        ("cpp_forward", "_wp_args->s;", "_wp_args->n;"),
    ],
)
def test_a_change_of_the_wrapper_is_seen(column, old, new, row):
    texts = row(SOURCE).texts
    if column == "cpp_forward" and "sizeof" in old:
        texts = row(OTHERS["one dimension"]).texts
    assert old in texts[column]
    comparison = same_statements("k", {**texts, column: texts[column].replace(old, new, 1)})
    assert not comparison.same
    assert column.split("_")[1] in comparison.difference


def test_what_depends_on_the_block_is_not_the_same(row):
    source = """
@wp.kernel
def k(x: wp.array(dtype=int)):
    i = wp.tid()
    x[i] = wp.block_dim()
"""
    comparison = same_statements("k", row(source).texts)
    assert not comparison.same
    assert "block" in comparison.difference


def test_a_transform_of_another_size_is_not_the_same(row):
    texts = row(OTHERS["a transform that threads share"]).texts
    cuda = texts["cuda_forward"]
    assert "2048, 1, 1, var_" in cuda
    for wrong in ("2048, 1, 2, var_", "4096, 1, 1, var_", "2048, 2, 1, var_"):
        changed = {**texts, "cuda_forward": cuda.replace("2048, 1, 1, var_", wrong, 1)}
        assert not same_statements("k", changed).same
