"""A dataset is a function of its recipe: workers, runs, kills and damage change no byte."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import irsmith
from irsmith import Recipe, StoppedError, UserError, frontends
from irsmith.dataset.shard import Shard
from irsmith.frontends.warp import compiler
from irsmith.generation import RejectBound
from irsmith.pipeline import Pipeline

RECIPE = Recipe(count=45, seed=11, shard_size=10, verify="none")


def checksums(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    irsmith.generate(RECIPE, root, workers=2)
    return root


def command(root, *options):
    return [
        *(
            sys.executable,
            "-m",
            "irsmith",
            "generate",
            "--count",
            "45",
            "--seed",
            "11",
            "--verify",
            "none",
            "--out",
            str(root),
        ),
        *options,
    ]


def test_the_folder_holds_what_the_manifest_says(made):
    manifest = json.loads((made / "manifest.json").read_text())
    assert [shard["file"] for shard in manifest["shards"]] == [
        f"data/warp/part-{first:09d}.parquet" for first in range(0, 45, 10)
    ]
    for shard in manifest["shards"]:
        data = made / shard["file"]
        assert hashlib.sha256(data.read_bytes()).hexdigest() == shard["sha256"]
        assert pq.read_metadata(data).num_rows == shard["rows"]
    assert manifest["tried"] == 45
    assert manifest["toolchain"]["warp-lang"] == "1.19.0"
    assert not (made / ".irsmith").exists()
    assert {path.name for path in made.iterdir()} <= {"README.md", "recipe.toml", "manifest.json", "data", "rejects"}


def test_workers_and_runs_give_the_same_bytes(made, tmp_path):
    irsmith.generate(RECIPE, tmp_path / "one", workers=1)
    assert checksums(tmp_path / "one") == checksums(made)
    irsmith.generate(RECIPE, tmp_path / "three", workers=3)
    assert checksums(tmp_path / "three") == checksums(made)


def test_a_longer_run_has_the_rows_of_a_shorter_one(made):
    rows = list(irsmith.load(made))
    assert [row.index for row in rows] == sorted(row.index for row in rows)
    assert rows[0] == Pipeline(Recipe(count=1, seed=11)).row(0)


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_run_completes_with_the_same_bytes(made, tmp_path, attempt):
    recipe = tmp_path / "r.toml"
    recipe.write_text(RECIPE.to_toml())
    line = [sys.executable, "-m", "irsmith", "generate", str(recipe), "--out", str(tmp_path / "out"), "-q"]
    run = subprocess.Popen(line, start_new_session=True)
    time.sleep(random.Random(attempt).uniform(0.5, 3.5))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    for path in (tmp_path / "out" / "data").rglob("*.parquet"):
        pq.read_table(path)
    subprocess.run(line, check=True)
    assert checksums(tmp_path / "out") == checksums(made)


def test_a_run_that_was_killed_at_once_leaves_a_folder_to_go_on_in(made, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "recipe.toml.7.part~").write_text("coun")
    irsmith.generate(RECIPE, tmp_path / "out")
    assert checksums(tmp_path / "out") == checksums(made)


@pytest.mark.parametrize("engine", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_interrupting_says_how_to_go_on(tmp_path, engine):
    line = [*command(tmp_path / "out"), "--count", "20000", "--engine", engine]
    run = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list((tmp_path / "out").glob(".irsmith/begun-*")):
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(signal.SIGTERM)
    # Far sooner than it would have been done.
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 130
    assert errors.strip().splitlines()[-1].endswith("the same command goes on from there")
    assert "Traceback" not in errors
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_damaged_and_lost_shards_are_made_again(made, tmp_path):
    root = tmp_path / "copy"
    irsmith.generate(RECIPE, root, workers=2)
    parts = sorted((root / "data" / "warp").iterdir())
    parts[0].write_bytes(parts[0].read_bytes()[:-5])
    parts[2].unlink()
    flipped = bytearray(parts[3].read_bytes())
    flipped[100] ^= 1
    parts[3].write_bytes(flipped)
    summary = irsmith.generate(RECIPE, root, workers=1)
    assert summary.resumed == 15
    assert checksums(root) == checksums(made)


def test_a_finished_dataset_is_left_as_it_is(made):
    before = checksums(made)
    assert irsmith.generate(RECIPE, made).resumed == 45
    assert checksums(made) == before


def test_another_recipe_is_refused_and_says_which(made):
    before = checksums(made)
    with pytest.raises(UserError, match=r"another recipe \(seed: 11 there, 12 here\).*--overwrite"):
        irsmith.generate(Recipe(count=45, seed=12, shard_size=10, verify="none"), made)
    assert checksums(made) == before


def test_another_toolchain_does_not_go_on_where_one_began(made, tmp_path, monkeypatch):
    root = tmp_path / "copy"
    shutil.copytree(made, root)
    before = checksums(root)
    monkeypatch.setattr(type(frontends.get("warp")), "generator", lambda _: 99)
    with pytest.raises(UserError, match=r"begun with irsmith-generator \d+, and this is irsmith-generator 99"):
        irsmith.generate(RECIPE, root)
    assert checksums(root) == before


def test_overwrite_replaces(tmp_path):
    irsmith.generate(Recipe(count=3, seed=1, verify="none"), tmp_path / "d", workers=1)
    irsmith.generate(Recipe(count=2, seed=2, verify="none"), tmp_path / "d", workers=1, overwrite=True)
    irsmith.generate(Recipe(count=2, seed=2, verify="none"), tmp_path / "fresh", workers=1)
    assert checksums(tmp_path / "d") == checksums(tmp_path / "fresh")


def test_a_strangers_folder_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(UserError, match=r"holds 'thesis\.tex' and no dataset"):
            irsmith.generate(RECIPE, tmp_path, overwrite=overwrite)
    assert checksums(tmp_path).keys() == {"thesis.tex"}


def test_two_runs_on_one_folder(tmp_path):
    root = tmp_path / "out"
    first = subprocess.Popen([*command(root), "--count", "3000", "-q"], start_new_session=True)
    try:
        while not (root / "recipe.toml").exists():
            time.sleep(0.05)
        second = subprocess.run([*command(root), "--count", "3000"], capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert "another run is writing here" in second.stderr
    finally:
        first.terminate()
        first.wait()


@pytest.fixture
def small_disk(tmp_path):
    mounted = tmp_path / "disk"
    mounted.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(mounted)]
    if subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


def test_no_space_left_is_one_line_and_nothing_half_written(small_disk):
    # Quiet: on a slow machine a line of progress would stand beside the error.
    run = subprocess.run(command(small_disk / "out", "-q"), capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "No space left" in run.stderr
    for path in small_disk.rglob("*.parquet"):
        pq.read_table(path)
    assert not list(small_disk.rglob("*part~"))
    assert not (small_disk / "out" / "manifest.json").exists()


def test_a_read_only_folder_is_one_line(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    run = subprocess.run(command(small_disk / "out"), capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert "Read-only file system" in run.stderr


def test_a_missing_frontend_touches_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(compiler, "TESTED_VERSION", "9.9.9")
    with pytest.raises(UserError, match=r"9\.9\.9"):
        irsmith.generate(RECIPE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def shard(first, tried, rejected):
    return Shard("warp", first, tried, tried - len(rejected), "", 0, tuple(rejected), {"lower: X": len(rejected)}, "")


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_the_reject_bound_is_decided_in_index_order(order, tmp_path):
    # 5 % of 500 is 25: the 26th reject among the first 500 passes the bound, whatever came in first.
    shards = [shard(0, 250, range(20)), shard(250, 250, range(250, 256)), shard(500, 250, []), shard(750, 250, [])]
    bound = RejectBound(Recipe(count=1000), tmp_path)

    def finish():
        for number in order:
            bound.add(shards[number])

    with pytest.raises(StoppedError, match=r"26 of the first 500 kernels.*lower: X"):
        finish()


def test_the_reject_bound_waits_for_enough_and_then_watches_every_reject(tmp_path):
    bound = RejectBound(Recipe(count=2000), tmp_path)
    # All of the first 25 are rejects, which only 500 kernels make 5 %.
    bound.add(shard(0, 250, range(25)))
    bound.add(shard(250, 250, []))
    bound.add(shard(500, 250, [520, 540, 560]))
    with pytest.raises(StoppedError, match="39 of the first 761"):
        bound.add(shard(750, 250, range(750, 765)))


def test_a_run_of_rejects_alone_stops(tmp_path):
    bound = RejectBound(Recipe(count=20), tmp_path)
    bound.add(shard(0, 20, range(20)))
    with pytest.raises(StoppedError, match="all 20 kernels were rejected"):
        bound.complete()
