"""The quality gates: a good dataset passes, and each planted fault is named by the gate that is for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.dataset.spoiling import checksums, rewrite, shards_of, value, with_value

import irsmith
from irsmith import Recipe, UserError
from irsmith import recipe as recipes
from irsmith.dataset import card
from irsmith.dataset.manifest import FILE, made_here
from irsmith.dataset.validate import validate
from irsmith.recipe import evenly
from irsmith.unpredictable import KINDS


def restate(root, shards):
    """Make manifest and card say what the files hold, so that a fault in the rows is alone."""
    old = json.loads((root / FILE).read_text())
    manifest = made_here(old["version"], old["toolchain"], shards)
    (root / FILE).write_text(manifest.to_json())
    (root / "README.md").write_text(card.render([recipes.read(root / "recipe.toml")], manifest))
    (root / "dataset.jsonl").unlink(missing_ok=True)


def planted(root, number, change):
    """Change a part's rows, and restate all else."""
    shards = shards_of(root)
    shards[number] = rewrite(root, number, change)
    restate(root, shards)
    return shards[number]


def faults(root):
    return [(fault.gate, fault.where, fault.what) for fault in validate(root)[1]]


def test_a_good_dataset_passes_and_is_only_read(small):
    before = checksums(small)
    assert validate(small, workers=2) == (40, [])
    assert checksums(small) == before


def test_what_a_function_returns_is_no_argument_of_it(made_jax):
    assert validate(made_jax.root) == (4, [])


def test_an_array_that_a_struct_holds_is_no_argument_of_its_own(tmp_path):
    root = tmp_path / "d"
    wanted = Recipe(count=3, seed=5, verify="none", categories=(("struct_arrays", 1.0),))
    irsmith.generate(wanted, root, workers=1)
    assert any("." in a.name for row in irsmith.load(root) for a in row.kernel.signature.arguments)
    assert validate(root) == (3, [])
    arguments = value(root, 0, "arguments", 0)
    nowhere = [item | {"name": item["name"].replace(".", "_.")} for item in arguments]
    planted(root, 0, column("arguments", 0, nowhere))
    assert [gate for gate, _, _ in faults(root)] == ["python"]


def column(name, row, value_):
    return lambda table: with_value(table, name, row, value_)


def test_01_a_flipped_bit(copy):
    path = copy / shards_of(copy)[1].file
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    assert ("checksums", "data/warp/part-000000016.parquet") in {fault[:2] for fault in faults(copy)}


def test_02_a_cut_file(copy):
    path = copy / shards_of(copy)[1].file
    path.write_bytes(path.read_bytes()[:-100])
    found = faults(copy)
    assert ("files", "data/warp/part-000000016.parquet") in {fault[:2] for fault in found}


def test_03_a_lost_part(copy):
    (copy / shards_of(copy)[2].file).unlink()
    assert ("files", "data/warp/part-000000032.parquet", "is missing") in faults(copy)


def test_04_a_part_too_many(copy):
    shutil.copy(copy / shards_of(copy)[0].file, copy / "data" / "warp" / "part-000000099.parquet")
    assert faults(copy) == [("files", "data/warp/part-000000099.parquet", "is in no shard of the manifest")]


def test_05_a_column_that_is_not_in_the_format(copy):
    planted(copy, 0, lambda table: table.append_column("note", pa.array(["x"] * table.num_rows)))
    assert faults(copy) == [("schema", "data/warp/part-000000000.parquet", "column note is unknown")]


def test_06_a_column_of_another_type(copy):
    def change(table):
        place = table.schema.get_field_index("lines")
        return table.set_column(place, pa.field("lines", pa.int64(), nullable=False), table["lines"].cast(pa.int64()))

    planted(copy, 0, change)
    [(gate, _, what)] = faults(copy)
    assert gate == "schema"
    assert what.startswith("column lines is int64, not int32")


def test_07_a_lost_column(copy):
    planted(copy, 0, lambda table: table.drop_columns(["uncovered"]))
    assert faults(copy) == [("schema", "data/warp/part-000000000.parquet", "column uncovered is missing")]


def test_08_an_empty_field(copy):
    planted(copy, 0, column("description", 3, ""))
    assert faults(copy) == [("fields", value(copy, 0, "id", 3), "description is empty")]


def test_09_an_id_that_names_another_row(copy):
    planted(copy, 0, column("id", 3, "warp-5-777"))
    [(gate, where, what)] = faults(copy)
    assert (gate, where) == ("fields", "warp-5-777")
    assert "does not say frontend, seed 5 and index" in what


def test_10_a_type_that_is_none(copy):
    arguments = value(copy, 0, "arguments", 3)
    arguments[0]["type"] = "float31"
    planted(copy, 0, column("arguments", 3, arguments))
    assert {fault[0] for fault in faults(copy)} == {"fields"}


def test_11_a_source_that_does_not_parse(copy):
    planted(copy, 0, lambda table: with_value(table, "python_source", 3, "def broken(:\n"))
    [(gate, where, what)] = faults(copy)
    assert (gate, where) == ("python", value(copy, 0, "id", 3))
    assert "does not parse" in what


def test_12_a_source_of_another_kernel(copy):
    planted(copy, 0, column("name", 3, "somebody_else"))
    assert faults(copy) == [("python", value(copy, 0, "id", 3), "python_source has no function 'somebody_else'")]


def test_13_an_argument_that_the_kernel_has_not(copy):
    arguments = value(copy, 0, "arguments", 3)
    planted(copy, 0, column("arguments", 3, [*arguments, arguments[0] | {"name": "extra"}]))
    assert ("python", value(copy, 0, "id", 3)) in {fault[:2] for fault in faults(copy)}


def test_14_a_structure_that_is_not_the_sources(copy):
    planted(copy, 0, column("structure_id", 3, "0" * 32))
    [(gate, _, what)] = faults(copy)
    assert gate == "structure"
    assert what.endswith(f"and the row says {'0' * 32}")


def test_15_a_size_that_is_not_the_sources(copy):
    planted(copy, 0, column("statements", 3, 12345))
    assert {fault[0] for fault in faults(copy)} == {"structure"}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("hash", "Particle_8f3a2b1c(x)"),
        ("path", "// at /tmp/build/kernel.cpp"),
        ("address", "object at 0x7f3c5a1b2c3d"),
        ("date", "// 2026-11-21"),
    ],
)
def test_16_a_text_that_no_one_can_predict(copy, kind, text):
    planted(copy, 0, column("cpp_forward", 3, value(copy, 0, "cpp_forward", 3) + text + "\n"))
    [(gate, _, said)] = faults(copy)
    assert (gate, said) == ("texts", f"cpp_forward holds {KINDS[kind]}: {text!r}")


@pytest.mark.parametrize("text", ["// kernel.py:4711", "// y = x  <L 4711>"])
def test_17_a_line_that_the_source_has_not(copy, text):
    planted(copy, 0, column("cpp_forward", 3, value(copy, 0, "cpp_forward", 3) + text + "\n"))
    [(gate, _, said)] = faults(copy)
    assert (gate, said) == ("texts", f"cpp_forward holds {KINDS['line']}: {text!r}")


def test_18_an_empty_text(copy):
    planted(copy, 0, column("cpp_forward", 3, "\n"))
    assert {fault[0] for fault in faults(copy)} == {"texts", "line map"}


def test_19_a_line_map_beyond_its_text(copy):
    spans = value(copy, 0, "line_map", 3)
    spans[-1]["last"] = 100_000
    planted(copy, 0, column("line_map", 3, spans))
    assert {fault[0] for fault in faults(copy)} == {"line map"}


def test_20_a_row_in_another_split(copy):
    own = value(copy, 0, "split", 0)
    other = next(split for split in ("validation", "test") if split != own)
    planted(copy, 0, column("split", 0, other))
    [(gate, where, what)] = faults(copy)
    assert (gate, where) == ("splits", value(copy, 0, "id", 0))
    assert what.startswith(f"stands in {other}, and belongs to {own}")


def test_21_what_is_held_out_in_training(copy):
    rows = pq.read_table(copy / "data" / "warp" / "part-000000000.parquet", partitioning=None)
    place = rows["split"].to_pylist().index("held_out")
    planted(copy, 0, column("split", place, "train"))
    [fault] = faults(copy)
    assert fault == ("splits", value(copy, 0, "id", place), "stands in train, and belongs to held_out")


def test_22_a_leak_between_splits(copy):
    """A group of which one row is trained on and another is tested on."""
    splits = [pq.read_table(copy / shard.file, partitioning=None)["split"].to_pylist() for shard in shards_of(copy)]
    train, test = splits[0].index("train"), splits[1].index("test")
    planted(copy, 1, column("group_id", test, value(copy, 0, "group_id", train)))
    found = [fault for fault in faults(copy) if fault[0] == "leaks"]
    [(_, where, what)] = found
    assert where == f"group {value(copy, 0, 'group_id', train)}"
    assert f"{value(copy, 0, 'id', train)} in train" in what
    assert f"{value(copy, 1, 'id', test)} in test" in what


def test_23_two_rows_of_one_id(copy):
    planted(copy, 1, column("id", 2, value(copy, 0, "id", 1)))
    assert ("uniqueness", "have one id; 1 are not unique") in {(gate, what) for gate, _, what in faults(copy)}


def test_24_two_rows_of_one_structure(copy):
    def change(table):
        for name in ("python_source", "structure_id", "skeleton_id", "group_id", "name", "arguments", "split"):
            table = with_value(table, name, 2, value(copy, 0, name, 1))
        for name in ("lines", "statements", "operators", "calls", "branches", "loops", "loop_depth", "nesting"):
            table = with_value(table, name, 2, value(copy, 0, name, 1))
        return table

    planted(copy, 1, change)
    named = {(gate, what) for gate, _, what in faults(copy)}
    assert ("uniqueness", "have one structure_id; 1 are not unique") in named


def test_25_rows_out_of_order(copy):
    planted(copy, 0, lambda table: table.take(list(reversed(range(table.num_rows)))))
    assert faults(copy) == [
        ("counts", "data/warp/part-000000000.parquet", "its rows are not in the order of their indices")
    ]


def test_26_a_manifest_that_counts_rows_that_are_not_there(copy):
    table = json.loads((copy / FILE).read_text())
    table["rows"] = 41
    (copy / FILE).write_text(json.dumps(table))
    assert faults(copy) == [("manifest", FILE, "rows is not what its shards add up to")]


def test_27_a_manifest_that_is_no_json(copy):
    (copy / FILE).write_text("{")
    with pytest.raises(UserError, match="cannot be read"):
        validate(copy)
    (copy / FILE).write_text('{"schema_version": 2}')
    assert [gate for gate, _, _ in faults(copy)] == ["manifest"]


def test_28_a_card_of_other_figures(copy):
    path = copy / "README.md"
    path.write_text(path.read_text().replace("40 synthesised", "4000 synthesised"))
    [(gate, _, what)] = faults(copy)
    assert gate == "card"
    assert "4000 synthesised" in what
    path.unlink()
    assert faults(copy) == [("card", "README.md", "is missing")]


def test_29_a_recipe_of_another_extent(copy):
    path = copy / "recipe.toml"
    path.write_text(path.read_text().replace("count = 40", "count = 50"))
    assert ("recipe", "recipe.toml", "count is 50, and 40 were tried") in faults(copy)


def test_30_a_line_of_jsonl_that_is_another_row(copy):
    path = copy / "dataset.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:5], lines[6], *lines[6:]]))
    [(gate, where, _)] = faults(copy)
    assert (gate, where) == ("json", "dataset.jsonl:6")
    path.write_text("".join([*lines, lines[0]]))
    assert faults(copy) == [("json", "dataset.jsonl:41", "is one line more than there are rows")]


def test_31_a_row_of_no_recipe(copy):
    def change(table):
        return with_value(with_value(table, "seed", 3, 6), "id", 3, f"warp-6-{value(copy, 0, 'index', 3)}")

    planted(copy, 0, change)
    assert {fault[0] for fault in faults(copy)} == {"fields"}


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    """A dataset with verdicts, among them adjoints that are proved wrong, and with rejects."""
    root = tmp_path_factory.mktemp("proved") / "d"
    kinds = evenly(["while_loop", "arithmetic", "atomic"])
    irsmith.generate(Recipe(count=14, seed=8, max_reject_share=1.0, categories=kinds), root, workers=2)
    return root


@pytest.fixture
def checked(proved, tmp_path):
    shutil.copytree(proved, tmp_path / "checked")
    return tmp_path / "checked"


def test_a_dataset_with_verdicts_passes(proved):
    assert validate(proved)[1] == []


def wrong(root):
    verdicts = pq.read_table(root / shards_of(root)[0].file, partitioning=None)["verdicts"].to_pylist()
    return next(place for place, row in enumerate(verdicts) for verdict in row if verdict["status"] == "compiler_wrong")


def test_32_a_row_without_its_verdicts(checked):
    shard = planted(checked, 0, column("verdicts", 1, []))
    restated = replace(shard, verdicts=recount(checked))
    restate(checked, [restated])
    [(gate, _, what)] = faults(checked)
    assert (gate, what) == (
        "verdicts",
        "has no verdict of backward and forward, and its recipe asks for verification",
    )


def recount(root):
    from irsmith.dataset.assemble import verdicts_of

    return verdicts_of(pq.read_table(root / shards_of(root)[0].file, partitioning=None))


def test_33_a_wrong_adjoint_that_is_there(checked):
    planted(checked, 0, column("cpp_backward", wrong(checked), "void adjoint() {}\n"))
    [(gate, _, what)] = faults(checked)
    assert (gate, what) == ("verdicts", "its backward is proved wrong, and cpp_backward holds it")


def test_34_verdicts_that_the_manifest_does_not_count(checked):
    verdicts = value(checked, 0, "verdicts", wrong(checked))
    for verdict in verdicts:
        verdict["status"] = "passed"
    planted(checked, 0, column("verdicts", wrong(checked), verdicts))
    assert {fault[0] for fault in faults(checked)} == {"counts"}


def test_35_a_forward_that_is_wrong(checked):
    verdicts = value(checked, 0, "verdicts", 1)
    for verdict in verdicts:
        if verdict["check"] == "forward":
            verdict["status"] = "compiler_wrong"
    shard = planted(checked, 0, column("verdicts", 1, verdicts))
    restate(checked, [replace(shard, verdicts=recount(checked))])
    assert [(gate, what) for gate, _, what in faults(checked)] == [
        ("verdicts", "forward is compiler_wrong: such a kernel is no row")
    ]


@pytest.fixture
def rejected(copy):
    """A dataset of which a row was taken out, so that it has a file of rejects."""
    from irsmith.dataset.assemble import assemble

    shards = shards_of(copy)
    shards[2] = rewrite(copy, 2, column("structure_id", 1, value(copy, 0, "structure_id", 3)))
    restate(copy, assemble(copy, shards))
    shutil.rmtree(copy / ".irsmith")
    assert validate(copy)[1] == []
    return copy / "rejects" / "warp" / "part-000000032.jsonl"


def test_36_a_reject_that_is_no_json(copy, rejected):
    rejected.write_text(rejected.read_text()[:-30])
    assert [gate for gate, _, _ in faults(copy)] == ["checksums", "json"]


def test_37_lost_and_foreign_rejects(copy, rejected):
    line = json.loads(rejected.read_text())
    rejected.write_text(json.dumps(line | {"index": 39, "symptom": "Other"}) + "\n")
    assert [gate for gate, _, _ in faults(copy)] == ["checksums", "counts", "counts"]
    rejected.unlink()
    assert faults(copy) == [("files", "rejects/warp/part-000000032.jsonl", "is missing")]


def test_the_command_names_each_fault_and_says_so_by_its_status(copy):
    line = [sys.executable, "-m", "irsmith", "validate", str(copy), "--workers", "1"]
    good = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout) == (0, "40 rows checked, 0 faults\n")
    planted(copy, 0, lambda table: with_value(with_value(table, "description", 3, ""), "lines", 4, 1))
    bad = subprocess.run(line, capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert bad.stdout.endswith("40 rows checked, 2 faults: fields 1, structure 1\n")
    found = json.loads(subprocess.run([*line, "--json"], capture_output=True, text=True, check=False).stdout)
    assert [fault["gate"] for fault in found["faults"]] == ["fields", "structure"]
    none = subprocess.run([*line[:4], str(copy / "data")], capture_output=True, text=True, check=False)
    assert none.returncode == 2
    assert "no dataset here" in none.stderr
