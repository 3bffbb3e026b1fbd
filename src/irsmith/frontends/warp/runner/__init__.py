"""Compiling the texts of Warp rows and running them, forward and backward, from the texts alone.

`Runner` takes `Job` values and gives one outcome for each: `Ran` with the arrays, or `Failure` with a
symptom. How rows share a translation unit is in `unit`, how they are kept apart while they run in `execute`
and `irsmith.frontends.sandbox`, and what calls Warp's native libraries in `native`.
"""

from irsmith.frontends.warp.runner.jobs import (
    Backward,
    Compilation,
    Compiled,
    Failure,
    Job,
    Limits,
    Outcome,
    Ran,
    Sets,
    Symptom,
)
from irsmith.frontends.warp.runner.layout import dtype_of
from irsmith.frontends.warp.runner.pool import Runner
from irsmith.frontends.warp.runner.unit import asks_block, has_tiles, needs_a_block

__all__ = [
    "Backward",
    "Compilation",
    "Compiled",
    "Failure",
    "Job",
    "Limits",
    "Outcome",
    "Ran",
    "Runner",
    "Sets",
    "Symptom",
    "asks_block",
    "dtype_of",
    "has_tiles",
    "needs_a_block",
]
