"""What tests of several folders share."""

from __future__ import annotations

import pytest

from irsmith.kernel import Kernel
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe


@pytest.fixture(scope="session")
def default_sample() -> list[Kernel]:
    """Kernels of the default recipe."""
    pipeline = Pipeline(Recipe(seed=11))
    return [kernel for kernel in map(pipeline.kernel, range(300)) if isinstance(kernel, Kernel)]
