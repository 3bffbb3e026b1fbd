"""A program, run on imagined threads in several variants at once: as it is, with an argument drawn anew, without a
statement.
"""

from __future__ import annotations

import math
import random
from functools import cache, lru_cache
from typing import Any

import numpy as np

from irsmith.kernel import Argument, Direction
from irsmith.synth.factors import FACTORS
from irsmith.synth.ir import (
    Assign,
    Atomic,
    Comment,
    Do,
    Expr,
    For,
    If,
    Jump,
    Program,
    Return,
    Stmt,
    Thread,
    Unpack,
    While,
)
from irsmith.synth.probe import MEANINGS, Lanes, Probe, field_path, joined, shape_of
from irsmith.synth.rotations import axis_angle, decompose
from irsmith.types import BOOL, FLOAT64, Domain, Struct, ValueType, scalar_of

_TOGETHER = 4
"""Threads that see the same arrays and values."""

_TURNS = 400
"""The most turns of one ``while`` loop."""

_TABLE = 4096

# The least change, relative to the value, that rounding cannot hide.
_LEAST_CHANGE = {"float16": 4e-3, "float32": 1e-5, "float64": 1e-7}
_LARGEST = {"float16": 3e4, "float32": 1e30, "float64": 1e200}

_SEVERAL = {"axis_angle": axis_angle, "decompose": decompose, **FACTORS}
"""Functions with several results."""

Doubt = Argument | Stmt
"""What may turn out to change nothing: an argument, when it is drawn anew, or a statement, when it is left out."""


_any = np.logical_or.reduce


class BeyondError(Exception):
    """A construct that is not imagined."""


@cache
def _table() -> Lanes:
    """Numbers from 0 to 1: spread evenly; at the ends; near the low end; near the high end."""
    source = random.Random(2)
    even = np.array([source.random() for _ in range(_TABLE)])
    ends = np.where(even < 0.35, 0.0, np.where(even > 0.65, 1.0, np.roll(even, 1)))
    return np.concatenate([even, ends, 0.25 * even, 1.0 - 0.25 * even])


@cache
def _components(count: int) -> Lanes:
    """How far apart the components of one element lie in the table."""
    return 613 * np.arange(count)


_ZERO, _ONE = np.float64(0.0), np.float64(1.0)
_MODES = (0, 0, 1, 0, 0, 2, 0, 3)


@lru_cache(256)
def _threads(launch: tuple[int, ...], variants: int, count: int) -> tuple[Lanes, ...]:
    """The coordinates of threads from all over a launch, in every variant."""
    source = random.Random(3)
    places = sorted(range(math.prod(launch)), key=lambda _: source.random())
    chosen = np.array([places[lane % len(places)] for lane in range(count)])
    return tuple(np.tile(axis.astype(np.float64), variants) for axis in np.unravel_index(chosen, launch))


@lru_cache(256)
def _lanes(variants: int, threads: int) -> tuple[Lanes, Lanes, Lanes]:
    """What tells the lanes of a run apart: salts of those that see the same, their part of the table, and no lane."""
    group = np.tile(np.arange(threads) // _TOGETHER, variants)
    return group * 977, np.array(_MODES)[group % len(_MODES)] * _TABLE, np.zeros(variants * threads, bool)


class Run(Probe):
    """One run of a program on some threads, in every variant.

    Lanes are ordered by variant: first the program as it is, then one variant a doubt.

    Attributes:
        doubts: After the run: the arguments and statements that changed nothing.
    """

    __slots__ = (
        "_arguments",
        "_changed",
        "_felt",
        "_fields",
        "_fixed",
        "_jumped",
        "_modes",
        "_nowhere",
        "_own",
        "_places",
        "_program",
        "_records",
        "_salts",
        "_shape",
        "_skipped",
        "_trouble",
        "_valid",
        "_written",
        "doubts",
    )

    def __init__(self, program: Program, doubts: list[Doubt], threads: int) -> None:
        super().__init__(0, size=(1 + len(doubts)) * threads)
        self._program = program
        self._shape = (1 + len(doubts), threads)
        self.helpers = {helper.name: helper for helper in program.helpers}
        self.values = {constant.name: self._leaf(constant.value) for constant in program.constants}
        self._arguments = {argument.name: (place, argument) for place, argument in enumerate(program.arguments)}
        salts, self._modes, self._nowhere = _lanes(*self._shape)
        self._salts: dict[str, Lanes] = {"": salts}
        self._skipped: dict[int, Lanes] = {}
        for place, doubt in enumerate(doubts, 1):
            if isinstance(doubt, Argument):
                salt = self._salts[doubt.name] = self._salt(doubt.name)
                salt[place * threads : (place + 1) * threads] += 1999
            else:
                skipped = self._skipped[id(doubt)] = np.ones(self.size, bool)
                skipped[place * threads : (place + 1) * threads] = False
        # Variants whose inputs are inputs of the program as it is.
        self._valid = np.array([True, *(isinstance(doubt, Argument) for doubt in doubts)])
        self._felt = np.zeros(self._shape[0], bool)
        self._felt[0] = True
        self._fields: dict[tuple[str, str], Lanes] = {}
        self._records: dict[str, tuple[str, Lanes] | None] = {}
        self._jumped: dict[str, Lanes] = {}
        self._written: dict[str, tuple[float, float]] = {}
        self._changed: set[str] = set()
        self._trouble = ""
        self._own: dict[Any, Lanes] = {}
        self._places: dict[Any, Lanes] = {}
        self._fixed: set[str] = set()
        self._block(program.body, None, _threads(program.launch, *self._shape))
        self.doubts = [doubt for doubt, felt in zip(doubts, self._felt[1:], strict=True) if not felt]

    def trouble(self) -> str:
        """What is wrong with the outputs; empty for nothing."""
        for argument in self._program.arguments:
            if argument.direction is Direction.IN:
                continue
            name = argument.name
            if name not in self._changed:
                return "nothing is written"
            if name in self._written and self._written[name][0] == self._written[name][1]:
                return "constant"
        return self._trouble

    # Statements. Where lanes are active is a mask, or None for everywhere; what comes back from a block is the very
    # mask that went in where no lane left on the way.

    def _block(self, body: tuple[Stmt, ...], active: Lanes | None, coordinates: tuple[Lanes, ...] = ()) -> Lanes | None:
        """Run statements where lanes are active; the lanes that come out at the end."""
        for statement in body:
            mine = active
            alive = self._skipped.get(id(statement))
            if alive is not None:
                mine = alive if active is None else active & alive
            kind = statement.__class__
            if kind is Assign:
                self._assign(statement, mine)  # type: ignore[arg-type]
            elif kind is If:
                active = self._rest(active, mine, self._if(statement, mine))  # type: ignore[arg-type]
            elif kind is For:
                active = self._rest(active, mine, self._for(statement, mine))  # type: ignore[arg-type]
            elif kind is While:
                active = self._rest(active, mine, self._while(statement, mine))  # type: ignore[arg-type]
            elif isinstance(statement, Atomic):
                self._store(statement.target, self.of(statement.value), mine, statement.op)
            elif isinstance(statement, Unpack):
                parts = _SEVERAL[statement.value.op](self.of(statement.value.args[0]))
                for target, lanes in zip(statement.targets, parts, strict=True):
                    self.values[target.name] = joined(mine, lanes, self.values.get(target.name))
            elif isinstance(statement, Do):
                name = statement.call.args[0].name
                old, new = (np.broadcast_to(x, (self.size, x.shape[-1])) for x in map(self.of, statement.call.args))
                parts = (new, old[:, 3:]) if statement.call.op == "set_position" else (old[:, :3], new)
                self.values[name] = joined(mine, np.concatenate(parts, axis=1), old)
            elif isinstance(statement, Thread):
                # One name for a launch of several dimensions is not made.
                self.values.update(zip(statement.names, coordinates, strict=True))
                self._fixed.update(statement.names)
            elif isinstance(statement, Jump):
                jumped = self._jumped.get(statement.word)
                here = self._where(active)
                self._jumped[statement.word] = here if jumped is None else jumped | here
                return self._nowhere
            elif isinstance(statement, Return):
                return self._nowhere
            elif not isinstance(statement, Comment):
                raise BeyondError(type(statement).__name__)
            if active is self._nowhere:
                return active
        return active

    def _where(self, active: Lanes | None) -> Lanes:
        """A mask as an array."""
        return np.ones(self.size, bool) if active is None else active

    def _rest(self, active: Lanes | None, mine: Lanes | None, left: Lanes | None) -> Lanes | None:
        """Lanes after a statement that ran in some of the active ones: those that left, and those that skipped it."""
        if left is mine:
            return active
        rest: Lanes = (
            self._where(left) if mine is active else self._where(left) | (self._where(active) & ~self._where(mine))
        )
        return rest if rest.any() else self._nowhere

    def _if(self, statement: If, active: Lanes | None) -> Lanes | None:
        holds = self.of(statement.test)
        if active is None:
            holds = self._spread(holds)
            first, second = holds, ~holds
        else:
            first, second = active & holds, active & ~holds
        then = self._block(statement.then, first)
        otherwise = self._block(statement.orelse, second)
        return active if then is first and otherwise is second else self._where(then) | self._where(otherwise)

    def _spread(self, lanes: Any) -> Lanes:
        """Lanes of a scalar, which may be a number that goes for all of them."""
        return lanes if isinstance(lanes, np.ndarray) else np.full(self.size, lanes)

    def _turn(self, body: tuple[Stmt, ...], running: Lanes | None) -> tuple[Lanes | None, Lanes | None]:
        """One turn of a loop: the lanes that go on, and those that broke out, or None for none of these."""
        outer, self._jumped = self._jumped, {}
        after = self._block(body, running)
        jumped, self._jumped = self._jumped, outer
        on = jumped.get("continue")
        return after if on is None else self._where(after) | on, jumped.get("break")

    def _for(self, loop: For, active: Lanes | None) -> Lanes | None:
        first, stop, step = (
            default if bound is None else self.of(bound)
            for bound, default in ((loop.start, _ZERO), (loop.stop, _ZERO), (loop.step, _ONE))
        )
        if loop.backwards:
            first, stop, step = stop - 1, -_ONE, -_ONE
        if not any(isinstance(bound, np.ndarray) for bound in (first, stop, step)):
            return self._count(loop, active, int(first), int(stop), int(step))
        left, counter = np.zeros(self.size, bool), self._spread(first)
        running = self._where(active)
        while True:
            inside: Lanes = np.where(np.asarray(step) > 0, counter < stop, counter > stop)
            left, running = left | (running & ~inside), running & inside
            if not running.any():
                return left
            self.values[loop.name] = counter
            after, broken = self._turn(loop.body, running)
            running = self._where(after)
            if broken is not None:
                left = left | broken
            counter = counter + step

    def _count(self, loop: For, active: Lanes | None, first: int, stop: int, step: int) -> Lanes | None:
        """A loop of which all lanes make the same turns, but for those that leave it."""
        left, running = None, active
        for counter in range(first, stop, step):
            self.values[loop.name] = np.float64(counter)  # type: ignore[assignment]
            running, broken = self._turn(loop.body, running)
            left = _either(left, broken)
            if running is not active and not self._where(running).any():
                break
        if left is None:
            return running
        out: Lanes = left | self._where(running)
        return None if active is None and out.all() else out

    def _while(self, loop: While, active: Lanes | None) -> Lanes:
        left: Lanes = np.zeros(self.size, bool)
        running = self._where(active)
        for _ in range(_TURNS):
            holds = self._spread(self.of(loop.test))
            left, running = left | (running & ~holds), running & holds
            by_variant: Lanes = np.logical_or.reduce(running.reshape(self._shape), axis=1)
            if not by_variant[self._valid].any():
                # What keeps running without a statement is not the same without it.
                self._felt |= by_variant
                return left
            after, broken = self._turn(loop.body, running)
            running = self._where(after)
            if broken is not None:
                left = left | broken
        raise BeyondError("while")

    def _assign(self, statement: Assign, active: Lanes | None) -> None:
        target, value = statement.target, statement.value
        if target.kind == "s" and target.op == "name":
            self._records[target.name] = None if value.op == "new" else (value.name, self._flat(value))
        elif target.kind == "s":
            for (owner, field), lanes in self._fields.items():
                if owner == value.name:
                    type_ = _at(target.type, field)[0]
                    self._observe(target.name, self._flat(target), lanes, active, type_, "")
        elif target.op == "index":
            self._store(target, self.of(value), active, statement.op)
        else:
            new = MEANINGS[statement.op](self.of(target), self.of(value)) if statement.op else self.of(value)
            if target.op == "name":
                self.values[target.name] = joined(active, new, self.values.get(target.name))
            elif target.op == "field":
                field_of = field_path(target)
                self._fields[field_of] = joined(active, new, self._fields.get(field_of))
            else:
                raise BeyondError(target.op)

    def _apply(self, e: Expr, args: list[Lanes]) -> Lanes:
        """As the probe does; and random numbers, which follow from the state's lanes and the place in the program."""
        if "rand_init" in (e.op, e.name):
            state = self._spread(args[0]) * 3.0
            return state + 7.0 * args[1] if len(args) > 1 else state
        if not args or not e.args or (e.args[0].kind != "r" and e.op != "random") or e.op in MEANINGS:
            return super()._apply(e, args)
        self._next += 1
        shape = shape_of(e.type)
        place = self._spread(args[0]).astype(np.int64) * 131 + 977 * self._next
        if e.name == "sample_cdf":
            # What is drawn follows from the table too.
            place = place + (self._spread(args[1]) * 389.0).astype(np.int64)
        if shape:
            place = place[:, None] + _components(math.prod(shape))
        unit = _table().take(place & (_TABLE - 1))
        low, high = e.span.low, e.span.high
        lanes: Lanes = np.floor(low + (high - low + 0.999) * unit) if e.kind == "i" else low + (high - low) * unit
        return lanes

    # Arrays.

    def _leaf(self, e: Expr) -> Lanes:
        """What is read: a variable, an element, a field, or an argument by value."""
        op = e.op
        if op in {"literal", "static"}:
            # Not an array: numpy spreads it.
            return np.float64(e.value)  # type: ignore[return-value]
        if op == "name":
            known = self.values.get(e.name)
            if known is None:
                known = self.values[e.name] = self._draw_argument(e.name)
            return known
        if op == "extent":
            return np.float64(self._arguments[e.name][1].shape[int(e.value)])  # type: ignore[return-value]
        if op == "index":
            argument = self._arguments[e.name][1]
            fixed = self._fixed_place(e)
            if fixed is None:
                return self._drawn_from(e.name, self._flat(e), argument.type, argument.domain)
            own = (e.name, fixed)
            known = self._own.get(own)
            if known is None:
                known = self._own[own] = self._drawn_from(e.name, self._flat(e, fixed), argument.type, argument.domain)
            return known
        if op == "field":
            owner, path = field_path(e)
            known = self._fields.get((owner, path))
            if known is not None:
                return known
            name, flat = self._records.get(owner) or (owner, np.zeros(1, np.int64))
            base = e
            while base.op == "field":
                base = base.args[0]
            _, domain, place = _at(base.type, path)
            return self._drawn_from(name, flat + 571 * place, e.type, domain)
        raise BeyondError(op)

    def _draw_argument(self, name: str) -> Lanes:
        if name not in self._arguments:
            raise BeyondError(name)
        argument = self._arguments[name][1]
        return self._drawn_from(name, np.zeros(1, np.int64), argument.type, argument.domain)

    def _fixed_place(self, e: Expr) -> tuple[Any, ...] | None:
        """What names a place that is the same throughout: by coordinates of the thread and numbers only."""
        place: list[Any] = [self._arguments[e.name][1].shape]
        fixed = self._fixed
        for subscript in e.args:
            if subscript.op == "name" and subscript.name in fixed:
                place.append(subscript.name)
            elif subscript.op == "literal":
                place.append(subscript.value)
            else:
                return None
        return tuple(place)

    def _flat(self, e: Expr, place: tuple[Any, ...] | None = None) -> Lanes:
        """The place of an element in its array; what names it, if that is known to be the same throughout."""
        if place is not None:
            known = self._places.get(place)
            if known is not None:
                return known
        flat: Any = 0
        for subscript, extent in zip(e.args, self._arguments[e.name][1].shape, strict=True):
            flat = flat * extent + self.of(subscript)
        made: Lanes = flat.astype(np.int64) if flat.shape else np.full(self.size, flat, np.int64)
        if place is not None:
            self._places[place] = made
        return made

    def _salt(self, name: str) -> Lanes:
        salt = self._salts.get(name)
        if salt is None:
            salt = self._salts[name] = self._salts[""] + 1237 * self._arguments[name][0]
        return salt

    def _drawn_from(self, name: str, flat: Lanes, type_: ValueType, domain: Domain | None) -> Lanes:
        """Lanes of what stands in an array, or in an argument by value."""
        scalar = scalar_of(type_)
        if scalar is None:
            raise BeyondError("draw")
        shape = shape_of(type_)
        place, modes = 31 * flat + self._salt(name), self._modes
        if shape:
            place, modes = place[:, None] + _components(math.prod(shape)), modes[:, None]
        place &= _TABLE - 1
        place += modes
        lanes: Lanes = _table().take(place)
        if scalar is BOOL:
            truth: Lanes = lanes < 0.5
            return truth
        low, high = (domain.low, domain.high) if domain else (0.0, 1.0)
        whole = not scalar.is_float
        lanes *= high - low + (0.999 if whole else 0.0)
        lanes += low
        if whole:
            lanes = np.floor(lanes)
        return lanes.reshape(self.size, *shape) if len(shape) > 1 else lanes

    def _store(self, target: Expr, value: Lanes, active: Lanes | None, word: str) -> None:
        """What becomes of an element. An extreme tells only where it passes what was there."""
        place = self._fixed_place(target)
        flat = self._flat(target, place)
        argument = self._arguments[target.name][1]
        if argument.domain is not None and (word in {"min", "max"} or not word):
            old = self._drawn_from(target.name, flat, argument.type, argument.domain)
            if word:
                active = self._where(active) & (value > old if word == "max" else value < old)
            elif not (self._of_base(np.abs(value - old)) > 0).any():
                return
        moves = flat if place is None else None
        self._observe(target.name, moves, value, active, argument.type, "" if word else target.name)

    def _of_base(self, lanes: Lanes) -> Lanes:
        return self._spread(lanes)[: self._shape[1]]

    def _observe(
        self, name: str, flat: Lanes | None, value: Lanes, active: Lanes | None, type_: ValueType, range_of: str
    ) -> None:
        """Compare what every variant writes, and where it may not be the same place, with the program as it is."""
        shape = variants, threads = self._shape
        scalar = scalar_of(type_) or FLOAT64
        by = self._spread(value).reshape(variants, threads, -1)
        base = by[0]
        apart = np.abs(by - base) > _LEAST_CHANGE.get(scalar.name, 0.0) * np.abs(base)
        apart = _any(apart, 2) if apart.shape[2] > 1 else apart[:, :, 0]
        if flat is not None:
            places = flat.reshape(shape)
            apart |= places != places[0]
        if active is None:
            here = None
            self._felt |= _any(apart, 1)
            seen, inputs = base, by[self._valid]
        else:
            here = active.reshape(shape)
            self._felt |= _any((here != here[0]) | (here & apart), 1)
            seen, inputs = base[here[0]], by[self._valid][here[self._valid]]
        if len(seen):
            self._changed.add(name)
            if range_of:
                low, high = self._written.get(range_of, (math.inf, -math.inf))
                self._written[range_of] = min(low, float(seen.min())), max(high, float(seen.max()))
        if scalar.is_float and not (np.abs(inputs) < _LARGEST[scalar.name]).all():
            self._trouble = "not finite"


def _at(type_: ValueType, path: str) -> tuple[ValueType, Domain | None, int]:
    """A field of a struct, or of a struct within it: its type, its domain, and a number that tells it from others."""
    domain: Domain | None = None
    place = 0
    for name in path.split("."):
        if not isinstance(type_, Struct):
            raise BeyondError("field")
        entry = type_.by_name[name]
        place = 8 * place + type_.fields.index(entry)
        type_, domain = entry.type, entry.domain
    return type_, domain, place


def _either(a: Lanes | None, b: Lanes | None) -> Lanes | None:
    """The lanes of either of two masks, of which None is an empty one."""
    if a is None or b is None:
        return b if a is None else a
    either: Lanes = a | b
    return either
