"""The checker's own check: it sees what is spoiled, knows what is not, and lists what it missed."""

import pytest

from irsmith.rng import stream
from irsmith.verify import selftest as module
from irsmith.verify.mutants import FORWARD, REVERSE, Mutant, spoiled_texts
from irsmith.verify.selftest import selftest
from irsmith.verify.spoiled_python import MUTATIONS, spoiled_source

BODY = """
@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    s = x[i] - y[i] * 0.75
    if s > 0.25:
        s = wp.sin(s) / y[i]
    o[i] = wp.max(s, x[i])
"""
ARGUMENTS = ("in x: float32 16 from -1 to 2", "in y: float32 16 from 0.5 to 2", "out o: float32 16")


@pytest.fixture(scope="module")
def row(make_row):
    return make_row(BODY, *ARGUMENTS, launch=(16,))


def test_there_are_twenty_ways_and_more():
    assert len(set(FORWARD) | set(REVERSE)) >= 20
    assert len(MUTATIONS) >= 20


def test_each_mutant_is_one_change(row):
    for column in ("cpp_forward", "cpp_backward", "cuda_forward"):
        mutants = list(spoiled_texts(row.texts, column, stream("t")))
        assert len(mutants) > 8
        for mutant in mutants:
            old, new = row.texts[column].split("\n"), mutant.texts[column].split("\n")
            assert sum(a != b for a, b in zip(old, new, strict=True)) == 1, mutant
            assert {name for name in row.texts if row.texts[name] != mutant.texts[name]} == {column}
    names = [mutant.mutation for mutant in spoiled_source(row.kernel.source, stream("t"))]
    assert len(names) == len(set(names)) > 8


def test_what_is_spoiled_is_seen(row, toolchain):
    report = selftest([row], toolchain, per_row=40)
    assert report.rows == 1
    assert report.total.made == 40
    assert report.total.detected + report.total.equivalent + len(report.missed) == 40
    assert report.missed == ()
    assert report.detection == 1.0
    assert report.total.detected > 25


def test_what_computes_the_same_is_equivalent_and_what_does_not_is_a_miss(row, toolchain, monkeypatch):
    """With a verifier that sees nothing, every change is a miss but the one that changes nothing."""
    texts = dict(row.texts)
    same = texts["cpp_forward"].replace(
        "wp::array_store(var_o", "wp::array_store(var_o, var_0, 0.0f); wp::array_store(var_o"
    )
    other = texts["cpp_forward"].replace("= 0.75;", "= 0.76;")
    mutants = [
        Mutant("same", "cpp_forward", "", texts={**texts, "cpp_forward": same}),
        Mutant("other", "cpp_forward", "", texts={**texts, "cpp_forward": other}),
        Mutant("same", "python_source", "", source=row.kernel.source.replace("0.75", "(0.5 + 0.25)")),
        Mutant("other", "python_source", "", source=row.kernel.source.replace("0.75", "0.7500001")),
    ]
    monkeypatch.setattr(module, "_mutants", lambda *_: mutants)
    monkeypatch.setattr(module, "_symptom", lambda _: None)
    report = selftest([row], toolchain)
    assert [miss.mutant.mutation for miss in report.missed] == ["other", "other"]
    assert report.total.equivalent == 2
    assert report.detection == 0.0
