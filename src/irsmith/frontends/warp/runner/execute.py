"""Running compiled rows: in a fork of the worker that is told nothing and can tell little.

The fork inherits the object and the filled arenas, and has one pipe, on which it sends fixed-size frames.
Every run is made twice, with something else around its buffers, so that what was read out of bounds shows.
When it dies, the worker knows from the frames which row was running, tries that row alone, and goes on with
the others in a new fork: nothing is compiled twice.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.errors import killed
from irsmith.frontends import pipes, sandbox
from irsmith.frontends.patience import Patience
from irsmith.frontends.warp.runner import unit
from irsmith.frontends.warp.runner.jobs import Failure, Job, Limits, Symptom
from irsmith.frontends.warp.runner.layout import Arena, arena
from irsmith.frontends.warp.runner.native import CompilerError, Native

_FRAME = struct.Struct("<IIQ")
_READY, _DONE, _DAMAGED, _CHANGED, _UNRESOLVED = range(5)
_SYMPTOMS = {
    _DAMAGED: Symptom.OUT_OF_BOUNDS,
    _CHANGED: Symptom.READS_OUTSIDE,
    _UNRESOLVED: Symptom.MISSING_SYMBOL,
}
_MAX_MESSAGE = 1 << 14
_EXIT_MEMORY = 12
_MODULE = "rows"
KILLED = Failure(Symptom.CRASHED, killed("the process that runs kernels"))
"""What somebody else did to a fork: the system, say, for want of memory."""

_WATCH_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Task:
    """A job whose row stands at an index of a compiled unit, with its memory."""

    job: Job
    index: int
    arenas: tuple[tuple[bool, Arena], ...]

    @property
    def size(self) -> int:
        """How many bytes it sends back."""
        return sum(memory.size for _, memory in self.arenas)


def task(job: Job, index: int) -> Task:
    """Lay out the memory of a job."""
    arenas = []
    if job.forward is not None:
        arenas.append((False, arena(job, job.forward, None)))
    if job.backward is not None:
        arenas.append((True, arena(job, job.backward.primal, job.backward.adjoint)))
    return Task(job, index, tuple(arenas))


class Executor:
    """Runs the rows of compiled units.

    Args:
        native: The libraries.
        limits: What a row may use.
        log: Where compiled code prints.
        scratch: An empty folder to run in.
        alive: Called now and then, so that whoever waits for the worker sees that it lives.
    """

    def __init__(self, native: Native, limits: Limits, log: Path, scratch: Path, alive: Callable[[], None]) -> None:
        self._native = native
        self._limits = limits
        self._log = log
        self._scratch = scratch
        self._alive = alive

    def run(self, code: bytes, tasks: Sequence[Task]) -> list[bytes | Failure]:
        """Run the tasks of one object in order.

        Raises:
            OSError: No process can be started, or what ended one, twice, was none of the tasks.
        """
        results: list[bytes | Failure] = []
        killed = 0
        while len(results) < len(tasks):
            done, failure = self._fork(code, tasks[len(results) :])
            results += done
            if failure is KILLED:
                killed = 1 if done else killed + 1
                if killed > 1:
                    raise OSError(failure.message)
                continue
            if failure is None:
                continue
            if failure.symptom is Symptom.MISSING_SYMBOL:
                return results + [failure] * (len(tasks) - len(results))
            if len(tasks) > 1:
                # A row before it may have spoiled the process.
                alone, failure = self._fork(code, [tasks[len(results)]])
                results += alone
            if failure is KILLED:
                killed = 1
                continue
            if failure is not None:
                results.append(failure)
        return results

    def _fork(self, code: bytes, tasks: Sequence[Task]) -> tuple[list[bytes], Failure | None]:
        reader, writer = os.pipe()
        self._log.write_bytes(b"")
        child = os.fork()
        if child == 0:
            self._child(code, tasks, writer)
        os.close(writer)
        try:
            return _Watch(self, child, reader, tasks).results()
        finally:
            os.close(reader)

    def _child(self, code: bytes, tasks: Sequence[Task], writer: int) -> None:
        """Run the tasks and leave the process, whatever happens."""
        try:
            gc.disable()
            os.setpgid(0, 0)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            output = os.open(self._log, os.O_WRONLY | os.O_APPEND)
            os.dup2(output, 1)
            os.dup2(output, 2)
            self._native.log = self._log
            os.dup2(writer, 3)
            os.closerange(4, os.sysconf("SC_OPEN_MAX"))
            os.chdir(self._scratch)
            seconds = self._limits.run_seconds * len(tasks)
            sandbox.limit(memory=self._limits.memory, seconds=seconds, output=self._limits.output)
            _run(self._native, code, tasks, 3)
        except MemoryError:
            os._exit(_EXIT_MEMORY)
        finally:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            os._exit(0)

    def watch(self, child: int, base: int) -> bool:
        """Say that the worker lives, and whether the child is within its memory."""
        self._alive()
        return sandbox.resident(child) - base <= self._limits.memory

    @property
    def seconds(self) -> float:
        """What one task may take, as `Patience` counts it."""
        return self._limits.run_seconds

    @property
    def memory(self) -> int:
        """Bytes that the child may add."""
        return self._limits.memory

    def printed(self) -> str:
        """The end of what compiled code printed."""
        return self._log.read_bytes()[-500:].decode(errors="replace").strip()


def _run(native: Native, code: bytes, tasks: Sequence[Task], writer: int) -> None:
    """What the fork does: link, look up, give up every right, call."""
    flush = ctypes.CDLL(None).fflush
    try:
        native.load(code, _MODULE)
        grid = native.address(_MODULE, unit.GRID) if tasks[0].job.stage == "cuda" else 0
        entries = [
            [native.address(_MODULE, unit.symbols(task.index)[backward]) for backward, _ in task.arenas]
            for task in tasks
        ]
    except CompilerError as error:
        message = str(error).encode()[:_MAX_MESSAGE]
        pipes.write_all(writer, _FRAME.pack(0, _UNRESOLVED, len(message)), message)
        return
    sandbox.seal()
    pipes.write_all(writer, _FRAME.pack(0, _READY, 0))
    launch = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)(grid)
    functions = [ctypes.CFUNCTYPE(None, *([ctypes.c_void_p] * count)) for count in (1, 2, 3)]
    images = [[memory.memory.copy() for _, memory in task.arenas] for task in tasks]

    def call(job: Job, address: int, memory: Arena) -> None:
        if job.stage == "cuda":
            geometry = unit.geometry(job)
            for pointers in memory.calls:
                launch(address, pointers[0], *geometry)
        elif memory.calls:
            function = functions[len(memory.calls[0]) - 1](address)
            for pointers in memory.calls:
                function(*pointers)

    for number, (task, addresses) in enumerate(zip(tasks, entries, strict=True)):
        status, pieces = _DONE, []
        for address, (backward, memory), image in zip(addresses, task.arenas, images[number], strict=True):
            call(task.job, address, memory)
            status, wrong, results = _DAMAGED, memory.damage(), memory.results()
            if wrong is None:
                memory.renew(image)
                call(task.job, address, memory)
                wrong = memory.damage()
            if wrong is None:
                status, wrong = _CHANGED, memory.change(results)
            if wrong is not None:
                pieces = [f"{wrong}, {'backward' if backward else 'forward'}".encode()]
                break
            status = _DONE
            pieces.append(results)
        flush(None)
        pipes.write_all(writer, _FRAME.pack(number, status, sum(map(len, pieces))), *pieces)


class _Watch:
    """Reads what a fork sends until it is done, dead, or has to be killed."""

    def __init__(self, executor: Executor, child: int, reader: int, tasks: Sequence[Task]) -> None:
        self._executor = executor
        self._child = child
        self._reader = reader
        self._tasks = tasks
        self._base = sandbox.resident(os.getpid())
        self._patience = Patience(child, executor.seconds)
        self._killed: Failure | None = None
        self._poller = select.poll()
        self._poller.register(reader, select.POLLIN)

    def results(self) -> tuple[list[bytes], Failure | None]:
        """The bytes of the tasks that ran, and how the next one failed."""
        done: list[bytes] = []
        failure: Failure | None = None
        try:
            ready = self._frame(0, _READY, 0)
            failure = ready if isinstance(ready, Failure) else None
            # A fork begins with less than its parent: pages of files are mapped when they are touched.
            self._base = sandbox.resident(self._child)
            while failure is None and len(done) < len(self._tasks):
                frame = self._frame(len(done), _DONE, self._tasks[len(done)].size)
                if isinstance(frame, Failure):
                    failure = frame
                else:
                    done.append(frame)
        except pipes.ClosedError:
            status, peak = self._reap()
            return done, self._killed or self._death(status, peak)
        self._reap()
        return done, failure

    def _frame(self, number: int, status: int, size: int) -> bytes | Failure:
        """One frame: of these three values, or one that says why not.

        Raises:
            ClosedError: It is something else, or the process died.
        """
        self._patience = Patience(self._child, self._executor.seconds)
        found = _FRAME.unpack(self._read(_FRAME.size))
        if found == (number, status, size):
            return self._read(size)
        if found[1] not in _SYMPTOMS or found[2] > _MAX_MESSAGE:
            self._killed = Failure(Symptom.CRASHED, "the kernel wrote where only its process writes")
            raise pipes.ClosedError
        message = self._read(found[2]).decode(errors="replace")
        return Failure(_SYMPTOMS[found[1]], message)

    def _read(self, size: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < size:
            if not self._poller.poll(_WATCH_SECONDS * 1000):
                self._check()
                continue
            piece = os.read(self._reader, min(size - len(pieces), 1 << 20))
            if not piece:
                raise pipes.ClosedError
            pieces += piece
        return bytes(pieces)

    def _check(self) -> None:
        if not self._executor.watch(self._child, self._base):
            self._killed = Failure(
                Symptom.OUT_OF_MEMORY, f"the kernel used more than {self._executor.memory >> 20} MiB"
            )
        elif self._patience.over(_WATCH_SECONDS):
            self._killed = Failure(
                Symptom.TIMED_OUT, f"the kernel did not end within {self._executor.seconds:g} seconds"
            )
        if self._killed is not None:
            raise pipes.ClosedError

    def _reap(self) -> tuple[int, int]:
        """End the fork and what it may have started; its status, and the most memory that it had."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(self._child, signal.SIGKILL)
        _, status, usage = os.wait4(self._child, 0)
        return status, usage.ru_maxrss * 1024

    def _death(self, status: int, peak: int) -> Failure:
        starved = os.WIFEXITED(status) and os.WEXITSTATUS(status) == _EXIT_MEMORY
        if starved or peak - self._base > 0.9 * self._executor.memory:
            return Failure(Symptom.OUT_OF_MEMORY, f"the kernel used more than {self._executor.memory >> 20} MiB")
        printed = self._executor.printed()
        said = f"; it printed: {printed}" if printed else ""
        if os.WIFSIGNALED(status):
            number = signal.Signals(os.WTERMSIG(status))
            if number == signal.SIGKILL:
                return KILLED
            if number == signal.SIGXCPU:
                return Failure(Symptom.TIMED_OUT, "the kernel used up its processor time")
            what = {
                signal.SIGSYS: "it made a system call, which kernels may not",
                signal.SIGXFSZ: "it printed too much",
            }.get(number, signal.strsignal(number) or "")
            return Failure(Symptom.CRASHED, f"the kernel died of {number.name}: {what}{said}")
        return Failure(Symptom.CRASHED, f"the kernel ended its process instead of returning{said}")
