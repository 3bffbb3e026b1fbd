"""The process in which rows are made apart.

Started by `irsmith.apart` as ``python -m irsmith.apart.worker``. It reads pickled requests from its standard input and
writes two frames to what was its standard output for each: one when it begins, and the row.
"""

from __future__ import annotations

import os
import pickle
import resource
from functools import cache
from typing import Any

from irsmith.apart import LENGTH, bounded
from irsmith.errors import StoppedError, UserError
from irsmith.frontends import pipes
from irsmith.pipeline import Pipeline
from irsmith.places import Place
from irsmith.recipe import Recipe


@cache
def _pipeline(recipe: Recipe, root: Place | None) -> Pipeline:
    return Pipeline(recipe, root)


def _answer(output: int, recipe: Recipe, root: Place | None, index: int) -> Any:
    pipeline = _pipeline(recipe, root)
    pipes.send(output, {})
    try:
        return pipeline.row(index)
    except (UserError, StoppedError) as error:
        return error


def main() -> None:
    """Make rows until the standard input ends."""
    requests, output = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1, 2):
        os.dup2(nothing, target)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipes.end_with_parent()
    while True:
        try:
            size = int.from_bytes(pipes.read_exactly(requests, LENGTH), "little")
            asked = pickle.loads(pipes.read_exactly(requests, size))
        except pipes.ClosedError:
            return
        with bounded():
            outcome = _answer(output, *asked)
        pipes.send(output, {}, pickle.dumps(outcome, protocol=5))


if __name__ == "__main__":
    main()
