"""What the categories of simulation share: vectors of two or three components, forces and steps in time."""

from __future__ import annotations

from irsmith.synth.algebra import vector
from irsmith.synth.categories.pen import Pen, Q
from irsmith.synth.sketch import Sketch

SPACE = (3, 3, 3, 2)


def in_space(s: Sketch) -> Pen:
    """A pen over vectors of two or three components."""
    s.length = s.rng.pick(SPACE)
    return Pen(s)


def time_step(p: Pen) -> Q:
    """An argument: how far a step goes in time."""
    return p.value(("dt", "h", "step_size", "time_step"), 0.05, 0.25)


def apply_force(p: Pen, force: Q, velocity: Q | None) -> None:
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
            force = p.perhaps(force, "a0", "acc") + vector_value(p, ("gravity", "g", "wind"))
        force = p.let(force, "a", "accel", "acc_i")
    if velocity is not None and rng.chance(0.6):
        p.keep(velocity + force * time_step(p), "v_new", "vel_next", "v1")
    else:
        s.add(force.e)


def vector_value(p: Pen, names: tuple[str, ...]) -> Q:
    """A vector that is an argument."""
    s = p.s
    made = s.value(s.names_free(names), vector(s.length, s.al.real), -2.0, 2.0)
    s.read(made)
    return Q(p, made)


def vector_at(p: Pen, names: tuple[str, ...]) -> Q:
    """The thread's own vector of an array."""
    return p.at(p.vectors(names, -1.0, 1.0))
