"""What Warp's kernels, functions and structs that live in this process are made of: the code, types and constants.

Like `irsmith.frontends.warp.compiler`, it reads Warp's private parts, of the one version that is tested.
"""

from __future__ import annotations

import ast
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from irsmith.frontends.warp.compiler import start
from irsmith.types import ArrayType, Opaque, Struct, ValueType


@dataclass(frozen=True, slots=True)
class Code:
    """A Python function that Warp compiles.

    Attributes:
        name: Its own name, without the functions that it stands in.
        source: Its lines with their decorators, without the indentation of what it stands in.
        types: What its annotations stand for, by argument, and ``return``.
        function: The Python function.
        adjoint: Warp's view of it.
    """

    name: str
    source: str
    types: dict[str, Any]
    function: Any
    adjoint: Any

    def look_up(self, name: str) -> Any:
        """What a name that is no variable of the function stands for; None if nothing."""
        from warp._src import codegen

        return codegen.resolve_closure_or_global(self.function, name)

    def has(self, name: str) -> bool:
        """Whether the function's closure or module has the name."""
        from warp._src import codegen

        return name in codegen.get_closure_vars(self.function) or name in self.function.__globals__

    def means(self, annotation: str, type_: Any) -> bool:
        """Whether an annotation, read where the function's body would be, is a type.

        It need not be: annotations are read in the scope that the function stands in, which is gone.
        """
        from warp._src import codegen
        from warp._src import types as warp_types

        try:
            found = eval(annotation, self.function.__globals__ | codegen.get_closure_vars(self.function))
        except NameError:
            return False
        if warp_types.is_array(found) and warp_types.is_array(type_):
            return found.ndim == type_.ndim and bool(warp_types.types_equal(found.dtype, type_.dtype))
        return found is type_ or found == type_

    def static_value(self, expression: str) -> tuple[bool, Any]:
        """Whether a ``wp.static`` has a value before the function runs, and the value."""
        found = self.adjoint.resolved_static_expressions
        key = expression.replace("\n", "")
        if key in found:
            return True, found[key]
        try:
            # What was not defined yet when the function was declared may be now.
            return True, eval(key, self.adjoint.get_static_evaluation_context())
        except Exception:  # noqa: BLE001  (the expression is a stranger's)
            return False, None


def code_of(thing: Any) -> Code:
    """The Python function behind a kernel or a ``@wp.func``.

    Raises:
        ValueError: Its text was changed before it was compiled.
    """
    adjoint = thing.adj
    if adjoint.transformers:
        raise ValueError(f"{thing.key} was transformed when it was made")
    return Code(thing.func.__name__, adjoint.source, dict(adjoint.arg_types), thing.func, adjoint)


def kernel_options(kernel: Any) -> dict[str, Any]:
    """The options of a kernel's own decorator."""
    return {name: value for name, value in kernel.options.items() if value is not None}


def module_options(kernel: Any) -> dict[str, Any]:
    """The options of a kernel's module that are not Warp's default ones, and that a text depends on."""
    from warp._src import context

    usual = context.Module("irsmith_defaults", None).options
    names = ("max_unroll", "enable_backward", "fast_math", "fuse_fp", "mode", "block_dim", "default_grid_stride",
             "enable_mathdx_gemm", "enable_mathdx_solver", "enable_mathdx_fft")  # fmt: skip
    given = kernel.module.options
    return {name: given[name] for name in names if given[name] != usual[name]}


def original_of(kernel: Any) -> Any:
    """The generic kernel that a kernel is an instance of, or the kernel itself."""
    original = kernel.module.kernels.get(kernel.key)
    return original if original is not None and original.is_generic else kernel


def instance_for(kernel: Any, arguments: list[Any]) -> Any:
    """What of a kernel a launch with these arguments runs: itself, or the instance of a generic one.

    An instance that there is not yet is made, as the launch itself makes it.
    """
    return kernel.add_overload(kernel.infer_argument_types(arguments)) if kernel.is_generic else kernel


def argument_types(kernel: Any) -> list[Any]:
    """The types of a kernel's arguments, in order."""
    return [argument.type for argument in kernel.adj.args]


def members_of(function: Any) -> list[Any]:
    """The overloads of a ``@wp.func`` that its author wrote, in order."""
    found = {id(function): function}
    for member in (*function.user_overloads.values(), *function.user_templates.values()):
        found[id(member)] = member
    return [member for member in found.values() if member.generic_parent is None]


def snippets_of(function: Any) -> dict[str, str]:
    """The native texts of a function, by argument of `wp.func_native`."""
    found = {
        "snippet": function.native_snippet,
        "adj_snippet": function.adj_native_snippet,
        "replay_snippet": function.replay_snippet,
    }
    return {name: text for name, text in found.items() if text is not None}


def inline_of(function: Any) -> str | None:
    """The inlining that a function's decorator asks for."""
    hint: str | None = function.inline_hint
    return hint


def gradient_of(function: Any) -> Any:
    """The custom gradient of a function, or None."""
    return function.custom_grad_func


def replay_of(function: Any) -> Any:
    """The custom replay of a function, or None."""
    return function.custom_replay_func


def is_function(thing: Any) -> bool:
    """Whether a thing is a function that kernels call."""
    from warp._src import context

    return isinstance(thing, context.Function)


def is_builtin(function: Any) -> bool:
    """Whether a function is one of Warp's own."""
    return bool(function.is_builtin())


def operator_name(node: ast.operator | ast.unaryop) -> str | None:
    """The name of the function that an operator calls; None where it calls none."""
    from warp._src import codegen

    name: str | None = codegen.builtin_operators.get(type(node))
    return name


def is_warp(thing: Any) -> bool:
    """Whether a thing is Warp's own module."""
    return thing is start()


def is_warp_function(function: types.FunctionType) -> bool:
    """Whether a Python function belongs to the part of Warp that kernels may call."""
    return function.__module__ == "warp._src.builtins"


def static() -> Any:
    """Warp's ``static``."""
    return start().static


def public(name: str) -> bool:
    """Whether kernels may use a name of Warp's without its module."""
    from warp._src import context

    return hasattr(start(), name) or name in context.builtin_functions


def public_name(value: Any, wanted: str) -> str | None:
    """The name in Warp's module of a type or constant of its own, or None."""
    wp = start()
    if isinstance(value, type) or (value.__class__.__module__ or "").startswith("warp"):
        for name in (wanted, getattr(value, "__name__", "")):
            if name and getattr(wp, name, None) is value:
                return name
    return None


def is_struct(thing: Any) -> bool:
    """Whether a thing is a ``@wp.struct``."""
    from warp._src import codegen

    return isinstance(thing, codegen.Struct)


def struct_name(struct: Any) -> str:
    """The name of a struct's class."""
    name: str = struct.cls.__name__
    return name


def fields_of(struct: Any) -> list[tuple[str, Any]]:
    """The fields of a struct and their types."""
    return [(name, variable.type) for name, variable in struct.vars.items()]


def spelled_type(type_: Any, spell: Callable[[Any], str]) -> str | None:
    """A type as an annotation, or None where there is none for it.

    Args:
        type_: The type.
        spell: How a type within it is spelled.
    """
    from warp._src import types as warp_types

    wp = start()
    if type_ in (float, int, bool):
        return str(type_.__name__)
    if type_ is Any:
        return "Any"
    if warp_types.is_array(type_):
        # ``_IndexedArrayAnnotation`` and its like, or the array's own class.
        kind = type(type_).__name__.removeprefix("_").removesuffix("Annotation").lower()
        if kind not in ("array", "indexedarray", "fabricarray", "indexedfabricarray"):
            return None
        dtype = spell(type_.dtype)
        return f"wp.{kind}(dtype={dtype})" if type_.ndim == 1 else f"wp.{kind}(dtype={dtype}, ndim={type_.ndim})"
    name = getattr(type_, "__name__", "")
    if name and getattr(wp, name, None) is type_:
        return f"wp.{name}"
    if typing.get_origin(type_) is tuple:
        return f"tuple[{', '.join(spell(item) for item in typing.get_args(type_))}]"
    if warp_types.is_tile(type_):
        plain = type_.storage == "register" and type_.layout == "rowmajor" and type_.owner
        extents = () if type_.shape is Any else type_.shape
        return f"wp.tile[{', '.join([spell(type_.dtype), *map(str, extents)])}]" if plain else None
    if not isinstance(type_, type):
        return None
    made: Any = type_
    dtype = f"dtype={spell(made._wp_scalar_type_)}" if hasattr(made, "_wp_scalar_type_") else ""
    if warp_types.type_is_quaternion(made):
        return f"wp.types.quaternion({dtype})"
    if warp_types.type_is_transformation(made):
        return f"wp.types.transformation({dtype})"
    if warp_types.type_is_matrix(made):
        return f"wp.types.matrix(shape={tuple(made._shape_)!r}, {dtype})"
    if warp_types.type_is_vector(made):
        return f"wp.types.vector(length={made._length_}, {dtype})"
    return None


def scalar_value(value: Any) -> Any:
    """The Python value of an instance of one of Warp's scalar types, or None."""
    from warp._src import types as warp_types

    return value.value if type(value) in warp_types.scalar_and_bool_types else None


def values_of(value: Any, type_: ValueType) -> Any:
    """What an argument that is passed by value holds, as NumPy holds it; of a struct, each field's by name.

    Raises:
        ValueError: It is of a type that no values can be made of.
    """
    if isinstance(type_, Opaque | ArrayType):
        raise ValueError(f"of type {type_}")
    if isinstance(type_, Struct):
        return {field.name: values_of(getattr(value, field.name), field.type) for field in type_.fields}
    scalar = scalar_value(value)
    return np.asarray(value if scalar is None else scalar)


def size_of(type_: Any) -> int:
    """The bytes of one element of an array of a type."""
    from warp._src import types as warp_types

    return int(warp_types.type_size_in_bytes(type_))


def components_of(value: Any) -> list[Any] | None:
    """The Python values of the components of a vector, matrix, quaternion or transformation, row by row, or None."""
    if getattr(type(value), "_wp_scalar_type_", None) is None:
        return None
    flat = np.array(value).reshape(-1)
    return [component.item() for component in flat]
