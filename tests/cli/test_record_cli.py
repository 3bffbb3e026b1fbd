"""``irsmith record``: it says what it keeps, stays out of the program's output, and ends as the program ends."""

from __future__ import annotations

import sys

import pytest
from tests.cli.command import run


def test_a_program_that_lowers_nothing_is_told_and_ends_as_it_did(tmp_path):
    shown = run("record", "--out", tmp_path / "d", "--", sys.executable, "-c", "print('mine'); raise SystemExit(4)")
    assert (shown.returncode, shown.stdout) == (4, "mine\n")
    said = shown.stderr.splitlines()
    assert len(said) == 2
    assert "kernels as text, with the types, shapes and launch dimensions" in said[0]
    assert "contents" not in said[0]
    assert "nothing was recorded" in said[1]
    assert "(exit status 4)" in said[1]
    assert not (tmp_path / "d").exists()


def test_what_inputs_stores_is_said(tmp_path):
    shown = run("record", "--out", tmp_path / "d", "--inputs", "--max-samples", "2", "--", sys.executable, "-c", "")
    assert shown.returncode == 0
    assert "because of --inputs, the contents of up to 2 launches or calls of each" in shown.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-samples", "0"], "--max-samples: 0 is not a positive number"),
        (["--max-bytes", "much"], "--max-bytes: size: 'much' is not a size"),
        (["--out", "."], "is not an empty folder"),
    ],
)
def test_bad_input_runs_nothing(tmp_path, options, message):
    (tmp_path / "file").touch()
    program = ["--", sys.executable, "-c", "open('ran', 'w')"]
    shown = run("record", "--out", "d", "--quiet", *options, *program, cwd=tmp_path)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
