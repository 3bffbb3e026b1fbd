"""Structures: what changes an identity, what does not, and what is counted."""

from __future__ import annotations

import textwrap

import pytest

from irsmith.structure import Structure, describe

BASE = '''
import warp as wp


@wp.struct
class Params:
    dt: float
    gain: float


@wp.func
def helper(x: float) -> float:
    if x < 0.5:
        return x
    return x * 2.0


@wp.kernel
def kernel(a: wp.array(dtype=float), b: wp.array(dtype=float), p: Params, out: wp.array(dtype=float)):
    """Say something."""
    i = wp.tid()
    # a comment
    first = a[i] * p.dt
    second = helper(b[i]) - 1.0
    total = float(0.0)
    for j in range(4):
        total += first * float(j)
    if total > 0.25:
        second = -second
    out[i] = total + second
'''


def of(source: str, name: str = "kernel") -> Structure:
    return describe(textwrap.dedent(source), name)


def changed(*pairs: tuple[str, str]) -> Structure:
    source = BASE
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    return of(source)


def test_counts() -> None:
    base = of(BASE)
    assert (base.lines, base.statements, base.operators, base.calls) == (13, 12, 9, 5)
    assert (base.branches, base.loops, base.loop_depth, base.nesting) == (2, 1, 1, 1)
    assert (base.helpers, base.structs_used) == (1, 1)


@pytest.mark.parametrize(
    "pair",
    [
        ("first", "speed"),
        ("helper", "bend"),
        ("Params", "Settings"),
        ("gain", "x"),
        ("gain: float", "boost: float"),
        ("0.25", "17.5"),
        ("-second", "- second"),
        ('    """Say something."""\n', ""),
        ("    # a comment\n", "\n"),
        ("def helper(x: float) -> float", "def helper(value: wp.float32) -> wp.float32"),
        ("wp.array(dtype=float)", "wp.array[float]"),
        ("wp.array(dtype=float)", "wp.array(dtype=wp.float32, ndim=1)"),
        ("wp.array(dtype=float)", "wp.array1d[wp.float32]"),
        ("float(0.0)", "wp.float32(0.5)"),
    ],
)
def test_what_does_not_count(pair: tuple[str, str]) -> None:
    pairs = [pair]
    if pair[1].startswith("def helper"):
        pairs += [("if x <", "if value <"), ("return x\n", "return value\n"), ("return x *", "return value *")]
    assert changed(*pairs).structure_id == of(BASE).structure_id
    assert changed(*pairs).skeleton_id == of(BASE).skeleton_id


def test_a_module_by_another_name_is_the_same() -> None:
    renamed = BASE.replace("import warp as wp", "import warp").replace("wp.", "warp.")
    assert of(renamed).structure_id == of(BASE).structure_id


@pytest.mark.parametrize(
    "pair",
    [
        ("a[i] * p.dt", "a[i] + p.dt"),
        ("a[i] * p.dt", "a[i] * p.gain"),
        ("total > 0.25", "total >= 0.25"),
        ("range(4)", "range(i)"),
        ("helper(b[i])", "wp.sin(b[i])"),
        ("helper(b[i])", "helper(a[i])"),
        ("return x * 2.0", "return x * x"),
        ("out[i] = total + second", "out[i] += total + second"),
        ("b: wp.array(dtype=float)", "b: wp.array(dtype=float, ndim=2)"),
        ("float(0.0)", "int(0)"),
        ("float(j)", "wp.float64(j)"),
        ("    out[i]", "        out[i]"),
    ],
)
def test_what_counts(pair: tuple[str, str]) -> None:
    assert changed(pair).structure_id != of(BASE).structure_id
    if pair[0] != "float(j)":
        assert changed(pair).skeleton_id != of(BASE).skeleton_id


def test_a_gradient_of_the_authors_own_counts() -> None:
    def own(slope: str, name: str = "adj_helper") -> Structure:
        gradient = f"@wp.func_grad(helper)\ndef {name}(x: float, adj_ret: float):\n    wp.adjoint[x] += {slope}\n\n\n"
        return changed(("@wp.kernel", gradient + "@wp.kernel"))

    ids = {found.structure_id for found in (of(BASE), own("adj_ret"), own("adj_ret * x"))}
    assert len(ids) == 3
    assert own("adj_ret", "slope").structure_id == own("adj_ret").structure_id
    unused = changed(("@wp.kernel", "@wp.func\ndef other(x: float):\n    return x\n\n\n@wp.kernel"))
    beside = BASE.replace(
        "@wp.kernel",
        "@wp.func\ndef other(x: float):\n    return x\n\n\n"
        "@wp.func_grad(other)\ndef g(x: float, adj_ret: float):\n    wp.adjoint[x] += adj_ret\n\n\n@wp.kernel",
    )
    assert of(beside).structure_id == unused.structure_id


def test_dtypes_count_for_the_structure_alone() -> None:
    single = (
        "import warp as wp\n@wp.kernel\ndef k(v: wp.array[wp.vec3], o: wp.array[float]):\n"
        "    i = wp.tid()\n    o[i] = wp.length(v[i]) * 0.5\n"
    )
    double = single.replace("vec3", "vec3d").replace("[float]", "[wp.float64]").replace("0.5", "wp.float64(0.5)")
    assert of(single, "k").structure_id != of(double, "k").structure_id
    assert of(single, "k").skeleton_id == of(double, "k").skeleton_id
    pair = single.replace("vec3", "vec2")
    assert of(pair, "k").skeleton_id != of(single, "k").skeleton_id


def test_the_order_of_independent_statements_counts_for_the_structure_alone() -> None:
    one, two = "    first = a[i] * p.dt\n", "    second = helper(b[i]) - 1.0\n"
    swapped = changed((one + two, two + one))
    assert swapped.structure_id != of(BASE).structure_id
    assert swapped.skeleton_id == of(BASE).skeleton_id
    # Nor does it matter which field of a struct is read first.
    gained = "    second = helper(b[i]) - p.gain\n"
    there, back = changed((two, gained)), changed((one + two, gained + one))
    assert there.skeleton_id == back.skeleton_id != swapped.skeleton_id
    # A statement that needs another is not free to move.
    chained = BASE.replace("helper(b[i]) - 1.0", "first - 1.0")
    moved = chained.replace(one + two.replace("helper(b[i])", "first"), two.replace("helper(b[i])", "first") + one)
    assert of(moved).skeleton_id != of(chained).skeleton_id


def test_depths() -> None:
    source = """
    import warp as wp
    @wp.kernel
    def kernel(a: wp.array[float]):
        i = wp.tid()
        for j in range(3):
            for k in range(3):
                if a[i] > 0.0:
                    a[i] = 1.0
                elif a[i] > 1.0:
                    a[i] = 2.0
        while a[i] < 1.0:
            a[i] = a[i] + 1.0 if i > 2 else 5.0
    """
    found = of(source)
    assert (found.loops, found.loop_depth, found.nesting, found.branches) == (3, 2, 3, 3)


def test_helpers_that_are_not_called_do_not_count() -> None:
    assert of(BASE + "\n\n@wp.func\ndef other(x: float):\n    return x\n").structure_id == of(BASE).structure_id


def test_odd_syntax_is_taken_as_it_comes() -> None:
    source = (
        "def kernel(a, *rest, k=1):\n    x, y = a\n    b = [q for q in rest]\n    assert x\n    del b\n"
        "    return lambda z: z + y\n"
    )
    assert of(source).structure_id != of(source.replace("z + y", "z - y")).structure_id


@pytest.mark.parametrize(("source", "error"), [("def kernel(:\n", SyntaxError), ("x = 1\n", ValueError)])
def test_what_is_no_kernel_is_an_error(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        of(source)


GOLDEN = ("d097c52889e45387e184198ff1f535fd", "06670219601cbb855ceee855113b0fc0")


def test_identities_do_not_move() -> None:
    # These are in datasets: another Python must give the same.
    base = of(BASE)
    assert (base.structure_id, base.skeleton_id) == GOLDEN
