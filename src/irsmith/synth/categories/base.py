"""The base categories: each a short function that drives phases."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.errors import Discard
from irsmith.synth.moves import MATHEMATICAL, PLAIN
from irsmith.synth.phases import atomics, bits, branches, functions, guarded, loops, records, straight
from irsmith.synth.sketch import Sketch

_RANKS = (1,) * 20 + (2,) * 8 + (3,) * 4 + (4,)


def opened(s: Sketch, kinds: str = "f", *, fewest: int = 1) -> None:
    """Open the kernel and load a first set of values, more for a longer kernel."""
    rng = s.rng
    s.open(rng.pick(_RANKS) if s.budget > 3 else 1)
    count = max(fewest, min(6, 1 + rng.below(2 + s.budget // 8)))
    straight.loads(s, "".join(rng.pick(kinds) for _ in range(count)))
    if rng.chance(0.45):
        s.param()
    _extras(s)


def must(s: Sketch, phase: Callable[[Sketch], object], tries: int = 5) -> None:
    """Run a phase that the category is about."""
    for _ in range(tries):
        if s.attempt(lambda: phase(s)):
            return
    raise Discard("category")


def spend(s: Sketch, *phases: Callable[[Sketch], object], kinds: str = "ff") -> None:
    """Fill the lines that are left with more of the same, and intermediate values."""
    rng = s.rng
    while s.budget > 3:
        before = s.budget
        if len(s.fresh) < 2 and rng.chance(0.15):
            s.load(rng.pick(kinds))
        elif phases and rng.chance(0.3):
            phase = rng.pick(phases)
            s.attempt(lambda phase=phase: phase(s))  # type: ignore[misc]
        elif rng.chance(0.1) and s.budget > 8:
            s.attempt(lambda: functions.call(s))
        else:
            straight.temps(s, 1)
        if s.budget >= before:
            s.budget -= 1


def _extras(s: Sketch) -> None:
    """What any kernel may have beside its subject: a helper, a struct of parameters, a named constant."""
    rng = s.rng
    if s.budget > 4 and rng.chance(0.18):
        s.attempt(lambda: functions.call(s))
    if s.budget > 5 and rng.chance(0.07):
        s.attempt(lambda: records.parameters(s))
    if s.budget > 5 and rng.chance(0.08):
        records.constant(s)
    if s.budget > 6 and rng.chance(0.02):
        s.attempt(lambda: bits.of_float(s))
    if s.budget > 5 and rng.chance(0.02):
        s.attempt(lambda: guarded.finite(s))


def arithmetic(s: Sketch) -> None:
    """Sums, products and quotients, element by element."""
    s.repertoire = PLAIN
    kinds = "i" if s.rng.chance(0.2) else "f"
    opened(s, kinds, fewest=2)
    spend(s, kinds=kinds)
    straight.finish(s)


def scalar_param(s: Sketch) -> None:
    """Arrays combined with arguments passed by value."""
    opened(s)
    for _ in range(s.rng.pick((1, 1, 2, 2, 3))):
        s.param()
    spend(s)
    straight.finish(s)


def math(s: Sketch) -> None:
    """The functions of a mathematics library."""
    s.repertoire = MATHEMATICAL
    opened(s)
    spend(s)
    straight.finish(s)


def vector(s: Sketch) -> None:
    """Short vectors and their products."""
    opened(s, "vvf", fewest=2)
    if not any(value.kind == "v" for value in s.pool):
        s.load("v")
    spend(s, kinds="vvf")
    straight.finish(s)


def matrix(s: Sketch) -> None:
    """Small matrices, alone and with vectors."""
    opened(s, "mmvf", fewest=2)
    if not any(value.kind == "m" for value in s.pool):
        s.load("m")
    spend(s, kinds="mvf")
    straight.finish(s)


def control_flow(s: Sketch) -> None:
    """A choice between two ways."""
    opened(s, s.rng.pick(("f", "f", "ffi", "fv")))
    straight.temps(s, s.rng.pick((0, 1, 2)))
    if s.rng.chance(0.2):
        s.attempt(lambda: branches.leave_early(s))
    must(s, branches.branch)
    spend(s, branches.branch)
    straight.finish(s)


def nested_branch(s: Sketch) -> None:
    """A choice within a choice."""
    opened(s, s.rng.pick(("f", "f", "ffi", "fv")), fewest=2)
    straight.temps(s, s.rng.pick((0, 1, 2)))
    must(s, branches.nest)
    spend(s, branches.branch)
    straight.finish(s)


def multi_conditional(s: Sketch) -> None:
    """One of several cases."""
    opened(s, s.rng.pick(("f", "ffi", "fi", "fv")), fewest=2)
    straight.temps(s, s.rng.pick((0, 1)))
    must(s, branches.chain)
    spend(s, branches.branch, branches.chain)
    straight.finish(s)


def loop(s: Sketch) -> None:
    """A loop that accumulates or iterates."""
    opened(s, s.rng.pick(("f", "f", "fv")))
    straight.temps(s, s.rng.pick((0, 0, 1, 2)))
    must(s, loops.loop)
    if s.rng.chance(0.06):
        s.attempt(lambda: guarded.flagged(s))
    spend(s, loops.loop)
    straight.finish(s)


def nested_loop(s: Sketch) -> None:
    """A loop inside a loop."""
    opened(s)
    straight.temps(s, s.rng.pick((0, 0, 1)))
    must(s, loops.nested_loop)
    spend(s, loops.loop)
    straight.finish(s)


def atomic(s: Sketch) -> None:
    """Atomic updates of what threads share."""
    opened(s, s.rng.pick(("f", "f", "ffi", "fv")))
    spend(s, branches.branch)
    must(s, atomics.atomic)
    if s.rng.chance(0.3):
        s.attempt(lambda: atomics.mark(s))
    while s.fresh:
        if s.rng.chance(0.5):
            straight.finish(s)
        else:
            must(s, atomics.atomic)


def reduction(s: Sketch) -> None:
    """Many elements to one: a loop that folds a row, or threads that fold together."""
    opened(s)
    must(s, loops.loop)
    spend(s, loops.loop)
    if s.rng.chance(0.4):
        must(s, atomics.atomic)
    if s.fresh:
        straight.finish(s, 2)


def multi_statement(s: Sketch) -> None:
    """Several intermediate values, one after the other."""
    opened(s, s.rng.pick(("f", "fv", "fi")), fewest=2)
    s.budget = max(s.budget, 5)
    spend(s, kinds="fv")
    straight.finish(s, 4)


def combined(s: Sketch) -> None:
    """Loops, branches and functions together."""
    opened(s, s.rng.pick(("f", "fv", "ffi")))
    steps = [branches.branch, loops.loop]
    for step in s.rng.shuffled(steps):
        straight.temps(s, s.rng.below(2))
        must(s, step)
    spend(s, branches.branch, loops.loop, branches.chain)
    if s.rng.chance(0.3):
        s.attempt(lambda: atomics.atomic(s))
    if s.fresh:
        straight.finish(s)
