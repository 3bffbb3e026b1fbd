"""Whether a kernel is worth a row, from the reference alone: defined, finite, alive, and free of races."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from irsmith.kernel import Direction, Kernel
from irsmith.verify.explore import Explored
from irsmith.verify.inputs import Inputs
from irsmith.verify.observe import Leaf, Observed, apart, observe
from irsmith.verify.ports import Array, Fault, Reference
from irsmith.verify.values import differs, floats, leaves, take
from irsmith.verify.verdict import Problem

ORDERED = 6
"""How many of the first sets run with their threads in other orders."""

THOROUGH = 32
"""Randomly rounded lanes before a set's outputs are said to differ."""


def problem(reference: Reference, kernel: Kernel, inputs: Inputs, explored: Explored, seed: int) -> Problem | None:
    """The first reason why a kernel cannot be a row, or None."""
    observed = explored.observed
    return (
        _fault(observed.faults + explored.extra.faults)
        or _not_finite(observed.exact)
        or _not_finite(explored.extra.exact)
        or _writes(kernel, observed)
        or _ignored(explored)
        or order(reference, kernel, inputs, observed, seed)
    )


def doubt(reference: Reference, kernel: Kernel, inputs: Inputs, explored: Explored, seed: int) -> Problem | None:
    """The first reason why runs on given inputs prove nothing of a kernel that somebody uses as it is, or None."""
    observed = explored.observed
    return (
        _fault(observed.faults)
        or _not_finite(observed.exact)
        or _untouched(kernel, observed)
        or order(reference, kernel, inputs, observed, seed)
    )


def _untouched(kernel: Kernel, observed: Observed) -> Problem | None:
    """What the signature says of reads and writes has to hold, and something has to be written."""
    written = {name for name, array in observed.exact.items() if differs(observed.sets[name], array).any()}
    inputs = {argument.name for argument in kernel.signature.arrays if argument.direction is Direction.IN}
    if written & inputs:
        return Problem("input_written", f"{', '.join(sorted(written & inputs))} is an input, and is written")
    if not written:
        return Problem("output_unwritten", "nothing is written")
    return None


def _fault(faults: Sequence[Fault | None]) -> Problem | None:
    for fault in faults:
        if fault is not None:
            what = str(fault.kind.name).lower()
            return Problem("fault", f"line {fault.line}: {what.replace('_', ' ')} on inputs of the domain")
    return None


def _not_finite(outputs: Mapping[str, Array]) -> Problem | None:
    for name, array in outputs.items():
        for path, leaf in floats(array):
            if not np.isfinite(leaf).all():
                return Problem("not_finite", f"{name}{path} is not finite on inputs of the domain")
    return None


def _writes(kernel: Kernel, observed: Observed) -> Problem | None:
    """What is written: inputs never, every output, and with more than one value."""
    for argument in kernel.signature.arrays:
        before, after = observed.sets[argument.name], observed.exact[argument.name]
        elements = after.reshape(len(after), math.prod(argument.shape), -1)
        written = np.zeros(elements.shape[:2], bool)
        pairs = list(zip(leaves(before), leaves(after), strict=True))
        for (_, old), (_, new) in pairs:
            written |= (old != new).reshape(*written.shape, -1).any(axis=2)
        if argument.direction is Direction.IN:
            if written.any():
                return Problem("input_written", f"{argument.name} is an input, and is written")
            continue
        if not written.any():
            return Problem("output_unwritten", f"{argument.name} is an output, and nothing is written to it")
        values = [new.reshape(*written.shape, -1)[written] for _, (_, new) in pairs]
        if written.sum() > 1 and all((value == value[0]).all() for value in values):
            return Problem("constant_output", f"every value written to {argument.name} is the same")
    return None


def _ignored(explored: Explored) -> Problem | None:
    if explored.ignored:
        return Problem("ignored_input", f"no output depends on {', '.join(explored.ignored)}")
    return None


def order(reference: Reference, kernel: Kernel, inputs: Inputs, observed: Observed, seed: int) -> Problem | None:
    """Whether the order of threads matters beyond rounding."""
    if observed.independent:
        return None
    threads = math.prod(kernel.signature.launch or ())
    sets = min(ORDERED, observed.count)
    orders = inputs.uniform("orders").orders(sets, threads)
    orders[0] = np.arange(threads)[::-1]
    some = take(observed.sets, slice(0, sets))
    shuffled = reference.run(some, kernel.signature.launch, order=orders).outputs
    if not _different(observed, shuffled):
        return None
    again = observe(reference, kernel, some, seed=seed + 2, shaken=THOROUGH)
    suspects = _different(again, shuffled)
    if not suspects:
        return None
    # A sum that is exact in one order is rounded in another, and that is where it shows how far rounding goes.
    other = observe(reference, kernel, some, seed=seed + 3, shaken=THOROUGH, order=orders)
    back = _different(other, again.exact)
    names = sorted({key[0] for key, places in suspects.items() if key in back and (places & back[key]).any()})
    if not names:
        return None
    return Problem("thread_order", f"{', '.join(names)} depends on the order in which threads run")


def _different(observed: Observed, outputs: Mapping[str, Array]) -> dict[Leaf, Array]:
    """Where outputs of the first sets are further from those observed than rounding explains."""
    found = {
        (name, path): apart(observed, (name, path), leaf, len(leaf))
        for name, array in outputs.items()
        for path, leaf in leaves(array)
    }
    return {key: places for key, places in found.items() if places.any()}
