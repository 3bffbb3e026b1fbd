"""Notes that were cut off and measurements that are gone cost a run their shards, and nobody a traceback."""

from __future__ import annotations

import json
import shutil
import time

import pytest
from tests.cli.command import run
from tests.dataset.spoiling import SMALL, checksums, shards_of, unfinished
from tests.engines.tasks import double

import irsmith
from irsmith import Recipe, UserError
from irsmith.dataset import measured
from irsmith.engines import local
from irsmith.generation import append

PROVED = Recipe(count=6, seed=3, shard_size=3)


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    root = tmp_path_factory.mktemp("proved") / "d"
    irsmith.generate(PROVED, root, workers=2)
    return root


@pytest.mark.parametrize(("content", "prefix"), [('{"con', ""), ("[]", ""), ("\x80", ""), ('{"con', "fsspec+file://")])
def test_a_note_that_was_cut_off_says_nothing(copy, content, prefix):
    wanted = checksums(copy)
    unfinished(copy, shards_of(copy))
    for note in ("000000016.json", "toolchain.json"):
        (copy / ".irsmith" / note).write_bytes(content.encode("latin-1"))
    summary = irsmith.generate(SMALL, f"{prefix}{copy}", workers=1)
    assert summary.resumed == 24
    assert checksums(copy) == wanted


def test_beside_notes_a_manifest_that_was_cut_off_says_nothing(copy):
    wanted = checksums(copy)
    whole = (copy / "manifest.json").read_text()
    unfinished(copy, shards_of(copy))
    (copy / "manifest.json").write_text(whole[:100])
    assert irsmith.generate(SMALL, copy, workers=1).resumed == 40
    assert checksums(copy) == wanted


def test_a_manifest_that_was_cut_off_names_the_way_out(copy):
    wanted = checksums(copy)
    (copy / "manifest.json").write_text('{"schema')
    with pytest.raises(UserError, match=r"manifest\.json: cannot be read: .*: remove it, and the same command"):
        irsmith.generate(SMALL, copy, workers=1)
    (copy / "manifest.json").unlink()
    irsmith.generate(SMALL, copy, workers=2)
    assert checksums(copy) == wanted


def test_lines_that_stand_in_the_folder_follow_the_dataset(copy):
    append(copy, 3, workers=1)
    lines = (copy / "dataset.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [row.id for row in irsmith.load(copy)]
    assert run("validate", copy).returncode == 0


def spoil(path, how):
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "cut off":
        path.write_bytes(content[: len(content) // 2])
    else:
        # In the middle of the first column's page.
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])


@pytest.mark.parametrize("how", ["gone", pytest.param("cut off", marks=pytest.mark.slow), "a bit"])
def test_measurements_that_are_gone_or_spoiled_are_made_again(proved, tmp_path, how):
    shutil.copytree(proved, tmp_path / "d")
    path = tmp_path / "d" / "measurements" / "warp" / "part-000000003.parquet"
    ids = measured.read(path)["id"]
    spoil(path, how)
    if how == "cut off":
        for arguments in (["report", "d"], ["merge", "d", "--out", "m"]):
            shown = run(*arguments, cwd=tmp_path)
            assert (shown.returncode, shown.stderr.count("\n")) == (2, 1)
            assert "part-000000003.parquet: cannot be read" in shown.stderr
    assert irsmith.generate(PROVED, tmp_path / "d", workers=1).resumed == 3
    assert measured.read(path)["id"] == ids
    assert irsmith.generate(PROVED, tmp_path / "d", workers=1).resumed == 6


def test_a_run_of_as_many_as_there_may_be_begins_at_once(tmp_path):
    began = time.monotonic()

    def stop(progress):
        assert progress.count == 10**9
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        irsmith.generate(Recipe(count=10**9, shard_size=1, verify="none"), tmp_path / "d", workers=1, on_progress=stop)
    assert time.monotonic() - began < 20
    with pytest.raises(UserError, match=r"count: 1000000000000 is too many: give at most 1000000000"):
        Recipe(count=10**12)


def test_the_pool_takes_tasks_as_there_is_room():
    taken = []

    def tasks():
        for number in range(10**9):
            taken.append(number)
            yield number

    results = local.run(double, tasks(), 2)
    assert next(results)[0] in (0, 1)
    results.close()
    assert len(taken) < 10
