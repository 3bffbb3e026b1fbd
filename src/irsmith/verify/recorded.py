"""What is known of a kernel that a program was seen to run: the reference on the inputs that it was run with.

Nothing is drawn: what a person's kernel may be given is known from the record alone. A kernel on whose inputs nothing
can be decided is no reject, for it is used as it is; its verdict says why it is not proved.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from irsmith.kernel import Argument, Direction, Kernel
from irsmith.record import samples
from irsmith.types import Struct, ValueType
from irsmith.verdict import Uncovered
from irsmith.verify import points, soundness
from irsmith.verify.derivative import differentiable
from irsmith.verify.explore import Explored, Plain, ways
from irsmith.verify.inputs import Inputs, Mode
from irsmith.verify.observe import apart, observe, taken
from irsmith.verify.ports import Array, NotModelledError, Toolchain
from irsmith.verify.values import copy_into, floats, leaves, take

if TYPE_CHECKING:
    from irsmith.verify.evidence import Evidence

SLACK = 16.0
"""How many tolerances the program's own outputs may be off: it was compiled with optimisations and contraction."""


class Recorded(Inputs):
    """The recorded input sets of a kernel, in the place of drawn ones.

    Args:
        kernel: The kernel.
        toolchain: The frontend, which says how values lie in arrays.
    """

    def __init__(self, kernel: Kernel, toolchain: Toolchain) -> None:
        super().__init__(kernel, toolchain.dtype)
        self._samples = samples.of(kernel)
        self._arguments = kernel.signature.arguments
        found = next(iter(self._samples.inputs.values()))
        self.count = len(found)

    def sets(self, modes: Sequence[Mode], salt: str) -> dict[str, Array]:  # noqa: ARG002
        """The recorded sets, over and over until there are as many as are asked for."""
        return take(self.every(), np.arange(len(modes)) % self.count)

    def every(self) -> dict[str, Array]:
        """The recorded sets.

        Where a part of a launch is run, what it only writes begins as noise: zeros written over zeros show nothing.
        """
        return {a.name: self._before(a) for a in self._arguments}

    def _before(self, argument: Argument) -> Array:
        if argument.direction is Direction.OUT and not self._samples.outputs:
            return self._argument(argument, (Mode.EVEN,) * self.count, "recorded")
        return self._array(argument.name, argument.type, argument.shape, self._samples.inputs)

    def left(self) -> dict[str, Array]:
        """What the program's run left of arrays that it may write, where that was kept."""
        return {
            a.name: self._array(a.name, a.type, a.shape, self._samples.outputs)
            for a in self._arguments
            if all(path in self._samples.outputs for path, _ in samples.leaves(a.name, a.type))
        }

    def free(self) -> list[str]:
        """All that carries data in, even where the record holds one value of it."""
        return [a.name for a in self._arguments if a.direction is not Direction.OUT]

    def scale(self, name: str) -> dict[str, float]:
        """The size of what was recorded for each float leaf of an argument; 1 where that is nothing."""
        sizes = {}
        for path, leaf in floats(self.every()[name]):
            size = float(np.abs(leaf.astype(np.float64)).max(initial=0.0))
            sizes[path] = size if 0 < size < np.inf else 1.0
        return sizes

    def _array(self, name: str, type_: ValueType, shape: tuple[int, ...], found: Mapping[str, Array]) -> Array:
        dtype: np.dtype[Any] = self._dtype(type_)
        array = np.zeros((self.count, *shape, *dtype.shape), dtype.base)
        self._fill_in(array, name, type_, found)
        return array

    def _fill_in(self, array: Array, path: str, type_: ValueType, found: Mapping[str, Array]) -> None:
        if isinstance(type_, Struct):
            for field in type_.fields:
                self._fill_in(array[field.name], f"{path}.{field.name}", field.type, found)
        elif path in found:
            # What a function returns is not there before.
            copy_into(array, found[path])


def gather(evidence: Evidence, toolchain: Toolchain) -> None:
    """Run the reference on a kernel's recorded inputs.

    Args:
        evidence: Where what is found is put: the reason in ``unknown`` where nothing can be decided.
        toolchain: The frontend.
    """
    kernel, clock = evidence.kernel, time.perf_counter()
    try:
        inputs = Recorded(kernel, toolchain)
        reference = toolchain.reference(kernel.source, kernel.name)
        explored = _explored(evidence, reference, inputs)
        doubt = soundness.doubt(reference, kernel, inputs, explored, evidence.seed)
    except NotModelledError as error:
        evidence.unknown = f"the reference does not know {error.what}"
        return
    evidence.seconds["reference"] = time.perf_counter() - clock
    if doubt is not None:
        evidence.unknown = f"on its recorded inputs: {doubt.message}"
        return
    evidence.reference, evidence.inputs, evidence.explored = reference, inputs, explored
    evidence.told = f"recorded input sets: {inputs.count}{_own(inputs, explored)}"
    if differentiable(kernel):
        places, full = points.choose(explored)
        if places:
            evidence.points = points.prepare(kernel, inputs, explored.observed, explored.modes, places, full)


def _explored(evidence: Evidence, reference: Any, inputs: Recorded) -> Explored:
    observed = observe(reference, evidence.kernel, inputs.every(), seed=evidence.seed)
    went: dict[Uncovered, Array] = ways(observed.coverage)
    first = slice(0, 1)
    return Explored(
        observed,
        (Mode.EVEN,) * inputs.count,
        tuple(sorted(way for way, sets in went.items() if not sets.any())),
        (),
        Plain(take(observed.sets, first), take(observed.exact, first), observed.faults[first]),
        taken(observed, ()),
    )


def _own(inputs: Recorded, explored: Explored) -> str:
    """How the reference compares with what the program's own run left."""
    left = inputs.left()
    if not left:
        return ""
    unlike = [
        name
        for name, array in left.items()
        if any(apart(explored.observed, (name, path), leaf, slack=SLACK).any() for path, leaf in leaves(array))
    ]
    if unlike:
        return f"; the program was left with something else in {', '.join(unlike)}"
    return ", as the program's own run left them"
