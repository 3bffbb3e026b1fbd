"""Perlin's gradient noise on a lattice whose gradients come from the random generator, and the curl of its fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irsmith.frontends.warp.reference.builtins import random, vector
from irsmith.frontends.warp.reference.builtins.overload import Overload, Rule, Table
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, Type, along
from irsmith.types import FLOAT32, INT32, UINT32, Vector

_PRIMES = (73856093, 19349663, 53471161, 10000019)
_SEEDS = (10019689, 13112221)
"""What is added to the state for the second and the third potential of a curl."""


def _gradient(ops: Ops, state: Array, corner: list[Array]) -> Array:
    """The random direction at a lattice point; in one dimension a slope from -1 to 1."""
    *first, last = [place.astype(np.int32).view(np.uint32) * np.uint32(p) for place, p in zip(corner, _PRIMES)]  # noqa: B905
    index = last + state
    for part in first:
        index = part ^ index
    draws = random.Draws(ops, index, 0)
    if len(corner) == 1:
        return draws.between(draws.number(-1.0), draws.number(1.0))[:, None]
    half = draws.number(0.5)
    parts = [ops.sub(draws.unit(), half) for _ in corner]
    return vector.normalize(ops, np.stack(np.broadcast_arrays(*parts), axis=1))


def _eased(ops: Ops, t: Array) -> tuple[Array, Array]:
    """Perlin's ``6t^5 - 15t^4 + 10t^3``, and its slope."""

    def number(value: float) -> Array:
        return np.array([value], t.dtype)

    mul, add, sub = ops.mul, ops.add, ops.sub
    square = mul(t, t)
    value = mul(mul(square, t), add(mul(t, sub(mul(t, number(6)), number(15))), number(10)))
    slope = mul(mul(number(30), square), add(mul(t, sub(t, number(2))), number(1)))
    return value, slope


def _field(ops: Ops, state: Array, point: Array, periods: Sequence[Array] = ()) -> tuple[Array, Array]:
    """The noise at a point, and its gradient."""
    size = point.shape[1]
    floors = np.floor(point)
    ops.decide(np.nan_to_num(floors))
    inside = ops.sub(point, floors)
    low = [floors[:, axis].astype(np.int32) for axis in range(size)]
    high = [place + 1 for place in low]
    if periods:
        low = [np.fmod(place, period) for place, period in zip(low, periods, strict=True)]
        high = [np.fmod(place + 1, period) for place, period in zip(low, periods, strict=True)]
    values: list[Array] = []
    slopes: list[Array] = []
    for corner in range(2**size):
        ends = [corner >> axis & 1 for axis in range(size)]
        slope = _gradient(ops, state, [high[axis] if end else low[axis] for axis, end in enumerate(ends)])
        offset = ops.sub(inside, np.array([ends], point.dtype)) if corner else inside
        values.append(vector.dot(ops, offset, slope))
        slopes.append(slope)
    for axis in range(size):
        share, rate = _eased(ops, inside[:, axis])
        direction = np.eye(size, dtype=point.dtype)[None, axis]
        pairs = range(0, len(values), 2)
        rises = [ops.sub(values[place + 1], values[place]) for place in pairs]
        mixed = []
        for rise, place in zip(rises, pairs, strict=True):
            turned = ops.mul(ops.sub(slopes[place + 1], slopes[place]), along(share, 2))
            mixed.append(ops.add(ops.add(turned, ops.mul(along(ops.mul(rise, rate), 2), direction)), slopes[place]))
        values = [ops.add(ops.mul(rise, share), values[place]) for rise, place in zip(rises, pairs, strict=True)]
        slopes = mixed
    return values[0], slopes[0]


def _noise(ops: Ops, state: Array, point: Array, *periods: Array) -> Array:
    return _field(ops, state, point if point.ndim == 2 else point[:, None], periods)[0]


def _curl(
    ops: Ops,
    state: Array,
    point: Array,
    octaves: Array | None = None,
    lacunarity: Array | None = None,
    gain: Array | None = None,
) -> Array:
    """The curl of one potential in the plane, or of three in space; octaves add finer and weaker ones."""
    count = 1 if octaves is None else int(octaves.max(initial=0))
    faster = np.array([2.0], point.dtype) if lacunarity is None else lacunarity
    weaker = np.array([0.5], point.dtype) if gain is None else gain
    frequency = amplitude = np.ones(1, point.dtype)
    potentials = 1 if point.shape[1] == 2 else 3
    sums = [np.zeros((1, point.shape[1]), point.dtype)] * potentials
    for octave in range(count):
        scaled = ops.mul(along(frequency, 2), point)
        for which in range(potentials):
            if which:
                state = random.permute(state + random.permute(np.array([_SEEDS[which - 1]], np.uint32)))
            added = ops.add(sums[which], ops.mul(along(amplitude, 2), _field(ops, state, scaled)[1]))
            more = np.ones(1, bool) if octaves is None else octaves > octave
            sums[which] = np.where(along(more, 2), added, sums[which])
        frequency, amplitude = ops.mul(frequency, faster), ops.mul(amplitude, weaker)
    if potentials == 1:
        return _columns(-sums[0][:, 1], sums[0][:, 0])
    a, b, c = sums
    return _columns(ops.sub(c[:, 1], b[:, 2]), ops.sub(a[:, 2], c[:, 0]), ops.sub(b[:, 0], a[:, 1]))


def _columns(*parts: Array) -> Array:
    return np.stack(np.broadcast_arrays(*parts), axis=1)


_POINTS: dict[Type, int] = {FLOAT32: 1, **{Vector(size, FLOAT32): size for size in (2, 3, 4)}}


def _noise_type(*, periodic: bool) -> Rule:
    def rule(types: Sequence[Type]) -> Type | None:
        match list(types):
            case [state, point, *periods] if state == UINT32 and point in _POINTS:
                return FLOAT32 if periods == [INT32] * (_POINTS[point] if periodic else 0) else None
        return None

    return rule


def _curl_type(types: Sequence[Type]) -> Type | None:
    match list(types):
        case [state, Vector(size, scalar), *rest] if state == UINT32 and scalar == FLOAT32 and size in (2, 3, 4):
            return Vector(min(size, 3), scalar) if rest in ([], [UINT32, FLOAT32, FLOAT32]) else None
    return None


TABLE: Table = {
    "noise": (Overload(_noise_type(periodic=False), _noise),),
    "pnoise": (Overload(_noise_type(periodic=True), _noise),),
    "curlnoise": (Overload(_curl_type, _curl),),
}
"""Noise."""
