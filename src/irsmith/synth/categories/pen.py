"""Writing a formula as a person would, over a sketch: wrapped expressions, named values, loops and helpers.

Categories of a field of work (physics, graphics, learning) know their formulas. A `Pen` turns Python's own operators
into the synthesiser's, with bounds and lanes as everywhere: what is illegal or without effect raises `Discard`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import Algebra, exactly, kind_of, usual, vector, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.base import spend
from irsmith.synth.describe import describe_helper
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands
from irsmith.synth.ir import Assign, Atomic, Expr, For, Helper, Parameter, Return, Span
from irsmith.synth.names import Names
from irsmith.synth.phases import branches, straight
from irsmith.synth.sketch import Contract, Sketch, mentions
from irsmith.types import FLOAT16, INT32, Domain, Scalar, ValueType, scalar_of

_VECTOR = {"add": "vadd", "sub": "vsub", "mul": "cw_mul", "div": "cw_div", "min": "vmin", "max": "vmax"}
_MATRIX = {"add": "madd", "sub": "msub", "mul": "mmul"}
_UNARY = {"neg": "vneg", "abs": "vabs"}


class Q:
    """An expression under a pen, with Python's operators."""

    __slots__ = ("e", "pen")

    def __init__(self, pen: Pen, e: Expr) -> None:
        self.pen = pen
        self.e = e

    def __add__(self, other: Operand) -> Q:
        return self.pen.two("add", self, other)

    def __radd__(self, other: Operand) -> Q:
        return self.pen.two("add", other, self)

    def __sub__(self, other: Operand) -> Q:
        return self.pen.two("sub", self, other)

    def __rsub__(self, other: Operand) -> Q:
        return self.pen.two("sub", other, self)

    def __mul__(self, other: Operand) -> Q:
        return self.pen.two("mul", self, other)

    def __rmul__(self, other: Operand) -> Q:
        return self.pen.two("mul", other, self)

    def __truediv__(self, other: Operand) -> Q:
        return self.pen.two("div", self, other)

    def __rtruediv__(self, other: Operand) -> Q:
        return self.pen.two("div", other, self)

    def __matmul__(self, other: Q) -> Q:
        return self.pen.do("mvmul" if other.e.kind == "v" else "mmul", self, other)

    def __neg__(self) -> Q:
        return self.pen.one("neg", self)

    def __getitem__(self, position: int) -> Q:
        return Q(self.pen, self.pen.s.al.component(self.e, position))

    def __lt__(self, other: Operand) -> Expr:
        return self.pen.test("lt", self, other)

    def __gt__(self, other: Operand) -> Expr:
        return self.pen.test("gt", self, other)

    def __le__(self, other: Operand) -> Expr:
        return self.pen.test("le", self, other)

    def __ge__(self, other: Operand) -> Expr:
        return self.pen.test("ge", self, other)


Operand = Q | float | int


class Pen:
    """Writes into a sketch.

    Attributes:
        s: The kernel, or the helper, in the making.
        spans: Where variables lie that were changed after they were declared.
    """

    __slots__ = ("s", "spans")

    def __init__(self, s: Sketch) -> None:
        self.s = s
        self.spans: dict[str, Span] = {}

    # Expressions.

    def literal(self, value: float, like: Expr | None = None) -> Expr:
        """A number of the kind of another value, a float by default."""
        if like is not None and like.kind == "i":
            return Expr("literal", "i", like.type, exactly(value), (), "", int(value))
        return self.s.al.literal(value)

    def _expr(self, value: Operand, like: Expr | None = None) -> Expr:
        return value.e if isinstance(value, Q) else self.literal(value, like)

    def do(self, word: str, *operands: Operand) -> Q:
        """Apply an operator by its name in the table."""
        like = next((operand.e for operand in operands if isinstance(operand, Q)), None)
        scalar = like if like is not None and like.kind == "i" else None
        return Q(self, self.s.al.do(word, *[self._expr(operand, scalar) for operand in operands]))

    def one(self, word: str, a: Q) -> Q:
        """Apply a function of one operand, whatever its kind."""
        return self.do(_UNARY.get(word, word) if a.e.kind == "v" else word, a)

    def two(self, word: str, a: Operand, b: Operand) -> Q:
        """Combine two operands, whatever their kinds."""
        like = a.e if isinstance(a, Q) and a.e.kind == "i" else b.e if isinstance(b, Q) and b.e.kind == "i" else None
        x, y = self._expr(a, like), self._expr(b, like)
        kinds = x.kind + y.kind
        if kinds in {"vf", "mf"} and word in {"mul", "div"}:
            return self.do(
                ("v" if x.kind == "v" else "m") + ("scale" if word == "mul" else "div"), Q(self, x), Q(self, y)
            )
        if kinds in {"fv", "fm"} and word == "mul":
            return self.two("mul", Q(self, y), Q(self, x))
        if kinds in {"fi", "if"}:
            x, y = self.s.al.real_of(x), self.s.al.real_of(y)
        if kinds == "vv":
            word = _VECTOR[word]
        elif kinds == "mm":
            word = _MATRIX[word]
        elif word == "mul" and x == y and x.op in {"name", "index", "field", "component"}:
            return Q(self, self.s.al.do("square", x))
        return Q(self, self.s.al.do(word, x, y))

    def fn(self, word: str, *operands: Operand) -> Q:
        """Call a function: of scalars, or of vectors where it has another name for them."""
        first = next(operand for operand in operands if isinstance(operand, Q))
        if len(operands) == 1:
            return self.one(word, first)
        if first.e.kind == "v" and word in _VECTOR:
            word = _VECTOR[word]
        return self.do("vlerp" if word == "lerp" and first.e.kind == "v" else word, *operands)

    def norm2(self, v: Q) -> Q:
        """A vector's squared length, by its own function or as a dot product."""
        squared = self.s.al.do("length_sq", v.e)
        return Q(self, squared if self.s.rng.chance(0.4) else squared._replace(op="dot", args=(v.e, v.e)))

    def tone(self, colour: Q, exposure: Q) -> Q:
        """A colour mapped to what a screen shows."""
        scaled = self.let(colour * exposure, "exposed", "hdr", "scaled_col")
        parts = [scaled[k] / (1.0 + scaled[k]) for k in range(3)]
        return self.let(self.make(*parts), "mapped", "ldr", "toned")

    def test(self, word: str, a: Operand, b: Operand) -> Expr:
        """A comparison."""
        like = a.e if isinstance(a, Q) else b.e if isinstance(b, Q) else None
        x, y = self._expr(a, like), self._expr(b, like)
        return self.s.al.compare(word, x, y)

    def cutoff(self, value: Q, low: float = 0.25, high: float = 0.75) -> Q:
        """A number that a value is often below and often above."""
        return Q(self, self.s.cutoff(value.e, low, high))

    def choose(self, test: Expr, then: Operand, otherwise: Operand) -> Q:
        """A conditional expression."""
        a, b = self._expr(then), self._expr(otherwise)
        self.s.probe.test(test)
        return Q(self, self.s.al.choose(test, a, b))

    def make(self, *parts: Operand) -> Q:
        """A vector of scalars."""
        return Q(self, self.s.al.make(*[self._expr(part) for part in parts]))

    def real(self, value: Q) -> Q:
        """A whole number as a float."""
        return Q(self, self.s.al.real_of(value.e))

    # Names.

    def let(self, value: Q, *names: str) -> Q:
        """A variable for a value that the formula goes on with."""
        return Q(self, self.s.define(value.e, self.s.names_free(names) if names else "", keep=False))

    def keep(self, value: Q, *names: str) -> Q:
        """A variable for a result: in scope, and to be read by what follows."""
        return Q(self, self.s.define(value.e, self.s.names_free(names) if names else ""))

    def perhaps(self, value: Q, *names: str) -> Q:
        """A variable for a value, if the author likes intermediate ones."""
        return self.let(value, *names) if self.s.rng.chance(max(0.25, self.s.style.locals)) else value

    # Arguments.

    def array(self, names: Sequence[str], low: float, high: float, shape: tuple[int, ...], type: ValueType) -> Q:
        """A new input array; the result stands for its elements and lacks subscripts."""
        whole_ = isinstance(type, Scalar) and type.is_integer
        domain = Domain(int(low), int(high)) if whole_ else Domain(low, high)
        text = self.s.names.free(tuple(names), self.s.rng)
        self.s.arguments.append(Argument(text, type, len(shape), Direction.IN, shape, domain))
        self.s.budget -= 1
        return Q(self, Expr("index", kind_of(type), type, usual(domain.low, domain.high), (), text))

    def reals(self, names: Sequence[str], low: float, high: float, shape: tuple[int, ...] = ()) -> Q:
        """A new input array of floats."""
        return self.array(names, low, high, shape or self.s.extents, self.s.al.real)

    def vectors(self, names: Sequence[str], low: float, high: float, shape: tuple[int, ...] = ()) -> Q:
        """A new input array of vectors."""
        return self.array(names, low, high, shape or self.s.extents, vector(self.s.length, self.s.al.real))

    def wholes(self, names: Sequence[str], low: int, high: int, shape: tuple[int, ...] = ()) -> Q:
        """A new input array of indices."""
        return self.array(names, low, high, shape or self.s.extents, INT32)

    def at(self, array: Q, *subscripts: Q | int) -> Q:
        """An element of an array; without subscripts this thread's own."""
        places = tuple(whole(item) if isinstance(item, int) else item.e for item in subscripts)
        if places:
            self.s.fixed.add(array.e.name)
        return Q(self, array.e._replace(args=places or self.s.coords))

    def value(self, names: Sequence[str], low: float, high: float) -> Q:
        """A new argument by value that the formula uses."""
        made = self.s.value(self.s.names_free(tuple(names)), self.s.al.real, low, high)
        self.s.read(made)
        return Q(self, made)

    def count(self, names: Sequence[str], least: int, most: int) -> Q:
        """A new whole argument by value, such as a loop's bound."""
        text = self.s.names.free(tuple(names), self.s.rng)
        self.s.arguments.append(Argument(text, INT32, 0, Direction.IN, (), Domain(least, most)))
        made = variable(text, INT32, Span(least, most, least, most))
        self.s.probe.argument(made)
        if least == most:
            # Of what never varies, no formula need feel that it does.
            self.s.probe.values[text] = float(least)  # type: ignore[assignment]
        return Q(self, made)

    @property
    def coords(self) -> tuple[Q, ...]:
        """The thread's coordinates."""
        return tuple(Q(self, coord) for coord in self.s.coords)

    def index(self, value: Q, most: int, *names: str) -> Q:
        """What an array of indices holds, as a variable; it is not to be mixed into formulas."""
        held = value.e._replace(span=usual(0, most - 1))
        return self.let(Q(self, held), *names)

    # Statements.

    def start(self, value: float, *names: str, like: Expr | None = None, span: Span | None = None) -> Q:
        """A variable that a loop will change; the span is where it lies while the loop runs."""
        kind = like.kind if like is not None else "f"
        type = like.type if like is not None else self.s.al.real
        text = self.s.names.claim(self.s.names_free(names))
        first = Expr("mutable", kind, type, exactly(value), (), "", value)
        target = variable(text, type, first.span)
        self.s.emit(Assign(target, first))
        self.s.probe.weights = {}
        self.s.settle(text, self.s.probe.of(first))
        return Q(self, target if span is None else target._replace(span=span))

    def begin(self, value: Q, *names: str, span: Span | None = None) -> Q:
        """The same, starting from a value."""
        target = self.let(value, *names)
        self.s.al.definitions.pop(target.e.name, None)
        return target if span is None else Q(self, target.e._replace(span=span))

    def loop(
        self,
        stop: Q | int,
        names: Sequence[str],
        fill: Callable[[Q], None],
        *,
        first: Q | int | None = None,
        step: Q | int | None = None,
        most: int = 0,
        backwards: bool = False,
    ) -> None:
        """A counted loop.

        Args:
            stop: The bound in ``range``.
            names: What the counter may be called.
            fill: Writes the body, given the counter.
            first: Where it starts; 0 where it is not given.
            step: How far a turn goes; 1 where it is not given.
            most: What the counter stays below, where that is not the greatest bound.
            backwards: Whether it counts down to 0.
        """
        s = self.s
        most = most or (stop if isinstance(stop, int) else int(stop.e.span.high))
        text = s.names.claim(s.names_free(tuple(names)))
        counter = variable(text, INT32, Span(0, max(1, most - 1), most // 4, max(most // 4 + 1, 3 * most // 4)))
        if isinstance(stop, int) and not isinstance(first, Q) and not isinstance(step, Q) and not backwards:
            s.al.numbers.add(text)
        s.probe.argument(counter)
        s.probe.looping += 1
        body = s.block(lambda: fill(Q(self, counter)))
        s.probe.looping -= 1
        bounds = [None if b is None else whole(b) if isinstance(b, int) else b.e for b in (first, stop, step)]
        s.emit(For(text, bounds[0], bounds[1] or whole(most), bounds[2], body, backwards))

    def now(self, target: Q) -> Q:
        """A variable as it is after all that has changed it."""
        return Q(self, target.e._replace(span=self.spans.get(target.e.name, target.e.span)))

    def result(self, target: Q) -> Q:
        """A variable as it is now, in scope and to be read by what follows."""
        return Q(self, self.s.add(self.now(target).e))

    def add_to(self, target: Q, term: Q, times: int, word: str = "add") -> None:
        """``target += term`` in a loop that turns so often."""
        e = target.e
        lanes = self.s.probe.check(term.e)
        mean = lanes.mean(axis=0)
        word = ("v" if e.kind == "v" else "m" if e.kind == "m" else "") + word
        sign = -1.0 if word.endswith("sub") else 1.0
        low, high = sorted((sign * times * term.e.span.low, sign * times * term.e.span.high))
        near, far = sorted((sign * times * term.e.span.usual_low, sign * times * term.e.span.usual_high))
        span = Span(min(0.0, low), max(0.0, high), near * 0.7, far * 0.7)
        limit = {"float16": 200.0, "float32": 2e4, "float64": 1e6}[self.s.al.real.name]
        if span.low < -limit or span.high > limit or span.usual_high - span.usual_low < 1e-3:
            raise Discard("sum")
        if self.s.rng.chance(max(0.4, self.s.style.augmented)):
            self.s.emit(Assign(e, term.e, word))
        else:
            self.s.emit(Assign(e, Expr(word, e.kind, e.type, span, (e, term.e))))
        self.s.settle(e.name, times * (mean + 0.6 * (lanes - mean)) * sign)
        self.spans[e.name] = span

    def most_of(self, target: Q, term: Q, form: str) -> None:
        """``target = max(target, term)`` in a loop, or ``min``."""
        lanes = self.s.probe.check(term.e)
        turned = np.roll(lanes, 5)
        e = target.e
        self.s.emit(Assign(e, Expr(form, "f", e.type, term.e.span, (e, term.e))))
        self.s.settle(e.name, np.maximum(lanes, turned) if form == "max" else np.minimum(lanes, turned))
        self.spans[e.name] = term.e.span

    def put(self, target: Q, value: Q, span: Span | None = None) -> None:
        """``target = value`` for a variable that is declared."""
        lanes = self.s.probe.check(value.e)
        e, v = target.e, value.e
        word = v.op if v.op in {"add", "sub", "mul", "vadd", "vsub", "vscale"} else ""
        if (
            word in {"add", "sub", "mul", "vadd", "vsub"}
            and v.args[0] == e
            and self.s.rng.chance(self.s.style.augmented)
        ):
            self.s.emit(Assign(e, v.args[1], word))
        else:
            self.s.emit(Assign(e, v))
        self.s.settle(e.name, lanes)
        if not mentions(v, e.name):
            self.s.al.definitions[e.name] = v
        self.spans[e.name] = span or v.span

    def when(self, test: Expr, fill: Callable[[], None], otherwise: Callable[[], None] | None = None) -> None:
        """A conditional; both sides must be within reach."""
        branches.fork(self.s, test, fill, otherwise)

    def returns(self) -> None:
        """Leave the kernel."""
        self.s.emit(Return(None))

    def atomic(self, word: str, target: Q, value: Q) -> None:
        """An atomic update of an element; halves can only be added up.

        Raises:
            Discard: There is no such update of this type.
        """
        if word in {"max", "min"} and scalar_of(value.e.type) is FLOAT16:
            raise Discard("atomic")
        self.s.emit(Atomic(word, target.e, value.e))

    def totals(
        self, names: Sequence[str], shape: tuple[int, ...], type: ValueType, low: float = -1.0, high: float = 1.0
    ) -> Q:
        """A new array that threads update together; lacks subscripts."""
        text = self.s.names.free(tuple(names), self.s.rng)
        domain = Domain(int(low), int(high)) if isinstance(type, Scalar) and type.is_integer else Domain(low, high)
        self.s.arguments.append(Argument(text, type, len(shape), Direction.INOUT, shape, domain))
        return Q(self, Expr("index", kind_of(type), type, usual(low, high), (), text))

    def store(self, names: Sequence[str], value: Q, *subscripts: Q, shape: tuple[int, ...] = ()) -> None:
        """Write a value to a new output array; without subscripts to this thread's own element."""
        s = self.s
        lanes = s.probe.of(value.e) if value.e.op == "name" else s.probe.check(value.e)
        if not s.probe.varies_by_thread(lanes):
            raise Discard("the same for every thread")
        text = s.names.free(tuple(names), s.rng)
        shape = shape or s.extents
        s.arguments.append(Argument(text, value.e.type, len(shape), Direction.OUT, shape, None))
        s.budget -= 1
        places = tuple(item.e for item in subscripts) or s.coords
        target = Expr("index", value.e.kind, value.e.type, usual(-1.0, 1.0), places, text)
        s.emit(Assign(target, value.e))

    # Helpers.

    def via(
        self, names: Sequence[str], build: Callable[..., Q], *values: Q, words: Sequence[str] = (), chance: float = 0.5
    ) -> Q:
        """A formula of some values: written out, or in a helper function that is called with them."""
        s = self.s
        if not s.rng.chance(chance):
            return build(self, *values)
        inner = Sketch(s.rng, s.theme, s.style, Algebra(s.al.real, s.al.whole, s.al.chances), s.length, 6)
        inner.names = Names(s.module_names)
        inner.probe.mask = s.probe.mask
        inner.probe.looping = 1
        inner.probe.helpers = s.probe.helpers
        pen = Pen(inner)
        parameters: list[Parameter] = []
        given: list[Q] = []
        for position, value in enumerate(values):
            wish = words[position] if position < len(words) else "xyzw"[position]
            text = inner.names.claim(wish)
            parameters.append(Parameter(text, value.e.type))
            lanes = s.probe.of(value.e)
            inner.probe.weights = {}
            inner.probe.settle(text, lanes if isinstance(lanes, np.ndarray) else np.full(64, lanes))
            given.append(Q(pen, variable(text, value.e.type, value.e.span)))
        result = build(pen, *given)
        if inner.fresh or inner.arguments:
            raise Discard("helper")
        if result.e.op != "name":
            inner.probe.check(result.e)
        inner.emit(Return(result.e))
        text = s.module_name(s.rng.pick(tuple(names)), inner.names.taken)
        s.helpers.extend(inner.helpers)
        docs = describe_helper(text, parameters) if s.style.helper_docs else ""
        helper = Helper(text, tuple(parameters), result.e.type, tuple(inner.body), docs)
        s.helpers.append(helper)
        contract = Contract(helper, tuple(value.e.span for value in values), result.e.span)
        s.contracts.extend(inner.contracts)
        s.contracts.append(contract)
        s.probe.helpers[text] = helper
        s.budget -= 2
        return Q(self, self._called(contract, values))

    def _called(self, contract: Contract, values: tuple[Q, ...]) -> Expr:
        helper = contract.helper
        return Expr(
            "call", kind_of(helper.returns), helper.returns, contract.gives, tuple(v.e for v in values), helper.name
        )


def closing(s: Sketch, *phases: Callable[[Sketch], object], kinds: str = "ff", most: int = 3) -> None:
    """Fill the lines that are left, and store what nothing has read."""
    # A formula that stands alone has too few forms: something is always done with its result.
    s.budget = max(s.budget, 5 + s.rng.below(5))
    spend(s, *(phases or (branches.branch,)), kinds=kinds)
    if s.fresh:
        straight.finish(s, most)


def grown(p: Pen, *values: Q, size: int = 1, want: str = "f") -> Q:
    """A combination of some values that grows from the table of moves."""
    return Q(p, grow(p.s, [value.e for value in values], max(size, len(values) - 1), want))


def outside(p: Pen, count: int = 1, kinds: str = "fi") -> list[Q]:
    """Values in scope to combine with, unread ones first."""
    return [Q(p, value) for value in operands(p.s, count, kinds, fresh=1.0)]
