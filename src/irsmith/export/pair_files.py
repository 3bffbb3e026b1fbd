"""``pair-files``: one JSON file a kernel, 10,000 a folder, and ``generation_stats.json`` beside the folders.

The metadata of a record are its name, category, description, device and seed, and as the category's own fields
what the row says of its complexity.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from irsmith import files
from irsmith.dataset.load import Dataset
from irsmith.export import devices
from irsmith.export.base import COUNTING, Exported, Format, Options
from irsmith.export.measure import Measure
from irsmith.export.rows import selected, text_of
from irsmith.row import METRICS

FOLDER_SIZE = 10_000
"""Files a folder."""
STATS_FILE = "generation_stats.json"


def write(dataset: Dataset, out: Path, options: Options) -> Exported:
    """Write the folder; see `irsmith.export.export`."""
    exported = Exported(out)
    stages = devices.of(dataset, options.device, "pair-files")
    measure = Measure(options, exported)
    categories: Counter[str] = Counter()
    with files.whole_folder(out) as root:
        for row in selected(dataset, options, exported, stages.values()):
            texts = {"python_source": row["python_source"]}
            for device, stage in devices.STAGES.items():
                name = f"{stage}_forward"
                texts[name] = text_of(stages[device], row, "forward", options) if device in stages else None
            added = measure(texts)
            if added is None:
                continue
            metadata = {
                "kernel_name": row["name"],
                "category": row["category"],
                "description": row["description"],
                "device": "+".join(stages),
                "seed": row["seed"],
                **{name: row[name] for name in METRICS},
            }
            _write(root, exported, {**texts, "metadata": metadata, **added})
            categories[row["category"]] += 1
        stats = {
            "total_pairs": exported.rows,
            "categories": dict(sorted(categories.items())),
            "device": "+".join(stages),
            "seed": dataset.recipe.seed,
            "left_out": exported.left_out,
            "rejected": dataset.manifest.rejects,
            "toolchain": dataset.manifest.toolchain,
        }
        (root / STATS_FILE).write_text(json.dumps(stats, indent=1) + "\n", encoding="utf-8")
    return exported


def _write(root: Path, exported: Exported, record: dict[str, Any]) -> None:
    batch, _ = divmod(exported.rows, FOLDER_SIZE)
    folder = root / f"batch_{batch}"
    folder.mkdir(exist_ok=True)
    data = json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8")
    (folder / f"pair_{exported.rows:06d}.json").write_bytes(data)
    exported.rows += 1
    exported.bytes += len(data)
    exported.records[folder.name] = exported.records.get(folder.name, 0) + 1


FORMAT = Format(
    "batch_K/pair_000123.json: python_source, cpp_forward, cuda_forward, metadata",
    COUNTING | {"device"},
    write,
)
