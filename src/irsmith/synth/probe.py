"""A kernel in the making, tried on a few dozen imagined threads.

Bounds say what is legal; they do not say what happens. So every variable has a lane of sample values: a statement
is kept only if its result varies, is finite, and feels each operand, and a test only if both its sides are met.
The lanes come in groups: threads of one launch share what is passed by value.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from irsmith.synth.edges import closest_edges, triangles_meet
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Expr, Helper, If, Return, Stmt
from irsmith.synth.rotations import ROTATION_MEANINGS
from irsmith.synth.spans import erfcinv, erfinv
from irsmith.types import Matrix, Quaternion, Scalar, Transformation, ValueType, Vector

Lanes = npt.NDArray[Any]

GROUPS, MEMBERS = 8, 8
LANES = GROUPS * MEMBERS
_COLUMNS = 512
_FACTORS = frozenset({"mul", "vscale", "neg", "vneg", "square", "cw_mul", "mmul", "mvmul", "mscale", "outer"})
_LEAVES = frozenset({"literal", "static", "name", "index", "field", "extent"})
_FIXED = frozenset({"literal", "static", "extent"})
# The least part of a result's spread that an operand must account for, and the least spread itself.
_LEAST_EFFECT = 0.006
_LEAST_SPREAD = 0.02
# The least part of a variable's spread that anything which went into it must account for, by way of others: as a
# multiple of what an operand must account for.
_LEAST_INFLUENCE = 0.8
# The least that the arms of a conditional must differ by, as a part of the result's spread.
_LEAST_CHOICE = 0.04
# The fewest lanes on either side of a test.
_FEWEST = 5


def _tables() -> tuple[Lanes, Lanes, Lanes]:
    """Evenly spread numbers from 0 to 1 in many orders: a lane each, and a group each; and one shuffle."""
    source = random.Random(1)

    def column(count: int) -> Lanes:
        order = sorted(range(count), key=lambda _: source.random())
        return np.array([(place + source.random()) / count for place in order])

    lanes = np.array([column(LANES) for _ in range(_COLUMNS)])
    groups = np.array([np.repeat(column(GROUPS), MEMBERS) for _ in range(_COLUMNS)])
    shuffle = np.array(sorted(range(LANES), key=lambda _: source.random()))
    return lanes, groups, shuffle


_BY_LANE, _BY_GROUP, _SHUFFLE = _tables()
_least, _most, _sums = np.minimum.reduce, np.maximum.reduce, np.add.reduce


def _total(lanes: Lanes) -> Lanes:
    """Sums over the components of composite lanes."""
    total: Lanes = np.add.reduce(lanes, axis=-1)
    return total


def _tuple_dot(a: Lanes, b: Lanes) -> Lanes:
    return _total(a * b)


def _column(value: Lanes) -> Lanes:
    """A scalar as a factor of vectors."""
    return value[:, None] if isinstance(value, np.ndarray) else value


def _square_column(value: Lanes) -> Lanes:
    """A scalar as a factor of matrices."""
    return value[:, None, None] if isinstance(value, np.ndarray) else value


def _cross(a: Lanes, b: Lanes) -> Lanes:
    result: Lanes = a[..., (1, 2, 0)] * b[..., (2, 0, 1)] - a[..., (2, 0, 1)] * b[..., (1, 2, 0)]
    return result


def _normalize(v: Lanes) -> Lanes:
    unit: Lanes = v / (np.sqrt(_total(v * v))[..., None] + 1e-12)
    return unit


def _transposed(m: Lanes) -> Lanes:
    return m.swapaxes(-1, -2)


def _smoothstep(a: Lanes, b: Lanes, x: Lanes) -> Lanes:
    t = np.clip((x - a) / (b - a), 0.0, 1.0)
    eased: Lanes = t * t * (3.0 - 2.0 * t)
    return eased


def _each(function: Callable[[float], float]) -> Callable[..., Any]:
    return np.vectorize(function, otypes=[float])


def _length(v: Lanes) -> Lanes:
    size: Lanes = np.sqrt(_total(v * v))
    return size


def _huber(v: Lanes, delta: Lanes) -> Lanes:
    size = _length(v)
    return np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))


def _skew(v: Lanes) -> Lanes:
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    zero = np.zeros_like(x)
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: function(np.asarray(a).astype(np.int64), np.asarray(b).astype(np.int64)).astype(np.float64)


MEANINGS: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "mod": np.fmod, "rem": np.fmod,
    "floordiv": np.floor_divide, "square": np.square, "neg": np.negative, "abs": np.abs, "min": np.minimum,
    "max": np.maximum, "clamp": lambda x, a, b: np.minimum(np.maximum(x, a), b), "sign": np.sign, "pow": np.power,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "exp": np.exp, "log": np.log,
    "log2": np.log2,
    "log10": np.log10, "floor": np.floor, "ceil": np.ceil, "round": np.rint, "frac": lambda x: x - np.floor(x),
    "lerp": lambda a, b, t: a + (b - a) * t, "smoothstep": _smoothstep, "degrees": np.degrees, "radians": np.radians,
    "shl": _whole(np.left_shift), "shr": _whole(np.right_shift), "and": _whole(np.bitwise_and),
    "or": _whole(np.bitwise_or),
    "xor": _whole(np.bitwise_xor),
    "vadd": np.add, "vsub": np.subtract, "vneg": np.negative, "vscale": lambda v, x: v * _column(x),
    "vdiv": lambda v, x: v / _column(x),
    "cw_mul": np.multiply, "cw_div": np.divide, "vmin": np.minimum, "vmax": np.maximum, "vabs": np.abs,
    "vlerp": lambda a, b, t: a + (b - a) * _column(t), "dot": _tuple_dot, "cross": _cross, "normalize": _normalize,
    "length": lambda v: np.sqrt(_total(v * v)), "length_sq": lambda v: _total(v * v),
    "madd": np.add, "msub": np.subtract, "mscale": lambda m, x: m * _square_column(x), "mmul": np.matmul,
    "mvmul": lambda m, v: (m @ v[..., None])[..., 0], "transpose": _transposed, "determinant": np.linalg.det,
    "trace": lambda m: np.trace(m, axis1=-2, axis2=-1), "ddot": lambda a, b: (a * b).sum(axis=(-2, -1)),
    "inverse": np.linalg.inv,
    "outer": lambda a, b: a[..., :, None] * b[..., None, :], "diag": lambda v: v[..., :, None] * np.eye(v.shape[-1]),
    "copysign": np.copysign, "step": lambda x: (x < 0.0).astype(float), "trunc": np.trunc, "rint": np.rint,
    "erf": _each(math.erf), "erfc": _each(math.erfc),
    "erfinv": _each(lambda y: erfinv(y) if -1.0 < y < 1.0 else math.nan),
    "erfcinv": _each(lambda y: erfcinv(y) if 0.0 < y < 2.0 else math.nan),
    "div_approx": np.divide, "invert": lambda x: -x - 1.0, "nonzero": lambda x: (x != 0.0).astype(float),
    "bit_count": lambda x: np.bitwise_count(x.astype(np.int64)).astype(float), "vsign": np.sign,
    "vlow": lambda v: v.min(axis=-1), "vhigh": lambda v: v.max(axis=-1),
    "argmin": lambda v: v.argmin(axis=-1).astype(float), "argmax": lambda v: v.argmax(axis=-1).astype(float),
    "norm_l1": lambda v: np.abs(v).sum(axis=-1), "norm_l2": _length, "norm_huber": _huber,
    "norm_pseudo_huber": lambda v, d: np.hypot(d, _length(v)),
    "smooth_normalize": lambda v, d: v / np.hypot(d, _length(v))[..., None], "inverse_approx": np.linalg.inv,
    "mcw_mul": np.multiply, "get_diag": lambda m: np.diagonal(m, axis1=-2, axis2=-1), "skew": _skew,
    "from_rows": lambda *rows: np.stack(rows, axis=-2), "from_cols": lambda *columns: np.stack(columns, axis=-1),
    **ROTATION_MEANINGS, "closest_edges": closest_edges, "triangles_meet": triangles_meet,
    "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
    "both": np.logical_and, "either": np.logical_or, "not": np.logical_not,
}  # fmt: skip
"""What operators do to lanes."""
_meaning = MEANINGS.get


class Probe:
    """The lanes of one kernel.

    Attributes:
        values: The lanes of each variable.
        mask: Which lanes reach the current block; None for all.
        looping: How many loops are open: in a loop, threads of a launch see what they share change.
        shared: Arrays whose elements all threads read alike.
        influence: How much of each variable's spread is owed to each name that went into it.
        weights: The influences on the value that was checked last.
        contrast: How far each variable varies, relative to its size.
        last: The contrast of the value that was checked last.
        least: The least part of a result's spread that an operand must account for.
        size: The number of lanes.
    """

    __slots__ = (
        "_elements",
        "_next",
        "contrast",
        "helpers",
        "influence",
        "last",
        "least",
        "looping",
        "mask",
        "shared",
        "size",
        "values",
        "weights",
    )

    def __init__(self, first: int, least: float = _LEAST_EFFECT, size: int = LANES) -> None:
        self.least = least
        self.size = size
        self.last = 1.0
        self.contrast: dict[str, float] = {}
        self.values: dict[str, Lanes] = {}
        self.mask: Lanes | None = None
        self.looping = 0
        self.shared: set[str] = set()
        self.helpers: dict[str, Helper] = {}
        self.influence: dict[str, dict[str, float]] = {}
        self.weights: dict[str, float] = {}
        self._elements: dict[Any, Lanes] = {}
        self._next = first

    def state(self) -> tuple[Any, ...]:
        """What `restore` needs to forget all that happens from now on."""
        return dict(self.values), dict(self._elements), dict(self.influence), self.mask, self.looping

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back to an earlier state. Names that are free again may come to stand for something else."""
        self.values, self._elements, self.influence, self.mask, self.looping = state

    def draw(self, value: Expr, *, by_group: bool = False) -> Lanes:
        """Lanes spread over an input's domain."""
        low, high = value.span.low, value.span.high
        table = _BY_GROUP if by_group else _BY_LANE
        self._next += 1
        first = self._next * 7
        kind = value.kind
        shape = () if kind == "f" else shape_of(value.type)
        if shape:
            places = [(first + k * 31) % _COLUMNS for k in range(math.prod(shape))]
            unit: Lanes = table[places].T.copy().reshape(LANES, *shape)
        else:
            unit = table[first % _COLUMNS]
            if kind == "b":
                return unit < 0.5
            if kind == "i":
                return np.floor(low + (high - low + 1) * unit)
        return low + (high - low) * unit

    def argument(self, value: Expr) -> None:
        """Give an argument by value its lanes."""
        self.values[value.name] = self.draw(value, by_group=True)

    def drawn(self, value: Expr) -> None:
        """Give what each thread draws at random its lanes."""
        self.values[value.name] = self.draw(value)

    def element(self, value: Expr) -> None:
        """Give an element that is read other lanes than it had."""
        self._elements[_place(value)] = self.draw(value)

    def goes_through(self, body: tuple[Stmt, ...]) -> None:
        """Give variables what statements that assign leave in them."""
        self._through(body, None, None)

    def constant(self, value: Expr) -> None:
        """Give a name lanes that do not matter, such as a random state's."""
        self.values[value.name] = 0.0  # type: ignore[assignment]

    def of(self, e: Expr) -> Lanes:
        """The lanes of an expression."""
        op = e.op
        meaning = _meaning(op)
        if meaning is None:
            return self._leaf(e) if op in _LEAVES else self._apply(e, [self.of(arg) for arg in e.args])
        args = e.args
        if len(args) == 2:
            return meaning(self.of(args[0]), self.of(args[1]))  # type: ignore[no-any-return]
        if len(args) == 1:
            return meaning(self.of(args[0]))  # type: ignore[no-any-return]
        return meaning(*[self.of(arg) for arg in args])  # type: ignore[no-any-return]

    def _leaf(self, e: Expr) -> Lanes:
        """The lanes of something that is read, drawn when it is first met."""
        op = e.op
        if op in {"literal", "static"}:
            # A float goes for lanes that are all alike: numpy spreads it.
            return e.value  # type: ignore[return-value]
        if op == "name":
            known = self.values.get(e.name)
            if known is None:
                known = self.values[e.name] = self.draw(e)
            return known
        place = _place(e)
        known = self._elements.get(place)
        if known is None:
            known = self._elements[place] = self.draw(e, by_group=field_path(e)[0] in self.shared)
        return known

    def _apply(self, e: Expr, args: list[Lanes]) -> Lanes:
        """What an expression makes of its operands' lanes, where it is no operator of the table."""
        op = e.op
        if op == "bits":
            return np.ascontiguousarray(args[0], np.float32).view(np.int32).astype(np.float64)
        if op == "cast":
            return np.trunc(args[0]) if e.kind == "i" else args[0]
        if op == "component":
            return args[0][..., int(e.value)]
        if op == "element":
            return args[0][..., int(e.args[1].value), int(e.args[2].value)]
        if op == "make":
            return self._made(args, shape_of(e.type))
        if op == "qidentity":
            return np.tile((0.0, 0.0, 0.0, 1.0), (self.size, 1))
        if op == "tidentity":
            return np.tile((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0), (self.size, 1))
        if op == "identity":
            return np.eye(e.type.rows)  # type: ignore[union-attr]
        if op == "choose":
            return np.where(*args)
        if op == "mutable":
            shape = (self.size, e.type.length) if e.kind == "v" else (self.size,)  # type: ignore[union-attr]
            return np.full(shape, e.value)
        if op == "call":
            return self._call(self.helpers[e.name], args)
        raise Discard(op)

    def _made(self, parts: list[Lanes], shape: tuple[int, ...]) -> Lanes:
        """A value of the components of its parts, in order."""
        made = np.empty((self.size, math.prod(shape)))
        place = 0
        for part in parts:
            width = part.shape[1] if isinstance(part, np.ndarray) and part.ndim > 1 else 1
            made[:, place : place + width] = (
                part[:, None] if width == 1 and isinstance(part, np.ndarray) and part.ndim else part
            )
            place += width
        return made if len(shape) < 2 else made.reshape(self.size, *shape)

    def _call(self, helper: Helper, arguments: list[Lanes]) -> Lanes:
        """What a helper returns for lanes of operands."""
        inner = Probe(0, size=self.size)
        inner.helpers = self.helpers
        for parameter, lanes in zip(helper.parameters, arguments, strict=True):
            # A helper's variables are lanes even where its operands are numbers: a branch may change them.
            inner.values[parameter.name] = lanes if isinstance(lanes, np.ndarray) else np.full(self.size, lanes)
        _, result = inner._through(helper.body, None, None)
        if result is None:
            raise Discard("call")
        return result

    def _through(
        self, body: tuple[Stmt, ...], active: Lanes | None, result: Lanes | None
    ) -> tuple[Lanes | None, Lanes | None]:
        """Run a helper's statements where a mask holds, or everywhere for None.

        Returns:
            The mask of the lanes that come out, the very one that went in if all do; and what was returned so far.
        """
        for statement in body:
            if isinstance(statement, Assign):
                value, name = statement.value, statement.target.name
                new = (
                    self.of(value)
                    if not statement.op
                    else MEANINGS[statement.op](self.of(statement.target), self.of(value))
                )
                self.values[name] = joined(active, new, self.values.get(name))
            elif isinstance(statement, If):
                holds = self.of(statement.test)
                first, second = (holds, ~holds) if active is None else (active & holds, active & ~holds)
                then, result = self._through(statement.then, first, result)
                otherwise, result = self._through(statement.orelse, second, result)
                if then is not first or otherwise is not second:
                    active = then | otherwise  # type: ignore[operator]
            elif isinstance(statement, Return) and statement.value is not None:
                return np.zeros(self.size, dtype=bool), joined(active, self.of(statement.value), result)
        return active, result

    def _seen(self, lanes: Lanes) -> Lanes:
        if not isinstance(lanes, np.ndarray):
            raise Discard("constant")
        return lanes if self.mask is None else lanes[self.mask]

    def check(self, value: Expr) -> Lanes:
        """The lanes of a value that is about to be kept.

        Raises:
            Discard: It hardly varies, is not finite, or hardly feels something that went into it.
        """
        leaves: dict[Any, Expr] = {}
        _collect(value, leaves)
        # What only multiplies cannot drown an operand that varies itself.
        product = len(leaves) > 1 and _multiplies(value)
        several = len(leaves) > 1 and not product
        varying: list[Any] = []
        lanes, others = self._shuffled(value, leaves, varying) if several else (self.of(value), None)
        if not isinstance(lanes, np.ndarray):
            raise Discard("constant")
        mask = self.mask
        seen = lanes if mask is None else lanes[mask]
        if seen.ndim > 1:
            seen = seen.reshape(len(seen), -1)
            low, high = float(_least(seen, None)), float(_most(seen, None))
        else:
            low, high = float(_least(seen)), float(_most(seen))
        spread = high - low
        # The negation catches NaN.
        if not spread > _LEAST_SPREAD * max(-low, high, 0.02) or spread > 1e12:
            raise Discard("constant")
        influence = self.influence
        weights: dict[str, float] = {}
        if several:
            if others is None:
                felt = []
            else:
                if mask is not None:
                    others = others[:, mask]
                change = np.abs(others - seen)
                felt = _sums(change.reshape(len(change), -1), 1).tolist()
            scale = 3.0 / (seen.size * spread)
            least = self.least * 3.0
            for place, total in zip(varying, felt, strict=True):
                share = total * scale
                # Also where it is no number.
                if not share > least:
                    raise Discard("no effect")
                leaf = leaves[place]
                _weigh(weights, influence.get(leaf.name), leaf.name, min(share, 1.0))
        else:
            for leaf in leaves.values():
                name = leaf.name
                share = 1.0
                if product:
                    share = self.contrast.get(name) or _contrast(leaf.span.low, leaf.span.high)
                _weigh(weights, influence.get(name), name, share)
        if weights and min(weights.values()) < self.least * _LEAST_INFLUENCE:
            raise Discard("drowned")
        self.weights = weights
        self.last = _contrast(low, high)
        return lanes

    def _shuffled(self, value: Expr, leaves: dict[Any, Expr], varying: list[Any]) -> tuple[Lanes, Lanes | None]:
        """An expression's lanes; and, a row each, its lanes with those of one varying leaf in another order.

        All are made in one pass, over lanes that stand one after the other. The leaves that vary are put down.
        """
        stacked: dict[Any, Lanes] = {}
        for place, leaf in leaves.items():
            lanes = self._leaf(leaf)
            if isinstance(lanes, np.ndarray):
                stacked[place] = lanes
        if not stacked:
            return self.of(value), None
        varying += stacked
        copies = 1 + len(stacked)
        for place, order in zip(varying, _orders(copies), strict=True):
            stacked[place] = stacked[place].take(order, 0)
        size, self.size = self.size, copies * LANES
        try:
            lanes = self._with(value, stacked)
        finally:
            self.size = size
        if not isinstance(lanes, np.ndarray):
            return lanes, None
        if lanes.ndim > 1:
            return lanes[:LANES], lanes.reshape(copies, LANES, -1)[1:]
        return lanes[:LANES], lanes.reshape(copies, LANES)[1:]

    def _with(self, e: Expr, stacked: dict[Any, Lanes]) -> Lanes:
        """An expression's lanes, of which some leaves' are given."""
        op = e.op
        meaning = _meaning(op)
        if meaning is None:
            if op not in _LEAVES:
                return self._apply(e, [self._with(arg, stacked) for arg in e.args])
            known = stacked.get(e.name if op == "name" else _place(e)) if op not in _FIXED else None
            return self._leaf(e) if known is None else known
        args = e.args
        if len(args) == 2:
            return meaning(self._with(args[0], stacked), self._with(args[1], stacked))  # type: ignore[no-any-return]
        return meaning(*[self._with(arg, stacked) for arg in args])  # type: ignore[no-any-return]

    def settle(self, name: str, lanes: Lanes) -> None:
        """Give a variable its lanes, and what influences it: that of the value checked last."""
        self.values[name] = lanes
        self.influence[name] = {**self.weights, name: 1.0}
        self.contrast[name] = self.last

    def derive(self, source: Expr, made: dict[str, Lanes]) -> None:
        """Give variables lanes that were made of one value's: what influences it influences them."""
        self.weights = dict(self.influence.get(source.name, {source.name: 1.0}))
        self.last = 1.0
        for name, lanes in made.items():
            self.settle(name, lanes)

    def merge(self, test: Expr, holds: Lanes, then: tuple[dict[str, Lanes], dict[str, dict[str, float]]]) -> set[str]:
        """Join the lanes behind a conditional; the names that either arm changed.

        Args:
            test: The condition.
            holds: Where it holds.
            then: Values and influences at the end of the arm in which it holds; the current ones are the other's.

        Raises:
            Discard: The arms do much the same.
        """
        leaves: dict[Any, Expr] = {}
        _collect(test, leaves)
        changed = set()
        values, influence = then
        for name, lanes in values.items():
            other = self.values.get(name)
            if other is None:
                self.values[name] = lanes
            elif other is not lanes:
                merged = self.values[name] = np.where(like(holds, lanes), lanes, other)
                seen = self._seen(merged)
                spread = float(_most(seen, None) - _least(seen, None))
                # How much it matters which arm was taken: as much as the test does.
                apart = float(_sums(self._seen(np.abs(lanes - other)), None)) / seen.size
                share = apart / spread if spread > 0.0 else 0.0
                if share < _LEAST_CHOICE:
                    raise Discard("either arm will do")
                weights: dict[str, float] = {}
                for leaf in leaves.values():
                    for source, weight in self.influence.get(leaf.name, {leaf.name: 1.0}).items():
                        weights[source] = max(weights.get(source, 0.0), weight * min(share, 1.0))
                for side in (influence.get(name, {}), self.influence.get(name, {})):
                    for source, weight in side.items():
                        weights[source] = max(weights.get(source, 0.0), weight)
                self.influence[name] = weights
                changed.add(name)
        return changed

    def varies_by_thread(self, lanes: Lanes) -> bool:
        """Whether the threads of one launch get different values."""
        if not isinstance(lanes, np.ndarray):
            return False
        grouped = lanes.reshape(GROUPS, MEMBERS, -1)
        apart = float(_most(_most(grouped, 1) - _least(grouped, 1), None))
        return apart > _LEAST_SPREAD * max(1e-2, float(_most(np.abs(lanes), None)))

    def test(self, condition: Expr) -> Lanes:
        """The lanes in which a test holds.

        Raises:
            Discard: It hardly ever holds, or hardly ever fails, where it is reached.
        """
        holds = self.of(condition)
        if not isinstance(holds, np.ndarray):
            raise Discard("one-sided")
        seen = self._seen(holds)
        count = int(np.count_nonzero(seen))
        if count < _FEWEST or len(seen) - count < _FEWEST:
            raise Discard("one-sided")
        if not self.looping:
            held = np.add.reduce(holds.reshape(GROUPS, MEMBERS), axis=1)
            if np.count_nonzero((held > 0) & (held < MEMBERS)) < 3:
                raise Discard("decided for all threads at once")
        return holds

    def quantile(self, value: Expr, low: float, high: float, at: float) -> tuple[float, float]:
        """A value's quantile between two shares, and the distance between those.

        Raises:
            Discard: The value does not vary there.
        """
        seen = np.sort(self._seen(self.of(value)), axis=None)
        last = len(seen) - 1
        a, b = float(seen[int(low * last)]), float(seen[int(high * last)])
        if not b - a > 1e-4 * max(abs(a), abs(b), 1e-2):
            raise Discard("quantile")
        return a + (b - a) * at, b - a


def shape_of(type: ValueType) -> tuple[int, ...]:
    """The components of a value."""
    if isinstance(type, Scalar):
        return ()
    match type:
        case Vector(length):
            return (length,)
        case Matrix(rows, columns):
            return rows, columns
        case Quaternion():
            return (4,)
        case Transformation():
            return (7,)
    return ()


def field_path(e: Expr) -> tuple[str, str]:
    """The variable that a field, or a field of a field, is of, and its path there; of anything else its own name."""
    path = ""
    while e.op == "field":
        path, e = f"{e.name}.{path}" if path else e.name, e.args[0]
    return e.name, path


def joined(active: Lanes | None, new: Lanes, old: Lanes | None) -> Lanes:
    """A variable's lanes after an assignment where a mask holds, or everywhere for None; a first one is everywhere."""
    return new if old is None or active is None else np.where(like(active, new), new, old)


def like(mask: Lanes, lanes: Lanes) -> Lanes:
    """A mask with the dimensions of lanes."""
    return mask if lanes.ndim <= 1 else mask.reshape(-1, *[1] * (lanes.ndim - 1))


def _contrast(low: float, high: float) -> float:
    """How far an interval extends, relative to how far from zero it lies; at most 1."""
    return min(1.0, (high - low) / (max(-low, high) + 1e-9))


def _multiplies(e: Expr) -> bool:
    """Whether an expression is a product of leaves."""
    return e.op in _LEAVES or (e.op in _FACTORS and all(map(_multiplies, e.args)))


def _weigh(weights: dict[str, float], sources: dict[str, float] | None, name: str, share: float) -> None:
    """Add to what names weigh: by a share, those that went into a leaf, or the leaf itself."""
    if sources is None:
        weights[name] = weights.get(name, 0.0) + share
        return
    for source, weight in sources.items():
        weights[source] = weights.get(source, 0.0) + weight * share


@cache
def _orders(copies: int) -> tuple[npt.NDArray[np.int64], ...]:
    """For each copy but the first, the places of lanes that stand so many times, shuffled in that copy alone."""
    orders = []
    for row in range(1, copies):
        order = np.tile(np.arange(LANES), copies)
        order[row * LANES : (row + 1) * LANES] = _SHUFFLE
        orders.append(order)
    return tuple(orders)


def _place(e: Expr) -> Any:
    """What tells two elements, fields or subscripts apart."""
    return (e.op, e.name, e.value, *[_place(arg) for arg in e.args]) if e.args else (e.op, e.name, e.value)


def _collect(e: Expr, leaves: dict[Any, Expr]) -> None:
    """The variables and elements that an expression reads."""
    op = e.op
    if op == "name":
        if e.kind != "r":
            leaves.setdefault(e.name, e)
    elif op in _LEAVES:
        if op not in _FIXED:
            leaves.setdefault(_place(e), e)
    else:
        for arg in e.args:
            _collect(arg, leaves)
