"""Every builtin and operator on scalars against compiled Warp, for each dtype and on edges."""

import itertools
import math

import numpy as np
import pytest

from irsmith.frontends.warp.reference import Reference
from irsmith.frontends.warp.reference.builtins import special_functions

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")

FLOAT_EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.49997, 1e-3, 3.7, -7.25, 33.3, 1e-5, -6e4]
FLOAT_EDGES += [np.inf, -np.inf, np.nan]

# Functions that round at most once, then those of the mathematical library.
EXACT_1 = ["abs", "sign", "step", "nonzero", "round", "rint", "trunc", "floor", "ceil", "frac", "sqrt"]
LIBRARY_1 = ["sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "exp", "log", "log2", "log10"]
LIBRARY_1 += ["cbrt", "degrees", "radians", "erf", "erfc"]
EXACT_2 = ["a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "wp.min(a, b)", "wp.max(a, b)", "wp.copysign(a, b)"]
EXACT_2 += ["wp.where(a < b, a, b)", "min(a, b)", "(a if a >= b else b)"]
LIBRARY_2 = ["wp.pow(a, b)", "a ** b", "wp.atan2(a, b)"]
THREE = ["wp.clamp(a, b, c)", "wp.lerp(a, b, c)", "wp.smoothstep(a, b, c)", "a * b + c"]
FLOAT_TESTS = ["wp.isnan(a)", "wp.isinf(a)", "wp.isfinite(a)", "a == a", "not (a > a)"]

INTEGER_1 = ["-a", "+a", "~a", "wp.abs(a)", "wp.sign(a)", "wp.step(a)", "wp.nonzero(a)"]
INTEGER_2 = ["a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a & b", "a | b", "a ^ b", "a << b", "a >> b"]
INTEGER_2 += ["wp.min(a, b)", "wp.max(a, b)", "wp.where(a, b, a)"]
COMPARISONS = ["a < b", "a <= b", "a > b", "a >= b", "a == b", "a != b", "a < b and b != a", "a < b or not (a == b)"]


def integer_edges(dtype):
    info = np.iinfo(dtype)
    edges = [0, 1, 2, 3, 5, 7, 31, 100, info.max, info.max - 1, info.max // 2 + 1]
    if info.min < 0:
        edges += [-1, -2, -3, -7, -100, info.min, info.min + 1]
    return [edge for edge in edges if info.min <= edge <= info.max]


def edges(dtype):
    if dtype.startswith("float"):
        return np.array(FLOAT_EDGES, dtype)
    return np.array([False, True]) if dtype == "bool" else np.array(integer_edges(dtype), dtype)


class Group:
    """Expressions compiled together: one kernel each, whose lanes are the combinations of edges."""

    def __init__(self):
        self.cases = []

    def add(self, expression, types, result=None, ulps=0.0):
        self.cases.append((expression, types, result or types[0], ulps))

    def text(self):
        parts = ["import warp as wp\n"]
        for number, (expression, types, result, _) in enumerate(self.cases):
            names = "abc"[: len(types)]
            arguments = "".join(f"x{n}: wp.array(dtype=wp.{t}), " for n, t in zip(names, types, strict=True))
            loads = "".join(f"    {name} = x{name}[i]\n" for name in names)
            parts.append(
                f"@wp.kernel\ndef k{number}({arguments}o: wp.array(dtype=wp.{result})):\n    i = wp.tid()\n"
                f"{loads}    o[i] = {expression}\n"
            )
        return "\n".join(parts)

    def check(self, against_warp):
        module = against_warp(self.text())
        failures = []
        for number, (expression, types, result, ulps) in enumerate(self.cases):
            failure = self.compare(module, f"k{number}", types, result, ulps)
            if failure:
                failures.append((expression, types, *failure))
        assert not failures, failures

    def compare(self, module, kernel, types, result, ulps):
        columns = [np.array(column) for column in zip(*itertools.product(*map(edges, types)), strict=True)]
        inputs = {f"x{n}": c.astype(t)[:, None] for n, c, t in zip("abc", columns, types, strict=False)}
        inputs["o"] = np.zeros((len(columns[0]), 1), result)
        expected = module.reference(kernel).run(inputs, (1,))
        defined = np.array([fault is None for fault in expected.faults])
        assert defined.any()
        # What C++ leaves undefined may stop the process, so only the rest goes to Warp, as one launch.
        together = {name: value[defined].reshape(1, -1) for name, value in inputs.items()}
        actual = module.warp(kernel, together, (int(defined.sum()),))["o"][0]
        want = expected.outputs["o"][defined][:, 0]
        if want.dtype.kind != "f":
            wrong = actual != want
        else:
            with np.errstate(all="ignore"):
                a, w = actual.astype(np.float64), want.astype(np.float64)
                allowed = ulps * np.maximum(
                    np.abs(w) * np.finfo(want.dtype).eps, np.finfo(want.dtype).smallest_subnormal
                )
                wrong = ~((a == w) | (np.isnan(a) & np.isnan(w)) | (np.abs(a - w) <= allowed))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            given = [value[0, at] for name, value in together.items() if name != "o"]
            return int(wrong.sum()), given, actual[at], want[at]
        return None


@pytest.mark.parametrize("dtype", FLOATS)
def test_functions_of_floats(against_warp, dtype):
    group = Group()
    for name in EXACT_1:
        group.add(f"wp.{name}(a)", [dtype])
    for name in LIBRARY_1:
        group.add(f"wp.{name}(a)", [dtype], ulps=4)
    for expression in ("-a", "+a"):
        group.add(expression, [dtype])
    for expression in EXACT_2:
        group.add(expression, [dtype] * 2)
    for expression in LIBRARY_2:
        group.add(expression, [dtype] * 2, ulps=4)
    for expression in THREE[:1]:
        group.add(expression, [dtype] * 3)
    for expression in FLOAT_TESTS:
        group.add(expression, [dtype], "bool")
    for expression in COMPARISONS:
        group.add(expression, [dtype] * 2, "bool")
    group.check(against_warp)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_operators_of_integers(against_warp, dtype):
    group = Group()
    for expression in INTEGER_1:
        group.add(expression, [dtype])
    group.add("wp.bit_count(a)", [dtype], "int32")
    for expression in INTEGER_2:
        group.add(expression, [dtype] * 2)
    group.add("wp.clamp(a, b, c)", [dtype] * 3)
    for expression in COMPARISONS:
        group.add(expression, [dtype] * 2, "bool")
    group.check(against_warp)


def test_casts(against_warp):
    group = Group()
    every = ("bool", *INTEGERS, *FLOATS)
    for source, target in itertools.product(every, every):
        if (source, target) != ("float16", "bool"):  # Warp's text for it does not compile
            group.add(f"wp.{target}(a)", [source], target)
    group.add("float(a)", ["int64"], "float32")
    group.add("int(a)", ["float64"], "int32")
    for left, right in (("int32", "float32"), ("int32", "uint32"), ("int64", "uint32"), ("float32", "float64")):
        group.add("a < b", [left, right], "bool")
        group.add("a == b", [left, right], "bool")
    for source, target in (("float32", "int32"), ("uint32", "float32"), ("float64", "int64"), ("int16", "float16")):
        group.add(f"wp.cast(a, wp.{target})", [source], target)
    group.check(against_warp)


def test_a_planted_mistake_is_found(against_warp):
    group = Group()
    group.add("a // b", ["int32"] * 2)
    module = against_warp(group.text())
    module.references["k0"] = against_warp(group.text().replace("//", "/")).reference("k0")
    assert group.compare(module, "k0", ["int32"] * 2, "int32", 0.0) is not None


@pytest.mark.parametrize("dtype", FLOATS)
def test_inverse_error_functions_and_blends(against_warp, dtype):
    names = "abc"
    cases = {
        "wp.erfinv(a)": [-1.0, 1e-4, -0.999, -0.5, -1e-3, 0.0, 0.25, 0.9, 0.9990234375, 1.0],
        "wp.erfcinv(a)": [0.0, 1e-3, 0.25, 0.5, 1.0, 1.5, 1.9990234375, 2.0],
        "wp.lerp(a, b, c)": [-3.0, 0.0, 0.25, 0.7, 5.0],
        "wp.smoothstep(a, b, c)": [-3.0, 0.0, 0.25, 0.7, 5.0],
    }
    text = "import warp as wp\n"
    for number, (expression, _) in enumerate(cases.items()):
        used = names[: 1 if "inv" in expression else 3]
        arguments = "".join(f"{name}_: wp.array(dtype=wp.{dtype}), " for name in used)
        loads = "".join(f"    {name} = {name}_[i]\n" for name in used)
        text += f"@wp.kernel\ndef k{number}({arguments}o: wp.array(dtype=wp.{dtype})):\n    i = wp.tid()\n{loads}"
        text += f"    o[i] = {expression}\n"
    module = against_warp(text)
    for number, (expression, values) in enumerate(cases.items()):
        used = names[: 1 if "inv" in expression else 3]
        rows = [row for row in itertools.product(values, repeat=len(used)) if len(row) == 1 or row[0] != row[1]]
        inputs = {f"{n}_": np.array(c, dtype)[None] for n, c in zip(used, zip(*rows, strict=True), strict=True)}
        inputs["o"] = np.zeros((1, len(rows)), dtype)
        module.check(f"k{number}", inputs, (len(rows),), ulps=32)


def test_what_the_inverse_error_function_makes_of_next_to_nothing_is_not_compared():
    """Warp finds infinity there, where what is left of one in double precision is one."""
    text = "import warp as wp\n@wp.kernel\ndef k(a: wp.array(dtype=float), o: wp.array(dtype=float)):\n"
    reference = Reference(f"{text}    o[wp.tid()] = wp.erfcinv(a[wp.tid()])\n", "k")
    tails = np.array([1e-20, 1e-3], np.float32)
    inputs = {"a": np.tile(tails, (8, 1)), "o": np.zeros((8, 2), np.float32)}
    found = reference.run(inputs, (2,), perturb=np.arange(8) > 0).outputs["o"]
    assert found[0] == pytest.approx([6.6015806, 2.3267537])
    assert np.all(found[1:, 0] == np.inf)
    assert found[1:, 1] == pytest.approx(found[0, 1])


@pytest.mark.parametrize("x", [1e-300, 1e-17, 1e-14, 1e-9, 1e-4, 0.01])
def test_the_inverse_error_function_is_as_exact_near_zero_as_elsewhere(x):
    series = math.sqrt(math.pi) / 2 * (x + math.pi / 12 * x**3 + 7 * math.pi**2 / 480 * x**5)
    for sign in (1.0, -1.0):
        assert special_functions.erfinv(np.array([sign * x]))[0] == pytest.approx(sign * series, rel=1e-11)
