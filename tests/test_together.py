"""Two frontends in one file give one dataset, which every export takes apart again."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import replace

import datasets
import pytest
import yaml
from tests.dataset.spoiling import rewrite, shards_of, value, with_value

import irsmith
from irsmith import UserError
from irsmith import recipe as recipes
from irsmith.dataset.manifest import FILE
from irsmith.dataset.stats import stats
from irsmith.dataset.validate import validate
from irsmith.export import export
from irsmith.export.base import Options
from irsmith.report import report
from irsmith.report.figures import gather
from irsmith.together import generate_together

pytest.importorskip("jax")
TEXT = """
seed = 7
verify = "none"

[splits]
hold_out_categories = ["scan", "cumulative"]

[[datasets]]
frontend = "warp"
count = 9

[[datasets]]
frontend = "jax"
count = 4
sizes = { median = 6 }
"""
RECIPES = recipes.parse_all(TEXT, "both.toml")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    root = tmp_path_factory.mktemp("together") / "both"
    generate_together(RECIPES, root, workers=1)
    return irsmith.load(root)


def test_a_file_of_several_recipes_shares_what_stands_at_its_top():
    assert [(recipe.frontend, recipe.count, recipe.seed) for recipe in RECIPES] == [("warp", 9, 7), ("jax", 4, 7)]
    assert RECIPES[0].splits == RECIPES[1].splits
    assert recipes.parse_all("count = 3", "one.toml") == (irsmith.Recipe(count=3),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets = 3", r"x.toml: datasets: is not a list of tables"),
        ("[[datasets]]\ncuont = 3", r"x.toml: datasets\[0\]: unknown recipe key 'cuont'"),
        ("[[datasets]]\n[[datasets]]", "two are of one frontend: make them apart, and `irsmith merge` them"),
        ("[[datasets]]\n[datasets.splits]\ntrain = 1.0", r"all rows are split alike: put \[splits\] at the top"),
    ],
)
def test_bad_files_of_several_recipes(text, message):
    with pytest.raises(UserError, match=message):
        recipes.parse_all(text, "x.toml")


def test_it_is_the_merge_of_the_datasets_beside_it(both):
    root = both.root
    apart = [irsmith.load(root.with_name(f"both-{name}")) for name in ("warp", "jax")]
    assert [row.id for row in both] == [row.id for dataset in apart for row in dataset]
    assert both.recipes == RECIPES
    assert sum(both.manifest.difficulty.values()) == len(both)
    assert both.manifest.tags.keys() == apart[0].manifest.tags.keys() | apart[1].manifest.tags.keys()
    assert not validate(both.root)[1]


def test_the_same_call_leaves_what_is_done_and_makes_anew_what_is_not(both, tmp_path):
    content = both.manifest.content
    assert generate_together(RECIPES, both.root, workers=1)[-1].resumed == len(both)
    part = next(both.root.with_name("both-warp").rglob("*.parquet"))
    before = part.read_bytes()
    part.write_bytes(b"")
    assert generate_together(RECIPES, both.root, workers=1)[-1].manifest.content == content
    assert part.read_bytes() == before
    (tmp_path / "d").mkdir()
    with pytest.raises(UserError, match="exists: choose a new folder"):
        generate_together(RECIPES, tmp_path / "d", workers=1)


def test_exports_of_one_frontend_leave_the_other_out_and_say_so(both, tmp_path):
    warp, jax = (len(irsmith.load(both.root.with_name(f"both-{name}"))) for name in ("warp", "jax"))
    pairs = export(both, tmp_path / "pairs.jsonl", "pairs-jsonl")
    assert (pairs.rows, pairs.left_out) == (warp, {"frontend jax, which has no cpp and no cuda": jax})
    hlo = export(both, tmp_path / "hlo.jsonl", "hlo-jsonl")
    assert (hlo.rows, hlo.left_out) == (jax, {"frontend warp, which has no hlo and no hlo_optimized": warp})
    for path, fields in (("pairs.jsonl", ("cpp", "cuda")), ("hlo.jsonl", ("hlo_forward", "hlo_optimized"))):
        for line in (tmp_path / path).read_text().splitlines():
            assert all(json.loads(line)[field] for field in fields)


def test_training_forms_have_the_tasks_of_each_frontend_and_none_across(both, tmp_path):
    export(both, tmp_path / "chat", "chat")
    records = [json.loads(line) for path in (tmp_path / "chat").iterdir() for line in path.read_text().splitlines()]
    tasks = {frontend: {r["task"] for r in records if r["id"].startswith(frontend)} for frontend in ("warp", "jax")}
    assert {"source:cpp", "cpp:cuda", "cuda:cuda.backward"} <= tasks["warp"]
    assert {"source:hlo", "jaxpr:stablehlo", "hlo_optimized:source"} <= tasks["jax"]
    assert not tasks["warp"] & tasks["jax"]
    with pytest.raises(UserError, match="task 'cuda:hlo': its ends are stages of different frontends"):
        export(both, tmp_path / "none", "chat", Options(tasks=("cuda:hlo",)))


def test_the_hub_gets_a_config_a_frontend(both, tmp_path):
    export(both, tmp_path / "hub", "hf")
    front = (tmp_path / "hub" / "README.md").read_text().split("---\n")[1]
    assert [config["config_name"] for config in yaml.safe_load(front)["configs"]] == ["warp", "jax"]
    for name, stage in (("warp", "cuda"), ("jax", "hlo")):
        rows = [row for row in both if row.frontend == name]
        loaded = datasets.load_dataset(str(tmp_path / "hub"), name, cache_dir=str(tmp_path / "cache"))
        assert {split: set(part["id"]) for split, part in loaded.items()} == {
            split: {row.id for row in rows if row.split == split} for split in {row.split for row in rows}
        }
        assert all(f"{stage}_forward" in part.column_names for part in loaded.values())
    straight = datasets.load_dataset(str(both.root), "jax", cache_dir=str(tmp_path / "cache"))
    assert list(straight) == ["all_splits"]


def test_a_leak_between_the_frontends_is_found(both, tmp_path):
    """A row to be tested on whose group the other frontend's training rows have."""
    root = tmp_path / "d"
    shutil.copytree(both.root, root)
    rows = list(both.records(["frontend", "id", "group_id", "split"]))
    trained = next(row for row in rows if row["frontend"] == "warp" and row["split"] == "train")
    shards = shards_of(root)

    def change(table):
        return with_value(with_value(table, "group_id", 0, trained["group_id"]), "split", 0, "test")

    shards[-1] = rewrite(root, len(shards) - 1, change)
    (root / FILE).write_text(replace(both.manifest, shards=tuple(shards)).to_json())
    [leak] = [fault.what for fault in validate(root)[1] if fault.gate == "leaks"]
    assert f"{trained['id']} in train" in leak
    assert f"{value(root, len(shards) - 1, 'id', 0)} in test" in leak


def test_figures_are_by_split_and_frontend(both):
    found = stats(both)
    for name, column in (("difficulty_balance", "difficulty"), ("balance", "category")):
        pairs = Counter((str(row[column]), row["split"]) for row in both.records([column, "split"]))
        counted = {(key, split): n for key, by in getattr(found, name).items() for split, n in by.items() if n}
        assert counted == pairs
    assert gather(both).frontends.total() == len(both)


def test_a_report_shows_samples_of_both(both, tmp_path):
    page = report(both, tmp_path / "report.html").read_text()
    assert "<b>Frontends</b>" in page
    assert re.search(r"<summary>.*warp-7-\d", page)
    assert re.search(r"<summary>.*jax-7-\d", page)
    assert "do not say which line they came from" not in page
