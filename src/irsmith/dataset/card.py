"""The dataset card: ``README.md`` with the front matter that the Hugging Face hub reads."""

from __future__ import annotations

import json

from irsmith import frontends
from irsmith.dataset.manifest import Manifest
from irsmith.frontends.base import stage_named
from irsmith.recipe import Recipe

_SIZE_CATEGORIES = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
]
_LARGEST = "n>1B"


def render(recipe: Recipe, manifest: Manifest) -> str:
    """The card of a dataset: what is in it, how it was made, how to make it again."""
    frontend = frontends.get(recipe.frontend)
    stages = [stage_named(frontend, name) for name in recipe.stages]
    size = next((name for bound, name in _SIZE_CATEGORIES if manifest.rows < bound), _LARGEST)
    toolchain = ", ".join(f"{name} {version}" for name, version in manifest.toolchain.items())
    rejected = manifest.tried - manifest.rows
    rejects = "".join(f"- {reason}: {times}\n" for reason, times in manifest.rejects.items())
    verdicts = "".join(
        f"| {outcome.replace(': ', ' | ')} | {times} |\n" for outcome, times in manifest.verdicts.items()
    )
    proved = f"| check | verdict | rows |\n| --- | --- | --- |\n{verdicts}" if verdicts else "Nothing was checked.\n"
    categories = "".join(f"| {name} | {weight:.4g} |\n" for name, weight in recipe.categories)
    levels = "".join(f"| {level} | {times} |\n" for level, times in manifest.difficulty.items())
    tags = ", ".join(f"{tag} ({times})" for tag, times in manifest.tags.items())
    columns = "".join(f"| `{stage.name}_{part.name}` | {part.meaning} |\n" for stage in stages for part in stage.parts)
    return f"""---
license: apache-2.0
language:
- code
task_categories:
- text-generation
tags:
- code
- compilers
- synthetic
- {recipe.frontend}
pretty_name: {json.dumps(f"irsmith {recipe.frontend} kernels, seed {recipe.seed}")}
size_categories:
- {size}
configs:
- config_name: {recipe.frontend}
  data_files:
  - split: train
    path: data/{recipe.frontend}/*.parquet
---

# Python kernels and what a JIT compiler makes of them

{manifest.rows} synthesised {recipe.frontend} kernels with the texts that the real compiler wrote for each:
{", ".join(stage.name for stage in stages)}, forward and backward. {manifest.tried} were tried, {rejected} rejected.

```python
from datasets import load_dataset
rows = load_dataset("parquet", data_dir="data/{recipe.frontend}", split="train")
```

## Texts

A row's texts stand in columns named `<stage>_<part>`. Joined in this order, with an empty line between two and
empty ones left out, the parts of a stage are the unit that compiles.

| column | holds |
| --- | --- |
{columns}
## Categories

| category | weight |
| --- | --- |
{categories}
## Difficulty and tags

`difficulty` is 1 to 5, from a kernel's complexity; `tags` name its patterns of access and the features that it uses.

| difficulty | rows |
| --- | --- |
{levels}
{tags}

## What was proved

Each row was compiled and run from its own text, forward and backward, against a reference that shares no code with
the compiler; `verdicts` in the row says how each check ended. An adjoint that the compiler gets wrong is null.

{proved}
## Rejected

{rejects or "None."}
## How it was made

By {toolchain}, on Python {manifest.python} ({manifest.platform}). The same recipe with the same versions gives
the same bytes:

```sh
irsmith generate recipe.toml --out DIR
```

No text depends on the process, the machine or the order in which it was made: struct and function names carry a
number that counts from 0 in each row, and line numbers count from the first line of `python_source`.
"""
