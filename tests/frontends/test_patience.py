"""What a process may take is its own time: not the time in which the machine did something else."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from irsmith.frontends.patience import Patience

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")

LOOK = 0.0625

THREADED = """
import threading, time

def work():
    while True:
        pass

threading.Thread(target=work).start()
time.sleep(1000)
"""


@contextmanager
def running(source: str) -> Iterator[int]:
    """A process that has begun with what a source says."""
    process = subprocess.Popen([sys.executable, "-c", f"print(flush=True)\n{source}"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def looks(patience: Patience) -> int:
    """How often one looks, as often as the pause between looks says, until it is over."""
    count = 1
    while not patience.over(LOOK):
        time.sleep(LOOK)
        count += 1
    return count


def test_a_process_that_works_is_given_its_time_and_no_more():
    with running("while True: pass") as pid:
        patience = Patience(pid, 0.5)
        before = time.monotonic()
        looks(patience)
        assert time.monotonic() - before > 0.4


def test_time_that_a_working_process_did_not_have_does_not_count():
    with running("while True: pass") as pid:
        patience = Patience(pid, 60.0)
        assert not any(patience.over(3600.0) for _ in range(5))


def test_a_process_that_sleeps_is_given_as_long():
    with running("import time; time.sleep(1000)") as pid:
        time.sleep(0.2)
        assert looks(Patience(pid, 10 * LOOK)) == 10
        assert Patience(pid, 60.0).over(3600.0)


def test_a_thread_that_works_is_its_process_s_work():
    with running(THREADED) as pid:
        time.sleep(0.2)
        assert not Patience(pid, 60.0).over(3600.0)


def test_a_process_that_is_no_more_is_not_waited_for_longer():
    with running("pass") as pid:
        pass
    assert Patience(pid, 1.0).over(2.0)
