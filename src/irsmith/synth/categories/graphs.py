"""Categories of graphs: rows of sparse arrays, neighbours, relaxation of edges, and atomics that claim places."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import usual, whole
from irsmith.synth.categories.pen import Pen, Q, closing, grown, outside
from irsmith.synth.ir import Assign, Expr, If, Jump
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, Domain

_VALUES = ("x", "rank", "labels_val", "potential", "feature", "node_val", "heat", "mass", "score", "signal")


def csr_row(s: Sketch) -> None:
    """A thread for a row of a sparse matrix or a node of a graph: its entries, by offsets or by a padded list."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    rows = s.extents[0]
    count = rng.pick((8, 12, 16, 24, 32))
    i = p.coords[0]
    padded = rng.chance(0.45)
    values = p.reals(_VALUES, -2.0, 2.0, (count,))
    own = (
        p.keep(p.at(p.reals(("own", "diag", "self_val", "bias", "b"), 0.2, 2.0)), "xi", "mine", "own_i", "d_i")
        if rng.chance(0.6)
        else None
    )
    form = rng.pick(("sum", "sum", "sum", "max", "min", "count"))
    # A row may be empty: what it starts from must do for a result.
    start = rng.pick((-1.0, 0.0)) if form == "max" else rng.pick((1.0, 2.0)) if form == "min" else 0.0
    names = ("acc", "total", "row_sum", "sum_nb") if form == "sum" else ("best", "extreme", "top", "m_val")
    acc = p.start(0.0, "degree", "count", "hits", "n_close") if form == "count" else p.start(start, *names)
    most = rng.pick((3, 4, 6, 8))
    nnz = rng.pick((24, 32, 48))
    weighted = rng.chance(0.6)
    weights = (
        p.reals(("weights", "vals", "data", "edge_w", "coeffs"), -1.0, 1.0, (rows, most) if padded else (nnz,))
        if weighted
        else None
    )
    cutoff = p.value(("threshold", "radius", "cutoff", "tol"), 0.5, 1.5) if form == "count" else None

    def entry(*place: Q) -> None:
        j = p.index(p.at(columns, *place), count, "j", "col", "nb", "v", "other")
        value = p.at(values, j)
        value = p.let(value, "xj", "val", "nb_val", "x_v") if rng.chance(0.5) else value
        parts = [value]
        if weights is not None:
            parts.append(p.at(weights, *place))
        if own is not None and rng.chance(0.5):
            term = (value - own) * parts[1] if weights is not None else value - own
        elif weights is not None and rng.chance(0.7):
            term = parts[1] * value if rng.chance(0.5) else value * parts[1]
        else:
            term = (
                grown(p, *parts, size=rng.pick((1, 1, 2)))
                if form != "sum" or len(parts) > 1 or rng.chance(0.5)
                else value
            )
        if form == "count" and cutoff is not None:
            gap = p.let(p.fn("abs", term), "gap", "dist", "mag")
            p.when(gap < cutoff, lambda: p.add_to(acc, gap if rng.chance(0.5) else 1.0 - gap * 0.5, most))
        elif form == "sum":
            p.add_to(acc, term, most)
        else:
            p.most_of(acc, term, form)

    if padded:
        columns = p.wholes(
            ("neighbors", "adjacency", "nbr", "ell_cols"), -1 if rng.chance(0.6) else 0, count - 1, (rows, most)
        )
        low = columns.e.span.low

        def each(k: Q) -> None:
            if low < 0:
                held = Q(p, Expr("index", "i", INT32, usual(-1, count - 1), (i.e, k.e), columns.e.name))
                test = s.al.compare("lt", held.e, whole(0))
                s.emit(If(test, (Jump("continue" if rng.chance(0.7) else "break"),)))
            entry(i, k)

        p.loop(most, ("k", "n", "slot", "e"), each)
    else:
        offsets = p.wholes(("row_offsets", "indptr", "row_ptr", "offsets"), 0, nnz, (rows + 1,))
        columns = p.wholes(("columns", "col_idx", "indices", "targets"), 0, count - 1, (nnz,))
        first, last = p.at(offsets, i), p.at(offsets, Q(p, Expr("add", "i", INT32, usual(1, rows), (i.e, whole(1)))))
        if rng.chance(0.7):
            first, last = p.let(first, "start", "begin", "row_start"), p.let(last, "end", "stop_e", "row_end")
        p.loop(last, ("e", "k", "jj", "nz"), entry, first=first, most=nnz)
    result = p.now(acc)
    span = result.e.span
    result = Q(p, result.e._replace(span=usual(min(start, span.low), max(start, span.high))))
    s.add(result.e)
    if own is not None and rng.chance(0.5):
        s.read(result.e)
        s.read(own.e)
        damp = p.value(("damping", "alpha", "omega", "d"), 0.1, 0.9)
        mixed = (1.0 - damp) * own + damp * result if rng.chance(0.5) else (result - own) / (own + 0.5)
        p.keep(mixed, "new_val", "updated", "relaxed", "next_x")
    closing(s)


def relaxation(s: Sketch) -> None:
    """A thread for an edge: distances lowered, ranks pushed, labels and flows carried over."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    count = rng.pick((8, 12, 16, 24))
    i = p.coords[0]
    pairs = rng.chance(0.4)
    if pairs:
        ends = p.wholes(("edges", "edge_list", "links"), 0, count - 1, (s.extents[0], 2))
        u, v = (
            p.index(p.at(ends, i, k), count, *names)
            for k, names in enumerate((("u", "src_n", "a", "head"), ("v", "dst_n", "b", "tail")))
        )
    else:
        sources, targets = (
            p.wholes(("src", "edge_src", "heads"), 0, count - 1),
            p.wholes(("dst", "edge_dst", "tails"), 0, count - 1),
        )
        u, v = p.index(p.at(sources), count, "u", "s_id", "a"), p.index(p.at(targets), count, "v", "t_id", "b")
    state = p.reals(("dist", "rank", "height", "potential", "level", "cost"), 0.0, 4.0, (count,))
    weights = p.reals(("weights", "w", "length", "capacity", "edge_cost"), 0.1, 2.0) if rng.chance(0.8) else None
    du = p.let(p.at(state, u), "du", "d_u", "from_val", "xu")
    dv = p.let(p.at(state, v), "dv", "d_v", "to_val", "xv") if rng.chance(0.6) else None
    w = p.perhaps(p.at(weights), "w_e", "wt", "len_e") if weights is not None else None
    form = rng.pick(("shortest", "shortest", "push", "flow", "widest"))
    factor = [p.value(("alpha", "damping", "rate", "scale"), 0.1, 0.9)] if rng.chance(0.5) else []
    if form == "flow" and dv is None:
        dv = p.let(p.at(state, v), "dv", "d_v", "xv")
    if form == "shortest":
        candidate = du + w if w is not None else du + 1.0
        word, low = "min", (4.0, 8.0)
    elif form == "widest":
        candidate = p.fn("min", du, w) if w is not None else du * 0.9
        word, low = "max", (0.0, 0.5)
    elif form == "flow" and dv is not None:
        candidate = (du - dv) * w if w is not None else du - dv
        word, low = "add", (-1.0, 1.0)
    else:
        degree = p.reals(("degree", "out_degree", "norm"), 1.0, 4.0, (count,))
        candidate = du / p.at(degree, u)
        if w is not None:
            candidate = candidate * w
        word, low = "add", (0.0, 1.0)
    for f in factor:
        candidate = candidate * f
    s.pool += [q.e for q in (du, *([dv] if dv is not None else []), *factor)]
    if rng.chance(0.4):
        s.load("f")
        candidate = grown(p, candidate, *outside(p), size=1)
    candidate = p.let(candidate, "cand", "alt", "proposal", "contrib", "relaxed")
    s.pool.append(candidate.e)
    straight.temps(s, rng.below(3))
    out = p.totals(("dist_out", "next_rank", "new_cost", "accum", "delta"), (count,), s.al.real, *low)

    def update() -> None:
        p.atomic(word, p.at(out, v), candidate)
        if form == "flow":
            p.atomic("sub", p.at(out, u), candidate)

    if dv is not None and form in {"shortest", "widest"} and rng.chance(0.7):
        p.when(candidate < dv if form == "shortest" else candidate > dv, update)
    elif rng.chance(0.3):
        p.when(candidate > p.cutoff(candidate), update)
    else:
        update()
    if not s.fresh and rng.chance(0.85):
        s.load("f")
    if s.fresh:
        closing(s)
    if rng.chance(0.4):
        s.read(candidate.e)
        p.store(("edge_out", "messages", "flux_e"), candidate)


def atomic_loop(s: Sketch) -> None:
    """Atomic updates inside a loop: rows scattered into bins, pairs of contributions, windows splatted."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    i = p.coords[0]
    most = rng.pick((2, 3, 4, 6, 8))
    bins = rng.pick((4, 8, 12, 16))
    own = p.at(p.reals(("mass", "weight", "value", "amount"), 0.2, 2.0))
    own = p.perhaps(own, "m", "w_i", "val", "share")
    s.pool.append(own.e) if own.e.op == "name" else None
    s.load("f") if rng.chance(0.4) else None
    form = rng.pick(("listed", "listed", "row", "splat"))
    word = rng.pick(("add", "add", "add", "sub", "max", "min"))
    low = {"max": (-4.0, -4.0), "min": (4.0, 4.0)}.get(word, (-1.0, 1.0))
    names = (
        p.wholes(("targets", "cells", "bin_ids", "corners", "slots"), 0, bins - 1, (s.extents[0], most))
        if form == "listed"
        else None
    )
    by_row = rng.chance(0.5)
    table = None
    if form != "splat" or rng.chance(0.5):
        shape = (s.extents[0], most) if by_row else (most,)
        table = p.reals(("shape", "basis", "weights", "coef", "kernel"), -1.0, 1.0, shape)
    before: list[Q] = outside(p) if s.fresh else []
    while s.fresh:
        before += outside(p)
    shape = (bins + most - 1,) if form == "splat" else (most,) if form == "row" else (bins,)
    cell = p.wholes(("cell", "first_bin", "base"), 0, bins - 1) if form == "splat" else None
    base = p.index(p.at(cell), bins, "base_i", "c0", "b0") if cell is not None else None
    out: list[Q] = []

    def each(k: Q) -> None:
        parts = [own]
        if table is not None:
            parts.append(p.at(table, i, k) if by_row else p.at(table, k))
        elif rng.chance(0.7):
            parts.append((p.real(k) + rng.pick((0.5, 1.0))) * rng.pick((0.5, 0.25)))
        value = grown(p, *parts, *before, size=rng.pick((1, 1, 2)))
        value = p.let(value, "contrib", "part", "w_k", "q") if rng.chance(0.6) else value
        s.probe.check(value.e) if value.e.op != "name" else None
        if names is not None:
            place = p.index(p.at(names, i, k), bins, "b", "slot", "dest", "g")
        elif base is not None:
            place = Q(p, Expr("add", "i", INT32, usual(0, bins + most - 2), (base.e, k.e)))
        else:
            place = k
        if not out:
            out.append(p.totals(("grid", "totals", "hist", "accum", "out_bins"), shape, value.e.type, *low))

        def update() -> None:
            p.atomic(word, p.at(out[0], place), value)

        if rng.chance(0.3):
            p.when(value > p.cutoff(value), update)
        else:
            update()

    p.loop(most, ("k", "j", "c"), each)
    if rng.chance(0.5):
        s.load("f")
        s.add(own.e)
        closing(s)


def exchange(s: Sketch) -> None:
    """Atomic exchange and compare-and-swap of a place that this thread owns, and what their old values decide."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    straight.loads(s, "f" * rng.pick((1, 2, 2)))
    straight.temps(s, rng.below(3))
    swap = rng.chance(0.5)
    flags = s.names.free(("flags", "locks", "owner", "visited", "state", "slots"), rng)
    s.arguments.append(Argument(flags, INT32, 1, Direction.INOUT, s.extents, Domain(0, rng.pick((2, 3)))))
    target = Expr("index", "i", INT32, usual(0, 3), s.coords, flags)
    if rng.chance(0.4):
        # The thread's own number, counted from one.
        new = Expr("add", "i", INT32, usual(1, s.extents[0]), (s.coords[0], whole(rng.pick((1, 1, 2)))))
    else:
        new = p.at(p.wholes(("ids", "labels_in", "tickets"), 1, rng.pick((5, 9, 30)))).e
    old = s.names.claim(s.names_free(("old", "prev", "before", "was")))
    held = Expr("name", "i", INT32, usual(0, 3), (), old)
    if swap:
        expected = whole(rng.pick((0, 0, 1)))
        s.emit(Assign(held, Expr("atomic_cas", "i", INT32, usual(0, 3), (target, expected, new))))
        test = s.al.compare(rng.pick(("eq", "eq", "ne")), held, expected)
    else:
        s.emit(Assign(held, Expr("atomic_exch", "i", INT32, usual(0, 3), (target, new))))
        test = s.al.compare(rng.pick(("eq", "gt", "ne")), held, whole(rng.pick((0, 1))))
    s.probe.weights = {}
    s.settle(old, s.probe.draw(held))
    values = outside(p, 1, "f")
    s.add(values[0].e) if values[0].e.op == "name" else None

    other = rng.pick((0.0, 0.5, 2.0, -1.0))
    otherwise: Q | float = values[0] * other if other else 0.0
    gain = p.keep(p.choose(test, values[0], otherwise), "gain", "kept", "result_v", "claimed_val")
    if rng.chance(0.3):
        total = p.totals(("claimed", "count", "winners", "total"), (1,), s.al.real)
        p.atomic("add", p.at(total, 0), gain)
    s.load("f") if rng.chance(0.5) or not s.fresh else None
    closing(s)
