"""The runner: sends jobs to a worker process, and loses none to another's fault."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from irsmith.errors import StoppedError, UserError, killed
from irsmith.frontends import pipes
from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.runner.jobs import Comparison, Job, Limits, Request
from irsmith.verify.ports import Array, Failed

Results = tuple[Array, ...]
Outcome = Results | Failed

START_SECONDS = 120.0
"""What a worker may take to import JAX."""

KILLED = Failed("crashed", killed("the process that compiles and runs texts"))
"""What somebody else did to the worker: the system, say, for want of memory."""


class Runner:
    """Compiles texts and runs them, in a process of its own. Use it for many calls: a worker takes seconds to start.

    Args:
        limits: What a text may use.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._process: pipes.Child | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="irsmith-jax-runner")

    def close(self) -> None:
        """End the worker; jobs that have not begun are cancelled."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._stop()
        self._thread.shutdown()

    def submit(self, jobs: Sequence[Job]) -> Callable[[], list[Outcome]]:
        """Begin to compile and run jobs; calling what is returned waits for the outcomes, in their order."""
        future = self._thread.submit(self._all, tuple(jobs))
        return future.result

    def difference(self, comparison: Comparison) -> str | None:
        """What one text says other than the other, or None; a text that is none differs."""
        outcome = self._thread.submit(self._one, comparison).result()
        if isinstance(outcome, Failed):
            return outcome.message
        found: str | None = outcome[0].get("difference")
        return found

    def _all(self, jobs: tuple[Job, ...]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for job in jobs:
            answer = self._one(job)
            outcomes.append(answer if isinstance(answer, Failed) else _unpacked(job, answer[1]))
        return outcomes

    def _one(self, job: Job | Comparison) -> tuple[dict[str, str | None], bytes] | Failed:
        """What comes of a job; of one that ends its worker, or does not end, what comes of it in a new worker.

        Raises:
            StoppedError: What ended the worker, twice, was not the job.
        """
        answer = self._asked(job)
        if isinstance(answer, Failed) and self._process is None:
            answer = self._asked(job)
        if answer is KILLED:
            raise StoppedError(answer.message)
        return answer

    def _asked(self, job: Job | Comparison) -> tuple[dict[str, str | None], bytes] | Failed:
        started = self._process is None
        process = self._process = self._process or pipes.Child("irsmith.frontends.jax.runner.worker")
        try:
            if started:
                header, _ = process.answer(START_SECONDS)
                if "error" in header:
                    raise UserError(header["error"])
            process.ask(Request((job,), self._limits.memory))
            header, payload = process.answer(self._limits.seconds)
        except pipes.SilentError:
            self._stop()
            return Failed("timed_out", f"did not end within {self._limits.seconds:g} seconds")
        except pipes.ClosedError:
            status = process.wait()
            self._stop()
            return KILLED if status == -signal.SIGKILL else Failed("crashed", f"the worker died (status {status})")
        if "failure" in header:
            return Failed(*header["failure"])
        return header, payload

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def _unpacked(job: Job, payload: bytes) -> Outcome:
    arrays: list[Array] = []
    start = 0
    for name, shape in job.results:
        dtype = numpy_dtype(name)
        size = job.sets * int(np.prod(shape)) * dtype.itemsize
        piece = payload[start : start + size]
        if len(piece) != size:
            return Failed("crashed", "the worker sent too little")
        arrays.append(np.frombuffer(piece, dtype).reshape(job.sets, *shape))
        start += size
    return tuple(arrays)
