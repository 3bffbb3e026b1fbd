"""The category that asks a mesh where its surface is: distances and contacts of points."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.algebra import usual
from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.categories.surfaces import Found, Surface, mesh
from irsmith.synth.ir import Expr, If, Return, Span
from irsmith.synth.moves import PLAIN
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32

_QUERIES = ("query", "query", "q", "res", "closest_q", "mesh_q", "found")
_POINTS = ("points", "x", "particle_x", "positions", "particle_q", "pos", "samples")
_SIGNED = (
    "mesh_query_point",
    "mesh_query_point",
    "mesh_query_point",
    "mesh_query_point_sign_normal",
    "mesh_query_point_sign_winding_number",
    "mesh_query_point_sign_parity",
)
_FAR_AWAY = (10.0, 100.0, 1e3, 1e6)


def space(s: Sketch) -> Pen:
    """A pen over what geometry is made of: vectors of three float32."""
    s.al.real, s.length = FLOAT32, 3
    return Pen(s)


def mesh_distance(s: Sketch) -> None:
    """Where points are against a mesh: distances, projections, contacts, and what its surface does to them."""
    rng, p = s.rng, space(s)
    s.open(1)
    surface = mesh(p)
    x = p.let(p.at(p.vectors(_POINTS, -1.4, 1.4)), "x", "p", "pos_i", "xi", "point")
    form = rng.pick(("distance", "distance", "project", "push", "push", "penalty", "penalty", "follow", "face"))
    if form == "distance" and rng.chance(0.15):
        least = p.value(("min_dist", "min_distance", "radius", "inner"), 1.4, 2.4)
        found = surface.ask("mesh_query_furthest_point_no_sign", x, least, names=_QUERIES)
        signed = far = False
    else:
        signed = form in {"push", "penalty"} or (form != "face" and rng.chance(0.6))
        builtin = rng.pick(_SIGNED) if signed else "mesh_query_point_no_sign"
        far = form != "face" and rng.chance(0.25)
        reach: Q | float = rng.pick(_FAR_AWAY)
        if not far:
            reach = p.value(("max_dist", "max_distance", "radius", "cutoff", "query_dist", "search_dist"), 0.3, 1.2)
        found = surface.ask(builtin, x, reach, names=_QUERIES)
    made: dict[str, Callable[[], Q]] = {
        "distance": lambda: _distance(p, found, x, signed=signed),
        "project": lambda: _project(p, found, x, signed=signed),
        "push": lambda: _push(p, found, x),
        "penalty": lambda: _penalty(p, found, x),
        "follow": lambda: _follow(p, found, x, signed=signed),
        "face": lambda: _face(p, surface, found, x),
    }
    # So far away that there is something for sure.
    result = None if far else found.result
    if form in {"project", "push"}:
        names: tuple[str, ...] = ("x_out", "projected", "new_x", "corrected", "points_out")
        value = where_found(p, result, made[form], lambda: p.begin(x, "x_new", "moved", "out_x"))
    elif form in {"penalty", "follow"}:
        names = (
            ("forces", "contact_f", "f_out", "particle_f") if form == "penalty" else ("drag_f", "delta_v", "coupled_v")
        )
        words = ("f", "force", "f_contact", "total_f") if form == "penalty" else ("dv", "drag", "pull", "f")
        value = where_found(p, result, made[form], lambda: p.start(0.0, *words, like=x.e))
    else:
        names = ("sdf", "distances", "phi_out", "dist_out", "field")
        missed = rng.pick((0.0, 1.0, 10.0, 1e3))
        value = where_found(p, result, made[form], lambda: p.start(missed, "d_out", "value", "sdf_i", "best", "phi"))
    stored(p, value, names)


def stored(p: Pen, value: Q, names: tuple[str, ...]) -> None:
    """Store what was found as it is, or go on with it."""
    s, rng = p.s, p.s.rng
    vectors = value.e.kind == "v"
    if rng.chance(0.75 if vectors else 0.6):
        roll = rng.random()
        if roll < 0.2:
            value = value * p.value(("scale", "gain", "strength", "weight"), 0.5, 2.0)
        elif roll < 0.65:
            name, low, high = s.quantity("scalars")
            own = p.perhaps(p.at(p.reals((name, f"particle_{name}"), low, high)), f"{name}_i", "own", "mine")
            value = (
                value * grown(p, own, size=rng.pick((0, 1, 2)))
                if vectors
                else grown(p, value if value.e.kind == "f" else p.real(value), own, size=rng.pick((1, 2, 2, 3)))
            )
        elif roll < 0.8 and value.e.kind == "f":
            value = grown(p, value, size=rng.pick((1, 2)))
        p.store(names, value)
        return
    s.add(p.let(value).e if value.e.op != "name" else value.e)
    s.repertoire = PLAIN
    if rng.chance(0.35):
        s.load("f")
        straight.temps(s, 1)
    if rng.chance(0.75):
        straight.temps(s, rng.below(3))
        straight.finish(s, 3)
    else:
        closing(s, kinds="fv")


def where_found(p: Pen, result: Expr | None, make: Callable[[], Q], begin: Callable[[], Q]) -> Q:
    """Make something of what a query found: behind an early return, or in a branch that changes a variable."""
    s = p.s
    if result is None:
        return make()
    if s.rng.chance(0.25):
        s.emit(If(s.al.connect("not", result), (Return(None),)))
        return make()
    target = begin()

    def fill() -> None:
        value = make()
        p.put(target, value, value.e.span)

    p.when(result, fill)
    return Q(p, target.e._replace(span=Span(-1e3, 1e3, -1.0, 2.0) if target.e.kind == "f" else usual(-4.0, 4.0)))


def _gap(p: Pen, found: Found, x: Q) -> tuple[Q, Q, Q]:
    """The closest point, what leads from it to the point that was asked for, and how far that is."""
    c = found.place(x, "closest", "c", "cp", "p_mesh", "on_mesh", "x_surf")
    delta = p.let(x - c, "delta", "offset", "d_vec", "diff", "rel")
    size = p.fn("length", delta)
    if p.s.rng.chance(0.2):
        p.store(("closest_out", "contact_points", "hit_points"), c)
    return c, delta, p.let(size, "dist", "d", "r", "gap_len") if p.s.rng.chance(0.7) else size


def _signed(p: Pen, found: Found, dist: Q) -> Q:
    return p.let(dist * found.sign if p.s.rng.chance(0.6) else found.sign * dist, "signed_dist", "sd", "phi_i", "depth")


def _distance(p: Pen, found: Found, x: Q, *, signed: bool) -> Q:
    rng = p.s.rng
    _, _, dist = _gap(p, found, x)
    if signed:
        dist = _signed(p, found, dist)
    if rng.chance(0.35):
        dist = dist - p.value(("thickness", "offset", "margin", "shell"), 0.02, 0.3)
    if rng.chance(0.25):
        band = p.value(("band", "truncation", "bandwidth"), 0.3, 1.2)
        dist = p.fn("clamp", dist, -band, band) if signed else p.fn("min", dist, band)
    elif rng.chance(0.5):
        dist = grown(p, dist, size=rng.pick((1, 1, 2)))
    return dist


def _project(p: Pen, found: Found, x: Q, *, signed: bool) -> Q:
    rng = p.s.rng
    if rng.chance(0.4):
        c = found.place(x, "closest", "c", "cp", "target", "on_mesh")
        amount = p.value(("blend", "alpha", "stiffness", "weight", "relax"), 0.2, 0.9)
        return p.fn("lerp", x, c, amount) if rng.chance(0.5) else x + (c - x) * amount
    c, delta, dist = _gap(p, found, x)
    n = delta / (dist + rng.pick((1e-3, 1e-2, 1e-4)))
    if signed:
        n = n * found.sign
    n = p.let(n, "n", "normal", "dir_out", "grad")
    return c + n * p.value(("offset", "thickness", "margin", "shell"), 0.05, 0.4)


def _normal(p: Pen, found: Found, delta: Q) -> Q:
    unit = p.fn("normalize", delta) * found.sign
    return p.let(unit, "n", "normal", "contact_n", "grad")


def _push(p: Pen, found: Found, x: Q) -> Q:
    """A point that is inside is moved out."""
    rng = p.s.rng
    _, delta, dist = _gap(p, found, x)
    sd = _signed(p, found, dist)
    margin = p.value(("margin", "radius", "thickness", "contact_dist"), 0.1, 0.5)
    error = p.let(sd - margin, "err", "pen", "c_err", "violation")
    n = _normal(p, found, delta)
    if rng.chance(0.5):
        amount = p.fn("min", error, 0.0)
        if rng.chance(0.5):
            amount = amount * p.value(("relaxation", "stiffness", "k"), 0.3, 1.0)
        return x - n * amount
    moved = p.begin(x, "pushed", "x_out", "fixed_x")

    def inside() -> None:
        p.put(moved, x - n * error, usual(-2.0, 2.0))

    p.when(error < 0.0, inside)
    return p.now(moved)


def _penalty(p: Pen, found: Found, x: Q) -> Q:
    """A force that pushes a point out of a mesh, damped and with friction."""
    rng = p.s.rng
    _, delta, dist = _gap(p, found, x)
    sd = _signed(p, found, dist)
    margin = p.value(("margin", "radius", "thickness", "contact_margin"), 0.1, 0.6)
    depth = p.let(p.fn("min", sd - margin, 0.0), "pen", "c", "depth_i", "overlap")
    n = _normal(p, found, delta)
    stiffness = p.value(("ke", "stiffness", "contact_ke", "k_n"), 1.0, 10.0)
    force = n * (-depth * stiffness)
    if rng.chance(0.6):
        v = p.let(p.at(p.vectors(("particle_qd", "velocities", "v", "vel"), -1.0, 1.0)), "v_i", "vi", "vel_i")
        if rng.chance(0.5):
            v = p.let(v - found.velocity(x, "v_surf", "mesh_v", "v_mesh"), "v_rel", "rel_v")
        vn = p.let(p.fn("dot", n, v), "vn", "v_n", "closing")
        damping = p.value(("kd", "damping", "contact_kd"), 0.05, 0.8)
        force = p.let(force, "f_n", "f_elastic", "fn") - n * (p.fn("min", vn, 0.0) * damping)
        if rng.chance(0.5):
            slip = p.let(v - n * vn, "vt", "v_t", "slip")
            force = p.let(force, "f_d", "f_normal", "fc") - slip * p.value(("mu", "kf", "friction"), 0.1, 0.9)
    return force


def _follow(p: Pen, found: Found, x: Q, *, signed: bool) -> Q:
    """What the moving surface does to a point nearby."""
    rng = p.s.rng
    _, _, dist = _gap(p, found, x)
    away = _signed(p, found, dist) if signed else dist
    vs = found.velocity(x, "v_surf", "mesh_v", "surface_vel", "v_mesh")
    if rng.chance(0.6):
        v = p.let(p.at(p.vectors(("velocities", "v", "particle_qd", "vel"), -1.0, 1.0)), "v_i", "vi", "vel_i")
        vs = p.let(vs - v, "v_rel", "rel_v", "dv")
    falloff = rng.pick(("exp", "linear", "ratio"))
    if falloff == "exp":
        weight = p.fn("exp", -(away * away) * rng.pick((0.5, 1.0, 2.0)))
    elif falloff == "linear":
        weight = p.fn("max", 1.0 - p.fn("abs", away) * rng.pick((0.5, 0.4)), 0.0)
    else:
        weight = 1.0 / (1.0 + away * away)
    return vs * p.let(weight, "w", "falloff", "coupling")


def _face(p: Pen, surface: Surface, found: Found, x: Q) -> Q:
    """The side of the closest triangle, by its normal."""
    rng = p.s.rng
    c = found.place(x, "closest", "c", "cp", "on_mesh")
    lanes = p.s.probe.of(x.e)
    call = surface.call("mesh_eval_face_normal", "v", usual(-1.0, 1.0), found.face)
    n = surface.tell(call, lanes / (abs(lanes).sum(axis=-1, keepdims=True) + 0.1), x, "n", "face_n", "normal")
    form = rng.pick(("height", "height", "slope", "weighed", "facing", "both"))
    if form == "facing":
        way = p.at(p.vectors(("wind", "view_dirs", "flow", "light_dirs"), -1.0, 1.0))
        return grown(p, p.let(p.fn("dot", n, way), "facing", "cos_n", "ndw"), size=rng.pick((1, 2)))
    away = p.let(x - c, "away", "offset", "rel") if form in {"both", "slope"} else x - c
    height = p.let(p.fn("dot", n, away), "height", "h_n", "along_n", "side_d")
    if form == "height":
        return height if rng.chance(0.4) else grown(p, height, size=rng.pick((1, 2)))
    if form == "weighed":
        return height * p.at(p.reals(("stiffness", "weights", "coeff"), 0.5, 2.0))
    if form == "slope":
        return height / (p.fn("length", away) + rng.pick((0.01, 0.1)))
    aside = p.let(away - n * height, "aside", "tangent", "slide_v")
    return grown(p, height, p.fn("length", aside), size=rng.pick((1, 2)))
