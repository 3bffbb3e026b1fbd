"""How one author writes, and the numbers and sizes that come to mind."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.rng import Stream

SIZES = (2, 3, 4, 5, 6, 7, 8, 8, 10, 12, 16, 16, 20, 24, 32)
_FEW = (2, 3, 4, 5, 6, 8)
_NUMBERS = (0.5, 0.1, 2.0, 1.5, 0.25, 0.9, 0.2, 0.3, 0.75, 0.8, 1.2, 0.05, 0.7, 0.6, 1.25, 0.4, 0.01, 3.0)


@dataclass(frozen=True, slots=True)
class Author:
    """One author's habits.

    Attributes:
        methods: How likely a reduction is a method of the array rather than a function.
        rebind: How likely a value takes the name of the one that it comes from.
        weight: How many operations a statement has on average.
        docstring: Whether the function has a docstring.
        comments: How likely a step gets a comment.
        decorated: Whether the function is under ``jax.jit``.
        lambdas: How likely a small branch is a lambda.
        negative_axes: Whether the last axes are counted from the end.
        keyword_axis: Whether an axis is named.
        annotated: Whether arguments say that they are arrays.
        blank: How likely a blank line stands between steps.
        qualified: Whether ``lax`` is written ``jax.lax``.
    """

    methods: float
    rebind: float
    weight: float
    docstring: bool
    comments: float
    decorated: bool
    lambdas: float
    negative_axes: bool
    keyword_axis: bool
    annotated: bool
    blank: float
    qualified: bool


def draw_author(rng: Stream) -> Author:
    """One author."""
    return Author(
        methods=rng.pick((0.0, 0.0, 0.3, 0.9)),
        rebind=rng.pick((0.0, 0.15, 0.15, 0.6)),
        weight=rng.pick((1.2, 1.6, 2.0, 2.6)),
        docstring=rng.chance(0.4),
        comments=rng.pick((0.0, 0.0, 0.0, 0.2, 0.5)),
        decorated=rng.chance(0.25),
        lambdas=rng.pick((0.1, 0.5, 0.9)),
        negative_axes=rng.chance(0.6),
        keyword_axis=rng.chance(0.85),
        annotated=rng.chance(0.15),
        blank=rng.pick((0.0, 0.0, 0.1)),
        qualified=rng.chance(0.25),
    )


def number(rng: Stream, low: float = 0.0, high: float = 3.0) -> float:
    """A number as people write them, within bounds."""
    for _ in range(6):
        value = rng.pick(_NUMBERS)
        if low <= value <= high:
            return value
    digits = 2 if high - low > 0.2 else 4
    return round(rng.uniform(low, high), digits) or round((low + high) / 2, 4)


def extent(rng: Stream, most: int = 32) -> int:
    """The length of an axis."""
    return rng.pick([size for size in SIZES if size <= most])


def few(rng: Stream) -> int:
    """A small count."""
    return rng.pick(_FEW)
