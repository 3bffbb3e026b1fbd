"""Texts in colour, line by line, as HTML whose classes the pages' style knows."""

from __future__ import annotations

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound


def highlighted(text: str, language: str) -> list[str]:
    """The lines of a text as HTML, escaped; a language that is not known stays plain."""
    options = {"stripnl": False, "ensurenl": False}
    try:
        lexer = get_lexer_by_name(language, **options)
    except ClassNotFound:
        lexer = TextLexer(**options)
    made = str(highlight(text.rstrip("\n"), lexer, HtmlFormatter(nowrap=True)))
    return made.rstrip("\n").split("\n")


def style() -> str:
    """The style of the classes, for light and dark."""
    light = HtmlFormatter(style="default", nobackground=True).get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark", nobackground=True).get_style_defs(".code")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"
