"""What a run promises apart from the values: lanes, masks, orders, rounding at random, coverage, faults and paths."""

import subprocess
import sys

import numpy as np
import pytest

from irsmith.frontends.warp.reference import Fault, FaultKind, Reference, Unsupported

HEADER = "import warp as wp\n\n\n"


def reference(body, arguments="x: wp.array(dtype=float), k: wp.array(dtype=int), o: wp.array(dtype=float)"):
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return Reference(f"{HEADER}@wp.kernel\ndef kernel({arguments}):\n    i = wp.tid()\n{lines}", "kernel")


def inputs(lanes=1, threads=1, **given):
    values = {"x": np.zeros((lanes, threads), np.float32), "k": np.zeros((lanes, threads), np.int32)}
    values["o"] = np.zeros((lanes, threads), np.float32)
    for name, value in given.items():
        values[name] = np.asarray(value).reshape(lanes, -1)
    return values


def run(body, launch=(1,), **options):
    given = {name: options.pop(name) for name in ("x", "k", "o") if name in options}
    lanes = len(next(iter(given.values()))) if given else 1
    return reference(body).run(inputs(lanes, launch[0], **given), launch, **options)


def test_the_reference_imports_neither_warp_nor_the_synthesiser():
    code = (
        "import sys, irsmith.frontends.warp.reference; print([m for m in sys.modules if m == 'warp' or 'synth' in m])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_minus_nothing_is_nothing_and_has_no_sign():
    left = run("o[i] = wp.atan2(0.0, -x[i])", x=[[0.0]]).outputs["o"]
    assert (left[0, 0], np.signbit(left[0, 0])) == (0.0, False)


def test_the_sign_that_zero_gives_is_open():
    given = np.full((32, 1), -0.0)
    open_ = run("o[i] = wp.copysign(1.5, x[i])", x=given, perturb=np.arange(32) > 0, seed=1, trace=True)
    found = open_.outputs["o"][:, 0]
    assert found[0] == -1.5
    assert set(found.tolist()) == {1.5, -1.5}
    assert set(open_.path[found > 0]).isdisjoint(open_.path[found < 0])
    known = run("o[i] = wp.copysign(1.5, x[i])", x=given - 1e-30, perturb=np.arange(32) > 0, seed=1)
    assert (known.outputs["o"] == -1.5).all()


DIVERGENT = """
s = float(0.0)
n = k[i]
for j in range(n):
    if j == 2:
        continue
    if x[i] > 2.0 and j > 4:
        break
    m = int(j)
    while m > 0:
        m = m / 2
        if m == 5:
            break
        s += 1.0
    if s > 20.0:
        o[i] = -s
        return
    s += 0.5
o[i] = s
"""


def plain(x, k):
    """The same kernel as Python runs it."""
    s = 0.0
    for j in range(k):
        if j == 2:
            continue
        if x > 2.0 and j > 4:
            break
        m = j
        while m > 0:
            m = m // 2
            if m == 5:
                break
            s += 1.0
        if s > 20.0:
            return -s
        s += 0.5
    return s


def test_diverging_lanes_end_as_python_does():
    k = np.arange(24)
    x = np.where(k % 3 == 0, 3.0, 1.0)
    result = run(DIVERGENT, x=x, k=k)
    assert result.outputs["o"][:, 0].tolist() == [plain(a, int(b)) for a, b in zip(x, k, strict=True)]
    assert not any(result.faults)


def test_threads_run_in_the_order_given():
    body = "o[0] = o[0] * 2.0 + float(i)"
    order = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
    result = run(body, (4,), x=np.zeros((3, 4)), order=order)

    def folded(threads):
        total = 0.0
        for thread in threads:
            total = total * 2.0 + thread
        return total

    assert result.outputs["o"][:, 0].tolist() == [folded(threads) for threads in order]


def test_rounding_at_random_shows_cancellation():
    body = "o[i] = (x[i] + 1000000.0) - 1000000.0"
    x = np.full((64, 1), 0.3)
    exact = run(body, x=x).outputs["o"]
    assert (exact == np.float32(0.3125)).all()
    shaken = np.arange(64) % 2 == 0
    moved = run(body, x=x, perturb=shaken, seed=1).outputs["o"][:, 0]
    assert (moved[~shaken] == np.float32(0.3125)).all()
    assert moved[shaken].std() > 0.01
    again = run(body, x=x, perturb=shaken, seed=1).outputs["o"][:, 0]
    other = run(body, x=x, perturb=shaken, seed=2).outputs["o"][:, 0]
    assert (moved == again).all()
    assert (moved != other).any()


def test_two_equal_products_round_differently_however_much_is_computed_between_them():
    lanes, threads = 30, 25
    x = np.full((lanes, threads), 0.1, np.float32)
    body = "a = x[i] * 1.1\nt = x[i]\n" + "t *= 1.1\n" * 40 + "o[i] = a - x[i] * 1.1"
    found = run(body, (threads,), x=x, perturb=np.ones(lanes, bool), seed=1).outputs["o"]
    assert (found != 0).mean() > 0.4


def test_rounding_at_random_is_small_where_nothing_cancels():
    moved = run("o[i] = wp.sin(x[i]) * 2.0 + 1.0", x=np.full((64, 1), 0.3), perturb=np.ones(64, bool)).outputs["o"]
    assert 0 < moved.std() < 1e-6


def test_rounding_at_random_reaches_inside_builtins():
    body = "v = wp.vec3(x[i], 1000.0, 1000.0)\no[i] = wp.dot(v, wp.vec3(1.0, 1000.0, -1000.0))"
    moved = run(body, x=np.full((64, 1), 0.3), perturb=np.ones(64, bool)).outputs["o"]
    assert moved.std() > 0.01


def test_float64_rounds_nothing():
    body = "a = float(0.1) + wp.float32(x[i])\nh = wp.float16(a)\no[i] = float(h) * 3.0"
    result = run(body, x=np.full((2, 1), 0.3, np.float64), precision="float64")
    assert result.outputs["o"].dtype == np.float64
    tenth = float(np.float32(0.1))  # a literal is a float32 whatever it is computed with
    assert np.allclose(result.outputs["o"], (tenth + 0.3) * 3.0, rtol=1e-15)
    source = reference(body)
    given = inputs(2, 1) | {"x": np.full((2, 1), 0.1 + 0.2)}
    assert source.run(given, (1,), precision="float64").outputs["o"][0, 0] == (tenth + (0.1 + 0.2)) * 3.0


def test_float64_still_cuts_off_casts_to_integers():
    result = run("o[i] = float(int(x[i] * 10.0))", x=np.array([[0.37]]), precision="float64")
    assert result.outputs["o"][0, 0] == 3.0


def test_coverage_names_the_lanes_of_each_way():
    body = """
if x[i] > 0.0:
    o[i] = 1.0
elif x[i] > -1.0:
    o[i] = 2.0 if k[i] > 3 else 3.0
for j in range(k[i]):
    o[i] += 1.0
while o[i] > 100.0:
    o[i] = 0.0
"""
    result = run(body, x=[[1.0], [-0.5], [-2.0]], k=[[0], [5], [1]])
    seen = {(site.line, site.kind): (c.true.tolist(), c.false.tolist()) for site, c in result.coverage.items()}
    assert seen == {
        (7, "if"): ([True, False, False], [False, True, True]),
        (9, "if"): ([False, True, False], [False, False, True]),
        (10, "ternary"): ([False, True, False], [False, False, False]),
        (11, "for"): ([False, True, True], [True, False, False]),
        (13, "while"): ([False, False, False], [True, True, True]),
    }


def test_coverage_of_a_choice_that_all_lanes_make():
    result = run("if len(x) > 5:\n    o[i] = 1.0", x=np.zeros((3, 2)))
    (coverage,) = result.coverage.values()
    assert not coverage.true.any()
    assert coverage.false.all()


FAULTS = {
    "o[i] = x[k[i]]": ([0, 7, -1], FaultKind.OUT_OF_BOUNDS, 7),
    "o[k[i]] = 1.0": ([0, 7, -1], FaultKind.OUT_OF_BOUNDS, 7),
    "v = wp.vec3(1.0)\no[i] = v[k[i]]": ([2, 3, -4], FaultKind.OUT_OF_BOUNDS, 8),
    "wp.atomic_add(o, k[i], 1.0)": ([0, 1, -5], FaultKind.OUT_OF_BOUNDS, 7),
    "o[i] = float(7 / k[i])": ([3, 0, 0], FaultKind.DIVISION_BY_ZERO, 7),
    "o[i] = float(7 % k[i])": ([3, 0, 0], FaultKind.DIVISION_BY_ZERO, 7),
    "o[i] = float(-2147483648 / k[i])": ([3, -1, -1], FaultKind.OVERFLOW, 7),
    "o[i] = float(1 << k[i])": ([31, 32, -1], FaultKind.SHIFT_RANGE, 7),
    "o[i] = float(int(1000000000.0 * float(k[i])))": ([2, 3, -3], FaultKind.CAST_RANGE, 7),
    "n = k[i]\nwhile n != 0:\n    o[i] += 1.0\n    n = n - 1": ([5, 999999999, -1], FaultKind.STEP_LIMIT, 8),
    "for j in range(k[i]):\n    o[i] += 1.0": ([5, 999999999, 888888888], FaultKind.STEP_LIMIT, 7),
    "if k[i] < 3:\n    y = float(1.0)\no[i] = y": ([2, 3, 4], FaultKind.UNASSIGNED, 9),
    "for j in range(0, 3, k[i]):\n    o[i] = 1.0": ([1, 0, 0], FaultKind.ZERO_STEP, 7),
    "assert k[i] < 3": ([2, 3, 4], FaultKind.ASSERTION, 7),
}


@pytest.mark.parametrize("body", FAULTS)
def test_faults_are_found_in_their_lanes_alone(body):
    k, kind, line = FAULTS[body]
    result = run(body, k=np.array(k)[:, None], step_limit=2000)
    assert result.faults == (None, Fault(kind, line), Fault(kind, line))


def test_a_fault_needs_an_active_lane():
    body = """
if k[i] > 0 and k[i] < 1:
    o[i] = x[k[i]]
o[i] = x[k[i]] if k[i] == 0 else 2.0
if k[i] != 0 and 7 / k[i] > 2:
    o[i] = 3.0
"""
    assert run(body, k=[[0], [4], [-1]]).faults == (None, None, None)


def test_paths_tell_which_lanes_computed_the_same_function():
    def paths(body, x):
        result = run(body, x=np.array(x)[:, None], trace=True, precision="float64")
        return result.path.tolist(), result.margin.tolist()

    for body in (
        "if x[i] > 1.0:\n    o[i] = 2.0",
        "o[i] = wp.max(x[i], 1.0)",
        "o[i] = wp.abs(x[i] - 1.0)",
        "o[i] = wp.floor(x[i])",
        "o[i] = wp.clamp(x[i], 0.0, 1.0)",
        "o[i] = float(int(x[i]))",
        "o[i] = x[i] if x[i] < 1.0 else 3.0",
        "o[i] = wp.where(x[i] < 1.0, x[i], 3.0)",
        "wp.atomic_max(o, 0, x[i] - 1.0)",
        "s = x[i]\nwhile s < 1.0:\n    s += 0.5",
        "v = wp.max(wp.vec2(x[i], 0.0), wp.vec2(1.0, 1.0))\no[i] = v[0]",
        "o[i] = x[i] % 1.0",
    ):
        path, _ = paths(body, [0.8, 0.9, 1.1])
        assert path[0] == path[1], body
        assert path[0] != path[2], body
    path, margin = paths("if x[i] > 1.0:\n    o[i] = 2.0", [0.5, 0.999999, 1.0])
    assert margin[0] == pytest.approx(1 / 3)
    assert margin[1] == pytest.approx(5e-7, rel=1e-5)
    assert margin[2] == 0.0


def test_a_choice_in_a_lane_that_is_not_there_is_not_on_its_path():
    body = "if k[i] > 0:\n    if x[i] > 1.0:\n        o[i] = 1.0"
    result = run(body, x=[[0.0], [2.0], [2.0]], k=[[0], [0], [1]], trace=True)
    assert result.path[0] == result.path[1] != result.path[2]


UNKNOWN = {
    "o[i] = wp.mesh_eval_position(1, 2, 0.5, 0.5)[0]": "mesh_eval_position",
    "o[i] = wp.no_such_thing(1.0)": "no_such_thing",
    "o[i] = x[i] * 2": "mul of float32, int32",
    "o[i] = wp.sin(2)": "sin of int32",
    "y = 1.0\ny = 2": "float32 assigned a int32",
    "for j in range(3):\n    o[i] = 1.0\nelse:\n    o[i] = 2.0": "For",
    "try:\n    o[i] = 1.0\nexcept ValueError:\n    o[i] = 2.0": "Try",
    "o[i] = [1.0][0]": "List",
    "o[i] = undefined": "undefined",
    "o = x": "assigned",
}


@pytest.mark.parametrize("body", UNKNOWN)
def test_what_is_not_known_is_said_at_once(body):
    with pytest.raises(Unsupported) as caught:
        reference(body)
    assert UNKNOWN[body] in str(caught.value)
    assert caught.value.line >= 6


def test_text_that_is_no_module_of_kernels():
    for text in ("def (", "x = open('f')\n", "import warp as wp\ndef f(): pass\n"):
        with pytest.raises(Unsupported):
            Reference(text, "kernel")


def test_declarations_that_a_kernel_does_not_use_do_not_matter():
    text = """
import warp as wp
import os
import math

class Example:
    pass

try:
    import nothing_like_it
except ImportError:
    table = [1, 2]

@wp.kernel
def plain(o: wp.array(dtype=float)):
    o[wp.tid()] = math.sqrt(4.0) + float(math.pi)

@wp.kernel
def other(o: wp.array(dtype=float)):
    o[wp.tid()] = table
"""
    result = Reference(text, "plain").run({"o": np.zeros((1, 1), np.float32)}, (1,))
    assert result.outputs["o"][0, 0] == np.float32(2.0) + np.float32(np.pi)
    with pytest.raises(Unsupported, match="Try"):
        Reference(text, "other")


def test_inputs_that_do_not_fit():
    kernel = reference("o[i] = 1.0")
    with pytest.raises(ValueError, match="arguments"):
        kernel.run({"x": np.zeros((1, 1))}, (1,))
    with pytest.raises(ValueError, match="lanes"):
        kernel.run(inputs() | {"x": np.zeros((2, 1), np.float32)}, (1,))
    with pytest.raises(ValueError, match="order"):
        kernel.run(inputs(), (1,), order=np.zeros((1, 2), int))


def test_inputs_are_left_alone():
    given = inputs(2, 3)
    reference("o[i] = 1.0").run(given, (3,))
    assert not given["o"].any()


WARP_DIFFERS = {
    # Two variables swapped in a loop: Warp's text overwrites the first before it copies it.
    "swap": "a = float(1.0)\nb = float(2.0)\nfor j in range(k[i] + 3):\n    a, b = b, a\no[0] = a\no[1] = b",
    # A tuple assignment gives a vector a second name instead of copying it.
    "alias": "v = wp.vec3(1.0)\nw = wp.vec3(4.0)\na, b = v, w\na[0] = 9.0\no[0] = v[0]\no[1] = a[0]",
    # A tuple assignment from an array element is read only where the name is used.
    "element": "a, b = x[0], 2.0\nx[0] = 5.0\no[0] = a\no[1] = b",
    # An array element in an expression is read after the operands to its right.
    "late": "o[1] = x[0] + wp.atomic_add(x, 0, 5.0)",
}
MEANT = {"swap": [2.0, 1.0], "alias": [1.0, 9.0], "element": [0.0, 2.0], "late": [0.0, 0.0]}


@pytest.mark.parametrize("name", WARP_DIFFERS)
def test_where_warp_departs_from_the_meaning_of_the_text(against_warp, name):
    kernel = reference(WARP_DIFFERS[name])
    given = inputs(1, 2)
    assert kernel.run(given, (1,)).outputs["o"][0].tolist() == MEANT[name]
    lines = "".join(f"    {line}\n" for line in WARP_DIFFERS[name].splitlines())
    arguments = "x: wp.array(dtype=float), k: wp.array(dtype=int), o: wp.array(dtype=float)"
    text = f"{HEADER}@wp.kernel\ndef kernel({arguments}):\n    i = wp.tid()\n{lines}"
    # When this fails, Warp has been mended and the entry can go.
    assert against_warp(text).warp("kernel", given, (1,))["o"][0].tolist() != MEANT[name]
