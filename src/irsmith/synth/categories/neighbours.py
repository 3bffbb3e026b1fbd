"""Categories that search points: sums and extremes over the neighbours that a hash grid finds."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import NO_SPAN, TRUTH, exactly, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.ir import Assign, Expr, For, While
from irsmith.synth.moves import PLAIN
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch
from irsmith.types import BOOL, FLOAT32, INT32, UINT64, Domain, HashGrid

_GRIDS = ("grid", "grid_id", "hash_grid", "neighbor_grid", "cells")
_POINTS = ("particle_x", "positions", "points", "x", "pos", "centers")
_RADII = ("radius", "h", "smoothing_length", "cutoff", "search_radius", "max_dist")


def neighbour_sum(s: Sketch) -> None:
    """What the points around each point add up to: densities, forces, averages, counts, nearest distances."""
    rng = s.rng
    s.al.real, s.length = FLOAT32, 3
    p = Pen(s)
    count = rng.pick((12, 16, 20, 24))
    s.guarded = True
    s.open(1, (count,))
    grid = s.names.free(_GRIDS, rng)
    points = p.vectors(_POINTS, -0.8, 0.8, (count,))
    width = rng.pick((0.4, 0.5, 0.5, 0.6, 0.8))
    s.arguments.append(Argument(grid, HashGrid(points.e.name, count), 0, Direction.IN, (), Domain(width, width)))
    if rng.chance(0.4):
        # Threads that are neighbours handle points that are.
        tid = s.coords[0]
        value = Expr("query", "i", INT32, tid.span, (_handle(grid), tid), "hash_grid_point_id")
        text = s.names.claim(s.names_free(("i", "index", "particle", "idx", "p_id")))
        s.emit(Assign(variable(text, INT32, tid.span), value))
        s.probe.weights = {}
        s.settle(text, s.probe.of(tid))
        s.coords = (variable(text, INT32, tid.span),)
    here = p.let(p.at(points), "x_i", "p", "xi", "here", "pos_i", "center")
    radius = p.value(_RADII, 0.5, 1.0)
    own = [_loaded(p, kind) for kind in rng.shuffled("fv")[: rng.pick((0, 0, 1, 1, 2))]]
    form = rng.pick(("sum", "sum", "sum", "vector", "vector", "both", "nearest"))
    total = p.start(0.0, "total", "rho", "acc", "density", "w_sum") if form in {"sum", "both"} else None
    force = p.start(0.0, "f", "force", "sum_v", "grad", "push", like=here.e) if form in {"vector", "both"} else None
    best = p.start(10.0, "nearest", "best", "closest", "min_dist") if form == "nearest" else None
    j = variable(s.names.claim(s.names_free(("j", "index", "n", "other", "k"))), INT32, usual(0, count - 1))

    def inside(delta: Q, dist: Q) -> None:
        parts = [dist, radius]
        for array, mine in own:
            theirs = p.at(array, Q(p, j))
            theirs = p.let(theirs, array.e.name + "_j", "other_val", "q_j") if rng.chance(0.5) else theirs
            gap = theirs - mine if rng.chance(0.5) else theirs
            if gap.e.kind == "v":
                gap = p.fn("length", gap) if rng.chance(0.5) else p.fn("dot", gap, delta)
            parts.append(gap)
        weight = _weight(p, dist, radius)
        if len(parts) > 2 or rng.chance(0.5):
            weight = grown(p, weight, *parts[2:], size=rng.pick((1, 2)))
        if rng.chance(0.5):
            weight = p.let(weight, "w", "wt", "contrib", "kernel_w", "k_ij")
        if total is not None:
            p.add_to(total, weight, count)
        if force is not None:
            p.add_to(force, delta * weight, count)
        if best is not None:
            p.most_of(best, dist if rng.chance(0.5) else weight + dist, "min")

    def body() -> None:
        delta = p.let(here - p.at(points, Q(p, j)), "d", "delta", "offset", "rel", "r_ij")
        dist = p.let(p.fn("length", delta), "dist", "r", "dist_ij", "gap")
        test = dist < radius if rng.chance(0.7) else dist <= radius
        # The nearest of all is the point itself.
        if form == "nearest" or rng.chance(0.35):
            test = s.al.connect("both", Expr("ne", "b", test.type, test.span, (j, s.coords[0])), test)
        p.when(test, lambda: inside(delta, dist))

    s.probe.argument(j)
    query = Expr("query", "i", UINT64, NO_SPAN, (_handle(grid), here.e, radius.e), "hash_grid_query")
    stepped = rng.chance(0.2)
    if stepped or rng.chance(0.5):
        text = s.names.claim(s.names_free(("query", "neighbors", "found", "q")))
        s.emit(Assign(Expr("name", "i", UINT64, NO_SPAN, (), text), query))
        query = Expr("query", "i", UINT64, NO_SPAN, (), text)
    if stepped:
        s.emit(Assign(j, Expr("mutable", "i", INT32, exactly(0), (), "", 0)))
    s.probe.looping += 1
    block = s.block(body)
    s.probe.looping -= 1
    if stepped:
        s.emit(While(Expr("query", "b", BOOL, TRUTH, (query, j), "hash_grid_query_next"), block))
    else:
        s.emit(For(j.name, None, query, None, block))
    for target in (total, force):
        if target is not None:
            # Few of all points are near.
            s.probe.values[target.e.name] = s.probe.of(target.e) * 0.25
    if rng.chance(0.6):
        _stored(p, *(target for target in (total, force, best) if target is not None))
        return
    for target in (total, force, best):
        if target is not None:
            p.result(target)
    if rng.chance(0.3):
        s.load("f")
    s.repertoire = PLAIN
    straight.temps(s, rng.below(2))
    closing(s, kinds="fv")


def _stored(p: Pen, *targets: Q) -> None:
    """Store sums as they are, or times what each point or all of them have."""
    rng, s = p.s.rng, p.s
    for target in targets:
        value = p.now(target)
        form = rng.pick(("plain", "plain", "number", "value", "value", "own"))
        if form == "number":
            value = value * rng.pick((0.5, 2.0, 0.1, 3.0))
        elif form == "own":
            name, low, high = s.quantity("scalars")
            value = value * p.at(p.reals((name, f"particle_{name}"), low, high))
        elif form == "value":
            value = value * p.value(("scale", "strength", "mass", "k", "norm"), 0.5, 2.0)
        scalar = value.e.kind == "f"
        names = ("rho", "density_out", "total_out", "field") if scalar else ("forces", "accel_out", "flow", "push_out")
        p.store(names, value)


def edge_contact(s: Sketch) -> None:
    """Pairs of edges that come close: where, how far apart they are, and what pushes them apart."""
    rng = s.rng
    s.al.real, s.length = FLOAT32, 3
    p = Pen(s)
    s.open(1)
    n = s.extents[0]
    if rng.chance(0.25):
        _triangles(p)
        return
    if rng.chance(0.5):
        count = rng.pick((12, 16, 24))
        vertices = p.vectors(("vertices", "x", "pos", "particle_q", "points"), -1.0, 1.0, (count,))
        pairs = p.wholes(("edges", "edge_pairs", "contacts", "pairs", "edge_indices"), 0, count - 1, (n, 4))
        ends = []
        for k, names in enumerate((("i", "a0", "v0"), ("j", "a1", "v1"), ("k", "b0", "v2"), ("l", "b1", "v3"))):
            index = p.index(p.at(pairs, p.coords[0], k), count, *names)
            ends.append(p.let(p.at(vertices, index), f"p{k}", f"x{k}", f"{'pq'[k // 2]}{k % 2 + 1}"))
    else:
        words = (
            ("a_start", "p1", "seg0_a"),
            ("a_end", "q1", "seg0_b"),
            ("b_start", "p2", "seg1_a"),
            ("b_end", "q2", "seg1_b"),
        )
        arrays = [p.vectors(names, -1.0, 1.0) for names in words]
        ends = [p.perhaps(p.at(array), f"{array.e.name}_i", f"e{k}") for k, array in enumerate(arrays)]
    epsilon = Expr("literal", "f", FLOAT32, usual(1e-6, 1e-6), (), "", 1e-6)
    operands = (*(end.e for end in ends), epsilon)
    call = Expr("closest_edges", "v", ends[0].e.type, usual(0.0, 2.0), operands)
    found = p.let(Q(p, call), "st", "res", "closest", "bary", "hit")
    dist = p.let(found[2], "dist", "d", "gap", "distance")
    a0, a1, b0, b1 = ends
    on_a = p.let(a0 + (a1 - a0) * found[0], "pa", "c1", "on_first", "x_a")
    on_b = p.let(b0 + (b1 - b0) * found[1], "pb", "c2", "on_second", "x_b")
    away = on_a - on_b
    # Of edges that meet, the direction is noise: it must not be made a unit vector.
    normal = p.let(away / (dist + rng.pick((0.05, 0.1, 0.2))), "n", "normal", "dir_ab")
    thickness = p.value(("thickness", "radius", "margin", "contact_dist"), 0.3, 1.2)
    stiffness = p.value(("stiffness", "ke", "k", "strength"), 0.5, 4.0) if rng.chance(0.6) else None
    depth = p.let(p.fn("max", thickness - dist, 0.0) if rng.chance(0.5) else thickness - dist, "depth", "pen", "c")
    size = grown(p, depth, *([stiffness] if stiffness is not None else []), size=rng.pick((1, 1, 2)))
    form = rng.pick(("force", "force", "energy", "both"))
    if form != "energy":
        # Stored as it is: where edges meet it is noise, which nothing further may be made of.
        p.store(("forces", "push_out", "impulses", "repulsion", "contact_f"), normal * size)
    if form == "both":
        p.keep(depth * depth * rng.pick((0.5, 1.0, 2.0)), "energy_ab", "cost", "psi")
    elif form == "energy":
        middle = p.fn("lerp", a0, b0, found[0]) if rng.chance(0.3) else (on_a + on_b) * 0.5
        p.store(("contact_points", "midpoints", "where_out"), middle)
        s.add(size.e) if size.e.op == "name" else p.keep(size, "energy_ab", "cost", "psi")
        p.keep(p.fn("dot", normal, on_a), "along", "n_dot", "side_v")
    if rng.chance(0.4):
        s.load("f")
    s.repertoire = PLAIN
    if s.fresh:
        closing(s, kinds="f")


def _triangles(p: Pen) -> None:
    """Pairs of triangles: whether they meet, and what it costs."""
    s, rng = p.s, p.s.rng
    n = s.extents[0]
    corners = []
    for names, letters in ((("tri_a", "first", "cloth_tri"), "abc"), (("tri_b", "second", "body_tri"), "xyz")):
        array = p.vectors(names, -1.0, 1.0, (n, 3))
        for k in range(3):
            corner = p.at(array, p.coords[0], k)
            corners.append(p.let(corner, f"{letters[k]}0", f"{names[0][4:] or 'p'}{k}", f"v_{letters[k]}"))
    met = Q(p, Expr("triangles_meet", "i", INT32, usual(0, 1), tuple(corner.e for corner in corners)))
    hit = p.let(met, "hit", "meets", "overlap", "touching")
    first, second = corners[:3], corners[3:]
    middle = [(a + b + c) / 3.0 for a, b, c in (first, second)]
    gap = p.let(middle[0] - middle[1], "gap", "delta", "d")
    reach = p.fn("length", gap) if rng.chance(0.5) else p.norm2(gap)
    reach = p.let(reach, "dist", "reach", "sep")
    cost = p.value(("penalty", "stiffness", "weight"), 0.5, 3.0)
    if rng.chance(0.4):
        area = p.fn("length", p.fn("cross", first[1] - first[0], first[2] - first[0])) * 0.5
        reach = reach * p.let(area, "area", "area_a")
    value = p.choose(s.al.compare("eq", hit.e, whole(1)), cost * reach, rng.pick((0.0, -1.0)))
    p.keep(value, "energy", "loss", "response")
    if rng.chance(0.4):
        p.store(("hits", "meets_out", "flags"), hit)
    closing(s, kinds="f")


def _handle(grid: str) -> Expr:
    return Expr("name", "i", UINT64, NO_SPAN, (), grid)


def _loaded(p: Pen, kind: str) -> tuple[Q, Q]:
    """An array of what each point has, and this thread's own element."""
    name, low, high = p.s.quantity("scalars" if kind == "f" else "vectors")
    array = (p.reals if kind == "f" else p.vectors)((name, f"particle_{name}"), low, high)
    return array, p.let(p.at(array), f"{name}_i", "own", "mine")


def _weight(p: Pen, dist: Q, radius: Q) -> Q:
    """How much a neighbour counts, by its distance."""
    rng = p.s.rng
    form = rng.pick(("cubic", "linear", "poly", "gauss", "spring", "inverse"))
    if form == "cubic":
        q = p.let(radius - dist, "q", "reach", "left")
        return q * q * q
    if form == "linear":
        return 1.0 - dist / radius
    if form == "poly":
        q = p.let(radius * radius - dist * dist, "q", "h2_r2", "diff_sq")
        return q * q if rng.chance(0.4) else q * q * q
    if form == "gauss":
        return p.fn("exp", -(dist * dist) * rng.pick((1.0, 2.0, 4.0)))
    if form == "spring":
        return (radius - dist) * rng.pick((2.0, 5.0, 10.0, 0.5))
    return 1.0 / (dist + rng.pick((0.1, 0.2, 0.5)))
