"""Helpers with gradients of their own: formulas whose derivative an author writes down, because it is stabler,
cheaper or clearer than what a compiler derives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from irsmith.synth.categories.pen import Pen, Q, closing
from irsmith.synth.categories.slopes import Derivative, Slopes, differentiated
from irsmith.synth.errors import Discard
from irsmith.synth.grow import operands
from irsmith.synth.ir import Span
from irsmith.synth.phases import branches, functions, straight
from irsmith.synth.sketch import Sketch

_TRIES = 12
# How likely the helper is a formula that grew, with its gradient by rule, and not a known one.
_GROWN = 0.4


class Formula(NamedTuple):
    """A known formula with its derivative.

    Attributes:
        names: What the helper may be called.
        words: Names of its parameters.
        values: What it is called with.
        build: Its value.
        derive: Its derivative.
    """

    names: Sequence[str]
    words: Sequence[str]
    values: tuple[Q, ...]
    build: Callable[..., Q]
    derive: Derivative


def custom_gradient(s: Sketch) -> None:
    """Helpers whose derivative is written beside them."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 1, 1, 2, 3)))
    if rng.chance(_GROWN):
        straight.loads(s, "".join(rng.pick("fffv") for _ in range(rng.pick((1, 2, 2, 3)))))
        if rng.chance(0.4):
            s.param()
        for _ in range(_TRIES):
            if s.attempt(lambda: _grown(s)):
                break
        else:
            raise Discard("gradient")
    else:
        for _ in range(_TRIES):
            if s.attempt(lambda: _known(p)):
                break
        else:
            raise Discard("gradient")
        if rng.chance(0.5):
            s.load(rng.pick("ffv"))
        if rng.chance(0.3):
            s.param()
    straight.temps(s, rng.below(3))
    closing(s, branches.branch, kinds="ffv")


def _grown(s: Sketch) -> None:
    """A formula that grew from the table of moves."""
    values = operands(s, s.rng.pick((1, 2, 2, 3)), "fv", fresh=0.8)
    contract = functions.write(s, values)
    if not contract.helper.body:
        raise Discard("gradient")
    differentiated(s)
    s.define(functions.called(s.contracts[-1], values))


def _known(p: Pen) -> None:
    formula = p.s.rng.pick(_FORMULAS)(p)
    call = p.via(formula.names, formula.build, *formula.values, words=formula.words, chance=1.0)
    differentiated(p.s, formula.derive)
    p.keep(call, *_RESULTS)


_RESULTS = ("y", "val", "energy", "res_i", "term", "e")


def _real(p: Pen, names: Sequence[str], low: float, high: float) -> Q:
    """An input of a formula: an element, in a variable or not."""
    return p.perhaps(p.at(p.reals(names, low, high)), names[0] + "_i", names[0][0], "x_i", "cur")


def _setting(p: Pen, names: Sequence[str], low: float, high: float) -> Q:
    """A parameter of a formula: what all threads share, or now and then an element of its own."""
    if p.s.rng.chance(0.25):
        return p.at(p.reals(names, low, high))
    return p.value(names, low, high)


def _narrow(x: Q, low: float | None = None, high: float | None = None) -> Q:
    """A value where it is known to lie on one side."""
    span = x.e.span
    low, high = span.low if low is None else low, span.high if high is None else high
    middle = (low + high) / 2
    near, far = max(low, span.usual_low), min(high, span.usual_high)
    return Q(x.pen, x.e._replace(span=Span(low, high, near, far) if near < far else Span(low, high, middle, high)))


def _root(p: Pen) -> Formula:
    floor = p.s.rng.pick((0.01, 0.05, 0.1))
    x = _real(p, ("x", "variance", "r_sq", "dist_sq", "area"), -0.5, 3.0)

    def derive(q: Slopes) -> None:
        (v,) = q.values
        inside = _narrow(v, floor)
        q.when(v > floor, lambda: q.add(0, 0.5 / q.fn("sqrt", inside)))

    return Formula(
        ("safe_sqrt", "sqrt_clamped", "stable_sqrt", "root"),
        ("x",),
        (x,),
        lambda q, v: q.fn("sqrt", q.fn("max", v, floor)),
        derive,
    )


def _softplus(p: Pen) -> Formula:
    sharp = p.s.rng.pick((1.0, 1.0, 2.0, 4.0))
    x = _real(p, ("x", "logits", "pre_act", "gap", "depth"), -2.0, 2.0)

    def scaled(v: Q) -> Q:
        return v if sharp == 1.0 else v * sharp

    def build(q: Pen, v: Q) -> Q:
        soft = q.fn("log", 1.0 + q.fn("exp", scaled(v)))
        return soft if sharp == 1.0 else soft / sharp

    return Formula(
        ("softplus", "smooth_relu", "soft_max0", "log1p_exp"),
        ("x",),
        (x,),
        build,
        lambda q: q.add(0, 1.0 / (1.0 + q.fn("exp", -scaled(q.values[0])))),
    )


def _log_cosh(p: Pen) -> Formula:
    x = _real(p, ("err", "residuals", "diff", "x"), -2.5, 2.5)

    def build(q: Pen, v: Q) -> Q:
        a = q.let(q.fn("abs", v), "a", "m", "ax")
        return a + q.fn("log", 1.0 + q.fn("exp", -2.0 * a)) - 0.6931

    return Formula(
        ("log_cosh", "logcosh_loss", "smooth_l1"), ("x",), (x,), build, lambda q: q.add(0, q.fn("tanh", q.values[0]))
    )


def _sigmoid(p: Pen) -> Formula:
    x = _real(p, ("x", "logits", "z", "score", "gates"), -3.0, 3.0)
    gated = p.s.rng.chance(0.4)

    def derive(q: Slopes) -> None:
        (v,) = q.values
        if gated:
            g = q.let(1.0 / (1.0 + q.fn("exp", -v)), "s", "g", "sig")
            q.add(0, g * (1.0 + v * (1.0 - g)))
        else:
            y = q.again("y", "s", "p")
            q.add(0, y * (1.0 - y))

    names = ("silu", "swish", "gated") if gated else ("sigmoid", "logistic", "squash")
    return Formula(
        names,
        ("x",),
        (x,),
        lambda q, v: v / (1.0 + q.fn("exp", -v)) if gated else 1.0 / (1.0 + q.fn("exp", -v)),
        derive,
    )


def _smooth_abs(p: Pen) -> Formula:
    eps = p.s.rng.pick((0.05, 0.1, 0.25, 1.0))
    x = _real(p, ("x", "slope", "delta", "jump", "signed_dist"), -2.0, 2.0)
    return Formula(
        ("smooth_abs", "charbonnier", "soft_abs", "pseudo_abs"),
        ("x",),
        (x,),
        lambda q, v: q.fn("sqrt", v * v + eps),
        lambda q: q.add(0, q.values[0] / q.again("r", "y", "a")),
    )


def _huber(p: Pen) -> Formula:
    x = _real(p, ("err", "residuals", "r", "diff"), -3.0, 3.0)
    delta = _setting(p, ("delta", "threshold", "cutoff"), 0.4, 1.5)

    def build(q: Pen, v: Q, d: Q) -> Q:
        a = q.let(q.fn("abs", v), "a", "mag", "abs_r")
        return q.choose(a <= d, 0.5 * v * v, d * (a - 0.5 * d))

    def derive(q: Slopes) -> None:
        v, d = q.values
        q.add(0, q.fn("clamp", v, -d, d))
        q.add(1, q.fn("max", q.fn("abs", v) - d, 0.0))

    return Formula(("huber", "huber_loss", "robust_cost"), ("r", "delta"), (x, delta), build, derive)


def _bell(p: Pen) -> Formula:
    x = _real(p, ("x", "dist", "offset", "delta"), -1.5, 1.5)
    sigma = _setting(p, ("sigma", "bandwidth", "width", "h"), 0.6, 1.5)

    def derive(q: Slopes) -> None:
        v, w = q.values
        y = q.again("g", "k", "y", "w_val")
        u = q.let(v / (w * w), "u", "scaled", "ratio")
        q.add(0, -(u * y))
        q.add(1, u * v / w * y)

    return Formula(
        ("gaussian", "rbf", "kernel_weight", "bell"),
        ("x", "sigma"),
        (x, sigma),
        lambda q, v, w: q.fn("exp", -0.5 * v * v / (w * w)),
        derive,
    )


def _softened(p: Pen) -> Formula:
    eps = p.s.rng.pick((0.1, 0.25, 0.5, 1.0))
    r = p.perhaps(p.at(p.vectors(("offset", "sep", "delta_pos", "rel"), -1.5, 1.5)), "r", "d_i", "off_i")

    def derive(q: Slopes) -> None:
        y = q.again("inv_r", "phi", "y")
        q.give(0, q.values[0] * -(q.given * y * y * y))

    return Formula(
        ("softened_potential", "inv_dist", "plummer", "potential"),
        ("r",),
        (r,),
        lambda q, v: 1.0 / q.fn("sqrt", q.norm2(v) + eps),
        derive,
    )


def _soft_length(p: Pen) -> Formula:
    eps = p.s.rng.pick((0.01, 0.05, 0.1, 1.0))
    r = p.perhaps(p.at(p.vectors(("offset", "vel", "grad_u", "edge"), -1.5, 1.5)), "v", "d_i", "e_i")
    return Formula(
        ("safe_length", "smooth_norm", "soft_length", "eps_norm"),
        ("v",),
        (r,),
        lambda q, v: q.fn("sqrt", q.norm2(v) + eps),
        lambda q: q.give(0, q.values[0] * (q.given / q.again("l", "n", "len_v"))),
    )


def _unit(p: Pen) -> Formula:
    eps = p.s.rng.pick((0.01, 0.05, 0.1))
    r = p.perhaps(p.at(p.vectors(("dirs", "normals", "vel", "axis_in"), -1.5, 1.5)), "v", "d_i", "n_i")

    def derive(q: Slopes) -> None:
        (v,) = q.values
        size = q.let(q.fn("sqrt", q.norm2(v) + eps), "l", "size", "inv_scale")
        n = q.let(v / size, "n", "u", "unit_v")
        q.give(0, (q.given - n * q.do("dot", n, q.given)) / size)

    return Formula(
        ("safe_normalize", "soft_normalize", "unit_dir", "normalize_eps"),
        ("v",),
        (r,),
        lambda q, v: v / q.fn("sqrt", q.norm2(v) + eps),
        derive,
    )


def _log_add(p: Pen) -> Formula:
    a = _real(p, ("log_a", "score_a", "left", "alpha"), -2.0, 2.0)
    b = _real(p, ("log_b", "score_b", "right", "beta"), -2.0, 2.0)

    def build(q: Pen, x: Q, y: Q) -> Q:
        top = q.let(q.fn("max", x, y), "m", "top", "hi")
        return top + q.fn("log", q.fn("exp", x - top) + q.fn("exp", y - top))

    def derive(q: Slopes) -> None:
        x, y = q.values
        w = q.let(1.0 / (1.0 + q.fn("exp", y - x)), "w", "pa", "share")
        q.add(0, w)
        q.add(1, 1.0 - w)

    return Formula(("log_add_exp", "smooth_max", "logsumexp2", "soft_max2"), ("a", "b"), (a, b), build, derive)


def _pair_potential(p: Pen) -> Formula:
    r2 = _real(p, ("r_sq", "dist_sq", "r2"), 0.8, 3.0)
    depth = _setting(p, ("epsilon", "well_depth", "strength"), 0.2, 1.0)

    def build(q: Pen, d: Q, e: Q) -> Q:
        inv = q.let(1.0 / d, "inv", "s2", "inv_r2")
        s6 = q.let(inv * inv * inv, "s6", "inv6", "attract")
        return 4.0 * e * (s6 * s6 - s6)

    def derive(q: Slopes) -> None:
        d, e = q.values
        inv = q.let(1.0 / d, "inv", "s2", "inv_r2")
        s6 = q.let(inv * inv * inv, "s6", "inv6", "attract")
        q.add(0, 12.0 * e * s6 * inv * (1.0 - 2.0 * s6))
        q.add(1, 4.0 * (s6 * s6 - s6))

    return Formula(("lennard_jones", "lj_energy", "pair_energy"), ("r2", "eps"), (r2, depth), build, derive)


def _morse(p: Pen) -> Formula:
    r = _real(p, ("r", "bond_len", "dist", "sep"), 0.6, 2.5)
    depth = _setting(p, ("depth", "bond_energy", "well"), 0.3, 1.5)
    rate, rest = p.s.rng.pick((0.8, 1.0, 1.5)), p.s.rng.pick((1.0, 1.2))

    def derive(q: Slopes) -> None:
        x, d = q.values
        e = q.let(q.fn("exp", (x - rest) * -rate), "e", "ex", "decay")
        q.add(0, 2.0 * rate * d * e * (1.0 - e))
        q.add(1, (1.0 - e) * (1.0 - e))

    def build(q: Pen, x: Q, d: Q) -> Q:
        e = q.let(q.fn("exp", (x - rest) * -rate), "e", "ex", "decay")
        gap = q.let(1.0 - e, "g", "f", "open_frac")
        return d * gap * gap

    return Formula(("morse", "morse_energy", "bond_potential"), ("r", "depth"), (r, depth), build, derive)


def _ease(p: Pen) -> Formula:
    x = _real(p, ("t", "phase", "blend", "frac"), -0.3, 1.3)

    def held(q: Pen, v: Q) -> Q:
        return q.let(q.fn("clamp", v, 0.0, 1.0), "s", "u", "tc")

    def build(q: Pen, v: Q) -> Q:
        t = held(q, v)
        return t * t * (3.0 - 2.0 * t)

    def derive(q: Slopes) -> None:
        t = held(q, q.values[0])
        q.add(0, 6.0 * t * (1.0 - t))

    return Formula(("ease", "smooth_ramp", "hermite_step", "fade_in"), ("t",), (x,), build, derive)


def _inverse_root(p: Pen) -> Formula:
    x = _real(p, ("x", "variance", "r_sq", "energy_in"), 0.3, 4.0)

    def derive(q: Slopes) -> None:
        y = q.again("y", "r", "inv")
        q.add(0, -0.5 * y * y * y)

    return Formula(("rsqrt", "inv_sqrt", "fast_rsqrt"), ("x",), (x,), lambda q, v: 1.0 / q.fn("sqrt", v), derive)


def _cosine(p: Pen) -> Formula:
    eps = p.s.rng.pick((0.1, 0.25, 0.5))
    a = p.perhaps(p.at(p.vectors(("query", "dir_a", "normals", "feat_a"), -1.5, 1.5)), "u", "a_i")
    b = p.perhaps(p.at(p.vectors(("key_vec", "dir_b", "light_dirs", "feat_b"), -1.5, 1.5)), "w", "b_i")

    def parts(q: Pen, x: Q, y: Q) -> tuple[Q, Q]:
        return q.let(q.norm2(x) + eps, "aa", "uu", "na2"), q.let(q.norm2(y) + eps, "bb", "vv", "nb2")

    def build(q: Pen, x: Q, y: Q) -> Q:
        m, n = parts(q, x, y)
        return q.do("dot", x, y) / q.fn("sqrt", m * n)

    def derive(q: Slopes) -> None:
        x, y = q.values
        m, n = parts(q, x, y)
        inv = q.let(1.0 / q.fn("sqrt", m * n), "inv", "scale", "rn")
        c = q.let(q.do("dot", x, y) * inv, "c", "cos_ab", "sim")
        q.give(0, (y * inv - x * (c / m)) * q.given)
        q.give(1, (x * inv - y * (c / n)) * q.given)

    return Formula(("cosine_similarity", "alignment_of", "cos_angle"), ("a", "b"), (a, b), build, derive)


def _stretch(p: Pen) -> Formula:
    d = p.perhaps(p.at(p.vectors(("edge", "offset", "rel_pos"), 0.2, 1.5)), "d", "e_i", "dx")
    rest = _setting(p, ("rest_len", "rest", "l0"), 0.3, 1.2)
    stiff = _setting(p, ("k", "stiffness", "ke"), 0.5, 3.0)

    def derive(q: Slopes) -> None:
        x, l0, k = q.values
        size = q.let(q.fn("length", x), "l", "dist", "len_d")
        gap = q.let(size - l0, "c", "ext", "gap")
        q.give(0, x * (k * gap / size * q.given))
        q.add(1, -(k * gap))
        q.add(2, 0.5 * gap * gap)

    def build(q: Pen, x: Q, l0: Q, k: Q) -> Q:
        gap = q.let(q.fn("length", x) - l0, "c", "ext", "gap")
        return 0.5 * k * gap * gap

    return Formula(
        ("spring_energy", "stretch_energy", "edge_energy"), ("d", "rest", "k"), (d, rest, stiff), build, derive
    )


def _hinge(p: Pen) -> Formula:
    x = _real(p, ("signed_dist", "gap", "margin", "phi"), -1.0, 1.5)
    limit = _setting(p, ("radius", "thickness", "d_hat", "band"), 0.3, 0.9)
    power = p.s.rng.pick((2, 2, 3))

    def inside(q: Pen, v: Q, r: Q) -> Q:
        return q.let(q.fn("max", r - v, 0.0), "d", "depth", "pen")

    def build(q: Pen, v: Q, r: Q) -> Q:
        d = inside(q, v, r)
        return d * d if power == 2 else d * d * d

    def derive(q: Slopes) -> None:
        d = inside(q, *q.values)
        slope = q.let(2.0 * d if power == 2 else 3.0 * d * d, "g", "slope", "dk")
        q.add(0, -slope)
        q.add(1, slope)

    return Formula(("penalty", "hinge_sq", "barrier", "contact_energy"), ("x", "r"), (x, limit), build, derive)


def _log_barrier(p: Pen) -> Formula:
    x = _real(p, ("dist", "gap", "clearance"), 0.2, 1.4)
    hat = p.s.rng.pick((0.8, 1.0, 0.9))

    def build(q: Pen, v: Q) -> Q:
        gap = v - hat
        return q.choose(v < hat, -(gap * gap * q.fn("log", v / hat)), 0.0)

    def derive(q: Slopes) -> None:
        (v,) = q.values

        def fill() -> None:
            gap = q.let(_narrow(v, high=hat) - hat, "g", "gap", "t")
            q.add(0, -(2.0 * gap * q.fn("log", v / hat) + gap * gap / v))

        q.when(v < hat, fill)

    return Formula(("log_barrier", "ipc_barrier", "barrier"), ("d",), (x,), build, derive)


def _gelu(p: Pen) -> Formula:
    x = _real(p, ("x", "hidden", "z", "pre_act"), -2.5, 2.5)

    def gate(q: Pen, v: Q) -> Q:
        u = q.let(0.7979 * (v + 0.0447 * (v * v * v)), "u", "inner", "c")
        return q.let(q.fn("tanh", u), "t", "th", "g")

    def derive(q: Slopes) -> None:
        (v,) = q.values
        t = gate(q, v)
        du = q.let(0.7979 * (1.0 + 0.1341 * (v * v)), "du", "d_inner", "slope")
        q.add(0, 0.5 * (1.0 + t) + 0.5 * v * (1.0 - t * t) * du)

    return Formula(("gelu", "gelu_tanh", "fast_gelu"), ("x",), (x,), lambda q, v: 0.5 * v * (1.0 + gate(q, v)), derive)


def _tone(p: Pen) -> Formula:
    x = _real(p, ("lum", "exposure", "conc", "dose", "load"), 0.0, 3.0)
    half = _setting(p, ("half_sat", "white", "k_half", "knee"), 0.4, 1.5)

    def derive(q: Slopes) -> None:
        v, k = q.values
        inv = q.let(1.0 / (v + k), "inv", "w", "scale")
        q.add(0, k * inv * inv)
        q.add(1, -(v * inv * inv))

    return Formula(
        ("saturate_response", "tone_curve", "michaelis", "soft_limit"),
        ("x", "k"),
        (x, half),
        lambda _, v, k: v / (v + k),
        derive,
    )


def _mirror(p: Pen) -> Formula:
    v = p.perhaps(p.at(p.vectors(("incoming", "vel", "ray_dirs"), -1.5, 1.5)), "v_i", "d_i")
    n = p.perhaps(p.at(p.vectors(("normals", "plane_n", "axis_in"), -1.0, 1.0)), "n_i", "n0")
    bounce = p.s.rng.pick((2.0, 2.0, 1.5, 1.0))

    def derive(q: Slopes) -> None:
        x, m = q.values
        along = q.let(q.do("dot", m, q.given), "gn", "along", "s")
        q.give(0, q.given - m * (bounce * along if bounce > 1.0 else along))
        turned = q.given * q.do("dot", x, m) + x * along
        q.give(1, turned * -bounce if bounce > 1.0 else -turned)

    names = ("reflect", "mirror", "bounce_off") if bounce > 1.0 else ("remove_normal", "slide_along", "tangential")

    def build(q: Pen, x: Q, m: Q) -> Q:
        part = q.do("dot", x, m)
        return x - m * (bounce * part if bounce > 1.0 else part)

    return Formula(names, ("v", "n"), (v, n), build, derive)


_FORMULAS: tuple[Callable[[Pen], Formula], ...] = (
    _root, _softplus, _log_cosh, _sigmoid, _smooth_abs, _huber, _bell, _softened, _soft_length, _unit, _log_add,
    _pair_potential, _morse, _ease, _inverse_root, _cosine, _stretch, _hinge, _log_barrier, _gelu, _tone, _mirror,
)  # fmt: skip
