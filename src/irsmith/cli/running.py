"""What commands that go through many rows show meanwhile, and how they read a share of the work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import click

from irsmith.cli.say import say
from irsmith.errors import check_positive
from irsmith.places import Place, place

INTERVAL = 5.0
"""Seconds between two lines of progress."""


class _Place(click.ParamType[Place]):
    """A folder: a path, or the URI of one on a remote filesystem."""

    name = "path"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Place:  # noqa: ARG002
        return place(value)


PLACE = _Place()


def progress(total: int, what: str) -> Callable[[int], None]:
    """A function to call with what is done, which prints a line to stderr now and then."""
    last = [time.monotonic()]

    def show(done: int) -> None:
        now = time.monotonic()
        if now - last[0] >= INTERVAL:
            last[0] = now
            say(f"{done}/{total} {what}", err=True)

    return show


def workers_given(given: int | None) -> int:
    """The number of worker processes that an option asks for, by default one a processor.

    Raises:
        UserError: It is none.
    """
    check_positive("workers", given)
    return given or os.cpu_count() or 1
