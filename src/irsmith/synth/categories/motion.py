"""Categories of motion: integrators of differential equations, and records that hold a state."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.algebra import usual
from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.categories.space import SPACE, time_step
from irsmith.synth.ir import Assign, Expr, Span
from irsmith.synth.phases import branches, records, straight
from irsmith.synth.sketch import Sketch
from irsmith.types import Scalar, Vector


def integrator(s: Sketch) -> None:
    """Ordinary differential equations stepped in a loop: Euler, midpoint, Runge-Kutta, leapfrog."""
    rng, p = s.rng, Pen(s)
    vectors = rng.chance(0.35)
    if vectors:
        s.length = rng.pick(SPACE)
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
    dt, k = time_step(p), p.value(("k", "stiffness", "omega_sq", "rate"), 0.5, 2.0)
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
    plain = [field for field in struct.fields if isinstance(field.type, Scalar | Vector)]  # type: ignore[union-attr]
    fields = rng.shuffled(plain)[: rng.pick((1, 2, 2, 3))]
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
