"""Machine learning: the layers, losses and steps that people write, each with choices of its own, in ordinary code.

Every category draws sizes, variants and spellings, and what comes before and after its core grows as elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import replace

from irsmith.frontends.jax.synth import control, shapes
from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, called, mul, products, squared
from irsmith.frontends.jax.synth.moves import ACTIVATIONS, LAYER, MATHEMATICAL, activation, curve, grown, scaled
from irsmith.frontends.jax.synth.shared import attempt
from irsmith.frontends.jax.synth.straight import finish, statement

BATCH = (2, 3, 4, 5, 6, 8)
WIDTH = (4, 6, 8, 8, 10, 12, 16)
SEQUENCE = (3, 4, 5, 6, 8)

_X = ("x", "inputs", "h", "hidden", "features", "x_in", "acts", "z")
_W = ("w", "weight", "kernel", "W", "proj", "w1")
_B = ("b", "bias", "b1", "offset_b")


def ended(scope: Scope) -> None:
    """A few more statements, and the return."""
    while scope.budget > 3:
        if scope.budget > 7 and scope.rng.chance(0.12):
            attempt(scope, scope.rng.pick((control.where, control.masked, control.mapped)))
            scope.draft.budget -= 1
        else:
            statement(scope, LAYER, reshape=0.12)
    finish(scope, LAYER)


def before(scope: Scope, x: Expr) -> Expr:
    """What may happen to an input first."""
    if scope.budget > 5 and scope.rng.chance(0.5):
        made = grown(scope, x, LAYER, scope.rng.pick((1, 1, 2)))
        if made.text != x.text and made.reach <= 12:
            return scope.assign(made)
    return x


def affine(scope: Scope, x: Expr, width: int | None = None, *, wish: str | None = None) -> Expr:
    """A product with a weight and perhaps a bias."""
    rng = scope.rng
    width = width or rng.pick(WIDTH)
    w = scope.argument((x.shape[-1], width), wish or _W, bounds=(-1, 1))
    kind = rng.weighted(("@", "einsum", "transposed", "dot"), (6, 1.5, 1, 1))
    low, high = (bound * x.shape[-1] for bound in products(x, w))
    shape = (*x.shape[:-1], width)
    if kind == "einsum" and x.rank <= 3:
        letters = "bsn"[: x.rank - 1]
        text = f"jnp.einsum('{letters}d,dk->{letters}k', {x.text}, {w.text})"
        made = called(text, x, w, shape=shape, low=low, high=high)
    elif kind == "dot":
        made = called(f"jnp.dot({x.text}, {w.text})", x, w, shape=shape, low=low, high=high)
    else:
        made = replace(called(f"{x.at(4)} @ {w.text}", x, w, shape=shape, low=low, high=high), binding=4)
    if rng.chance(0.7):
        made = add(made, scope.argument((width,), _B, bounds=(-0.5, 0.5)))
    require(made.reach <= 400)
    return made


def tamed(scope: Scope, x: Expr, reach: float = 6.0) -> Expr:
    """The value, divided by the root of its width where sums grew large."""
    if x.reach <= reach:
        return x
    factor = 2.0 ** math.ceil(math.log2(x.reach / reach))
    return replace(mul(scope.number(1 / factor), x) if scope.rng.chance(0.3) else _over(scope, x, factor))


def _over(scope: Scope, x: Expr, factor: float) -> Expr:
    from irsmith.frontends.jax.synth.expr import div

    return div(x, scope.number(factor))


def activated(scope: Scope, x: Expr) -> Expr:
    """A layer's end."""
    for _ in range(4):
        made = activation(scope, x)
        if made is not None:
            return made
    return curve(scope, tamed(scope, x, 3.5), MATHEMATICAL["tanh"]) or x


def matmul(scope: Scope) -> None:
    """Products of matrices."""
    rng = scope.rng
    x = before(scope, scope.argument((rng.pick(BATCH), rng.pick(WIDTH)), _X, bounds=(-1, 1)))
    y = scope.assign(affine(scope, x), rng.pick(("y", "out", "h", "z")))
    if rng.chance(0.5):
        y = scope.assign(activated(scope, tamed(scope, y)))
        if rng.chance(0.5):
            scope.assign(affine(scope, y))
    ended(scope)


def batched_matmul(scope: Scope) -> None:
    """Products of matrices, one for each example."""
    rng = scope.rng
    b, n, k, m = rng.pick(BATCH), rng.pick(SEQUENCE), rng.pick(SEQUENCE), rng.pick(SEQUENCE)
    x = before(scope, scope.argument((b, n, k), ("a", "lhs", "x", "q"), bounds=(-1, 1)))
    kind = rng.pick(("@", "einsum", "matmul", "vmap", "transposed"))
    shape = (b, n, m)
    y = scope.argument((b, m, k) if kind == "transposed" else (b, k, m), ("b", "rhs", "w", "k"), bounds=(-1, 1))
    low, high = (bound * k for bound in products(x, y))
    text = {
        "@": f"{x.text} @ {y.text}",
        "einsum": f"jnp.einsum('bnk,bkm->bnm', {x.text}, {y.text})",
        "matmul": f"jnp.matmul({x.text}, {y.text})",
        "vmap": f"{scope.draft.jax}.vmap(jnp.dot)({x.text}, {y.text})",
        "transposed": f"jnp.matmul({x.text}, {y.text}.swapaxes(-1, -2))",
    }[kind]
    made = called(text, x, y, shape=shape, low=low, high=high)
    scope.assign(replace(made, binding=4) if kind == "@" else made)
    ended(scope)


_CONTRACTIONS = (
    ("ij,jk->ik", "ij", "jk"),
    ("bij,bjk->bik", "bij", "bjk"),
    ("bi,bj->bij", "bi", "bj"),
    ("ij,ij->i", "ij", "ij"),
    ("bij,jk->bik", "bij", "jk"),
    ("bhqd,bhkd->bhqk", "bhqd", "bhkd"),
    ("ijk,k->ij", "ijk", "k"),
    ("ij,j->i", "ij", "j"),
    ("bij,bij->b", "bij", "bij"),
    ("ijk->ik", "ijk", ""),
    ("ij->ji", "ij", ""),
    ("bi,ij,bj->b", "bi,ij", "bj"),
    ("ij,kj->ik", "ij", "kj"),
    ("bnd,nd->bn", "bnd", "nd"),
    ("ii->i", "ii", ""),
    ("bic,bjc->bij", "bic", "bjc"),
)


def einsum(scope: Scope) -> None:
    """Contractions by subscripts."""
    rng = scope.rng
    for _ in range(rng.pick((1, 1, 2))):
        spec, _one, _two = rng.pick(_CONTRACTIONS)
        inputs, output = spec.split("->")
        sizes = {letter: rng.pick((2, 3, 4, 5, 6, 8)) for letter in sorted(set(inputs) - {","})}
        parts, reach = [], 1.0
        for term in inputs.split(","):
            shape = tuple(sizes[letter] for letter in term)
            part = scope.argument(shape, bounds=(-1, 1))
            if rng.chance(0.3):
                part = scope.assign(grown(scope, part, LAYER, 1))
            require(part.shape == shape)
            parts.append(part)
            reach *= part.reach
        for letter in set(inputs) - {","} - set(output):
            reach *= sizes[letter]
        require(reach <= 300)
        shape = tuple(sizes[letter] for letter in output)
        text = f"jnp.einsum('{spec}', {', '.join(part.text for part in parts)})"
        scope.assign(called(text, *parts, shape=shape, low=-reach, high=reach))
    ended(scope)


def softmax_of(scope: Scope, x: Expr, axis: int = -1) -> Expr:
    """A softmax, from the library or by hand."""
    rng = scope.rng
    x = tamed(scope, x, 10)
    shape = x.shape
    if rng.chance(0.5):
        return called(f"{scope.draft.nn}.softmax({x.text}, axis={axis})", x, shape=shape, low=0, high=1, tied=True)
    if x.size:
        x = scope.assign(x, rng.pick(("scores", "logits", "shifted", "s")))
    top = scope.assign(
        called(f"jnp.max({x.text}, axis={axis}, keepdims=True)", x, shape=_kept(shape, axis), low=x.low, high=x.high),
        rng.pick(("m", "x_max", "top")),
    )
    exps = scope.assign(
        called(f"jnp.exp({x.text} - {top.text})", x, top, shape=shape, low=0, high=1),
        rng.pick(("e", "exps", "unnorm", "p")),
    )
    total = f"jnp.sum({exps.text}, axis={axis}, keepdims=True)"
    made = called(f"{exps.text} / {total}", exps, shape=shape, low=0, high=1, tied=True)
    return replace(made, binding=4)


def _kept(shape: Shape, axis: int) -> Shape:
    return tuple(1 if place == axis % len(shape) else size for place, size in enumerate(shape))


def softmax(scope: Scope) -> None:
    """A softmax and what follows."""
    rng = scope.rng
    x = before(scope, scope.argument(_matrix(scope), ("logits", "x", "scores", "energy"), bounds=(-3, 3)))
    if rng.chance(0.4):
        t = scope.argument((), ("temperature", "tau", "temp"), bounds=(0.5, 2))
        from irsmith.frontends.jax.synth.expr import div

        x = scope.assign(div(x, t))
    p = scope.assign(softmax_of(scope, x), rng.pick(("probs", "p", "weights", "attn")))
    if rng.chance(0.5):
        v = scope.argument((p.shape[-1], rng.pick(WIDTH)), ("values", "v", "table"), bounds=(-1, 1))
        scope.assign(
            replace(called(f"{p.text} @ {v.text}", p, v, shape=(*p.shape[:-1], v.shape[1]), low=-1, high=1), binding=4)
        )
    ended(scope)


def _matrix(scope: Scope) -> Shape:
    return scope.rng.pick(BATCH), scope.rng.pick(WIDTH)


def log_softmax(scope: Scope) -> None:
    """The logarithm of a softmax."""
    rng = scope.rng
    x = before(scope, scope.argument(_matrix(scope), ("logits", "x", "scores"), bounds=(-3, 3)))
    width = x.shape[-1]
    if rng.chance(0.5):
        text = f"{scope.draft.nn}.log_softmax({x.text}, axis=-1)"
        made = called(text, x, shape=x.shape, low=-x.width - math.log(width), high=0)
    else:
        lse = scope.assign(
            called(
                f"{scope.draft.nn}.logsumexp({x.text}, axis=-1, keepdims=True)",
                x,
                shape=_kept(x.shape, -1),
                low=x.low,
                high=x.high + math.log(width),
            ),
            "lse",
        )
        made = replace(
            called(f"{x.text} - {lse.text}", x, lse, shape=x.shape, low=-x.width - math.log(width), high=0), binding=3
        )
    scope.assign(made, rng.pick(("log_probs", "logp", "lp")))
    ended(scope)


def cross_entropy(scope: Scope) -> None:
    """The loss of a classifier."""
    rng = scope.rng
    batch, classes = _matrix(scope)
    x = before(scope, scope.argument((batch, classes), ("logits", "scores", "preds"), bounds=(-3, 3)))
    x = x if x.size == 0 else scope.assign(x)
    logp = scope.assign(
        called(
            f"{scope.draft.nn}.log_softmax({x.text}, axis=-1)",
            x,
            shape=x.shape,
            low=-x.width - math.log(classes),
            high=0,
        ),
        rng.pick(("log_probs", "logp")),
    )
    low = logp.low
    kind = rng.pick(("one_hot", "gather", "soft", "smooth"))
    if kind == "soft":
        t = scope.argument((batch, classes), ("targets", "soft_labels", "q"), bounds=(0, 1))
        nll = called(f"-jnp.sum({t.text} * {logp.text}, axis=-1)", t, logp, shape=(batch,), low=0, high=-low * classes)
        nll = replace(nll, binding=5)
    else:
        labels = scope.argument((batch,), ("labels", "targets", "y"), bounds=(0, classes - 1), dtype="int32")
        if kind == "gather":
            text = f"-jnp.take_along_axis({logp.text}, {labels.text}[:, None], axis=-1)[:, 0]"
            nll = replace(called(text, logp, labels, shape=(batch,), low=0, high=-low), binding=5)
        else:
            dtype = "" if scope.draft.real in ("float32", "float64") else f", dtype={logp.text}.dtype"
            hot = scope.assign(
                called(
                    f"{scope.draft.nn}.one_hot({labels.text}, {classes}{dtype})",
                    logp,
                    labels,
                    shape=(batch, classes),
                    low=0,
                    high=1,
                ),
                rng.pick(("one_hot", "onehot", "y_true")),
            )
            hot = replace(hot, names=frozenset((hot.text,)))
            if kind == "smooth":
                eps = number(rng, 0.05, 0.2)
                hot = scope.assign(
                    replace(
                        called(
                            f"{hot.text} * {1 - eps:.2f} + {eps / classes:.4f}", hot, shape=hot.shape, low=0, high=1
                        ),
                        binding=3,
                    ),
                    "smoothed",
                )
            text = f"-jnp.sum({hot.text} * {logp.text}, axis=-1)"
            nll = replace(called(text, hot, logp, shape=(batch,), low=0, high=-low * 2), binding=5)
    nll = scope.assign(nll, rng.pick(("nll", "losses", "per_example")))
    if rng.chance(0.3):
        w = scope.argument((batch,), ("weights", "mask", "sample_weight"), bounds=(0.1, 1))
        nll = scope.assign(mul(nll, w))
    loss = called(f"jnp.mean({nll.text})", nll, shape=(), low=nll.low, high=nll.high)
    loss = scope.assign(loss, "loss")
    if rng.chance(0.3):
        w = scope.argument((classes, rng.pick(WIDTH)), _W, bounds=(-1, 1))
        square = called(f"jnp.sum({w.text} ** 2)", w, shape=(), low=0, high=w.elements)
        scope.assign(add(loss, mul(scope.number(rng.pick((0.01, 0.001, 0.05, 0.1))), square)), "total_loss")
    ended(scope)


def normal_of(scope: Scope, x: Expr, kind: str) -> Expr:
    """A layer norm or a root-mean-square norm along the last axis, with its scale."""
    rng = scope.rng
    width = x.shape[-1]
    eps = rng.pick((1e-5, 1e-6, 1e-3, 1e-2)) if scope.draft.real in ("float32", "float64") else 0.01
    x = x if x.size == 0 else scope.assign(x)
    # Kept off zero variance by the size of the eps alone: bounds follow from the width.
    reach = width**0.5
    kept = _kept(x.shape, -1)
    if kind == "rms":
        inner = f"jnp.mean({x.text} ** 2, axis=-1, keepdims=True)"
        if rng.chance(0.5):
            ms = scope.assign(called(inner, x, shape=kept, low=0, high=x.reach**2), rng.pick(("ms", "var", "mean_sq")))
            inner = ms.text
            text = f"{x.text} * {scope.draft.lax}.rsqrt({inner} + {eps!r})"
            normed = called(text, x, ms, shape=x.shape, low=-reach, high=reach)
        else:
            normed = called(f"{x.text} / jnp.sqrt({inner} + {eps!r})", x, shape=x.shape, low=-reach, high=reach)
        normed = replace(normed, binding=4)
    else:
        mean = scope.assign(
            called(f"jnp.mean({x.text}, axis=-1, keepdims=True)", x, shape=kept, low=x.low, high=x.high),
            rng.pick(("mu", "mean", "m")),
        )
        if rng.chance(0.5):
            var = called(f"jnp.var({x.text}, axis=-1, keepdims=True)", x, shape=kept, low=0, high=x.width**2)
        else:
            text = f"jnp.mean(({x.text} - {mean.text}) ** 2, axis=-1, keepdims=True)"
            var = called(text, x, mean, shape=kept, low=0, high=x.width**2)
        var = scope.assign(var, rng.pick(("var", "sigma2", "variance")))
        if rng.chance(0.5):
            text = f"({x.text} - {mean.text}) / jnp.sqrt({var.text} + {eps!r})"
        else:
            text = f"({x.text} - {mean.text}) * {scope.draft.lax}.rsqrt({var.text} + {eps!r})"
        normed = replace(called(text, x, mean, var, shape=x.shape, low=-reach, high=reach), binding=4)
    normed = scope.assign(normed, rng.pick(("normed", "x_hat", "xn", "y", "norm_x")))
    gain = scope.argument((width,), ("gamma", "scale", "g", "gain", "weight"), bounds=(0.5, 1.5))
    made = mul(normed, gain)
    if kind != "rms" and rng.chance(0.8):
        made = add(made, scope.argument((width,), ("beta", "bias", "shift", "b"), bounds=(-0.5, 0.5)))
    return made


def layernorm(scope: Scope) -> None:
    """Layer normalisation."""
    rng = scope.rng
    shape = _matrix(scope) if rng.chance(0.6) else (rng.pick((2, 3)), rng.pick(SEQUENCE), rng.pick(WIDTH))
    x = before(scope, scope.argument(shape, _X, bounds=(-2, 2)))
    if rng.chance(0.4):
        x = scope.assign(add(x, scope.argument(shape, ("residual", "skip", "res"), bounds=(-1, 1))))
    scope.assign(normal_of(scope, x, "layer"))
    ended(scope)


def rmsnorm(scope: Scope) -> None:
    """Root-mean-square normalisation."""
    rng = scope.rng
    shape = _matrix(scope) if rng.chance(0.6) else (rng.pick((2, 3)), rng.pick(SEQUENCE), rng.pick(WIDTH))
    x = before(scope, scope.argument(shape, _X, bounds=(-2, 2)))
    y = scope.assign(normal_of(scope, x, "rms"))
    if rng.chance(0.3):
        scope.assign(tamed(scope, affine(scope, y)))
    ended(scope)


def batchnorm(scope: Scope) -> None:
    """Batch normalisation with statistics that are known."""
    rng = scope.rng
    image = rng.chance(0.4)
    c = rng.pick((3, 4, 6, 8))
    shape = (rng.pick((2, 3)), rng.pick((4, 5, 6)), rng.pick((4, 5)), c) if image else (rng.pick(BATCH), c)
    x = before(scope, scope.argument(shape, _X, bounds=(-2, 2)))
    mean = scope.argument((c,), ("running_mean", "mean", "mu"), bounds=(-0.5, 0.5))
    var = scope.argument((c,), ("running_var", "var", "sigma2"), bounds=(0.3, 2))
    gamma = scope.argument((c,), ("gamma", "scale", "weight"), bounds=(0.5, 1.5))
    beta = scope.argument((c,), ("beta", "shift", "bias"), bounds=(-0.5, 0.5))
    eps = scope.number(rng.pick((1e-5, 1e-3, 0.01)))
    inside = add(var, eps)
    if rng.chance(0.5):
        text = f"{scope.draft.lax}.rsqrt({inside.text})"
        inv = scope.assign(called(text, inside, shape=(c,), low=0.6, high=1.9), rng.pick(("inv_std", "inv", "rstd")))
        if rng.chance(0.4):
            factor = scope.assign(mul(gamma, inv), rng.pick(("factor", "a", "mult")))
            text = f"{x.at(4)} * {factor.text} + ({beta.text} - {mean.text} * {factor.text})"
            made = replace(called(text, x, factor, beta, mean, shape=shape, low=-9, high=9), binding=3)
        else:
            text = f"({x.text} - {mean.text}) * {inv.text} * {gamma.text} + {beta.text}"
            made = replace(called(text, x, mean, inv, gamma, beta, shape=shape, low=-9, high=9), binding=3)
    else:
        text = f"{gamma.text} * ({x.text} - {mean.text}) / jnp.sqrt({inside.text}) + {beta.text}"
        made = replace(called(text, x, mean, var, gamma, beta, shape=shape, low=-9, high=9), binding=3)
    reach = (x.reach + 0.5) * 1.9 * 1.5 + 0.5
    y = scope.assign(replace(made, low=-reach, high=reach))
    if rng.chance(0.5):
        scope.assign(activated(scope, tamed(scope, y)))
    ended(scope)


# Attention.


def scores_of(scope: Scope, q: Expr, k: Expr, width: int) -> Expr:
    """Scaled products of queries and keys over their last two axes."""
    rng = scope.rng
    lead = "bh"[2 - (q.rank - 2) :] if q.rank > 2 else ""
    low, high = (bound * width for bound in products(q, k))
    shape = (*q.shape[:-1], k.shape[-2])
    kind = rng.pick(("@", "einsum", "matmul"))
    if kind == "einsum":
        text = f"jnp.einsum('{lead}qd,{lead}kd->{lead}qk', {q.text}, {k.text})"
    elif kind == "@":
        text = f"{q.at(4)} @ {k.text}.T" if q.rank == 2 else f"{q.at(4)} @ jnp.swapaxes({k.text}, -1, -2)"
    else:
        turned = f"{k.text}.T" if k.rank == 2 else f"{k.text}.swapaxes(-2, -1)"
        text = f"jnp.matmul({q.text}, {turned})"
    made = called(text, q, k, shape=shape, low=low, high=high)
    made = replace(made, binding=4) if kind == "@" else made
    factor = rng.pick(("sqrt", "rsqrt", "number", "shape"))
    if factor == "number":
        return mul(made, scope.number(round(width**-0.5, 4)))
    spelled = {
        "sqrt": f"{made.at(4)} / jnp.sqrt({float(width)})" if scope.draft.real == "float32" else None,
        "rsqrt": f"{made.at(4)} * {width}**-0.5",
        "shape": f"{made.at(4)} / {q.text}.shape[-1] ** 0.5" if q.size == 0 else None,
    }[factor]
    if spelled is None:
        return mul(made, scope.number(round(width**-0.5, 4)))
    root = width**0.5
    return replace(made, text=spelled, binding=4, low=low / root, high=high / root, size=made.size + 1)


def masked_scores(scope: Scope, scores: Expr) -> Expr:
    """Scores from which what is to come is hidden."""
    rng = scope.rng
    rows, columns = scores.shape[-2:]
    length = scope.number(-1e9 if scope.draft.real in ("float32", "float64") else -1e4)
    kind = rng.pick(("tril", "iota", "triu"))
    if kind == "tril":
        text = f"jnp.tril(jnp.ones(({rows}, {columns}), dtype=bool))"
        keep = True
    elif kind == "triu":
        text, keep = f"jnp.triu(jnp.ones(({rows}, {columns}), dtype=bool), k=1)", False
    else:
        text, keep = f"jnp.arange({rows})[:, None] >= jnp.arange({columns})[None, :]", True
    mask = scope.names.claim(rng.pick(("mask", "causal", "causal_mask", "future")))
    scope.write(f"{mask} = {text}")
    scores = scores if scores.size == 0 else scope.assign(scores, rng.pick(("scores", "logits", "att")))
    low = length.low
    pair = (scores.text, length.text) if keep else (length.text, scores.text)
    text = f"jnp.where({mask}, {pair[0]}, {pair[1]})"
    return called(text, scores, shape=scores.shape, low=low, high=scores.high)


def weights_of(scope: Scope, scores: Expr, *, hidden: bool) -> Expr:
    """Attention weights."""
    if hidden:
        scores = masked_scores(scope, scores)
        text = f"{scope.draft.nn}.softmax({scores.text}, axis=-1)"
        return called(text, scores, shape=scores.shape, low=0, high=1, tied=True)
    return softmax_of(scope, scores)


def weighted(scope: Scope, p: Expr, v: Expr) -> Expr:
    """Values by attention weights."""
    rng = scope.rng
    lead = "bh"[2 - (p.rank - 2) :] if p.rank > 2 else ""
    shape = (*p.shape[:-1], v.shape[-1])
    if rng.chance(0.4):
        text = f"jnp.einsum('{lead}qk,{lead}kd->{lead}qd', {p.text}, {v.text})"
        return called(text, p, v, shape=shape, low=v.low, high=v.high)
    return replace(called(f"{p.at(4)} @ {v.at(5)}", p, v, shape=shape, low=v.low, high=v.high), binding=4)


def _after_attention(scope: Scope, out: Expr) -> None:
    rng = scope.rng
    out = scope.assign(out, rng.pick(("out", "context", "ctx", "attended", "o")))
    if rng.chance(0.4) and out.rank <= 3:
        out = scope.assign(tamed(scope, affine(scope, out, out.shape[-1], wish="wo")))
    if rng.chance(0.3):
        residual = scope.argument(out.shape, ("residual", "x_res", "skip"), bounds=(-1, 1))
        scope.assign(add(out, residual))
    ended(scope)


def _attention(scope: Scope, *, hidden: bool) -> None:
    rng = scope.rng
    t, d = rng.pick(SEQUENCE), rng.pick((4, 6, 8, 8))
    lead: Shape = rng.pick(((), (rng.pick((2, 3)),), (rng.pick((2, 3)), rng.pick((2, 3)))))
    s = t if hidden else rng.pick(SEQUENCE)
    if rng.chance(0.35) and len(lead) <= 1:
        x = before(scope, scope.argument((*lead, t, d), _X, bounds=(-1, 1)))
        x = x if x.size == 0 else scope.assign(x)
        q, k, v = (
            scope.assign(tamed(scope, affine_plain(scope, x, wish), 4), label)
            for wish, label in (("wq", "q"), ("wk", "k"), ("wv", "v"))
        )
    else:
        q = before(scope, scope.argument((*lead, t, d), ("q", "query", "queries"), bounds=(-1, 1)))
        k = scope.argument((*lead, s, d), ("k", "key_states", "keys"), bounds=(-1, 1))
        v = scope.argument((*lead, s, d), ("v", "value_states", "values"), bounds=(-1, 1))
    scores = scope.assign(scores_of(scope, q, k, q.shape[-1]), rng.pick(("scores", "logits", "att")))
    if rng.chance(0.25):
        scores = scope.assign(
            add(scores, scope.argument(scores.shape[-2:], ("bias", "rel_bias", "alibi"), bounds=(-1, 1)))
        )
    p = scope.assign(weights_of(scope, scores, hidden=hidden), rng.pick(("probs", "weights", "attn", "p")))
    _after_attention(scope, weighted(scope, p, v))


def affine_plain(scope: Scope, x: Expr, wish: str) -> Expr:
    """A product with a square weight."""
    width = x.shape[-1]
    w = scope.argument((width, width), wish, bounds=(-1, 1))
    low, high = (bound * width for bound in products(x, w))
    return replace(called(f"{x.at(4)} @ {w.text}", x, w, shape=x.shape, low=low, high=high), binding=4)


def attention(scope: Scope) -> None:
    """Attention over all positions."""
    _attention(scope, hidden=False)


def causal_attention(scope: Scope) -> None:
    """Attention that sees what came before alone."""
    _attention(scope, hidden=True)


def multi_head_attention(scope: Scope) -> None:
    """Attention in several heads."""
    rng = scope.rng
    t, heads, d = rng.pick(SEQUENCE), rng.pick((2, 2, 4)), rng.pick((2, 3, 4))
    batch = rng.pick((None, 2, 3))
    width = heads * d
    lead: Shape = () if batch is None else (batch,)
    x = before(scope, scope.argument((*lead, t, width), _X, bounds=(-1, 1)))
    x = x if x.size == 0 else scope.assign(x)
    parts = []
    for wish, label in (("wq", "q"), ("wk", "k"), ("wv", "v")):
        y = scope.assign(tamed(scope, affine_plain(scope, x, wish), 4), label)
        shown = ", ".join(str(size) for size in (*lead, t, heads, d))
        order = "1, 0, 2" if batch is None else "0, 2, 1, 3"
        split = called(
            f"{y.text}.reshape({shown}).transpose({order})", y, shape=(*lead, heads, t, d), low=y.low, high=y.high
        )
        parts.append(scope.assign(split, f"{label}h" if rng.chance(0.5) else label))
    q, k, v = parts
    scores = scope.assign(scores_of(scope, q, k, d), rng.pick(("scores", "logits")))
    p = scope.assign(weights_of(scope, scores, hidden=rng.chance(0.5)), rng.pick(("probs", "weights", "attn")))
    out = scope.assign(weighted(scope, p, v), rng.pick(("out", "ctx", "heads_out")))
    order = "1, 0, 2" if batch is None else "0, 2, 1, 3"
    shown = ", ".join(str(size) for size in (*lead, t, width))
    text = f"{out.text}.transpose({order}).reshape({shown})"
    _after_attention(scope, called(text, out, shape=(*lead, t, width), low=out.low, high=out.high))


def grouped_attention(scope: Scope) -> None:
    """Attention in which several heads of queries share one of keys."""
    rng = scope.rng
    t, kv, group, d = rng.pick(SEQUENCE), rng.pick((1, 2, 2)), rng.pick((2, 2, 3)), rng.pick((3, 4, 6))
    heads = kv * group
    q = before(scope, scope.argument((heads, t, d), ("q", "query"), bounds=(-1, 1)))
    q = q if q.size == 0 else scope.assign(q)
    k = scope.argument((kv, t, d), ("k", "keys"), bounds=(-1, 1))
    v = scope.argument((kv, t, d), ("v", "values"), bounds=(-1, 1))
    if rng.chance(0.6):
        k, v = (
            scope.assign(
                called(f"jnp.repeat({y.text}, {group}, axis=0)", y, shape=(heads, t, d), low=y.low, high=y.high),
                f"{y.text[0]}_rep",
            )
            for y in (k, v)
        )
        scores = scope.assign(scores_of(scope, q, k, d), rng.pick(("scores", "logits")))
        p = scope.assign(weights_of(scope, scores, hidden=rng.chance(0.5)), rng.pick(("probs", "attn")))
        _after_attention(scope, weighted(scope, p, v))
        return
    grouped = scope.assign(
        called(f"{q.text}.reshape({kv}, {group}, {t}, {d})", q, shape=(kv, group, t, d), low=q.low, high=q.high),
        rng.pick(("qg", "q_grouped")),
    )
    low, high = (bound * d for bound in products(q, k))
    text = f"jnp.einsum('kgqd,ksd->kgqs', {grouped.text}, {k.text})"
    scores = called(text, grouped, k, shape=(kv, group, t, t), low=low, high=high)
    scores = scope.assign(mul(scores, scope.number(round(d**-0.5, 4))), rng.pick(("scores", "logits")))
    p = scope.assign(weights_of(scope, scores, hidden=rng.chance(0.5)), rng.pick(("probs", "attn")))
    text = f"jnp.einsum('kgqs,ksd->kgqd', {p.text}, {v.text})"
    out = scope.assign(called(text, p, v, shape=(kv, group, t, d), low=v.low, high=v.high))
    _after_attention(
        scope, called(f"{out.text}.reshape({heads}, {t}, {d})", out, shape=(heads, t, d), low=v.low, high=v.high)
    )


def rotary(scope: Scope) -> None:
    """Rotary position embedding, perhaps with the scores that it is for."""
    rng = scope.rng
    t, d = rng.pick(SEQUENCE), rng.pick((4, 6, 8))
    lead: Shape = rng.pick(((), (2,), (3,)))
    half = d // 2
    x = before(scope, scope.argument((*lead, t, d), ("x", "q", "query"), bounds=(-1, 1)))
    x = x if x.size == 0 else scope.assign(x)
    if rng.chance(0.5):
        angles = scope.argument((t, half), ("angles", "theta", "freqs"), bounds=(-3, 3))
    else:
        dtype = scope.draft.real
        cast = "" if dtype in ("float32", "float64") else f".astype(jnp.{dtype})"
        base = rng.pick(("10000.0", "1000.0", "500.0"))
        freq = scope.names.claim(rng.pick(("inv_freq", "freqs")))
        scope.write(f"{freq} = {base} ** (-jnp.arange({half}) / {half})")
        pos = scope.names.claim(rng.pick(("angles", "theta")))
        scope.write(f"{pos} = (jnp.arange({t})[:, None] * {freq}[None, :]){cast}")
        angles = scope._hold(pos, Expr("", 7, (t, half), dtype, 0, t))
    c = scope.assign(called(f"jnp.cos({angles.text})", angles, shape=(t, half), low=-1, high=1), rng.pick(("cos", "c")))
    s = scope.assign(called(f"jnp.sin({angles.text})", angles, shape=(t, half), low=-1, high=1), rng.pick(("sin", "s")))
    reach = 2 * x.reach
    if rng.chance(0.5):
        a, b = f"{x.text}[..., :{half}]", f"{x.text}[..., {half}:]"
        join = "jnp.concatenate([{}, {}], axis=-1)"
    else:
        a, b = f"{x.text}[..., 0::2]", f"{x.text}[..., 1::2]"
        join = "jnp.stack([{}, {}], axis=-1).reshape(" + f"{x.text}.shape)"
    one = scope.assign(called(a, x, shape=(*lead, t, half), low=x.low, high=x.high), "x1")
    two = scope.assign(called(b, x, shape=(*lead, t, half), low=x.low, high=x.high), "x2")
    text = join.format(
        f"{one.text} * {c.text} - {two.text} * {s.text}", f"{one.text} * {s.text} + {two.text} * {c.text}"
    )
    y = scope.assign(
        called(text, one, two, c, s, shape=(*lead, t, d), low=-reach, high=reach), rng.pick(("rotated", "out", "q_rot"))
    )
    if rng.chance(0.5):
        k = scope.argument((*lead, t, d), ("k", "keys"), bounds=(-1, 1))
        scores = scope.assign(scores_of(scope, y, k, d), "scores")
        scope.assign(weights_of(scope, scores, hidden=rng.chance(0.5)), rng.pick(("probs", "attn")))
    ended(scope)


def mlp(scope: Scope) -> None:
    """Layers one after the other."""
    rng = scope.rng
    x = before(scope, scope.argument(_matrix(scope), _X, bounds=(-1, 1)))
    kind = rng.pick(("plain", "plain", "gated", "residual"))
    if kind == "gated":
        hidden = rng.pick(WIDTH)
        x = x if x.size == 0 else scope.assign(x)
        gate = scope.assign(activated(scope, tamed(scope, affine(scope, x, hidden))), rng.pick(("gate", "g")))
        up = scope.assign(tamed(scope, affine(scope, x, hidden)), rng.pick(("up", "u")))
        scope.assign(tamed(scope, affine(scope, scope.assign(mul(gate, up)), x.shape[-1])))
        ended(scope)
        return
    width = x.shape[-1]
    for _ in range(rng.pick((2, 2, 3))):
        x = scope.assign(tamed(scope, affine(scope, x, width if kind == "residual" else None)))
        y = scope.assign(activated(scope, x))
        x = scope.assign(add(y, x)) if kind == "residual" else y
    ended(scope)


def gelu(scope: Scope) -> None:
    """The Gaussian error linear unit, from the library or by hand."""
    rng = scope.rng
    x = before(scope, scope.argument(_matrix(scope), _X, bounds=(-3, 3)))
    x = x if x.size == 0 else scope.assign(x)
    x = x if x.reach <= 12 else scope.assign(tamed(scope, x))
    kind = rng.pick(("library", "tanh", "erf", "exact", "fast"))
    low, high = min(-0.2, x.low * 0 - 0.2), max(x.high, 0.1)
    text = {
        "library": f"{scope.draft.nn}.gelu({x.text})",
        "exact": f"{scope.draft.nn}.gelu({x.text}, approximate=False)",
        "tanh": f"0.5 * {x.text} * (1.0 + jnp.tanh(0.7978846 * ({x.text} + 0.044715 * {x.text} ** 3)))",
        "erf": f"0.5 * {x.text} * (1.0 + {scope.draft.lax}.erf({x.text} / {math.sqrt(2):.6f}))",
        "fast": f"{x.text} * {scope.draft.nn}.sigmoid(1.702 * {x.text})",
    }[kind]
    made = called(text, x, shape=x.shape, low=low, high=high)
    y = scope.assign(made if kind in ("library", "exact") else replace(made, binding=4))
    if rng.chance(0.5):
        scope.assign(tamed(scope, affine(scope, y)))
    ended(scope)


def silu(scope: Scope) -> None:
    """A value times its logistic function, often with a gate."""
    rng = scope.rng
    x = before(scope, scope.argument(_matrix(scope), _X, bounds=(-3, 3)))
    x = x if x.size == 0 else scope.assign(x)
    x = x if x.reach <= 8 else scope.assign(tamed(scope, x))
    kind = rng.pick(("library", "sigmoid", "hand", "swish"))
    text = {
        "library": f"{scope.draft.nn}.silu({x.text})",
        "swish": f"{scope.draft.nn}.swish({x.text})",
        "sigmoid": f"{x.text} * {scope.draft.nn}.sigmoid({x.text})",
        "hand": f"{x.text} / (1.0 + jnp.exp(-{x.text}))",
    }[kind]
    made = called(text, x, shape=x.shape, low=-0.3, high=max(x.high, 0.1))
    y = scope.assign(made if kind in ("library", "swish") else replace(made, binding=4))
    if rng.chance(0.5):
        scope.assign(mul(y, scope.argument(x.shape, ("gate", "up", "value"), bounds=(-1, 1))))
    ended(scope)


def dropout(scope: Scope) -> None:
    """Dropout with a key."""
    rng = scope.rng
    require(scope.draft.real == "float32", "random numbers of float32 alone")
    x = before(scope, scope.argument(_matrix(scope), _X, bounds=(-2, 2)))
    x = x if x.size == 0 else scope.assign(x)
    rate = rng.pick((0.1, 0.2, 0.25, 0.3, 0.5))
    kind = rng.pick(("seed", "key", "split", "fold"))
    if kind == "seed":
        seed = scope.argument((), ("seed", "step"), bounds=(0, 1000), dtype="int32")
        scope.use(seed)
        key = scope.names.claim("rng")
        scope.write(f"{key} = {scope.draft.jax}.random.PRNGKey({seed.text})")
    else:
        key = scope.names.claim("rng")
        scope.write(f"{key} = {scope.draft.jax}.random.PRNGKey({rng.below(1000)})")
        if kind == "split":
            other = scope.names.claim("subkey")
            scope.write(f"{key}, {other} = {scope.draft.jax}.random.split({key})")
            key = other
        elif kind == "fold":
            step = scope.argument((), ("step", "layer"), bounds=(0, 50), dtype="int32")
            scope.use(step)
            scope.write(f"{key} = {scope.draft.jax}.random.fold_in({key}, {step.text})")
    mask = scope.names.claim(rng.pick(("keep", "mask", "kept")))
    scope.write(f"{mask} = {scope.draft.jax}.random.bernoulli({key}, {1 - rate:g}, {x.text}.shape)")
    low, high = min(x.low / (1 - rate), 0), max(x.high / (1 - rate), 0)
    if rng.chance(0.7):
        made = called(f"jnp.where({mask}, {x.text} / {1 - rate:g}, 0.0)", x, shape=x.shape, low=low, high=high)
    else:
        made = replace(called(f"{x.text} * {mask} / {1 - rate:g}", x, shape=x.shape, low=low, high=high), binding=4)
    y = scope.assign(made)
    if rng.chance(0.5):
        scope.assign(tamed(scope, affine(scope, y)))
    ended(scope)


def embedding(scope: Scope) -> None:
    """Rows of a table by number."""
    rng = scope.rng
    vocabulary, width = rng.pick((8, 10, 12, 16, 20, 32)), rng.pick((4, 6, 8))
    table = scope.argument((vocabulary, width), ("table", "embedding", "emb", "wte"), bounds=(-1, 1))
    shape: Shape = rng.pick(((rng.pick(SEQUENCE),), (rng.pick((2, 3)), rng.pick(SEQUENCE))))
    ids = scope.argument(shape, ("ids", "tokens", "token_ids", "idx"), bounds=(0, vocabulary - 1), dtype="int32")
    kind = rng.pick(("index", "take", "one_hot"))
    full = (*shape, width)
    if kind == "one_hot":
        dtype = "" if scope.draft.real in ("float32", "float64") else f", dtype={table.text}.dtype"
        text = f"{scope.draft.nn}.one_hot({ids.text}, {vocabulary}{dtype}) @ {table.text}"
        made = replace(called(text, table, ids, shape=full, low=-1, high=1), binding=4)
    else:
        text = f"{table.text}[{ids.text}]" if kind == "index" else f"jnp.take({table.text}, {ids.text}, axis=0)"
        made = called(text, table, ids, shape=full, low=-1, high=1)
    x = scope.assign(made, rng.pick(("x", "embedded", "h", "emb_x")))
    if rng.chance(0.5):
        pos = scope.argument((shape[-1], width), ("pos", "wpe", "positions"), bounds=(-0.5, 0.5))
        x = scope.assign(add(x, pos))
    if rng.chance(0.3):
        x = scope.assign(mul(x, scope.number(round(width**0.5, 3))))
    if rng.chance(0.3):
        scope.assign(normal_of(scope, x, rng.pick(("layer", "rms"))))
    ended(scope)


def convolution(scope: Scope) -> None:
    """Convolutions in one or two dimensions."""
    rng = scope.rng
    two = rng.chance(0.6)
    n, c, o, k = rng.pick((1, 2)), rng.pick((1, 2, 3)), rng.pick((2, 3, 4)), rng.pick((2, 3, 3))
    size = rng.pick((6, 7, 8))
    stride, padding = rng.pick((1, 1, 2)), rng.pick(("SAME", "VALID"))
    layout = rng.pick(("NHWC", "NCHW")) if two else rng.pick(("NWC", "NCW"))
    spatial: Shape = (size, rng.pick((5, 6, 8))) if two else (rng.pick((8, 10, 12, 16)),)
    window: Shape = (k, k) if two else (k,)
    groups = c if rng.chance(0.15) and c > 1 else 1
    out = o if groups == 1 else c * rng.pick((1, 2))
    last = layout.endswith("C")
    shape = (n, *spatial, c) if last else (n, c, *spatial)
    x = before(scope, scope.argument(shape, ("x", "image", "inputs", "signal"), bounds=(-1, 1)))
    w_shape = (*window, c // groups, out) if last else (out, c // groups, *window)
    w = scope.argument(w_shape, ("kernel", "w", "filters"), bounds=(-1, 1))
    letters = "HW" if two else "W"
    numbers = (
        (f"N{letters}C", f"{letters}IO", f"N{letters}C") if last else (f"NC{letters}", f"OI{letters}", f"NC{letters}")
    )
    after = [-(-s // stride) if padding == "SAME" else -(-(s - k + 1) // stride) for s in spatial]
    reach = x.reach * k ** len(window) * (c // groups)
    result = (n, *after, out) if last else (n, out, *after)
    strides = f"({', '.join([str(stride)] * len(window))}{',' if len(window) == 1 else ''})"
    lines = [f"{x.text}, {w.text}", f"window_strides={strides}", f'padding="{padding}"', f"dimension_numbers={numbers}"]
    if groups > 1:
        lines.append(f"feature_group_count={groups}")
    lines = [line.replace("'", '"') for line in lines]
    require(min(after) >= 1)
    scope.use(x, w)
    y = scope.names.claim(rng.pick(("y", "out", "conv", "feat")))
    scope.write(f"{y} = {scope.draft.lax}.conv_general_dilated(")
    for line in lines:
        scope.write(f"    {line},")
    scope.write(")")
    value = scope._hold(y, Expr("", 7, result, scope.draft.real, -reach, reach))
    if rng.chance(0.6):
        bias = scope.argument((out,) if last else (out, *((1,) * len(window))), _B, bounds=(-0.5, 0.5))
        value = scope.assign(add(value, bias))
    if rng.chance(0.7):
        scope.assign(activated(scope, tamed(scope, value)))
    ended(scope)


def pooling(scope: Scope) -> None:
    """Windows reduced to one value each."""
    rng = scope.rng
    n, size, c, k = rng.pick((1, 2)), rng.pick((4, 6, 8)), rng.pick((1, 2, 3)), 2
    x = before(scope, scope.argument((n, size, size, c), ("x", "image", "feat"), bounds=(-2, 2)))
    x = x if x.size == 0 else scope.assign(x)
    kind = rng.pick(("max", "avg", "reshape_max", "reshape_mean", "global"))
    half = size // k
    shape: Shape = (n, half, half, c)
    lax = scope.draft.lax
    if kind == "global":
        text = f"jnp.{rng.pick(('mean', 'max'))}({x.text}, axis=(1, 2))"
        made = called(text, x, shape=(n, c), low=x.low, high=x.high)
    elif kind.startswith("reshape"):
        which = kind.removeprefix("reshape_")
        text = f"{x.text}.reshape({n}, {half}, {k}, {half}, {k}, {c}).{which}(axis=(2, 4))"
        made = called(text, x, shape=shape, low=x.low, high=x.high)
    else:
        op, start = ("max", "-jnp.inf") if kind == "max" else ("add", "0.0")
        zero = start if scope.draft.real in ("float32", "float64") else f"jnp.{scope.draft.real}({start})"
        pool = f"(1, {k}, {k}, 1)"
        text = f'{lax}.reduce_window({x.text}, {zero}, {lax}.{op}, {pool}, {pool}, "VALID")'
        factor = 1 if kind == "max" else k * k
        made = called(text, x, shape=shape, low=x.low * factor, high=x.high * factor)
        if kind == "avg":
            made = _over(scope, made, float(factor))
    scope.assign(made, rng.pick(("pooled", "y", "down")))
    ended(scope)


def rnn(scope: Scope) -> None:
    """A recurrent network over a sequence."""
    rng = scope.rng
    t, d, h = rng.pick(SEQUENCE), rng.pick((3, 4, 6)), rng.pick((3, 4, 5))
    xs = before(scope, scope.argument((t, d), ("xs", "inputs", "seq", "x"), bounds=(-1, 1)))
    xs = xs if xs.size == 0 else scope.assign(xs)
    xs = xs if xs.reach <= 4 else scope.assign(tamed(scope, xs, 4))
    wx = scope.argument((d, h), ("w_x", "w_in", "wxh"), bounds=(-0.7, 0.7))
    wh = scope.argument((h, h), ("w_h", "u", "whh"), bounds=(-0.6, 0.6))
    b = scope.argument((h,), ("b", "bias", "bh"), bounds=(-0.3, 0.3))
    given = rng.chance(0.5)
    start = (
        scope.argument((h,), ("h0", "init"), bounds=(-1, 1))
        if given
        else Expr(f"jnp.zeros({h}{scope.draft.dtype_argument()})", 7, (h,), scope.draft.real, 0, 0)
    )
    scope.use(xs, wx, wh, b, start)
    end = rng.pick(("jnp.tanh", f"{scope.draft.nn}.sigmoid", "jnp.tanh"))
    step = scope.names.claim(rng.pick(("step", "cell", "rnn_step")))
    carry, item = rng.pick((("h", "x"), ("state", "inp"), ("carry", "x_t")))
    body = scope.inner()
    inner = f"{item} @ {wx.text} + {carry} @ {wh.text} + {b.text}"
    if rng.chance(0.5):
        body.write(f"new = {end}({inner})")
        body.write("return new, new" if rng.chance(0.6) else f"return new, new * {number(rng, 0.2, 2.0)!r}")
    else:
        body.write(f"pre = {inner}")
        body.write(f"new = {end}(pre)")
        body.write(f"return new, jnp.{rng.pick(('sum', 'mean', 'max'))}(new)")
    scalar = "jnp.sum" in body.lines[-1] or "jnp.mean" in body.lines[-1] or "jnp.max" in body.lines[-1]
    scope.put(body, f"def {step}({carry}, {item}):")
    scope.lines.append("")
    last, outs = scope.names.claim("h_last"), scope.names.claim(rng.pick(("hs", "outputs", "states")))
    scope.write(f"{last}, {outs} = {scope.draft.lax}.scan({step}, {start.text}, {xs.text})")
    scope._hold(last, Expr("", 7, (h,), scope.draft.real, -1, 1))
    reach = 2.0 * h
    scope._hold(outs, Expr("", 7, (t,) if scalar else (t, h), scope.draft.real, -reach, reach))
    ended(scope)


def _gates(scope: Scope, names: str) -> tuple[Expr, Expr, dict[str, Expr]]:
    rng = scope.rng
    batch: Shape = rng.pick(((), (rng.pick((2, 3, 4)),)))
    d, h = rng.pick((3, 4, 6)), rng.pick((3, 4, 5))
    x = scope.argument((*batch, d), ("x", "x_t", "inp"), bounds=(-1, 1))
    state = scope.argument((*batch, h), ("h", "h_prev", "state"), bounds=(-1, 1))
    gates = {}
    for gate in names:
        w = scope.argument((d, h), f"w_{gate}", bounds=(-0.8, 0.8))
        u = scope.argument((h, h), f"u_{gate}", bounds=(-0.8, 0.8))
        text = f"{x.text} @ {w.text} + {state.text} @ {u.text}"
        reach = 0.8 * (d + h)
        made = replace(called(text, x, state, w, u, shape=(*batch, h), low=-reach, high=reach), binding=3)
        gates[gate] = add(made, scope.argument((h,), f"b_{gate}", bounds=(-0.3, 0.3))) if rng.chance(0.7) else made
    return x, state, gates


def _squashed(scope: Scope, gate: Expr, how: str, wish: str) -> Expr:
    if how == "sigmoid":
        text, low = f"{scope.draft.nn}.sigmoid({gate.text})", 0
    else:
        text, low = f"jnp.tanh({gate.text})", -1
    return scope.assign(called(text, gate, shape=gate.shape, low=low, high=1), wish)


def gru(scope: Scope) -> None:
    """A gated recurrent unit."""
    rng = scope.rng
    x, h, gates = _gates(scope, "rz")
    r = _squashed(scope, gates["r"], "sigmoid", rng.pick(("r", "reset")))
    z = _squashed(scope, gates["z"], "sigmoid", rng.pick(("z", "update")))
    d, width = x.shape[-1], h.shape[-1]
    w = scope.argument((d, width), "w_n", bounds=(-0.8, 0.8))
    u = scope.argument((width, width), "u_n", bounds=(-0.8, 0.8))
    inner = f"{x.text} @ {w.text} + ({r.text} * {h.text}) @ {u.text}"
    if rng.chance(0.5):
        inner = f"{x.text} @ {w.text} + {r.text} * ({h.text} @ {u.text})"
    n = scope.assign(
        called(f"jnp.tanh({inner})", x, w, r, h, u, shape=h.shape, low=-1, high=1), rng.pick(("n", "cand"))
    )
    pair = (n, h) if rng.chance(0.5) else (h, n)
    text = f"(1.0 - {z.text}) * {pair[0].text} + {z.text} * {pair[1].text}"
    scope.assign(replace(called(text, z, n, h, shape=h.shape, low=-1, high=1), binding=3), rng.pick(("h_new", "new_h")))
    ended(scope)


def lstm(scope: Scope) -> None:
    """A cell with a long and a short memory."""
    rng = scope.rng
    _x, h, gates = _gates(scope, "ifog")
    c = scope.argument(h.shape, ("c", "c_prev", "cell"), bounds=(-1, 1))
    i = _squashed(scope, gates["i"], "sigmoid", "i")
    f = _squashed(scope, gates["f"], "sigmoid", "f")
    o = _squashed(scope, gates["o"], "sigmoid", "o")
    g = _squashed(scope, gates["g"], "tanh", "g")
    text = f"{f.text} * {c.text} + {i.text} * {g.text}"
    new = scope.assign(
        replace(called(text, f, c, i, g, shape=h.shape, low=-2, high=2), binding=3), rng.pick(("c_new", "new_c"))
    )
    out = called(f"{o.text} * jnp.tanh({new.text})", o, new, shape=h.shape, low=-1, high=1)
    scope.assign(replace(out, binding=4), rng.pick(("h_new", "new_h")))
    ended(scope)


def optimiser(scope: Scope) -> None:
    """A step of an optimiser."""
    rng = scope.rng
    shape: Shape = rng.pick(((rng.pick(WIDTH),), _matrix(scope)))
    w = scope.argument(shape, ("params", "w", "theta", "weights"), bounds=(-1, 1))
    grad = scope.argument(shape, ("grads", "g", "grad"), bounds=(-1, 1))
    lr = scope.argument((), ("lr", "learning_rate", "step_size"), bounds=(0.01, 0.2))
    kind = rng.pick(("sgd", "momentum", "nesterov", "adam", "rmsprop", "adagrad", "adamw", "lion", "clipped"))
    if rng.chance(0.3):
        grad = scope.assign(grown(scope, grad, LAYER, 1), keep=True)
        require(grad.reach <= 4)
    if kind in ("adamw", "sgd") or rng.chance(0.2):
        decay = number(rng, 0.01, 0.1)
        if kind != "adamw":
            grad = scope.assign(add(grad, mul(scope.number(decay), w)))
    beta = rng.pick((0.9, 0.8, 0.95))
    if kind in ("sgd", "clipped"):
        if kind == "clipped":
            limit = number(rng, 0.3, 1.5)
            grad = scope.assign(
                called(f"jnp.clip({grad.text}, -{limit!r}, {limit!r})", grad, shape=shape, low=-limit, high=limit)
            )
        _stepped(scope, w, lr, grad)
    elif kind in ("momentum", "nesterov"):
        m = scope.argument(shape, ("velocity", "momentum", "m"), bounds=(-1, 1))
        new = scope.assign(add(mul(scope.number(beta), m), grad), rng.pick(("new_velocity", "v", "buf")))
        way = add(grad, mul(scope.number(beta), new)) if kind == "nesterov" else new
        _stepped(scope, w, lr, way)
    elif kind == "lion":
        m = scope.argument(shape, ("m", "momentum"), bounds=(-1, 1))
        blend = add(mul(scope.number(beta), m), mul(scope.number(round(1 - beta, 2)), grad))
        way = scope.assign(called(f"jnp.tanh({blend.text})", blend, shape=shape, low=-1, high=1), "update")
        _stepped(scope, w, lr, way)
        scope.assign(add(mul(scope.number(0.99), m), mul(scope.number(0.01), grad)), "new_m")
    else:
        v = scope.argument(shape, ("v", "second", "nu", "sq_avg"), bounds=(0.05, 1))
        beta2 = rng.pick((0.999, 0.99, 0.95))
        square = squared(grad)
        rest = scope.number(round(1 - beta2, 4))
        new_v = add(v, square) if kind == "adagrad" else add(mul(scope.number(beta2), v), mul(rest, square))
        new_v = scope.assign(new_v, rng.pick(("new_v", "v_new", "nu_new")))
        top: Expr = grad
        below = new_v
        if kind in ("adam", "adamw"):
            m = scope.argument(shape, ("m", "first", "mu"), bounds=(-1, 1))
            top = scope.assign(
                add(mul(scope.number(beta), m), mul(scope.number(round(1 - beta, 2)), grad)),
                rng.pick(("new_m", "m_new")),
            )
            if rng.chance(0.6):
                t = scope.argument((), ("t", "step", "count"), bounds=(1, 20), dtype="int32")
                top = scope.assign(_over_power(scope, top, beta, t), "m_hat")
                below = scope.assign(_over_power(scope, new_v, beta2, t), "v_hat")
        eps = 1e-8 if scope.draft.real in ("float32", "float64") else 0.01
        text = f"{top.at(4)} / (jnp.sqrt({below.text}) + {eps!r})"
        way = replace(called(text, top, below, shape=shape, low=-60, high=60), binding=4)
        if kind == "adamw":
            way = add(scope.assign(way, "update"), mul(scope.number(0.01), w))
        _stepped(scope, w, lr, way)
    ended(scope)


def _over_power(scope: Scope, x: Expr, beta: float, t: Expr) -> Expr:
    text = f"{x.text} / (1.0 - {beta!r} ** {t.text})"
    least = 1 - beta
    made = replace(called(text, x, t, shape=x.shape, low=x.low / least, high=x.high / least), binding=4)
    require(scope.draft.real in ("float32", "float64"), "a power of a whole number")
    return made


def _stepped(scope: Scope, w: Expr, lr: Expr, way: Expr) -> None:
    from irsmith.frontends.jax.synth.expr import sub

    move = mul(lr, way)
    scope.assign(sub(w, move), scope.rng.pick(("new_params", "new_w", "updated", "theta_new")), keep=True)


def activations(scope: Scope) -> None:
    """Several activations of a layer's output."""
    x = scope.argument(_matrix(scope), _X, bounds=(-3, 3))
    which = scope.rng.pick(list(ACTIVATIONS.values()))
    made = curve(scope, x, which) or activated(scope, x)
    scope.assign(scaled(scope, made) or made)
    ended(scope)


def shaped(scope: Scope) -> None:
    """Arrays reshaped, joined and cut."""
    rng = scope.rng
    x = scope.argument((rng.pick(BATCH), rng.pick(WIDTH)), _X)
    for _ in range(rng.pick((2, 3))):
        made = shapes.viewed(scope, x) or shapes.joined(scope, x)
        if made is not None and made.rank and made.elements <= 1024:
            x = scope.assign(made)
    ended(scope)
