"""Categories of simulation: springs, smoothed particles, rigid bodies, contacts, and the integrators that move them."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.algebra import usual, vector
from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.ir import Assign, Expr, Span
from irsmith.synth.phases import branches, records, straight
from irsmith.synth.sketch import Sketch
from irsmith.types import Matrix, ValueType

_SPACE = (3, 3, 3, 2)


def _in_space(s: Sketch) -> Pen:
    """A pen over vectors of two or three components."""
    s.length = s.rng.pick(_SPACE)
    return Pen(s)


def _dt(p: Pen) -> Q:
    return p.value(("dt", "h", "step_size", "time_step"), 0.05, 0.25)


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
    rng, p = s.rng, _in_space(s)
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
    damping = p.value(("damping", "kd", "spring_kd", "c"), 0.1, 1.0) if velocities is not None else None

    def force(xi: Q, xj: Q, vi: Q | None, vj: Q | None) -> Q:
        delta = p.let(xi - xj, "d", "delta", "dx", "xij")
        length = p.let(p.fn("length", delta), "l", "length", "dist", "cur_len")
        safe = rng.pick((0.01, 0.1, 0.05))
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
        _apply(p, p.now(total), vi)
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


def _apply(p: Pen, force: Q, velocity: Q | None) -> None:
    """What becomes of a force: an acceleration, a new velocity, or itself."""
    s, rng = p.s, p.s.rng
    if rng.chance(0.7):
        by_mass = rng.pick(("inv", "div", "value"))
        if by_mass == "inv":
            inv = p.at(p.reals(("inv_mass", "w", "inv_masses"), 0.2, 2.0))
            force = force * p.perhaps(inv, "im", "w_i", "inv_m")
        elif by_mass == "div":
            force = force / p.perhaps(
                p.at(p.reals(("mass", "masses", "particle_mass"), 0.5, 3.0)), "m", "m_i", "mass_i"
            )
        else:
            force = force / p.value(("mass", "m"), 0.5, 3.0)
        if rng.chance(0.4):
            force = p.perhaps(force, "a0", "acc") + _vector_value(p, ("gravity", "g", "wind"))
        force = p.let(force, "a", "accel", "acc_i")
    if velocity is not None and rng.chance(0.6):
        p.keep(velocity + force * _dt(p), "v_new", "vel_next", "v1")
    else:
        s.add(force.e)


def _vector_value(p: Pen, names: tuple[str, ...]) -> Q:
    s = p.s
    made = s.value(s.names_free(names), vector(s.length, s.al.real), -2.0, 2.0)
    s.read(made)
    return Q(p, made)


def sph(s: Sketch) -> None:
    """Sums over the neighbours of a smoothed particle: density, pressure, viscosity, colour, all-pairs gravity."""
    rng, p = s.rng, _in_space(s)
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
    vi = p.let(_vector_at(p, ("own_vel", "v_i_arr", "vel_own")), "vi", "v_i") if fields is not None else None
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


def _vector_at(p: Pen, names: tuple[str, ...]) -> Q:
    return p.at(p.vectors(names, -1.0, 1.0))


def _kernel(shape: str) -> Callable[[Pen, Q], Q]:
    def build(p: Pen, q: Q) -> Q:
        if shape == "gauss":
            return p.fn("exp", -(q * q)) if p.s.rng.chance(0.6) else p.fn("exp", -2.0 * (q * q))
        if shape == "cubic":
            return 1.0 - 1.5 * (q * q) + 0.75 * (q * q * q)
        one = p.let(1.0 - q, "t", "u", "one_q") if shape != "poly6" else p.let(1.0 - q * q, "t", "u", "diff")
        return one * one * one if shape == "poly6" or p.s.rng.chance(0.4) else one * one

    return build


def rigid_body(s: Sketch) -> None:
    """Bodies that turn: torques, inertia, angular momentum, velocities of points."""
    rng = s.rng
    s.length = 3
    p = Pen(s)
    s.open(1)
    matrix: ValueType = Matrix(3, 3, s.al.real)
    omega = p.perhaps(_vector_at(p, ("omega", "ang_vel", "body_w", "w")), "w_i", "wb", "omega_i")
    parts = rng.shuffled(["torque", "gyro", "point", "momentum", "energy", "drag"])[: rng.pick((2, 2, 3, 4))]
    inertia = (
        p.array(("inertia", "body_inertia", "I_body"), -0.5, 0.5, s.extents, matrix)
        if {"gyro", "momentum", "energy"} & {*parts} or rng.chance(0.3)
        else None
    )
    held = p.perhaps(p.at(inertia), "I", "inertia_i", "I_b") if inertia is not None else None
    arm = None
    if "torque" in parts or "point" in parts:
        com = p.perhaps(_vector_at(p, ("com", "body_com", "center")), "c", "com_i")
        point = p.perhaps(_vector_at(p, ("contact_point", "points", "attach")), "pt", "p_world")
        arm = p.let(point - com, "r", "arm", "lever")
    torque = None
    if "torque" in parts and arm is not None:
        force = p.perhaps(_vector_at(p, ("force", "body_f", "impulse", "f_ext")), "f", "f_i")
        torque = p.let(p.fn("cross", arm, force), "tau", "torque", "t")
    if {"gyro", "momentum"} & {*parts} and held is not None:
        momentum = p.let(held @ omega, "L", "ang_mom", "h_b")
        if "gyro" in parts:
            gyro = p.let(p.fn("cross", omega, momentum), "gyro", "coriolis", "w_x_L")
            torque = p.let(torque - gyro, "net_tau", "tau_net") if torque is not None else gyro
        if "momentum" in parts:
            s.add(momentum.e)
    if "drag" in parts:
        drag = p.value(("ang_damping", "rot_drag", "damping"), 0.05, 0.6)
        torque = (
            p.let(torque - omega * drag, "damped", "tau_d")
            if torque is not None
            else p.let(omega * -drag, "damping_tau")
        )
    if "energy" in parts and held is not None:
        p.keep(0.5 * p.fn("dot", omega, held @ omega), "rot_energy", "ke_rot", "kinetic")
    if "point" in parts and arm is not None:
        speed = p.perhaps(_vector_at(p, ("lin_vel", "body_v", "vel")), "v", "v_com")
        p.keep(speed + p.fn("cross", omega, arm), "v_point", "vel_at_point", "v_contact")
    if torque is not None:
        _turn(p, omega, torque)
    else:
        s.add(omega.e)
    closing(s, kinds="fv")


def _turn(p: Pen, omega: Q, torque: Q) -> None:
    s, rng = p.s, p.s.rng
    form = rng.pick(("diagonal", "inverse", "plain"))
    if form == "diagonal":
        inv = p.perhaps(p.at(p.vectors(("inv_inertia", "I_inv_diag"), 0.2, 2.0)), "inv_I", "Iinv")
        change = p.fn("cw_mul", inv, torque)
    elif form == "inverse":
        matrix: ValueType = Matrix(3, 3, s.al.real)
        inverse = p.at(p.array(("inv_I_world", "inv_inertia_w", "I_inv"), -0.8, 0.8, s.extents, matrix))
        change = inverse @ torque
    else:
        change = torque * p.value(("inv_mass", "inv_I", "scale"), 0.2, 2.0)
    change = p.perhaps(change, "alpha", "ang_acc", "dw")
    p.keep(omega + change * _dt(p), "w_new", "omega_next", "w1")


def integrator(s: Sketch) -> None:
    """Ordinary differential equations stepped in a loop: Euler, midpoint, Runge-Kutta, leapfrog."""
    rng, p = s.rng, Pen(s)
    vectors = rng.chance(0.35)
    if vectors:
        s.length = rng.pick(_SPACE)
    s.open(1)
    low, high = 0.2, 1.0
    if vectors:
        x0 = p.vectors(("x0", "pos", "q", "initial"), -1.0, 1.0)
    else:
        x0 = p.reals(("x0", "theta0", "y0", "initial", "state"), low, high)
    bound = Span(-4.0, 4.0, -1.0, 1.0)
    x = p.begin(p.at(x0), "x", "q", "theta", "y", span=bound)
    second = vectors or rng.chance(0.6)
    v = None
    if second:
        names_v = ("v0", "vel", "qd", "omega0", "rates")
        v0 = p.vectors(names_v, -1.0, 1.0) if vectors else p.reals(names_v, -1.0, 1.0)
        v = p.begin(p.at(v0), "v", "speed", "omega", "dy", span=bound)
    dt, k = _dt(p), p.value(("k", "stiffness", "omega_sq", "rate"), 0.5, 2.0)
    extra = [p.value(("damping", "mu", "c", "beta"), 0.05, 0.5)] if rng.chance(0.7) else []
    drive = (
        p.perhaps(p.at(p.reals(("drive", "forcing", "source", "load"), -0.5, 0.5)), "f0", "u_in", "drive_i")
        if not vectors and rng.chance(0.5)
        else None
    )
    steps = rng.pick((2, 3, 4, 5, 8))
    stop: Q | int = (
        p.count(("steps", "num_steps", "substeps", "n"), max(1, steps // 2), steps) if rng.chance(0.5) else steps
    )
    rule = (
        rng.pick(("linear", "sine", "cubic", "grown", "grown"))
        if not vectors
        else rng.pick(("linear", "central", "soft"))
    )

    def rate(q: Pen, x: Q, *rest: Q) -> Q:
        """The acceleration, or the rate of change of a first-order system."""
        v = rest[0] if second else None
        stiff = rest[1] if second else rest[0]
        others = rest[(2 if second else 1) :]
        if rule == "sine":
            value = -stiff * q.fn("sin", x)
        elif rule == "cubic":
            value = -stiff * x - x * x * x * 0.5
        elif rule == "central":
            value = x * (-stiff / _safe(q, x))
        elif rule == "soft":
            value = x * (-stiff) / (1.0 + q.fn("length", x))
        elif rule == "grown":
            value = -stiff * grown(q, x, size=rng.pick((1, 2)))
        else:
            value = x * -stiff
        if v is not None and others:
            value = value - v * others[0]
        elif others:
            value = value * (1.0 - others[0])
        return value

    words = ("x", *(("v",) if second else ()), "k", "c")
    names = ("accel", "rhs", "derivative", "acceleration", "force_of")
    method = (
        rng.pick(("euler", "symplectic", "midpoint", "leapfrog"))
        if second
        else rng.pick(("euler", "midpoint", "heun", "rk4"))
    )
    helper = method in {"midpoint", "heun", "rk4", "leapfrog"} or rng.chance(0.4)

    def f(at: Q, speed: Q | None = None) -> Q:
        operands = [*([speed if speed is not None else v] if v is not None else []), k, *extra]
        value = calls(at, *operands)
        return value + drive if drive is not None else value

    made: list[Q] = []

    def calls(at: Q, *operands: Q) -> Q:
        if not helper:
            return rate(p, at, *operands)
        if not made:
            made.append(
                p.via(names, rate, Q(p, at.e._replace(span=_wider(at.e.span))), *operands, words=words, chance=1.0)
            )
        call = made[0].e
        return Q(p, call._replace(args=tuple(q.e for q in (at, *operands))))

    def body(_: Q) -> None:
        if v is None:
            _first_order(p, method, x, dt, f, bound)
            return
        if method == "symplectic":
            p.put(v, v + f(x) * dt, bound)
            p.put(x, x + v * dt, bound)
        elif method == "euler":
            a = p.let(f(x), "a", "acc", "accel_i")
            p.put(x, x + v * dt, bound)
            p.put(v, v + a * dt, bound)
        elif method == "midpoint":
            half = p.let(x + v * (dt * 0.5), "x_mid", "half_x", "mid")
            a = p.let(f(half), "a_mid", "a", "acc")
            p.put(v, v + a * dt, bound)
            p.put(x, x + v * dt, bound)
        else:
            half = p.let(v + f(x) * (0.5 * dt), "v_half", "vh")
            p.put(x, x + half * dt, bound)
            p.put(v, half + f(x, half) * (0.5 * dt), bound)

    p.loop(stop, ("s_idx", "step", "n_step", "it", "_"), body)
    behind = usual(-2.0, 2.0)
    s.add(x.e._replace(span=behind))
    if v is not None and rng.chance(0.85):
        s.add(v.e._replace(span=behind))
    closing(s, kinds="fv" if vectors else "ff")


def _wider(span: Span) -> Span:
    return Span(span.low - 1.0, span.high + 1.0, span.usual_low, span.usual_high)


def _safe(p: Pen, x: Q) -> Q:
    return p.norm2(x) + p.s.rng.pick((0.5, 1.0))


def _first_order(p: Pen, method: str, x: Q, dt: Q, f: Callable[[Q], Q], bound: Span) -> None:
    k1 = p.let(f(x), "k1", "f0", "dx")
    if method == "euler":
        p.put(x, x + dt * k1, bound)
        return
    if method == "midpoint":
        k2 = p.let(f(x + 0.5 * dt * k1), "k2", "f_mid")
        p.put(x, x + dt * k2, bound)
        return
    if method == "heun":
        k2 = p.let(f(x + dt * k1), "k2", "f1")
        p.put(x, x + 0.5 * dt * (k1 + k2), bound)
        return
    k2 = p.let(f(x + 0.5 * dt * k1), "k2")
    k3 = p.let(f(x + 0.5 * dt * k2), "k3")
    k4 = p.let(f(x + dt * k3), "k4")
    p.put(x, x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), bound)


def contact(s: Sketch) -> None:
    """Collisions: with the ground, a sphere, or between two bodies; by penalty or by impulse."""
    rng, p = s.rng, _in_space(s)
    s.open(1)
    x = p.perhaps(p.at(p.vectors(("pos", "x", "particle_q", "body_pos"), -2.0, 2.0)), "xi", "p_i", "x0")
    v = p.perhaps(p.at(p.vectors(("vel", "v", "particle_qd", "body_vel"), -2.0, 2.0)), "vi", "v_i", "v0")
    shape = rng.pick(("plane", "plane", "sphere", "pair"))
    radius = (
        p.value(("radius", "r", "margin", "thickness"), 0.1, 0.8)
        if rng.chance(0.6)
        else p.perhaps(p.at(p.reals(("radii", "particle_radius", "sizes"), 0.1, 0.8)), "r_i", "rad")
    )
    if shape == "plane":
        normal = p.fn("normalize", _vector_value(p, ("normal", "plane_n", "up")))
        normal = p.let(normal, "n", "n_hat", "dir_n")
        gap = p.fn("dot", x, normal) - radius
        if rng.chance(0.5):
            gap = gap - p.value(("offset", "ground", "height", "plane_d"), -0.5, 0.5)
    else:
        centre = (
            _vector_value(p, ("center", "sphere_pos", "obstacle"))
            if shape == "sphere"
            else p.at(p.vectors(("other_pos", "x_b", "collider_pos"), -2.0, 2.0))
        )
        delta = p.let(x - centre, "d", "delta", "diff")
        dist = p.let(p.fn("length", delta), "dist", "l", "sep")
        normal = p.let(
            delta / p.fn("max", dist, 0.05) if rng.chance(0.5) else p.fn("normalize", delta), "n", "dir_n", "axis"
        )
        gap = dist - (radius + p.value(("sphere_radius", "other_radius", "r_b"), 0.5, 1.5))
    gap = p.let(gap, "gap", "c", "penetration", "phi", "depth")
    wide = Span(-40.0, 40.0, -2.0, 2.0)
    if v.e.op != "name" or rng.chance(0.5):
        target = p.begin(v, "v_new", "result", "vel_out", "v1", span=wide)
    else:
        target = p.start(0.0, "force", "f_c", "contact_f", like=v.e, span=wide)
    ke = p.value(("ke", "stiffness", "k_contact", "penalty"), 1.0, 5.0)
    impulse = rng.chance(0.4)
    damped = not impulse and rng.chance(0.6)
    friction = p.value(("mu", "friction", "kf"), 0.1, 0.9) if rng.chance(0.5) else None
    vn = p.fn("dot", v, normal)
    if impulse or damped or friction is not None:
        vn = p.let(vn, "vn", "v_normal", "rel_vn")

    def respond() -> None:
        if impulse:
            bounce = p.value(("restitution", "e", "bounce"), 0.1, 0.9)
            j = p.let(-(1.0 + bounce) * vn, "j", "imp", "jn")
        else:
            j = -(ke * gap)
            if damped:
                j = j - p.value(("kd", "damping", "c_contact"), 0.1, 1.0) * vn
            j = p.let(p.fn("max", j, 0.0) if rng.chance(0.3) else j, "fn", "f_n", "mag")
        push = normal * j
        if friction is not None:
            vt = p.let(v - normal * vn, "vt", "tangent", "v_slip")
            slide = (
                p.let(p.fn("min", p.fn("length", vt), friction * p.fn("abs", j)), "ft", "slip", "f_t")
                if rng.chance(0.6)
                else friction * p.fn("abs", j)
            )
            push = push - p.fn("normalize", vt) * slide
        p.put(target, target + push, Span(-40.0, 40.0, -3.0, 3.0))

    p.when(gap < 0.0, respond)
    used = p.now(target)
    if not impulse and rng.chance(0.6):
        _apply(p, used, v if rng.chance(0.7) else None)
    else:
        s.add(used.e)
    if impulse:
        p.s.read(ke.e)
        p.keep(grown(p, ke, gap, size=2), "pressure", "overlap", "penalty_e")
    elif rng.chance(0.4):
        p.keep(p.fn("max", -gap, 0.0), "overlap", "pen_depth", "press") if rng.chance(0.5) else s.add(gap.e)
    closing(s, kinds="fv")


def point_field(s: Sketch) -> None:
    """Fields of points: attraction, charges, boids, potentials, summed over a list that all threads share."""
    rng, p = s.rng, _in_space(s)
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


def state_update(s: Sketch) -> None:
    """Structs in and out: a record is read, its fields change, and it goes back whole."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    owner = records.items(s, write=True)
    struct = owner.type
    if rng.chance(0.5):
        records.parameters(s)
    if rng.chance(0.5):
        s.load(rng.pick("ffv"))
    if rng.chance(0.5):
        s.param()
    straight.temps(s, rng.below(3))
    if rng.chance(0.3):
        s.attempt(lambda: branches.branch(s))
    fields = rng.shuffled(struct.fields)[: rng.pick((1, 2, 2, 3))]  # type: ignore[union-attr]
    for entry in fields:
        place = s.al.field(owner, struct, entry.name)  # type: ignore[arg-type]
        kind = "v" if place.kind == "v" else "f"
        values = [value for value in s.pool if value.kind in ("fv" if kind == "v" else "f") and value is not place]
        unread = [value for value in s.fresh if value in values]
        chosen = rng.shuffled(unread or values)[:2]
        s.read(place)
        for value in chosen:
            s.read(value)
        change = grown(p, *(Q(p, value) for value in chosen), want=kind)
        changed = p.two(rng.pick(("add", "sub")), Q(p, place), change)
        s.probe.check(changed.e)
        if rng.chance(s.style.augmented):
            s.emit(Assign(place, change.e, changed.e.op))
        else:
            s.emit(Assign(place, changed.e))
        # Its old value is gone.
        s.pool[:] = [value for value in s.pool if value != place]
    # What is not read goes back as it came.
    s.fresh[:] = [value for value in s.fresh if value.op != "field" or value.args[0] != owner]
    array = next(argument for argument in s.arguments if argument.type is struct and argument.rank)
    s.emit(Assign(Expr("index", "s", struct, owner.span, s.coords, array.name), owner))
    if s.fresh:
        closing(s)
