"""What the training forms share: a JSONL file a split, with an example a task and row."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from irsmith import files
from irsmith.dataset.load import Dataset
from irsmith.export import tasks
from irsmith.export.base import COUNTING, Exported, Options
from irsmith.export.lines import Lines
from irsmith.export.measure import Measure
from irsmith.export.rows import selected

OPTIONS = COUNTING | {"tasks", "templates"}


def write(
    dataset: Dataset, out: Path, options: Options, fields: Callable[[dict[str, str]], dict[str, Any]]
) -> Exported:
    """Write ``<split>.jsonl`` for each split that has rows.

    Args:
        dataset: The rows.
        out: The folder.
        options: See `irsmith.export.export`.
        fields: A filled template as the fields of its record.
    """
    exported = Exported(out)
    templates = dict(dataset.recipe.templates) | dict(options.templates)
    chosen = tasks.of(dataset, options.tasks, templates)
    # A row lacks the texts of other frontends' stages as a matter of course.
    mine = {
        frontend: {task.name for task in chosen if task.stages <= {stage.name for stage in dataset.stages_of(frontend)}}
        for frontend in dataset.frontends
    }
    measure = Measure(options, exported)
    with files.whole_folder(out) as root, ExitStack() as stack:
        lines: dict[str, Lines] = {}
        for row in selected(dataset, options, exported, dataset.stages):
            split = row["split"]
            if split not in lines:
                file = stack.enter_context((root / f"{split}.jsonl").open("wb"))
                lines[split] = Lines(file, f"{split}.jsonl", exported)
            written = False
            for task in chosen:
                if task.name not in mine[row["frontend"]]:
                    continue
                example = task.example(row)
                if example is None:
                    exported.leave_out(f"no text for {task.name}")
                    continue
                texts = {name: text for name, text in example.items() if text or name != "system"}
                added = measure(texts)
                if added is not None:
                    lines[split].write({"id": row["id"], "task": task.name, **fields(example), **added})
                    written = True
            exported.rows += written
    return exported
