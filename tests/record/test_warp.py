"""Warp's launches become rows, which are proved on what the program passed."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("warp")

import numpy as np

from irsmith.dataset.load import load
from irsmith.dataset.validate import validate
from irsmith.frontends import get
from irsmith.outcome import Reject
from irsmith.proof import prove
from irsmith.record import samples
from irsmith.record.recording import LAUNCHES, record
from irsmith.record.spool import Limits
from irsmith.verify import Verifier

PROGRAM = """
    import os, subprocess, sys, threading
    from typing import Any
    import numpy as np
    import warp as wp

    wp.config.quiet = True
    RATE = 0.25


    @wp.struct
    class Spring:
        rest: float
        stiffness: wp.vec3


    @wp.func
    def pull(spring: Spring, x: wp.vec3):
        return spring.stiffness * (wp.length(x) - spring.rest)


    @wp.kernel
    def forces(x: wp.array(dtype=wp.vec3), spring: Spring, out: wp.array(dtype=wp.vec3)):
        \"\"\"Pull of each spring.\"\"\"
        i = wp.tid()
        out[i] = pull(spring, x[i]) * RATE


    @wp.kernel
    def scaled(a: wp.array(dtype=Any), factor: float):
        i = wp.tid()
        if factor > 1.5:
            a[i] = a[i] + a[i] * a[i]


    @wp.kernel
    def handled(handle: wp.uint64, a: wp.array(dtype=float)):
        a[wp.tid()] = 1.0


    if len(sys.argv) > 2:
        wp.launch(scaled, dim=3, inputs=[wp.ones(3, dtype=float), 4.0], device="cpu")
        os._exit(0)
    spring = Spring()
    spring.rest, spring.stiffness = 0.5, wp.vec3(1.0, 2.0, 3.0)
    x = wp.array(np.random.default_rng(0).normal(size=(8, 3)) + 123456.0, dtype=wp.vec3, device="cpu")
    out = wp.zeros(8, dtype=wp.vec3, device="cpu")
    for _ in range(5):
        wp.launch(forces, 8, [x, spring], [out], device="cpu")
    large = wp.ones(100_000, dtype=float, device="cpu")
    threads = [
        threading.Thread(target=wp.launch, args=(scaled, a.shape, [a, 2.0]), kwargs={"device": "cpu"})
        for a in (wp.ones(4, dtype=float, device="cpu"), large)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wp.launch(scaled, dim=(4,), inputs=[wp.ones(4, dtype=wp.float64, device="cpu"), 3.0], device="cpu")
    wp.launch(handled, dim=2, inputs=[wp.uint64(id(x)), wp.zeros(2, device="cpu")], device="cpu")
    wp.launch(handled, dim=0, inputs=[wp.uint64(0), wp.zeros(2, device="cpu")], device="cpu")
    subprocess.run([sys.executable, __file__, "a-secret", "child"], check=True)
    print(out.numpy().sum() > 0)
    os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The program's recording with inputs, and without."""
    import sys
    import textwrap

    root = tmp_path_factory.mktemp("recorded")
    (root / "springs.py").write_text(textwrap.dedent(PROGRAM).lstrip())
    command = [sys.executable, str(root / "springs.py"), "a-secret"]
    limits = Limits(samples=2, sample_bytes=10_000)
    return {
        "with": (record(command, root / "with", limits=limits, workers=1), load(root / "with")),
        "without": (record(command, root / "without", workers=1), load(root / "without")),
    }


def test_each_distinct_launch_is_kept_and_counted(recorded):
    recording, dataset = recorded["with"]
    assert recording.status == 137
    launches = [json.loads(line) for line in (dataset.root / LAUNCHES).read_text().splitlines()]
    seen = {(one["kernel"], tuple(one["launch"]), one["arguments"][0]["type"]): one["times"] for one in launches}
    assert {key: times for key, times in seen.items() if key[0] != "forces"} == {
        ("scaled", (4,), "float32"): 1,
        ("scaled", (100_000,), "float32"): 1,
        ("scaled", (3,), "float32"): 1,
        ("scaled", (4,), "float64"): 1,
        ("handled", (2,), "uint64"): 1,
    }
    # What was counted since the last note went with the signal.
    assert 1 <= seen["forces", (8,), "vec3[float32]"] <= 5
    assert recording.launches == {"warp": 6}


def test_rows_say_where_they_come_from_and_not_on_which_machine(recorded):
    _, dataset = recorded["with"]
    rows = {row.kernel.name: row for row in dataset}
    assert sorted(row.kernel.name for row in dataset) == ["forces", "handled", "scaled", "scaled"]
    forces = rows["forces"].kernel
    assert (forces.provenance.package, forces.provenance.file, forces.provenance.line) == ("springs.py",) * 2 + (21,)
    assert forces.provenance.docstring == "Pull of each spring."
    assert "RATE = 0.25" in forces.source
    assert "class Spring:" in forces.source
    assert forces.signature.launch == (8,)
    assert forces.signature.arguments[0].shape == (8,)
    assert {row.split for row in dataset} == {rows["forces"].split}
    assert validate(dataset.root)[1] == []


def test_rows_are_proved_on_what_was_recorded(recorded):
    _, dataset = recorded["with"]
    for row in dataset:
        verdicts = {verdict.check: verdict for verdict in row.verdicts}
        if row.kernel.name == "handled":
            assert row.kernel.recorded is None
            continue
        assert verdicts["forward"].status == "passed", (row.kernel.name, verdicts["forward"])
        assert verdicts["forward"].reason.endswith(", as the program's own run left them")
        # Warp's adjoint of a kernel that overwrites what it reads does not see what it read.
        wanted = "compiler_wrong" if row.kernel.name == "scaled" else "passed"
        assert verdicts["backward"].status == wanted
    assert not prove(dataset).faults


def test_samples_are_what_was_passed_and_left(recorded):
    recording, dataset = recorded["with"]
    forces = next(row.kernel for row in dataset if row.kernel.name == "forces")
    found = samples.of(forces)
    assert found.inputs["x"].shape == (2, 8, 3)
    assert (found.inputs["spring.rest"] == 0.5).all()
    assert (found.inputs["spring.stiffness"] == [1, 2, 3]).all()
    assert not found.inputs["out"][0].any()
    x = found.inputs["x"].astype(np.float64)
    expected = np.array([1, 2, 3]) * (np.linalg.norm(x, axis=-1, keepdims=True) - 0.5) * 0.25
    np.testing.assert_allclose(found.outputs["out"], expected, rtol=1e-6)
    assert recording.notes == {
        "a sample: its arguments take more than 10000 bytes": 1,
        "a sample: handle, a uint64, may be the handle of an object of the program": 1,
    }


def test_nothing_of_the_programs_values_is_kept_without_being_asked_for(recorded):
    recording, dataset = recorded["without"]
    assert recording.notes == {}
    everything = "".join(
        path.read_text() for path in sorted(dataset.root.rglob("*")) if path.suffix in (".jsonl", ".json", ".toml")
    )
    everything += json.dumps(list(dataset.records()), default=str)
    for secret in ("a-secret", "123456", str(dataset.root.parent), "IRSMITH_RECORD"):
        assert secret not in everything
    assert all(row.kernel.recorded is None for row in dataset)


def test_a_spoiled_text_or_record_is_seen(recorded):
    _, dataset = recorded["with"]
    from dataclasses import replace

    row = next(row for row in dataset if row.kernel.name == "forces")
    texts = dict(row.texts)
    texts["cpp_forward"] = texts["cpp_forward"].replace("wp::mul(", "wp::add(", 1)
    assert texts["cpp_forward"] != row.texts["cpp_forward"]
    taken = samples.of(row.kernel)
    wrong = {f"in/{name}": array for name, array in taken.inputs.items()}
    wrong |= {f"out/{name}": array + 1 for name, array in taken.outputs.items()}
    parts = [{name: array[place] for name, array in wrong.items()} for place in range(2)]
    lied = replace(row, kernel=samples.put(row.kernel, parts, whole=True))
    with get("warp").prover() as toolchain:
        right, other = Verifier(toolchain).verify([replace(row, texts=texts), lied])
    assert isinstance(right, Reject)
    assert right.symptom in {"forward_differs", "compile_error"}
    assert other.verdict("forward").reason.endswith("the program was left with something else in out")
