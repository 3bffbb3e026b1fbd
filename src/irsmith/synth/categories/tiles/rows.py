"""Kernels of tiles of which every block handles one row of its arrays."""

from __future__ import annotations

from irsmith.synth.algebra import whole
from irsmith.synth.categories.pen import Q
from irsmith.synth.categories.tiles.pen import TilePen
from irsmith.synth.ir import Do
from irsmith.synth.sketch import Sketch

_WIDTHS = (8, 8, 16, 16, 32)


class Rows:
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
