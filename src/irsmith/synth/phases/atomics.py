"""Phases that combine the results of many threads with atomic updates."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import whole
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, wanted_kind
from irsmith.synth.ir import Atomic, Expr, Span
from irsmith.synth.phases import straight
from irsmith.synth.phases.branches import guarded
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT16, INT8, INT16, INT32, UINT8, UINT16, Domain

# No atomic minimum or maximum of these is to be had.
_SUM_ONLY = frozenset({FLOAT16})
# Nor any atomic at all of these.
_NEVER = frozenset({INT8, INT16, UINT8, UINT16})
_NOTES = ("accumulate atomically", "add this thread's share", "combine across threads")
_TOTALS = ("total", "sum_out", "accum", "loss", "energy_total", "result", "counter", "histogram", "bins", "totals")


def scattered(s: Sketch) -> None:
    """Add unread values to an element that an index array names.

    Raises:
        Discard: There is nothing to add.
    """
    atomic(s, by_index=True)


def atomic(s: Sketch, *, by_index: bool = False) -> None:
    """Fold unread values into an element that threads share: one cell, a group's, or a row's.

    Raises:
        Discard: There is nothing to fold in.
    """
    rng = s.rng
    values = [value for value in s.fresh if value.kind in "fiv"]
    if not values:
        raise Discard("atomic")
    if len(values) > 3:
        values = [values.pop(rng.below(len(values))) for _ in range(3)]
    for value in values:
        s.read(value)
    kind = wanted_kind(s, values)
    value = grow(s, values, straight.work_left(s), kind)
    if value.type in _NEVER:
        raise Discard("atomic")
    word = (
        rng.pick(("add", "add", "add", "add", "sub", "max", "min")) if kind != "v" else rng.pick(("add", "add", "sub"))
    )
    if value.type in _SUM_ONLY:
        word = "add"
    s.note(*_NOTES)
    if value.op != "name":
        s.probe.check(value)
    if rng.chance(0.25):
        guarded(s, lambda: s.emit(Atomic(word, shared_cell(s, word, value, by_index=by_index), value)))
    else:
        s.emit(Atomic(word, shared_cell(s, word, value, by_index=by_index), value))


_MARKS = ("flags", "visited", "occupied", "touched", "mask_out", "owners", "slots", "bits")


def mark(s: Sketch) -> None:
    """Set, clear or flip bits of an element that threads share, or swap this thread's own: in any order the same.

    Raises:
        Discard: There is no whole number to put there.
    """
    rng, coord = s.rng, s.coords[0]
    word = rng.pick(("or", "or", "and", "xor", "exch", "exch", "cas"))
    own = word in {"exch", "cas"}
    wholes = [value for value in s.pool if value.kind == "i" and value.type is INT32 and value.span.low >= 0]
    if wholes and (own or rng.chance(0.6)):
        value = rng.pick(wholes)
        s.read(value)
    elif own:
        value = s.load("i")
        if value.type is not INT32:
            raise Discard("mark")
        s.read(value)
    else:
        bits = rng.pick((8, 16, 30))
        place = Expr("rem", "i", INT32, Span(0, bits - 1, 0, bits - 1), (coord, whole(bits)))
        value = Expr("shl", "i", INT32, Span(1, 2**bits, 1, 2**bits), (whole(1), place))
    if word == "and":
        # What is cleared, not what stays: few bits stay where many threads keep a few each.
        value = Expr("invert", "i", INT32, Span(-(2.0**30), -1, -(2.0**30), -1), (value,))
    compare = whole(0) if word == "cas" else None

    def fill() -> None:
        subscripts, shape = (s.coords, s.extents) if own else _slot(s, by_index=False)
        text = s.names.free(_MARKS, rng)
        start = Domain(0, 1) if own else Domain(0, 15)
        s.arguments.append(Argument(text, INT32, len(shape), Direction.INOUT, shape, start))
        target = Expr("index", "i", INT32, Span(0, 1, 0, 1), subscripts, text)
        s.emit(Atomic(word, target, value, compare))

    s.note("mark what was met", "set the flag")
    if word in {"or", "and", "exch"} or rng.chance(0.5):
        guarded(s, fill)
    else:
        fill()


def shared_cell(s: Sketch, word: str, value: Expr, *, by_index: bool = False) -> Expr:
    """An element of a new array that several threads update."""
    rng = s.rng
    low, high = value.span.low, value.span.high
    if word in {"add", "sub"}:
        domain = Domain(0, 10) if value.kind == "i" else Domain(-1.0, 1.0)
    else:
        # Starting values that updates will beat.
        start = round(value.span.usual_low if word == "max" else value.span.usual_high, 2)
        if not low < start < high:
            start = round((low + high) / 2, 2)
        domain = Domain(int(start), int(start)) if value.kind == "i" else Domain(start, start)
    subscripts, shape = _slot(s, by_index=by_index)
    text = s.names.free(_TOTALS if rng.chance(0.6) else s.theme.results, rng)
    s.arguments.append(Argument(text, value.type, len(shape), Direction.INOUT, shape, domain))
    return Expr("index", value.kind, value.type, Span(low, high, low, high), subscripts, text)


def _slot(s: Sketch, *, by_index: bool) -> tuple[tuple[Expr, ...], tuple[int, ...]]:
    """Which element: the only one, one by an index array, one by arithmetic, or one of a launch axis."""
    rng = s.rng
    roll = 0.6 if by_index else rng.random()
    if len(s.coords) > 1 and roll < 0.55:
        axis = rng.below(len(s.coords))
        return (s.coords[axis],), (s.extents[axis],)
    if roll < 0.4:
        return (whole(0),), (1,)
    if roll < 0.75:
        groups = rng.pick((4, 8, 8, 16))
        coords, extents = s.subscripts()
        text = s.names.free(("group", "bin_idx", "labels", "segment", "cell_ids", "bucket", "owner", "cluster_id"), rng)
        s.arguments.append(Argument(text, INT32, len(extents), Direction.IN, extents, Domain(0, groups - 1)))
        index = Expr("index", "i", INT32, Span(0, groups - 1, groups // 4, (3 * groups) // 4), coords, text)
        if rng.chance(s.style.locals):
            index = s.define(index, s.names_free(("g", "bin_id", "slot", "seg", "dest", "cell")), keep=False)
        return (index,), (groups,)
    divisor = rng.pick((2, 4, 4, 8))
    extent = s.extents[0]
    coord = s.coords[0]
    if rng.chance(0.5):
        index = Expr("rem", "i", INT32, Span(0, divisor - 1, 0, divisor - 1), (coord, whole(divisor)))
        return (index,), (divisor,)
    index = Expr(
        "floordiv", "i", INT32, Span(0, (extent - 1) // divisor, 0, extent // divisor), (coord, whole(divisor))
    )
    return (index,), ((extent - 1) // divisor + 1,)
