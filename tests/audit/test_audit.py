"""An audit recognises every layout, and says what is wrong with what strangers made."""

from __future__ import annotations

import ast
import json
import textwrap

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from irsmith import UserError
from irsmith.audit import audit, reading
from irsmith.unpredictable import KINDS, find


def kernel(name="k", body="x[i] = 1.0", helper=""):
    head = f"import warp as wp\n\n\n{helper}@wp.kernel\ndef {name}(x: wp.array(dtype=float)):\n    i = wp.tid()\n"
    return f"{head}    {body}\n"


def pair(python, text="void k() {}", **fields):
    return {"id": 1, "kernel_name": "k", "python": python, "cpp": text, "cuda": text, "type": "math", **fields}


def put(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_structures_behind_renamed_rows_and_duplicates(tmp_path):
    rows = [pair(kernel(body=f"x[i] = {n}.5")) for n in range(4)]
    rows += [pair(kernel(body="x[i] = wp.sin(x[i])")), rows[0], pair(kernel("other"), kernel_name="other", type="loop")]
    found = audit(put(tmp_path / "p.jsonl", rows))
    assert (found.layout, found.rows, found.structures, found.duplicates) == ("pairs-jsonl", 7, 2, 1)
    assert found.most_frequent == 6
    assert [(c.rows, c.structures) for c in found.categories.values()] == [(1, 1), (6, 2)]
    assert list(found.categories) == ["loop", "math"]
    assert found.unpredictable == found.leaks == {}


def test_leaks_are_counted_whatever_order_the_files_come_in(tmp_path):
    shared, own = kernel(body="x[i] = 2.0"), kernel(body="x[i] = -x[i]")
    put(tmp_path / "train.jsonl", [pair(shared), pair(kernel(body="x[i] = wp.exp(x[i])"))])
    put(tmp_path / "test.jsonl", [pair(kernel(body="x[i] = 7.0")), pair(own), pair(shared)])
    put(tmp_path / "dev.jsonl", [pair(own)])
    found = audit(tmp_path)
    assert found.splits == {"train": 2, "validation": 1, "test": 3}
    assert {name: leak.rows for name, leak in found.leaks.items()} == {
        "test: structure of train": 2,
        "test: structure of validation": 1,
    }
    assert found.leaks["test: structure of train"].examples[0][0].startswith("train.jsonl:")


def test_groups_that_are_torn_apart_are_leaks(tmp_path):
    base = {"category": "loop", "name": "k", "structure_id": "0", "cpp_forward": "void k() {}"}
    table = pa.Table.from_pylist(
        [
            base | {"python_source": kernel(), "group_id": "a", "split": "train"},
            base | {"python_source": kernel(body="x[i] = wp.cos(x[i])"), "group_id": "a", "split": "test"},
        ]
    )
    pq.write_table(table, tmp_path / "part.parquet")
    found = audit(tmp_path)
    assert found.layout == "hf"
    assert {name: leak.rows for name, leak in found.leaks.items()} == {"test: group of train": 1}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("hash", "void k_7fa3c01b_cpu_kernel_forward() {}"),
        ("hash", "struct Ray_0d1f3e2c4b5a6978 { };"),
        ("counter", "float helper_4(float a);  helper_4(x);"),
        ("counter", "void adj_helper_17(float a);"),
        ("address", "// <function k at 0x7f12ab34cd56>"),
        ("path", '#line 3 "/tmp/warp_cache/k.py"'),
        ("path", "// C:\\Users\\me\\k.py"),
        ("path", 'source_file="/home/me/k.py"'),
        ("date", "// generated 2026-03-04"),
        ("date", "// at 13:45:59"),
        ("line", "// y = x  <L 412>"),
        ("line", "source_line=99"),
        ("machine", '{"outer_dimension_partitions":["8"]}'),
    ],
)
def test_what_does_not_follow_from_the_source_is_found(tmp_path, kind, text):
    helper = "@wp.func\ndef helper(a: float):\n    return a\n\n\n"
    plain = "void k() { helper_0(1.5e-07f); float f = 0x1.8p+1; int32_t m = 0x7fffffff; } // <L 9>"
    plain += ' {"outer_dimension_partitions":[],"fusion_config":{}}'
    rows = [pair(kernel(helper=helper), plain), pair(kernel(helper=helper), f"{plain}\n{text}")]
    if kind == "counter":
        rows[1] = pair(kernel(helper=helper), text)
    found = audit(put(tmp_path / "p.jsonl", rows))
    assert {name: thing.rows for name, thing in found.unpredictable.items()} == {kind: 1}
    [(place, words)] = found.unpredictable[kind].examples
    assert place == "p.jsonl:2"
    assert words in text
    assert kind in KINDS


def test_a_text_that_declares_functions_numbers_them_among_themselves():
    source = "def helper(x):\n    return x\n\n\ndef f(x):\n    return helper(x)\n"
    text = "module @jit_f {\n  func.func public @main() {\n  }\n  func.func private @helper_1() {\n  }\n}\n"
    assert list(find(text, source, ast.parse(source))) == []
    [found] = find(text.replace("helper_1", "helper_2"), source, ast.parse(source))
    assert found.kind == "counter"


def test_irsmiths_own_rows_are_clean_in_every_layout(made, rows, tmp_path):
    from irsmith.export import export

    folders = {"hf": made.root}
    for name in ("pairs-jsonl", "pair-files", "device-jsonl", "prompt-completion", "chat", "hf"):
        out = tmp_path / (f"{name}.jsonl" if name == "pairs-jsonl" else name)
        export(made, out, name)
        folders[name] = out
        found = audit(out)
        assert found.layout == name
        assert found.structures == len({row["structure_id"] for row in rows})
        assert not found.unpredictable, found.unpredictable
        assert not found.leaks
        assert not found.unreadable
        assert found.duplicates == found.unparsable.rows == 0
    whole = audit(made.root)
    assert whole.rows == len(rows)
    assert set(whole.splits) == {"train", "validation", "test"}


def test_an_hlo_file_is_known(tmp_path):
    row = {"id": 1, "kernel_name": "f", "python": "def f(x):\n    return x\n", "type": "softmax"}
    row |= {"hlo_forward": "HloModule f", "hlo_backward": None, "hlo_optimized": "HloModule f"}
    found = audit(put(tmp_path / "h.jsonl", [row]))
    assert (found.layout, found.structures) == ("hlo-jsonl", 1)
    assert found.texts["hlo_backward"].rows == 0


def test_what_cannot_be_read_is_counted_by_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_LINE", 2000)
    good = json.dumps(pair(kernel())).encode()
    lines = [
        good,
        b"{",
        b'["a list"]',
        b"\xff\xfe{}",
        b"[" * 1999,
        json.dumps(pair("x" * 4000)).encode(),
        b'{"id": 3}',
        json.dumps(pair(5)).encode(),
        json.dumps(pair(kernel(), text=["list"])).encode(),
        b"",
        good,
    ]
    (tmp_path / "p.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    found = audit(tmp_path / "p.jsonl")
    assert found.rows == 2
    reasons = {reason: thing.rows for reason, thing in found.unreadable.items()}
    assert sum(reasons.values()) == 8
    for reason in ("not JSON", "not a JSON object", "not UTF-8", "longer than 0 MB", "no field 'cpp'"):
        assert reasons[reason] >= 1, reasons
    assert found.unreadable["no field 'cpp'"].examples[0][0] == "p.jsonl:7"


def test_python_that_does_not_parse_or_nests_too_deeply(tmp_path):
    sources = ["def k(:\n", "a\0b", "x = " + "(" * 5000, "x = 1\n", "-" * 100_000 + "1"]
    found = audit(put(tmp_path / "p.jsonl", [pair(source) for source in sources]))
    assert found.unparsable.rows == len(sources)
    assert found.categories["math"].unparsable == len(sources)


def test_nothing_of_a_row_is_executed(tmp_path):
    source = textwrap.dedent(f"""
        import pathlib
        pathlib.Path({str(tmp_path / "ran")!r}).touch()
        def k():
            pass
    """)
    audit(put(tmp_path / "p.jsonl", [pair(source)]))
    assert not (tmp_path / "ran").exists()


def test_a_broken_parquet_file_is_an_outcome(tmp_path):
    pq.write_table(pa.Table.from_pylist([pair(kernel())]), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and nothing else")
    found = audit(tmp_path)
    assert (found.layout, found.rows) == ("pairs-jsonl", 1)
    [reason] = found.unreadable
    assert reason.startswith("not Parquet")


def test_what_is_no_dataset_is_said(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        audit(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"holds no \.parquet, no \.jsonl and no pair_\*\.json"):
        audit(tmp_path)
    with pytest.raises(UserError, match=r"in no layout that is known .*: fields a, b"):
        audit(put(tmp_path / "x.jsonl", [{"a": 1, "b": 2}]))
