"""How many different kernels the synthesiser makes: distinct structures by category, and how the curve goes on.

    python -m benchmarks.distinct [--count 10000] [--seed 7] [--against 8] [--recipe FILE]

Nothing is lowered. The share at a million is extrapolated by fitting the number of new structures in the second half
of the run, on a logarithmic axis. ``--against`` gives the share of structures that another seed makes too.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

from irsmith import recipe as recipes
from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe
from irsmith.structure import Structure, describe


def structures(recipe: Recipe) -> list[tuple[str, Structure]]:
    """The category and the structure of each kernel of a recipe, in order of index."""
    drawing = Drawing(recipe)
    kernels = (drawing.kernel(index) for index in range(recipe.count))
    return [(k.category, describe(k.source, k.name)) for k in kernels if isinstance(k, Kernel)]


def extrapolated(ids: list[str], target: int) -> float:
    """The share of distinct structures at a target count, from the rate of repeats in the last half.

    The chance that the next kernel repeats one seen is taken to grow as a power of the count, as it does when
    structures have a long-tailed distribution.
    """
    count = len(ids)
    first = count // 2 - len(set(ids[: count // 2]))
    repeats = count - len(set(ids))
    if repeats == 0 or first == 0:
        return 1.0 - repeats * target / count**2
    power = math.log(repeats / first) / math.log(2)
    return max(0.0, 1.0 - repeats * (target / count) ** power / target)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--against", type=int)
    parser.add_argument("--recipe", type=Path)
    options = parser.parse_args()
    base = recipes.read(options.recipe) if options.recipe else Recipe()
    recipe = replace(base, count=options.count, seed=options.seed)
    found = structures(recipe)
    ids = [structure.structure_id for _, structure in found]
    skeletons = {structure.skeleton_id for _, structure in found}
    by_category: dict[str, list[str]] = defaultdict(list)
    for category, structure in found:
        by_category[category].append(structure.structure_id)
    print(f"{len(found)} kernels of {recipe.count} indices, seed {recipe.seed}")
    print(f"distinct structures {len(set(ids)) / len(ids):.2%}, skeletons {len(skeletons) / len(ids):.2%}")
    for category, members in sorted(by_category.items()):
        _, times = Counter(members).most_common(1)[0]
        print(f"  {category:20} {len(members):6}  {len(set(members)) / len(members):8.2%}  most frequent {times}")
    print(f"extrapolated to a million: {extrapolated(ids, 1_000_000):.1%} distinct")
    if options.against is not None:
        other = {structure.structure_id for _, structure in structures(replace(recipe, seed=options.against))}
        print(f"shared with seed {options.against}: {len(set(ids) & other) / len(set(ids)):.2%} of structures")


if __name__ == "__main__":
    main()
