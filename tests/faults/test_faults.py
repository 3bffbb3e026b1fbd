"""Faults on purpose: a run ends with the bytes of an undisturbed one, or with one clear line."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.checksums import checksums

import irsmith
from irsmith import Recipe

RECIPE = Recipe(count=24, seed=11, shard_size=4, verify="none")
PROVED = Recipe(count=12, seed=11, shard_size=4)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """What an undisturbed run of the recipe leaves."""
    root = tmp_path_factory.mktemp("undisturbed") / "out"
    irsmith.generate(RECIPE, root, workers=1)
    return checksums(root)


def line(recipe, root, *options):
    file = root.parent / "recipe.toml"
    file.write_text(recipe.to_toml())
    return [sys.executable, "-m", "irsmith", "generate", str(file), "--out", str(root), "-q", *options]


def finish(recipe, root):
    subprocess.run(line(recipe, root), check=True, timeout=200)
    return checksums(root)


def fails(command, **settings):
    """The one line that a run ends with, and its exit status."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200, **settings)
    assert "Traceback" not in ended.stderr, ended.stderr
    (said,) = ended.stderr.splitlines()
    return said, ended.returncode


def children(pid):
    """The processes below one."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def noted(out):
    """How many shards an unfinished run has noted as done; none where there is a dataset."""
    if (out / "manifest.json").exists():
        return 0
    return len([path for path in out.glob(".irsmith/*.json") if path.stem.isdecimal()])


def killed_again_and_again(recipe, root, moments, within, seed, longest):
    """Start a run and kill it, over and over.

    Of every two moments one is drawn from the run's start on and one from when it has noted one shard more than the run
    before, so that not only beginnings are met.

    Args:
        recipe: What is made.
        root: The folder that the datasets stand in: one is gone on with until it is finished.
        moments: How often.
        within: How many kills at least have to meet a run of which some shards are noted as done and the dataset is
            not finished: what comes next has to go on with them.
        seed: Of the moments.
        longest: Seconds to the last of them.

    Returns:
        The datasets, of which the last may be unfinished.
    """
    draws = random.Random(seed)
    outs = [root / "0"]
    met = []
    for number in range(moments):
        out = outs[-1]
        out.parent.mkdir(exist_ok=True)
        before = noted(out)
        run = subprocess.Popen(line(recipe, out), stderr=subprocess.DEVNULL)
        if number % 2:
            time.sleep(draws.uniform(0.2, longest))
        else:
            while noted(out) <= before and run.poll() is None:
                time.sleep(0.01)
            time.sleep(draws.uniform(0.0, longest / 20))
        # The run alone: its workers have to notice by themselves.
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        met.append(noted(out))
        if (out / "manifest.json").exists():
            outs.append(root / str(len(outs)))
    assert len(met) - met.count(0) >= within, met
    # Not one and the same state, met again and again.
    assert len({count for count in met if count}) >= min(2, within), met
    return [out for out in outs if out.exists()]


def test_killed_at_three_moments(wanted, tmp_path):
    for out in killed_again_and_again(RECIPE, tmp_path / "runs", 3, 1, 1, 6.0):
        assert finish(RECIPE, out) == wanted


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("recipe", [RECIPE, PROVED], ids=["unproved", "proved"])
def test_killed_at_twenty_moments(recipe, tmp_path):
    began = time.monotonic()
    expected = data(finish(recipe, tmp_path / "undisturbed"))
    took = time.monotonic() - began
    for out in killed_again_and_again(recipe, tmp_path / "runs", 20, 10, 2, took):
        assert data(finish(recipe, out)) == expected


def data(found):
    """Without what was measured, which no two runs measure alike."""
    return {name: checksum for name, checksum in found.items() if not name.startswith("measurements")}


def test_a_killed_worker_costs_its_shard_one_more_try(wanted, tmp_path):
    out = tmp_path / "out"
    run = subprocess.Popen(line(RECIPE, out, "--workers", "2"))
    workers = []
    while len(workers) < 2 and run.poll() is None:
        time.sleep(0.05)
        workers = [pid for pid in children(run.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
    time.sleep(1.0)
    os.kill(workers[0], signal.SIGKILL)
    assert run.wait(timeout=200) == 0
    assert checksums(out) == wanted


def test_a_request_to_end_is_met_within_seconds(wanted, tmp_path):
    out = tmp_path / "out"
    run = subprocess.Popen(line(RECIPE, out), stderr=subprocess.PIPE, text=True)
    while not (out / "data").exists() and run.poll() is None:
        time.sleep(0.05)
    below = children(run.pid)
    run.terminate()
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130
    assert said.strip() == "irsmith: interrupted; what was finished is kept, and the same command goes on from there"
    while [pid for pid in below if Path(f"/proc/{pid}").exists()]:
        time.sleep(0.05)
    assert not (out / "manifest.json").exists()
    assert finish(RECIPE, out) == wanted


@contextmanager
def mounted(folder, options):
    """A small filesystem of its own, where this user may mount one."""
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("this user may not mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_one_line_and_more_room_goes_on(wanted, tmp_path):
    with mounted(tmp_path / "disk", "size=200k") as disk:
        out = disk / "out"
        (disk.parent / "recipe.toml").write_text(RECIPE.to_toml())
        command = [
            sys.executable,
            "-m",
            "irsmith",
            "generate",
            str(disk.parent / "recipe.toml"),
            "--out",
            str(out),
            "-q",
        ]
        said, status = fails(command)
        assert status == 2
        assert "No space left on device" in said
        assert not list(out.rglob("*part~"))
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        subprocess.run(command, check=True, timeout=200)
        assert checksums(out) == wanted


def test_files_that_may_not_grow_are_one_line(wanted, tmp_path):
    """What a quota does, for those who may not mount: a write fails midway."""
    out = tmp_path / "out"
    said, status = fails(
        line(RECIPE, out), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    )
    assert status == 2
    assert "File too large" in said
    assert finish(RECIPE, out) == wanted


def test_a_folder_that_may_not_be_written_is_one_line(tmp_path):
    with mounted(tmp_path / "disk", "size=1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        (tmp_path / "recipe.toml").write_text(RECIPE.to_toml())
        command = [sys.executable, "-m", "irsmith", "generate", str(tmp_path / "recipe.toml"), "--out"]
        assert fails([*command, str(disk / "out")]) == (f"irsmith: {disk / 'out'}: Read-only file system", 2)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_vanishes_is_one_line(wanted, tmp_path, replaced):
    out = tmp_path / "out"
    run = subprocess.Popen(line(RECIPE, out), stderr=subprocess.PIPE, text=True)
    while not list(out.glob("data/warp/part-*.parquet")) and run.poll() is None:
        time.sleep(0.02)
    out.rename(tmp_path / "moved")
    if replaced:
        out.mkdir()
    _, said = run.communicate(timeout=200)
    assert run.returncode == 1, said
    (last,) = said.splitlines()
    assert f"{out}: was moved or removed while a run was writing to it" in last
    assert not (out / "manifest.json").exists()
    assert finish(RECIPE, tmp_path / "moved") == wanted


def test_a_part_is_cut_short_turned_or_lost(wanted, tmp_path):
    out = tmp_path / "out"
    finish(RECIPE, out)
    parts = sorted((out / "data" / "warp").iterdir())
    parts[0].write_bytes(parts[0].read_bytes()[:-5])
    flipped = bytearray(parts[3].read_bytes())
    flipped[len(flipped) // 2] ^= 4
    parts[3].write_bytes(flipped)
    parts[5].unlink()
    assert finish(RECIPE, out) == wanted


def test_two_runs_on_one_folder(wanted, tmp_path):
    out = tmp_path / "out"
    first = subprocess.Popen(line(RECIPE, out))
    while not (out / "recipe.toml").exists():
        time.sleep(0.02)
    said, status = fails(line(RECIPE, out))
    assert status == 2
    assert said == f"irsmith: {out}: another run is writing here: wait for it, or choose another folder"
    assert first.wait(timeout=200) == 0
    assert checksums(out) == wanted


CLOCK = """
import datetime, itertools, time
steps = itertools.count(4e9, -3600.0)
time.time = lambda: next(steps)
time.time_ns = lambda: int(next(steps) * 1e9)
"""
"""A clock that goes back an hour at each look."""


def test_a_clock_that_is_set_back(wanted, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    path = f"{tmp_path / 'clock'}:{os.environ.get('PYTHONPATH', '')}"
    run = subprocess.Popen(line(RECIPE, out), env=os.environ | {"PYTHONPATH": path})
    while len(list(out.glob("data/warp/part-*.parquet"))) < 3 and run.poll() is None:
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    for number, file in enumerate(sorted(out.rglob("*"))):
        os.utime(file, (4e9, 4e9) if number % 2 else (1.0, 1.0))
    subprocess.run(line(RECIPE, out), check=True, env=os.environ | {"PYTHONPATH": path}, timeout=200)
    assert checksums(out) == wanted
