"""The card of a dataset that was made of others: what of, what was taken out, and how to make it again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from irsmith.dataset import card
from irsmith.dataset.manifest import Derived, Manifest
from irsmith.recipe import Recipe


def render(
    recipes: Sequence[Recipe],
    manifest: Manifest,
    derived: Derived,
    layout: card.Layout | None = None,
    figures: card.Figures | None = None,
) -> str:
    """The card of a dataset that `irsmith.dataset.derive` made."""
    tags = "".join(f"- {name}\n" for name in manifest.configs)
    sources = "".join(
        f"| {recipe.config} | {', '.join(recipe.stages)} | {'' if recipe.row_seed is None else recipe.seed} "
        f"| {source.rows} | {card.cell(source.version)} "
        f"| `{source.content}` | {card.toolchain(source.toolchain)} |\n"
        for recipe, source in zip(recipes, derived.sources, strict=True)
    )
    rejects = "".join(f"- {card.cell(reason)}: {times}\n" for reason, times in manifest.rejects.items())
    verdicts = "".join(
        f"| {card.cell(outcome).replace(': ', ' | ')} | {times} |\n" for outcome, times in manifest.verdicts.items()
    )
    told = ", ".join(f"{name} {value}" for name, value in derived.settings.items() if value is not None)
    told = told and f" ({card.cell(told)})"
    return f"""---
{card.licences(recipes, manifest)}
language:
- code
task_categories:
- text-generation
tags:
- code
- compilers
- synthetic
{tags}pretty_name: {json.dumps(card.title(recipes))}
configs:
{card.configs(manifest.configs, layout)}---

# Python kernels and what JIT compilers make of them

{manifest.rows} rows of {len(derived.sources)} dataset(s), put together by `irsmith {derived.command}`{told}.
The column `split` says what a row is for: train on `train`, choose by `validation`, look at `test` once.

{card.figures_section(figures) if figures else ""}## Made of

| config | stages | seed | rows | version | content | toolchain |
| --- | --- | --- | --- | --- | --- | --- |
{sources}
Each source's recipe stands in `manifest.json`; the same recipe with the same versions gives the same bytes.

{card.origins_section(manifest)}## Taken out

{rejects or "Nothing."}
`rejects/` holds each row that was taken out, with the reason.

## What was proved

| check | verdict | rows |
| --- | --- | --- |
{verdicts}"""
