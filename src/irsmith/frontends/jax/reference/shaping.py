"""Making arrays, moving their elements, and changing parts of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from irsmith.frontends.jax.reference.array import (
    FLOATS,
    Array,
    array,
    binary,
    cast,
    default_float,
    default_whole,
    meeting,
    named_dtype,
    promoted,
    stored,
)
from irsmith.frontends.jax.reference.elementwise import maximum, minimum


def _indices(where: Any, shape: tuple[int, ...], *, wrap: bool = True) -> Any:
    """An index as NumPy takes it: positions beyond an end are taken to be at the end, as JAX does."""
    parts = where if isinstance(where, tuple) else (where,)
    consumed = sum(1 for part in parts if part is not None and part is not Ellipsis)
    result: list[Any] = []
    axis = 0
    for part in parts:
        if part is None:
            result.append(None)
        elif part is Ellipsis:
            result.append(part)
            axis = len(shape) - (consumed - sum(1 for p in result if p is not None and p is not Ellipsis))
        else:
            if isinstance(part, Array):
                values = part.value
                if values.dtype != bool:
                    size = shape[axis]
                    values = np.where(values < 0, values + size, values) if wrap else values
                    values = np.clip(values, 0, size - 1)
                result.append(values)
            else:
                result.append(part)
            axis += 1
    return tuple(result)


def element(x: Array, where: Any) -> Array:
    """``x[where]``."""
    return x.moved(x.value[_indices(where, x.shape)])


class At:
    """``x.at``: parts of an array changed, in a copy."""

    def __init__(self, x: Array) -> None:
        self._x = x

    def __getitem__(self, where: Any) -> Update:
        return Update(self._x, where)


class Update:
    """``x.at[where]``."""

    def __init__(self, x: Array, where: Any) -> None:
        self._x = x
        self._where = _indices(where, x.shape)

    def _changed(self, function: Callable[[Array, Array], Array] | None, value: Any) -> Array:
        x, value = self._x, array(value)
        part = x.moved(x.value[self._where])
        result = x.value.copy()
        new = cast(value, x.dtype_name) if function is None else function(part, cast(value, x.dtype_name))
        result[self._where] = new.value
        return Array(result, x.dtype_name)

    def _accumulated(self, ufunc: Any, value: Any) -> Array:
        """For positions that may repeat."""
        x = self._x
        result = x.value.copy()
        ufunc.at(result, self._where, cast(array(value), x.dtype_name).value)
        from irsmith.frontends.jax.reference.array import made

        return made(result, x.dtype_name) if x.dtype_name in FLOATS else Array(result, x.dtype_name)

    def set(self, value: Any, **_: Any) -> Array:
        """Replaced."""
        return self._changed(None, value)

    def add(self, value: Any, **_: Any) -> Array:
        """Added to."""
        return self._accumulated(np.add, value)

    def subtract(self, value: Any, **_: Any) -> Array:
        """Taken from."""
        return self._accumulated(np.subtract, value)

    def multiply(self, value: Any, **_: Any) -> Array:
        """Multiplied."""
        return self._accumulated(np.multiply, value)

    mul = multiply

    def divide(self, value: Any, **_: Any) -> Array:
        """Divided."""
        return self._accumulated(np.divide, value)

    def max(self, value: Any, **_: Any) -> Array:
        """The larger kept."""
        return self._changed(maximum, value)

    def min(self, value: Any, **_: Any) -> Array:
        """The smaller kept."""
        return self._changed(minimum, value)

    def power(self, value: Any, **_: Any) -> Array:
        """Raised to a power."""
        return self._changed(lambda part, by: binary(np.power, part, by), value)

    def apply(self, function: Callable[[Array], Array], **_: Any) -> Array:
        """A function applied."""
        return self._changed(None, function(self._x.moved(self._x.value[self._where])))

    def get(self, **_: Any) -> Array:
        """Read."""
        return self._x.moved(self._x.value[self._where])


# Making.


def _dtype(given: Any, otherwise: str) -> str:
    return otherwise if given is None else named_dtype(given)


def _shape(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, int | Array | np.integer) else tuple(int(size) for size in shape)


def zeros(shape: Any, dtype: Any = None) -> Array:
    """Zeros."""
    kind = _dtype(dtype, default_float())
    return Array(np.zeros(_shape(shape), stored(kind)), kind)


def ones(shape: Any, dtype: Any = None) -> Array:
    """Ones."""
    kind = _dtype(dtype, default_float())
    return Array(np.ones(_shape(shape), stored(kind)), kind)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Array:
    """One value throughout."""
    value = array(fill_value)
    kind = _dtype(dtype, value.dtype_name)
    return Array(np.full(_shape(shape), value.value, stored(kind)), kind)


def zeros_like(x: Any, dtype: Any = None) -> Array:
    """Zeros of a shape and dtype."""
    x = array(x)
    return zeros(x.shape, dtype or x.dtype_name)


def ones_like(x: Any, dtype: Any = None) -> Array:
    """Ones of a shape and dtype."""
    x = array(x)
    return ones(x.shape, dtype or x.dtype_name)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Array:
    """One value throughout, of a shape and dtype."""
    x = array(x)
    return full(x.shape, fill_value, dtype or x.dtype_name)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Array:
    """Numbers in even steps."""
    low, high = (0, start) if stop is None else (start, stop)
    ends = [item.value.item() if isinstance(item, Array) else item for item in (low, high, 1 if step is None else step)]
    real = any(isinstance(item, float) for item in ends)
    kind = _dtype(dtype, default_float() if real else default_whole())
    return Array(np.arange(*ends), kind)


def linspace(start: Any, stop: Any, num: int = 50, *, dtype: Any = None, **_: Any) -> Array:
    """Numbers in even steps, both ends included."""
    kind = _dtype(dtype, default_float())
    return Array(np.linspace(start, stop, num), kind)


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """The identity matrix."""
    return Array(np.eye(n, m, k), _dtype(dtype, default_float()))


def identity(n: int, dtype: Any = None) -> Array:
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """Ones at and below a diagonal."""
    return Array(np.tri(n, m, k), _dtype(dtype, default_float()))


def iota(dtype: Any, size: int) -> Array:
    """`lax.iota`."""
    return Array(np.arange(size), named_dtype(dtype))


def broadcasted_iota(dtype: Any, shape: Any, dimension: int) -> Array:
    """`lax.broadcasted_iota`."""
    shape = _shape(shape)
    line = np.arange(shape[dimension]).reshape([-1 if axis == dimension else 1 for axis in range(len(shape))])
    return Array(np.broadcast_to(line, shape), named_dtype(dtype))


def asarray(x: Any, dtype: Any = None, **_: Any) -> Array:
    """An array of anything."""
    made = array(x, None if dtype is None else named_dtype(dtype))
    return Array(made.value, made.dtype_name)


# Moving.


def _moving(function: Callable[..., Any]) -> Any:
    def moved(x: Any, *args: Any, **kwargs: Any) -> Array:
        x = array(x)
        return x.moved(function(x.value, *args, **kwargs))

    return moved


def reshape(x: Any, *shape: Any, **_: Any) -> Array:
    """The same elements in another shape."""
    x = array(x)
    return x.moved(x.value.reshape(*shape))


def transpose(x: Any, *axes: Any, **kwargs: Any) -> Array:
    """Axes in another order."""
    x = array(x)
    order = kwargs.get("axes") or kwargs.get("permutation") or (axes[0] if len(axes) == 1 else axes or None)
    return x.moved(np.transpose(x.value, order))


def expand_dims(x: Any, axis: Any = None, *, dimensions: Any = None) -> Array:
    """Axes of length one put in."""
    x = array(x)
    return x.moved(np.expand_dims(x.value, dimensions if axis is None else axis))


def squeeze(x: Any, axis: Any = None, *, dimensions: Any = None) -> Array:
    """Axes of length one taken out."""
    x = array(x)
    return x.moved(np.squeeze(x.value, dimensions if axis is None else axis))


swapaxes, moveaxis, flip, roll, tile, repeat, broadcast_to, rot90, ravel, triu, tril, diagonal, fliplr, flipud = (
    _moving(function)
    for function in (
        np.swapaxes, np.moveaxis, np.flip, np.roll, np.tile, np.repeat, np.broadcast_to, np.rot90, np.ravel, np.triu,
        np.tril, np.diagonal, np.fliplr, np.flipud,
    )
)  # fmt: skip


def diag(x: Any, k: int = 0) -> Array:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    x = array(x)
    return x.moved(np.diag(x.value, k))


def atleast_1d(x: Any) -> Array:
    """With one axis at least."""
    x = array(x)
    return x.moved(np.atleast_1d(x.value))


def atleast_2d(x: Any) -> Array:
    """With two axes at least."""
    x = array(x)
    return x.moved(np.atleast_2d(x.value))


def rev(x: Any, dimensions: Any) -> Array:
    """`lax.rev`."""
    x = array(x)
    return x.moved(np.flip(x.value, tuple(dimensions)))


def broadcast(x: Any, sizes: Any) -> Array:
    """`lax.broadcast`: axes put before."""
    x = array(x)
    return x.moved(np.broadcast_to(x.value, (*sizes, *x.shape)))


def broadcast_in_dim(x: Any, shape: Any, broadcast_dimensions: Any) -> Array:
    """`lax.broadcast_in_dim`."""
    x = array(x)
    wide = [1] * len(shape)
    for axis, size in zip(broadcast_dimensions, x.shape, strict=True):
        wide[axis] = size
    return x.moved(np.broadcast_to(x.value.reshape(wide), tuple(shape)))


def broadcast_arrays(*parts: Any) -> list[Array]:
    """Arrays of the shape that they meet in."""
    arrays = [array(part) for part in parts]
    shape = np.broadcast_shapes(*(part.shape for part in arrays))
    return [part.moved(np.broadcast_to(part.value, shape)) for part in arrays]


def collapse(x: Any, start: int, stop: int | None = None) -> Array:
    """`lax.collapse`: several axes to one."""
    x = array(x)
    stop = x.ndim if stop is None else stop
    return x.moved(x.value.reshape(*x.shape[:start], -1, *x.shape[stop:]))


def _joined(function: Callable[..., Any]) -> Any:
    def join(parts: Any, axis: int = 0, *, dimension: int | None = None, **_: Any) -> Array:
        kind, _weak, values = meeting(*parts)
        return Array(function(values, axis if dimension is None else dimension), kind)

    return join


concatenate, stack = _joined(np.concatenate), _joined(np.stack)


def _stacked(function: Callable[..., Any]) -> Any:
    def join(parts: Any) -> Array:
        arrays = [array(part) for part in parts]
        return Array(function([part.value for part in arrays]), promoted(*arrays)[0])

    return join


hstack, vstack, column_stack = _stacked(np.hstack), _stacked(np.vstack), _stacked(np.column_stack)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut into parts."""
    x = array(x)
    return [x.moved(part) for part in np.split(x.value, indices_or_sections, axis)]


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut into parts, which may differ in length."""
    x = array(x)
    return [x.moved(part) for part in np.array_split(x.value, indices_or_sections, axis)]


def meshgrid(*parts: Any, indexing: str = "xy") -> list[Array]:
    """Coordinates of a grid."""
    arrays = [array(part) for part in parts]
    grids = np.meshgrid(*(part.value for part in arrays), indexing=indexing)  # type: ignore[call-overload]
    return [part.moved(grid) for part, grid in zip(arrays, grids, strict=True)]


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0, **_: Any) -> Array:
    """More elements at the ends."""
    x = array(x)
    if mode == "constant":
        value = array(constant_values).value
        return x.moved(np.pad(x.value, pad_width, mode="constant", constant_values=value))
    return x.moved(np.pad(x.value, pad_width, mode=mode))  # type: ignore[call-overload]


def lax_pad(x: Any, padding_value: Any, padding_config: Any) -> Array:
    """`lax.pad`: at the ends and between elements; a negative width cuts."""
    x = array(x)
    shape, places = [], []
    for size, (low, high, inside) in zip(x.shape, padding_config, strict=True):
        shape.append(low + size + max(size - 1, 0) * inside + high)
        places.append(low + np.arange(size) * (inside + 1))
    result = np.full(shape, array(padding_value).value, x.value.dtype)
    kept = [np.flatnonzero((place >= 0) & (place < size)) for place, size in zip(places, shape, strict=True)]
    target = np.ix_(*(place[good] for place, good in zip(places, kept, strict=True)))
    result[target] = x.value[np.ix_(*kept)]
    return x.moved(result)


def take(x: Any, indices: Any, axis: int | None = None, **_: Any) -> Array:
    """Elements by position."""
    x, where = array(x), array(indices)
    size = x.size if axis is None else x.shape[axis]
    places = np.clip(np.where(where.value < 0, where.value + size, where.value), 0, size - 1)
    return x.moved(np.take(x.value, places.astype(int), axis))


def take_along_axis(x: Any, indices: Any, axis: int = -1, **_: Any) -> Array:
    """Elements by position along an axis."""
    x, where = array(x), array(indices)
    size = x.shape[axis]
    places = np.clip(np.where(where.value < 0, where.value + size, where.value), 0, size - 1).astype(int)
    rest = tuple(1 if a == axis % x.ndim else s for a, s in enumerate(x.shape))
    shape = np.broadcast_shapes(rest, tuple(1 if a == axis % x.ndim else s for a, s in enumerate(places.shape)))
    full = tuple(places.shape[a] if a == axis % x.ndim else s for a, s in enumerate(shape))
    wide = tuple(x.shape[a] if a == axis % x.ndim else s for a, s in enumerate(shape))
    return x.moved(np.take_along_axis(np.broadcast_to(x.value, wide), np.broadcast_to(places, full), axis))


def _starts(starts: Any, shape: tuple[int, ...], sizes: tuple[int, ...]) -> list[int]:
    return [
        int(np.clip(array(start).value + (size if array(start).value < 0 else 0), 0, size - length))
        for start, size, length in zip(starts, shape, sizes, strict=True)
    ]


def dynamic_slice(x: Any, start_indices: Any, slice_sizes: Any) -> Array:
    """`lax.dynamic_slice`."""
    x = array(x)
    places = _starts(start_indices, x.shape, tuple(slice_sizes))
    return x.moved(x.value[tuple(slice(a, a + n) for a, n in zip(places, slice_sizes, strict=True))])


def dynamic_slice_in_dim(x: Any, start_index: Any, slice_size: int, axis: int = 0) -> Array:
    """`lax.dynamic_slice_in_dim`."""
    x = array(x)
    starts = [start_index if a == axis % x.ndim else 0 for a in range(x.ndim)]
    return dynamic_slice(x, starts, [slice_size if a == axis % x.ndim else size for a, size in enumerate(x.shape)])


def dynamic_index_in_dim(x: Any, index: Any, axis: int = 0, keepdims: bool = True) -> Array:
    """`lax.dynamic_index_in_dim`."""
    found = dynamic_slice_in_dim(x, index, 1, axis)
    return found if keepdims else squeeze(found, axis)


def dynamic_update_slice(x: Any, update: Any, start_indices: Any) -> Array:
    """`lax.dynamic_update_slice`."""
    x, update = array(x), array(update)
    places = _starts(start_indices, x.shape, update.shape)
    result = x.value.copy()
    result[tuple(slice(a, a + n) for a, n in zip(places, update.shape, strict=True))] = update.value
    return x.moved(result)


def dynamic_update_slice_in_dim(x: Any, update: Any, start_index: Any, axis: int) -> Array:
    """`lax.dynamic_update_slice_in_dim`."""
    x = array(x)
    return dynamic_update_slice(x, update, [start_index if a == axis % x.ndim else 0 for a in range(x.ndim)])


def lax_slice(x: Any, start_indices: Any, limit_indices: Any, strides: Any = None) -> Array:
    """`lax.slice`."""
    x = array(x)
    steps = strides or [1] * x.ndim
    where = tuple(slice(a, b, s) for a, b, s in zip(start_indices, limit_indices, steps, strict=True))
    return x.moved(x.value[where])


def slice_in_dim(x: Any, start_index: Any, limit_index: Any, stride: int = 1, axis: int = 0) -> Array:
    """`lax.slice_in_dim`."""
    x = array(x)
    where = [slice(None)] * x.ndim
    where[axis] = slice(start_index, limit_index, stride)
    return x.moved(x.value[tuple(where)])


def index_in_dim(x: Any, index: int, axis: int = 0, keepdims: bool = True) -> Array:
    """`lax.index_in_dim`."""
    found = slice_in_dim(x, index, index + 1 or None, 1, axis)
    return found if keepdims else squeeze(found, axis)


def dynamic_update_index_in_dim(x: Any, update: Any, index: Any, axis: int) -> Array:
    """`lax.dynamic_update_index_in_dim`: one place along an axis."""
    x, update = array(x), array(update)
    if update.ndim < x.ndim:
        update = expand_dims(update, axis)
    return dynamic_update_slice_in_dim(x, update, index, axis)


def index_take(x: Any, indices: Any, axes: Any) -> Array:
    """`lax.index_take`: slices at positions, in front."""
    x = array(x)
    places = tuple(array(part).value % x.shape[axis] for part, axis in zip(indices, axes, strict=True))
    return x.moved(np.moveaxis(x.value, tuple(axes), range(len(axes)))[places])


def broadcast_to_rank(x: Any, rank: int) -> Array:
    """`lax.broadcast_to_rank`: axes of length one put before."""
    x = array(x)
    return x.moved(x.value.reshape((1,) * (rank - x.ndim) + x.shape))


def broadcast_like(x: Any, like: Any) -> Array:
    """`lax.broadcast_like`: in the shape of another array, from the last axis."""
    x = array(x)
    return x.moved(np.broadcast_to(x.value, array(like).shape))
