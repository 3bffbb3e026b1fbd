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
from pathlib import Path
from typing import Any

from irsmith.errors import UserError, nearest
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.entry import CannotStandAloneError, bound, of_arrays
from irsmith.frontends.jax.lower import flat, plain
from irsmith.frontends.jax.standalone import standalone
from irsmith.frontends.jax.synth.synthesis import results_of
from irsmith.frontends.source import imported, provenance_of
from irsmith.kernel import USER, Argument, Direction, Kernel, Provenance, Signature
from irsmith.outcome import Reject, Step
from irsmith.types import SCALARS

EXAMPLES = "example_args"

_SHORT = {
    "f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "i8": "int8", "i16": "int16",
    "i32": "int32", "i64": "int64", "s32": "int32", "s64": "int64", "u8": "uint8", "u16": "uint16", "u32": "uint32",
    "u64": "uint64", "pred": "bool",
}  # fmt: skip


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
        return [_describe(functions[name], name, given, text, provenance) for name, given in known.items()]
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


def parse(arguments: str) -> list[Any]:
    """Arguments from a text such as ``f32[8,16] i32`` or ``{'w': f32[8,16], 'b': f32[16]} f32[8]``.

    Returns:
        Trees of dictionaries, tuples and lists with a ``jax.ShapeDtypeStruct`` for each array.

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
            case ast.Constant(None):
                return None
            case ast.Name(short):
                sizes: list[ast.expr] = []
            case ast.Subscript(ast.Name(short), ast.Tuple(items)):
                sizes = items
            case ast.Subscript(ast.Name(short), size):
                sizes = [size]
            case _:
                raise unknown(ast.unparse(node))
        name = _SHORT.get(short, short)
        shape = [size.value for size in sizes if isinstance(size, ast.Constant) and isinstance(size.value, int)]
        if name not in SCALARS or len(shape) != len(sizes):
            raise unknown(ast.unparse(node))
        return jax.ShapeDtypeStruct(tuple(shape), numpy_dtype(name))

    try:
        return read(ast.parse(re.sub(r"(?<=\w)\[\s*\]", "[()]", word), mode="eval").body)
    except SyntaxError:
        raise unknown(word) from None


def _of_examples(path: Path, name: str, given: Any) -> list[Any]:
    import jax

    arguments = list(given) if isinstance(given, tuple | list) else [given]
    for leaf in jax.tree.leaves(arguments):
        dtype = getattr(leaf, "dtype", None)
        if (dtype is None and not isinstance(leaf, int | float)) or (dtype is not None and str(dtype) not in SCALARS):
            raise UserError(f"{path}: {EXAMPLES} of {name}: {type(leaf).__name__} is not an array")
    return arguments


def _describe(function: Any, name: str, arguments: Sequence[Any], text: str, provenance: Provenance) -> Kernel | Reject:
    import jax

    source = standalone(text, name) or text
    inner = inspect.unwrap(function)
    docstring = (inspect.getdoc(inner) or "").strip()
    try:
        given = bound(inner, frozenset(), arguments, {})
        if given.refused is not None:
            raise CannotStandAloneError(given.refused)
        results = flat(jax.eval_shape(plain(function), *arguments))
    except Exception as error:  # noqa: BLE001  (the function is a stranger's code)
        return Reject(Step.LOWER, type(error).__name__, str(error), name, USER, source)
    if not given.direct:
        text, name = of_arrays(text, name, given)
        source = standalone(text, name) or text
    leaves = [
        Argument(leaf.name, SCALARS[leaf.dtype], len(leaf.shape), Direction.IN, leaf.shape) for leaf in given.leaves
    ]
    found = [(str(result.dtype), tuple(result.shape)) for result in results]
    return Kernel(
        name=name,
        category=USER,
        description=docstring.partition("\n\n")[0].replace("\n", " "),
        source=source,
        signature=Signature((*leaves, *results_of(found)), None),
        provenance=provenance,
    )
