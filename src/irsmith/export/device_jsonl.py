"""``device-jsonl``: a folder a device with ``dataset.jsonl`` and ``stats.json``, forward and backward apart.

With ``size``, each device's file ends with the first row with which it holds that many bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from irsmith import files
from irsmith.dataset.load import Dataset
from irsmith.export import devices
from irsmith.export.base import COUNTING, Exported, Format, Options
from irsmith.export.lines import Lines
from irsmith.export.measure import Measure
from irsmith.export.rows import selected

FILE = "dataset.jsonl"
STATS_FILE = "stats.json"


def write(dataset: Dataset, out: Path, options: Options) -> Exported:
    """Write the folder; see `irsmith.export.export`."""
    exported = Exported(out)
    stages = devices.of(dataset, options.device, "device-jsonl")
    measure = Measure(options, exported)
    types: dict[str, Counter[str]] = {device: Counter() for device in stages}
    with files.whole_folder(out) as root, ExitStack() as stack:
        lines = {}
        for device in stages:
            (root / device).mkdir()
            file = stack.enter_context((root / device / FILE).open("wb"))
            lines[device] = Lines(file, f"{device}/{FILE}", exported, options.size)
        for row in selected(dataset, options, exported, stages.values()):
            written = False
            for device, stage in stages.items():
                if lines[device].full:
                    continue
                texts = {
                    "python_source": row["python_source"],
                    "code_forward": stage.functions(row, "forward"),
                    "code_backward": stage.functions(row, "backward"),
                }
                added = measure(texts)
                if added is None:
                    continue
                described = {"device": device, "kernel_type": row["category"], "metadata": {"seed": row["seed"]}}
                lines[device].write({**texts, **described, **added})
                types[device][row["category"]] += 1
                written = True
            exported.rows += written
            if all(file.full for file in lines.values()):
                break
        stack.close()
        for device in stages:
            stats = {
                "total_pairs": types[device].total(),
                "kernel_types": dict(sorted(types[device].items())),
                "bytes": (root / device / FILE).stat().st_size,
                "device": device,
                "seed": dataset.recipe.seed,
                "toolchain": dataset.manifest.toolchain,
            }
            (root / device / STATS_FILE).write_text(json.dumps(stats, indent=1) + "\n", encoding="utf-8")
    return exported


FORMAT = Format(
    "<device>/dataset.jsonl: python_source, code_forward, code_backward, device, kernel_type, metadata",
    COUNTING | {"device", "size"},
    write,
)
