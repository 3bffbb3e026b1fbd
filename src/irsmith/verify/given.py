"""Inputs for a kernel that a person wrote: those of its domains on which it is defined.

Nothing says for which states such a kernel was meant. Of the sets that are drawn, those on which the reference finds
an undefined access, a division by zero, or a number that is not finite are replaced by others of the same draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from irsmith.kernel import Direction, Kernel
from irsmith.types import ValueType
from irsmith.verify.explore import Explored
from irsmith.verify.inputs import Inputs, Mode
from irsmith.verify.ports import Array, Reference, Result, Sets
from irsmith.verify.soundness import order
from irsmith.verify.values import differs, floats, take


class UndefinedError(Exception):
    """No set of a draw is one on which the kernel is defined."""


class DefinedInputs(Inputs):
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
        sound = defined(self._reference.run(sets, self._launch))
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
