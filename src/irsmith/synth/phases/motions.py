"""Phases of mechanics: what has several results, and what changes a variable in place."""

from __future__ import annotations

import math

import numpy as np

from irsmith.synth.algebra import RESULTS, union, usual
from irsmith.synth.cancel import same
from irsmith.synth.errors import Discard
from irsmith.synth.grow import operands
from irsmith.synth.ir import Do, Expr, Span, Unpack
from irsmith.synth.rotations import axis_angle, decompose
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32


def apart(s: Sketch) -> None:
    """Take a rotation or a matrix apart: its parts are in scope and unread.

    Raises:
        Discard: There is neither.
    """
    rng = s.rng
    (value,) = operands(s, 1, "qh")
    if value.op not in {"name", "index"}:
        raise Discard("apart")
    unit = Span(-1.0, 1.0, -0.6, 0.6)
    parts: tuple[tuple[str, tuple[str, ...], Span], ...]
    if value.kind == "q":
        parts = (("v3", ("axis", "rot_axis", "n"), unit), ("f", ("angle", "theta", "rot_angle"), usual(0.0, math.pi)))
        lanes = dict(enumerate(axis_angle(s.probe.of(value))))
        operator = "axis_angle"
    else:
        span = value.span
        size = math.sqrt(3.0) * max(-span.low, span.high)
        parts = (
            ("v3", ("pos", "p", "translation"), span),
            ("q", ("rot", "q", "orientation"), unit),
            ("v3", ("scale", "s", "sizes"), Span(0.0, size, size / 4, 3 * size / 4)),
        )
        lanes = dict(enumerate(decompose(s.probe.of(value))))
        operator = "decompose"
    targets = []
    for result, nouns, span in parts:
        kind, type = RESULTS[result](s.al.real)
        targets.append(Expr("name", kind, type, span, (), s.names.distinguished(rng.pick(nouns), rng)))
    s.emit(Unpack(tuple(targets), Expr(operator, "s", value.type, value.span, (value,))))
    s.probe.derive(value, {target.name: lanes[place] for place, target in enumerate(targets)})
    for target in targets:
        s.add(target)


def replaced(s: Sketch) -> None:
    """Replace the translation or the rotation of a transform that this block has loaded.

    Raises:
        Discard: There is no transform, or nothing to put into it.
    """
    rng = s.rng
    targets = [value for value in s.assignable if value.kind == "t"]
    kind = rng.pick("vvq")
    values = [value for value in s.pool if value.kind == kind]
    if not targets or not values:
        raise Discard("replaced")
    target, value = rng.pick(targets), rng.pick(values)
    points = [other for other in s.pool if other.kind == "v" and not same(other, value)]
    if not points:
        raise Discard("replaced")
    point = rng.pick(points)
    old, new = s.probe.of(target), s.probe.of(value)
    lanes = [new, old[:, 3:]] if kind == "v" else [old[:, :3], new]
    s.read(value)
    s.emit(Do(Expr("set_position" if kind == "v" else "set_rotation", "s", target.type, target.span, (target, value))))
    both = dict(s.probe.influence.get(target.name, {}))
    s.probe.derive(value, {target.name: np.concatenate(lanes, axis=1)})
    s.probe.influence[target.name] |= both
    s.al.definitions.pop(target.name, None)
    changed = s.rebind(target, union(target.span, value.span))
    # A point feels both parts; what follows may not.
    s.read(changed)
    s.read(point)
    s.define(s.al.do("tpoint", changed, point))


def carried(s: Sketch) -> None:
    """A twist or a wrench in another frame.

    Raises:
        Discard: There is no frame or no spatial vector, or the precision is not single.
    """
    rng = s.rng
    if s.al.real is not FLOAT32:
        raise Discard("precision")
    (frame,), (value,) = operands(s, 1, "t"), operands(s, 1, "w")
    s.define(s.al.do(rng.pick(("ttwist", "twrench")), frame, value))
