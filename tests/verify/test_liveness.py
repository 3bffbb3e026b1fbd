"""Dead statements of many shapes are found by their lines, and no live one is blamed."""

import ast
import textwrap
from dataclasses import replace

import pytest

from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.verify.liveness import dead_lines

ARGUMENTS = (
    "in x: float32 24 from -1 to 1",
    "in y: float32 24 from 0.5 to 2",
    "in m: float32 24x4 from 0 to 1",
    "in n: int32 from 1 to 4",
    "inout o: float32 24 from 0 to 1",
    "inout c: int32 24 from 0 to 9",
)

HEAD = """
@wp.func
def add(a: float, b: float):
    return a + b


@wp.func
def put(to: wp.array(dtype=float), at: int):
    to[at] = 1.0
    return 1.0


@wp.kernel
def k(
    x: wp.array(dtype=float),
    y: wp.array(dtype=float),
    m: wp.array2d(dtype=float),
    n: int,
    o: wp.array(dtype=float),
    c: wp.array(dtype=int),
):
    i = wp.tid()
"""

DEAD = {
    "never read": "t = x[i]  # dead\no[i] = y[i]",
    "overwritten": "t = x[i]  # dead\nt = y[i]\no[i] = t",
    "overwritten on every way": "t = x[i]  # dead\nif y[i] > 1.0:\n    t = y[i]\nelse:\n    t = 0.5\no[i] = t",
    "read by dead ones alone": "t = x[i]  # dead\nu = t * 2.0  # dead\no[i] = y[i]",
    "read by itself alone": "t = x[i]  # dead\nt += 1.0  # dead\nt = t * t  # dead\no[i] = y[i]",
    "the last step": "t = x[i]\no[i] = t\nt += 1.0  # dead",
    "a sum in a loop that nobody reads": "s = float(0.0)  # dead\nfor j in range(n):\n    s += m[i, j]  # dead\n"
    "    o[i] += m[i, j]",
    "set anew in each turn": "for j in range(n):\n    t = m[i, j]\n    o[i] += t\n    t = 0.0  # dead",
    "only before a loop": "t = x[i]  # dead\nfor j in range(n):\n    t = m[i, j]\n    o[i] += t",
    "in one branch": "t = y[i]\nif x[i] > 0.0:\n    u = t * 2.0  # dead\n    o[i] = t\nelse:\n    o[i] = 0.5",
    "in a branch, set anew behind it": "t = x[i]\nif t > 0.0:\n    t = 2.0  # dead\nt = y[i]\no[i] = t",
    "behind a return": "o[i] = x[i]\nif x[i] > 0.0:\n    return\n    o[i] = y[i]  # dead\no[i] += y[i]",
    "behind a break": "for j in range(n):\n    o[i] += m[i, j]\n    break\n    o[i] += 1.0  # dead",
    "behind a continue": "for j in range(n):\n    o[i] += m[i, j]\n    continue\n    t = 1.0  # dead",
    "before a break": "t = x[i]\nfor j in range(n):\n    o[i] += t\n    if m[i, j] > 0.5:\n        t = 2.0  # dead\n"
    "        break\n    t = m[i, j]",
    "before a return": "t = x[i]\nif t > 0.0:\n    t = y[i]  # dead\n    return\no[i] = t",
    "in a while": "t = x[i]\nwhile t < 2.0:\n    u = t * 2.0  # dead\n    t += 0.5\no[i] = t",
    "a counter that nobody reads": "k2 = int(0)  # dead\nfor j in range(n):\n    k2 += 1  # dead\n    o[i] += m[i, j]",
    "an element of a local vector": "v = wp.vec3(x[i], y[i], 0.5)  # dead\nv[0] = 2.0  # dead\no[i] = y[i]",
    "a pure call": "t = add(x[i], y[i])  # dead\no[i] = y[i]",
    "a pair": "a, b = x[i], y[i]  # dead\no[i] = y[i]",
    "a ternary": "t = x[i] if y[i] > 1.0 else 0.5  # dead\no[i] = y[i]",
    "annotated": "t: float = x[i]  # dead\no[i] = y[i]",
    "a view that nobody reads": "row = m[i]  # dead\no[i] = y[i]",
}

LIVE = {
    "a store": "o[i] = x[i]",
    "stored in part": "v = wp.vec3(x[i], y[i], 0.5)\nv[0] = 2.0\no[i] = v[0] + v[1]",
    "overwritten on one way": "t = x[i]\nif y[i] > 1.0:\n    t = y[i]\no[i] = t",
    "read in the next turn": "t = x[i]\nfor j in range(n):\n    o[i] += t\n    t = m[i, j]",
    "read by the test of a while": "t = x[i]\nwhile t < 2.0:\n    t += 0.5\n    o[i] += 1.0",
    "read behind a break": "t = x[i]\nfor j in range(n):\n    if m[i, j] > 0.5:\n        t = 2.0\n"
    "        break\no[i] = t",
    "read behind a continue": "t = x[i]\nfor j in range(n):\n    if m[i, j] > t:\n        t = m[i, j]\n"
    "        continue\n"
    "    o[i] += t",
    "carried around an inner loop": "t = x[i]\nfor j in range(n):\n    for l in range(n):\n        o[i] += t\n"
    "    t = m[i, j]",
    "carried by an inner loop to an outer": "t = x[i]\nfor j in range(n):\n    o[i] += t\n    for l in range(n):\n"
    "        t = m[i, l]",
    "read as an index": "j = n - 1\no[i] = m[i, j]",
    "read as an index of a store": "j = i\no[j] = x[i]",
    "read by a branch": "t = x[i] + y[i]\nif t > 0.5:\n    o[i] = 0.5",
    "read by the bound of a loop": "k2 = n + 1\nfor j in range(k2):\n    o[i] += x[i]",
    "an atomic whose result nobody reads": "t = wp.atomic_add(c, i, 1)\no[i] = x[i]",
    "a helper that stores": "t = put(o, i)",
    "a random number that moves the state on": "s = wp.rand_init(1, i)\nt = wp.randf(s)\no[i] = wp.randf(s)",
    "stored through a view": "row = m[i]\nrow[0] = x[i]\no[i] = y[i]",
    "before an early return": "t = x[i]\nif t > 0.0:\n    o[i] = t\n    return\no[i] = y[i]",
    "one half of a pair": "a, b = x[i], y[i]\no[i] = b",
    "a loop that is left in one branch": "t = x[i]\nwhile True:\n    if t > 1.0:\n        break\n    t += 0.5\n"
    "o[i] = t",
}


def analysed(make_kernel, body):
    kernel = make_kernel(HEAD + textwrap.indent(body, "    "), *ARGUMENTS)
    marked = [number for number, line in enumerate(kernel.source.splitlines(), 1) if line.endswith("# dead")]
    return dead_lines(kernel), marked


@pytest.mark.parametrize("name", DEAD)
def test_dead_statements_are_found(name, make_kernel):
    found, marked = analysed(make_kernel, DEAD[name])
    assert marked
    assert found == marked


@pytest.mark.parametrize("name", LIVE)
def test_live_statements_are_not_blamed(name, make_kernel):
    found, marked = analysed(make_kernel, LIVE[name])
    assert found == marked == []


def test_helpers_are_looked_at_where_they_are_used(make_kernel):
    helper = "@wp.func\ndef {}(a: float):\n    t = a * 2.0{}\n    return a\n\n\n"
    body = (
        "@wp.kernel\ndef k(x: wp.array(dtype=float), o: wp.array(dtype=float)):\n    o[wp.tid()] = used(x[wp.tid()])\n"
    )
    text = helper.format("used", "  # dead") + helper.format("unused", "") + body
    kernel = make_kernel(text, *ARGUMENTS[:1], ARGUMENTS[4])
    assert dead_lines(kernel) == [6]


def _statements(tree):
    """The statements of all functions that may be followed by another one, with their lines."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Assign | ast.AugAssign):
                    yield node


def test_a_dead_statement_is_found_anywhere_in_what_people_write():
    """Synthesised kernels have none; one that is put behind any assignment of theirs is found, and it alone."""
    pipeline = Pipeline(Recipe(seed=3))
    tried = 0
    for index in range(30):
        kernel = pipeline.drawing.kernel(index)
        assert dead_lines(kernel) == [], kernel.source
        lines = kernel.source.splitlines()
        tree = ast.parse(kernel.source)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert "nobody_reads" not in used
        for node in _statements(tree):
            line = " " * node.col_offset + "nobody_reads = 1.0"
            source = "\n".join([*lines[: node.end_lineno], line, *lines[node.end_lineno :]]) + "\n"
            assert dead_lines(replace(kernel, source=source)) == [node.end_lineno + 1], source
            tried += 1
    assert tried > 300
