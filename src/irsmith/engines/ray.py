"""Shards on a Ray cluster: one of this machine, or the one at an address.

Ray runs a task again when its worker or node dies. Every node needs irsmith with the same frontend, and the output
on a filesystem that all of them see.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any

from irsmith.engines import Result, Run, Task, Work
from irsmith.errors import StoppedError, UserError

BEAT = 0.2
"""Seconds between two looks at the cluster."""
ATTEMPTS = 4
"""How often a task is begun whose worker or node dies."""


@contextmanager
def opened(workers: int | None, address: str | None) -> Iterator[Run]:
    """Connect to the cluster at an address, or start one on this machine, until the run is over.

    Args:
        workers: How many tasks run at a time; None for as many as the cluster has processors.
        address: As `ray.init` takes it: ``auto``, ``host:port`` or ``ray://host:port``. None for this machine.

    Raises:
        UserError: Ray is not installed, or there is no cluster at the address.
        StoppedError: A cluster on this machine does not start.
    """
    # Ray reports its use over the network unless it is told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray hides the accelerators from tasks that ask it for none.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise UserError("engine ray: is not installed: pip install 'irsmith[ray]'") from None
    settings: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "configure_logging": False}
    if address is None:
        settings |= {"address": "local", "num_cpus": workers, "include_dashboard": False}
    else:
        settings["address"] = address
    try:
        _reached(address)
        with _own_termination():
            ray.init(**settings)
    except Exception as error:
        # Of a node that does not start in time Ray says so with a plain exception.
        if not isinstance(error, OSError | ValueError | RuntimeError) and type(error) is not Exception:
            raise
        told = " ".join(str(error).split())
        if address is not None:
            raise UserError(f"engine ray: no cluster at {address}: {told}") from None
        raise StoppedError(f"engine ray: does not start on this machine: {told}: run it again, or without it") from None
    try:
        yield partial(_run, workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
    finally:
        ray.shutdown()


@contextmanager
def _own_termination() -> Iterator[None]:
    """Keep what a request to terminate does to this process, for which Ray installs a handler of its own."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        # Handlers are set in the main thread alone, by Ray too; None is one that Python did not set.
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _reached(address: str | None) -> None:
    """Try whether anything listens at ``host:port``, for which Ray itself waits most of a minute."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


class _Counts:
    """What unfinished tasks have done so far, counted where the run was started."""

    def __init__(self) -> None:
        self.done: dict[int, int] = {}

    def note(self, number: int, done: int) -> None:
        self.done[number] = done

    def total(self, over: Sequence[int]) -> int:
        for number in over:
            self.done.pop(number, None)
        return sum(self.done.values())


def _do(work: Work[Task, Result], task: Task, number: int, counts: Any) -> Result:
    return work(task, lambda done: counts.note.remote(number, done))


def _run(
    width: int, work: Work[Task, Result], tasks: Iterable[Task], on_progress: Callable[[int], None]
) -> Iterator[tuple[Task, Result]]:
    import ray
    from ray.exceptions import (
        GetTimeoutError,
        LocalRayletDiedError,
        OutOfMemoryError,
        RayActorError,
        WorkerCrashedError,
    )
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    counts = ray.remote(num_cpus=0, scheduling_strategy=here)(_Counts).remote()
    do = ray.remote(max_retries=ATTEMPTS - 1, scheduling_strategy="SPREAD")(_do)
    pending = iter(enumerate(tasks))
    flying: dict[Any, tuple[int, Task]] = {}
    try:
        while True:
            for number, task in islice(pending, width - len(flying)):
                flying[do.remote(work, task, number, counts)] = (number, task)
            if not flying:
                return
            ready, _ = ray.wait(list(flying), timeout=BEAT)
            over = [flying.pop(reference) for reference in ready]
            # Progress is for the eye: a cluster in trouble does its tasks first.
            with suppress(GetTimeoutError, RayActorError):
                on_progress(ray.get(counts.total.remote([number for number, _ in over]), timeout=BEAT))
            for reference, (_, task) in zip(ready, over, strict=True):
                try:
                    yield task, ray.get(reference)
                except (WorkerCrashedError, OutOfMemoryError) as error:
                    raise StoppedError(f"a worker died {ATTEMPTS} times on {task}: {type(error).__name__}") from error
                except LocalRayletDiedError as error:
                    raise StoppedError("Ray on this machine ended in the middle of the run") from error
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error
    finally:
        for reference in flying:
            ray.cancel(reference, force=True)
        ray.kill(counts)
