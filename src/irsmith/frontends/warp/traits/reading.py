"""A Warp kernel's source read once: patterns of access, features, and the cost of a thread."""

from __future__ import annotations

from irsmith.frontends.warp.traits.cost import cost
from irsmith.frontends.warp.traits.features import features, smallest_capability
from irsmith.frontends.warp.traits.module import Module
from irsmith.frontends.warp.traits.patterns import patterns
from irsmith.kernel import Kernel
from irsmith.traits import Reading


def read(kernel: Kernel) -> Reading:
    """Read a kernel's source.

    Raises:
        SyntaxError: It is not Python.
        ValueError: It holds no function of the kernel's name.
    """
    module = Module(kernel)
    found = features(module)
    operations, moved = cost(module)
    return Reading(tuple(sorted(found | patterns(module))), operations, moved, smallest_capability(found))
