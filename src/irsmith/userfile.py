"""Lower the kernels of a user's own file."""

from __future__ import annotations

import ast
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith import frontends
from irsmith.engines import local
from irsmith.errors import UserError
from irsmith.frontends.base import stage_named
from irsmith.kernel import Kernel
from irsmith.outcome import Reject
from irsmith.pipeline import Pipeline
from irsmith.real import id_of
from irsmith.recipe import Recipe
from irsmith.row import Row


@dataclass(frozen=True, slots=True)
class Request:
    """What a worker is asked: which kernels of which file, to which stages."""

    path: Path
    kernel: str | None
    stages: tuple[str, ...]
    frontend: str
    arguments: str | None

    def __str__(self) -> str:
        return str(self.path)


def lower(
    path: str | os.PathLike[str],
    *,
    kernel: str | None = None,
    stages: Sequence[str] = (),
    frontend: str = "warp",
    arguments: str | None = None,
) -> list[Row | Reject]:
    """Lower the kernels of a Python file, in the file's order.

    The file is imported, and so executed, in a worker process.

    Args:
        path: The file.
        kernel: The one kernel wanted; by default all.
        stages: The stages wanted; by default those that a row usually has.
        frontend: The language that the kernels are written in.
        arguments: The types and shapes of the kernel's arguments, such as ``f32[8,16] f32[16]``, for a language
            that does not state them.

    Returns:
        For each kernel a row, or a reject that says why there is none.

    Raises:
        UserError: The file cannot be read, parsed or imported, or holds no kernel, or not the one asked for.
    """
    file = Path(path)
    try:
        source = file.read_text(encoding="utf-8")
        ast.parse(source)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise UserError(f"{file}: not a Python source: {error}") from None
    chosen = frontends.get(frontend)
    wanted = tuple(stage_named(chosen, name).name for name in stages)
    chosen.toolchain()
    request = Request(file.resolve(), kernel, wanted, frontend, arguments)
    [(_, outcomes)] = local.run(_work, [request], 1)
    return outcomes


def _work(request: Request, on_progress: Callable[[int], None]) -> list[Row | Reject]:
    # What the file prints when it is executed must not mix with what irsmith prints.
    with contextlib.redirect_stdout(sys.stderr):
        return list(_lowered(request, on_progress))


def _lowered(request: Request, on_progress: Callable[[int], None]) -> Iterator[Row | Reject]:
    pipeline = Pipeline(Recipe(frontend=request.frontend, stages=request.stages, verify="none"))
    for index, item in enumerate(_read(pipeline, request)):
        if isinstance(item, Kernel):
            yield pipeline.lowered(item, index, id_of(request.frontend, item), None)
        else:
            yield item
        on_progress(index + 1)


def _read(pipeline: Pipeline, request: Request) -> list[Kernel | Reject]:
    try:
        found = pipeline.frontend.read(request.path, request.kernel, request.arguments)
    except UserError:
        raise
    except SystemExit as error:
        raise UserError(f"{request.path}: exits when it is imported (status {error.code})") from None
    except Exception as error:  # noqa: BLE001  (the file is a stranger's code)
        message = " ".join(str(error).split())
        raise UserError(f"{request.path}: cannot be imported: {type(error).__name__}: {message}") from None
    if not found:
        raise UserError(f"{request.path}: no {pipeline.frontend.name} kernels in it")
    return found
