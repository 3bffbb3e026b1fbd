"""Record what a running program jits. This runs inside the user's program, beside it: nothing may show there.

`attach` puts a function of the same name and signature in the place of `jax.jit`. It hands JAX the user's function in
a wrapper that JAX calls only to trace it, which is once for each signature: calls of what is compiled go as they did.
Where samples are asked for, what `jax.jit` gives is wrapped too, for only its caller sees values.
"""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from irsmith.frontends.jax import entry
from irsmith.frontends.jax.entry import CannotStandAloneError
from irsmith.record.spool import Limits, Spool
from irsmith.records import kernel_record

_SPY = "__irsmith_spy__"


def attach(jax: Any, settings: Mapping[str, Any]) -> None:
    """Record the functions of a program that has just imported JAX.

    Args:
        jax: JAX's module.
        settings: What `irsmith.record.running` says: ``spool`` and ``limits``.
    """
    recorder = _Recorder(jax, Spool(settings["spool"], Limits(**settings["limits"])))
    jax.jit = recorder.instead_of(jax.jit)


@dataclass(frozen=True, slots=True)
class _Sample:
    """A call: of which function, which sample it is, and what it was given, if it is one."""

    key: Any
    number: int
    inputs: dict[str, np.ndarray[Any, Any]]


class _Recorder:
    def __init__(self, jax: Any, spool: Spool) -> None:
        self._jax = jax
        self._spool = spool
        self._lock = threading.Lock()
        self._names: dict[Any, str | None] = {}
        self._calls: dict[Any, int] = {}
        self._taken: dict[Any, int] = {}

    def instead_of(self, jit: Callable[..., Any]) -> Callable[..., Any]:
        """A function that jits and records."""

        @functools.wraps(jit)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            if not args and "fun" not in kwargs:
                return lambda fun: recorded(fun, **kwargs)
            fun, rest = (args[0], args[1:]) if args else (kwargs.pop("fun"), ())
            if not callable(fun) or rest:
                return jit(fun, *rest, **kwargs)
            static = entry.static_names(fun, kwargs.get("static_argnums"), kwargs.get("static_argnames"))
            compiled = jit(self._spied(fun, static), **kwargs)
            return _Sampled(compiled, self, fun, static) if self._spool.limits.samples else compiled

        return recorded

    def _spied(self, fun: Any, static: frozenset[str]) -> Any:
        """A function that JAX traces as it would the user's own; the same one for the same function.

        JAX knows compiled code by its function, so that a new one each time would be compiled each time.
        """
        key = tuple(sorted(static))
        known: dict[Any, Any] = getattr(fun, _SPY, None) or {}
        if key in known:
            return known[key]

        @functools.wraps(fun)
        def spy(*args: Any, **kwargs: Any) -> Any:
            result = fun(*args, **kwargs)
            self._traced(fun, static, args, kwargs, result)
            return result

        # What the function carries for others is not carried on.
        spy.__dict__.pop(_SPY, None)
        try:
            setattr(fun, _SPY, {**known, key: spy})
        except (AttributeError, TypeError):
            # A bound method is a new object each time it is named: JAX compiles it anew as well.
            return spy
        return spy

    def _traced(self, fun: Any, static: frozenset[str], args: Any, kwargs: Any, result: Any) -> None:
        """Keep a record of a function with the types of some arguments, unless there is one."""
        try:
            given = entry.bound(fun, static, args, kwargs)
            key = _key(fun, given)
            with self._lock:
                if key in self._names:
                    return
                self._names[key] = None
            self._names[key] = self._spool.record(self._content(fun, given, result))
        except Exception as error:  # noqa: BLE001  (the program must not see it)
            self._spool.note(f"a function: {type(error).__name__}: {error}")

    def _content(self, fun: Any, given: entry.Given, result: Any) -> dict[str, Any]:
        """What a record says of a function."""
        content: dict[str, Any] = {
            "frontend": "jax",
            "name": entry.name_of(fun),
            "file": entry.file_of(fun),
            "launch": None,
        }
        results = [self._jax.typeof(leaf) for leaf in self._jax.tree.leaves(result)]
        shapes = [(str(type_.dtype), tuple(type_.shape)) for type_ in results]
        told = [(leaf.name, leaf.dtype, leaf.shape) for leaf in given.leaves]
        told += [(name, *shape) for name, shape in zip(entry.results_named(len(shapes)), shapes, strict=True)]
        content["arguments"] = [{"name": name, "type": dtype, "shape": list(shape)} for name, dtype, shape in told]
        try:
            kernel = entry.kernel_of(fun, given, shapes)
        except CannotStandAloneError as error:
            return content | {"reject": ["CannotStandAlone", f"cannot stand alone: {error}"]}
        return content | {"kernel": kernel_record(kernel), "name": kernel.name}

    def before(self, fun: Any, static: frozenset[str], args: Any, kwargs: Any) -> _Sample | None:
        """The contents of a call's arguments, where it is one of those that are sampled."""
        try:
            if any(isinstance(leaf, self._jax.core.Tracer) for leaf in self._jax.tree.leaves((args, kwargs))):
                return None
            given = entry.bound(fun, static, args, kwargs)
            key, limits = _key(fun, given), self._spool.limits
            with self._lock:
                calls = self._calls[key] = self._calls.get(key, 0) + 1
                taken = self._taken.get(key, 0)
                wanted = limits.wants(taken, calls)
                if wanted:
                    self._taken[key] = taken + 1
            found = _Sample(key, taken, {})
            if not wanted or not self._spool.has_room():
                return found
            if sum(leaf.bytes for leaf in given.leaves) > limits.sample_bytes:
                self._spool.note(f"a sample: its arguments take more than {limits.sample_bytes} bytes")
                return found
            return _Sample(key, taken, {f"in/{leaf.name}": _plain(leaf.value) for leaf in given.leaves})
        except Exception as error:  # noqa: BLE001  (the program must not see it)
            self._spool.note(f"a sample: {type(error).__name__}: {error}")
            return None

    def after(self, sample: _Sample, result: Any) -> None:
        """Count a call, and keep its sample, if it is one, with what the call gave."""
        try:
            name = self._names.get(sample.key)
            if name is None:
                return
            self._spool.count(name)
            if sample.inputs:
                leaves = self._jax.tree.leaves(result)
                labels = entry.results_named(len(leaves))
                left = {f"out/{label}": _plain(leaf) for label, leaf in zip(labels, leaves, strict=True)}
                self._spool.sample(name, sample.number, sample.inputs | left)
        except Exception as error:  # noqa: BLE001  (the program must not see it)
            self._spool.note(f"a sample: {type(error).__name__}: {error}")


def _key(fun: Any, given: entry.Given) -> Any:
    """What tells a function with the types of some arguments from others, for as long as its code lives."""
    return getattr(fun, "__code__", type(fun)), entry.constants_of(fun), given.key()


class _Sampled:
    """What `jax.jit` gave, with its calls sampled; for all else it is what it was."""

    def __init__(self, compiled: Any, recorder: _Recorder, fun: Any, static: frozenset[str]) -> None:
        functools.update_wrapper(self, compiled)
        # JAX keeps names of its own among these.
        self._irsmith = compiled, recorder, fun, static

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        compiled, recorder, fun, static = self._irsmith
        sample = recorder.before(fun, static, args, kwargs)
        result = compiled(*args, **kwargs)
        if sample is not None:
            recorder.after(sample, result)
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._irsmith[0], name)


def _plain(value: Any) -> np.ndarray[Any, Any]:
    array = np.array(value)
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array
