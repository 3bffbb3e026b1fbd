"""What goes into a `Runner` and what comes out of it: plain values, with NumPy arrays for the data.

Arrays hold one *set* per index of their leading axis, so that several inputs of one kernel cost one job.
Behind that axis stands the argument's own shape (nothing for an argument passed by value), and behind that
the components of a vector ``(N,)``, a matrix ``(R, C)`` or a quaternion ``(x, y, z, w)``. A struct is a
structured dtype in C layout; `irsmith.frontends.warp.runner.layout.dtype_of` gives the dtype of any type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from irsmith.kernel import Signature

Sets = Mapping[str, np.ndarray]
"""Arrays by argument name, each with a leading axis of sets."""


class Symptom(StrEnum):
    """How compiling or running a row failed."""

    COMPILE_ERROR = "compile_error"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_BOUNDS = "out_of_bounds"
    READS_OUTSIDE = "reads_outside"
    MISSING_SYMBOL = "missing_symbol"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job has no results: a symptom to count by, and a message to read."""

    symptom: Symptom
    message: str


@dataclass(frozen=True, slots=True)
class Backward:
    """The inputs of adjoint runs.

    The adjoint of an output holds its seed, that of an input is usually zero: gradients are added to what
    is there. As on a `wp.Tape`, storing to an output takes its adjoint and leaves zero behind.

    Attributes:
        primal: Every argument, with the contents that the adjoint kernel sees: on a tape, those after the
            forward run.
        adjoint: Initial adjoints of array arguments. An array that is missing has no gradient, as one
            created without ``requires_grad``. Adjoints of arguments passed by value are zero and cannot be
            observed.
    """

    primal: Sets
    adjoint: Sets


@dataclass(frozen=True, slots=True)
class Job:
    """One row to compile, and what to run it on.

    Attributes:
        key: Names the row to the caller.
        name: The kernel's name in the texts.
        stage: ``cpp``, or ``cuda`` for the CUDA text run on the CPU.
        texts: The stage's columns, such as ``cpp_forward``. Other entries are ignored.
        signature: The arguments in order.
        launch: The launch dimension.
        forward: Every argument's contents before the kernel runs, outputs too. None runs no forward.
        backward: None compiles and runs no backward.
        image: The PTX of its CUDA unit, for running on a device.
    """

    key: str
    name: str
    stage: str
    texts: Mapping[str, str | None]
    signature: Signature
    launch: tuple[int, ...]
    forward: Sets | None = None
    backward: Backward | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """What is in memory after the runs: every array argument, and every adjoint that was given."""

    forward: dict[str, np.ndarray] | None
    backward: dict[str, np.ndarray] | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """The row compiles; ``ptx`` is the text where it was asked for."""

    ptx: str | None = None


Outcome = Ran | Failure
"""What running one job gave."""

Compilation = Compiled | Failure
"""What compiling one job gave."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a row, a batch and a worker may use. Everything is enforced from outside the code it limits.

    Times are of the process's own work, or of sleep, as `irsmith.frontends.patience.Patience` counts them.

    Attributes:
        run_seconds: Time of all runs of one job, each made twice.
        compile_seconds: Time of one call of a compiler, which may be of a whole batch.
        memory: Bytes that running one batch may add to its process.
        compile_memory: Bytes of address space of a worker.
        output: Bytes that compiled code may print.
        batch_rows: Rows in one translation unit at most.
        batch_characters: Text in one translation unit at most; a longer row stands alone.
    """

    run_seconds: float = 10.0
    compile_seconds: float = 120.0
    memory: int = 1 << 30
    compile_memory: int = 16 << 30
    output: int = 1 << 20
    batch_rows: int = 64
    batch_characters: int = 600_000
