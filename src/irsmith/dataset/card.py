"""The dataset card: ``README.md``, with the front matter that the Hugging Face hub reads."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith import frontends
from irsmith.dataset.card_sections import (
    Figures,
    Layout,
    cell,
    figures_section,
    front_matter,
    is_real,
    loading,
    origins_section,
    summary,
    toolchain,
    word,
)
from irsmith.dataset.manifest import Derived, Manifest
from irsmith.frontends.base import stage_named
from irsmith.recipe import Recipe

_JOINED = """Joined in this order, with an empty line between two and
empty ones left out, the parts of a stage are the unit that compiles."""
_APART = "Each text is a unit that compiles."
_COMPILERS = "Apache-2.0, which is also that of the compilers whose fixed words stand in the texts."
_AUTHORS = """A row's column `licence` states the licence of its Python, whose authors its package names. The compilers'
fixed words in the texts are under Apache-2.0."""
_SYNTHESISED = """The kernels are synthesised: they are legal and
different, and nobody needed them. What holds for them need not hold for code that people wrote, and a text is right
for the versions above alone."""
_REAL = """The kernels are what people wrote, so that few
are alike in style and some packages stand for many rows. A text is right for the versions above alone."""
_BOTH = """Synthesised kernels are legal and different, and
nobody needed them; of those that people wrote few are alike in style, and some packages stand for many rows. A text
is right for the versions above alone."""


def render(
    recipes: Sequence[Recipe], manifest: Manifest, layout: Layout | None = None, figures: Figures | None = None
) -> str:
    """The card of a dataset: what is in it, how it was made and proved, how to make it again.

    Args:
        recipes: What decided its content: one recipe, or those of the datasets that it was made of.
        manifest: What made it.
        layout: Where the files of each split are; by default every file as one split, as `generate` writes them.
        figures: What was counted from the files.
    """
    rejects = "".join(f"- {cell(reason)}: {times}\n" for reason, times in manifest.rejects.items())
    verdicts = "".join(
        f"| {cell(outcome).replace(': ', ' | ')} | {times} |\n" for outcome, times in manifest.verdicts.items()
    )
    proved = f"| check | verdict | rows |\n| --- | --- | --- |\n{verdicts}" if verdicts else "Nothing was checked.\n"
    levels = "".join(f"| {cell(level)} | {times} |\n" for level, times in manifest.difficulty.items())
    tags = ", ".join(f"{cell(tag)} ({times})" for tag, times in manifest.tags.items())
    real = [is_real(recipe) for recipe in recipes]
    limits = _REAL if all(real) else _BOTH if any(real) else _SYNTHESISED
    licence = _AUTHORS if all(real) else f"{_COMPILERS}\n{_AUTHORS}" if any(real) else _COMPILERS
    compilers = "JIT compilers make" if len({recipe.frontend for recipe in recipes}) > 1 else "a JIT compiler makes"
    return f"""{front_matter(recipes, manifest, layout)}
# Python kernels and what {compilers} of them

{summary(recipes, manifest)}

```python
from datasets import load_dataset
{loading(manifest.configs, layout)}
```

{figures_section(figures) if figures else ""}{_texts(recipes)}{_categories(recipes, manifest)}\
{origins_section(manifest)}## Difficulty and tags

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
`rejects/` holds each kernel that is no row, with the reason; what repeats or was taken out has the step `assemble`.

## How it was made

{_again(recipes[0], manifest) if manifest.derived is None else _made_of(recipes, manifest.derived)}

No text depends on the process, the machine or the order in which it was made.

## Intended use

To train and test models that read, write, translate or optimise compiler output: Python to a stage, a stage back to
Python, one device's text to another's, a forward to its adjoint. Train on `train`, choose by `validation`, and look
at `test` once: rows that share a `group_id` share a split. {limits}

## Licence

{licence}
No person's data is in the rows.
"""


def _texts(recipes: Sequence[Recipe]) -> str:
    """What the columns of texts hold, frontend by frontend."""
    said = "## Texts\n\nA row's texts stand in columns named `<stage>_<part>`.\n\n"
    for name in dict.fromkeys(recipe.frontend for recipe in recipes):
        frontend = frontends.get(name)
        wanted = dict.fromkeys(stage for recipe in recipes if recipe.frontend == name for stage in recipe.stages)
        stages = [stage_named(frontend, stage) for stage in wanted]
        units = _JOINED if all(stage.joined for stage in stages) else _APART
        lines = "".join(
            f"| `{stage.name}_{part.name}` | {part.meaning} |\n" for stage in stages for part in stage.parts
        )
        said += f"Of {name}: {units}\n\n| column | holds |\n| --- | --- |\n{lines}\n"
    return said


def _categories(recipes: Sequence[Recipe], manifest: Manifest) -> str:
    """What a recipe weighs; of several, their manifest says it."""
    if manifest.derived is not None or is_real(recipes[0]):
        return ""
    lines = "".join(f"| {cell(name)} | {weight:.4g} |\n" for name, weight in recipes[0].categories)
    return f"## Categories\n\n| category | weight |\n| --- | --- |\n{lines}\n"


def _again(recipe: Recipe, manifest: Manifest) -> str:
    """How a recipe's dataset is made again."""
    made = f"By {toolchain(manifest.toolchain)}, on Python {cell(manifest.python)} ({cell(manifest.platform)})."
    if is_real(recipe):
        packages = " ".join(word(title.partition(" ")[0]) for title in recipe.real.packages)
        return f"""{made} The kernels stand in `kernels.jsonl` as they were
taken out of their packages. The same packages with the same versions give the same bytes:

```sh
irsmith harvest {packages} --out DIR
```"""
    return f"""{made} The same recipe with the same versions gives
the same bytes:

```sh
irsmith generate recipe.toml --out DIR
```"""


def _made_of(recipes: Sequence[Recipe], derived: Derived) -> str:
    """Which datasets one was put together of, and how again."""
    sources = "".join(
        f"| {recipe.config} | {cell(', '.join(recipe.stages))} | {'' if recipe.row_seed is None else recipe.seed} "
        f"| {source.rows} | {cell(source.version)} | `{source.content}` | {toolchain(source.toolchain)} |\n"
        for recipe, source in zip(recipes, derived.sources, strict=True)
    )
    told = ", ".join(f"{name} {value}" for name, value in derived.settings.items() if value is not None)
    told = told and f" ({cell(told)})"
    return f"""By `irsmith {cell(derived.command)}`{told}, of {len(derived.sources)} dataset(s), in this order:

| config | stages | seed | rows | version | content | toolchain |
| --- | --- | --- | --- | --- | --- | --- |
{sources}
Each source's recipe stands in `manifest.json`; the same recipe with the same versions gives the same bytes, and the
same command puts them together as here."""
