"""The process in which rows are made apart.

Started by `irsmith.apart` as ``python -m irsmith.apart.worker``. It reads pickled requests from its standard input and
writes two frames to what was its standard output for each: one when it begins, and the row.
"""

from __future__ import annotations

import pickle
import resource
from functools import cache
from typing import Any

from irsmith.apart import bounded
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
    requests, output = pipes.kept_apart()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipes.end_with_parent()
    while True:
        try:
            asked = pipes.asked(requests)
        except pipes.ClosedError:
            return
        with bounded():
            outcome = _answer(output, *asked)
        pipes.send(output, {}, pickle.dumps(outcome, protocol=5))


if __name__ == "__main__":
    main()
