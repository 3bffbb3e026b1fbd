"""What irsmith wrote, everyone reads: irsmith itself, and the libraries that people load data with."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import datasets
import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml

import irsmith
from irsmith import Recipe, UserError
from irsmith.dataset.card import render
from irsmith.dataset.parts import ROW_GROUP
from irsmith.dataset.stats import stats
from irsmith.frontends import get
from irsmith.frontends.base import default_stages
from irsmith.row import schema, to_table

RECIPE = Recipe(count=130, seed=3, shard_size=110, verify="none")
STAGES = default_stages(get("warp"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    irsmith.generate(RECIPE, root, workers=2, jsonl=True)
    return root


def test_hugging_face_datasets_reads_it_by_its_card_and_takes_no_test_row_for_training(made, tmp_path):
    rows = datasets.load_dataset(str(made), "warp", split="all_splits", cache_dir=str(tmp_path))
    assert rows["id"][:] == [row.id for row in irsmith.load(made)]
    assert rows[0]["cpp_forward"].startswith("template <bool wp_linear_contiguous>")
    # What the card says to type.
    asked = {"split": "all_splits", "filters": [("split", "==", "train")]}
    train = datasets.load_dataset(str(made), "warp", **asked, cache_dir=str(tmp_path))
    assert str(asked["filters"]) in (made / "README.md").read_text().replace('"', "'")
    assert train["id"][:] == [row.id for row in irsmith.load(made) if row.split == "train"]
    with pytest.raises(ValueError, match='Unknown split "train"'):
        datasets.load_dataset(str(made), "warp", split="train", cache_dir=str(tmp_path))


def test_pandas_duckdb_and_polars_read_it(made):
    files = str(made / "data" / "warp" / "*.parquet")
    count = len(irsmith.load(made))
    assert len(pd.read_parquet(made / "data" / "warp")) == count
    assert duckdb.sql(f"select count(*), count(distinct id) from '{files}'").fetchall() == [(count, count)]
    frame = pl.read_parquet(files)
    assert frame.height == count
    assert frame["cuda_backward"].str.contains("__global__").all()


def test_row_groups_are_small_enough_for_a_viewer(made):
    for path in (made / "data" / "warp").iterdir():
        metadata = pq.read_metadata(path)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        assert all(group.num_rows <= ROW_GROUP and group.total_byte_size < 100e6 for group in groups)


def test_rows_come_back_as_they_were_made(made):
    dataset = irsmith.load(made)
    rows = list(dataset)
    assert len(rows) == len(dataset)
    table = to_table(rows, STAGES)
    assert table.schema.equals(schema(STAGES))
    assert table.to_pylist() == list(dataset.records())
    assert [row.index for row in rows] == sorted({row.index for row in rows})


def test_jsonl_holds_the_same_records(made):
    lines = (made / "dataset.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(irsmith.load(made).records())


def test_every_row_is_what_it_says(made):
    for row in irsmith.load(made):
        tree = ast.parse(row.kernel.source)
        function = next(
            node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == row.kernel.name
        )
        assert [argument.arg for argument in function.args.args] == [a.name for a in row.kernel.signature.parameters]
        assert row.id == f"warp-3-{row.index}"
        assert row.group_id == row.structure.structure_id
        assert row.toolchain == "warp-lang 1.19.0"
        assert row.kernel.signature.launch
        for stage in STAGES:
            assert f"{row.kernel.name}_" in row.texts[f"{stage.name}_forward"]
            assert f"{row.kernel.name}_" in row.texts[f"{stage.name}_backward"]


def test_a_row_by_id_and_by_index(made):
    dataset = irsmith.load(made)
    some = next(iter(dataset))
    assert dataset.row(some.id) == dataset.row(str(some.index)) == some
    with pytest.raises(UserError, match="no row 'nonsense': ids look like 'warp-3-0'"):
        dataset.row("nonsense")


def test_no_dataset_there(tmp_path):
    with pytest.raises(UserError, match="no dataset here"):
        irsmith.load(tmp_path)


def test_another_schema_version_is_named(made, tmp_path):
    table = json.loads((made / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(table | {"schema_version": 99}))
    with pytest.raises(UserError, match="schema version 99, but this irsmith reads 5: install a newer irsmith"):
        irsmith.load(tmp_path)


def test_an_older_schema_version_says_what_it_lacks(made, tmp_path):
    table = json.loads((made / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(table | {"schema_version": 1}))
    with pytest.raises(
        UserError, match=r"in 2 rows have a column `split`, in 3 .*\): make it again with `irsmith generate`"
    ):
        irsmith.load(tmp_path)


def test_stats_count_what_the_rows_hold(made):
    dataset = irsmith.load(made)
    rows = list(dataset)
    found = stats(dataset)
    assert found.tried == 130
    assert found.total.rows == len(rows)
    assert found.total.structures == len({row.structure.structure_id for row in rows})
    assert sum(group.rows for group in found.categories.values()) == len(rows)
    loops = [row for row in rows if row.kernel.category == "loop"]
    assert found.categories["loop"].rows == len(loops)
    assert sum(group.rows for group in found.splits.values()) == len(rows)
    assert list(found.splits) == ["train", "validation", "test"]
    trained = [row for row in loops if row.split == "train"]
    assert found.balance["loop"]["train"] == len(trained)
    assert found.texts["cpp_forward"].longest == max(len(row.texts["cpp_forward"].encode()) for row in rows)
    assert found.texts["python_source"].rows == len(rows)


def test_the_card_has_front_matter_that_names_the_files(made):
    card = (made / "README.md").read_text()
    assert card == render([RECIPE], irsmith.load(made).manifest)
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["license"] == "apache-2.0"
    assert front["size_categories"] == ["n<1K"]
    [config] = front["configs"]
    assert list(made.glob(config["data_files"][0]["path"]))


@pytest.mark.parametrize(("rows", "size"), [(0, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**10, "n>1B")])
def test_size_categories_are_the_hubs(made, rows, size):
    class Manifest:
        tried, rejects, verdicts, toolchain, python, platform = rows, {}, {}, {}, "", ""
        difficulty, tags, origins, derived, configs = {}, {}, (), None, ("warp",)

    Manifest.rows = rows
    assert f"- {size}\n" in render([RECIPE], Manifest)


def test_the_row_format_page_lists_every_column():
    page = (Path(__file__).parents[2] / "docs" / "row-format.md").read_text()
    for field in schema(get("warp").stages):
        assert f"`{field.name}`" in page, field.name
