"""How one author writes: habits that stay the same throughout a kernel."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.rng import Stream
from irsmith.synth.choice import Choice

_ONE = Choice((("tid", 4.0), ("i", 4.0), ("idx", 1.0), ("t", 0.3), ("index", 0.3), ("n", 0.2)))
_TWO = Choice(((("i", "j"), 5.0), (("row", "col"), 1.5), (("y", "x"), 0.8), (("iy", "ix"), 0.6), (("r", "c"), 0.3)))
_THREE = Choice(((("i", "j", "k"), 5.0), (("x", "y", "z"), 1.0), (("iz", "iy", "ix"), 0.6), (("b", "i", "j"), 0.8)))
_FOUR = Choice(((("i", "j", "k", "l"), 3.0), (("b", "i", "j", "k"), 1.0), (("n", "c", "y", "x"), 1.0)))
_ORDERS = Choice((("arrays", 5.0), ("values", 1.5), ("made", 1.5)))
_AFFIXES = Choice((("", 6.0), ("plural", 2.0), ("_in", 0.6), ("item", 1.0), ("_arr", 0.3)))


@dataclass(frozen=True, slots=True)
class Style:
    """One author's habits.

    Attributes:
        coordinates: Names of the thread's coordinates, for one to four axes.
        locals: How likely a loaded element gets a variable of its own.
        augmented: How likely ``x = x + y`` is written ``x += y``.
        ternary: How likely a small branch is a conditional expression.
        comments: How likely a step gets a comment.
        docstring: Whether the kernel has a docstring.
        helper_docs: Whether helpers have docstrings.
        in_place: How likely a result is written back to an input array.
        terse: How likely a variable gets initials for a name.
        weight: How many operators a statement has on average.
        order: The order of arguments: arrays before values, values first, or as they came up.
        affix: How array names differ from the names of their elements.
    """

    coordinates: tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    locals: float
    augmented: float
    ternary: float
    comments: float
    docstring: bool
    helper_docs: bool
    in_place: float
    terse: float
    weight: float
    order: str
    affix: str


def draw_style(rng: Stream) -> Style:
    """One author."""
    return Style(
        coordinates=(_ONE.draw(rng), _TWO.draw(rng), _THREE.draw(rng), _FOUR.draw(rng)),
        locals=rng.pick((1.0, 0.7, 0.3, 0.0, 0.0)),
        augmented=rng.pick((0.9, 0.4, 0.1, 0.0)),
        ternary=rng.pick((0.0, 0.1, 0.4)),
        comments=rng.pick((0.0, 0.0, 0.0, 0.5, 1.0)),
        docstring=rng.chance(0.3),
        helper_docs=rng.chance(0.25),
        in_place=rng.pick((0.0, 0.1, 0.3)),
        terse=rng.pick((0.0, 0.15, 0.5, 0.8, 1.0)),
        weight=rng.uniform(1.3, 3.2),
        order=_ORDERS.draw(rng),
        affix=_AFFIXES.draw(rng),
    )
