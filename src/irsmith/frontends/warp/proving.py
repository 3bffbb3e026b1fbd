"""Warp behind the questions that `irsmith.verify` asks of a frontend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np

from irsmith.frontends.warp import runner
from irsmith.frontends.warp.reference import Reference, Result, Unsupported
from irsmith.frontends.warp.runner.replayed import strays
from irsmith.frontends.warp.runner.statements import same_statements
from irsmith.frontends.warp.runner.unset import unset
from irsmith.frontends.warp.stages import CPP, CUDA
from irsmith.frontends.warp.widened import widened
from irsmith.kernel import Kernel
from irsmith.rng import Stream
from irsmith.types import Handle, ValueType
from irsmith.verify import ports
from irsmith.verify.mutants import Mutant, spoiled_texts


class WarpToolchain:
    """Warp's reference and runner; see `irsmith.verify.ports.Toolchain`. A context manager that owns workers."""

    host = CPP.name
    twin = CUDA.name
    constants = 0.0
    far = True
    also: tuple[str, ...] = ()

    def __init__(self, limits: runner.Limits | None = None, workers: int = 1) -> None:
        self._runner = runner.Runner(limits, workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._runner.close()

    def reference(self, source: str, name: str) -> ports.Reference:
        """The meaning of a source."""
        with _told():
            return _Known(source, name)

    def dtype(self, type_: ValueType) -> np.dtype[Any]:
        """The dtype of one value."""
        return runner.dtype_of(type_)

    def submit(self, trials: Sequence[ports.Trial]) -> Callable[[], list[ports.Ran | ports.Failed]]:
        """Begin to compile and run."""
        refused = [_not_run(trial) for trial in trials]
        run = [trial for trial, why in zip(trials, refused, strict=True) if not why]
        host = self._runner.submit([_job(trial) for trial in run if not trial.on_device])
        device = self._runner.submit_to_device([_job(trial) for trial in run if trial.on_device])

        def wait() -> list[ports.Ran | ports.Failed]:
            outcomes = {False: iter(host()), True: iter(device())}
            return [
                ports.Failed(ports.NOT_TAKEN, why) if why else _ran(next(outcomes[trial.on_device]))
                for trial, why in zip(trials, refused, strict=True)
            ]

        return wait

    def compile_only(self, trials: Sequence[ports.Trial]) -> list[ports.Failed | None]:
        """See whether texts compile for the device of their stage."""
        outcomes = self._runner.compile_only([_job(trial) for trial in trials])
        return [_failed(outcome) if isinstance(outcome, runner.Failure) else None for outcome in outcomes]

    def spoiled(self, texts: ports.Texts, stage: str, *, backward: bool, random: Stream) -> Iterator[Mutant]:
        """Spoiled C++ or CUDA."""
        parts = ["forward", "functions_forward", *(["backward", "functions_backward"] if backward else [])]
        for part in parts:
            yield from spoiled_texts(texts, f"{stage}_{part}", random)

    def in_float64(self, kernel: Kernel, texts: Sequence[ports.Texts], stage: str) -> None:
        """Nothing: what of C++ would have to be written otherwise is not known."""

    def wider(self, kernel: Kernel, texts: ports.Texts) -> ports.Wider | None:
        """A kernel with single precision in place of half."""
        wide = widened(kernel, texts, self.host)
        return None if wide is None else ports.Wider(self, *wide)

    def meaningless(self, texts: ports.Texts, stage: str) -> str | None:
        """Whether the adjoint reads what nobody set, or computes again what the forward does not compute."""
        for part in ("functions_", ""):
            backward = texts.get(f"{stage}_{part}backward") or ""
            if unset(backward):
                return "the adjoint reads the result of an atomic, which it does not replay"
            if strays(texts.get(f"{stage}_{part}forward") or "", backward) is not None:
                return "the adjoint replays something else than the forward"
        return None

    def difference(self, name: str, texts: ports.Texts) -> str | None:
        """What the CUDA text says other than the C++ text."""
        comparison = same_statements(name, texts)
        return None if comparison.same else comparison.difference or "they differ"


@contextmanager
def _told() -> Iterator[None]:
    """Say what the reference does not know in the words of who asks."""
    try:
        yield
    except Unsupported as error:
        raise ports.NotModelledError(str(error), error.construct) from error


class _Known(Reference):
    """The reference, which learns only as it runs what some ids stand for."""

    def run(self, *given: Any, **options: Any) -> Result:
        with _told():
            return super().run(*given, **options)


def _not_run(trial: ports.Trial) -> str:
    """Why a trial's text is not run here; empty where it is."""
    if trial.on_device and runner.has_tiles(trial.stage, trial.texts):
        return "tiles are launched by the block, with memory that its threads share"
    if trial.on_device and runner.asks_block(trial.stage, trial.texts):
        return "a block has one thread on the host"
    if trial.on_device and any(isinstance(argument.type, Handle) for argument in trial.kernel.signature.arguments):
        return "what its handles name is built in the host's memory"
    if not trial.on_device and runner.needs_a_block(trial.stage, trial.texts):
        return "its tiles hold an element for each thread of a block"
    return ""


def _job(trial: ports.Trial) -> runner.Job:
    given = trial.backward
    backward = None if given is None else runner.Backward(given.primal, given.adjoint)
    signature = trial.kernel.signature
    return runner.Job(
        trial.key,
        trial.kernel.name,
        trial.stage,
        trial.texts,
        signature,
        signature.launch or (),
        trial.forward,
        backward,
    )


def _failed(failure: runner.Failure) -> ports.Failed:
    return ports.Failed(failure.symptom.value, failure.message)


def _ran(outcome: runner.Outcome) -> ports.Ran | ports.Failed:
    if isinstance(outcome, runner.Failure):
        return _failed(outcome)
    return ports.Ran(outcome.forward, outcome.backward)
