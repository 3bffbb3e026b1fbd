"""``pairs-jsonl``: one line a kernel, its Python beside its C++ and CUDA, forward and backward in one text."""

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
    stages = stages_wanted(dataset, ("cpp", "cuda"), "pairs-jsonl")
    measure = Measure(options, exported)

    def records() -> Iterator[Record]:
        for row in selected(dataset, options, exported, stages):
            texts = {"python": row["python_source"]}
            texts |= {stage.name: text_of(stage, row, None, options) for stage in stages}
            added = measure(texts)
            if added is not None:
                yield {"id": row["index"], "kernel_name": row["name"], **texts, "type": row["category"], **added}

    return one_file(out, exported, options.size, records())


FORMAT = Format(
    "one .jsonl: id, kernel_name, python, cpp, cuda, type",
    COUNTING | {"full_module", "size"},
    write,
)
