"""A worker: a fresh interpreter that compiles rows and forks to run them.

Started by `irsmith.frontends.warp.runner.pool` as ``python -m irsmith.frontends.warp.runner.worker FOLDER``.
It reads pickled requests from its standard input and writes frames to what was its standard output; what
compilers and compiled code print goes to files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from irsmith.errors import UserError
from irsmith.frontends import pipes, sandbox
from irsmith.frontends.warp.runner import compiling, execute
from irsmith.frontends.warp.runner.device import Device
from irsmith.frontends.warp.runner.jobs import Failure, Job, Limits, Symptom
from irsmith.frontends.warp.runner.native import Native
from irsmith.frontends.warp.runner.request import Request


class Worker:
    """Answers requests.

    Args:
        folder: The worker's own, kept when it is started again.
        output: The file descriptor to answer on.
    """

    def __init__(self, folder: Path, output: int) -> None:
        self._output = output
        self._printed = folder / "printed"
        self._empty = folder / "empty"
        self._empty.mkdir(exist_ok=True)
        self._log = folder / "log"
        self._folder = folder

    @cached_property
    def _native(self) -> Native:
        return Native(self._log, self._folder)

    @cached_property
    def _device(self) -> Device:
        return Device()

    def _alive(self) -> None:
        pipes.send(self._output, {"alive": True})

    def answer(self, request: Request) -> None:
        """Do what is asked and send what came of it."""
        jobs = request.jobs
        if request.action == "run":
            outcomes = self._run(jobs, request.limits)
        elif request.action == "ptx":
            outcomes = self._each_ptx(request)
        elif request.action == "device":
            outcomes = [self._device.run(job) for job in jobs]
        else:
            outcomes = self._compile(request)
        failures = [None if isinstance(o, bytes) else [o.symptom, o.message] for o in outcomes]
        pieces = [o if isinstance(o, bytes) else b"" for o in outcomes]
        header = {"failures": failures, "sizes": [len(piece) for piece in pieces]}
        pipes.send(self._output, header, b"".join(pieces))

    def _compile(self, request: Request) -> list[bytes | Failure]:
        def compiler(jobs: Sequence[Job]) -> bytes:
            self._alive()
            if jobs[0].stage == "cpp":
                return compiling.object_of(self._native, jobs)
            return compiling.ptx_of(self._native, jobs, request.architecture, request.optimization)

        _, failures = compiling.build(request.jobs, compiler)
        return [failures.get(place, b"") for place in range(len(request.jobs))]

    def _each_ptx(self, request: Request) -> list[bytes | Failure]:
        outcomes: list[bytes | Failure] = []
        for job in request.jobs:
            self._alive()
            outcomes.append(compiling.ptx_alone(self._native, job, request.architecture, request.optimization))
        return outcomes

    def _run(self, jobs: Sequence[Job], limits: Limits) -> list[bytes | Failure]:
        def compiler(members: Sequence[Job]) -> bytes:
            self._alive()
            return compiling.object_of(self._native, members)

        executor = execute.Executor(self._native, limits, self._printed, self._empty, self._alive)
        built, failures = compiling.build(jobs, compiler)
        outcomes: dict[int, bytes | Failure] = dict(failures)
        for part in built:
            tasks = [execute.task(jobs[member], place) for place, member in enumerate(part.members)]
            results = executor.run(part.product, tasks)
            unresolved = [
                member
                for member, result in zip(part.members, results, strict=True)
                if isinstance(result, Failure) and result.symptom is Symptom.MISSING_SYMBOL
            ]
            outcomes |= dict(zip(part.members, results, strict=True))
            if unresolved and len(part.members) > 1:
                # An object is linked as a whole: halve it until the row that cannot be linked is alone.
                middle = len(unresolved) // 2 or 1
                for half in (unresolved[:middle], unresolved[middle:]):
                    outcomes |= dict(zip(half, self._run([jobs[m] for m in half], limits), strict=True))
        return [outcomes[place] for place in range(len(jobs))]


def main() -> None:
    """Answer requests until the standard input ends."""
    folder = Path(sys.argv[1])
    requests, output = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    for descriptor, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, target)
    pipes.end_with_parent()
    worker = Worker(folder, output)
    limited = False
    while True:
        try:
            request: Request = pipes.asked(requests)
            # CUDA's driver reserves more address space than any compiler may have.
            if not limited and request.action != "device":
                sandbox.limit_compiler(request.limits.compile_memory)
                limited = True
            os.truncate(folder / "log", 0)
            worker.answer(request)
        except UserError as error:
            pipes.send(output, {"error": str(error)})
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            pipes.send(output, {"stopped": f"what proves rows cannot go on: {place}{error.strerror or error}"})
        except pipes.ClosedError:
            return


if __name__ == "__main__":
    main()
