"""Softmax, its logarithm, and the loss of a classifier."""

from __future__ import annotations

import math
from dataclasses import replace

from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import Expr, add, called, div, mul
from irsmith.frontends.jax.synth.learning.common import (
    WEIGHT,
    WIDTH,
    affine,
    before,
    ended,
    held,
    kept_shape,
    matrix_shape,
    tamed,
)


def softmax_of(scope: Scope, x: Expr) -> Expr:
    """A softmax, from the library or by hand."""
    rng = scope.rng
    x = tamed(scope, x, 10)
    shape = x.shape
    if rng.chance(0.5):
        return called(f"{scope.draft.nn}.softmax({x.text}, axis=-1)", x, shape=shape, low=0, high=1, tied=True)
    if x.size:
        x = scope.assign(x, rng.pick(("scores", "logits", "shifted", "s")))
    top = scope.assign(
        called(f"jnp.max({x.text}, axis=-1, keepdims=True)", x, shape=kept_shape(shape), low=x.low, high=x.high),
        rng.pick(("m", "x_max", "top")),
    )
    exps = scope.assign(
        called(f"jnp.exp({x.text} - {top.text})", x, top, shape=shape, low=0, high=1),
        rng.pick(("e", "exps", "unnorm", "p")),
    )
    total = f"jnp.sum({exps.text}, axis=-1, keepdims=True)"
    made = called(f"{exps.text} / {total}", exps, shape=shape, low=0, high=1, tied=True)
    return replace(made, binding=4)


def softmax(scope: Scope) -> None:
    """A softmax and what follows."""
    rng = scope.rng
    x = before(scope, scope.argument(matrix_shape(scope), ("logits", "x", "scores", "energy"), bounds=(-3, 3)))
    if rng.chance(0.4):
        t = scope.argument((), ("temperature", "tau", "temp"), bounds=(0.5, 2))
        x = scope.assign(div(x, t))
    p = scope.assign(softmax_of(scope, x), rng.pick(("probs", "p", "weights", "attn")))
    if rng.chance(0.5):
        v = scope.argument((p.shape[-1], rng.pick(WIDTH)), ("values", "v", "table"), bounds=(-1, 1))
        scope.assign(
            replace(called(f"{p.text} @ {v.text}", p, v, shape=(*p.shape[:-1], v.shape[1]), low=-1, high=1), binding=4)
        )
    ended(scope)


def log_softmax(scope: Scope) -> None:
    """The logarithm of a softmax, from the library or by hand."""
    rng = scope.rng
    x = before(scope, scope.argument(matrix_shape(scope), ("logits", "x", "scores"), bounds=(-3, 3)))
    if rng.chance(0.35):
        x = scope.assign(div(x, scope.argument((), ("temperature", "tau", "temp"), bounds=(0.5, 2))))
    if rng.chance(0.3):
        x = scope.assign(affine(scope, x))
    x = tamed(scope, x)
    low, kind = -x.width - math.log(x.shape[-1]), rng.pick(("library", "library", "lse", "sum", "shifted"))
    if kind == "library":
        made = called(f"{scope.draft.nn}.log_softmax({x.text}, axis=-1)", x, shape=x.shape, low=low, high=0)
        scope.assign(made, rng.pick(_LOGARITHMS))
        ended(scope)
        return
    x, across = held(scope, x), "axis=-1, keepdims=True"
    if kind == "shifted":
        top = called(f"jnp.max({x.text}, {across})", x, shape=kept_shape(x.shape), low=x.low, high=x.high)
        x = scope.assign(
            replace(called(f"{x.text} - {top.text}", x, top, shape=x.shape, low=-x.width, high=0), binding=3),
            rng.pick(("shifted", "z")),
        )
    text = f"jnp.log(jnp.sum(jnp.exp({x.text}), {across}))"
    if kind == "lse":
        text = f"{scope.draft.nn}.logsumexp({x.text}, {across})"
    total = called(text, x, shape=kept_shape(x.shape), low=x.low, high=x.high + math.log(x.shape[-1]))
    total = scope.assign(total, rng.pick(("lse", "log_total", "log_z"))) if rng.chance(0.6) else total
    made = called(f"{x.text} - {total.text}", x, total, shape=x.shape, low=low, high=0)
    scope.assign(replace(made, binding=3), rng.pick(_LOGARITHMS))
    ended(scope)


_LOGARITHMS = ("log_probs", "logp", "lp")


def cross_entropy(scope: Scope) -> None:
    """The loss of a classifier."""
    rng = scope.rng
    batch, classes = matrix_shape(scope)
    x = before(scope, scope.argument((batch, classes), ("logits", "scores", "preds"), bounds=(-3, 3)))
    x = held(scope, x)
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
        w = scope.argument((classes, rng.pick(WIDTH)), WEIGHT, bounds=(-1, 1))
        square = called(f"jnp.sum({w.text} ** 2)", w, shape=(), low=0, high=w.elements)
        scope.assign(add(loss, mul(scope.number(rng.pick((0.01, 0.001, 0.05, 0.1))), square)), "total_loss")
    ended(scope)
