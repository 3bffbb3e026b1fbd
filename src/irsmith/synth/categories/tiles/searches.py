"""The category of searches that the threads of a block make together."""

from __future__ import annotations

from irsmith.synth.algebra import NO_SPAN, exactly, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.meshes import space
from irsmith.synth.categories.pen import Q, grown
from irsmith.synth.categories.surfaces import boxes, mesh
from irsmith.synth.ir import Assign, Atomic, Expr, If, Stmt, While
from irsmith.synth.sketch import Sketch
from irsmith.types import BOOL, FLOAT32, INT32, UINT64

_OLD = 0.15
"""How likely an author still writes the names that were in use before Warp 1.18."""


def tile_search(s: Sketch) -> None:
    """Each block searches boxes or a mesh for what a box or a ray meets, a thread a result at a time."""
    rng, p = s.rng, space(s)
    s.cooperative = True
    s.guarded = True
    s.open(1, (rng.between(6, 12),))
    block = s.coords[0]
    surface = boxes(p) if rng.chance(0.65) else mesh(p)
    kind, old = surface.kind, rng.chance(_OLD)
    x = p.at(p.vectors(("centers", "points", "origins", "probes"), -1.0, 1.0))
    x = p.let(x, "x", "o", "center")
    if kind == "bvh" and rng.chance(0.4):
        way = p.let(p.fn("normalize", p.at(p.vectors(("dirs", "directions", "rays"), -1.0, 1.0))), "d", "way", "dir_b")
        query = ("ray", x, way)
    else:
        half = p.value(("radius", "half_width", "margin", "extent"), 0.2, 0.7)
        pad = p.let(p.make(half, half, half), "h", "half", "pad")
        query = ("aabb", p.let(x - pad, "lower", "lo"), p.let(x + pad, "upper", "hi"))
    word, *given = query
    begin = f"{kind}_query_{word}_tiled" if old else f"tile_{kind}_query_{word}"
    held = s.names.claim(s.names_free(("query", "hits", "q")))
    target = Expr("name", "s", UINT64, NO_SPAN, (), held)
    s.emit(Assign(target, surface.call(begin, "s", NO_SPAN, *given)))
    step = {"bvh": "bvh_query_next", "mesh": "mesh_query_aabb_next"}[kind]
    step = f"{step}_tiled" if old else f"tile_{step}"
    more = Expr("query", "b", BOOL, usual(0.0, 1.0), (target,), "tile_query_valid")
    following = Expr("query", "s", INT32, NO_SPAN, (target,), step)
    first: list[Stmt] = []
    if rng.chance(0.4):
        text = s.names.claim(s.names_free(("batch", "results", "ids_t")))
        first.append(Assign(Expr("name", "s", INT32, NO_SPAN, (), text), following))
        following = Expr("name", "s", INT32, NO_SPAN, (), text)
    item = variable(s.names.claim(s.names_free(("j", "hit", "found", "idx"))), INT32, usual(0, surface.count - 1))
    first.append(Assign(item, Expr("query", "i", INT32, item.span, (following,), "untile")))
    s.probe.argument(item)
    weights = [
        p.reals(names, 0.2, 1.5, (surface.count,))
        for names in rng.shuffled((("weights", "mass", "cost"), ("charge", "areas", "priority")))[: rng.pick((1, 1, 2))]
    ]

    def fill() -> None:
        values = [p.perhaps(p.at(array, Q(p, item)), "w", "w_j", "own") for array in weights]
        term = grown(p, *values, size=rng.pick((1, 2, 2, 3)))
        if rng.chance(0.5):
            term = p.let(term, "term", "gain", "part")
        form = rng.pick(("own", "own", "both", "theirs"))
        if form != "theirs":
            total = p.totals(("sums", "loads", "totals", "energy"), s.extents, FLOAT32)
            p.atomic("add", p.at(total, Q(p, block)), term)
        if form != "own":
            marks = p.totals(("touched", "counts", "hit_counts"), (surface.count,), INT32, 0, 3)
            place = p.at(marks, Q(p, item))
            s.emit(Atomic("add", place.e, Expr("literal", "i", INT32, exactly(1), (), "", 1)))
            if form == "theirs":
                received = p.totals(("received", "item_sums", "shares"), (surface.count,), FLOAT32)
                p.atomic("add", p.at(received, Q(p, item)), term * grown(p, x[rng.below(3)], size=1))

    s.probe.looping += 1
    body = s.block(fill)
    s.probe.looping -= 1
    test = s.al.compare("ge", item, whole(0))
    s.emit(While(more, (*first, If(test, body))))
