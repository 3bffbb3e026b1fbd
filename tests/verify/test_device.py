"""Texts on an accelerator: what is concluded from its results everywhere, and real runs where there is one."""

import re
from dataclasses import replace

import pytest

from irsmith.dataset.load import load
from irsmith.frontends.warp.proving import WarpToolchain
from irsmith.generation import generate
from irsmith.outcome import Reject
from irsmith.proof import prove
from irsmith.recipe import Recipe
from irsmith.verdict import Status, Verdict
from irsmith.verify import Settings, Verifier

BODY = """
@wp.kernel
def k(x: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    o[i] = wp.sin(x[i]) - x[i]
"""


class HostAsDevice(WarpToolchain):
    """Runs on the host what is meant for the device, with a text of its own."""

    def __init__(self, column=None, pattern="", replacement=""):
        super().__init__()
        self.spoil = column, pattern, replacement

    def submit(self, trials):
        return super().submit([self.moved(trial) for trial in trials])

    def moved(self, trial):
        column, pattern, replacement = self.spoil
        if not trial.on_device:
            return trial
        texts = dict(trial.texts)
        if column:
            texts[column], times = re.subn(pattern, replacement, texts[column])
            assert times
        return replace(trial, texts=texts, on_device=False)


@pytest.fixture(scope="module")
def row(make_row):
    return make_row(BODY, "in x: float32 24 from 0.5 to 2", "out o: float32 24")


def outcome(row, *spoil):
    with HostAsDevice(*spoil) as toolchain:
        [found] = Verifier(toolchain, settings=Settings(device=True)).verify([row])
    return found


def test_a_text_that_agrees_on_the_device_passes(row):
    assert Verdict("cuda_device", Status.PASSED) in outcome(row).verdicts


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (("cuda_forward", r"wp::sub\(", "wp::add("), "verify: device_differs"),
        (("cuda_backward", r"wp::adj_sub\(", "wp::adj_add("), "verify: device_differs"),
        (("cuda_forward", r"wp::sub\(", "wp::sub(("), "compile: compile_error"),
    ],
)
def test_a_text_that_differs_on_the_device_is_a_reject(row, spoil, reason):
    found = outcome(row, *spoil)
    assert isinstance(found, Reject)
    assert found.reason == reason
    assert "on the device" in found.message


def test_without_a_device_nothing_says_that_it_ran(row, toolchain):
    [found] = Verifier(toolchain).verify([row])
    assert not [verdict for verdict in found.verdicts if "device" in verdict.check]


@pytest.mark.gpu
def test_rows_pass_on_a_device(tmp_path):
    recipe = Recipe(count=40, seed=5)
    recipe = replace(recipe, checks=replace(recipe.checks, device=True))
    generate(recipe, tmp_path / "data")
    dataset = load(tmp_path / "data")
    found = [v for row in dataset for v in row.verdicts if v.check == "cuda_device"]
    assert len(found) == len(list(dataset)) > 35
    assert sum(verdict.status is Status.PASSED for verdict in found) > 30
    assert not prove(dataset, device=True).faults


@pytest.mark.gpu
def test_a_spoiled_text_fails_on_a_device_and_the_next_passes(row, toolchain):
    # A store to nowhere ends what the process may do on the device.
    spoiled = re.sub(r"wp::array_store\((?=var_o)", r"*(volatile int*)0 = 1; \g<0>", row.texts["cuda_forward"])
    texts = {**row.texts, "cuda_forward": spoiled}
    checked = Verifier(toolchain, settings=Settings(device=True, twin_runs=0.0))
    crashed, passed = checked.verify([replace(row, texts=texts), row])
    assert isinstance(crashed, Reject)
    assert not isinstance(passed, Reject)
