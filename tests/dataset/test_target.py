"""A target decides where a dataset ends, and nothing else; a dataset grows without touching what it has."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.dataset.spoiling import SMALL, checksums, rewrite, shards_of, unfinished, value, with_value

import irsmith
from irsmith import Recipe, StoppedError, UserError
from irsmith import recipe as recipes
from irsmith.audit import audit
from irsmith.dataset import target
from irsmith.dataset.decontaminate import texts
from irsmith.dataset.delivered import Delivered
from irsmith.dataset.target import Summed, Together, next_round
from irsmith.dataset.validate import validate
from irsmith.export import export
from irsmith.generation import _Means, _Run, append
from irsmith.hub import push
from irsmith.size import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("200MB", 200_000_000), ("1.5 GB", 1_500_000_000), ("64MiB", 64 * 2**20), ("4096", 4096), ("3k", 3000), ("7B", 7)],
)
def test_sizes_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "MB", "-3MB", "200 monkeys", "0.1B"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UserError, match="is not a size: give for example 200MB"):
        parse_size(text)


def parts(*counts):
    firsts = [sum(counts[:n]) for n in range(len(counts))]
    return [
        Delivered(Path(), first, 10 * n, n, tuple(range(first, first + n)))
        for first, n in zip(firsts, counts, strict=True)
    ]


@pytest.mark.parametrize("wanted", range(1, 13))
def test_a_target_is_reached_by_the_fewest_rows(wanted):
    tens = Summed(wanted * 10 - 5, lambda part: [10 * n for n in range(1, len(part.indices) + 1)])
    assert tens.reached(parts(4, 0, 3, 5)) == (1.0, wanted)


def test_a_target_that_is_not_reached_says_how_full_it_is():
    assert Summed(20, lambda part: range(1, len(part.indices) + 1)).reached(parts(4, 6)) == (0.5, None)


def test_rounds_are_whole_shards_and_do_not_leap():
    recipe = Recipe(verified=100, shard_size=16)
    assert next_round(recipe, 0, 0.0) == 112
    assert next_round(recipe, 112, 0.99) == 128
    assert next_round(recipe, 112, 0.01) == 448
    assert next_round(Recipe(size="1GB", shard_size=16), 0, 0.0) == 16


def rows(root):
    return [record["id"] for record in irsmith.load(root).records(["id"])]


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    root = tmp_path_factory.mktemp("verified") / "d"
    irsmith.generate(replace(SMALL, count=None, verified=21), root, workers=1)
    return root


def test_rows_delivered_are_counted(small, verified):
    assert rows(verified) == rows(small)[:21]
    assert irsmith.load(verified).manifest.rows == 21
    # The part in which the target is reached is what a run to that index would have made.
    assert (verified / shards_of(verified)[0].file).read_bytes() == (small / shards_of(small)[0].file).read_bytes()


def test_a_reached_target_is_left_as_it_is_and_damage_is_mended(verified, tmp_path):
    root = tmp_path / "d"
    shutil.copytree(verified, root)
    before = checksums(root)
    recipe = replace(SMALL, count=None, verified=21)
    assert irsmith.generate(recipe, root, workers=1).resumed == irsmith.load(root).manifest.tried
    last = root / shards_of(root)[-1].file
    last.write_bytes(last.read_bytes()[:-3])
    irsmith.generate(recipe, root, workers=1)
    assert checksums(root) == before


def bytes_of(root, name, scratch):
    if name == "parquet":
        return irsmith.load(root).manifest.bytes
    if name == "jsonl":
        return (root / "dataset.jsonl").stat().st_size
    return export(irsmith.load(root), scratch / f"{root.name}-{name}", name).bytes


SIZED = ["parquet", "pairs-jsonl", "hf"]
SIZED += [pytest.param(name, marks=pytest.mark.slow) for name in ("jsonl", "device-jsonl", "pair-files", "chat")]


@pytest.fixture(scope="module")
def prefixes(tmp_path_factory):
    """Datasets of the first 16 and the first 17 indices; with a row more, files of parts and columns may shrink."""
    root = tmp_path_factory.mktemp("prefixes")
    for count in (16, 17):
        irsmith.generate(replace(SMALL, count=count), root / str(count), workers=1, jsonl=True)
    return root


@pytest.mark.parametrize("name", SIZED)
def test_bytes_of_a_format_are_reached_by_the_fewest_rows(prefixes, tmp_path, name):
    short, wanted = (bytes_of(prefixes / count, name, tmp_path) for count in ("16", "17"))
    recipe = replace(SMALL, count=None, size=str(wanted), size_format=name)
    irsmith.generate(recipe, tmp_path / "size", workers=1, jsonl=True)
    assert rows(tmp_path / "size") == rows(prefixes / "17")
    assert bytes_of(tmp_path / "size", name, tmp_path) == wanted > short
    assert sorted(path.name for path in (tmp_path / "size" / "data" / "warp").iterdir()) == [
        "part-000000000.parquet",
        "part-000000016.parquet",
    ]


@pytest.mark.parametrize("wanted", range(1, 40))
def test_a_target_that_is_measured_on_all_parts_is_reached_by_the_fewest_rows(wanted):
    asked = []

    def measure(found):
        asked.append(sum(len(part.indices) for part in found))
        return sum(index % 3 for part in found for index in part.indices) + 5 * bool(found)

    full, end = Together(wanted, measure).reached(parts(14, 0, 3, 15))
    sizes = [measure([parts(count)[0]]) if count else 0 for count in range(33)]
    assert end == next((count for count, size in enumerate(sizes) if size >= wanted), None)
    assert full == min(sizes[-1] / wanted, 1)
    assert len(asked) - 32 <= 8


def test_a_format_that_lacks_a_stage_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(UserError, match=r"holds no stage 'cuda', which format pairs-jsonl needs"):
        irsmith.generate(Recipe(stages=("cpp",), size="1MB", size_format="pairs-jsonl"), tmp_path / "d", workers=1)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 3, "size": "1MB"}, "count and size: a recipe has one target"),
        ({"verified": 0}, "verified: 0 is not a positive number"),
        ({"size": "much"}, "size: 'much' is not a size"),
        ({"size_format": "parket"}, "unknown format 'parket': did you mean 'parquet'?"),
        ({"grown": (5, 3)}, r"grown: \[5, 3\] are not rising counts"),
    ],
)
def test_bad_targets(settings, message):
    with pytest.raises(UserError, match=message):
        Recipe(**settings)


def test_a_run_that_hardly_finds_new_kernels_stops(tmp_path, monkeypatch):
    # Each round fills less than the one before, as when every structure has been seen.
    fills = iter([0.5, 0.5001, 0.5001])
    monkeypatch.setattr("irsmith.generation.delivered", lambda *_: [])
    monkeypatch.setattr("irsmith.generation.duplicates", lambda *_: {})
    monkeypatch.setattr(Summed, "reached", lambda *_: (next(fills), None))
    monkeypatch.setattr(_Run, "_make", lambda *_: None)
    run = _Run(Recipe(verified=600), tmp_path, _Means("local", 1, None), lambda _: None)
    wanted = target.of(run.recipe, tmp_path, {})
    with pytest.raises(StoppedError, match=r"fill 50\.0% of the target and the last 750 hardly any of it"):
        run._fill(wanted)


def test_growing_touches_no_part_and_the_recipe_gives_the_same_bytes(copy, tmp_path):
    before = {shard.file: (copy / shard.file).stat().st_mtime_ns for shard in shards_of(copy)}
    summary = append(copy, 9, workers=1)
    assert summary.manifest.tried == 49
    assert {file: (copy / file).stat().st_mtime_ns for file in before} == before
    assert [shard.first for shard in shards_of(copy)] == [0, 16, 32, 40]
    assert recipes.read(copy / "recipe.toml").grown == (40,)
    irsmith.generate(recipes.read(copy / "recipe.toml"), tmp_path / "again", workers=2)
    (copy / "dataset.jsonl").unlink()
    assert checksums(copy) == checksums(tmp_path / "again")
    irsmith.generate(replace(SMALL, count=49), tmp_path / "whole", workers=2)
    assert rows(copy) == rows(tmp_path / "whole")


def test_until_growing_is_done_the_folder_holds_what_it_held(copy, tmp_path):
    held = rows(copy)
    seen = []

    def killed(progress):
        # The first part is there then.
        if progress.tried > 56:
            seen.append(rows(copy))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        append(copy, 20, workers=1, on_progress=killed)
    assert seen == [held]
    assert rows(copy) == held
    assert list((copy / "data").rglob("part-000000040*"))
    (copy / "data" / "warp" / "part-000000056.parquet.7.part~").write_text("PAR1")
    assert validate(copy) == (len(held), [])
    append(copy, 9, workers=1)
    assert validate(copy)[1] == []
    irsmith.generate(recipes.read(copy / "recipe.toml"), tmp_path / "again", workers=1)
    (copy / "dataset.jsonl").unlink()
    assert checksums(copy) == checksums(tmp_path / "again")


def test_the_recipe_that_a_folder_held_before_an_unfinished_append_gives_up_what_was_appended(copy):
    held = checksums(copy)

    def killed(progress):
        if progress.tried > 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        append(copy, 20, workers=1, on_progress=killed)
    irsmith.generate(recipes.read(copy / "recipe.toml"), copy, workers=1)
    assert checksums(copy) == held


def test_what_an_unfinished_append_has_written_is_not_taken_along(copy):
    pytest.importorskip("huggingface_hub")

    def seen():
        pushed = push(copy, "owner/name", dry_run=True).files
        return audit(copy).to_json(), list(texts(copy)), pushed, [row.id for row in irsmith.load(copy)], validate(copy)

    def killed(progress):
        if progress.tried > 56:
            raise KeyboardInterrupt

    wanted, before = seen(), checksums(copy).keys()
    with pytest.raises(KeyboardInterrupt):
        append(copy, 40, workers=1, on_progress=killed)
    assert "data/warp/part-000000040.parquet" in checksums(copy).keys() - before
    assert seen() == wanted
    (copy / "manifest.json").write_text("{}")
    assert audit(copy).files > wanted[0]["files"]


def test_only_the_datasets_own_recipe_goes_on(copy):
    with pytest.raises(UserError, match=r"another recipe \(seed: 5 there, 6 here\)"):
        append(copy, 5, recipe=replace(SMALL, seed=6))
    with pytest.raises(UserError, match="no dataset here"):
        append(copy / "nothing", 5)
    with pytest.raises(UserError, match="count: 0 is not a positive number"):
        append(copy, 0)


def test_of_one_structure_the_earliest_row_stays_and_the_other_is_a_reject(copy):
    recipe = recipes.read(copy / "recipe.toml")
    original = value(copy, 0, "structure_id", 3)
    repeat = value(copy, 2, "index", 1)
    shards = shards_of(copy)
    shards[2] = rewrite(copy, 2, lambda table: with_value(table, "structure_id", 1, original))
    unfinished(copy, shards)
    manifest = irsmith.generate(recipe, copy, workers=1).manifest
    assert manifest.rejects == {"assemble: Duplicate": 1}
    assert manifest.shards[2].dropped == (repeat,)
    assert manifest.rows == sum(shard.rows for shard in shards) - 1
    assert f"warp-5-{repeat}" not in rows(copy)
    assert f"warp-5-{value(copy, 0, 'index', 3)}" in rows(copy)
    line = (copy / "rejects" / "warp" / "part-000000032.jsonl").read_text()
    assert f"has the structure of warp-5-{value(copy, 0, 'index', 3)}" in line
    # A second look finds nothing more to do.
    before = checksums(copy)
    assert irsmith.generate(recipe, copy, workers=1).resumed == 40
    assert checksums(copy) == before
