"""Small datasets, and ways to change their files as accidents and mistakes would."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from irsmith import Recipe
from irsmith.dataset.manifest import FILE
from irsmith.dataset.parts import write_parquet
from irsmith.dataset.shard import Shard, write_marker
from irsmith.dataset.splits import Splits

SMALL = Recipe(count=40, seed=5, shard_size=16, verify="none", splits=Splits(hold_out_categories=("nested_branch",)))


def checksums(root):
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def shards_of(root):
    table = json.loads((root / FILE).read_text())
    return [Shard.from_json({k: v for k, v in shard.items() if k != "file"}) for shard in table["shards"]]


def rewrite(root, number, change):
    """Change a part's table and return its shard with what follows for checksum and size."""
    shard = shards_of(root)[number]
    table = change(pq.ParquetFile(root / shard.file).read())
    write_parquet(table, root / shard.file)
    content = (root / shard.file).read_bytes()
    return replace(shard, rows=table.num_rows, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def replant(root, number, change):
    """Change a part's table, and let the manifest say so."""
    shard = rewrite(root, number, change)
    manifest = json.loads((root / FILE).read_text())
    manifest["shards"][number] |= shard.to_json()
    (root / FILE).write_text(json.dumps(manifest))
    return shard


def with_value(table, column, row, value):
    values = table[column].to_pylist()
    values[row] = value
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    return table.set_column(place, field, pa.array(values, field.type))


def value(root, number, column, row):
    shard = shards_of(root)[number]
    return pq.ParquetFile(root / shard.file).read(columns=[column])[column][row].as_py()


def unfinished(root, shards):
    """Make a folder one whose shards are done and whose dataset is not."""
    (root / FILE).unlink()
    for shard in shards:
        write_marker(root, shard)
