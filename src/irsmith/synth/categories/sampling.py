"""Categories that draw random numbers: Monte Carlo estimates, random walks, samples of distributions."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import usual
from irsmith.synth.categories.pen import Pen, Q, closing, grown, outside
from irsmith.synth.ir import Assign, Expr, Span
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32, UINT32, Domain

_UNIT = usual(0.0, 1.0)


def _state(p: Pen) -> Expr:
    """The generator's state, seeded by an argument and the thread."""
    s = p.s
    seed = p.count(("seed", "rng_seed", "frame", "base_seed"), 0, 1000)
    place = s.coords[0]
    if len(s.coords) > 1:
        flat = Expr("mul", "i", place.type, place.span, (place, p.literal(s.extents[1], place)))
        place = Expr("add", "i", place.type, place.span, (flat, s.coords[1]))
    text = s.names.claim(s.names_free(("state", "rng", "rng_state", "r_state")))
    made = Expr("random", "i", UINT32, _UNIT, (seed.e, place), "rand_init")
    s.emit(Assign(Expr("name", "i", UINT32, _UNIT, (), text), made))
    return Expr("name", "i", UINT32, _UNIT, (), text)


def _draw(
    p: Pen, state: Expr, names: tuple[str, ...], *, normal: bool = False, bounds: tuple[float, float] | None = None
) -> Q:
    """A random number, as a variable."""
    s = p.s
    span = Span(-4.0, 4.0, -0.7, 0.7) if normal else usual(*bounds) if bounds else _UNIT
    args = (
        (state,)
        if bounds is None
        else (state, *(Expr("literal", "f", FLOAT32, usual(b, b), (), "", b) for b in bounds))
    )
    value = Expr("random", "f", FLOAT32, span, args, "randn" if normal else "randf")
    text = s.names.claim(s.names_free(names))
    target = Expr("name", "f", s.al.real, span, (), text)
    s.emit(Assign(target, s.al.cast(value, s.al.real) if s.al.real is not FLOAT32 else value))
    s.probe.weights = {}
    s.settle(text, s.probe.draw(target))
    return Q(p, target)


def _uniform(p: Pen, state: Expr, *names: str) -> Q:
    return _draw(p, state, names, bounds=p.s.rng.pick((None, None, (-1.0, 1.0), (0.0, 2.0))))


def monte_carlo(s: Sketch) -> None:
    """An estimate from random samples: integrals, areas, expectations, payoffs."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 1, 2)))
    inputs = [
        p.keep(p.at(p.reals(words, 0.3, 1.8)), *(w + "_i" for w in words))
        for words in rng.shuffled((("scale", "sigma"), ("rate", "drift"), ("strike", "level"), ("center", "mean_in")))[
            : rng.pick((1, 1, 2))
        ]
    ]
    state = _state(p)
    most = rng.pick((4, 6, 8, 12, 16))
    stop: Q | int = p.count(("num_samples", "n", "samples", "paths"), most // 2, most) if rng.chance(0.5) else most
    form = rng.pick(("integral", "integral", "area", "payoff", "walk"))
    total = p.start(0.0, "total", "acc", "sum_f", "estimate")
    second = p.start(0.0, "sq_total", "acc2", "sum_sq") if rng.chance(0.3) and form in {"integral", "payoff"} else None

    def each(_: Q) -> None:
        if form == "area":
            x, y = (
                _draw(p, state, ("x", "u", "px"), bounds=(-1.0, 1.0)),
                _draw(p, state, ("y", "v", "py"), bounds=(-1.0, 1.0)),
            )
            r2 = p.let(x * x + y * y if rng.chance(0.6) else p.fn("abs", x) + p.fn("abs", y), "r2", "d", "rho")
            term = grown(p, x, y, inputs[0]) if rng.chance(0.5) else inputs[0] * r2
            p.when(r2 < inputs[0] if rng.chance(0.5) else r2 < 1.0, lambda: p.add_to(total, term, most))
            return
        if form == "payoff":
            z = _draw(p, state, ("z", "g", "shock"), normal=True)
            growth = p.let(
                p.fn("exp", inputs[0] * z * rng.pick((0.2, 0.25, 0.3)) - rng.pick((0.02, 0.05, 0.1))),
                "growth",
                "path",
                "s_t",
            )
            value = p.fn("max", growth - inputs[-1] if rng.chance(0.6) else inputs[-1] - growth, 0.0)
        else:
            x = _uniform(p, state, "x", "u", "xi", "t_s")
            parts = [x, rng.pick(inputs)]
            if rng.chance(0.4):
                parts.append(_uniform(p, state, "y", "v", "eta"))
            value = grown(p, *parts, size=rng.pick((1, 2, 2, 3)))
        value = p.let(value, "f", "val", "sample", "payoff") if second is not None or rng.chance(0.4) else value
        p.add_to(total, value, most)
        if second is not None:
            p.add_to(second, value * value, most)

    p.loop(stop, ("k", "s_idx", "n_s", "j"), each)
    mean = p.now(total)
    if isinstance(stop, int):
        mean = mean / float(most)
    elif rng.chance(0.8):
        mean = mean / p.real(stop)
    mean = p.keep(mean, "mean", "avg", "est", "price") if mean.e.op != "name" else p.result(total)
    if second is not None:
        spread = p.now(second) / float(most)
        s.read(mean.e)
        p.keep(spread - mean * mean, "var", "variance", "spread")
        s.add(mean.e)
    for value in inputs:
        s.read(value.e)
    if form in {"area", "walk"} or rng.chance(0.3):
        s.load("f")
    closing(s)


def random_walk(s: Sketch) -> None:
    """Paths that take random steps: walks, diffusions, jumps, chains that accept or refuse."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    x = p.begin(
        p.at(p.reals(("x0", "start", "price", "pos0", "init"), -1.0, 2.0)),
        "x",
        "pos",
        "s_t",
        "y",
        span=Span(-30.0, 30.0, -2.0, 2.0),
    )
    sigma = p.value(("sigma", "vol", "step_size", "noise"), 0.2, 1.0)
    drift = p.perhaps(p.at(p.reals(("drift", "mu", "pull"), -0.6, 0.6)), "mu_i", "dr") if rng.chance(0.6) else None
    state = _state(p)
    most = rng.pick((3, 4, 6, 8, 10))
    stop: Q | int = p.count(("steps", "num_steps", "n"), max(2, most // 2), most) if rng.chance(0.5) else most
    form = rng.pick(("gauss", "gauss", "coin", "jump", "metropolis", "reflect"))
    peak = p.start(0.0, "peak", "top", "max_x") if rng.chance(0.35) else None
    path = p.start(0.0, "area", "cost", "path_sum") if rng.chance(0.4) else None
    bound = Span(-30.0, 30.0, -2.5, 2.5)

    def each(_: Q) -> None:
        if form == "coin":
            u = _draw(p, state, ("u", "coin", "r"))
            p.when(
                u < rng.pick((0.5, 0.4, 0.6)), lambda: p.put(x, x + sigma, bound), lambda: p.put(x, x - sigma, bound)
            )
        elif form == "metropolis":
            step = p.let(x + sigma * _draw(p, state, ("dx", "step", "g"), normal=True), "prop", "cand", "x_new")
            ratio = p.let(
                p.fn("exp", (x * x - step * step) * 0.01)
                if rng.chance(0.5)
                else p.fn("exp", (p.fn("abs", x) - p.fn("abs", step)) * 0.1),
                "ratio",
                "accept",
                "prob",
            )
            u = _draw(p, state, ("u", "r", "coin"))
            p.when(u * 1.0 < ratio * 0.6 if rng.chance(0.5) else u < 0.7 * ratio, lambda: p.put(x, step, bound))
        else:
            z = (
                _draw(p, state, ("z", "g", "dw", "xi"), normal=rng.chance(0.7), bounds=None)
                if rng.chance(0.6)
                else _draw(p, state, ("z", "r", "dw"), bounds=(-1.0, 1.0))
            )
            move = sigma * z
            if drift is not None:
                move = drift * rng.pick((0.5, 0.25, 1.0)) + move if rng.chance(0.6) else move + drift
            if rng.chance(0.3):
                move = move * rng.pick((0.5, 0.7, 0.3))
            p.put(x, x + move, bound)
            if form == "jump":
                u = _draw(p, state, ("u", "jump_u", "r2"))
                p.when(u < rng.pick((0.3, 0.4)), lambda: p.put(x, x * rng.pick((0.5, 0.8, -0.5)), bound))
            elif form == "reflect":
                p.put(
                    x, p.fn("abs", x) if rng.chance(0.5) else p.fn("clamp", x, -2.0, 2.0), Span(-30.0, 30.0, 0.0, 2.0)
                )
        here = Q(p, x.e)
        if peak is not None:
            p.most_of(peak, Q(p, here.e._replace(span=usual(-6.0, 6.0))), "max")
        if path is not None:
            near = Q(p, here.e._replace(span=usual(-6.0, 6.0)))
            p.add_to(path, near if rng.chance(0.5) else p.fn("abs", near), most)

    p.loop(stop, ("k", "step_i", "n_i", "t"), each)
    if drift is not None and form in {"coin", "metropolis"}:
        p.keep(p.now(x) * drift if rng.chance(0.5) else p.now(x) - drift, "shifted", "tilted", "rel_x")
    else:
        s.add(x.e._replace(span=usual(-6.0, 6.0)))
    for q in (peak, path):
        if q is not None:
            p.result(q)
    closing(s)


def random_sample(s: Sketch) -> None:
    """Numbers of a distribution made from uniform ones: exponential, normal, on a disc, jittered."""
    rng, p = s.rng, Pen(s)
    s.length = rng.pick((3, 3, 2))
    s.open(rng.pick((1, 1, 2)))
    state = _state(p)
    scale = (
        p.value(("scale", "sigma", "radius", "spread"), 0.3, 2.0)
        if rng.chance(0.5)
        else p.perhaps(p.at(p.reals(("scales", "sigmas", "radii"), 0.3, 2.0)), "sc", "r_i", "sig")
    )
    form = rng.pick(("exponential", "normal", "disc", "box_muller", "jitter", "choice", "bins", "logistic"))
    u = _draw(p, state, ("u", "u1", "r1", "xi"))
    if form == "exponential":
        x = (
            -(p.fn("log", u + rng.pick((0.01, 0.05)))) * scale
            if rng.chance(0.6)
            else p.fn("log", 1.0 / (u + 0.05)) / scale
        )
        p.keep(x, "t", "wait", "x", "gap")
    elif form == "logistic":
        low = p.let(p.fn("clamp", u, 0.05, 0.95), "c", "u_c", "q")
        p.keep(p.fn("log", low / (1.0 - low)) * scale, "x", "logit", "sample")
    elif form == "normal":
        z = _draw(p, state, ("z", "g", "n"), normal=True)
        mean = p.at(p.reals(("mean", "mu", "center"), -1.0, 1.0))
        p.keep(mean + scale * z, "x", "sample", "value")
        s.add(u.e)
    elif form in {"disc", "box_muller"}:
        v = _draw(p, state, ("v", "u2", "r2", "eta"))
        angle = p.let(rng.pick((6.2832, 6.28)) * v, "theta", "phi", "angle")
        r = p.let(
            p.fn("sqrt", u) * scale if form == "disc" else p.fn("sqrt", -2.0 * p.fn("log", u + 0.02) + 0.05) * scale,
            "r",
            "rad",
            "mag",
        )
        x, y = r * p.fn("cos", angle), r * p.fn("sin", angle)
        if rng.chance(0.4):
            centre = p.at(p.vectors(("centers", "origin", "pos"), -1.0, 1.0))
            parts = (x, y) if s.length == 2 else (x, y, _draw(p, state, ("w", "z", "h")) if rng.chance(0.5) else 0.0)
            p.keep(centre + p.make(*parts), "pt", "sample", "p")
        else:
            p.keep(x, "x", "dx")
            p.keep(y, "y", "dy")
    elif form == "jitter":
        names = ("jx", "jy", "jz")
        drawn = [u, *(_draw(p, state, (names[k],)) for k in range(1, s.length))]
        offset = p.make(*[part - 0.5 for part in drawn])
        base = p.at(p.vectors(("points", "grid_pos", "cells"), -2.0, 2.0))
        p.keep(base + offset * scale, "jittered", "pt", "moved")
    elif form == "bins":
        n = rng.pick((4, 6, 8, 16))
        text = s.names.free(("cdf", "cumulative", "cum_weights"), rng)
        s.arguments.append(Argument(text, FLOAT32, 1, Direction.IN, (n,), Domain(0.0, 1.0, rising=True)))
        held = Expr("name", "f", FLOAT32, _UNIT, (), text)
        place = Expr("random", "i", INT32, usual(0, n - 1), (state, held), "sample_cdf")
        target = Expr("name", "i", INT32, place.span, (), s.names.claim(s.names_free(("bin", "pick", "k", "idx"))))
        s.emit(Assign(target, place))
        s.probe.weights = {}
        s.settle(target.name, s.probe.draw(target))
        centres = p.reals(("values", "centers", "payoffs", "bin_values"), -1.0, 1.0, (n,))
        p.keep(p.at(centres, Q(p, target)) * scale + u if rng.chance(0.5) else p.at(centres, Q(p, target)) * u + scale,
               "sample", "drawn", "x")  # fmt: skip
    else:
        table = p.reals(("cdf", "levels", "weights"), 0.05, 0.9, (n := rng.pick((3, 4, 6)),))
        picked = p.start(0.0, "picked", "choice", "bin_val")

        def each(k: Q) -> None:
            level = p.at(table, k)
            p.when(u > level, lambda: p.add_to(picked, level * scale if rng.chance(0.5) else scale - level, n))

        p.loop(n, ("k", "j", "b"), each)
        p.result(picked)
    if rng.chance(0.5):
        s.load("f")
    if rng.chance(0.3) and s.fresh:
        values = outside(p, 1, "f") if any(v.kind == "f" for v in s.fresh) else []
        if values:
            w = _draw(p, state, ("w", "noise", "e"))
            p.keep(grown(p, values[0], w), "noisy", "blend", "mixed")
    closing(s, kinds="fv")
