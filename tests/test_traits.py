"""Tags, complexity and the cost of a thread, against kernels whose figures are known by hand."""

from __future__ import annotations

import textwrap

import pytest

from irsmith import frontends
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.structure import describe
from irsmith.traits import LEVELS, PATTERNS, RIDGE, Reading, traits
from irsmith.types import FLOAT32, FLOAT64, INT32, Domain, Matrix, Scalar, Vector

VEC3 = Vector(3, FLOAT32)
MAT33 = Matrix(3, 3, FLOAT32)


def array(name, type=FLOAT32, direction=Direction.IN, shape=(16,)):
    return Argument(name, type, len(shape), direction, shape, None)


def value(name, type=FLOAT32, low=0.0, high=1.0):
    return Argument(name, type, 0, Direction.IN, (), Domain(low, high))


def reading(body: str, *arguments: Argument, before: str = "") -> Reading:
    body = textwrap.indent(textwrap.dedent(body), "    ")
    names = ", ".join(argument.name for argument in arguments)
    source = f"import warp as wp\n\n{textwrap.dedent(before)}\n\n@wp.kernel\ndef k({names}):\n{body}\n"
    return frontends.get("warp").reading(Kernel("k", "", "", source, Signature(arguments, (16,))))


X, Y, IDX = array("x"), array("y", direction=Direction.OUT), array("idx", INT32)
GRID = array("g", shape=(8, 8))
CASES = {
    "map": ("i = wp.tid()\ny[i] = 2.0 * x[i]", (X, Y), {"map"}),
    "gather": ("i = wp.tid()\nj = idx[i]\ny[i] = x[j]", (X, IDX, Y), {"gather"}),
    "gather through another": ("i = wp.tid()\ny[i] = x[idx[i] + 1]", (X, IDX, Y), {"gather"}),
    "scatter": ("i = wp.tid()\ny[idx[i]] = x[i]", (X, IDX, Y), {"scatter"}),
    "strided": ("i = wp.tid()\ny[2 * i] = x[i]", (X, Y), {"scatter"}),
    "transposed": ("i, j = wp.tid()\ny[j, i] = g[i, j]", (GRID, array("y", shape=(8, 8))), {"scatter"}),
    "broadcast": ("i, j = wp.tid()\ny[i, j] = x[i] + g[i, j]", (X, GRID, array("y", shape=(8, 8))), {"map"}),
    "stencil": ("i = wp.tid()\nif i == 0:\n    return\ny[i] = x[i - 1] + x[i]", (X, Y), {"stencil"}),
    "clamped stencil": ("i = wp.tid()\nleft = wp.max(i - 1, 0)\ny[i] = x[left]", (X, Y), {"stencil"}),
    "window": (
        "i = wp.tid()\ns = float(0.0)\nfor k in range(3):\n    s += x[i + k]\ny[i] = s",
        (X, Y),
        {"stencil", "reduce"},
    ),
    "row sum": ("i = wp.tid()\ns = float(0.0)\nfor k in range(8):\n    s += g[i, k]\ny[i] = s", (GRID, Y), {"reduce"}),
    "peak": (
        "i = wp.tid()\nb = float(-1.0)\nfor k in range(8):\n    if g[i, k] > b:\n        b = g[i, k]\ny[i] = b",
        (GRID, Y),
        {"reduce"},
    ),
    "every element of a row": (
        "i = wp.tid()\nfor k in range(g.shape[1]):\n    o[i, k] = 2.0 * g[i, k]",
        (GRID, array("o", shape=(8, 8))),
        {"map"},
    ),
    "scan": (
        "i = wp.tid()\ns = float(0.0)\nfor k in range(8):\n    s += g[i, k]\n    o[i, k] = s",
        (GRID, array("o", shape=(8, 8))),
        {"scan", "reduce"},
    ),
    "total": ("i = wp.tid()\nwp.atomic_add(y, 0, x[i])", (X, Y), {"atomic", "reduce"}),
    "histogram": ("i = wp.tid()\nwp.atomic_add(y, idx[i], 1.0)", (IDX, Y), {"atomic", "scatter"}),
    "sparse row": (
        "i = wp.tid()\ns = float(0.0)\nfor e in range(idx[i], idx[i + 1]):\n    s += x[e]\ny[i] = s", (X, IDX, Y),
        {"stencil", "gather", "reduce"},
    ),
    "tile": ("i = wp.tid()\nt = wp.tile_load(x, 4, i * 4)\nwp.tile_store(y, t * 2.0, i * 4)", (X, Y), {"map"}),
    "row of tiles": (
        "i = wp.tid()\nt = wp.tile_load(g[i], shape=8)\nwp.tile_store(y, wp.tile_sum(t), offset=i)", (GRID, Y),
        {"reduce"},
    ),
    "running tile": ("i = wp.tid()\nt = wp.tile_load(x, shape=16)\nwp.tile_store(y, wp.tile_scan_inclusive(t))", (X, Y),
        {"scan"}),
    "tile of rows": (
        "i = wp.tid()\nk = wp.tile_load(idx, shape=4)\nt = wp.tile_load_indexed(x, k, shape=(4,))\n"
        "wp.tile_atomic_add_indexed(y, k, t)", (X, IDX, Y),
        {"gather", "scatter", "atomic"},
    ),
    "total of tiles": ("i = wp.tid()\nt = wp.tile_load(x, shape=4, offset=i * 4)\nwp.tile_atomic_add(y, t)", (X, Y),
        {"atomic", "reduce"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_patterns_of_access(case):
    body, arguments, expected = CASES[case]
    assert set(reading(body, *arguments).tags) & set(PATTERNS) == expected


def test_features_are_named():
    found = reading(
        '''
        """Say what it does."""
        i, j = wp.tid()
        # skip the rest
        if i > n or j > n:
            return
        t = float(0.0)
        for a in range(3):
            for b in range(3):
                if a == b:
                    continue
                t += wp.sin(g[i, j])
        v = wp.vec3d(wp.float64(t))
        while t > 1.0:
            t *= 0.5
        o[i, j] = scaled(t) if t > 0.0 else wp.exp(t)
        ''',
        GRID, value("n", INT32), array("o", direction=Direction.OUT, shape=(8, 8)),
        before="GAIN = wp.constant(2.0)\n\n@wp.func\ndef scaled(t: float):\n    return GAIN * t",
    ).tags  # fmt: skip
    assert {
        "multi_dimensional", "early_return", "for_loop", "nested_loop", "while_loop", "continue", "ternary", "helper",
        "constant", "trigonometry", "exponential", "docstring", "comment", "vector", "float64", "boolean_logic",
        "augmented_assignment", "branch",
    } <= set(found)  # fmt: skip
    assert not {"struct", "matrix", "break", "atomic", "bitwise", "in_place", "float16"} & set(found)
    assert list(found) == sorted(found)


def test_a_gradient_of_the_authors_own_is_a_feature():
    helper = "@wp.func\ndef f(t: float):\n    return wp.exp(t)\n\n"
    gradient = "@wp.func_grad(f)\ndef g(t: float, adj_ret: float):\n    wp.adjoint[t] += f(t) * adj_ret\n\n"
    used, unused = "o[wp.tid()] = f(x[wp.tid()])", "o[wp.tid()] = wp.exp(x[wp.tid()])"
    o = array("o", direction=Direction.OUT)
    assert "custom_gradient" in reading(used, X, o, before=helper + gradient).tags
    assert "custom_gradient" not in reading(used, X, o, before=helper).tags
    assert "custom_gradient" not in reading(unused, X, o, before=helper + gradient).tags


def test_operations_and_bytes_of_a_thread():
    saxpy = reading("i = wp.tid()\ny[i] = a * x[i] + y[i]", value("a"), X, array("y", direction=Direction.INOUT))
    assert (saxpy.operations, saxpy.bytes) == (2, 12)
    vectors = reading(
        "i = wp.tid()\no[i] = m[i] * v[i] + v[i]",
        array("m", MAT33), array("v", VEC3), array("o", VEC3, Direction.OUT),
    )  # fmt: skip
    # Three dot products of three, and a sum of three; a matrix and two vectors of floats.
    assert (vectors.operations, vectors.bytes) == (3 * 5 + 3, 36 + 12 + 12)
    loop = "i = wp.tid()\ns = float(0.0)\nfor k in range({}):\n    s += g[i, k] * g[i, k]\ny[i] = s"
    for bound in ("8", "g.shape[1]", "n"):
        found = reading(loop.format(bound), GRID, value("n", INT32, 6, 10), Y)
        assert (found.operations, found.bytes) == (16, 8 * 4 + 4), bound
    arms = reading("i = wp.tid()\nif x[i] > 0.0:\n    y[i] = wp.exp(x[i])\nelse:\n    y[i] = 2.0 * x[i]", X, Y)
    assert arms.operations == round(1 + 8 / 2 + 1 / 2)
    double = reading("i = wp.tid()\nd[i] = d[i] / wp.float64(3.0)", array("d", FLOAT64, Direction.INOUT))
    assert (double.operations, double.bytes) == (4, 16)


def test_a_tile_costs_what_its_elements_do():
    before = "SIZE = wp.constant(8)\n\n@wp.func\ndef sq(a: float):\n    return a * a"
    load = "i = wp.tid()\nt = wp.tile_load(x, shape=SIZE, offset=i * SIZE)\n"
    stored = reading(load + "wp.tile_store(y, t, offset=i * SIZE)", X, Y, before=before)
    doubled = reading(load + "wp.tile_store(y, t * 2.0, offset=i * SIZE)", X, Y, before=before)
    mapped = reading(load + "wp.tile_store(y, wp.tile_map(sq, t), offset=i * SIZE)", X, Y, before=before)
    assert stored.bytes == doubled.bytes == mapped.bytes == 64
    assert doubled.operations == mapped.operations == stored.operations + 8
    folded = reading(load + "wp.tile_atomic_add(y, wp.tile_sum(t))", X, Y, before=before)
    assert folded.bytes == 32 + 8


def test_a_helper_costs_what_it_is_given():
    helper = "@wp.func\ndef sq(a: wp.vec3):\n    return wp.dot(a, a)"
    found = reading("i = wp.tid()\ny[i] = sq(v[i]) + sq(v[i])", array("v", VEC3), Y, before=helper)
    assert (found.operations, found.bytes) == (5 + 5 + 1, 16)


def test_the_smallest_device():
    assert reading("i = wp.tid()\ny[i] = x[i]", X, Y).capability == "7.5"
    half = array("h", Scalar("bfloat16"))
    assert reading("i = wp.tid()\ny[i] = float(wp.bfloat16(x[i]))", X, half, Y).capability == "8.0"


def structure(body: str):
    return describe(f"def k(x):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n", "k")


def test_complexity_counts_what_the_page_says():
    # A statement and half an operator; then a branch, with its test and one level.
    assert traits(structure("return x + 1"), Reading(("map",))).complexity == 1.5
    assert traits(structure("if x > 1:\n    x = x + 1\nreturn x"), Reading(())).complexity == 3 + 1.0 + 2 + 1
    assert traits(structure("return x + 1"), Reading(("atomic", "stencil"))).complexity == 1.5 + 2 + 4


def test_difficulty_rises_at_its_thresholds():
    for level, bound in enumerate(LEVELS, start=1):
        statements = int(bound)
        for count, expected in ((statements - 1, level), (statements, level + 1)):
            made = traits(structure("x = x\n" * count), Reading(()))
            assert (made.complexity, made.difficulty) == (count, expected)


def test_the_bound_follows_the_ridge():
    some = structure("return x")
    assert traits(some, Reading((), 100, 8)).bound == "compute"
    assert traits(some, Reading((), int(8 * RIDGE) - 1, 8)).bound == "memory"
    assert traits(some, Reading((), 5, 0)).bound == "compute"
    assert traits(some, Reading(())).bound is None


def test_every_level_of_difficulty_is_populated(default_sample):
    frontend = frontends.get("warp")
    levels = [
        traits(describe(kernel.source, kernel.name), frontend.reading(kernel)).difficulty for kernel in default_sample
    ]
    for level in range(1, 6):
        assert levels.count(level) >= 0.05 * len(levels)
