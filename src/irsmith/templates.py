"""The words around a row's texts where it becomes an example to train on; a recipe can change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from string import Template as Text
from typing import Any

from irsmith.errors import UserError, nearest

PLACEHOLDERS = (
    "input",
    "output",
    "from",
    "to",
    "from_language",
    "to_language",
    "frontend",
    "toolchain",
    "name",
    "category",
    "description",
)
"""What a template may name, as ``$input``: the two texts, what each is and its language, and columns of the row."""


@dataclass(frozen=True, slots=True)
class Template:
    """How one task is put into words. ``$$`` stands for a dollar sign.

    Attributes:
        prompt: What the model is given.
        completion: What it should answer.
        system: What a chat opens with; no such message where empty.
    """

    prompt: str
    completion: str = "$output"
    system: str = ""

    def __post_init__(self) -> None:
        for entry in fields(self):
            text = Text(getattr(self, entry.name))
            if not text.is_valid():
                raise UserError(f"{entry.name}: a '$' stands before no name: write '$$' for a dollar sign")
            for name in text.get_identifiers():
                if name not in PLACEHOLDERS:
                    raise UserError(f"{entry.name}: unknown placeholder '${name}': {nearest(name, PLACEHOLDERS)}")

    def fill(self, values: Mapping[str, str]) -> dict[str, str]:
        """The texts of one example, by the names of this class's attributes."""
        return {entry.name: Text(getattr(self, entry.name)).substitute(values) for entry in fields(self)}


def from_table(task: str, table: Mapping[str, Any]) -> Template:
    """The template of a recipe's table ``templates."<task>"``.

    Raises:
        UserError: A key is unknown or no text, the prompt is missing, or a text names what there is not.
    """
    known = [entry.name for entry in fields(Template)]
    for name, value in table.items():
        if name not in known:
            raise UserError(f"unknown recipe key 'templates.{task}.{name}': {nearest(name, known)}")
        if not isinstance(value, str):
            raise UserError(f"templates.{task}.{name}: {value!r} is not a text")
    if "prompt" not in table:
        raise UserError(f"templates.{task}: has no prompt: add one that holds '$input'")
    try:
        return Template(**table)
    except UserError as error:
        raise UserError(f"templates.{task}.{error}") from None


_FENCED = "```$from_language\n$input\n```"
DEFAULTS = {
    "source:stage": Template(
        f"Write the $to that the $frontend compiler ($toolchain) makes of this Python kernel.\n\n{_FENCED}"
    ),
    "stage:source": Template(
        f"Write the Python kernel of which the $frontend compiler ($toolchain) made this $from.\n\n{_FENCED}"
    ),
    "stage:stage": Template(
        f"The $frontend compiler ($toolchain) made this $from of a Python kernel. "
        f"Write the $to that it makes of the same kernel.\n\n{_FENCED}"
    ),
    "forward:backward": Template(
        f"The $frontend compiler ($toolchain) made this $from of a Python kernel. "
        f"Write its adjoint, the $to.\n\n{_FENCED}"
    ),
}
"""Kind of task to its template. A recipe may change a kind, or one task."""
