"""A recipe reads back as it was written, and what cannot be used is one clear line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith import frontends
from irsmith import recipe as recipes
from irsmith.dataset.splits import Splits
from irsmith.errors import UserError
from irsmith.recipe import Recipe
from irsmith.synth import CATEGORIES

RECIPES = sorted((Path(__file__).parent.parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_ready_made_recipes_read(path):
    for recipe in recipes.read_all(path):
        assert recipes.parse(recipe.to_toml(), "again") == recipe


def test_a_file_of_several_recipes_is_no_single_one():
    with pytest.raises(UserError, match=r"all-80k.toml: holds recipes of several datasets, which `irsmith generate`"):
        recipes.read(RECIPES[0].with_name("all-80k.toml"))


def test_held_out_categories_may_be_another_frontends():
    held = Splits(hold_out_categories=("scan", "layernorm"))
    assert Recipe(splits=held).splits == held
    with pytest.raises(UserError, match="unknown category 'layernrom': did you mean 'layernorm'"):
        Recipe(splits=Splits(hold_out_categories=("layernrom",)))


def test_defaults_name_every_stage_and_category():
    recipe = Recipe()
    assert recipe.stages == ("cpp", "cuda")
    assert [name for name, _ in recipe.categories] == sorted(CATEGORIES)
    assert sum(weight for _, weight in recipe.categories) == pytest.approx(1)


@given(
    count=st.integers(1, 10**9),
    seed=st.integers(-(2**63), 2**63 - 1),
    share=st.floats(0, 1),
    names=st.lists(st.sampled_from(sorted(CATEGORIES)), min_size=1, unique=True),
)
def test_any_recipe_reads_back_equal(count, seed, share, names):
    recipe = Recipe(count=count, seed=seed, max_reject_share=share, categories=recipes.evenly(names))
    assert recipes.parse(recipe.to_toml(), "again") == recipe


@given(st.text())
def test_any_text_is_a_recipe_or_a_clear_error(text):
    try:
        recipe = recipes.parse(text, "fuzz")
    except UserError as error:
        outcome = str(error)
    else:
        outcome = f"fuzz: {recipe}"
    assert outcome.startswith("fuzz: ")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("count = 0", "count: 0 is not a positive number"),
        ("count = -3", "count: -3 is not a positive number"),
        ("count = 1.5", "count: 1.5 is not a whole number"),
        ("count = true", "count: true is not a whole number"),
        ("seed = 99999999999999999999", "seed: 99999999999999999999 does not fit"),
        ("kount = 3", "unknown recipe key 'kount': did you mean 'count'?"),
        ("frontend = 'wrap'", "unknown frontend 'wrap': did you mean 'warp'?"),
        ("stages = ['cppp']", "unknown stage 'cppp' of frontend warp: did you mean 'cpp'?"),
        ("frontend = 'jax'\n[types]\nfloat64 = 3", "types: the jax frontend has none to weigh"),
        ("frontend = 'jax'\n[builtins]\nexp = 0", "builtins: the jax frontend has none to weigh"),
        ("frontend = 'jax'\n[augment]\nrename = 0.1", "augment: the jax frontend has no 'rename'"),
        ("stages = ['ptx']", 'stages: ptx alone cannot be proved: add cpp or cuda, or set verify to "none"'),
        ("verify = 'compile'\nstages = ['ptx']", "stages: ptx alone cannot be proved: add cpp or cuda"),
        (
            "frontend = 'jax'\nstages = ['hlo_optimized', 'jaxpr']",
            "stages: jaxpr, hlo_optimized alone cannot be proved: add stablehlo or hlo, or set verify to",
        ),
        ("frontend = 'jax'\nstages = ['stablehlo_tpu']", "stages: stablehlo_tpu alone cannot be proved"),
        ("stages = 'cpp'", 'stages: "cpp" is not a list of names'),
        ("[categories]\nlop = 1.0", "unknown category 'lop': did you mean 'loop'?"),
        ("[categories]\nloop = 0.5", "the weights add up to 0.5, not 1"),
        ("[categories]\nloop = -1\nmath = 2", "the weight of 'loop' is -1"),
        ("[categories]\nloop = 'x'", "is not a table of weights"),
        ("max_reject_share = 5", "max_reject_share: 5 is not a share"),
        ("verify = 'all'", "verify: unknown level 'all'"),
        ("[checks]\nremovals = 2", "checks.removals: 2 is not a share"),
        ("[checks]\nkeep_wrong_adjoints = 1", "checks.keep_wrong_adjoints: 1 is not true or false"),
        ("[sizes]\nlong = 3", "unknown recipe key 'sizes.long'"),
        ("count = ", "not TOML"),
    ],
)
def test_bad_recipes(toml, message):
    with pytest.raises(UserError) as caught:
        recipes.parse(toml, "r.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("r.toml: ")


@pytest.mark.parametrize("frontend", frontends.TABLE)
def test_a_recipe_of_one_stage_is_taken_where_it_proves_or_nothing_is_proved(frontend):
    with frontends.get(frontend).prover() as toolchain:
        proving = {toolchain.host, toolchain.twin}
    for stage in frontends.get(frontend).stages:
        assert Recipe(frontend=frontend, stages=(stage.name,), verify="none").stages == (stage.name,)
        if stage.name in proving:
            assert Recipe(frontend=frontend, stages=(stage.name,)).stages == (stage.name,)
        else:
            with pytest.raises(UserError, match=f"stages: {stage.name} alone cannot be proved: add "):
                Recipe(frontend=frontend, stages=(stage.name,))


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        recipes.read(tmp_path / "none.toml")


def test_other_pipelines_category_names_are_understood():
    assert Recipe(categories=(("elementwise", 1.0),)).categories == (("arithmetic", 1.0),)


def test_differences_name_what_differs():
    assert Recipe(seed=1).differences(replace(Recipe(seed=2), count=5)) == [
        "count: 5 there, 1000 here",
        "seed: 2 there, 1 here",
    ]
