"""Arrays of sets, whatever their elements: plain numbers, vectors and matrices, or structs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from irsmith.syntax import nodes
from irsmith.verify.ports import Array, Sets


@lru_cache(maxsize=128)
def parsed(source: str) -> tuple[ast.Module, tuple[ast.AST, ...]]:
    """A source's syntax tree, and all its nodes. Nobody may change it."""
    tree = ast.parse(source)
    return tree, tuple(nodes(tree))


def leaves(array: Array) -> Iterator[tuple[str, Array]]:
    """The plain arrays that an array is made of, each with its path: one, or one for each field."""
    if array.dtype.names is None:
        yield "", array
        return
    for name in array.dtype.names:
        for path, leaf in leaves(array[name]):
            yield f".{name}{path}", leaf


def floats(array: Array) -> Iterator[tuple[str, Array]]:
    """The leaves that hold floats."""
    return ((path, leaf) for path, leaf in leaves(array) if is_float(leaf.dtype))


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether a plain dtype is one of floats, NumPy's own or not."""
    return dtype.kind == "f" or dtype.name == "bfloat16"


def resolution(dtype: np.dtype[Any]) -> Any:
    """What ``np.finfo`` says of a float dtype, NumPy's own or not."""
    if dtype.kind == "f":
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)


def wide_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype with float64 for every float."""
    if dtype.names is not None:
        return np.dtype([(name, wide_dtype(dtype[name])) for name in dtype.names])
    if dtype.subdtype is not None:
        return np.dtype((wide_dtype(dtype.subdtype[0]), dtype.subdtype[1]))
    return np.dtype(np.float64) if is_float(dtype) else dtype


def widened(array: Array) -> Array:
    """A copy with float64 for every float."""
    result = np.empty(array.shape, wide_dtype(array.dtype))
    copy_into(result, array)
    return result


def copy_into(target: Array, source: Array) -> None:
    """Copy values field by field, converting each."""
    if target.dtype.names is None:
        target[...] = source
        return
    for name in target.dtype.names:
        copy_into(target[name], source[name])


def take(sets: Sets, indices: Any) -> dict[str, Array]:
    """Some of the sets, in the order of the indices."""
    return {name: array[indices] for name, array in sets.items()}


def joined(first: Sets, second: Sets) -> dict[str, Array]:
    """Sets followed by further sets."""
    return {name: np.concatenate([array, second[name]]) for name, array in first.items()}


def count(sets: Sets) -> int:
    """How many sets there are."""
    return len(next(iter(sets.values()))) if sets else 0


def differs(a: Array, b: Array) -> Array:
    """Per set, whether any bit of it differs; the padding of structs has none."""
    result = np.zeros(len(a), bool)
    for (_, left), (_, right) in zip(leaves(a), leaves(b), strict=True):
        result |= (bits(left) != bits(right)).reshape(len(a), -1).any(axis=1)
    return result


def bits(leaf: Array) -> Array:
    """A plain array as whole numbers that are equal where it is the same to the last bit."""
    if not is_float(leaf.dtype):
        return leaf
    return np.ascontiguousarray(leaf).view(f"u{leaf.dtype.itemsize}")
