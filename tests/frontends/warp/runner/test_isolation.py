"""One bad row becomes a failure by name, and every other row of its batch has its results."""

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests import endless
from tests.killing import killed

from irsmith.errors import StoppedError
from irsmith.frontends.warp.runner import Failure, Limits, Ran, Runner, Symptom

EAT = "for (;;) { volatile char* p = (char*)malloc(1 << 20); for (int q = 0; q < (1 << 20); q += 4096) p[q] = 1; }"
EXIT = "syscall(231, 0);"
OPEN = 'syscall(2, "/tmp/irsmith-was-here", 0102, 0600);'
KILL = f"syscall(62, {os.getpid()}, 9);"
FORGE = "long forged[2] = { 0x100000000, 0 }; syscall(1, 3, forged, 16);"
PRINT = 'for (int line = 0; line < 2000000; ++line) printf("{\\"failures\\": [null]} %d\\n", line);'

BAD = {
    "does not compile": ("var_0 = no_such_name;", Symptom.COMPILE_ERROR, "no_such_name"),
    "opens a brace": ("{ {", Symptom.COMPILE_ERROR, "expected"),
    "closes a namespace": ("} } } void f() { { {", Symptom.COMPILE_ERROR, ""),
    "dereferences null": ("*(volatile int*)0 = 1;", Symptom.CRASHED, "SIGSEGV"),
    "traps": ("__builtin_trap();", Symptom.CRASHED, "SIGILL"),
    "divides by zero": ("volatile int zero = 0; var_0 = 1 / zero;", Symptom.CRASHED, "SIGFPE"),
    "recurses": ("k_cpu_kernel_forward<wp_linear_contiguous>(dim, task_index, _wp_args);", Symptom.CRASHED, "SIGSEGV"),
    "loops for ever": ("for (volatile int spin = 0;; ) {}", Symptom.TIMED_OUT, "6 seconds"),
    "eats memory": (EAT, Symptom.OUT_OF_MEMORY, "256 MiB"),
    "writes before": ("var_out.data[-1] = 1.0f;", Symptom.OUT_OF_BOUNDS, "before argument 'out'"),
    "writes behind": ("var_out.data[var_out.shape[0]] = 1.0f;", Symptom.OUT_OF_BOUNDS, "behind argument 'out'"),
    "reads behind": ("wp::array_store(var_out, 0, var_x.data[13]);", Symptom.READS_OUTSIDE, "changed argument 'out'"),
    "hides what it reads before in a maximum": (
        "wp::array_store(var_out, 3, wp::max(var_x.data[-2], 0.5f));",
        Symptom.READS_OUTSIDE,
        "changed argument 'out' in run 0, forward",
    ),
    "hides what it reads before in a minimum": (
        "wp::array_store(var_out, 3, wp::min(var_x.data[-2], 0.5f));",
        Symptom.READS_OUTSIDE,
        "changed argument 'out' in run 1, forward",
    ),
    "writes far behind": (
        "for (long at = 0; at < 1 << 20; ++at) var_out.data[at] = 1.0f;",
        Symptom.CRASHED,
        "SIGSEGV",
    ),
    "writes far before": (
        "for (long at = 0; at < 1 << 20; ++at) var_out.data[-at] = 1.0f;",
        Symptom.CRASHED,
        "SIGSEGV",
    ),
    "ends the process": (EXIT, Symptom.CRASHED, "instead of returning"),
    "opens a file": (OPEN, Symptom.CRASHED, "SIGSYS"),
    "kills": (KILL, Symptom.CRASHED, "SIGSYS"),
    "forges a result": (FORGE, Symptom.CRASHED, "only its process"),
    "prints too much": (PRINT, Symptom.CRASHED, "SIGXFSZ"),
}


DECLARATIONS = (
    'extern "C" { long syscall(long, ...); void exit(int); void abort(); int system(const char*); int fork(); }\n'
)


@pytest.fixture
def hostile(spoiled, edit):
    """A job whose kernel runs a statement that may call into the C library."""

    def hostile(job, statement, key="hostile"):
        return edit(spoiled(job, statement, key=key), "cpp_forward", "template <", DECLARATIONS + "template <")

    return hostile


def check(outcome, symptom, message):
    assert isinstance(outcome, Failure)
    assert outcome.symptom is symptom, outcome
    assert message in outcome.message


def test_bad_rows_lose_no_others(row, runner, hostile):
    good = row().job(key="good")
    jobs = [good]
    for name, (statement, _, _) in BAD.items():
        jobs += [hostile(good, statement, name), replace(good, key=f"after {name}")]
    (expected,) = runner.run([good])
    outcomes = dict(zip([job.key for job in jobs], runner.run(jobs), strict=True))
    for name, (_, symptom, message) in BAD.items():
        check(outcomes.pop(name), symptom, message)
    assert len(outcomes) == len(BAD) + 1
    for key, outcome in outcomes.items():
        assert isinstance(outcome, Ran), (key, outcome)
        for direction in ("forward", "backward"):
            for argument, value in getattr(expected, direction).items():
                assert getattr(outcome, direction)[argument].tobytes() == value.tobytes(), (key, argument)


@pytest.mark.parametrize("name", ["dereferences null", "writes behind", "traps"])
def test_the_cuda_text_is_kept_apart_too(name, row, runner, spoiled):
    statement, symptom, message = BAD[name]
    good = row().job(stage="cuda")
    marker = "        //---------\n        // forward\n"
    bad = replace(good, texts={**good.texts, "cuda_forward": good.texts["cuda_forward"].replace(marker, statement)})
    first, second, third = runner.run([good, bad, good])
    check(second, symptom, message)
    assert isinstance(first, Ran)
    assert isinstance(third, Ran)


def test_the_backward_is_watched_too(row, runner, spoiled):
    good = row().job()
    bad = spoiled(good, "adj_out.data[-1] = 1.0f;", "cpp_backward")
    outcomes = runner.run([good, bad])
    check(outcomes[1], Symptom.OUT_OF_BOUNDS, "before the adjoint of 'out' was overwritten in run 0, backward")
    assert isinstance(outcomes[0], Ran)


@pytest.mark.parametrize("call", ["exit(0);", "abort();", 'system("true");', "fork();"])
def test_library_calls_end_at_the_system(call, row, runner, hostile):
    """The loader finds every function of the process's libraries; what they ask the system for is refused."""
    good = row().job()
    outcomes = runner.run([good, hostile(good, call), good])
    check(outcomes[1], Symptom.CRASHED, "instead of returning" if "exit" in call else "SIGSYS")
    assert [type(outcome) for outcome in outcomes] == [Ran, Failure, Ran]


def test_a_symbol_that_does_not_exist_is_named(row, runner, edit, spoiled):
    good = row().job()
    declaration = 'extern "C" void no_such_thing();\n'
    bad = edit(spoiled(good, "no_such_thing();"), "cpp_forward", "template", f"{declaration}template")
    outcomes = runner.run([good, bad, good, good])
    check(outcomes[1], Symptom.MISSING_SYMBOL, "no_such_thing")
    assert [type(outcome) for outcome in outcomes] == [Ran, Failure, Ran, Ran]


def test_what_ends_the_compiler_is_a_compile_error(row, runner, spoiled):
    good = row().job()
    outcomes = runner.run([good, good, spoiled(good, 'asm volatile("nop");'), good])
    check(outcomes[2], Symptom.COMPILE_ERROR, "LLVM ERROR: Inline asm")
    assert [type(outcome) for outcome in outcomes] == [Ran, Ran, Failure, Ran]


def test_messages_do_not_depend_on_the_batch(row, runner, spoiled):
    good = row().job()
    bad = spoiled(good, BAD["does not compile"][0])
    (alone,) = runner.run([bad])
    among = runner.run([good, good, bad, good])[2]
    assert alone == among
    lines = "\n".join(good.texts[column] for column in ("cpp_header", "cpp_arguments") if good.texts[column])
    number = bad.texts["cpp_forward"].split("no_such_name", maxsplit=1)[0].count("\n") + lines.count("\n") + 2
    assert f"row:{number}:" in alone.message


def test_a_wrong_signature_is_a_compile_error(row, runner):
    good = row().job()
    short = replace(good.signature, arguments=good.signature.arguments[:1])
    outcomes = runner.run([replace(good, signature=short, stage=stage) for stage in ("cpp", "cuda")])
    assert [outcome.symptom for outcome in outcomes] == [Symptom.COMPILE_ERROR] * 2


def test_a_dead_worker_is_replaced(row, runner):
    job = row().job()
    (before,) = runner.run([job])
    for process in runner._processes:
        os.kill(process._process.pid, signal.SIGKILL)
    (after,) = runner.run([job])
    assert isinstance(after, Ran)
    assert before.forward["out"].tobytes() == after.forward["out"].tobytes()


def test_a_compiler_that_does_not_end_is_stopped(row):
    good = row().job()
    with Runner(Limits(compile_seconds=0.05)) as runner:
        outcomes = runner.run([good, good])
    assert [outcome.symptom for outcome in outcomes] == [Symptom.TIMED_OUT] * 2


def test_the_worker_does_not_outlive_its_runner(row):
    with Runner() as runner:
        runner.run([row().job()])
        process = runner._processes[0]._process
        folder = runner._folder
    assert process.ended
    assert not folder.exists()


ENDLESS = f"{endless.MACROS}\nstatic float endless(float x) {{ return {endless.SUM}; }}\n"


def test_a_compiler_at_work_ends_with_who_asked_even_by_a_kill(row, edit):
    job = edit(row().job(), "cpp_forward", "template <", ENDLESS + "template <")
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        runner = Runner()
        runner.submit([job])
        while runner._processes[0]._process is None:
            time.sleep(0.01)
        os.write(tells, str(runner._processes[0]._process.pid).encode())
        signal.pause()
    worker = Path(f"/proc/{int(os.read(told, 20))}/stat")
    while int(worker.read_text().rpartition(")")[2].split()[11]) < 100:
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until = time.monotonic() + 10
    while worker.exists() and ") Z " not in worker.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_same_inputs_give_same_bytes(row, runner):
    made = row(
        """
        @wp.struct
        class S:
            a: bool
            b: wp.float64

        @wp.kernel
        def k(x: wp.array(dtype=float), s: wp.array(dtype=S), t: wp.array(dtype=S)):
            i = wp.tid()
            v = s[i]
            v.b = v.b * wp.float64(wp.sin(x[i]))
            t[i] = v
        """
    )
    job = made.job()
    first, second = runner.run([job, job])
    third = runner.run([row().job(), job])[1]
    for other in (second, third):
        for argument, value in first.forward.items():
            assert value.tobytes() == other.forward[argument].tobytes()
        for argument, value in first.backward.items():
            assert value.tobytes() == other.backward[argument].tobytes()


def test_inputs_that_do_not_fit_are_the_callers_mistake(row, runner):
    job = row().job()
    for spoil in (
        {"x": job.forward["x"].astype(np.float64)},
        {"x": job.forward["x"][0]},
        {"x": job.forward["x"][:1]},
    ):
        with pytest.raises(ValueError, match="row"):
            runner.run([replace(job, forward={**job.forward, **spoil})])
    with pytest.raises(ValueError, match="no input 'x'"):
        runner.run([replace(job, forward={})])


def test_outcomes_do_not_depend_on_batches_or_workers(row, runner):
    sources = [f"@wp.kernel\ndef k(x: wp.array(dtype=float)):\n    x[wp.tid()] = wp.sin({n}.5)\n" for n in range(20)]
    jobs = [row(source).job(key=str(n)) for n, source in enumerate(sources)]
    expected = runner.run(jobs)
    with Runner(Limits(batch_rows=3), workers=2) as other:
        found = other.run(jobs)
    for one, two in zip(expected, found, strict=True):
        assert one.forward["x"].tobytes() == two.forward["x"].tobytes()
        assert one.backward["x"].tobytes() == two.backward["x"].tobytes()


def test_what_kernels_print_disturbs_nothing(row, runner, spoiled):
    good = row().job()
    chatty = spoiled(good, 'printf("{\\"alive\\": true}\\n\\0\\0\\0\\0");')
    outcomes = runner.run([good, chatty, good])
    assert [type(outcome) for outcome in outcomes] == [Ran] * 3


WORKER = "irsmith.frontends.warp.runner.worker"


@pytest.mark.parametrize("forks", [False, True], ids=["compiler", "kernel"])
def test_what_the_machine_kills_is_no_text_s_fault(forks, row, spoiled):
    """Once, and it is done again; twice, and the run stops: a system that is short of memory kills what it likes."""
    job = row().job()
    # Long enough to be caught at.
    slow = spoiled(job, "for (volatile int spin = 0; spin < 20000000; ) spin = spin + 1;")
    with Runner(Limits(run_seconds=30.0), workers=1) as runner:
        with killed(WORKER, 1, forks=forks) as victims:
            (outcome,) = runner.run([slow])
        assert len(victims) == 1
        assert isinstance(outcome, Ran), outcome
        with (
            killed(WORKER, 99, forks=forks),
            pytest.raises(StoppedError, match="was killed, twice: is there enough memory"),
        ):
            runner.run([slow])
        assert isinstance(runner.run([job])[0], Ran)


def test_a_full_disk_is_no_text_s_fault(row, tmp_path, monkeypatch):
    job = row().job()
    options = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)]
    if subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("no filesystem may be mounted here")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        with Runner(workers=1) as runner:
            for ask in (runner.run, runner.compile_only, runner.ptx):
                with pytest.raises(StoppedError, match=f"{tmp_path}.*: No space left on device"):
                    ask([job])
            subprocess.run(["mount", "-o", "remount,size=2g", str(tmp_path)], check=True)
            assert isinstance(runner.run([job])[0], Ran)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
