"""The category of rays against a mesh: depth images, hits, shading, shadows, thickness."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import usual
from irsmith.synth.categories.meshes import space, stored, where_found
from irsmith.synth.categories.pen import Pen, Q, grown
from irsmith.synth.categories.surfaces import POINT, Found, Surface, mesh
from irsmith.synth.sketch import Sketch

_PIXELS: tuple[str, ...] = ("pixels", "image", "colors", "framebuffer", "rgb_out")
_RANGES = ("depths", "image", "ranges", "hits_out", "scan_out", "intensity")


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
        names = _PIXELS
        value = where_found(p, query.result, lambda: _coloured(p, surface, query, way), lambda: _sky(p, way))
    else:
        names = _RANGES
        value = where_found(
            p, query.result, lambda: _seen(p, surface, query, origin, way), lambda: _missed(p, way, limit)
        )
    stored(p, value, names)


# Where rays start, and which way they go.


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
    """The ray of a pixel, from a camera that looks along an axis, or turned away from it a little."""
    rng, s = p.s.rng, p.s
    scale = p.value(("pixel_size", "scale", "spacing"), 0.1, 0.3)
    half = [s.extents[axis] * 0.5 for axis in range(2)]
    px, py = (
        p.let((p.real(coord) - half[axis]) * scale, *names)
        for axis, (coord, names) in enumerate(zip(p.coords, (("px", "sx", "u"), ("py", "sy", "v")), strict=True))
    )
    if rng.chance(0.25):
        px = px * p.value(("aspect", "aspect_ratio", "stretch"), 0.8, 1.4)
    if rng.chance(0.3):
        away = p.value(("cam_z", "eye_z", "camera_dist"), 1.6, 3.0)
        origin = p.let(p.make(px, py, away), "ro", "origin", "eye")
        way = p.make(p.value(("tilt", "skew"), -0.2, 0.2), rng.pick((0.0, 0.1)), -1.0)
        return origin, p.let(way, "rd", "ray_dir", "forward")
    at = rng.pick(("part", "parts", "given", "moved"))
    if at == "given":
        made = s.value(s.names_free(("cam_pos", "eye_pos", "camera")), POINT, -0.3, 0.3)
        s.read(made)
        origin = p.let(Q(p, made) + p.make(0.0, 0.0, rng.pick((2.0, 2.5, 3.0))), "ro", "origin", "eye")
    else:
        away = p.value(("cam_z", "eye_z", "camera_dist"), 1.6, 3.0)
        side = p.value(("cam_x", "eye_x"), -0.4, 0.4)
        up: Q | float = p.value(("cam_y", "eye_y", "cam_height"), -0.3, 0.3) if at == "parts" else 0.0
        origin = p.let(p.make(side, up, away), "ro", "origin", "eye")
        if at == "moved":
            # A lens: each pixel sees from a place of its own.
            shift = p.at(p.vectors(("jitter", "lens_offset", "aperture_xy"), -0.1, 0.1))
            origin = p.let(origin + shift, "lens_p", "start", "ro_j")
    depth: Q | float = rng.pick((-1.0, -1.5, -2.0))
    if rng.chance(0.35):
        depth = -p.value(("focal", "focal_length", "lens"), 1.0, 2.0)
    way = p.fn("normalize", p.make(px, py, depth))
    if rng.chance(0.3):
        axis = p.make(*rng.pick(((0.0, 1.0, 0.0), (1.0, 0.0, 0.0))))
        turn = p.do("qaxis_angle", axis, p.value(("yaw", "pitch", "pan"), -0.3, 0.3))
        way = p.do("qrotate", p.perhaps(turn, "cam_rot", "turn", "q_cam"), p.perhaps(way, "local_d", "d_cam"))
    return origin, p.let(way, "rd", "ray_dir", "d")


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


# What is there where a ray meets nothing.


def _missed(p: Pen, way: Q, limit: Q | float) -> Q:
    """A number, for rays that meet nothing."""
    rng = p.s.rng
    names = ("value", "depth", "shade", "t_out", "level")
    if isinstance(limit, Q) and rng.chance(0.5):
        return p.begin(limit + rng.pick((1.0, 0.5)), *names)
    if way.e.op == "name" and rng.chance(0.25):
        return p.begin(grown(p, way[1], size=rng.pick((1, 2))), *names)
    return p.start(rng.pick((0.0, -1.0, 1.0)), *names)


def _sky(p: Pen, way: Q) -> Q:
    """A colour, for rays that meet nothing."""
    s, rng = p.s, p.s.rng
    names = ("color", "rgb", "col", "pixel")
    form = rng.pick(("black", "black", "flat", "given", "gradient"))
    if form == "given":
        made = s.value(s.names_free(("background", "sky_color", "clear_color")), POINT, 0.0, 1.0)
        s.read(made)
        return p.begin(Q(p, made) * rng.pick((0.5, 0.8)), *names)
    if form == "gradient" and way.e.op == "name":
        low, high = p.make(1.0, 1.0, 1.0), p.make(rng.pick((0.5, 0.3)), 0.7, 1.0)
        blend = p.let(0.5 * (way[1] + 1.0), "blend", "up_t", "k_sky")
        return p.begin(
            p.fn("lerp", low, high, blend) if rng.chance(0.5) else low * (1.0 - blend) + high * blend, *names
        )
    if form == "flat":
        return p.begin(
            p.make(rng.pick((0.1, 0.2)), rng.pick((0.1, 0.3)), p.value(("sky", "ambient"), 0.2, 0.8)), *names
        )
    return p.start(0.0, *names, like=way.e)


# What a ray sees.


def _seen(p: Pen, surface: Surface, query: Found, origin: Q, way: Q) -> Q:
    """A number that tells what a ray met."""
    rng = p.s.rng
    form = rng.pick(
        ("depth", "depth", "lambert", "lambert", "shadow", "height", "thickness", "grazing", "material", "material")
    )
    t = p.perhaps(query.along, "t", "t_hit", "range_t")
    if form == "depth":
        return (
            t if rng.chance(0.2) else grown(p, t, size=rng.pick((1, 2))) if rng.chance(0.7) else p.fn("exp", t * -0.5)
        )
    if form == "lambert":
        light = p.fn("normalize", p.at(p.vectors(("light_dirs", "lights", "to_light"), -1.0, 1.0)))
        lit = p.let(p.fn("dot", query.normal, light), "ndl", "lambert", "cos_l")
        return p.fn("max", lit, rng.pick((0.0, 0.05, 0.1))) * (1.0 / (1.0 + t * 0.2)) if rng.chance(0.5) else lit * t
    if form == "grazing":
        facing = p.let(p.fn("abs", p.fn("dot", query.normal, way)), "facing", "cos_i", "ndv")
        edge = 1.0 - facing
        return grown(p, edge if rng.chance(0.5) else facing, *([t] if rng.chance(0.5) else []), size=rng.pick((1, 2)))
    if form == "material":
        held = p.at(p.reals(("face_albedo", "reflectivity", "roughness"), 0.1, 1.0, (surface.count,)), query.face)
        held = p.perhaps(held, "albedo_f", "rho_f", "mat_v")
        return grown(p, held, t, size=rng.pick((1, 2, 2)))
    hit = p.let(origin + way * t, "hit_p", "p_hit", "where")
    if form == "height":
        return hit[rng.below(3)] if rng.chance(0.3) else grown(p, hit[rng.below(3)], t, size=rng.pick((1, 2)))
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


def _coloured(p: Pen, surface: Surface, query: Found, way: Q) -> Q:
    """A colour that tells what a ray met."""
    s, rng = p.s, p.s.rng
    n = p.perhaps(query.normal, "n", "normal", "hit_n")
    form = rng.pick(("normal", "albedo", "albedo", "facing", "faces"))
    if form == "normal":
        colour = n * 0.5 + p.make(0.5, 0.5, 0.5)
    elif form == "albedo":
        light = p.fn("normalize", p.at(p.vectors(("light_dirs", "lights", "to_light"), -1.0, 1.0)))
        albedo = p.at(p.vectors(("albedo", "base_color", "diffuse"), 0.1, 0.9))
        colour = albedo * p.fn("max", p.fn("dot", n, light), rng.pick((0.0, 0.1)))
    elif form == "faces":
        colour = p.at(p.vectors(("face_colors", "face_albedo", "materials"), 0.1, 0.9, (surface.count,)), query.face)
        colour = colour * p.let(p.fn("abs", p.fn("dot", n, way)), "facing", "ndv", "headlight")
    else:
        u, v = query.weights
        colour = p.make(u, v, 1.0 - u - v)
    after = rng.pick(("", "", "fog", "dim", "tint"))
    if after == "fog":
        density = p.value(("fog", "density", "haze"), 0.1, 0.8)
        clear = p.let(p.fn("exp", -(query.along * density)), "clear", "transmit", "vis")
        colour = colour * clear + p.make(0.5, 0.6, 0.7) * (1.0 - clear) if rng.chance(0.6) else colour * clear
    elif after == "dim":
        colour = colour / (1.0 + query.along * query.along * p.value(("falloff", "attenuation"), 0.1, 0.6))
    elif after == "tint":
        made = s.value(s.names_free(("tint", "light_color", "filter_rgb")), POINT, 0.3, 1.0)
        s.read(made)
        colour = p.do("cw_mul", colour, Q(p, made))
    return colour


def _counted(p: Pen, surface: Surface, origin: Q, way: Q) -> None:
    """How many triangles a ray meets: an odd number from inside."""
    s, rng = p.s, p.s.rng
    call = surface.call("mesh_query_ray_count_intersections", "i", usual(0, 4), origin, way)
    lanes = np.floor(2.4 * np.abs(np.sin(7.0 * s.probe.of(origin.e)[:, 0])))
    count = surface.tell(call, lanes, origin, "hits", "crossings", "n_hits", "count")
    own = p.at(p.reals(("sdf", "density", "weights", "temperature"), 0.2, 2.0)) if rng.chance(0.5) else None
    if own is not None and rng.chance(0.5):
        inside = p.begin(grown(p, own, size=1), "side", "value", "level")
    else:
        inside = p.start(rng.pick((1.0, 0.0, -1.0)), "side", "sign_v", "outside")
    odd = s.al.compare("eq", s.al.do("rem", count.e, p.literal(2, count.e)), p.literal(1, count.e))

    def fill() -> None:
        size = p.fn("length", origin) if rng.chance(0.6) else p.norm2(origin)
        if own is not None and rng.chance(0.6):
            size = grown(p, size, own, size=rng.pick((1, 2)))
        elif rng.chance(0.5):
            size = grown(p, size, size=rng.pick((1, 2)))
        p.put(inside, size * rng.pick((-1.0, -0.5)))

    p.when(odd, fill)
    if rng.chance(0.5):
        p.store(("hit_counts", "n_crossings", "hits_out"), count)
    stored(p, p.now(inside), ("sides", "inside_out", "signs_out"))
