"""Rows made from hand-written kernels, and one verifier for all tests."""

import re
import textwrap
from dataclasses import replace

import pytest

pytest.importorskip("warp")

from irsmith.frontends.warp.proving import WarpToolchain
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.types import Domain, parse_type
from irsmith.verify import Settings, Verifier

_ARGUMENT = re.compile(
    r"(?P<direction>in|out|inout) (?P<name>\w+): (?P<type>[\w\[\],]+)(?: (?P<shape>[\dx]+))?"
    r"(?: from (?P<low>\S+) to (?P<high>\S+))?"
)


def argument(text, structs=None):
    """``in x: float32 24 from 0 to 1``: a direction, a name, a type, a shape and a domain."""
    match = _ARGUMENT.fullmatch(text)
    assert match, text
    shape = tuple(int(extent) for extent in match["shape"].split("x")) if match["shape"] else ()
    domain = Domain(float(match["low"]), float(match["high"])) if match["low"] else None
    type_ = parse_type(match["type"], structs)
    return Argument(match["name"], type_, len(shape), Direction(match["direction"]), shape, domain)


def kernel(body, *arguments, launch=(24,), structs=None):
    source = "import warp as wp\n\n\n" + textwrap.dedent(body).strip() + "\n"
    return Kernel("k", "test", "", source, Signature(tuple(argument(a, structs) for a in arguments), launch))


@pytest.fixture(scope="session")
def make_kernel():
    return kernel


@pytest.fixture(scope="session")
def make_row():
    pipeline = Pipeline(Recipe())

    def make(*parts, name="row", **options):
        row = pipeline.lowered(kernel(*parts, **options), 0, name, None)
        assert hasattr(row, "texts"), row
        return row

    return make


@pytest.fixture(scope="session")
def toolchain():
    with WarpToolchain() as toolchain:
        yield toolchain


@pytest.fixture(scope="session")
def verifier(toolchain):
    """Everything is checked on every row, but what needs NVRTC."""
    return Verifier(toolchain, settings=Settings(twin_runs=1.0, twin_compiles=0.0, removals=1.0))


@pytest.fixture(scope="session")
def edited():
    """A row with one change in one of its texts: what a pattern first matches is replaced."""

    def edit(row, column, pattern, new):
        text = row.kernel.source if column == "python_source" else row.texts[column]
        changed, count = re.subn(pattern, new, text, count=1)
        assert count, (pattern, text)
        assert changed != text
        if column == "python_source":
            return replace(row, kernel=replace(row.kernel, source=changed))
        return replace(row, texts={**row.texts, column: changed})

    return edit
