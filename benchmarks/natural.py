"""How far synthesised kernels are from those that people write.

    python -m benchmarks.natural [FOLDER…] [--count 2000] [--seed 7] [--out docs/natural.md]

Each folder is searched for functions that ``@wp.kernel`` decorates; without one, the examples inside the Warp wheel
are taken. For each feature the distributions stand side by side with their Jensen–Shannon distance (0: the same, 1:
nothing in common). A classifier that sees no names is trained to tell both apart: 50 % means that it cannot.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from irsmith.compare import Sample, compare, corpus, samples, tokens
from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe

OUT = Path(__file__).parents[1] / "docs" / "natural.md"
FOLDS = 5


def real(folders: Iterable[Path]) -> list[Sample]:
    """Every kernel in the Python files of some folders."""
    return [sample for folder in folders for sample in corpus(folder)]


def synthesised(count: int, seed: int) -> list[Sample]:
    """Kernels of the default recipe."""
    drawing = Drawing(Recipe(count=count, seed=seed))
    made = (drawing.kernel(index) for index in range(count))
    return [s for kernel in made if isinstance(kernel, Kernel) for s in samples(kernel.source, kernel.category)]


def classified(true: list[Sample], made: list[Sample]) -> tuple[float, dict[str, tuple[int, float]]]:
    """The balanced accuracy of a cross-validated classifier; and by category how many, and which share was told.

    One- to three-grams of syntax, by their share in the kernel, in a logistic regression with balanced classes.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    everything = [*true, *made]
    labels = np.array([0] * len(true) + [1] * len(made))
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 3), token_pattern=r"\S+", lowercase=False, min_df=3, sublinear_tf=True),
        LogisticRegression(class_weight="balanced", max_iter=2000),
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    guessed = cross_val_predict(model, [tokens(s) for s in everything], labels, cv=folds)
    told: dict[str, list[bool]] = defaultdict(list)
    for sample, guess in zip(everything, guessed, strict=True):
        told[sample.origin].append(bool(guess == (sample.origin != "real")))
    return (
        float(balanced_accuracy_score(labels, guessed)),
        {origin: (len(found), statistics.mean(found)) for origin, found in sorted(told.items())},
    )


def page(true: list[Sample], made: list[Sample], folders: str) -> str:
    """The comparison as Markdown."""
    lines = [
        "# How natural the kernels are",
        "",
        f"`python -m benchmarks.natural`: {len(made)} synthesised kernels of the default recipe beside {len(true)} "
        f"that people wrote ({folders}). The distance is Jensen–Shannon's with logarithms to base 2: 0 for the same "
        "distribution, 1 for nothing in common. Numbers are counted in bins of growing width.",
        "",
        "| feature | distance |",
        "| --- | --- |",
    ]
    found = compare(true, made)
    distances = {name: feature.distance for name, feature in found.features.items()}
    lines += [f"| {name} | {value:.3f} |" for name, value in distances.items()]
    lines += [f"| **mean** | **{statistics.mean(distances.values()):.3f}** |", ""]
    accuracy, told = classified(true, made)
    lines += [
        "## Told apart",
        "",
        "A logistic regression over one- to three-grams of syntax (names and numbers removed, Warp's own names kept), "
        f"{FOLDS}-fold cross-validated with balanced classes, is right in {accuracy:.1%} of cases; 50 % would mean "
        "that it cannot tell. By category, the share of kernels that it knows for synthesised (for `real`: for real):",
        "",
        "| category | kernels | told |",
        "| --- | --- | --- |",
        *(f"| {origin} | {count} | {share:.0%} |" for origin, (count, share) in told.items()),
        "",
        "## Side by side",
        "",
        "Percentages of all occurrences; the most frequent twenty of each feature.",
        "",
    ]
    for name, feature in found.features.items():
        numeric = all(value.strip().isdigit() for value in feature.counts)
        lines += [
            f"### {name}",
            "",
            f"| {'from' if numeric else 'value'} | real | synthesised |",
            "| --- | --- | --- |",
        ]
        lines += [f"| {value.strip()} | {a:.1%} | {b:.1%} |" for value, a, b in feature.shares()]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Compare, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, help=f"Write the page, such as {OUT.name}, instead of a summary.")
    options = parser.parse_args()
    folders = options.folders
    if not folders:
        import warp

        folders = [Path(warp.__file__).parent / "examples"]
    named = ", ".join(map(str, options.folders)) or "the examples inside the Warp wheel"
    text = page(real(folders), synthesised(options.count, options.seed), named)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    else:
        print(machine())
        print(text)


if __name__ == "__main__":
    main()
