"""Measurements that are made of two things in turn, so that what else the machine does falls on both."""

from __future__ import annotations

import statistics
from collections.abc import Callable


def overhead(
    alone: Callable[[], None],
    ours: Callable[[], None],
    counts: tuple[int, int],
    *,
    clock: Callable[[], float],
    repeats: int,
) -> tuple[list[float], list[float]]:
    """The milliseconds that the two take for one kernel, repeat by repeat.

    Args:
        alone: What the compiler does by itself.
        ours: What irsmith does.
        counts: How many kernels each of them takes.
        clock: Seconds.
        repeats: How often.
    """
    bare, made = [], []
    for _ in range(repeats):
        began = clock()
        alone()
        middle = clock()
        ours()
        end = clock()
        bare.append((middle - began) / counts[0] * 1e3)
        made.append((end - middle) / counts[1] * 1e3)
    return bare, made


def print_overhead(compiler: str, unit: str, bare: list[float], made: list[float]) -> None:
    """The medians of both, and of their ratio."""
    ratios = [one / other for one, other in zip(made, bare, strict=True)]
    print(f"{compiler + ' alone':20} {statistics.median(bare):.2f} ms a {unit}")
    print(f"index to written row {statistics.median(made):.2f} ms a {unit}")
    print(f"{'ratio':20} {statistics.median(ratios):.3f}  ({min(ratios):.3f} to {max(ratios):.3f})")


def print_speedup(seconds: Callable[[int], float], repeats: int, what: str) -> None:
    """What two workers take against one, with the median of the ratios.

    Args:
        seconds: What a run takes with so many workers.
        repeats: How often.
        what: What is made.
    """
    ratios = []
    for _ in range(repeats):
        one, two = seconds(1), seconds(2)
        ratios.append(one / two)
        print(f"{what}: {one:.1f} s with one worker, {two:.1f} s with two, ratio {ratios[-1]:.2f}")
    if ratios:
        print(f"two workers over one, median: {statistics.median(ratios):.2f}")
