"""Import a stranger's modules in a process with limits, and take the kernels that they define out of it.

A module that ends its process, hangs, or takes too much memory is named and left out, and the others are imported
again without it. The process has its own empty folder to stand in and no streams; it is not kept from the network or
from files that the user may write.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from irsmith import frontends, scratch
from irsmith.errors import StoppedError, UserError
from irsmith.frontends import pipes
from irsmith.harvest.target import Target
from irsmith.kernel import Kernel
from irsmith.outcome import Reject

SECONDS = 120.0
"""Wall time for one module, with all that it imports, and for taking one kernel out."""

MEMORY = 16 << 30
"""Bytes of address space."""

Found = tuple[Path, Kernel | Reject]
"""A kernel, or why it could not be taken out, with its file."""


@dataclass(slots=True)
class Imported:
    """What importing a target gave.

    Attributes:
        kernels: The kernels, and why others could not be taken out, file by file.
        modules: How many modules were imported.
        failed: Module to why it was not.
    """

    kernels: list[Found] = field(default_factory=list)
    modules: int = 0
    failed: dict[str, str] = field(default_factory=dict)


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
        UserError: The frontend finds no kernels in modules.
        StoppedError: Taking the kernels out ended the process.
    """
    failed: dict[str, str] = {}
    while True:
        result = Imported(failed=dict(failed))
        culprit = _attempt(target, frontend, result, on_progress, seconds)
        if culprit is None:
            result.failed = {name: result.failed[name] for name in target.modules if name in result.failed}
            return result
        where, reason = culprit
        if where not in target.modules:
            raise StoppedError(f"{where}: {reason}")
        failed[where] = reason


def _attempt(
    target: Target, frontend: str, result: Imported, on_progress: Callable[[str], None], seconds: float
) -> tuple[str, str] | None:
    """Import everything that has not failed; what ended the process, and how, or None."""
    # The folder is this process's: the other may end without a chance to clear it away.
    with scratch.folder("import") as folder:
        return _in_folder(folder, target, frontend, result, on_progress, seconds)


def _in_folder(
    folder: Path,
    target: Target,
    frontend: str,
    result: Imported,
    on_progress: Callable[[str], None],
    seconds: float,
) -> tuple[str, str] | None:
    """The same in a process that stands in a folder."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, folder, target, frontend, tuple(result.failed)))
    process.start()
    there.close()
    at = f"the modules of {target.name}"
    try:
        while True:
            if not here.poll(seconds):
                process.kill()
                return at, f"TimedOut: did not end within {seconds:g} seconds"
            kind, what = here.recv()
            if kind == "at":
                at = what
                on_progress(at)
            elif kind == "imported":
                result.modules += 1
            elif kind == "failed":
                result.failed[at] = what
            elif kind == "kernel":
                result.kernels.append(what)
            elif kind == "refused":
                raise UserError(what)
            else:
                return None
    except (EOFError, ConnectionResetError):
        process.join()
        return at, f"Died: ended its process with status {process.exitcode}"
    finally:
        here.close()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(connection: Connection, folder: Path, target: Target, frontend: str, left_out: tuple[str, ...]) -> None:
    """Import, and send what comes of it."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))
    # What modules print must not mix with what irsmith prints, nor what they write with the user's files.
    pipes.silence()
    sys.path.insert(0, str(target.path))
    sys.argv = [""]
    os.chdir(folder)
    for module in target.modules:
        if module not in left_out:
            connection.send(("at", module))
            connection.send(_import(module))
    connection.send(("at", f"the kernels of {target.name}"))
    try:
        for found in frontends.get(frontend).living(target.folder):
            connection.send(("kernel", found))
    except UserError as error:
        connection.send(("refused", str(error)))
    connection.send(("end", None))
    # Not through what modules hung on the interpreter's end.
    os._exit(0)


def _import(module: str) -> tuple[str, str | None]:
    try:
        importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  (the modules are a stranger's code, some of which exits)
        message = " ".join(str(error).split())
        return "failed", f"{type(error).__name__}: {message}"
    return "imported", None
