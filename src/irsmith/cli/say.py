"""The one way in which commands print lines: what stands in a dataset of a stranger cannot steer the terminal."""

from __future__ import annotations

import re

import click

# Halves of characters cannot be printed at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """A text with control characters spelled out, so that a dataset cannot steer the terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def say(text: str = "", *, nl: bool = True, err: bool = False) -> None:
    """Print a line as `printable` has it.

    Args:
        text: The line; it may hold ends of lines.
        nl: Whether to end it.
        err: Whether it goes to stderr.
    """
    click.echo(printable(text), nl=nl, err=err)
