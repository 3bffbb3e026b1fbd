"""A dataset on an S3-compatible store has the bytes that it has in a folder, and is read like one."""

from __future__ import annotations

import json
import shutil
import threading
import time

import pytest
from tests.checksums import checksums
from tests.s3 import SERVER, served

import irsmith
from irsmith import Recipe, UserError
from irsmith.cli import cli
from irsmith.dataset import lease
from irsmith.dataset.assemble import assemble
from irsmith.dataset.stats import stats
from irsmith.dataset.validate import validate
from irsmith.places import Remote, place

RECIPE = Recipe(count=30, seed=11, shard_size=10, verify="none")

pytestmark = pytest.mark.skipif(not SERVER.exists(), reason="localbucket is not installed")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made") / "local"
    irsmith.generate(RECIPE, root, workers=1)
    return root


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A bucket's folder, and what makes the URI of a name in it."""
    folder = tmp_path_factory.mktemp("s3") / "buckets"
    (folder / "bucket").mkdir(parents=True)
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ACCESS_KEY_ID", "irsmith-tests")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "irsmith-tests")
    patch.setattr(lease, "SETTLED", 0.1)
    patch.setattr(lease, "BEAT", 0.3)
    patch.setattr(lease, "PATIENCE", 1.5)
    with served(folder) as options:
        yield folder / "bucket", lambda name: f"s3://bucket/{name}?{options}"
    patch.undo()


@pytest.fixture(scope="module")
def remote(store):
    uri = store[1]("first")
    irsmith.generate(RECIPE, uri, workers=2)
    return uri


def test_it_has_the_bytes_of_a_folder(made, store, remote):
    assert checksums(store[0] / "first") == checksums(made)


@pytest.mark.timeout(600)
def test_a_cluster_writes_the_same_bytes_there(made, store):
    """Every worker of Ray's opens the store by the URI that its task has."""
    pytest.importorskip("ray")
    uri = store[1]("cluster")
    irsmith.generate(RECIPE, uri, engine="ray", workers=2)
    assert checksums(store[0] / "cluster") == checksums(made)
    assert validate(place(uri)) == (30, [])


def test_it_is_read_like_a_folder(made, remote):
    here, there = irsmith.load(made), irsmith.load(remote)
    assert list(there) == list(here)
    assert there.row("3") == here.row("3")
    assert stats(there) == stats(here)
    assert validate(place(remote), workers=2) == (30, [])


@pytest.mark.parametrize("line", [["stats"], ["show", "3"], ["validate", "--workers", "1"]])
def test_the_commands_take_its_uri(remote, line, capsys):
    status = cli.main([line[0], remote, *line[1:]], standalone_mode=False)
    assert not status
    assert capsys.readouterr().out


def test_a_second_run_finds_it_finished(store, remote):
    before = checksums(store[0] / "first")
    assert irsmith.generate(RECIPE, remote).resumed == 30
    assert checksums(store[0] / "first") == before


def test_what_is_damaged_or_lost_is_made_again(made, store):
    shutil.copytree(made, store[0] / "damaged")
    parts = sorted((store[0] / "damaged" / "data" / "warp").iterdir())
    parts[0].write_bytes(parts[0].read_bytes()[:-5])
    parts[1].unlink()
    assert irsmith.generate(RECIPE, store[1]("damaged"), workers=1).resumed == 10
    assert checksums(store[0] / "damaged") == checksums(made)


def test_faults_are_named(made, store):
    shutil.copytree(made, store[0] / "faulty")
    (store[0] / "faulty" / "data" / "warp" / "stray.parquet").write_bytes(b"none")
    (store[0] / "faulty" / "README.md").write_text("nothing")
    rows, faults = validate(place(store[1]("faulty")))
    assert rows == 30
    assert sorted((fault.gate, fault.where) for fault in faults) == [
        ("card", "README.md:1"),
        ("files", "data/warp/stray.parquet"),
    ]


def test_rewriting_goes_there_too(made, store):
    """Repeats are taken out of parts, and a target that is reached within a part takes away what is beyond it."""
    recipe = Recipe(verified=13, seed=11, shard_size=5, verify="none")
    irsmith.generate(recipe, store[1]("target"), workers=1)
    local = made.parent / "target"
    irsmith.generate(recipe, local, workers=1)
    assert checksums(store[0] / "target") == checksums(local)
    root = place(store[1]("target"))
    assert assemble(root, irsmith.load(root).manifest.shards) == list(irsmith.load(local).manifest.shards)


def test_another_recipe_is_refused_and_overwrite_replaces_it(made, store):
    shutil.copytree(made, store[0] / "other")
    uri = store[1]("other")
    other = Recipe(count=5, seed=12, verify="none")
    with pytest.raises(UserError, match=r"another recipe \(count: 30 there, 5 here; seed: 11 there, 12 here"):
        irsmith.generate(other, uri)
    irsmith.generate(other, uri, workers=1, overwrite=True)
    assert json.loads((store[0] / "other" / "manifest.json").read_text())["tried"] == 5
    assert len(list((store[0] / "other").rglob("*.parquet"))) == 1


def test_two_runs_do_not_write_to_one_folder(store):
    root = place(store[1]("held"))
    assert isinstance(root, Remote)
    with lease.leased(root), pytest.raises(UserError, match=r"another run is writing here \(process \d+ on "):
        irsmith.generate(RECIPE, root)


def test_a_run_that_is_gone_gives_way(made, store):
    """One that was killed leaves its note, and raises its number no more; no clock is asked."""
    shutil.copytree(made, store[0] / "gone")
    (store[0] / "gone" / ".irsmith").mkdir()
    note = {"token": "dead", "who": "process 1 on nowhere", "beats": 7}
    (store[0] / "gone" / ".irsmith" / "writer.json").write_text(json.dumps(note))
    assert irsmith.generate(RECIPE, store[1]("gone")).resumed == 30


def test_a_run_whose_folder_was_taken_over_stops(store):
    root = place(store[1]("taken"))
    assert isinstance(root, Remote)
    with lease.leased(root) as held:
        held.check()
        other = lease.Lease(root)
        other.put()
        ended = time.monotonic() + 10
        while held.lost is None and time.monotonic() < ended:
            time.sleep(0.1)
        with pytest.raises(irsmith.StoppedError, match="writes here now"):
            held.check()
    assert threading.active_count() < 20


def test_commands_that_need_a_folder_say_so(remote):
    with pytest.raises(UserError, match="works on folders of this machine alone"):
        _ = irsmith.load(remote).root


def test_a_uri_that_nothing_opens_is_named():
    with pytest.raises(UserError, match=r"gopher://x: cannot be opened.*fsspec\+<protocol>"):
        irsmith.generate(RECIPE, "gopher://x")


def test_an_fsspec_filesystem_works_as_well(made, tmp_path):
    uri = f"fsspec+file://{tmp_path}/out"
    irsmith.generate(RECIPE, uri, workers=1)
    assert checksums(tmp_path / "out") == checksums(made)
    assert validate(place(uri)) == (30, [])


def test_an_answer_that_is_refused_is_one_line(store):
    with pytest.raises(UserError, match="bucket"):
        irsmith.generate(RECIPE, store[1]("x").replace("s3://bucket", "s3://nobucket"), workers=1)
