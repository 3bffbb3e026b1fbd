"""What tests of several folders share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

import irsmith
from irsmith import Recipe
from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.synth import Sizes
from irsmith.templates import Template

settings.register_profile("fuzz", max_examples=int(os.environ.get("FUZZ_EXAMPLES", "20000")))

RECIPE = Recipe(
    count=60,
    seed=4,
    shard_size=40,
    templates=(("cpp:source", Template(prompt="Raise $name ($$5):\n$input", system="You know $from_language.")),),
)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A small dataset, proved, with templates of its own."""
    root = tmp_path_factory.mktemp("made") / "dataset"
    irsmith.generate(RECIPE, root, workers=2)
    return irsmith.load(root)


@pytest.fixture(scope="session")
def rows(made):
    """Its rows as plain records."""
    return list(made.records())


@pytest.fixture(scope="session")
def made_jax(tmp_path_factory):
    """A few functions over arrays, proved, where JAX is installed."""
    pytest.importorskip("jax")
    root = tmp_path_factory.mktemp("made") / "jax"
    irsmith.generate(Recipe(frontend="jax", count=4, seed=7, sizes=Sizes(median=6)), root)
    return irsmith.load(root)


@pytest.fixture(scope="session")
def default_sample() -> list[Kernel]:
    """Kernels of the default recipe."""
    drawing = Drawing(Recipe(seed=11))
    return [kernel for kernel in map(drawing.kernel, range(300)) if isinstance(kernel, Kernel)]
