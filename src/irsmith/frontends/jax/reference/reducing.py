"""Many elements to one, running results, sorting, and products of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from irsmith.frontends.jax.reference.array import (
    FLOATS,
    Array,
    absolute,
    added,
    array,
    cast,
    default_whole,
    floated,
    made,
    named_dtype,
    promoted,
    stored,
    summed_products,
    unary,
)
from irsmith.frontends.jax.reference.machine import Current
from irsmith.verify.ports import Array as Values


def _axes(axis: Any, axes: Any) -> Any:
    chosen = axes if axis is None else axis
    return tuple(chosen) if isinstance(chosen, list) else chosen


def _terms(x: Array) -> Values:
    """The terms of a sum, rounded, so that each rounds on its own."""
    return Current.lane.rounded(x.value, x.dtype_name) if x.dtype_name in FLOATS else x.value


def _summable(x: Any, dtype: Any = None) -> Array:
    x = array(x)
    if dtype is not None:
        return cast(x, named_dtype(dtype))
    return Array(x.value, default_whole()) if x.dtype_name == "bool" else x


def sum(
    x: Any, axis: Any = None, keepdims: bool = False, *, dtype: Any = None, where: Any = None, axes: Any = None
) -> Array:
    """The sum."""
    x = _summable(x, dtype)
    terms = _terms(x)
    if where is not None:
        terms = np.where(array(where).value, terms, 0)
    return _sum(terms, x.dtype_name, _axes(axis, axes), keepdims=keepdims)


def _sum(terms: Values, dtype: str, axis: Any, *, keepdims: bool, over: float = 1.0) -> Array:
    """A sum, with what its partial sums are rounded by, over a number."""
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    if dtype not in FLOATS or Current.lane.rounding is None:
        return made(total / over if over != 1.0 else total, dtype)
    size = np.sum(np.abs(terms), axis=axis, keepdims=keepdims)
    return made((total + added(size, _steps(terms, axis, size), dtype)) / over, dtype)


def _steps(terms: Values, axis: Any, size: Values) -> Any:
    """How many rounding errors of a sum's partial sums add up: those of equal terms are equal themselves."""
    count = int(terms.size // size.size) if size.size else 1
    if Current.lane.epsilon is not None or count < 2:
        return count**0.5
    axes = range(terms.ndim) if axis is None else [a % terms.ndim for a in np.atleast_1d(axis)]
    rest = [a for a in range(terms.ndim) if a not in axes]
    rows = np.sort(np.transpose(terms, [*rest, *axes]).reshape(-1, count), axis=-1)
    distinct = 1 + np.count_nonzero(np.diff(rows, axis=-1), axis=-1)
    return (count / np.sqrt(distinct)).reshape(size.shape)


def mean(x: Any, axis: Any = None, keepdims: bool = False, *, where: Any = None, **_: Any) -> Array:
    """The mean."""
    x = floated(x)
    if where is not None:
        mask = np.broadcast_to(array(where).value, x.shape)
        total = np.sum(np.where(mask, _terms(x), 0), axis=axis, keepdims=keepdims)
        return made(total / np.sum(mask, axis=axis, keepdims=keepdims), x.dtype_name)
    count = x.size if axis is None else int(np.prod([x.shape[a] for a in np.atleast_1d(axis)]))
    return _sum(_terms(x), x.dtype_name, axis, keepdims=keepdims, over=float(count))


average = mean


def prod(x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
    """The product."""
    x = _summable(x)
    return made(np.prod(_terms(x), axis=_axes(axis, None), keepdims=keepdims), x.dtype_name)


def var(x: Any, axis: Any = None, keepdims: bool = False, *, ddof: int = 0, **_: Any) -> Array:
    """The variance."""
    x = floated(x)
    centred = x - mean(x, axis, keepdims=True)
    count = x.size if axis is None else int(np.prod([x.shape[a] for a in np.atleast_1d(axis)]))
    return _sum(_terms(centred * centred), x.dtype_name, axis, keepdims=keepdims, over=float(count - ddof))


def std(x: Any, axis: Any = None, keepdims: bool = False, *, ddof: int = 0, **_: Any) -> Array:
    """The standard deviation."""
    found = var(x, axis, keepdims, ddof=ddof)
    Current.lane.tie(found.value == 0)
    return unary(np.sqrt, found)


def _extreme(name: str) -> Any:
    function, place = (np.max, np.argmax) if name == "max" else (np.min, np.argmin)

    def reduce(
        x: Any, axis: Any = None, keepdims: bool = False, *, initial: Any = None, where: Any = None, axes: Any = None
    ) -> Array:
        x = array(x)
        axis = _axes(axis, axes)
        values = x.value
        if where is not None:
            values = np.where(array(where).value, values, -np.inf if name == "max" else np.inf)
        if Current.lane.traced and x.dtype_name in FLOATS:
            _note(values, axis, function, place)
        options: dict[str, Any] = {} if initial is None else {"initial": array(initial).value}
        return x.moved(function(values, axis=axis, keepdims=keepdims, **options))

    return reduce


def _note(values: Values, axis: Any, function: Any, place: Any) -> None:
    if isinstance(axis, tuple):
        rest = [a for a in range(values.ndim) if a not in {b % values.ndim for b in axis}]
        values = np.transpose(values, [*rest, *(b % values.ndim for b in axis)])
        values = values.reshape(*values.shape[: len(rest)], -1)
        axis = -1
    Current.lane.decide(place(values, axis=axis))
    best = function(values, axis=axis, keepdims=True)
    Current.lane.tie(np.sum(values == best, axis=axis) > 1)


max, min = _extreme("max"), _extreme("min")


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """The largest less the smallest."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False, *, axes: Any = None) -> Array:
    """Whether all are true."""
    return Array(np.all(array(x).value, axis=_axes(axis, axes), keepdims=keepdims), "bool")


def any(x: Any, axis: Any = None, keepdims: bool = False, *, axes: Any = None) -> Array:
    """Whether some is true."""
    return Array(np.any(array(x).value, axis=_axes(axis, axes), keepdims=keepdims), "bool")


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """How many are true."""
    return Array(np.count_nonzero(array(x).value, axis=axis, keepdims=keepdims), default_whole())


def _place(function: Any) -> Any:
    def place(x: Any, axis: Any = None, index_dtype: Any = None, *, keepdims: bool = False) -> Array:
        x = array(x)
        found = function(x.value, axis=axis, keepdims=keepdims)
        Current.lane.decide(found)
        return Array(found, named_dtype(index_dtype) if index_dtype is not None else default_whole())

    return place


argmax, argmin = _place(np.argmax), _place(np.argmin)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
    """The logarithm of a sum of exponentials."""
    x = floated(x)
    values = Current.lane.rounded(x.value, x.dtype_name)
    top = np.max(values, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(values - top), axis=axis, keepdims=True)) + top
    if not keepdims:
        total = np.squeeze(total, axis=axis) if axis is not None else total.reshape(())
    return made(total, x.dtype_name)


def softmax(x: Any, axis: Any = -1, **_: Any) -> Array:
    """Exponentials over their sum."""
    x = floated(x)
    exps = np.exp(Current.lane.rounded(x.value, x.dtype_name) - np.max(x.value, axis=axis, keepdims=True))
    return made(exps / np.sum(exps, axis=axis, keepdims=True), x.dtype_name)


def log_softmax(x: Any, axis: Any = -1, **_: Any) -> Array:
    """The logarithm of a softmax."""
    x = floated(x)
    return x - logsumexp(x, axis, keepdims=True)


def standardize(x: Any, axis: Any = -1, mean: Any = None, variance: Any = None, epsilon: Any = 1e-5, **_: Any) -> Array:
    """Less the mean, over the root of the variance."""
    x = floated(x)
    own = globals()["mean"](x, axis, keepdims=True) if mean is None else array(mean)
    # As JAX documents it: the mean of the squares less the square of the mean, where digits go.
    squares = globals()["mean"](x * x, axis, keepdims=True)
    spread = squares - own * own if variance is None else array(variance)
    if variance is None:
        # Which of the two is larger decides nothing: where it is none, so is its derivative.
        spread = spread.moved(np.maximum(spread.value, 0))
    return (x - own) * unary(lambda v: 1 / np.sqrt(v), spread + epsilon)


def _running(function: Any, *, extreme: bool = False) -> Any:
    def run(x: Any, axis: int | None = None, reverse: bool = False, **_: Any) -> Array:
        x = _summable(x)
        values = x.value if extreme else _terms(x)
        if axis is None:
            values, axis = values.reshape(-1), 0
        if reverse:
            values = np.flip(values, axis)
        result = function(values, axis)
        if extreme and Current.lane.traced:
            Current.lane.decide(result == values)
            step = np.diff(result, axis=axis) == 0
            Current.lane.tie(step & (np.diff(values, axis=axis) == 0))
        result = np.flip(result, axis) if reverse else result
        return x.moved(result) if extreme else made(result, x.dtype_name)

    return run


cumsum, cumprod = _running(np.cumsum), _running(np.cumprod)
cummax = _running(np.maximum.accumulate, extreme=True)
cummin = _running(np.minimum.accumulate, extreme=True)
cumlogsumexp = _running(np.logaddexp.accumulate)


def diff(x: Any, n: int = 1, axis: int = -1, **_: Any) -> Array:
    """Differences of neighbours."""
    x = array(x)
    return made(np.diff(x.value, n, axis), x.dtype_name)


def sort(x: Any, axis: int = -1, *, dimension: int | None = None, descending: bool = False, **_: Any) -> Any:
    """In rising order."""
    if isinstance(x, tuple | list):
        order = np.argsort(array(x[0]).value, axis=axis if dimension is None else dimension, kind="stable")
        return tuple(array(p).moved(np.take_along_axis(array(p).value, order, -1 if dimension is None else dimension))
                     for p in x)  # fmt: skip
    x = array(x)
    axis = axis if dimension is None else dimension
    order = np.argsort(x.value, axis=axis, kind="stable")
    Current.lane.decide(order)
    result = np.take_along_axis(x.value, order, axis)
    Current.lane.tie(np.diff(result, axis=axis) == 0)
    return x.moved(np.flip(result, axis) if descending else result)


def argsort(x: Any, axis: int = -1, **_: Any) -> Array:
    """The order that sorts."""
    order = np.argsort(array(x).value, axis=axis, kind="stable")
    Current.lane.decide(order)
    return Array(order, default_whole())


def sort_key_val(keys: Any, values: Any, dimension: int = -1, **_: Any) -> tuple[Array, Array]:
    """`lax.sort_key_val`: keys in rising order, and values in the order of their keys."""
    keys, values = array(keys), array(values)
    order = np.argsort(keys.value, axis=dimension, kind="stable")
    Current.lane.decide(order)
    found = np.take_along_axis(keys.value, order, dimension)
    Current.lane.tie(np.diff(found, axis=dimension) == 0)
    return keys.moved(found), values.moved(np.take_along_axis(values.value, order, dimension))


def top_k(x: Any, k: int, **_: Any) -> tuple[Array, Array]:
    """`lax.top_k`: the largest along the last axis, and where they are."""
    x = array(x)
    order = np.argsort(-x.value, axis=-1, kind="stable")[..., :k]
    Current.lane.decide(order)
    return x.moved(np.take_along_axis(x.value, order, -1)), Array(order, "int32")


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """The middle of the sorted values."""
    x = floated(x)
    Current.lane.decide(np.argsort(x.value, axis=axis, kind="stable"))
    return made(np.median(x.value, axis=axis, keepdims=keepdims), x.dtype_name)


def searchsorted(a: Any, v: Any, side: str = "left", **_: Any) -> Array:
    """Where values would stand in a sorted line."""
    found = np.searchsorted(array(a).value, array(v).value, side=side)  # type: ignore[call-overload]
    Current.lane.decide(found)
    return Array(found, default_whole())


def digitize(x: Any, bins: Any, right: bool = False) -> Array:
    """In which bin values fall."""
    return searchsorted(bins, x, side="left" if right else "right")


def interp(x: Any, xp: Any, fp: Any, **_: Any) -> Array:
    """Linear interpolation between points."""
    x, xp, fp = floated(x), floated(xp), floated(fp)
    Current.lane.decide(np.searchsorted(xp.value, x.value, side="right"))
    value = np.interp(x.value, Current.lane.rounded(xp.value, xp.dtype_name), fp.value)
    return made(value, promoted(x, xp, fp)[0])


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    """The Euclidean norm, or another."""
    x = floated(x)
    if ord in (None, 2, "fro"):
        found = unary(np.sqrt, sum(x * x, axis, keepdims))
        Current.lane.tie(found.value == 0)
        return found
    if ord == 1:
        return sum(absolute(x), axis, keepdims)
    return max(absolute(x), axis, keepdims)


def dot(a: Any, b: Any, **_: Any) -> Array:
    """`jnp.dot`."""
    a, b = array(a), array(b)
    return summed_products(np.dot, a, b, promoted(a, b)[0])


def vdot(a: Any, b: Any, **_: Any) -> Array:
    """The sum of products of all elements."""
    a, b = array(a), array(b)
    return summed_products(np.vdot, a, b, promoted(a, b)[0])


def inner(a: Any, b: Any, **_: Any) -> Array:
    """The sum of products along the last axes."""
    a, b = array(a), array(b)
    return summed_products(np.inner, a, b, promoted(a, b)[0])


def outer(a: Any, b: Any, **_: Any) -> Array:
    """All products of two vectors' elements."""
    a, b = array(a), array(b)
    return made(np.outer(a.value, b.value), promoted(a, b)[0])


def cross(a: Any, b: Any, **_: Any) -> Array:
    """The cross product."""
    a, b = array(a), array(b)
    return summed_products(np.cross, a, b, promoted(a, b)[0])


def kron(a: Any, b: Any) -> Array:
    """The Kronecker product."""
    a, b = array(a), array(b)
    return made(np.kron(a.value, b.value), promoted(a, b)[0])


def tensordot(a: Any, b: Any, axes: Any = 2, **_: Any) -> Array:
    """Products summed over axes."""
    a, b = array(a), array(b)
    return summed_products(lambda p, q: np.tensordot(p, q, axes), a, b, promoted(a, b)[0])


def einsum(subscripts: str, *operands: Any, **_: Any) -> Array:
    """Products summed as the subscripts say."""
    parts = [array(part) for part in operands]
    dtype, _weak = promoted(*parts)
    values = [_terms(cast(part, dtype)) for part in parts]
    return made(np.einsum(subscripts, *values), dtype)


def dot_general(a: Any, b: Any, dimension_numbers: Any, **_: Any) -> Array:
    """`lax.dot_general`."""
    a, b = array(a), array(b)
    ((left, right), (left_batch, right_batch)) = dimension_numbers
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    one = [next(letters) for _ in a.shape]
    two = [next(letters) for _ in b.shape]
    for p, q in (*zip(left, right, strict=True), *zip(left_batch, right_batch, strict=True)):
        two[q] = one[p]
    batch = [one[p] for p in left_batch]
    rest = [one[p] for p in range(a.ndim) if p not in (*left, *left_batch)]
    rest += [two[q] for q in range(b.ndim) if q not in (*right, *right_batch)]
    return einsum(f"{''.join(one)},{''.join(two)}->{''.join(batch + rest)}", a, b)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **_: Any) -> Array:
    """The sum of the diagonal."""
    x = array(x)
    return made(np.trace(_terms(x), offset, axis1, axis2), x.dtype_name)


def convolve(a: Any, v: Any, mode: str = "full", **_: Any) -> Array:
    """The convolution of two lines."""
    a, v = floated(a), floated(v)
    return summed_products(lambda p, q: np.convolve(p, q, mode), a, v, promoted(a, v)[0])  # type: ignore[call-overload]


def polyval(p: Any, x: Any, **_: Any) -> Array:
    """A polynomial by Horner's rule."""
    p, x = array(p), array(x)
    result: Any = x * 0
    for coefficient in p:
        result = result * x + coefficient
    return result


def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Array:
    """How often each number occurs, or what it weighs."""
    size = minlength if length is None else length
    places = np.clip(array(x).value.astype(int), 0, None)
    kept = places < size
    if weights is None:
        return Array(np.bincount(places[kept], minlength=size), default_whole())
    heavy = floated(weights)
    return made(np.bincount(places[kept], _terms(heavy)[kept], size), heavy.dtype_name)


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, **_: Any) -> Array:
    """`jax.ops.segment_sum`."""
    data, ids = array(data), array(segment_ids).value.astype(int)
    result = np.zeros((num_segments or int(ids.max()) + 1, *data.shape[1:]), stored(data.dtype_name))
    np.add.at(result, ids, _terms(data))
    return made(result, data.dtype_name)


def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """The mean of what is a number; on the domains of rows everything is."""
    return mean(x, axis, keepdims)
