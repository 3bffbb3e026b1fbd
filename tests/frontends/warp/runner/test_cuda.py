"""CUDA texts compile with NVRTC for a named architecture, without a GPU or a driver."""

from dataclasses import replace

from irsmith.frontends.warp.runner import Compiled, Symptom


def test_both_stages_compile(row, runner):
    made = row()
    jobs = [made.job(stage=stage) for stage in ("cpp", "cuda", "cuda")]
    assert runner.compile_only(jobs) == [Compiled()] * 3


def test_nvrtc_names_the_culprit(row, runner, edit):
    good = row().job(stage="cuda")
    bad = edit(good, "cuda_forward", "var_0 = ", "var_0 = no_such_name + ")
    outcomes = runner.compile_only([good, bad, good])
    assert [type(outcome) for outcome in outcomes[::2]] == [Compiled] * 2
    assert outcomes[1].symptom is Symptom.COMPILE_ERROR
    assert 'identifier "no_such_name" is undefined' in outcomes[1].message
    assert outcomes[1] == runner.compile_only([bad])[0]


def test_clang_names_the_culprit(row, runner, edit):
    good = row().job()
    bad = edit(good, "cpp_backward", "var_0 = ", "var_0 = no_such_name + ")
    outcomes = runner.compile_only([good, bad, replace(bad, backward=None)])
    assert isinstance(outcomes[0], Compiled)
    assert outcomes[1].symptom is Symptom.COMPILE_ERROR
    assert isinstance(outcomes[2], Compiled)


def test_ptx_does_not_depend_on_other_rows(row, runner):
    made = row()
    job = made.job(stage="cuda")
    (alone,) = runner.ptx([job], architecture=90)
    other = row("@wp.kernel\ndef k(x: wp.array(dtype=int)):\n    i = wp.tid()\n    x[i] = i\n").job(stage="cuda")
    assert runner.ptx([other, job], architecture=90)[1] == alone
    assert ".target sm_90" in alone.ptx
    assert "cuda_kernel_forward" in alone.ptx
    assert "cuda_kernel_backward" in alone.ptx
    assert "cuda_kernel_backward" not in runner.ptx([replace(job, backward=None)])[0].ptx
