"""What commands share: settings over a recipe's, places, shares of the work, and progress."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from irsmith import recipe as recipes
from irsmith.cli.say import say
from irsmith.errors import check_positive
from irsmith.places import Place, place
from irsmith.recipe import TARGETS, Recipe

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


def given_recipe(recipe: Recipe, given: dict[str, Any]) -> Recipe:
    """A recipe with the settings that options give."""
    given = dict(given)
    if "categories" in given:
        given["categories"] = recipes.evenly(given["categories"])
    if "frontend" in given and given["frontend"] != recipe.frontend:
        # Another frontend has stages and categories of its own.
        given.setdefault("stages", ())
        given.setdefault("categories", ())
    if any(name in given for name in TARGETS):
        # A target given as an option takes the place of the recipe's.
        given = dict.fromkeys(TARGETS) | given
    if given.pop("device", None):
        given["checks"] = replace(recipe.checks, device=True)
    return replace(recipe, **given)
