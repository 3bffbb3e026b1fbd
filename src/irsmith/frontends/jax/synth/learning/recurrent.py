"""Networks that carry a state from step to step."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, called
from irsmith.frontends.jax.synth.learning.common import SEQUENCE, before, ended, held, tamed


def rnn(scope: Scope) -> None:
    """A recurrent network over a sequence."""
    rng = scope.rng
    t, d, h = rng.pick(SEQUENCE), rng.pick((3, 4, 6)), rng.pick((3, 4, 5))
    xs = before(scope, scope.argument((t, d), ("xs", "inputs", "seq", "x"), bounds=(-1, 1)))
    xs = held(scope, xs)
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
    scope.rebind(last, Expr("", 7, (h,), scope.draft.real, -1, 1))
    reach = 2.0 * h
    scope.rebind(outs, Expr("", 7, (t,) if scalar else (t, h), scope.draft.real, -reach, reach))
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
