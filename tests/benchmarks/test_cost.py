"""The cost model, on figures from which its answer follows."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import cost

SCALING = {
    "runs": [
        {"frontend": "warp", "verify": "full", "engine": "local", "rows": 90, "count": 100, "one": 20.0, "two": 9.0},
        {"frontend": "warp", "verify": "full", "engine": "ray", "rows": 90, "count": 100, "one": 30.0, "two": 20.0},
    ]
}
SIZES = {"warp": {"rows": 10, "parquet": 5000.0, "jsonl": 40000.0}}


def test_a_row_costs_what_two_workers_took_for_it():
    assert cost.model(SCALING, SIZES) == {("warp", "full"): {"core_seconds": 0.2, "bytes": 5000.0, "kept": 0.9}}


def test_repeats_are_made_up_for():
    assert cost.tries(1000, {1: 500}) == pytest.approx(1000, rel=1e-6)
    more = cost.tries(1_000_000, {1: 9990, 2: 5})
    assert more * cost.heaps({1: 9990, 2: 5}, int(more)) == pytest.approx(1_000_000, rel=1e-3)
    assert more > 1_030_000
    assert cost.tries(1_000_000_000, {1: 9990, 2: 5}) is None


def test_the_page_follows_from_the_figures(tmp_path, monkeypatch, capsys):
    for name, figures in {"scaling": SCALING, "sizes": SIZES, "distinct": {"seen": {"1": 500}}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"figures": figures}))
    run = {"tried": 100_000, "rows": 90_000, "bytes": 450_000_000, "seconds": 9900.0, "resumed": 0}
    (tmp_path / "run.json").write_text(json.dumps(run))
    words = ["cost", "--figures", tmp_path, "--core-hour", "0.1", "--gb-month", "0.02", "--months", "12"]
    monkeypatch.setattr(sys, "argv", [*map(str, words), "--measured", str(tmp_path / "run.json")])
    cost.main()
    printed = capsys.readouterr().out
    assert "| a million rows of warp, proved | 1.000 | 56 | 5.0 | 6 + 1.20 = 7 |" in printed
    assert "100000 kernels of a run took 5.5 core-hours, and 5.0 by the model (1.10). The dataset" in printed
    (tmp_path / "run.json").write_text(json.dumps(run | {"resumed": 40_000}))
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--processor", "7200"])
    cost.main()
    assert "60000 kernels of a run took 2.0 core-hours, and 3.0 by the model (0.67)" in capsys.readouterr().out
