"""The command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys


def run(*arguments, cwd=None, **options):
    """What a command printed and how it ended."""
    line = [sys.executable, "-m", "irsmith", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=cwd, **options)


def refused(arguments, message, folder):
    """See that a command in an empty folder fails with one line that says so, and leaves nothing there."""
    shown = run(*arguments, cwd=folder)
    assert shown.returncode == 2
    assert shown.stderr.count("\n") == 1
    assert message in shown.stderr
    assert shown.stdout == ""
    assert list(folder.iterdir()) == []
