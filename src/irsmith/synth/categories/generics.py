"""Helpers of any type: one function, called with scalars and with vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from irsmith.synth.algebra import kind_of
from irsmith.synth.categories.pen import Pen, Q, closing
from irsmith.synth.ir import Assign, Expr
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch

_NAMES = ("blend", "mix_any", "ease", "step_toward", "extrapolate", "weighted", "relax_to", "combine", "interp")


def _recipe(s: Sketch) -> Callable[[Pen, Q, Q, Q], Q]:
    """A formula that is linear in its first two operands, and so means something for scalars and vectors alike."""
    rng = s.rng
    steps = [
        (
            rng.pick(("pull", "scale", "sum", "gap", "keep")),
            rng.pick((0.5, 2.0, 0.25, 1.5)),
            rng.chance(0.5),
            rng.chance(0.6),
        )
        for _ in range(rng.pick((1, 1, 2, 3)))
    ]
    last = rng.pick(("pull", "lerp", "mean", "over", "twice"))

    def build(q: Pen, a: Q, b: Q, t: Q) -> Q:
        held = b
        for word, factor, flipped, named in steps:
            if word == "pull":
                held = (held - a) * t if flipped else (a - held) * t
            elif word == "scale":
                held = held * factor
            elif word == "sum":
                held = held + a * t if flipped else a + held * factor
            elif word == "gap":
                held = held - a * factor
            else:
                held = held * (1.0 - t)
            held = q.let(held, "d", "m", "step", "part", "w") if named else held
        if last == "lerp":
            return a * (1.0 - t) + held * t
        if last == "mean":
            return (a + held) * 0.5
        if last == "over":
            return a + held / (1.0 + t)
        return a + held if last == "pull" else held * 2.0 - a * t

    return build


def generic(s: Sketch) -> None:
    """Helpers whose arguments are of any type, used for more than one."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 2)))
    t = (
        p.value(("t", "alpha", "rate", "w"), 0.1, 0.9)
        if rng.chance(0.6)
        else p.perhaps(p.at(p.reals(("frac", "share", "ratio"), 0.1, 0.9)), "t", "f_i")
    )
    build = _recipe(s)
    scalars = [
        p.perhaps(p.at(p.reals(words, -2.0, 2.0)), words[0] + "_i")
        for words in (("a", "temp", "x"), ("b", "goal_val", "y"))
    ]
    vectors = [
        p.perhaps(p.at(p.vectors(words, -2.0, 2.0)), words[0] + "_i")
        for words in (("pos", "u", "color0"), ("target", "v", "color1"))
    ]
    words = rng.pick((("a", "b", "t"), ("x", "y", "w"), ("start", "end", "s"), ("old", "new", "rate")))
    first = p.via(_NAMES, build, scalars[0], scalars[1], t, words=words, chance=1.0)
    p.keep(first, "s_mix", "scalar_out", "val", "level")
    helper = s.helpers[-1]
    s.helpers[-1] = s.probe.helpers[helper.name] = replace(helper, generic=rng.pick((2, 2, 3)))
    # No other call may be made of it by chance: its contract is for scalars alone.
    s.contracts.pop()
    again = build(_Unwritten(s), vectors[0], vectors[1], t)
    lanes = s.probe.check(again.e)
    call = Expr("call", "v", vectors[0].e.type, again.e.span, (*(v.e for v in vectors), t.e), helper.name)
    text = s.names.claim(s.names_free(("v_mix", "vec_out", "moved", "new_pos")))
    target = Expr("name", kind_of(call.type), call.type, call.span, (), text)
    s.emit(Assign(target, call))
    s.settle(text, lanes)
    s.add(target)
    straight.temps(s, rng.below(2))
    if rng.chance(0.5):
        s.load(rng.pick("fv"))
    closing(s, kinds="fv")


class _Unwritten(Pen):
    """A pen that names nothing: for the value of a formula whose text stands elsewhere."""

    def let(self, value: Q, *names: str) -> Q:
        del names
        return value
