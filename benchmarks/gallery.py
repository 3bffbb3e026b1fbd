"""The gallery: kernels of each category as a page to read.

    python -m benchmarks.gallery [--out docs/gallery.md]

The kernels are the first of their category at default settings and one seed that are neither very short nor very
long. A test compares the page with what this writes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe, evenly
from irsmith.structure import describe
from irsmith.synth.categories import CATEGORIES
from irsmith.traits import traits

PAGE = Path(__file__).parents[1] / "docs" / "gallery.md"
SEED = 4
EACH = 2
LINES = range(9, 41)


def page() -> str:
    """The page's text."""
    parts = [
        "# Gallery",
        "",
        f"{EACH} kernels of each category, as `python -m benchmarks.gallery` draws them: the first ones of {LINES[0]} "
        f"to {LINES[-1]} lines at seed {SEED} and default settings. Nothing is chosen by hand.",
        "",
    ]
    frontend = Drawing(Recipe()).frontend
    for name, entry in sorted(CATEGORIES.items()):
        parts += [f"## {name}", "", (entry.make.__doc__ or "").strip().splitlines()[0], ""]
        for kernel in shown(name):
            found = traits(describe(kernel.source, kernel.name), frontend.reading(kernel))
            tags = ", ".join(found.tags)
            parts += [
                f"Difficulty {found.difficulty}: {tags}.",
                "",
                "```python",
                kernel.source.strip(),
                "```",
                "",
            ]
    return "\n".join(parts)


def shown(category: str) -> list[Kernel]:
    """The kernels of one category that the page shows."""
    drawing = Drawing(Recipe(seed=SEED, categories=evenly([category])))
    found: list[Kernel] = []
    index = 0
    while len(found) < EACH:
        kernel = drawing.kernel(index)
        if isinstance(kernel, Kernel) and describe(kernel.source, kernel.name).lines in LINES:
            found.append(kernel)
        index += 1
    return found


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.parse_args().out.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
