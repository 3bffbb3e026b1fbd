"""One pass of the reference over input sets: outputs, how far rounding moves them, branches, faults.

Each set runs in one exact lane and in a few whose float operations are rounded at random. Where such a lane
took the exact lane's path, its distance from it is rounding, and measures the kernel's own conditioning.
Where it took another, a comparison was within rounding; the elements that this moves are set aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from irsmith.kernel import Kernel
from irsmith.verify.ports import Array, Fault, Reference, Sets, Site
from irsmith.verify.values import count, is_float, leaves, resolution, take

SHAKEN = 3
"""Randomly rounded lanes for each set."""

FACTOR = 4.0
"""How many times the spread that few lanes show is allowed."""

ULPS = 4.0
"""What is allowed in any case, in units of the last place."""

NARROW = 256.0
"""Where no randomly rounded lane took the exact path, elements that none of them moves by more than so many
units in the last place are compared all the same: whichever way the branch goes, it does not matter to them."""

Leaf = tuple[str, str]
"""An array argument and the path of a leaf in it."""

Coverage = Mapping[Site, tuple[Array, Array]]
"""For each site, the sets that went in and those that did not."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the reference makes of input sets.

    Attributes:
        sets: The inputs.
        exact: The final contents of every array argument, in the declared precision.
        tolerance: For each leaf, how far compiled code may be off; 0 for what holds no floats.
        aside: For each leaf, the elements that are not compared.
        lost: For each leaf, the elements that are finite in no lane, so that whatever is not finite agrees with them.
        steady: The sets of which some randomly rounded lane took the exact lane's path.
        singular: The sets at which a derivative has no one value.
        independent: Whether the order of threads was seen not to matter in any of the sets.
        faults: The first fault of each set.
        coverage: The ways that each set took.
    """

    sets: dict[str, Array]
    exact: dict[str, Array]
    tolerance: dict[Leaf, Array]
    aside: dict[Leaf, Array]
    lost: dict[Leaf, Array]
    steady: Array
    singular: Array
    independent: bool
    faults: tuple[Fault | None, ...]
    coverage: Coverage

    @property
    def count(self) -> int:
        """How many sets there are."""
        return len(self.faults)


def observe(
    reference: Reference,
    kernel: Kernel,
    sets: dict[str, Array],
    *,
    seed: int,
    shaken: int = SHAKEN,
    order: Array | None = None,
) -> Observed:
    """Run input sets, each exactly and ``shaken`` times with random rounding; threads in an order for each set."""
    size = count(sets)
    result = reference.run(
        take(sets, np.tile(np.arange(size), 1 + shaken)),
        kernel.signature.launch,
        order=None if order is None else np.tile(order, (1 + shaken, 1)),
        perturb=np.arange(size * (1 + shaken)) >= size,
        seed=seed,
        trace=True,
    )
    faulty = np.array([fault is not None for fault in result.faults]).reshape(1 + shaken, size)
    path = result.path.reshape(1 + shaken, size)
    same = (path[1:] == path[0]) & ~faulty[1:]
    steady = same.any(axis=0)
    tolerance: dict[Leaf, Array] = {}
    aside: dict[Leaf, Array] = {}
    lost: dict[Leaf, Array] = {}
    for name, array in result.outputs.items():
        for path_of_leaf, leaf in leaves(array):
            lanes = leaf.reshape(1 + shaken, size, *leaf.shape[1:])
            key = name, path_of_leaf
            tolerance[key], aside[key] = _compared(lanes, same)
            lost[key] = np.asarray(~_finite(lanes).any(axis=0))
            aside[key] &= ~lost[key]
    return Observed(
        sets,
        take(result.outputs, slice(0, size)),
        tolerance,
        aside,
        lost,
        steady,
        result.kink[:size],
        result.independent,
        result.faults[:size],
        {site: (ways.true[:size], ways.false[:size]) for site, ways in result.coverage.items()},
    )


def _finite(lanes: Array) -> Array:
    return np.isfinite(lanes) if is_float(lanes.dtype) else np.ones(lanes.shape, bool)


def _compared(lanes: Array, same: Array) -> tuple[Array, Array]:
    """The tolerance of a leaf, and which of its elements another path moves."""
    exact, others = lanes[0], lanes[1:]
    behind = (1,) * (exact.ndim - 1)
    known = same.reshape(*same.shape, *behind)
    if not is_float(exact.dtype):
        return np.zeros(exact.shape), ((others != exact) & ~known).any(axis=0)
    steady = same.any(axis=0).reshape(-1, *behind)
    with np.errstate(all="ignore"):
        distance = np.abs(others.astype(np.float64) - exact.astype(np.float64))
        distance = np.where(np.isnan(distance), np.inf, distance)
        spread = np.where(known | ~steady, distance, 0.0).max(axis=0)
        tolerance = FACTOR * spread + floor(exact)
        moved = ((distance > tolerance) & ~known).any(axis=0)
        moved |= ~steady & (spread > NARROW / ULPS * floor(exact))
    return tolerance, moved | np.isinf(spread)


def floor(exact: Array) -> Array:
    """The tolerance that holds whatever the conditioning."""
    kind = resolution(exact.dtype)
    return ULPS * float(kind.eps) * np.abs(exact.astype(np.float64)) + ULPS * float(kind.tiny)


def ways_of(
    reference: Reference, kernel: Kernel, sets: Sets
) -> tuple[dict[str, Array], Coverage, tuple[Fault | None, ...]]:
    """Outputs, coverage and faults of input sets, without what rounding does to them."""
    result = reference.run(sets, kernel.signature.launch)
    return result.outputs, {s: (w.true, w.false) for s, w in result.coverage.items()}, result.faults


def apart(observed: Observed, key: Leaf, found: Array, sets: int | None = None, *, slack: float = 1.0) -> Array:
    """Where the values of a leaf in the first sets are further from the reference's than rounding explains."""
    exact = dict(leaves(observed.exact[key[0]]))[key[1]][:sets]
    with np.errstate(all="ignore"):
        if is_float(found.dtype):
            distance = np.abs(found.astype(np.float64) - exact.astype(np.float64))
        else:
            distance = found != exact
        # Not-a-number compares as false, so that it is never near.
        far = ~(distance <= slack * observed.tolerance[key][:sets]) & ~observed.aside[key][:sets]
        lost = observed.lost[key][:sets]
        return np.where(lost, np.isfinite(found), far) if lost.any() else far


def taken(observed: Observed, places: Sequence[int]) -> Observed:
    """Some of the sets."""
    places = list(places)
    return replace(
        observed,
        sets=take(observed.sets, places),
        exact=take(observed.exact, places),
        tolerance={key: array[places] for key, array in observed.tolerance.items()},
        aside={key: array[places] for key, array in observed.aside.items()},
        lost={key: array[places] for key, array in observed.lost.items()},
        steady=observed.steady[places],
        singular=observed.singular[places],
        faults=tuple(observed.faults[place] for place in places),
        coverage={site: (true[places], false[places]) for site, (true, false) in observed.coverage.items()},
    )


def merged(first: Observed, second: Observed) -> Observed:
    """What was observed in two passes, as if in one."""

    def behind(a: Mapping[Leaf, Array], b: Mapping[Leaf, Array]) -> dict[Leaf, Array]:
        return {key: np.concatenate([value, b[key]]) for key, value in a.items()}

    none = [np.zeros(part.count, bool) for part in (first, second)]
    sites = {**first.coverage, **second.coverage}
    coverage = {}
    for site in sites:
        one = first.coverage.get(site, (none[0], none[0]))
        two = second.coverage.get(site, (none[1], none[1]))
        coverage[site] = np.concatenate([one[0], two[0]]), np.concatenate([one[1], two[1]])
    return Observed(
        {name: np.concatenate([array, second.sets[name]]) for name, array in first.sets.items()},
        {name: np.concatenate([array, second.exact[name]]) for name, array in first.exact.items()},
        behind(first.tolerance, second.tolerance),
        behind(first.aside, second.aside),
        behind(first.lost, second.lost),
        np.concatenate([first.steady, second.steady]),
        np.concatenate([first.singular, second.singular]),
        first.independent and second.independent,
        first.faults + second.faults,
        coverage,
    )
