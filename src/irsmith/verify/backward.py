"""The compiled adjoint against the reference's derivatives.

The tolerance is made of how far rounding at the row's precision moves the derivative, how far rounding the
inputs moves the adjoint itself, a few units in the last place of what is added up, and the differences' own
error. A kernel whose adjoint needs contents that its own launch overwrote is wrong, as on a tape, and told
apart by the runs on the contents from before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from irsmith.kernel import Direction, Kernel
from irsmith.verify.derivative import (
    ALL,
    OUTPUTS,
    ROUNDED,
    Derivatives,
    agreeing,
    derivatives,
    differentiable,
    directions,
    unit_roundoff,
)
from irsmith.verify.inputs import Inputs
from irsmith.verify.points import NUDGES, Points
from irsmith.verify.ports import Array, Reference
from irsmith.verify.values import differs, floats, resolution, widened
from irsmith.verify.verdict import Measured

FACTOR = 4.0
"""How many times the spread of a few samples is allowed."""

ULPS = 8.0
"""What is allowed in any case, in units of the last place of each term of a sum, terms rounding on their own."""

HALF_ULPS = 32.0
"""The same in half precision, in which the few digits of a long chain go."""

CLEAR = 8.0
"""An error of so many tolerances is no accident of a few samples."""

JUDGED = 0.25
"""A tolerance of more than this share of the derivative cannot judge it."""

NOTHING = 1e-4
"""A tolerance of so small a share of the whole derivative can tell something from nothing."""

_ZERO = 1e-30

_HALF = float(np.finfo(np.float16).eps)
"""The unit of the finer half precision."""


def differentiate(
    reference: Reference, kernel: Kernel, inputs: Inputs, points: Points, seed: int, rounded: int = ROUNDED
) -> Derivatives:
    """The reference's derivatives at the points."""
    weights = {name: widened(weight) for name, weight in points.weights.items()}
    sets = points.observed.sets
    ways = directions(kernel, inputs, sets)
    together = ways.names.index(ALL) if ALL in ways.names else 0
    wanted = np.zeros((len(points.places), len(ways.names)), bool)
    wanted[: points.full] = True
    wanted[:, together] = True
    return derivatives(
        reference, kernel, sets, weights, ways, wanted, expected=points.observed, seed=seed, rounded=rounded
    )


def undisputed(reference: Reference, kernel: Kernel, points: Points, truth: Derivatives) -> Derivatives:
    """The derivatives without those at points where rounding takes the kernel another way than float64 goes."""
    alike = agreeing(reference, kernel, points.observed.sets)
    return replace(truth, valid=truth.valid & alike[:, None, None])


def calm(reference: Reference, kernel: Kernel, points: Points) -> Array:
    """The points at which nudged inputs take the kernel the way that it goes anyway: none stands on an edge."""
    sets, nudged = points.observed.sets, {}
    for argument in kernel.signature.arguments:
        array = points.adjoint.primal[argument.name]
        own = argument.direction is Direction.IN
        # Of what is written, the nudged runs hold the contents from after the launch.
        nudged[argument.name] = points.nudged(array) if own else np.repeat(sets[argument.name][:, None], NUDGES, axis=1)
    count = len(points.places)
    everything = {
        name: np.concatenate([sets[name], array.reshape(count * NUDGES, *array.shape[2:])])
        for name, array in nudged.items()
    }
    path = np.asarray(reference.run(everything, kernel.signature.launch, trace=True).path)
    return np.asarray((path[count:].reshape(count, NUDGES) == path[:count, None]).all(axis=1))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How an adjoint compares with the derivatives.

    Attributes:
        wrong: The directions along which it disagrees.
        clear: Whether each of them disagrees far beyond its tolerance, at two points or at the only one.
        slight: Whether none of them disagrees far beyond its tolerance anywhere.
        judged: The directions along which some comparison could have failed.
        unjudged: The arguments along which none could.
        zero: Whether every derivative that could be judged is zero.
        absent: Whether nothing was added to the adjoint of any array that is wrong.
        infinite: Whether it is not finite along one.
        before: Whether it agrees when it is given the contents from before the launch.
        settled: Whether it is the same on the contents from before and from after, so that it does not matter
            whose they are.
        closest: The closest comparison.
    """

    wrong: tuple[str, ...]
    clear: bool
    slight: bool
    judged: tuple[str, ...]
    unjudged: tuple[str, ...]
    zero: bool
    absent: bool
    infinite: bool
    before: bool
    settled: bool
    closest: Measured


def compare(
    kernel: Kernel,
    points: Points,
    truth: Derivatives,
    adjoints: Mapping[str, Array],
    calm: Array | None = None,
) -> Agreement:
    """Compare what adjoint runs left behind with the derivatives.

    Args:
        kernel: The kernel.
        points: The points.
        truth: The derivatives.
        adjoints: What the runs left behind.
        calm: What `calm` says of the points, if it was asked.
    """
    names = truth.directions.names
    runs = {name: widened(array) for name, array in adjoints.items()}
    along, size = _along(runs, truth)
    found, sizes, before = points.main(along), points.main(size), points.before(along)
    start, _ = _along({name: widened(array) for name, array in points.adjoint.adjoint.items()}, truth)
    settled = all(_settled(points, array) for array in runs.values())
    with np.errstate(all="ignore"):
        finite = np.isfinite(found)
        own = np.abs(points.nudged(along) - found[:, :1])
        sizes = np.where(finite, sizes, 0.0)
        telling = points.between if calm is None else points.between | calm
        own = unsteadiness(np.where(np.isfinite(own), own, 0.0).max(axis=1)[:, None], sizes, telling, truth.valid)
        base = FACTOR * truth.spread + _rounding(kernel) * (truth.size + sizes) + 4 * truth.error
        base = base + HALF_ULPS * _smallest(adjoints) * truth.directions.length()
        # An adjoint that depends on what the launch left may depend on it being exactly that.
        tolerance = base + FACTOR * own if settled else base
        error = np.where(finite, np.abs(found - truth.value), np.inf)
        scale = np.maximum(np.abs(truth.value), np.where(finite, np.abs(found), np.inf))
        fair = truth.valid & ((tolerance <= JUDGED * scale) | ((scale == 0) & (tolerance < _ZERO)))
        # Where a derivative has no one value, one that is not finite is no mistake; unless it is finite nowhere.
        somewhere = (truth.valid & finite).any(axis=(0, 1))
        fair &= finite | ~points.observed.singular[:, None, None] | ~somewhere
        # Where a nudge goes another way, how far rounding moves the adjoint is a guess.
        sure = np.where(telling | (calm is None), 1.0, CLEAR)[:, None, None]
        bad = fair & (error > sure * tolerance) & (error > truth.blind)
        strong = bad & (error > CLEAR * tolerance)
        early = np.abs(before - truth.value[:, 0]) <= (base + FACTOR * own)[:, 0]
    if OUTPUTS in names and _left_alone(points, truth, runs):
        bad[:, :, names.index(OUTPUTS)] = fair[:, :, names.index(OUTPUTS)] = False
    wrong = [place for place in range(len(names)) if bad[:, :, place].any()]
    alone = bad & np.array([name != ALL for name in names])
    # What is nothing beside the rest of the derivative is judged too, by being nothing.
    seen = fair | (truth.valid & finite & (tolerance <= NOTHING * truth.size.max(axis=2, keepdims=True)))
    judged = [name for place, name in enumerate(names) if name != OUTPUTS and seen[:, :, place].any()]
    with np.errstate(all="ignore"):
        ratio = np.where(fair, error / np.where(tolerance > 0, tolerance, 1.0), 0.0)
    at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    return Agreement(
        wrong=tuple(names[place] for place in wrong),
        clear=all(_clear(strong[:, :, place], fair[:, :, place]) for place in wrong),
        slight=not strong[:, :, wrong].any(),
        judged=tuple(judged),
        unjudged=tuple(name for name in names if name not in (*judged, ALL, OUTPUTS)),
        zero=bool((truth.value[truth.valid] == 0).all()),
        absent=bool(alone.any()) and bool((found[alone] == points.main(start)[alone]).all()),
        infinite=bool((~finite & bad).any()),
        before=bool((early | ~fair[:, 0] | points.observed.singular[:, None]).all()),
        settled=settled,
        closest=Measured(float(error[at]), float(tolerance[at])),
    )


def unsteadiness(own: Array, sizes: Array, between: Array, valid: Array) -> Array:
    """How far nudged inputs move an adjoint. On an edge they may cross it: there, as far as elsewhere.

    Elsewhere is where the derivative has one value: inputs that are all equal stand on edges that nobody put them on.
    """
    known = between[:, None, None] & valid & np.ones_like(sizes, bool)
    share = np.where(known & (sizes > 0), own / sizes, 0.0).max(axis=0)
    return np.where(known | ~known.any(axis=0), own, share * sizes)


def _rounding(kernel: Kernel) -> float:
    """What is allowed of each term, as a share of it."""
    unit = unit_roundoff(kernel)
    return unit * (ULPS if unit < _HALF else HALF_ULPS)


def _smallest(adjoints: Mapping[str, Array]) -> float:
    """The unit in which the smallest adjoints are rounded."""
    kinds = [leaf.dtype for array in adjoints.values() for _, leaf in floats(array)]
    return max((float(resolution(kind).smallest_subnormal) for kind in kinds), default=0.0)


def _settled(points: Points, array: Array) -> bool:
    """Whether an adjoint is the same whether it sees the contents from before or from after the launch."""
    return all(
        np.array_equal(points.main(leaf)[:, 0], points.before(leaf), equal_nan=True) for _, leaf in floats(array)
    )


def _left_alone(points: Points, truth: Derivatives, runs: Mapping[str, Array]) -> bool:
    """Whether the adjoints of arrays that carry nothing in are as they were.

    That is right for what is added to them, and of no consequence where something else becomes of it.
    """
    for name in truth.directions.moves:
        weights = widened(points.weights[name])
        if not truth.directions.touches(OUTPUTS, name):
            continue
        for (_, leaf), (_, weight) in zip(floats(runs[name]), floats(weights), strict=True):
            if not np.array_equal(points.main(leaf), weight):
                return False
    return True


def _clear(strong: Array, fair: Array) -> bool:
    """Whether the error is beyond doubt at two points, or at every point where it could be seen."""
    points = strong.any(axis=1)
    return bool(points.sum() >= min(2, fair.any(axis=1).sum()) and points.any())


def _along(runs: Mapping[str, Array], truth: Derivatives) -> tuple[Array, Array]:
    """The adjoints' product with each direction, run by run, and the root of the sum of its squared terms."""
    total: Array = np.zeros(())
    size: Array = np.zeros(())
    with np.errstate(all="ignore"):
        for name, moves in truth.directions.moves.items():
            for (_, leaf), (_, way) in zip(floats(runs[name]), floats(moves), strict=True):
                values, by = leaf.reshape(len(leaf), -1), way.reshape(len(way), -1)
                values = np.where(np.isfinite(values), values, np.inf)
                terms = np.where(by[None] == 0, 0.0, values[:, None] * by[None])
                total = total + terms.sum(axis=2)
                size = size + np.square(terms).sum(axis=2)
    return total, np.sqrt(size)


def unlike(
    kernel: Kernel,
    points: Points,
    truth: Derivatives,
    first: Mapping[str, Array],
    second: Mapping[str, Array],
    *,
    bitwise: bool = False,
) -> bool:
    """Whether two texts' adjoints differ beyond the rounding of sums in another order, or at all."""
    if bitwise:
        return any(differs(array, second[name]).any() for name, array in first.items())
    (one, size), (two, other) = (
        _along({name: widened(array) for name, array in found.items()}, truth) for found in (first, second)
    )
    with np.errstate(all="ignore"):
        # What nudged inputs do to a sum, whose terms may cancel, another order of adding them up may do too.
        own = np.abs(points.nudged(one) - points.main(one)[:, :1])
        own = np.where(np.isfinite(own), own, 0.0).max(axis=1)[:, None]
        one, two, size, other = (points.main(array) for array in (one, two, size, other))
        tolerance = truth.spread + FACTOR * own + _rounding(kernel) * (size + other)
        near = (np.abs(one - two) <= tolerance) | (one == two) | (~np.isfinite(one) & ~np.isfinite(two))
    # Where the derivative itself is not known, nor is how far rounding moves it.
    return not (near | np.isnan(tolerance)).all()


def other_elements(
    kernel: Kernel, points: Points, first: Mapping[str, Array], second: Mapping[str, Array]
) -> tuple[str, ...]:
    """The arrays of which two texts' adjoints differ in some element.

    Two texts that one compiler made of one function round alike nearly everywhere, at ties too. So this is closer
    than `compare` is: no directions in which errors cancel, and no points that are left out.
    """
    return tuple(
        name
        for name, array in first.items()
        for (_, one), (_, two) in zip(floats(array), floats(second[name]), strict=True)
        if _far(kernel, points, widened(one), widened(two))
    )


def _far(kernel: Kernel, points: Points, one: Array, two: Array) -> bool:
    """Whether some element differs beyond rounding, by what is largest beside it and by what nudged inputs do to it."""
    with np.errstate(all="ignore"):
        same = (one == two) | (~np.isfinite(one) & ~np.isfinite(two))
        if same.all():
            return False
        most = _largest(np.where(np.isfinite(one), np.abs(one), 0.0), 1)
        apart = points.main(_largest(np.where(same, 0.0, np.abs(one - two)), 1))
        own = _largest(np.abs(points.nudged(one) - points.main(one)[:, :1]), 1)
        # Where a derivative jumps, nudged inputs say how far, and not how exact either side of it is.
        smooth = ~points.observed.singular & np.isfinite(own)
        size = np.where(smooth[:, None], points.main(most), most.max(initial=0.0))
        unit = unit_roundoff(kernel)
        # With the few digits of half precision nudges move far, and texts of one function seldom differ at all.
        nudged = FACTOR / 2 if unit >= _HALF else FACTOR
        allowed = ULPS * unit * size + nudged * np.where(smooth, own, 0.0)[:, None]
        return not bool((apart <= allowed).all())


def _largest(array: Array, leading: int) -> Array:
    """The largest of each run's elements."""
    return np.asarray(array.reshape(*array.shape[:leading], -1).max(axis=-1, initial=0.0))


def reason(kernel: Kernel, agreement: Agreement) -> str:
    """Why an adjoint is wrong, in words that do not depend on the machine."""
    named = [name for name in agreement.wrong if name not in (ALL, OUTPUTS)]
    outputs = [a.name for a in kernel.signature.arrays if a.direction is Direction.OUT]
    if not named and OUTPUTS in agreement.wrong:
        named = [name for name in differentiable(kernel) if name in outputs]
    if not named:
        named = [name for name in differentiable(kernel) if name not in outputs]
    what = f"the adjoint of {', '.join(named)}"
    if agreement.before and not agreement.settled:
        return f"{what} needs contents that the launch overwrote"
    if agreement.infinite:
        return f"{what} is not finite"
    if agreement.absent:
        return f"{what} is zero where the derivative is not"
    return f"{what} is not the derivative"
