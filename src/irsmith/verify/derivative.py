"""Directional derivatives of the reference in float64, and how far a float32 adjoint may be from them.

At each *point* (an input set) the initial contents of the differentiable arrays are moved along random
*directions*, each on one array or on all. Central differences at two step sizes give the derivative of every
output element and an estimate of their own error. The conditioning comes from the same differences with the
operations of both ends rounded alike at the row's precision: they are exact derivatives of a program with
rounding errors, which is what an adjoint computes. Ends on another side of a branch, a tie or a rounding than
the point itself are told by their path and left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from irsmith.kernel import Kernel
from irsmith.types import Struct, is_differentiable, scalar_of
from irsmith.verify.inputs import Inputs
from irsmith.verify.observe import Observed, apart
from irsmith.verify.ports import Array, Reference, Result
from irsmith.verify.values import floats, leaves, parsed, take, wide_dtype, widened

STEP = 1e-6
"""The step, in units of an input's range: truncation and rounding are then both far below float32."""

ROUNDED = 2
"""Programs with rounding errors for each point."""

_HALVES = re.compile(r"(?:vec|mat|quat)\d*h")

_SINGLE = re.compile(r"rand[fn]|sample_unit_\w+|p?noise|curlnoise")
"""Functions whose result is a float32 whatever they are used with."""

ALL = "all arrays together"
OUTPUTS = "the outputs' own contents"

_SLACK = 8.0
"""How many tolerances of the forward's may lie between float64 and the declared precision."""

_ROUGH = 1e-2
"""How far two differences of one element may be apart, as a share of them, to be derivatives at all."""

_CUT = 8.0
"""How many times the square of what a step cuts off may remain when it is taken out."""

_BENT = 100.0
"""A second derivative that is no sign of a corner."""

_EPSILON = 4 * float(np.finfo(np.float64).eps)
_COEFFICIENTS = (1.0, -1.0, 2.0, -2.0)


@dataclass(frozen=True, slots=True)
class Directions:
    """Directions in which the arrays are moved, the same at every point.

    Attributes:
        names: What each moves: an argument, `ALL` or `OUTPUTS`.
        moves: For each array, one wide array a direction; zero where the direction does not touch it.
    """

    names: tuple[str, ...]
    moves: Mapping[str, Array]

    def length(self) -> Array:
        """The Euclidean length of each."""
        squares = [
            np.square(leaf).reshape(len(leaf), -1).sum(axis=1) for m in self.moves.values() for _, leaf in floats(m)
        ]
        return np.asarray(np.sqrt(np.sum(squares, axis=0)))

    def touches(self, direction: str, name: str) -> bool:
        """Whether a direction moves an array."""
        place = self.names.index(direction)
        return any(leaf[place].any() for _, leaf in floats(self.moves[name]))


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Directional derivatives of weighted outputs.

    All arrays are indexed by point, weighting and direction.

    Attributes:
        directions: The directions.
        value: The derivative.
        error: The error of the differences themselves.
        spread: How far rounding at the row's precision moves it.
        size: The root of the sum of the squares of what was added up.
        blind: What of it the differences cannot see, because it is lost beside the outputs' own values.
        valid: Whether both ends could be reached without crossing anything.
    """

    directions: Directions
    value: Array
    error: Array
    spread: Array
    size: Array
    blind: Array
    valid: Array


def differentiable(kernel: Kernel) -> list[str]:
    """The array arguments with gradients."""
    return [a.name for a in kernel.signature.arrays if is_differentiable(a.type)]


def directions(kernel: Kernel, inputs: Inputs, sets: Mapping[str, Array], salt: str = "directions") -> Directions:
    """A random direction on every array that carries data in, one on all of them, and one on the others.

    Everything moves up, so that where inputs stand on a branch's edge they move to the same side of it.
    """
    arrays = differentiable(kernel)
    carrying = [name for name in arrays if name in inputs.free()]
    outputs = [name for name in arrays if name not in carrying]
    names = [*carrying, *([ALL] if len(carrying) > 1 else []), *([OUTPUTS] if outputs else [])]
    moves = {}
    for name in arrays:
        array = sets[name]
        move = np.zeros((len(names), *array.shape[1:]), wide_dtype(array.dtype))
        widths = inputs.scale(name)
        random = inputs.uniform(salt, name)
        for place, moved in enumerate(names):
            if moved in (name, ALL if name in carrying else OUTPUTS):
                for path, leaf in floats(move):
                    leaf[place] = (0.5 + random.draw(leaf.shape[1:])) * widths[path]
        moves[name] = move
    return Directions(tuple(names), moves)


_EPSILONS = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}


@lru_cache(maxsize=256)
def unit_roundoff(kernel: Kernel) -> float:
    """The relative size of the row's coarsest rounding: float32 unless it says otherwise."""
    if kernel.signature.launch is None:
        # A function's dtypes are those of what it takes and returns.
        return max(_EPSILONS[kind] for kind in _float_kinds(kernel) or {"float32"})
    nodes = parsed(kernel.source)[1]
    named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    kinds = _float_kinds(kernel) | (named & {"float16", "float32", "float64"})
    if "float16" in kinds or any(_HALVES.fullmatch(name) for name in named):
        return float(np.finfo(np.float16).eps)
    plain = any(isinstance(node, ast.Name) and node.id == "float" for node in nodes)
    plain |= any(_SINGLE.fullmatch(name) for name in named)
    return float(np.finfo(np.float64 if kinds == {"float64"} and not plain else np.float32).eps)


def _float_kinds(kernel: Kernel) -> set[str]:
    found = set()
    stack = [argument.type for argument in kernel.signature.arguments]
    while stack:
        type_ = stack.pop()
        if isinstance(type_, Struct):
            stack += [field.type for field in type_.fields]
        elif is_differentiable(type_):
            found.add(str(scalar_of(type_)))
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """The lanes of the pass: for each point one in its own place, and for each pair of a point and a direction
    the ends along it; the same again for each program with rounding errors.

    Attributes:
        point: For each lane, its point.
        program: For each lane, which program; 0 is the exact one.
        direction: For each lane, its direction.
        step: For each lane, how many steps along it.
        pairs: The pairs, ``(pairs, 2)``.
        base: For each program and point, its lane.
        ends: For each pair, the lanes of the exact ends.
        shaken: For each program and pair, the lanes of the two ends.
    """

    point: Array
    program: Array
    direction: Array
    step: Array
    pairs: Array
    base: Array
    ends: Array
    shaken: Array


def _plan(wanted: Array, rounded: int) -> _Plan:
    pairs = np.argwhere(wanted)
    points, count = len(wanted), len(pairs)
    base = np.arange((1 + rounded) * points).reshape(1 + rounded, points)
    ends = base.size + np.arange(4 * count).reshape(count, 4)
    shaken = base.size + ends.size + np.arange(2 * count * rounded).reshape(rounded, count, 2)
    size = base.size + ends.size + shaken.size
    point, program, direction = (np.zeros(size, int) for _ in range(3))
    step = np.zeros(size)
    point[base], program[base] = np.arange(points), np.arange(1 + rounded)[:, None]
    point[ends], direction[ends], step[ends] = pairs[:, :1], pairs[:, 1:], _COEFFICIENTS
    point[shaken], direction[shaken], step[shaken] = pairs[:, :1], pairs[:, 1:], _COEFFICIENTS[:2]
    program[shaken] = np.arange(1, 1 + rounded)[:, None, None]
    return _Plan(point, program, direction, step, pairs, base, ends, shaken)


def derivatives(
    reference: Reference,
    kernel: Kernel,
    sets: Mapping[str, Array],
    weights: Mapping[str, Array],
    ways: Directions,
    wanted: Array,
    *,
    expected: Observed,
    seed: int,
    rounded: int = ROUNDED,
) -> Derivatives:
    """Differentiate weighted sums of the final contents of the arrays.

    Args:
        reference: The meaning of the kernel.
        kernel: The kernel.
        sets: The points.
        weights: For each differentiable array, its weights: ``(points, weightings, *shape)``.
        ways: The directions.
        wanted: For each point, which of them to take there.
        expected: What the points give in the declared precision. A point at which float64 gives something
            else is on another side of a branch there.
        seed: Which rounding errors.
        rounded: How many programs with rounding errors. With more than `ROUNDED`, points are left out at which any
            of them goes another way: what a compiled text did there is for rounding to say.
    """
    points = len(wanted)
    plan = _plan(wanted, rounded)
    moved = {name: widened(array)[plan.point] for name, array in sets.items()}
    for name, move in ways.moves.items():
        for (_, leaf), (_, way) in zip(floats(moved[name]), floats(move), strict=True):
            leaf[...] += STEP * plan.step.reshape(-1, *(1,) * (leaf.ndim - 1)) * way[plan.direction]
    result = reference.run(
        moved,
        kernel.signature.launch,
        precision="float64",
        perturb=plan.program,
        epsilon=unit_roundoff(kernel),
        seed=seed,
        trace=True,
    )
    found = _gathered(result, weights, ways, plan, points)
    alike = np.ones(points, bool)
    for name, array in take(result.outputs, plan.base[0]).items():
        for path, leaf in leaves(array):
            other = apart(expected, (name, path), leaf, slack=_SLACK)
            if leaf.dtype.kind == "f":
                # What rounding leaves of next to nothing says nothing of a branch.
                exact = dict(leaves(expected.exact[name]))[path].astype(np.float64)
                size = np.abs(exact).reshape(points, -1).max(axis=1, initial=0.0).reshape(-1, *(1,) * (leaf.ndim - 1))
                other &= ~(np.abs(leaf - exact) <= _SLACK * unit_roundoff(kernel) * size)
            alike &= ~other.reshape(points, -1).any(axis=1)
    return replace(found, valid=found.valid & alike[:, None, None])


def agreeing(reference: Reference, kernel: Kernel, sets: Mapping[str, Array]) -> Array:
    """The sets on which float64 takes the path of the declared precision, so that both mean one smooth function."""
    launch = kernel.signature.launch
    declared = reference.run(sets, launch, trace=True)
    wide = reference.run(
        {name: widened(array) for name, array in sets.items()}, launch, precision="float64", trace=True
    )
    return np.asarray(np.equal(declared.path, wide.path))


def _gathered(result: Result, weights: Mapping[str, Array], ways: Directions, plan: _Plan, points: int) -> Derivatives:
    point = plan.pairs[:, 0]
    path, sound = np.asarray(result.path), np.array([fault is None for fault in result.faults])
    home = plan.base[0][point]
    good = sound[home]
    sides = _sides((path[plan.ends] == path[home][:, None]) & sound[plan.ends], np.asarray(result.kink)[home])
    needed = np.stack([sides >= 0, sides <= 0], axis=1)
    paired = ((path[plan.shaken] == path[home][:, None]) & sound[plan.shaken]) | ~needed
    middles = plan.base[1:][:, point]
    steady = paired.all(axis=2) & (path[middles] == path[home]) & sound[middles]
    weightings = next(iter(weights.values())).shape[1]
    value, error, size, blind = (np.zeros((len(point), weightings)) for _ in range(4))
    apart = np.zeros((len(plan.shaken), len(point), weightings))
    side = sides[:, None]
    with np.errstate(all="ignore"):
        for name, weight in weights.items():
            for (_, leaf), (_, weighting) in zip(floats(result.outputs[name]), floats(weight), strict=True):
                values = leaf.reshape(len(path), -1)
                by = weighting.reshape(points, weightings, -1)[point]
                slope, rough, first = _slopes(values[home], values[plan.ends], side)
                value += np.einsum("ne,nke->nk", slope, by)
                error += np.einsum("ne,nke->nk", np.where(by.any(axis=1), rough, 0.0), np.abs(by))
                size += np.einsum("ne,nke->nk", np.square(slope), np.square(by))
                unseen = np.where(first == 0, _EPSILON * np.abs(values[home]) / STEP, 0.0)
                blind += np.einsum("ne,nke->nk", unseen, np.abs(by))
                for program, ends in enumerate(plan.shaken):
                    moved = _first(values[middles[program]], values[ends], side) - first
                    apart[program] += np.einsum("ne,nke->nk", moved, by)
        apart = np.where(steady[:, :, None], np.abs(apart), 0.0)
        kept = (path[middles] == path[home]).all(axis=0) if len(plan.shaken) > ROUNDED else steady.any(axis=0)
        valid = ((sides < _NEITHER) & kept & steady.any(axis=0) & good)[:, None]
        valid = valid & np.isfinite(value) & np.isfinite(error) & np.isfinite(apart).all(axis=0)
    spread = (value, error, apart.max(axis=0), np.sqrt(size), blind, valid)
    return Derivatives(ways, *(_spread_out(array, plan.pairs, points, len(ways.names)) for array in spread))


def _spread_out(array: Array, pairs: Array, points: int, count: int) -> Array:
    """What is known of pairs as ``(points, weightings, directions)``; zero for the other pairs."""
    result = np.zeros((points, array.shape[1], count), array.dtype)
    result[pairs[:, 0], :, pairs[:, 1]] = array
    return result


_NEITHER = 2


def _sides(same: Array, kink: Array) -> Array:
    """From which side each difference is taken: 0 from both, 1 from above, -1 from below, `_NEITHER` from none.

    From one side alone only where the function is smooth there: a minimum may choose either of two equals.
    """
    plus, minus = same[:, 0] & same[:, 2], same[:, 1] & same[:, 3]
    one = np.where(plus, 1, np.where(minus, -1, _NEITHER))
    return np.where(plus & minus, 0, np.where(kink, _NEITHER, one))


def _first(base: Array, ends: Array, side: Array) -> Array:
    """First differences of values at a point and at its ends above and below."""
    above, below = ends[:, 0], ends[:, 1]
    one: Array = np.where(side > 0, above - base, base - below) / STEP
    return np.where(side == 0, (above - below) / (2 * STEP), one)


def _slopes(base: Array, ends: Array, side: Array) -> tuple[Array, Array, Array]:
    """Derivatives of values at a point, what they may be off by, and their first differences."""
    near = _first(base, ends, side)
    far = _first(base, ends[:, 2:], side) / 2
    # Both errors are even in the step from two sides, and begin with its first power from one.
    slope = np.where(side == 0, (4 * near - far) / 3, 2 * near - far)
    noise = np.where(near != 0, _EPSILON * np.abs(base) / STEP, 0.0)
    apart = np.abs(near - far)
    # What the two sides differ by tells of a corner between them, which the mean of both does not. It doubles with
    # the step where the function is smooth, and beside a corner it does not.
    bend, wide = (np.where(side == 0, ends[:, n] - 2 * base + ends[:, n + 1], 0.0) / STEP for n in (0, 2))
    bent, corner = np.abs(bend), np.abs(2 * bend - wide / 2)
    # From one side, what is cut off once is told by the two steps, and taken out of the slope; its square remains.
    rest = np.where(side == 0, apart, np.fmin(apart, _CUT * np.square(apart) / np.abs(near)))
    rough = rest + np.where(corner > 4 * noise, corner, 0.0) + noise
    # So near a root of zero and its like that no estimate of the error holds.
    rough = np.where(apart + bent > _ROUGH * np.abs(near) + 32 * noise + STEP * _BENT, np.inf, rough)
    return slope, rough, near
