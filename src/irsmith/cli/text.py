"""What several commands do with texts on a terminal."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from irsmith.cli.say import printable
from irsmith.frontends.base import Stage
from irsmith.row import Row

SIDE_BY_SIDE = 150
"""Columns of terminal from which two texts stand beside each other."""


def cell(text: str) -> Text:
    """A text as it stands, for a table or a line: no markup and no control characters of a dataset count."""
    return Text(printable(text))


def numbered(text: str, language: str, *, wrapped: bool) -> Syntax:
    """A text in colour, with line numbers as the line map counts them.

    Args:
        text: The text.
        language: What Pygments calls its language.
        wrapped: Whether a line that is too wide goes on below; else it is whole where printing is told not to cut.
    """
    shown = printable(text.rstrip("\n"))
    return Syntax(shown, language, line_numbers=True, background_color="default", word_wrap=wrapped)


def print_row(terminal: Console, row: Row, stages: list[Stage], directions: list[str]) -> None:
    """Print a row as a person reads it: the Python, and each text beside or below it.

    On a terminal, and in columns, a line that is too wide goes on below; elsewhere each line is whole.
    """
    width = terminal.width
    wrapped = terminal.is_terminal or width >= SIDE_BY_SIDE
    python = numbered(row.kernel.source, "python", wrapped=wrapped)
    parts: list[RenderableType] = []
    for stage in stages:
        for direction in directions:
            title = Text(f"{stage.name} {direction}", style="bold")
            text = stage.functions(row.texts, direction) or ""
            body = numbered(text, _LEXERS.get(stage.language, "text"), wrapped=wrapped)
            parts.append(_beside(python, body, title, width) if width >= SIDE_BY_SIDE else Group(title, body, ""))
    if width < SIDE_BY_SIDE:
        parts.insert(0, Group(Text("python", style="bold"), python, ""))
    terminal.print(Group(*parts), soft_wrap=not wrapped)


_LEXERS = {"cpp": "cpp", "cuda": "cuda", "ptx": "ptx"}
"""What Pygments calls the languages of stages that it knows."""


def _beside(left: RenderableType, right: RenderableType, title: Text, width: int) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=min(width * 2 // 5, 90))
    table.add_column(ratio=1)
    table.add_row(Text("python", style="bold"), title)
    table.add_row(left, right)
    return table


def console() -> Console:
    """The terminal, or whatever stands in its place."""
    return Console(highlight=False, soft_wrap=False)
