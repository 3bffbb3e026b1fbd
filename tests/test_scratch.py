"""Files and folders that a process was to need or to finish are gone with it, however it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from irsmith import files, scratch

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


WRITES = """
import sys
from pathlib import Path
from irsmith import files
def fill(aside):
    aside.write_bytes(b"x" * 100)
    print(aside, flush=True)
    input()
files.write(Path(sys.argv[1]), fill)
"""


def writer(path):
    command = [sys.executable, "-c", WRITES, str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_a_killed_process_left_of_a_file_is_removed_by_the_next_of_that_name(tmp_path):
    path, other = tmp_path / "x[1].jsonl", tmp_path / "x[1].json"
    with writer(path) as killed, writer(other) as killed_elsewhere, writer(path) as live:
        left, elsewhere, held = (p.stdout.readline().strip() for p in (killed, killed_elsewhere, live))
        for process in (killed, killed_elsewhere):
            process.kill()
            process.wait()
        (tmp_path / "x[1].jsonl.1.part~").symlink_to(elsewhere)
        files.write_text(path, "whole")
        assert path.read_text() == "whole"
        assert {str(entry) for entry in tmp_path.iterdir()} - {held, elsewhere} == {f"{path}", f"{path}.1.part~"}
        live.communicate("\n")
    assert path.read_bytes() == b"x" * 100
    files.write_text(other, "whole")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["x[1].json", "x[1].jsonl", "x[1].jsonl.1.part~"]
    assert left != held
