"""A dataset from a stranger is read, shown, reported and exported; nothing of it is executed or steers the terminal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from tests.dataset.spoiling import rewrite, shards_of, with_value

import irsmith
from irsmith.cli.text import printable
from irsmith.dataset.card import cell
from irsmith.export import TABLE

PLANTED = "\x1b]0;owned\x07\x1b[2J[red]x[/red][/]</pre><script>owned()</script><img src=x onerror=owned()>|`"


@pytest.fixture(scope="module")
def hostile(made, tmp_path_factory):
    """A dataset whose every text says something, and whose sources write a file when they are run or imported."""
    root = tmp_path_factory.mktemp("hostile") / "dataset"
    shutil.copytree(made.root, root)
    mark = root.parent / "executed"
    source = f"__import__('pathlib').Path({str(mark)!r}).touch()  # {PLANTED}\n"

    def plant(table):
        for column in ("id", "name", "category", "description", "toolchain", "split", "docstring", "frontend"):
            if column in table.column_names:
                planted = f"{PLANTED}{column}" if column not in ("split", "frontend") else None
                table = table if planted is None else with_value(table, column, 0, planted)
        table = with_value(table, "tags", 0, [PLANTED])
        table = with_value(table, "python_source", 0, source)
        for column in ("cpp_forward", "cuda_forward"):
            table = with_value(table, column, 0, f"// {PLANTED}\n")
        return table

    shard = rewrite(root, 0, plant)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["shards"][0] |= {**shard.to_json(), "verdicts": {f"{PLANTED}: {PLANTED}": 1}, "reasons": {PLANTED: 1}}
    manifest["shards"][0]["tags"] = {PLANTED: 1}
    manifest["toolchain"][PLANTED] = PLANTED
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root, mark


def told(*words, **settings):
    """What a command prints, of whatever status."""
    line = [sys.executable, "-m", "irsmith", *map(str, words)]
    ended = subprocess.run(line, capture_output=True, text=True, check=False, timeout=200, **settings)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stdout + ended.stderr


LINES = {
    "stats": ["stats", "{}"],
    "stats as JSON": ["stats", "{}", "--json"],
    "show": ["show", "{}", "0", "--stage", "cuda"],
    "validate": ["validate", "{}", "--workers", "1"],
    "report": ["report", "{}", "--out", "{}/../report.html"],
    "audit": ["audit", "{}"],
    "dedup": ["dedup", "{}"],
    "diff": ["diff", "{}", "{}"],
    "no such row": ["show", "{}", PLANTED],
    "no such folder": ["stats", PLANTED],
    "no such format": ["export", "{}", "--format", PLANTED, "--out", "x"],
}


@pytest.mark.parametrize("name", LINES)
def test_reading_executes_nothing_and_steers_no_terminal(hostile, name):
    root, mark = hostile
    printed = told(*(word.replace("{}", str(root)) for word in LINES[name]))
    assert printed
    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert not mark.exists()


@pytest.mark.parametrize("name", TABLE)
def test_exporting_executes_nothing(hostile, name, tmp_path):
    root, mark = hostile
    printed = told(
        "export", root, "--format", name, "--out", tmp_path / "out", env=os.environ | {"HF_HUB_OFFLINE": "1"}
    )
    assert "\x1b" not in printed
    assert not mark.exists()


def test_a_coloured_terminal_gets_no_codes_of_a_row(hostile):
    root, _ = hostile
    printed = told("stats", root, env=os.environ | {"FORCE_COLOR": "1"})
    assert "\x1b]0;" not in printed
    assert "\x1b[2J" not in printed
    assert printable("\x1b]0;") in printed
    assert "[red]x[/red]" in printed.replace("\n", "")


def test_proving_it_again_runs_it_apart(hostile):
    """The reference reads the source and executes none of it; the texts run in processes that may open no file."""
    root, mark = hostile
    printed = told("verify", root, "--sample", "60")
    assert "\x1b" not in printed
    assert not mark.exists()


def test_a_card_holds_no_markup_of_others():
    found = cell(PLANTED + "\nx")
    assert not set("<>|`\x1b\x07\n") & set(found)
    assert "script" in found


def test_loading_rows_executes_nothing(hostile):
    root, mark = hostile
    list(irsmith.load(root).records())
    assert not mark.exists()
    assert len(shards_of(root)) == len(irsmith.load(root).manifest.shards)
