"""Find the functions of a user's own file by importing it. Run this in a process of its own.

JAX's functions state no types. They come from the command line, or from ``example_args`` in the file: a tuple of
arguments for its one function, or a dictionary of such tuples by function. An argument may be a tree of arrays. The
row's function then takes the leaves, and calls the file's own.
"""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irsmith.errors import UserError, nearest
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.entry import (
    CannotStandAloneError,
    bound,
    of_arrays,
    returned_as,
    static_names,
)
from irsmith.frontends.jax.lower import flat, plain, staged
from irsmith.frontends.jax.standalone import EXAMPLES, standalone
from irsmith.frontends.source import imported, provenance_of
from irsmith.kernel import USER, Argument, Direction, Kernel, Provenance, Signature
from irsmith.outcome import Reject, Step
from irsmith.types import SCALARS

_SHORT = {
    "f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "i8": "int8", "i16": "int16",
    "i32": "int32", "i64": "int64", "s32": "int32", "s64": "int64", "u8": "uint8", "u16": "uint16", "u32": "uint32",
    "u64": "uint64", "pred": "bool",
}  # fmt: skip


def read(path: Path, kernel: str | None, arguments: str | None) -> list[Kernel | Reject]:
    """The functions that a file defines and whose arguments are known, in the file's order.

    What takes trees of arrays, or is no ``def`` of the file's, is called by one that is written for it.

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
        # All of them as the file leaves JAX's options, which no text has changed yet.
        found = [_described(module, functions[name], name, given, text, provenance) for name, given in known.items()]
        return [item if isinstance(item, Reject) else _proved(*item) for item in found]
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
) -> dict[str, list[Any]]:
    """The arguments of each function that has any stated, with arrays or their types as leaves."""
    if kernel is not None and kernel not in functions:
        raise UserError(f"{path}: no function {kernel!r}: {nearest(kernel, functions)}")
    if arguments is not None:
        if kernel is None and len(functions) != 1:
            raise UserError(f"--args: {path} has {len(functions)} functions: say which with --function")
        parsed = parse(arguments)
        wide = _wide(parsed)
        if wide is not None:
            raise UserError(f"--args: {wide}")
        return {kernel or next(iter(functions)): parsed}
    given = getattr(module, EXAMPLES, None)
    if isinstance(given, dict):
        found = {name: _of_examples(given[name]) for name in functions if name in given}
    elif given is not None and (kernel is not None or len(functions) == 1):
        name = kernel or next(iter(functions))
        found = {name: _of_examples(given)}
    else:
        found = {}
    if (kernel is not None and kernel not in found) or not found:
        raise UserError(
            f"{path}: the types of {kernel or 'its functions'} are not known: give --function NAME --args "
            f"'f32[8,16] f32[16]', or {EXAMPLES} in the file"
        )
    return found


def parse(arguments: str) -> list[Any]:
    """Arguments from a text such as ``f32[8,16] i32`` or ``{'w': f32[8,16], 'b': f32[16]} f32[8] 3``.

    Returns:
        Trees of dictionaries, tuples and lists with a ``jax.ShapeDtypeStruct`` for each array, and a value as it is.

    Raises:
        UserError: It cannot be read.
    """
    return [_tree(word) for word in _words(arguments)]


def _words(arguments: str) -> list[str]:
    """What white space outside of brackets separates."""
    words, depth = [""], 0
    for letter in arguments:
        depth += (letter in "([{") - (letter in ")]}")
        if letter.isspace() and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return [word for word in words if word]


def _tree(word: str) -> Any:
    import jax

    from irsmith.frontends.jax.dtypes import numpy_dtype

    def unknown(text: str) -> UserError:
        return UserError(f"--args: {text!r} is not a type with a shape, such as f32[8,16], or a tree of them")

    def read(node: ast.expr) -> Any:
        match node:
            case ast.Dict(keys, values) if all(isinstance(key, ast.Constant) for key in keys):
                return {
                    key.value: read(v) for key, v in zip(keys, values, strict=True) if isinstance(key, ast.Constant)
                }
            case ast.Tuple(items):
                return tuple(read(item) for item in items)
            case ast.List(items):
                return [read(item) for item in items]
            case ast.Constant(None | bool() | int() | float() | str() as value):
                return value
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
                return -value
            case ast.Name(short):
                sizes: list[ast.expr] = []
            case ast.Subscript(ast.Name(short), ast.Tuple(items)):
                sizes = items
            case ast.Subscript(ast.Name(short), size):
                sizes = [size]
            case _:
                raise unknown(ast.unparse(node))
        name = _SHORT.get(short, short)
        # True is an integer to Python.
        shape = [size.value for size in sizes if isinstance(size, ast.Constant) and type(size.value) is int]
        if name not in SCALARS or len(shape) != len(sizes):
            raise unknown(ast.unparse(node))
        return jax.ShapeDtypeStruct(tuple(shape), numpy_dtype(name))

    if word.endswith(","):
        raise UserError(f"--args: {word!r}: spaces stand between arguments, without commas")
    try:
        return read(ast.parse(re.sub(r"(?<=\w)\[\s*\]", "[()]", word), mode="eval").body)
    except SyntaxError:
        raise unknown(word) from None


def _of_examples(given: Any) -> list[Any]:
    return list(given) if isinstance(given, tuple | list) else [given]


def _wide(arguments: Any) -> str | None:
    """Why JAX would take arrays for narrower ones than they are, or None."""
    import jax

    for leaf in jax.tree.leaves(arguments):
        dtype = getattr(leaf, "dtype", None)
        if dtype is not None and str(dtype) in SCALARS and jax.dtypes.canonicalize_dtype(dtype) != dtype:
            narrow = jax.dtypes.canonicalize_dtype(dtype)
            return (
                f"{dtype}, which JAX takes for {narrow}: give {narrow}, or set jax_enable_x64 in the file with "
                'jax.config.update("jax_enable_x64", True)'
            )
    return None


def _described(
    module: types.ModuleType, function: Any, name: str, arguments: Sequence[Any], text: str, provenance: Provenance
) -> Reject | tuple[Kernel, _Meaning]:
    """A function as a kernel, and what it means in its file."""
    source = standalone(text, name) or text
    inner = inspect.unwrap(function)
    docstring = (inspect.getdoc(inner) or "").strip()
    try:
        given = bound(inner, static_names(inner, *compiler.static_arguments(function)), arguments, {})
        wide = _wide(arguments)
        if given.refused is not None or wide is not None:
            raise CannotStandAloneError(given.refused or f"it is given an array of {wide}")
        entry, called = name, plain(function)
        if not given.direct or not _defines(text, name):
            definition, entry = of_arrays(name, given)
            exec(definition, vars(module))
            called = getattr(module, entry)
            text += definition
            source = standalone(text, entry) or text
        meaning = _meaning(called, entry, given.arguments, module.__name__)
        returned = returned_as(meaning.results)
    except CannotStandAloneError as error:
        return _alone(name, error, source)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (the function is a stranger's code)
        return Reject(Step.LOWER, type(error).__name__, str(error), name, USER, source)
    kernel = Kernel(
        name=entry,
        category=USER,
        description=docstring.partition("\n\n")[0].replace("\n", " "),
        source=source,
        signature=Signature((*given.arguments, *returned), None),
        provenance=provenance,
    )
    return kernel, meaning


def _alone(name: str, reason: object, source: str) -> Reject:
    return Reject(Step.LOWER, "CannotStandAlone", f"{name} cannot stand alone: {reason}", name, USER, source)


def _defines(text: str, name: str) -> bool:
    return any(isinstance(statement, ast.FunctionDef) and statement.name == name for statement in ast.parse(text).body)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a function means to JAX.

    Attributes:
        results: The dtype and the shape of each leaf of what it returns.
        traced: Its jaxpr and its vector-Jacobian product's, with their constants.
    """

    results: tuple[tuple[str, tuple[int, ...]], ...]
    traced: tuple[Any, ...]


def _meaning(function: Any, name: str, arguments: Sequence[Argument], module: str) -> _Meaning:
    forward, backward = staged(function, name, arguments)
    results = tuple((str(result.dtype), tuple(result.shape)) for result in flat(forward.results))
    return _Meaning(results, tuple(one.meaning(module) if one is not None else None for one in (forward, backward)))


def _proved(kernel: Kernel, meaning: _Meaning) -> Kernel | Reject:
    """A kernel whose text alone means what the function does in its file, or why it is none."""
    arguments = [a for a in kernel.signature.arguments if a.direction is not Direction.OUT]
    try:
        with compiler.declared(kernel.source) as module:
            found = _meaning(plain(getattr(module, kernel.name)), kernel.name, arguments, module.__name__)
    except Exception as error:  # noqa: BLE001  (the function is a stranger's code)
        return _alone(kernel.name, f"its text raises {type(error).__name__}: {error}", kernel.source)
    if found != meaning:
        reason = "something in its file, or beside it, changes what it uses in a way that its text does not show"
        return _alone(kernel.name, reason, kernel.source)
    return kernel
