"""Categories of particles: springs, neighbours of a smoothed particle, and fields of many points."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.categories.pen import Pen, Q, closing
from irsmith.synth.categories.space import apply_force, in_space, vector_at
from irsmith.synth.sketch import Sketch


def _softened(p: Pen, r2: Q) -> Q:
    """A squared distance that stays away from zero."""
    rng = p.s.rng
    if rng.chance(0.5):
        if rng.chance(0.6):
            eps = p.value(("softening", "eps", "soft"), 0.5, 2.0)
            return r2 + eps * eps
        return r2 + p.value(("eps2", "softening_sq", "eps_sq"), 0.1, 2.0)
    return r2 + rng.pick((0.01, 0.1, 0.05, 0.001) if p.s.al.real.name != "float16" else (0.1, 0.25))


def spring(s: Sketch) -> None:
    """Springs between particles: stretch, damping and bending, gathered by spring or by particle."""
    rng, p = s.rng, in_space(s)
    s.open(1)
    count = rng.pick((8, 12, 16, 24))
    positions = p.vectors(("pos", "x", "particle_q", "positions"), -2.0, 2.0, (count,))
    velocities = p.vectors(("vel", "v", "particle_qd", "velocities"), -1.0, 1.0, (count,)) if rng.chance(0.7) else None
    by_particle = rng.chance(0.4)
    k = _stiffness(p)
    rest = (
        p.value(("rest_length", "rest", "l0"), 0.3, 1.0)
        if rng.chance(0.6)
        else p.at(p.reals(("rest_lengths", "rests", "length0"), 0.3, 1.0))
    )
    rest = p.perhaps(rest, "rest_i", "l_rest", "rest_val") if rest.e.op == "index" else rest
    damping = p.value(("damping", "kd", "spring_kd", "c"), 0.5, 3.0) if velocities is not None else None

    def force(xi: Q, xj: Q, vi: Q | None, vj: Q | None) -> Q:
        delta = p.let(xi - xj, "d", "delta", "dx", "xij")
        length = p.let(p.fn("length", delta), "l", "length", "dist", "cur_len")
        safe = rng.pick((0.05, 0.1, 0.2))
        axis = p.let(
            delta / p.fn("max", length, safe) if rng.chance(0.5) else p.fn("normalize", delta), "dir", "axis", "n", "u"
        )
        stretch = length - rest
        if rng.chance(0.3):
            stretch = stretch / rest
        stretch = p.perhaps(stretch, "stretch", "strain", "c_err", "ext")
        pull = k * stretch
        if vi is not None and vj is not None and damping is not None:
            rate = p.perhaps(p.fn("dot", vi - vj, axis), "dcdt", "v_rel", "rate", "speed_along")
            pull = pull + damping * rate
        if rng.chance(0.3):
            limit = p.value(("max_force", "f_max", "limit"), 1.0, 4.0)
            pull = p.let(p.fn("clamp", pull, -limit, limit), "mag", "f_mag")
        return p.let(axis * pull, "f", "fs", "force", "f_spring")

    if by_particle:
        i = p.coords[0]
        most = rng.pick((2, 3, 4, 6))
        mine = p.vectors(("own_pos", "anchors", "centers", "q0"), -2.0, 2.0)
        xi = p.let(p.at(mine), "xi", "p0", "me")
        vi = None
        if velocities is not None:
            vi = p.let(p.at(p.vectors(("own_vel", "qd0", "body_vel"), -1.0, 1.0)), "vi", "v0", "my_vel")
        links = p.wholes(("neighbors", "adjacency", "links", "partners"), 0, count - 1, (s.extents[0], most))
        total = p.start(0.0, "f_total", "force_sum", "net", "acc", like=xi.e)

        def each(j: Q) -> None:
            other = p.index(p.at(links, i, j), count, "nb", "other", "idx", "q")
            xj = p.let(p.at(positions, other), "xj", "p1", "x_other")
            p.add_to(total, -force(xi, xj, vi, p.at(velocities, other) if velocities is not None else None), most)

        p.loop(most, ("j", "k", "n_idx"), each)
        apply_force(p, p.now(total), vi)
        closing(s, kinds="fv")
        return
    ends = p.wholes(("spring_indices", "edges", "springs", "pairs"), 0, count - 1, (s.extents[0], 2))
    i = p.index(p.at(ends, p.coords[0], 0), count, "i", "a", "i0", "src")
    j = p.index(p.at(ends, p.coords[0], 1), count, "j", "b", "i1", "dst")
    xi, xj = p.let(p.at(positions, i), "xi", "p0", "pa"), p.let(p.at(positions, j), "xj", "p1", "pb")
    vi = vj = None
    if velocities is not None:
        vi, vj = p.perhaps(p.at(velocities, i), "vi", "va"), p.perhaps(p.at(velocities, j), "vj", "vb")
    f = force(xi, xj, vi, vj)
    forces = p.totals(("forces", "f_out", "particle_f", "force_buffer"), (count,), f.e.type)
    p.atomic("sub", p.at(forces, i), f)
    p.atomic("add", p.at(forces, j), f)
    if rng.chance(0.6):
        _energy(p, k, f)
    closing(s, kinds="fv")


def _stiffness(p: Pen) -> Q:
    if p.s.rng.chance(0.6):
        return p.value(("stiffness", "k", "ke", "spring_ke"), 1.0, 6.0)
    return p.perhaps(p.at(p.reals(("stiffnesses", "ke", "k_springs"), 1.0, 6.0)), "ke_i", "k_s", "stiff")


def _energy(p: Pen, k: Q, f: Q) -> None:
    size = p.norm2(f)
    p.keep(0.5 * size / k if p.s.rng.chance(0.5) else size / (2.0 * k), "energy", "e_spring", "strain_energy", "pe")


def sph(s: Sketch) -> None:
    """Sums over the neighbours of a smoothed particle: density, pressure, viscosity, colour, all-pairs gravity."""
    rng, p = s.rng, in_space(s)
    s.open(1)
    most = rng.pick((4, 6, 8, 12))
    i = p.coords[0]
    listed = rng.chance(0.6)
    count = rng.pick((16, 24, 32)) if listed else most
    own = p.vectors(("positions", "x", "pos", "particle_x"), -1.5, 1.5)
    others = p.vectors(("neighbor_pos", "cloud", "sources", "sorted_pos"), -1.5, 1.5, (count,))
    links = p.wholes(("neighbors", "neighbor_ids", "nbrs"), 0, count - 1, (s.extents[0], most)) if listed else None
    xi = p.let(p.at(own), "xi", "x_i", "p", "center")
    form = rng.pick(("density", "density", "pressure", "viscosity", "gravity", "colour"))
    vector_result = form in {"pressure", "viscosity", "gravity"}
    masses = p.reals(("mass", "masses", "weights"), 0.2, 2.0, (count,)) if rng.chance(0.5) else None
    density = (
        p.reals(("density", "rho", "densities"), 0.5, 2.0, (count,))
        if form in {"pressure", "viscosity", "colour"}
        else None
    )
    fields = p.vectors(("velocities", "v", "vel"), -1.0, 1.0, (count,)) if form == "viscosity" else None
    vi = p.let(vector_at(p, ("own_vel", "v_i_arr", "vel_own")), "vi", "v_i") if fields is not None else None
    pressure = p.reals(("pressure", "pressures", "press"), -1.0, 1.0, (count,)) if form == "pressure" else None
    shape = rng.pick(("poly6", "spiky", "gauss", "cubic"))
    radius = None if form == "gravity" else p.value(("radius", "h", "smoothing", "support"), 1.5, 3.0)
    total = p.start(0.0, "acc", "rho_i", "sum_w", "total", like=None if not vector_result else xi.e)

    def each(k: Q) -> None:
        j = p.index(p.at(links, i, k), count, "j", "nb", "other") if links is not None else k
        delta = p.let(xi - p.at(others, j), "d", "r_vec", "delta", "xij")
        if radius is None:
            r2 = p.let(_softened(p, p.norm2(delta)), "r2", "dist_sq", "d2")
            inv = p.let(1.0 / p.fn("sqrt", r2), "inv_r", "inv_dist", "rinv")
            weight = inv * inv * inv if rng.chance(0.6) else inv / r2
            if masses is not None:
                weight = p.at(masses, j) * weight
            p.add_to(total, delta * weight, most, "sub" if rng.chance(0.7) else "add")
            return
        dist = p.let(p.fn("length", delta), "dist", "r", "d_ij")
        q = p.let(dist / radius, "q", "ratio", "s_r")

        def add() -> None:
            w = p.via(
                ("kernel_weight", "w_kernel", "smoothing_kernel", "weight_of"),
                _kernel(shape),
                q,
                words=("q",),
                chance=0.5,
            )
            w = p.perhaps(w, "w", "w_ij", "weight")
            if masses is not None:
                w = p.at(masses, j) * w
            if density is not None:
                w = w / p.at(density, j)
            if pressure is not None:
                w = w * p.at(pressure, j)
            if fields is not None and vi is not None:
                p.add_to(total, (p.at(fields, j) - vi) * w, most)
            elif vector_result:
                p.add_to(total, p.fn("normalize", delta) * w, most)
            else:
                p.add_to(total, w, most)

        if rng.chance(0.75):
            p.when(q < 1.0 if rng.chance(0.6) else dist < radius, add)
        else:
            add()

    p.loop(most, ("k", "n", "jj"), each)
    if vector_result:
        result = p.now(total)
        if rng.chance(0.6):
            result = result * p.value(("mu", "viscosity", "g_const", "stiffness", "coef"), 0.1, 2.0)
        p.keep(result, "f", "force", "a_i", "accel") if result.e.op != "name" else s.add(result.e)
    else:
        rho = p.result(total)
        if rng.chance(0.4):
            s.read(rho.e)
            rest = p.value(("rest_density", "rho0", "base_density"), 0.5, 1.5)
            p.keep(p.value(("stiffness", "k_gas", "gas_const"), 0.5, 4.0) * (rho - rest), "pressure_i", "p_i", "pr")
    closing(s, kinds="fv")


def _kernel(shape: str) -> Callable[[Pen, Q], Q]:
    def build(p: Pen, q: Q) -> Q:
        if shape == "gauss":
            return p.fn("exp", -(q * q)) if p.s.rng.chance(0.6) else p.fn("exp", -2.0 * (q * q))
        if shape == "cubic":
            return 1.0 - 1.5 * (q * q) + 0.75 * (q * q * q)
        one = p.let(1.0 - q, "t", "u", "one_q") if shape != "poly6" else p.let(1.0 - q * q, "t", "u", "diff")
        return one * one * one if shape == "poly6" or p.s.rng.chance(0.4) else one * one

    return build


def point_field(s: Sketch) -> None:
    """Fields of points: attraction, charges, boids, potentials, summed over a list that all threads share."""
    rng, p = s.rng, in_space(s)
    s.open(1)
    most = rng.pick((3, 4, 6, 8))
    here = p.let(p.at(p.vectors(("pos", "x", "targets", "queries"), -2.0, 2.0)), "p", "x_i", "here", "me")
    sources = p.vectors(("sources", "centers", "attractors", "charges_pos"), -2.0, 2.0, (most,))
    strengths = p.reals(("mass", "charge", "strength", "weights"), 0.2, 2.0, (most,)) if rng.chance(0.8) else None
    potential = p.start(0.0, "phi", "potential", "energy", "acc") if rng.chance(0.6) else None
    field = (
        p.start(0.0, "field", "acc_f", "net", "sum_f", like=here.e) if potential is None or rng.chance(0.5) else None
    )
    turned = field is not None and rng.chance(0.4)
    headings = p.vectors(("headings", "flow", "source_vel"), -1.0, 1.0, (most,)) if turned else None
    falloff = rng.pick(("inverse", "square", "gauss", "linear"))
    reach = p.value(("cutoff", "reach", "max_dist"), 1.5, 3.5) if rng.chance(0.4) else None

    def each(j: Q) -> None:
        d = p.let(p.at(sources, j) - here, "d", "delta", "to_src", "r_vec")
        r2 = p.let(_softened(p, p.norm2(d)), "r2", "d2", "dist_sq")
        r = p.let(p.fn("sqrt", r2), "r", "dist", "len_d") if falloff != "square" or reach is not None else None

        def add() -> None:
            if falloff == "gauss":
                w = p.fn("exp", -r2)
            elif falloff == "square" or r is None:
                w = 1.0 / r2
            elif falloff == "linear" and reach is not None:
                w = p.fn("max", reach - r, 0.0)
            else:
                w = 1.0 / r
            if strengths is not None:
                w = p.at(strengths, j) * w
            w = p.let(w, "w", "weight", "s_w") if field is not None and potential is not None else w
            if potential is not None:
                p.add_to(potential, w, most, rng.pick(("add", "add", "sub")))
            if field is not None:
                pull = d if headings is None else p.at(headings, j) - here if rng.chance(0.3) else d + p.at(headings, j)
                p.add_to(field, pull * w, most)

        if reach is not None and r is not None:
            p.when(r < reach, add)
        else:
            add()

    p.loop(most, ("j", "k", "m"), each)
    if potential is not None:
        p.result(potential)
    if field is not None:
        p.result(field)
    closing(s, kinds="fv")
