"""The commands on finished datasets: what they print, and how they fail."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from tests.cli.command import refused, run

import irsmith
from irsmith import Recipe


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    for name, seed in (("a", 5), ("b", 6)):
        irsmith.generate(Recipe(count=8, seed=seed, verify="none"), folder / name, workers=1)
    return folder


def test_generate_to_a_target_and_append(tmp_path):
    options = ("--seed", 5, "--verify", "none", "--workers", 1, "--out", "d", "--json")
    shown = run("generate", "--verified", 6, *options, cwd=tmp_path)
    assert json.loads(shown.stdout)["rows"] == 6, shown.stderr
    shown = run("generate", "--append", "--count", 3, "--out", "d", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["tried"] == 9, shown.stderr
    refused = run("generate", "--append", "--count", 3, "--seed", 9, "--out", "d", cwd=tmp_path)
    assert refused.returncode == 2
    assert "another recipe (seed: 5 there, 9 here)" in refused.stderr


def test_a_target_given_as_an_option_takes_the_place_of_the_recipes(tmp_path):
    (tmp_path / "r.toml").write_text("size = '1GB'\nverify = 'none'\n")
    shown = run("generate", "r.toml", "--count", 2, "--out", "d", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["tried"] == 2, shown.stderr


def test_merge_dedup_and_decontaminate(made, tmp_path):
    merged = json.loads(run("merge", made / "a", made / "b", made / "a", "--out", tmp_path / "m", "--json").stdout)
    assert (merged["rows"], merged["delivered"], merged["duplicates"]) == (24, 16, 8)
    assert merged["cluster_sizes"] == {"2": 8}
    alike = json.loads(run("dedup", tmp_path / "m", "--clusters", tmp_path / "c.parquet", "--json").stdout)
    assert (alike["rows"], alike["threshold"]) == (16, 0.8)
    assert pq.read_table(tmp_path / "c.parquet").num_rows == alike["near_duplicates"]
    shown = run("decontaminate", tmp_path / "m", "--against", made / "b" / "data")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("8 of 16 rows stand in ")
    assert {row.seed for row in irsmith.load(tmp_path / "m-decontaminated")} == {5}
    again = run("decontaminate", tmp_path / "m", "--against", made / "b" / "data")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "exists: choose a new folder" in again.stderr


def test_stats_show_the_balance_of_splits(made):
    found = json.loads(run("stats", made / "a", "--json").stdout)
    assert sum(group["rows"] for group in found["splits"].values()) == 8
    assert "share" in run("stats", made / "a").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--count", "3", "--size", "1MB", "--out", "d"], "a recipe has one target"),
        (["generate", "--size", "lots", "--out", "d"], "size: 'lots' is not a size"),
        (["generate", "--append", "--out", "d"], "--append: say how many indices to add with --count"),
        (["generate", "--append", "--count", "3", "--out", "d"], "no dataset here"),
        (["generate", "--append", "--count", "3", "--verified", "3", "--out", "d"], "--verified: does not go with"),
        (["generate", "--append", "--count", "3", "--overwrite", "--out", "d"], "--overwrite: does not go with"),
        (["merge", "--out", "d"], "Missing argument"),
        (["merge", "nowhere", "--out", "d"], "no dataset here"),
        (["dedup", "nowhere"], "no dataset here"),
        (["decontaminate", "nowhere", "--against", "x"], "no dataset here"),
        (["validate", "nowhere"], "no dataset here"),
        (["diff", "nowhere", "elsewhere"], "no dataset here"),
    ],
)
def test_bad_input_is_one_line_and_status_two(tmp_path, arguments, message):
    refused(arguments, message, tmp_path)
