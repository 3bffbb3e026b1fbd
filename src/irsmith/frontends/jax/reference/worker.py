"""A process that executes sources as the reference does, and can do nothing else.

Started by `irsmith.frontends.jax.reference.apart` as ``python -m irsmith.frontends.jax.reference.worker``. It reads
pickled requests from its standard input and writes a frame for each to what was its standard output: what a source
may have had a hand in is JSON and raw bytes. All that sources may import is imported before the filter on system
calls is set, behind which no file is opened, no program started and no connection made.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from types import CodeType
from typing import Any

import ml_dtypes  # noqa: F401  (this and the next are asked for when no file can be opened any more)
import numpy as np
import scipy.special  # noqa: F401

from irsmith.frontends import pipes, sandbox
from irsmith.frontends.jax.reference import confined
from irsmith.frontends.jax.reference.modules import METHODS  # noqa: F401
from irsmith.frontends.jax.reference.reference import PLAIN, Reference, Result
from irsmith.frontends.jax.reference.requests import Declared, Forgotten, Run
from irsmith.verify import ports


def framed(result: Result, names: list[str]) -> tuple[dict[str, Any], bytes]:
    """A result as a value that JSON can hold, and bytes."""
    sites = list(result.coverage)
    arrays = [*(result.outputs[name] for name in names), result.path, result.kink]
    arrays += [way for site in sites for way in (result.coverage[site].true, result.coverage[site].false)]
    faults = [None if fault is None else [fault.kind.name, fault.line, fault.message[:2000]] for fault in result.faults]
    shapes = [[result.outputs[name].dtype.name, result.outputs[name].shape] for name in names]
    header = {"outputs": shapes, "faults": faults, "sites": [[s.line, s.column, s.kind] for s in sites]}
    return header, b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def _answered(request: Declared | Run | Forgotten, kept: dict[int, Reference]) -> tuple[dict[str, Any], bytes]:
    match request:
        case Forgotten(key):
            kept.pop(key, None)
            return {}, b""
        case Declared(key, source, name, narrow):
            try:
                kept[key] = Reference(source, name, narrow)
            except ports.NotModelledError as error:
                return {"unknown": [str(error)[:2000], error.what]}, b""
            return {}, b""
        case Run(key):
            reference = kept[key]
            reference.declared = dict(request.declared)
            result = reference.run(
                request.inputs, None, precision=request.precision, perturb=request.perturb, epsilon=request.epsilon,
                seed=request.seed, trace=request.trace,
            )  # fmt: skip
            return framed(result, list(request.inputs))


def main() -> None:
    """Answer requests until the standard input ends."""
    requests, output = pipes.kept_apart()
    # A warning would be shown with the line that it is about, which is read from a file.
    warnings.simplefilter("ignore")
    for name in PLAIN:
        confined.module(name)
    # The first product asks the system where its room is best, which no later one does; and the first array that there
    # is no room for imports what is then raised.
    np.linalg.inv(np.eye(64) @ np.eye(64))
    with contextlib.suppress(MemoryError):
        np.empty(1 << 60, np.int8)
    sandbox.limit_interpreter(int(sys.argv[1]))
    # What is not here by now is an error, not a search through files.
    sys.meta_path.clear()
    sandbox.seal()
    kept: dict[int, Reference] = {}
    answer: tuple[dict[str, Any], bytes] = {}, b""
    while True:
        try:
            pipes.send(output, *answer)
            request = pipes.asked(requests)
        except pipes.ClosedError:
            return
        try:
            answer = _answered(request, kept)
        except Exception as error:  # noqa: BLE001  (raised again by who asked: no line of a file can be read here)
            places = [f"{code.co_filename}:{line}" for code, line in _places(error)]
            answer = {"bug": f"{type(error).__name__}: {error} ({', '.join(places)})"}, b""


def _places(error: Exception) -> Iterator[tuple[CodeType, int]]:
    """Where an error passed through."""
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_lineno
        trace = trace.tb_next


if __name__ == "__main__":
    main()
