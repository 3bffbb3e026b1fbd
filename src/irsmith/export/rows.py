"""The rows that an export writes, and the texts that it takes from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from irsmith.dataset.load import Dataset
from irsmith.errors import UserError, nearest
from irsmith.export.base import Exported, Options
from irsmith.frontends.base import Stage

Record = dict[str, Any]
"""A row as its columns."""


def selected(dataset: Dataset, options: Options, exported: Exported, stages: Iterable[Stage]) -> Iterator[Record]:
    """The rows of the splits that were asked for, in index order, of the frontends that have any of some stages.

    The others are counted.
    """
    check_splits(options.splits)
    names = {stage.name for stage in stages}
    holding = {f for f in dataset.frontends if names & {stage.name for stage in dataset.stages_of(f)}}
    for record in dataset.records():
        if record["frontend"] not in holding:
            exported.leave_out(f"frontend {record['frontend']}, which has no {' and no '.join(sorted(names))}")
        elif options.splits and record["split"] not in options.splits:
            exported.leave_out(f"split {record['split']}")
        else:
            yield record


def check_splits(names: Sequence[str]) -> None:
    """Raise a `UserError` for a name that is no split's."""
    from irsmith.dataset.splits import Split

    for name in names:
        if name not in [*Split]:
            raise UserError(f"--split: {name!r} is not a split: {nearest(name, [*Split])}")


def stages_wanted(dataset: Dataset, names: Sequence[str], format_name: str) -> list[Stage]:
    """The stages of those names, all of which the format's records need.

    Raises:
        UserError: The dataset does not hold one of them.
    """
    held = {stage.name: stage for stage in dataset.stages}
    for name in names:
        if name not in held:
            raise UserError(
                f"{dataset.root}: holds no stage {name!r}, which format {format_name} needs (it holds "
                f"{', '.join(held)}): generate with --stage {' --stage '.join(names)}, or choose another format"
            )
    return [held[name] for name in names]


def text_of(stage: Stage, record: Record, direction: str | None, options: Options) -> str | None:
    """A stage's text as an export has it: the functions, or with ``full_module`` the unit that compiles."""
    if options.full_module:
        return stage.unit(record) or None
    return stage.functions(record, direction)
