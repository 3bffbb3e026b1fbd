"""What a recipe may say about types and builtins: how much more or less often each is used than by default."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from irsmith.errors import UserError, nearest
from irsmith.synth.choice import Choice
from irsmith.synth.operators import OPERATORS
from irsmith.types import FLOAT16, FLOAT32, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, Scalar

_REALS: tuple[tuple[Scalar, float], ...] = ((FLOAT32, 0.92), (FLOAT64, 0.055), (FLOAT16, 0.025))
_WHOLES: tuple[tuple[Scalar, float], ...] = (
    *((INT32, 0.82), (INT64, 0.06), (UINT32, 0.04), (INT16, 0.025)),
    *((UINT8, 0.02), (UINT64, 0.015), (INT8, 0.01), (UINT16, 0.01)),
)
_LENGTHS: tuple[tuple[int, float], ...] = ((3, 7.0), (2, 2.0), (4, 1.5))

TYPES = (*(scalar.name for scalar, _ in (*_REALS, *_WHOLES)), *(f"vec{length}" for length, _ in _LENGTHS))
"""The types that a recipe may weigh."""
_FAMILIES = (_REALS, _WHOLES)
_WORDS = ("add", "sub", "mul", "neg", "square", "component")
BUILTINS = tuple(sorted(name for name in OPERATORS if name not in _WORDS))
"""The builtins and operators that a recipe may weigh. Sums, differences and products are not to be had less often."""

Weights = tuple[tuple[str, float], ...]


class Types(NamedTuple):
    """The number types and vector lengths of kernels, to draw from."""

    reals: Choice[Scalar]
    wholes: Choice[Scalar]
    lengths: Choice[int]


@lru_cache(maxsize=8)
def types(weights: Weights) -> Types:
    """The default choices, each type as often again as its weight says."""
    factor = dict(weights)

    def weighed(family: tuple[tuple[Scalar, float], ...]) -> Choice[Scalar]:
        return Choice((scalar, weight * factor.get(scalar.name, 1.0)) for scalar, weight in family)

    lengths = Choice((length, weight * factor.get(f"vec{length}", 1.0)) for length, weight in _LENGTHS)
    return Types(weighed(_REALS), weighed(_WHOLES), lengths)


@lru_cache(maxsize=8)
def chances(weights: Weights) -> dict[str, float]:
    """How likely an application of each operator is kept, such that kept ones are as frequent as the weights say.

    An operator that is not named has the weight 1; its chance stands under the empty name. No weights, no entries.
    """
    if not weights:
        return {}
    most = max(1.0, *(weight for _, weight in weights))
    return {name: weight / most for name, weight in weights} | {"": 1.0 / most}


def check(what: str, frontend: str, known: Iterable[str], weights: Weights) -> Weights:
    """Weights that can be used, in order of name.

    Raises:
        UserError: A name is unknown, a weight is no number from 0 to 100, or nothing is left of a family of types.
    """
    names = list(known)
    for name, weight in weights:
        if not names:
            raise UserError(f"{what}: the {frontend} frontend has none to weigh: leave the table out")
        if name not in names:
            raise UserError(f"{what}: unknown name {name!r}: {nearest(name, names)}")
        if not 0 <= weight <= 100:
            raise UserError(f"{what}: the weight of {name!r} is {weight:g}: give a number from 0 to 100")
    if what == "types" and names:
        given = dict(weights)
        families = [[scalar.name for scalar, _ in family] for family in _FAMILIES]
        for family in (*families, [f"vec{length}" for length, _ in _LENGTHS]):
            if all(given.get(name) == 0 for name in family):
                raise UserError(f"types: one of {', '.join(family)} must have a weight above 0")
    return tuple(sorted(weights))
