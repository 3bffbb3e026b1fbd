"""The runner: compiles rows and runs them in worker processes, and loses none to another's fault."""

from __future__ import annotations

import errno
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from irsmith import scratch
from irsmith.errors import StoppedError, UserError, killed
from irsmith.frontends import pipes
from irsmith.frontends.warp.runner import native, unit
from irsmith.frontends.warp.runner.jobs import (
    Backward,
    Compilation,
    Compiled,
    Failure,
    Job,
    Limits,
    Outcome,
    Ran,
    Symptom,
)
from irsmith.frontends.warp.runner.layout import checked, result_arrays, unpacked
from irsmith.frontends.warp.runner.request import Request
from irsmith.kernel import Signature

_Answer = bytes | Failure

_DEVICE_START_SECONDS = 20.0
"""What loading the driver and translating the PTX may take beside the runs."""

_WORTH_SHARING = 8
"""Rows for which a unit's fixed cost is worth paying again to occupy another worker."""


class WorkerDiedError(Exception):
    """A worker ended, or had to be ended, while it was compiling.

    Attributes:
        failure: What that says of a text that is alone.
        outside: Whether it says nothing of any text: the machine, or who uses it, ended the worker.
    """

    def __init__(self, failure: Failure, *, outside: bool = False) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.outside = outside


class _Process:
    """One worker process, started when it is first needed and again after it died."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: pipes.Child | None = None

    def ask(self, request: Request) -> list[_Answer]:
        """Send a request and wait for what comes of it.

        Raises:
            WorkerDiedError: The worker did not live to answer.
            StoppedError: The worker cannot go on, for want of room on a disk, say.
            UserError: The worker cannot work here.
        """
        process = self._process = self._process or self._start()
        try:
            process.ask(request)
            while True:
                header, payload = process.answer(request.limits.compile_seconds)
                if "error" in header:
                    raise UserError(header["error"])
                if "stopped" in header:
                    raise StoppedError(header["stopped"])
                if "failures" in header:
                    return _answers(request, header, payload)
        except pipes.SilentError:
            self.stop()
            what = "kernel" if request.action == "device" else "compiler"
            message_text = f"the {what} did not end within {request.limits.compile_seconds:g} seconds"
            raise WorkerDiedError(Failure(Symptom.TIMED_OUT, message_text)) from None
        except pipes.ClosedError:
            raise self._post_mortem() from None

    def _start(self) -> pipes.Child:
        self._folder.mkdir(exist_ok=True)
        return pipes.Child("irsmith.frontends.warp.runner.worker", str(self._folder), environment=native.ENVIRONMENT)

    def _post_mortem(self) -> WorkerDiedError:
        code = self._process.wait() if self._process else 0
        log = self._folder / "log"
        printed = log.read_bytes()[-500:].decode(errors="replace").strip() if log.exists() else ""
        self.stop()
        if code == -signal.SIGKILL:
            return WorkerDiedError(Failure(Symptom.CRASHED, killed("the process that compiles")), outside=True)
        if os.strerror(errno.ENOSPC) in printed:
            return WorkerDiedError(Failure(Symptom.CRASHED, f"the process that compiles: {printed}"), outside=True)
        if "out of memory" in printed or printed.endswith("MemoryError"):
            return WorkerDiedError(Failure(Symptom.OUT_OF_MEMORY, f"the compiler ran out of memory: {printed}"))
        if "LLVM ERROR: " in printed:
            # LLVM ends the process over what it cannot translate.
            return WorkerDiedError(Failure(Symptom.COMPILE_ERROR, printed[printed.index("LLVM ERROR: ") :]))
        died = f"the compiler died (status {code}){': ' if printed else ''}{printed}"
        # An exit is not what a compiler's fault looks like: it is Python's, or the dynamic linker's.
        return WorkerDiedError(Failure(Symptom.CRASHED, died), outside=code > 0)

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def _answers(request: Request, header: dict[str, list[object]], payload: bytes) -> list[_Answer]:
    answers: list[_Answer] = []
    start = 0
    for failure, size in zip(header["failures"], header["sizes"], strict=True):
        if isinstance(failure, list):
            answers.append(Failure(Symptom(failure[0]), str(failure[1])))
        else:
            assert isinstance(size, int)
            answers.append(payload[start : start + size])
            start += size
    if len(answers) != len(request.jobs):
        raise pipes.ClosedError
    return answers


class Runner:
    """Compiles rows from their texts and runs them, in processes of their own.

    Use it as a context manager, and for many calls: a worker takes a second to make its precompiled header.

    Args:
        limits: What a row, a batch and a worker may use.
        workers: How many processes work at once.
    """

    def __init__(self, limits: Limits | None = None, workers: int = 1) -> None:
        self._limits = limits or Limits()
        self._held = ExitStack()
        self._folder = self._held.enter_context(scratch.folder("runner"))
        self._processes = [_Process(self._folder / f"worker{number}") for number in range(workers)]
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="irsmith-runner")
        self._device = _Process(self._folder / "device")
        self._device_thread = ThreadPoolExecutor(1, thread_name_prefix="irsmith-device")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; jobs that have not begun are cancelled."""
        for threads in (self._threads, self._device_thread):
            threads.shutdown(wait=False, cancel_futures=True)
        for process in (*self._processes, self._device):
            process.stop()
        for threads in (self._threads, self._device_thread):
            threads.shutdown()
        self._held.close()

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Compile and run jobs; the outcomes are in their order.

        Raises:
            ValueError: The inputs of a job do not fit its signature.
            StoppedError: The machine, and no job, keeps a worker from its work: memory or room on a disk is short.
            UserError: Warp is missing, or is another version.
        """
        return self.submit(jobs)()

    def submit(self, jobs: Sequence[Job]) -> Callable[[], list[Outcome]]:
        """Begin to compile and run jobs; calling what is returned waits for the outcomes.

        Raises:
            ValueError: The inputs of a job do not fit its signature.
        """
        for job in jobs:
            checked(job)
        waiting = self._begin(jobs, Request("run", (), self._limits))
        return lambda: [_outcome(job, answer) for job, answer in zip(jobs, waiting(), strict=True)]

    def submit_to_device(self, jobs: Sequence[Job]) -> Callable[[], list[Outcome]]:
        """Begin to compile the CUDA texts of jobs to PTX and to run that on the device of this machine.

        Calling what is returned waits for the outcomes.

        Raises:
            ValueError: The inputs of a job do not fit its signature.
            UserError: There is no device, or its bindings are not installed: from what is returned.
        """
        for job in jobs:
            checked(job)
        future = self._device_thread.submit(self._on_device, jobs)
        return lambda: [_outcome(job, answer) for job, answer in zip(jobs, future.result(), strict=True)]

    def _on_device(self, jobs: Sequence[Job]) -> list[_Answer]:
        limits = replace(self._limits, compile_seconds=self._limits.run_seconds + _DEVICE_START_SECONDS)
        answers: list[_Answer] = []
        for job, compilation in zip(jobs, self.ptx(jobs), strict=True):
            if isinstance(compilation, Failure):
                answers.append(compilation)
                continue
            request = Request("device", (replace(job, image=compilation.ptx),), limits)
            [answer] = _ask_or_halve(self._device, request)
            if isinstance(answer, Failure):
                # A process whose kernel failed on the device cannot use it again.
                self._device.stop()
            answers.append(answer)
        return answers

    def compile_only(self, jobs: Sequence[Job], architecture: int = native.CUDA_ARCHITECTURE) -> list[Compilation]:
        """See whether texts compile: ``cpp`` with Clang to an object, ``cuda`` with NVRTC to PTX.

        Whether a job's backward is compiled depends on `Job.backward`, whose arrays are not looked at.
        """
        request = Request("compile", (), self._limits, architecture, native.CUDA_OPTIMIZATION)
        return [
            answer if isinstance(answer, Failure) else Compiled()
            for answer in self._begin([_without_data(job) for job in jobs], request)()
        ]

    def ptx(
        self,
        jobs: Sequence[Job],
        architecture: int = native.CUDA_ARCHITECTURE,
        optimization: int = native.PTX_OPTIMIZATION,
    ) -> list[Compilation]:
        """The PTX that NVRTC makes of each job's CUDA unit as it stands, so that it does not depend on others."""
        request = Request("ptx", (), self._limits, architecture, optimization)
        return [
            answer if isinstance(answer, Failure) else Compiled(answer.decode())
            for answer in self._begin([_without_data(job) for job in jobs], request)()
        ]

    def _begin(self, jobs: Sequence[Job], request: Request) -> Callable[[], list[_Answer]]:
        places = list(_batches(jobs, self._limits, len(self._processes)))
        futures: list[Future[list[_Answer]]] = [
            self._threads.submit(self._ask, replace(request, jobs=tuple(jobs[place] for place in batch)))
            for batch in places
        ]

        def wait() -> list[_Answer]:
            answers: dict[int, _Answer] = {}
            for batch, future in zip(places, futures, strict=True):
                answers |= dict(zip(batch, future.result(), strict=True))
            return [answers[place] for place in range(len(jobs))]

        return wait

    def _ask(self, request: Request) -> list[_Answer]:
        process = self._idle.get()
        try:
            return _ask_or_halve(process, request)
        finally:
            self._idle.put(process)


def _ask_or_halve(process: _Process, request: Request, *, again: bool = False) -> list[_Answer]:
    """Ask, and when the compiler itself falls over a batch, ask for its halves; for one job, ask again.

    Raises:
        StoppedError: What ended the worker, twice, was not the text.
    """
    try:
        return process.ask(request)
    except WorkerDiedError as death:
        jobs = request.jobs
        if len(jobs) == 1 and again and death.outside:
            raise StoppedError(death.failure.message) from None
        if len(jobs) == 1:
            return [death.failure] if again else _ask_or_halve(process, request, again=True)
        middle = len(jobs) // 2
        halves = (replace(request, jobs=half) for half in (jobs[:middle], jobs[middle:]))
        return [answer for half in halves for answer in _ask_or_halve(process, half)]


def _without_data(job: Job) -> Job:
    """The job for compiling alone, which asks nothing of the arguments."""
    backward = None if job.backward is None else Backward({}, {})
    return replace(job, signature=Signature(()), forward=None, backward=backward)


def _batches(jobs: Sequence[Job], limits: Limits, workers: int = 1) -> Iterator[list[int]]:
    """Places of jobs that can share a unit: one stage, one header, not too much text, and work for all workers."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, job in enumerate(jobs):
        groups.setdefault((job.stage, unit.header(job.texts, job.stage)), []).append(place)
    for (stage, _), places in groups.items():
        most = min(limits.batch_rows, max(_WORTH_SHARING, -(-len(places) // workers)))
        batch: list[int] = []
        characters = 0
        for place in places:
            prefix = f"{stage}_"
            size = sum(len(text) for name, text in jobs[place].texts.items() if text and name.startswith(prefix))
            if batch and (len(batch) == most or characters + size > limits.batch_characters):
                yield batch
                batch, characters = [], 0
            batch.append(place)
            characters += size
        if batch:
            yield batch


def _outcome(job: Job, answer: _Answer) -> Outcome:
    if isinstance(answer, Failure):
        return answer
    expected = sum(like.nbytes for _, like in result_arrays(job))
    if len(answer) != expected:
        return Failure(Symptom.CRASHED, f"the worker sent {len(answer)} bytes instead of {expected}")
    return Ran(*unpacked(job, answer))
