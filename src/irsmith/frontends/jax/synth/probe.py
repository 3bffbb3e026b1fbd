"""A function tried on a few inputs before it is given out: long ones may have forgotten where they began."""

from __future__ import annotations

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference import Reference
from irsmith.kernel import Direction, Kernel
from irsmith.verify.inputs import Inputs, Mode
from irsmith.verify.ports import Array
from irsmith.verify.values import is_float, joined, resolution, take

_MODES = (Mode.EVEN, Mode.EVEN, Mode.LOW, Mode.HIGH)
_SEEN = 4.0
"""A change that shows, in units of the last place."""


def alive(kernel: Kernel) -> str | None:
    """Why a function is not worth a row: it fails, is not finite, always gives the same, or ignores an argument."""
    inputs = Inputs(kernel, lambda type_: numpy_dtype(str(type_)))
    bases = inputs.sets(_MODES, "probe")
    free = inputs.free()
    sets = joined(bases, inputs.variants(bases, free, _MODES, "probe")) if free else bases
    reference = Reference(kernel.source, kernel.name)
    size = len(_MODES)
    # Nearly always an argument shows at once: the other sets in which it is another one are for those that do not.
    first = [*range(size), *(place * size for place in range(1, 1 + len(free)))]
    found = _run(reference, kernel, take(sets, first))
    if isinstance(found, str):
        return found
    for name, output in found.items():
        if not _differs(output[:1], output[1:size]).any():
            return f"{name} is always the same"
    for place, argument in enumerate(free, 1):
        base, changed = take(found, slice(0, 1)), take(found, slice(size + place - 1, size + place))
        if _any_differs(base, changed):
            continue
        others = _run(reference, kernel, take(sets, slice(place * size + 1, (place + 1) * size)))
        if isinstance(others, str):
            return others
        if not _any_differs(take(found, slice(1, size)), others):
            return f"{argument} does not matter"
    return None


def _run(reference: Reference, kernel: Kernel, sets: dict[str, Array]) -> dict[str, Array] | str:
    """What a function gives on some sets, or why that is nothing to go on with."""
    result = reference.run(sets, None)
    if any(result.faults):
        fault = next(fault for fault in result.faults if fault is not None)
        return f"line {fault.line}: {fault.message}"
    outputs = {a.name: result.outputs[a.name] for a in kernel.signature.arguments if a.direction is Direction.OUT}
    for name, output in outputs.items():
        if not np.isfinite(output.astype(np.float64)).all():
            return f"{name} is not finite"
    return outputs


def _any_differs(one: dict[str, Array], two: dict[str, Array]) -> bool:
    return any(_differs(array, two[name]).any() for name, array in one.items())


def _differs(one: Array, two: Array) -> Array:
    if not is_float(one.dtype):
        return np.asarray(one != two)
    a, b = one.astype(np.float64), two.astype(np.float64)
    return np.asarray(np.abs(a - b) > _SEEN * float(resolution(one.dtype).eps) * np.maximum(np.abs(a), np.abs(b)))
