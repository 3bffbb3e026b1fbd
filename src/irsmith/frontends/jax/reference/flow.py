"""JAX's control flow and transformations, run step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from irsmith.frontends.jax.reference.array import Array, array, default_whole, promoted
from irsmith.frontends.jax.reference.machine import Current


def map_tree(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A function on the leaves of tuples, lists and dictionaries of the same structure."""
    if tree is None:
        return None
    if isinstance(tree, tuple | list):
        parts = [map_tree(function, *items) for items in zip(tree, *others, strict=True)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, dict):
        return {key: map_tree(function, value, *(other[key] for other in others)) for key, value in tree.items()}
    return function(tree, *others)


def leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, in JAX's order."""
    if tree is None:
        return []
    if isinstance(tree, tuple | list):
        return [leaf for part in tree for leaf in leaves(part)]
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    return [tree]


def cond(pred: Any, true_fun: Any, false_fun: Any, *operands: Any, operand: Any = None) -> Any:
    """`lax.cond`."""
    truth = bool(array(pred).value)
    Current.lane.went("if", true=truth, false=not truth)
    Current.lane.decide(truth)
    given = operands if operand is None else (operand,)
    return map_tree(array, (true_fun if truth else false_fun)(*given))


def switch(index: Any, branches: Sequence[Any], *operands: Any, **_: Any) -> Any:
    """`lax.switch`."""
    place = int(np.clip(array(index).value, 0, len(branches) - 1))
    Current.lane.decide(place)
    return map_tree(array, branches[place](*operands))


def fori_loop(lower: Any, upper: Any, body_fun: Any, init_val: Any, **_: Any) -> Any:
    """`lax.fori_loop`."""
    carry = map_tree(array, init_val)
    for place in range(int(array(lower).value), int(array(upper).value)):
        carry = _kept(carry, body_fun(Array(place, default_whole()), carry))
    return carry


def while_loop(cond_fun: Any, body_fun: Any, init_val: Any) -> Any:
    """`lax.while_loop`."""
    carry = map_tree(array, init_val)
    for _ in range(100_000):
        truth = bool(array(cond_fun(carry)).value)
        Current.lane.went("while", true=truth, false=not truth)
        Current.lane.decide(truth)
        if not truth:
            return carry
        carry = _kept(carry, body_fun(carry))
    raise RuntimeError("a loop that does not end")


def _kept(before: Any, after: Any) -> Any:
    """A carried value with the dtypes that it began with."""

    def same(old: Array, new: Any) -> Array:
        new = array(new)
        if old.shape != new.shape:
            raise TypeError(f"a loop carries {old.shape} and then {new.shape}")
        if old.dtype_name != new.dtype_name and not old.weak:
            raise TypeError(f"a loop carries {old.dtype_name} and then {new.dtype_name}")
        return new

    return map_tree(same, before, after)


def scan(f: Any, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: Any = 1) -> Any:
    """`lax.scan`."""
    del unroll
    carry = map_tree(array, init)
    xs = map_tree(array, xs)
    count = length if length is not None else len(leaves(xs)[0])
    outputs: list[Any] = []
    for place in range(count - 1, -1, -1) if reverse else range(count):
        new, out = f(carry, map_tree(lambda x, at=place: x[at], xs))
        carry = _kept(carry, new)
        outputs.append(map_tree(array, out))
    if reverse:
        outputs.reverse()
    return carry, stacked(outputs)


def stacked(parts: list[Any], axis: int = 0) -> Any:
    """Trees with their leaves stacked."""
    if not parts or parts[0] is None:
        return None

    def stack(*leaves: Any) -> Array:
        arrays = [array(leaf) for leaf in leaves]
        return Array(np.stack([item.value for item in arrays], axis), promoted(*arrays)[0])

    return map_tree(stack, parts[0], *parts[1:])


def lax_map(f: Any, xs: Any, **_: Any) -> Any:
    """`lax.map`."""
    return vmap(f)(xs)


def vmap(fun: Any, in_axes: Any = 0, out_axes: int = 0, **_: Any) -> Any:
    """`jax.vmap`: one call an example."""

    def mapped(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, tuple | list) else (in_axes,) * len(args)
        count = next(array(leaf).shape[axis] for arg, axis in zip(args, axes, strict=True) if axis is not None
                     for leaf in leaves(arg))  # fmt: skip

        def part(arg: Any, axis: Any, place: int) -> Any:
            if axis is None:
                return arg
            return map_tree(lambda x: array(x).moved(np.take(array(x).value, place, axis)), arg)

        results = [fun(*(part(arg, axis, place) for arg, axis in zip(args, axes, strict=True)))
                   for place in range(count)]  # fmt: skip
        return stacked([map_tree(array, result) for result in results], out_axes)

    return mapped


def associative_scan(fn: Any, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """`lax.associative_scan`, from one end to the other."""
    count = array(leaves(elems)[0]).shape[axis]
    order = range(count - 1, -1, -1) if reverse else range(count)
    parts: list[Any] = []
    for place in order:
        item = map_tree(lambda x, at=place: array(x).moved(np.take(array(x).value, [at], axis)), elems)
        parts.append(item if not parts else fn(parts[-1], item))
    if reverse:
        parts.reverse()

    def join(*items: Any) -> Array:
        arrays = [array(item) for item in items]
        return Array(np.concatenate([item.value for item in arrays], axis), promoted(*arrays)[0])

    return map_tree(join, parts[0], *parts[1:])


def unchanged(x: Any, *_: Any, **__: Any) -> Any:
    """What changes no value: a hint to the compiler or to differentiation."""
    return x


def platform_dependent(*args: Any, default: Any = None, **per_platform: Any) -> Any:
    """`lax.platform_dependent`: what is said for a CPU."""
    return map_tree(array, per_platform.get("cpu", default)(*args))


def composite(decomposition: Callable[..., Any], name: str, version: int = 0) -> Callable[..., Any]:
    """`lax.composite`: what it is made of."""
    del name, version
    return decomposition


def custom_root(f: Any, initial_guess: Any, solve: Any, tangent_solve: Any, **_: Any) -> Any:
    """`lax.custom_root`: what the given solver finds."""
    del tangent_solve
    return map_tree(array, solve(f, map_tree(array, initial_guess)))


def jit(fun: Any = None, **_: Any) -> Any:
    """`jax.jit`, as a decorator with options or without."""
    return fun if fun is not None else lambda function: function


checkpoint = jit


def closed_reduce(operand: Any, init_value: Any, computation: Any, dimensions: Sequence[int]) -> Any:
    """`lax.reduce`: folded along axes."""
    x = array(operand)
    for axis in sorted((d % x.ndim for d in dimensions), reverse=True):
        folded: Any = array(init_value)
        for place in range(x.shape[axis]):
            folded = computation(folded, x.moved(np.take(x.value, place, axis)))
        x = array(folded)
    return x
