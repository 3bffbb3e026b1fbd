"""Loops over what a search finds, and the category that searches boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from irsmith.synth.algebra import exactly, usual
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.meshes import space, stored
from irsmith.synth.categories.pen import Pen, Q, grown
from irsmith.synth.categories.surfaces import Surface, boxes, mesh
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Expr, For, While
from irsmith.synth.sketch import Sketch
from irsmith.types import BOOL, INT32, Mesh

POINTS = ("points", "x", "centers", "positions", "samples", "probes")
_RADII = ("radius", "r", "margin", "search_radius", "half_size")


class Parts(NamedTuple):
    """What is known of an item that a search finds: numbers, and vectors."""

    scalars: list[Q]
    vectors: list[Q]


class _Told(Protocol):
    def __call__(self, item: Q, *, vectors: bool) -> Parts: ...


def around(p: Pen, surface: Surface, x: Q) -> tuple[Expr, bool]:
    """A search of what is around a point; and whether it is one of a box."""
    rng, kind = p.s.rng, surface.kind
    if rng.chance(0.35):
        radius = p.value(_RADII, 0.2, 0.8)
        return surface.call(f"{kind}_query_sphere", "s", exactly(0.0), x, radius), False
    if rng.chance(0.4):
        half = p.at(p.vectors(("half_extents", "extents", "sizes", "margins"), 0.1, 0.6))
        half = p.let(half, "h", "half", "ext")
    else:
        radius = p.value(_RADII, 0.2, 0.7)
        half = p.let(p.make(radius, radius, radius), "h", "half", "ext", "pad")
    lower, upper = x - half, x + half
    if rng.chance(0.6):
        lower, upper = p.let(lower, "lower", "lo", "box_min"), p.let(upper, "upper", "hi", "box_max")
    return surface.call(f"{kind}_query_aabb", "s", exactly(0.0), lower, upper), True


def collected(
    p: Pen, surface: Surface, query: Expr, names: tuple[str, ...], step: str, told: _Told, x: Q, *limits: Q
) -> list[Q]:
    """Variables for what a search finds, taken together: sums, extremes, or how many there are.

    Args:
        p: The pen.
        surface: What is searched.
        query: The search.
        names: What an item may be called.
        step: The builtin that moves the search on, in a ``while``; empty for a ``for``.
        told: What is known of an item.
        x: The point that is searched from.
        limits: What else the step is given.
    """
    s, rng = p.s, p.s.rng
    form = rng.pick(("sum", "sum", "sum", "vector", "vector", "both", "count", "max", "min", "mean"))
    if step or rng.chance(0.4):
        text = s.names.claim(s.names_free(("query", "q_box", "hits", "found")))
        s.emit(Assign(Expr("name", "s", query.type, query.span, (), text), query))
        query = Expr("query", "s", query.type, query.span, (), text)
    total = p.start(0.0, "total", "acc", "s_total", "weight_sum") if form in {"sum", "both", "mean"} else None
    force = p.start(0.0, "f", "sum_v", "push", "mean_n", like=x.e) if form in {"vector", "both"} else None
    best = p.start(-100.0 if form == "max" else 100.0, "best", "extreme", "top") if form in {"max", "min"} else None
    count = _counter(p) if form in {"count", "mean"} else None
    item = variable(s.names.claim(s.names_free(names)), INT32, usual(0, surface.count - 1))
    if step:
        s.emit(Assign(item, Expr("mutable", "i", INT32, exactly(0), (), "", 0)))
    s.probe.argument(item)

    def add(parts: Parts) -> None:
        weight = None
        if total is not None or best is not None or (force is not None and parts.scalars):
            if not parts.scalars:
                raise Discard("no number")
            weight = grown(p, *parts.scalars, size=rng.pick((1, 1, 2))) if rng.chance(0.7) else parts.scalars[0]
            if len(parts.scalars) > 1 and weight is parts.scalars[0]:
                weight = weight * parts.scalars[1]
        if total is not None and weight is not None:
            if force is not None:
                weight = p.let(weight, "w", "wt", "contrib")
            p.add_to(total, weight, 6)
        if best is not None and weight is not None:
            p.most_of(best, weight, form)
        if force is not None:
            if not parts.vectors:
                raise Discard("no vector")
            p.add_to(force, parts.vectors[0] if weight is None else parts.vectors[0] * weight, 6)
        if count is not None:
            s.emit(Assign(count.e, Expr("literal", "i", INT32, exactly(1), (), "", 1), "add"))

    def fill() -> None:
        parts = told(Q(p, item), vectors=force is not None)
        named = [value for value in parts.scalars if value.e.op == "name"]
        if named and rng.chance(0.25):
            # Such that most pass.
            word, low, high = rng.pick((("lt", 0.5, 0.9), ("gt", 0.1, 0.5)))
            p.when(p.test(word, named[0], p.cutoff(named[0], low, high)), lambda: add(parts))
        else:
            add(parts)

    s.probe.looping += 1
    body = s.block(fill) if form != "count" or rng.chance(0.5) else s.block(lambda: add(Parts([], [])))
    s.probe.looping -= 1
    if step:
        test = Expr("query", "b", BOOL, usual(0.0, 1.0), (query, item, *(limit.e for limit in limits)), step)
        s.emit(While(test, body))
    else:
        s.emit(For(item.name, None, query, None, body))
    for value in (total, force):
        if value is not None:
            # Few of all are near.
            s.probe.values[value.e.name] = s.probe.of(value.e) * 0.5
    if total is not None and count is not None:
        # Nothing may be near.
        return [p.now(total) / p.real(p.fn("max", count, 1))]
    return [p.now(value) for value in (total, force, best, count) if value is not None]


def _counter(p: Pen) -> Q:
    """A variable that counts."""
    s = p.s
    text = s.names.claim(s.names_free(("count", "n_found", "num", "n_hits")))
    count = variable(text, INT32, usual(0, 8))
    s.emit(Assign(count, Expr("mutable", "i", INT32, exactly(0), (), "", 0)))
    s.probe.weights = {}
    s.settle(text, np.floor(8.0 * s.probe.draw(Expr("name", "f", s.al.real, usual(0.0, 1.0), (), text))))
    return Q(p, count)


def bvh_overlap(s: Sketch) -> None:
    """What boxes meet a box, a sphere or a ray, and what is known of them adds up to."""
    rng, p = s.rng, space(s)
    s.open(1)
    groups = rng.pick((1, 1, 1, 2, 3))
    surface = boxes(p, groups) if groups > 1 or rng.chance(0.8) else mesh(p)
    x = p.let(p.at(p.vectors(POINTS, -1.0, 1.0)), "x", "p", "o", "center", "origin")
    if isinstance(surface.type, Mesh):
        surface = surface.boxes()
    query, limits = _search(p, surface, x)
    if groups > 1:
        own = p.at(p.wholes(("world", "env_id", "group", "world_index"), 0, groups - 1))
        root = surface.call("bvh_get_group_root", "i", usual(0, 9), own)
        held = surface.tell(root, s.probe.draw(root), x, "root", "group_root", "start_node")
        query = query._replace(args=(*query.args, held.e))
    makers: list[Callable[[], Q]] = [
        lambda: p.reals(("weights", "mass", "cost", "energy"), 0.2, 2.0, (surface.count,)),
        lambda: p.reals(("charge", "priority", "radii"), 0.1, 1.0, (surface.count,)),
    ]
    arrays = [make() for make in rng.shuffled(makers)[: rng.pick((1, 1, 2))]]
    centres = (
        p.vectors(("box_centers", "centroids", "body_x"), -1.0, 1.0, (surface.count,)) if rng.chance(0.6) else None
    )

    def parts(item: Q, *, vectors: bool) -> Parts:
        scalars = [p.perhaps(p.at(array, item), f"{array.e.name}_j", "w_j", "own_j") for array in arrays]
        if centres is None:
            return Parts(scalars, [])
        away = p.let(x - p.at(centres, item), "delta", "d_j", "rel")
        if not vectors or rng.chance(0.5):
            scalars.append(p.let(p.fn("length", away), "dist", "r_j", "gap"))
        return Parts(scalars, [away])

    names = ("j", "item", "index", "box", "other")
    for total in collected(p, surface, query, names, "bvh_query_next", parts, x, *limits):
        stored(p, total, ("sums", "hits_out", "loads", "potential_out", "forces"))


def _search(p: Pen, surface: Surface, x: Q) -> tuple[Expr, tuple[Q, ...]]:
    """A search of boxes, and what moving it on is given."""
    rng = p.s.rng
    form = rng.pick(("around", "around", "ray", "sweep"))
    if form == "around":
        return around(p, surface, x)[0], ()
    way = p.at(p.vectors(("dirs", "directions", "ray_dirs", "velocities"), -1.0, 1.0))
    way = p.let(p.fn("normalize", way) if form == "ray" else way, "d", "dir_i", "way")
    if form == "ray":
        limits = (p.value(("max_dist", "max_t", "far"), 0.5, 1.5),) if rng.chance(0.4) else ()
        return surface.call("bvh_query_ray", "s", exactly(0.0), x, way), limits
    radius = p.value(_RADII, 0.05, 0.3)
    return surface.call("bvh_query_capsule", "s", exactly(0.0), x, way, radius), (Q(p, p.literal(1.0)),)
