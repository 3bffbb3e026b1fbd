"""Phases that loop: accumulations, recurrences and searches, with bounds known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, union, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.choice import Choice
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow
from irsmith.synth.ir import Assign, Expr, For, If, Jump, Span, Stmt, While
from irsmith.synth.phases import straight
from irsmith.synth.phases.branches import condition, fork
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32, Domain

_COUNTERS = ("j", "k", "m", "l", "jj", "kk", "step", "it")
_BOUNDS = ("n", "num", "count", "n_iter", "steps", "num_neighbors", "width", "n_terms", "order")
_LOOP_NOTES = (
    "accumulate over the row",
    "loop over neighbors",
    "sum the contributions",
    "iterate",
    "sweep the row",
    "gather contributions",
)
_SUMS = ("acc", "total", "s", "sum_val", "accum", "running")

_FORMS = Choice((
    ("sum", 9.0), ("vsum", 3.0), ("max", 1.6), ("min", 1.2), ("product", 1.0), ("decay", 1.8), ("horner", 1.0), ("squash", 1.2),
    ("relax", 1.2), ("count", 1.5), ("guarded", 2.0),
))  # fmt: skip


# Forms whose result hardly depends on the number of trips.
_FORGETFUL = frozenset({"max", "min", "decay", "squash", "relax", "horner"})


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


def trip(s: Sketch, most: int = 0, *, fixed: bool = False) -> Trip:
    """Choose a counter and how the loop is bounded: a number, an argument, or an array's extent (set later)."""
    rng = s.rng
    most = most or rng.pick((2, 3, 4, 4, 5, 6, 8, 8, 10, 12, 16, 20))
    wish = next((name for name in (rng.pick(_COUNTERS[:3]), *_COUNTERS) if name not in s.names.taken), "jj")
    counter = variable(s.names.claim(wish), INT32, Span(0, most - 1, most // 4, max(most // 4, (3 * most) // 4)))
    # To the threads of a launch a counter is what an argument is: the same for all.
    s.probe.argument(counter)
    if not fixed and rng.chance(0.5):
        least = max(1, most // 2)
        text = s.names.free(_BOUNDS, rng)
        s.arguments.append(Argument(text, INT32, 0, Direction.IN, (), Domain(least, most)))
        stop = variable(text, INT32, Span(least, most, least, most))
        s.probe.argument(stop)
        return Trip(counter, stop, most, least)
    return Trip(counter, whole(most), most, most)


def element(s: Sketch, counter: Expr, most: int, kind: str) -> Expr:
    """An element of a new input array that the loop walks: this thread's row, or one that all threads share."""
    rng = s.rng
    type, (quantity, low, high) = s.array_type(kind)
    coords, extents = s.coords, s.extents
    roll = rng.random()
    if len(coords) == 1:
        if roll < 0.7:
            subscripts, shape = (coords[0], counter), (extents[0], most)
        else:
            subscripts, shape = (counter,), (most,)
    elif roll < 0.4:
        subscripts, shape = (coords[0], counter), (extents[0], most)
    elif roll < 0.75:
        subscripts, shape = (counter, coords[-1]), (most, extents[-1])
    else:
        subscripts, shape = (counter,), (most,)
    integral = kind == "i"
    domain = Domain(int(low), int(high)) if integral else Domain(low, high)
    made = s.array(s.array_name(quantity), type, shape, domain)._replace(args=subscripts)
    if len(subscripts) == 1:
        s.probe.shared.add(made.name)
    return made


def loop(s: Sketch, body_room: int = 2) -> None:
    """One loop with an accumulator or a recurrence; its results are in scope afterwards."""
    form = _FORMS.draw(s.rng)
    if form == "vsum" and not any(value.kind == "v" for value in s.pool):
        form = "sum"
    turns = trip(s, fixed=form in _FORGETFUL)
    s.note(*_LOOP_NOTES)
    accumulate(s, form, turns, body_room)


def accumulate(
    s: Sketch,
    form: str,
    turns: Trip,
    body_room: int,
    inner: Callable[[], Expr] | None = None,
    each: Callable[[Expr], None] | None = None,
    exclusive: bool = False,
) -> Expr:
    """Emit an accumulator, the loop that feeds it, and bring the result into scope.

    Args:
        s: The kernel in the making.
        form: How the accumulator changes.
        turns: The loop's counter and bounds.
        body_room: How many intermediate values the body may have.
        inner: Makes the value that is accumulated, where it is not an array's element.
        each: Emits what is done with the accumulator in every trip.
        exclusive: Whether ``each`` comes before the change, not after it.
    """
    rng, al = s.rng, s.al
    kind = "v" if form == "vsum" else "f"
    target = _start(s, form, kind, turns.most)
    spans: list[Span] = []
    stop = turns.stop
    shared: list[Expr] = []

    def fill() -> None:
        nonlocal stop
        if inner is not None:
            s.add(inner())
        else:
            for _ in range(rng.pick((1, 1, 1, 2))):
                loaded = element(s, turns.counter, turns.most, kind if rng.chance(0.9) else "f")
                shared.append(loaded)
                if rng.chance(s.style.locals * 0.7):
                    s.define(
                        loaded,
                        s.names_free(
                            (loaded.name[0].lower() + "_" + turns.counter.name, "val", "item", "cur", "xj", "elem")
                        ),
                    )
                else:
                    s.add(loaded)
            if turns.stop.op == "literal" and rng.chance(0.3):
                owner = shared[0]
                axis = next(axis for axis, index in enumerate(owner.args) if index == turns.counter)
                stop = Expr("extent", "i", INT32, exactly(turns.most), (), owner.name, axis)
        # In a loop that Warp unrolls, a converted counter would be a number.
        if rng.chance(0.15) and (al.real is FLOAT32 or turns.stop.op == "name"):
            s.add(al.cast(turns.counter, al.real))
        room = min(body_room, max(0, s.budget // 4))
        if room > 0:
            straight.temps(s, rng.below(room + 1))
        if each is not None and exclusive:
            each(target)
        spans.append(_feed(s, form, kind, target, turns))
        if each is not None and not exclusive:
            each(target)

    s.probe.looping += 1
    body = s.block(fill)
    s.probe.looping -= 1
    if rng.chance(0.12) and form in {"sum", "decay", "product", "max"}:
        limit = s.cutoff(target)
        body = (*body, If(al.compare("gt", target, limit), (Jump("break"),)))
        spans[0] = union(spans[0], exactly(target.span.low))
        s.budget -= 2
    _emit_loop(s, turns, stop, body)
    return s.rebind(target, spans[0])


def _emit_loop(s: Sketch, turns: Trip, stop: Expr, body: tuple[Stmt, ...]) -> None:
    """A counted loop, now and then written with ``while``."""
    if s.rng.chance(0.08):
        zero = Expr("mutable", "i", INT32, exactly(0), (), "", 0)
        s.body.insert(len(s.body), Assign(turns.counter, zero))
        test = s.al.compare("lt", turns.counter, stop)
        step = Assign(turns.counter, whole(1), "add")
        s.budget -= 2
        s.emit(While(test, (*body, step)))
        return
    s.emit(For(turns.counter.name, None, stop, None, body))


def _start(s: Sketch, form: str, kind: str, most: int) -> Expr:
    """Declare an accumulator."""
    rng, al = s.rng, s.al
    text = s.names_free(_SUMS)
    if form == "vsum":
        type = s.array_type("v")[0]
        zero = Expr("mutable", "v", type, exactly(0.0), (), "", 0.0)
        return _declare(s, text, zero)
    if form == "count" or form == "guarded":
        if form == "count":
            text = s.names_free(("count", "hits", "n_above", "num_active"))
            return _declare(s, text, Expr("mutable", "i", INT32, exactly(0), (), "", 0))
        return _declare(s, text, Expr("mutable", "f", al.real, exactly(0.0), (), "", 0.0))
    if form in {"max", "min"}:
        text = s.names_free(
            ("best", "peak", "largest", "top") if form == "max" else ("best", "nearest", "smallest", "lowest")
        )
        value = rng.pick((-100.0, -50.0)) if form == "max" else rng.pick((100.0, 50.0))
        return _declare(s, text, Expr("mutable", "f", al.real, exactly(value), (), "", value))
    if form == "product":
        text = s.names_free(("prod", "product", "scale_acc", "survival"))
        return _declare(s, text, Expr("mutable", "f", al.real, exactly(1.0), (), "", 1.0))
    text = s.names_free(
        ("state", "h", "x_new", "level", "ema", "memory") if form != "horner" else ("poly", "p_val", "series")
    )
    scalars = [value for value in s.pool if value.kind == "f"]
    if form != "horner" and most <= 4 and scalars and rng.chance(0.7):
        value = rng.pick(scalars)
        s.read(value)
        target = variable(s.names.claim(text), al.real, value.span)
        s.emit(Assign(target, value))
        s.settle(target.name, s.probe.check(value))
        return target
    return _declare(s, text, Expr("mutable", "f", al.real, exactly(0.0), (), "", 0.0))


def _declare(s: Sketch, text: str, start: Expr) -> Expr:
    target = variable(s.names.claim(text), start.type, start.span)
    s.emit(Assign(target, start))
    s.probe.weights = {}
    s.settle(target.name, s.probe.of(start))
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


def _feed(s: Sketch, form: str, kind: str, target: Expr, turns: Trip) -> Span:
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
        lanes = most * (mean + 0.6 * (lanes - mean))
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
    _change(s, target, term, "v" + word if target.kind == "v" else word)
    return Span(
        min(least * low, most * low, 0.0),
        max(least * high, most * high, 0.0),
        min(least * near, most * near),
        max(least * far, most * far),
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
    start = target.span
    rate = rng.pick((0.5, 0.9, 0.8, 0.25, 0.75))
    bound = max(max(-low, high) / (1.0 - rate), max(-start.low, start.high))
    span = Span(-bound if low < 0 or start.low < 0 else 0.0, bound, near / (1.0 - rate) * 0.5, far / (1.0 - rate) * 0.8)
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
    "sum": _sum, "vsum": _sum, "max": _extreme, "min": _extreme, "product": _product, "decay": _decay, "horner": _horner,
    "squash": _squash, "relax": _relax,
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
        s.probe.weights = {leaf: 0.5 for leaf in sorted(_names(test))}
        s.settle(target.name, np.round(holds * (most * 0.5) + np.roll(holds, 7) * (most * 0.4)))
        return Span(0, most, most // 4, max(most // 4 + 1, (3 * most) // 4))
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


def mean(s: Sketch, result: Expr, turns: Trip) -> None:
    """Divide a sum by the number of terms."""
    al = s.al
    divisor = al.literal(float(turns.most)) if turns.stop.op == "literal" else al.cast(turns.stop, al.real)
    s.read(result)
    s.define(al.do("div", result, divisor), s.names_free(("mean", "average", "avg", "mean_val")))


def nested_loop(s: Sketch, body_room: int = 1) -> None:
    """Two loops, one inside the other: over a block that threads share, or row by row with an inner sum."""
    rng, al = s.rng, s.al
    outer = trip(s, rng.pick((2, 3, 3, 4, 4, 5, 6)))
    inner = trip(s, rng.pick((2, 3, 3, 4, 4, 5, 6, 8)))
    s.note(*_LOOP_NOTES)
    if rng.chance(0.45):
        form = rng.pick(("sum", "sum", "max", "decay", "relax", "squash"))

        def row() -> Expr:
            before = len(s.fresh)
            loop_form = rng.pick(("sum", "sum", "sum", "product", "max", "guarded"))
            value = _inner(s, loop_form, inner, outer, body_room)
            if len(s.fresh) < before:
                raise Discard("row")
            s.read(value)
            s.pool.remove(value)
            return value

        accumulate(s, form, outer, body_room, inner=row)
        return
    # One accumulator for both.
    form = rng.pick(("sum", "sum", "sum", "max", "min", "decay", "squash"))
    target = _start(s, form, "f", outer.most * inner.most)
    spans: list[Span] = []
    counts = Trip(inner.counter, inner.stop, inner.most * outer.most, inner.least * outer.least)

    def inner_fill() -> None:
        for _ in range(rng.pick((1, 1, 2))):
            s.add(pair_element(s, outer, inner))
        if body_room and s.budget > 6:
            straight.temps(s, rng.below(body_room + 1))
        spans.append(_feed(s, form, "f", target, counts))

    def outer_fill() -> None:
        if rng.chance(0.4):
            s.define(
                element(s, outer.counter, outer.most, "f"),
                s.names_free(("row_val", "w_row", "scale_j", "weight_j", "lhs", "pivot")),
            )
        s.emit(For(inner.counter.name, None, inner.stop, None, s.block(inner_fill)))

    s.probe.looping += 1
    body = s.block(outer_fill)
    s.probe.looping -= 1
    s.emit(For(outer.counter.name, None, outer.stop, None, body))
    s.rebind(target, spans[0])


def _inner(s: Sketch, form: str, inner: Trip, outer: Trip, body_room: int) -> Expr:
    """The inner loop of two, with an accumulator of its own."""

    def load() -> Expr:
        return pair_element(s, outer, inner)

    return accumulate(s, form, inner, body_room, inner=load)


def pair_element(s: Sketch, outer: Trip, inner: Trip) -> Expr:
    """An element of a new array that two counters walk, with or without the thread's own coordinate."""
    rng = s.rng
    _, (quantity, low, high) = s.array_type("f")
    pair, shape = (outer.counter, inner.counter), (outer.most, inner.most)
    if rng.chance(0.3):
        pair, shape = pair[::-1], shape[::-1]
    if rng.chance(0.6):
        axis = rng.below(len(s.coords))
        subscripts, shape = (s.coords[axis], *pair), (s.extents[axis], *shape)
        return s.array(s.array_name(quantity), s.al.real, shape, Domain(low, high))._replace(args=subscripts)
    return s.array(s.array_name(quantity), s.al.real, shape, Domain(low, high))._replace(args=pair)
