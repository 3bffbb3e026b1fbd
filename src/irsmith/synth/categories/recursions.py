"""Recursions that run from the end: Horner's scheme, discounted returns, sweeps back, continued fractions."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, usual
from irsmith.synth.categories.pen import Pen, Q, closing
from irsmith.synth.ir import Assign, Expr, Span
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch

_BOUND = Span(-40.0, 40.0, -2.0, 2.0)


def backward_recursion(s: Sketch) -> None:
    """Recursions that run from the last element of a row to the first."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    most = rng.pick((4, 5, 6, 8, 8, 10, 12))
    dynamic = rng.chance(0.25)
    stop = p.count(("n", "steps", "horizon", "num_terms", "length"), most // 2, most) if dynamic else most
    form = rng.pick((_horner, _returns, _returns, _advantage, _suffix, _sweep, _fraction, _smooth))
    form(p, stop, most)
    if rng.chance(0.4):
        s.load(rng.pick("ffv"))
    if rng.chance(0.3):
        s.param()
    straight.temps(s, rng.below(3))
    closing(s, kinds="ffv")


def _carried(p: Pen, value: float, *names: str, span: Span) -> Q:
    """A variable that steps carry on: tried with what it holds between two of them."""
    made = p.start(value, *names, span=span)
    p.s.probe.drawn(made.e._replace(span=usual(span.usual_low, span.usual_high)))
    return made


def _row(p: Pen, names: tuple[str, ...], low: float, high: float, most: int) -> Q:
    return p.reals(names, low, high, (*p.s.extents, most))


def _cell(p: Pen, row: Q, k: Q) -> Q:
    """An element of this thread's row; now and then in a variable."""
    return p.perhaps(p.at(row, *p.coords, k), row.e.name[0] + "_k", "cur", "item", "x_k")


def _noted(p: Pen, names: tuple[str, ...], value: Q, k: Q, most: int) -> None:
    """Write each step's value beside the others."""
    s = p.s
    text = s.names.free(names, s.rng)
    s.arguments.append(Argument(text, s.al.real, 2, Direction.OUT, (*s.extents, most), None))
    target = Expr("index", "f", s.al.real, exactly(0.0), (*s.coords, k.e), text)
    s.emit(Assign(target, value.e))


_COUNTERS = ("k", "t", "j", "step", "idx")


def _horner(p: Pen, stop: Q | int, most: int) -> None:
    x = p.perhaps(p.at(p.reals(("x", "t", "z", "arg"), -0.9, 0.9)), "xi", "t_i", "v")
    coeffs = _row(p, ("coeffs", "c", "poly", "weights"), -1.0, 1.0, most)
    acc = _carried(p, 0.0, "p", "acc", "value", "result", span=_BOUND)
    slope = _carried(p, 0.0, "dp", "slope", "deriv", span=_BOUND) if p.s.rng.chance(0.4) else None

    def body(k: Q) -> None:
        if slope is not None:
            p.put(slope, slope * x + acc, _BOUND)
        p.put(acc, acc * x + _cell(p, coeffs, k), _BOUND)

    p.loop(stop, _COUNTERS, body, backwards=True)
    p.result(acc)
    if slope is not None:
        p.result(slope)


def _returns(p: Pen, stop: Q | int, most: int) -> None:
    rng = p.s.rng
    rewards = _row(p, ("rewards", "cashflows", "costs", "gains", "flux"), -1.0, 1.0, most)
    ends = _row(p, ("done", "alive", "survival", "mask"), 0.0, 1.0, most) if rng.chance(0.4) else None
    gamma = p.value(("gamma", "discount", "decay"), 0.6, 0.99)
    total = _carried(p, 0.0, "ret", "total", "value", "acc", span=_BOUND)
    keeps = rng.chance(0.5)

    def body(k: Q) -> None:
        carried = gamma * total
        if ends is not None:
            end = _cell(p, ends, k)
            carried = carried * (1.0 - end if ends.e.name == "done" else end)
        p.put(total, _cell(p, rewards, k) + carried, _BOUND)
        if keeps:
            _noted(p, ("returns", "values", "running", "targets"), total, k, most)

    p.loop(stop, _COUNTERS, body, backwards=True)
    p.result(total)


def _advantage(p: Pen, stop: Q | int, most: int) -> None:
    rewards = _row(p, ("rewards", "r"), -1.0, 1.0, most)
    values = _row(p, ("values", "baseline", "v_pred"), -1.0, 1.0, most)
    gamma, lam = p.value(("gamma", "discount"), 0.6, 0.99), p.value(("lam", "lmbda", "trace"), 0.5, 0.95)
    advantage = _carried(p, 0.0, "adv", "gae", "advantage", span=_BOUND)
    following = _carried(p, 0.0, "next_value", "v_next", "bootstrap", span=_BOUND)

    def body(k: Q) -> None:
        value = p.let(p.at(values, *p.coords, k), "value", "v", "v_t")
        delta = p.let(_cell(p, rewards, k) + gamma * following - value, "delta", "td", "td_error")
        p.put(advantage, delta + gamma * lam * advantage, _BOUND)
        p.put(following, value, _BOUND)
        _noted(p, ("advantages", "adv_out", "gae_out"), advantage, k, most)

    p.loop(stop, ("t", "k", "step"), body, backwards=True)
    p.result(advantage)


def _suffix(p: Pen, stop: Q | int, most: int) -> None:
    rng = p.s.rng
    row = _row(p, ("levels", "scores", "heights", "depths", "signal"), -2.0, 2.0, most)
    word, start = rng.pick((("max", -10.0), ("min", 10.0), ("add", 0.0), ("add", 0.0)))
    best = p.start(start, "best", "acc", "running", "suffix", span=_BOUND)

    def body(k: Q) -> None:
        value = _cell(p, row, k)
        if word == "add":
            p.put(best, best + value, _BOUND)
        else:
            p.most_of(best, value, word)
        _noted(p, ("suffix_out", "from_right", "tail", "remaining"), best, k, most)

    p.loop(stop, _COUNTERS, body, backwards=True)
    p.spans.setdefault(best.e.name, _BOUND)
    p.result(best)


def _sweep(p: Pen, stop: Q | int, most: int) -> None:
    upper = _row(p, ("upper", "c", "super_diag"), -0.5, 0.5, most)
    diagonal = _row(p, ("diag", "b", "pivot"), 1.0, 2.0, most)
    right = _row(p, ("rhs", "d", "load"), -1.0, 1.0, most)
    x = _carried(p, 0.0, "x", "x_next", "sol", span=_BOUND)

    def body(k: Q) -> None:
        residual = p.at(right, *p.coords, k) - p.at(upper, *p.coords, k) * x
        p.put(x, residual / p.at(diagonal, *p.coords, k), _BOUND)
        _noted(p, ("x_out", "solution", "unknowns"), x, k, most)

    p.loop(stop, _COUNTERS, body, backwards=True)
    p.result(x)


def _fraction(p: Pen, stop: Q | int, most: int) -> None:
    x = p.perhaps(p.at(p.reals(("x", "ratio", "arg"), 0.1, 0.9)), "xi", "v", "z_i")
    parts = _row(p, ("partials", "a", "quotients"), 0.5, 2.0, most)
    held = Span(0.5, 6.0, 1.0, 3.0)
    acc = _carried(p, 1.0, "frac_val", "acc", "cf", span=held)
    p.loop(stop, _COUNTERS, lambda k: p.put(acc, 1.0 + x * _cell(p, parts, k) / acc, held), backwards=True)
    p.result(acc)


def _smooth(p: Pen, stop: Q | int, most: int) -> None:
    row = _row(p, ("samples", "prices", "signal", "measurements"), -1.5, 1.5, most)
    alpha = p.value(("alpha", "smoothing", "weight"), 0.1, 0.9)
    level = _carried(p, 0.0, "level", "s", "smoothed", span=_BOUND)

    def body(k: Q) -> None:
        value = _cell(p, row, k)
        p.put(level, alpha * value + (1.0 - alpha) * level if p.s.rng.chance(0.5) else level + alpha * (value - level))
        _noted(p, ("smoothed_out", "trend", "filtered"), level, k, most)

    p.loop(stop, _COUNTERS, body, backwards=True)
    p.spans[level.e.name] = _BOUND
    p.result(level)
