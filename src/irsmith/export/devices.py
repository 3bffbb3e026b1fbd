"""The devices of the formats that keep them apart, and the stage that runs on each."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.dataset.load import Dataset
from irsmith.errors import UserError, nearest
from irsmith.export.rows import stages_wanted
from irsmith.frontends.base import Stage

STAGES = {"cpu": "cpp", "cuda": "cuda"}
"""Device to the stage whose text is compiled for it."""


def of(dataset: Dataset, device: str | None, format_name: str) -> dict[str, Stage]:
    """The devices to write with the stage of each: the one named, or all that the dataset holds.

    Raises:
        UserError: There is no such device, or the dataset does not hold its stage.
    """
    if device is not None and device not in STAGES:
        raise UserError(f"--device: {device!r} is not a device: {nearest(device, STAGES)}")
    held = {stage.name for stage in dataset.stages}
    names: Sequence[str] = [device] if device else [name for name, stage in STAGES.items() if stage in held]
    stages = stages_wanted(dataset, [STAGES[name] for name in names or STAGES], format_name)
    return dict(zip(names, stages, strict=True))
