"""Folders of a process are gone with it, however it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from irsmith import scratch

HOLDS = """
from irsmith import scratch
with scratch.folder("held") as folder:
    (folder / "large").write_bytes(b"x")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def holder():
    return subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_folder_is_gone_afterwards(tmp_path):
    with scratch.folder("one") as folder:
        (folder / "file").touch()
        assert folder.parent == tmp_path
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_holds_is_not(tmp_path):
    with holder() as killed, holder() as live:
        left, held = (process.stdout.readline().strip() for process in (killed, live))
        (tmp_path / "irsmith-notes.txt").touch()
        killed.kill()
        killed.wait()
        with scratch.folder("next") as folder:
            names = {str(path) for path in tmp_path.iterdir()}
        assert left not in names
        assert {held, str(folder), str(tmp_path / "irsmith-notes.txt")} <= names
        live.communicate("\n")
    assert [path.name for path in tmp_path.iterdir()] == ["irsmith-notes.txt"]
