"""Code written in `jax.lax` itself, as libraries write it: static sizes, dtypes said, one operation at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, called, hull, products, squared
from irsmith.frontends.jax.synth.moves import Move, condition
from irsmith.frontends.jax.synth.straight import finish, opened

_UNARY: tuple[tuple[str, float, float, Callable[[float], float] | None, tuple[float, float]], ...] = (
    ("exp", -6, 3, math.exp, (0, 0)),
    ("log", 0.05, 1e4, math.log, (0, 0)),
    ("log1p", -0.8, 1e4, math.log1p, (0, 0)),
    ("tanh", -4, 4, math.tanh, (0, 0)),
    ("logistic", -6, 6, lambda x: 1 / (1 + math.exp(-x)), (0, 0)),
    ("sin", -20, 20, None, (-1, 1)),
    ("cos", -20, 20, None, (-1, 1)),
    ("sqrt", 0.02, 1e4, math.sqrt, (0, 0)),
    ("rsqrt", 0.05, 1e4, lambda x: x**-0.5, (0, 0)),
    ("cbrt", 0.05, 1e4, lambda x: x ** (1 / 3), (0, 0)),
    ("reciprocal", 0.1, 1e4, lambda x: 1 / x, (0, 0)),
    ("erf", -2, 2, math.erf, (0, 0)),
    ("neg", -1e4, 1e4, lambda x: -x, (0, 0)),
    ("asinh", -1e3, 1e3, math.asinh, (0, 0)),
    ("expm1", -6, 3, math.expm1, (0, 0)),
    ("exp2", -6, 4, lambda x: 2.0**x, (0, 0)),
)
"""A function's name, the ends of what it takes, and its values there or their bounds."""


def _unary(scope: Scope, x: Expr) -> Expr | None:
    for _ in range(4):
        label, least, most, at, bounds = scope.rng.pick(_UNARY)
        if least <= x.low and x.high <= most:
            low, high = bounds if at is None else sorted((at(x.low), at(x.high)))
            return called(f"{scope.draft.lax}.{label}({x.text})", x, shape=x.shape, low=low, high=high)
    return None


def _mate(scope: Scope, x: Expr) -> Expr:
    """A value of exactly the same shape, for `jax.lax` broadcasts nothing."""
    found = scope.partner(x, lambda v: v.shape == x.shape)
    return found if found is not None and scope.rng.chance(0.8) else scope.argument(x.shape)


def _binary(scope: Scope, x: Expr) -> Expr | None:
    rng, y = scope.rng, _mate(scope, x)
    kind = rng.pick(("add", "sub", "mul", "max", "min", "mul", "add"))
    text = f"{scope.draft.lax}.{kind}({x.text}, {y.text})"
    if kind in ("max", "min"):
        if min(x.high, y.high) - max(x.low, y.low) < 0.3 * min(x.width, y.width) + 0.05:
            return None
        pick = max if kind == "max" else min
        return called(text, x, y, shape=x.shape, low=pick(x.low, y.low), high=pick(x.high, y.high))
    low, high = {
        "add": (x.low + y.low, x.high + y.high),
        "sub": (x.low - y.high, x.high - y.low),
        "mul": products(x, y),
    }[kind]
    return called(text, x, y, shape=x.shape, low=low, high=high)


def _numbered(scope: Scope, x: Expr) -> Expr | None:
    """With a constant array of the same shape."""
    rng, lax, value = scope.rng, scope.draft.lax, number(scope.rng, 0.1, 3.0)
    full = f"{lax}.full_like({x.text}, {value!r})"
    if rng.chance(0.3):
        full = f"{lax}.full({x.shape}, {value!r}, {x.text}.dtype)"
    kind = rng.pick(("add", "mul", "div", "rem"))
    text = f"{lax}.{kind}({x.text}, {full})"
    constant = scope.number(value)
    if kind == "rem":
        low, high = (0.0 if x.low >= 0 else -value), (0.0 if x.high <= 0 else value)
        return called(text, x, shape=x.shape, low=low, high=high) if x.width > value else None
    if kind == "div":
        return called(text, x, shape=x.shape, low=min(x.low / value, x.low), high=x.high / value)
    low, high = products(x, constant) if kind == "mul" else (x.low + value, x.high + value)
    return called(text, x, shape=x.shape, low=low, high=high)


def _powered(scope: Scope, x: Expr) -> Expr | None:
    kind = scope.rng.pick(("square", "integer_pow", "reciprocal"))
    lax = scope.draft.lax
    if kind == "reciprocal":
        base = add(squared(x), scope.number(scope.rng.pick((1.0, 0.5, 2.0))))
        text = f"{lax}.reciprocal({base.text})"
        return called(text, base, shape=x.shape, low=1 / base.high, high=1 / base.low)
    low = 0.0 if x.low <= 0 <= x.high else min(x.low**2, x.high**2)
    if kind == "square":
        return called(f"{lax}.square({x.text})", x, shape=x.shape, low=low, high=x.reach**2)
    return called(f"{lax}.integer_pow({x.text}, 3)", x, shape=x.shape, low=x.low**3, high=x.high**3)


def _selected(scope: Scope, x: Expr) -> Expr | None:
    """One of two arrays, element by element."""
    rng, lax, test = scope.rng, scope.draft.lax, condition(scope, x)
    if test is None or test.shape != x.shape:
        return None
    a, b = x, _mate(scope, x)
    if rng.chance(0.5):
        low = rng.pick((0.0, 1.0, 0.5))
        b = replace(x, text=f"{lax}.full_like({x.text}, {low!r})", low=low, high=low)
    low, high = hull(a, b)
    text = f"{lax}.select({test.text}, {a.text}, {b.text})"
    return called(text, test, a, b, shape=x.shape, low=low, high=high, dtype=x.dtype)


def _clamped(scope: Scope, x: Expr) -> Expr | None:
    if x.width < 0.5:
        return None
    low, high = round(x.low + 0.2 * x.width, 2), round(x.high - 0.2 * x.width, 2)
    lax = scope.draft.lax
    return called(f"{lax}.clamp({low!r}, {x.text}, {high!r})", x, shape=x.shape, low=low, high=high)


def _kept_apart(scope: Scope, x: Expr) -> Expr | None:
    """A value that the compiler is to compute as it stands."""
    if x.size == 0:
        return None
    return called(f"{scope.draft.lax}.optimization_barrier({x.text})", x, shape=x.shape, low=x.low, high=x.high)


def _by_platform(scope: Scope, x: Expr) -> Expr | None:
    """One spelling of a function on a CPU, another elsewhere."""
    if x.reach > 4 or x.size:
        return None
    one, two, low, high = scope.rng.pick(
        (
            ("v * v", "lax.square(v)", 0.0, x.reach**2),
            ("jnp.tanh(v)", "v / (1.0 + jnp.abs(v))", -1.0, 1.0),
            ("1.0 / (1.0 + jnp.exp(-v))", "lax.logistic(v)", 0.0, 1.0),
            ("jnp.log(1.0 + jnp.exp(v))", "jnp.logaddexp(v, 0.0)", 0.0, x.reach + 1),
        )
    )
    lax = scope.draft.lax
    two = two.replace("lax.", f"{lax}.")
    text = f"{lax}.platform_dependent({x.text}, cpu=lambda v: {one}, default=lambda v: {two})"
    return called(text, x, shape=x.shape, low=low, high=high)


def _axis(scope: Scope, x: Expr) -> tuple[int, int]:
    axis = scope.rng.below(x.rank)
    return axis, x.shape[axis]


def _sized(x: Expr, axis: int, *size: int) -> Shape:
    return (*x.shape[:axis], *size, *x.shape[axis + 1 :])


def _same(x: Expr, text: str, shape: Shape) -> Expr:
    return called(text, x, shape=shape, low=x.low, high=x.high)


def _sliced(scope: Scope, x: Expr) -> Expr | None:
    """Part of an axis, from a fixed place or one that is an argument."""
    rng, lax = scope.rng, scope.draft.lax
    axis, size = _axis(scope, x)
    if size < 3:
        return None
    kind = rng.pick(("slice_in_dim", "index_in_dim", "dynamic_slice_in_dim", "dynamic_index_in_dim"))
    length = rng.between(1, size - 1)
    if kind == "slice_in_dim":
        start = rng.below(size - length + 1)
        text = f"{lax}.slice_in_dim({x.text}, {start}, {start + length}, axis={axis})"
        return _same(x, text, _sized(x, axis, length))
    if kind == "index_in_dim":
        text = f"{lax}.index_in_dim({x.text}, {rng.below(size)}, {axis}, keepdims=False)"
        return _same(x, text, _sized(x, axis))
    places = size - length if kind == "dynamic_slice_in_dim" else size - 1
    at = scope.argument((), ("start", "offset", "i", "pos", "step"), bounds=(0, places), dtype="int32")
    if kind == "dynamic_slice_in_dim":
        text = f"{lax}.dynamic_slice_in_dim({x.text}, {at.text}, {length}, axis={axis})"
        return called(text, x, at, shape=_sized(x, axis, length), low=x.low, high=x.high)
    text = f"{lax}.dynamic_index_in_dim({x.text}, {at.text}, {axis}, keepdims=False)"
    return called(text, x, at, shape=_sized(x, axis), low=x.low, high=x.high)


def _put(scope: Scope, x: Expr) -> Expr | None:
    """Part of an array replaced at a place that is an argument."""
    rng, lax = scope.rng, scope.draft.lax
    axis, size = _axis(scope, x)
    if size < 2:
        return None
    whole = rng.chance(0.5)
    length = 1 if whole else rng.between(1, size - 1)
    at = scope.argument((), ("start", "slot", "i", "pos", "head"), bounds=(0, size - length), dtype="int32")
    shape = _sized(x, axis) if whole else _sized(x, axis, length)
    y = scope.argument(shape, ("update", "patch", "row", "entry", "fresh"), bounds=(-1, 1))
    kind = "index" if whole else "slice"
    text = f"{lax}.dynamic_update_{kind}_in_dim({x.text}, {y.text}, {at.text}, {axis})"
    return called(text, x, y, at, shape=x.shape, low=min(x.low, y.low), high=max(x.high, y.high))


def _reshaped(scope: Scope, x: Expr) -> Expr | None:
    """Axes put in, put together, turned round or repeated."""
    rng, lax = scope.rng, scope.draft.lax
    kind = rng.pick(
        ("expand_dims", "collapse", "broadcast", "rev", "transpose", "tile", "broadcast_to_rank", "reshape")
    )
    if kind == "expand_dims" and x.rank < 4:
        axis = rng.below(x.rank + 1)
        text = f"{lax}.expand_dims({x.text}, ({axis},))"
        return _same(x, text, (*x.shape[:axis], 1, *x.shape[axis:]))
    if kind == "collapse" and x.rank > 1:
        return _same(x, f"{lax}.collapse({x.text}, 0, 2)", (x.shape[0] * x.shape[1], *x.shape[2:]))
    if kind == "broadcast" and x.rank < 3:
        count = rng.pick((2, 3, 4))
        return _same(x, f"{lax}.broadcast({x.text}, ({count},))", (count, *x.shape))
    if kind == "broadcast_to_rank" and x.rank < 3:
        return _same(x, f"{lax}.broadcast_to_rank({x.text}, {x.rank + 1})", (1, *x.shape))
    if kind == "rev":
        return _same(x, f"{lax}.rev({x.text}, ({rng.below(x.rank)},))", x.shape)
    if kind == "tile" and x.elements <= 128:
        axis, size = _axis(scope, x)
        counts = [2 if place == axis else 1 for place in range(x.rank)]
        text = f"{lax}.tile({x.text}, ({', '.join(map(str, counts))}{',' * (x.rank == 1)}))"
        return _same(x, text, _sized(x, axis, 2 * size))
    if kind == "transpose" and x.rank > 1:
        order = tuple(rng.shuffled(range(x.rank)))
        return _same(x, f"{lax}.transpose({x.text}, {order})", tuple(x.shape[place] for place in order))
    if kind == "reshape" and x.rank > 1:
        return _same(x, f"{lax}.reshape({x.text}, ({x.elements},))", (x.elements,))
    return None


def _folded(scope: Scope, x: Expr) -> Expr | None:
    """Many elements to one along an axis."""
    rng, lax = scope.rng, scope.draft.lax
    axis, size = _axis(scope, x)
    kind = rng.pick(("add", "max", "min", "mul", "sum", "max", "prod"))
    call = rng.chance(0.5) and kind not in ("sum", "prod")
    if size < 2 or (kind in ("mul", "prod") and (x.reach > 2 or size > 6)) or x.tied:
        return None
    low, high = x.low, x.high
    if kind in ("add", "sum"):
        low, high = x.low * size, x.high * size
    elif kind in ("mul", "prod"):
        high = max(x.reach, 1.0) ** size
        low = -high
    if call:
        first = {"add": "0.0", "mul": "1.0", "max": "-jnp.inf", "min": "jnp.inf"}[kind]
        text = f"{lax}.reduce({x.text}, {first}, {lax}.{kind}, ({axis},))"
    else:
        name = {"add": "sum", "mul": "prod"}.get(kind, kind)
        text = f"{lax}.reduce_{name}({x.text}, axes=({axis},))"
    return called(text, x, shape=_sized(x, axis), low=low, high=high)


def _multiplied(scope: Scope, x: Expr) -> Expr | None:
    """A product of vectors, matrices or stacks of them."""
    rng, lax, inner = scope.rng, scope.draft.lax, x.shape[-1]
    width = rng.pick((2, 3, 4, 6, 8))
    if x.rank == 3:
        y = scope.argument((x.shape[0], inner, width), ("rhs", "w", "weights"), bounds=(-1, 1))
        low, high = (bound * inner for bound in products(x, y))
        text = f"{lax}.batch_matmul({x.text}, {y.text})"
        return called(text, x, y, shape=(*x.shape[:2], width), low=low, high=high)
    if x.rank > 3:
        return None
    y = scope.argument((inner, width), ("rhs", "w", "proj", "kernel"), bounds=(-1, 1))
    low, high = (bound * inner for bound in products(x, y))
    text = f"{lax}.dot({x.text}, {y.text})"
    if rng.chance(0.4):
        text = f"{lax}.dot_general({x.text}, {y.text}, ((({x.rank - 1},), (0,)), ((), ())))"
    return called(text, x, y, shape=(*x.shape[:-1], width), low=low, high=high)


def _positioned(scope: Scope, x: Expr) -> Expr | None:
    """With the position along an axis."""
    rng, lax = scope.rng, scope.draft.lax
    axis, size = _axis(scope, x)
    step = rng.pick((0.1, 0.25, 0.5))
    index = f"{lax}.broadcasted_iota({x.text}.dtype, {x.shape}, {axis})"
    kind = rng.pick(("mul", "add"))
    place = scope.assign(called(index, x, shape=x.shape, low=0, high=size - 1), rng.pick(("idx", "positions", "iota")))
    if kind == "mul":
        text = f"{lax}.mul({x.text}, {lax}.exp({-step!r} * {place.text}))"
        return called(text, x, place, shape=x.shape, low=min(x.low, 0.0), high=max(x.high, 0.0))
    text = f"{lax}.add({x.text}, {step!r} * {place.text})"
    return called(text, x, place, shape=x.shape, low=x.low, high=x.high + step * size)


def _taken(scope: Scope, x: Expr) -> Expr | None:
    """Slices at places that are an argument."""
    size, count = x.shape[0], scope.rng.pick((2, 3, 4, 6))
    if size < 2:
        return None
    at = scope.argument((count,), ("idx", "rows", "order", "slots"), bounds=(0, size - 1), dtype="int32")
    text = f"{scope.draft.lax}.index_take({x.text}, ({at.text},), (0,))"
    return called(text, x, at, shape=(count, *x.shape[1:]), low=x.low, high=x.high)


def _spread(scope: Scope, x: Expr) -> Expr | None:
    """A row, in the shape of a larger array that it goes with."""
    mates = [
        v for v in scope.visible() if v.real and v.dtype == x.dtype and v.rank > x.rank and v.shape[-1:] == x.shape
    ]
    if not mates:
        return None
    y, lax = scope.rng.pick(mates), scope.draft.lax
    text = f"{lax}.mul({lax}.broadcast_like({x.text}, {y.text}), {y.text})"
    low, high = products(x, y)
    return called(text, x, y, shape=y.shape, low=low, high=high)


_KEEPING: tuple[tuple[Move, float], ...] = (
    (_unary, 3.0),
    (_binary, 3.0),
    (_numbered, 1.5),
    (_powered, 1.0),
    (_selected, 1.5),
    (_clamped, 0.6),
    (_kept_apart, 0.4),
    (_by_platform, 0.5),
)
_CHANGING: tuple[tuple[Move, float], ...] = (
    (_sliced, 2.0),
    (_put, 1.3),
    (_reshaped, 2.5),
    (_folded, 1.5),
    (_multiplied, 1.2),
    (_positioned, 0.7),
    (_taken, 0.5),
    (_spread, 0.8),
)


def primitive(scope: Scope) -> None:
    """Operations of `jax.lax`, one a statement."""
    rng = scope.rng
    opened(scope, (1, 2, 2, 3))
    keeping, changing = (tuple(zip(*table, strict=True)) for table in (_KEEPING, _CHANGING))
    for _ in range(3 * scope.budget):
        if scope.budget <= 3:
            break
        x = rng.pick([v for v in scope.unread() if v.real])
        moves, weights = changing if x.rank and rng.chance(0.45) else keeping
        made = rng.weighted(moves, weights)(scope, x)
        if made is not None and made.reach <= scope.draft.limit and made.elements <= 512 and made.rank <= 4:
            scope.assign(made)
    finish(scope, _KEEPING)
