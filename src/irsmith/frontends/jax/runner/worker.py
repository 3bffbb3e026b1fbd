"""A worker: an interpreter with JAX's CPU client that compiles texts and runs them.

Started by `irsmith.frontends.jax.runner.pool` as ``python -m irsmith.frontends.jax.runner.worker``. It reads
pickled requests from its standard input and writes a frame a job to what was its standard output.
"""

from __future__ import annotations

import re
import resource
from typing import Any

import numpy as np

from irsmith.errors import UserError
from irsmith.frontends import pipes
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.runner import jaxprs, optimised
from irsmith.frontends.jax.runner.jobs import Comparison, Job, Request
from irsmith.frontends.jax.stages import EXPORTS, HLO_OPTIMIZED, JAXPR, STABLEHLO
from irsmith.verify.ports import COMPILE_ERROR, NOT_TAKEN

_EXPORTED = frozenset(stage.name for stage in EXPORTS.values())
_FOREIGN = ("custom call", "FFI handler")
"""In what XLA says of a call into another platform's libraries."""

_MISFIT = re.compile(
    r"(?:lax\.)?[\w-]+ (?:got incompatible shapes|requires) |select cases must have the same |"
    r"broadcast_in_dim (?:operand dimension sizes|broadcast_dimensions) must |Bounds of the window dimensions |"
    r"(?:Scatter|Gather) op has "
)
"""How JAX begins to say that operands do not fit a primitive, as those of a program do."""

KEPT = 24
"""Executables that a worker keeps, the latest ones."""

_EXECUTABLES: dict[tuple[object, ...], Any] = {}


class _FailedError(Exception):
    def __init__(self, symptom: str, message: str) -> None:
        super().__init__(message)
        self.symptom = symptom


def answer(job: Job | Comparison) -> tuple[Any, bytes]:
    """The header and payload of what comes of a job."""
    import jax

    try:
        if isinstance(job, Comparison):
            return {"difference": _difference(job)}, b""
        executable = _kept(job)
        return {"done": True}, _run(executable, job)
    except _FailedError as error:
        return {"failure": [error.symptom, str(error)]}, b""
    except optimised.NotTakenError as error:
        return {"failure": [NOT_TAKEN, str(error)]}, b""
    except MemoryError:
        return {"failure": ["out_of_memory", "runs out of memory"]}, b""
    except jax.errors.JaxRuntimeError as error:
        symptom = "out_of_memory" if "RESOURCE_EXHAUSTED" in str(error) else COMPILE_ERROR
        return {"failure": [symptom, str(error)[:2000]]}, b""


def _of_jaxpr(job: Job) -> Any:
    """The HLO module of a jaxpr's text, of which the parameters are looked at in any case."""
    if jaxprs.parameters(job.text) != job.parameters:
        raise _FailedError(COMPILE_ERROR, f"takes {jaxprs.parameters(job.text)}, not {job.parameters}")
    try:
        return compiler.traced_again(jaxprs.function(jaxprs.read(job.text)), job.parameters)
    except (MemoryError, optimised.NotTakenError):
        raise
    except jaxprs.WrongTypeError as error:
        raise _FailedError(COMPILE_ERROR, str(error)) from error
    except Exception as error:  # What JAX raises of equations that are none is its own affair.
        if isinstance(error, TypeError) and _MISFIT.match(str(error)):
            raise _FailedError(COMPILE_ERROR, str(error)[:200]) from error
        raise optimised.NotTakenError(f"{type(error).__name__}: {str(error)[:200]}") from error


def _module(job: Job) -> Any:
    if job.stage == JAXPR.name:
        return _of_jaxpr(job)
    if job.stage == HLO_OPTIMIZED.name:
        compiler.parsed(job.text)
        return compiler.parsed(optimised.plain(job.text))
    return compiler.parsed_stablehlo(job.text) if job.stage.startswith(STABLEHLO.name) else compiler.parsed(job.text)


def _kept(job: Job) -> Any:
    """The executable of a text, which a row's further runs ask for again."""
    key = job.stage, job.text, job.parameters, job.results
    executable = _EXECUTABLES.pop(key, None)
    if executable is None:
        executable = _loaded(job)
    _EXECUTABLES[key] = executable
    if len(_EXECUTABLES) > KEPT:
        del _EXECUTABLES[next(iter(_EXECUTABLES))]
    return executable


def _loaded(job: Job) -> Any:
    import jax

    module = _module(job)
    parameters, results = compiler.program_shape(module)
    if (tuple(parameters), tuple(results)) != (job.parameters, job.results):
        raise _FailedError(
            COMPILE_ERROR, f"takes {parameters} and gives {results}, not {job.parameters} and {job.results}"
        )
    try:
        return compiler.loaded(module)
    except jax.errors.JaxRuntimeError as error:
        if job.stage in _EXPORTED and any(words in str(error) for words in _FOREIGN):
            raise optimised.NotTakenError("it calls what only its own platform has") from error
        raise


def _run(executable: Any, job: Job) -> bytes:
    import jax

    gathered: list[list[bytes]] = [[] for _ in job.results]
    with jax.enable_x64(True):
        for place in range(job.sets):
            given = [jax.device_put(np.ascontiguousarray(values[place])) for values in job.inputs]
            for result, into in zip(executable.execute(given), gathered, strict=True):
                into.append(np.ascontiguousarray(np.asarray(result)).tobytes())
    return b"".join(piece for result in gathered for piece in result)


def _difference(comparison: Comparison) -> str | None:
    one = compiler.canonical(compiler.parsed(comparison.hlo))
    two = compiler.canonical(compiler.parsed_stablehlo(comparison.stablehlo))
    if one == two:
        return None
    pairs = zip(one.splitlines(), two.splitlines(), strict=False)
    found = next(((a, b) for a, b in pairs if a != b), ("", "their lengths"))
    return f"{found[0].strip()} and {found[1].strip()}"


def main() -> None:
    """Answer requests until the standard input ends."""
    requests, output = pipes.kept_apart()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipes.end_with_parent()
    try:
        compiler.start()
    except UserError as error:
        pipes.send(output, {"error": str(error)})
        return
    pipes.send(output, {})
    limited = False
    while True:
        try:
            request: Request = pipes.asked(requests)
            if not limited:
                with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
                    used = int(file.read().split()[0]) * resource.getpagesize()
                resource.setrlimit(resource.RLIMIT_AS, (used + request.memory, used + request.memory))
                limited = True
            for job in request.jobs:
                pipes.send(output, *answer(job))
                compiler.used()
        except pipes.ClosedError:
            return


if __name__ == "__main__":
    main()
