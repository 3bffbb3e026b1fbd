"""Interval rules: from the bounds of the operands to the bounds of the result, or None outside the domain.

A rule takes the length ``n`` of the composite operand (1 for scalars), then a low and a high bound an operand.
Rules are sound (no result lies outside), and refuse what would be useless as well as what is illegal: a
saturated ``tanh`` or an ``exp`` that underflows makes a dead expression.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

Bounds = tuple[float, float]
Rule = Callable[..., Bounds | None]

# Below this a divisor counts as near zero.
SMALLEST_DIVISOR = 0.05


def corners(a: float, b: float, c: float, d: float) -> Bounds:
    """The range of a product of two intervals."""
    if a >= 0.0 and c >= 0.0:
        return a * c, b * d
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


_NORMAL = statistics.NormalDist()


def erfinv(y: float) -> float:
    """The inverse of the error function."""
    return _NORMAL.inv_cdf(0.5 * (y + 1.0)) / math.sqrt(2.0)


def erfcinv(y: float) -> float:
    """The inverse of the complementary error function."""
    return -_NORMAL.inv_cdf(0.5 * y) / math.sqrt(2.0)


def copied_sign(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """A magnitude with another value's sign, where that varies."""
    size = max(-a, b)
    return (-size, size) if c < 0.0 < d else None


def sign_bit(_: int, a: float, b: float) -> Bounds | None:
    """1 below zero and 0 above, where both happen."""
    return (0.0, 1.0) if a < 0.0 < b else None


def zero_or_not(_: int, a: float, b: float) -> Bounds | None:
    """0 at zero and 1 elsewhere, where both happen often enough."""
    return (0, 1) if a <= 0 <= b and 1 <= b - a <= 8 else None


def inverted(_: int, a: float, b: float) -> Bounds | None:
    """All bits flipped."""
    return -b - 1, -a - 1


def bits_set(_: int, a: float, b: float) -> Bounds | None:
    """How many bits are set, of values that are not negative."""
    return (0, int(b).bit_length()) if a >= 0 and b > a else None


def place(n: int, a: float, b: float) -> Bounds | None:
    """Which of ``n`` components."""
    return (0, n - 1) if b > a else None


def taxicab(n: int, a: float, b: float) -> Bounds:
    """The sum of the magnitudes of ``n`` components."""
    low = 0.0 if a <= 0.0 <= b else min(abs(a), abs(b))
    return n * low, n * max(-a, b)


def huber(n: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Huber's norm for a threshold above zero: never more than its straight part, continued to zero."""
    return (0.0, d * length(n, a, b)[1]) if c >= SMALLEST_DIVISOR else None


def pseudo_huber(n: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """The smooth form of it, which is the threshold at zero."""
    low, high = length(n, a, b)
    return (math.hypot(c, low), math.hypot(d, high)) if c >= SMALLEST_DIVISOR else None


def normalize_softly(n: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """Components of a vector shorter than one."""
    del d
    return normalize(n, a, b) if c >= SMALLEST_DIVISOR else None


def mirrored(_: int, a: float, b: float) -> Bounds:
    """A value, its negative, or zero."""
    size = max(abs(a), abs(b))
    return -size, size


def either_of(_: int, *bounds: float) -> Bounds:
    """One of several values."""
    return min(bounds[::2]), max(bounds[1::2])


def _size(a: float, b: float) -> float:
    return max(abs(a), abs(b))


def _around(size: float) -> Bounds:
    return -size, size


def unit_ball(_: int, *bounds: float) -> Bounds:
    """Components of a value of length one."""
    del bounds
    return -1.0, 1.0


def half_turn(_: int, *bounds: float) -> Bounds:
    """Angles of a rotation."""
    del bounds
    return -math.tau, math.tau


def full_turn(_: int, *bounds: float) -> Bounds:
    """Twice the arc tangent of any quotient."""
    del bounds
    return -math.tau, math.tau


def _gain(q: float) -> float:
    """How much a quaternion with components up to ``q`` can enlarge a component: all of it at length one or not."""
    return max(1.0, 2.0 * q * q - 1.0) + 10.0 * q * q


def hamilton(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Four products of either sign."""
    return _around(4.0 * _size(a, b) * _size(c, d))


def rotated(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """A vector rotated by a quaternion that need not have length one."""
    return _around(_gain(_size(a, b)) * _size(c, d))


def rotation_entries(_: int, a: float, b: float) -> Bounds:
    """The unit vectors rotated."""
    size = _size(a, b)
    return _around(max(1.0, 2.0 * size * size - 1.0) + 4.0 * size * size)


def about_axis(_: int, a: float, b: float, c: float, d: float) -> Bounds | None:
    """A quaternion from an axis and an angle that varies."""
    return _around(max(1.0, _size(a, b))) if d - c > 1e-6 else None


def composed(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """One transform after the other."""
    first, second = _size(a, b), _size(c, d)
    return _around(max(_gain(first) * second + first, 4.0 * first * second))


def moved(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """A point rotated and translated."""
    return _around(_gain(_size(a, b)) * _size(c, d) + _size(a, b))


def moved_back(_: int, a: float, b: float) -> Bounds:
    """The inverse of a transform."""
    return _around(_gain(_size(a, b)) * _size(a, b))


def rigid_entries(n: int, a: float, b: float) -> Bounds:
    """A transform's matrix."""
    return min(a, rotation_entries(n, a, b)[0]), max(b, rotation_entries(n, a, b)[1])


def projected(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Three products and the translation, or no translation."""
    size = _size(a, b)
    return _around(3.0 * size * _size(c, d) + size)


def with_units(_: int, a: float, b: float) -> Bounds:
    """A matrix's column, and a quaternion of length one."""
    return min(a, -1.0), max(b, 1.0)


def scaled_motion(n: int, a: float, b: float, c: float, d: float, e: float, f: float) -> Bounds:
    """A matrix of translation, rotation and scale."""
    return _around(max(_size(a, b), rotation_entries(n, c, d)[1] * _size(e, f), 1.0))


def spatial_cross(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Two cross products added."""
    return _around(4.0 * _size(a, b) * _size(c, d))


def point_velocity(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """A linear velocity and the lever's share."""
    return _around(_size(a, b) * (1.0 + 2.0 * _size(c, d)))


def moved_twist(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """A twist or a wrench in another frame."""
    size = _size(a, b)
    return _around(_gain(size) * _size(c, d) * (1.0 + 2.0 * size))


def with_zero_of_two(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """Blocks of two matrices, and zeros."""
    return min(a, c, 0.0), max(b, d, 0.0)


def six_terms(_: int, a: float, b: float, c: float, d: float) -> Bounds:
    """A 6x6 matrix times a vector."""
    return _around(6.0 * _size(a, b) * _size(c, d))


def noise(_: int, __: float, ___: float, a: float, b: float, *periods: float) -> Bounds | None:
    """Gradient noise of coordinates that span some cells of its lattice but not too many."""
    del periods
    return (-1.2, 1.2) if b - a >= 1.0 and _size(a, b) <= 100.0 else None


def curl(n: int, state: float, state_too: float, a: float, b: float) -> Bounds | None:
    """The curl of gradient noise, whose slopes are a few units."""
    return None if noise(n, state, state_too, a, b) is None else (-12.0, 12.0)
