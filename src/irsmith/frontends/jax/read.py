"""Find the functions of a user's own file by importing it. Run this in a process of its own.

JAX's functions state no types. They come from the command line, or from ``example_args`` in the file: a tuple of
arrays for its one function, or a dictionary of such tuples by function.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irsmith.errors import UserError, nearest
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.lower import flat, plain
from irsmith.frontends.jax.standalone import standalone
from irsmith.frontends.jax.synth.synthesis import results_of
from irsmith.frontends.source import imported, provenance_of
from irsmith.kernel import USER, Argument, Direction, Kernel, Provenance, Signature
from irsmith.outcome import Reject, Step
from irsmith.types import SCALARS

EXAMPLES = "example_args"

_ARGUMENT = re.compile(r"(?P<dtype>\w+)(?:\[(?P<shape>[\d,\s]*)\])?")
_SHORT = {
    "f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "i8": "int8", "i16": "int16",
    "i32": "int32", "i64": "int64", "s32": "int32", "s64": "int64", "u8": "uint8", "u16": "uint16", "u32": "uint32",
    "u64": "uint64", "pred": "bool",
}  # fmt: skip

Shape = tuple[str, tuple[int, ...]]
"""A dtype and a shape."""


def read(path: Path, kernel: str | None, arguments: str | None) -> list[Kernel | Reject]:
    """The functions that a file defines and whose arguments are known, in the file's order.

    Raises:
        UserError: No arguments are known for the function that is wanted, or they cannot be read.
    """
    compiler.start()
    text = path.read_text(encoding="utf-8")
    provenance = provenance_of(path, text)
    try:
        module = imported(path)
        functions = _functions(module, path)
        known = _known(path, module, functions, kernel, arguments)
        return [_describe(functions[name], name, shapes, text, provenance) for name, shapes in known.items()]
    finally:
        compiler.reset()


def _functions(module: types.ModuleType, path: Path) -> dict[str, Any]:
    found = {}
    for name, value in vars(module).items():
        inner = inspect.unwrap(value) if callable(value) else None
        if isinstance(inner, types.FunctionType) and inner.__code__.co_filename == str(path):
            found[name] = value
    return dict(sorted(found.items(), key=lambda item: inspect.unwrap(item[1]).__code__.co_firstlineno))


def _known(
    path: Path, module: types.ModuleType, functions: Mapping[str, Any], kernel: str | None, arguments: str | None
) -> dict[str, list[Shape]]:
    """The arguments of each function that has any stated."""
    if kernel is not None and kernel not in functions:
        raise UserError(f"{path}: no function {kernel!r}: {nearest(kernel, functions)}")
    if arguments is not None:
        if kernel is None and len(functions) != 1:
            raise UserError(f"--args: {path} has {len(functions)} functions: say which with --function")
        return {kernel or next(iter(functions)): parse(arguments)}
    given = getattr(module, EXAMPLES, None)
    if isinstance(given, dict):
        found = {name: _of_examples(path, name, given[name]) for name in functions if name in given}
    elif given is not None and (kernel is not None or len(functions) == 1):
        name = kernel or next(iter(functions))
        found = {name: _of_examples(path, name, given)}
    else:
        found = {}
    if (kernel is not None and kernel not in found) or not found:
        raise UserError(
            f"{path}: the types of {kernel or 'its functions'} are not known: give --function NAME --args "
            f"'f32[8,16] f32[16]', or {EXAMPLES} in the file"
        )
    return found


def parse(arguments: str) -> list[Shape]:
    """Types and shapes from a text such as ``f32[8,16] f32[] i32``.

    Raises:
        UserError: It cannot be read.
    """
    found = []
    for word in re.findall(r"\S+?\[[^\]]*\]|\S+", arguments):
        match = _ARGUMENT.fullmatch(word)
        name = _SHORT.get(match["dtype"], match["dtype"]) if match else ""
        if match is None or name not in SCALARS:
            raise UserError(f"--args: {word!r} is not a type with a shape, such as f32[8,16]")
        shape = tuple(int(size) for size in re.findall(r"\d+", match["shape"] or ""))
        found.append((name, shape))
    return found


def _of_examples(path: Path, name: str, given: Any) -> list[Shape]:
    found = []
    for value in given if isinstance(given, tuple | list) else (given,):
        dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
        if dtype is None or shape is None or str(dtype) not in SCALARS:
            raise UserError(f"{path}: {EXAMPLES} of {name}: {type(value).__name__} is not an array")
        found.append((str(dtype), tuple(shape)))
    return found


def _describe(function: Any, name: str, shapes: Sequence[Shape], text: str, provenance: Provenance) -> Kernel | Reject:
    import jax

    from irsmith.frontends.jax.dtypes import numpy_dtype

    source = standalone(text, name) or text
    inner = inspect.unwrap(function)
    names = list(inspect.signature(inner).parameters)[: len(shapes)]
    docstring = (inspect.getdoc(inner) or "").strip()
    given = [
        Argument(label, SCALARS[dtype], len(shape), Direction.IN, shape)
        for label, (dtype, shape) in zip(names, shapes, strict=False)
    ]
    try:
        structs = [jax.ShapeDtypeStruct(shape, numpy_dtype(dtype)) for dtype, shape in shapes]
        results = flat(jax.eval_shape(plain(function), *structs))
    except Exception as error:  # noqa: BLE001  (the function is a stranger's code)
        return Reject(Step.LOWER, type(error).__name__, str(error), name, USER, source)
    found = [(str(result.dtype), tuple(result.shape)) for result in results]
    return Kernel(
        name=name,
        category=USER,
        description=docstring.partition("\n\n")[0].replace("\n", " "),
        source=source,
        signature=Signature((*given, *results_of(found)), None),
        provenance=provenance,
    )
