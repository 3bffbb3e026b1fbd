"""What a kernel was seen to be given and to leave, as the row keeps it: text that holds a compressed NumPy archive.

``in/<argument>`` has one sample at each index of its first axis, in the layout that verification works with;
``out/<argument>`` what the program's own run left, where the row's launch is the whole of it. A struct's fields have
an entry each.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from irsmith.kernel import Argument, Direction, Kernel
from irsmith.types import (
    Domain,
    Field,
    IndexedArray,
    Matrix,
    Quaternion,
    Scalar,
    Struct,
    Transformation,
    ValueType,
    Vector,
)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Samples:
    """Recorded inputs and outputs.

    Attributes:
        inputs: Leaf of an argument, such as ``x`` or ``spring.rest``, to ``(samples, *shape, *components)``.
        outputs: The same of what the program's run left, for arrays.
    """

    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


def put(kernel: Kernel, taken: Sequence[Mapping[str, Array]], *, whole: bool) -> Kernel:
    """A kernel that carries samples, with the domains that they show; as it is where there are none.

    Args:
        kernel: The kernel, with the shapes of its arguments.
        taken: The samples, as they were recorded.
        whole: Whether the kernel's launch is the one that left the outputs.
    """
    if not taken:
        return kernel
    entries: dict[str, Array] = {}
    for argument in kernel.signature.arguments:
        for path, type_ in leaves(argument.name, argument.type):
            for kind in ("in", "out") if whole and argument.direction is not Direction.IN else ("in",):
                found = [_leaf(sample, kind, path, type_, argument.shape) for sample in taken]
                if all(array is not None for array in found):
                    entries[f"{kind}/{path}"] = np.stack([array for array in found if array is not None])
    inputs = {name.removeprefix("in/"): array for name, array in entries.items() if name.startswith("in/")}
    arguments = tuple(_shown(argument, inputs) for argument in kernel.signature.arguments)
    archive = io.BytesIO()
    np.savez_compressed(archive, **{name: _plain(array) for name, array in entries.items()})  # type: ignore[arg-type]
    text = base64.b64encode(archive.getvalue()).decode()
    return replace(kernel, recorded=text, signature=replace(kernel.signature, arguments=arguments))


def of(kernel: Kernel) -> Samples:
    """The samples that a kernel carries."""
    assert kernel.recorded is not None
    types = {path: type_ for a in kernel.signature.arguments for path, type_ in leaves(a.name, a.type)}
    with np.load(io.BytesIO(base64.b64decode(kernel.recorded)), allow_pickle=False) as archive:
        found = {name: _typed(archive[name], types[name.partition("/")[2]]) for name in archive.files}
    kinds = [{n.partition("/")[2]: a for n, a in found.items() if n.startswith(kind)} for kind in ("in/", "out/")]
    return Samples(*kinds)


def leaves(path: str, type_: ValueType) -> Iterator[tuple[str, ValueType]]:
    """The parts of a type that hold numbers, each with its path."""
    if isinstance(type_, Struct):
        for field in type_.fields:
            yield from leaves(f"{path}.{field.name}", field.type)
    else:
        yield path, type_


def components(type_: ValueType) -> tuple[int, ...]:
    """The shape of one value."""
    match type_:
        case Vector(length=length):
            return (length,)
        case Matrix(rows=rows, columns=columns):
            return (rows, columns)
        case Quaternion():
            return (4,)
        case Transformation():
            return (7,)
        case _:
            return ()


def dtype_of(type_: ValueType) -> np.dtype[Any]:
    """The dtype of a component."""
    scalar = type_ if isinstance(type_, Scalar) else type_.scalar  # type: ignore[union-attr]
    if scalar.name == "bfloat16":
        import ml_dtypes

        dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return dtype
    return np.dtype(scalar.name)


def _leaf(sample: Mapping[str, Array], kind: str, path: str, type_: ValueType, shape: tuple[int, ...]) -> Array | None:
    """One sample of a leaf: an entry of its own, or a field of an array of structs."""
    name, *fields = path.split(".")
    entry = sample.get(f"{kind}/{path}")
    if entry is None:
        entry = sample.get(f"{kind}/{name}")
        if entry is None:
            return None
        for field in fields:
            entry = entry[field]
    return _typed(entry, type_).astype(dtype_of(type_)).reshape((*shape, *components(type_)))


def _plain(array: Array) -> Array:
    """An array of a dtype that NumPy's files know."""
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array


def _typed(array: Array, type_: ValueType) -> Array:
    dtype = dtype_of(type_)
    return array.view(dtype) if dtype.name == "bfloat16" and array.dtype.itemsize == 2 else array


def _shown(argument: Argument, inputs: Mapping[str, Array]) -> Argument:
    """An argument with the domains that its samples show."""

    def typed(path: str, type_: ValueType) -> ValueType:
        if not isinstance(type_, Struct) or isinstance(type_, IndexedArray):
            return type_
        fields = (Field(f.name, typed(f"{path}.{f.name}", f.type), _domain(inputs, f"{path}.{f.name}"))
                  for f in type_.fields)  # fmt: skip
        return Struct(type_.name, tuple(fields))

    return replace(argument, type=typed(argument.name, argument.type), domain=_domain(inputs, argument.name))


def _domain(inputs: Mapping[str, Array], path: str) -> Domain | None:
    array = inputs.get(path)
    if array is None or array.dtype.kind == "b":
        return None
    values = array.astype(np.float64).reshape(-1)
    values = values[np.isfinite(values)]
    return Domain(float(values.min()), float(values.max())) if len(values) else None
