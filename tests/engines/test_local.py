"""The pool finishes every task, whatever happens to its workers, or says why it cannot."""

from __future__ import annotations

import multiprocessing
import time

import pytest
from tests.engines.tasks import die, die_once, double, fail

from irsmith.engines import local
from irsmith.errors import StoppedError, UserError


def slow(task, on_progress):
    for done in range(8):
        on_progress(done)
        time.sleep(0.1)
    return task


@pytest.mark.parametrize("workers", [1, 3])
def test_every_task_is_done_once(workers):
    assert sorted(local.run(double, range(20), workers)) == [(n, 2 * n) for n in range(20)]


def test_nothing_to_do():
    assert list(local.run(double, [], 2)) == []


def test_a_task_whose_worker_died_is_done_again(tmp_path):
    tasks = [(tmp_path / "mark", number) for number in range(6)]
    assert sorted(result for _, result in local.run(die_once, tasks, 2)) == list(range(6))
    assert (tmp_path / "mark").exists()


def test_a_task_that_kills_two_workers_ends_the_run():
    with pytest.raises(StoppedError, match=r"died 2 times on 5 \(exit code 7\)"):
        list(local.run(die, [5], 2))


def test_what_the_work_raises_comes_through():
    with pytest.raises(UserError, match="no 4"):
        list(local.run(fail, [4], 1))


def test_progress_counts_what_is_in_hand():
    seen = []
    list(local.run(slow, [1, 2], 2, seen.append))
    assert max(seen) > 4
    assert seen[-1] == 0


def test_stopping_early_leaves_no_process():
    results = local.run(slow, range(10), 2)
    next(results)
    results.close()
    assert multiprocessing.active_children() == []
