"""The themes that kernels are written in."""

from __future__ import annotations

from irsmith.synth.choice import Choice
from irsmith.synth.themes import media, nature, numbers
from irsmith.synth.themes.base import Quantity, Theme

THEMES: Choice[Theme] = Choice((
    (nature.PARTICLES, 3.0), (nature.FLUID, 2.0), (nature.CHEMISTRY, 1.0), (nature.ASTRONOMY, 0.8),
    (media.SHADING, 1.8), (media.IMAGE, 1.5), (media.SIGNAL, 1.3), (media.GEOMETRY, 1.8),
    (numbers.LEARNING, 2.0), (numbers.FINANCE, 1.0), (numbers.ROBOTICS, 2.0), (numbers.STATISTICS, 1.0),
    (numbers.PLAIN, 2.5),
))  # fmt: skip

__all__ = ["THEMES", "Quantity", "Theme"]
