"""Phases of mechanics: what has several results, and what changes a variable in place."""

from __future__ import annotations

import math

import numpy as np

from irsmith.synth.algebra import RESULTS, union, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.cancel import same
from irsmith.synth.errors import Discard
from irsmith.synth.grow import operands
from irsmith.synth.ir import Assign, Do, Expr, For, Span, Unpack
from irsmith.synth.rotations import axis_angle, decompose
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32, Domain


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
    kind = rng.pick("vqq" if any(value.kind == "q" for value in s.pool) else "v")
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


def chained(s: Sketch) -> None:
    """The frame at the end of a chain of joints, and a point in it.

    Raises:
        Discard: There is no point.
    """
    rng = s.rng
    (point,) = operands(s, 1, "v")
    count = rng.pick((2, 3, 3, 4))
    type = RESULTS["t"](s.al.real)[1]
    # No longer than one, such that a chain of them grows no lengths.
    joints = s.array(s.names_free(("joints", "joint_xform", "links", "local_tf")), type, (s.extents[0], count),
                     Domain(-0.5, 0.5), kind="t")  # fmt: skip
    span = Span(-4.0, 4.0, -0.5, 0.5)
    target = Expr("name", "t", type, span, (), s.names.claim(s.names_free(("X", "frame", "world_tf", "pose"))))
    s.emit(Assign(target, Expr("tidentity", "t", type, span)))
    counter = variable(s.names.claim(s.names_free(("k", "j", "link"))), INT32, usual(0, count - 1))
    s.probe.argument(counter)
    joint = joints._replace(args=(s.coords[0], counter))
    s.emit(
        For(counter.name, None, whole(count), None, (Assign(target, Expr("tmul", "t", type, span, (target, joint))),))
    )
    s.probe.weights = {}
    s.settle(target.name, s.probe.draw(joint))
    s.define(s.al.do("tpoint", target, point))


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


def powered(s: Sketch) -> None:
    """How much work a wrench does on a body that moves: two spatial vectors to a number.

    Raises:
        Discard: There is no spatial vector.
    """
    found = operands(s, 2, "w")
    other = found[1] if len(found) > 1 else s.load("w")
    s.read(other)
    s.define(s.al.do("wdot", *s.rng.shuffled((found[0], other))))
