"""Synthesis of functions over arrays, as JAX users write them.

A program grows from named values that carry shape, dtype and bounds (`expr`), by moves that keep a shape (`moves`)
or change it (`shapes`), in phases of straight code (`straight`), of `choices`, `loops` and `maps`. A category is a
short function that drives phases; those of machine learning stand in `learning`.
"""

from __future__ import annotations

from irsmith.frontends.jax.synth.categories import CATEGORIES
from irsmith.frontends.jax.synth.synthesis import GENERATOR_VERSION, synthesise

__all__ = ["CATEGORIES", "GENERATOR_VERSION", "synthesise"]
