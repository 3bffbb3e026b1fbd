"""The exceptions that cross irsmith's boundaries. Everything else that fails is a value: a verdict or a reject."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something the user gave cannot be used: one line that names the thing, the value and the way out."""


class StoppedError(Exception):
    """A run ended before its dataset was complete, for a reason that the message gives."""


def killed(process: str) -> str:
    """What to say of a process that somebody else has killed, twice: the system, say, for want of memory."""
    return f"{process} was killed, twice: is there enough memory?"


def check_positive(name: str, value: int | None) -> None:
    """Check a count that may be left out.

    Raises:
        UserError: It is less than 1.
    """
    if value is not None and value < 1:
        raise UserError(f"{name}: {value} is not a positive number: give 1 or more")


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint for a name that is not valid: the nearest valid one if any is near, or else all of them."""
    names = sorted(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(names)}"
