"""A phase that finds the place of a value in a sorted array, and goes on with what stands there."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import name as variable
from irsmith.synth.algebra import usual
from irsmith.synth.errors import Discard
from irsmith.synth.grow import operands
from irsmith.synth.ir import Assign, Expr
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, Domain

_SORTED = ("edges", "knots", "breakpoints", "thresholds", "bin_edges", "times")
_HELD = ("table", "lut", "bin_values", "coefs", "levels_tab")


def looked_up(s: Sketch) -> Expr:
    """What a table holds for a value.

    Raises:
        Discard: There is no value, or it hardly varies.
    """
    rng, al = s.rng, s.al
    (value,) = operands(s, 1, "f", fresh=0.6)
    low, high = value.span.usual_low, value.span.usual_high
    if value.op not in {"name", "index"} or not 0.2 < high - low < 100.0:
        raise Discard("lookup")
    low, high = round(low - 0.3 * (high - low), 1), round(high + 0.3 * (high - low), 1)
    count = rng.pick((6, 8, 12, 16))
    edges = s.array(s.names_free(_SORTED), al.real, (count,), Domain(low, high, rising=True))
    s.fixed.add(edges.name)
    whole_array = edges._replace(op="name", args=())
    found = Expr("query", "i", INT32, usual(0, count - 1), (whole_array, value), "lower_bound")
    place = variable(s.names.claim(s.names_free(("k", "bin_idx", "slot", "seg", "where_k"))), INT32, found.span)
    s.emit(Assign(place, found))
    lanes = np.clip(np.floor((s.probe.of(value) - low) / (high - low) * count), 0, count - 1)
    s.probe.derive(value, {place.name: lanes})
    form = rng.pick(("table", "table", "edge"))
    s.read(value)
    if form == "edge":
        edge = edges._replace(args=(place,), span=usual(low, high))
        return s.define(al.do("sub", edge, value))
    held = s.array(s.names_free(_HELD), al.real, (count,), Domain(-1.0, 1.0))
    s.fixed.add(held.name)
    element = held._replace(args=(place,))
    if rng.chance(0.4):
        return s.define(element)
    return s.define(al.do(rng.pick(("mul", "add", "sub")), element, value))
