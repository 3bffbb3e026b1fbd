"""Random numbers, bit for bit: PCG as published by Jarzynski and Olano, "Hash Functions for GPU Rendering" (2020).

A state is a ``uint32`` variable, which each draw replaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from irsmith.frontends.warp.reference.builtins.overload import Overload, Table, fixed
from irsmith.frontends.warp.reference.errors import FaultKind
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.values import Array, Type
from irsmith.types import FLOAT32, INT32, UINT32, Vector


def permute(state: Array) -> Array:
    """One step of the generator, which is also its hash."""
    b = state * np.uint32(747796405) + np.uint32(2891336453)
    c = ((b >> ((b >> np.uint32(28)) + np.uint32(4))) ^ b) * np.uint32(277803737)
    result: Array = (c >> np.uint32(22)) ^ c
    return result


def _init(ops: Ops, seed: Array) -> Array:
    del ops
    return permute(seed.astype(np.uint32))


def _init_with_offset(ops: Ops, seed: Array, offset: Array) -> Array:
    del ops
    return permute(seed.astype(np.uint32) + permute(offset.astype(np.uint32)))


TABLE: Table = {
    "rand_init": (
        Overload(fixed(INT32, result=UINT32), _init),
        Overload(fixed(INT32, INT32, result=UINT32), _init_with_offset),
    ),
}
"""Builtins that make a state."""


class Draws:
    """A state from which numbers are drawn."""

    def __init__(self, ops: Ops, state: Array, line: int) -> None:
        self.ops, self.state, self.line = ops, state, line
        self.dtype = ops.dtype(FLOAT32)

    def bits(self) -> Array:
        """32 random bits."""
        self.state = permute(self.state)
        return self.state

    def unit(self) -> Array:
        """A float from 0 up to but not including 1, one of 2^24."""
        return (self.bits() >> np.uint32(8)).astype(self.dtype) * self.number(2.0**-24)

    def number(self, value: float) -> Array:
        """A float32 constant."""
        return np.array([value], np.float32).astype(self.dtype)

    def between(self, low: Array, high: Array) -> Array:
        """A float between two."""
        ops = self.ops
        return ops.add(ops.mul(ops.sub(high, low), self.unit()), low)

    def angle(self) -> Array:
        """A float from 0 to two pi."""
        return self.between(self.number(0.0), self.number(2.0) * self.number(math.pi))

    def below(self, low: Array, high: Array) -> Array:
        """A whole number from ``low`` up to but not including ``high``, by an unsigned remainder."""
        span = (high - low).astype(np.uint32)
        self.ops.machine.fault(FaultKind.DIVISION_BY_ZERO, span == 0, self.line)
        return (np.fmod(self.bits(), span) + low.astype(np.uint32)).astype(low.dtype)


def _integer(draws: Draws) -> Array:
    return draws.bits().view(np.int32)


def _normal(draws: Draws) -> Array:
    """Box and Muller's method."""
    ops = draws.ops
    radius = ops.library(np.log, ops.add(draws.unit(), draws.number(5.96e-8)))
    angle = ops.mul(draws.number(2.0) * draws.number(math.pi), draws.unit())
    return ops.mul(ops.sqrt(ops.mul(draws.number(-2.0), radius)), ops.library(np.cos, angle))


_MOST = 10_000
"""Draws after which a lane is given up: of means up to a million none needs a hundredth of them."""


def _events(draws: Draws, mean: Array) -> Array:
    """How many events come in a time in which ``mean`` are expected: Poisson's distribution.

    Below ten, how many uniform numbers are multiplied until the product is at most ``exp(-mean)`` (Knuth); from ten on,
    Hörmann's transformed rejection (1993).
    """
    lanes = max(len(mean), len(draws.state))
    mean = np.broadcast_to(mean, (lanes,))
    many = draws.ops.compare(np.greater_equal, mean, draws.number(10.0))
    none = mean == 0
    count = np.zeros(lanes, np.uint32)
    state = np.broadcast_to(draws.state, (lanes,))
    with np.errstate(all="ignore"):
        for method, where in ((_multiplied, ~many & ~none), (_rejected, many)):
            if where.any():
                count, state = method(draws, mean, where, count, state)
    draws.state = state
    return count


def _multiplied(draws: Draws, mean: Array, where: Array, count: Array, state: Array) -> tuple[Array, Array]:
    ops = draws.ops
    least = ops.library(np.exp, -mean)
    product = np.ones(len(mean), draws.dtype)
    for _ in range(_MOST):
        draws.state = state
        product = np.where(where, ops.mul(product, draws.unit()), product)
        state = np.where(where, draws.state, state)
        where = where & ops.compare(np.greater, product, least)
        count = count + where.astype(np.uint32)
        if not where.any():
            break
    draws.ops.machine.fault(FaultKind.STEP_LIMIT, where, draws.line)
    return count, state


def _rejected(draws: Draws, mean: Array, where: Array, count: Array, state: Array) -> tuple[Array, Array]:
    ops, number = draws.ops, draws.number
    b = ops.add(number(0.931), ops.mul(number(2.53), ops.sqrt(mean)))
    a = ops.add(number(-0.059), ops.mul(number(0.02483), b))
    steepness = ops.add(number(1.1239), ops.div(number(1.1328), ops.sub(b, number(3.4))))
    sure = ops.sub(number(0.9277), ops.div(number(3.6224), ops.sub(b, number(2.0))))
    log_mean = ops.library(np.log, mean)
    for _ in range(_MOST):
        draws.state = state
        u = ops.sub(draws.unit(), number(0.5))
        v = draws.unit()
        state = np.where(where, draws.state, state)
        edge = ops.sub(number(0.5), np.abs(u))
        wide = ops.mul(ops.add(ops.div(ops.mul(number(2.0), a), edge), b), u)
        k = np.floor(ops.add(ops.add(wide, mean), number(0.43)))
        accepted = (edge >= number(0.07)) & ops.compare(np.less_equal, v, sure)
        refused = (k < 0) | ((edge < number(0.013)) & ops.compare(np.greater, v, edge))
        height = ops.add(ops.div(a, ops.mul(edge, edge)), b)
        left = ops.sub(ops.add(ops.library(np.log, v), ops.library(np.log, steepness)), ops.library(np.log, height))
        safe = np.maximum(k, draws.dtype.type(0))
        right = ops.sub(ops.sub(ops.mul(safe, log_mean), mean), ops.library(_log_factorial, safe))
        accepted = accepted | (~refused & ops.compare(np.less_equal, left, right))
        done = where & accepted
        ops.decide(np.where(done, k, -1.0))
        count = np.where(done, k, count).astype(np.uint32)
        where = where & ~accepted
        if not where.any():
            break
    draws.ops.machine.fault(FaultKind.STEP_LIMIT, where, draws.line)
    return count, state


_log_factorial = np.vectorize(lambda k: math.lgamma(k + 1.0) if math.isfinite(k) else k, otypes=[np.float64])


def _triangle(draws: Draws) -> Array:
    ops = draws.ops
    root = ops.sqrt(draws.unit())
    return _columns(ops.sub(draws.number(1.0), root), ops.mul(draws.unit(), root))


def _ring(draws: Draws) -> Array:
    angle = draws.angle()
    return _columns(draws.ops.library(np.cos, angle), draws.ops.library(np.sin, angle))


def _disk(draws: Draws) -> Array:
    radius = draws.ops.sqrt(draws.unit())
    return draws.ops.mul(radius[:, None], _ring(draws))


def _on_sphere(reach: float, *, filled: bool) -> Callable[[Draws], Array]:
    """A direction with cosine from ``1 - reach`` to 1, times a radius when the ball is filled."""

    def formula(draws: Draws) -> Array:
        ops = draws.ops
        cosine = ops.sub(draws.number(1.0), ops.mul(draws.number(reach), draws.unit()))
        polar = ops.library(np.arccos, cosine)
        around = draws.angle()
        sine = ops.library(np.sin, polar)
        direction = _columns(
            ops.mul(ops.library(np.cos, around), sine),
            ops.mul(ops.library(np.sin, around), sine),
            ops.library(np.cos, polar),
        )
        if not filled:
            return direction
        radius = ops.library(np.power, draws.unit(), draws.number(1.0) / draws.number(3.0))
        return ops.mul(direction, radius[:, None])

    return formula


def _box(size: int) -> Callable[[Draws], Array]:
    def formula(draws: Draws) -> Array:
        half = draws.number(0.5)
        return _columns(*(draws.ops.sub(draws.unit(), half) for _ in range(size)))

    return formula


def _columns(*parts: Array) -> Array:
    return np.stack(np.broadcast_arrays(*parts), axis=1)


@dataclass(frozen=True, slots=True)
class Draw:
    """A builtin that draws from a state: the types of its other arguments, its result, and its formula."""

    arguments: tuple[Type, ...]
    result: Type
    formula: Callable[..., Array]


DRAWS: dict[str, tuple[Draw, ...]] = {
    "randi": (Draw((), INT32, _integer), Draw((INT32, INT32), INT32, Draws.below)),
    "randu": (Draw((), UINT32, Draws.bits), Draw((UINT32, UINT32), UINT32, Draws.below)),
    "randf": (Draw((), FLOAT32, Draws.unit), Draw((FLOAT32, FLOAT32), FLOAT32, Draws.between)),
    "randn": (Draw((), FLOAT32, _normal),),
    "poisson": (Draw((FLOAT32,), UINT32, _events),),
    "sample_triangle": (Draw((), Vector(2, FLOAT32), _triangle),),
    "sample_unit_ring": (Draw((), Vector(2, FLOAT32), _ring),),
    "sample_unit_disk": (Draw((), Vector(2, FLOAT32), _disk),),
    "sample_unit_sphere_surface": (Draw((), Vector(3, FLOAT32), _on_sphere(2.0, filled=False)),),
    "sample_unit_sphere": (Draw((), Vector(3, FLOAT32), _on_sphere(2.0, filled=True)),),
    "sample_unit_hemisphere_surface": (Draw((), Vector(3, FLOAT32), _on_sphere(1.0, filled=False)),),
    "sample_unit_hemisphere": (Draw((), Vector(3, FLOAT32), _on_sphere(1.0, filled=True)),),
    "sample_unit_square": (Draw((), Vector(2, FLOAT32), _box(2)),),
    "sample_unit_cube": (Draw((), Vector(3, FLOAT32), _box(3)),),
}
"""Builtins that draw from a state."""
