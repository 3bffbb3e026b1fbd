"""Phases that loop: accumulations, recurrences and searches, with bounds known in closed form."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, union, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.choice import Choice
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Expr, For, If, Jump, Span, Stmt, While
from irsmith.synth.phases import straight
from irsmith.synth.phases.accumulators import FORGETFUL, Trip, feed, start
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
_FORMS = Choice((
    ("sum", 9.0), ("vsum", 3.0), ("max", 1.6), ("min", 1.2), ("product", 1.0), ("decay", 1.8), ("horner", 1.0),
    ("squash", 1.2), ("relax", 1.2), ("count", 1.5), ("guarded", 2.0),
))  # fmt: skip


def trip(s: Sketch, most: int = 0, *, fixed: bool = False) -> Trip:
    """Choose a counter and how the loop is bounded: a number, an argument, or an array's extent (set later)."""
    rng = s.rng
    most = most or rng.pick((2, 3, 4, 4, 5, 6, 8, 8, 10, 12, 16, 20))
    wish = next((name for name in (rng.pick(_COUNTERS[:3]), *_COUNTERS) if name not in s.names.taken), "jj")
    counter = variable(s.names.claim(wish), INT32, Span(0, most - 1, most // 4, max(most // 4, 3 * most // 4)))
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
    subscripts: tuple[Expr, ...]
    shape: tuple[int, ...]
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
    turns = trip(s, fixed=form in FORGETFUL)
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
    target = start(s, form, turns.most)
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
        spans.append(feed(s, form, kind, target, turns))
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
    # A `while` that went on early would not reach its own step.
    if s.rng.chance(0.08) and not _goes_on_early(body):
        zero = Expr("mutable", "i", INT32, exactly(0), (), "", 0)
        s.body.insert(len(s.body), Assign(turns.counter, zero))
        test = s.al.compare("lt", turns.counter, stop)
        step = Assign(turns.counter, whole(1), "add")
        s.budget -= 2
        s.emit(While(test, (*body, step)))
        return
    s.emit(For(turns.counter.name, None, stop, None, body))


def _goes_on_early(body: tuple[Stmt, ...]) -> bool:
    return any(
        statement == Jump("continue")
        or (isinstance(statement, If) and (_goes_on_early(statement.then) or _goes_on_early(statement.orelse)))
        for statement in body
    )


def nested_loop(s: Sketch, body_room: int = 1) -> None:
    """Two loops, one inside the other: over a block that threads share, or row by row with an inner sum."""
    rng = s.rng
    by_row = rng.chance(0.45)
    if by_row:
        form = rng.pick(("sum", "sum", "max", "decay", "relax", "squash"))
    else:
        form = rng.pick(("sum", "sum", "sum", "max", "min", "decay", "squash"))
    loop_form = rng.pick(("sum", "sum", "sum", "product", "max", "guarded")) if by_row else form
    outer = trip(s, rng.pick((2, 3, 3, 4, 4, 5, 6)), fixed=form in FORGETFUL)
    inner = trip(s, rng.pick((2, 3, 3, 4, 4, 5, 6, 8)), fixed=loop_form in FORGETFUL)
    s.note(*_LOOP_NOTES)
    if by_row:

        def row() -> Expr:
            before = len(s.fresh)
            value = _inner(s, loop_form, inner, outer, body_room)
            if len(s.fresh) < before:
                raise Discard("row")
            s.read(value)
            s.pool.remove(value)
            return value

        accumulate(s, form, outer, body_room, inner=row)
        return
    # One accumulator for both.
    target = start(s, form, outer.most * inner.most)
    spans: list[Span] = []
    counts = Trip(inner.counter, inner.stop, inner.most * outer.most, inner.least * outer.least)

    def inner_fill() -> None:
        for _ in range(rng.pick((1, 1, 2))):
            s.add(pair_element(s, outer, inner))
        if body_room and s.budget > 6:
            straight.temps(s, rng.below(body_room + 1))
        spans.append(feed(s, form, "f", target, counts))

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
    pair, extents = (outer.counter, inner.counter), (outer.most, inner.most)
    if rng.chance(0.3):
        pair, extents = pair[::-1], extents[::-1]
    domain = Domain(low, high)
    if rng.chance(0.6):
        axis = rng.below(len(s.coords))
        made = s.array(s.array_name(quantity), s.al.real, (s.extents[axis], *extents), domain)
        return made._replace(args=(s.coords[axis], *pair))
    return s.array(s.array_name(quantity), s.al.real, extents, domain)._replace(args=pair)
