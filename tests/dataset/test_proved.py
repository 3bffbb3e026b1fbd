"""A dataset proved as it is made: verdicts in its rows, measurements beside them, and spoiled rows found again."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

import irsmith
from irsmith import Recipe
from irsmith.dataset.parts import data_file
from irsmith.errors import UserError
from irsmith.frontends import get
from irsmith.proof import prove
from irsmith.recipe import Checks, evenly
from irsmith.row import to_table
from irsmith.verdict import Status

STAGES = get("warp").stages[:2]
RECIPE = Recipe(
    count=24,
    seed=7,
    shard_size=12,
    max_reject_share=1.0,
    categories=evenly(["arithmetic", "vector", "loop", "atomic", "while_loop"]),
    checks=Checks(twin_runs=0.3, twin_compiles=0.3, removals=0.3),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    irsmith.generate(RECIPE, root, workers=2)
    return irsmith.load(root)


def statuses(row):
    return {verdict.check: verdict.status for verdict in row.verdicts}


def test_every_row_carries_a_verdict_of_every_check(made):
    rows = list(made)
    assert len(rows) >= 20
    for row in rows:
        found = statuses(row)
        assert set(found) == {"compile_cpp", "compile_cuda", "forward", "backward", "cuda"}
        assert found["forward"] is Status.PASSED
        assert found["cuda"] is Status.PASSED
    counts = Counter(status for row in rows for status in statuses(row).values())
    assert counts[Status.COMPILER_WRONG] >= 1, "a while loop's adjoint is wrong"
    assert Counter(statuses(row)["backward"] for row in rows)[Status.PASSED] >= 10
    executed = [v for row in rows for v in row.verdicts if v.check == "cuda" and "executed" in v.reason]
    assert 1 <= len(executed) < len(rows)


def test_a_wrong_adjoint_is_withheld_and_the_forward_stays(made):
    for row in made:
        wrong = statuses(row)["backward"] is Status.COMPILER_WRONG
        for stage in STAGES:
            assert row.texts[f"{stage.name}_forward"]
            assert (row.texts[f"{stage.name}_backward"] is None) == wrong
        assert wrong or any(span.column == "cpp_backward" for span in row.lines)


def test_a_recipe_may_keep_what_is_wrong(made, tmp_path):
    kept = replace(RECIPE, checks=replace(RECIPE.checks, keep_wrong_adjoints=True))
    irsmith.generate(kept, tmp_path / "kept", workers=2)
    for row, other in zip(made, irsmith.load(tmp_path / "kept"), strict=True):
        assert row.verdicts == other.verdicts
        assert other.texts["cpp_backward"]


@pytest.mark.slow
def test_one_worker_proves_the_same_bytes(made, tmp_path):
    irsmith.generate(RECIPE, tmp_path / "again", workers=1)
    again = irsmith.load(tmp_path / "again")
    assert [s.sha256 for s in again.manifest.shards] == [s.sha256 for s in made.manifest.shards]
    assert [s.rejects_sha256 for s in again.manifest.shards] == [s.rejects_sha256 for s in made.manifest.shards]


def test_manifest_and_card_count_the_verdicts(made):
    counted = Counter(f"{v.check}: {v.status}" for row in made for v in row.verdicts)
    assert made.manifest.verdicts == dict(sorted(counted.items()))
    assert f"| forward | passed | {len(made)} |" in (made.root / "README.md").read_text()


def test_measurements_stand_beside_the_rows(made):
    table = pq.read_table(made.root / "measurements")
    assert sorted(table["id"].to_pylist()) == sorted(row.id for row in made)
    for record in table.to_pylist():
        assert record["input_sets"] >= 4
        assert 0 <= record["forward_error"] <= record["forward_tolerance"]


def test_the_files_bear_out_what_they_say(made):
    found = prove(made)
    assert found.rows == len(made)
    assert found.faults == ()
    assert found.verdicts["forward: passed"] == len(made)
    assert prove(made, sample=3).rows == 3


def spoil(made, root, change):
    """A copy of the dataset in which one text of the first row that has it proved is changed."""
    shutil.copytree(made.root, root)
    rows = list(made)
    place = next(i for i, row in enumerate(rows) if statuses(row)["backward"] is Status.PASSED)
    first = made.manifest.shards[0]
    rows[place] = change(rows[place])
    kept = [row for row in rows if row.index < first.first + first.tried]
    pq.write_table(to_table(kept, STAGES), root / data_file("warp", first.first))
    return irsmith.load(root), rows[place]


def text_changed(column, old, new):
    def change(row):
        text = row.texts[column]
        assert old in text
        return replace(row, texts={**row.texts, column: text.replace(old, new, 1)})

    return change


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("cpp_forward", "wp::array_store(", "wp::array_store(var_missing, "),
        ("cuda_forward", "_idx < dim.size", "_idx < dim.size - 1"),
        ("cuda_backward", "wp::adj_address(", "wp::adj_address_("),
        # What runs the same, and is not what the source lowers to.
        ("cpp_forward", "    // ", "    //  "),
    ],
)
def test_a_spoiled_text_is_a_fault(made, tmp_path, column, old, new):
    spoiled, row = spoil(made, tmp_path / "spoiled", text_changed(column, old, new))
    found = prove(spoiled)
    assert {fault.row_id for fault in found.faults} == {row.id}


def test_texts_alone_are_compared_without_a_run(made, tmp_path):
    found = prove(made, texts_only=True)
    assert (found.rows, found.verdicts, found.faults) == (len(made), {}, ())
    spoiled, row = spoil(made, tmp_path / "spoiled", text_changed("cuda_forward", "    // ", "    //  "))
    [fault] = prove(spoiled, texts_only=True).faults
    assert (fault.row_id, fault.what) == (row.id, "cuda_forward: its source lowers to another text")


def test_a_spoiled_source_is_a_fault(made, tmp_path):
    def change(row):
        lines = row.kernel.source.splitlines()
        nodes = [node for node in ast.walk(ast.parse(row.kernel.source)) if isinstance(node, ast.Assign)]
        last = max(node.lineno for node in nodes if node.lineno == node.end_lineno) - 1
        lines[last] += " * 1.5" if " + " not in lines[last] else " + 0.25"
        return replace(row, kernel=replace(row.kernel, source="\n".join(lines) + "\n"))

    spoiled, row = spoil(made, tmp_path / "spoiled", change)
    assert row.id in {fault.row_id for fault in prove(spoiled).faults}


def test_the_command_says_what_it_found(made):
    line = [sys.executable, "-m", "irsmith", "verify", str(made.root), "--sample", "2", "--json"]
    shown = subprocess.run(line, capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout)["faults"] == []
    told = subprocess.run([*line[:-1], "--texts"], capture_output=True, text=True, check=True).stdout
    assert told.startswith("2 rows lowered again, 0 faults\n")
    bad = subprocess.run([*line[:-3], "--sample", "0"], capture_output=True, text=True, check=False)
    assert bad.returncode == 2
    assert "--sample: 0 is not a positive number" in bad.stderr


def test_rows_without_a_text_that_proves_are_only_compared(tmp_path):
    irsmith.generate(Recipe(count=2, stages=("ptx",), verify="none"), tmp_path / "made", workers=1)
    with pytest.raises(UserError, match=r"made: holds rows of ptx alone, .* compare their texts with --texts$"):
        prove(irsmith.load(tmp_path / "made"))
    found = prove(irsmith.load(tmp_path / "made"), texts_only=True)
    assert (found.rows, found.faults) == (2, ())
