"""The command line: a thin skin that parses, calls the library, and turns named errors into one line.

Each command is a module, imported when it is called, so that help does not wait for what it does not use.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

from irsmith.errors import StoppedError, UserError, nearest

COMMANDS = {
    "generate": "Make a dataset of synthesised kernels with their lowerings.",
    "harvest": "Make a dataset of the kernels of packages and folders.",
    "record": "Run your program, and make a dataset of the kernels that it runs.",
    "sample": "Print kernels without lowering them.",
    "lower": "Lower the kernels of your own file, and show or keep the texts.",
    "show": "Read one row of a dataset: Python beside what it became.",
    "repro": "Write a row or a reject as a folder that a stranger can build and run.",
    "export": "Write a dataset in the layout that a training program reads.",
    "report": "Write a page that shows what is in a dataset.",
    "audit": "Say what is in a dataset, whoever made it.",
    "push": "Put a dataset on the Hugging Face hub.",
    "stats": "Say what is in a dataset.",
    "merge": "Make one dataset of several, without repeats.",
    "dedup": "Say which rows of a dataset are alike, or leave them out.",
    "decontaminate": "Leave out the rows that stand in a benchmark.",
    "diff": "Say what changed between two datasets.",
    "compare": "Put two corpora side by side: datasets or folders of code.",
    "validate": "Check a dataset's files against each other and against the row format.",
    "verify": "Prove the rows of a dataset again.",
    "selftest": "Check the checker: spoiled rows must be noticed.",
    "coverage": "Say which builtins of a kernel language are synthesised and proved.",
    "doctor": "Say which frontends and stages work on this machine.",
}
"""Command name to what it does; each lives in ``irsmith.cli.<name>`` as ``command``."""


class _Lazy(click.Group):
    """A group that imports a command only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            raise UserError(f"unknown command {cmd_name!r}: {nearest(cmd_name, COMMANDS)}")
        command: click.Command = import_module(f"irsmith.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="irsmith", prog_name="irsmith")
def cli() -> None:
    """Datasets of Python kernels paired with what a real JIT compiler makes of them."""


def main() -> NoReturn:
    """Run the command line and exit with its status: 0, 1 for a run that stopped, 2 for bad input.

    A request to terminate is treated as Ctrl-C, also while a command is being imported: workers end, and nothing
    half-written stays.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    # A shell has those that it starts in the background ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except UserError as error:
        _fail(str(error), 2)
    except StoppedError as error:
        _fail(str(error), 1)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; what was finished is kept, and the same command goes on from there", 130)
    except BrokenPipeError:
        # The reader of a pipe went away, such as `head`.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        # What the output still holds cannot be written either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        where = error.filename or "output"
        _fail(f"{where}: {error.strerror}" if error.strerror else str(error), 2)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """End what is going on, or a moment later where that would be lost.

    What is raised in a finaliser or in a callback of the garbage collector, of which JAX has one, is printed as a
    warning and forgotten.
    """
    callbacks = [getattr(callback, "__code__", None) for callback in gc.callbacks]
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            signal.signal(signal.SIGALRM, _interrupt)
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


_MOMENT = 0.001
"""Seconds in which a callback of the garbage collector is most likely over."""


def _fail(message: str, status: int) -> NoReturn:
    from irsmith.cli.say import say

    say(f"irsmith: {' '.join(message.split())}", err=True)
    sys.exit(status)
