"""The rows of a dataset as one JSONL file, a record a line, for those who do not read Parquet."""

from __future__ import annotations

from pathlib import Path

from irsmith import files
from irsmith.dataset.load import load
from irsmith.dataset.target import line_of
from irsmith.places import Place

FILE = "dataset.jsonl"


def write_jsonl(root: Place) -> Place:
    """Write ``dataset.jsonl`` beside the data files of a finished dataset, in index order."""
    dataset = load(root)

    def fill(aside: Path) -> None:
        with aside.open("w", encoding="utf-8") as file:
            for record in dataset.records():
                file.write(line_of(record))

    files.write(root / FILE, fill)
    return root / FILE
