"""``prompt-completion``: one line an example, as TRL's and other trainers' prompt-completion data sets are."""

from __future__ import annotations

from pathlib import Path

from irsmith.dataset.load import Dataset
from irsmith.export import training
from irsmith.export.base import Exported, Format, Options


def write(dataset: Dataset, out: Path, options: Options) -> Exported:
    """Write the folder; see `irsmith.export.export`."""
    return training.write(dataset, out, options, _fields)


def _fields(example: dict[str, str]) -> dict[str, str]:
    system = f"{example['system']}\n\n" if example["system"] else ""
    return {"prompt": system + example["prompt"], "completion": example["completion"]}


FORMAT = Format("<split>.jsonl: id, task, prompt, completion", training.OPTIONS, write)
