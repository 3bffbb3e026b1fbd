"""``hlo-jsonl``: one line a kernel, its Python beside its HLO forward, backward and optimized."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from irsmith.dataset.load import Dataset
from irsmith.export.base import COUNTING, Exported, Format, Options
from irsmith.export.lines import one_file
from irsmith.export.measure import Measure
from irsmith.export.rows import Record, selected, stages_wanted, text_of


def write(dataset: Dataset, out: Path, options: Options) -> Exported:
    """Write the file; see `irsmith.export.export`."""
    exported = Exported(out)
    hlo, optimized = stages_wanted(dataset, ("hlo", "hlo_optimized"), "hlo-jsonl")
    measure = Measure(options, exported)

    def records() -> Iterator[Record]:
        for row in selected(dataset, options, exported, (hlo, optimized)):
            texts = {
                "python": row["python_source"],
                "hlo_forward": text_of(hlo, row, "forward", options),
                "hlo_backward": text_of(hlo, row, "backward", options),
                "hlo_optimized": text_of(optimized, row, "forward", options),
            }
            added = measure(texts)
            if added is not None:
                yield {"id": row["index"], "kernel_name": row["name"], **texts, "type": row["category"], **added}

    return one_file(out, exported, options.size, records())


FORMAT = Format(
    "one .jsonl: id, kernel_name, python, hlo_forward, hlo_backward, hlo_optimized, type",
    COUNTING | {"size"},
    write,
)
