"""A dataset from a stranger is read, shown, reported and exported; nothing of it is executed or steers the terminal."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from tests.dataset.spoiling import rewrite, shards_of, with_value

import irsmith
from irsmith import Recipe, apart
from irsmith.apart.sealed import Sealed
from irsmith.cli.text import printable
from irsmith.dataset.card import cell
from irsmith.export import TABLE
from irsmith.frontends import sealing
from irsmith.pipeline import Pipeline

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
    "compare": ["compare", "{}", "{}"],
    "merge": ["merge", "{}", "--out", "{}/../merged"],
    "repro": ["repro", "{}", "0", "--out", "{}/../repro"],
    "decontaminate": ["decontaminate", "{}", "--against", "{}", "--out", "{}/../clean"],
    "push": ["push", "{}", "somebody/kernels", "--dry-run"],
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


@pytest.fixture
def server():
    """A port that notes whether anybody comes."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.2)
        yield listening


WRITES = "open({mark!r}, 'w')"
EVIL = {
    "writes": WRITES,
    "writes by a raw call": "import ctypes; ctypes.CDLL(None).syscall(2, {mark!r}.encode(), 0o101, 0o600)",
    "removes": "import os; os.unlink({kept!r})",
    "renames": "import os; os.rename({kept!r}, {mark!r})",
    "starts a program": "import os; os.system('touch {mark}')",
    "forks": "import os; os.fork() or open({mark!r}, 'w')",
    "in a thread": "import threading; t = threading.Thread(target=lambda: open({mark!r}, 'w')); t.start(); t.join()",
    "connects": "import socket; socket.create_connection(('127.0.0.1', {port}))",
    "signals": "import os; os.kill({pid}, 9)",
    "ends the process": "import os; os._exit(0)",
}
"""What a source does when it is executed."""
QUIET = ("writes by a raw call", "starts a program", "in a thread")
"""Those that do not look whether they came to anything."""


@pytest.mark.skipif(not sealing.possible(), reason="this system cannot filter system calls")
@pytest.mark.parametrize("frontend", ["warp", pytest.param("jax", marks=pytest.mark.slow)])
def test_lowering_again_what_a_stranger_wrote_changes_nothing_and_reaches_nobody(frontend, tmp_path, server):
    kept, mark = tmp_path / "kept", tmp_path / "mark"
    kept.touch()
    sleeper = subprocess.Popen(["sleep", "600"])
    pipeline = Pipeline(Recipe(frontend=frontend, seed=11))
    honest = pipeline.drawing.kernel(0)
    expected = pipeline.row(0).texts
    places = {"mark": str(mark), "kept": str(kept), "port": server.getsockname()[1], "pid": sleeper.pid}
    try:
        with Sealed(pipeline.frontend, pipeline.stages) as sealed:
            for name, line in EVIL.items():
                told = sealed.texts(replace(honest, source=f"{line.format(**places)}\n{honest.source}"))
                assert isinstance(told, str) or name in ("starts a program", "in a thread", "writes by a raw call"), (
                    name
                )
                assert not mark.exists(), name
                assert kept.exists(), name
                assert sleeper.poll() is None, name
                with pytest.raises(TimeoutError):
                    server.accept()
                assert sealed.texts(honest) == expected, name
    finally:
        sleeper.kill()
        sleeper.wait()


WRITTEN = """import os, struct, time
body = {body}
for descriptor in range(3, 40):
    try:
        os.write(descriptor, struct.pack("<IQ", len(body), {payload}) + body)
    except OSError:
        pass
{then}
"""
NOBODY_READS = """import functools, time, irsmith.frontends.pipes as pipes
pipes.asked = functools.partial(lambda sleep, descriptor: sleep(1e6), time.sleep)
"""
FORGED = {
    "nested": ("b'[' * 60000", 0, "", "ended the process"),
    "another column": ("""b'{"texts": {"evil": "x"}}'""", 0, "", "answered for the process"),
    "a payload": ("b'{}'", 1 << 31, "time.sleep(1e6)", "ended the process"),
    "no text": ("""b'{"texts": [1]}'""", 0, "", "answered for the process"),
    "and sleeps": ("""b'{"reject": "mine"}'""", 0, "time.sleep(1e6)", "answered for the process"),
}
"""What a source writes in place of its process: a frame, what it does then, and what is told."""


@pytest.mark.skipif(not sealing.possible(), reason="this system cannot filter system calls")
def test_a_source_that_answers_for_its_process_harms_nobody_else(monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 4.0)
    pipeline = Pipeline(Recipe(seed=11))
    honest = pipeline.drawing.kernel(0)
    expected = pipeline.row(0).texts
    # More than a pipe holds, so that who sleeps keeps who asks waiting.
    large = replace(honest, source=f"{honest.source}\n# {'x' * 400_000}\n")
    with Sealed(pipeline.frontend, pipeline.stages) as sealed:
        for name, (body, payload, then, wanted) in FORGED.items():
            source = WRITTEN.format(body=body, payload=payload, then=then) + honest.source
            told = sealed.texts(replace(honest, source=source))
            assert isinstance(told, str), name
            assert wanted in told, name
            if name == "and sleeps":
                asleep = replace(honest, source=NOBODY_READS + honest.source)
                assert isinstance(sealed.texts(asleep), dict)
                assert sealed.texts(large) == "did not end within 4 seconds"
            assert sealed.texts(honest) == expected, name


@pytest.mark.skipif(not sealing.possible(), reason="this system cannot filter system calls")
def test_verify_finds_what_a_source_would_do_beside_its_kernel(tmp_path):
    """The row proves like any other: what else its source does when it is executed, it does sealed off."""
    root, mark = tmp_path / "dataset", tmp_path / "mark"
    irsmith.generate(Recipe(count=2, seed=11), root, workers=1)

    def plant(table):
        source = table["python_source"][0].as_py()
        return with_value(table, "python_source", 0, f"{WRITES.format(mark=str(mark))}\n{source}")

    shard = rewrite(root, 0, plant)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["shards"][0] |= shard.to_json()
    (root / "manifest.json").write_text(json.dumps(manifest))
    printed = told("verify", root)
    assert "warp-11-0: its source does not lower: lower: PermissionError" in printed
    assert "warp-11-1: " not in printed
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
