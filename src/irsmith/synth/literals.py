"""Numbers as people write them, placed where they matter."""

from __future__ import annotations

import math

from irsmith.rng import Stream
from irsmith.synth.algebra import Algebra, exactly
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr

_MOST_DIGITS = 5


def nice(value: float, width: float) -> float:
    """A number within half a width of a value, with as few digits as that leaves room for.

    Raises:
        Discard: That takes more digits than people write.
    """
    unit = 10.0 ** math.ceil(math.log10(width))
    for size in (1.0, 0.5, 0.1, 0.05):
        step = unit * size
        rounded = round(value / step) * step
        if abs(rounded - value) <= width / 2:
            number = round(rounded, max(0, 2 - math.floor(math.log10(step))))
            if len(f"{number:.9f}".replace(".", "").strip("-0")) > _MOST_DIGITS:
                raise Discard("digits")
            return number
    raise Discard("digits")


def threshold(al: Algebra, rng: Stream, x: Expr) -> Expr:
    """A literal from the middle of where a scalar usually lies.

    Raises:
        Discard: The scalar hardly varies.
    """
    low, high, near, far = x.span
    near, far = max(near, low), min(far, high)
    if x.kind == "i":
        first, last = int(near) + 1, int(far)
        if last < first:
            raise Discard("threshold")
        value = rng.between(first, last)
        return Expr("literal", "i", x.type, exactly(value), (), "", value)
    width = far - near
    if width <= 1e-5 or width < 1e-2 * max(-near, far):
        raise Discard("threshold")
    if near < -0.1 * width and far > 0.1 * width and rng.chance(0.6):
        return al.literal(0.0)
    return al.literal(nice(near + width * rng.uniform(0.3, 0.7), width * 0.3))
