"""`irsmith repro`: any row or reject of a dataset becomes a folder, and a bad id one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig

import pytest

import irsmith
from irsmith import Recipe, UserError
from irsmith.frontends.warp.stages import CPP, CUDA
from irsmith.pipeline import Pipeline
from irsmith.repro import write

RECIPE = Recipe(count=6, seed=5, verify="none")
BROKEN = "import warp as wp\n\n\n@wp.kernel\ndef k(x: wp.array(dtype=float)):\n    x[0] = wp.sin(1)\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A dataset in which three indices stand as rejects."""
    root = tmp_path_factory.mktemp("made")
    irsmith.generate(RECIPE, root, workers=1)
    fine = Pipeline(RECIPE).drawing.kernel(2)
    rejects = [
        {"index": 1, "step": "lower", "symptom": "Oops", "message": "so\nit is", "source": BROKEN, "name": "k"},
        {"index": 2, "step": "lower", "symptom": "Odd", "message": "?", "source": fine.source, "name": fine.name},
        {"index": 3, "step": "synthesise", "symptom": "DeadEnd", "message": "full", "source": "", "name": ""},
    ]
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["shards"][0]["rejected"] = [1, 2, 3]
    (root / "manifest.json").write_text(json.dumps(manifest))
    folder = root / "rejects" / "warp"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"category": "loop", **reject}) + "\n" for reject in rejects]
    (folder / "part-000000000.jsonl").write_text("".join(lines))
    return root


def run(root):
    environment = {"PYTHONPATH": sysconfig.get_path("purelib"), "PATH": os.environ["PATH"]}
    line = [sys.executable, "-S", "run.py"]
    return subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_a_row_by_its_id(made, tmp_path):
    row = irsmith.load(made).row("0")
    root = write(made, row.id, tmp_path / "there")
    assert root == tmp_path / "there"
    assert (root / "kernel.py").read_text() == row.kernel.source
    assert (root / "unit.cpp").read_text() == CPP.unit(row.texts)
    assert (root / "unit.cu").read_text() == CUDA.unit(row.texts)
    page = (root / "README.md").read_text()
    assert row.id in page
    assert "warp-lang 1.19.0" in page
    said = run(root)
    forward = [line for line in said.stdout.splitlines() if line.startswith("forward")]
    assert forward, said.stderr
    assert all(line.endswith("as expected") for line in forward), forward


def test_a_reject_that_lowers_again_is_whole(made, tmp_path):
    root = write(made, "2", tmp_path / "there")
    assert "rejected at the step *lower* with the symptom *Odd*" in (root / "README.md").read_text()
    assert (root / "unit.cpp").is_file()
    assert "forward" in run(root).stdout


def test_a_reject_that_does_not_lower_is_left_to_warp(made, tmp_path):
    root = write(made, f"warp-{RECIPE.seed}-1", tmp_path / "there")
    assert "```\nso\nit is\n```" in (root / "README.md").read_text()
    assert (root / "kernel.py").read_text() == BROKEN
    assert not (root / "unit.cpp").exists()
    said = run(root)
    assert said.returncode == 1
    assert "WarpCodegen" in said.stderr


def test_the_command_says_where(made, tmp_path):
    line = [sys.executable, "-m", "irsmith", "repro", str(made), "0"]
    said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout == "repro-0: see README.md there\n"
    assert (tmp_path / "repro-0" / "run.py").is_file()


@pytest.mark.parametrize(
    ("row_id", "message"),
    [
        ("99", "no row '99': ids look like 'warp-5-0'"),
        ("warp-5-99", "no row 'warp-5-99'"),
        ("nonsense", "no row 'nonsense'"),
        ("3", "index 3 never became a kernel: synthesise: DeadEnd: full"),
    ],
)
def test_a_bad_id_is_one_line(made, tmp_path, row_id, message):
    with pytest.raises(UserError, match=message):
        write(made, row_id, tmp_path / "there")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_alone(made, tmp_path):
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(UserError, match="mine: exists"):
        write(made, "0", tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "kept"


def test_no_dataset_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no dataset here"):
        write(tmp_path, "0")
