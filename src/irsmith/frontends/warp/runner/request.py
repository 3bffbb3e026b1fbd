"""What a runner asks of its workers."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.frontends.warp.runner.jobs import Job, Limits


@dataclass(frozen=True, slots=True)
class Request:
    """To ``run`` jobs, to ``compile`` them, to make ``ptx`` of each, or to run their images on a ``device``.

    They are of one stage and one header, but for a device, which is asked for one at a time.
    """

    action: str
    jobs: tuple[Job, ...]
    limits: Limits
    architecture: int = 0
    optimization: int = 0
