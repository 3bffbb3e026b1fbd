"""How many different kernels the synthesiser makes: distinct structures by category, and how the curve goes on.

    python -m benchmarks.distinct [--count 10000] [--seed 7] [--against 8] [--category NAME] [--recipe FILE]
        [--frontend warp] [--at 1000000]

Nothing is lowered. The share at a million, or ``--at``, is extrapolated in two ways from how often each structure
occurred:

- by the estimator of Chao and others (Ecological Monographs 84, 2014, equation 9) with Chao1 for the structures that
  were never seen, which is a lower bound of those;
- by a power law (Heaps) of the expected number of repeats, fitted to the rarefied curve between a tenth and all of
  the run. Its 95 % interval comes from 1,000 bootstraps of the numbers of structures that occurred once, twice, ….

Both promise too little where structures have a long tail, and neither promises too much.

``--against`` gives the share of structures that another seed makes too.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import figures
from benchmarks.machine import machine
from irsmith import recipe as recipes
from irsmith.drawing import Drawing
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe
from irsmith.structure import describe

MILLION = 1_000_000
Found = tuple[str, str, str]


def structures(recipe: Recipe, workers: int) -> list[Found]:
    """The category, structure and skeleton of each kernel of a recipe, in order of index."""
    chunks = [range(first, min(first + 1000, recipe.count)) for first in range(0, recipe.count, 1000)]
    if workers == 1:
        parts: Iterable[list[Found]] = map(partial(_some, recipe), chunks)
        return [found for part in parts for found in part]
    with ProcessPoolExecutor(workers) as pool:
        return [found for part in pool.map(partial(_some, recipe), chunks) for found in part]


def _some(recipe: Recipe, indices: range) -> list[Found]:
    drawing = Drawing(recipe)
    kernels = (drawing.kernel(index) for index in indices)
    described = ((k.category, describe(k.source, k.name)) for k in kernels if isinstance(k, Kernel))
    return [(category, found.structure_id, found.skeleton_id) for category, found in described]


def multiplicities(ids: Iterable[str]) -> dict[int, int]:
    """How many structures occurred once, twice, and so on."""
    return dict(sorted(Counter(Counter(ids).values()).items()))


def chao(seen: dict[int, int], target: int) -> float:
    """The expected share of distinct structures at a target count, with Chao1 for what was never seen."""
    count = sum(times * number for times, number in seen.items())
    distinct = sum(seen.values())
    once, twice = seen.get(1, 0), seen.get(2, 0)
    unseen = (count - 1) / count * (once**2 / (2 * twice) if twice else once * (once - 1) / 2)
    if unseen == 0:
        return distinct / target
    more = unseen * (1 - (1 - once / (count * unseen + once)) ** (target - count))
    return float((distinct + more) / target)


def repeats(seen: dict[int, int], share: float) -> float:
    """The expected number of repeats in a random part of the run."""
    return sum(number * (times * share - (1 - (1 - share) ** times)) for times, number in seen.items())


def heaps(seen: dict[int, int], target: int) -> float:
    """The share of distinct structures at a target count, by a power law of the number of repeats."""
    count = sum(times * number for times, number in seen.items())
    shares = np.geomspace(0.1, 1.0, 10)
    expected = np.array([repeats(seen, share) for share in shares])
    if expected[0] < 1e-6:
        return 1.0
    power, level = np.polyfit(np.log(shares * count), np.log(expected), 1)
    return float(max(0.0, 1 - np.exp(level) * target**power / target))


def interval(seen: dict[int, int], target: int) -> tuple[float, float]:
    """The 95 % interval of `heaps`."""
    rng = np.random.default_rng(0)
    drawn = [
        heaps({times: int(rng.poisson(number)) if times > 1 else number for times, number in seen.items()}, target)
        for _ in range(1000)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--against", type=int)
    parser.add_argument("--category")
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--frontend", default="warp")
    parser.add_argument("--at", type=int, default=MILLION, help="how many kernels to extrapolate to")
    parser.add_argument("--workers", type=int, default=2)
    figures.option(parser)
    options = parser.parse_args()
    base = recipes.read(options.recipe) if options.recipe else Recipe(frontend=options.frontend)
    if options.category:
        base = replace(base, categories=recipes.evenly([options.category]))
    recipe = replace(base, count=options.count, seed=options.seed)
    print(machine())
    began = time.monotonic()
    found = structures(recipe, options.workers)
    took = time.monotonic() - began
    ids = [structure for _, structure, _ in found]
    skeletons = {skeleton for _, _, skeleton in found}
    by_category: dict[str, list[str]] = defaultdict(list)
    for category, structure, _ in found:
        by_category[category].append(structure)
    print(f"{len(found)} kernels of {recipe.count} indices, seed {recipe.seed}")
    print(f"distinct structures {len(set(ids)) / len(ids):.3%}, skeletons {len(skeletons) / len(ids):.3%}")
    rate = len(set(ids)) / took
    print(f"distinct structures a second: {rate:.0f}, with {options.workers} processes, from index to structure")
    for category, members in sorted(by_category.items()):
        _, times = Counter(members).most_common(1)[0]
        print(f"  {category:20} {len(members):6}  {len(set(members)) / len(members):8.2%}  most frequent {times}")
    seen = multiplicities(ids)
    target = options.at
    low, high = interval(seen, target)
    print(f"occurred once, twice, …: {seen}")
    print(f"at {target:,}, Chao (pessimistic): {chao(seen, target):.2%} distinct")
    print(f"at {target:,}, Heaps: {heaps(seen, target):.2%} distinct (95 % interval {low:.2%} to {high:.2%})")
    if options.against is not None:
        other = {structure for _, structure, _ in structures(replace(recipe, seed=options.against), options.workers)}
        print(f"shared with seed {options.against}: {len(set(ids) & other) / len(set(ids)):.3%} of structures")
    figures.keep(options.json, {"kernels": len(ids), "distinct": len(set(ids)), "rate": rate, "seen": seen})


if __name__ == "__main__":
    main()
