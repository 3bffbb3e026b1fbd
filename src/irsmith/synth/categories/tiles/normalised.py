"""The category of rows that are made to have a given sum, length or spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from irsmith.synth.algebra import exactly, whole
from irsmith.synth.categories.pen import Q, closing
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.categories.tiles.rows import Rows
from irsmith.synth.ir import Expr
from irsmith.synth.sketch import Sketch


def tile_normalise(s: Sketch) -> None:
    """Each block normalises a row: softmax, mean and variance, length, extremes; with weights, gates and residuals."""
    rng = s.rng
    rows = Rows(s)
    p = rows.p
    x = rows.load(-2.0, 2.0, names=("logits", "x", "scores", "features", "signal", "hidden"))
    if rng.chance(0.3):
        x = p.operators([x, rows.load()] if rng.chance(0.5) else [x])
    if rng.chance(0.25):
        p.parameter()
        x = p.operators([x])
    if rng.chance(0.2):
        x = p.mapped_helper([x])
    size = float(rows.width)
    form = rng.pick(("softmax", "softmax", "layer", "rms", "length", "range", "sum"))
    if form == "softmax":
        top = p.fold(x, "max", rows.width, names=("m", "top", "row_max"))
        shifted = _less(rows, x, top)
        weights = p.mapped_with(shifted, "exp")
        total = p.element(p.fold(weights, "sum", rows.width), whole(0), names=("denom", "z", "norm"))
        y = _divided(p, weights, total)
    elif form == "sum":
        kept = p.mapped_with(x, rng.pick(("exp", "abs")))
        total = p.element(p.fold(kept, "sum", rows.width), whole(0), names=("denom", "mass", "norm"))
        y = _divided(p, kept, total, rng.pick((0.01, 0.1, 1.0)))
    elif form == "range":
        low = p.element(p.fold(x, "min", rows.width, names=("low", "lo")), whole(0), names=("lo_val", "x_min"))
        high = p.element(p.fold(x, "max", rows.width, names=("high", "hi")), whole(0), names=("hi_val", "x_max"))
        gap = p.keep(high - low + rng.pick((0.01, 0.1)), "gap", "extent", "width_v")
        y = _helped(p, ("rescale", "to_unit", "stretch"), lambda _, a, b, c: (a - b) / c, x, low, gap)
    else:
        if form == "layer":
            mean = p.element(p.fold(x, "sum", rows.width), whole(0), names=("total_v", "sum_v"))
            mean = p.keep(mean / size, "mean", "mu", "avg")
            x = _helped(p, ("centered", "minus", "shift_by"), lambda _, a, b: a - b, x, mean)
        squares = p.bind(*_square(p, x), "sq", "x2", "squares")
        power = p.element(p.fold(squares, "sum", rows.width), whole(0), names=("power", "ss", "energy"))
        if form != "length":
            power = p.keep(power / size, "var", "ms", "variance")
        scale = p.keep(1.0 / p.fn("sqrt", power + rng.pick((1e-2, 0.1, 0.05))), "inv_std", "rstd", "inv_norm")
        s.read(scale.e)
        y = p.bind((x * scale).e, s.probe.check((x * scale).e), "y", "normed", "unit_row")
        p.read_tile(x)
    if rng.chance(0.5):
        y = p.operators([y, rows.weights()])
    p.steps(rng.pick((0, 0, 1, 2)))
    p.finish(lambda tile: rows.store(OUT, tile))
    if s.fresh:
        closing(s)


def _less(rows: Rows, x: Q, top: Q) -> Q:
    """A row less its greatest element."""
    p = rows.p
    s, rng = p.s, p.s.rng
    p.read_tile(x)
    lanes = -np.abs(s.probe.of(x.e) - s.probe.of(top.e))
    high = x.e.span.high - x.e.span.low
    span = exactly(0.0)._replace(low=-high, usual_low=-0.7 * high, usual_high=-0.1 * high)
    if rng.chance(0.5):
        p.shown.add(top.e.name)
        wide = p.call("tile_broadcast", top, p.several(*rows.shape), span=top.e.span)
        if rng.chance(0.5):
            wide_tile = p.bind(wide, s.probe.of(top.e), "m_row", "top_row", keep=False)
            wide = wide_tile.e
        value = Expr("sub", "f", x.e.type, span, (x.e, wide))
        return p.bind(value, lanes, "shifted", "d", "z")
    scalar = p.element(top, whole(0), names=("peak", "m_val", "x_max"))
    s.read(scalar.e)
    called = p.via(
        ("minus", "shifted_by", "relative_to"), lambda _, a, b: a - b, x, scalar, words=("x", "m"), chance=1.0
    )
    value = p.call("tile_map", p.function(called.e.name, helper=True), x, scalar, span=span)
    return p.bind(value, lanes, "shifted", "d", "z")


def _helped(p: TilePen, names: tuple[str, ...], build: Callable[..., Q], x: Q, *scalars: Q) -> Q:
    """A formula of each element and of scalars, in a helper."""
    called = p.via(names, build, x, *scalars, words=("x", "a", "b"), chance=1.0)
    lanes = p.s.probe.check(called.e)
    p.read_tile(x)
    for scalar in scalars:
        p.s.read(scalar.e)
    made = p.call("tile_map", p.function(called.e.name, helper=True), x, *scalars, span=called.e.span)
    return p.bind(made, lanes)


def _square(p: TilePen, x: Q) -> tuple[Expr, np.ndarray]:
    value = p.s.al.do("square", x.e)
    p.read_tile(x)
    # Tiles have no power.
    return value._replace(op="mul", args=(x.e, x.e)), p.s.probe.check(value)


def _divided(p: TilePen, tile: Q, total: Q, more: float = 0.0) -> Q:
    s, rng = p.s, p.s.rng
    value = tile / (total + more) if more else tile / total
    s.read(total.e)
    p.read_tile(tile)
    if rng.chance(0.3):
        value = tile * (1.0 / (total + more) if more else 1.0 / total)
    return p.bind(value.e, s.probe.check(value.e), "y", "probs", "normed")
