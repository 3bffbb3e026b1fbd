"""Twins: one program in two kernel languages, drawn once, printed by both frontends and compared by what both mean.

A recipe that names a twin's frontend draws its programs from what both can print. The same recipe with the two
frontends exchanged draws the same programs, so that each row's twin has a known id; `irsmith merge` brings them
together. Two kernels are twins only if their references, which share no code with each other or with a compiler,
compute the same on the same inputs.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from irsmith import frontends
from irsmith.frontends.base import Frontend
from irsmith.kernel import Argument, Direction, Kernel
from irsmith.synth import Settings, synthesise
from irsmith.verify.inputs import Inputs, Mode
from irsmith.verify.ports import Array, NotModelledError, Toolchain
from irsmith.verify.values import resolution, widened

CATEGORIES = (
    "arithmetic", "combined", "control_flow", "loop", "math", "matrix", "multi_conditional", "multi_statement",
    "nested_branch", "nested_loop", "reduction", "scalar_param", "vector",
)  # fmt: skip
"""The categories of which some programs can be printed over threads and over arrays."""

_KEY = "twins"
_MODES = (Mode.EVEN,) * 6 + (Mode.LOW, Mode.HIGH)
_UNITS = 64.0
"""How far apart results may be, in units of the last place of the largest: constants are rounded at other places."""


@dataclass(frozen=True)
class Twins:
    """What draws and compares the programs of two frontends.

    Attributes:
        names: The frontends, in alphabetical order.
    """

    names: tuple[str, str]

    @classmethod
    def of(cls, one: str, two: str) -> Twins:
        """Those of two frontends, whichever is named first."""
        first, second = sorted((one, two))
        return cls((first, second))

    @cached_property
    def _frontends(self) -> tuple[Frontend, ...]:
        return tuple(frontends.get(name) for name in self.names)

    @cached_property
    def _toolchains(self) -> tuple[Toolchain, ...]:
        """What knows both meanings, with the processes that it has until this is given up."""
        stack = ExitStack()
        weakref.finalize(self, stack.close)
        return tuple(stack.enter_context(frontend.prover()) for frontend in self._frontends)

    def drawn(self, seed: int, index: int, settings: Settings, draw: int) -> Mapping[str, Kernel]:
        """The kernels of a key, by frontend: the same for the same arguments, in any process and any order.

        Raises:
            Discard: Nothing grew, or one of the frontends cannot print it.
        """
        program = synthesise(seed, _KEY, index, settings, draw)
        return {frontend.name: frontend.express(program) for frontend in self._frontends}

    def difference(self, kernels: Mapping[str, Kernel]) -> str | None:
        """What two kernels do not compute alike; None where they agree in every element of every result."""
        first, second = (kernels[name] for name in self.names)
        inputs = Inputs(first, self._toolchains[0].dtype).sets(_MODES, _KEY)
        given = {a.name: inputs[a.name] for a in _arguments(first, Direction.IN)}
        try:
            one, two = (
                _results(toolchain, kernel, given)
                for toolchain, kernel in zip(self._toolchains, (first, second), strict=True)
            )
        except NotModelledError as error:
            return str(error)
        if isinstance(one, str) or isinstance(two, str):
            return one if isinstance(one, str) else str(two)
        for argument, left, right in zip(_arguments(first, Direction.OUT), one, two, strict=True):
            size = max(float(np.abs(left).max(initial=0.0)), 1e-30)
            unit = float(resolution(inputs[argument.name].dtype).eps) if left.dtype.kind == "f" else 0.0
            if left.shape != right.shape or not np.all(np.abs(left - right) <= _UNITS * unit * size):
                return f"{argument.name} differs"
        return None


def _arguments(kernel: Kernel, direction: Direction) -> list[Argument]:
    return [a for a in kernel.signature.arguments if a.direction is direction]


def _results(toolchain: Toolchain, kernel: Kernel, given: Mapping[str, Array]) -> list[Array] | str:
    """What a kernel's reference computes in float64, result by result, or what goes wrong in it."""
    sets = {**Inputs(kernel, toolchain.dtype).sets(_MODES, _KEY), **given}
    found = toolchain.reference(kernel.source, kernel.name).run(sets, kernel.signature.launch, precision="float64")
    fault = next((fault for fault in found.faults if fault is not None), None)
    if fault is not None:
        return f"line {fault.line}: {fault.kind.name}"
    return [widened(found.outputs[a.name]) for a in _arguments(kernel, Direction.OUT)]
