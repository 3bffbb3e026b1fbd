"""Phases of loops that carry a state.

A step takes a carried value within bounds to one within the same bounds.
"""

from __future__ import annotations

import math
from dataclasses import replace

from irsmith.frontends.jax.synth.author import few, number
from irsmith.frontends.jax.synth.choices import operand
from irsmith.frontends.jax.synth.draft import Scope, atom, require
from irsmith.frontends.jax.synth.expr import (
    Expr,
    Shape,
    add,
    broadcast,
    called,
    compared,
    div,
    hull,
    mul,
    name,
    squared,
    sub,
)
from irsmith.frontends.jax.synth.idle import idle, undone
from irsmith.frontends.jax.synth.moves import MIXED, PLAIN, Repertoire, absolute, grown, mathematical, shrunk
from irsmith.frontends.jax.synth.shapes import reduced
from irsmith.synth.errors import Discard


def _term(body: Scope, source: Expr, repertoire: Repertoire = MIXED) -> Expr:
    """What a step adds: something made of what it is given."""
    made = grown(body, source, repertoire, body.rng.pick((0, 1, 1, 2)))
    small = shrunk(body, made)
    return small if small is not None and len(small.text) < 80 else made


def _next(body: Scope, carry: Expr, v: Expr, start: Expr, count: int) -> tuple[Expr, float, float]:
    """The next carried value, with bounds that hold for it after any number of steps up to ``count``."""
    for _ in range(8):
        made = _step(body, carry, v, start, count)
        if made is not None:
            return made
    raise Discard("no step")


def _step(body: Scope, carry: Expr, v: Expr, start: Expr, count: int) -> tuple[Expr, float, float] | None:
    """One draw of the next carried value, if there is such a one."""
    rng = body.rng
    limit = body.draft.limit
    kind = rng.pick(("decay", "ema", "tanh", "sum", "max", "relax", "sum", "damped", "min", "newton", "mix"))
    low, high = hull(start, v)
    if kind == "decay":
        k = number(rng, 0.3, 0.95)
        reach = max(start.reach, v.reach / (1 - k))
        return _within(add(mul(carry, body.number(k)), v), -reach - 1e-3, reach + 1e-3, limit)
    if kind in ("ema", "mix") and not (v.size and idle("scale", v)):
        k = number(rng, 0.1, 0.9)
        return _within(add(mul(body.number(k), carry), mul(body.number(round(1 - k, 2)), v)), low, high, limit)
    if kind == "tanh":
        weight = number(rng, 0.2, 1.2)
        inner = add(mul(body.number(weight), carry), v)
        if v.reach > 3 or start.reach > 1 or undone("add", carry, v):
            return None
        made = called(f"jnp.tanh({inner.text})", inner, shape=inner.shape, low=-1, high=1)
        return _within(made, -1, 1, limit)
    if kind == "sum" and not undone("add", carry, v):
        ends = start.low + min(0.0, v.low * count), start.high + max(0.0, v.high * count)
        return _within(add(carry, v), *ends, limit)
    if kind in ("max", "min"):
        if start.low > v.high or v.low > start.high or undone("extreme", carry, v):
            return None
        text = f"jnp.{kind}imum({carry.text}, {v.text})"
        return _within(called(text, carry, v, shape=carry.shape, low=low, high=high), low, high, limit)
    if kind == "relax" and not undone("sub", v, carry):
        k = number(rng, 0.1, 0.8)
        return _within(add(carry, mul(body.number(k), sub(v, carry))), low, high, limit)
    if kind == "damped":
        if v.low < 0.02 or v.high > 0.98:
            gate = f"{body.draft.nn}.sigmoid({v.text})"
            if idle("sigmoid", v):
                return None
            v = called(gate, v, shape=v.shape, low=0.0, high=1.0)
        low, high = min(start.low, 0.0), max(start.high, 0.0)
        return _within(mul(carry, sub(body.number(1.0), mul(body.number(number(rng, 0.1, 0.6)), v))), low, high, limit)
    if kind == "newton" and v.low >= 0.2 and start.low >= 0.2:
        inner = add(carry, div(v, carry))
        top = 0.5 * (max(start.high, v.high) + v.high / min(start.low, v.low**0.5)) + 1
        return _within(mul(body.number(0.5), inner), min(start.low, v.low**0.5) * 0.99, max(top, start.high), limit)
    return None


def _within(made: Expr, low: float, high: float, limit: float) -> tuple[Expr, float, float] | None:
    return (made, low, high) if max(abs(low), abs(high)) <= limit and high > low else None


def _start(scope: Scope, shape: Shape) -> Expr:
    """A value for a loop to begin with: zeros, ones, an argument."""
    rng, draft = scope.rng, scope.draft
    there = [v for v in scope.unread() if v.shape == shape and v.real and v.dtype == draft.real]
    kind = rng.pick(("zeros", "zeros", "argument", "ones", "there"))
    if kind == "there" and there:
        return rng.pick(there)
    if kind == "argument":
        return scope.argument(shape, ("h0", "init", "state", "y0", "x0", "start"))
    value = 0.0 if kind == "zeros" else 1.0
    if not shape and draft.real in ("float32", "float64") and rng.chance(0.6):
        return scope.number(value)
    word = "zeros" if value == 0 else "ones"
    if not shape:
        text = f"jnp.array({value!r}{draft.dtype_argument()})"
    else:
        shown = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
        text = f"jnp.{word}({shown}{draft.dtype_argument()})"
        like = [v for v in scope.visible() if v.shape == shape and v.dtype == draft.real]
        if like and rng.chance(0.5):
            text = f"jnp.{word}_like({rng.pick(like).text})"
    return Expr(text, 7, shape, draft.real, value, value)


def folded(scope: Scope, *, depth: int = 0) -> Expr:
    """``lax.fori_loop`` over an axis, or a fixed number of times."""
    rng = scope.rng
    xs = [v for v in scope.unread() if v.real and v.rank >= 1 and v.shape[0] >= 2]
    x = rng.pick(xs) if xs else scope.argument((few(rng) + 1, rng.pick((3, 4, 8))))
    over = rng.chance(0.75)
    count = x.shape[0] if over else rng.pick((2, 3, 4, 5, 8, 10))
    shape = x.shape[1:] if over else x.shape
    start = _start(scope, shape)
    require(start.names != x.names)
    body = scope.inner()
    counter, carried = rng.pick((("i", "acc"), ("i", "carry"), ("t", "h"), ("k", "total"), ("i", "val"), ("n", "y")))
    counter = body.names.claim(counter)
    carry = body.bind(carried, replace(start, shape=shape))
    source = _same_part(x, counter) if over else x
    scope.use(x)
    if depth and shape and over:
        term = _inner_fold(body, source, shape)
    else:
        term = _term(body, body.assign(source, rng.pick(("row", "item", "xi", "elem"))) if rng.chance(0.4) else source)
    if not over and rng.chance(0.4):
        text = f"{term.at(4)} / ({counter} + 1)"
        term = replace(term, text=text, binding=4, low=min(term.low, 0.0), high=max(term.high, 0.0))
    require(broadcast(term.shape, shape) == shape and term.real)
    result, low, high = _next(body, carry, term, start, count)
    if rng.chance(0.3) and len(result.text) < 60:
        held = body.assign(result, rng.pick(("new", "updated", "nxt")))
        result = held
    body.use(result)
    require(not body.fresh, "unread in a loop")
    body.write(f"return {result.text}")
    label = scope.names.claim(rng.pick(("body", "step", "update", "body_fn", "loop_body", "accumulate")))
    scope.use(start)
    scope.put(body, f"def {label}({counter}, {carry.text}):")
    scope.lines.append("")
    upper = f"{x.text}.shape[0]" if over and rng.chance(0.5) else f"{count}"
    text = f"{scope.draft.lax}.fori_loop(0, {upper}, {label}, {start.text})"
    ends = min(low, start.low), max(high, start.high)
    return scope.assign(called(text, x, start, shape=shape, dtype=x.dtype, low=ends[0], high=ends[1]))


def _same_part(x: Expr, counter: str) -> Expr:
    made = called(f"{x.at(7)}[{counter}]", x, shape=x.shape[1:], low=x.low, high=x.high)
    return replace(made, size=0)


def _inner_fold(body: Scope, source: Expr, shape: Shape) -> Expr:
    """A loop within a loop, over the last axis of an element or a few times."""
    rng = body.rng
    inner = body.inner()
    counter = inner.names.claim(rng.pick(("j", "k", "m")))
    row = body.assign(source, rng.pick(("row", "line", "block")))
    start = Expr("0.0", 7, (), row.dtype, 0.0, 0.0) if body.draft.real == "float32" else _zero(body)
    carry = inner.bind(rng.pick(("s", "acc2", "inner", "part")), start)
    item = called(f"{row.text}[{counter}]", row, shape=row.shape[1:], low=row.low, high=row.high)
    if item.rank:
        item = called(f"jnp.mean({item.text})", item, shape=(), low=item.low, high=item.high)
    term = _term(inner, item, PLAIN)
    require(term.rank == 0)
    result, low, high = _next(inner, carry, term, start, shape[0])
    inner.use(result)
    require(not inner.fresh)
    inner.write(f"return {result.text}")
    label = body.names.claim(rng.pick(("inner_body", "inner_step", "col_step")))
    body.use(row)
    body.put(inner, f"def {label}({counter}, {carry.text}):")
    body.lines.append("")
    text = f"{body.draft.lax}.fori_loop(0, {shape[0]}, {label}, {start.text})"
    ends = min(low, start.low), max(high, start.high)
    total = body.assign(called(text, row, shape=(), low=ends[0], high=ends[1]), rng.pick(("inner_sum", "row_val", "s")))
    return mul(row, total) if rng.chance(0.3) and row.reach * total.reach < body.draft.limit else total


def _zero(scope: Scope) -> Expr:
    return Expr(f"jnp.array(0.0{scope.draft.dtype_argument()})", 7, (), scope.draft.real, 0.0, 0.0)


def scanned(scope: Scope) -> Expr:
    """``lax.scan`` over the leading axis, with a carried value and an output a step."""
    rng = scope.rng
    xs = [v for v in scope.unread() if v.real and v.rank >= 1 and v.shape[0] >= 2]
    x = rng.pick(xs) if xs else scope.argument((few(rng) + 2, rng.pick((2, 3, 4, 8))))
    mates = [v for v in scope.unread() if v.real and v.rank >= 1 and v.shape[:1] == x.shape[:1] and v.text != x.text]
    y = rng.pick(mates) if mates and rng.chance(0.6) else None
    count, shape = x.shape[0], x.shape[1:]
    start = _start(scope, shape)
    require(not start.names & (x.names | (y.names if y else frozenset())))
    body = scope.inner()
    carry = body.bind(rng.pick(("carry", "state", "h", "prev", "acc")), replace(start, shape=shape))
    item = body.bind(rng.pick(("x", "inp", "x_t", "row", "u")), replace(x, shape=shape))
    scope.use(x)
    head = item.text
    term = _term(body, item)
    if y is not None:
        second = body.bind(rng.pick(("g", "y_t", "w_t", "k")), replace(y, shape=y.shape[1:]))
        head = f"({item.text}, {second.text})"
        scope.use(y)
        if broadcast(second.shape, term.shape) != term.shape:
            require(second.rank > 0)
            second = called(f"jnp.mean({second.text})", second, shape=(), low=second.low, high=second.high)
        term = rng.pick((add, mul))(term, second)
    require(term.shape == shape and term.reach <= scope.draft.limit)
    if term.size > 2 and rng.chance(0.5):
        term = body.assign(term, keep=True)
    result, low, high = _next(body, carry, term, start, count)
    fresh = body.assign(result, rng.pick(("new", "new_carry", "nxt", "h_new", "state_new")))
    fresh = replace(fresh, low=low, high=high)
    out = fresh
    if rng.chance(0.5):
        out = grown(body, fresh, MIXED, 1)
        if out.rank and rng.chance(0.3):
            out = reduced(body, fresh) or out
    body.use(fresh, out)
    require(not body.fresh)
    body.write(f"return {fresh.text}, {out.text}")
    label = scope.names.claim(rng.pick(("step", "scan_fn", "body", "cell", "tick")))
    scope.use(start)
    scope.put(body, f"def {label}({carry.text}, {head if y is None else 'inputs'}):")
    if y is not None:
        scope.lines.insert(len(scope.lines) - len(body.lines), "    " * body.indent + f"{head[1:-1]} = inputs")
    scope.lines.append("")
    given = x.text if y is None else f"({x.text}, {y.text})"
    options = rng.pick(("", "", "", ", reverse=True", ", unroll=2"))
    text = f"{scope.draft.lax}.scan({label}, {start.text}, {given}{options})"
    ends = min(low, start.low), max(high, start.high)
    outputs = Expr("", 7, (count, *out.shape), x.dtype, out.low, out.high)
    final = Expr("", 7, shape, x.dtype, *ends)
    if rng.chance(0.4):
        last = scope.names.claim(rng.pick(("_", "_", "_"))) if rng.chance(0.7) else None
        taken = scope.names.claim(rng.pick(("ys", "outs", "history", "states", "trace")))
        scope.names.taken.discard("_")
        scope.write(f"{last or '_'}, {taken} = {text}".replace("__, ", "_, "))
        return scope.rebind(taken, outputs)
    one, two = (
        scope.names.claim(rng.pick(("final", "last", "carry", "h"))),
        scope.names.claim(rng.pick(("ys", "outs", "history", "states", "trace"))),
    )
    scope.write(f"{one}, {two} = {text}")
    scope.rebind(one, final)
    return scope.rebind(two, outputs)


def repeated(scope: Scope) -> Expr:
    """``lax.while_loop`` until a measure is small enough or a count is reached."""
    rng, lax = scope.rng, scope.draft.lax
    x = atom(operand(scope), scope)
    require(x.reach <= 50)
    most = rng.pick((4, 6, 8, 10, 12))
    test, body = scope.inner(), scope.inner()
    state = rng.pick(("state", "carry", "val"))
    i, v = rng.pick((("i", "x"), ("n", "v"), ("step", "y"), ("it", "z")))
    for inner in (test, body):
        inner.names.taken |= {state, i, v}
    value = name(v, x.shape, x.dtype, x.low, x.high)
    measure = value
    if x.rank:
        absolute_value = absolute(value)
        measure = called(f"jnp.max({absolute_value.text})", absolute_value, shape=(), low=0.0, high=x.reach)
    at = scope.number(round(max(measure.high * 0.3, 0.05), 2))
    test.write(f"{i}, {v} = {state}")
    test.write(f"return ({i} < {most}) & ({compared(measure, '>', at).text})")
    body.write(f"{i}, {v} = {state}")
    body.pool[v] = value
    kind = rng.pick(("scale", "tanh", "sub", "mixed", "rational"))
    k = scope.number(number(rng, 0.4, 0.9))
    if kind == "scale":
        made = mul(k, value)
    elif kind == "tanh" and x.reach <= 4:
        made = mul(k, called(f"jnp.sin({v})", value, shape=x.shape, low=-1, high=1))
    elif kind == "sub" and x.reach <= 20:
        made = sub(value, mul(scope.number(number(rng, 0.05, 0.5)), value))
    elif kind == "rational":
        made = div(value, add(scope.number(1.0), mul(scope.number(number(rng, 0.1, 0.6)), squared(value))))
    else:
        anchor = scope.partner(x) or scope.argument(())
        scope.use(anchor)
        made = add(mul(k, value), mul(scope.number(round(1 - k.low, 2)), anchor))
        require(made.shape == x.shape)
    low, high = min(made.low, x.low), max(made.high, x.high)
    if kind == "mixed":
        low, high = min(x.low, anchor.low), max(x.high, anchor.high)
    body.write(f"return {i} + 1, {made.text}")
    labels = [scope.names.claim(word) for word in rng.pick((("cond_fn", "body_fn"), ("keep_going", "update")))]
    scope.use(x)
    scope.put(test, f"def {labels[0]}({state}):")
    scope.lines.append("")
    scope.put(body, f"def {labels[1]}({state}):")
    scope.lines.append("")
    count, taken = (
        scope.names.claim(rng.pick(("steps", "n_iter", "count"))),
        scope.names.claim(rng.pick(("result", "solution", "settled", "limit"))),
    )
    scope.write(f"{count}, {taken} = {lax}.while_loop({labels[0]}, {labels[1]}, (0, {x.text}))")
    counted = Expr("", 7, (), scope.draft.whole, 0, most)
    if rng.chance(0.35):
        scope.rebind(count, counted)
    else:
        scope.lines[-1] = scope.lines[-1].replace(f"{count}, {taken}", f"_, {taken}")
    return scope.rebind(taken, Expr("", 7, x.shape, x.dtype, low, high))


def polynomial_sum(scope: Scope) -> Expr:
    """A Python loop that JAX unrolls while it traces."""
    rng = scope.rng
    x = atom(operand(scope), scope)
    require(x.reach <= 3)
    times = rng.pick((2, 3, 4))
    scope.use(x)
    kind = rng.pick(("harmonic", "powers", "refine"))
    total = scope.names.claim(rng.pick(("total", "series", "acc", "out")))
    if kind == "refine":
        scope.write(f"{total} = {x.text}")
        scope.write(f"for _ in range({times}):")
        made = mathematical(scope, replace(x, text=total, low=-3, high=3)) or mul(scope.number(0.5), x)
        inner = (
            f"{total} + {number(rng, 0.1, 0.5)!r} * {made.at(5)}" if total in made.text else f"{total} * 0.5 + {x.text}"
        )
        low = -(x.reach + times * max(made.reach, x.reach))
        scope.write(f"    {total} = {inner}")
        require(-low <= scope.draft.limit)
        return scope.rebind(total, Expr("", 7, x.shape, x.dtype, low, -low))
    scope.write(f"{total} = jnp.zeros_like({x.text})")
    scope.write(f"for k in range({times}):")
    if kind == "harmonic":
        wave = rng.pick(("sin", "cos"))
        scope.write(f"    {total} = {total} + jnp.{wave}((k + 1) * {x.text}) / (k + 1)")
        reach = sum(1 / (k + 1) for k in range(times))
    else:
        scope.write(f"    {total} = {total} + {x.text} ** (k + 1) / {math.factorial(times)}.0")
        reach = sum(x.reach ** (k + 1) for k in range(times)) / math.factorial(times)
    require(reach <= scope.draft.limit)
    return scope.rebind(total, Expr("", 7, x.shape, x.dtype, -reach, reach))
