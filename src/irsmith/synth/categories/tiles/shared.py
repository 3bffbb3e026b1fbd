"""The category of what the threads of a block do together: stacks, bins, places of their own, and random tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.pen import Q, grown
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.ir import Assign, Do, Expr, For, If, Stmt, Unpack, While
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT16, FLOAT32, INT32, UINT32

_ITEMS = ("values", "scores", "samples", "costs", "energies", "data")


def tile_share(s: Sketch) -> None:
    """The threads of a block sort out items together: kept on a stack, counted into bins, moved, or drawn."""
    rng = s.rng
    if s.al.real is FLOAT16:
        s.al.real = FLOAT32
    form = rng.pick(("stack", "stack", "bins", "bins", "moved", "drawn", "drawn"))
    p = TilePen(s)
    if form == "drawn":
        s.al.real = FLOAT32
        _drawn(p)
        return
    pair = rng.pick((("b", "lane"), ("block", "lane"), ("row", "t"), ("i", "lane"), ("i", "j")))
    one, _, three, four = s.style.coordinates
    s.style = replace(s.style, coordinates=(one, pair, three, four))
    s.open(2, (rng.between(3, 6), 1))
    work = _Items(p)
    if form == "stack":
        work.stacked()
    else:
        work.scattered(moved=form == "moved")


class _Items:
    """Items of which every block handles a row, a thread one at a time.

    Attributes:
        count: How many items a row has.
        block: The block's own coordinate.
        lane: The thread's number within its block.
    """

    def __init__(self, p: TilePen) -> None:
        rng = p.s.rng
        self.p, self.count = p, rng.pick((8, 12, 16, 20))
        self.total = p.extent(self.count, "NUM_ITEMS", "COUNT", "ITEMS", "N")
        self.block, self.lane = p.s.coords
        self.shape = (p.s.extents[0], self.count)

    def each(self, fill: Callable[[Q, Expr], list[Stmt]]) -> None:
        """A loop in which the block's threads take the next items of its row: which one, and whether there is one."""
        p, s = self.p, self.p.s
        base = variable(s.names.claim(s.names_free(("base", "start", "first"))), INT32, usual(0, self.count - 1))
        s.probe.argument(base)
        step = Expr("tile", "i", INT32, exactly(1), (), "block_dim")
        here = Expr("add", "i", INT32, base.span, (base, self.lane))
        body: list[Stmt] = []
        if s.rng.chance(0.5):
            mine = variable(s.names.claim(s.names_free(("i", "k", "n", "mine"))), INT32, base.span)
            s.probe.argument(mine)
            body.append(Assign(mine, here))
            here = mine
        place = variable(s.names.claim(s.names_free(("item", "idx", "at", "j"))), INT32, base.span)
        s.probe.argument(place)
        last = Expr("sub", "i", INT32, base.span, (self.total, whole(1)))
        body.append(Assign(place, Expr("min", "i", INT32, base.span, (here, last))))
        inside = s.al.compare("lt", here, self.total)
        s.emit(For(base.name, whole(0), self.total, step, (*body, *fill(Q(p, place), inside))))

    def item(self, array: Q, place: Q) -> Q:
        """An item of this block's row."""
        return self.p.at(array, Q(self.p, self.block), place)

    def named(self, value: Expr, *names: str) -> tuple[Expr, Assign]:
        """A variable for a value, and the statement that makes it."""
        s = self.p.s
        target = variable(s.names.claim(s.names_free(names)), value.type, value.span)
        return target, Assign(target, value)

    def stacked(self) -> None:
        """Items that pass a test are pushed, and then popped and handled."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        array = p.reals(_ITEMS, -1.0, 1.0, self.shape)
        limit = p.value(("threshold", "cutoff", "limit", "min_score"), -0.4, 0.4)
        capacity = p.extent(self.count, "CAPACITY", "MAX_KEPT") if rng.chance(0.5) else self.total
        stack = variable(s.names.claim(s.names_free(("stack", "kept", "work", "queue"))), FLOAT32, exactly(0.0))
        dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
        s.emit(Assign(stack, p.call("tile_stack", capacity, dtype)))
        others = p.reals(("weights", "bias_in", "offsets_in"), 0.2, 1.5, self.shape) if rng.chance(0.4) else None

        def push(place: Q, inside: Expr) -> list[Stmt]:
            item = self.item(array, place)
            if others is not None:
                item = item * self.item(others, place)
            value, made = self.named(item.e, "value", "v", "val")
            test = s.al.compare(rng.pick(("gt", "lt", "ge")), value, limit.e)
            keep = s.al.connect("both", *rng.shuffled((inside, test)))
            return [made, Do(p.call("tile_stack_push", Q(p, stack), Q(p, value), keep))]

        self.each(push)
        count = Expr("tile", "i", INT32, usual(0, self.count), (stack,), "tile_stack_count")
        if rng.chance(0.7):
            text = s.names.free(("counts", "num_kept", "n_out"), rng)
            s.arguments.append(Argument(text, INT32, 1, Direction.OUT, (s.extents[0],), None))
            target = Expr("index", "i", INT32, usual(0, self.count), (self.block,), text)
            s.emit(If(s.al.compare("eq", self.lane, whole(0)), (Assign(target, count),)))
        value = variable(s.names.claim(s.names_free(("top", "item_v", "x", "popped"))), s.al.real, array.e.span)
        slot = variable(s.names.claim(s.names_free(("slot", "where_at", "place"))), INT32, usual(0, self.count - 1))
        s.probe.weights = {}
        s.settle(value.name, s.probe.draw(array.e._replace(args=(self.block, self.lane))))
        s.probe.argument(slot)
        popped = Unpack((value, slot), p.call("tile_stack_pop", Q(p, stack)))
        text = s.names.free(("compacted", "kept_out", "survivors", "out"), rng)
        s.arguments.append(Argument(text, s.al.real, 2, Direction.OUT, self.shape, None))
        made = Q(p, value)
        if rng.chance(0.7):
            scale = p.value(("scale", "gain", "shift"), 0.5, 2.0)
            made = grown(p, made, scale, size=rng.pick((1, 2, 2, 3)))
        target = Expr("index", "f", s.al.real, usual(-1.0, 1.0), (self.block, slot), text)
        store = If(s.al.compare("ge", slot, whole(0)), (Assign(target, made.e),))
        s.emit(While(s.al.compare("gt", count, whole(0)), (popped, store)))
        if rng.chance(0.15):
            s.emit(Do(p.call("tile_stack_clear", Q(p, stack))))

    def scattered(self, *, moved: bool) -> None:
        """Items are added to bins, or put in places of their own, of a tile that the block shares."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        bins = self.total if moved else p.extent(rng.pick((4, 4, 6, 8)), "NUM_BINS", "BINS", "BUCKETS")
        array = p.reals(_ITEMS, -1.0, 1.0, self.shape)
        dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
        shared = Expr("shared", "b", INT32, exactly(0))
        names = ("sorted_t", "moved", "buf") if moved else ("bins", "hist", "acc", "table")
        start = p.call("tile_zeros", bins, dtype, shared, span=usual(-4.0, 4.0))
        tile = p.bind(start, None, *names, keep=False)
        labels = (
            None if moved else p.wholes(("labels", "keys", "bin_ids", "bucket"), 0, int(bins.value) - 1, self.shape)
        )
        weights = p.reals(("weights", "mass", "w_in"), 0.2, 1.5, self.shape) if rng.chance(0.5) else None
        scale = p.value(("scale", "gain"), 0.5, 2.0) if rng.chance(0.4) else None
        shift = rng.pick((1, 2, 3)) if rng.chance(0.5) else 0

        def scatter(place: Q, inside: Expr) -> list[Stmt]:
            item = self.item(array, place)
            if weights is not None:
                item = item * self.item(weights, place)
            if scale is not None:
                item = item * scale
            value, made = self.named(item.e, "value", "v", "w")
            e = place.e
            if labels is not None:
                key, found = self.named(self.item(labels, place).e, "b", "key", "label")
                return [found, made, Do(p.call("tile_scatter_add", tile, Q(p, key), Q(p, value), inside))]
            if shift:
                moved_by = e._replace(op="add", name="", args=(e, whole(shift)))
                at = e._replace(op="rem", name="", args=(moved_by, self.total))
            else:
                last = e._replace(op="sub", name="", args=(self.total, whole(1)))
                at = e._replace(op="sub", name="", args=(last, e))
            return [made, Do(p.call("tile_scatter_masked", tile, at, Q(p, value), inside))]

        self.each(scatter)
        p.shape, p.extents = (bins,), (s.extents[0], int(bins.value))
        p.tiles.append(tile)
        p.known.append(tile)
        # A step may leave nothing of a factor but its sign.
        p.steps(rng.pick((0, 1, 1, 2)) if scale is None else 0)

        def store(done: Q) -> None:
            result = p.result(OUT, p.extents, s.al.real)
            p.put_tile("tile_store", result._replace(op="index", args=(self.block,)), done)

        p.finish(store)


def _drawn(p: TilePen) -> None:
    """Tiles of random numbers: noise, dropout, jitter."""
    s, rng = p.s, p.s.rng
    s.open(1, (rng.between(3, 6),))
    block, count = s.coords[0], rng.pick((8, 16, 16, 32))
    size = p.extent(count)
    p.shape, p.extents = (size,), (s.extents[0] * count,)
    seed = p.count(("seed", "rng_seed", "step_seed"), 0, 1000)
    text = s.names.claim(s.names_free(("rng", "state", "rng_state")))
    state = Expr("name", "r", UINT32, exactly(0.0), (), text)
    s.emit(Assign(state, Expr("rand_init", "r", UINT32, exactly(0.0), (seed.e, block))))
    for _ in range(rng.pick((1, 1, 2))):
        quantity, low, high = s.quantity("scalars")
        array = p.array_of((s.array_name(quantity), quantity), low, high, p.extents, s.al.real)
        p.load(array, size, p.offset(block, size), names=(quantity, "x", "t"))
    if rng.chance(0.5):
        p.parameter()
    if rng.chance(0.75):
        low, high = rng.pick(((0.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (-0.5, 0.5), (0.9, 1.1)))
        bounds = () if (low, high) == (0.0, 1.0) else (p.literal(low), p.literal(high))
        p.bind(p.call("tile_randf", size, state, *bounds, span=usual(low, high)), None, "u", "noise", "jitter", "r")
    else:
        most = rng.pick((2, 4, 6, 10))
        value = p.call("tile_randi", size, state, whole(0), whole(most), span=usual(0, most - 1), type=INT32)
        drawn = p.bind(value, None, "k", "picks", "faces", keep=False)
        dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
        p.bind(p.call("tile_astype", drawn, dtype, span=drawn.e.span), s.probe.of(drawn.e), "kf", "roll", "picked")
    p.steps(rng.pick((1, 2, 2, 3, 4)))
    p.finish(lambda tile: p.store(OUT, tile, p.extents, p.offset(block, size)))
