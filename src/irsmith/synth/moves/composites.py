"""The ways people combine vectors and matrices with each other and with scalars."""

from __future__ import annotations

from irsmith.rng import Stream
from irsmith.synth.algebra import TRUTH, Algebra, matrix, whole
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr, Span
from irsmith.synth.moves.scalars import FACTORS, Move, Moves, complement, distinct, leaf
from irsmith.types import FLOAT32


def _unary(operator: str) -> Move:
    return lambda al, _, x: al.do(operator, x)


def _bare(operator: str) -> Move:
    """A function that people apply to a name, seldom to an expression."""
    return lambda al, _, x: al.do(operator, leaf(x))


def _binary(operator: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
        distinct(a, b)
        return al.do(operator, a, b)

    return move


def _pair(operator: str) -> Move:
    return lambda al, _, a, b: al.do(operator, a, b)


def _vector_scale(al: Algebra, rng: Stream, v: Expr) -> Expr:
    if v.op not in {"name", "index", "field", "vadd", "vsub", "normalize", "cross"}:
        raise Discard("scale")
    return al.do("vscale", v, al.literal(rng.pick(FACTORS)))


def _component(al: Algebra, rng: Stream, v: Expr) -> Expr:
    return al.component(leaf(v), rng.below(v.type.length))  # type: ignore[union-attr]


def _self_dot(al: Algebra, _: Stream, v: Expr) -> Expr:
    return al.do("length_sq", leaf(v))._replace(op="dot", args=(v, v))


def _component_sum(al: Algebra, rng: Stream, v: Expr) -> Expr:
    leaf(v)
    total = al.component(v, 0)
    for position in range(1, v.type.length):  # type: ignore[union-attr]
        total = al.do("add", total, al.component(v, position))
    return al.do("div", total, al.literal(float(v.type.length))) if rng.chance(0.5) else total  # type: ignore[union-attr]


def _safe_unit(al: Algebra, rng: Stream, v: Expr) -> Expr:
    return al.do("vdiv", leaf(v), al.do("add", al.do("length", v), al.literal(rng.pick((0.1, 1.0, 0.5)))))


def _gap(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("length", al.do("vsub", a, b))


def _gap_squared(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("length_sq", al.do("vsub", a, b))


def _toward(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    return al.do("normalize", al.do("vsub", a, b))


def _cosine(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("dot", al.do("normalize", a), al.do("normalize", b))


def _reflect(al: Algebra, _: Stream, d: Expr, n: Expr) -> Expr:
    distinct(d, n)
    factor = al.do("mul", al.literal(2.0), al.do("dot", leaf(d), leaf(n)))
    return al.do("vsub", d, al.do("vscale", n, factor))


def _reject(al: Algebra, _: Stream, d: Expr, n: Expr) -> Expr:
    distinct(d, n)
    return al.do("vsub", leaf(d), al.do("vscale", leaf(n), al.do("dot", d, n)))


def _midpoint(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("vscale", al.do("vadd", a, b), al.literal(0.5))


def _ratios(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    """A vector divided component by component by another one's extent."""
    distinct(a, b)
    if not b.type.scalar.is_float:  # type: ignore[union-attr]
        raise Discard("ratios")
    more = al.literal(rng.pick((0.5, 1.0)))
    least = al.make(*(more,) * b.type.length)  # type: ignore[union-attr]
    return al.do("cw_div", a, al.do("vadd", al.do("vabs", b), least))


def _cross(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    if a.type.length != 3:  # type: ignore[union-attr]
        raise Discard("cross")
    return al.do("cross", a, b)


def _resize(al: Algebra, _: Stream, v: Expr, x: Expr) -> Expr:
    return al.do("vscale", al.do("normalize", v), x)


def _excess(operator: str) -> Move:
    def move(al: Algebra, _: Stream, v: Expr, x: Expr) -> Expr:
        return al.do(operator, al.do("length", v), x)

    return move


def _falloff(al: Algebra, rng: Stream, v: Expr, x: Expr) -> Expr:
    if x.span.low < 0.0:
        raise Discard("falloff")
    return al.do("vdiv", v, al.do("add", x, al.literal(rng.pick((1.0, 0.5, 0.1)))))


def _part(al: Algebra, rng: Stream, v: Expr, x: Expr) -> Expr:
    return al.do(rng.pick(("mul", "sub", "add")), _component(al, rng, v), x)


def _shorten(al: Algebra, _: Stream, v: Expr, x: Expr) -> Expr:
    return al.do("vsub", leaf(v), al.do("vscale", al.do("normalize", v), x))


def _spring(al: Algebra, _: Stream, v: Expr, k: Expr, rest: Expr) -> Expr:
    """Hooke's law along a vector."""
    stretch = al.do("sub", al.do("length", leaf(v)), rest)
    return al.do("vscale", al.do("normalize", v), al.do("mul", k, stretch))


def _assemble(al: Algebra, rng: Stream, v: Expr, a: Expr, b: Expr) -> Expr:
    """A vector with some of its components replaced or shifted."""
    count: int = v.type.length  # type: ignore[union-attr]
    parts = [al.component(leaf(v), position) for position in range(count)]
    first, second = rng.shuffled(range(count))[:2]
    parts[first] = al.do(rng.pick(("add", "mul")), parts[first], a)
    parts[second] = al.do(rng.pick(("sub", "mul")), parts[second], b)
    return al.make(*parts)


def _step(operator: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr, t: Expr) -> Expr:
        distinct(a, b)
        return al.do(operator, a, al.do("vscale", b, t))

    return move


def _pull(al: Algebra, _: Stream, a: Expr, b: Expr, k: Expr) -> Expr:
    distinct(a, b)
    return al.do("vscale", al.do("vsub", a, b), k)


def _vector_blend(al: Algebra, rng: Stream, a: Expr, b: Expr, t: Expr) -> Expr:
    distinct(a, b)
    if rng.chance(0.5):
        return al.do("vlerp", a, b, t)
    return al.do("vadd", al.do("vscale", a, complement(al, rng, leaf(t))), al.do("vscale", b, t))


def _two_factors(operator: str) -> Move:
    def move(al: Algebra, _: Stream, v: Expr, a: Expr, b: Expr) -> Expr:
        return al.do("vscale", v, al.do(operator, a, b))

    return move


def _inverse(al: Algebra, rng: Stream, m: Expr) -> Expr:
    rows: int = m.type.rows  # type: ignore[union-attr]
    need = rows * max(-m.span.low, m.span.high)
    shift = next((shift for shift in (1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 10.0, 15.0, 20.0) if shift >= need + 0.5), 0.0)
    if not shift or rng.chance(0.2):
        raise Discard("inverse")
    made = al.inverse(al.regular(leaf(m), shift), shift - need)
    return made._replace(op="inverse_approx") if rng.chance(0.05) else made


def _stable_determinant(al: Algebra, rng: Stream, m: Expr) -> Expr:
    shifted = al.regular(leaf(m), rng.pick((1.0, 2.0, 4.0)))
    return al.do("determinant", shifted)


def _element(al: Algebra, rng: Stream, m: Expr) -> Expr:
    rows: int = m.type.rows  # type: ignore[union-attr]
    return al.element(leaf(m), whole(rng.below(rows)), whole(rng.below(rows)))


def _gram(al: Algebra, rng: Stream, m: Expr) -> Expr:
    transposed = al.do("transpose", leaf(m))
    return al.do("mmul", transposed, m) if rng.chance(0.5) else al.do("mmul", m, transposed)


def _symmetric(al: Algebra, _: Stream, m: Expr) -> Expr:
    part = al.do("madd", leaf(m), al.do("transpose", m))
    return al.do("mscale", part, al.literal(0.5))


def _back_rotate(al: Algebra, _: Stream, m: Expr, v: Expr) -> Expr:
    return al.do("mvmul", al.do("transpose", m), v)


def _quadratic_form(al: Algebra, _: Stream, m: Expr, v: Expr) -> Expr:
    return al.do("dot", leaf(v), al.do("mvmul", m, v))


def _solve(al: Algebra, rng: Stream, m: Expr, v: Expr) -> Expr:
    return al.do("mvmul", _inverse(al, rng, m), v)


def _affine(al: Algebra, _: Stream, m: Expr, a: Expr, b: Expr) -> Expr:
    return al.do("vadd", al.do("mvmul", m, a), b)


def _rank_one(al: Algebra, _: Stream, m: Expr, a: Expr, b: Expr) -> Expr:
    return al.do("madd", m, al.do("outer", a, b))


def _bilinear(al: Algebra, _: Stream, m: Expr, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("dot", a, al.do("mvmul", m, b))


def _reals(operator: str) -> Move:
    """A norm with a threshold, which only single precision has."""

    def move(al: Algebra, rng: Stream, v: Expr) -> Expr:
        if al.real is not FLOAT32:
            raise Discard("precision")
        return al.do(operator, v, al.literal(rng.pick((1.0, 0.5, 0.1, 2.0))))

    return move


def _norm(operator: str) -> Move:
    def move(al: Algebra, _: Stream, v: Expr) -> Expr:
        if al.real is not FLOAT32:
            raise Discard("precision")
        return al.do(operator, v)

    return move


def _norm_gap(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    """A norm of a difference, as losses have it."""
    distinct(a, b)
    gap = al.do("vsub", a, b)
    return rng.pick((_norm("norm_l1"), _norm("norm_l2"), _reals("norm_huber"), _reals("norm_pseudo_huber")))(
        al, rng, gap
    )


def _which(operator: str) -> Move:
    def move(al: Algebra, rng: Stream, v: Expr) -> Expr:
        return al.real_of(al.do(operator, al.do("vabs", v) if v.span.low < 0.0 and rng.chance(0.5) else v))

    return move


def _skew(al: Algebra, _: Stream, v: Expr) -> Expr:
    if v.type.length != 3:  # type: ignore[union-attr]
        raise Discard("skew")
    return al.do("skew", v)


def _skewed(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("mvmul", _skew(al, _, a), b)


def _plane_turn(al: Algebra, _: Stream, v: Expr, angle: Expr) -> Expr:
    """A vector of the plane turned by an angle."""
    if v.type.length != 2:  # type: ignore[union-attr]
        raise Discard("turn")
    c, s = al.do("cos", leaf(angle)), al.do("sin", angle)
    turn = Expr("make", "m", matrix(2, 2, al.real), Span(-1.0, 1.0, -0.7, 0.7), (c, al.do("neg", s), s, c))
    return al.do("mvmul", turn, v)


def _frame(operator: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
        if a.type.length != 3:  # type: ignore[union-attr]
            raise Discard("frame")
        distinct(a, b)
        distinct(b, c)
        return al.do(operator, a, b, c)

    return move


def _axes(al: Algebra, rng: Stream, a: Expr, b: Expr) -> Expr:
    """A frame of two vectors and what is normal to both."""
    return _frame("from_cols")(al, rng, leaf(a), leaf(b), _cross(al, rng, a, b))


def _conjugate(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    return al.do("mmul", al.do("mmul", leaf(a), b), al.do("transpose", a))


def _nudge(al: Algebra, _: Stream, m: Expr, x: Expr) -> Expr:
    identity = Expr("identity", "m", m.type, TRUTH)
    scaled = al.do("mscale", identity, x)
    return al.do("madd", m, scaled)


def _vector_of(al: Algebra, rng: Stream, *parts: Expr) -> Expr:
    """A vector put together from scalars, with at most one component of zero."""
    if not al.length - 1 <= len(parts) <= al.length or len(parts) < 2:
        raise Discard("vector")
    values = [*parts, *[al.literal(0.0)] * (al.length - len(parts))]
    return al.make(*rng.shuffled(values))


def _fixed(al: Algebra, rng: Stream, like: Expr, *, unit: bool) -> Expr:
    """A vector of numbers: an axis, or a shift along one."""
    size = 1.0 if unit else rng.pick((0.5, 1.0, 0.1, 2.0, 0.25, 9.81))
    values = [0.0] * like.type.length  # type: ignore[union-attr]
    values[rng.below(len(values))] = size if rng.chance(0.75) else -size
    return al.make(*[al.literal(value) for value in values])


def _along(al: Algebra, rng: Stream, v: Expr) -> Expr:
    return al.do("dot", v, _fixed(al, rng, v, unit=True))


def _moved(al: Algebra, rng: Stream, v: Expr) -> Expr:
    return al.do(rng.pick(("vadd", "vsub")), v, _fixed(al, rng, v, unit=False))


def _around(al: Algebra, rng: Stream, v: Expr) -> Expr:
    if v.type.length != 3:  # type: ignore[union-attr]
        raise Discard("around")
    axis = _fixed(al, rng, v, unit=True)
    return al.do("cross", *((axis, v) if rng.chance(0.5) else (v, axis)))


COMPOSITE_MOVES: Moves = {
    "ff": ((0.4, _vector_of),),
    "fff": ((4.0, _vector_of),),
    "v": (
        (3, _vector_scale), (1.8, _unary("normalize")), (0.2, _bare("vabs")), (0.5, _bare("vneg")), (3,
        _unary("length")),
        (0.25, _unary("vsign")), (0.5, _unary("vlow")), (0.5, _unary("vhigh")), (0.25, _which("argmin")),
        (0.3, _which("argmax")), (0.3, _norm("norm_l1")), (0.3, _norm("norm_l2")), (0.2, _reals("norm_huber")),
        (0.2, _reals("norm_pseudo_huber")), (0.2, _reals("smooth_normalize")), (0.3, _skew), (0.3, _unary("diag")),
        (1.5, _unary("length_sq")), (2.5, _component), (1.5, _self_dot), (0.8, _component_sum), (1, _safe_unit),
        (1.6, _along), (0.8, _moved), (0.6, _around),
    ),
    "vv": (
        (5, _binary("vadd")), (6, _binary("vsub")), (2, _binary("cw_mul")), (0.5, _ratios), (3, _cross),
        (0.8, _binary("vmin")),
        (0.8, _binary("vmax")), (5, _binary("dot")), (3, _gap), (1, _gap_squared), (2, _toward), (1.2, _cosine),
        (1, _reflect), (0.8, _reject), (1, _midpoint), (0.6, _norm_gap), (0.25, _skewed), (0.25, _axes),
    ),
    "vf": (
        (5, _pair("vscale")), (1.5, _pair("vdiv")), (1, _resize), (1.2, _excess("sub")), (1.2, _excess("mul")), (0.6,
        _excess("max")),
        (0.6, _excess("div")), (1.2, _falloff), (1.6, _part), (0.8, _shorten), (1.2, _plane_turn),
    ),
    "vvf": ((4, _step("vadd")), (3, _step("vsub")), (2, _vector_blend), (2, _pull)),
    "vff": ((3, _two_factors("mul")), (1, _two_factors("div")), (1, _two_factors("add")), (1.5, _two_factors("sub")),
        (2, _spring), (1.2, _assemble)),
    "m": (
        (2, _unary("transpose")), (1.5, _unary("determinant")), (1.5, _unary("trace")), (2, _inverse), (1,
        _stable_determinant),
        (1.5, _element), (1.5, _gram), (1, _symmetric), (0.7, _unary("get_diag")),
    ),
    "mm": ((4, _pair("mmul")), (3, _binary("madd")), (2.5, _binary("msub")), (1, _binary("ddot")), (0.6, _conjugate),
        (0.6, _binary("mcw_mul"))),
    "vvv": ((0.5, _frame("from_rows")), (0.8, _frame("from_cols"))),
    "mv": ((6, _pair("mvmul")), (2, _back_rotate), (1.5, _quadratic_form), (1.5, _solve)),
    "mf": ((3, _pair("mscale")), (1, _nudge)),
    "mvv": ((3, _affine), (1, _rank_one), (1.5, _bilinear)),
}  # fmt: skip
"""Weights and moves for each sequence of operand kinds."""

WIDE_MOVES: Moves = {
    "v": (
        (3, _vector_scale), (1.5, _unary("normalize")), (0.6, _bare("vabs")), (0.5, _bare("vneg")), (3,
        _unary("length")),
        (0.8, _unary("vlow")), (0.8, _unary("vhigh")), (0.4, _which("argmin")), (0.5, _which("argmax")),
        (0.8, _norm("norm_l1")), (0.6, _norm("norm_l2")), (1.5, _unary("length_sq")), (3, _component), (1.5, _self_dot),
        (1, _safe_unit),
    ),
    "vv": (
        (5, _binary("vadd")), (6, _binary("vsub")), (3, _binary("cw_mul")), (0.8, _binary("vmin")),
        (0.8, _binary("vmax")), (6, _binary("dot")), (3, _gap), (2, _gap_squared), (1.5, _toward), (2, _cosine),
        (1, _midpoint), (0.6, _norm_gap),
    ),
    "vf": ((5, _pair("vscale")), (1.5, _pair("vdiv"))),
    "vvf": ((4, _step("vadd")), (3, _step("vsub")), (3, _vector_blend), (2, _pull)),
    "vff": ((3, _two_factors("mul")), (1, _two_factors("add")), (1.5, _two_factors("sub"))),
}  # fmt: skip
"""The same for vectors longer than four, from which no matrices are made."""
