"""Sources that the tests of the Warp frontend share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from irsmith.frontends.warp import compiler
from irsmith.kernel import Kernel, Signature


@pytest.fixture(scope="session", autouse=True)
def _warp() -> None:
    compiler.require()


@pytest.fixture
def make() -> Callable[[str, str], Kernel]:
    def make(source: str, name: str = "k") -> Kernel:
        text = "import warp as wp\n\n\n" + textwrap.dedent(source).lstrip()
        return Kernel(name, "user", "", text, Signature(()))

    return make
