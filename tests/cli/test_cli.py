"""The command line: what it prints, how it fails, and how soon it answers."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.cli.command import refused, run

import irsmith
from irsmith import Recipe, frontends
from irsmith.cli import COMMANDS, cli
from irsmith.cli.say import printable
from irsmith.cli.text import print_row
from irsmith.drawing import Drawing
from irsmith.frontends import get


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    irsmith.generate(Recipe(count=12, seed=5, verify="none"), root, workers=1)
    return root


def test_help_names_every_command():
    shown = run("--help")
    assert shown.returncode == 0
    for name, meaning in COMMANDS.items():
        assert f"{name} " in shown.stdout
        assert meaning.split()[0] in shown.stdout
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_help_loads_neither_a_jit_nor_arrow():
    code = (
        "import sys\nfrom irsmith.cli import main\nsys.argv = ['irsmith', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'warp', 'pyarrow', 'numpy', 'rich', 'jax'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, irsmith\nassert not {'warp', 'pyarrow', 'numpy', 'click'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_generate_prints_a_summary_as_json(tmp_path):
    shown = run(
        "generate",
        "--frontend",
        "warp",
        "--count",
        4,
        "--seed",
        7,
        "--verify",
        "none",
        "--out",
        tmp_path / "d",
        "--json",
    )
    assert shown.returncode == 0, shown.stderr
    summary = json.loads(shown.stdout)
    assert summary["tried"] == 4
    assert summary["rows"] + sum(summary["rejects"].values()) == 4
    assert summary["toolchain"]["warp-lang"] == "1.19.0"


def test_generate_quiet_says_nothing(tmp_path):
    shown = run("generate", "--count", 2, "--verify", "none", "--out", tmp_path / "d", "-q")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")


def test_a_recipe_file_and_an_option_beside_it(tmp_path):
    (tmp_path / "r.toml").write_text("count = 50\nseed = 9\nverify = 'none'\n[categories]\nloop = 1.0\n")
    shown = run("generate", "r.toml", "--count", 3, "--out", "d", "--json", "--jsonl", cwd=tmp_path)
    assert json.loads(shown.stdout)["tried"] == 3
    rows = list(irsmith.load(tmp_path / "d"))
    assert {row.kernel.category for row in rows} == {"loop"}
    assert {row.seed for row in rows} == {9}
    assert len((tmp_path / "d" / "dataset.jsonl").read_text().splitlines()) == len(rows)


def test_show_puts_python_beside_the_text(made):
    row = next(iter(irsmith.load(made)))
    wide = run("show", made, row.id, env={"COLUMNS": "220", "PATH": ""})
    assert wide.returncode == 0, wide.stderr
    assert re.search(r"^ +1 \S.* 1 \S", wide.stdout, re.MULTILINE)
    for wanted in ("cpp forward", "cpp backward", row.kernel.name, "launch"):
        assert wanted in wide.stdout
    narrow = run("show", made, "0", "--stage", "cuda", "--direction", "forward", env={"COLUMNS": "80", "PATH": ""})
    assert "cuda forward" in narrow.stdout
    assert "backward" not in narrow.stdout


def test_show_cuts_no_line(made):
    row, stage = next(iter(irsmith.load(made))), get("warp").stages[0]
    text = stage.functions(row.texts, "forward")
    assert max(map(len, text.splitlines())) > 80
    plain = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    piped = run("show", made, row.id, "--direction", "forward", env=plain).stdout.splitlines()
    for number, line in enumerate(text.splitlines(), 1):
        # A tab is shown as spaces.
        assert f"{number}{''.join(line.split())}" in ["".join(shown.split()) for shown in piped]
    for terminal, width in itertools.product((True, False), (40, 160)):
        shown = io.StringIO()
        print_row(Console(file=shown, force_terminal=terminal, no_color=True, width=width), row, [stage], ["forward"])
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue()).splitlines()
        assert terminal is False or max(map(len, lines)) <= width
        if width == 160:
            # The Python stands beside it.
            lines = [line[66:] for line in lines]
        every = "".join("".join(lines).split())
        for line in text.splitlines():
            assert "".join(line.split()) in every


def test_stats_as_text_and_json(made):
    text = run("stats", made)
    assert "12 tried" in text.stdout
    found = json.loads(run("stats", made, "--json").stdout)
    assert found["tried"] == 12
    assert found["total"]["rows"] == len(irsmith.load(made))


def test_sample_prints_what_generate_makes(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('frontend = "jax"\nstages = ["hlo"]\n\n[categories]\nsoftmax = 1.0\n')
    for frontend, line, options in (
        ("warp", "@wp.kernel", ()),
        ("jax", "import jax.numpy as jnp", ("--frontend", "jax")),
        ("jax", "import jax.numpy as jnp", ("--recipe", recipe)),
        # Another frontend has categories and stages of its own.
        ("warp", "@wp.kernel", ("--recipe", recipe, "--frontend", "warp")),
    ):
        shown = run("sample", "-n", 2, *options)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.count(line) == 2
        if recipe not in options:
            kernel = Drawing(Recipe(frontend=frontend)).kernel(1)
            assert kernel.source.strip() in shown.stdout
    wrong = run("sample", "--frontend", "jax", "--category", "atomic")
    assert wrong.returncode == 2
    assert "unknown category 'atomic'" in wrong.stderr


def test_doctor_tries_every_stage():
    shown = run("doctor")
    assert shown.returncode == 0, shown.stderr
    for wanted in ("warp: warp-lang 1.19.0", "cpp: works", "cuda: works", "accelerator:"):
        assert wanted in shown.stdout
    warp, jax = json.loads(run("doctor", "--json").stdout)
    assert jax["frontend"] == "jax"
    assert jax["problem"] or not any(jax["stages"].values())
    assert warp["stages"] == {"cpp": "", "cuda": "", "ptx": ""}


def test_selftest_says_what_it_spoiled_and_what_it_missed():
    shown = run("selftest", "--rows", 1, "--per-row", 6, "--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert (found["rows"], found["made"], found["missed"]) == (1, 6, [])
    assert found["made"] == sum(kind["made"] for kind in found["kinds"])
    assert found["detected"] == found["judged"] == 6 - found["broken"] - found["equivalent"]
    assert found["interval"][0] < found["detection"] == 1.0 == found["interval"][1]


def test_lower_shows_json_and_writes_rows(tmp_path):
    (tmp_path / "f.py").write_text(
        "import warp as wp\n\n\n@wp.kernel\ndef k(x: wp.array(dtype=float)):\n    x[wp.tid()] = 1.0\n"
    )
    shown = run("lower", "f.py", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "k_cpu_kernel_forward" in shown.stdout
    assert "k_cuda_kernel_backward" in shown.stdout
    record = json.loads(run("lower", "f.py", "--json", "--stage", "cuda", cwd=tmp_path).stdout)
    assert record["kernel"] == "k"
    assert "cpp_forward" not in record
    assert run("lower", "f.py", "--out", "rows.parquet", cwd=tmp_path).stdout == "1 rows in rows.parquet\n"
    assert (tmp_path / "rows.parquet").exists()


def test_lower_fails_when_a_kernel_does_not_lower(tmp_path):
    (tmp_path / "f.py").write_text(
        "import warp as wp\n\n\n@wp.kernel\ndef k(x: wp.array(dtype=float)):\n    x[wp.tid()] = nope\n"
    )
    shown = run("lower", "f.py", cwd=tmp_path)
    assert shown.returncode == 1
    assert "k: not lowered: CannotStandAlone" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--count", "0", "--out", "d"], "count: 0 is not a positive number"),
        (["generate", "--count", "-5", "--out", "d"], "count: -5 is not a positive number"),
        (["generate", "--workers", "0", "--out", "d"], "workers: 0 is not a positive number"),
        (["generate", "--frontend", "wrap", "--out", "d"], "unknown frontend 'wrap': did you mean 'warp'?"),
        (["generate", "--category", "lop", "--out", "d"], "unknown category 'lop': did you mean 'loop'?"),
        (["generate", "--stage", "cpu", "--out", "d"], "unknown stage 'cpu' of frontend warp: did you mean 'cpp'?"),
        (["generate", "--count", "many", "--out", "d"], "'many' is not a valid integer"),
        (["generate", "--verify", "ful", "--out", "d"], "verify: unknown level 'ful': did you mean 'full'?"),
        (["generate", "none.toml", "--out", "d"], "none.toml: No such file"),
        (["generate"], "Missing option '--out'"),
        (["generat"], "unknown command 'generat': did you mean 'generate'?"),
        (["generate", "--cuont", "3", "--out", "d"], "No such option"),
        (["stats", "nowhere"], "no dataset here"),
        (["show", "nowhere", "1"], "no dataset here"),
        (["selftest", "--rows", "0"], "--rows: 0 is not a positive number"),
        (["selftest", "--per-row", "0"], "--per-row: 0 is not a positive number"),
        (["lower", "none.py"], "none.py: No such file"),
        (["lower", "none.py", "--out", "rows.csv"], "rows are written as .parquet or .jsonl"),
    ],
)
def test_bad_input_is_one_line_and_status_two(tmp_path, arguments, message):
    refused(arguments, message, tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "made", "--out", "/proc/r.html"],
        ["export", "made", "--format", "pair-files", "--out", "/proc/x"],
        ["dedup", "made", "--clusters", "/proc/c.parquet"],
        ["audit", "made", "--html", "/proc/x.html"],
        ["merge", "made", "--out", "/proc/x"],
    ],
)
def test_what_cannot_be_written_is_one_line(made, arguments):
    shown = run(*[made if word == "made" else word for word in arguments])
    assert (shown.returncode, shown.stderr.count("\n")) == (2, 1)
    assert arguments[-1] in shown.stderr


def test_output_that_cannot_be_written_is_one_line(made):
    line = [sys.executable, "-m", "irsmith", "stats", str(made)]
    with Path("/dev/full").open("w") as full:
        shown = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (2, "irsmith: output: No space left on device\n")


def ended_while_writing(line, folder, number):
    """Start a command that writes what is called x, let it run by and by, and end it when something is there."""
    while True:
        started = subprocess.Popen(line, cwd=folder, stderr=subprocess.PIPE, text=True)
        while started.poll() is None:
            time.sleep(0.001)
            started.send_signal(signal.SIGSTOP)
            begun = list(folder.glob("x*.part~"))
            if begun:
                started.send_signal(number)
            started.send_signal(signal.SIGCONT)
            if begun:
                return started
        # It was faster than the look at it.
        started.communicate()
        assert started.returncode == 0
        for made in folder.glob("x*"):
            shutil.rmtree(made) if made.is_dir() else made.unlink()


@pytest.mark.parametrize(
    ("number", "command"),
    [
        (signal.SIGTERM, ["merge", "d", "--out", "x[1]"]),
        (signal.SIGKILL, ["merge", "d", "--out", "x[1]"]),
        (signal.SIGKILL, ["export", "d", "--format", "pairs-jsonl", "--out", "x[1].jsonl"]),
        (signal.SIGKILL, ["repro", "d", "1", "--out", "x[1]"]),
    ],
)
def test_a_command_that_was_ended_leaves_nothing_that_the_next_does_not_clear(made, tmp_path, number, command):
    (tmp_path / "d").symlink_to(made)
    ended = ended_while_writing([sys.executable, "-m", "irsmith", *command], tmp_path, number)
    _, errors = ended.communicate(timeout=60)
    if number == signal.SIGTERM:
        assert ended.returncode == 130
        assert errors.strip().startswith("irsmith: interrupted")
        assert errors.strip().count("\n") == 0
    else:
        assert list(tmp_path.glob("x*.part~"))
        assert run(*command, cwd=tmp_path).returncode == 0
        assert list(tmp_path.glob("x*"))
    assert not list(tmp_path.glob("x*.part~"))


COLLECTING = """
import gc, os, signal, sys
from irsmith import cli

def callback(phase, info):
    if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL and not sent:
        sent.append(True)
        os.kill(os.getpid(), signal.{number})

sent = []
gc.callbacks.append(callback)
sys.argv = ["irsmith", "sample", "-n", "5000"]
cli.main()
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_request_to_end_is_not_lost_while_the_garbage_collector_calls_somebody(number):
    line = [sys.executable, "-c", COLLECTING.format(number=number)]
    shown = subprocess.run(line, capture_output=True, text=True, check=False, timeout=250)
    assert shown.returncode == 130
    assert shown.stderr.strip().startswith("irsmith: interrupted")
    assert "\n" not in shown.stderr.strip()


def test_a_dataset_cannot_steer_the_terminal():
    assert printable("a\x1b[2Jb\tc\n\r\x07\x9b\ud800") == "a\\x1b[2Jb\tc\n\\x0d\\x07\\x9b\\xd800"


@pytest.mark.parametrize("command", ["generate", "verify"])
def test_a_device_that_is_not_there_is_said(command, made, tmp_path):
    if frontends.get("warp").accelerator():
        pytest.skip("there is a device here")
    target = [str(made)] if command == "verify" else ["--out", str(tmp_path / "new")]
    result = run(command, *target, "--device", "cuda")
    assert result.returncode == 2
    assert result.stderr.startswith("irsmith: device: the warp frontend finds no accelerator")
    assert not (tmp_path / "new").exists()
