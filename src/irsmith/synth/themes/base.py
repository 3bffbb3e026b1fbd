"""What a theme is: the words and magnitudes of one field of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Quantity(NamedTuple):
    """A named quantity with the interval that its values come from."""

    name: str
    low: float
    high: float


def quantities(text: str) -> tuple[Quantity, ...]:
    """Read ``name low high`` triples separated by commas."""
    rows = (row.split() for row in text.split(","))
    return tuple(Quantity(name, float(low), float(high)) for name, low, high in rows)


@dataclass(frozen=True, slots=True)
class Theme:
    """The words of one field.

    Attributes:
        name: What the field is called.
        items: What one thread handles, singular.
        verbs: What a kernel of the field does, as a verb and, with it, the first part of a name.
        scalars: Quantities that come as arrays of scalars.
        vectors: Quantities that come as arrays of vectors.
        matrices: Quantities that come as arrays of matrices.
        params: Quantities passed by value.
        wholes: Quantities that are counted.
        results: Names of scalar results.
        vector_results: Names of vector results.
        temps: Names of intermediate values.
    """

    name: str
    items: tuple[str, ...]
    verbs: tuple[str, ...]
    scalars: tuple[Quantity, ...]
    vectors: tuple[Quantity, ...]
    matrices: tuple[Quantity, ...]
    params: tuple[Quantity, ...]
    wholes: tuple[Quantity, ...]
    results: tuple[str, ...]
    vector_results: tuple[str, ...]
    temps: tuple[str, ...]
