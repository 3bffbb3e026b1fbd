"""Categories of machine learning: activations, losses, normalisation, attention, optimisers."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.algebra import usual
from irsmith.synth.categories.pen import Pen, Q, closing
from irsmith.synth.ir import Span
from irsmith.synth.sketch import Sketch

_ACTIVATIONS = (
    "relu",
    "leaky",
    "sigmoid",
    "tanh",
    "gelu",
    "silu",
    "elu",
    "softplus",
    "hard",
    "softsign",
    "swish",
    "mish",
)


def activated(p: Pen, form: str, x: Q) -> Q:
    """An activation function of a value."""
    rng = p.s.rng
    if form == "relu":
        return p.fn("max", x, 0.0)
    if form == "leaky":
        slope = rng.pick((0.01, 0.1, 0.2))
        return p.choose(x > 0.0, x, x * slope) if rng.chance(0.6) else p.fn("max", x, x * slope)
    if form == "tanh":
        return p.fn("tanh", x)
    if form == "gelu":
        inner = p.perhaps(0.7979 * (x + 0.0447 * (x * x * x)), "inner", "u_g", "c_in")
        return 0.5 * x * (1.0 + p.fn("tanh", inner))
    if form == "elu":
        alpha = rng.pick((1.0, 0.5, 1.5))
        return p.choose(x > 0.0, x, alpha * (p.fn("exp", x) - 1.0))
    if form == "softplus":
        return p.fn("log", 1.0 + p.fn("exp", x))
    if form == "hard":
        return p.fn("clamp", x * 0.2 + 0.5, 0.0, 1.0)
    if form == "softsign":
        return x / (1.0 + p.fn("abs", x))
    gate = 1.0 / (1.0 + p.fn("exp", -x))
    if form == "sigmoid":
        return gate
    if form == "mish":
        return x * p.fn("tanh", p.fn("log", 1.0 + p.fn("exp", x)))
    return x * p.perhaps(gate, "gate", "sig") if form == "silu" else x / (1.0 + p.fn("exp", -1.5 * x))


def activation(s: Sketch) -> None:
    """Activations of scaled and shifted inputs, gated, chained, or with their derivative."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 2)))
    x = p.perhaps(p.at(p.reals(("x", "logits", "hidden", "pre_act", "z"), -3.0, 3.0)), "xi", "z_i", "h", "v")
    column = (p.coords[-1], s.extents[-1])
    for step in rng.shuffled(("scale", "bias", "residual"))[: rng.pick((0, 1, 2))]:
        if step == "scale":
            x = x * p.value(("scale", "gain", "beta"), 0.3, 1.5)
        elif step == "bias":
            x = x + p.at(p.reals(("bias", "b", "shift"), -0.8, 0.8, (column[1],)), column[0])
        else:
            x = x + p.at(p.reals(("residual", "skip", "identity_in"), -1.0, 1.0))
    x = p.let(x, "z", "a", "pre", "u") if x.e.op != "name" else x
    form = rng.pick(_ACTIVATIONS)
    y = p.let(
        p.via((form, form + "_fn", "act", "activate"), lambda q, v: activated(q, form, v), x, words=("x",), chance=0.4),
        "y",
        "act_val",
        "out_v",
        "h_act",
    )
    roll = rng.random()
    if roll < 0.3:
        gate_in = p.at(p.reals(("gate", "gates", "up_proj"), -2.0, 2.0))
        y = p.let(y * activated(p, rng.pick(("sigmoid", "silu", "tanh")), gate_in), "gated", "glu", "mixed")
    elif roll < 0.45:
        y = p.let(activated(p, rng.pick(("tanh", "softsign", "sigmoid")), y), "squashed", "second", "y2")
    elif roll < 0.65:
        grad = p.at(p.reals(("grad_out", "dy", "upstream"), -1.0, 1.0))
        slope = (
            y * (1.0 - y)
            if form == "sigmoid"
            else 1.0 - y * y
            if form == "tanh"
            else p.choose(x > 0.0, 1.0, p.fn("exp", x) if form == "elu" else rng.pick((0.0, 0.01, 0.1)))
        )
        p.keep(grad * slope, "dx", "grad_in", "delta")
    if rng.chance(0.25):
        keep = p.at(p.reals(("mask", "dropout_mask", "keep"), 0.0, 1.0))
        rate = p.value(("dropout", "rate", "drop_p"), 0.1, 0.5)
        y = p.let(
            p.choose(keep > rate if rng.chance(0.5) else keep < rate, y / (1.0 - rate), 0.0),
            "dropped",
            "kept",
            "y_drop",
        )
    s.add(y.e)
    closing(s)


def loss(s: Sketch) -> None:
    """Losses of predictions against targets: of an element or a row, weighted, masked, summed, with gradients."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 1, 2)))
    form = rng.pick(("mse", "l1", "huber", "hinge", "bce", "kl", "logcosh", "focal", "quantile", "contrastive"))
    probable = form in {"bce", "kl", "focal"}
    rowwise = rng.chance(0.4) and len(s.extents) == 1
    most = rng.pick((3, 4, 6, 8)) if rowwise else 1
    shape = (*s.extents, most) if rowwise else s.extents
    preds = p.reals(
        ("pred", "outputs", "y_hat", "probs", "logits"), 0.05 if probable else -2.0, 0.95 if probable else 2.0, shape
    )
    targets = p.reals(("target", "labels", "y", "truth"), 0.05 if probable else -1.5, 0.95 if probable else 1.5, shape)
    weights = (
        p.reals(("weights", "sample_w", "class_w", "mask"), 0.1, 1.5, (most,) if rowwise else s.extents)
        if rng.chance(0.4)
        else None
    )
    knob = (
        p.value(("delta", "margin", "gamma", "tau", "beta"), 0.3, 1.2)
        if form in {"huber", "hinge", "focal", "quantile", "contrastive"}
        else None
    )

    def one(y: Q, t: Q) -> Q:
        if form == "bce":
            return -(t * p.fn("log", y) + (1.0 - t) * p.fn("log", 1.0 - y))
        if form == "kl":
            return t * p.fn("log", t / y) if rng.chance(0.5) else t * (p.fn("log", t) - p.fn("log", y))
        if form == "focal" and knob is not None:
            return -(p.fn("pow", 1.0 - y, knob) * t * p.fn("log", y))
        if form == "hinge" and knob is not None:
            return p.fn("max", knob - y * t, 0.0)
        gap = p.let(y - t if rng.chance(0.7) else t - y, "diff", "err", "e", "gap", "r")
        if form == "mse":
            return gap * gap if rng.chance(0.6) else 0.5 * gap * gap
        if form == "logcosh":
            return (
                p.fn("log", p.fn("cosh", p.fn("abs", gap) + 0.1))
                if rng.chance(0.4)
                else p.fn("sqrt", gap * gap + 1.0) - 1.0
            )
        a = p.let(p.fn("abs", gap), "a", "abs_err", "mag")
        if form == "l1" or knob is None:
            return a
        if form == "quantile":
            return p.choose(gap > 0.0, knob * gap, gap * -0.3)
        if form == "contrastive":
            return p.fn("max", knob - a, 0.0) * a if rng.chance(0.5) else p.choose(a < knob, a * a, knob)
        inner = 0.5 * gap * gap / knob if rng.chance(0.4) else 0.5 * gap * gap
        return p.choose(a < knob, inner, knob * (a - 0.5 * knob) if rng.chance(0.7) else a - 0.5 * knob)

    if rowwise:
        total = p.start(0.0, "total", "loss_row", "acc", "sum_loss")

        def each(k: Q) -> None:
            y, t = p.at(preds, p.coords[0], k), p.at(targets, p.coords[0], k)
            y, t = (p.let(y, "y_k", "p_k"), p.let(t, "t_k", "q_k")) if rng.chance(0.5) or probable else (y, t)
            value = one(y, t)
            p.add_to(total, p.at(weights, k) * value if weights is not None else value, most)

        p.loop(most, ("k", "c", "j"), each)
        value = p.now(total)
        if rng.chance(0.4):
            value = p.let(value / float(most), "mean_loss", "avg", "l_mean")
    else:
        y, t = p.perhaps(p.at(preds), "yi", "p", "pred_i"), p.perhaps(p.at(targets), "ti", "t", "y_true")
        value = p.let(one(y, t), "l", "loss_i", "value", "li")
        if weights is not None:
            value = p.let(value * p.at(weights), "weighted", "wl", "l_w")
    if rng.chance(0.5):
        reg = p.perhaps(p.at(p.reals(("params", "theta", "norms"), -1.0, 1.0)), "w_i", "th")
        decay = p.value(("weight_decay", "lam", "reg"), 0.05, 0.5)
        penalty = decay * (reg * reg) if reg.e.op == "name" and rng.chance(0.5) else decay * p.fn("abs", reg)
        value = p.let(value + penalty, "total_i", "objective", "reg_loss")
    if rng.chance(0.5):
        p.atomic("add", p.at(p.totals(("loss_out", "total_loss", "objective_sum"), (1,), s.al.real), 0), value)
        if rng.chance(0.5):
            p.store(("per_item", "losses", "loss_map"), value)
        else:
            s.load("f")
            s.pool.append(value.e)
    else:
        s.add(value.e)
    if s.fresh:
        closing(s)


def normalisation(s: Sketch) -> None:
    """Rows brought to a scale: layer, root-mean-square and batch normalisation, softmax, min-max."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    i = p.coords[0]
    most = rng.pick((4, 6, 8, 10, 12))
    x = p.reals(("x", "features", "activations", "rows", "logits", "inp"), -2.0, 2.0, (s.extents[0], most))
    form = rng.pick(("layer", "layer", "rms", "softmax", "softmax", "minmax", "l2"))
    stop: Q | int = p.count(("dim", "n_features", "width", "hidden"), most, most) if rng.chance(0.3) else most
    counters = ("j", "k", "c", "d")
    temperature = p.value(("temperature", "tau", "scale"), 0.5, 2.0) if rng.chance(0.3) else None

    def read(j: Q) -> Q:
        value = p.at(x, i, j)
        return (
            value / temperature
            if temperature is not None and form == "softmax"
            else value
            if temperature is None or form == "softmax"
            else value * temperature
        )

    def folded(name: tuple[str, ...], term: Callable[[Q], Q], start: float = 0.0, extreme: str = "") -> Q:
        acc = p.start(start, *name)

        def each(j: Q) -> None:
            value = term(read(j))
            p.most_of(acc, value, extreme) if extreme else p.add_to(acc, value, most)

        p.loop(stop, counters, each)
        return p.now(acc)

    size = float(most) if isinstance(stop, int) else p.real(stop)

    def squared(v: Q) -> Q:
        return p.do("square", v if v.e.op in {"name", "index"} else p.let(v, "v", "xv", "t"))

    eps = rng.pick((0.01, 0.1, 0.05)) if s.al.real.name != "float16" else 0.1
    shift: Q | None = None
    if form == "layer":
        mean = p.let(folded(("total", "s1", "sum_x"), lambda v: v) / size, "mean", "mu")
        spread = p.let(
            folded(("sq", "var_sum", "m2"), lambda v: squared(p.let(v - mean, "d", "diff", "centered"))) / size,
            "var",
            "variance",
        )
        scale = p.let(1.0 / p.fn("sqrt", spread + eps), "inv_std", "rstd", "inv_sigma")
        shift = mean
    elif form in {"rms", "l2"}:
        total = folded(("sq_sum", "ss", "acc"), squared)
        scale = p.let(
            1.0 / p.fn("sqrt", (total / size if form == "rms" else total) + eps), "inv_rms", "scale_r", "inv_norm"
        )
    elif form == "minmax":
        low = folded(("lo", "min_x"), lambda v: v, 100.0, "min")
        high = folded(("hi", "max_x"), lambda v: v, -100.0, "max")
        low, high = (
            Q(p, v.e._replace(span=Span(a, b, a * 0.8, b * 0.8 or -0.5)))
            for v, a, b in ((low, -2.0, 0.0), (high, 0.0, 2.0))
        )
        scale = p.let(1.0 / (p.fn("abs", high - low) + 0.1), "inv_range", "range_scale")
        shift = low
    else:
        top = folded(("m", "max_val", "row_max"), lambda v: v, -100.0, "max")
        top = Q(p, top.e._replace(span=usual(-2.0, 2.0)))
        total = folded(("denom", "z", "sum_exp"), lambda v: p.fn("exp", v - top))
        total = Q(p, total.e._replace(span=Span(0.5, total.e.span.high, 1.0, 4.0)))
        roll = rng.random()
        if roll < 0.4:
            p.keep(top + p.fn("log", total), "lse", "log_z", "logsumexp")
        scale = p.let(1.0 / total, "inv_z", "inv_sum", "norm")
        shift = top
    gain = p.reals(("gamma", "weight", "gain"), 0.5, 1.5, (most,)) if rng.chance(0.6) and form != "softmax" else None
    bias = p.reals(("beta", "bias", "offset"), -0.5, 0.5, (most,)) if rng.chance(0.5) and form != "softmax" else None
    other = p.reals(("values", "targets", "probe_vec"), -1.0, 1.0, (most,)) if rng.chance(0.35) else None
    acc = p.start(0.0, "score", "mixed", "expect") if other is not None else None

    def last(j: Q) -> None:
        v = read(j)
        if form == "softmax" and shift is not None:
            y = p.fn("exp", v - shift) * scale
        else:
            y = ((v - shift) if shift is not None else v) * scale
        if gain is not None:
            y = y * p.at(gain, j)
        if bias is not None:
            y = y + p.at(bias, j)
        if rng.chance(0.3) and form != "softmax":
            y = activated(p, rng.pick(("relu", "tanh", "softsign")), p.let(y, "pre", "n_j"))
        y = p.let(y, "y", "norm_x", "prob", "out_j") if acc is not None or rng.chance(0.4) else y
        if acc is not None and other is not None:
            p.add_to(acc, y * p.at(other, j), most)
        if acc is None or rng.chance(0.5):
            p.store(("out", "normalized", "y_out", "probs_out"), y, i, j, shape=(s.extents[0], most))

    p.loop(stop, counters, last)
    if acc is not None:
        p.result(acc)
    if rng.chance(0.4) or not (s.fresh or s.budget < 4):
        s.load("f")
        if scale.e.op == "name":
            s.add(scale.e)
    if s.fresh:
        closing(s)


def attention(s: Sketch) -> None:
    """A row of attention: scores of a query against keys, their softmax, and the mean of values."""
    rng, p = s.rng, Pen(s)
    vectors = rng.chance(0.35)
    s.open(rng.pick((1, 1, 2)))
    head, i = (p.coords[0], p.coords[-1]) if len(s.extents) == 2 else (None, p.coords[0])
    lead = (head,) if head is not None else ()
    lead_shape = s.extents[:-1]
    keys_n, dim = rng.pick((3, 4, 6, 8)), rng.pick((2, 3, 4))
    scale = p.value(("scale", "inv_sqrt_d", "temperature"), 0.3, 1.0) if rng.chance(0.7) else None
    if vectors:
        q = p.let(p.at(p.vectors(("queries", "q", "Q"), -1.0, 1.0)), "qi", "query", "q_vec")
        keys = p.vectors(("keys", "k", "K"), -1.0, 1.0, (*lead_shape, keys_n))
    else:
        queries = p.reals(("queries", "q", "Q"), -1.0, 1.0, (*s.extents, dim))
        keys = p.reals(("keys", "k", "K"), -1.0, 1.0, (*lead_shape, keys_n, dim))
    values = p.reals(("values", "v", "V"), -1.0, 1.0, (*lead_shape, keys_n))
    bias = (
        p.reals(
            ("bias", "rel_pos", "alibi", "mask_bias"),
            -1.0,
            0.5,
            (s.extents[-1], keys_n) if rng.chance(0.5) else (keys_n,),
        )
        if rng.chance(0.5)
        else None
    )
    bias_rank = next((a.rank for a in s.arguments if bias is not None and a.name == bias.e.name), 0)
    form = rng.pick(("online", "two", "two", "linear"))

    def score(j: Q) -> Q:
        if vectors:
            dot = p.fn("dot", q, p.at(keys, *lead, j))
        else:
            acc = p.start(0.0, "dot_qk", "s_j", "acc_d")
            p.loop(
                dim, ("d", "c", "e"), lambda d: p.add_to(acc, p.at(queries, *lead, i, d) * p.at(keys, *lead, j, d), dim)
            )
            dot = p.now(acc)
        if scale is not None:
            dot = dot * scale if rng.chance(0.5) else scale * dot
        if bias is not None:
            dot = dot + (p.at(bias, i, j) if bias_rank == 2 else p.at(bias, j))
        return p.let(dot, "logit", "sc", "att") if dot.e.op != "name" else dot

    top: Q | None = None
    if form == "two":
        best = p.start(-100.0, "m", "max_score", "row_max")
        p.loop(keys_n, ("j", "k_id", "n"), lambda j: p.most_of(best, score(j), "max"))
        top = Q(p, p.now(best).e._replace(span=usual(-2.0, 2.0)))
    denom, out = p.start(0.0, "denom", "z", "sum_w"), p.start(0.0, "out", "acc", "ctx")

    def mix(j: Q) -> None:
        x = score(j)
        x = Q(p, x.e._replace(span=usual(max(-3.0, x.e.span.low), min(3.0, x.e.span.high))))
        w = p.fn("exp", x - top if top is not None else x) if form != "linear" else p.fn("max", x, 0.0) + 0.1
        w = p.let(w, "w", "p_j", "weight")
        p.add_to(denom, w, keys_n)
        p.add_to(out, w * p.at(values, *lead, j), keys_n)

    p.loop(keys_n, ("j", "kk", "n"), mix)
    total = p.now(denom)
    total = Q(p, total.e._replace(span=Span(0.3, max(2.0, total.e.span.high), 0.8, 3.0)))
    context = p.keep(p.now(out) / total, "context", "attn", "y")
    if rng.chance(0.4):
        s.read(context.e)
        gate = p.at(p.reals(("gate", "residual", "skip"), -1.0, 1.0))
        p.keep(context + gate if rng.chance(0.5) else context * p.fn("tanh", gate), "mixed", "res_out", "gated")
    if rng.chance(0.3):
        p.keep(p.fn("log", total), "lse", "log_z")
    closing(s)


def optimiser(s: Sketch) -> None:
    """A step of an optimiser: momentum, adaptive rates, decay, clipping."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 2)))
    w = p.perhaps(p.at(p.reals(("params", "weights", "theta", "w"), -1.0, 1.0)), "wi", "param", "th")
    g = p.perhaps(p.at(p.reals(("grads", "grad", "g", "dw"), -1.5, 1.5)), "gi", "grad_i", "gv")
    lr = p.value(("lr", "learning_rate", "step_size", "eta"), 0.1, 0.6)
    if rng.chance(0.4):
        g = p.let(g * p.value(("inv_batch", "grad_scale", "loss_scale"), 0.3, 1.5), "gs", "g_scaled", "g1")
    if rng.chance(0.4):
        clip = p.value(("clip", "max_grad", "bound"), 0.3, 1.0)
        g = p.let(p.fn("clamp", g, -clip, clip), "gc", "g_clip", "clipped")
    if rng.chance(0.4):
        decay = p.value(("weight_decay", "wd", "l2"), 0.05, 0.4)
        g = p.let(g + decay * w, "gd", "g_reg", "g_total")
    form = rng.pick(("sgd", "momentum", "nesterov", "adam", "adagrad", "rmsprop", "lion"))
    step = g
    if form in {"momentum", "nesterov", "adam", "lion"}:
        m = p.at(p.reals(("momentum", "m", "velocity", "exp_avg"), -1.0, 1.0))
        beta = p.value(("beta1", "mu", "momentum_coef", "b1"), 0.5, 0.9)
        m = p.let(
            beta * m + (1.0 - beta) * g if form != "momentum" or rng.chance(0.5) else beta * m + g,
            "m_new",
            "mom",
            "v_new",
        )
        s.add(m.e)
        step = m
        if form == "nesterov":
            step = p.let(g + beta * m, "look", "nag")
        elif form == "lion":
            step = p.fn("sign", m)
    if form in {"adam", "adagrad", "rmsprop"}:
        v = p.at(p.reals(("second", "v", "sq_avg", "cache"), 0.05, 1.0))
        if form == "adagrad":
            v = p.let(v + g * g, "v_new", "cache_new", "acc_sq")
        else:
            beta2 = p.value(("beta2", "rho", "b2", "alpha"), 0.5, 0.95)
            v = p.let(beta2 * v + (1.0 - beta2) * (g * g), "v_new", "sq", "s_new")
        s.add(v.e)
        if form == "adam" and rng.chance(0.5):
            c1, c2 = p.value(("bias1", "corr1"), 0.3, 0.9), p.value(("bias2", "corr2"), 0.3, 0.9)
            step, v = p.let(step / c1, "m_hat", "mh"), p.let(v / c2, "v_hat", "vh")
        safe = rng.pick((0.01, 0.05, 0.1)) if s.al.real.name != "float16" else 0.1
        positive = Q(p, v.e._replace(span=Span(max(0.0, v.e.span.low), *v.e.span[1:])))
        step = step / (p.fn("sqrt", positive) + safe) if rng.chance(0.7) else step / p.fn("sqrt", positive + safe)
    change = lr * step if rng.chance(0.6) else step * lr
    new = p.let(w - change, "w_new", "updated", "p_next")
    if rng.chance(0.3):
        new = p.let(p.fn("clamp", new, -0.9, 0.9), "w_clamped", "bounded")
    if rng.chance(0.25):
        mask = p.at(p.reals(("mask", "trainable", "active"), 0.0, 1.0))
        new = p.let(p.choose(mask > 0.5, new, w), "w_out", "selected")
    s.add(new.e)
    closing(s)
