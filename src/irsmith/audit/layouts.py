"""The layouts that datasets of this kind are published in, and how a record of each is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FENCED_PYTHON = re.compile(r"```python\n(.*?)\n?```", re.DOTALL)
_PYTHON = re.compile(r"^(?:import |from |def |@)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One record, whatever its layout.

    Attributes:
        place: Where it stands: file and line, or file and row.
        source: The Python; None for an example without one.
        name: The kernel's name, where the record says it.
        category: What the record calls its kind; empty where it does not.
        split: The split that the record or its file names; ``all`` where neither does.
        twin: What tells apart records of one kernel that are no duplicates of each other, such as the device.
        group: What ties it to others made from one program, where the record says so.
        texts: The compiler's output by field; None where there is none.
    """

    place: str
    source: str | None
    name: str | None
    category: str
    split: str
    twin: str
    group: str | None
    texts: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout of records.

    Attributes:
        name: What exports call it.
        required: Fields by which a record is known to be of it.
        source: The field of the Python.
        texts: The fields of the compiler's output; empty for all fields of text that follow a stage's name.
        category: The field of the category.
        kernel: The field of the kernel's name.
        twin: The field that tells twins apart.
    """

    name: str
    required: frozenset[str]
    source: str
    texts: tuple[str, ...]
    category: str
    kernel: str
    twin: str = ""

    def matches(self, fields: Mapping[str, Any]) -> bool:
        """Whether a record with these fields is of this layout."""
        return self.required <= fields.keys()

    def sample(self, record: Mapping[str, Any], place: str, split: str) -> Sample | str:
        """The record as a sample, or why it is none."""
        flat = {**record, **record["metadata"]} if isinstance(record.get("metadata"), dict) else dict(record)
        missing = sorted(self.required - record.keys())
        if missing:
            return f"no field {missing[0]!r}"
        if not isinstance(flat[self.source], str):
            return f"field {self.source!r} is no text"
        texts = self.texts or tuple(name for name in flat if _is_stage_column(name))
        for name in texts:
            if not isinstance(flat.get(name), str | None):
                return f"field {name!r} is no text"
        return Sample(
            place=place,
            source=flat[self.source],
            name=_text(flat, self.kernel),
            category=_text(flat, self.category) or "",
            split=_text(flat, "split") or split,
            twin=_text(flat, self.twin) or "",
            group=_text(flat, "group_id"),
            texts={name: flat.get(name) or None for name in texts},
        )


class Training(Layout):
    """A layout of examples to train on: the Python stands in the words of one side, or is one."""

    __slots__ = ()

    def sample(self, record: Mapping[str, Any], place: str, split: str) -> Sample | str:
        """The record as a sample, or why it is none."""
        said = _sides(record)
        if said is None:
            return "no prompt and completion, nor messages, in text"
        given, wanted = said
        found = _FENCED_PYTHON.search(given) or _FENCED_PYTHON.search(wanted)
        source = found[1] if found else wanted if _PYTHON.search(wanted) else None
        return Sample(
            place=place,
            source=source,
            name=None,
            category=_text(record, "task") or "",
            split=_text(record, "split") or split,
            twin=given + wanted,
            group=None,
            texts={"prompt": given, "completion": wanted},
        )


def _sides(record: Mapping[str, Any]) -> tuple[str, str] | None:
    given, wanted = record.get("prompt"), record.get("completion")
    messages = record.get("messages")
    if isinstance(messages, list) and messages and all(isinstance(item, dict) for item in messages):
        contents = [item.get("content") for item in messages]
        if not all(isinstance(content, str) for content in contents):
            return None
        given, wanted = "\n\n".join(contents[:-1]), contents[-1]
    return (given, wanted) if isinstance(given, str) and isinstance(wanted, str) else None


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name) if name else None
    return value if isinstance(value, str) else None


def _is_stage_column(name: str) -> bool:
    """Whether a column of irsmith's own rows holds a text of a stage."""
    return name.endswith(("_forward", "_backward", "_header", "_structs", "_arguments", "_functions_grad"))


def _layout(name: str, required: str, source: str, texts: str, category: str, kernel: str, twin: str = "") -> Layout:
    return Layout(name, frozenset(required.split()), source, tuple(texts.split()), category, kernel, twin)


LAYOUTS: tuple[Layout, ...] = (
    _layout("hf", "python_source structure_id category name", "python_source", "", "category", "name"),
    _layout("pairs-jsonl", "python cpp cuda type", "python", "cpp cuda", "type", "kernel_name"),
    _layout(
        "hlo-jsonl",
        "python hlo_forward hlo_optimized type",
        "python",
        "hlo_forward hlo_backward hlo_optimized",
        "type",
        "kernel_name",
    ),
    _layout(
        "device-jsonl",
        "python_source code_forward device",
        "python_source",
        "code_forward code_backward",
        "kernel_type",
        "kernel_name",
        "device",
    ),
    _layout(
        "pair-files", "python_source metadata", "python_source", "cpp_forward cuda_forward", "category", "kernel_name"
    ),
    Training("prompt-completion", frozenset({"prompt", "completion"}), "", (), "", ""),
    Training("chat", frozenset({"messages"}), "", (), "", ""),
)
"""Layouts in the order in which a record is tried against them."""
