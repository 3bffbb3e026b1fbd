"""What the sections of a dataset card say."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irsmith import licence
from irsmith.dataset.manifest import Manifest
from irsmith.recipe import Recipe

if TYPE_CHECKING:
    from irsmith.dataset.stats import Stats

LICENCE = "Apache-2.0"
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


def word(text: str) -> str:
    """A text that others wrote, as one word of a command line in a block of code."""
    return shlex.quote(_CONTROL.sub(" ", text).replace("`", "'"))


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
    kinds = [kind for kind, real in (("synthesised", False), ("real", True)) if real in {is_real(r) for r in recipes}]
    return (
        f"{manifest.rows} {' and '.join(kinds)} {languages} kernels with the texts that the real compiler "
        f"wrote for each:\n{stages}, forward and backward. "
        f"{manifest.tried} were tried, {manifest.tried - manifest.rows} rejected."
    )


def is_real(recipe: Recipe) -> bool:
    """Whether a recipe's kernels are what people wrote."""
    return bool(recipe.real.kernels)


_HUB = {licence.UNSTATED: "other"}
"""What the hub calls a licence, where it is not the identifier in small letters."""


def licences(recipes: Sequence[Recipe], manifest: Manifest) -> list[str]:
    """The licences that a dataset is under: irsmith's own, for the compilers' words, and those of what people wrote."""
    permitted = {name for recipe in recipes for name in recipe.real.licences}
    found = {name for origin in manifest.origins for name in origin.licences if licence.allowed(name, permitted)}
    return [LICENCE, *sorted(found - {LICENCE})]


def _licences(recipes: Sequence[Recipe], manifest: Manifest) -> str:
    """The front matter's ``license``."""
    names = [_scalar(_HUB.get(name, name.lower())) for name in licences(recipes, manifest)]
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


def _scalar(text: str) -> str:
    """A text that others wrote, as a value in YAML: plain where it is a plain word, and quoted as JSON has it else."""
    return text if re.fullmatch(r"[A-Za-z][\w.+-]*", text, re.ASCII) else json.dumps(text)


def front_matter(recipes: Sequence[Recipe], manifest: Manifest, layout: Layout | None) -> str:
    """What the hub reads; without a layout every file of a config is `UNSPLIT`."""
    size = next((name for bound, name in _SIZE_CATEGORIES if manifest.rows < bound), _LARGEST)
    synthetic = [] if all(map(is_real, recipes)) else ["synthetic"]
    tags = ["code", "compilers", *synthetic, *dict.fromkeys(recipe.frontend for recipe in recipes)]
    everything = {name: {UNSPLIT: f"data/{name}/*.parquet"} for name in manifest.configs}
    configs = "".join(
        f"- config_name: {_scalar(name)}\n  data_files:\n"
        + "".join(f"  - split: {_scalar(split)}\n    path: {pattern}\n" for split, pattern in splits.items())
        for name, splits in (layout or everything).items()
    )
    return f"""---
{_licences(recipes, manifest)}
language:
- code
task_categories:
- text-generation
tags:
{"".join(f"- {tag}{chr(10)}" for tag in tags)}pretty_name: {json.dumps(title(recipes))}
size_categories:
- {size}
configs:
{configs}---
"""


def loading(configs: Sequence[str], layout: Layout | None) -> str:
    """The lines of Python that load each config's rows."""
    if layout:
        return "\n".join(
            f'{name.replace("-", "_")}_rows = load_dataset("DIR", "{name}", split="{next(iter(splits))}")'
            for name, splits in layout.items()
        )
    train = 'filters=[("split", "==", "train")]'
    lines = [
        f'{name.replace("-", "_")}_rows = load_dataset("DIR", "{name}", split="{UNSPLIT}", {train})' for name in configs
    ]
    # A file that holds every split is no split of the hub's library.
    told = "# A file holds rows of every split; `irsmith export DIR --format hf` writes a file a split."
    return "\n".join([told, *lines])


def figures_section(figures: Figures) -> str:
    """What was counted, as a section."""
    found = figures.stats
    splits = "".join(f"| {cell(name)} | {rows} |\n" for name, rows in figures.splits.items())
    categories = "".join(
        f"| {cell(name)} | {group.rows} | {group.structures} | {'/'.join(map(str, group.lines))} |\n"
        for name, group in found.categories.items()
    )
    texts = "".join(
        f"| `{cell(name)}` | {size.rows} | {size.mean:.0f} | {size.longest} |\n" for name, size in found.texts.items()
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
