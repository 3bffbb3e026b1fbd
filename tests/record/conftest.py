"""Small programs, and what is recorded of them."""

from __future__ import annotations

import sys
import textwrap

import pytest

from irsmith.record import spool
from irsmith.record.running import run


@pytest.fixture
def script(tmp_path):
    """A function that writes a program and returns the command that runs it."""

    def write(text, *arguments, name="program.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text).lstrip())
        return [sys.executable, str(path), *arguments]

    return write


@pytest.fixture
def spooled(tmp_path):
    """A function that records a command, and returns its status, its records by name, and what was left out."""

    def recorded(command, limits=None):
        folder = tmp_path / "spool"
        folder.mkdir()
        status = run(command, folder, limits or spool.Limits())
        records, notes = spool.read(folder)
        return status, {record.content["name"]: record for record in records}, notes

    return recorded
