"""Interval rules: from the bounds of the operands to the bounds of the result, or None outside the domain.

A rule takes the length ``n`` of the composite operand (1 for scalars), then a low and a high bound an operand.
Rules are sound (no result lies outside), and refuse what would be useless as well as what is illegal: a
saturated ``tanh`` or an ``exp`` that underflows makes a dead expression.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Bounds = tuple[float, float]
Rule = Callable[..., Bounds | None]

# Below this a divisor counts as near zero.
SMALLEST_DIVISOR = 0.05


def corners(a: float, b: float, c: float, d: float) -> Bounds:
    """The range of a product of two intervals."""
    w, x, y, z = a * c, a * d, b * c, b * d
    return min(w, x, y, z), max(w, x, y, z)


def add(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Sums."""
    return a + c, b + d


def sub(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Differences."""
    return a - d, b - c


def mul(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Products."""
    return corners(a, b, c, d)


def div(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Quotients by an interval that stays away from zero."""
    if c < SMALLEST_DIVISOR and d > -SMALLEST_DIVISOR:
        return None
    return corners(a, b, 1.0 / d, 1.0 / c)


def square(_: int, a: float, b: float) -> Bounds:
    """A value times itself."""
    if a >= 0.0:
        return a * a, b * b
    if b <= 0.0:
        return b * b, a * a
    return 0.0, max(a * a, b * b)


def negate(_: int, a: float, b: float) -> Bounds:
    """Negation."""
    return -b, -a


def absolute(_: int, a: float, b: float) -> Bounds | None:
    """Absolute value, where it changes something."""
    if a >= 0.0:
        return None
    if b <= 0.0:
        return -b, -a
    return 0.0, max(-a, b)


def rising(function: Callable[[float], float], low: float, high: float) -> Rule:
    """The rule of a function that rises on ``[low, high]`` and is used nowhere else."""

    def rule(_: int, a: float, b: float) -> Bounds | None:
        return (function(a), function(b)) if low <= a and b <= high else None

    return rule


def falling(function: Callable[[float], float], low: float, high: float) -> Rule:
    """The rule of a function that falls on ``[low, high]`` and is used nowhere else."""

    def rule(_: int, a: float, b: float) -> Bounds | None:
        return (function(b), function(a)) if low <= a and b <= high else None

    return rule


def sine(_: int, a: float, b: float) -> Bounds | None:
    """Sine of a moderate angle: of a huge one its float error would be all there is."""
    if a < -50.0 or b > 50.0:
        return None
    low, high = sorted((math.sin(a), math.sin(b)))
    if math.floor((b - math.pi / 2) / math.tau) > math.floor((a - math.pi / 2) / math.tau):
        high = 1.0
    if math.floor((b + math.pi / 2) / math.tau) > math.floor((a + math.pi / 2) / math.tau):
        low = -1.0
    return low, high


def cosine(n: int, a: float, b: float) -> Bounds | None:
    """Cosine of a moderate angle."""
    return sine(n, a + math.pi / 2, b + math.pi / 2)


def power(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Powers of a base above zero."""
    if a < SMALLEST_DIVISOR or b > 100.0 or c < -4.0 or d > 4.0:
        return None
    w, x, y, z = a**c, a**d, b**c, b**d
    return min(w, x, y, z), max(w, x, y, z)


def _meet(a: float, b: float, c: float, d: float) -> bool:
    """Whether two intervals overlap, or a number lies inside an interval."""
    return max(a, c) < min(b, d) or a < c == d < b or c < a == b < d


def minimum(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """The smaller of two that can each be it."""
    return (min(a, c), min(b, d)) if _meet(a, b, c, d) else None


def maximum(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """The larger of two that can each be it."""
    return (max(a, c), max(b, d)) if _meet(a, b, c, d) else None


def clamp(_: int, a: float, b: float, c: float, d: float, e: float, f: float) -> Bounds | None:
    """A value kept between two bounds that can both bind, or one of them."""
    if d > e or (c <= a and f >= b) or c >= b or f <= a:
        return None
    return min(max(a, c), e), min(max(b, d), f)


def arctan2(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Angles of points off the origin, kept from the cut on the negative x axis."""
    if c < SMALLEST_DIVISOR:
        return None
    w, x, y, z = math.atan2(a, c), math.atan2(a, d), math.atan2(b, c), math.atan2(b, d)
    return min(w, x, y, z), max(w, x, y, z)


def remainder(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Remainders of values that are not negative, by a divisor that can wrap them."""
    if a < 0.0 or c < SMALLEST_DIVISOR or b <= c:
        return None
    return 0.0, min(b, d)


def whole_remainder(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Integer remainders of values that are not negative, by a divisor that can wrap them."""
    if a < 0 or c < 2 or b <= c:
        return None
    return 0, min(b, d - 1)


def floor_quotient(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Integer quotients, rounded down, of values that are not negative."""
    if a < 0 or c < 1 or b < 2 * c or d < 2:
        return None
    return a // d, b // c


def shift_left(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Left shifts of values that are not negative."""
    if a < 0 or c < 0 or d > 6:
        return None
    return a * 2**c, b * 2**d


def shift_right(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Right shifts that leave something."""
    if a < 0 or c < 0 or d > 6 or b < 2 ** (d + 1):
        return None
    return a // 2**d, b // 2**c


def _ones(value: float) -> float:
    """The smallest ``2**k - 1`` that is no less than a value."""
    return float(2 ** int(value).bit_length() - 1)


def bit_and(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Common bits of values that are not negative."""
    if a < 0 or c < 0 or d < 1 or b < 1:
        return None
    return 0, min(b, d)


def bit_or(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Bits of either of two values that are not negative."""
    if a < 0 or c < 0:
        return None
    return max(a, c), _ones(max(b, d))


def bit_xor(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Bits of just one of two values that are not negative."""
    if a < 0 or c < 0:
        return None
    return 0, _ones(max(b, d))


def sign(_: int, a: float, b: float) -> Bounds | None:
    """The sign, where it varies."""
    return (-1.0, 1.0) if a < 0.0 < b else None


def rounded(function: Callable[[float], float]) -> Rule:
    """The rule of a rounding to whole numbers, where several can come out."""

    def rule(_: int, a: float, b: float) -> Bounds | None:
        return (float(function(a)), float(function(b))) if b - a > 1.5 else None

    return rule


def fraction(_: int, a: float, b: float) -> Bounds | None:
    """The part behind the point, of values that are not negative."""
    return (0.0, 1.0) if a >= 0.0 and b - a > 1.0 else None


def smoothstep(_: int, __: float, b: float, c: float, ___: float, e: float, f: float) -> Bounds | None:
    """The cubic step between two edges, where the value crosses them."""
    if c - b < SMALLEST_DIVISOR or e >= c or f <= b:
        return None
    return 0.0, 1.0


def blend(_: int, a: float, b: float, c: float, d: float, e: float, f: float) -> Bounds | None:
    """Linear interpolation with a weight from 0 to 1."""
    if e < -1e-6 or f > 1.0 + 1e-6:
        return None
    return min(a, c), max(b, d)


def length(n: int, a: float, b: float) -> Bounds:
    """The Euclidean length of a vector."""
    low, high = square(1, a, b)
    return math.sqrt(n * low), math.sqrt(n * high)


def length_sq(n: int, a: float, b: float) -> Bounds:
    """The squared length of a vector."""
    low, high = square(1, a, b)
    return n * low, n * high


def dot(n: int, a: float, b: float, c: float, d: float) -> Bounds:
    """The inner product."""
    low, high = corners(a, b, c, d)
    return n * low, n * high


def cross(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Each component is the difference of two products."""
    low, high = corners(a, b, c, d)
    return low - high, high - low


def normalize(_: int, a: float, b: float) -> Bounds:
    """Components of a unit vector."""
    return (0.0 if a >= 0.0 else -1.0), (0.0 if b <= 0.0 else 1.0)


def total(n: int, a: float, b: float) -> Bounds:
    """The sum of ``n`` components, such as a trace."""
    return n * a, n * b


def determinant(n: int, a: float, b: float) -> Bounds:
    """Hadamard's bound."""
    bound = (max(abs(a), abs(b)) * math.sqrt(n)) ** n
    return -bound, bound


def double_dot(n: int, a: float, b: float, c: float, d: float) -> Bounds:
    """The sum of all products of components of two matrices."""
    low, high = corners(a, b, c, d)
    return n * n * low, n * n * high


def same(_: int, a: float, b: float) -> Bounds:
    """The operand's own bounds."""
    return a, b


def truncated(_: int, a: float, b: float) -> Bounds | None:
    """Float to integer."""
    return (float(int(a)), float(int(b))) if b - a > 1.5 else None


def with_zero(_: int, a: float, b: float) -> Bounds:
    """The operand's bounds and zero."""
    return min(a, 0.0), max(b, 0.0)


def unit(_: int) -> Bounds:
    """From 0 to 1."""
    return 0.0, 1.0


def refused(_: int, *__: float) -> None:
    """Never legal from bounds alone: whoever uses the operator proves it by other means."""
    return
