"""Attention: in one head, in several, with shared keys, and with rotary positions."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, called, mul, products
from irsmith.frontends.jax.synth.learning.common import INPUT, SEQUENCE, affine, before, ended, held, tamed
from irsmith.frontends.jax.synth.learning.probabilities import softmax_of


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
        x = before(scope, scope.argument((*lead, t, d), INPUT, bounds=(-1, 1)))
        x = held(scope, x)
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
    x = before(scope, scope.argument((*lead, t, width), INPUT, bounds=(-1, 1)))
    x = held(scope, x)
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
    q = held(scope, q)
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
    x = held(scope, x)
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
        angles = scope.rebind(pos, Expr("", 7, (t, half), dtype, 0, t))
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
