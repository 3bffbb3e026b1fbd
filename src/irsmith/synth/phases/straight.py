"""Straight-line phases: loading, intermediate values, and storing the results."""

from __future__ import annotations

from irsmith.kernel import Direction
from irsmith.synth.cancel import root
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands, size_of, wanted_kind
from irsmith.synth.ir import Assign, Expr
from irsmith.synth.sketch import Sketch

_LOAD_NOTES = ("load inputs", "read this thread's values", "fetch the inputs", "get local values")
_STORE_NOTES = ("write result", "store the result", "write back", "save output")


ALL_KINDS = "fivmqtwh"
"""The kinds of values that expressions combine."""


def loads(s: Sketch, kinds: str) -> None:
    """Load an array element for each kind, in order."""
    s.note(*_LOAD_NOTES)
    for kind in kinds:
        s.load(kind)


def temp(s: Sketch) -> None:
    """One intermediate value, or one more assignment to an earlier one."""
    if s.assignable and s.rng.chance(0.25) and s.attempt(lambda: reassign(s)):
        return
    rng = s.rng
    values = operands(s, rng.pick((1, 2, 2, 2, 3)), ALL_KINDS)
    want = wanted_kind(s, values)
    value = grow(s, values, max(size_of(s), len(values) - 1), want)
    if value.op in {"name", "index", "field"}:
        raise Discard("a mere copy")
    s.define(value)


def reassign(s: Sketch) -> None:
    """``x = f(x, …)`` for a variable of this block."""
    rng, al = s.rng, s.al
    target = rng.pick(s.assignable)
    if target.kind not in "fvi":
        raise Discard("reassign")
    others = [value for value in operands(s, rng.pick((1, 1, 2)), target.kind) if value.name != target.name]
    if not others:
        raise Discard("reassign")
    value = al.like(grow(s, others, rng.pick((0, 1, 2)), target.kind), target)
    word = rng.pick(("add", "sub", "add", "mul") if target.kind != "v" else ("vadd", "vsub"))
    s.rebind(target, s.put(target, al.do(word, target, value), value, word))


def temps(s: Sketch, count: int) -> None:
    """Several intermediate values; those that do not work out are left away."""
    for _ in range(count):
        if not s.attempt(lambda: temp(s)):
            s.budget -= 1


def finish(s: Sketch, most: int = 3) -> None:
    """Store results until every value has been read.

    Raises:
        Discard: The values left over cannot be combined.
    """
    rng = s.rng
    if not s.fresh:
        s.add(rng.pick([value for value in s.pool if value.kind in ALL_KINDS] or [_nothing()]))
    # Values left over are spread over the results; few results for few values.
    count = min(most, max(1, (len(s.fresh) + rng.below(3)) // 3))
    s.note(*_STORE_NOTES)
    while s.fresh:
        size = max(1, -(-len(s.fresh) // max(1, count)))
        count -= 1
        _store_some(s, size, last=count <= 0)


def _store_some(s: Sketch, size: int, *, last: bool) -> None:
    """Store some unread values, fewer together where many do not combine."""
    while True:
        for _ in range(3):
            group = s.rng.shuffled(s.fresh)[:size]
            if s.attempt(lambda group=group: store(s, group, last=last)):  # type: ignore[misc]
                return
        if size == 1:
            raise Discard("store")
        size = (size + 1) // 2 if size > 2 else 1


def store(s: Sketch, group: list[Expr], *, last: bool = True) -> None:
    """Combine values into one result and store it in this thread's element of an output."""
    rng = s.rng
    group = list(group)
    for value in group:
        s.read(value)
    want = wanted_kind(s, group)
    # Many values in one go would make one long expression: fold them in pairs first.
    while len(group) > 3:
        pair = [group.pop(rng.below(len(group))) for _ in range(3 if rng.chance(0.4) else 2)]
        part = grow(s, pair, 1, wanted_kind(s, pair))
        group.append(s.define(part, keep=False))
        want = wanted_kind(s, group)
    bare = len(group) == 1 and group[0].op == "name" and group[0].kind == want
    size = rng.pick((0, 0, 1)) if bare and len(s.body) > 4 else max(1, work_left(s))
    value = grow(s, group, size, want)
    if value.op == "index" and value.args == s.coords:
        raise Discard("a mere copy")
    put_out(s, value, in_place=last)


def work_left(s: Sketch) -> int:
    """How many operators a result takes: a kernel with few intermediate values does its work there."""
    return size_of(s) + 1 if len(s.body) < 6 else size_of(s) - 1


def put_out(s: Sketch, value: Expr, *, in_place: bool = False) -> None:
    """Write a value to this thread's element of an output.

    Raises:
        Discard: All threads would write the same.
    """
    rng = s.rng
    lanes = s.probe.of(value) if value.op == "name" else s.probe.check(value)
    if not s.probe.varies_by_thread(lanes):
        raise Discard("the same for every thread")
    if in_place and not s.cooperative and rng.chance(s.style.in_place) and root(value, s.al.definitions).op != "index":
        target = _own_element(s, value)
        if target is not None:
            s.emit(Assign(target, value))
            return
    augmented = value.kind in "fvi" and rng.chance(0.08) and not s.cooperative
    target = s.output(value.kind, value.type, Direction.INOUT if augmented else Direction.OUT)
    s.emit(Assign(target, value, ("vadd" if value.kind == "v" else "add") if augmented else ""))


def _own_element(s: Sketch, value: Expr) -> Expr | None:
    """This thread's element of an input array that can take the value, now also an output."""
    # What other threads read of it must not change under them, and what is there need not be written again.
    shared = s.fixed.union((place.name for place in s.neighbours), {root(value, s.al.definitions).name})
    for position, argument in enumerate(s.arguments):
        if (
            argument.name not in shared
            and argument.type is value.type
            and argument.shape == s.extents
            and argument.direction is Direction.IN
            and argument.domain
        ):
            s.arguments[position] = argument.__class__(
                argument.name, argument.type, argument.rank, Direction.INOUT, argument.shape, argument.domain
            )
            return Expr("index", value.kind, value.type, value.span, s.coords, argument.name)
    return None


def _nothing() -> Expr:
    raise Discard("nothing in scope")
