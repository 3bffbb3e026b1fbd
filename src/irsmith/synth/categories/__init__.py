"""The table of categories: what each is called, which function makes it, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from irsmith.synth.categories import base, mechanics, patterns
from irsmith.synth.sketch import Sketch


@dataclass(frozen=True, slots=True)
class Category:
    """One shape of program.

    Attributes:
        make: Fills a sketch.
        weight: How often it is drawn by default, relative to the others.
        scale: How long its kernels are, relative to the others.
    """

    make: Callable[[Sketch], None]
    weight: float = 1.0
    scale: float = 1.0


CATEGORIES: dict[str, Category] = {
    "arithmetic": Category(base.arithmetic),
    "scalar_param": Category(base.scalar_param, 1.0, 0.9),
    "math": Category(base.math),
    "vector": Category(base.vector),
    "matrix": Category(base.matrix, 1.0, 0.9),
    "control_flow": Category(base.control_flow),
    "nested_branch": Category(base.nested_branch, 1.0, 1.1),
    "multi_conditional": Category(base.multi_conditional, 1.0, 1.1),
    "loop": Category(base.loop),
    "nested_loop": Category(base.nested_loop, 1.0, 1.1),
    "atomic": Category(base.atomic),
    "reduction": Category(base.reduction),
    "multi_statement": Category(base.multi_statement, 1.0, 1.1),
    "combined": Category(base.combined, 1.5, 1.4),
    "stencil": Category(patterns.stencil),
    "scan": Category(patterns.scan, 0.8),
    "histogram": Category(patterns.histogram, 0.7, 0.8),
    "gather": Category(patterns.gather),
    "scatter": Category(patterns.scatter, 0.8),
    "helper_function": Category(patterns.helper_function),
    "struct": Category(patterns.struct),
    "while_loop": Category(patterns.while_loop, 0.8),
    "early_exit": Category(patterns.early_exit),
    "rotation": Category(mechanics.rotation, 0.8, 0.75),
    "rigid_body": Category(mechanics.rigid_body, 1.0, 0.75),
    "random": Category(mechanics.random, 0.8, 0.75),
    "noise": Category(mechanics.noise, 0.6, 0.65),
}
"""Every category, by name."""

ALIASES: dict[str, str] = {
    "elementwise": "arithmetic",
    "scalar-array": "scalar_param",
    "scalar_array": "scalar_param",
    "unary": "math",
    "branch": "control_flow",
    "conditional": "control_flow",
    "nested conditionals": "nested_branch",
    "nested_conditionals": "nested_branch",
    "multi_cond": "multi_conditional",
    "nested": "nested_loop",
    "compound": "combined",
}
"""Names that earlier pipelines used. What they called ``reduction`` is ``atomic`` here."""
