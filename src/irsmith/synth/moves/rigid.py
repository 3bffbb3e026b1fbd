"""The ways people combine rotations, rigid transforms and spatial vectors; vectors have three components here.

Keys are in the order ``thqawmvfi``.
"""

from __future__ import annotations

from irsmith.rng import Stream
from irsmith.synth.algebra import RESULTS, TRUTH, Algebra, whole
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr
from irsmith.synth.moves.scalars import Move, Moves, distinct, leaf
from irsmith.types import FLOAT32

_SEQUENCES = ((0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1))


def _plain(operator: str) -> Move:
    return lambda al, _, *operands: al.do(operator, *operands)


def _apart(operator: str) -> Move:
    def move(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
        distinct(a, b)
        return al.do(operator, a, b)

    return move


def _single(al: Algebra) -> None:
    """Only single precision has these."""
    if al.real is not FLOAT32:
        raise Discard("precision")


def _unit(al: Algebra, q: Expr) -> Expr:
    """A quaternion of length one: itself, where it is seen to be."""
    made = al.definitions.get(q.name, q) if q.op == "name" else q
    return q if made.op in _UNIT else al.do("qnormalize", q)


_UNIT = frozenset({"qnormalize", "qrpy", "qslerp", "qfrom_euler", "qfrom_matrix", "qtwist"})


def _conjugated(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("qmul", al.do("qinverse", a), b)


def _blend(al: Algebra, _: Stream, a: Expr, b: Expr, t: Expr) -> Expr:
    distinct(a, b)
    if t.span.low < -1e-6 or t.span.high > 1.0 + 1e-6:
        raise Discard("blend")
    return al.do("qslerp", _unit(al, a), _unit(al, b), t)


def _identity(al: Algebra) -> Expr:
    return Expr("qidentity", *RESULTS["q"](al.real), TRUTH)


def _part_way(al: Algebra, _: Stream, q: Expr, t: Expr) -> Expr:
    """A part of a rotation."""
    if t.span.low < -1e-6 or t.span.high > 1.0 + 1e-6:
        raise Discard("blend")
    return al.do("qslerp", _identity(al), _unit(al, q), t)


def _translated(al: Algebra, _: Stream, t: Expr, p: Expr) -> Expr:
    """A frame moved without turning it."""
    return al.do("tmul", t, al.made("t", p, _identity(al)))


def _raw(al: Algebra, _: Stream, v: Expr, w: Expr) -> Expr:
    """A quaternion of its imaginary and its real part."""
    return al.do("qnormalize", al.made("q", v, w))


def _component(al: Algebra, rng: Stream, q: Expr) -> Expr:
    return al.component(leaf(q), 3 if rng.chance(0.6) else rng.below(3))


def _angles(operator: str) -> Move:
    def move(al: Algebra, rng: Stream, value: Expr) -> Expr:
        _single(al)
        sequence = (whole(axis) for axis in rng.pick(_SEQUENCES))
        return al.do(operator, _unit(al, value) if value.kind == "q" else value, *sequence)

    return move


def _roll_pitch_yaw(al: Algebra, _: Stream, q: Expr) -> Expr:
    _single(al)
    return al.do("qto_rpy", _unit(al, q))


def _twist(operator: str) -> Move:
    def move(al: Algebra, rng: Stream, q: Expr, v: Expr) -> Expr:
        _single(al)
        axis = al.do("normalize", v) if rng.chance(0.4) else _frame_axis(al, rng)
        return al.do(operator, axis, _unit(al, q))

    return move


def _twist_about(operator: str) -> Move:
    """How far a rotation turns about an axis, along that axis: what a joint's angle does."""

    def move(al: Algebra, rng: Stream, q: Expr, v: Expr) -> Expr:
        return al.do("vscale", leaf(v), _twist(operator)(al, rng, q, v))

    return move


def _frame_axis(al: Algebra, rng: Stream) -> Expr:
    axis = [0.0, 0.0, 0.0]
    axis[rng.below(3)] = 1.0
    return al.make(*map(al.literal, axis))


def _turn(al: Algebra, _: Stream, v: Expr, angle: Expr) -> Expr:
    return al.do("qaxis_angle", al.do("normalize", v), angle)


def _turned(al: Algebra, rng: Stream, v: Expr, angle: Expr) -> Expr:
    """A vector turned about an axis of the frame."""
    return al.do("qrotate", al.do("qaxis_angle", _frame_axis(al, rng), angle), v)


def _attitude(al: Algebra, _: Stream, a: Expr, b: Expr, c: Expr) -> Expr:
    return al.do("qrpy", a, b, c)


def _local(al: Algebra, _: Stream, t: Expr, v: Expr) -> Expr:
    return al.do("tpoint", al.do("tinverse", t), v)


def _relative(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    distinct(a, b)
    return al.do("tmul", al.do("tinverse", a), b)


def _pose(al: Algebra, _: Stream, q: Expr, v: Expr) -> Expr:
    return al.made("t", v, q)


def _by_matrix(operator: str) -> Move:
    return lambda al, _, t, v: al.do(operator, al.do("tmatrix", t), v)


def _model(al: Algebra, _: Stream, q: Expr, p: Expr, s: Expr) -> Expr:
    distinct(p, s)
    return al.do("hpoint", al.do("hcompose", p, q, s), s)


def _matrix_motion(al: Algebra, _: Stream, h: Expr, v: Expr) -> Expr:
    return al.do("tpoint", al.do("htransform", h), v)


def _spatial(al: Algebra, _: Stream, a: Expr, b: Expr) -> Expr:
    _single(al)
    distinct(a, b)
    return al.made("w", a, b)


def _wrench(al: Algebra, _: Stream, arm: Expr, force: Expr) -> Expr:
    """A force and its torque about the origin."""
    _single(al)
    return al.made("w", al.do("cross", leaf(arm), force), leaf(force))


def _of_single(operator: str) -> Move:
    def move(al: Algebra, _: Stream, *operands: Expr) -> Expr:
        _single(al)
        return al.do(operator, *operands)

    return move


def _weighed(al: Algebra, rng: Stream, w: Expr) -> Expr:
    if w.op == "wscale":
        raise Discard("scale")
    return al.do("wscale", w, al.literal(rng.pick((0.5, 2.0, 0.1, 0.25, 0.9))))


def _mapped(al: Algebra, _: Stream, w: Expr, r: Expr, s: Expr) -> Expr:
    return al.do("amul", al.do("wadjoint", r, s), w)


def _corner(al: Algebra, rng: Stream, h: Expr) -> Expr:
    return al.element(leaf(h), whole(rng.below(3)), whole(rng.below(4)))


RIGID_MOVES: Moves = {
    "q": ((1.5, _plain("qinverse")), (2, _plain("qnormalize")), (2.5, _plain("qmatrix")), (1, _roll_pitch_yaw),
        (1, _angles("qto_euler")), (0.6, _plain("qlength")), (1.2, _component)),
    "qq": ((4, _apart("qmul")), (2.5, _conjugated), (1.2, _apart("qdot"))),
    "qv": ((5, _plain("qrotate")), (3, _plain("qrotate_inv")), (0.7, _twist("qtwist")),
        (0.7, _twist("qtwist_angle")), (1.4, _twist("qtwist_signed")), (1.5, _pose),
        (0.5, _twist_about("qtwist_angle")), (0.5, _twist_about("qtwist_signed"))),
    "qf": ((2, _part_way), (1, lambda al, rng, q, f: al.do("mul", _component(al, rng, q), f)),),
    "qqf": ((3, _blend),),
    "qvv": ((1, _model),),
    "vf": ((1.0, _turn), (0.4, _turned), (0.3, _raw)),
    "fff": ((4.0, _attitude),),
    "m": ((1.0, _plain("qfrom_matrix")),),
    "v": ((0.6, _angles("qfrom_euler")),),
    "vv": ((0.6, _spatial), (0.6, _wrench)),
    "t": ((2, _plain("tinverse")), (2, _plain("tposition")), (2, _plain("trotation"))),
    "tt": ((4, _plain("tmul")), (2.5, _relative)),
    "tv": ((6, _plain("tpoint")), (3, _plain("tvector")), (1.5, _local), (0.8, _translated),
        (0.7, _by_matrix("hpoint")), (0.4, _by_matrix("hvector"))),
    "h": ((0.8, _plain("htransform")), (1, _corner)),
    "hv": ((4, _plain("hpoint")), (2.5, _plain("hvector")), (0.7, _matrix_motion)),
    "w": ((2, _plain("wtop")), (2, _plain("wbottom")), (1.5, _weighed)),
    "ww": ((2, _apart("wadd")), (1.5, _apart("wsub")), (1.5, _apart("wdot")), (1.5, _plain("wcross")),
        (1.5, _plain("wcross_dual"))),
    "wf": ((2.5, _plain("wscale")),),
    "wv": ((4, _of_single("wvelocity")),),
    "tw": ((3, _of_single("ttwist")), (3, _of_single("twrench"))),
    "wmm": ((1, _mapped),),
}  # fmt: skip
"""Weights and moves for each sequence of operand kinds."""
