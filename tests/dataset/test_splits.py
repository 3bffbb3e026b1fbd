"""A row's split follows from the row and the recipe, and nothing that must be kept apart comes together."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

import irsmith
from irsmith import Recipe, UserError
from irsmith.dataset.splits import FACTS, Facts, Split, Splits, beyond, builtins_of, of_group, of_groups, split_of
from irsmith.frontends import get
from irsmith.pipeline import Pipeline
from irsmith.row import to_table

FACT = Facts("g", "loop", "import warp as wp\nx = wp.sin(1.0)\n", lines=10, nesting=2, loop_depth=1, magnitude=4.0)


def test_shares_are_what_the_recipe_says():
    counts = Counter(of_group(f"group {n}", Splits()) for n in range(20_000))
    assert counts[Split.TRAIN] == pytest.approx(14_000, rel=0.02)
    assert counts[Split.VALIDATION] == pytest.approx(3_000, rel=0.05)
    assert counts[Split.TEST] == pytest.approx(3_000, rel=0.05)
    everything = Splits(train=0.9, validation=0.1, test=0.0)
    assert Counter(of_group(f"group {n}", everything) for n in range(2000)).keys() == {Split.TRAIN, Split.VALIDATION}


def test_a_larger_training_share_only_adds_to_it():
    smaller, larger = Splits(), Splits(train=0.8, validation=0.1, test=0.1)
    for n in range(500):
        if of_group(str(n), smaller) is Split.TRAIN:
            assert of_group(str(n), larger) is Split.TRAIN


def test_the_assignment_is_pinned():
    # Whoever holds an older dataset must find the same groups in the same splits.
    assert [of_group(str(n), Splits()).value for n in range(8)] == PINNED


PINNED = ["train", "train", "validation", "train", "train", "train", "train", "train"]


def test_what_is_held_out_comes_first_and_bounds_next():
    assert split_of(FACT, Splits()) is of_group("g", Splits())
    assert split_of(FACT, Splits(hold_out_categories=("loop",), max_lines=1)) is Split.HELD_OUT
    assert split_of(FACT, Splits(hold_out_builtins=("sin",))) is Split.HELD_OUT
    assert split_of(FACT, Splits(hold_out_builtins=("cos",))) is of_group("g", Splits())


@pytest.mark.parametrize("bound", ["max_lines", "max_nesting", "max_loop_depth", "max_magnitude"])
def test_each_bound_is_passed_only_beyond_it(bound):
    value = {"max_lines": 10, "max_nesting": 2, "max_loop_depth": 1, "max_magnitude": 4.0}[bound]
    assert split_of(FACT, Splits(**{bound: value})) is of_group("g", Splits())
    assert split_of(FACT, Splits(**{bound: value - 1})) is Split.OUT_OF_DISTRIBUTION
    assert beyond(FACT, Splits(**{bound: value - 1}))[0].startswith(bound)


def test_a_group_whose_rows_would_go_apart_goes_as_far_from_training_as_any():
    rows = [("a", "train"), ("a", "out_of_distribution"), ("b", "test"), ("c", "held_out"), ("c", "train")]
    assert of_groups(rows) == {"a": Split.OUT_OF_DISTRIBUTION, "b": Split.TEST, "c": Split.HELD_OUT}


def test_builtins_are_named_as_after_the_module():
    source = (
        "import warp as wp\nimport jax.numpy as jnp\nfrom jax import lax\n"
        "def f(a, v):\n    return wp.sin(a) + jnp.linalg.norm(v.x) + lax.exp(a) + min(a, 1) + helper(a)\n"
    )
    assert builtins_of(source) == {"sin", "linalg", "linalg.norm", "exp", "min"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": 0.9}, "add up to 1.2, not 1"),
        ({"train": -0.5, "validation": 1.0, "test": 0.5}, "splits.train: -0.5 is not a share"),
        ({"max_lines": -1}, "splits.max_lines: -1 is not a bound"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(UserError, match=message):
        Splits(**settings)


def test_rows_carry_the_split_that_their_record_gives(tmp_path):
    settings = Splits(hold_out_categories=("matrix",), hold_out_builtins=("exp",), max_lines=40, max_nesting=3)
    recipe = Recipe(count=60, seed=4, verify="none", splits=settings)
    irsmith.generate(recipe, tmp_path / "d", workers=1)
    records = list(irsmith.load(tmp_path / "d").records([*FACTS, "split"]))
    assert {record["split"] for record in records} == {split.value for split in Split}
    for record in records:
        assert record["split"] == split_of(Facts.of_record(record), settings)


def test_other_splits_change_no_other_column():
    stages = get("warp").stages[:2]
    rows = [Pipeline(Recipe(seed=4)).row(n) for n in range(6)]
    held = [Pipeline(Recipe(seed=4, splits=Splits(max_lines=0))).row(n) for n in range(6)]
    assert [replace(row, split=Split.TRAIN) for row in held] == [replace(row, split=Split.TRAIN) for row in rows]
    assert set(to_table(held, stages)["split"].to_pylist()) == {"out_of_distribution"}
