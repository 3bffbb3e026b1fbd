"""Datasets that strangers wrote, damaged or made to harm: what reads them refuses them in one line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.dataset.spoiling import shards_of

import irsmith
from irsmith import UserError, real
from irsmith.audit import audit
from irsmith.compare import corpus
from irsmith.dataset import folder
from irsmith.dataset.decontaminate import contaminated, texts
from irsmith.dataset.dedup import clusters, without_duplicates
from irsmith.dataset.derive import derive
from irsmith.dataset.diff import diff
from irsmith.dataset.manifest import FILE, RECIPE_FILE
from irsmith.dataset.stats import stats
from irsmith.dataset.validate import validate
from irsmith.export import export
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.outcome import Reject, Step
from irsmith.proof import prove
from irsmith.records import kernel_of, kernel_record
from irsmith.report import report
from irsmith.types import FLOAT32, Domain

CODE = Path(__file__).with_name("spoiling.py")


def merged(root):
    datasets = [irsmith.load(root)]
    return without_duplicates(datasets, root.parent / "merged", "merge", clusters(datasets))


READERS = {
    "stats": lambda root: stats(irsmith.load(root)),
    "show": lambda root: irsmith.load(root).row("warp-5-1"),
    "iterating": lambda root: list(irsmith.load(root)),
    "merge": merged,
    "dedup": lambda root: clusters([irsmith.load(root)], threshold=0.8),
    "decontaminate": lambda root: contaminated(irsmith.load(root), CODE),
    "derive": lambda root: derive([irsmith.load(root)], root.parent / "derived", "merge", {}, {}),
    "diff": lambda root: diff(irsmith.load(root), irsmith.load(root)),
    "report": lambda root: report(irsmith.load(root), root.parent / "report.html"),
    "verify": lambda root: prove(irsmith.load(root), sample=1, texts_only=True),
    "compare": corpus,
    "export": lambda root: export(irsmith.load(root), root.parent / "out", "hf"),
}


def part(root):
    return root / shards_of(root)[0].file


def put(root, table):
    """Replace a part's rows, and let the manifest say so."""
    pq.write_table(table, part(root))
    content = part(root).read_bytes()
    manifest = json.loads((root / FILE).read_text())
    manifest["shards"][0] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (root / FILE).write_text(json.dumps(manifest))


def column(name, array):
    def spoil(root):
        table = pq.ParquetFile(part(root)).read()
        place = table.schema.get_field_index(name)
        values = array(table[name].to_pylist())
        field = table.schema.field(place)
        kept = field.type == values.type and not values.null_count
        put(root, table.set_column(place, field if kept else pa.field(name, values.type), values))

    return spoil


def no_text(values):
    encoded = pa.array([b"\xff\xfe" + value.encode() for value in values], pa.binary())
    return pa.Array.from_buffers(pa.string(), len(encoded), encoded.buffers())


SPOILED = {
    "gone": lambda root: part(root).unlink(),
    "empty": lambda root: part(root).write_bytes(b""),
    "cut": lambda root: part(root).write_bytes(part(root).read_bytes()[:-100]),
    "no Parquet": lambda root: part(root).write_bytes(b"PAR1" + bytes(100) + b"PAR1"),
    "foreign": lambda root: put(root, pa.table({"id": ["a"], "text": ["b"]})),
    "no UTF-8": column("python_source", no_text),
    "no UTF-8 in an id": column("id", no_text),
    "numbers for text": column("python_source", lambda values: pa.array(range(len(values)))),
    "text for numbers": column("index", lambda values: pa.array(map(str, values))),
    "nulls": column("split", lambda values: pa.nulls(len(values), pa.string())),
    "no such split": column("split", lambda values: pa.array(["\x1b[2J" for _ in values])),
    "no hash": column("structure_id", lambda values: pa.array(["x" for _ in values])),
    "null in a list": column("tags", lambda values: pa.array([[None] for _ in values], pa.list_(pa.string()))),
}


OF_SOME_COLUMNS = ("dedup", "decontaminate", "compare", "report", "stats")
"""Readers that need not notice what is wrong with a column that they do not read."""


@pytest.mark.parametrize("name", SPOILED)
def test_every_reader_refuses_a_part_that_irsmith_did_not_write(name, copy):
    SPOILED[name](copy)
    where = part(copy).name
    for reader, read in READERS.items():
        refused = ""
        try:
            read(copy)
        except UserError as error:
            refused = str(error)
        if refused:
            assert where in refused, reader
        else:
            assert reader in OF_SOME_COLUMNS, reader
            assert name not in ("gone", "empty", "cut", "no Parquet", "foreign"), reader
    _, faults = validate(copy)
    assert faults
    assert name in ("no such split", "no hash") or any(where in str(fault) for fault in faults)


@pytest.mark.parametrize("name", ["merge", "dedup", "decontaminate", "derive", "export"])
def test_a_flipped_bit_is_not_passed_on(name, copy):
    content = bytearray(part(copy).read_bytes())
    content[len(content) // 3] ^= 1
    part(copy).write_bytes(content)
    with pytest.raises(UserError, match=rf"{part(copy).name}: does not have the checksum"):
        READERS[name](copy)
    assert not [path for path in copy.parent.iterdir() if path != copy]


def test_a_manifest_counts_the_rows_that_are_there(copy):
    change(copy, ["shards", 0, "rows"], 1)
    with pytest.raises(UserError, match="holds 16 rows, and the manifest says 1"):
        READERS["merge"](copy)


def change(root, path, value):
    table = json.loads((root / FILE).read_text())
    place = table
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (root / FILE).write_text(json.dumps(table))


WRONG = {
    "shards": ["x", {}, [1], [{}]],
    "shards.0.config": ["../../stolen", "/tmp/stolen", "L/../../../stolen", "..", "", "warp/", "jax", 1, None],
    "shards.0.first": ["\x1b[2J", -8, 1.0, True, 2**63, None, [1]],
    "shards.0.tried": ["8", -1],
    "shards.0.rows": ["8", -1],
    "shards.0.bytes": ["8", 1e300, -1],
    "shards.0.sha256": ["", "x" * 64, "0" * 63, 1],
    "shards.0.rejects_sha256": ["0", 1],
    "shards.0.rejected": [["x"], [-1], 1, {}],
    "shards.0.dropped": [["x"], [None], "12"],
    "shards.0.reasons": [[1], {"a": "b"}, {"a": -1}, "x"],
    "shards.0.verdicts": [{"a": "b"}, {"a": None}, 1],
    "shards.0.difficulty": [{"1": "b"}, []],
    "shards.0.tags": [{"1": 1.5}, {"\ud800": 1}],
    "shards.0.more": [1],
    "version": [["x"], 1, None],
    "toolchain": [[1], {"irsmith": {"a": 1}}, {"a": None}, "x", {"\ud800": "x"}],
    "python": [3.11, None],
    "platform": [[], "\udcff"],
    "origins": ["x", [1], [{"package": 1}], {}],
    "derived": ["x", [], {}, {"command": "merge", "settings": {}, "sources": []}],
    "more": [1],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_manifest_with_a_wrong_field_is_refused_by_its_name(name, copy):
    kept = (copy / FILE).read_text()
    path = [int(key) if key.isdecimal() else key for key in name.split(".")]
    for value in WRONG[name]:
        change(copy, path, value)
        with pytest.raises(UserError) as refused:
            irsmith.load(copy)
        assert FILE in str(refused.value)
        assert str(path[-1]) in str(refused.value) or path[-1] == "config"
        assert validate(copy)[1]
        (copy / FILE).write_text(kept)
    irsmith.load(copy)


def test_a_manifest_leads_nowhere_out_of_its_folder(copy):
    """The rows would stand where the config says, below the folder by way of a link, and the copies would not."""
    stolen = copy / "stolen"
    stolen.mkdir()
    (copy / "p" / "q" / "r").mkdir(parents=True)
    (copy / "data" / "L").symlink_to("../p/q/r")
    for number, shard in enumerate(shards_of(copy)):
        shutil.copy(copy / shard.file, stolen)
        change(copy, ["shards", number, "config"], "L/../../../stolen")
    with pytest.raises(UserError, match=r"data/L: is a link to a folder"):
        merged(copy)
    (copy / "data" / "L").unlink()
    with pytest.raises(UserError, match=r"shards\[0\].config: .* is none of warp, warp-real"):
        merged(copy)
    assert {path.name for path in copy.parent.iterdir()} == {"copy"}


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "\xff", '"x"', "9" * 9_999]
)
def test_what_is_no_manifest_is_refused(text, copy):
    (copy / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=FILE):
        irsmith.load(copy)


REJECT = {"index": 0, "step": "lower", "symptom": "x", "message": "x", "name": "x", "category": "x", "source": "x"}


@pytest.mark.parametrize(
    "line",
    ["[]", "{}", "[" * 100_000, json.dumps(REJECT | {"index": "0"}), json.dumps(REJECT | {"step": "\x1b[2J"}), "\xff"]
    + [json.dumps(REJECT | {name: bad}) for name in ("symptom", "message", "source") for bad in (None, "\ud800")],
    ids=range(12),
)
def test_what_is_no_reject_is_refused(line, copy):
    """A file of rejects of the first part, which has one."""
    path = copy / "rejects" / "warp" / f"{part(copy).stem}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = line.encode("latin-1") + b"\n"
    path.write_bytes(content)
    change(copy, ["shards", 0, "rejects_sha256"], hashlib.sha256(content).hexdigest())
    for reader in ("merge", "report"):
        with pytest.raises(UserError, match=path.name):
            READERS[reader](copy)
    assert any(fault.gate == "json" for fault in validate(copy)[1])


def linked(path, target):
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def piped(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


ELSEWHERE = {
    "a part in another place": lambda root: linked(part(root), shutil.move(part(root), root.parent / "part.parquet")),
    "a part that never ends": lambda root: linked(part(root), "/dev/zero"),
    "a part that nobody writes": lambda root: piped(part(root)),
    "rejects": lambda root: linked(root / "rejects" / "warp" / f"{part(root).stem}.jsonl", "/etc/passwd"),
    "measurements": lambda root: linked(root / "measurements" / "warp" / part(root).name, "/etc/passwd"),
    "a folder": lambda root: linked(root / "data", shutil.copytree(root / "data", root.parent / "data")),
    "a folder below": lambda root: linked(root / "rejects", root / "data"),
    "the manifest": lambda root: linked(root / FILE, "/dev/zero"),
    "the recipe": lambda root: linked(root / RECIPE_FILE, "/etc/passwd"),
    "the card": lambda root: linked(root / "README.md", "/etc/passwd"),
    "lines": lambda root: linked(root / "dataset.jsonl", "/etc/passwd"),
    "itself": lambda root: linked(part(root), part(root).name),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_no_file_of_the_folder_is_not_read(name, copy, monkeypatch):
    where = ELSEWHERE[name](copy)
    readers = READERS | {
        "audit": audit,
        "against": lambda root: list(texts(root)),
        "append": lambda root: irsmith.generate(irsmith.load(root).recipe, root, workers=1),
    }
    for reader, read in readers.items():
        with pytest.raises(UserError) as refused:
            read(copy)
        assert str(refused.value).startswith(f"{where}: "), reader
        assert "\n" not in str(refused.value)
    monkeypatch.chdir(copy.parent)
    with pytest.raises(UserError, match=f"{where.relative_to(copy.parent)}: "):
        irsmith.load(copy.name)


def test_a_run_does_not_go_on_in_a_folder_that_leads_elsewhere(copy):
    """Before anything is written or emptied there."""
    recipe, data = irsmith.load(copy).recipe, shutil.copytree(copy / "data", copy.parent / "data")
    linked(copy / "data", data)
    for overwrite in (False, True):
        with pytest.raises(UserError, match="data: is a link out of its folder, to "):
            irsmith.generate(recipe, copy, workers=1, overwrite=overwrite)
    assert len(list(data.rglob("*.parquet"))) == 3


def test_a_folder_behind_links_and_links_within_it_are_read(copy):
    wanted = list(irsmith.load(copy))
    home = copy.parent / "home"
    home.symlink_to(copy.parent)
    (home / "again").symlink_to(copy)
    moved = shutil.move(part(copy), copy / "data" / "moved")
    linked(part(copy), moved)
    for root in (home / "again", home / copy.name, copy):
        assert list(irsmith.load(root)) == wanted
    assert list(irsmith.load((home / "again").as_uri())) == wanted


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("below", ["", "sets/one"])
def test_a_snapshot_of_the_hub_is_read(copy, shared, below):
    """As huggingface_hub lays it out: links to blobs, which are links where repositories share them."""
    wanted = list(irsmith.load(copy))
    cache = copy.parent / "hub"
    repository = cache / "datasets--owner--name"
    snapshot = repository / "snapshots" / ("0" * 40)
    for number, file in enumerate(sorted(path for path in copy.rglob("*") if path.is_file())):
        blob = repository / "blobs" / str(number)
        blob.parent.mkdir(parents=True, exist_ok=True)
        if shared:
            store = cache / "blobs" / "00" / str(number)
            store.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, store)
            blob.symlink_to(Path("..", "..", "blobs", "00", str(number)))
        else:
            shutil.copy(file, blob)
        link = snapshot / below / file.relative_to(copy)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    assert list(irsmith.load(snapshot / below)) == wanted
    assert audit(snapshot).rows == len(wanted)
    assert not validate(snapshot / below)[1]
    linked(snapshot / below / FILE, "/etc/passwd")
    with pytest.raises(UserError, match="is a link out of its folder, to /etc/passwd"):
        irsmith.load(snapshot / below)
    shutil.copytree(copy, copy.parent / "snapshots" / "one")
    linked(copy.parent / "snapshots" / "one" / FILE, shutil.copytree(copy, copy.parent / "blobs") / FILE)
    with pytest.raises(UserError, match="is a link out of its folder"):
        irsmith.load(copy.parent / "snapshots" / "one")


def test_a_folder_of_strangers_is_audited_without_what_lies_elsewhere(copy, tmp_path):
    (tmp_path / "of" / "others").mkdir(parents=True)
    for name in ("x.parquet", "x.jsonl"):
        link = linked(tmp_path / "of" / "others" / name, part(copy))
        with pytest.raises(UserError, match=rf"{name}: is a link out of its folder"):
            audit(tmp_path / "of")
        link.unlink()


def folder_of_kernels(root, lines):
    """What `irsmith generate` makes rows of where a recipe names kernels that people wrote."""
    root.mkdir()
    (root / real.FILE).write_text("\n".join(lines) + "\n")
    return lambda: real.read(root, real._digest(lines[1:]))


def a_kernel():
    kernel = Kernel("f", "real", "", "", Signature((Argument("x", FLOAT32, 1, Direction.IN, (8,), Domain(0.0, 1.0)),)))
    return json.loads(json.dumps(kernel_record(kernel)))


def put_in(table, path, value):
    *above, last = path.split(".")
    for key in above:
        table = table[int(key) if key.isdecimal() else key]
    table[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", 1),
        ("python_source", "\ud800"),
        ("launch", ["8"]),
        ("line", -1),
        ("arguments", {}),
        ("arguments.0.rank", "1"),
        ("arguments.0.direction", "sideways"),
        ("arguments.0.shape", [-1]),
        ("arguments.0.low", "0"),
        ("arguments.0.low", float("nan")),
        ("arguments.0.high", 10**400),
        ("arguments.0.rising", 0),
        ("arguments.0.more", 1),
        ("structs", [{"name": "S"}]),
        ("more", 1),
    ],
)
def test_what_is_no_kernel_is_refused_by_its_line_and_field(path, value, tmp_path):
    good, bad = a_kernel(), a_kernel()
    put_in(bad, path, value)
    read = folder_of_kernels(tmp_path / "d", ['{"origins": []}', json.dumps(good), json.dumps(bad)])
    with pytest.raises(UserError, match=rf"kernels.jsonl:3: cannot be read: .*{path.rpartition('.')[2]}.*harvest"):
        read()


REJECTED = Reject(Step.LOWER, "x", "x", "x", "x", "x")


def test_kernels_and_rejects_are_read_as_they_were_written(tmp_path):
    origin = real.Origin("p", "1", None, 2, {"m": "ImportError"}, 2, {"MIT": 1})
    wanted = real.Gathered((origin,), (kernel_of(a_kernel()), REJECTED))
    assert folder_of_kernels(tmp_path / "d", wanted.text().splitlines())() == wanted


ONE = a_kernel()["arguments"][0]
NO_KERNELS = [
    *("", "{", "[]", "1", '{"reject": {}}', "[" * 100_000),
    json.dumps({"reject": asdict(REJECTED) | {"step": "\x1b[2J"}}),
    json.dumps({"reject": None}),
    json.dumps(a_kernel() | {"structs": [{"name": "S", "fields": []}, 1]}),
    json.dumps(a_kernel() | {"arguments": [ONE | {"type": "array1d[" * 9_999}]}),
]


@pytest.mark.parametrize("line", NO_KERNELS, ids=range(len(NO_KERNELS)))
def test_a_line_that_is_neither_a_kernel_nor_a_reject_is_refused(line, tmp_path):
    for number, lines in ((2, ['{"origins": []}', line]), (1, [line or "{}"])):
        shutil.rmtree(tmp_path / "d", ignore_errors=True)
        with pytest.raises(UserError, match=rf"kernels.jsonl:{number}: cannot be read: .*harvest them anew"):
            folder_of_kernels(tmp_path / "d", lines)()


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, '{"irsmith": 1}', '{"irsmith": {}}', '{"a": "\\ud800"}'])
def test_a_note_of_versions_that_says_nothing_is_none(text, copy):
    held = irsmith.load(copy).manifest.toolchain
    (copy / ".irsmith").mkdir()
    (copy / ".irsmith" / "toolchain.json").write_text(text)
    assert folder._versions(copy) == held
