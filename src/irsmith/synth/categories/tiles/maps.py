"""The category of tiles of arrays that are combined element by element."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import exactly, whole
from irsmith.synth.categories.pen import Q
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.ir import Do, Expr
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32

_WIDTHS = (8, 8, 16, 16, 32)


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
        spread_row(p)
    p.steps(max(1, min(6, s.budget // 2)))
    ending = rng.pick(("store",) * 6 + ("shape", "halves", "joined", "apart")) if len(p.shape) == 1 else "store"
    p.finish(lambda tile: _put(p, tile, ending, offset), most=1 if ending == "halves" else 2)


def _put(p: TilePen, tile: Q, ending: str, offset: tuple[Expr, ...]) -> None:
    """Store a tile: as it is, in another shape, its halves folded, behind another one, or with gaps."""
    s, rng = p.s, p.s.rng
    if ending == "store" or tile.e.type is INT32:
        p.store(OUT, tile, p.extents, *offset)
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
        array = p.result(OUT, (blocks * rows, size // rows), s.al.real)
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
        p.store(OUT, folded, (blocks * size // 2,), p.offset(block, half))
    elif ending == "joined":
        others = [other for other in p.known if other.e.name != tile.e.name]
        other = rng.pick(others) if others else tile
        dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
        start = p.call(rng.pick(("tile_zeros", "tile_empty")), whole(2 * size), dtype, span=tile.e.span)
        both = p.bind(start, s.probe.of(tile.e), "both", "joined", "packed", "pair", keep=False)
        first, second = rng.shuffled((tile, other))
        for part, place in ((first, zero), (second, p.shape[0])):
            s.emit(Do(p.call("tile_assign", both, part, p.several(place))))
            p.read_tile(part)
        p.store(OUT, both, (blocks * 2 * size,), p.offset(block, whole(2 * size)))
    else:
        every = rng.pick((2, 2, 3))
        places = p.call("tile_arange", p.shape[0], Expr("dtype", "i", INT32, exactly(0.0)), type=INT32)
        stride = Expr("mul", "i", INT32, exactly(0), (places, whole(every)))
        at = p.bind(stride, s.probe.of(p.literal(0.0)), "slots", "places", "at", keep=False)
        array = p.result(OUT, (blocks * size * every,), s.al.real)
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


def spread_row(p: TilePen) -> None:
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
        made = p.bind(wide, s.probe.of(row.e), "spread", "bias_tile", "wide")
        # All rows of it are one row in memory, which nothing may be added to.
        p.shown.add(made.e.name)


# Rows: one block for each.
