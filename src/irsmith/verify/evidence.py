"""What is known of a kernel from its source alone, before any text is looked at.

It does not depend on the texts, so that many texts of one source (a row's, and spoiled ones) share it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from irsmith.kernel import Kernel
from irsmith.verify import backward, given, inputs, points, recorded, removal, soundness
from irsmith.verify.derivative import Derivatives, differentiable
from irsmith.verify.explore import Explored, explore
from irsmith.verify.inputs import BEYOND, Inputs
from irsmith.verify.liveness import dead_lines
from irsmith.verify.observe import Observed, observe
from irsmith.verify.points import Points
from irsmith.verify.ports import NotModelledError, Reference, Toolchain
from irsmith.verify.stream import digest
from irsmith.verify.values import take
from irsmith.verify.verdict import Problem

ALONE = "one thread alone: threads beside it race, or leave their arrays, on the inputs that were found"
"""What is said of a forward that agrees where a kernel runs on no more."""

THOROUGH = 48
"""Randomly rounded lanes before outputs are said to differ."""

THOROUGH_PROGRAMS = 8
"""Programs with rounding errors before an unclear adjoint is said to be wrong."""


@dataclass
class Evidence:
    """The reference's side of a kernel.

    Attributes:
        kernel: The kernel.
        inputs: Its random streams; None where it cannot be run.
        reference: Its meaning; None where it has none here.
        unknown: Why nothing can be decided, if the signature does not say enough.
        told: What is to be said of a forward that agrees.
        problem: Why it cannot be a row.
        explored: Its input sets.
        points: Where its derivatives are compared; None where it has none.
        truth: The derivatives, once they were asked for.
        close: The same, from more programs with rounding errors, once they were asked for.
        constants: What the numbers of an adjoint are rounded by, as a share of them; see `ports.Toolchain`.
        looks: What was observed of sets that were looked at closely, by their places.
        seconds: Time by part.
    """

    kernel: Kernel
    inputs: Inputs | None = None
    reference: Reference | None = None
    unknown: str | None = None
    told: str = ""
    problem: Problem | None = None
    explored: Explored | None = None
    points: Points | None = None
    truth: Derivatives | None = None
    close: Derivatives | None = None
    constants: float = 0.0
    looks: dict[tuple[int, ...], Observed] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """The seed of the kernel's random roundings."""
        return digest("roundings", self.kernel.source, self.kernel.name) >> 64

    def differentiate(self) -> Derivatives | None:
        """The derivatives at the points, computed once."""
        if self.truth is None and self.points is not None and self.reference is not None and self.inputs is not None:
            start = time.perf_counter()
            truth = backward.differentiate(self.reference, self.kernel, self.inputs, self.points, self.seed)
            self.truth = self._with_constants(truth)
            self.seconds["derivative"] = time.perf_counter() - start
        return self.truth

    def differentiate_closely(self) -> Derivatives:
        """The derivatives with their spread over many programs, where float64 and the row's precision go one way."""
        if self.close is None:
            assert self.points is not None
            assert self.reference is not None
            assert self.inputs is not None
            seed = self.seed + 4
            truth = backward.differentiate(
                self.reference, self.kernel, self.inputs, self.points, seed, THOROUGH_PROGRAMS
            )
            truth = backward.undisputed(self.reference, self.kernel, self.points, truth)
            self.close = self._with_constants(truth)
        return self.close

    def _with_constants(self, truth: Derivatives) -> Derivatives:
        with np.errstate(all="ignore"):
            return replace(truth, spread=truth.spread + self.constants * truth.size)

    def look(self, places: Sequence[int]) -> Observed:
        """Some of the sets with their spread over many randomly rounded lanes."""
        key = tuple(places)
        if key not in self.looks:
            assert self.explored is not None
            assert self.reference is not None
            sets = take(self.explored.sets(), list(key))
            self.looks[key] = observe(self.reference, self.kernel, sets, seed=self.seed + 3, shaken=THOROUGH)
        return self.looks[key]


def gather(kernel: Kernel, toolchain: Toolchain, *, removals: bool = False) -> Evidence:
    """Run the reference on a kernel's input sets, and see whether the kernel is sound.

    Args:
        kernel: The kernel.
        toolchain: The frontend.
        removals: Whether to remove statements one by one.
    """
    if kernel.recorded is not None:
        found = Evidence(kernel)
        recorded.gather(found, toolchain)
        return found
    if kernel.provenance is not None:
        return _of_real(kernel, toolchain)
    found = Evidence(kernel, unknown=inputs.missing(kernel), constants=toolchain.constants)
    if found.unknown is not None:
        return found
    clock = time.perf_counter()
    dead = dead_lines(kernel)
    if dead:
        lines = kernel.source.splitlines()
        told = "; ".join(f"line {line}: {lines[line - 1].strip()}" for line in dead)
        found.problem = Problem("dead_statement", f"nobody sees what is computed at {told}")
        return found
    try:
        reference = found.reference = toolchain.reference(kernel.source, kernel.name)
    except NotModelledError as error:
        found.problem = Problem("not_modelled", str(error))
        return found
    streams = found.inputs = Inputs(kernel, toolchain.dtype)
    found.seconds["read"], clock = time.perf_counter() - clock, time.perf_counter()
    beyond = BEYOND if toolchain.far else ()
    explored = found.explored = explore(reference, kernel, streams, found.seed, beyond)
    found.seconds["reference"], clock = time.perf_counter() - clock, time.perf_counter()
    found.problem = soundness.problem(reference, kernel, streams, explored, found.seed)
    if found.problem is None and removals:
        found.problem = removal.problem(kernel, toolchain, reference, streams, explored)
    found.seconds["soundness"] = time.perf_counter() - clock
    if found.problem is None:
        _point(found, streams, explored)
    return found


def _point(found: Evidence, streams: Inputs, explored: Explored) -> None:
    """Choose where derivatives are compared, if there are any."""
    if differentiable(found.kernel):
        places, full = points.choose(explored)
        if places:
            found.points = points.prepare(found.kernel, streams, explored.observed, explored.modes, places, full)


def _of_real(kernel: Kernel, toolchain: Toolchain) -> Evidence:
    """The same for a kernel that a person wrote: it is a row whatever it does, and proved where that can be."""
    found = Evidence(kernel)
    clock = time.perf_counter()
    try:
        reference = found.reference = toolchain.reference(kernel.source, kernel.name)
    except NotModelledError as error:
        found.unknown = f"the reference does not know {error.what}"
        return found
    found.unknown = inputs.missing(kernel)
    if found.unknown is not None:
        return found
    found.seconds["read"], clock = time.perf_counter() - clock, time.perf_counter()
    try:
        streams = found.inputs = given.DefinedInputs(kernel, toolchain.dtype, reference)
        explored = explore(reference, kernel, streams, found.seed)
        found.unknown = given.unfit(reference, kernel, streams, explored, found.seed)
    except given.UndefinedError:
        found.unknown = inputs.NOTHING_FOUND
    except NotModelledError as error:
        found.unknown = f"the reference does not know {error.what}"
    found.seconds["reference"] = time.perf_counter() - clock
    if found.unknown is None:
        found.explored = explored
        found.told = ALONE if kernel.signature.launch is not None and math.prod(kernel.signature.launch) == 1 else ""
        _point(found, streams, explored)
    return found
