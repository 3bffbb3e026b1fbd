"""Ray does every task, whatever happens to its workers and nodes, or says why it cannot."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.checksums import checksums
from tests.engines.tasks import die, die_once, double, fail

import irsmith
from irsmith import Recipe, StoppedError, UserError, engines
from irsmith.dataset import assemble as assembling
from irsmith.dataset import reading
from irsmith.dataset.assemble import FEW, assemble
from irsmith.dataset.parts import write_parquet

ray = pytest.importorskip("ray")


PARTS = FEW + 2
"""Enough that the engine is asked to read and write them."""


def slow(task, on_progress):
    for done in range(1, 12):
        on_progress(done)
        time.sleep(0.2)
    return task


def test_an_address_without_a_cluster_is_named():
    with (
        pytest.raises(UserError, match=r"engine ray: no cluster at 127.0.0.1:1: "),
        engines.opened("ray", 2, "127.0.0.1:1"),
    ):
        pass


@pytest.fixture(scope="module")
def run():
    with engines.opened("ray", 2, None) as opened:
        yield partial(opened, on_progress=lambda _: None)


def test_every_task_is_done_once(run):
    assert sorted(run(double, range(20))) == [(n, 2 * n) for n in range(20)]
    assert list(run(double, [])) == []


def test_a_task_whose_worker_was_killed_is_done_again(run, tmp_path):
    tasks = [(tmp_path / "mark", number) for number in range(6)]
    assert sorted(result for _, result in run(die_once, tasks)) == list(range(6))
    assert (tmp_path / "mark").exists()


def test_a_task_that_kills_its_workers_ends_the_run(run):
    with pytest.raises(StoppedError, match=r"died 4 times on 5"):
        list(run(die, [5]))


def test_what_the_work_raises_comes_through(run):
    with pytest.raises(UserError, match="no 4"):
        list(run(fail, [4]))


def test_progress_counts_what_is_in_hand(run):
    seen = []
    list(run(slow, [1, 2], on_progress=seen.append))
    assert max(seen) > 4
    assert seen[-1] == 0


def test_unknown_engines_are_named():
    with pytest.raises(UserError, match="engine: unknown 'rey': did you mean 'ray'"):
        engines.opened("rey", 2, None)
    with pytest.raises(UserError, match="address: auto is of a cluster"), engines.opened("local", 2, "auto"):
        pass


@pytest.mark.parametrize("kind", [Exception, OSError])
def test_a_cluster_of_this_machine_that_does_not_start_is_one_line(monkeypatch, kind):
    def init(**settings):
        raise kind("The current node timed out\nduring startup.")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(StoppedError, match=r"^engine ray: does not start on this machine: The current node .*: run it"):
        engines.opened("ray", 2, None).__enter__()


def test_what_is_wrong_with_the_engine_itself_is_not_told_as_rays(monkeypatch):
    def init(**settings):
        raise TypeError

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(TypeError):
        engines.opened("ray", 2, None).__enter__()


def test_putting_together_leaves_the_rows_where_they_are(run, tmp_path, monkeypatch):
    """No part is opened where the run was started, and what comes there is eight bytes a row and what repeats are."""
    one = tmp_path / "one"
    irsmith.generate(Recipe(count=4 * PARTS, seed=11, shard_size=4, verify="none"), one, workers=2)
    shards = irsmith.load(one).manifest.shards
    first = pq.ParquetFile(one / shards[0].file).read()["structure_id"][0].as_py()
    for shard in shards[1:]:
        table = pq.ParquetFile(one / shard.file).read()
        place = table.schema.get_field_index("structure_id")
        ids = [first, *table["structure_id"].to_pylist()[1:]]
        write_parquet(table.set_column(place, table.schema.field(place), pa.array(ids, pa.string())), one / shard.file)
    shutil.copytree(one, tmp_path / "other")
    here = assemble(one, shards)
    came = []

    def counted(work, tasks, on_progress):
        for task, result in run(work, tasks):
            came.append(len(pickle.dumps(result)))
            yield task, result

    def opened_here(path):
        raise AssertionError(path)

    for module in (reading, assembling):
        monkeypatch.setattr(module, "parquet", opened_here)
    there = assemble(tmp_path / "other", shards, counted)
    assert there == here
    assert checksums(tmp_path / "other") == checksums(one)
    assert sum(len(shard.dropped) for shard in there) == PARTS - 1
    rows = sum(shard.rows for shard in shards)
    assert sum(came) < 8 * rows + 1000 * len(came) + 500 * PARTS
    assert sum(came) < sum(shard.bytes for shard in shards) / 10


RECIPE = Recipe(count=48, seed=11, shard_size=4, verify="none")


def processes(name):
    """Those of this machine's Ray that are called so: a worker after its task."""
    lines = {path.parent.name: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
    return [int(pid) for pid, line in lines.items() if line.startswith(b"ray::" + name)]


@pytest.mark.slow
def test_a_worker_that_is_killed_in_a_run_costs_its_shard_one_more_try(tmp_path):
    irsmith.generate(RECIPE, tmp_path / "wanted", workers=1)
    killed = []

    def kill(progress):
        if progress.tried >= 12 and not killed:
            killed.extend(processes(b"_do"))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    irsmith.generate(RECIPE, tmp_path / "killed", workers=2, engine="ray", on_progress=kill)
    assert killed
    assert checksums(tmp_path / "killed") == checksums(tmp_path / "wanted")


@pytest.mark.slow
def test_a_cluster_of_this_machine_that_ends_is_one_line(tmp_path):
    def kill(progress):
        if progress.tried >= 4:
            for pid in processes(b"RuntimeEnvAgent"):
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(StoppedError, match="Ray on this machine ended in the middle of the run"):
        irsmith.generate(RECIPE, tmp_path / "out", workers=2, engine="ray", on_progress=kill)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_dataset_four_ways(tmp_path):
    """One worker, three, a cluster of three nodes, and one of which a node is killed midway: the same bytes."""
    from ray.cluster_utils import Cluster

    irsmith.generate(RECIPE, tmp_path / "one", workers=1)
    wanted = checksums(tmp_path / "one")
    irsmith.generate(RECIPE, tmp_path / "three", workers=3)
    assert checksums(tmp_path / "three") == wanted
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        cluster.wait_for_nodes()
        irsmith.generate(RECIPE, tmp_path / "ray", engine="ray", address=cluster.address)
        assert checksums(tmp_path / "ray") == wanted
        killed = threading.Event()

        def kill(progress):
            if progress.tried >= 12 and not killed.is_set():
                killed.set()
                cluster.remove_node(nodes[0], allow_graceful=False)

        irsmith.generate(RECIPE, tmp_path / "killed", engine="ray", address=cluster.address, on_progress=kill)
        assert killed.is_set()
        assert checksums(tmp_path / "killed") == wanted
    finally:
        cluster.shutdown()
