"""Writing with tiles: loading, combining, mapping, folding and storing what a block of threads holds together.

A tile variable is a scalar expression to everything that grows expressions: it stands for any one of the tile's
elements, with its bounds and lanes. Only what is written of it says that it is a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, kind_of, usual, whole
from irsmith.synth.categories.pen import Pen, Q, grown
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Constant, Do, Expr, Span
from irsmith.synth.moves import MATHEMATICAL, USUAL
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, ValueType

_UNARY = ("exp", "sin", "cos", "tanh", "sqrt", "abs", "log", "floor", "atan", "sign")
_BINARY = ("min", "max", "atan2", "min", "max", "copysign")
_HELPERS = ("activate", "combine", "weigh", "blend", "score", "response", "falloff", "mix", "penalty",
            "transform_value", "shape_value", "update", "gate", "contribution", "residual_of")  # fmt: skip
_LOCALS = ("t", "u", "v", "w", "x", "y", "z", "a", "b", "c", "p", "q", "r", "tile_a", "tile_b", "tile_c", "block",
           "lhs", "rhs", "vals", "part", "chunk", "patch", "local", "work", "res", "mixed", "scaled")  # fmt: skip
_SIZES = ("TILE_SIZE", "TILE", "TILE_DIM", "BLOCK", "TILE_N", "CHUNK")
_SUMS = ("total", "acc", "s", "row_sum", "tile_total")


OUT = ("out", "result", "y", "output", "dst", "new_values")
"""What the array may be called that a block stores its tiles to."""


class TilePen(Pen):
    """Writes into a sketch whose coordinates are those of blocks of threads.

    Attributes:
        tiles: The tiles that nothing has read yet.
        known: All tiles of the usual shape.
        shown: The names of those that another tile shows.
        raw: The names of those that are what an array holds.
        scalars: Scalars that any element may be combined with.
        sized: Whether how large elements are is what tiles are about: no step leaves their signs or wholes alone.
    """

    __slots__ = ("extents", "known", "raw", "scalars", "shape", "shown", "sized", "tiles", "used")

    def __init__(self, s: Sketch) -> None:
        super().__init__(s)
        s.guarded = s.cooperative = True
        self.tiles: list[Q] = []
        self.known: list[Q] = []
        self.scalars: list[Q] = []
        self.shape: tuple[Expr, ...] = ()
        self.extents: tuple[int, ...] = ()
        self.used: set[str] = set()
        self.raw: set[str] = set()
        self.shown: set[str] = set()
        self.sized = False

    # Shapes.

    def extent(self, size: int, *names: str) -> Expr:
        """A size that is known when the kernel is compiled: a number, or by the author's habit a named one."""
        s = self.s
        literal = whole(size)
        for constant in s.constants:
            if constant.value.value == size and constant.name in self.used:
                return self._constant(constant.name, size)
        if not self.used and s.rng.chance(0.35):
            return literal
        text = s.module_name(s.names_free(names or _SIZES))
        self.used.add(text)
        s.constants.append(Constant(text, literal))
        return self._constant(text, size)

    def _constant(self, name: str, size: int) -> Expr:
        return Expr("constant", "i", INT32, exactly(size), (), name, size)

    def of_shape(self, *extents: Expr) -> Expr:
        """A shape or an offset: one number, or several in parentheses."""
        return extents[0] if len(extents) == 1 else self.several(*extents)

    def several(self, *extents: Expr) -> Expr:
        """A shape in parentheses, however many extents it has."""
        return Expr("tuple", "i", INT32, exactly(0), extents)

    def offset(self, coordinate: Expr, extent: Expr) -> Expr:
        """Where the tile of a block begins along an axis."""
        if coordinate.op == "literal":
            return whole(int(coordinate.value * extent.value))
        places = Span(0, coordinate.span.high * extent.value, 0, coordinate.span.high * extent.value)
        return Expr("mul", "i", INT32, places, (coordinate, extent))

    # Calls.

    def call(self, name: str, *args: Expr | Q, span: Span | None = None, type: ValueType | None = None) -> Expr:
        """A call of a builtin of tiles."""
        operands = tuple(arg.e if isinstance(arg, Q) else arg for arg in args)
        return Expr("tile", "f", type or self.s.al.real, span or usual(-1.0, 1.0), operands, name)

    def function(self, name: str, *, helper: bool = False) -> Expr:
        """A function as an argument."""
        return Expr("function" if helper else "builtin", "f", self.s.al.real, exactly(0.0), (), name)

    def whole_array(self, array: Q) -> Expr:
        """An array as an argument."""
        return array.e._replace(op="name", args=())

    def bind(self, value: Expr, lanes: np.ndarray | None, *names: str, keep: bool = True) -> Q:
        """A variable for a tile, with what any of its elements may be in lanes."""
        s = self.s
        text = s.names.claim(s.names_free(names or _LOCALS))
        target = Expr("name", kind_of(value.type), value.type, value.span, (), text)
        s.emit(Assign(target, value))
        if lanes is None:
            s.probe.weights = {}
            lanes = s.probe.draw(target)
        s.settle(text, lanes)
        if value.op != "tile":
            s.al.definitions[text] = value
        made = Q(self, target)
        if keep:
            self.tiles.append(made)
            self.known.append(made)
        return made

    # Loading and storing.

    def array_of(self, names: Sequence[str], low: float, high: float, shape: tuple[int, ...], type: ValueType) -> Q:
        """A new input array."""
        return self.array(names, low, high, shape, type)

    def load(self, array: Q, shape: Expr, *offset: Expr, shared: bool = False, names: Sequence[str] = ()) -> Q:
        """A tile of an array."""
        args = [self.whole_array(array), shape]
        if offset:
            args.append(self.of_shape(*offset))
        if shared:
            args.append(Expr("shared", "b", INT32, exactly(0)))
        made = self.bind(self.call("tile_load", *args, span=array.e.span, type=array.e.type), None, *names)
        self.raw.add(made.e.name)
        return made

    def store(self, names: Sequence[str], tile: Q, shape: tuple[int, ...], *offset: Expr) -> None:  # type: ignore[override]
        """Write a tile to a new output array."""
        array = self.result(names, shape, tile.e.type)
        self.put_tile("tile_store", array, tile, *offset)

    def result(self, names: Sequence[str], shape: tuple[int, ...], type: ValueType) -> Expr:  # type: ignore[override]
        """A new output array, as an argument of a call."""
        s = self.s
        text = s.names.free(tuple(names), s.rng)
        s.arguments.append(Argument(text, type, len(shape), Direction.OUT, shape, None))
        s.budget -= 1
        return Expr("name", kind_of(type), type, usual(-1.0, 1.0), (), text)

    def totals_array(self, names: Sequence[str], shape: tuple[int, ...], type: ValueType) -> Expr:
        """A new array that blocks add to, as an argument of a call."""
        return self.whole_array(self.totals(names, shape, type, -1.0, 1.0))

    def put_tile(self, name: str, array: Expr, tile: Q, *offset: Expr) -> None:
        """``tile_store`` or ``tile_atomic_add``."""
        args = [array, tile.e, *([self.of_shape(*offset)] if offset else [])]
        self.s.emit(Do(self.call(name, *args)))
        self.read_tile(tile)

    # Elements.

    def read_tile(self, tile: Q) -> None:
        """Mark a tile as read."""
        self.tiles = [other for other in self.tiles if other.e.name != tile.e.name]

    def chosen(self, count: int) -> list[Q]:
        """Tiles of the usual shape to combine, unread ones first."""
        rng = self.s.rng
        fresh = rng.shuffled([t for t in self.tiles if t in self.known])
        others = rng.shuffled([t for t in self.known if t not in fresh])
        found = (fresh + others)[:count]
        for tile in found:
            self.read_tile(tile)
        return found

    def steps(self, count: int) -> None:
        """Several more tiles; what does not work out is left away."""
        for _ in range(count):
            before = list(self.tiles), list(self.known)
            if not self.s.attempt(self.step):
                self.tiles, self.known = before
                self.s.budget -= 1

    def step(self) -> Q:
        """One more tile, element by element from earlier ones: by operators, a builtin or a helper.

        Raises:
            Discard: Nothing legal was found.
        """
        rng = self.s.rng
        form = rng.pick(("operators",) * 6 + ("builtin",) * 2 + ("helper",) * 4 + ("axpy",))
        if form == "axpy":
            return self.axpy()
        if form == "operators":
            return self.operators(self.chosen(rng.pick((1, 2, 2, 2, 3))))
        if form == "builtin":
            return self.mapped_builtin(self.chosen(rng.pick((1, 1, 2))))
        return self.mapped_helper(self.chosen(rng.pick((1, 1, 2, 2, 3))))

    def operators(self, tiles: list[Q]) -> Q:
        """Sums, products and quotients of tiles and of tiles and scalars."""
        rng = self.s.rng
        work = list(tiles)
        if len(work) == 1:
            work = [self.scaled(work[0]) if rng.chance(0.7) else -(self.scaled(work[0]))]
        while len(work) > 1:
            a, b = work.pop(rng.below(len(work))), work.pop(rng.below(len(work)))
            if rng.chance(0.3):
                a = self.scaled(a)
            if rng.chance(0.2):
                b = self.scaled(b)
            word = rng.pick(("add", "sub", "mul", "add", "sub"))
            work.append(a + b if word == "add" else a - b if word == "sub" else self._product(a, b))
        value = work[0]
        return self.bind(value.e, self.s.probe.check(value.e))

    def _product(self, a: Q, b: Q) -> Q:
        made = self.s.al.do("mul", a.e, b.e)
        return Q(self, made)

    def scaled(self, tile: Q) -> Q:
        """A tile times, or divided by, what is the same for all its elements."""
        rng = self.s.rng
        if self.scalars and rng.chance(0.6):
            factor = rng.pick(self.scalars)
            self.s.read(factor.e)
            if rng.chance(0.2) and factor.e.span.low > 0.2:
                return tile / factor
            return tile * factor if rng.chance(0.5) else factor * tile
        number = rng.pick((0.5, 2.0, 0.25, 1.5, 3.0, 0.1, 4.0))
        return tile * number if rng.chance(0.6) else number * tile if rng.chance(0.7) else tile / (number + 1.0)

    def axpy(self) -> Q:
        """A tile that nothing has read yet, to which a multiple of another one is added.

        Raises:
            Discard: There is none.
        """
        s, rng = self.s, self.s.rng
        targets = [t for t in self.tiles if t in self.known and t.e.name not in self.shown]
        if not targets:
            raise Discard("axpy")
        target = rng.pick(targets)
        others = [t for t in self.known if t.e.name != target.e.name]
        if not others:
            raise Discard("axpy")
        source = rng.pick(others)
        if self.scalars and rng.chance(0.6):
            factor = rng.pick(self.scalars)
            s.read(factor.e)
        else:
            factor = Q(self, self.literal(rng.pick((0.5, 2.0, 0.1, -1.0, -0.5))))
        value = s.al.do("add", target.e, s.al.do("mul", factor.e, source.e))
        lanes = s.probe.check(value)
        s.emit(Do(self.call("tile_axpy", factor, source, target)))
        s.settle(target.e.name, lanes)
        changed = Q(self, target.e._replace(span=value.span))
        self.tiles = [changed if t.e.name == target.e.name else t for t in self.tiles]
        self.known = [changed if t.e.name == target.e.name else t for t in self.known]
        self.raw.discard(target.e.name)
        self.read_tile(source)
        return changed

    def mapped_builtin(self, tiles: list[Q]) -> Q:
        """A builtin of each element."""
        rng = self.s.rng
        for _ in range(6):
            word = rng.pick(_BINARY if len(tiles) > 1 else _UNARY)
            if self.sized and word in {"sign", "floor"}:
                continue
            used = tiles[:2]
            try:
                value = self.s.al.do(word, *(tile.e for tile in used))
                lanes = self.s.probe.check(value)
            except Discard:
                continue
            made = self.call("tile_map", self.function(word), *used, span=value.span)
            return self.bind(made, lanes)
        raise Discard("map")

    def mapped_with(self, tile: Q, word: str) -> Q:
        """A certain builtin of each element."""
        value = self.s.al.do(word, tile.e)
        lanes = self.s.probe.check(value)
        self.read_tile(tile)
        return self.bind(self.call("tile_map", self.function(word), tile, span=value.span), lanes)

    def mapped_helper(self, tiles: list[Q]) -> Q:
        """A helper of each element, perhaps with what is the same for all."""
        rng, s = self.s.rng, self.s
        values = list(tiles)
        if self.scalars and rng.chance(0.5):
            values.append(rng.pick(self.scalars))
        for value in values:
            s.read(value.e)
        size = rng.pick((1, 2, 2, 3, 4))
        named, branched = rng.chance(0.5), rng.chance(0.35)

        def build(q: Pen, *parts: Q) -> Q:
            q.s.repertoire = rng.pick((USUAL, MATHEMATICAL))
            if branched:
                cut = q.cutoff(parts[0])
                yes = grown(q, *parts, size=max(1, size - 1))
                no = grown(q, *parts, size=1)
                return q.choose(parts[0] > cut, yes, no)
            if named and size > 1:
                first = q.let(grown(q, *parts, size=size - 1))
                return grown(q, first, rng.pick(parts), size=1)
            return grown(q, *parts, size=size)

        called = self.via(_HELPERS, build, *values, words=rng.pick((("x", "y", "z"), ("a", "b", "c"), ("v", "w", "k"))),
                          chance=1.0)  # fmt: skip
        lanes = s.probe.check(called.e)
        made = self.call("tile_map", self.function(called.e.name, helper=True), *values, span=called.e.span)
        return self.bind(made, lanes)

    # Folding.

    def fold(self, tile: Q, word: str, count: int, *axis: int, names: Sequence[str] = ()) -> Q:
        """A tile of one element (or without an axis) made of a tile: ``sum``, ``min`` or ``max``."""
        s = self.s
        lanes = s.probe.of(tile.e)
        e = tile.e
        if word == "sum":
            span = Span(count * e.span.low, count * e.span.high, count * e.span.usual_low * 0.7,
                        count * e.span.usual_high * 0.7)  # fmt: skip
            limit = {"float16": 200.0, "float32": 2e4, "float64": 1e6}[s.al.real.name]
            if max(-span.low, span.high) > limit:
                raise Discard("sum")
            folded = count * (lanes.mean(axis=0) + 0.6 * (lanes - lanes.mean(axis=0)))
            name = "tile_sum"
        else:
            span, name = e.span, f"tile_{word}"
            turned = np.roll(lanes, 5)
            folded = np.maximum(lanes, turned) if word == "max" else np.minimum(lanes, turned)
        args: list[Expr | Q] = [tile]
        if axis:
            args.append(Expr("axis", "i", INT32, exactly(axis[0]), (whole(axis[0]),)))
        elif word != "sum" and s.rng.chance(0.3):
            args, name = [self.function(word), tile], "tile_reduce"
        self.read_tile(tile)
        return self.bind(self.call(name, *args, span=span, type=e.type), folded, *(names or _SUMS), keep=False)

    def element(self, tile: Q, *places: Expr, names: Sequence[str] = ()) -> Q:
        """An element of a tile as a scalar: written out, or as a variable."""
        e = tile.e
        if self.s.rng.chance(0.25):
            value = self.call("tile_extract", tile, *places, span=e.span, type=e.type)
        else:
            value = Expr("index", kind_of(e.type), e.type, e.span, places, e.name)
        made = self.bind(value, self.s.probe.of(e), *(names or ("val", "mean", "level", "scale_i", "norm")), keep=False)
        self.s.assignable.append(made.e)
        self.s.add(made.e)
        return made

    def parameter(self) -> Q:
        """A scalar argument that elements may be combined with."""
        made = Q(self, self.s.param())
        self.scalars.append(made)
        return made

    def finish(self, store: Callable[[Q], None], most: int = 2) -> None:
        """Combine what is unread until few tiles are left, and store these."""
        while len([tile for tile in self.tiles if tile in self.known]) > most:
            self.operators(self.chosen(2))
        while raw := [tile for tile in self.tiles if tile.e.name in self.raw]:
            # What an array holds is not stored as it is.
            others = [tile for tile in self.known if tile.e.name != raw[0].e.name]
            self.read_tile(raw[0])
            fresh = [tile for tile in self.tiles if tile in others] or others[-1:]
            for tile in fresh[:1]:
                self.read_tile(tile)
            self.operators([raw[0], *fresh[:1]])
        if not self.tiles:
            raise Discard("nothing to store")
        for tile in list(self.tiles):
            store(tile)
        for scalar in self.scalars:
            if any(value.name == scalar.e.name for value in self.s.fresh):
                raise Discard("unread")
