"""A compiler that dies, hangs or eats memory costs a run one kernel, or ends it with one line: the rest is as ever."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests import endless

import irsmith
from irsmith import Recipe, StoppedError
from irsmith.drawing import Drawing
from irsmith.real import Gathered, Real

COUNT, VICTIM = 4, 3

DIES = "import ctypes\nctypes.string_at(0)\n"
"""What a compiler does that follows a null pointer, in the process and at the time that lowers."""
HANGS = "import ctypes\nctypes.PyDLL(None).pause()\n"
"""Without letting go of the interpreter's lock, as a library does that knows nothing of it."""
EATS = "kept = []\nwhile True:\n    kept.append(bytearray(1 << 26))\n"
EATS_OUTSIDE = """import ctypes
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
while True:
    c.memset(c.malloc(1 << 26), 1, 1 << 26)
"""
"""A library's own memory, whose want it does not look at: it dies of it."""


STRICT = """
from functools import partialmethod
from irsmith import apart
from irsmith.frontends.warp.runner.jobs import Limits
apart.SECONDS, apart.MEMORY = 5.0, 2 << 30
Limits.__init__ = partialmethod(Limits.__init__, compile_seconds=15.0, compile_memory=3 << 30)
"""
"""What is waited for here and what may be taken, in place of minutes and of much."""


@pytest.fixture(autouse=True)
def strict(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(STRICT)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}")


def given(frontend, spoil=None, verify="none"):
    """A recipe of a few kernels, and the kernels, of which one does something first when it is lowered."""
    drawing = Drawing(Recipe(frontend=frontend, seed=3))
    kernels = [drawing.kernel(index) for index in range(COUNT)]
    if spoil is not None:
        kernels[VICTIM] = replace(kernels[VICTIM], source=spoil(kernels[VICTIM].source))
    gathered = Gathered((), tuple(kernels))
    real = Real(kernels=gathered.digest())
    return Recipe(frontend=frontend, count=COUNT, shard_size=2, verify=verify, real=real), gathered


def made(root, frontend, spoil=None, verify="none", **settings):
    """The rows of a run, each as a whole, by index, and the rejects by index."""
    recipe, gathered = given(frontend, spoil, verify)
    irsmith.generate(recipe, root, workers=2, given=gathered, **settings)
    rows = [row for path in sorted(root.rglob("data/**/*.parquet")) for row in pq.ParquetFile(path).read().to_pylist()]
    lines = [line for path in sorted(root.rglob("rejects/**/*.jsonl")) for line in path.read_text().splitlines()]
    rejects = {reject["index"]: reject for reject in map(json.loads, lines)}
    assert not list(root.glob(".irsmith/*"))
    return {row["index"]: row for row in rows}, rejects


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The rows and rejects of a run of a frontend's kernels as they are."""
    found = {}

    def of(frontend, verify="none"):
        if (frontend, verify) not in found:
            found[frontend, verify] = made(tmp_path_factory.mktemp("undisturbed") / "out", frontend, verify=verify)
        return found[frontend, verify]

    return of


def others(found):
    """The rows and rejects of all kernels but the one."""
    rows, rejects = ({index: one for index, one in part.items() if index != VICTIM} for part in found)
    return rows, rejects


DEAD = "ended with SIGSEGV, twice"


@pytest.mark.parametrize(
    ("frontend", "spoil", "symptom", "message"),
    [
        pytest.param("warp", DIES, "crashed", DEAD, id="warp dies"),
        pytest.param("jax", DIES, "crashed", DEAD, id="jax dies", marks=pytest.mark.slow),
        pytest.param("warp", EATS, "MemoryError", "", id="warp eats"),
        pytest.param("warp", EATS_OUTSIDE, "crashed", DEAD, id="warp eats outside", marks=pytest.mark.slow),
    ],
)
def test_what_ends_its_process_when_lowered_is_one_reject(undisturbed, tmp_path, frontend, spoil, symptom, message):
    found = made(tmp_path / "out", frontend, lambda source: spoil + source)
    assert others(found) == others(undisturbed(frontend))
    reject = found[1][VICTIM]
    assert (reject["step"], reject["symptom"]) == ("lower", symptom)
    assert message in reject["message"]
    assert spoil in reject["source"]


def finds(command, pid):
    """The processes below one whose command line holds something."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            path = Path(f"/proc/{child}/cmdline")
            if path.exists() and command in path.read_text():
                found.append(int(child))
            found += finds(command, child)
    return found


@pytest.mark.parametrize("frontend", ["warp", pytest.param("jax", marks=pytest.mark.slow)])
def test_what_does_not_end_when_lowered_ends_the_run_with_one_line(tmp_path, frontend):
    recipe, gathered = given(frontend, lambda source: HANGS + source)
    with pytest.raises(StoppedError, match=rf"index {VICTIM} \(\w+, \w+\): its lowering did not end within 5 seconds"):
        irsmith.generate(recipe, tmp_path / "out", workers=2, given=gathered)
    below = [pid for pid in finds("irsmith.apart.worker", os.getpid()) if Path(f"/proc/{pid}").exists()]
    assert not below


def parent(pid):
    """The process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


RUNNERS = {"warp": "irsmith.frontends.warp.runner.worker", "jax": "irsmith.frontends.jax.runner.worker"}


@pytest.mark.parametrize("frontend", ["warp", pytest.param("jax", marks=pytest.mark.slow)])
def test_a_compiler_that_is_killed_while_it_proves_costs_nothing(undisturbed, tmp_path, frontend):
    """Of each of two workers, the first process that compiles is ended as by a fault of its own."""
    # Nothing hangs here, and a busy machine may take its time.
    (tmp_path / "site" / "sitecustomize.py").unlink()
    wanted = undisturbed(frontend, "full")
    killed = set()
    over = threading.Event()

    def kill():
        # One a worker: what ends a second process at the same text is the text's own fault.
        while not over.is_set() and len(killed) < 2:
            for pid in finds(RUNNERS[frontend], os.getpid()):
                worker = parent(pid)
                if worker not in killed and len(killed) < 2:
                    time.sleep(1.5)
                    os.kill(pid, signal.SIGSEGV)
                    killed.add(worker)
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        found = made(tmp_path / "out", frontend, verify="full")
    finally:
        over.set()
        thread.join()
    assert len(killed) == 2
    assert found == wanted


NEGATED = "return " + "- " * 200_000 + "x;"
"""Clang's parser recurses over it until its stack is full."""
FILLED = "static const int z[400000000] = {[0 ... 399999999] = 1}; return float(z[int(x)]);"
"""Clang makes a list of the elements."""
DOUBLED = f"{endless.MACROS}\nreturn {endless.SUM};"


@pytest.mark.parametrize(
    ("snippet", "symptom", "message"),
    [
        pytest.param(NEGATED, "crashed", "the compiler died (status -11)", id="dies"),
        pytest.param(FILLED, "out_of_memory", "the compiler ran out of memory", id="eats"),
        pytest.param(
            DOUBLED, "timed_out", "the compiler did not end within 15 seconds", id="hangs", marks=pytest.mark.slow
        ),
    ],
)
def test_what_ends_clang_is_one_reject(undisturbed, tmp_path, snippet, symptom, message):
    """C++ that a source brings along, and that Clang gets to see when the row is proved."""
    native = f"@wp.func_native(snippet={snippet!r})\ndef bomb(x: float) -> float: ...\n\n\n"

    def spoil(source):
        head, kernel, body = source.partition("@wp.kernel\n")
        return head + native + kernel + body.rstrip("\n") + "\n    bombed = bomb(1.0)\n"

    found = made(tmp_path / "out", "warp", spoil, verify="compile")
    assert others(found) == others(undisturbed("warp", "compile"))
    reject = found[1][VICTIM]
    assert (reject["step"], reject["symptom"]) == ("run", symptom)
    assert message in reject["message"]
