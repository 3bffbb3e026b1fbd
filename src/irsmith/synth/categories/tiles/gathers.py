"""The category of tiles whose elements are found by index."""

from __future__ import annotations

from irsmith.synth.algebra import whole
from irsmith.synth.categories.pen import Q
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.ir import Do
from irsmith.synth.sketch import Sketch


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
            p.store(OUT, tile, p.extents, *offset)
            return
        names = ("sums", "pooled", "grad_table", "node_out", "accum")
        array = p.totals_array(names, table_shape, s.al.real)
        s.emit(Do(p.call("tile_atomic_add_indexed", array, at, tile)))
        p.read_tile(tile)

    p.finish(put, most=1)
