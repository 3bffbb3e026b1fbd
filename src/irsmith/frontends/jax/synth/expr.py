"""Expressions over arrays: their text, shape, dtype, and the bounds of their values.

Whoever makes one knows that it is legal: the functions here compute shapes and bounds, and the moves that call
them look at the bounds first. So no logarithm of a negative number is written, and nothing overflows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

ATOM, POWER, UNARY, PRODUCT, SUM, COMPARISON, LOOSE = 7, 6, 5, 4, 3, 2, 0
"""How tightly a text binds."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Expr:
    """A typed expression.

    Attributes:
        text: As it is written.
        binding: How tightly the text binds.
        shape: The static shape.
        dtype: The dtype, by JAX's name.
        low: No value is below it.
        high: No value is above it.
        names: The variables that it reads.
        tied: Whether its elements add up to something that is known, so that to add them up says nothing.
        size: How many operations it is made of.
        made: What made it: the name of a function or of a kind of operation, and its operands' texts where they
            matter. Empty for an argument, and where nothing that may follow hangs on it.
    """

    text: str
    binding: int
    shape: Shape
    dtype: str
    low: float
    high: float
    names: frozenset[str] = frozenset()
    tied: bool = False
    size: int = 0
    made: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def elements(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def real(self) -> bool:
        """Whether it holds floats."""
        return "float" in self.dtype

    @property
    def reach(self) -> float:
        """The largest magnitude."""
        return max(abs(self.low), abs(self.high))

    @property
    def width(self) -> float:
        """The length of the interval of its values."""
        return self.high - self.low

    def at(self, binding: int) -> str:
        """The text where something stands beside it that binds so tightly."""
        return self.text if self.binding >= binding else f"({self.text})"


def name(text: str, shape: Shape, dtype: str, low: float, high: float) -> Expr:
    """A variable."""
    return Expr(text, ATOM, shape, dtype, low, high, frozenset((text,)))


def literal(value: float, dtype: str) -> Expr:
    """A number, which takes the dtype of what it meets."""
    text = repr(value)
    return Expr(text, ATOM if value >= 0 else UNARY, (), dtype, value, value)


def broadcast(*shapes: Shape) -> Shape | None:
    """The shape that shapes broadcast to, or None."""
    rank = max(map(len, shapes))
    result = []
    for axis in range(-rank, 0):
        extents = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(extents) > 1:
            return None
        result.append(extents.pop() if extents else 1)
    return tuple(result)


def called(
    text: str,
    *of: Expr,
    shape: Shape,
    low: float,
    high: float,
    dtype: str | None = None,
    tied: bool = False,
    made: tuple[str, ...] = (),
) -> Expr:
    """A call or any other atom made of expressions."""
    return Expr(
        text,
        ATOM,
        shape,
        dtype or of[0].dtype,
        low,
        high,
        frozenset().union(*(part.names for part in of)),
        tied,
        1 + sum(part.size for part in of),
        made,
    )


def _joined(text: str, binding: int, a: Expr, b: Expr, low: float, high: float, made: tuple[str, ...]) -> Expr:
    shape = broadcast(a.shape, b.shape)
    assert shape is not None
    tied = (a.tied and not b.names) or (b.tied and not a.names)
    dtype = a.dtype if a.names else b.dtype
    return Expr(text, binding, shape, dtype, low, high, a.names | b.names, tied, 1 + a.size + b.size, made)


def _operation(kind: str, a: Expr, b: Expr) -> tuple[str, ...]:
    """What an operation on two expressions is called: one with a number shifts or scales."""
    if a.names and b.names:
        return kind, a.text, b.text
    operand = a.text if a.names else b.text
    if kind == "div" and not a.names:
        return "inverse", operand
    return ("shift" if kind in ("add", "sub") else "scale"), operand


def add(a: Expr, b: Expr) -> Expr:
    """``a + b``."""
    return _joined(f"{a.at(SUM)} + {b.at(SUM + 1)}", SUM, a, b, a.low + b.low, a.high + b.high, _operation("add", a, b))


def sub(a: Expr, b: Expr) -> Expr:
    """``a - b``."""
    return _joined(f"{a.at(SUM)} - {b.at(SUM + 1)}", SUM, a, b, a.low - b.high, a.high - b.low, _operation("sub", a, b))


def products(a: Expr, b: Expr) -> tuple[float, float]:
    """The bounds of products of two expressions' elements."""
    corners = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
    return min(corners), max(corners)


def mul(a: Expr, b: Expr) -> Expr:
    """``a * b``."""
    made = _operation("mul", a, b)
    return _joined(f"{a.at(PRODUCT)} * {b.at(PRODUCT + 1)}", PRODUCT, a, b, *products(a, b), made)


def div(a: Expr, b: Expr) -> Expr:
    """``a / b``, whose divisor keeps off zero."""
    assert b.low > 0 or b.high < 0
    corners = (a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high)
    made = _operation("div", a, b)
    return _joined(f"{a.at(PRODUCT)} / {b.at(PRODUCT + 1)}", PRODUCT, a, b, min(corners), max(corners), made)


def compared(a: Expr, sign: str, b: Expr) -> Expr:
    """A comparison."""
    made = _joined(f"{a.at(SUM)} {sign} {b.at(SUM)}", COMPARISON, a, b, 0, 1, ())
    return replace(made, dtype="bool", tied=False)


def negated(a: Expr) -> Expr:
    """``-a``."""
    text, size = f"-{a.at(UNARY)}", a.size + 1
    return replace(a, text=text, binding=UNARY, low=-a.high, high=-a.low, size=size, made=("neg",))


def squared(a: Expr) -> Expr:
    """``a ** 2``."""
    least = 0.0 if a.low <= 0 <= a.high else min(a.low**2, a.high**2)
    text, size = f"{a.at(ATOM)} ** 2", a.size + 1
    return replace(a, text=text, binding=POWER, low=least, high=a.reach**2, tied=False, size=size, made=("square",))


def hull(*parts: Expr) -> tuple[float, float]:
    """Bounds that hold for each of several expressions."""
    return min(part.low for part in parts), max(part.high for part in parts)
