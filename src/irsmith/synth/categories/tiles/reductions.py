"""Categories of rows that a block folds, scans or sorts."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import exactly, whole
from irsmith.synth.categories.pen import Q, closing
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.categories.tiles.rows import Rows
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Do, Expr, Span
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32

_ROW_OUT = ("row_out", "sums", "per_row", "scores_out", "stats", "norms")


def tile_reduction(s: Sketch) -> None:
    """Each block folds a row: sums, extremes and where they stand, inner products."""
    rng = s.rng
    rows = Rows(s)
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
                rows.store(OUT, p.known[-1])
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


def tile_scan(s: Sketch) -> None:
    """Each block scans or sorts a row: running sums and extremes, order statistics."""
    rng = s.rng
    s.al.real = FLOAT32
    rows = Rows(s)
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
    p.finish(lambda tile: rows.store(OUT, tile))
    if s.fresh:
        closing(s)


def _scanned(rows: Rows, x: Q, form: str) -> Q:
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


def _sorted(rows: Rows, x: Q) -> None:
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
