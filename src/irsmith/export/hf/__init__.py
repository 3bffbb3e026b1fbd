"""``hf``: the row as it is, in Parquet as the Hugging Face hub lays it out, with a card and Croissant metadata.

``data/<config>/<split>-00000-of-000NN.parquet``, a config a frontend, and one for what people wrote;
``datasets.load_dataset(DIR, CONFIG)`` and the hub's viewer take the folder as it is.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from irsmith import files
from irsmith.dataset import card
from irsmith.dataset.card_sections import Figures
from irsmith.dataset.load import Dataset
from irsmith.dataset.manifest import RECIPE_FILE
from irsmith.dataset.own import CARD_FILE
from irsmith.dataset.splits import Split
from irsmith.dataset.stats import stats
from irsmith.export.base import COUNTING, Exported, Format, Options
from irsmith.export.hf import croissant
from irsmith.export.hf.parts import Parts
from irsmith.export.measure import MARK, Measure
from irsmith.export.rows import check_splits
from irsmith.real import config_of
from irsmith.row import schema


def write(dataset: Dataset, out: Path, options: Options) -> Exported:
    """Write the folder; see `irsmith.export.export`."""
    check_splits(options.splits)
    exported = Exported(out)
    measure = Measure(options, exported)
    texts = {name: _texts(dataset, name) for name in dataset.manifest.configs}
    schemas = {name: _schema(schema(dataset.stages_in(name)), texts[name], options) for name in texts}
    with files.whole_folder(out) as root:
        parts = {
            (name, split.value): Parts(root, Path("data", name), split.value, schemas[name])
            for name in texts
            for split in Split
        }
        for batch in dataset.batches():
            # A file holds one config's rows.
            config = config_of(batch["frontend"][0].as_py(), synthesised=batch["seed"][0].is_valid)
            whole = pa.Table.from_batches([batch]).select(schema(dataset.stages_in(config)).names)
            for split in whole["split"].unique().to_pylist():
                chosen = whole.filter(pc.field("split") == split)
                if options.splits and split not in options.splits:
                    exported.leave_out(f"split {split}", chosen.num_rows)
                else:
                    parts[config, split].add(_measured(chosen, texts[config], schemas[config], measure))
        layout: dict[str, dict[str, str]] = {}
        counts: dict[str, int] = {}
        for (config, split), part in parts.items():
            written = part.finish()
            if written:
                layout.setdefault(config, {})[split] = f"data/{config}/{split}-*.parquet"
                counts[split] = counts.get(split, 0) + sum(written.values())
                exported.records |= written
        exported.rows = sum(exported.records.values())
        exported.bytes = sum((root / name).stat().st_size for name in exported.records)
        figures = Figures(stats(dataset), counts)
        said = card.render(dataset.recipes, dataset.manifest, layout, figures)
        (root / CARD_FILE).write_text(said, encoding="utf-8")
        (root / croissant.FILE).write_text(croissant.render(dataset, schemas, layout), encoding="utf-8")
        if dataset.manifest.derived is None:
            (root / RECIPE_FILE).write_text(dataset.recipe.to_toml(), encoding="utf-8")
    return exported


def _texts(dataset: Dataset, config: str) -> list[str]:
    return ["python_source", *(column for stage in dataset.stages_in(config) for column in stage.columns())]


def _schema(plain: pa.Schema, texts: list[str], options: Options) -> pa.Schema:
    if options.tokenizer:
        for name in texts:
            plain = plain.append(pa.field(f"{name}_tokens", pa.int32()))
        if options.over == "mark":
            plain = plain.append(pa.field(MARK, pa.bool_()))
    return plain


def _measured(table: pa.Table, texts: list[str], wanted: pa.Schema, measure: Measure) -> pa.Table:
    """The rows that stay, with the columns that the options ask for."""
    added = [
        measure(dict(zip(texts, row, strict=True))) for row in zip(*(table[n].to_pylist() for n in texts), strict=True)
    ]
    kept = table.filter(pa.array([fields is not None for fields in added]))
    fields = [item for item in added if item is not None]
    for field in list(wanted)[len(table.schema) :]:
        kept = kept.append_column(field, pa.array([item[field.name] for item in fields], field.type))
    return kept


FORMAT = Format("the row as Parquet, laid out for the Hugging Face hub, with card and Croissant", COUNTING, write)
