"""``hf``: the row as it is, in Parquet as the Hugging Face hub lays it out, with a card and Croissant metadata.

``data/<config>/<split>-00000-of-000NN.parquet``, a config a frontend; ``datasets.load_dataset(DIR, CONFIG)`` and the
hub's viewer take the folder as it is.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from irsmith import files
from irsmith.dataset import card
from irsmith.dataset.folder import CARD_FILE, RECIPE_FILE
from irsmith.dataset.load import Dataset
from irsmith.dataset.splits import Split
from irsmith.dataset.stats import stats
from irsmith.export.base import COUNTING, Exported, Format, Options
from irsmith.export.hf import croissant
from irsmith.export.hf.parts import Parts
from irsmith.export.measure import MARK, Measure
from irsmith.export.rows import check_splits


def write(dataset: Dataset, out: Path, options: Options) -> Exported:
    """Write the folder; see `irsmith.export.export`."""
    check_splits(options.splits)
    exported = Exported(out)
    config = dataset.recipe.frontend
    texts = ["python_source", *(column for stage in dataset.stages for column in stage.columns())]
    measure = Measure(options, exported)
    schema = _schema(dataset.arrow().schema, texts, options)
    with files.whole_folder(out) as root:
        parts = {split.value: Parts(root, Path("data", config), split.value, schema) for split in Split}
        for batch in dataset.batches():
            whole = pa.Table.from_batches([batch])
            for split in whole["split"].unique().to_pylist():
                chosen = whole.filter(pa.compute.field("split") == split)
                if options.splits and split not in options.splits:
                    for _ in range(chosen.num_rows):
                        exported.leave_out(f"split {split}")
                else:
                    parts[split].add(_measured(chosen, texts, schema, measure))
        found = {split: written for split, part in parts.items() if (written := part.finish())}
        for written in found.values():
            exported.records |= written
        exported.rows = sum(exported.records.values())
        exported.bytes = sum((root / name).stat().st_size for name in exported.records)
        layout = {split: f"data/{config}/{split}-*.parquet" for split in found}
        counts = {split: sum(written.values()) for split, written in found.items()}
        text = card.render(dataset.recipe, dataset.manifest, layout, card.Figures(stats(dataset), counts))
        (root / CARD_FILE).write_text(text, encoding="utf-8")
        (root / croissant.FILE).write_text(croissant.render(dataset, schema, layout), encoding="utf-8")
        (root / RECIPE_FILE).write_text(dataset.recipe.to_toml(), encoding="utf-8")
    return exported


def _schema(schema: pa.Schema, texts: list[str], options: Options) -> pa.Schema:
    if options.tokenizer:
        for name in texts:
            schema = schema.append(pa.field(f"{name}_tokens", pa.int32()))
        if options.over == "mark":
            schema = schema.append(pa.field(MARK, pa.bool_()))
    return schema


def _measured(table: pa.Table, texts: list[str], schema: pa.Schema, measure: Measure) -> pa.Table:
    """The rows that stay, with the columns that the options ask for."""
    added = [
        measure(dict(zip(texts, row, strict=True))) for row in zip(*(table[n].to_pylist() for n in texts), strict=True)
    ]
    kept = table.filter(pa.array([fields is not None for fields in added]))
    fields = [item for item in added if item is not None]
    for field in list(schema)[len(table.schema) :]:
        kept = kept.append_column(field, pa.array([item[field.name] for item in fields], field.type))
    return kept


FORMAT = Format("the row as Parquet, laid out for the Hugging Face hub, with card and Croissant", COUNTING, write)
