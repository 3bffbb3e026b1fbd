"""The commands that export, report and audit: what they print, and how they fail."""

from __future__ import annotations

import json

import pytest
from tests.cli.command import run


def test_export_then_audit(made, rows, tmp_path):
    shown = run("export", made.root, "--format", "device-jsonl", "--out", tmp_path / "d", "--device", "cpu", "--json")
    assert shown.returncode == 0, shown.stderr
    done = json.loads(shown.stdout)
    assert (done["rows"], done["records"]) == (len(rows), {"cpu/dataset.jsonl": len(rows)})
    found = json.loads(run("audit", tmp_path / "d", "--json").stdout)
    assert (found["layout"], found["rows"]) == ("device-jsonl", len(rows))
    text = run("audit", tmp_path / "d", "--html", tmp_path / "a.html").stdout
    assert f"{len(rows)} rows in 1 files" in text
    assert "no leaks, nothing unreadable, nothing unpredictable" in text
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")


def test_export_with_the_templates_of_a_recipe(made, tmp_path):
    (tmp_path / "r.toml").write_text('[templates."source:cpp"]\nprompt = "Lower: $input"\n')
    options = ("--format", "prompt-completion", "--task", "source:cpp", "--recipe", tmp_path / "r.toml")
    shown = run("export", made.root, *options, "--out", tmp_path / "o")
    assert shown.returncode == 0, shown.stderr
    assert "records in train.jsonl" in shown.stdout
    record = json.loads((tmp_path / "o" / "train.jsonl").read_text().splitlines()[0])
    assert record["prompt"].startswith("Lower: import warp as wp")


def test_report_is_in_the_folder_and_push_says_what_would_go(made, tmp_path):
    shown = run("report", made.root, "--out", tmp_path / "r.html")
    assert shown.returncode == 0, shown.stderr
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    shown = run("push", made.root, "owner/name", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "data/warp/train-00000-of-00001.parquet" in shown.stdout
    assert "would go to owner/name" in shown.stdout


def test_an_audit_cannot_steer_the_terminal(tmp_path):
    row = {
        "id": 1,
        "kernel_name": "k\x1b[2J",
        "python": "def (",
        "cpp": "/tmp/\x1b]0;x",
        "cuda": "",
        "type": "\x1b[31m",
    }
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n")
    shown = run("audit", tmp_path / "p.jsonl")
    assert shown.returncode == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    assert "\\x1b" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["export", "D", "--format", "pairs-json", "--out", "o"],
            "unknown format 'pairs-json': did you mean 'pairs-jsonl'?",
        ),
        (["export", "D", "--format", "pairs-jsonl", "--out", "o", "--size", "big"], "size: 'big' is not a size"),
        (["export", "D", "--format", "chat", "--out", "o", "--max-tokens", "9"], "--max-tokens: needs a tokenizer"),
        (["export", "nowhere", "--format", "chat", "--out", "o"], "no dataset here"),
        (["report", "nowhere"], "no dataset here"),
        (["audit", "nowhere"], "nowhere: no such file or folder"),
        (["push", "D", "no name"], "cannot be a repository's name"),
    ],
)
def test_bad_input_is_one_line_and_status_two(made, tmp_path, arguments, message):
    shown = run(*(str(made.root) if word == "D" else word for word in arguments), cwd=tmp_path)
    assert shown.returncode == 2
    assert shown.stderr.count("\n") == 1
    assert message in shown.stderr
    assert list(tmp_path.iterdir()) == []
