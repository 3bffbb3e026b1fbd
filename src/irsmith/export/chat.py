"""``chat``: one line an example, as a list of messages with role and content."""

from __future__ import annotations

from pathlib import Path

from irsmith.dataset.load import Dataset
from irsmith.export import training
from irsmith.export.base import Exported, Format, Options

_ROLES = {"system": "system", "prompt": "user", "completion": "assistant"}


def write(dataset: Dataset, out: Path, options: Options) -> Exported:
    """Write the folder; see `irsmith.export.export`."""
    return training.write(dataset, out, options, _fields)


def _fields(example: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    messages = [{"role": role, "content": example[name]} for name, role in _ROLES.items()]
    return {"messages": [message for message in messages if message["content"]]}


FORMAT = Format("<split>.jsonl: id, task, messages", training.OPTIONS, write)
