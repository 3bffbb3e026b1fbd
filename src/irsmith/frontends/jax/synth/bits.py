"""Whole numbers and their bits: masks, fields, hashes and counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import ATOM, COMPARISON, PRODUCT, UNARY, Expr, called
from irsmith.frontends.jax.synth.straight import shape

_LOW, _HIGH = -(2.0**31), 2.0**31 - 1
_NAMES = ("keys", "codes", "ids", "flags", "words", "seeds", "state", "bits", "tags", "packed")
_WISHES = ("h", "mixed", "bits", "word", "code", "hashed", "field", "lanes", "z", "v", "out")
_PRIMES = (73856093, 19349663, 83492791, 2654435, 1000003, 16777619)
_MASKS = (1, 3, 7, 15, 31, 63, 255, 1023, 4095, 65535)

Step = Callable[[Scope, Expr], Expr | None]


def _joined(x: Expr, sign: str, y: Expr) -> Expr:
    """An operation on bits, with parentheses around what is mixed, as people put them whether needed or not."""
    made = called(f"{x.at(UNARY)} {sign} {y.at(UNARY)}", x, y, shape=x.shape, low=_LOW, high=_HIGH)
    return replace(made, binding=COMPARISON)


def _number(value: int, x: Expr) -> Expr:
    return Expr(str(value), ATOM, (), x.dtype, value, value)


def _partner(scope: Scope, x: Expr) -> Expr:
    fits = [v for v in scope.visible() if v.dtype == x.dtype and v.shape == x.shape and v.text not in x.names]
    fresh = [v for v in fits if v.text in scope.fresh]
    if fits and scope.rng.chance(0.8):
        return scope.rng.pick(fresh or fits)
    return _argument(scope, x.shape, x.dtype)


def _argument(scope: Scope, whole: tuple[int, ...], dtype: str) -> Expr:
    low, high = scope.rng.pick(((0, 255), (0, 65535), (0, 1_000_000), (-1000, 1000)))
    return scope.argument(whole, _NAMES, bounds=(max(low, 0) if dtype == "uint32" else low, high), dtype=dtype)


def _mixed(scope: Scope, x: Expr) -> Expr:
    """A step of a hash: a value and itself, shifted."""
    sign, by = scope.rng.pick((">>", "<<", ">>")), scope.rng.pick((1, 3, 5, 7, 11, 13, 15, 16, 17))
    return _joined(x, scope.rng.pick(("^", "^", "|", "+")), _joined(x, sign, _number(by, x)))


def _multiplied(scope: Scope, x: Expr) -> Expr:
    number = scope.rng.pick(_PRIMES)
    text = f"{x.at(PRODUCT)} * {number}"
    if x.dtype == "uint32" and scope.rng.chance(0.5):
        text = f"{x.at(PRODUCT)} * jnp.uint32({scope.rng.pick(('0x9E3779B1', '0x85EBCA6B', '0xC2B2AE35'))})"
    return replace(called(text, x, shape=x.shape, low=_LOW, high=_HIGH), binding=PRODUCT)


def _with_another(scope: Scope, x: Expr) -> Expr:
    sign = scope.rng.pick(("^", "&", "|", "^"))
    y = _partner(scope, x)
    if scope.rng.chance(0.2):
        y = replace(called(f"~{y.at(ATOM)}", y, shape=y.shape, low=_LOW, high=_HIGH), binding=UNARY)
    return _joined(x, sign, y)


def _masked(scope: Scope, x: Expr) -> Expr:
    """A field of bits."""
    by, mask = scope.rng.pick((0, 0, 1, 2, 4, 8)), _number(scope.rng.pick(_MASKS), x)
    return _joined(_joined(x, ">>", _number(by, x)) if by else x, "&", mask)


def _rest(scope: Scope, x: Expr) -> Expr:
    by = scope.rng.pick((3, 5, 7, 10, 16, 31, 64, 97))
    if scope.rng.chance(0.35):
        text = f"{scope.draft.lax}.rem({x.text}, {scope.draft.lax}.full_like({x.text}, {by}))"
        return called(text, x, shape=x.shape, low=-by, high=by)
    return replace(called(f"{x.at(ATOM)} % {by}", x, shape=x.shape, low=0, high=by), binding=PRODUCT)


def _counted(scope: Scope, x: Expr) -> Expr:
    name = scope.rng.pick(("population_count", "population_count", "clz"))
    return called(f"{scope.draft.lax}.{name}({x.text})", x, shape=x.shape, low=0, high=32)


def _shifted(scope: Scope, x: Expr) -> Expr:
    name = scope.rng.pick(("shift_left", "shift_right_arithmetic", "shift_right_logical", "shift_right_logical"))
    lax = scope.draft.lax
    text = f"{lax}.{name}({x.text}, {lax}.full_like({x.text}, {scope.rng.pick((1, 2, 3, 4, 8, 12))}))"
    return called(text, x, shape=x.shape, low=_LOW, high=_HIGH)


def _rotated(scope: Scope, x: Expr) -> Expr:
    by, lax = scope.rng.pick((5, 7, 11, 13, 16)), scope.draft.lax
    right = f"{lax}.shift_right_logical({x.text}, {lax}.full_like({x.text}, {32 - by}))"
    made = called(f"({x.text} << {by}) | {right}", x, shape=x.shape, low=_LOW, high=_HIGH)
    return replace(made, binding=COMPARISON)


def _chosen(scope: Scope, x: Expr) -> Expr:
    """One of two, by a bit."""
    mask = scope.rng.pick((1, 2, 4, 8))
    y = _with_another(scope, x) if scope.rng.chance(0.5) else _mixed(scope, x)
    text = f"jnp.where(({x.text} & {mask}) {scope.rng.pick(('!=', '=='))} 0, {x.text}, {y.text})"
    return called(text, x, y, shape=x.shape, low=_LOW, high=_HIGH)


def _folded(scope: Scope, x: Expr) -> Expr | None:
    """Bits of many elements in one."""
    if x.rank == 0 or x.shape[0] < 2:
        return None
    axis = scope.rng.below(x.rank)
    rest = (*x.shape[:axis], *x.shape[axis + 1 :])
    kind, lax = scope.rng.pick(("xor", "or", "and", "sum", "call")), scope.draft.lax
    if kind == "sum":
        text = f"jnp.sum({x.text}, axis={axis}, dtype=jnp.{x.dtype})"
    elif kind == "call":
        text = f"{lax}.reduce({x.text}, jnp.{x.dtype}(0), {lax}.bitwise_xor, ({axis},))"
    else:
        text = f"{lax}.reduce_{kind}({x.text}, ({axis},))"
    return called(text, x, shape=rest, low=_LOW, high=_HIGH)


_STEPS: tuple[tuple[Step, float], ...] = (
    (_mixed, 2.0),
    (_multiplied, 1.2),
    (_with_another, 2.0),
    (_masked, 1.5),
    (_rest, 1.0),
    (_counted, 0.8),
    (_shifted, 0.8),
    (_rotated, 0.6),
    (_chosen, 0.8),
)


def bitwise(scope: Scope) -> None:
    """Masks, fields, hashes and counts of bits."""
    rng = scope.rng
    whole, dtype = shape(scope, rng.pick((1, 1, 2))), rng.pick(("int32", "int32", "uint32"))
    for _ in range(rng.pick((1, 2, 2))):
        _argument(scope, whole, dtype)
    moves, weights = zip(*_STEPS, strict=True)
    for place in range(max(scope.budget - 2, 2)):
        x = rng.pick(scope.unread())
        step: Step = _folded if place and rng.chance(0.1) else rng.weighted(moves, weights)
        made = step(scope, x)
        if made is not None and made.shape == x.shape and rng.chance(0.35):
            made = rng.weighted(moves, weights)(scope, made) or made
        if made is not None and len(made.text) <= 90:
            scope.assign(made, rng.pick(_WISHES))
        if scope.budget <= 2:
            break
    _returned(scope)


def _returned(scope: Scope) -> None:
    """Return what is left, brought together; sometimes as floats between zero and one."""
    rng, draft = scope.rng, scope.draft
    given = {item.name for item in draft.given}
    while len(scope.unread()) > 1 or scope.unread()[0].text in given:
        x, *others = sorted(scope.unread(), key=lambda v: -v.rank)
        made = _mixed(scope, x) if not others else _joined(x, rng.pick(("^", "+")), others[0])
        require(not others or others[0].shape == x.shape[x.rank - others[0].rank :], "shapes differ")
        scope.assign(made, rng.pick(_WISHES))
    result = scope.unread()[0]
    if rng.chance(0.3):
        low = _joined(result, "&", _number(65535, result))
        text = f"({low.text}).astype(jnp.float32) / 65536.0"
        result = replace(called(text, result, shape=result.shape, low=0, high=1, dtype="float32"), binding=PRODUCT)
    scope.use(result)
    draft.results = [result]
    scope.write(f"return {result.text}")
