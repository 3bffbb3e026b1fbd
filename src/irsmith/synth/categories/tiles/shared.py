"""The category of what the threads of a block do together: stacks, bins, places of their own, and random tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.pen import Q, grown
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Atomic, Do, Expr, For, If, Span, Stmt, Unpack, While
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
        p.sized = True

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
        lanes = s.probe.of(value) if value.op in {"index", "name"} else s.probe.check(value)
        target = variable(s.names.claim(s.names_free(names)), value.type, value.span)
        s.settle(target.name, lanes)
        return target, Assign(target, value)

    def made(self, place: Q) -> Q:
        """What is made of an item: what an array holds, or a formula of several and of scalars."""
        p, rng = self.p, self.p.s.rng
        values = [self.item(p.reals(_ITEMS, -1.0, 1.0, self.shape), place)]
        if rng.chance(0.45):
            values.append(self.item(p.reals(("weights", "bias_in", "offsets_in", "mass"), 0.2, 1.5, self.shape), place))
        if rng.chance(0.3):
            values.append(p.value(("scale", "gain", "alpha"), 0.5, 2.0))
        if rng.chance(0.25):
            values.append(self.own(("block_gain", "row_scale", "levels"), 0.4, 1.6))
        size = rng.pick((0, 0, 1, 1, 2, 3))
        return grown(p, *values, size=size) if size or len(values) > 1 else values[0]

    def own(self, names: tuple[str, ...], low: float, high: float) -> Q:
        """A number of this block's own."""
        p = self.p
        return p.at(p.reals(names, low, high, self.shape[:1]), Q(p, self.block))

    def test(self, value: Q, place: Q, *, of_value: bool = False) -> Expr:
        """A test that some items pass: of what was made of one, or where it may be, of what else is known of it.

        Raises:
            Discard: All or none pass.
        """
        p, s, rng = self.p, self.p.s, self.p.s.rng
        form = rng.pick(("value", "value", "value", "size", "band", "block", *(() if of_value else ("other",))))
        word = rng.pick(("gt", "lt", "ge"))
        if form == "band":
            low = self._limit(value, 0.2, ("lo", "low", "v_min"))
            high = self._limit(value, 0.8, ("hi", "high", "v_max"))
            test = s.al.connect("both", value > low, value < high)
        elif form == "other":
            key = self.item(p.reals(("priority", "distances", "confidence"), 0.0, 1.0, self.shape), place)
            test = p.test(word, key, p.value(("max_key", "max_dist", "min_conf"), 0.3, 0.7))
        elif form == "block":
            low_end, high_end = self._range(value, 0.5)
            test = p.test(word, value, self.own(("limits", "thresholds", "cutoffs"), low_end, high_end))
        elif form == "size":
            size = p.fn("abs", value)
            test = p.test(word, size, self._limit(size, 0.5, ("min_size", "tolerance", "eps")))
        else:
            at = rng.pick((0.3, 0.5, 0.7))
            test = p.test(word, value, self._limit(value, at, ("threshold", "cutoff", "limit", "min_score")))
        s.probe.test(test)
        return test

    def _limit(self, value: Q, at: float, names: tuple[str, ...]) -> Q:
        """An argument by value that some values lie below, and others above."""
        return self.p.value(names, *self._range(value, at))

    def _range(self, value: Q, at: float) -> tuple[float, float]:
        middle, width = self.p.s.probe.quantile(value.e, 0.1, 0.9, at)
        if width < 0.05:
            raise Discard("limit")
        return round(middle - 0.12 * width, 3), round(middle + 0.12 * width, 3)

    def stacked(self) -> None:
        """Items that pass a test are pushed, or which they are, and then popped and handled."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        numbers = rng.chance(0.3)
        capacity = p.extent(self.count, "CAPACITY", "MAX_KEPT") if rng.chance(0.5) else self.total
        stack = variable(s.names.claim(s.names_free(("stack", "kept", "work", "queue"))), FLOAT32, exactly(0.0))
        dtype = Expr("dtype", "i" if numbers else "f", INT32 if numbers else s.al.real, exactly(0.0))
        s.emit(Assign(stack, p.call("tile_stack", capacity, dtype)))
        pushed: list[Expr] = []

        def push(place: Q, inside: Expr) -> list[Stmt]:
            value, made = self.named(self.made(place).e, "value", "v", "val")
            pushed.append(place.e if numbers else value)
            test = self.test(Q(p, value), place, of_value=numbers)
            keep = s.al.connect("both", *rng.shuffled((inside, test)))
            return [made, Do(p.call("tile_stack_push", Q(p, stack), Q(p, pushed[0]), keep))]

        self.each(push)
        count = Expr("tile", "i", INT32, usual(0, self.count), (stack,), "tile_stack_count")
        if rng.chance(0.7):
            text = s.names.free(("counts", "num_kept", "n_out"), rng)
            s.arguments.append(Argument(text, INT32, 1, Direction.OUT, (s.extents[0],), None))
            target = Expr("index", "i", INT32, usual(0, self.count), (self.block,), text)
            s.emit(If(s.al.compare("eq", self.lane, whole(0)), (Assign(target, count),)))
        (top,) = pushed
        names = ("kept_id", "k_item", "which") if numbers else ("top", "item_v", "x", "popped")
        value = variable(s.names.claim(s.names_free(names)), top.type, top.span)
        slot = variable(s.names.claim(s.names_free(("slot", "where_at", "place"))), INT32, usual(0, self.count - 1))
        s.probe.weights = {}
        s.settle(value.name, s.probe.of(top))
        s.probe.argument(slot)
        popped = Unpack((value, slot), p.call("tile_stack_pop", Q(p, stack)))
        handled = If(s.al.compare("ge", slot, whole(0)), self._handled(Q(p, value), slot, numbers=numbers))
        s.emit(While(s.al.compare("gt", count, whole(0)), (popped, handled)))
        if rng.chance(0.15):
            s.emit(Do(p.call("tile_stack_clear", Q(p, stack))))

    def _handled(self, value: Q, slot: Expr, *, numbers: bool) -> tuple[Stmt, ...]:
        """What is done with what was popped: stored, or added up."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        statements: list[Stmt] = []
        operands = [value]
        if numbers:
            table = p.reals(("features", "payload", "energy_in"), -1.0, 1.5, self.shape)
            operands = [self.item(table, value)]
        form = rng.pick(("store", "store", "store", "sum", "both"))
        if rng.chance(0.45):
            operands.append(p.value(("factor", "shift", "bias"), 0.5, 2.0))
        if rng.chance(0.3):
            operands.append(self.own(("offsets", "block_bias", "base_level"), 0.3, 1.5))
        size = rng.pick((0, 1, 2, 2, 3))
        made = grown(p, *operands, size=size) if size or len(operands) > 1 else operands[0]
        if form == "both" or rng.chance(0.3):
            target, statement = self.named(made.e, "result", "r", "out_v", "y")
            statements.append(statement)
            made = Q(p, target)
        if form != "sum":
            text = s.names.free(("compacted", "kept_out", "survivors", "out"), rng)
            s.arguments.append(Argument(text, s.al.real, 2, Direction.OUT, self.shape, None))
            place = Expr("index", "f", s.al.real, usual(-1.0, 1.0), (self.block, slot), text)
            statements.append(Assign(place, made.e))
        if form != "store":
            sums = p.totals(("sums", "kept_sum", "totals"), self.shape[:1], s.al.real)
            s.fixed.add(sums.e.name)
            statements.append(Atomic("add", p.at(sums, Q(p, self.block)).e, made.e))
        return tuple(statements)

    def scattered(self, *, moved: bool) -> None:
        """Items are added to bins, or put in places of their own, of a tile that the block shares."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        bins = self.total if moved else p.extent(rng.pick((4, 4, 6, 8)), "NUM_BINS", "BINS", "BUCKETS")
        dtype = Expr("dtype", "f", s.al.real, exactly(0.0))
        shared = Expr("shared", "b", INT32, exactly(0))
        names = ("sorted_t", "moved", "buf") if moved else ("bins", "hist", "acc", "table")
        start = p.call("tile_zeros", bins, dtype, shared, span=exactly(0.0))
        tile = p.bind(start, None, *names, keep=False)
        placed = self._moved() if moved else None
        labels = None
        if not moved:
            labels = p.wholes(("labels", "keys", "bin_ids", "bucket"), 0, int(bins.value) - 1, self.shape)
        chosen = not moved and rng.chance(0.3)
        scattered: list[Expr] = []

        def scatter(place: Q, inside: Expr) -> list[Stmt]:
            value, made = self.named(self.made(place).e, "value", "v", "w")
            scattered.append(value)
            if placed is not None:
                return [made, Do(p.call("tile_scatter_masked", tile, placed(place.e), Q(p, value), inside))]
            assert labels is not None
            key, found = self.named(self.item(labels, place).e, "b", "key", "label")
            if chosen:
                inside = s.al.connect("both", *rng.shuffled((inside, self.test(Q(p, value), place))))
            return [*rng.shuffled([found, made]), Do(p.call("tile_scatter_add", tile, Q(p, key), Q(p, value), inside))]

        self.each(scatter)
        p.shape, p.extents = (bins,), (s.extents[0], int(bins.value))
        (value,) = scattered
        # A bin may get everything, or nothing.
        most, some = (1, 1.0) if moved else (self.count, self.count / int(bins.value))
        low, high, near, far = value.span
        span = Span(min(0.0, most * low), max(0.0, most * high), some * near, some * far)
        lanes = s.probe.of(value)
        s.settle(tile.e.name, some * (lanes.mean() + 0.7 * (lanes - lanes.mean())))
        tile = Q(p, tile.e._replace(span=span))
        p.tiles.append(tile)
        p.known.append(tile)
        if not moved and rng.chance(0.2):
            self._shares(tile, int(bins.value))
        if rng.chance(0.35):
            # What stood there before, or what is to be compared with.
            array = p.reals(("prior", "previous", "expected", "baseline"), -1.0, 1.5, p.extents)
            part = array.e._replace(args=(self.block,))
            before = p.bind(p.call("tile_load", part, bins, span=array.e.span), None, "old_t", "prior_t", "base_t")
            p.raw.add(before.e.name)
        for _ in range(rng.pick((0, 0, 1))):
            p.parameter()
        p.steps(rng.pick((0, 1, 1, 2)))

        def store(done: Q) -> None:
            result = p.result(OUT, p.extents, s.al.real)
            p.put_tile("tile_store", result._replace(op="index", args=(self.block,)), done)

        p.finish(store)

    def _shares(self, tile: Q, count: int) -> None:
        """What each bin holds of all that they hold."""
        p = self.p
        total = p.element(p.fold(tile, "sum", count), whole(0), names=("total_v", "mass_v", "sum_v"))
        value = tile / (p.fn("abs", total) + p.s.rng.pick((0.1, 1.0)))
        p.s.read(total.e)
        p.bind(value.e, p.s.probe.check(value.e), "shares", "portions", "normed")

    def _moved(self) -> Callable[[Expr], Expr]:
        """Where an item goes: each to a place of its own."""
        p, rng = self.p, self.p.s.rng
        form = rng.pick(("shift", "shift", "given", "block", "back", "stride", "pairs"))
        by: Expr = whole(rng.pick((1, 2, 3)))
        if form == "given":
            by = p.count(("offset", "shift", "roll_by"), 1, self.count - 1).e
        elif form == "block":
            by = self.block
        elif form == "stride":
            # Without a divisor in common with any count.
            by = whole(7)
        turned = form == "back" or rng.chance(0.2)

        def place(e: Expr) -> Expr:
            word = {"back": "", "stride": "mul", "pairs": "xor"}.get(form, "add")
            at = e
            if word:
                at = e._replace(op=word, name="", args=(e, by))
                if word != "xor":
                    at = e._replace(op="rem", name="", args=(at, self.total))
            if not turned:
                return at
            last = e._replace(op="sub", name="", args=(self.total, whole(1)))
            return e._replace(op="sub", name="", args=(last, at))

        return place


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
