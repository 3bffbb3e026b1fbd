"""A small package of kernels as people write them, and what is harvested of it."""

from __future__ import annotations

import textwrap

import pytest

pytest.importorskip("warp")

from irsmith.harvest import harvest
from irsmith.recipe import Recipe

FILES = {
    "pyproject.toml": """
        [project]
        name = "small-springs"
        version = "2.1"
        license = "MIT"
    """,
    "springs/__init__.py": "",
    "springs/tools.py": """
        import warp as wp

        GAP = wp.constant(0.25)


        @wp.struct
        class Spring:
            rest: float
            stiffness: float


        @wp.func
        def pull(spring: Spring, length: float):
            return spring.stiffness * (length - spring.rest - GAP)
    """,
    "springs/kernels.py": '''
        from typing import Any

        import warp as wp

        from springs import tools
        from springs.tools import pull

        WIDTH = 3


        @wp.kernel
        def forces(lengths: wp.array(dtype=float), springs: wp.array(dtype=tools.Spring), out: wp.array(dtype=float)):
            """Pull of each spring.

            Nothing is damped.
            """
            i = wp.tid()
            out[i] = pull(springs[i], lengths[i])


        @wp.kernel
        def windowed(x: wp.array(dtype=float), out: wp.array(dtype=float)):
            i = wp.tid()
            s = float(0.0)
            for k in range(wp.static(WIDTH * 2 - 1)):
                s += x[wp.min(i + k, x.shape[0] - 1)]
            out[i] = s


        @wp.kernel
        def fill(a: wp.array(dtype=Any), value: Any):
            i = wp.tid()
            a[i] = value


        wp.overload(fill, [wp.array(dtype=wp.vec3), wp.vec3])
        wp.overload(fill, [wp.array(dtype=int), int])


        @wp.kernel
        def untold(a: wp.array(dtype=Any)):
            a[wp.tid()] *= a.dtype(2.0)


        def scaled_by(factor):
            @wp.kernel
            def scale(a: wp.array(dtype=float)):
                i = wp.tid()
                a[i] = a[i] * wp.static(factor) + float(factor)

            return scale


        twice, thrice, again = scaled_by(2.0), scaled_by(3.0), scaled_by(2.0)


        @wp.kernel
        def racing(x: wp.array(dtype=float), out: wp.array(dtype=float)):
            out[0] = x[wp.tid()]


        @wp.func_native("return x + 1.0f;")
        def told(x: float) -> float: ...


        @wp.kernel
        def unknown(x: wp.array(dtype=float), out: wp.array(dtype=float)):
            i = wp.tid()
            out[i] = told(x[i])
    ''',
    "springs/broken.py": """
        import warp as wp
        import a_package_that_nobody_has
    """,
    "springs/leaving.py": """
        import sys

        sys.exit(3)
    """,
    "springs/dying.py": """
        import os

        os._exit(4)
    """,
    "springs/theirs.py": """
        # SPDX-License-Identifier: GPL-3.0-only
        import warp as wp


        @wp.kernel
        def secret(a: wp.array(dtype=float)):
            a[wp.tid()] = 42.0
    """,
}


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """A folder of sources, not to be written to."""
    root = tmp_path_factory.mktemp("small") / "project"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
    return root


@pytest.fixture(scope="session")
def harvested(package, tmp_path_factory):
    """What is harvested of it, with every check, not to be written to."""
    return harvest([str(package)], tmp_path_factory.mktemp("made") / "d", recipe=Recipe(), workers=1)
