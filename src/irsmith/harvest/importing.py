"""Import a stranger's modules in a process with limits, and take the kernels that they define out of it.

A module that ends its process, hangs, or takes too much memory is named and left out, and the others are imported
again without it.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import resource
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from irsmith import frontends
from irsmith.errors import StoppedError
from irsmith.harvest.target import Target
from irsmith.kernel import Kernel
from irsmith.outcome import Reject

SECONDS = 120.0
"""Wall time for one module, with all that it imports, and for one kernel."""

MEMORY = 16 << 30
"""Bytes of address space."""


@dataclass(slots=True)
class Imported:
    """What importing a target gave.

    Attributes:
        kernels: The kernels, and why others could not be taken out.
        modules: How many modules were imported.
        failed: Module to why it was not.
    """

    kernels: list[Kernel | Reject] = field(default_factory=list)
    modules: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def reasons(self) -> dict[str, int]:
        """How many modules failed for which kind of reason, the most frequent first."""
        return dict(Counter(reason.partition(":")[0] for reason in self.failed.values()).most_common())


def imported(
    target: Target, frontend: str, on_progress: Callable[[str], None] = lambda _: None, seconds: float = SECONDS
) -> Imported:
    """Import a target's modules in a process of its own and collect its kernels.

    Args:
        target: Whose modules.
        frontend: Whose kernels.
        on_progress: Called with the name of what is looked at.
        seconds: Wall time for one module.

    Raises:
        StoppedError: Taking the kernels out ended the process.
    """
    failed: dict[str, str] = {}
    while True:
        result = Imported(failed=dict(failed))
        culprit = _attempt(target, frontend, result, on_progress, seconds)
        if culprit is None:
            return result
        where, reason = culprit
        if where not in target.modules:
            raise StoppedError(f"{where}: {reason}")
        failed = {**result.failed, where: reason}


def _attempt(
    target: Target, frontend: str, result: Imported, on_progress: Callable[[str], None], seconds: float
) -> tuple[str, str] | None:
    """Import everything that has not failed; what ended the process, and how, or None."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, target, frontend, tuple(result.failed)), daemon=True)
    process.start()
    there.close()
    at = ""
    try:
        while True:
            if not here.poll(seconds):
                process.kill()
                return at, f"TimedOut: did not end within {seconds:g} seconds"
            kind, *what = here.recv()
            if kind == "at":
                at = what[0]
                on_progress(at)
            elif kind == "imported":
                result.modules += 1
            elif kind == "failed":
                result.failed[at] = what[0]
            elif kind == "kernels":
                result.kernels = what[0]
                return None
    except EOFError:
        process.join()
        return at, f"Died: ended its process with status {process.exitcode}"
    finally:
        here.close()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(connection: Connection, target: Target, frontend: str, left_out: tuple[str, ...]) -> None:
    """Import, and send what comes of it."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))
    # What modules print must not mix with what irsmith prints.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.path.insert(0, str(target.path))
    for module in target.modules:
        if module in left_out:
            continue
        connection.send(("at", module))
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the modules are a stranger's code)
            message = " ".join(str(error).split())
            connection.send(("failed", f"{type(error).__name__}: {message}"))
        else:
            connection.send(("imported",))
    connection.send(("at", f"the kernels of {target.name}"))
    with contextlib.redirect_stdout(sys.stderr):
        connection.send(("kernels", frontends.get(frontend).living(Path(target.folder))))
