"""Lowering what strangers wrote: in a process that can change nothing and reach nobody.

To lower a source is to execute it. This does so in a process that has imported the compiler and lowered a kernel of
irsmith's own before it gave away, on Linux for x86-64, every system call but those that memory, time, its own threads
and reading files need: it opens no file to write, starts no program, makes no connection and signals no process. Its
memory and time are bounded on every system. What it answers is JSON.

What this does not stop: a source that reads files (it has nobody to tell), or that looks for what its process is asked
and changes what it answers for this row and those after it; on other systems, anything that the user may do.

Run as ``python -m irsmith.apart.sealed FRONTEND STAGE…`` it is that process.
"""

from __future__ import annotations

import resource
import secrets
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from irsmith import apart, frontends
from irsmith.drawing import Drawing
from irsmith.frontends import pipes, sandbox
from irsmith.frontends.base import Frontend, Stage, stage_named
from irsmith.kernel import Kernel
from irsmith.outcome import Reject
from irsmith.recipe import Recipe

START_SECONDS = 180.0
"""What the process may take to import a compiler and lower a kernel with it."""


class Sealed:
    """Lowers kernels of strangers to stages of a frontend. A context manager that owns a process.

    Args:
        frontend: The frontend.
        stages: Those of its stages that are not made of another's text; see `Stage.of`.
    """

    def __init__(self, frontend: Frontend, stages: Sequence[Stage]) -> None:
        self._words = [frontend.name, *(stage.name for stage in stages)]
        self._columns = {column for stage in stages for column in stage.columns()}
        self._process: pipes.Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def texts(self, kernel: Kernel) -> Mapping[str, str | None] | str:
        """The texts of a kernel's source by column, or why there are none."""
        if self._process is not None and self._process.spoke:
            # A source has answered for those that come after it.
            self._stop()
        try:
            process = self._process or self._start()
            token = secrets.token_hex(8)
            process.ask((token, kernel), apart.SECONDS)
            answer, _ = process.answer(apart.SECONDS, most=0)
        except pipes.SilentError:
            self._stop()
            return f"did not end within {apart.SECONDS:g} seconds"
        except pipes.ClosedError:
            self._stop()
            return "ended the process that lowers it"
        if isinstance(answer, dict) and answer.get("token") == token:
            texts, reject = answer.get("texts"), answer.get("reject")
            if isinstance(reject, str):
                return reject
            if (
                isinstance(texts, dict)
                and texts.keys() <= self._columns
                and all(text is None or isinstance(text, str) for text in texts.values())
            ):
                return texts
        # What the process itself says may still come, and is no answer to what is asked next.
        self._stop()
        return "answered for the process that lowers it"

    def _start(self) -> pipes.Child:
        process = self._process = pipes.Child("irsmith.apart.sealed", *self._words)
        process.answer(START_SECONDS)
        return process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def main() -> None:
    """Lower what is sent until the standard input ends."""
    requests, output = pipes.kept_apart()
    name, *names = sys.argv[1:]
    frontend = frontends.get(name)
    stages = [stage_named(frontend, stage) for stage in names]
    drawing = Drawing(Recipe(frontend=name))
    known = next(found for found in map(drawing.kernel, range(100)) if isinstance(found, Kernel))
    # What the compiler imports, opens and starts when it is first used, it has by then.
    frontend.lower(known, stages)
    pipes.end_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with apart.bounded():
        sandbox.seal_reader()
        pipes.send(output, {})
        while True:
            try:
                token, kernel = pipes.asked(requests)
            except pipes.ClosedError:
                return
            found = frontend.lower(kernel, stages)
            if isinstance(found, Reject):
                pipes.send(output, {"token": token, "reject": f"{found.reason}: {found.message}"})
            else:
                pipes.send(output, {"token": token, "texts": dict(found.texts)})


if __name__ == "__main__":
    main()
