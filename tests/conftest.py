"""What tests of several folders share."""

from __future__ import annotations

import pytest

from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe


@pytest.fixture(scope="session")
def default_sample() -> list[Kernel]:
    """Kernels of the default recipe."""
    drawing = Drawing(Recipe(seed=11))
    return [kernel for kernel in map(drawing.kernel, range(300)) if isinstance(kernel, Kernel)]
