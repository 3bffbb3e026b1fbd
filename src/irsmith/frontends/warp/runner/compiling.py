"""Compiling rows in batches, and finding the culprit when a batch does not compile."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irsmith.frontends.warp.runner import unit
from irsmith.frontends.warp.runner.jobs import Failure, Job, Symptom
from irsmith.frontends.warp.runner.native import CompilerError, Native

_MAX_MESSAGE = 4000
_ROW = re.compile(rf"\b{unit.FILE}(\d+)(?=[:(\"])")


@dataclass(frozen=True, slots=True)
class Built:
    """A unit that compiled, and which of the jobs stand in it, by their place in the unit."""

    members: tuple[int, ...]
    product: bytes


Compiler = Callable[[Sequence[Job]], bytes]


def object_of(native: Native, jobs: Sequence[Job]) -> bytes:
    """Compile jobs of one stage and one header for this machine.

    Raises:
        CompilerError: They do not compile.
    """
    header = unit.header(jobs[0].texts, jobs[0].stage)
    return native.compile(
        unit.host_unit(jobs),
        block=unit.host_block(jobs),
        without_bfloat16=unit.without_bfloat16(header),
        # Blocks of many lanes would clear a quarter of a megabyte of stack for each thread.
        tiles=jobs[0].stage == "cpp",
    )


def ptx_of(native: Native, jobs: Sequence[Job], architecture: int, optimization: int) -> bytes:
    """Compile the CUDA texts of jobs of one header for the GPU.

    Raises:
        CompilerError: They do not compile.
    """
    text = native.ptx(unit.device_unit(jobs), architecture=architecture, optimization=optimization)
    return text.encode()


def ptx_alone(native: Native, job: Job, architecture: int, optimization: int) -> bytes | Failure:
    """Compile one row's CUDA unit for the GPU as it stands, so that nothing of a batch is in the PTX."""
    text = unit.STAGES["cuda"].unit(job.texts, backward=job.backward is not None)
    try:
        return native.ptx(text, architecture=architecture, optimization=optimization).encode()
    except CompilerError as error:
        return Failure(Symptom.COMPILE_ERROR, canonical(str(error)))


def build(jobs: Sequence[Job], compiler: Compiler) -> tuple[list[Built], dict[int, Failure]]:
    """Compile jobs together, and without those that do not compile.

    Returns:
        The units, and by index the jobs that are in none of them.
    """
    built: list[Built] = []
    failures: dict[int, Failure] = {}
    waiting = [tuple(range(len(jobs)))] if jobs else []
    while waiting:
        members = waiting.pop()
        try:
            built.append(Built(members, compiler([jobs[member] for member in members])))
        except CompilerError as error:
            if len(members) == 1:
                failures[members[0]] = Failure(Symptom.COMPILE_ERROR, canonical(str(error)))
            else:
                waiting += _suspects(members, str(error))
    return built, failures


def _suspects(members: Sequence[int], log: str) -> list[tuple[int, ...]]:
    """Which groups to try next: those that the log names one by one, and the rest together."""
    named = {int(place) for place in _ROW.findall(log) if int(place) < len(members)}
    if not named or len(named) == len(members):
        middle = len(members) // 2
        return [tuple(members[:middle]), tuple(members[middle:])]
    rest = tuple(member for place, member in enumerate(members) if place not in named)
    return [rest, *((members[place],) for place in sorted(named))]


def canonical(log: str) -> str:
    """A compiler's log as far as it can be read, without what depends on the batch."""
    text = _ROW.sub(unit.FILE, log)
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "\n…"
