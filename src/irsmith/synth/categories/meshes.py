"""Categories that ask a mesh where its surface is: distances and contacts of points, and rays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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
        value = _where_found(p, result, made[form], lambda: p.begin(x, "x_new", "moved", "out_x"))
    elif form in {"penalty", "follow"}:
        names = (
            ("forces", "contact_f", "f_out", "particle_f") if form == "penalty" else ("drag_f", "delta_v", "coupled_v")
        )
        words = ("f", "force", "f_contact", "total_f") if form == "penalty" else ("dv", "drag", "pull", "f")
        value = _where_found(p, result, made[form], lambda: p.start(0.0, *words, like=x.e))
    else:
        names = ("sdf", "distances", "phi_out", "dist_out", "field")
        missed = rng.pick((0.0, 1.0, 10.0, 1e3))
        value = _where_found(p, result, made[form], lambda: p.start(missed, "d_out", "value", "sdf_i", "best", "phi"))
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


def _where_found(p: Pen, result: Expr | None, make: Callable[[], Q], begin: Callable[[], Q]) -> Q:
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
    elif rng.chance(0.3):
        dist = grown(p, dist, size=1)
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
    height = p.let(p.fn("dot", n, x - c), "height", "h_n", "along_n", "side_d")
    return height if rng.chance(0.6) else height * p.at(p.reals(("stiffness", "weights", "coeff"), 0.5, 2.0))


def mesh_ray(s: Sketch) -> None:
    """Rays against a mesh: depth images, hits, shading, shadows, thickness."""
    rng, p = s.rng, space(s)
    form = rng.pick(("given", "given", "camera", "camera", "down"))
    s.open(2 if form == "camera" else 1)
    surface = mesh(p)
    origin, way = {"given": _given, "camera": _camera, "down": _down}[form](p)
    if form == "given" and rng.chance(0.2):
        _counted(p, surface, origin, way)
        return
    limit: Q | float = rng.pick((10.0, 100.0, 1e3, 1e6))
    if rng.chance(0.4):
        limit = p.value(("max_t", "max_dist", "far", "t_max", "max_range"), 1.2, 4.0)
    query = surface.ask("mesh_query_ray", origin, way, limit, names=("query", "hit", "q", "ray_hit", "res"))
    if rng.chance(0.35):
        names: tuple[str, ...] = ("pixels", "image", "colors", "framebuffer", "rgb_out")
        value = _where_found(
            p,
            query.result,
            lambda: _coloured(p, query),
            lambda: p.start(0.0, "color", "rgb", "col", "pixel", like=origin.e),
        )
    else:
        names = ("depths", "image", "ranges", "hits_out", "scan_out", "intensity")
        missed = rng.pick((0.0, -1.0, 1.0))
        value = _where_found(
            p,
            query.result,
            lambda: _seen(p, surface, query, origin, way),
            lambda: p.start(missed, "value", "depth", "shade", "t_out", "level"),
        )
    stored(p, value, names)


def _given(p: Pen) -> tuple[Q, Q]:
    """Rays of two arrays."""
    rng = p.s.rng
    origin = p.let(
        p.at(p.vectors(("ray_origins", "origins", "starts", "ro", "ray_start"), -1.8, 1.8)), "o", "start", "p"
    )
    way = p.at(p.vectors(("ray_dirs", "directions", "rd", "dirs"), -1.0, 1.0))
    if rng.chance(0.3):
        # Towards something near the middle.
        return origin, p.let(p.fn("normalize", way - origin), "d", "dir_i", "to_target")
    return origin, p.let(p.fn("normalize", way), "d", "dir_i", "ray_d")


def _camera(p: Pen) -> tuple[Q, Q]:
    """The ray of a pixel, from a camera on an axis."""
    rng, s = p.s.rng, p.s
    scale = p.value(("pixel_size", "scale", "spacing"), 0.1, 0.3)
    half = [s.extents[axis] * 0.5 for axis in range(2)]
    px, py = (
        p.let((p.real(coord) - half[axis]) * scale, *names)
        for axis, (coord, names) in enumerate(zip(p.coords, (("px", "sx", "u"), ("py", "sy", "v")), strict=True))
    )
    away = p.value(("cam_z", "eye_z", "camera_dist"), 1.6, 3.0)
    if rng.chance(0.5):
        origin = p.let(p.make(px, py, away), "ro", "origin", "eye")
        way = p.make(p.value(("tilt", "skew"), -0.2, 0.2), rng.pick((0.0, 0.1)), -1.0)
        return origin, p.let(way, "rd", "ray_dir", "forward")
    origin = p.let(p.make(p.value(("cam_x", "eye_x"), -0.4, 0.4), 0.0, away), "ro", "origin", "eye")
    return origin, p.let(p.fn("normalize", p.make(px, py, rng.pick((-1.0, -1.5, -2.0)))), "rd", "ray_dir", "d")


def _down(p: Pen) -> tuple[Q, Q]:
    """Rays that all go the same way, from points above."""
    s, rng = p.s, p.s.rng
    x = p.let(p.at(p.vectors(("sensors", "feet", "points", "x"), -1.0, 1.0)), "p", "x_i", "pos_i")
    if rng.chance(0.6):
        up = p.make(0.0, p.value(("lift", "height", "clearance"), 1.0, 2.0), 0.0)
        return p.let(x + up, "start", "above", "ro"), Q(p, p.make(0.0, -1.0, 0.0).e)
    made = s.value(s.names_free(("sun_dir", "gravity_dir", "axis")), x.e.type, -1.0, 1.0)
    s.read(made)
    return x, p.let(p.fn("normalize", Q(p, made)), "d", "down", "sun")


def _seen(p: Pen, surface: Surface, query: Found, origin: Q, way: Q) -> Q:
    """A number that tells what a ray met."""
    rng = p.s.rng
    form = rng.pick(("depth", "depth", "lambert", "lambert", "shadow", "height", "thickness"))
    t = p.perhaps(query.along, "t", "t_hit", "range_t")
    if form == "depth":
        return t if rng.chance(0.4) else grown(p, t, size=1) if rng.chance(0.5) else p.fn("exp", t * -0.5)
    if form == "lambert":
        light = p.fn("normalize", p.at(p.vectors(("light_dirs", "lights", "to_light"), -1.0, 1.0)))
        lit = p.let(p.fn("dot", query.normal, light), "ndl", "lambert", "cos_l")
        return p.fn("max", lit, rng.pick((0.0, 0.05, 0.1))) * (1.0 / (1.0 + t * 0.2)) if rng.chance(0.5) else lit * t
    hit = p.let(origin + way * t, "hit_p", "p_hit", "where")
    if form == "height":
        return hit[rng.below(3)]
    if form == "thickness":
        return _through(p, surface, hit, way)
    return _lit(p, surface, query, hit)


def _through(p: Pen, surface: Surface, hit: Q, way: Q) -> Q:
    """How far a ray goes on until it meets the mesh again."""
    rng = p.s.rng
    behind = _beside(surface, hit, way, "inside_p", "next_o", "behind")
    second = surface.ask("mesh_query_ray", behind, way, 10.0, names=("exit_hit", "back", "query2"))
    thickness = p.start(0.0, "thickness", "path_len", "through")
    far = p.value(("absorption", "sigma", "density"), 0.4, 1.5)

    def fill() -> None:
        p.put(thickness, second.along * far)

    p.when(second.result, fill)
    return p.fn("exp", -p.now(thickness)) if rng.chance(0.5) else p.now(thickness)


def _beside(surface: Surface, point: Q, way: Q, *names: str) -> Q:
    """A variable for a place so close to a point that it matters to a ray from there alone."""
    e, rng = point.e, surface.pen.s.rng
    step = e._replace(op="vscale", name="", args=(way.e, surface.pen.literal(rng.pick((0.01, 0.02, 0.001)))))
    lanes = surface.pen.s.probe.of(e)
    return surface.tell(e._replace(op="vadd", name="", args=(e, step)), lanes, point, *names)


def _lit(p: Pen, surface: Surface, query: Found, hit: Q) -> Q:
    """How light a place is, unless the mesh stands between it and a lamp."""
    rng = p.s.rng
    light = p.at(p.vectors(("light_pos", "lights", "lamps"), -3.0, 3.0))
    lifted = _beside(surface, hit, query.normal, "shadow_o", "lifted", "off_p")
    to_light = p.let(light - lifted, "to_light", "l_vec", "ldir")
    call = surface.call("mesh_query_ray_anyhit", "b", usual(0.0, 1.0), lifted, to_light, 1.0)
    lanes = p.s.probe.of(to_light.e)
    blocked = surface.tell(call, lanes[:, 0] + lanes[:, 1] > 0.0, to_light, "blocked", "occluded", "in_shadow")
    facing = p.fn("dot", query.normal, p.fn("normalize", to_light))
    shade = p.begin(p.fn("max", facing, 0.0) if rng.chance(0.5) else p.fn("abs", facing), "lit", "diffuse", "shade_i")

    def fill() -> None:
        p.put(shade, shade * rng.pick((0.1, 0.2, 0.25)))

    p.when(blocked.e, fill)
    return p.now(shade)


def _coloured(p: Pen, query: Found) -> Q:
    """A colour that tells what a ray met."""
    rng = p.s.rng
    n = p.perhaps(query.normal, "n", "normal", "hit_n")
    form = rng.pick(("normal", "normal", "albedo", "facing"))
    if form == "normal":
        return n * 0.5 + p.make(0.5, 0.5, 0.5)
    if form == "albedo":
        light = p.fn("normalize", p.at(p.vectors(("light_dirs", "lights", "to_light"), -1.0, 1.0)))
        albedo = p.at(p.vectors(("albedo", "base_color", "diffuse"), 0.1, 0.9))
        return albedo * p.fn("max", p.fn("dot", n, light), rng.pick((0.0, 0.1)))
    u, v = query.weights
    return p.make(u, v, 1.0 - u - v)


def _counted(p: Pen, surface: Surface, origin: Q, way: Q) -> None:
    """How many triangles a ray meets: an odd number from inside."""
    s, rng = p.s, p.s.rng
    call = surface.call("mesh_query_ray_count_intersections", "i", usual(0, 4), origin, way)
    lanes = np.floor(2.4 * np.abs(np.sin(7.0 * s.probe.of(origin.e)[:, 0])))
    count = surface.tell(call, lanes, origin, "hits", "crossings", "n_hits", "count")
    inside = p.start(1.0, "side", "sign_v", "outside")
    odd = s.al.compare("eq", s.al.do("rem", count.e, p.literal(2, count.e)), p.literal(1, count.e))

    def fill() -> None:
        p.put(inside, p.fn("length", origin) * rng.pick((-1.0, -0.5)))

    p.when(odd, fill)
    if rng.chance(0.5):
        p.store(("hit_counts", "n_crossings", "hits_out"), count)
    stored(p, p.now(inside), ("sides", "inside_out", "signs_out"))
