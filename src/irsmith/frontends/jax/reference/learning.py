"""Convolutions, windows, encodings and JAX's random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from irsmith.frontends.jax.reference.array import (
    Array,
    array,
    default_float,
    floated,
    made,
    named_dtype,
    promoted,
    summed_products,
)
from irsmith.frontends.jax.reference.machine import Current
from irsmith.verify.ports import Array as Values


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Array:
    """A one at each label's place."""
    hot = np.arange(num_classes) == np.expand_dims(array(x).value, -1)
    return Array(np.moveaxis(hot, -1, axis), named_dtype(dtype) if dtype is not None else default_float())


def glu(x: Any, axis: int = -1) -> Array:
    """One half times the logistic function of the other."""
    from irsmith.frontends.jax.reference.elementwise import sigmoid

    x = floated(x)
    one, two = (x.moved(part) for part in np.split(x.value, 2, axis))
    return one * sigmoid(two)


def _padded(x: Values, padding: Any, window: tuple[int, ...], strides: Any, fill: float) -> Values:
    if isinstance(padding, str):
        widths = []
        for size, length, stride in zip(x.shape, window, strides, strict=True):
            need = max((-(-size // stride) - 1) * stride + length - size, 0) if padding == "SAME" else 0
            widths.append((need // 2, need - need // 2))
    else:
        widths = [tuple(pair) for pair in padding]
    return np.pad(x, widths, constant_values=fill)


def _windows(x: Values, window: tuple[int, ...], strides: Any) -> Values:
    view = np.lib.stride_tricks.sliding_window_view(x, window)
    return np.asarray(view[tuple(slice(None, None, stride) for stride in strides)])


def reduce_window(operand: Any, init_value: Any, computation: Any, window_dimensions: Any, window_strides: Any = None,
                  padding: Any = "VALID", **_: Any) -> Array:  # fmt: skip
    """`lax.reduce_window` with a sum, a product or an extreme."""
    x = array(operand)
    strides = window_strides or (1,) * x.ndim
    name = getattr(computation, "reduces", None)
    fill = {"add": 0.0, "mul": 1.0, "max": -np.inf, "min": np.inf}[str(name)]
    values = Current.lane.rounded(x.value, x.dtype_name) if name in ("add", "mul") else x.value
    found = _windows(
        _padded(values, padding, tuple(window_dimensions), strides, fill), tuple(window_dimensions), strides
    )
    flat = found.reshape(*found.shape[: x.ndim], -1)
    if name == "add":
        return made(flat.sum(axis=-1) + array(init_value).value, x.dtype_name)
    if name == "mul":
        return made(flat.prod(axis=-1), x.dtype_name)
    best = flat.max(axis=-1) if name == "max" else flat.min(axis=-1)
    Current.lane.decide(flat.argmax(axis=-1) if name == "max" else flat.argmin(axis=-1))
    Current.lane.tie((flat == best[..., None]).sum(axis=-1) > 1)
    return x.moved(best)


def conv_general_dilated(
    lhs: Any, rhs: Any, window_strides: Any, padding: Any, lhs_dilation: Any = None, rhs_dilation: Any = None,
    dimension_numbers: Any = None, feature_group_count: int = 1, **_: Any,
) -> Array:  # fmt: skip
    """`lax.conv_general_dilated`."""
    x, w = array(lhs), array(rhs)
    count = x.ndim - 2
    spatial = "DHW"[-count:] if count > 1 else "W"
    one, two, three = dimension_numbers or ("NC" + spatial, "OI" + spatial, "NC" + spatial)
    space = [letter for letter in one if letter not in "NC"]
    values = np.transpose(x.value, [one.index(letter) for letter in ("N", "C", *space)])
    kernel = np.transpose(w.value, [two.index(letter) for letter in ("O", "I", *space)])
    if rhs_dilation is not None:
        kernel = _spread(kernel, rhs_dilation)
    if lhs_dilation is not None:
        values = _spread(values, lhs_dilation)
    window = kernel.shape[2:]
    if isinstance(padding, str):
        inner = _padded(values, padding, (1, 1, *window), (1, 1, *window_strides), 0.0)
    else:
        inner = np.pad(values, [(0, 0), (0, 0), *(tuple(pair) for pair in padding)])
    dtype, _weak = promoted(x, w)
    views = _windows(inner, (1, 1, *window), (1, 1, *window_strides))
    views = views.reshape(*views.shape[: 2 + count], *window)

    def product(p: Values, q: Values) -> Values:
        groups = feature_group_count
        p = p.reshape(p.shape[0], groups, p.shape[1] // groups, *p.shape[2:])
        q = q.reshape(groups, q.shape[0] // groups, *q.shape[1:])
        places, taps = "xyz"[:count], "uvw"[:count]
        found = np.einsum(f"ngc{places}{taps},goc{taps}->ngo{places}", p, q)
        return np.asarray(found.reshape(found.shape[0], -1, *found.shape[3:]))

    result = summed_products(product, Array(views, x.dtype_name), Array(kernel, w.dtype_name), dtype)
    order = ("N", "C", *space)
    return result.moved(np.transpose(result.value, [order.index(letter) for letter in three]))


def _spread(values: Values, dilation: Any) -> Values:
    shape = (*values.shape[:2], *((size - 1) * step + 1 for size, step in zip(values.shape[2:], dilation, strict=True)))
    result = np.zeros(shape)
    result[(slice(None), slice(None), *(slice(None, None, step) for step in dilation))] = values
    return result


def conv(lhs: Any, rhs: Any, window_strides: Any, padding: Any, **_: Any) -> Array:
    """`lax.conv`."""
    return conv_general_dilated(lhs, rhs, window_strides, padding)


def conv_with_general_padding(lhs: Any, rhs: Any, window_strides: Any, padding: Any, lhs_dilation: Any,
                              rhs_dilation: Any, **_: Any) -> Array:  # fmt: skip
    """`lax.conv_with_general_padding`."""
    return conv_general_dilated(lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation)


def conv_transpose(
    lhs: Any, rhs: Any, strides: Any, padding: Any, rhs_dilation: Any = None, dimension_numbers: Any = None, **_: Any
) -> Array:
    """`lax.conv_transpose`: a convolution of the input with zeros between its elements."""
    x, w = array(lhs), array(rhs)
    count = x.ndim - 2
    if dimension_numbers is None:
        space = "DHW"[-count:]
        dimension_numbers = ("N" + space + "C", space + "IO", "N" + space + "C")
    axes = [dimension_numbers[1].index(letter) for letter in dimension_numbers[1] if letter not in "IO"]
    sizes = [w.shape[axis] for axis in axes]
    if rhs_dilation is not None:
        sizes = [(size - 1) * step + 1 for size, step in zip(sizes, rhs_dilation, strict=True)]
    pads = []
    for size, stride in zip(sizes, strides, strict=True):
        whole = size + stride - 2 if padding == "SAME" else size + stride - 2 + max(size - stride, 0)
        first = size - 1 if padding == "VALID" or stride > size - 1 else -(-whole // 2)
        pads.append((first, whole - first))
    return conv_general_dilated(x, w, (1,) * count, pads, strides, rhs_dilation, dimension_numbers)


def conv_general_dilated_patches(lhs: Any, filter_shape: Any, window_strides: Any, padding: Any, **_: Any) -> Array:
    """`lax.conv_general_dilated_patches`: what stands under a window, as channels."""
    x = array(lhs)
    window, strides = (1, 1, *filter_shape), (1, 1, *window_strides)
    pads = padding if isinstance(padding, str) else [(0, 0), (0, 0), *padding]
    views = _windows(_padded(x.value, pads, window, strides, 0.0), window, strides)
    count = x.ndim - 2
    views = views.reshape(*views.shape[: 2 + count], *filter_shape)
    order = (0, 1, *range(2 + count, 2 + 2 * count), *range(2, 2 + count))
    found = np.transpose(views, order)
    return x.moved(found.reshape(x.shape[0], -1, *found.shape[2 + count :]))


def conv_general_dilated_local(lhs: Any, rhs: Any, window_strides: Any, padding: Any, filter_shape: Any,
                               **_: Any) -> Array:  # fmt: skip
    """`lax.conv_general_dilated_local`: a convolution whose kernel differs from place to place."""
    patches, w = conv_general_dilated_patches(lhs, filter_shape, window_strides, padding), array(rhs)
    places = "xyz"[: patches.ndim - 2]

    def product(p: Values, q: Values) -> Values:
        return np.asarray(np.einsum(f"nc{places},oc{places}->no{places}", p, q))

    return summed_products(product, patches, w, promoted(patches, w)[0])


def ragged_dot(lhs: Any, rhs: Any, group_sizes: Any, **_: Any) -> Array:
    """`lax.ragged_dot`: each group of rows times a matrix of its own; rows of no group are zero."""
    x, w = array(lhs), array(rhs)
    ends = np.cumsum(array(group_sizes).value)
    owner = np.searchsorted(ends, np.arange(x.shape[0]), side="right")
    mine = np.minimum(owner, w.shape[0] - 1)

    def product(p: Values, q: Values) -> Values:
        return np.asarray(np.einsum("mk,mkn->mn", p, q[mine]) * (owner < w.shape[0])[:, None])

    return summed_products(product, x, w, promoted(x, w)[0])


# Random numbers: Threefry, as JAX draws them by default.


def _rotated(x: Values, by: int) -> Values:
    return np.asarray((x << np.uint32(by)) | (x >> np.uint32(32 - by)))


def _threefry(key: Values, one: Values, two: Values) -> tuple[Values, Values]:
    turns = ((13, 15, 26, 6), (17, 29, 16, 24))
    first, second = np.uint32(key[0]), np.uint32(key[1])
    keys = (first, second, np.uint32(first ^ second ^ np.uint32(0x1BD11BDA)))
    with np.errstate(over="ignore"):
        x, y = one + keys[0], two + keys[1]
        for block in range(5):
            for turn in turns[block % 2]:
                x = x + y
                y = _rotated(y, turn) ^ x
            x = x + keys[(block + 1) % 3]
            y = y + keys[(block + 2) % 3] + np.uint32(block + 1)
    return x, y


def _counts(shape: tuple[int, ...]) -> tuple[Values, Values]:
    numbers = np.arange(int(np.prod(shape)), dtype=np.uint64).reshape(shape)
    return (numbers >> np.uint64(32)).astype(np.uint32), (numbers & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def _key(key: Any) -> Values:
    return array(key).value.astype(np.uint32)


def prng_key(seed: Any, **_: Any) -> Array:
    """`jax.random.PRNGKey`."""
    number = int(array(seed).value)
    high = (number >> 32) & 0xFFFFFFFF if Current.lane.x64 else 0
    return Array(np.array([high, number & 0xFFFFFFFF], np.uint32), "uint32")


def split(key: Any, num: int = 2) -> Array:
    """`jax.random.split`."""
    one, two = _threefry(_key(key), *_counts((num,)))
    return Array(np.stack([one, two], axis=1), "uint32")


def fold_in(key: Any, data: Any) -> Array:
    """`jax.random.fold_in`."""
    seed = prng_key(data).value
    one, two = _threefry(_key(key), np.atleast_1d(seed[0]), np.atleast_1d(seed[1]))
    return Array(np.concatenate([one, two]), "uint32")


def bits(key: Any, shape: Any = ()) -> Values:
    """32 random bits an element."""
    one, two = _threefry(_key(key), *_counts(tuple(shape)))
    return one ^ two


def uniform(key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0) -> Array:
    """`jax.random.uniform` in float32."""
    kind = named_dtype(dtype) if dtype is not None else default_float()
    if kind != "float32":
        raise TypeError(f"random numbers of {kind} are not modelled")
    raw = (bits(key, shape) >> np.uint32(9)) | np.uint32(0x3F800000)
    value = raw.view(np.float32).astype(np.float64) - 1.0
    low, high = array(minval).value, array(maxval).value
    return made(np.maximum(low, value * (high - low) + low), kind)


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Array:
    """`jax.random.bernoulli`."""
    chance = array(p)
    drawn = uniform(key, chance.shape if shape is None else shape, "float32")
    threshold = chance.value.astype(np.float32).astype(np.float64)
    exact = (bits(key, chance.shape if shape is None else shape) >> np.uint32(9)) | np.uint32(0x3F800000)
    del drawn
    return Array(exact.view(np.float32).astype(np.float64) - 1.0 < threshold, "bool")


def normal(key: Any, shape: Any = (), dtype: Any = None) -> Array:
    """`jax.random.normal` in float32."""
    import scipy.special

    low = float(np.nextafter(np.float32(-1.0), np.float32(0.0)))
    drawn = uniform(key, shape, dtype, low, 1.0)
    return made(np.sqrt(2) * scipy.special.erfinv(drawn.value), drawn.dtype_name)
