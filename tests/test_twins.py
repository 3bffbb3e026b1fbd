"""One program in two languages: printed, compared, lowered and proved, linked and kept together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import irsmith
from irsmith.dataset import pairs
from irsmith.dataset.assemble import Gone
from irsmith.dataset.dedup import clusters, without_duplicates
from irsmith.dataset.derive import derive
from irsmith.dataset.validate import validate
from irsmith.errors import UserError
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.synth.errors import Discard
from irsmith.twins import CATEGORIES, Twins

pytest.importorskip("jax")
pytest.importorskip("warp")
TWINS = Twins.of("warp", "jax")


def pair(category, index=0, seed=11):
    settings = Recipe(frontend="warp", twin="jax", categories=((category, 1.0),)).settings
    for draw in range(200):
        try:
            return TWINS.drawn(seed, index, settings, draw)
        except Discard:
            continue
    raise AssertionError(category)


@pytest.mark.parametrize("category", CATEGORIES)
def test_twins_of_a_category_compute_the_same(category):
    for index in range(4):
        kernels = pair(category, index)
        assert TWINS.difference(kernels) is None, kernels["jax"].source


def test_a_changed_number_is_a_difference():
    kernels = pair("arithmetic", 1)
    source = kernels["jax"].source
    number = next(word for word in source.replace("(", " ").replace(")", " ").split() if word.startswith("0."))
    changed = replace(kernels["jax"], source=source.replace(number, f"{float(number) * 1.01:.6f}", 1))
    assert TWINS.difference({**kernels, "jax": changed}) == "result differs"


def test_both_recipes_draw_the_same_programs():
    one = Pipeline(Recipe(frontend="warp", twin="jax", seed=3)).drawing.drawn(5)
    two = Pipeline(Recipe(frontend="jax", twin="warp", seed=3)).drawing.drawn(5)
    assert one.twins == two.twins
    assert one.kernel == two.twins["warp"] != two.kernel


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"twin": "warp"}, "own frontend"),
        ({"twin": "fortran"}, "unknown frontend"),
        ({"twin": "jax", "require": ("loop",)}, "would have no twins"),
        ({"twin": "jax", "categories": (("histogram", 1.0),)}, "unknown category"),
    ],
)
def test_what_a_recipe_of_twins_may_not_say(settings, match):
    with pytest.raises(UserError, match=match):
        Recipe(frontend="warp", **settings)


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    root = tmp_path_factory.mktemp("twins")
    for frontend, twin in (("warp", "jax"), ("jax", "warp")):
        irsmith.generate(Recipe(frontend=frontend, twin=twin, count=6, seed=4), root / frontend, workers=1)
    return root


def test_twins_are_linked_in_one_group_and_proved(halves, tmp_path):
    datasets = [irsmith.load(halves / name) for name in ("warp", "jax")]
    without_duplicates(datasets, tmp_path / "both", "merge", clusters(datasets))
    rows = {row.id: row for row in irsmith.load(tmp_path / "both")}
    assert len(rows) >= 8
    for row in rows.values():
        other = rows[row.twin_id]
        assert other.twin_id == row.id
        assert other.frontend != row.frontend
        assert (other.group_id, other.split) == (row.group_id, row.split)
        assert {v.check: v.status for v in row.verdicts}["forward"] == "passed"
    assert validate(tmp_path / "both") == (len(rows), [])


def test_a_row_goes_with_its_twin(halves, tmp_path):
    datasets = [irsmith.load(halves / name) for name in ("warp", "jax")]
    first = next(iter(datasets[0]))
    derive(datasets, tmp_path / "both", "merge", {}, {0: {first.index: Gone("Unwanted", "for this test")}})
    left = {row.id for row in irsmith.load(tmp_path / "both")}
    assert first.id not in left
    assert first.twin_id not in left
    assert pairs.ORPHAN in " ".join(irsmith.load(tmp_path / "both").manifest.rejects)


def test_a_twin_that_is_missing_or_elsewhere_is_a_fault(halves):
    columns = ["id", "frontend", "group_id", "twin_id"]
    paths = [path for name in ("warp", "jax") for path in sorted(Path(halves, name, "data").rglob("*.parquet"))]
    rows = pa.concat_tables([pq.ParquetFile(path).read(columns=columns) for path in paths]).to_pylist()
    assert not list(pairs.faults(pa.Table.from_pylist(rows)))
    assert "is no row" in next(pairs.faults(pa.Table.from_pylist(rows[1:])))[1]
    apart = [{**rows[0], "group_id": "other"}, *rows[1:]]
    assert "another group" in next(pairs.faults(pa.Table.from_pylist(apart)))[1]


def test_integers_of_64_bits_and_sums_of_vectors_stand_in_both_languages():
    """JAX cuts 64 bits to 32 unless it is told not to, and has no constructors of vectors."""
    integers = sums = 0
    for category, indices in (("multi_statement", range(10)), ("loop", range(30))):
        for kernels in (pair(category, index) for index in indices):
            source = kernels["jax"].source
            types = {str(argument.type) for argument in kernels["jax"].signature.arguments}
            assert any(name.endswith("64") for name in types) == ("jax_enable_x64" in source)
            assert "jnp.vec" not in source
            if types & {"int64", "uint64"}:
                integers += 1
                assert TWINS.difference(kernels) is None, source
            sums += "jnp.zeros((" in source
    assert integers
    assert sums
