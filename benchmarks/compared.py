"""Measurements that are made of two things in turn, so that what else the machine does falls on both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def overhead(
    alone: Callable[[], None],
    ours: Callable[[], None],
    draw: Callable[[], None],
    counts: tuple[int, int],
    repeats: int,
) -> tuple[list[float], list[float], list[float]]:
    """The milliseconds of processor time that each takes for one kernel, repeat by repeat.

    Args:
        alone: What the compiler does by itself.
        ours: What irsmith does, from index to written row.
        draw: What of that comes before the compiler: from index to source.
        counts: How many kernels the compiler takes, and how many irsmith.
        repeats: How often.
    """
    taken: tuple[list[float], list[float], list[float]] = [], [], []
    for _ in range(repeats):
        for times, run, count in zip(taken, (alone, ours, draw), (*counts, counts[1]), strict=True):
            began = time.process_time()
            run()
            times.append((time.process_time() - began) / count * 1e3)
    return taken


def print_overhead(compiler: str, unit: str, bare: list[float], made: list[float], drawn: list[float]) -> None:
    """The medians of all, of the ratio to the compiler alone, and of generation's share."""
    ratios = [one / other for one, other in zip(made, bare, strict=True)]
    shares = [one / other for one, other in zip(drawn, made, strict=True)]
    print(f"{compiler + ' alone':20} {statistics.median(bare):.2f} ms a {unit}")
    print(f"index to written row {statistics.median(made):.2f} ms a {unit}")
    print(f"{'ratio':20} {statistics.median(ratios):.3f}  ({min(ratios):.3f} to {max(ratios):.3f})")
    print(f"{'of which generation':20} {statistics.median(drawn):.2f} ms a {unit}")
    print(f"{'share':20} {statistics.median(shares):.1%}  ({min(shares):.1%} to {max(shares):.1%})")
