"""Inputs for a kernel that a person wrote: those of its domains on which it is defined.

Nothing says for which states such a kernel was meant. Of the sets that are drawn, those on which the reference finds
an undefined access, a division by zero, or a number that is not finite are replaced by others of the same draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from irsmith.kernel import Argument, Direction, Kernel
from irsmith.types import ValueType
from irsmith.verify.explore import Explored
from irsmith.verify.inputs import BASES, Inputs, Mode
from irsmith.verify.observe import observe
from irsmith.verify.ports import Array, Reference, Result, Sets
from irsmith.verify.soundness import order
from irsmith.verify.values import differs, floats, is_float, leaves, take

LEAST_DECIDED = 0.25
"""The share of sets on which the order of threads may not matter, so that only those are run."""


LONGEST = 10_000
"""Loop iterations in one run, over all threads, of a set that is not replaced by another: some would never end."""


class UndefinedError(Exception):
    """No set of a draw is one on which the kernel is defined."""


class RealInputs(Inputs):
    """Draws input sets of which every other one has no number twice in a row of indices, as far as a domain goes.

    Arrays of whole numbers mostly say who writes where, and what two threads write to one place is open.
    """

    def _argument(self, argument: Argument, modes: Sequence[Mode], salt: str) -> Array:
        array = super()._argument(argument, modes, salt)
        domain = argument.domain
        if array.dtype.kind not in "iu" or domain is None or not argument.rank or array.ndim != 1 + argument.rank:
            return array
        low, count = int(domain.low), int(domain.high - domain.low) + 1
        if 1 < array.shape[-1] <= count:
            rows = self.uniform(salt, argument.name, "distinct").draw((*array.shape[:-1], count))
            array[::2] = low + np.argsort(rows, axis=-1)[::2, ..., : array.shape[-1]]
        return array


class DefinedInputs(RealInputs):
    """Draws input sets on which a kernel is defined.

    Args:
        kernel: The kernel.
        dtype: The dtype of one value of a type.
        reference: Its meaning.
    """

    def __init__(self, kernel: Kernel, dtype: Callable[[ValueType], np.dtype[Any]], reference: Reference) -> None:
        super().__init__(kernel, dtype)
        self._reference = reference
        self._launch = kernel.signature.launch
        self._ordered: bool | None = None

    def sets(self, modes: Sequence[Mode], salt: str) -> dict[str, Array]:
        """One set for each mode.

        Raises:
            UndefinedError: The kernel is defined on none of them.
        """
        return self._defined(super().sets(modes, salt))

    def variants(self, base: Sets, names: Sequence[str], modes: Sequence[Mode], salt: str) -> dict[str, Array]:
        """The base sets with an argument drawn anew, name by name, where the kernel is defined on that."""
        return self._defined(super().variants(base, names, modes, salt))

    def _defined(self, sets: Mapping[str, Array]) -> dict[str, Array]:
        result = self._reference.run(sets, self._launch, step_limit=LONGEST)
        sound = decided(self._reference, sets, self._launch, result)
        if self._ordered is None:
            # Where the order of threads mostly matters, that is what is to be told: where all is equal it never does.
            self._ordered = bool(sound.mean() < LEAST_DECIDED)
        if self._ordered:
            sound = defined(result)
        good = np.flatnonzero(sound)
        if not len(good):
            raise UndefinedError
        places = np.arange(len(sound))
        places[~sound] = good[np.arange(int((~sound).sum())) % len(good)]
        return take(sets, places)


def defined(result: Result) -> Array:
    """The lanes that did nothing undefined and left finite numbers alone."""
    sound = np.array([fault is None for fault in result.faults])
    for array in result.outputs.values():
        for _, leaf in floats(array):
            sound &= np.isfinite(leaf.reshape(len(sound), -1)).all(axis=1)
    return sound


def decided(reference: Reference, sets: Sets, launch: tuple[int, ...] | None, result: Result) -> Array:
    """The sets on which a kernel is defined, and gives much the same if its threads run in the other order."""
    sound = defined(result)
    if result.independent or not sound.any():
        return sound
    # The others may be lanes that never end.
    places = np.flatnonzero(sound)
    threads = math.prod(launch or ())
    backwards = np.broadcast_to(np.arange(threads)[::-1], (len(places), threads))
    other = reference.run(take(sets, places), launch, order=backwards)
    for name, array in take(result.outputs, places).items():
        for (_, one), (_, two) in zip(leaves(array), leaves(other.outputs[name]), strict=True):
            sound[places] &= _alike(one, two).reshape(len(places), -1).all(axis=1)
    return sound


def _alike(one: Array, two: Array) -> Array:
    """Where two values are the same but for what sums in another order are rounded to."""
    if not is_float(one.dtype):
        return np.asarray(one == two)
    with np.errstate(all="ignore"):
        a, b = one.astype(np.float64), two.astype(np.float64)
        near: Array = np.abs(a - b) <= _ROUNDED * (1.0 + np.abs(a) + np.abs(b))
    return near | ~np.isfinite(a)


_ROUNDED = 1e-3
"""How far apart sums in another order may be, relative to their size."""


def races(reference: Reference, kernel: Kernel, dtype: Callable[[ValueType], np.dtype[Any]]) -> bool:
    """Whether the order of threads matters on the sets that a kernel is run on first, or there are none."""
    inputs = DefinedInputs(kernel, dtype, reference)
    try:
        sets = inputs.sets(BASES, "sets")
    except UndefinedError:
        return True
    observed = observe(reference, kernel, sets, seed=0)
    return order(reference, kernel, inputs, observed, 0) is not None


def unfit(reference: Reference, kernel: Kernel, inputs: Inputs, explored: Explored, seed: int) -> str | None:
    """Why running a kernel on its inputs would prove nothing, or None."""
    observed = explored.observed
    if any(observed.faults) or any(explored.extra.faults):
        return "rounding alone leads it out of its arrays"
    outputs = [a.name for a in kernel.signature.arrays if a.direction is not Direction.IN]
    if not any(differs(observed.sets[name], observed.exact[name]).any() for name in outputs):
        return "it writes nothing on the inputs that were found"
    if order(reference, kernel, inputs, observed, seed) is not None:
        return "what it writes depends on the order in which threads run"
    return None
