"""Phases with ``while``: searches that converge, counts that run down, and marches of a fixed step."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import exactly, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands
from irsmith.synth.ir import Assign, Expr, If, Span, Stmt, While
from irsmith.synth.probe import Lanes
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32

_COUNTS = ("steps", "iters", "it", "count", "n_steps", "k")


def while_phase(s: Sketch) -> None:
    """One ``while`` loop; its results are in scope afterwards."""
    wholes = any(value.kind == "i" and value.span.low >= 0 and value.span.high >= 8 for value in s.pool)
    phase = s.rng.pick(
        (_digits, _collatz, _euclid) if wholes and s.rng.chance(0.5) else (_root, _halving, _march, _march, _settling)
    )
    phase(s)


def _number(value: Expr, held: float) -> Expr:
    return Expr("literal", value.kind, value.type, exactly(held), (), "", held)


def _start(s: Sketch, wishes: tuple[str, ...], start: Expr) -> Expr:
    target = variable(s.names.claim(s.names_free(wishes)), start.type, start.span)
    s.probe.weights = {}
    if start.op not in {"mutable", "literal"}:
        s.probe.check(start)
    weights = s.probe.weights
    s.emit(Assign(target, start))
    s.settle(target.name, s.probe.of(start))
    s.probe.weights = weights
    return target


def _mutable(kind: str, value: float, s: Sketch) -> Expr:
    return Expr("mutable", kind, s.al.real if kind == "f" else INT32, exactly(value), (), "", value)


def _positive(s: Sketch, low: float, high: float) -> Expr:
    """A value between bounds, pushed there where it is not.

    Raises:
        Discard: None is near.
    """
    values = [value for value in s.pool if value.kind == "f" and value.span.low >= low and value.span.high <= high]
    if values:
        value = s.rng.pick(values)
        s.read(value)
        return value
    value = operands(s, 1, "f")[0]
    if value.span.high > high - 1 or value.span.low < -high + 1:
        raise Discard("positive")
    value = s.al.do("abs", value) if value.span.low < 0 else value
    return s.define(s.al.do("add", value, s.al.literal(s.rng.pick((0.5, 1.0)))))


def _adopt(s: Sketch, target: Expr, span: Span, lanes: Lanes) -> None:
    s.settle(target.name, lanes)
    s.rebind(target, span)


def _root(s: Sketch) -> None:
    """Newton's iteration for a square root, until it is near or has run long enough."""
    al, rng = s.al, s.rng
    a = _positive(s, 0.2, 20.0)
    lanes = s.probe.of(a)
    s.note("newton iteration", "refine the root")
    x = _start(s, ("x_n", "guess", "root", "x_est"), a if a.op == "name" and rng.chance(0.6) else _mutable("f", 1.0, s))
    s.probe.weights = {**s.probe.influence.get(a.name, {a.name: 1.0})}
    count = _start_count(s)
    # The step is legal because the guess stays positive.
    quotient = Expr("div", "f", al.real, a.span, (a, x))
    step = Assign(
        x, Expr("mul", "f", al.real, a.span, (al.literal(0.5), Expr("add", "f", al.real, a.span, (x, quotient))))
    )
    limit = al.compare("lt", count, whole(rng.pick((4, 6, 8, 10))))
    if rng.chance(0.6):
        error = Expr(
            "abs",
            "f",
            al.real,
            a.span,
            (Expr("sub", "f", al.real, a.span, (Expr("square", "f", al.real, a.span, (x,)), a)),),
        )
        far = al.compare("gt", error, al.literal(rng.pick((1e-2, 1e-3))))
        limit = al.connect("both", far, limit) if rng.chance(0.5) else al.connect("both", limit, far)
    s.emit(While(limit, (step, Assign(count, whole(1), "add"))))
    s.budget -= 2
    _adopt(s, x, usual(min(0.4, a.span.low**0.5), max(2.0, a.span.high)), np.sqrt(lanes))


def _start_count(s: Sketch) -> Expr:
    target = variable(s.names.claim(s.names_free(_COUNTS)), INT32, Span(0, 64, 2, 6))
    s.emit(Assign(target, _mutable("i", 0, s)))
    return target


def _halving(s: Sketch) -> None:
    """Divide until small, and count how often."""
    al, rng = s.al, s.rng
    a = _positive(s, 0.1, 200.0)
    limit = s.cutoff(a)
    if limit.value < 0.1:
        raise Discard("halving")
    lanes = s.probe.of(a)
    s.note("reduce to range", "count the octaves")
    x = _start(s, ("rem", "x_red", "scale_val", "remaining"), a)
    weights = s.probe.influence.get(a.name, {a.name: 1.0})
    count = _start_count(s)
    rate = rng.pick((0.5, 0.5, 0.7, 0.8))
    body: list[Stmt] = [Assign(x, al.literal(rate), "mul"), Assign(count, whole(1), "add")]
    s.emit(While(al.compare("gt", x, limit), tuple(body)))
    s.budget -= 2
    times = np.maximum(0.0, np.ceil(np.log(lanes / limit.value) / -np.log(rate)))
    s.probe.weights = dict(weights)
    most = float(np.ceil(np.log(max(a.span.high / limit.value, 1.0)) / -np.log(rate)))
    _adopt(s, x, usual(min(a.span.low, limit.value * rate), limit.value), lanes * rate**times)
    s.settle(count.name, times)
    s.add(count._replace(span=usual(0, max(1.0, most))))


def _march(s: Sketch) -> None:
    """Sum a function along a line, in steps of a fixed size."""
    al, rng = s.al, s.rng
    step = rng.pick((0.1, 0.25, 0.2, 0.5))
    far = step * rng.pick((4, 6, 8, 10, 12))
    s.note("march along", "integrate in steps")
    total = _start(s, ("acc", "integral", "accum", "transmit"), _mutable("f", 0.0, s))
    t = _start(s, ("t", "dist_t", "time_t", "depth_t", "pos_t"), _mutable("f", 0.0, s))
    t = t._replace(span=usual(0.0, far))
    s.probe.values[t.name] = s.probe.of(Expr("name", "f", al.real, usual(0.0, far), (), t.name + " in the loop"))
    spans: list[Span] = []

    def fill() -> None:
        s.probe.influence[t.name] = {t.name: 1.0}
        outside = operands(s, 1, "f", fresh=0.7)
        value = grow(s, [t, *outside], rng.pick((1, 2, 2)), "f")
        if rng.chance(0.4) and s.budget > 5:
            value = s.define(value, keep=False)
            value = grow(s, [value], 1, "f")
        term = al.do("mul", value, al.literal(step))
        lanes = s.probe.check(term)
        s.emit(Assign(total, term, "add"))
        s.settle(total.name, lanes * (far / step * 0.7))
        s.emit(Assign(t, al.literal(step), "add"))
        count = far / step
        low, high, near, far_end = term.span
        spans.append(Span(min(0.0, count * low), max(0.0, count * high), count * near, count * far_end))

    s.probe.looping += 1
    body = s.block(fill)
    s.probe.looping -= 1
    # Rounding must not decide on one step more or less.
    bound = al.literal(round(far - step / 2, 3))
    if max(-spans[0].low, spans[0].high) > 150.0:
        raise Discard("march")
    s.emit(While(al.compare("lt", t, bound), body))
    s.rebind(total, spans[0])


def _settling(s: Sketch) -> None:
    """Repeat a damped step while it is still moving, up to a number of times."""
    al, rng = s.al, s.rng
    goal = operands(s, 1, "f", fresh=0.8)[0]
    if max(-goal.span.low, goal.span.high) > 100.0:
        raise Discard("settling")
    lanes = s.probe.of(goal)
    start = _mutable("f", 0.0, s)
    x = _start(s, ("x_k", "est", "state", "level", "y_k"), start)
    count = _start_count(s)
    rate = al.literal(rng.pick((0.5, 0.25, 0.3)))
    gap = Expr("sub", "f", al.real, goal.span, (goal, x))
    test = al.compare("gt", Expr("abs", "f", al.real, goal.span, (gap,)), al.literal(rng.pick((0.1, 0.05, 0.2))))
    limit = al.compare("lt", count, whole(rng.pick((6, 8, 10, 12))))
    step = Assign(x, Expr("mul", "f", al.real, goal.span, (rate, gap) if rng.chance(0.5) else (gap, rate)), "add")
    s.emit(While(al.connect("both", test, limit), (step, Assign(count, whole(1), "add"))))
    s.budget -= 2
    s.probe.weights = dict(s.probe.influence.get(goal.name, {goal.name: 1.0}))
    low, high = min(0.0, goal.span.low), max(0.0, goal.span.high)
    _adopt(s, x, Span(low, high, goal.span.usual_low * 0.9, goal.span.usual_high * 0.9), lanes * 0.95)


def _whole_value(s: Sketch) -> Expr:
    values = [value for value in s.pool if value.kind == "i" and value.span.low >= 0 and value.span.high >= 8]
    if not values:
        raise Discard("whole")
    value = s.rng.pick(values)
    s.read(value)
    return value


def _digits(s: Sketch) -> None:
    """Fold the digits of an integer, in some base."""
    rng = s.rng
    value = _whole_value(s)
    base = rng.pick((2, 10, 2, 4))
    n = _start(s, ("n_left", "bits_left", "rest", "num"), value)
    kind = Expr("mutable", "i", value.type, exactly(0), (), "", 0)
    total = _start(s, ("bits", "digit_sum", "ones", "parity"), kind)
    span = value.span
    digit = (
        Expr("and", "i", value.type, span, (n, _number(value, 1)))
        if base == 2 and rng.chance(0.6)
        else Expr("rem", "i", value.type, span, (n, _number(value, base)))
    )
    shrink = (
        Assign(n, Expr("shr", "i", value.type, span, (n, _number(value, 1))))
        if base == 2 and rng.chance(0.6)
        else Assign(n, _number(value, base), "floordiv")
    )
    s.emit(While(s.al.compare("gt", n, _number(value, 0)), (Assign(total, digit, "add"), shrink)))
    s.budget -= 2
    lanes = np.zeros_like(s.probe.of(value))
    left = s.probe.of(value).copy()
    for _ in range(40):
        lanes += np.fmod(left, base)
        left = np.floor_divide(left, base)
    s.probe.weights = dict(s.probe.influence.get(value.name, {value.name: 1.0}))
    most = (base - 1) * len(np.base_repr(int(value.span.high), base))
    _adopt(s, total, usual(0, most), lanes)


def _collatz(s: Sketch) -> None:
    """Follow the Collatz sequence for a number of steps."""
    rng, al = s.rng, s.al
    value = _whole_value(s)
    if value.span.high > 300 or value.type.name not in {"int32", "int64"}:  # type: ignore[union-attr]
        raise Discard("collatz")
    n = _start(s, ("n_cur", "num", "seq"), value)
    count = _start_count(s)
    most = rng.pick((8, 10, 12, 16))
    span, one = value.span, _number(value, 1)
    even = al.compare("eq", Expr("rem", "i", value.type, span, (n, _number(value, 2))), _number(value, 0))
    half = Assign(n, Expr("floordiv", "i", value.type, span, (n, _number(value, 2))))
    grown = Assign(
        n, Expr("add", "i", value.type, span, (Expr("mul", "i", value.type, span, (_number(value, 3), n)), one))
    )
    test = al.connect("both", al.compare("gt", n, one), al.compare("lt", count, whole(most)))
    s.emit(While(test, (If(even, (half,), (grown,)), Assign(count, whole(1), "add"))))
    s.budget -= 5
    current = s.probe.of(value).copy()
    steps = np.zeros_like(current)
    for _ in range(most):
        going = current > 1
        steps += going
        current = np.where(going, np.where(np.fmod(current, 2) == 0, current // 2, 3 * current + 1), current)
    s.probe.weights = dict(s.probe.influence.get(value.name, {value.name: 1.0}))
    s.settle(count.name, steps)
    s.add(count._replace(span=usual(0, most)))


def _euclid(s: Sketch) -> None:
    """The greatest common divisor of two integers."""
    rng = s.rng
    first = _whole_value(s)
    others = [
        value
        for value in s.pool
        if value.kind == "i" and value.type is first.type and value != first and value.span.low >= 0
    ]
    second = rng.pick(others) if others else _number(first, rng.pick((12, 18, 24, 30, 36)))
    if others:
        s.read(second)
        a = _start(s, ("a_n", "g", "gcd"), second)
    else:
        # One number against a fixed one.
        a = _start(
            s, ("a_n", "g", "gcd"), Expr("mutable", "i", first.type, exactly(second.value), (), "", second.value)
        )
    b = _start(s, ("b_n", "r_n", "other"), first)
    held = variable(s.names.claim(s.names_free(("tmp", "r", "t_n"))), first.type, first.span)
    body = (Assign(held, Expr("rem", "i", first.type, first.span, (a, b))), Assign(a, b), Assign(b, held))
    s.emit(While(s.al.compare("ne", b, _number(first, 0)), body))
    s.budget -= 3
    x, y = np.broadcast_arrays(s.probe.of(second), s.probe.of(first))
    lanes = np.gcd(x.astype(np.int64), y.astype(np.int64)).astype(np.float64)
    weights = dict(s.probe.influence.get(first.name, {first.name: 1.0}))
    s.probe.weights = weights
    _adopt(s, a, usual(0, max(first.span.high, second.span.high)), lanes)
