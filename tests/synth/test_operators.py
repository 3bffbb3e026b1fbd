"""The operator table: rules are sound, and the lanes compute what the operators mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synth import plain_rotations

from irsmith.synth.algebra import Algebra, exactly, matrix, name, usual, vector
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr
from irsmith.synth.operators import OPERATORS, Operator
from irsmith.synth.probe import MEANINGS
from irsmith.types import FLOAT32, FLOAT64, INT32

Vec = list[float]
Mat = list[Vec]


def _minor(m: Mat, row: int, column: int) -> Mat:
    return [[x for c, x in enumerate(line) if c != column] for r, line in enumerate(m) if r != row]


def _det(m: Mat) -> float:
    if len(m) == 1:
        return m[0][0]
    return sum((-1) ** c * m[0][c] * _det(_minor(m, 0, c)) for c in range(len(m)))


def _dot(a: Vec, b: Vec) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _each(f: Callable[..., float]) -> Callable[..., Vec]:
    return lambda *vs: [f(*xs) for xs in zip(*vs, strict=True)]


def _entries(f: Callable[..., float]) -> Callable[..., Mat]:
    return lambda *ms: [_each(f)(*rows) for rows in zip(*ms, strict=True)]


def _smoothstep(a: float, b: float, x: float) -> float:
    t = min(max((x - a) / (b - a), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _huber(v: Vec, d: float) -> float:
    size = math.sqrt(_dot(v, v))
    return 0.5 * size * size if size <= d else d * (size - 0.5 * d)


def _solved(function: Callable[[float], float], y: float) -> float:
    low, high = -6.0, 6.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < y else (low, middle)
    return low


def _unit(v: Vec) -> Vec:
    size = math.sqrt(_dot(v, v))
    return [x / size if size else 0.0 for x in v]


# What each operator means, written down a second time and in plain Python.
MEANS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "square": lambda a: a * a,
    "neg": lambda a: -a,
    "abs": abs, "min": min, "max": max, "clamp": lambda x, a, b: min(max(x, a), b),
    "sign": lambda a: math.copysign(1.0, a),
    "div": lambda a, b: a / b, "mod": math.fmod, "pow": math.pow, "sqrt": math.sqrt, "cbrt": math.cbrt,
    "sin": math.sin,
    "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos, "atan": math.atan, "atan2": math.atan2,
    "sinh": math.sinh,
    "cosh": math.cosh, "tanh": math.tanh, "exp": math.exp, "log": math.log, "log2": math.log2, "log10": math.log10,
    "floor": math.floor, "ceil": math.ceil, "round": round, "frac": lambda a: a - math.floor(a),
    "lerp": lambda a, b, t: a * (1 - t) + b * t, "smoothstep": _smoothstep, "degrees": math.degrees,
    "radians": math.radians,
    "floordiv": lambda a, b: a // b, "rem": lambda a, b: a % b, "shl": lambda a, b: a << b, "shr": lambda a,
    b: a >> b,
    "and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b,
    "vadd": _each(lambda a, b: a + b), "vsub": _each(lambda a, b: a - b), "vneg": _each(lambda a: -a),
    "vscale": lambda v, x: [a * x for a in v], "vdiv": lambda v, x: [a / x for a in v],
    "cw_mul": _each(lambda a, b: a * b),
    "cw_div": _each(lambda a, b: a / b), "vmin": _each(min), "vmax": _each(max), "vabs": _each(abs),
    "vlerp": lambda a, b, t: [x * (1 - t) + y * t for x, y in zip(a, b, strict=True)], "dot": _dot,
    "cross": lambda a, b: [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]],
    "normalize": _unit, "length": lambda v: math.sqrt(_dot(v, v)), "length_sq": lambda v: _dot(v, v),
    "madd": _entries(lambda a, b: a + b), "msub": _entries(lambda a, b: a - b), "mscale": lambda m,
    x: [[a * x for a in r] for r in m],
    "mmul": lambda a, b: [[_dot(r, c) for c in zip(*b, strict=True)] for r in a], "mvmul": lambda m,
    v: [_dot(r, v) for r in m],
    "transpose": lambda m: [list(c) for c in zip(*m, strict=True)], "determinant": _det,
    "trace": lambda m: sum(m[i][i] for i in range(len(m))), "ddot": lambda a, b: sum(map(_dot, a, b)),
    "outer": lambda a, b: [[x * y for y in b] for x in a],
    "diag": lambda v: [[x if r == c else 0.0 for c in range(len(v))] for r, x in enumerate(v)],
    "copysign": math.copysign, "step": lambda x: float(x < 0), "trunc": math.trunc, "rint": round, "erf": math.erf,
    "erfc": math.erfc, "erfinv": lambda y: _solved(math.erf, y), "erfcinv": lambda y: _solved(math.erf, 1.0 - y),
    "div_approx": lambda a, b: a / b, "invert": lambda k: ~k, "nonzero": lambda k: int(k != 0),
    "bit_count": lambda k: k.bit_count(), "vsign": _each(lambda a: math.copysign(1.0, a)), "vlow": min, "vhigh": max,
    "argmin": lambda v: v.index(min(v)), "argmax": lambda v: v.index(max(v)),
    "norm_l1": lambda v: sum(map(abs, v)), "norm_l2": lambda v: math.sqrt(_dot(v, v)), "norm_huber": _huber,
    "norm_pseudo_huber": lambda v, d: d * math.sqrt(1 + _dot(v, v) / d**2),
    "smooth_normalize": lambda v, d: [x / (d * math.sqrt(1 + _dot(v, v) / d**2)) for x in v],
    "mcw_mul": _entries(lambda a, b: a * b), "get_diag": lambda m: [m[i][i] for i in range(len(m))],
    "skew": lambda v: [[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]],
    "from_rows": lambda *rows: list(rows),
    "from_cols": lambda *columns: [list(row) for row in zip(*columns, strict=True)],
    **plain_rotations.MEANS,
}  # fmt: skip


def _flat(value: Any) -> list[float]:
    return [float(x) for part in value for x in _flat(part)] if isinstance(value, list) else [float(value)]


def _value(kind: str, low: float, high: float, n: int, draw: Callable[[float, float], float]) -> Any:
    if kind in _WIDTHS or kind == "v":
        return [draw(low, high) for _ in range(_WIDTHS.get(kind, n))]
    if kind in _ROWS or kind == "m":
        n = _ROWS.get(kind, n)
        return [[draw(low, high) for _ in range(n)] for _ in range(n)]
    return min(int(high), math.floor(draw(low, high + 1))) if kind == "i" else draw(low, high)


_WIDTHS, _ROWS = {"q": 4, "t": 7, "w": 6}, {"h": 4, "a": 6}
# What has three dimensions, or an answer that depends on digits: the sign of a root, an axis of a turn of nothing.
_SPATIAL = {"cross", "skew", "from_rows", "from_cols", *plain_rotations.MEANS}
# A stand-in of the noise takes its place in the lanes, and Euler angles are tested by their rotation.
_APART = {"noise", "noise_line", "pnoise", "pnoise_space", "curlnoise", "qto_euler"}


def _size(operator: Operator, n: int) -> int:
    return 3 if operator.name in _SPATIAL else n


def _first_length(operator: Operator, n: int) -> int:
    """What the rule is told of the first operand's length."""
    return {"q": 4, "w": 6}.get(operator.operands[0], n) if operator.operands[0] not in "ta" else 1


def test_every_operator_is_covered() -> None:
    # The inverse is legal only where its caller has proved it; the identity has no operands.
    assert set(MEANS) == set(OPERATORS) - {"inverse", "inverse_approx", "identity", "qidentity", *_APART}
    assert set(OPERATORS) - {"identity", "qidentity"} <= set(MEANINGS)


@pytest.mark.parametrize("operator", [op for op in OPERATORS.values() if op.name in MEANS], ids=lambda op: op.name)
@settings(max_examples=120, deadline=None)
@given(data=st.data(), n=st.sampled_from((2, 3, 4)))
def test_results_lie_within_the_rule(operator: Operator, data: st.DataObject, n: int) -> None:
    n = _size(operator, n)
    ends = st.one_of(st.sampled_from((-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 6.0)), st.floats(-12.0, 12.0))
    kinds = operator.operands.replace("x", data.draw(st.sampled_from("fi")))
    bounds: list[float] = []
    for kind in kinds:
        low, high = sorted((data.draw(ends), data.draw(ends)))
        bounds += [math.floor(low), math.ceil(high)] if kind == "i" else [low, high]
    if operator.name in {"qfrom_euler"}:
        bounds[2:] = [0, 0, 1, 1, 2, 2]
    if operator.name == "qaxis_angle":
        bounds[:2] = [-1.0, 1.0]
    result = operator.rule(_first_length(operator, n), *bounds)
    if result is None:
        return
    fractions = data.draw(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40))
    position = 0

    def draw(low: float, high: float) -> float:
        nonlocal position
        position += 1
        return min(high, low + (high - low) * fractions[position % len(fractions)])

    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    operands = [_value(kind, low, high, n, draw) for kind, (low, high) in zip(kinds, pairs, strict=True)]
    if operator.name == "qslerp":
        operands[:2] = [plain_rotations.unit(q) for q in operands[:2]]
    elif operator.name in {"qtwist", "qaxis_angle"}:
        operands[0] = _unit(operands[0])
    low, high = result
    slack = 1e-9 * max(1.0, abs(low), abs(high))
    for component in _flat(MEANS[operator.name](*operands)):
        assert math.isfinite(component)
        assert low - slack <= component <= high + slack


def _lanes(kind: str, n: int, rng: np.random.Generator, low: float, high: float) -> np.ndarray:  # type: ignore[type-arg]
    shape = {"v": (8, n), "m": (8, n, n), "q": (8, 4), "t": (8, 7), "w": (8, 6), "h": (8, 4, 4), "a": (8, 6, 6)}.get(
        kind, (8,)
    )
    return rng.integers(int(low), int(high) + 1, shape).astype(float) if kind == "i" else rng.uniform(low, high, shape)


@pytest.mark.parametrize("operator", [op for op in OPERATORS.values() if op.name in MEANS], ids=lambda op: op.name)
def test_lanes_compute_what_the_operator_means(operator: Operator) -> None:
    rng = np.random.default_rng(7)
    n = _size(operator, 3)
    kinds = operator.operands.replace("x", "f")
    ranges: Sequence[tuple[float, float]] = [(0.1, 0.9)] * len(kinds)
    if operator.name == "qfrom_euler":
        ranges = [(0.1, 0.9), (1, 1), (0, 0), (2, 2)]
    elif "i" in kinds:
        ranges = [(8, 60), (1, 3)][: len(kinds)]
    elif operator.name in {"clamp", "smoothstep"}:
        ranges = (
            [(0.1, 0.2), (0.5, 0.6), (0.1, 0.9)]
            if operator.name == "smoothstep"
            else [(0.1, 0.9), (0.2, 0.3), (0.6, 0.7)]
        )
    lanes = [_lanes(kind, n, rng, *bounds) for kind, bounds in zip(kinds, ranges, strict=True)]
    if operator.name == "qfrom_euler":
        lanes[1:] = [1.0, 0.0, 2.0]  # type: ignore[list-item]
        kinds = "v"
    got = MEANINGS[operator.name](*lanes)
    for lane in range(8):
        operands = [held[lane].tolist() if isinstance(held, np.ndarray) else held for held in lanes]
        if "i" in kinds:
            operands = [int(x) for x in operands]
        assert np.ravel(got[lane]).tolist() == pytest.approx(
            _flat(MEANS[operator.name](*operands)), rel=1e-9, abs=1e-12
        )


def test_illegal_operands_are_refused() -> None:
    al = Algebra(FLOAT32, INT32, {})
    x = name("x", FLOAT32, usual(-1.0, 1.0))
    for operator in ("sqrt", "log", "acos"):
        with pytest.raises(Discard):
            al.do(operator, x)
    with pytest.raises(Discard):
        al.do("div", al.literal(1.0), x)
    huge = name("h", FLOAT32, usual(-1e3, 1e3))
    with pytest.raises(Discard):
        al.do("mul", huge, huge)
    whole = name("k", INT32, usual(0, 2**20))
    with pytest.raises(Discard):
        al.do("mul", whole, whole)


def test_empty_combinations_are_refused() -> None:
    al = Algebra(FLOAT32, INT32, {})
    x, y = name("x", FLOAT32, usual(0.5, 2.0)), name("y", FLOAT32, usual(0.5, 3.0))
    v, w = (name(text, vector(3, FLOAT32), usual(-1.0, 1.0)) for text in "vw")
    unit = name("n", v.type, usual(-1.0, 1.0))
    al.definitions["n"] = al.do("normalize", v)
    ratio = name("r", FLOAT32, usual(0.2, 4.0))
    al.definitions["r"] = al.do("div", x, y)
    crossed = al.do("cross", v, w)
    empty: list[tuple[str, tuple[Expr, ...]]] = [
        ("sub", (x, x)), ("div", (x, x)), ("mul", (ratio, y)), ("length", (unit,)), ("normalize",
        (al.do("vscale", v, x),)),
        ("cross", (v, unit)), ("dot", (crossed, v)), ("vsub", (v, v)), ("exp", (al.do("log", x),)), ("min", (x, x)),
    ]  # fmt: skip
    for operator, args in empty:
        with pytest.raises(Discard):
            al.do(operator, *args)
    al.do("mul", ratio, x)
    al.do("cross", v, w)


def test_an_inverse_exists_where_it_is_made() -> None:
    al = Algebra(FLOAT32, INT32, {})
    m = name("m", matrix(3, 3, FLOAT32), usual(-1.0, 1.0))
    al.regular(m, 4.0)
    with pytest.raises(Discard):
        al.regular(m, 3.0)
    with pytest.raises(Discard):
        al.do("inverse", m)
    rng = np.random.default_rng(0)
    bound = al.inverse(al.regular(m, 4.0), 1.0).span.high
    for _ in range(200):
        entries = rng.uniform(-1, 1, (3, 3)) + 4.0 * np.eye(3)
        assert np.abs(np.linalg.inv(entries)).max() <= bound


def test_literals_have_a_span_of_their_own() -> None:
    assert Algebra(FLOAT32, INT32, {}).literal(2.0).span == exactly(2.0)


def test_euler_angles_are_those_of_the_rotation() -> None:
    rng = np.random.default_rng(3)
    quaternions = rng.normal(size=(20, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    for axes in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        angles = MEANINGS["qto_euler"](quaternions, *axes)
        for q, e in zip(quaternions, angles, strict=True):
            again = np.array(plain_rotations.from_euler(e.tolist(), *axes))
            assert abs(abs(float(again @ q)) - 1.0) < 1e-9


def test_the_number_that_an_unrolled_counter_is_stays_an_index() -> None:
    """Warp 1.19.0 takes no ``wp.float64(j)`` before ``x[j]`` where it unrolls the loop over ``j``."""
    al = Algebra(FLOAT64, INT32, {})
    counter = name("j", INT32, usual(0, 3))
    assert al.cast(counter, FLOAT64).op == "cast"
    al.numbers.add("j")
    with pytest.raises(Discard):
        al.cast(counter, FLOAT64)
    assert al.cast(counter, FLOAT32).op == "cast"
