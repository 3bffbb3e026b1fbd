"""Phases that branch. Thresholds come from where values are seen to lie, so that both sides are reached."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from irsmith.synth.algebra import exactly, union, usual
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands
from irsmith.synth.ir import Expr, If, Return, Span, Stmt
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch, mentions
from irsmith.types import BOOL, Domain

_BRANCH_NOTES = (
    "handle the two regimes",
    "branch on the current state",
    "special case",
    "check the limit",
    "select the response",
)
_WORDS = {"f": ("add", "sub", "mul"), "i": ("add", "sub"), "v": ("vadd", "vsub")}

Fill = Callable[[], None]


def condition(s: Sketch, *, simple: bool = False) -> Expr:
    """A test that both holds and fails for ordinary inputs.

    Raises:
        Discard: No value in scope varies enough.
    """
    rng, al = s.rng, s.al
    roll = rng.random()
    if s.coords and rng.chance(0.04):
        test = _flag(s)
        s.probe.test(test)
        return test
    if not simple and roll < 0.14:
        first, second = condition(s, simple=True), condition(s, simple=True)
        if first.args[0] == second.args[0]:
            raise Discard("condition")
        test = al.connect(rng.pick(("both", "both", "either")), first, second)
        s.probe.test(test)
        return test
    if roll < 0.3:
        values = operands(s, 2, "fv", fresh=0.4)
        value = grow(s, values, len(values), "f")
    else:
        value = operands(s, 1, "fi", fresh=0.4)[0]
    test = _whole_test(s, value) if value.kind == "i" else _real_test(s, value, simple or roll <= 0.85)
    s.probe.test(test)
    return test


_FLAGS = ("active", "enabled", "mask", "is_fixed", "visible", "alive", "pinned", "valid", "selected", "is_boundary")


def _flag(s: Sketch) -> Expr:
    """Whether this thread's item is marked, in an array of Booleans."""
    coords, extents = s.subscripts()
    marks = s.array(s.names_free(_FLAGS), BOOL, extents, Domain(0, 1))
    held = marks._replace(args=coords)
    return s.al.connect("not", held) if s.rng.chance(0.35) else held


def _real_test(s: Sketch, value: Expr, against_number: bool) -> Expr:
    rng, al = s.rng, s.al
    if not against_number:
        others = [other for other in s.pool if other.kind == "f" and other != value]
        if others:
            other = rng.pick(others)
            test = al.compare(rng.pick(("lt", "gt")), value, other)
            s.probe.test(test)
            s.read(other)
            return test
    return al.compare(rng.pick(("lt", "gt", "gt", "lt", "le", "ge")), value, s.cutoff(value))


def _whole_test(s: Sketch, value: Expr) -> Expr:
    rng, al = s.rng, s.al
    low, high = int(value.span.low), int(value.span.high)

    def number(held: int) -> Expr:
        return Expr("literal", "i", value.type, exactly(held), (), "", held)

    if low >= 0 and high >= 5 and rng.chance(0.35):
        return al.compare("eq", al.do("rem", value, number(rng.pick((2, 2, 3, 4)))), number(0))
    if high - low < 8 and rng.chance(0.5):
        return al.compare(rng.pick(("eq", "ne")), value, number(rng.between(low, high)))
    return al.compare(rng.pick(("lt", "ge")), value, s.cutoff(value))


def cut(span: Span, at: float) -> tuple[Span, Span]:
    """The parts of a span below and above a point inside it."""
    below = Span(span.low, at, min(span.usual_low, at), min(span.usual_high, at))
    above = Span(at, span.high, max(span.usual_low, at), max(span.usual_high, at))
    below = below if below.usual_high > below.usual_low else usual(below.low, below.high)
    above = above if above.usual_high > above.usual_low else usual(above.low, above.high)
    return below, above


def fork(s: Sketch, test: Expr, fill: Fill, otherwise: Fill | None = None) -> None:
    """Emit a conditional. Inside, the tested variable is known to lie on one side; behind, lanes are merged."""
    probe = s.probe
    holds = probe.test(test)
    inside, outside = _narrowed(test)
    outer, values, influence = probe.mask, dict(probe.values), dict(probe.influence)
    definitions = dict(s.al.definitions)
    probe.mask = holds if outer is None else outer & holds
    then = _arm(s, inside, fill)
    after_then = probe.values, probe.influence
    probe.values, probe.influence, s.al.definitions = values, influence, dict(definitions)
    orelse: tuple[Stmt, ...] = ()
    if otherwise is not None:
        probe.mask = ~holds if outer is None else outer & ~holds
        orelse = _arm(s, outside, otherwise)
        if then == orelse:
            raise Discard("twins")
    probe.mask = outer
    for name in probe.merge(test, holds, after_then):
        definitions.pop(name, None)
    s.al.definitions = definitions
    s.emit(If(test, then, orelse))


def _narrowed(test: Expr) -> tuple[Expr | None, Expr | None]:
    """The tested variable as it is where the test holds, and where it fails."""
    if test.op not in {"lt", "le", "gt", "ge"} or test.args[0].op != "name" or test.args[1].op != "literal":
        return None, None
    value, limit = test.args[0], test.args[1].value
    if not value.span.low < limit < value.span.high:
        return None, None
    below, above = cut(value.span, limit)
    if test.op in {"gt", "ge"}:
        below, above = above, below
    return value._replace(span=below), value._replace(span=above)


def _arm(s: Sketch, narrow: Expr | None, fill: Fill) -> tuple[Stmt, ...]:
    saved = list(s.pool)
    if narrow is not None:
        s.pool[:] = [narrow if other.op == "name" and other.name == narrow.name else other for other in s.pool]
    try:
        return s.block(fill)
    finally:
        s.pool[:] = saved


def _arm_value(s: Sketch, kind: str, room: int) -> Expr:
    """A value made inside an arm, from its own intermediate values and from outside."""
    if room > 0:
        for _ in range(s.rng.below(room + 1)):
            s.attempt(lambda: straight.temp(s))
    values = list(s.fresh)
    for value in values:
        s.read(value)
    if not values or s.rng.chance(0.4):
        kinds = kind if kind == "i" else "fv" if kind == "v" else "f"
        values += [value for value in operands(s, 1, kinds, fresh=0.3) if value not in values]
    return grow(s, values, max(len(values) - 1, s.rng.pick((0, 1, 1, 2))), kind)


def branch(s: Sketch) -> None:
    """One conditional step: an update, an if/else that defines a value, or a conditional expression."""
    roll = s.rng.random()
    if roll < s.style.ternary:
        ternary(s)
    elif roll < 0.6 and s.assignable:
        update(s, 1)
    else:
        define_both(s, 1)


def nest(s: Sketch) -> None:
    """A conditional in an arm of another.

    Raises:
        Discard: The arms came out plain.
    """
    (define_both if s.rng.chance(0.6) or not s.assignable else update)(s, 2)
    outer = s.body[-1]
    if not isinstance(outer, If) or not any(isinstance(inner, If) for inner in (*outer.then, *outer.orelse)):
        raise Discard("nest")


def ternary(s: Sketch) -> None:
    """A variable with a conditional expression."""
    test = condition(s)
    then = grow(s, operands(s, s.rng.pick((1, 2)), "f"), 1, "f")
    if s.rng.chance(0.35):
        otherwise = s.al.literal(s.rng.pick((0.0, 1.0, 0.5)))
    else:
        otherwise = grow(s, operands(s, 1, "f"), s.rng.pick((0, 1)), "f")
    if then == otherwise:
        raise Discard("ternary")
    s.define(s.al.choose(test, then, otherwise))


def update(s: Sketch, depth: int) -> None:
    """``if test: x = …``, with or without an else, for a variable that has a value already."""
    rng = s.rng
    targets = [target for target in s.assignable if target.kind in "fvi"]
    if not targets:
        raise Discard("update")
    target = rng.pick(targets)
    s.note(*_BRANCH_NOTES)
    span = _update(s, target, depth, min(3, max(0, s.budget // 4)), 0.4 if depth == 1 else 0.6)
    s.rebind(target, span)


def _update(s: Sketch, target: Expr, depth: int, room: int, both: float) -> Span:
    """A conditional whose arms change one variable, and the variable's span behind it."""
    spans: list[Span] = []

    def fill() -> None:
        if depth > 1 and s.attempt(lambda: spans.append(_update(s, target, depth - 1, room - 1, 0.7))):
            return
        spans.append(change(s, target, room))

    test = condition(s)
    if s.rng.chance(both):
        fork(s, test, fill, fill)
    else:
        fork(s, test, fill)
        spans.append(target.span)
    return _joined(spans)


def _joined(spans: list[Span]) -> Span:
    span = spans[0]
    for other in spans[1:]:
        span = union(span, other)
    return span


def change(s: Sketch, target: Expr, room: int) -> Span:
    """Assign a variable from its old value, inside an arm; its new span."""
    rng = s.rng
    inside = next((value for value in s.pool if value.op == "name" and value.name == target.name), target)
    value = s.al.like(_arm_value(s, inside.kind, room), inside)
    if value == inside:
        raise Discard("change")
    if not mentions(value, target.name):
        word = rng.pick(_WORDS[inside.kind])
        return s.put(inside, s.al.do(word, inside, value), value, word)
    if value.op == "name":
        raise Discard("change")
    return s.put(inside, value)


def _new_variable(s: Sketch) -> Expr:
    """A variable that the arms of a conditional will define."""
    rng = s.rng
    kinds = {value.kind for value in s.pool}
    kind = "v" if "v" in kinds and rng.chance(0.5) else "f" if "f" in kinds else "i"
    type = s.array_type("v")[0] if kind == "v" else s.al.real if kind == "f" else s.al.whole
    return Expr("name", kind, type, exactly(0.0), (), s.names.claim(s.names_free(s.theme.temps)))


def _adopt(s: Sketch, target: Expr, span: Span) -> None:
    made = target._replace(span=span)
    s.assignable.append(made)
    s.add(made)


def define_both(s: Sketch, depth: int) -> None:
    """``if test: x = … else: x = …`` for a new variable."""
    s.note(*_BRANCH_NOTES)
    test = condition(s)
    target = _new_variable(s)
    spans: list[Span] = []
    room = min(3, max(0, s.budget // 4))
    _define(s, test, target, depth, room, spans)
    _adopt(s, target, _joined(spans))


def _define(s: Sketch, test: Expr, target: Expr, depth: int, room: int, spans: list[Span]) -> None:
    def fill() -> None:
        if (
            depth > 1
            and s.rng.chance(0.75)
            and s.attempt(lambda: _define(s, condition(s), target, depth - 1, room - 1, spans))
        ):
            return
        value = s.al.like(_arm_value(s, target.kind, room), target)
        spans.append(s.put(target, value))

    fork(s, test, fill, fill)


def chain(s: Sketch) -> None:
    """``if … elif … else`` over one value, cut at rising thresholds or by class."""
    rng, al = s.rng, s.al
    wholes = [value for value in s.pool if value.kind == "i" and value.span.high - value.span.low in range(2, 9)]
    if wholes and rng.chance(0.6):
        value = rng.pick(wholes)
        low, high = int(value.span.low), int(value.span.high)
        count = min(high - low, rng.pick((2, 2, 3)))
        tests = [
            al.compare("eq", value, Expr("literal", "i", value.type, exactly(case), (), "", case))
            for case in range(low, low + count)
        ]
    else:
        value = operands(s, 1, "f", fresh=0.4)[0]
        count = rng.pick((2, 2, 3))
        marks = [s.cutoff(value, (k + 0.5) / count, (k + 1) / (count + 0.5)) for k in range(count)]
        if any(a.value >= b.value for a, b in pairwise(marks)):
            raise Discard("chain")
        falling = rng.chance(0.5)
        word = rng.pick(("gt", "ge")) if falling else rng.pick(("lt", "le"))
        tests = [al.compare(word, value, mark) for mark in (reversed(marks) if falling else marks)]
    s.read(value)
    s.note(*_BRANCH_NOTES)
    targets = [target for target in s.assignable if target.kind in "fv" and target.name != value.name]
    room = 0 if s.budget < 12 else 1 if s.budget < 25 else 2
    spans: list[Span] = []
    if targets and rng.chance(0.5):
        target = rng.pick(targets)
        closed = rng.chance(0.6)
        _ladder(s, tests, lambda: spans.append(change(s, target, room)), closed=closed)
        s.rebind(target, _joined(spans if closed else [*spans, target.span]))
        return
    target = _new_variable(s)

    def fill() -> None:
        made = s.al.like(_arm_value(s, target.kind, room), target)
        spans.append(s.put(target, made))

    _ladder(s, tests, fill, closed=True)
    _adopt(s, target, _joined(spans))


def _ladder(s: Sketch, tests: list[Expr], fill: Fill, *, closed: bool) -> None:
    """Conditionals, each in the else of the one before."""
    if len(tests) > 1:
        fork(s, tests[0], fill, lambda: _ladder(s, tests[1:], fill, closed=closed))
    else:
        fork(s, tests[0], fill, fill if closed else None)


def leave_early(s: Sketch) -> None:
    """``if test: out[i] = …; return``: the rest of the kernel runs for the other threads."""
    kind = "v" if s.rng.chance(0.4) and any(value.kind == "v" for value in s.pool) else "f"
    if not any(value.kind == kind for value in s.pool):
        raise Discard("leave")

    def fill() -> None:
        if s.rng.chance(0.65):
            straight.put_out(s, _arm_value(s, kind, 0))
        s.emit(Return(None))

    test = condition(s)
    fork(s, test, fill)
    # Only the other threads go on.
    holds = s.probe.test(test)
    s.probe.mask = ~holds if s.probe.mask is None else s.probe.mask & ~holds


def guarded(s: Sketch, fill: Fill) -> None:
    """``if test: …`` round a few statements."""
    fork(s, condition(s), fill)
