"""Accumulators: how each form starts, how a trip changes it, and where it ends up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from irsmith.synth.algebra import exactly, union, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow
from irsmith.synth.ir import Assign, Expr, If, Jump, Span
from irsmith.synth.phases.branches import condition, fork
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32

_SUMS = ("acc", "total", "s", "sum_val", "accum", "running")

# Forms whose result hardly depends on the number of trips.
FORGETFUL = frozenset({"max", "min", "decay", "squash", "relax", "horner"})


class Trip(NamedTuple):
    """A loop's counter and bounds.

    Attributes:
        counter: The counter in the body.
        stop: The bound in ``range``.
        most: The largest number of trips.
        least: The smallest number of trips.
    """

    counter: Expr
    stop: Expr
    most: int
    least: int


def start(s: Sketch, form: str, most: int) -> Expr:
    """Declare an accumulator."""
    rng, al = s.rng, s.al
    text = s.names_free(_SUMS)
    if form == "vsum":
        type = s.array_type("v")[0]
        zero = Expr("mutable", "v", type, exactly(0.0), (), "", 0.0)
        return _declare(s, text, zero)
    if form in {"count", "guarded"}:
        if form == "count":
            text = s.names_free(("count", "hits", "n_above", "num_active"))
            return _declare(s, text, Expr("mutable", "i", INT32, exactly(0), (), "", 0))
        return _declare(s, text, Expr("mutable", "f", al.real, exactly(0.0), (), "", 0.0))
    if form in {"max", "min"}:
        text = s.names_free(
            ("best", "peak", "largest", "top") if form == "max" else ("best", "nearest", "smallest", "lowest")
        )
        first = rng.pick((-100.0, -50.0)) if form == "max" else rng.pick((100.0, 50.0))
        return _declare(s, text, Expr("mutable", "f", al.real, exactly(first), (), "", first))
    if form == "product":
        text = s.names_free(("prod", "product", "scale_acc", "survival"))
        return _declare(s, text, Expr("mutable", "f", al.real, exactly(1.0), (), "", 1.0))
    if form == "horner":
        text = s.names_free(("poly", "p_val", "series"))
    elif form != "sum":
        text = s.names_free(("state", "h", "x_new", "level", "ema", "memory"))
    scalars = [value for value in s.pool if value.kind == "f"]
    if form != "horner" and most <= 4 and scalars and rng.chance(0.3 if form == "sum" else 0.7):
        value = rng.pick(scalars)
        s.read(value)
        target = variable(s.names.claim(text), al.real, value.span)
        s.emit(Assign(target, value))
        s.settle(target.name, s.probe.check(value))
        return target
    return _declare(s, text, Expr("mutable", "f", al.real, exactly(0.0), (), "", 0.0))


def _declare(s: Sketch, text: str, first: Expr) -> Expr:
    target = variable(s.names.claim(text), first.type, first.span)
    s.emit(Assign(target, first))
    s.probe.weights = {}
    s.settle(target.name, s.probe.of(first))
    return target


def _term(s: Sketch, kind: str, extra: int = 1) -> Expr:
    """One value from everything unread in the body and perhaps something from outside."""
    values = list(s.fresh)
    for value in values:
        s.read(value)
    others = [value for value in s.pool if value.kind == kind and value not in values]
    if others and s.rng.chance(0.5):
        other = s.rng.pick(others)
        s.read(other)
        values.append(other)
    if not values:
        raise Discard("term")
    return grow(s, values, max(len(values) - 1, s.rng.below(extra + 1 + int(s.style.weight > 2))), kind)


def feed(s: Sketch, form: str, kind: str, target: Expr, turns: Trip) -> Span:
    """Emit the statement that changes the accumulator; its span after the loop.

    Lanes after the loop are estimated: what one trip shows, carried as far as the form carries it.
    """
    if form in {"count", "guarded"}:
        return _feed_guarded(s, form, target, turns)
    term = _term(s, kind)
    if form == "product":
        term = _near_one(s, term)
    lanes = s.probe.check(term)
    mean = lanes.mean(axis=0)
    most = turns.most
    span = _FEEDS[form](s, target, term, turns)
    _fits(s, span)
    if form in {"sum", "vsum"}:
        lanes = s.probe.of(target) + most * (mean + 0.6 * (lanes - mean))
    elif form == "product":
        lanes = np.abs(lanes) ** (0.7 * most)
    elif form in {"max", "min"}:
        turned = np.roll(lanes, 5)
        lanes = np.maximum(lanes, turned) if form == "max" else np.minimum(lanes, turned)
    elif form == "decay":
        lanes = lanes * 1.5 + s.probe.of(target) * 0.2
    elif form == "squash":
        lanes = np.tanh(lanes + 0.3 * s.probe.of(target))
    elif form == "relax":
        lanes = 0.4 * s.probe.of(target) + 0.6 * lanes
    s.settle(target.name, lanes)
    return span


def _sum(s: Sketch, target: Expr, term: Expr, turns: Trip) -> Span:
    word = s.rng.pick(("add",) * 12 + ("sub",))
    sign = 1.0 if word == "add" else -1.0
    low, high = sorted((sign * term.span.low, sign * term.span.high))
    near, far = sorted((sign * term.span.usual_low, sign * term.span.usual_high))
    most, least = turns.most, turns.least
    before = target.span
    _change(s, target, term, "v" + word if target.kind == "v" else word)
    return Span(
        before.low + min(least * low, most * low, 0.0),
        before.high + max(least * high, most * high, 0.0),
        before.usual_low + min(least * near, most * near),
        before.usual_high + max(least * far, most * far),
    )


def _extreme(s: Sketch, target: Expr, term: Expr, _: Trip) -> Span:
    form = "max" if target.span.low < 0.0 else "min"
    if term.span.low < -45.0 or term.span.high > 45.0:
        raise Discard(form)
    if s.rng.chance(0.6):
        s.emit(Assign(target, Expr(form, "f", s.al.real, term.span, (target, term))))
        return term.span
    value = term if term.op == "name" else s.define(term, keep=False)
    s.emit(If(s.al.compare("gt" if form == "max" else "lt", value, target), (Assign(target, value),)))
    s.budget -= 1
    return term.span


def _near_one(s: Sketch, term: Expr) -> Expr:
    """A factor that can be multiplied up."""
    al = s.al
    low, high = term.span.low, term.span.high
    if low >= 0.2 and high <= 1.7:
        return term
    size = max(-low, high)
    if size > 4.0:
        raise Discard("product")
    rate = next(rate for rate in (0.5, 0.25, 0.1) if size * rate <= 0.7 or rate == 0.1)
    return al.do("add", al.literal(1.0), al.do("mul", al.literal(rate), term))


def _product(s: Sketch, target: Expr, term: Expr, turns: Trip) -> Span:
    low, high, near, far = term.span
    most, least = turns.most, turns.least
    bounds = (low**least, low**most, high**least, high**most)
    _change(s, target, term, "mul")
    return Span(min(bounds), max(bounds), min(near**least, near**most), max(far**least, far**most))


def _decay(s: Sketch, target: Expr, term: Expr, _: Trip) -> Span:
    rng, al = s.rng, s.al
    low, high, near, far = term.span
    before = target.span
    rate = rng.pick((0.5, 0.9, 0.8, 0.25, 0.75))
    bound = max(-low / (1.0 - rate), high / (1.0 - rate), -before.low, before.high)
    span = Span(
        -bound if low < 0 or before.low < 0 else 0.0,
        bound,
        near / (1.0 - rate) * 0.5,
        far / (1.0 - rate) * 0.8,
    )
    held = Expr("mul", "f", al.real, span, (target, al.literal(rate)))
    if rng.chance(0.35):
        held = held._replace(args=(al.literal(rate), target))
        term = Expr("mul", "f", al.real, term.span, (al.literal(round(1.0 - rate, 2)), term))
    s.emit(Assign(target, Expr("add", "f", al.real, span, (held, term))))
    return span


def _horner(s: Sketch, target: Expr, term: Expr, turns: Trip) -> Span:
    al = s.al
    low, high = term.span.low, term.span.high
    scalars = [
        value
        for value in s.pool
        if value.kind == "f" and value.op in {"name", "index"} and max(-value.span.low, value.span.high) <= 1.5
    ]
    if not scalars:
        raise Discard("horner")
    x = s.rng.pick(scalars)
    s.read(x)
    base = max(-x.span.low, x.span.high)
    bound = max(-low, high) * sum(base**power for power in range(turns.most))
    span = Span(-bound, bound, -bound / 4, bound / 4) if low < 0 or x.span.low < 0 else Span(0.0, bound, low, bound / 2)
    product = Expr("mul", "f", al.real, span, (target, x))
    s.emit(Assign(target, Expr("add", "f", al.real, span, (product, term))))
    return span


def _squash(s: Sketch, target: Expr, term: Expr, _: Trip) -> Span:
    rng, al = s.rng, s.al
    if max(-term.span.low, term.span.high) > 3.0:
        raise Discard("squash")
    rate = rng.pick((0.5, 0.8, 0.9, 1.0))
    held = target if rate == 1.0 else Expr("mul", "f", al.real, target.span, (al.literal(rate), target))
    argument = Expr("add", "f", al.real, term.span, (held, term))
    span = Span(min(-1.0, target.span.low), max(1.0, target.span.high), -0.7, 0.7)
    s.emit(Assign(target, Expr(rng.pick(("tanh", "tanh", "sin")), "f", al.real, span, (argument,))))
    return span


def _relax(s: Sketch, target: Expr, term: Expr, _: Trip) -> Span:
    rng, al = s.rng, s.al
    rate = al.literal(rng.pick((0.5, 0.1, 0.25, 0.2)))
    gap = Expr("sub", "f", al.real, term.span, (term, target))
    step = Expr("mul", "f", al.real, term.span, (rate, gap) if rng.chance(0.5) else (gap, rate))
    _change(s, target, step, "add")
    return union(target.span, term.span)


_FEEDS = {
    "sum": _sum, "vsum": _sum, "max": _extreme, "min": _extreme, "product": _product, "decay": _decay,
    "horner": _horner, "squash": _squash, "relax": _relax,
}  # fmt: skip


def _change(s: Sketch, target: Expr, value: Expr, word: str) -> None:
    if s.rng.chance(max(0.3, s.style.augmented)):
        s.emit(Assign(target, value, word))
    else:
        s.emit(Assign(target, Expr(word, target.kind, target.type, value.span, (target, value))))


def _feed_guarded(s: Sketch, form: str, target: Expr, turns: Trip) -> Span:
    """Change an accumulator only for elements that pass a test."""
    rng = s.rng
    values = list(s.fresh)
    test = condition(s, simple=rng.chance(0.7))
    holds = s.probe.test(test)
    most = turns.most
    if form == "count":
        if s.fresh:
            raise Discard("count")
        s.emit(If(test, (Assign(target, whole(1), "add"),)))
        s.budget -= 1
        s.probe.weights = dict.fromkeys(sorted(_names(test)), 0.5)
        s.settle(target.name, np.round(holds * (most * 0.5) + np.roll(holds, 7) * (most * 0.4)))
        return Span(0, most, most // 4, max(most // 4 + 1, 3 * most // 4))
    candidates = [value for value in values if value.kind == "f"]
    if not candidates:
        raise Discard("guarded")
    leftover = list(s.fresh)
    terms: list[Expr] = []

    def fill() -> None:
        mine = leftover or [rng.pick(candidates)]
        for value in mine:
            s.read(value)
        term = grow(s, mine, rng.pick((1, 2, 2)), "f")
        terms.append(term)
        lanes = s.probe.check(term)
        _change(s, target, term, "add")
        s.settle(target.name, lanes * (0.6 * most))

    if rng.chance(0.2) and not leftover:
        # Skip what passes, and go on with the others.
        s.emit(If(test, (Jump("continue"),)))
        s.budget -= 1
        fill()
    else:
        fork(s, test, fill)
    low, high, near, far = terms[0].span
    span = Span(min(0.0, most * low), max(0.0, most * high), min(0.0, near) * most / 2, max(0.0, far) * most / 2)
    _fits(s, span)
    return span


def _names(value: Expr) -> set[str]:
    """The names that an expression reads."""
    names = {value.name} if value.op in {"name", "index"} else set()
    return names.union(*[_names(arg) for arg in value.args]) if value.args else names


def _fits(s: Sketch, span: Span) -> None:
    """Refuse results beyond the number type's comfort.

    Raises:
        Discard: The span is too wide or too narrow.
    """
    limit = {"float16": 200.0, "float32": 2e4, "float64": 1e6}[s.al.real.name]
    if span.low < -limit or span.high > limit or span.usual_high - span.usual_low < 1e-3:
        raise Discard("span")
