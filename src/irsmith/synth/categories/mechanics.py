"""Categories of rotations, rigid bodies, and chance."""

from __future__ import annotations

from irsmith.synth.categories.base import must, spend
from irsmith.synth.errors import Discard
from irsmith.synth.moves import MECHANICAL
from irsmith.synth.phases import branches, chance, loops, motions, straight
from irsmith.synth.sketch import Sketch
from irsmith.synth.themes import media, nature, numbers
from irsmith.types import FLOAT16

_THEMES = (nature.PARTICLES, numbers.ROBOTICS, numbers.ROBOTICS, media.GEOMETRY, media.SHADING, nature.ASTRONOMY)


def _spatial(s: Sketch, kinds: str) -> None:
    """Open a kernel of three dimensions, and load a first set of values; the first kind stays the subject."""
    rng = s.rng
    if s.al.real is FLOAT16:
        # A half keeps too little of a product of rotations.
        raise Discard("precision")
    s.length, s.repertoire = 3, MECHANICAL
    s.theme = rng.pick(_THEMES)
    s.open(rng.pick((1, 1, 1, 1, 2)) if s.budget > 3 else 1)
    count = max(1, min(5, rng.below(2 + s.budget // 6)))
    straight.loads(s, kinds[0] + "".join(rng.pick(kinds) for _ in range(count)))
    if rng.chance(0.4):
        s.param()
    # One product of two frames has too few forms: something is done with it.
    s.budget = max(s.budget, 4 + rng.below(4))


def rotation(s: Sketch) -> None:
    """Quaternions: composed, interpolated, taken apart, and applied to vectors."""
    kinds = s.rng.pick(("qv", "qqv", "qvf", "qf", "qvm"))
    _spatial(s, kinds)
    if s.rng.chance(0.25):
        s.attempt(lambda: motions.apart(s))
    spend(s, branches.branch, motions.apart, kinds=kinds)
    straight.finish(s)


def rigid_body(s: Sketch) -> None:
    """Rigid transforms and spatial vectors: frames changed, points moved, twists and wrenches combined."""
    kinds = s.rng.pick(("tv", "ttv", "tw", "twv", "wv", "wwf", "tvf", "hv", "tvq", "tqv", "wmm"))
    _spatial(s, kinds)
    if s.rng.chance(0.3):
        s.attempt(lambda: (motions.apart if "h" in kinds else motions.replaced)(s))
    if "t" in kinds and "v" in kinds and s.rng.chance(0.3):
        s.attempt(lambda: motions.chained(s))
    if "w" in kinds and "t" in kinds:
        s.attempt(lambda: motions.carried(s))
    if "w" in kinds and s.rng.chance(0.3):
        s.attempt(lambda: motions.powered(s))
    spend(s, branches.branch, motions.replaced, motions.apart, kinds=kinds)
    straight.finish(s)


def random(s: Sketch) -> None:
    """Numbers and directions drawn at random, a stream for each thread."""
    rng = s.rng
    s.open(rng.pick((1, 1, 1, 2)))
    straight.loads(s, "".join(rng.pick("fv") for _ in range(rng.pick((1, 1, 2)) if s.budget > 6 else 1)))
    if rng.chance(0.5):
        s.param()
    s.note("one stream for each thread", "set up the generator")
    source = chance.state(s)
    must(s, lambda sketch: chance.draw(sketch, source), 12)
    spend(s, lambda sketch: chance.draw(sketch, source), branches.branch, kinds="fv")
    straight.finish(s, 2)


def noise(s: Sketch) -> None:
    """Procedural fields: gradient noise, tiled or not, and its curl."""
    rng = s.rng
    s.open(rng.pick((1, 1, 1, 2)))
    s.load("v")
    if rng.chance(0.5):
        s.load("f")
    if rng.chance(0.5):
        s.param()
    source = chance.state(s, by_thread=False)
    must(s, lambda sketch: chance.noise(sketch, source), 12)
    spend(s, lambda sketch: chance.noise(sketch, source), branches.branch, loops.loop, kinds="fv")
    straight.finish(s, 2)
