"""Tasks for the engines: one that ends well, and some that do not."""

from __future__ import annotations

import os
import signal

from irsmith.errors import UserError


def double(task, on_progress):
    on_progress(1)
    return task * 2


def die_once(task, on_progress):
    path, number = task
    if number == 3 and not path.exists():
        path.write_text("died")
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(task, on_progress):
    os._exit(7)


def fail(task, on_progress):
    raise UserError(f"no {task}")
