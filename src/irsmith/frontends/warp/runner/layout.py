"""How arguments lie in memory: dtypes in C layout, and arenas whose buffers stand between guards.

An arena holds every buffer of every run of a job. It is laid out and filled before the process that runs
compiled code is started, so that this process only calls functions and sends bytes back.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from irsmith.frontends.warp.runner.geometry import built
from irsmith.frontends.warp.runner.jobs import Job, Sets
from irsmith.kernel import Argument
from irsmith.types import (
    PLACES,
    SHOWN,
    UINT64,
    ArrayType,
    Bvh,
    Handle,
    HashGrid,
    IndexedArray,
    Matrix,
    Mesh,
    Opaque,
    Quaternion,
    Scalar,
    Struct,
    Transformation,
    ValueType,
    Vector,
)

GUARD_BYTES = 256
"""The least space before, between and behind buffers."""

GUARD_VALUE = 0xFF
"""What guards hold: a read out of bounds gives NaN or -1, the same one each time."""

OTHER_VALUES = (0x55, 0xD5, 0x00)
"""What they hold when the runs are repeated, run by run in turn: something large, its negative, or nothing."""

ALIGNMENT = 64

ARRAY = np.dtype(
    [
        ("data", np.uint64),
        ("grad", np.uint64),
        ("shape", np.int32, (4,)),
        ("strides", np.int32, (4,)),
        ("ndim", np.uint16),
        ("flags", np.uint16),
    ],
    align=True,
)
"""Warp's ``array_t``."""

INDEXED = np.dtype(
    [(SHOWN, ARRAY), (PLACES, np.uint64, (4,)), ("shape", np.int32, (4,))],
    align=True,
)
"""Warp's ``indexedarray_t``."""

_LAUNCH_RANK = re.compile(r"\bwp::launch_bounds_t<([1-4])> dim\b")


@lru_cache(maxsize=4096)
def dtype_of(type_: ValueType) -> np.dtype[np.void]:
    """The dtype of one value, in the layout that Warp's C++ gives it; of a struct without the arrays that it holds.

    Raises:
        ValueError: The type is opaque.
    """
    if isinstance(type_, Scalar):
        return np.dtype(type_.name)
    if isinstance(type_, Vector):
        return np.dtype((type_.scalar.name, (type_.length,)))
    if isinstance(type_, Matrix):
        return np.dtype((type_.scalar.name, (type_.rows, type_.columns)))
    if isinstance(type_, Quaternion):
        return np.dtype((type_.scalar.name, (4,)))
    if isinstance(type_, Transformation):
        return np.dtype((type_.scalar.name, (7,)))
    if isinstance(type_, HashGrid):
        return np.dtype(("float32", (type_.count, 3)))
    if isinstance(type_, Mesh):
        vertex, corners = ("float32", (type_.vertices, 3)), ("int32", (3 * type_.faces,))
        return np.dtype([("points", *vertex), ("velocities", *vertex), ("indices", *corners)])
    if isinstance(type_, Bvh):
        corner = ("float32", (type_.count, 3))
        return np.dtype([("groups", "int32", (type_.count,)), ("lowers", *corner), ("uppers", *corner)])
    if isinstance(type_, Opaque | ArrayType):
        raise ValueError(f"no values can be made of {type_}")
    values = [field for field in type_.fields if not isinstance(field.type, ArrayType)]
    return np.dtype([(field.name, dtype_of(field.type)) for field in values], align=True)


def _passed_dtype(type_: ValueType) -> np.dtype[np.void]:
    """What the kernel receives for a value: of a struct with the descriptors of the arrays that it holds."""
    if isinstance(type_, ArrayType):
        return ARRAY
    if isinstance(type_, IndexedArray):
        return INDEXED
    if isinstance(type_, Struct) and type_.arrays:
        return np.dtype([(field.name, _passed_dtype(field.type)) for field in type_.fields], align=True)
    return dtype_of(type_)


def _put(target: np.ndarray, values: np.ndarray) -> None:
    """Write values, field by field where those of the target hold more."""
    if target.dtype == values.dtype:
        target[...] = values
        return
    for name in values.dtype.names or ():
        _put(target[name], values[name])


def _descriptors(struct: np.ndarray, argument: Argument) -> np.ndarray:
    """The descriptors of an array, which may stand in a struct's field."""
    for part in argument.name.split("."):
        struct = struct[part]
    return struct


def _put_array(struct: np.ndarray, argument: Argument, array: np.ndarray, pointer: np.ndarray) -> None:
    """Say where an array lies, wherever in a struct that stands."""
    *path, last = argument.name.split(".")
    for part in path:
        struct = struct[part]
    if struct.dtype == INDEXED and last != SHOWN:
        axis = int(last.removeprefix(PLACES))
        struct[PLACES][:, axis] = pointer
        struct["shape"][:, axis] = array.shape[1]
        return
    _describe(struct[last], array, argument, pointer)


def bounds_dtype(rank: int) -> np.dtype[np.void]:
    """Warp's ``launch_bounds_t<rank>``."""
    return np.dtype([("shape", np.uint32, (rank,)), ("size", np.uint64), ("coord_mult", np.uint64)], align=True)


def argument_dtype(argument: Argument) -> np.dtype[np.void]:
    """What the kernel receives for an argument: an array's descriptor, an id, or the value itself."""
    if isinstance(argument.type, Handle):
        return dtype_of(UINT64)
    return ARRAY if argument.rank else _passed_dtype(argument.type)


def adjoint_dtype(argument: Argument) -> np.dtype[np.void]:
    """What a CUDA kernel receives for the adjoint of an argument: that of an indexed array is an array."""
    return ARRAY if isinstance(argument.type, IndexedArray) else argument_dtype(argument)


def arguments_dtype(arguments: Sequence[Argument]) -> np.dtype[np.void]:
    """The struct that carries all arguments."""
    return np.dtype(
        [(argument.name, argument_dtype(argument)) for argument in arguments if not argument.held], align=True
    )


def launch_rank(job: Job) -> int:
    """The number of coordinates that the kernel's text asks for, whatever the launch has."""
    match = _LAUNCH_RANK.search(job.texts.get(f"{job.stage}_forward") or "")
    return int(match[1]) if match else max(1, min(4, len(job.launch)))


def launch_bounds(job: Job) -> np.ndarray:
    """The launch bounds, as `wp.launch` makes them: padded with ones, or with the rest folded."""
    rank = launch_rank(job)
    bounds = np.zeros((), dtype=bounds_dtype(rank))
    padded = job.launch + (1,) * (rank - len(job.launch))
    folded = int(np.prod(padded[rank:], dtype=np.int64))
    bounds["shape"] = padded[:rank]
    bounds["size"] = int(np.prod(padded, dtype=np.int64))
    bounds["coord_mult"] = folded
    return bounds


def aligned(size: int) -> np.ndarray:
    """Uninitialised bytes at an aligned address."""
    raw = np.empty(size + ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]


def walled(size: int) -> np.ndarray:
    """Bytes between two pages that nobody may touch; they end where the second one begins, or just before.

    What overruns the memory of all runs dies there, each time at the same place. It would go on through the heap
    otherwise, and whether that ends the process or has it wait for ever for a lock is chance.

    Raises:
        OSError: The system has no more memory.
    """
    page = mmap.PAGESIZE
    inner = -(-size // page) * page
    # Private: what a fork writes is its own.
    whole = mmap.mmap(-1, inner + 2 * page, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    raw = np.frombuffer(whole, np.uint8)
    for wall in (0, page + inner):
        if _libc().mprotect(raw.ctypes.data + wall, page, 0):
            raise OSError(ctypes.get_errno(), f"mprotect: {os.strerror(ctypes.get_errno())}")
    start = page + (inner - size) // ALIGNMENT * ALIGNMENT
    return raw[start : start + size]


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return libc


def checked(job: Job) -> None:
    """See that the inputs have the dtypes and shapes that the signature asks for.

    Raises:
        ValueError: They do not: a mistake of the caller, not of the row.
    """
    for sets in (job.forward, None if job.backward is None else job.backward.primal):
        if sets is not None:
            runs = {len(_checked_set(job, argument, sets)) for argument in job.signature.arguments}
            if len(runs) > 1:
                raise ValueError(f"job {job.key!r}: arguments have different numbers of sets: {sorted(runs)}")
    if job.backward is not None:
        for argument in job.signature.arguments:
            if argument.name in job.backward.adjoint:
                adjoint = _checked_set(job, argument, job.backward.adjoint)
                if adjoint.shape != job.backward.primal[argument.name].shape:
                    raise ValueError(f"job {job.key!r}: the adjoint of {argument.name!r} has another shape")


def _checked_set(job: Job, argument: Argument, sets: Sets) -> np.ndarray:
    if argument.name not in sets:
        raise ValueError(f"job {job.key!r} has no input {argument.name!r}")
    array = sets[argument.name]
    dtype = dtype_of(argument.type)
    rank = 1 + argument.rank + len(dtype.shape)
    if array.dtype != dtype.base or array.ndim != rank or array.shape[rank - len(dtype.shape) :] != dtype.shape:
        raise ValueError(
            f"job {job.key!r}: input {argument.name!r} is {array.dtype}{list(array.shape)}, "
            f"but {argument.type} of rank {argument.rank} needs {dtype.base} with {rank} axes"
        )
    return array


@dataclass(slots=True)
class Output:
    """One buffer of an arena that is sent back."""

    label: str
    offset: int
    size: int
    dtype: np.dtype[np.void]


@dataclass(slots=True)
class Arena:
    """The memory of all runs of one direction of one job.

    Attributes:
        memory: One row of bytes for each run.
        outputs: The buffers in each row that are sent back, in the order of `result_arrays`.
        guards: The gaps in each row, with what stands before and behind each.
        around: What the guards of each run hold.
        calls: The pointers that each run passes to the entry point.
        keep: What the pointers and ids point into.
    """

    memory: np.ndarray
    outputs: list[Output]
    guards: list[tuple[int, int, str]]
    around: np.ndarray
    calls: list[tuple[int, ...]]
    keep: list[object]

    @property
    def size(self) -> int:
        """How many bytes are sent back."""
        return len(self.memory) * sum(output.size for output in self.outputs)

    def damage(self) -> str | None:
        """The guard that was overwritten, in words."""
        for low, high, place in self.guards:
            gap = self.memory[:, low:high]
            if not (gap == self.around).all():
                run = int(np.flatnonzero((gap != self.around).any(axis=1))[0])
                return f"memory {place} was overwritten in run {run}"
        return None

    def renew(self, image: np.ndarray) -> None:
        """Make everything ready to run again, with something else around the buffers.

        Args:
            image: The memory as it was before the first run.
        """
        self.memory[:] = image
        self.around[:, 0] = np.resize(np.array(OTHER_VALUES, np.uint8), len(self.memory))
        for low, high, _ in self.guards:
            self.memory[:, low:high] = self.around

    def change(self, first: bytes) -> str | None:
        """The buffer that holds something else than after the first run, in words."""
        start = 0
        for output in self.outputs:
            now = self.memory[:, output.offset : output.offset + output.size]
            before = np.frombuffer(first, np.uint8, now.size, start).reshape(now.shape)
            start += now.size
            other = now != before
            if other.any():
                counts = _value_bytes(output.dtype)
                other &= np.resize(counts, output.size)
            if other.any():
                run = int(np.flatnonzero(other.any(axis=1))[0])
                return f"what stands around the arrays changed {output.label} in run {run}"
        return None

    def results(self) -> bytes:
        """What is sent back, buffer by buffer with all runs of each."""
        return b"".join(
            self.memory[:, output.offset : output.offset + output.size].tobytes() for output in self.outputs
        )


Place = Callable[[np.ndarray], int]
"""Where a kernel finds a copy of some memory: its address."""


def in_place(memory: np.ndarray) -> int:
    """The address of the memory itself, for kernels that run in this process."""
    return int(memory.ctypes.data)


def arena(job: Job, sets: Sets, adjoints: Sets | None, place: Place = in_place) -> Arena:
    """Lay out and fill the memory of a job's forward runs, or of its backward ones.

    Args:
        job: The job.
        sets: The contents of every argument.
        adjoints: The contents of adjoints, for backward runs.
        place: Where the kernel will find the memory.
    """
    arguments = job.signature.arguments
    buffers = [(f"argument {a.name!r}", sets[a.name]) for a in arguments if a.rank]
    if adjoints is not None:
        buffers += [
            (f"the adjoint of {a.name!r}", adjoints[a.name]) for a in arguments if a.rank and a.name in adjoints
        ]
    runs = len(sets[arguments[0].name]) if arguments else 1
    places, offset, previous = [], GUARD_BYTES, ""
    guards: list[tuple[int, int, str]] = []
    end = 0
    for label, array in buffers:
        size = array.nbytes // runs if runs else 0
        places.append(Output(label, offset, size, array.dtype))
        guards.append((end, offset, f"{previous}before {label}"))
        end, previous = offset + size, f"behind {label} or "
        offset = -(-(end + GUARD_BYTES) // ALIGNMENT) * ALIGNMENT
    guards.append((end, offset, previous.removesuffix(" or ") or "around the arguments"))
    memory = walled(runs * offset).reshape(runs, offset)
    memory.fill(GUARD_VALUE)
    for part, (_, array) in zip(places, buffers, strict=True):
        if part.size:
            flat = np.ascontiguousarray(array).view(np.uint8).reshape(runs, part.size)
            memory[:, part.offset : part.offset + part.size] = flat
    calls, keep = _calls(job, sets, adjoints, place(memory), memory.shape, places)
    arrays = sum(1 for a in arguments if a.rank)
    outputs = places if adjoints is None else places[arrays:]
    around = np.full((runs, 1), GUARD_VALUE, np.uint8)
    return Arena(memory, outputs, guards, around, calls, [*keep, memory])


def _value_bytes(dtype: np.dtype[np.void]) -> np.ndarray:
    """Which bytes of a value are not padding."""
    counts = np.zeros(dtype.itemsize, bool)
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        counts[:] = np.tile(_value_bytes(base), int(np.prod(shape)))
    elif dtype.fields is not None:
        for part, offset, *_ in dtype.fields.values():
            counts[offset : offset + part.itemsize] = _value_bytes(part)
    else:
        counts[:] = True
    return counts


def _calls(
    job: Job, sets: Sets, adjoints: Sets | None, address: int, extents: tuple[int, ...], places: list[Output]
) -> tuple[list[tuple[int, ...]], list[object]]:
    arguments = job.signature.arguments
    runs, stride = extents
    dtype = arguments_dtype(arguments)
    base = np.uint64(address) + np.arange(runs, dtype=np.uint64) * np.uint64(stride)
    primal, adjoint = (_zeros(runs, dtype) for _ in range(2))
    keep: list[object] = []
    pointers = iter([base + np.uint64(place.offset) for place in places])
    for argument in arguments:
        if argument.rank:
            _put_array(primal, argument, sets[argument.name], next(pointers))
        elif isinstance(argument.type, Handle):
            structures = built(argument.type, sets[argument.name], argument.domain)
            primal[argument.name] = structures.ids
            keep.append(structures)
        else:
            _put(primal[argument.name], sets[argument.name])
    for argument in arguments:
        if argument.rank and adjoints is not None and argument.name in adjoints:
            pointer = next(pointers)
            _put_array(adjoint, argument, adjoints[argument.name], pointer)
            _descriptors(primal, argument)["grad"] = pointer
    bounds = launch_bounds(job)
    structs = [primal] if adjoints is None else [primal, adjoint]
    starts = [struct.ctypes.data + np.arange(runs, dtype=np.int64) * struct.itemsize for struct in structs]
    if job.stage == "cpp":
        calls = [(bounds.ctypes.data, *(int(start[run]) for start in starts)) for run in range(runs)]
        return calls, [bounds, *structs, *keep]
    # The CUDA kernel takes its arguments one by one: the driver gets a table of pointers to them.
    offsets = [offset for _, offset, *_ in dtype.fields.values()] if dtype.fields else []
    table = np.empty((runs, 1 + len(structs) * len(offsets)), dtype=np.uint64)
    table[:, 0] = bounds.ctypes.data
    for number, start in enumerate(starts):
        for position, field_offset in enumerate(offsets):
            table[:, 1 + number * len(offsets) + position] = start + field_offset
    calls = [(table.ctypes.data + run * table.strides[0],) for run in range(runs)]
    return calls, [bounds, table, *structs, *keep]


def _zeros(runs: int, dtype: np.dtype[np.void]) -> np.ndarray:
    image = aligned(runs * max(dtype.itemsize, 1))
    image.fill(0)
    return image[: runs * dtype.itemsize].view(dtype) if dtype.itemsize else image


def _describe(descriptor: np.ndarray, array: np.ndarray, argument: Argument, pointer: np.ndarray) -> None:
    shape = array.shape[1 : 1 + argument.rank]
    strides: list[int] = []
    step = dtype_of(argument.type).itemsize
    for extent in reversed(shape):
        strides.insert(0, step)
        step *= extent
    descriptor["data"] = pointer
    descriptor["shape"][:, : argument.rank] = shape
    descriptor["strides"][:, : argument.rank] = strides
    descriptor["ndim"] = argument.rank


def result_arrays(job: Job) -> list[tuple[str, np.ndarray]]:
    """The inputs whose final contents a job sends back: forward arrays, then adjoints, in order."""
    arguments = [argument for argument in job.signature.arguments if argument.rank]
    found = [] if job.forward is None else [(a.name, job.forward[a.name]) for a in arguments]
    if job.backward is not None:
        adjoints = job.backward.adjoint
        found += [(a.name, adjoints[a.name]) for a in arguments if a.name in adjoints]
    return found


def unpacked(job: Job, payload: bytes) -> tuple[dict[str, np.ndarray] | None, dict[str, np.ndarray] | None]:
    """The arrays that a job's bytes hold, forward and backward."""
    split = sum(1 for a in job.signature.arguments if a.rank) if job.forward is not None else 0
    forward: dict[str, np.ndarray] = {}
    backward: dict[str, np.ndarray] = {}
    start = 0
    for number, (name, like) in enumerate(result_arrays(job)):
        raw = np.frombuffer(payload, dtype=like.dtype, count=like.size, offset=start).reshape(like.shape)
        start += like.nbytes
        (forward if number < split else backward)[name] = _without_padding(raw)
    return (
        forward if job.forward is not None else None,
        backward if job.backward is not None else None,
    )


def _without_padding(array: np.ndarray) -> np.ndarray:
    """A copy whose padding bytes are zero: compiled code leaves what was on its stack there."""
    if array.dtype.fields is None:
        return array.copy()
    clean = np.zeros(array.shape, dtype=array.dtype)
    for name in array.dtype.names or ():
        clean[name] = _without_padding(array[name])
    return clean
