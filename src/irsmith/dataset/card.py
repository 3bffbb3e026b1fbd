"""The dataset card: ``README.md`` with the front matter that the Hugging Face hub reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irsmith import frontends, licence
from irsmith.dataset.manifest import Manifest
from irsmith.frontends.base import stage_named
from irsmith.recipe import Recipe

if TYPE_CHECKING:
    from irsmith.dataset.stats import Stats

LICENCE_URL = "https://www.apache.org/licenses/LICENSE-2.0"
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
_JOINED = """Joined in this order, with an empty line between two and
empty ones left out, the parts of a stage are the unit that compiles."""
_APART = "Each text is a unit that compiles."


@dataclass(frozen=True, slots=True)
class Figures:
    """What a card says beyond the manifest, where someone counted it.

    Attributes:
        stats: Counted from the data files.
        splits: Rows by split.
    """

    stats: Stats
    splits: Mapping[str, int]


_MARKUP = str.maketrans({"<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;", "[": "&#91;", "]": "&#93;"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def cell(text: str) -> str:
    """A text that others wrote, as it may stand in a line of Markdown: no markup, no control characters."""
    return _CONTROL.sub(" ", text).translate(_MARKUP)


def toolchain(versions: Mapping[str, str]) -> str:
    """Versions by name, as a line of a card says them."""
    return cell(", ".join(f"{name} {version}" for name, version in versions.items()))


def title(recipes: Sequence[Recipe]) -> str:
    """What the dataset of a recipe, or of several, is called."""
    if len(recipes) == 1 and recipes[0].real.kernels:
        return f"irsmith {recipes[0].frontend} kernels of {', '.join(recipes[0].real.packages)}"
    if len(recipes) == 1:
        return f"irsmith {recipes[0].frontend} kernels, seed {recipes[0].seed}"
    return f"irsmith kernels: {', '.join(sorted({recipe.frontend for recipe in recipes}))}"


def summary(recipes: Sequence[Recipe], manifest: Manifest) -> str:
    """What is in a dataset, in two sentences."""
    stages = ", ".join(dict.fromkeys(stage for recipe in recipes for stage in recipe.stages))
    languages = ", ".join(dict.fromkeys(recipe.frontend for recipe in recipes))
    kinds = [kind for kind, real in (("synthesised", False), ("real", True)) if real in {_is_real(r) for r in recipes}]
    return (
        f"{manifest.rows} {' and '.join(kinds)} {languages} kernels with the texts that the real compiler "
        f"wrote for each:\n{stages}, forward and backward. "
        f"{manifest.tried} were tried, {manifest.tried - manifest.rows} rejected."
    )


def _is_real(recipe: Recipe) -> bool:
    return bool(recipe.real.kernels)


_HUB = {licence.UNSTATED: "other"}
"""What the hub calls a licence, where it is not the identifier in small letters."""


def licences(recipes: Sequence[Recipe], manifest: Manifest) -> str:
    """The front matter's ``license``: irsmith's own, for the compilers' words, and those of what people wrote."""
    permitted = {name for recipe in recipes for name in recipe.real.licences}
    found = {name for origin in manifest.origins for name in origin.licences if licence.allowed(name, permitted)}
    names = list(dict.fromkeys(["apache-2.0", *(_HUB.get(name, name.lower()) for name in sorted(found))]))
    return f"license: {names[0]}" if len(names) == 1 else "\n".join(["license:", *(f"- {name}" for name in names)])


def origins_section(manifest: Manifest) -> str:
    """Where kernels that people wrote come from, as a section; empty where there are none."""
    if not manifest.origins:
        return ""
    lines = "".join(
        f"| {cell(origin.title)} | {cell(origin.licence or licence.UNSTATED)} | {origin.kernels} | {origin.modules} "
        f"| {len(origin.failed)}{cell(_told(origin.reasons()))} |\n"
        for origin in manifest.origins
    )
    return f"""## Where the kernels come from

Kernels found in packages, those included that are no row; a row's columns `package`, `version`, `file`, `line` and
`licence` say which of them it is. All rows of a package are in one split.

| package | licence | kernels | modules imported | not imported |
| --- | --- | --- | --- | --- |
{lines}
"""


def _told(reasons: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{reason} {times}' for reason, times in reasons.items())})" if reasons else ""


UNSPLIT = "all_splits"
"""What the hub's library calls the rows of files that hold every split: whoever asks for ``train`` is refused."""
Layout = Mapping[str, Mapping[str, str]]
"""Config to split to the pattern of the split's files, below the folder of the card."""


def configs(names: Sequence[str], layout: Layout | None) -> str:
    """The front matter's ``configs``; without a layout every file of a config is `UNSPLIT`."""
    everything = {name: {UNSPLIT: f"data/{name}/*.parquet"} for name in names}
    return "".join(
        f"- config_name: {name}\n  data_files:\n"
        + "".join(f"  - split: {split}\n    path: {pattern}\n" for split, pattern in splits.items())
        for name, splits in (layout or everything).items()
    )


def render(recipe: Recipe, manifest: Manifest, layout: Layout | None = None, figures: Figures | None = None) -> str:
    """The card of a dataset: what is in it, how it was made, how to make it again.

    Args:
        recipe: What decided its content.
        manifest: What made it.
        layout: Where the files of each split are; by default every file as one split, as `generate` writes them.
        figures: What was counted from the files.
    """
    frontend = frontends.get(recipe.frontend)
    stages = [stage_named(frontend, name) for name in recipe.stages]
    size = next((name for bound, name in _SIZE_CATEGORIES if manifest.rows < bound), _LARGEST)
    rejects = "".join(f"- {cell(reason)}: {times}\n" for reason, times in manifest.rejects.items())
    verdicts = "".join(
        f"| {cell(outcome).replace(': ', ' | ')} | {times} |\n" for outcome, times in manifest.verdicts.items()
    )
    proved = f"| check | verdict | rows |\n| --- | --- | --- |\n{verdicts}" if verdicts else "Nothing was checked.\n"
    units = _JOINED if all(stage.joined for stage in stages) else _APART
    levels = "".join(f"| {level} | {times} |\n" for level, times in manifest.difficulty.items())
    tags = ", ".join(f"{cell(tag)} ({times})" for tag, times in manifest.tags.items())
    made = _of_real(recipe) if _is_real(recipe) else _of_synthesis(recipe)
    columns = "".join(f"| `{stage.name}_{part.name}` | {part.meaning} |\n" for stage in stages for part in stage.parts)
    return f"""---
{licences([recipe], manifest)}
language:
- code
task_categories:
- text-generation
tags:
- code
- compilers
{"" if _is_real(recipe) else "- synthetic" + chr(10)}- {recipe.frontend}
pretty_name: {json.dumps(title([recipe]))}
size_categories:
- {size}
configs:
{configs([recipe.config], layout)}---

# Python kernels and what a JIT compiler makes of them

{summary([recipe], manifest)}

```python
from datasets import load_dataset
{loading(recipe.config, layout)}
```

{figures_section(figures) if figures else ""}## Texts

A row's texts stand in columns named `<stage>_<part>`. {units}

| column | holds |
| --- | --- |
{columns}
{made.contents or origins_section(manifest)}## Difficulty and tags

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

By {toolchain(manifest.toolchain)}, on Python {cell(manifest.python)} ({cell(manifest.platform)}). {made.again}

No text depends on the process, the machine or the order in which it was made.

## Intended use

To train and test models that read, write, translate or optimise compiler output: Python to a stage, a stage back to
Python, one device's text to another's, a forward to its adjoint. Train on `train`, choose by `validation`, and look
at `test` once: rows that share a `group_id` share a split. {made.limits}

## Licence

{made.licence}
No person's data is in the rows.
"""


@dataclass(frozen=True, slots=True)
class _Words:
    """What a card says of synthesised kernels, or of those that people wrote."""

    contents: str
    again: str
    limits: str
    licence: str


def _of_synthesis(recipe: Recipe) -> _Words:
    categories = "".join(f"| {cell(name)} | {weight:.4g} |\n" for name, weight in recipe.categories)
    return _Words(
        f"""## Categories

| category | weight |
| --- | --- |
{categories}
""",
        """The same recipe with the same versions gives
the same bytes:

```sh
irsmith generate recipe.toml --out DIR
```""",
        """The kernels are synthesised: they are legal and
different, and nobody needed them. What holds for them need not hold for code that people wrote, and a text is right
for the versions above alone.""",
        "Apache-2.0, which is also that of the compilers whose fixed words stand in the texts.",
    )


def _of_real(recipe: Recipe) -> _Words:
    return _Words(
        "",
        f"""The kernels stand in `kernels.jsonl` as they were
taken out of their packages. The same packages with the same versions give the same bytes:

```sh
irsmith harvest {" ".join(title.partition(" ")[0] for title in recipe.real.packages)} --out DIR
```""",
        """The kernels are what people wrote, so that few
are alike in style and some packages stand for many rows. A text is right for the versions above alone.""",
        """A row's column `licence` states the licence of its Python, whose authors its package names. The compilers'
fixed words in the texts are under Apache-2.0.""",
    )


def loading(config: str, layout: Layout | None) -> str:
    """The lines of Python that load a config's rows."""
    if layout:
        return f'rows = load_dataset("DIR", "{config}", split="{next(iter(layout[config]))}")'
    return f'''# A file holds rows of every split; `irsmith export DIR --format hf` writes a file a split.
rows = load_dataset("DIR", "{config}", split="{UNSPLIT}", filters=[("split", "==", "train")])'''


def figures_section(figures: Figures) -> str:
    """What was counted, as a section."""
    found = figures.stats
    splits = "".join(f"| {cell(name)} | {rows} |\n" for name, rows in figures.splits.items())
    categories = "".join(
        f"| {cell(name)} | {group.rows} | {group.structures} | {'/'.join(map(str, group.lines))} |\n"
        for name, group in found.categories.items()
    )
    texts = "".join(
        f"| `{name}` | {size.rows} | {size.mean:.0f} | {size.longest} |\n" for name, size in found.texts.items()
    )
    return f"""## Figures

| split | rows here |
| --- | --- |
{splits}
Of the whole dataset, before any rows were left out for their split or length: {found.total.structures} structures
(names and numbers taken out), {found.total.skeletons} skeletons (dtypes and the order of independent statements too).

| category | rows | structures | lines 10/50/90 % |
| --- | --- | --- | --- |
{categories}
| text | rows | mean bytes | longest |
| --- | --- | --- | --- |
{texts}
"""
