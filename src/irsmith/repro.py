"""Write a row or a reject of a dataset as a folder in which a stranger can build and run it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from irsmith import files, frontends
from irsmith.apart.sealed import Sealed
from irsmith.dataset.load import Dataset, load
from irsmith.dataset.parts import read_rejects, rejects_file
from irsmith.drawing import Drawn
from irsmith.errors import UserError
from irsmith.frontends.base import default_stages
from irsmith.kernel import Kernel, Signature
from irsmith.outcome import Reject, Step
from irsmith.pipeline import Pipeline
from irsmith.row import Row


@dataclass(frozen=True, slots=True)
class _Case:
    """A kernel, those of its texts that the dataset holds, and its story."""

    kernel: Kernel
    texts: Mapping[str, str | None]
    story: str


def write(dataset: str | os.PathLike[str], row_id: str, out: str | os.PathLike[str] | None = None) -> Path:
    """Write a row or a reject as a folder of its own: source, units, program, inputs, expected outputs.

    What the dataset does not hold of its texts (those of a reject, or a backward that a row withholds) is
    lowered anew, which executes the source: in a process that can change nothing; see `Sealed`.

    Args:
        dataset: The dataset's folder.
        row_id: A row's id or index, or the index of a reject.
        out: The folder to make, by default ``repro-<id>`` here. It must not exist.

    Returns:
        The folder.

    Raises:
        UserError: The dataset has no such row or reject, the reject has no source, the folder exists or cannot
            be made, or the frontend is not installed.
    """
    opened = load(dataset)
    frontend = frontends.get(opened.recipe.frontend)
    frontend.toolchain()
    case = _case(opened, row_id)
    root = Path(out) if out is not None else Path(f"repro-{row_id}")
    if root.exists():
        raise UserError(f"{root}: exists; name another folder with --out")
    texts = _completed(case, opened.recipe.frontend)
    contents = frontend.repro(case.kernel, texts, case.story)
    try:
        with files.whole_folder(root) as aside:
            for name, content in contents.items():
                path = aside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except OSError as error:
        raise UserError(f"{error.filename or root}: {error.strerror}") from None
    return root


def _case(dataset: Dataset, row_id: str) -> _Case:
    index = _index(dataset, row_id)
    if index is not None:
        for shard in dataset.manifest.shards:
            if index in (*shard.rejected, *shard.dropped):
                return _of_reject(dataset, index, dataset.root / rejects_file(shard.config, shard.first))
    return _of_row(dataset.row(row_id))


def _index(dataset: Dataset, row_id: str) -> int | None:
    """The index that an id names, if it is written as one or in the way of this dataset's ids."""
    prefix = f"{dataset.recipe.frontend}-{dataset.recipe.seed}-"
    number = row_id.removeprefix(prefix)
    return int(number) if number.isdecimal() else None


def _of_row(row: Row) -> _Case:
    story = (
        f"Row `{row.id}`, category {row.kernel.category}: {row.kernel.description or 'no description'}\n\n"
        f"Lowered with {row.toolchain}."
    )
    return _Case(row.kernel, row.texts, story)


def _of_reject(dataset: Dataset, index: int, path: Path) -> _Case:
    reject = _reject(index, path)
    if not reject.source:
        raise UserError(f"{dataset.root}: index {index} never became a kernel: {reject.reason}: {reject.message}")
    versions = ", ".join(f"{name} {version}" for name, version in dataset.manifest.toolchain.items())
    story = (
        f"Index {index} of a dataset, rejected at the step *{reject.step}* with the symptom *{reject.symptom}*, under "
        f"{versions}:\n\n```\n{reject.message.strip()}\n```"
    )
    again = Pipeline(dataset.recipe, dataset.root).drawing.drawn(index)
    if isinstance(again, Drawn) and again.kernel.source == reject.source:
        return _Case(again.kernel, {}, story)
    # Another generator made it: how it is called is not known.
    return _Case(Kernel(reject.name, reject.category, "", reject.source, Signature(())), {}, story)


def _reject(index: int, path: Path) -> Reject:
    for record in read_rejects(path):
        if record["index"] == index:
            return Reject(
                Step(record["step"]),
                *(record[name] for name in ("symptom", "message", "name", "category", "source")),
            )
    raise UserError(f"{path}: holds no reject of index {index}, although the manifest says so")


def _completed(case: _Case, frontend: str) -> dict[str, str | None]:
    """The texts with those that the dataset does not hold, if the kernel lowers."""
    held = {column: text for column, text in case.texts.items() if text}
    found = frontends.get(frontend)
    stages = default_stages(found)
    if all(f"{stage.name}_{part}" in held for stage in stages for part in ("forward", "backward")):
        return dict(held)
    with Sealed(found, stages) as sealed:
        again = sealed.texts(case.kernel)
    return {**({} if isinstance(again, str) else again), **held}
