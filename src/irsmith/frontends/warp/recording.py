"""Record what a running program launches. This runs inside the user's program, beside it: nothing may show there.

`attach` puts a function of the same name and signature in the place of `warp.launch` and `warp.launch_tiled`. The first
time that a kernel is launched with some dtypes, ranks and extents, its source is written down as a text that stands
alone; afterwards the launch is only counted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from irsmith.frontends.warp import compiler, live
from irsmith.frontends.warp.read import describe
from irsmith.kernel import REAL, Kernel, Provenance
from irsmith.outcome import Reject
from irsmith.record.spool import SPACING, Limits, Spool
from irsmith.records import kernel_record
from irsmith.types import ArrayType, Opaque, Struct, ValueType

_PLACES = {"kernel": 0, "dim": 1, "inputs": 2, "outputs": 3, "adjoint": 8, "record_cmd": 10}
"""Where the parameters of `warp.launch` stand that matter here."""


class _CannotSampleError(Exception):
    """An argument's contents cannot be kept; the message says why."""


def attach(wp: Any, settings: Mapping[str, Any]) -> None:
    """Record the launches of a program that has just imported Warp.

    Args:
        wp: Warp's module.
        settings: What `irsmith.record.running` says: ``spool`` and ``limits``.
    """
    recorder = _Recorder(wp, Spool(settings["spool"], Limits(**settings["limits"])))
    wp.launch = recorder.instead_of(wp.launch)
    wp.launch_tiled = recorder.instead_of(wp.launch_tiled)


class _Launch:
    """A distinct launch: its record's id once it has one, what counts it, and how many samples were taken."""

    __slots__ = ("counter", "left_out", "name", "samples")

    def __init__(self) -> None:
        self.name: str | None = None
        self.left_out = False
        # Counts one by one even where several threads launch.
        self.counter = count(1)
        self.samples = 0


class _Recorder:
    def __init__(self, wp: Any, spool: Spool) -> None:
        self._wp = wp
        self._spool = spool
        self._joined = False
        # Weak, so that kernels that a program makes and drops are dropped.
        self._known: WeakKeyDictionary[Any, dict[Any, _Launch]] = WeakKeyDictionary()
        self._kernels: WeakKeyDictionary[Any, Kernel | Reject] = WeakKeyDictionary()
        self._sampled: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def instead_of(self, launch: Callable[..., Any]) -> Callable[..., Any]:
        """A function that launches and records."""

        @functools.wraps(launch)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            found = self._launch_of(args, kwargs)
            if found is None:
                return launch(*args, **kwargs)
            before = self._before(found, args, kwargs)
            result = launch(*args, **kwargs)
            self._after(found, before, args, kwargs)
            return result

        return recorded

    def _launch_of(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> _Launch | None:
        """The distinct launch that a call is one of; None for what is no launch of its own."""
        try:
            if _given("adjoint", args, kwargs, default=False):
                return None
            kernel, dim = _given("kernel", args, kwargs), _given("dim", args, kwargs)
            extents = dim if isinstance(dim, int) else tuple(map(int, dim))
            key = extents, kwargs.get("block_dim")
            if kernel.is_generic:
                key = *key, *(_type_of(value) for value in _values(args, kwargs))
            launches = self._known.get(kernel)
            if launches is None:
                launches = self._known[kernel] = {}
            found = launches.get(key)
            if found is None:
                if 0 in ((extents,) if isinstance(extents, int) else extents):
                    return None
                found = launches[key] = _Launch()
        except Exception:  # noqa: BLE001  (what is wrong with a call is Warp's to say)
            return None
        return found

    def _before(
        self, found: _Launch, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> dict[str, np.ndarray[Any, Any]] | None:
        """The contents of the arguments, where this launch is one of those that are sampled."""
        limits = self._spool.limits
        number = next(found.counter)
        if not limits.wants(found.samples, number):
            return None
        try:
            kernel = _given("kernel", args, kwargs)
            if _given("record_cmd", args, kwargs, default=False) or self._captures(kwargs):
                return None
            if self._sampled.get(kernel, 0) >= limits.samples * SPACING or not self._spool.has_room():
                return None
            self._join()
            values = _values(args, kwargs)
            return _contents(live.instance_for(kernel, values), values, limits.sample_bytes, "in")
        except _CannotSampleError as error:
            self._spool.note(f"a sample: {error}")
        except Exception as error:  # noqa: BLE001  (the program must not see it)
            self._spool.note(f"a sample: {type(error).__name__}: {error}")
        found.samples = limits.samples
        return None

    def _after(
        self,
        found: _Launch,
        before: dict[str, np.ndarray[Any, Any]] | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> None:
        try:
            if found.name is None:
                if found.left_out:
                    return
                found.left_out = True
                self._join()
                found.name = self._spool.record(self._content(args, kwargs))
                if found.name is None:
                    return
            self._spool.count(found.name)
            if before is not None:
                kernel, values = _given("kernel", args, kwargs), _values(args, kwargs)
                instance = live.instance_for(kernel, values)
                left = _contents(instance, values, self._spool.limits.sample_bytes, "out")
                self._spool.sample(found.name, found.samples, before | left)
                found.samples += 1
                self._sampled[kernel] = self._sampled.get(kernel, 0) + 1
        except Exception as error:  # noqa: BLE001  (the program must not see it)
            self._spool.note(f"a launch: {type(error).__name__}: {error}")

    def _join(self) -> None:
        if not self._joined:
            compiler.join(self._wp)
            self._joined = True

    def _captures(self, kwargs: Mapping[str, Any]) -> bool:
        """Whether a graph is being captured, which reading arrays would break."""
        return bool(self._wp.get_device(kwargs.get("device")).is_capturing)

    def _content(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What a record says of a launch."""
        kernel, dim = _given("kernel", args, kwargs), _given("dim", args, kwargs)
        values, block = _values(args, kwargs), kwargs.get("block_dim")
        instance = live.instance_for(kernel, values)
        item = self._kernels.get(instance)
        if item is None:
            file = Provenance(kernel.func.__code__.co_filename)
            item = self._kernels[instance] = describe(kernel, instance, block, REAL, file)
        arguments = [
            {"name": name, "type": str(type_), "shape": list(_shape(value, rank)) if rank else []}
            for (name, type_, rank), value in zip(compiler.arguments_of(instance), values, strict=True)
        ]
        told = {"kernel": kernel_record(item)} if isinstance(item, Kernel) else {"reject": [item.symptom, item.message]}
        return {
            "frontend": "warp",
            "name": item.name,
            "file": kernel.func.__code__.co_filename,
            "launch": [dim] if isinstance(dim, int) else [int(extent) for extent in dim],
            "block_dim": block,
            "arguments": arguments,
            **told,
        }


def _given(name: str, args: Sequence[Any], kwargs: Mapping[str, Any], default: Any = None) -> Any:
    if name in kwargs:
        return kwargs[name]
    place = _PLACES[name]
    return args[place] if place < len(args) else default


def _values(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    return [*_given("inputs", args, kwargs, ()), *_given("outputs", args, kwargs, ())]


def _type_of(value: Any) -> Any:
    return (value.dtype, value.ndim) if hasattr(value, "ndim") else type(value)


def _shape(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(int(extent) for extent in getattr(value, "shape", ())[:rank])


def _contents(kernel: Any, values: Sequence[Any], most: int, prefix: str) -> dict[str, np.ndarray[Any, Any]]:
    """Copies of the arguments, before the launch, or of the arrays that it may have written, after it.

    Raises:
        _CannotSampleError: They are too large, or one holds what means nothing elsewhere.
    """
    described = list(zip(compiler.arguments_of(kernel), values, strict=True))
    size = sum(_bytes(name, value) for (name, _, rank), value in described if rank)
    if size > most:
        raise _CannotSampleError(f"its arguments take more than {most} bytes")
    found: dict[str, np.ndarray[Any, Any]] = {}
    for (name, type_, rank), value in described:
        _refuse(name, type_)
        if rank:
            array = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
            found[f"{prefix}/{name}"] = np.array(array)
        elif prefix == "in":
            _flatten(found, f"{prefix}/{name}", live.values_of(value, type_))
    return found


def _bytes(name: str, value: Any) -> int:
    size = getattr(value, "size", None)
    if isinstance(size, int) and hasattr(value, "dtype"):
        item = getattr(value.dtype, "itemsize", None)
        return size * int(item if isinstance(item, int) else live.size_of(value.dtype))
    raise _CannotSampleError(f"{name} is {type(value).__name__}, not an array")


def _refuse(name: str, type_: ValueType) -> None:
    """Refuse what may be a handle: the address of an object of the program."""
    if isinstance(type_, Struct):
        for field in type_.fields:
            _refuse(f"{name}.{field.name}", field.type)
    if isinstance(type_, Opaque | ArrayType):
        raise _CannotSampleError(f"{name} is of type {type_}")
    if str(type_) == "uint64":
        raise _CannotSampleError(f"{name}, a uint64, may be the handle of an object of the program")


def _flatten(found: dict[str, np.ndarray[Any, Any]], path: str, value: Any) -> None:
    """Put a value under its path, a struct's fields each under their own."""
    if isinstance(value, dict):
        for name, part in value.items():
            _flatten(found, f"{path}.{name}", part)
    else:
        found[path] = value
