"""Categories of bodies: how a rigid one moves, and what happens where two touch."""

from __future__ import annotations

from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.categories.space import apply_force, in_space, time_step, vector_at, vector_value
from irsmith.synth.ir import Span
from irsmith.synth.sketch import Sketch
from irsmith.types import Matrix, ValueType


def rigid_body(s: Sketch) -> None:
    """Bodies that turn: torques, inertia, angular momentum, velocities of points."""
    rng = s.rng
    s.length = 3
    p = Pen(s)
    s.open(1)
    matrix: ValueType = Matrix(3, 3, s.al.real)
    omega = p.perhaps(vector_at(p, ("omega", "ang_vel", "body_w", "w")), "w_i", "wb", "omega_i")
    parts = rng.shuffled(["torque", "gyro", "point", "momentum", "energy", "drag"])[: rng.pick((2, 2, 3, 4))]
    inertia = (
        p.array(("inertia", "body_inertia", "I_body"), -0.5, 0.5, s.extents, matrix)
        if {"gyro", "momentum", "energy"} & {*parts} or rng.chance(0.3)
        else None
    )
    held = p.perhaps(p.at(inertia), "I", "inertia_i", "I_b") if inertia is not None else None
    arm = None
    if "torque" in parts or "point" in parts:
        com = p.perhaps(vector_at(p, ("com", "body_com", "center")), "c", "com_i")
        point = p.perhaps(vector_at(p, ("contact_point", "points", "attach")), "pt", "p_world")
        arm = p.let(point - com, "r", "arm", "lever")
    torque = None
    if "torque" in parts and arm is not None:
        force = p.perhaps(vector_at(p, ("force", "body_f", "impulse", "f_ext")), "f", "f_i")
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
        speed = p.perhaps(vector_at(p, ("lin_vel", "body_v", "vel")), "v", "v_com")
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
    p.keep(omega + change * time_step(p), "w_new", "omega_next", "w1")


def contact(s: Sketch) -> None:
    """Collisions: with the ground, a sphere, or between two bodies; by penalty or by impulse."""
    rng, p = s.rng, in_space(s)
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
        normal = p.fn("normalize", vector_value(p, ("normal", "plane_n", "up")))
        normal = p.let(normal, "n", "n_hat", "dir_n")
        gap = p.fn("dot", x, normal) - radius
        if rng.chance(0.5):
            gap = gap - p.value(("offset", "ground", "height", "plane_d"), -0.5, 0.5)
    else:
        centre = (
            vector_value(p, ("center", "sphere_pos", "obstacle"))
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
        apply_force(p, used, v if rng.chance(0.7) else None)
    else:
        s.add(used.e)
    if impulse:
        p.s.read(ke.e)
        p.keep(grown(p, ke, gap, size=2), "pressure", "overlap", "penalty_e")
    elif rng.chance(0.4):
        p.keep(p.fn("max", -gap, 0.0), "overlap", "pen_depth", "press") if rng.chance(0.5) else s.add(gap.e)
    closing(s, kinds="fv")
