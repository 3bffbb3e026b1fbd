"""How much memory and time deduplication takes at many rows.

    python -m benchmarks.million [--rows 1000000] [--near 0.8] [--keep DIR]

The rows are real-shaped: kernels of a generated dataset whose statements are mixed with those of others, so that
sources have real lengths and tokens and are mostly new; 1 % repeat the structure of another row. Columns of texts,
which deduplication does not read, are null. Each command is a process of its own; the peak is what the system
counts as resident of it, pages of its memory-mapped signatures included, and of its largest worker.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import irsmith
from benchmarks.machine import machine
from irsmith import Recipe, files
from irsmith.dataset import manifest
from irsmith.dataset.folder import RECIPE_FILE
from irsmith.dataset.parts import data_file, write_parquet
from irsmith.dataset.shard import Shard
from irsmith.rng import Stream, stream

PART = 1000
BASES = 400
_PEAK = """
import resource, sys
from irsmith.cli import main
try:
    main()
finally:
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(*peaks, file=sys.stderr)
"""


def mixed(random: Stream, bases: list[list[str]]) -> str:
    """A kernel's lines, a fifth of them taken from others."""
    lines = random.pick(bases)
    return "\n".join(
        random.pick(random.pick(bases)) if line.startswith("    ") and random.chance(0.2) else line for line in lines
    )


def build(root: Path, rows: int) -> None:
    """Write a dataset of real-shaped rows."""
    with tempfile.TemporaryDirectory() as folder:
        irsmith.generate(Recipe(count=BASES, seed=7, verify="none"), folder)
        real = pa.concat_tables([pq.ParquetFile(path).read() for path in sorted(Path(folder).rglob("*.parquet"))])
        made = irsmith.load(folder).manifest
    bases = [source.splitlines() for source in real["python_source"].to_pylist()]
    recipe = Recipe(count=rows, seed=7, verify="none", shard_size=PART)
    shards = []
    for first in range(0, rows, PART):
        random = stream("million", first)
        count = min(PART, rows - first)
        indices = list(range(first, first + count))
        structures = [f"{(index if random.chance(0.99) else index // 2) * 2654435761:032x}" for index in indices]
        picked = real.take([random.below(real.num_rows) for _ in indices])
        columns = {
            "id": [f"warp-7-{index}" for index in indices],
            "index": indices,
            "python_source": [mixed(random, bases) for _ in indices],
            "structure_id": structures,
            "group_id": structures,
        }
        arrays = []
        for field in picked.schema:
            if field.name in columns:
                arrays.append(pa.array(columns[field.name], field.type))
            elif field.nullable:
                arrays.append(pa.nulls(count, field.type))
            else:
                arrays.append(picked[field.name])
        table = pa.Table.from_arrays(arrays, schema=picked.schema)
        path = root / data_file("warp", first)
        checksum = files.write(path, lambda aside, table=table: write_parquet(table, aside))
        shards.append(Shard("warp", first, count, count, checksum, path.stat().st_size, (), {}, ""))
    (root / RECIPE_FILE).write_text(recipe.to_toml())
    files.write_text(root / manifest.FILE, manifest.made_here("1.0.0", made.toolchain, shards).to_json())


def command(*words: str) -> tuple[dict[str, object], float, list[float]]:
    """What a command printed, its seconds, and the peaks of itself and of its largest worker in MiB."""
    began = time.monotonic()
    run = subprocess.run([sys.executable, "-c", _PEAK, *words, "--json"], capture_output=True, text=True, check=True)
    peaks = [int(word) / 1024 for word in run.stderr.split()[-2:]]
    return json.loads(run.stdout), time.monotonic() - began, peaks


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--near", type=float, default=0.8)
    parser.add_argument("--keep", type=Path, help="where to make the rows, and to find them if they are there")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        root = options.keep or Path(scratch, "rows")
        if not (root / manifest.FILE).exists():
            build(root, options.rows)
        exact, seconds, peaks = command("merge", str(root), "--out", f"{scratch}/merged")
        print(f"merge of {exact['rows']} rows: {exact['duplicates']} repeats taken out, {seconds:.0f} s, ", end="")
        print(f"peak {peaks[0]:.0f} MiB")
        near, seconds, peaks = command("dedup", str(root), "--near", str(options.near))
        print(f"near-duplicates of {near['rows']} rows at {options.near}: {near['near_duplicates']}, ", end="")
        print(f"{seconds:.0f} s, peak {peaks[0]:.0f} MiB, of a worker {peaks[1]:.0f} MiB")


if __name__ == "__main__":
    main()
