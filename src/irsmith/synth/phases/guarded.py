"""Phases whose values may not be numbers, or are true or false: what is not finite is replaced, and flags are kept."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import TRUTH, exactly, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.errors import Discard
from irsmith.synth.grow import operands
from irsmith.synth.ir import Assign, Expr, For, If, Jump, Span, Stmt
from irsmith.synth.sketch import Sketch
from irsmith.types import BOOL, FLOAT16, INT32, Domain


def finite(s: Sketch) -> Expr:
    """A mean of perhaps nothing, or an angle of what rounding left beyond its range, and what stands in for it.

    Raises:
        Discard: The precision is half.
    """
    rng, al = s.rng, s.al
    if al.real is FLOAT16:
        raise Discard("precision")
    form = rng.pick(("mean", "mean", "rate", "angle"))
    if form == "angle":
        cosine = s.array(s.names_free(("cosines", "dots", "alignment")), al.real, s.extents, Domain(-1.15, 1.15))
        source = cosine._replace(args=s.coords)
        value, tests = Expr("acos", "f", al.real, Span(0.0, 3.15, 0.8, 2.3), (source,)), ("isnan", "isfinite")
        lanes = np.arccos(np.clip(s.probe.of(source), -0.99, 0.99))
        nouns: tuple[str, ...] = ("angle", "theta", "raw")
    else:
        counts = s.array(s.names_free(("counts", "num_samples", "degree", "n_hits")), INT32, s.extents, Domain(0, 5))
        many = al.cast(counts._replace(args=s.coords), al.real)
        source, top = many.args[0], al.literal(1.0)
        if form == "mean":
            sums = s.array(s.names_free(("totals", "sum_in", "accum")), al.real, s.extents, Domain(-2.0, 2.0))
            top = sums._replace(args=s.coords)
        span = Span(-2.0, 2.0, -0.6, 0.6) if form == "mean" else Span(0.0, 1.0, 0.2, 0.9)
        value, tests = (
            Expr("div", "f", al.real, span, (top, many)),
            ("isfinite", "isinf" if form == "rate" else "isfinite"),
        )
        lanes = s.probe.of(top) / (1.0 + np.floor(s.probe.of(source)))
        nouns = ("mean", "avg", "raw_mean") if form == "mean" else ("inv_count", "rate", "per_item")
    target = variable(s.names.distinguished(rng.pick(nouns), rng), al.real, value.span)
    s.emit(Assign(target, value))
    s.probe.derive(source, {target.name: lanes})
    other = al.literal(rng.pick((0.0, 0.0, 1.0)))
    word = rng.pick(tests)
    test = Expr(word, "b", BOOL, TRUTH, (target,))
    chosen = al.choose(test, target, other) if word == "isfinite" else al.choose(test, other, target)
    safe = variable(s.names.distinguished(rng.pick(("safe", "value", "kept", "fixed")), rng), al.real, value.span)
    s.emit(Assign(safe, chosen))
    s.probe.derive(target, {safe.name: lanes})
    return s.add(safe)


def flagged(s: Sketch) -> Expr:
    """A flag that a loop raises, and a choice by it.

    Raises:
        Discard: There are no two values to choose from.
    """
    rng, al = s.rng, s.al
    several = operands(s, 2, "f", fresh=0.8)
    if len(several) < 2:
        raise Discard("flag")
    first, second = several
    most = rng.pick((4, 6, 8, 12))
    names = ("signal", "costs", "scores", "samples", "levels")
    row = s.array(s.names_free(names), al.real, (s.extents[0], most), Domain(-1.0, 1.0))
    flag = variable(s.names.claim(s.names_free(("found", "hit", "active", "exceeded"))), BOOL, TRUTH)
    s.emit(Assign(flag, Expr("mutable", "b", BOOL, exactly(0), (), "", 0)))
    counter = variable(s.names.claim(s.names_free(("k", "j", "n"))), INT32, usual(0, most - 1))
    s.probe.argument(counter)
    limit = al.literal(rng.pick((0.5, 0.6, 0.75, 0.8)))
    test = al.compare(rng.pick(("gt", "ge")), row._replace(args=(s.coords[0], counter)), limit)
    raised: list[Stmt] = [Assign(flag, Expr("literal", "b", BOOL, exactly(1), (), "", 1))]
    if rng.chance(0.3):
        raised.append(Jump("break"))
    s.emit(For(counter.name, None, whole(most), None, (If(test, tuple(raised)),)))
    s.probe.weights = {}
    s.settle(flag.name, s.probe.draw(variable(flag.name, al.real, usual(0.0, 1.0))) > 0.5)
    return s.define(al.choose(flag, first, second))
