"""A function tried on a few inputs before it is given out: long ones may have forgotten where they began."""

from __future__ import annotations

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference import Reference
from irsmith.kernel import Direction, Kernel
from irsmith.verdict import Uncovered
from irsmith.verify.explore import ways
from irsmith.verify.inputs import SEARCH, Inputs, Mode
from irsmith.verify.ports import Array
from irsmith.verify.values import is_float, joined, resolution, take

_MODES = (Mode.EVEN, Mode.EVEN, Mode.LOW, Mode.HIGH)
_SEARCHED = 4
"""How many times each mode of the search is tried for a way that no other input took."""
_SEEN = 4.0
"""A change that shows, in units of the last place."""


def alive(kernel: Kernel) -> str | None:
    """Why a function is not worth a row.

    It fails, overflows, is not finite, always gives the same, ignores an argument, or has a way that next to no input
    takes.
    """
    inputs = Inputs(kernel, lambda type_: numpy_dtype(str(type_)))
    bases = inputs.sets(_MODES, "probe")
    free = inputs.free()
    sets = joined(bases, inputs.variants(bases, free, _MODES, "probe")) if free else bases
    probe = _Probe(kernel)
    size = len(_MODES)
    # Nearly always an argument shows at once: the other sets in which it is another one are for those that do not.
    first = [*range(size), *(place * size for place in range(1, 1 + len(free)))]
    found = probe.run(take(sets, first))
    if isinstance(found, str):
        return found
    for name, output in found.items():
        if not _differs(output[:1], output[1:size]).any():
            return f"{name} is always the same"
    for place, argument in enumerate(free, 1):
        base, changed = take(found, slice(0, 1)), take(found, slice(size + place - 1, size + place))
        if _any_differs(base, changed):
            continue
        others = probe.run(take(sets, slice(place * size + 1, (place + 1) * size)))
        if isinstance(others, str):
            return others
        if not _any_differs(take(found, slice(1, size)), others):
            return f"{argument} does not matter"
    for number in range(_SEARCHED):
        if not probe.missing:
            return None
        searched = probe.run(inputs.sets(SEARCH, f"probe {number}"))
        if isinstance(searched, str):
            return searched
    return f"line {min(probe.missing).line}: next to no input goes one way" if probe.missing else None


class _Probe:
    """Runs a function on some sets after others.

    Attributes:
        missing: The ways that none took so far.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._reference = Reference(kernel.source, kernel.name)
        self._outputs = [a.name for a in kernel.signature.arguments if a.direction is Direction.OUT]
        self._taken: set[Uncovered] = set()
        self.missing: set[Uncovered] = set()

    def run(self, sets: dict[str, Array]) -> dict[str, Array] | str:
        """What the function gives, or why that is nothing to go on with."""
        result = self._reference.run(sets, None)
        if any(result.faults):
            fault = next(fault for fault in result.faults if fault is not None)
            return f"line {fault.line}: {fault.message}"
        if self._reference.overflowed:
            return "something overflows"
        outputs = {name: result.outputs[name] for name in self._outputs}
        for name, output in outputs.items():
            if not np.isfinite(output.astype(np.float64)).all():
                return f"{name} is not finite"
        found = ways({site: (way.true, way.false) for site, way in result.coverage.items()})
        self._taken |= {way for way, lanes in found.items() if lanes.any()}
        self.missing = (self.missing | set(found)) - self._taken
        return outputs


def _any_differs(one: dict[str, Array], two: dict[str, Array]) -> bool:
    return any(_differs(array, two[name]).any() for name, array in one.items())


def _differs(one: Array, two: Array) -> Array:
    if not is_float(one.dtype):
        return np.asarray(one != two)
    a, b = one.astype(np.float64), two.astype(np.float64)
    return np.asarray(np.abs(a - b) > _SEEN * float(resolution(one.dtype).eps) * np.maximum(np.abs(a), np.abs(b)))
