"""The ways people combine values: each move turns one to three operands into one expression.

A move applies operators of the table, whose domains decide whether it is legal here: an illegal one raises
`Discard` and the grower draws another. Moves are keyed by the kinds of their operands, in the order ``thqawmvfi``.
"""

from __future__ import annotations

from collections.abc import Callable

from irsmith.rng import Stream
from irsmith.synth.algebra import Algebra, exactly
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr
from irsmith.synth.literals import threshold

Move = Callable[..., Expr]
Moves = dict[str, tuple[tuple[float, Move], ...]]

FACTORS = (0.5, 2.0, 0.25, 3.0, 0.1, 4.0, 1.5, 0.2, 0.8, 0.01, 10.0, 0.75, 0.9, 0.05, 0.3, 6.0)
_SHIFTS = (1.0, 0.5, 2.0, 0.1, 3.0, 0.25, 1.5, 0.01, 4.0, 0.2, 5.0)
_EXPONENTS = (2.0, 0.5, 1.5, 3.0, 0.25, 2.2, -1.0, 0.8)
_WHOLES = (2, 3, 4, 5, 7, 8, 10, 13, 16, 17, 31)
_MASKS = (1, 3, 7, 15, 31, 63, 255)
_LEAVES = frozenset({"name", "index", "field", "component", "extent"})


def leaf(x: Expr) -> Expr:
    """An operand that people would write twice in one expression; others are discarded."""
    if x.op not in _LEAVES:
        raise Discard("leaf")
    return x


def distinct(a: Expr, b: Expr) -> None:
    """Refuse a pair whose combination cancels."""
    if a == b:
        raise Discard("same")


def _binary(operator: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
        distinct(a, b)
        return al.do(operator, a, b)

    return move


def _unary(operator: str) -> Move:
    return lambda al, _, x: al.do(operator, x)


def _scale(al: Algebra, rng: Stream, x: Expr) -> Expr:
    if x.op in {"mul", "div", "literal"} and (x.args and (x.args[0].op == "literal" or x.args[1].op == "literal")):
        raise Discard("scale")
    factor = al.literal(rng.pick(FACTORS))
    return al.do("mul", factor, x) if rng.chance(0.6) else al.do("mul", x, factor)


def _shift(al: Algebra, rng: Stream, x: Expr) -> Expr:
    width = x.span.usual_high - x.span.usual_low
    shift = rng.pick(_SHIFTS)
    if not 0.1 < shift / (width + 1e-9) < 10.0 or (
        x.op in {"add", "sub"} and "literal" in (x.args[0].op, x.args[1].op)
    ):
        raise Discard("shift")
    literal = al.literal(shift)
    roll = rng.random()
    if roll < 0.4:
        return al.do("add", x, literal)
    if roll < 0.5:
        return al.do("add", literal, x)
    return al.do("sub", literal, x) if roll < 0.65 else al.do("sub", x, literal)


def _divide_by(al: Algebra, rng: Stream, x: Expr) -> Expr:
    if x.op in {"mul", "div"}:
        raise Discard("divide")
    return al.do("div", x, al.literal(rng.pick((2.0, 3.0, 4.0, 10.0, 1.5, 5.0))))


def _reciprocal(al: Algebra, rng: Stream, x: Expr) -> Expr:
    one = al.literal(1.0)
    if x.span.low >= 0.0 and (x.span.low < 0.05 or rng.chance(0.3)):
        return al.do("div", one, al.do("add", one, x))
    return al.do("div", one, x)


def _square(al: Algebra, _: Stream, x: Expr) -> Expr:
    return al.do("square", leaf(x))


def _cube(al: Algebra, _: Stream, x: Expr) -> Expr:
    return al.do("mul", al.do("square", leaf(x)), x)


def _decay(al: Algebra, rng: Stream, x: Expr) -> Expr:
    if rng.chance(0.4) and x.op not in {"mul", "div"}:
        return al.do("exp", al.do("mul", al.literal(-rng.pick((0.5, 0.1, 2.0, 0.25))), x))
    return al.do("exp", al.do("neg", x))


def _gaussian(al: Algebra, rng: Stream, x: Expr) -> Expr:
    squared = al.do("square", leaf(x))
    if rng.chance(0.5):
        return al.do("exp", al.do("mul", al.literal(-rng.pick((0.5, 2.0, 0.1, 0.25))), squared))
    return al.do("exp", al.do("neg", squared))


def _sigmoid(al: Algebra, _: Stream, x: Expr) -> Expr:
    one = al.literal(1.0)
    return al.do("div", one, al.do("add", one, al.do("exp", al.do("neg", x))))


def _softsign(al: Algebra, _: Stream, x: Expr) -> Expr:
    return al.do("div", leaf(x), al.do("add", al.literal(1.0), al.do("abs", x)))


def _log1p(al: Algebra, _: Stream, x: Expr) -> Expr:
    return al.do("log", al.do("add", al.literal(1.0), x))


def _safe_root(al: Algebra, rng: Stream, x: Expr) -> Expr:
    if x.span.low >= 0.0:
        return al.do("sqrt", x)
    if rng.chance(0.5):
        return al.do("sqrt", al.do("abs", x))
    return al.do("sqrt", al.do("add", al.do("square", leaf(x)), al.literal(rng.pick((1.0, 0.5, 0.25)))))


def _safe_log(al: Algebra, rng: Stream, x: Expr) -> Expr:
    if x.span.low >= 0.01:
        return al.do("log", x)
    return al.do("log", al.do("add", al.do("abs", x) if x.span.low < 0 else x, al.literal(rng.pick((1.0, 0.5, 0.1)))))


def _power(al: Algebra, rng: Stream, x: Expr) -> Expr:
    return al.do("pow", x, al.literal(rng.pick(_EXPONENTS)))


def _one_sided(operator: str) -> Move:
    def move(al: Algebra, rng: Stream, x: Expr) -> Expr:
        return al.do(operator, x, threshold(al, rng, x))

    return move


def _clamp(al: Algebra, rng: Stream, x: Expr) -> Expr:
    low, high, near, far = x.span
    if low < -0.2 and high > 0.2 and rng.chance(0.3):
        bound = threshold(al, rng, al.do("abs", x))
        return al.do("clamp", x, al.literal(-bound.value), bound)
    if low < 0.0 < near and far > 1.0 and rng.chance(0.3):
        return al.do("clamp", x, al.literal(0.0), al.literal(1.0))
    below = threshold(al, rng, x._replace(span=x.span._replace(usual_low=low, usual_high=near)))
    above = threshold(al, rng, x._replace(span=x.span._replace(usual_low=far, usual_high=high)))
    return al.do("clamp", x, below, above)


def _smooth(al: Algebra, _: Stream, x: Expr) -> Expr:
    leaf(x)
    if x.span.low < 0.0 or x.span.high > 1.0:
        raise Discard("smooth")
    three, two = al.literal(3.0), al.literal(2.0)
    return al.do("mul", al.do("square", x), al.do("sub", three, al.do("mul", two, x)))


def _smoothstep(al: Algebra, rng: Stream, x: Expr) -> Expr:
    low, high, near, far = x.span
    if low >= 0.0 and high <= 1.0 and rng.chance(0.5):
        return al.do("smoothstep", al.literal(0.0), al.literal(1.0), x)
    below = threshold(al, rng, x._replace(span=x.span._replace(usual_high=near + 0.3 * (far - near))))
    above = threshold(al, rng, x._replace(span=x.span._replace(usual_low=far - 0.3 * (far - near))))
    return al.do("smoothstep", below, above, x)


def complement(al: Algebra, _: Stream, x: Expr) -> Expr:
    """One minus a share."""
    if x.span.low < 0.0 or x.span.high > 1.0:
        raise Discard("complement")
    return al.do("sub", al.literal(1.0), x)


def _wrap(al: Algebra, rng: Stream, x: Expr) -> Expr:
    return al.do("mod", x, al.literal(rng.pick((1.0, 2.0, 0.5, 3.0, 4.0))))


def _wave(operator: str) -> Move:
    def move(al: Algebra, rng: Stream, x: Expr) -> Expr:
        if x.op in {"sin", "cos"}:
            raise Discard("wave")
        if rng.chance(0.35):
            x = al.do("mul", al.literal(rng.pick((2.0, 3.0, 0.5, 6.28, 3.14, 4.0))), x)
        return al.do(operator, x)

    return move


def _mean(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    total = al.do("add", a, b)
    if rng.chance(0.7):
        return al.do("mul", al.literal(0.5), total)
    return al.do("div", total, al.literal(2.0))


def _mix(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    """Two values, each in its proportion."""
    distinct(a, b)
    first, second = (al.literal(rng.pick(FACTORS)) for _ in range(2))
    scaled = al.do("mul", a, first), al.do("mul", b, second)
    return al.do("add" if rng.chance(0.6) else "sub", *scaled)


def _products(sign: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
        distinct(a, b)
        return al.do(sign, al.do("mul", leaf(c), a), al.do("mul", c, b) if sign == "add" else al.do("square", b))

    return move


def _hypot(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("sqrt", al.do("add", al.do("square", leaf(a)), al.do("square", leaf(b))))


def _soft_ratio(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    if b.span.low < 0.0:
        b = al.do("square", leaf(b)) if rng.chance(0.5) else al.do("abs", b)
    return al.do("div", a, al.do("add", b, al.literal(rng.pick((1.0, 0.5, 0.1, 2.0)))))


def _floor_ratio(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("div", a, al.do("max", b, al.literal(rng.pick((0.1, 0.5, 1.0)))))


def _contrast(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("div", al.do("sub", a, b), al.do("add", a, b))


def _distance(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("abs", al.do("sub", a, b))


def _modulate(operator: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
        return al.do("mul", a, al.do(operator, b))

    return move


def _attenuate(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    return al.do("mul", a, _decay(al, rng, b))


def _power_of(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    return al.do("pow", a, b)


def _half_square(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    return al.do("mul", al.do("mul", al.literal(0.5), a), al.do("square", leaf(b)))


def _keep(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    return al.do("mul", a, complement(al, _, b))


def _linear(sign: str) -> Move:
    def move(al: Algebra, rng: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
        product = al.do("mul", b, c)
        return al.do(sign, product, a) if rng.chance(0.4) else al.do(sign, a, product)

    return move


def _blend(al: Algebra, rng: Stream, a: Expr, b: Expr, t: Expr) -> Expr:
    distinct(a, b)
    roll = rng.random()
    if roll < 0.4:
        return al.do("lerp", a, b, t)
    leaf(t)
    if t.span.low < 0.0 or t.span.high > 1.0:
        raise Discard("blend")
    if roll < 0.7:
        return al.do("add", al.do("mul", al.do("sub", al.literal(1.0), t), a), al.do("mul", t, b))
    return al.do("add", leaf(a), al.do("mul", al.do("sub", b, a), t))


def _standardise(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
    distinct(a, b)
    return al.do("div", al.do("sub", a, b), c)


def _chain(first: str, second: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
        distinct(a, b)
        return al.do(second, al.do(first, a, b), c)

    return move


def _oscillate(al: Algebra, rng: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
    return al.do("mul", a, al.do(rng.pick(("sin", "cos")), al.do("mul", b, c)))


def _discount(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
    return al.do("mul", a, al.do("exp", al.do("mul", al.do("neg", b), c)))


def _between(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
    return al.do("clamp", a, b, c)


def _weighted(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
    distinct(a, b)
    return al.do("div", al.do("add", al.do("mul", a, leaf(c)), b), al.do("add", al.literal(1.0), c))


def _whole_with(operator: str, values: tuple[int, ...]) -> Move:
    def move(al: Algebra, rng: Stream, x: Expr) -> Expr:
        return al.do(operator, x, Expr("literal", "i", x.type, exactly(value := rng.pick(values)), (), "", value))

    return move


def _whole_distance(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("abs", al.do("sub", a, b))


def _bit_count(al: Algebra, _: Stream, x: Expr) -> Expr:
    return al.like(al.do("bit_count", x), x)


def _hash_step(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    prime = rng.pick((31, 37, 17, 13, 101, 7))
    return al.do("add", al.do("mul", a, Expr("literal", "i", a.type, exactly(prime), (), "", prime)), b)


PLAIN_MOVES: Moves = {
    "f": ((2.4, _scale), (4, _shift), (0.7, _divide_by), (2.5, _square), (0.4, _unary("neg")), (0.7, _cube),
        (1, _reciprocal), (0.8, complement)),
    "ff": (
        (5, _binary("add")), (6, _binary("sub")), (9, _binary("mul")), (3, _binary("div")), (1.2, _mean),
        (0.9, _soft_ratio), (0.7, _contrast), (1.0, _half_square), (1.2, _keep), (0.3, _binary("mod")), (2.0, _mix),
    ),
    "fff": (
        (5, _linear("add")), (3, _linear("sub")), (2, _blend), (2, _standardise), (2, _chain("mul", "mul")),
        (1.5, _chain("add", "add")), (1.5, _chain("sub", "mul")), (1, _chain("mul", "sub")), (0.8, _weighted), (1,
        _chain("add", "mul")), (1.2, _products("add")), (0.8, _products("sub")),
    ),
    "i": (
        (3, _whole_with("mul", (2, 3, 4, 5, 10))), (3, _whole_with("add", (1, 2, 3, 5, 7, 10))),
        (2, _whole_with("sub", (1, 2, 3, 5, 10))), (2.5, _whole_with("rem", _WHOLES)), (2,
        _whole_with("floordiv", (2, 3, 4, 5, 8))),
    ),
    "ii": (
        (5, _binary("add")), (4, _binary("sub")), (4, _binary("mul")), (1, _hash_step), (0.8, _binary("rem")), (0.6,
        _binary("floordiv")),
    ),
}  # fmt: skip
"""The arithmetic that needs no function: weights and moves for each sequence of operand kinds."""

SCALAR_MOVES: Moves = {
    "f": (
        (1.5, _wave("sin")), (1.5, _wave("cos")), (0.4, _unary("tan")), (0.4, _unary("asin")), (0.4, _unary("acos")),
        (0.8, _unary("atan")), (0.25, _unary("sinh")), (0.25, _unary("cosh")), (1, _unary("tanh")), (1,
        _unary("exp")),
        (1.5, _decay), (1, _gaussian), (0.8, _safe_log), (1, _log1p), (0.3, _unary("log2")), (0.3, _unary("log10")),
        (3, _safe_root), (0.3, _unary("cbrt")), (1.2, _unary("abs")), (1, _power), (1.2, _sigmoid), (0.8,
        _softsign),
        (0.4, _unary("floor")), (0.25, _unary("ceil")), (0.25, _unary("round")), (0.3, _unary("frac")), (0.5,
        _unary("sign")),
        (2, _one_sided("max")), (1.6, _one_sided("min")), (2, _clamp), (0.7, _smooth), (0.5, _smoothstep), (0.4, _wrap),
        (0.15, _unary("degrees")), (0.15, _unary("radians")), (0.3, _unary("erf")), (0.2, _unary("erfc")),
        (0.15, _unary("erfinv")), (0.1, _unary("erfcinv")), (0.2, _unary("trunc")), (0.15, _unary("rint")),
        (0.2, _unary("step")),
    ),
    "ff": (
        (2, _binary("min")), (2, _binary("max")), (0.8, _binary("atan2")), (1.6, _hypot), (1.4, _distance),
        (2, _attenuate), (1.2, _modulate("sin")), (1.2, _modulate("cos")), (0.8, _modulate("tanh")), (0.6, _power_of),
        (0.4, _binary("copysign")), (0.12, _binary("div_approx")),
        (1.5, _floor_ratio), (0.8, _modulate("sqrt")), (0.5, _modulate("log")), (0.7, _modulate("exp")),
    ),
    "fff": (
        (1, _oscillate), (1, _discount), (1.2, _between), (1, _chain("min", "max")), (1, _chain("max", "min")),
        (0.8, _chain("mul", "max")), (0.8, _chain("sub", "max")),
    ),
    "i": (
        (1.2, _unary("abs")), (0.4, _unary("neg")), (1, _whole_with("shl", (1, 2, 3, 4))), (1,
        _whole_with("shr", (1, 2, 3, 4))),
        (1.5, _whole_with("and", _MASKS)), (0.6, _whole_with("xor", (5, 21, 85, 255))), (0.5,
        _whole_with("or", (1, 2, 4, 8))),
        (1, _one_sided("min")), (1, _one_sided("max")), (0.2, _unary("sign")), (0.25, _unary("invert")),
        (1.0, _unary("nonzero")), (0.5, _bit_count),
    ),
    "ii": (
        (2, _binary("min")), (2, _binary("max")), (1.2, _whole_distance), (1, _binary("xor")), (0.8, _binary("and")),
        (0.6, _binary("or")),
    ),
}  # fmt: skip
"""What the functions of a mathematics library add."""
