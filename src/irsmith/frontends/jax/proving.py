"""JAX behind the questions that `irsmith.verify` asks of a frontend.

A function is run as if its arguments and results were arrays in memory: the adjoint of an argument grows by its
gradient, and that of a result is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.mutants import spoiled
from irsmith.frontends.jax.reference.apart import Keeper
from irsmith.frontends.jax.runner import Comparison, Job, Limits, Runner
from irsmith.frontends.jax.stages import EXPORTS, HLO, HLO_OPTIMIZED, JAXPR, STABLEHLO
from irsmith.frontends.jax.wider import UNITS, doubled, in_float64, narrow_dtype, widened, widened_texts
from irsmith.kernel import Argument, Direction, Kernel
from irsmith.rng import Stream
from irsmith.types import ValueType, is_differentiable
from irsmith.verify import ports
from irsmith.verify.mutants import Mutant


class JaxToolchain:
    """The NumPy reference and XLA; see `irsmith.verify.ports.Toolchain`. A context manager that owns both processes."""

    host = HLO.name
    twin = STABLEHLO.name
    constants = 0.0
    far = False
    also: tuple[str, ...] = (JAXPR.name, HLO_OPTIMIZED.name, *(stage.name for stage in EXPORTS.values()))

    def __init__(self, limits: Limits | None = None) -> None:
        self._runner = Runner(limits)
        self._keeper = Keeper()
        self._wider: dict[str, WideToolchain] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._runner.close()
        self._keeper.close()

    def reference(self, source: str, name: str) -> ports.Reference:
        """The meaning of a source."""
        return self._keeper.reference(source, name)

    def dtype(self, type_: ValueType) -> np.dtype[Any]:
        """The dtype of one value."""
        try:
            return numpy_dtype(str(type_))
        except TypeError as error:
            raise ValueError(f"no values of type {type_}") from error

    def submit(self, trials: Sequence[ports.Trial]) -> Callable[[], list[ports.Ran | ports.Failed]]:
        """Begin to compile and run."""
        asked = [list(_jobs(trial)) for trial in trials]
        waiting = self._runner.submit([job for jobs in asked for job in jobs])

        def outcomes() -> list[ports.Ran | ports.Failed]:
            found = iter(waiting())
            return [_ran(trial, [next(found) for _ in jobs]) for trial, jobs in zip(trials, asked, strict=True)]

        return outcomes

    def compile_only(self, trials: Sequence[ports.Trial]) -> list[ports.Failed | None]:
        """See whether texts compile."""
        asked = [[_bare(job) for job in _jobs(trial, forward=True)] for trial in trials]
        found = iter(self._runner.submit([job for jobs in asked for job in jobs])())
        return [_first([next(found) for _ in jobs]) for jobs in asked]

    def spoiled(self, texts: ports.Texts, stage: str, *, backward: bool, random: Stream) -> Iterator[Mutant]:
        """Spoiled HLO or StableHLO."""
        return spoiled(texts, stage, backward=backward, random=random)

    def meaningless(self, texts: ports.Texts, stage: str) -> str | None:  # noqa: ARG002
        """Nothing: no value of an HLO text can be read before it is computed."""
        return None

    def difference(self, name: str, texts: ports.Texts) -> str | None:  # noqa: ARG002
        """What the StableHLO is to XLA other than the HLO."""
        for direction in ("forward", "backward"):
            one, two = (texts.get(f"{stage}_{direction}") for stage in (self.host, self.twin))
            if (one is None) != (two is None):
                return f"one of them has no {direction}"
            if one is not None and two is not None:
                found = self._runner.difference(Comparison(one, two))
                if found is not None:
                    return found
        return None

    def in_float64(self, kernel: Kernel, texts: Sequence[ports.Texts], stage: str) -> list[ports.Wider] | None:
        """Functions with float64 for all their floats."""
        wide = in_float64(texts, stage)
        return None if wide is None else [ports.Wider(self, doubled(kernel), one) for one in wide]

    def wider(self, kernel: Kernel, texts: ports.Texts) -> ports.Wider | None:
        """A function of half precision as one of float32."""
        narrow = narrow_dtype(kernel)
        wide = None if narrow is None else widened_texts(texts, narrow)
        if narrow is None or wide is None:
            return None
        if narrow not in self._wider:
            self._wider[narrow] = WideToolchain(self._runner, self._keeper, narrow)
        return ports.Wider(self._wider[narrow], widened(kernel, narrow), wide)


class WideToolchain(JaxToolchain):
    """The same for functions of half precision whose texts are run in float32. It has another's processes."""

    also = (JAXPR.name, HLO_OPTIMIZED.name)

    def __init__(self, runner: Runner, keeper: Keeper, narrow: str) -> None:
        self._runner = runner
        self._keeper = keeper
        self._narrow = narrow
        self.constants = 0.5 * UNITS[narrow]

    def reference(self, source: str, name: str) -> ports.Reference:
        """The meaning of a source whose half precision is float32."""
        return self._keeper.reference(source, name, self._narrow)

    def wider(self, kernel: Kernel, texts: ports.Texts) -> None:
        """Nothing: it is as wide as it gets."""


def _shapes(arguments: Sequence[Argument]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((numpy_dtype(str(a.type)).name, a.shape) for a in arguments)


class _Roles:
    """What of a kernel's arguments goes where in a call."""

    def __init__(self, kernel: Kernel) -> None:
        every = kernel.signature.arguments
        self.given = [a for a in every if a.direction is not Direction.OUT]
        self.results = [a for a in every if a.direction is Direction.OUT]
        self.active = [a for a in self.given if is_differentiable(a.type)]
        self.cotangents = [a for a in self.results if is_differentiable(a.type)]


def _jobs(trial: ports.Trial, *, forward: bool = False) -> Iterator[Job]:
    roles = _Roles(trial.kernel)
    given = _shapes(roles.given)
    if trial.forward is not None or forward:
        inputs = () if trial.forward is None else tuple(trial.forward[a.name] for a in roles.given)
        text = trial.texts.get(f"{trial.stage}_forward") or ""
        yield Job(trial.stage, text, given, _shapes(roles.results), inputs)
    if trial.backward is not None:
        primal, adjoint = trial.backward.primal, trial.backward.adjoint
        inputs = tuple(primal[a.name] for a in roles.given) if primal else ()
        if inputs:
            inputs += tuple(
                adjoint.get(a.name, np.zeros((len(inputs[0]), *a.shape), numpy_dtype(str(a.type))))
                for a in roles.cotangents
            )
        text = trial.texts.get(f"{trial.stage}_backward") or ""
        yield Job(trial.stage, text, given + _shapes(roles.cotangents), _shapes(roles.active), inputs)


def _bare(job: Job) -> Job:
    return Job(job.stage, job.text, job.parameters, job.results)


def _first(outcomes: Sequence[object]) -> ports.Failed | None:
    return next((outcome for outcome in outcomes if isinstance(outcome, ports.Failed)), None)


def _ran(trial: ports.Trial, outcomes: Sequence[tuple[ports.Array, ...] | ports.Failed]) -> ports.Ran | ports.Failed:
    failed = _first(outcomes)
    if failed is not None:
        return failed
    roles, found = _Roles(trial.kernel), iter(outcomes)
    forward: dict[str, ports.Array] | None = None
    if trial.forward is not None:
        values = next(found)
        assert not isinstance(values, ports.Failed)
        forward = dict(trial.forward) | {a.name: array for a, array in zip(roles.results, values, strict=True)}
    if trial.backward is None:
        return ports.Ran(forward, None)
    gradients = next(found)
    assert not isinstance(gradients, ports.Failed)
    adjoint = trial.backward.adjoint
    backward = {a.name: np.zeros_like(adjoint[a.name]) for a in roles.cotangents if a.name in adjoint}
    for argument, gradient in zip(roles.active, gradients, strict=True):
        if argument.name in adjoint:
            backward[argument.name] = (adjoint[argument.name] + gradient).astype(gradient.dtype)
    return ports.Ran(forward, backward)
