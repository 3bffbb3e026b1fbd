"""Categories of rendering: rays and what they hit, shading, distance fields, noise."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.algebra import usual, vector
from irsmith.synth.categories.pen import Pen, Q, closing
from irsmith.synth.ir import If, Jump, Span
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch


def _space(s: Sketch) -> Pen:
    s.length = 3
    return Pen(s)


def _point(p: Pen, names: tuple[str, ...], low: float = -2.0, high: float = 2.0) -> Q:
    """A vector of this thread, or one that all share."""
    s = p.s
    if s.rng.chance(0.3):
        made = s.value(s.names_free(names), vector(s.length, s.al.real), low, high)
        s.read(made)
        return Q(p, made)
    return p.perhaps(p.at(p.vectors(names, low, high)), *(name + "_i" for name in names[:2]))


def ray_cast(s: Sketch) -> None:
    """A ray against a sphere, a plane, a box, a triangle or several spheres."""
    rng, p = s.rng, _space(s)
    s.open(rng.pick((1, 1, 2)))
    origin = _point(p, ("origin", "ro", "eye", "ray_o", "cam_pos"))
    heading = _point(p, ("dir", "rd", "ray_d", "view_dir"), -1.0, 1.0)
    heading = p.let(p.fn("normalize", heading), "d", "dir_n", "rd_n", "ray") if rng.chance(0.8) else heading
    shape = rng.pick(("sphere", "sphere", "plane", "box", "triangle", "spheres"))
    t = {"sphere": _sphere, "plane": _plane, "box": _box, "triangle": _triangle, "spheres": _spheres}[shape](
        p, origin, heading
    )
    roll = rng.random()
    if roll < 0.4:
        hit = p.let(origin + heading * t, "hit", "p_hit", "pos", "q")
        if rng.chance(0.6):
            centre = _point(p, ("light", "light_pos", "focus"))
            p.keep(
                p.fn("dot", p.fn("normalize", centre - hit), heading)
                if rng.chance(0.5)
                else p.fn("length", centre - hit),
                "to_light",
                "shade",
                "l_dist",
            )
        else:
            s.add(hit.e)
    else:
        s.add(t.e)
        if rng.chance(0.5):
            p.keep(p.fn("exp", -(t * rng.pick((0.1, 0.2, 0.5)))), "fog", "fade", "transmittance")
    closing(s, kinds="fv")


def _sphere(p: Pen, origin: Q, heading: Q) -> Q:
    rng = p.s.rng
    centre = _point(p, ("center", "sphere", "c"))
    radius = p.value(("radius", "r", "rad"), 0.8, 2.5)
    oc = p.let(origin - centre, "oc", "m", "rel", "o")
    b = p.let(p.fn("dot", oc, heading), "b", "half_b", "proj")
    c = p.norm2(oc) - radius * radius
    c = p.perhaps(c, "c_term", "cc", "k")
    if rng.chance(0.3):
        a = p.let(p.norm2(heading) + 0.1, "a", "aa")
        disc = p.let(b * b - a * c, "disc", "h", "delta")
    else:
        a = None
        disc = p.let(b * b - c, "disc", "h", "delta")
    t = p.start(rng.pick((-1.0, 0.0, 100.0, 10.0)), "t", "t_hit", "depth", span=Span(-100.0, 100.0, -1.0, 5.0))

    def hit() -> None:
        inside = (
            next(v for v in p.s.pool if v.name == disc.e.name)
            if any(v.name == disc.e.name for v in p.s.pool)
            else disc.e
        )
        positive = Q(
            p, inside._replace(span=Span(0.0, max(1.0, disc.e.span.high), 0.1, max(0.5, disc.e.span.usual_high)))
        )
        root = p.let(p.fn("sqrt", positive), "root", "sq", "s_disc")
        near = -b - root
        if a is not None:
            near = near / a
        if rng.chance(0.4):
            near = p.let(near, "t0", "near_t", "t_near")
            far = -b + root
            p.put(t, p.choose(near > 0.0, near, far), Span(-50.0, 50.0, -1.0, 4.0))
        else:
            p.put(t, near, Span(-50.0, 50.0, -1.0, 4.0))

    p.when(disc > 0.0 if rng.chance(0.7) else disc >= 0.0, hit)
    return p.now(t)


def _plane(p: Pen, origin: Q, heading: Q) -> Q:
    rng = p.s.rng
    normal = p.let(p.fn("normalize", _point(p, ("normal", "plane_n", "n"), -1.0, 1.0)), "n_hat", "nn", "pn")
    offset = p.value(("height", "plane_d", "offset"), -1.0, 1.0)
    denom = p.let(p.fn("dot", normal, heading), "denom", "nd", "cos_t")
    t = p.start(rng.pick((0.0, 10.0, -1.0)), "t", "t_hit", span=Span(-100.0, 100.0, -1.0, 5.0))

    def hit() -> None:
        away = Q(p, denom.e._replace(span=Span(0.1, 1.8, 0.2, 0.8)))
        p.put(t, (offset - p.fn("dot", normal, origin)) / away, Span(-100.0, 100.0, -4.0, 4.0))

    limit = rng.pick((0.1, 0.2, 0.25))
    p.when(p.fn("abs", denom) > limit if rng.chance(0.5) else denom > limit, hit)
    return p.now(t)


def _box(p: Pen, origin: Q, heading: Q) -> Q:
    s, rng = p.s, p.s.rng
    size = p.value(("half_size", "extent", "box_r"), 0.5, 1.5)
    low, high = p.start(-100.0, "t_min", "t_near", "tmin"), p.start(100.0, "t_max", "t_far", "tmax")
    for axis, word in enumerate(rng.pick(("xyz", "xyz", "xy"))):
        d = heading[axis]
        inv = p.let(1.0 / (p.fn("abs", d) + rng.pick((0.1, 0.05, 0.2))), f"inv_{word}", f"i{word}")
        a = (-size - origin[axis]) * inv
        b = (size - origin[axis]) * inv
        a, b = p.let(a, f"t0{word}", f"a_{word}"), p.let(b, f"t1{word}", f"b_{word}")
        p.most_of(low, p.fn("min", a, b) if rng.chance(0.6) else a, "max")
        p.most_of(high, p.fn("max", a, b) if rng.chance(0.6) else b, "min")
    s.add(p.now(high).e)
    near = p.now(low)
    if rng.chance(0.4):
        s.read(p.now(high).e)
        return p.let(p.choose(near < p.now(high), near, -1.0), "t_box", "t_hit", "entry")
    return near


def _triangle(p: Pen, origin: Q, heading: Q) -> Q:
    """Moeller and Trumbore's test."""
    rng = p.s.rng
    a, b, c = (_point(p, names) for names in (("v0", "a_pos", "p0"), ("v1", "b_pos", "p1"), ("v2", "c_pos", "p2")))
    e1, e2 = p.let(b - a, "e1", "edge1", "ab"), p.let(c - a, "e2", "edge2", "ac")
    cross = p.let(p.fn("cross", heading, e2), "pvec", "h", "p_cross")
    det = p.let(p.fn("dot", e1, cross), "det", "a_det")
    inv = p.let(1.0 / (p.fn("abs", det) + rng.pick((0.1, 0.2))), "inv_det", "f_inv")
    tvec = p.let(origin - a, "tvec", "s_vec", "t_vec")
    u = p.let(p.fn("dot", tvec, cross) * inv, "u", "bary_u")
    qvec = p.let(p.fn("cross", tvec, e1), "qvec", "q_cross")
    v = p.let(p.fn("dot", heading, qvec) * inv, "v", "bary_v")
    t = p.let(p.fn("dot", e2, qvec) * inv, "t", "t_hit")
    if rng.chance(0.5):
        return p.let(
            p.choose(u + v < 1.0 if rng.chance(0.5) else u > 0.0, t, rng.pick((-1.0, 0.0, 10.0))),
            "hit_t",
            "dist_t",
            "best_t",
        )
    p.s.add(u.e)
    p.s.add(v.e)
    return t


def _spheres(p: Pen, origin: Q, heading: Q) -> Q:
    """The nearest of several."""
    rng = p.s.rng
    most = rng.pick((3, 4, 6, 8))
    centres = p.vectors(("centers", "spheres", "blobs"), -2.0, 2.0, (most,))
    radii = p.reals(("radii", "sizes", "sphere_r"), 0.5, 1.5, (most,)) if rng.chance(0.6) else None
    radius = p.value(("radius", "r"), 0.5, 1.5) if radii is None else None
    best = p.start(100.0, "best", "t_best", "nearest", "t_min")

    def each(k: Q) -> None:
        to = p.let(p.at(centres, k) - origin, "to_c", "oc", "l_vec")
        along = p.let(p.fn("dot", to, heading), "tca", "along", "b")
        d2 = p.let(p.norm2(to) - along * along, "d2", "off2", "miss")
        r = p.at(radii, k) if radii is not None else radius
        assert r is not None

        def hit() -> None:
            p.most_of(best, along - r if rng.chance(0.6) else along, "min")

        p.when(d2 < r * r, hit)

    p.loop(most, ("k", "j", "s_id"), each)
    return Q(p, p.now(best).e._replace(span=usual(-6.0, 6.0)))


def shading(s: Sketch) -> None:
    """Surface colour: diffuse and specular terms, Fresnel, attenuation, fog, tone mapping."""
    rng, p = s.rng, _space(s)
    s.open(rng.pick((1, 1, 2)))
    n = p.let(p.fn("normalize", _point(p, ("normal", "normals", "n"), -1.0, 1.0)), "n", "nrm", "n_hat", "N")
    l = p.let(p.fn("normalize", _point(p, ("light_dir", "l", "sun", "light"), -1.0, 1.0)), "l", "ldir", "L", "to_light")  # noqa: E741
    v = p.let(p.fn("normalize", _point(p, ("view", "v", "eye_dir", "cam"), -1.0, 1.0)), "v", "vdir", "V", "to_eye")
    lambert = p.let(p.fn("max", p.fn("dot", n, l), 0.0), "ndotl", "lambert", "diff", "n_l")
    terms: list[Q] = []
    albedo = p.perhaps(p.at(p.vectors(("albedo", "base_color", "kd", "diffuse_col"), 0.0, 1.0)), "alb", "base", "col")
    if rng.chance(0.5):
        wrap = p.value(("wrap", "ambient", "fill"), 0.1, 0.6)
        lambert = p.let(
            (lambert + wrap) / (1.0 + wrap) if rng.chance(0.5) else lambert + wrap, "diffuse", "lit", "kd_term"
        )
    colour = albedo * lambert
    form = rng.pick(("phong", "blinn", "fresnel", "rim", "ggx"))
    power = p.value(("shininess", "gloss", "spec_pow"), 1.5, 4.0)
    if form == "phong":
        r = p.let(n * (2.0 * p.fn("dot", n, l)) - l, "r", "refl", "R")
        base = p.let(p.fn("max", p.fn("dot", r, v), 0.1), "rdotv", "s_base")
        spec = p.fn("pow", base, power)
    elif form == "rim":
        base = p.let(p.fn("max", 1.0 - p.fn("abs", p.fn("dot", n, v)), 0.1), "rim_base", "facing")
        spec = p.fn("pow", base, power)
    else:
        h = p.let(p.fn("normalize", l + v), "h", "half_vec", "H")
        ndoth = p.let(p.fn("max", p.fn("dot", n, h), 0.1), "ndoth", "nh", "n_h")
        if form == "blinn":
            spec = p.fn("pow", ndoth, power)
        elif form == "fresnel":
            f0 = p.value(("f0", "reflectance", "r0"), 0.02, 0.3)
            m = p.let(1.0 - ndoth, "m", "one_minus", "fc")

            def schlick(_: Pen, m: Q, f0: Q) -> Q:
                return f0 + (1.0 - f0) * (m * m * m * m * m if rng.chance(0.5) else m * m * m)

            spec = p.via(("schlick", "fresnel", "fresnel_schlick"), schlick, m, f0, words=("m", "f0"))
            s.read(power.e)
            spec = spec * (power * 0.125)
        else:
            rough = p.let(1.0 / power, "rough", "alpha", "a2")
            d = p.let(ndoth * ndoth * (rough - 1.0) + 1.0, "d", "ggx_d")
            spec = rough / (p.fn("max", p.fn("abs", d), 0.1) * rng.pick((3.14, 1.0, 2.0)))
    spec = p.let(spec, "spec", "ks_term", "highlight", "specular")
    terms.append(spec)
    white = rng.chance(0.5)
    if white:
        tint = _point(p, ("spec_color", "light_color", "tint"), 0.2, 1.0)
        colour = p.let(colour + tint * spec, "color", "rgb", "radiance", "lo")
    else:
        colour = p.let(colour * (1.0 + spec), "color", "rgb", "shade")
    if rng.chance(0.5):
        dist = p.perhaps(p.at(p.reals(("light_dist", "depth", "range_l"), 0.5, 3.0)), "dist", "z", "rr")
        atten = p.via(
            ("attenuation", "falloff", "distance_fade"),
            lambda q, r: 1.0 / (1.0 + r * r) if rng.chance(0.5) else q.fn("exp", -(r * 0.5)),
            dist,
            words=("r",),
        )
        colour = p.let(colour * p.perhaps(atten, "atten", "fade"), "lit_color", "faded", "out_col")
    roll = rng.random()
    if roll < 0.35:
        exposure = p.value(("exposure", "ev", "gain"), 0.5, 2.0)
        p.s.add(p.tone(colour, exposure).e)
    elif roll < 0.6:
        lum = p.let(
            0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
            if rng.chance(0.5)
            else 0.3 * colour[0] + 0.6 * colour[1] + 0.1 * colour[2],
            "lum",
            "luma",
            "gray",
        )
        p.keep(lum / (1.0 + lum), "mapped", "tone", "ldr")
    else:
        s.add(colour.e)
    closing(s, kinds="fv")


def _primitive(p: Pen, form: str, point: Q, size: Q) -> Q:
    """The signed distance of one shape at the origin."""
    rng = p.s.rng
    if form == "sphere":
        return p.fn("length", point) - size
    if form == "box":
        q = p.let(
            p.fn("abs", point) - p.make(size, size, size)
            if rng.chance(0.5)
            else p.fn("abs", point) - p.make(size, size * 0.5, size),
            "q",
            "d_abs",
            "box_q",
        )
        zero = p.make(0.0, 0.0, 0.0)
        outer = p.fn("length", p.fn("max", q, zero))
        return outer + p.fn("min", p.fn("max", q[0], p.fn("max", q[1], q[2])), 0.0) if rng.chance(0.5) else outer - 0.1
    if form == "torus":
        ring = p.let(p.fn("sqrt", point[0] * point[0] + point[2] * point[2] + 0.01) - size, "ring", "qx", "w")
        return p.fn("sqrt", ring * ring + point[1] * point[1] + 0.01) - rng.pick((0.2, 0.3, 0.25))
    if form == "plane":
        return point[1] + size
    if form == "cylinder":
        return p.fn(
            "max", p.fn("sqrt", point[0] * point[0] + point[2] * point[2] + 0.01) - size, p.fn("abs", point[1]) - 0.8
        )
    # A gyroid, or waves on a sphere.
    wave = p.fn("sin", point[0] * 3.0) * p.fn("cos", point[1] * 3.0) + p.fn("sin", point[1] * 3.0) * p.fn(
        "cos", point[2] * 3.0
    )
    return wave * 0.3 + size if rng.chance(0.5) else p.fn("length", point) - size + wave * 0.1


_SHAPES = ("sphere", "sphere", "box", "torus", "plane", "cylinder", "gyroid")


def _scene(p: Pen) -> Callable[[Pen, Q, Q], Q]:
    """A distance field of one to three shapes and how they meet."""
    rng = p.s.rng
    shapes = [rng.pick(_SHAPES) for _ in range(rng.pick((1, 2, 2, 3)))]
    joins = [rng.pick(("min", "min", "max", "smooth", "cut")) for _ in shapes[1:]]
    shifts = [rng.pick((0.0, 0.5, 1.0, -0.5, 0.8)) for _ in shapes]

    def field(q: Pen, point: Q, size: Q) -> Q:
        total: Q | None = None
        for position, (form, shift) in enumerate(zip(shapes, shifts, strict=True)):
            at = point
            if position and shift:
                at = q.let(
                    point - q.make(shift, 0.0, 0.0) if rng.chance(0.5) else point + q.make(0.0, shift, 0.0),
                    "p2",
                    "moved",
                    "q_pos",
                )
            d = _primitive(q, form, at, size)
            d = q.let(d, f"d{position + 1}", "d_" + form, form[:3] + "_d")
            if total is None:
                total = d
                continue
            join = joins[position - 1]
            if join == "smooth":
                k = rng.pick((0.2, 0.3, 0.5))
                h = q.let(q.fn("clamp", 0.5 + 0.5 * (d - total) / k, 0.0, 1.0), "h", "mix_h", "blend")
                total = q.let(q.fn("lerp", d, total, h) - k * h * (1.0 - h), "smooth_d", "blended")
            elif join == "cut":
                total = q.let(q.fn("max", total, -d), "carved", "cut_d")
            else:
                total = q.let(q.fn(join, total, d), "joined", "both_d")
        assert total is not None
        return total

    return field


def signed_distance(s: Sketch) -> None:
    """Distance fields: shapes joined, cut and blended; sampled, marched through, or differentiated."""
    rng, p = s.rng, _space(s)
    s.open(rng.pick((1, 1, 2)))
    point = p.perhaps(p.at(p.vectors(("points", "pos", "samples", "query"), -1.5, 1.5)), "p", "pt", "pos_i")
    size = p.value(("radius", "size", "r", "scale"), 0.5, 1.2)
    field = _scene(p)
    names = ("sdf", "scene", "map_scene", "distance_to", "sd_shape")
    form = rng.pick(("sample", "sample", "march", "normal"))
    if form == "sample":
        d = p.let(p.via(names, field, point, size, words=("p", "size")), "d", "dist", "sd")
        roll = rng.random()
        if roll < 0.3:
            p.keep(p.fn("clamp", 0.5 - d, 0.0, 1.0), "coverage", "mask", "alpha")
        elif roll < 0.5:
            p.keep(p.fn("exp", -(p.fn("abs", d) * rng.pick((2.0, 3.0, 1.0)))), "glow", "halo", "density")
        elif roll < 0.7:
            p.keep(p.choose(d < 0.0, 1.0, p.fn("exp", -d) if d.e.span.low > -5 else 0.5), "inside", "occ", "shade")
        else:
            s.add(d.e)
    elif form == "normal":
        eps = rng.pick((0.01, 0.02, 0.05)) if s.al.real.name != "float16" else 0.1
        made = p.via(
            names, field, Q(p, point.e._replace(span=Span(-2.0, 2.0, -1.0, 1.0))), size, words=("p", "size"), chance=1.0
        ).e
        offsets = ((eps, 0.0, 0.0), (0.0, eps, 0.0), (0.0, 0.0, eps))
        parts = []
        for offset, word in zip(offsets, "xyz", strict=True):
            step = p.make(*offset)
            difference = Q(p, made._replace(args=((point + step).e, size.e))) - Q(
                p, made._replace(args=((point - step).e, size.e))
            )
            parts.append(p.let(difference, f"n{word}", f"g{word}", f"d_{word}"))
        normal = p.let(p.make(*parts), "grad", "g_vec", "n_raw")
        p.keep(p.fn("normalize", normal) if rng.chance(0.7) else normal / (2.0 * eps), "n", "normal", "nrm")
    else:
        heading = p.let(p.fn("normalize", _point(p, ("dir", "rd", "ray"), -1.0, 1.0)), "d", "rd_n", "dir_n")
        t = p.start(0.0, "t", "depth", "travel", span=Span(0.0, 40.0, 0.5, 4.0))
        most = rng.pick((4, 6, 8, 12))
        margin = rng.pick((0.05, 0.1, 0.02))

        def march(_: Q) -> None:
            at = p.let(point + heading * t, "pos", "here", "q")
            at = Q(p, at.e._replace(span=Span(-4.0, 4.0, -1.5, 1.5)))
            d = p.let(p.via(names, field, at, size, words=("p", "size"), chance=0.8), "d_here", "dist", "step_d", "h")
            if rng.chance(0.6):
                s.emit(If(s.al.compare("lt", d.e, s.al.literal(margin)), (Jump("break"),)))
            step = p.fn("max", d, margin) if rng.chance(0.6) else p.fn("abs", d)
            p.put(t, t + (step * rng.pick((0.8, 0.9)) if rng.chance(0.5) else step), Span(0.0, 40.0, 0.5, 4.0))

        p.loop(most, ("step", "i_step", "k", "it"), march)
        p.result(t)
        if rng.chance(0.5):
            p.keep(p.fn("exp", -(p.now(t) * 0.2)), "fade", "fog", "vis")
    closing(s, kinds="fv")


def noise(s: Sketch) -> None:
    """Noise from hashed lattice points or waves: value noise, octaves, warps and ridges."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 2)))
    x = p.perhaps(p.at(p.reals(("x", "u", "coord", "pos_x"), 0.0, 4.0)), "px", "xx", "cx")
    y = p.perhaps(p.at(p.reals(("y", "v", "coord_y", "pos_y"), 0.0, 4.0)), "py", "yy", "cy")
    frequency = p.value(("frequency", "freq", "scale"), 0.5, 2.0)
    form = rng.pick(("value", "value", "hash", "waves"))
    a, b, c = rng.pick((1.7, 1.3, 3.1)), rng.pick((2.3, 0.7, 1.9)), rng.pick((4.0, 7.5, 11.0))

    def hashed(q: Pen, x: Q, y: Q) -> Q:
        inner = q.let(q.fn("sin", x * a + y * b) * c, "h", "n", "s_val")
        return inner - q.fn("floor", inner) if rng.chance(0.6) else q.fn("frac", inner)

    def lattice(q: Pen, x: Q, y: Q) -> Q:
        fx, fy = q.let(q.fn("floor", x), "ix", "cell_x", "x0"), q.let(q.fn("floor", y), "iy", "cell_y", "y0")
        tx, ty = q.let(x - fx, "fx", "tx", "u"), q.let(y - fy, "fy", "ty", "v")
        if rng.chance(0.6):
            tx, ty = (
                q.let(t * t * (3.0 - 2.0 * t), n + "s", n + "_fade")
                for t, n in (
                    (Q(q, tx.e._replace(span=usual(0.0, 1.0))), "u"),
                    (Q(q, ty.e._replace(span=usual(0.0, 1.0))), "v"),
                )
            )
        corners = [q.via(("hash2", "rand2", "lattice_value"), hashed, fx, fy, words=("x", "y"), chance=1.0)]
        call = corners[0].e
        wide = [(fx + 1.0, fy), (fx, fy + 1.0), (fx + 1.0, fy + 1.0)]
        corners += [Q(q, call._replace(args=(u.e, v.e))) for u, v in wide]
        n00, n10, n01, n11 = (q.let(n, name) for n, name in zip(corners, ("n00", "n10", "n01", "n11"), strict=True))
        return q.fn("lerp", q.fn("lerp", n00, n10, tx), q.fn("lerp", n01, n11, tx), ty)

    def waves(q: Pen, x: Q, y: Q) -> Q:
        return (
            q.fn("sin", x * 1.3 + q.fn("cos", y)) * q.fn("cos", y * 0.7 - x)
            if rng.chance(0.5)
            else q.fn("sin", x) * q.fn("cos", y) + 0.5 * q.fn("sin", x + y)
        )

    base = {"value": lattice, "hash": hashed, "waves": waves}[form]
    names = ("noise", "value_noise", "turbulence", "pattern", "wave_field")
    octaves = rng.pick((0, 0, 2, 3, 4, 5))
    if not octaves:
        n = p.let(
            p.via(names, base, x * frequency, y * frequency, words=("x", "y"), chance=0.6), "n", "val", "noise_val"
        )
        if rng.chance(0.4):
            warp = p.value(("warp", "amount", "bend"), 0.1, 0.9)
            n = p.let(p.fn("sin", (x + n * warp) * frequency), "warped", "bent", "marble")
        s.add(n.e)
    else:
        total = p.start(0.0, "total", "fbm", "sum_n", "acc")
        amplitude = p.start(rng.pick((0.5, 1.0)), "amp", "a", "weight", span=usual(0.1, 1.0))
        scale = p.begin(frequency, "f", "freq_i", "lacun", span=usual(0.5, 8.0))
        ridged = rng.chance(0.3)
        gain = p.value(("gain", "persistence", "roughness"), 0.3, 0.7) if rng.chance(0.5) else None

        def octave(_: Q) -> None:
            n = p.via(
                names,
                base,
                Q(p, (x * scale).e._replace(span=usual(0.0, 16.0))),
                Q(p, (y * scale).e._replace(span=usual(0.0, 16.0))),
                words=("x", "y"),
                chance=1.0,
            )
            n = p.perhaps(n, "n", "layer", "n_o")
            if ridged:
                n = p.let(1.0 - p.fn("abs", n), "ridge", "r_n")
            p.add_to(total, amplitude * n, octaves)
            p.put(amplitude, amplitude * (gain if gain is not None else 0.5), usual(0.1, 1.0))
            p.put(scale, scale * rng.pick((2.0, 2.0, 1.9)), usual(0.5, 8.0))

        p.loop(octaves, ("o", "octave", "k"), octave)
        p.result(total)
    if rng.chance(0.5):
        s.load("f")
    straight.temps(s, rng.below(2))
    closing(s)
