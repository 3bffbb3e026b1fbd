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
