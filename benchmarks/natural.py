"""How far synthesised kernels are from those that people write.

    python -m benchmarks.natural [FOLDER…] [--count 2000] [--seed 7] [--out docs/natural.md]

Each folder is searched for functions that ``@wp.kernel`` decorates; without one, the examples inside the Warp wheel
are taken. For each feature the distributions stand side by side with their Jensen–Shannon distance (0: the same, 1:
nothing in common). A classifier that sees no names is trained to tell both apart: 50 % means that it cannot.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe

OUT = Path(__file__).parents[1] / "docs" / "natural.md"
FOLDS = 5


@dataclass(frozen=True)
class Sample:
    """One kernel's function, as text and as syntax; where it is from; and the names of its module's functions."""

    node: ast.FunctionDef
    text: str
    origin: str
    helpers: frozenset[str]


def real(folders: Iterable[Path]) -> list[Sample]:
    """Every kernel in the Python files of some folders."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            source = path.read_text(encoding="utf-8", errors="replace")
            found += samples(source, "real")
    return found


def synthesised(count: int, seed: int) -> list[Sample]:
    """Kernels of the default recipe."""
    drawing = Drawing(Recipe(count=count, seed=seed))
    made = (drawing.kernel(index) for index in range(count))
    return [s for kernel in made if isinstance(kernel, Kernel) for s in samples(kernel.source, kernel.category)]


def samples(source: str, origin: str) -> list[Sample]:
    """The kernels of a module's text."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    helpers = frozenset(node.name for node in functions if _decorated(node, "func"))
    lines = source.splitlines()
    return [
        Sample(node, "\n".join(lines[node.lineno - 1 : node.end_lineno]), origin, helpers)
        for node in functions
        if _decorated(node, "kernel")
    ]


def _decorated(node: ast.FunctionDef, word: str) -> bool:
    heads = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return any(isinstance(head, ast.Attribute) and head.attr == word for head in heads)


# Features: each kernel gives a list of values; numbers are put into bins of growing width.


def builtins(sample: Sample) -> list[str]:
    """Warp's functions that are called."""
    return [
        node.func.attr
        for statement in sample.node.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def nodes(sample: Sample) -> list[str]:
    """Classes of syntax nodes."""
    skipped = (ast.expr_context, ast.arguments, ast.FunctionDef)
    return [type(node).__name__ for node in ast.walk(sample.node) if not isinstance(node, skipped)]


def operators(sample: Sample) -> list[str]:
    """Operators with the classes of what they combine."""
    return [
        f"{type(node.op).__name__}({type(node.left).__name__},{type(node.right).__name__})"
        for node in ast.walk(sample.node)
        if isinstance(node, ast.BinOp)
    ]


def depth(sample: Sample) -> list[str]:
    """The deepest nesting of each statement's expression."""

    def deep(node: ast.AST) -> int:
        return 1 + max((deep(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)), default=0)

    return [_bin(deep(node.value)) for node in ast.walk(sample.node) if isinstance(node, ast.Assign)]


def names(sample: Sample) -> list[str]:
    """Lengths of variables' names."""
    return [
        _bin(len(node.id))
        for node in ast.walk(sample.node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def _count(*kinds: type[ast.AST]) -> Callable[[Sample], list[str]]:
    return lambda sample: [_bin(sum(isinstance(node, kinds) for node in ast.walk(sample.node)))]


def _bin(value: int) -> str:
    """The bin of a number: exact to 4, then wider."""
    edges = (0, 1, 2, 3, 4, 5, 7, 9, 12, 16, 22, 30, 42, 60, 90, 140)
    return f"{max(edge for edge in edges if edge <= value):>3}"


FEATURES: dict[str, Callable[[Sample], list[str]]] = {
    "builtins": builtins,
    "syntax nodes": nodes,
    "operators in context": operators,
    "depth of expressions": depth,
    "lengths of names": names,
    "lines": lambda s: [_bin(sum(bool(line.strip()) for line in s.text.splitlines()))],
    "`if`": _count(ast.If),
    "`for` and `while`": _count(ast.For, ast.While),
    "`return`": _count(ast.Return),
    "arguments": lambda s: [_bin(len(s.node.args.args))],
    "calls of helpers": lambda s: [
        _bin(
            sum(
                isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in s.helpers
                for n in ast.walk(s.node)
            )
        )
    ],
    "docstring": lambda s: [str(ast.get_docstring(s.node) is not None)],
    "comments": lambda s: [_bin(sum(line.lstrip().startswith("#") for line in s.text.splitlines()))],
    "augmented assignment": lambda s: [
        type(n).__name__ for n in ast.walk(s.node) if isinstance(n, ast.AugAssign | ast.Assign)
    ],
}
"""What is compared."""


def distance(a: Counter[str], b: Counter[str]) -> float:
    """The Jensen–Shannon distance of two distributions, with logarithms to base 2: 0 to 1."""
    keys = sorted({*a, *b})
    p = np.array([a[key] for key in keys], float) / max(1, sum(a.values()))
    q = np.array([b[key] for key in keys], float) / max(1, sum(b.values()))
    middle = (p + q) / 2

    def divergence(x: np.ndarray) -> float:
        seen = x > 0
        return float((x[seen] * np.log2(x[seen] / middle[seen])).sum())

    return float(np.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2)))


def tokens(sample: Sample) -> str:
    """A kernel's syntax in order, without names and numbers: what the classifier sees."""
    out: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.arguments | ast.expr_context):
            return
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "wp":
            out.append(f"wp_{node.attr}")
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        out.append(type(node).__name__)
        for child in ast.iter_child_nodes(node):
            visit(child)

    for statement in sample.node.body:
        visit(statement)
    return " ".join(out)


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
    counted = {
        name: (Counter(v for s in true for v in read(s)), Counter(v for s in made for v in read(s)))
        for name, read in FEATURES.items()
    }
    distances = {name: distance(*pair) for name, pair in counted.items()}
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
    for name, (a, b) in counted.items():
        total_a, total_b = max(1, sum(a.values())), max(1, sum(b.values()))
        numeric = all(key.strip().isdigit() for key in {*a, *b})
        shares = {k: a[k] / total_a + b[k] / total_b for k in {*a, *b}}
        keys = (
            sorted(sorted(shares), key=int) if numeric else sorted(sorted(shares), key=shares.__getitem__, reverse=True)
        )
        lines += [
            f"### {name}",
            "",
            f"| {'from' if numeric else 'value'} | real | synthesised |",
            "| --- | --- | --- |",
        ]
        lines += [f"| {k.strip()} | {a[k] / total_a:.1%} | {b[k] / total_b:.1%} |" for k in keys[:20]]
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
