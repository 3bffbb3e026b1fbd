"""What stands in a benchmark is taken out, by structure and nearly, whatever file the benchmark is."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.dataset.spoiling import checksums

import irsmith
from irsmith import UserError
from irsmith.dataset.decontaminate import contaminated, decontaminate, texts
from irsmith.dataset.load import load
from irsmith.dataset.validate import validate

FOREIGN = "def mean(values):\n    total = 0.0\n    for v in values:\n        total += v\n    return total\n"


@pytest.fixture(scope="module")
def rows(small):
    return list(load(small))


def renamed(row):
    """The row as a stranger has it: other names and numbers."""
    return row.kernel.source.replace(f"def {row.kernel.name}(", "def theirs(").replace("0.5", "0.25")


def nearly(row):
    """The row with one statement less."""
    lines = row.kernel.source.splitlines()
    place = max(n for n, line in enumerate(lines) if line.startswith("    ") and " = " in line)
    return "\n".join([*lines[:place], *lines[place + 1 :]]) + "\n"


def as_py(folder, source):
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "task.py").write_text(source)
    return folder, "deep/task.py"


def as_jsonl(folder, source):
    folder.mkdir()
    (folder / "b.jsonl").write_text(json.dumps({"x": 1}) + "\n\n" + json.dumps({"t": [{"answer": source}]}) + "\n")
    return folder / "b.jsonl", "b.jsonl:3 t 0 answer"


def as_json(folder, source):
    folder.mkdir()
    (folder / "b.json").write_text(json.dumps([FOREIGN, source]))
    return folder, "b.json  1"


def as_parquet(folder, source):
    folder.mkdir()
    pq.write_table(pa.table({"n": [1, 2], "code": [FOREIGN, source]}), folder / "b.parquet")
    return folder / "b.parquet", "b.parquet:2 code"


@pytest.mark.parametrize("write", [as_py, as_jsonl, as_json, as_parquet])
def test_a_benchmark_of_any_kind(small, rows, tmp_path, write):
    against, where = write(tmp_path / "benchmark", renamed(rows[7]))
    [match] = contaminated(load(small), against)
    assert match.row_id == rows[7].id
    assert match.where.startswith(where)
    assert match.similarity == 1.0


def test_a_near_duplicate_counts_from_the_threshold_on(small, rows, tmp_path):
    long = max(rows, key=lambda row: row.structure.lines)
    against, _ = as_py(tmp_path / "benchmark", nearly(long))
    [match] = contaminated(load(small), against, threshold=0.8)
    assert match.row_id == long.id
    assert 0.8 <= match.similarity < 1
    assert contaminated(load(small), against, threshold=1.0) == []


def test_a_kernel_among_others_in_a_long_file_is_found(small, rows, tmp_path):
    long = sorted(rows, key=lambda row: row.structure.lines)[-6:]
    plain = [row for row in long if not row.structure.structs_used and not row.structure.helpers]
    whole = "\n\n".join([FOREIGN, *(row.kernel.source for row in plain)])
    against, _ = as_py(tmp_path / "benchmark", whole)
    assert {match.row_id for match in contaminated(load(small), against)} == {row.id for row in plain}


def test_what_is_taken_out_is_kept_as_a_reject_and_the_source_is_only_read(small, rows, tmp_path):
    against, _ = as_py(tmp_path / "benchmark", renamed(rows[7]) + "\n\n" + FOREIGN)
    before = checksums(small)
    dataset = load(small)
    made = decontaminate(dataset, against, tmp_path / "out", 0.8, contaminated(dataset, against))
    assert checksums(small) == before
    assert made.rejects == {"assemble: Contaminated": 1}
    assert made.derived.settings == {"against": "benchmark", "near": 0.8}
    assert [row.id for row in irsmith.load(tmp_path / "out")] == [row.id for row in rows if row.id != rows[7].id]
    assert validate(tmp_path / "out") == (len(rows) - 1, [])
    [line] = [path.read_text() for path in (tmp_path / "out" / "rejects").rglob("*.jsonl")]
    assert "is 1.00 alike to deep/task.py theirs" in json.loads(line)["message"]


def test_nothing_of_the_benchmark_in_the_dataset(small, tmp_path):
    against, _ = as_py(tmp_path / "benchmark", FOREIGN)
    assert contaminated(load(small), against) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("b.txt", "def f(): pass", "files ending in .py, .jsonl, .json, .parquet are read"),
        ("b.json", "{", "cannot be read"),
        ("b.parquet", "no", "cannot be read"),
        ("b.py", "x = 1\n", "holds no Python function"),
        ("none.py", None, "No such file"),
    ],
)
def test_what_is_no_benchmark(small, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        contaminated(load(small), tmp_path / name)
    with pytest.raises(UserError, match=message):
        list(texts(tmp_path / name)) or contaminated(load(small), tmp_path / name)
