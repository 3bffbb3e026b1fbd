"""The table of categories: what each is called, which function makes it, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from irsmith.frontends.jax.synth import shared
from irsmith.frontends.jax.synth.draft import Scope


@dataclass(frozen=True, slots=True)
class Category:
    """One shape of program.

    Attributes:
        make: Fills a scope and returns from it.
        weight: How often it is drawn by default, relative to the others.
        scale: How long its functions are, relative to the others.
        low_precision: Whether it may be in a type of 16 bits.
    """

    make: Callable[[Scope], None]
    weight: float = 1.0
    scale: float = 1.0
    low_precision: bool = True


CATEGORIES: dict[str, Category] = {
    "arithmetic": Category(shared.arithmetic, 1.0, 0.6),
    "scalar_param": Category(shared.scalar_param, 1.0, 0.6),
    "math": Category(shared.math, 1.0, 0.6),
    "vector": Category(shared.vector, 1.0, 0.7),
    "matrix": Category(shared.matrix, 1.0, 0.7),
    "control_flow": Category(shared.control_flow, 1.0, 0.8),
    "nested_branch": Category(shared.nested_branch, 1.0, 0.8),
    "multi_conditional": Category(shared.multi_conditional, 1.0, 0.9),
    "loop": Category(shared.loop, 1.0, 0.9),
    "nested_loop": Category(shared.nested_loop, 1.0, 1.0),
    "reduction": Category(shared.reduction, 1.0, 0.7),
    "multi_statement": Category(shared.multi_statement, 1.0, 0.9),
    "combined": Category(shared.combined, 1.5, 1.2),
    "helper_function": Category(shared.helper, 1.0, 0.8),
    "vmap": Category(shared.vectorised, 1.0, 0.8),
    "indexed_update": Category(shared.update, 1.0, 0.7),
}
"""Every category, by name."""
