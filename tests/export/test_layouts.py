"""Every layout has exactly the fields that its readers expect, from the rows and in their order."""

from __future__ import annotations

import json

import pytest

from irsmith import UserError
from irsmith.export import export, pair_files
from irsmith.export.base import Options
from irsmith.export.table import TABLE
from irsmith.row import METRICS


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_pairs_jsonl_holds_the_functions_of_both_devices(made, rows, tmp_path):
    done = export(made, tmp_path / "pairs.jsonl", "pairs-jsonl")
    records = lines(tmp_path / "pairs.jsonl")
    assert done.rows == len(records) == len(rows)
    assert done.bytes == (tmp_path / "pairs.jsonl").stat().st_size
    for record, row in zip(records, rows, strict=True):
        assert list(record) == ["id", "kernel_name", "python", "cpp", "cuda", "type"]
        assert record["id"] == row["index"]
        assert isinstance(record["id"], int)
        assert (record["kernel_name"], record["type"]) == (row["name"], row["category"])
        assert record["python"] == row["python_source"]
        for stage in ("cpp", "cuda"):
            for part in ("functions_forward", "functions_backward", "forward", "backward"):
                assert (row[f"{stage}_{part}"] or "") in record[stage]
            assert "#define" not in record[stage]
        assert "struct wp_args_" not in record["cpp"]


def test_pairs_jsonl_full_module_is_the_unit_that_compiles(made, rows, tmp_path):
    export(made, tmp_path / "full.jsonl", "pairs-jsonl", Options(full_module=True))
    units = {stage.name: stage for stage in made.stages}
    for record, row in zip(lines(tmp_path / "full.jsonl"), rows, strict=True):
        assert record["cpp"] == units["cpp"].unit(row)
        assert record["cuda"] == units["cuda"].unit(row)
        assert row["cpp_arguments"] in record["cpp"]
        assert (row["cpp_entry_backward"] or "") in record["cpp"]


def test_hlo_jsonl_has_forward_backward_and_optimized(made_jax, tmp_path):
    export(made_jax, tmp_path / "hlo.jsonl", "hlo-jsonl")
    rows = list(made_jax.records())
    assert lines(tmp_path / "hlo.jsonl") == [
        {
            "id": row["index"],
            "kernel_name": row["name"],
            "python": row["python_source"],
            "hlo_forward": row["hlo_forward"],
            "hlo_backward": row["hlo_backward"],
            "hlo_optimized": row["hlo_optimized_forward"],
            "type": row["category"],
        }
        for row in rows
    ]
    assert all(row["hlo_forward"].startswith("HloModule ") for row in rows)
    assert any(row["hlo_backward"] for row in rows)


@pytest.mark.parametrize(
    ("device", "texts"),
    [(None, {"cpp_forward", "cuda_forward"}), ("cpu", {"cpp_forward"}), ("cuda", {"cuda_forward"})],
)
def test_pair_files_are_numbered_in_folders(made, rows, tmp_path, monkeypatch, device, texts):
    monkeypatch.setattr(pair_files, "FOLDER_SIZE", 25)
    done = export(made, tmp_path / "pairs", "pair-files", Options(device=device))
    files = sorted((tmp_path / "pairs").glob("batch_*/pair_*.json"))
    assert [file.relative_to(tmp_path / "pairs").as_posix() for file in files] == sorted(
        f"batch_{number // 25}/pair_{number:06d}.json" for number in range(len(rows))
    )
    assert sum(done.records.values()) == len(rows)
    for file in files:
        record = json.loads(file.read_text(encoding="utf-8"))
        row = rows[int(file.stem.removeprefix("pair_"))]
        assert list(record) == ["python_source", "cpp_forward", "cuda_forward", "metadata"]
        assert record["python_source"] == row["python_source"]
        for column in ("cpp_forward", "cuda_forward"):
            assert (row[column] in record[column]) if column in texts else record[column] is None
        metadata = record["metadata"]
        assert list(metadata) == ["kernel_name", "category", "description", "device", "seed", *METRICS]
        assert (metadata["kernel_name"], metadata["category"]) == (row["name"], row["category"])
        assert metadata["device"] == (device or "cpu+cuda")
        assert (metadata["seed"], metadata["loops"]) == (4, row["loops"])
    stats = json.loads((tmp_path / "pairs" / "generation_stats.json").read_text())
    assert stats["total_pairs"] == len(rows) == sum(stats["categories"].values())


def test_device_jsonl_keeps_directions_and_devices_apart(made, rows, tmp_path):
    export(made, tmp_path / "devices", "device-jsonl")
    for device, stage in (("cpu", "cpp"), ("cuda", "cuda")):
        records = lines(tmp_path / "devices" / device / "dataset.jsonl")
        assert len(records) == len(rows)
        for record, row in zip(records, rows, strict=True):
            names = ["python_source", "code_forward", "code_backward", "device", "kernel_type", "metadata"]
            assert list(record) == names
            assert record["code_forward"].endswith(row[f"{stage}_forward"])
            if row[f"{stage}_backward"] is None:
                assert record["code_backward"] is None
            else:
                assert record["code_backward"].endswith(row[f"{stage}_backward"])
            assert "_backward(" not in record["code_forward"]
            assert (record["device"], record["kernel_type"]) == (device, row["category"])
            assert record["metadata"] == {"seed": 4}
        stats = json.loads((tmp_path / "devices" / device / "stats.json").read_text())
        assert stats["total_pairs"] == len(rows)
        assert stats["bytes"] == (tmp_path / "devices" / device / "dataset.jsonl").stat().st_size


def test_a_size_ends_the_file_with_the_row_that_reaches_it(made, tmp_path):
    export(made, tmp_path / "all", "device-jsonl", Options(device="cpu"))
    everything = (tmp_path / "all" / "cpu" / "dataset.jsonl").read_bytes()
    done = export(made, tmp_path / "some", "device-jsonl", Options(device="cpu", size=len(everything) // 2))
    some = (tmp_path / "some" / "cpu" / "dataset.jsonl").read_bytes()
    last = len(some.splitlines()[-1]) + 1
    assert len(some) - last < len(everything) // 2 <= len(some)
    assert everything.startswith(some)
    assert done.rows == len(some.splitlines())


def test_only_the_splits_that_were_asked_for(made, rows, tmp_path):
    done = export(made, tmp_path / "t.jsonl", "pairs-jsonl", Options(splits=("test", "validation")))
    wanted = [row["index"] for row in rows if row["split"] != "train"]
    assert [record["id"] for record in lines(tmp_path / "t.jsonl")] == wanted
    assert wanted
    assert done.left_out == {"split train": len(rows) - len(wanted)}


@pytest.mark.parametrize("name", [name for name in TABLE if name != "hlo-jsonl"])
def test_an_export_is_a_function_of_the_dataset(made, tmp_path, name):
    found = []
    for out in (tmp_path / "a", tmp_path / "b"):
        export(made, out, name)
        files = sorted(path for path in [out, *out.rglob("*")] if path.is_file())
        found.append([(path.relative_to(out), path.read_bytes()) for path in files])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pairs-json", Options(), "unknown format 'pairs-json': did you mean 'pairs-jsonl'?"),
        ("hlo-jsonl", Options(), "holds no stage 'hlo', which format hlo-jsonl needs"),
        ("chat", Options(device="cpu"), "--device: not an option of format chat, which takes --max-tokens"),
        ("device-jsonl", Options(device="gpu"), "--device: 'gpu' is not a device"),
        ("pairs-jsonl", Options(splits=("dev",)), "--split: 'dev' is not a split"),
        ("chat", Options(tasks=("source:cpu",)), "'cpu' is no text of this dataset: did you mean 'cpp'?"),
        ("chat", Options(tasks=("cpp",)), "write FROM:TO, such as 'source:cpp'"),
        ("chat", Options(tokenizer="tekke"), "unknown tokenizer 'tekke': did you mean 'tekken'?"),
        ("chat", Options(tokenizer="no.json"), "no.json: No such file"),
    ],
)
def test_what_cannot_be_written_is_named_and_leaves_nothing(made, tmp_path, name, options, message):
    with pytest.raises(UserError) as raised:
        export(made, tmp_path / "out", name, options)
    assert message in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(made, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="something is there already"):
        export(made, tmp_path / "out", "pairs-jsonl")
    assert (tmp_path / "out").read_text() == "mine"
