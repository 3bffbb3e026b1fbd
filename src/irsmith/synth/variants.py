"""A program, run on imagined threads in several variants at once: as it is, with an argument drawn anew, without a
statement.
"""

from __future__ import annotations

import math
import random
from functools import cache
from typing import Any

import numpy as np

from irsmith.kernel import Argument, Direction
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
from irsmith.synth.probe import MEANINGS, Lanes, Probe, like, shape_of
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

_SEVERAL = {"axis_angle": axis_angle, "decompose": decompose}
"""Functions with several results."""

Doubt = Argument | Stmt
"""What may turn out to change nothing: an argument, when it is drawn anew, or a statement, when it is left out."""


class BeyondError(Exception):
    """A construct that is not imagined."""


@cache
def _table() -> Lanes:
    """Numbers from 0 to 1: spread evenly; at the ends; near the low end; near the high end."""
    source = random.Random(2)
    even = np.array([source.random() for _ in range(_TABLE)])
    ends = np.where(even < 0.35, 0.0, np.where(even > 0.65, 1.0, np.roll(even, 1)))
    return np.concatenate([even, ends, 0.25 * even, 1.0 - 0.25 * even])


_MODES = (0, 0, 1, 0, 0, 2, 0, 3)


@cache
def _threads(launch: tuple[int, ...], count: int) -> tuple[Lanes, ...]:
    """The coordinates of threads from all over a launch."""
    source = random.Random(3)
    places = sorted(range(math.prod(launch)), key=lambda _: source.random())
    chosen = np.array([places[lane % len(places)] for lane in range(count)])
    return tuple(axis.astype(np.float64) for axis in np.unravel_index(chosen, launch))


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
        "_jumped",
        "_modes",
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
        variant = np.repeat(np.arange(self._shape[0]), threads)
        group = np.tile(np.arange(threads) // _TOGETHER, self._shape[0])
        self._modes = np.array(_MODES)[group % len(_MODES)] * _TABLE
        self._salts: dict[str, Lanes] = {"": group * 977}
        self._skipped: dict[int, Lanes] = {}
        for place, doubt in enumerate(doubts, 1):
            if isinstance(doubt, Argument):
                self._salts[doubt.name] = self._salt(doubt.name) + np.where(variant == place, 1999, 0)
            else:
                self._skipped[id(doubt)] = variant != place
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
        everything = np.ones(self.size, bool)
        coordinates = tuple(np.tile(axis, self._shape[0]) for axis in _threads(program.launch, threads))
        self._block(program.body, everything, coordinates)
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

    # Statements.

    def _block(self, body: tuple[Stmt, ...], active: Lanes, coordinates: tuple[Lanes, ...] = ()) -> Lanes:
        """Run statements where lanes are active; the lanes that come out at the end."""
        for statement in body:
            if isinstance(statement, Comment):
                continue
            mine = active
            alive = self._skipped.get(id(statement))
            if alive is not None:
                mine = active & alive
            if isinstance(statement, Assign):
                self._assign(statement, mine)
            elif isinstance(statement, If):
                holds = self.of(statement.test)
                active = (
                    active & ~mine
                    | self._block(statement.then, mine & holds)
                    | self._block(statement.orelse, mine & ~holds)
                )
                if not active.any():
                    return active
            elif isinstance(statement, For):
                active = self._for(statement, mine) | active & ~mine
                if not active.any():
                    return active
            elif isinstance(statement, While):
                active = self._while(statement, mine) | active & ~mine
            elif isinstance(statement, Atomic):
                self._store(statement.target, self.of(statement.value), mine, statement.op)
            elif isinstance(statement, Unpack):
                parts = _SEVERAL[statement.value.op](self.of(statement.value.args[0]))
                for target, lanes in zip(statement.targets, parts, strict=True):
                    self.values[target.name] = _joined(mine, lanes, self.values.get(target.name))
            elif isinstance(statement, Do):
                name = statement.call.args[0].name
                old, new = (np.broadcast_to(x, (self.size, x.shape[-1])) for x in map(self.of, statement.call.args))
                parts = (new, old[:, 3:]) if statement.call.op == "set_position" else (old[:, :3], new)
                self.values[name] = _joined(mine, np.concatenate(parts, axis=1), old)
            elif isinstance(statement, Thread):
                # One name for a launch of several dimensions is not made.
                self.values.update(zip(statement.names, coordinates, strict=True))
            elif isinstance(statement, Jump):
                self._jumped[statement.word] = self._jumped[statement.word] | active
                return np.zeros(self.size, bool)
            elif isinstance(statement, Return):
                return np.zeros(self.size, bool)
            else:
                raise BeyondError(type(statement).__name__)
        return active

    def _turn(self, body: tuple[Stmt, ...], running: Lanes) -> tuple[Lanes, Lanes]:
        """One turn of a loop: the lanes that go on, and those that broke out."""
        outer, none = self._jumped, np.zeros(self.size, bool)
        self._jumped = {"break": none, "continue": none}
        running = self._block(body, running) | self._jumped["continue"]
        broken = self._jumped["break"]
        self._jumped = outer
        return running, broken

    def _for(self, loop: For, active: Lanes) -> Lanes:
        first, stop, step = (
            default if bound is None else self.of(bound)
            for bound, default in ((loop.start, 0.0), (loop.stop, 0.0), (loop.step, 1.0))
        )
        left, counter = np.zeros(self.size, bool), np.broadcast_to(first, (self.size,))
        running = active
        while True:
            inside: Lanes = np.where(np.asarray(step) > 0, counter < stop, counter > stop)
            left, running = left | (running & ~inside), running & inside
            if not running.any():
                return left
            self.values[loop.name] = counter
            running, broken = self._turn(loop.body, running)
            left = left | broken
            counter = counter + step

    def _while(self, loop: While, active: Lanes) -> Lanes:
        left: Lanes = np.zeros(self.size, bool)
        running = active
        for _ in range(_TURNS):
            holds = np.broadcast_to(self.of(loop.test), (self.size,))
            left, running = left | (running & ~holds), running & holds
            by_variant = running.reshape(self._shape).any(axis=1)
            if not by_variant[self._valid].any():
                # What keeps running without a statement is not the same without it.
                self._felt |= by_variant
                return left
            running, broken = self._turn(loop.body, running)
            left = left | broken
        raise BeyondError("while")

    def _assign(self, statement: Assign, active: Lanes) -> None:
        target, value = statement.target, statement.value
        if target.kind == "s" and target.op == "name":
            self._records[target.name] = None if value.op == "new" else (value.name, self._flat(value))
        elif target.kind == "s":
            for (owner, field), lanes in self._fields.items():
                if owner == value.name:
                    entry = target.type.by_name[field]  # type: ignore[union-attr]
                    self._observe(target.name, self._flat(target), lanes, active, entry.type, "")
        elif target.op == "index":
            self._store(target, self.of(value), active, statement.op)
        else:
            new = MEANINGS[statement.op](self.of(target), self.of(value)) if statement.op else self.of(value)
            if target.op == "name":
                self.values[target.name] = _joined(active, new, self.values.get(target.name))
            elif target.op == "field":
                field_of = target.args[0].name, target.name
                self._fields[field_of] = _joined(active, new, self._fields.get(field_of))
            else:
                raise BeyondError(target.op)

    def _apply(self, e: Expr, args: list[Lanes]) -> Lanes:
        """As the probe does; and random numbers, which follow from the state's lanes and the place in the program."""
        if e.op == "rand_init":
            state = np.broadcast_to(args[0], (self.size,)) * 3.0
            return state + 7.0 * args[1] if len(args) > 1 else state
        if not args or not e.args or e.args[0].kind != "r" or e.op in MEANINGS:
            return super()._apply(e, args)
        self._next += 1
        shape = shape_of(e.type)
        place = np.broadcast_to(args[0], (self.size,)).astype(np.int64) * 131 + 977 * self._next
        if shape:
            place = place[:, None] + 613 * np.arange(math.prod(shape))
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
            return self._drawn_from(e.name, self._flat(e), argument.type, argument.domain)
        if op == "field":
            owner = e.args[0].name
            known = self._fields.get((owner, e.name))
            if known is not None:
                return known
            name, flat = self._records.get(owner) or (owner, np.zeros(1, np.int64))
            struct = e.args[0].type
            if not isinstance(struct, Struct):
                raise BeyondError("field")
            place = [field.name for field in struct.fields].index(e.name)
            return self._drawn_from(name, flat + 571 * place, e.type, struct.by_name[e.name].domain)
        raise BeyondError(op)

    def _draw_argument(self, name: str) -> Lanes:
        if name not in self._arguments:
            raise BeyondError(name)
        argument = self._arguments[name][1]
        return self._drawn_from(name, np.zeros(1, np.int64), argument.type, argument.domain)

    def _flat(self, e: Expr) -> Lanes:
        """The place of an element in its array."""
        flat: Any = 0
        for subscript, extent in zip(e.args, self._arguments[e.name][1].shape, strict=True):
            flat = flat * extent + self.of(subscript)
        return flat.astype(np.int64) if flat.shape else np.full(self.size, flat, np.int64)

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
            place, modes = place[:, None] + 613 * np.arange(math.prod(shape)), modes[:, None]
        unit = _table().take((place & (_TABLE - 1)) + modes)
        if scalar is BOOL:
            truth: Lanes = unit < 0.5
            return truth
        low, high = (domain.low, domain.high) if domain else (0.0, 1.0)
        lanes: Lanes = low + (high - low) * unit if scalar.is_float else np.floor(low + (high - low + 0.999) * unit)
        return lanes.reshape(self.size, *shape) if len(shape) > 1 else lanes

    def _store(self, target: Expr, value: Lanes, active: Lanes, word: str) -> None:
        """What becomes of an element. An extreme tells only where it passes what was there."""
        flat = self._flat(target)
        argument = self._arguments[target.name][1]
        if argument.domain is not None and (word in {"min", "max"} or not word):
            old = self._drawn_from(target.name, flat, argument.type, argument.domain)
            if word:
                active = active & (value > old if word == "max" else value < old)
            elif not (self._of_base(np.abs(value - old)) > 0).any():
                return
        self._observe(target.name, flat, value, active, argument.type, "" if word else target.name)

    def _of_base(self, lanes: Lanes) -> Lanes:
        return np.broadcast_to(lanes, (self.size, *np.shape(lanes)[1:]))[: self._shape[1]]

    def _observe(self, name: str, flat: Lanes, value: Lanes, active: Lanes, type_: ValueType, range_of: str) -> None:
        """Compare what every variant writes with what the program as it is writes."""
        threads = self._shape[1]
        scalar = scalar_of(type_) or FLOAT64
        by = np.broadcast_to(value, (self.size, *np.shape(value)[1:])).reshape(*self._shape, -1)
        here, places = active.reshape(self._shape), flat.reshape(self._shape)
        base = by[0]
        least = _LEAST_CHANGE.get(scalar.name, 0.0)
        apart = (np.abs(by - base) > least * np.abs(base)).any(axis=2) | (places != places[0])
        self._felt |= ((here != here[0]) | (here & apart)).any(axis=1)
        if active[:threads].any():
            self._changed.add(name)
            seen = base[here[0]]
            if range_of:
                low, high = self._written.get(range_of, (math.inf, -math.inf))
                self._written[range_of] = min(low, float(seen.min())), max(high, float(seen.max()))
        inputs = by[self._valid][here[self._valid]]
        if scalar.is_float and not (np.abs(inputs) < _LARGEST[scalar.name]).all():
            self._trouble = "not finite"


def _joined(active: Lanes, new: Lanes, old: Lanes | None) -> Lanes:
    """A variable's lanes after an assignment; a first one is made everywhere."""
    return new if old is None else np.where(like(active, new), new, old)
