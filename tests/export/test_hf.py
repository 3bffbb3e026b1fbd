"""What is made for the Hugging Face hub loads as its libraries load it, and arrives when it is pushed."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import datasets
import huggingface_hub.constants
import mlcroissant
import pyarrow.parquet as pq
import pytest
import yaml

from irsmith import StoppedError, UserError
from irsmith.dataset.parts import ROW_GROUP
from irsmith.export import export
from irsmith.export.base import Options
from irsmith.export.hf import parts
from irsmith.hub import push


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    out = tmp_path_factory.mktemp("hf") / "out"
    export(made, out, "hf")
    return out


def test_every_split_loads_by_config_and_holds_the_rows(folder, rows, tmp_path):
    for split in sorted({row["split"] for row in rows}):
        loaded = datasets.load_dataset(str(folder), "warp", split=split, cache_dir=str(tmp_path))
        assert loaded.to_list() == [row for row in rows if row["split"] == split]


def test_the_card_counts_the_rows_of_each_split(folder, rows):
    front, text = (folder / "README.md").read_text().split("---\n", 2)[1:]
    [config] = yaml.safe_load(front)["configs"]
    counts = {entry["split"]: 0 for entry in config["data_files"]}
    for row in rows:
        counts[row["split"]] += 1
    for split, count in counts.items():
        assert f"| {split} | {count} |" in text
    for section in ("## Figures", "## What was proved", "## Intended use", "## Licence", "## How it was made"):
        assert section in text


def test_files_are_named_and_grouped_as_the_viewer_wants_them(made, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "FILE_BYTES", 1)
    monkeypatch.setattr(parts, "ROW_GROUP", 7)
    monkeypatch.setattr(parts, "GROUP_BYTES", 300_000)
    done = export(made, tmp_path / "out", "hf", Options(splits=("train",)))
    names = [Path(name).name for name in done.records]
    assert len(names) > 3
    assert names == [f"train-{number:05d}-of-{len(names):05d}.parquet" for number in range(len(names))]
    for name, rows in done.records.items():
        metadata = pq.read_metadata(tmp_path / "out" / name)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        assert sum(group.num_rows for group in groups) == rows
        assert all(group.num_rows <= min(7, ROW_GROUP) for group in groups)
        assert all(group.total_byte_size < 700_000 for group in groups)
        assert any(group.column(0).has_offset_index for group in groups)
    left = sum(1 for row in made.records(["split"]) if row["split"] != "train")
    assert sum(done.left_out.values()) == left


def test_token_counts_are_columns_and_lengths_are_held(made, rows, tmp_path):
    export(made, tmp_path / "counted", "hf", Options(tokenizer="tekken", max_tokens=15000, over="mark"))
    loaded = datasets.load_dataset(str(tmp_path / "counted"), "warp", cache_dir=str(tmp_path / "cache"))
    texts = [column for stage in made.stages for column in stage.columns()]
    marked = 0
    for row in (row for split in loaded.values() for row in split):
        counts = [row[f"{name}_tokens"] for name in ("python_source", *texts)]
        assert row["over_length"] == (sum(count or 0 for count in counts) > 15000)
        assert [count is None for count in counts[1:]] == [row[name] is None for name in texts]
        marked += row["over_length"]
    assert 0 < marked < len(rows)
    done = export(made, tmp_path / "dropped", "hf", Options(tokenizer="tekken", max_tokens=15000))
    assert done.rows == len(rows) - marked
    assert done.left_out == {"over 15000 tokens": marked}


def test_croissant_describes_the_files_so_that_its_library_reads_them(folder, rows):
    described = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert not described.metadata.ctx.issues.errors
    records = list(described.records("warp-test"))
    wanted = [row for row in rows if row["split"] == "test"]
    assert [record["warp-test/id"].decode() for record in records] == [row["id"] for row in wanted]
    assert records[0]["warp-test/python_source"].decode() == wanted[0]["python_source"]
    assert records[0]["warp-test/launch"] == wanted[0]["launch"]
    assert described.metadata.license == ["https://spdx.org/licenses/Apache-2.0.html"]
    columns = {field.name for field in pq.read_schema(next(folder.rglob("*.parquet")))}
    [test] = [item for item in described.metadata.record_sets if item.name == "warp-test"]
    assert {field.name.split("/")[1] for field in test.fields} == columns


class Hub(BaseHTTPRequestHandler):
    """Stands in for the hub: it takes a commit, small files in it and large ones beside it."""

    refuse = False
    blobs: dict[str, bytes]
    files: dict[str, bytes]
    removed: list[str]

    def do_GET(self):
        if self.refuse:
            return self.answer({"error": "not yours"}, 403)
        if "/tree/" in self.path:
            old = {"type": "file", "path": "data/warp/old.parquet", "size": 1, "oid": "0" * 40}
            return self.answer([old])
        return self.answer({"id": "owner/name", "sha": "0" * 40, "siblings": [{"rfilename": "data/warp/old.parquet"}]})

    def do_PUT(self):
        body = self.body()
        self.blobs[hashlib.sha256(body).hexdigest()] = body
        self.answer({})

    def do_POST(self):
        body = self.body()
        if self.refuse or self.headers["authorization"] != "Bearer hf_test":
            return self.answer({"error": "not yours"}, 403)
        here = f"http://{self.headers['host']}"
        if self.path.endswith("/repos/create"):
            return self.answer({"url": f"{here}/datasets/owner/name"})
        if self.path.endswith("/validate-yaml"):
            yaml.safe_load(json.loads(body)["content"].split("---\n")[1])
            return self.answer({"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            wanted = json.loads(body)["files"]
            kinds = {True: "lfs", False: "regular"}
            modes = [
                {"path": f["path"], "uploadMode": kinds[f["path"].endswith("parquet")], "shouldIgnore": False}
                for f in wanted
            ]
            return self.answer({"files": modes})
        if self.path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**o, "actions": {"upload": {"href": f"{here}/blob/{o['oid']}"}}} for o in json.loads(body)["objects"]
            ]
            return self.answer({"transfer": "basic", "objects": objects})
        assert "/commit/" in self.path, self.path
        for item in map(json.loads, body.splitlines()):
            value = item["value"]
            if item["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                self.files[value["path"]] = self.blobs[value["oid"]]
            elif item["key"] == "deletedFile":
                self.removed.append(value["path"])
        return self.answer({"commitUrl": f"{here}/datasets/owner/name/commit/1", "commitOid": "1", "success": True})

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(monkeypatch):
    class Fresh(Hub):
        blobs, files, removed = {}, {}, []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Fresh)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    # The stand-in speaks the hub's HTTP, and not the protocol of its chunk store.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    Fresh.endpoint = f"http://127.0.0.1:{server.server_port}"
    yield Fresh
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_push_sends_the_layout_and_removes_what_is_old(made, folder, hub):
    done = push(made.root, "owner/name", endpoint=hub.endpoint)
    assert done.url == f"{hub.endpoint}/datasets/owner/name/commit/1"
    sent = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert hub.files == sent
    assert hub.removed == ["data/warp/old.parquet"]
    assert done.files == {name: len(data) for name, data in sent.items()}


def test_a_dry_run_says_what_would_go_and_sends_nothing(made, folder, hub):
    wanted = push(folder, "owner/name", endpoint=hub.endpoint)
    sent = dict(hub.files)
    hub.files.clear()
    for directory in (made.root, folder):
        found = push(directory, "owner/name", dry_run=True, endpoint=hub.endpoint)
        assert found.files == wanted.files == {name: len(data) for name, data in sent.items()}
        assert found.url is None
    assert hub.files == {}


def test_a_push_takes_nothing_hidden_and_nothing_from_elsewhere(folder, hub, tmp_path):
    wanted = push(folder, "owner/name", dry_run=True, endpoint=hub.endpoint).files
    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    for name in (".irsmith/token", ".env", "data/.notes", "NOTICE[1]"):
        (mine / name).parent.mkdir(exist_ok=True)
        (mine / name).write_text("x")
    done = push(mine, "owner/name", endpoint=hub.endpoint)
    assert done.files == wanted | {"NOTICE[1]": 1}
    assert hub.files.keys() == done.files.keys()
    (mine / "data" / "key.parquet").symlink_to("/etc/passwd")
    hub.files.clear()
    with pytest.raises(UserError, match=r"key.parquet: is a link out of its folder, to /etc/passwd"):
        push(mine, "owner/name", endpoint=hub.endpoint)
    assert hub.files == {}


def test_what_the_hub_does_not_take_is_one_error(folder, hub, tmp_path):
    with pytest.raises(UserError, match="'a b/c' cannot be a repository's name"):
        push(folder, "a b/c", endpoint=hub.endpoint)
    with pytest.raises(UserError, match="no dataset here"):
        push(tmp_path, "owner/name", endpoint=hub.endpoint)
    hub.refuse = True
    with pytest.raises(StoppedError, match=r"owner/name: the hub did not take it: .*403"):
        push(folder, "owner/name", endpoint=hub.endpoint)
    assert (folder / "README.md").exists()
