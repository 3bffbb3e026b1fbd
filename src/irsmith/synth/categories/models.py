"""Categories of models: structs of arrays, as simulators pass what they hold."""

from __future__ import annotations

from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.ir import Expr
from irsmith.synth.phases import branches, loops, records, straight
from irsmith.synth.sketch import Sketch


def struct_arrays(s: Sketch) -> None:
    """Structs that hold arrays: this thread's elements, those that indices lead to, and settings."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 1, 2)))
    linked = len(s.extents) == 1 and rng.chance(0.45)
    kinds = "".join(rng.pick("ffv") for _ in range(rng.pick((2, 2, 3, 3, 4))))
    inside = linked and rng.chance(0.6)
    arrays = records.holding(s, kinds, rng.pick((1, 1, 2, 3)), s.extents[0] if inside else 0)
    if linked:
        links = Q(p, arrays.pop()) if inside else p.wholes(("parent", "neighbor", "links"), 0, s.extents[0] - 1)
        _gathered(p, arrays, links)
    for array in arrays:
        element = p.at(Q(p, array))
        quantity = array.name.rpartition(".")[2]
        if rng.chance(s.style.locals):
            s.define(element.e, s.local_name(quantity, array.name))
        else:
            s.add(element.e)
    if rng.chance(0.4):
        s.load(rng.pick("ffv"))
    straight.temps(s, rng.below(3))
    if rng.chance(0.3):
        s.attempt(lambda: loops.loop(s))
    closing(s, branches.branch, kinds="fv")


def _gathered(p: Pen, arrays: list[Expr], links: Q) -> None:
    """Elements of the struct's arrays at an index, and how this thread's own differ from them."""
    s, rng = p.s, p.s.rng
    j = p.index(p.at(links), s.extents[0], "j", "other", "parent_i", "k_idx", "nb")
    for array in rng.shuffled(arrays)[: rng.pick((1, 1, 2))]:
        theirs, mine = p.at(Q(p, array), j), p.at(Q(p, array))
        gap = theirs - mine if rng.chance(0.5) else mine - theirs
        value = gap if rng.chance(0.6) else grown(p, gap, want=gap.e.kind)
        p.keep(value, "d", "delta", "gap", "rel", "diff")
