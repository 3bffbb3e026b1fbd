"""Categories that fold many elements into one: places of extremes, strided sums, one-pass statistics."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, usual
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.pen import Pen, Q, closing, grown, outside
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Expr, If
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32

_ROWS = ("values", "scores", "costs", "samples", "distances", "features", "signal", "logits", "energies", "data")


def arg_reduction(s: Sketch) -> None:
    """The place of a row's extreme, and what is found there."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 1, 2)))
    for _ in range(rng.pick((0, 1, 1, 2))):
        s.load("f")
    straight.temps(s, rng.pick((0, 0, 1)))
    most = rng.pick((4, 6, 8, 10, 12, 16))
    stop: Q | int = p.count(("n", "num_candidates", "k_max", "count"), most // 2, most) if rng.chance(0.4) else most
    row = p.reals(_ROWS, -2.0, 2.0, (s.extents[0], most))
    shared = ("bias", "offsets", "priors", "penalty", "targets")
    other = p.reals(shared, -1.0, 1.0, (most,)) if rng.chance(0.5) else None
    rising = rng.chance(0.5)
    best = p.start(-100.0, "best", "best_val", "peak", "max_val") if rising else p.start(
        100.0, "best", "best_val", "nearest", "min_val")  # fmt: skip
    text = s.names.claim(s.names_free(("best_idx", "arg", "best_j", "where_best", "winner")))
    place = variable(text, INT32, usual(0, most - 1))
    s.emit(Assign(place, Expr("mutable", "i", INT32, exactly(0), (), "", 0)))

    def body(j: Q) -> None:
        values = [p.at(row, p.coords[0], j)]
        if other is not None:
            values.append(p.at(other, j))
        if s.pool and rng.chance(0.6):
            values += outside(p)
        while s.fresh:
            values += outside(p)
        value = grown(p, *values, size=rng.pick((1, 1, 2)))
        value = p.let(value, "v", "val", "cur", "score_j", "cost_j")
        if max(-value.e.span.low, value.e.span.high) > 90.0:
            raise Discard("extreme")
        test = s.al.compare("gt" if rising else "lt", value.e, best.e)
        s.emit(If(test, (Assign(best.e, value.e), Assign(place, j.e))))
        s.settle(best.e.name, s.probe.of(value.e))
        p.spans[best.e.name] = value.e.span

    p.loop(stop, ("j", "k", "c", "m"), body)
    s.probe.weights = {}
    s.settle(text, s.probe.draw(place))
    roll = rng.random()
    if roll < 0.75:
        names = ("arg_out", "best_index", "assignment", "winner_out", "labels_out", "nearest_id")
        name = s.names.free(names, rng)
        s.arguments.append(Argument(name, INT32, len(s.extents), Direction.OUT, s.extents, None))
        s.emit(Assign(Expr("index", "i", INT32, usual(0, most), s.coords, name), place))
    if roll > 0.55:
        table = p.reals(("table", "payload", "codebook", "lookup", "values_at"), -2.0, 2.0, (most,))
        p.keep(p.at(table, Q(p, place)), "picked", "chosen", "code", "hit")
    p.result(best)
    closing(s)


def strided_reduction(s: Sketch) -> None:
    """Each thread folds every so many elements of one long array, and threads fold together."""
    rng, p = s.rng, Pen(s)
    threads, turns = rng.pick((8, 16, 16, 32)), rng.pick((2, 3, 4, 4))
    s.open(1, (threads,))
    length = threads * turns
    arrays = [p.reals(_ROWS, -2.0, 2.0, (length,)) for _ in range(rng.pick((1, 1, 2, 3)))]
    scale = [p.value(("scale", "temperature", "bandwidth", "shift"), 0.2, 2.0)] if rng.chance(0.5) else []
    form = rng.pick(("sum", "sum", "sum", "max", "min"))
    word = "add" if form == "sum" else form
    names = ("acc", "partial", "local_sum", "running") if form == "sum" else ("best", "local_best", "extreme")
    acc = p.start({"sum": 0.0, "max": -100.0, "min": 100.0}[form], *names)
    thread = p.coords[0]

    def body(place: Q) -> None:
        values = [p.at(array, place) for array in arrays]
        if rng.chance(0.5):
            values = [p.let(value, "x", "v", "a", "b", "w") for value in values]
        value = grown(p, *values, *scale, size=rng.pick((1, 2, 2, 3)))
        if value.e.op != "name" and s.budget > 8 and rng.chance(0.5):
            value = p.let(value)
            value = grown(p, value, *scale)
        if form == "sum":
            p.add_to(acc, value, turns)
        else:
            p.most_of(acc, value, form)

    if rng.chance(0.35):
        # A block of neighbours for each thread.
        def block(k: Q) -> None:
            first = Expr("mul", "i", INT32, usual(0, length - 1), (thread.e, p.literal(turns, thread.e)))
            moved = Expr("add", "i", INT32, usual(0, length - 1), (first, k.e))
            body(p.let(Q(p, moved), "src", "flat", "pos", "e"))

        p.loop(turns, ("k", "j", "step"), block)
    else:
        stop: Q | int = p.count(("n", "num_items", "count", "length"), length, length) if rng.chance(0.6) else length
        p.loop(stop, ("k", "j", "idx", "e"), body, first=thread, step=threads, most=length)
    result = p.result(acc)
    straight.temps(s, rng.below(3))
    s.read(result.e)
    values = outside(p) if s.fresh else [p.now(acc)]
    while s.fresh:
        values += outside(p)
    folded = grown(p, *values, size=rng.pick((0, 0, 1))) if len(values) > 1 or values[0].e.op != "name" else values[0]
    if rng.chance(0.4):
        p.store(("partial_out", "per_thread", "block_sums"), folded)
    elif folded.e.op != "name":
        folded = p.let(folded, "contrib", "share", "scaled", "part")
    bound = (-1.0, 1.0)
    if form != "sum":
        # Every thread's own result beats what stands there at first.
        lanes = s.probe.of(folded.e)
        first = round(float(lanes.min()) - 0.5 if form == "max" else float(lanes.max()) + 0.5, 1)
        bound = (first, first)
    total = p.totals(("total", "result", "sum_out", "loss", "extreme_out"), (1,), s.al.real, *bound)
    p.atomic(word, p.at(total, 0), folded)


def statistics(s: Sketch) -> None:
    """Mean, variance and higher moments of a row, in one pass or two."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    most = rng.pick((4, 6, 8, 10, 12))
    row = p.reals(_ROWS, rng.pick((-2.0, 0.0, 0.5)), 2.5, (s.extents[0], most))
    weights = p.reals(("weights", "w", "mask", "importance"), 0.1, 1.0, (most,)) if rng.chance(0.4) else None
    thread = p.coords[0]
    two_pass = rng.chance(0.5)
    first = p.start(0.0, "total", "s1", "sum_x", "acc")
    second = None if two_pass else p.start(0.0, "total_sq", "s2", "sum_sq")

    def value(j: Q) -> Q:
        x = p.at(row, thread, j)
        return p.let(x, "x", "v", "val") if rng.chance(0.6) else x

    def once(j: Q) -> None:
        x = value(j)
        term = x * p.at(weights, j) if weights is not None else x
        p.add_to(first, term, most)
        if second is not None:
            p.add_to(second, x * x if x.e.op == "name" else p.do("square", x), most)

    p.loop(most, ("j", "k"), once)
    size = float(most)
    mean = p.let(p.now(first) / size, "mean", "mu", "avg")
    if second is not None:
        spread = p.let(p.now(second) / size - mean * mean, "var", "variance", "spread")
        spread = p.fn("max", spread, 0.0) if spread.e.span.low < 0 else spread
    else:
        deviations = p.start(0.0, "dev", "m2", "sq_dev", "acc2")
        power = rng.pick(("square", "square", "abs", "cube"))

        def again(j: Q) -> None:
            d = p.let(p.at(row, thread, j) - mean, "d", "diff", "centered")
            p.add_to(deviations, p.fn("abs", d) if power == "abs" else d * d if power == "square" else d * d * d, most)

        p.loop(most, ("j2", "m", "kk", "l"), again)
        spread = p.now(deviations) / size
        spread = p.fn("abs", spread) if spread.e.span.low < 0 else spread
    roll = rng.random()
    if roll < 0.4:
        p.keep(p.fn("sqrt", spread + rng.pick((1e-2, 0.1))), "std", "sigma", "std_dev")
    elif roll < 0.7:
        p.keep(mean / p.fn("sqrt", spread + rng.pick((0.1, 0.5))), "snr", "t_stat", "signal_ratio")
    else:
        p.keep(spread, "var_out", "scatter_val", "dispersion")
    if rng.chance(0.6):
        s.add(mean.e)
    if rng.chance(0.5):
        s.load("f")
    closing(s)
