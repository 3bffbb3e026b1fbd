"""What a runner asks of its workers."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from irsmith.frontends.warp.runner.jobs import Job, Limits

LENGTH = struct.Struct("<Q")
"""Stands before each pickled request."""


@dataclass(frozen=True, slots=True)
class Request:
    """To ``run`` jobs, to ``compile`` them, or to make ``ptx`` of each. They are of one stage and one header."""

    action: str
    jobs: tuple[Job, ...]
    limits: Limits
    architecture: int = 0
    optimization: int = 0
