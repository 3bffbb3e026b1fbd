"""Arithmetic, as the precision of a run asks for it.

Builtins are written in terms of these operations, one rounding each, so that a run with randomly rounded
intermediates also shakes what happens inside them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from irsmith.frontends.warp.reference.machine import Machine
from irsmith.frontends.warp.reference.values import Array, Precision
from irsmith.types import Scalar

LIBRARY_ULPS = 4.0
"""How far off a mathematical library function may be, in units of the last place."""

_EPSILON = {np.dtype(kind): float(np.finfo(kind).eps) for kind in (np.float16, np.float32, np.float64)}


class Ops:
    """Operations that round once to the dtype of their operands.

    Attributes:
        unordered: How many loops are running whose order is not defined. A sum that is exact in one order may not be
            in another.
    """

    def __init__(self, machine: Machine, precision: Precision) -> None:
        self.machine = machine
        self.precision = precision
        self.unordered = 0
        # Plain NumPy functions, so that an operation costs one call.
        self.add: Callable[..., Array] = np.add
        self.sub: Callable[..., Array] = np.subtract
        self.mul: Callable[..., Array] = np.multiply
        self.div: Callable[..., Array] = np.divide
        self.sqrt: Callable[..., Array] = np.sqrt
        self.remainder: Callable[..., Array] = np.fmod

    def dtype(self, scalar: Scalar) -> np.dtype[Any]:
        """The dtype that holds a scalar in this run."""
        return self.precision.dtype(scalar)

    def round(self, value: Array, dtype: np.dtype[Any]) -> Array:
        """A value converted to a float dtype."""
        return value.astype(dtype)

    def shake(self, value: Array, ulps: float = 1.0) -> Array:
        """A float value moved by up to ``ulps`` units in the last place where a run's roundings are random."""
        del ulps
        return value

    def blur(self, value: Array, axes: int, ulps: float) -> Array:
        """A float value moved, along its last axes, by so many units in the last place of the largest component.

        For what is stable as a whole and not component by component: what cancels in one hangs on how the compiler
        contracts products and sums.
        """
        largest = np.abs(value).max(axis=tuple(range(-axes, 0)), keepdims=True)
        scale = np.broadcast_to(largest, value.shape)
        moved: Array = value + (self.shake(scale, ulps) - scale)
        return moved

    def library(self, function: Callable[..., Array], *operands: Array) -> Array:
        """A function of the mathematical library.

        Narrow floats are computed in float64 and rounded, which gives the nearest result (but for very rare
        ties) on every machine; NumPy's own float32 versions differ between CPUs.
        """
        dtype = operands[0].dtype
        if dtype == np.float64:
            return function(*operands)
        return function(*(operand.astype(np.float64) for operand in operands)).astype(dtype)

    def total(self, terms: Array) -> Array:
        """The sum along the last axis, from the first term on, rounded after each."""
        result: Array = terms[..., 0]
        for index in range(1, terms.shape[-1]):
            result = self.add(result, terms[..., index])
        return result

    def compare(self, relation: Callable[..., Array], a: Array, b: Array) -> Array:
        """A relation, with its outcome entered into the path when it depends on floats."""
        result: Array = relation(a, b)
        if self.machine.tracing and a.dtype.kind == "f":
            self.machine.decide(result)
            self.machine.near(a, b, kink=False)
        return result

    def decide(self, outcome: Array, a: Array | None = None, b: Array | float | None = None) -> None:
        """Enter a discrete outcome into the path, and how near its operands were to the other outcome."""
        if self.machine.tracing:
            self.machine.decide(outcome)
            if a is not None and b is not None:
                self.machine.near(a, b)


class RandomlyRounded(Ops):
    """Operations whose float results are moved at random by up to a rounding error (Monte-Carlo arithmetic).

    Until noise is drawn, and after `calm`, they round once, as those of `Ops`.
    """

    ROWS = (509, 331, 233, 151, 97, 61, 41)
    """How many noises each lane may have. They are used in turn, and two roundings that take the same one cancel where
    a difference is taken of them; a prime, so that no pattern of a kernel meets its own noise again."""

    DRAWN = 512 * 509
    """How many are drawn for all lanes together, unless each has the fewest."""

    def __init__(self, machine: Machine, precision: Precision) -> None:
        super().__init__(machine, precision)
        for name in ("add", "sub", "mul", "div", "sqrt", "remainder"):
            setattr(self, name, self._shaken(getattr(self, name), sums=name in ("add", "sub")))
        self.noise: Array = np.zeros((1, 1, 1))
        self.numbers: Array = np.zeros(1, int)
        self.factors: dict[tuple[float, int, int], Array] = {}
        self.next = 0
        self.rows = self.ROWS[0]
        self.epsilon: float | None = None
        self.quiet = True

    def calm(self) -> None:
        """Move nothing in the next run."""
        self.quiet = True

    def seed(self, lanes: Array, seed: int, epsilon: float | None = None, threads: int = 1) -> None:
        """Draw the noise for a run.

        Args:
            lanes: Which lanes it moves. Whole numbers name groups: the lanes of a positive number are moved
                alike, those of 0 not at all.
            seed: Which noise.
            epsilon: The relative size of a unit in the last place; that of each value's dtype when None.
            threads: How many threads of each lane run together, each with a noise of its own.
        """
        generator = np.random.Generator(np.random.Philox(seed))
        each = self.DRAWN // max(1, len(lanes) * threads)
        self.rows = next((rows for rows in self.ROWS if rows <= each), self.ROWS[-1])
        self.numbers = lanes if lanes.dtype != bool else np.cumsum(lanes) * lanes
        self.noise = generator.uniform(-1.0, 1.0, (self.rows, int(self.numbers.max(initial=0)) + 1, threads))
        self.noise[:, 0] = 0.0
        self.epsilon = epsilon
        self.factors.clear()
        self.next = 0
        self.quiet = False

    def shake(self, value: Array, ulps: float = 1.0) -> Array:
        """A float value moved by up to ``ulps`` units in the last place, each component and lane on its own."""
        if self.quiet or value.dtype.kind != "f":
            return value
        step = ulps * (self.epsilon or _EPSILON[value.dtype])
        width = 1 if value.ndim == 1 else value[0].size
        row = self.next = (self.next + width) % self.rows
        factor = self.factors.get((step, row, width))
        if factor is None:
            rows = [(row + column) % self.rows for column in range(width)]
            # Drawn out to all lanes only where it is used.
            noise = self.noise[rows].take(self.numbers, axis=1).reshape(width, -1)
            factor = self.factors[step, row, width] = 1.0 + step * (noise[0] if width == 1 else noise.T)
        moved: Array = value * (factor if width == 1 and value.ndim == 1 else factor.reshape(-1, *value.shape[1:]))
        return moved.astype(value.dtype, copy=False)

    def _shaken(self, operation: Callable[..., Array], *, sums: bool) -> Callable[..., Array]:
        def shaken(*operands: Array) -> Array:
            result = operation(*operands)
            if self.quiet or result.dtype.kind != "f":
                return result
            if not self._tells_exact(result.dtype) or (sums and self.unordered):
                return self.shake(result)
            return self._inexact(result, operation(*(operand.astype(np.float64) for operand in operands)))

        return shaken

    def _tells_exact(self, dtype: np.dtype[Any]) -> bool:
        """Whether float64 tells which results are exact: not where it stands in for the declared precision."""
        return self.epsilon is None and dtype.itemsize < np.dtype(np.float64).itemsize

    def _inexact(self, result: Array, wide: Array, ulps: float = 1.0) -> Array:
        """A result moved where it was rounded. What is exact is so on every machine, and a tie of it stays a tie."""
        moved: Array = np.where(wide == result, result, self.shake(result, ulps))
        return moved

    def round(self, value: Array, dtype: np.dtype[Any]) -> Array:
        """A value converted to a float dtype, and moved when that loses digits."""
        result = value.astype(dtype)
        narrower = value.dtype.kind == "f" and value.dtype.itemsize > dtype.itemsize
        return self.shake(result) if narrower else result

    def library(self, function: Callable[..., Array], *operands: Array) -> Array:
        """A function of the mathematical library, which is allowed a few units in the last place.

        Not where the result is exact, as that of ``exp(0)``.
        """
        dtype = operands[0].dtype
        if self.quiet or not self._tells_exact(dtype):
            return self.shake(super().library(function, *operands), LIBRARY_ULPS)
        wide = function(*(operand.astype(np.float64) for operand in operands))
        return self._inexact(wide.astype(dtype), wide, LIBRARY_ULPS)
