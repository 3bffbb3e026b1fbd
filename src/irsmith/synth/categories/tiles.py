"""Categories of tiles: maps, reductions of rows, normalised rows, products, and what the threads of a block add up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from irsmith.synth.algebra import exactly, whole
from irsmith.synth.categories.pen import Q, closing, grown, outside
from irsmith.synth.categories.tile_pen import TilePen
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands
from irsmith.synth.ir import Do, Expr, Span
from irsmith.synth.phases import branches, straight
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32

_WIDTHS = (8, 8, 16, 16, 32)
_OUT = ("out", "result", "y", "output", "dst", "new_values")
_ROW_OUT = ("row_out", "sums", "per_row", "scores_out", "stats", "norms")


def _opened(s: Sketch, rank: int) -> TilePen:
    """Open a kernel over blocks; the shape of their tiles, and the extents of arrays that they cover."""
    rng, p = s.rng, TilePen(s)
    if rank == 1:
        s.open(1, (rng.between(3, 6),))
        size = rng.pick(_WIDTHS)
        p.shape, p.extents = (p.extent(size),), (s.extents[0] * size,)
    else:
        s.open(2, (rng.between(2, 3), rng.between(2, 3)))
        rows, columns = rng.pick((2, 4, 4)), rng.pick((2, 4, 4, 8))
        square = rows == columns
        first = p.extent(rows, *(("TILE",) if square else ("TILE_M", "TILE_ROWS", "ROWS")))
        second = first if square else p.extent(columns, "TILE_N", "TILE_COLS", "COLS")
        p.shape = (first, second)
        p.extents = (s.extents[0] * rows, s.extents[1] * columns)
    return p


def _offset(p: TilePen) -> tuple[Expr, ...]:
    return tuple(p.offset(coord, extent) for coord, extent in zip(p.s.coords, p.shape, strict=True))


def tile_map(s: Sketch) -> None:
    """Tiles of arrays combined element by element."""
    rng = s.rng
    p = _opened(s, rng.pick((1, 1, 2)))
    offset = _offset(p)
    if rng.chance(0.3):
        begin = [p.let(Q(p, place), "start", "base", "first") for place in offset] if len(offset) == 1 else []
        offset = tuple(place.e for place in begin) or offset
    shape = p.of_shape(*p.shape)
    for _ in range(rng.pick((1, 2, 2, 3))):
        name, low, high = s.quantity("scalars")
        array = p.array_of((s.array_name(name), name), low, high, p.extents, s.al.real)
        p.load(array, shape, *offset, shared=rng.chance(0.1), names=(name, name[0], f"{name}_tile", "t", "a", "b"))
    for _ in range(rng.pick((0, 0, 1, 1, 2))):
        p.parameter()
    if rng.chance(0.3):
        _made(p, shape)
    if len(p.shape) == 2 and rng.chance(0.3):
        _spread_row(p)
    p.steps(max(1, min(6, s.budget // 2)))
    ending = rng.pick(("store",) * 6 + ("shape", "halves", "joined", "apart")) if len(p.shape) == 1 else "store"
    p.finish(lambda tile: _put(p, tile, ending, offset), most=1 if ending == "halves" else 2)


def _put(p: TilePen, tile: Q, ending: str, offset: tuple[Expr, ...]) -> None:
    """Store a tile: as it is, in another shape, its halves folded, behind another one, or with gaps."""
    s, rng = p.s, p.s.rng
    if ending == "store" or tile.e.type is INT32:
        p.store(_OUT, tile, p.extents, *offset)
        return
    size, blocks, block = int(p.shape[0].value), s.extents[0], s.coords[0]
    zero = whole(0)
    p.read_tile(tile)
    if ending == "shape":
        rows = rng.pick((2, 4))
        columns = whole(size // rows)
        shaped = p.call("tile_reshape", tile, p.several(whole(rows), columns), span=tile.e.span)
        if rng.chance(0.6):
            shaped = p.bind(shaped, s.probe.of(tile.e), "patch", "grid", "folded", "mat", keep=False).e
        places = p.several(p.offset(block, whole(rows)), zero)
        array = p.result(_OUT, (blocks * rows, size // rows), s.al.real)
        s.emit(Do(p.call("tile_store", array, shaped, places)))
    elif ending == "halves":
        half = whole(size // 2)
        parts: list[Q] = []
        for begin_at, names in ((zero, ("lo", "even", "head")), (half, ("hi", "odd", "tail"))):
            value = p.call("tile_view", tile, p.several(begin_at), p.several(half), span=tile.e.span)
            lanes = np.roll(s.probe.of(tile.e), 5 * len(parts))
            s.probe.weights = {}
            parts.append(p.bind(value, lanes, *names, keep=False))
        folded = p.operators(parts)
        p.store(_OUT, folded, (blocks * size // 2,), p.offset(block, half))
    elif ending == "joined":
        others = [other for other in p.known if other.e.name != tile.e.name]
        other = rng.pick(others) if others else tile
        dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
        start = p.call("tile_zeros", whole(2 * size), dtype, span=tile.e.span)
        both = p.bind(start, s.probe.of(tile.e), "both", "joined", "packed", "pair", keep=False)
        first, second = rng.shuffled((tile, other))
        for part, place in ((first, zero), (second, p.shape[0])):
            s.emit(Do(p.call("tile_assign", both, part, p.several(place))))
            p.read_tile(part)
        p.store(_OUT, both, (blocks * 2 * size,), p.offset(block, whole(2 * size)))
    else:
        every = rng.pick((2, 2, 3))
        places = p.call("tile_arange", p.shape[0], Expr("dtype", "i", INT32, exactly(0.0)), type=INT32)
        stride = Expr("mul", "i", INT32, exactly(0), (places, whole(every)))
        at = p.bind(stride, s.probe.of(p.literal(0.0)), "slots", "places", "at", keep=False)
        array = p.result(_OUT, (blocks * size * every,), s.al.real)
        begin = Expr("mul", "i", INT32, exactly(0), (block, whole(size * every)))
        s.emit(Do(p.call("tile_store_indexed", array, at, tile, p.several(begin))))


def _made(p: TilePen, shape: Expr) -> None:
    """A tile of given numbers."""
    s, rng = p.s, p.s.rng
    dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
    forms = ("ones", "full", "thread", "counts", *(("range",) if len(p.shape) == 1 and s.al.real is FLOAT32 else ()))
    form = rng.pick(forms)
    if form == "ones":
        value = p.call("tile_ones", shape, dtype, span=exactly(1.0))
        p.bind(value, s.probe.of(s.al.literal(1.0)), "ones", "one")
    elif form == "full":
        value_of = p.parameter()
        s.read(value_of.e)
        value = p.call("tile_full", shape, value_of, dtype, span=value_of.e.span)
        p.bind(value, s.probe.of(value_of.e), "fill", "level", "base_tile")
    elif form == "thread":
        name, low, high = s.quantity("params")
        array = p.array_of((f"block_{name}", name), low, high, s.extents, s.al.real)
        of_block = p.let(p.at(array), name, "level", "gain_b")
        value = p.call("tile_from_thread", shape, of_block, whole(0), span=of_block.e.span)
        p.bind(value, s.probe.of(of_block.e), "spread", "level_t", "base_tile")
    elif form == "counts":
        offset = _offset(p)
        array = p.wholes(("counts", "labels", "ids", "ages"), 0, 9, p.extents)
        counted = p.load(array, shape, *offset, names=("k", "n", "count_t"))
        p.read_tile(counted)
        p.known.remove(counted)
        value = p.call("tile_astype", counted, dtype, span=counted.e.span)
        p.bind(value, s.probe.of(counted.e), "kf", "count_f", "as_real")
    else:
        size = int(p.shape[0].value)
        value = p.call("tile_arange", p.shape[0], dtype, span=exactly(0.0)._replace(high=size, usual_high=size))
        p.bind(value, None, "ramp", "places", "lane")


def _spread_row(p: TilePen) -> None:
    """A row that every row of a tile is combined with."""
    s, rng = p.s, p.s.rng
    rows, columns = p.shape
    array = p.reals(("bias", "column_scale", "weights", "offsets"), -1.0, 1.5, (p.extents[1],))
    row = p.load(array, columns, p.offset(s.coords[1], columns), names=("row", "bias_row", "w_row"))
    p.read_tile(row)
    p.known.remove(row)
    p.shown.add(row.e.name)
    wide = p.call("tile_broadcast", row, p.several(rows, columns), span=row.e.span)
    if rng.chance(0.8):
        p.bind(wide, s.probe.of(row.e), "spread", "bias_tile", "wide")


# Rows: one block for each.


class _Rows:
    """A kernel of which every block handles one row of its arrays.

    Attributes:
        p: The pen.
        width: The length of a row.
    """

    def __init__(self, s: Sketch, widths: tuple[int, ...] = _WIDTHS) -> None:
        rng = s.rng
        self.p = p = TilePen(s)
        s.open(1, (rng.between(4, 8),))
        self.width = rng.pick(widths)
        self.by_view = rng.chance(0.5)
        self.extent = p.extent(self.width, *rng.pick((("TILE_SIZE",), ("ROW",), ("DIM",), ("N",), ("WIDTH",))))
        # With two axes, where whole rows are not seen as arrays of their own.
        self.shape = (self.extent,) if self.by_view else (whole(1), self.extent)
        p.shape = self.shape
        p.extents = (s.extents[0], self.width)

    def load(self, low: float = -2.0, high: float = 2.0, *, names: tuple[str, ...] = (), shared: bool = False) -> Q:
        """This block's row of a new array."""
        p = self.p
        quantity, a, b = p.s.quantity("scalars")
        if not names:
            low, high = a, b
        array = p.array_of(names or (p.s.array_name(quantity), quantity), low, high, p.extents, p.s.al.real)
        tile_names = (quantity, quantity[0], "row", "t", "vals", "x")
        return self.row_of(array, tile_names, shared=shared)

    def row_of(self, array: Q, names: tuple[str, ...], *, shared: bool = False) -> Q:
        """This block's row of an array."""
        p, i = self.p, self.p.s.coords[0]
        if not self.by_view:
            return p.load(array, p.of_shape(*self.shape), i, whole(0), names=names, shared=shared)
        row = array.e._replace(args=(i,))
        value = p.call("tile_load", row, self.extent, span=array.e.span)
        return p.bind(value, None, *names)

    def weights(self) -> Q:
        """A row that all blocks share."""
        p = self.p
        shape = (self.width,) if self.by_view else (1, self.width)
        array = p.reals(("weights", "gamma", "scale_row", "kernel_w", "window", "bias_row"), 0.1, 1.5, shape)
        return p.load(array, p.of_shape(*self.shape), names=("w", "wt", "g", "coef"))

    def store(self, names: tuple[str, ...], tile: Q) -> None:
        """Write a row of a new array."""
        p, i = self.p, self.p.s.coords[0]
        array = p.result(names, p.extents, p.s.al.real)
        if self.by_view:
            row = array._replace(op="index", args=(i,))
            p.put_tile("tile_store", row, tile)
        elif p.s.rng.chance(0.25):
            flat = p.call("tile_squeeze", tile, span=tile.e.span)
            if p.s.rng.chance(0.5):
                flat = p.bind(flat, p.s.probe.of(tile.e), "flat", "line", "row_v", keep=False).e
            p.s.emit(Do(p.call("tile_store", array._replace(op="index", args=(i,)), flat)))
            p.read_tile(tile)
        else:
            p.put_tile("tile_store", array, tile, i, whole(0))

    def level(self, tile: Q, word: str, *names: str) -> Q:
        """A sum or an extreme of a row, as a scalar."""
        p = self.p
        folded = p.fold(tile, word, self.width, names=names)
        return p.element(folded, whole(0))


def tile_reduction(s: Sketch) -> None:
    """Each block folds a row: sums, extremes and where they stand, inner products."""
    rng = s.rng
    rows = _Rows(s)
    p = rows.p
    for _ in range(rng.pick((1, 1, 2, 2, 3))):
        rows.load()
    if rng.chance(0.3):
        rows.weights()
    for _ in range(rng.pick((0, 0, 1))):
        p.parameter()
    p.steps(rng.pick((0, 1, 1, 2, 3)))
    # All that was loaded goes into what is folded.
    while len(p.tiles) > rng.pick((1, 2)):
        p.operators(p.chosen(2))
    form = rng.pick(("sum", "sum", "sum", "max", "min", "place", "dot", "total", "two"))
    tiles = list(p.tiles)
    if form == "dot" or len(tiles) > 1:
        other = tiles[1] if len(tiles) > 1 else p.known[0]
        _dot(p, tiles[0], other, rows.width)
    elif form == "place":
        _place(p, tiles[0], rows.width)
        if rng.chance(0.5):
            p.element(p.fold(tiles[0], rng.pick(("max", "min")), rows.width), whole(0), names=("best", "peak", "value"))
    elif form == "total":
        folded = p.fold(tiles[0], "sum", rows.width)
        total = p.totals_array(("total", "loss", "energy_total", "grand_total", "result"), (1,), s.al.real)
        p.put_tile("tile_atomic_add", total, folded)
        if rng.chance(0.5):
            _finished(s, p, p.element(folded, whole(0)))
        return
    elif form == "two":
        first = rows.level(tiles[0], "sum", "total", "s", "acc")
        second = rows.level(p.known[0], rng.pick(("max", "min")), "extreme", "peak_tile", "m")
        _finished(s, p, first, second)
        return
    else:
        folded = p.fold(tiles[0], form, rows.width)
        if rng.chance(0.35):
            p.store(_ROW_OUT, folded, s.extents, s.coords[0])
            if rng.chance(0.4):
                rows.store(_OUT, p.known[-1])
            return
        p.element(folded, whole(0))
    _finished(s, p)


def _dot(p: TilePen, a: Q, b: Q, width: int) -> None:
    """The inner product of two tiles, as a scalar."""
    s = p.s
    product = s.al.do("mul", a.e, b.e) if a.e.name != b.e.name else s.al.do("square", a.e)
    lanes = s.probe.check(product)
    span = product.span._replace(
        low=width * product.span.low, high=width * product.span.high, usual_low=width * product.span.usual_low * 0.7,
        usual_high=width * product.span.usual_high * 0.7,
    )  # fmt: skip
    if max(-span.low, span.high) > {"float16": 200.0, "float32": 2e4, "float64": 1e6}[s.al.real.name]:
        raise Discard("dot")
    for tile in (a, b):
        p.read_tile(tile)
    spread = width * (lanes.mean(axis=0) + 0.6 * (lanes - lanes.mean(axis=0)))
    made = p.bind(p.call("tile_dot", a, b, span=span), spread, "d", "inner", "dot_tile", "prod", keep=False)
    p.element(made, whole(0), names=("dot_val", "corr", "projection", "energy"))


def _place(p: TilePen, tile: Q, width: int) -> None:
    """Where a row's extreme stands, stored."""
    s, rng = p.s, p.s.rng
    word = rng.pick(("tile_argmax", "tile_argmin"))
    p.read_tile(tile)
    value = p.call(word, tile, span=exactly(0.0)._replace(high=width - 1, usual_high=width - 1), type=INT32)
    made = p.bind(value, None, "at", "where_best", "best_idx", "arg", keep=False)
    names = ("arg_out", "best_index", "winner", "labels_out", "nearest_id")
    p.store(names, made, s.extents, s.coords[0])


def _finished(s: Sketch, p: TilePen, *scalars: Q) -> None:
    """Go on with scalars, which every thread of the block holds."""
    del scalars
    for scalar in p.scalars:
        if any(value.name == scalar.e.name for value in s.fresh) and s.rng.chance(0.5):
            s.read(scalar.e)
    closing(s)


def tile_normalise(s: Sketch) -> None:
    """Each block normalises a row: softmax, mean and variance, length, extremes; with weights, gates and residuals."""
    rng = s.rng
    rows = _Rows(s)
    p = rows.p
    x = rows.load(-2.0, 2.0, names=("logits", "x", "scores", "features", "signal", "hidden"))
    if rng.chance(0.3):
        x = p.operators([x, rows.load()] if rng.chance(0.5) else [x])
    if rng.chance(0.25):
        p.parameter()
        x = p.operators([x])
    if rng.chance(0.2):
        x = p.mapped_helper([x])
    size = float(rows.width)
    form = rng.pick(("softmax", "softmax", "layer", "rms", "length", "range", "sum"))
    if form == "softmax":
        top = p.fold(x, "max", rows.width, names=("m", "top", "row_max"))
        shifted = _less(rows, x, top)
        weights = p.mapped_with(shifted, "exp")
        total = p.element(p.fold(weights, "sum", rows.width), whole(0), names=("denom", "z", "norm"))
        y = _divided(p, weights, total)
    elif form == "sum":
        kept = p.mapped_with(x, rng.pick(("exp", "abs")))
        total = p.element(p.fold(kept, "sum", rows.width), whole(0), names=("denom", "mass", "norm"))
        y = _divided(p, kept, total, rng.pick((0.01, 0.1, 1.0)))
    elif form == "range":
        low = p.element(p.fold(x, "min", rows.width, names=("low", "lo")), whole(0), names=("lo_val", "x_min"))
        high = p.element(p.fold(x, "max", rows.width, names=("high", "hi")), whole(0), names=("hi_val", "x_max"))
        gap = p.keep(high - low + rng.pick((0.01, 0.1)), "gap", "extent", "width_v")
        y = _helped(p, ("rescale", "to_unit", "stretch"), lambda _, a, b, c: (a - b) / c, x, low, gap)
    else:
        if form == "layer":
            mean = p.element(p.fold(x, "sum", rows.width), whole(0), names=("total_v", "sum_v"))
            mean = p.keep(mean / size, "mean", "mu", "avg")
            x = _helped(p, ("centered", "minus", "shift_by"), lambda _, a, b: a - b, x, mean)
        squares = p.bind(*_square(p, x), "sq", "x2", "squares")
        power = p.element(p.fold(squares, "sum", rows.width), whole(0), names=("power", "ss", "energy"))
        if form != "length":
            power = p.keep(power / size, "var", "ms", "variance")
        scale = p.keep(1.0 / p.fn("sqrt", power + rng.pick((1e-2, 0.1, 0.05))), "inv_std", "rstd", "inv_norm")
        s.read(scale.e)
        y = p.bind((x * scale).e, s.probe.check((x * scale).e), "y", "normed", "unit_row")
        p.read_tile(x)
    if rng.chance(0.5):
        y = p.operators([y, rows.weights()])
    p.steps(rng.pick((0, 0, 1, 2)))
    p.finish(lambda tile: rows.store(_OUT, tile))
    if s.fresh:
        closing(s)


def _less(rows: _Rows, x: Q, top: Q) -> Q:
    """A row less its greatest element."""
    p = rows.p
    s, rng = p.s, p.s.rng
    p.read_tile(x)
    lanes = -np.abs(s.probe.of(x.e) - s.probe.of(top.e))
    high = x.e.span.high - x.e.span.low
    span = exactly(0.0)._replace(low=-high, usual_low=-0.7 * high, usual_high=-0.1 * high)
    if rng.chance(0.5):
        p.shown.add(top.e.name)
        wide = p.call("tile_broadcast", top, p.several(*rows.shape), span=top.e.span)
        if rng.chance(0.5):
            wide_tile = p.bind(wide, s.probe.of(top.e), "m_row", "top_row", keep=False)
            wide = wide_tile.e
        value = Expr("sub", "f", x.e.type, span, (x.e, wide))
        return p.bind(value, lanes, "shifted", "d", "z")
    scalar = p.element(top, whole(0), names=("peak", "m_val", "x_max"))
    s.read(scalar.e)
    called = p.via(
        ("minus", "shifted_by", "relative_to"), lambda _, a, b: a - b, x, scalar, words=("x", "m"), chance=1.0
    )
    value = p.call("tile_map", p.function(called.e.name, helper=True), x, scalar, span=span)
    return p.bind(value, lanes, "shifted", "d", "z")


def _helped(p: TilePen, names: tuple[str, ...], build: Callable[..., Q], x: Q, *scalars: Q) -> Q:
    """A formula of each element and of scalars, in a helper."""
    called = p.via(names, build, x, *scalars, words=("x", "a", "b"), chance=1.0)
    lanes = p.s.probe.check(called.e)
    p.read_tile(x)
    for scalar in scalars:
        p.s.read(scalar.e)
    made = p.call("tile_map", p.function(called.e.name, helper=True), x, *scalars, span=called.e.span)
    return p.bind(made, lanes)


def _square(p: TilePen, x: Q) -> tuple[Expr, np.ndarray]:
    value = p.s.al.do("square", x.e)
    p.read_tile(x)
    # Tiles have no power.
    return value._replace(op="mul", args=(x.e, x.e)), p.s.probe.check(value)


def _divided(p: TilePen, tile: Q, total: Q, more: float = 0.0) -> Q:
    s, rng = p.s, p.s.rng
    value = tile / (total + more) if more else tile / total
    s.read(total.e)
    p.read_tile(tile)
    if rng.chance(0.3):
        value = tile * (1.0 / (total + more) if more else 1.0 / total)
    return p.bind(value.e, s.probe.check(value.e), "y", "probs", "normed")


def tile_matmul(s: Sketch) -> None:
    """A tile of a product of matrices, accumulated over tiles along the shared axis, with an epilogue."""
    rng, p = s.rng, TilePen(s)
    s.open(2, (rng.between(1, 3), rng.between(2, 3)))
    rows, columns, inner = (rng.pick((2, 4, 4)) for _ in range(3))
    if rng.chance(0.5):
        columns = inner = rows
    square = rows == columns == inner
    first = p.extent(rows, *(("TILE", "BLOCK", "T") if square else ("TILE_M", "BM", "M")))
    second = first if square else p.extent(columns, "TILE_N", "BN", "N")
    third = first if square else p.extent(inner, "TILE_K", "BK", "K")
    turns = rng.pick((1, 2, 2, 3))
    depth = inner * turns
    i, j = s.coords
    left_t, right_t = rng.chance(0.25), rng.chance(0.35)
    height, breadth = s.extents[0] * rows, s.extents[1] * columns
    a = p.reals(("A", "a", "x", "lhs", "inputs", "q"), -1.0, 1.0, (depth, height) if left_t else (height, depth))
    b = p.reals(("B", "b", "w", "rhs", "weights", "keys"), -1.0, 1.0, (breadth, depth) if right_t else (depth, breadth))
    dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
    shape = p.of_shape(first, second)
    product = exactly(0.0)._replace(low=-depth, high=depth, usual_low=-0.4 * depth**0.5, usual_high=0.4 * depth**0.5)
    p.shape, p.extents = (first, second), (height, breadth)

    def pair(k: Expr) -> tuple[Expr, Expr]:
        down, across = p.offset(i, first), p.offset(j, second)
        along = p.offset(k, third)
        x = p.load(a, p.of_shape(*((third, first) if left_t else (first, third))),
                   *((along, down) if left_t else (down, along)), names=("a_tile", "at", "x_t", "ta"))  # fmt: skip
        y = p.load(b, p.of_shape(*((second, third) if right_t else (third, second))),
                   *((across, along) if right_t else (along, across)), names=("b_tile", "bt", "w_t", "tb"))  # fmt: skip
        for tile in (x, y):
            p.read_tile(tile)
            p.known.remove(tile)
        turned = [p.call("tile_transpose", tile, span=tile.e.span) if turn else tile.e
                  for tile, turn in ((x, left_t), (y, right_t))]  # fmt: skip
        return turned[0], turned[1]

    if turns == 1 and rng.chance(0.6):
        zero = whole(0)
        made = p.bind(p.call("tile_matmul", *pair(zero), span=product), None, "c", "prod", "acc")
    else:
        start = p.call(rng.pick(("tile_zeros", "tile_zeros", "tile_ones")), shape, dtype, span=product)
        made = p.bind(start, None, "acc", "c", "sum", "total")
        alpha = [p.literal(rng.pick((0.5, 2.0)))] if rng.chance(0.15) else []

        def each(k: Q) -> None:
            s.emit(Do(p.call("tile_matmul", *pair(k.e), made, *alpha, span=product)))

        # A shape that `range` shows, or as many tiles as fit.
        p.loop(turns, ("k", "kk", "step"), each)
    for _ in range(rng.pick((0, 0, 1))):
        p.parameter()
    if rng.chance(0.35):
        _spread_row(p)
    if rows == columns and rng.chance(0.3):
        array = p.reals(("diag", "damping", "ridge"), 0.1, 2.0, (height,))
        entries = p.load(array, first, p.offset(i, first), names=("d", "diag_t", "ridge_t"))
        p.read_tile(entries)
        p.known.remove(entries)
        sum_of = s.al.do("add", made.e, entries.e)
        added = p.call("tile_diag_add", made, entries, span=sum_of.span)
        p.read_tile(made)
        p.bind(added, s.probe.check(sum_of), "shifted", "damped", "regular")
    if rng.chance(0.2):
        name, low, high = s.quantity("scalars")
        array = p.array_of((name, "residual"), low, high, p.extents, s.al.real)
        p.load(array, shape, p.offset(i, first), p.offset(j, second), names=("c_in", "res_tile", "skip"))
    p.steps(rng.pick((0, 1, 1, 2, 3, 4)))
    p.finish(lambda tile: p.store(_OUT, tile, p.extents, p.offset(i, first), p.offset(j, second)), most=1)


def tile_scan(s: Sketch) -> None:
    """Each block scans or sorts a row: running sums and extremes, order statistics."""
    rng = s.rng
    s.al.real = FLOAT32
    rows = _Rows(s)
    p = rows.p
    for _ in range(rng.pick((1, 1, 2))):
        rows.load()
    for _ in range(rng.pick((0, 0, 1))):
        p.parameter()
    p.steps(rng.pick((0, 1, 1, 2)))
    while len(p.tiles) > 1:
        p.operators(p.chosen(2))
    x = p.tiles[0]
    form = rng.pick(("sum", "sum", "before", "max", "min", "sort", "sort"))
    if form == "sort":
        _sorted(rows, x)
    else:
        _scanned(rows, x, form)
        p.steps(rng.pick((0, 1, 1, 2)))
    p.finish(lambda tile: rows.store(_OUT, tile))
    if s.fresh:
        closing(s)


def _scanned(rows: _Rows, x: Q, form: str) -> Q:
    """A row in which each element is folded with those before it."""
    p = rows.p
    s = p.s
    lanes = s.probe.of(x.e)
    e, width = x.e, rows.width
    if form in {"sum", "before"}:
        span = Span(min(width * e.span.low, 0.0), max(width * e.span.high, 0.0), 0.4 * width * e.span.usual_low,
                    0.4 * width * e.span.usual_high)  # fmt: skip
        if max(-span.low, span.high) > 2e4:
            raise Discard("scan")
        made = lanes + 0.4 * width * (lanes.mean() + 0.5 * (np.roll(lanes, 7) - lanes.mean()))
        name = "tile_scan_inclusive" if form == "sum" else "tile_scan_exclusive"
    else:
        span, turned = e.span, np.roll(lanes, 9)
        made = np.maximum(lanes, turned) if form == "max" else np.minimum(lanes, turned)
        name = f"tile_scan_{form}_inclusive"
    p.read_tile(x)
    return p.bind(p.call(name, x, span=span), made, "running", "prefix", "cumulative", "scan_t")


def _sorted(rows: _Rows, x: Q) -> None:
    """A row in order, and what stands at some of its places."""
    p = rows.p
    s, rng = p.s, p.s.rng
    if x.e.name in p.raw and rng.chance(0.5):
        x = p.operators([x])
    width = rows.width
    dtype = Expr("dtype", "i", INT32, exactly(0.0))
    # Only the keys are wanted: with equal ones, the order of their values is not defined.
    start = p.call("tile_zeros", p.of_shape(*rows.shape), dtype, span=exactly(0.0), type=INT32)
    payload = p.bind(start, s.probe.of(p.literal(0.0)), "order", "ids", "payload", "tags", keep=False)
    s.emit(Do(p.call("tile_sort", x, payload)))
    p.raw.discard(x.e.name)
    places = rng.pick(
        ((width // 2,), (0, width - 1), (width // 4, 3 * width // 4), (width // 2, width - 1), (width - 2,))
    )
    values = []
    for number, place in enumerate(places):
        subscripts = (whole(place),) if rows.by_view else (whole(0), whole(place))
        value = p.element(x, *subscripts, names=(("median", "low", "q1") if number == 0 else ("high", "q3", "top")))
        turned = s.probe.of(x.e)
        s.probe.weights = {}
        s.settle(value.e.name, np.roll(turned, 11 * (number + 1)))
        values.append(value)
    if rng.chance(0.4):
        p.read_tile(x)


def tile_gather(s: Sketch) -> None:
    """Blocks that gather rows or elements by index, and scatter or add what they make of them."""
    rng, p = s.rng, TilePen(s)
    s.open(1, (rng.between(3, 5),))
    i = s.coords[0]
    count = rng.pick((4, 4, 8))
    extent = p.extent(count, "TILE", "GROUP", "COUNT")
    flat = rng.chance(0.4)
    total = s.extents[0] * count
    source = rng.pick((8, 12, 16))
    width = 0 if flat else rng.pick((2, 4))
    columns = [] if flat else [p.extent(width, "DIM", "FEATURES", "WIDTH")]
    table_shape = (source, *([] if flat else [width]))
    table = p.reals(("table", "values", "features", "embeddings", "nodes"), -2.0, 2.0, table_shape)
    form = rng.pick(("gather", "gather", "gather", "add", "add", "both"))
    ids = p.wholes(("indices", "ids", "neighbors", "order", "src"), 0, source - 1, (total,))
    at = p.load(ids, extent, p.offset(i, extent), names=("idx", "at", "ids_t", "picked"))
    p.read_tile(at)
    p.known.remove(at)
    p.shape = (extent, *columns)
    p.extents = (total, *([] if flat else [width]))
    shape = p.several(*p.shape)
    offset = (p.offset(i, extent), *([] if flat else [whole(0)]))
    if form in {"gather", "both"}:
        value = p.call("tile_load_indexed", p.whole_array(table), at, shape, span=table.e.span)
        p.bind(value, None, "rows", "gathered", "found", "t")
    if form != "gather" or rng.chance(0.4):
        name, low, high = s.quantity("scalars")
        array = p.array_of((name, "updates"), low, high, p.extents, s.al.real)
        p.load(array, p.of_shape(*p.shape), *offset, names=("u", name, "upd"))
    if form == "add":
        # The table is what is added to, and so no input.
        s.arguments[:] = [argument for argument in s.arguments if argument.name != table.e.name]
        s.names.taken.discard(table.e.name)
    for _ in range(rng.pick((0, 0, 1))):
        p.parameter()
    p.steps(rng.pick((1, 1, 2, 3, 4)))

    def put(tile: Q) -> None:
        if form == "gather":
            p.store(_OUT, tile, p.extents, *offset)
            return
        names = ("sums", "pooled", "grad_table", "node_out", "accum")
        array = p.totals_array(names, table_shape, s.al.real)
        s.emit(Do(p.call("tile_atomic_add_indexed", array, at, tile)))
        p.read_tile(tile)

    p.finish(put, most=1)


def tile_block(s: Sketch) -> None:
    """What each thread makes, folded over its block and added to a total."""
    rng, p = s.rng, TilePen(s)
    s.cooperative = False
    s.open(1, (256,))
    for _ in range(rng.pick((1, 2, 2, 3))):
        s.load("f")
    for _ in range(rng.pick((0, 1))):
        s.param()
    straight.temps(s, min(5, max(1, s.budget // 3)))
    if rng.chance(0.4):
        s.attempt(lambda: branches.branch(s))
    value = Q(p, grow(s, operands(s, 3, "f", fresh=1.0), 1, "f"))
    while any(v.kind == "f" for v in s.fresh):
        value = grown(p, value, *outside(p, 1, "f"))
    thread = p.keep(value, "val", "term", "contrib", "local_value") if value.e.op != "name" else value
    s.read(thread.e)
    tile = p.bind(p.call("tile", thread, span=thread.e.span), s.probe.of(thread.e), "t", "tile_vals", "block_vals")
    if rng.chance(0.5):
        tile = p.mapped_builtin([tile]) if rng.chance(0.4) else p.operators([tile])
    word = rng.pick(("sum", "sum", "sum", "back"))
    if word == "back":
        p.read_tile(tile)
        mine = p.bind(p.call("untile", tile, span=tile.e.span), s.probe.of(tile.e), "mine", "v_i", "value", keep=False)
        s.add(mine.e)
        straight.finish(s)
    folded = p.fold(tile, "sum", 1, names=("block_sum", "total_t", "partial"))
    total = p.totals_array(("total", "loss", "energy_out", "result"), (1,), s.al.real)
    p.put_tile("tile_atomic_add", total, folded)
    if s.fresh:
        straight.finish(s)
