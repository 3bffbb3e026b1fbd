"""Phases that use a random state: numbers drawn from it, and noise fields that it selects."""

from __future__ import annotations

from typing import NamedTuple

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, usual, vector, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.choice import Choice
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Expr, Span
from irsmith.synth.literals import nice
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32, UINT32, Domain

_STATES = ("state", "rng", "rand_state", "rng_state")
_SEEDS = ("seed", "seed", "rng_seed", "base_seed")


class Draw(NamedTuple):
    """A function that draws from a state.

    Attributes:
        operator: Its name in the program.
        length: How many components it gives; 1 for a scalar.
        span: Where they lie.
        nouns: What people call them.
    """

    operator: str
    length: int
    span: Span
    nouns: tuple[str, ...]


_BALL, _HALF = Span(-1.0, 1.0, -0.6, 0.6), Span(-0.5, 0.5, -0.25, 0.25)
_DRAWS = Choice((
    (Draw("randf", 1, usual(0.0, 1.0), ("u", "r", "xi", "roll", "sample")), 6.0),
    (Draw("randf_between", 1, usual(0.0, 1.0), ("jitter", "u", "offset", "draw")), 3.0),
    (Draw("randn", 1, Span(-6.0, 6.0, -0.7, 0.7), ("noise", "gauss", "eps", "z", "kick")), 3.0),
    (Draw("randi", 1, usual(0, 1), ("pick", "k", "choice", "face")), 1.5),
    (Draw("randu", 1, usual(0, 1), ("pick", "slot", "bucket")), 0.8),
    (Draw("poisson", 1, usual(0, 12), ("events", "n_events", "count", "arrivals")), 0.8),
    (Draw("sample_unit_ring", 2, _BALL, ("dir", "ring_pt", "heading")), 1.5),
    (Draw("sample_unit_disk", 2, _BALL, ("disk_pt", "offset", "lens")), 1.5),
    (Draw("sample_unit_square", 2, _HALF, ("uv", "jitter", "offset")), 1.2),
    (Draw("sample_triangle", 2, usual(0.0, 1.0), ("bary", "uv")), 0.7),
    (Draw("sample_unit_sphere_surface", 3, _BALL, ("dir", "direction", "d")), 1.0),
    (Draw("sample_unit_sphere", 3, _BALL, ("offset", "pt", "kick")), 1.0),
    (Draw("sample_unit_hemisphere_surface", 3, _BALL, ("dir", "bounce", "d")), 0.9),
    (Draw("sample_unit_hemisphere", 3, _BALL, ("offset", "pt")), 0.7),
    (Draw("sample_unit_cube", 3, _HALF, ("jitter", "offset", "kick")), 0.9),
))  # fmt: skip


def state(s: Sketch, *, by_thread: bool = True) -> Expr:
    """A random state of this thread's own, or one that all threads share."""
    rng = s.rng
    if rng.chance(0.75):
        text = s.names.free(_SEEDS, rng)
        s.arguments.append(Argument(text, INT32, 0, Direction.IN, (), Domain(0, 1000)))
        seed = variable(text, INT32, usual(0, 1000))
        s.probe.argument(seed)
    else:
        seed = whole(rng.pick((0, 1, 7, 17, 42, 123, 1234)))
    args: tuple[Expr, ...] = (seed,)
    if by_thread:
        place = s.coords[0]
        for coord, extent in zip(s.coords[1:], s.extents[1:], strict=True):
            # The linear index, as a person writes it.
            row = Expr("mul", "i", INT32, place.span, (place, whole(extent)))
            place = Expr("add", "i", INT32, place.span, (row, coord))
        args = (seed, place)
    text = s.names.claim(s.names_free(_STATES))
    made = Expr("name", "r", UINT32, exactly(0.0), (), text)
    s.emit(Assign(made, Expr("rand_init", "r", UINT32, exactly(0.0), args)))
    s.probe.constant(made)
    return made


def draw(s: Sketch, source: Expr) -> Expr:
    """A number or a point drawn from a state, with a variable of its own: in scope and unread.

    Raises:
        Discard: This kernel's vectors have another length.
    """
    rng, al = s.rng, s.al
    drawn = _DRAWS.draw(rng)
    if drawn.length not in (1, s.length):
        raise Discard("draw")
    operator, span, args = drawn.operator, drawn.span, [source]
    kind, type = ("f", FLOAT32) if drawn.length == 1 else ("v", vector(drawn.length, FLOAT32))
    if operator == "randf_between":
        low, high = rng.pick(((-1.0, 1.0), (-0.5, 0.5), (0.5, 1.5), (0.0, 2.0), (-3.14, 3.14), (0.9, 1.1)))
        span = usual(low, high)
        args += [Expr("literal", "f", FLOAT32, exactly(bound), (), "", bound) for bound in (low, high)]
    elif operator == "poisson":
        kind, type = "i", UINT32
        args.append(_rate(s))
    elif operator in {"randi", "randu"}:
        kind, type = "i", INT32 if operator == "randi" else UINT32
        high = rng.pick((2, 3, 4, 6, 8, 10, 16, 100))
        span = usual(0, high - 1)
        args += [Expr("literal", "i", type, exactly(bound), (), "", bound) for bound in (0, high)]
    value = Expr(operator, kind, type, span, tuple(args))
    if kind == "i" and type is not al.whole:
        value = al.cast(value, al.whole)
    elif kind == "f":
        value = al.real_of(value)
    elif al.real is not FLOAT32:
        raise Discard("precision")
    target = variable(s.names.distinguished(rng.pick(drawn.nouns), rng), value.type, value.span)
    s.emit(Assign(target, value))
    s.probe.drawn(target)
    s.assignable.append(target)
    return s.add(target)


def _rate(s: Sketch) -> Expr:
    """How many events are expected: a number, or one that all threads are given."""
    if s.al.real is not FLOAT32 or s.rng.chance(0.4):
        rate = s.rng.pick((0.5, 1.0, 2.0, 3.5, 4.0, 12.0))
        return Expr("literal", "f", FLOAT32, exactly(rate), (), "", rate)
    made = s.value(s.names_free(("rate", "lam", "intensity", "mean_count")), FLOAT32, 0.5, 6.0)
    s.read(made)
    return made


def noise(s: Sketch, source: Expr) -> Expr:
    """Noise at a place that a value in scope gives, with a variable of its own: in scope and unread.

    Raises:
        Discard: No value in scope spans enough cells of the noise's lattice, or the precision is not single.
    """
    rng, al = s.rng, s.al
    if al.real is not FLOAT32:
        raise Discard("precision")
    places = [value for value in s.pool if value.kind in "vf" and value.op in {"name", "index", "field"}]
    vectors = [value for value in places if value.kind == "v"]
    if not places:
        raise Discard("noise")
    place = rng.pick(vectors if vectors and rng.chance(0.85) else places)
    s.read(place)
    at = place
    if rng.chance(0.6):
        frequency = al.literal(nice(rng.pick((0.5, 1.5, 2.0, 3.0, 4.0)), 0.1))
        at = al.do("vscale" if place.kind == "v" else "mul", place, frequency)
    if place.kind == "f":
        return s.define(al.do("noise_line", source, at))
    roll = rng.random()
    if roll < 0.55:
        return s.define(al.do("noise", source, at))
    if s.length > 3:
        raise Discard("noise")
    if roll < 0.8:
        return s.define(al.do("curlnoise", source, at))
    periods = [whole(rng.pick((2, 4, 4, 8, 16))) for _ in range(s.length)]
    return s.define(al.do("pnoise" if s.length == 2 else "pnoise_space", source, at, *periods))
