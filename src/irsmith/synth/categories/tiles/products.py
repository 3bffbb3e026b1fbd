"""The category of products of matrices, tile by tile."""

from __future__ import annotations

from irsmith.synth.algebra import exactly, whole
from irsmith.synth.categories.pen import Q
from irsmith.synth.categories.tiles.maps import spread_row
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.ir import Do, Expr
from irsmith.synth.sketch import Sketch


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
        spread_row(p)
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
    p.finish(lambda tile: p.store(OUT, tile, p.extents, p.offset(i, first), p.offset(j, second)), most=1)
