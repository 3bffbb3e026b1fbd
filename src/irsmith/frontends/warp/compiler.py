"""From a source text to the texts that Warp's JIT writes, by Warp's private API.

No other module but `irsmith.frontends.warp.live` touches that. What both rely on was read from, and
tested with, one version of Warp; `require` refuses any other.

Warp's own texts carry a hash behind struct names, a process-wide counter behind function names and
absolute file lines, none of which follows from the source. Here each source is declared in a Warp module
of its own under one file name, and structs and functions are named before the build, object by object, by
the order in which the kernel reaches them. The rest is what Warp writes.
"""

from __future__ import annotations

import ast
import importlib.metadata
import itertools
import linecache
import os
import re
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from irsmith.errors import UserError
from irsmith.types import (
    SCALARS,
    ArrayType,
    Field,
    IndexedArray,
    Matrix,
    Opaque,
    Quaternion,
    Struct,
    Transformation,
    ValueType,
    Vector,
)

TESTED_VERSION = "1.19.0"
FILE_NAME = "kernel.py"
"""The file that Warp's comments name, whatever the source's real file was."""

MODULE_NAME = "irsmith_kernel"
DEFAULT_BLOCK = 256
_SCALARS = {name: scalar for name, scalar in SCALARS.items() if name != "bfloat16"}
CUDA_ARCHITECTURE = 80
"""The architecture that tile operations, whose code depends on one, are built for."""

_LINE_MARK = re.compile(r"<L (\d+)>$")
_IDENTIFIERS_OF_WARP = re.compile(r"(var|adj|ret|label|start_for|end_for|start_while|end_while)_\d+|label\d+")


def require() -> None:
    """Check that the installed Warp is the tested one, without importing it.

    Raises:
        UserError: Warp is not installed, or it is another version; the message names both.
    """
    try:
        found = importlib.metadata.version("warp-lang")
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            "the warp frontend needs NVIDIA Warp, which is not installed: pip install 'irsmith[warp]'"
        ) from None
    if found != TESTED_VERSION:
        raise UserError(
            f"the warp frontend was tested with warp-lang {TESTED_VERSION}, but {found} is installed: "
            f"pip install warp-lang=={TESTED_VERSION}"
        )


_users: list[Any] = []


def join(wp: Any) -> None:
    """Use the Warp of a program that runs in this process, as the program has set it up.

    Args:
        wp: Warp's module, once the program has started it.

    Raises:
        UserError: As `require`.
    """
    require()
    _users.append(wp)


@cache
def start() -> Any:
    """Import the tested Warp and start its runtime, which some types and tile operations ask; once a process.

    Raises:
        UserError: As `require`.
    """
    if _users:
        return _users[0]
    require()
    import warp as wp

    wp.config.log_level = wp.LOG_ERROR
    # Without a driver, Warp's library says so on the process's standard error, past any Python stream.
    sys.stderr.flush()
    aside = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        wp.init()
    finally:
        os.dup2(aside, 2)
        os.close(aside)
    return wp


@contextmanager
def declared(source: str) -> Iterator[types.ModuleType]:
    """Execute a source text as a module of its own, and forget it afterwards.

    The module's name and file are the same for every source, so nothing of where the text came from reaches
    Warp. Whatever the source itself raises comes through.
    """
    start()
    from warp._src import context

    module = types.ModuleType(MODULE_NAME)
    module.__file__ = FILE_NAME
    linecache.cache[FILE_NAME] = (len(source), None, source.splitlines(keepends=True), FILE_NAME)
    before = set(context.user_modules)
    sys.modules[MODULE_NAME] = module
    try:
        with _no_other_modules():
            exec(compile(source, FILE_NAME, "exec"), module.__dict__)
        yield module
    finally:
        # Warp keeps modules and their kernels for the life of the process: drop them, or memory grows.
        # What the source has imported stays, for it is imported once a process, and with it what that has made.
        new = [name for name in context.user_modules if name not in before]
        ours = [name for name in new if _is_of(context.user_modules[name], module)]
        made = [context.user_modules.pop(name) for name in ours]
        # They may refer to each other.
        for one in made:
            one._detach_references()
        for one in made:
            _take_apart(one)
        sys.modules.pop(MODULE_NAME, None)
        linecache.cache.pop(FILE_NAME, None)
        module.__dict__.clear()


def _is_of(made: Any, module: types.ModuleType) -> bool:
    """Whether a Warp module is that of a Python module, or holds what that has made."""
    members = [*made._get_live_kernels(), *made.functions.values()]
    return made.name == MODULE_NAME or any(member.func.__globals__ is module.__dict__ for member in members)


@contextmanager
def _no_other_modules() -> Iterator[None]:
    """Keep Warp from looking through what is declared for other modules that it uses: a source is one module."""
    from warp._src import context

    find = context.Module._find_references
    context.Module._find_references = lambda *_: None
    try:
        yield
    finally:
        context.Module._find_references = find


def _take_apart(module: Any) -> None:
    """Break the cycles between a Warp module, its kernels and their builds, so that they go without a search."""
    for kernel in module._get_live_kernels():
        vars(kernel.adj).clear()
    for function in module.functions.values():
        for member in (*function.user_overloads.values(), *function.user_templates.values()):
            vars(member.adj).clear()
    vars(module).clear()


def kernel_of(module: types.ModuleType, name: str) -> Any:
    """The Warp kernel of a declared module by its key, wherever in the module it was made.

    Raises:
        KeyError: There is none.
    """
    from warp._src import context

    found = module.__dict__.get(name)
    if isinstance(found, context.Kernel):
        return found
    for kernel in registered_kernels():
        if kernel.key == name and kernel.func.__globals__ is module.__dict__:
            return kernel
    raise KeyError(name)


def instances_of(kernel: Any) -> list[Any]:
    """What of a kernel can be lowered: itself, or the overloads that a generic one has."""
    return list(kernel.overloads.values()) if kernel.is_generic else [kernel]


def uses_tiles(kernel: Any) -> bool:
    """Whether a kernel's own statements name a tile operation."""
    source: str = kernel.adj.source
    return "tile_" in source


def registered_kernels() -> list[Any]:
    """The kernels of every module that this process has imported."""
    from warp._src import context

    return [kernel for module in list(context.user_modules.values()) for kernel in module.kernels.values()]


def live_kernels() -> list[Any]:
    """The kernels of every module that something still refers to, those that share a name included, in no order."""
    from warp._src import context

    return [kernel for module in list(context.user_modules.values()) for kernel in module._get_live_kernels()]


def builtins() -> dict[str, tuple[str, bool]]:
    """The group of each builtin that Warp registers, and whether some overload of it has an adjoint, in order."""
    start()
    from warp._src import context

    found = {}
    for name, function in context.builtin_functions.items():
        overloads = getattr(function, "overloads", None) or [function]
        found[name] = function.group, any(overload.is_differentiable for overload in overloads)
    return found


def arguments_of(kernel: Any) -> Iterator[tuple[str, ValueType, int]]:
    """The name, the element type and the rank of each argument of a kernel, in order."""
    from warp._src import types as warp_types

    for argument in kernel.adj.args:
        if warp_types.matches_array_class(argument.type, warp_types.indexedarray):
            yield argument.label, IndexedArray.of(type_of(argument.type.dtype), argument.type.ndim), 0
        elif warp_types.is_array(argument.type):
            yield argument.label, type_of(argument.type.dtype), argument.type.ndim
        else:
            yield argument.label, type_of(argument.type), 0


def type_of(type_: Any) -> ValueType:
    """A Warp type as one of irsmith's; what irsmith has no type for keeps Warp's name."""
    from warp._src import codegen
    from warp._src import types as warp_types

    if isinstance(type_, warp_types.array | warp_types._ArrayAnnotation):
        return ArrayType(type_of(type_.dtype), type_.ndim)
    if isinstance(type_, codegen.Struct):
        fields = tuple(Field(name, type_of(variable.type)) for name, variable in type_.vars.items())
        return Struct(type_.key, fields)
    name = getattr(type_, "__name__", str(type_))
    scalar = _SCALARS.get({"float": "float32", "int": "int32"}.get(name, name))
    if scalar is not None:
        return scalar
    component = _SCALARS.get(getattr(getattr(type_, "_wp_scalar_type_", None), "__name__", ""))
    if component is None or warp_types.is_array(type_):
        return Opaque(name)
    if warp_types.type_is_quaternion(type_):
        return Quaternion(component)
    if warp_types.type_is_transformation(type_):
        return Transformation(component)
    if warp_types.type_is_matrix(type_):
        rows, columns = type_._shape_
        return Matrix(rows, columns, component)
    if warp_types.type_is_vector(type_):
        return Vector(type_._length_, component)
    return Opaque(name)


@dataclass(slots=True)
class _Names:
    """Canonical names for the functions and structs that a kernel reaches."""

    counts: dict[str, int] = field(default_factory=dict)
    functions: dict[int, Any] = field(default_factory=dict)
    structs: dict[bytes, str] = field(default_factory=dict)

    def _name(self, key: str) -> str:
        number = self.counts.get(key, 0)
        self.counts[key] = number + 1
        name = f"{key}_{number}"
        # A helper called `var` must not become one of Warp's own temporaries.
        return f"{name}_" if _IDENTIFIERS_OF_WARP.fullmatch(name) else name

    def adjoint(self, adj: Any) -> None:
        """Name everything that the body and the signature of a kernel or function refer to."""
        _, referenced_types, functions = adj.get_references()
        for type_ in itertools.chain(adj.arg_types.values(), referenced_types):
            self.type(type_)
        for function in functions:
            if not function.is_builtin():
                self.function(function)

    def type(self, type_: Any) -> None:
        """Name a struct, and the structs within it."""
        from warp._src import codegen
        from warp._src import types as warp_types

        if warp_types.is_array(type_):
            type_ = type_.dtype
        if not isinstance(type_, codegen.Struct):
            return
        for variable in type_.vars.values():
            self.type(variable.type)
        # Warp's hash of a struct is of its name and fields: equal ones are one struct in the text.
        if type_.hash not in self.structs:
            self.structs[type_.hash] = self._name(type_.key)
        name = self.structs[type_.hash]
        type_.native_name = name
        type_.instance_type.native_name = name
        for constructor in (type_.default_constructor, type_.value_constructor):
            constructor.key = constructor.native_func = name

    def function(self, function: Any) -> None:
        """Name a function, its overloads, its custom gradient and replay, and what they refer to."""
        if id(function) in self.functions:
            return
        members = {
            id(member): member
            for member in (function, *function.user_overloads.values(), *function.user_templates.values())
        }
        for member in members.values():
            # An instance of a generic function is told apart by C++ overloading and shares the name.
            if member.generic_parent is None and id(member) not in self.functions:
                self.functions[id(member)] = member
                member.native_func = self._name(member.key)
        for member in members.values():
            if member.generic_parent is not None:
                self.functions[id(member)] = member
                member.native_func = member.generic_parent.native_func
            # Specialisations on callable arguments carry a digest of the name that they had.
            member.__dict__.pop("_callable_specializations", None)
            if member.custom_grad_func is not None:
                self.functions[id(member.custom_grad_func)] = member.custom_grad_func
                member.custom_grad_func.native_func = member.native_func
                self.adjoint(member.custom_grad_func.adj)
            if member.custom_replay_func is not None:
                self.function(member.custom_replay_func)
            self.adjoint(member.adj)

    def named(self, builder: Any) -> bool:
        """Name what a build holds and no reference led to; whether there was nothing of the kind.

        A function that is handed to ``wp.tile_map`` is such a thing.
        """
        structs = [struct for struct in builder.structs if struct.native_name != self.structs.get(struct.hash)]
        # Specialisations on callable arguments are named where texts are written.
        functions = [
            function
            for function in builder.functions
            if id(function) not in self.functions and "_callable_" not in function.native_func
        ]
        for struct in structs:
            self.type(struct)
        for function in functions:
            self.function(function)
        return not structs and not functions


class _OneKernel:
    """Stands for Warp's module hasher where a build is of one kernel and no hash is wanted."""

    def __init__(self, kernel: Any) -> None:
        self.unique_kernels = {b"": kernel}

    def get_unique_kernels(self) -> Any:
        return self.unique_kernels.values()


def emit(kernel: Any) -> dict[str, dict[str, str]]:
    """The texts that Warp writes for one kernel: device (``cpu`` or ``cuda``) to part to text.

    The parts are those of `irsmith.frontends.warp.stages`. Whatever Warp raises comes through.
    """
    wp = start()
    from warp._src import codegen

    module = kernel.module
    module.options["strip_hash"] = True
    kernel.hash = b""
    # Of a module that is built for a debugger; Warp's comments name the lines all the same.
    options = module.resolve_options(wp.config) | {"line_directives": False}
    kernel.grid_stride = codegen.resolve_grid_stride(kernel.options, options["default_grid_stride"])

    names = _Names()
    names.adjoint(kernel.adj)
    # Warp launches a CPU kernel in blocks of one thread unless it is told otherwise.
    cpu_block = 1 if options["block_dim"] == DEFAULT_BLOCK else options["block_dim"]
    cpu = options | {"block_dim": cpu_block, "output_arch": None}
    cuda = options | {"output_arch": CUDA_ARCHITECTURE}
    builder = _build(kernel, cpu, names, "cpu")
    with _types_spelled_once():
        on_cpu = _texts(builder, kernel, "cpu", cpu)
    if _uses_tiles(builder):
        # Only tiles are built otherwise for another device.
        builder = _build(kernel, cuda, names, "cuda")
    with _types_spelled_once():
        return {"cpu": on_cpu, "cuda": _texts(builder, kernel, "cuda", cuda)}


@contextmanager
def _promoted_in_order() -> Iterator[None]:
    """Have counters of unrolled loops that a later loop changes copied in the order in which that loop names them.

    Warp goes through a set of names, whose order is another one in each process.
    """
    from warp._src import codegen

    promote = codegen.Adjoint._promote_mutated_iter_constants

    def in_order(adjoint: Any, body: list[ast.stmt]) -> None:
        named = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)]
        for name in dict.fromkeys(node.id for node in named if isinstance(node.ctx, ast.Store)):
            promote(adjoint, [ast.Name(name, ast.Store())])

    codegen.Adjoint._promote_mutated_iter_constants = in_order
    try:
        yield
    finally:
        codegen.Adjoint._promote_mutated_iter_constants = promote


@contextmanager
def _types_spelled_once() -> Iterator[None]:
    """Remember how each type is spelled in C++ while texts are written: Warp works it out for every variable."""
    from warp._src import codegen

    spell = codegen.Var.type_to_ctype
    # The type stands in the entry so that its id is not given to another.
    known: dict[tuple[int, bool], tuple[Any, str]] = {}

    def spelled(type_: Any, value_type: bool = False) -> str:
        entry = known.get((id(type_), value_type))
        if entry is None:
            entry = known[id(type_), value_type] = (type_, spell(type_, value_type))
        return entry[1]

    codegen.Var.type_to_ctype = staticmethod(spelled)
    try:
        yield
    finally:
        codegen.Var.type_to_ctype = staticmethod(spell)


_overloads: dict[tuple[Any, ...], Any] = {}


@contextmanager
def _overloads_found_once() -> Iterator[None]:
    """Remember which overload of Warp's builtins takes which of Warp's own types, from one kernel to the next.

    A third of Warp's time goes into trying the overloads of `add` and its like anew for every call.
    """
    from warp._src import codegen

    find = codegen.Adjoint.resolve_func

    def found(adj: Any, func: Any, arg_types: Any, kwarg_types: Any, min_outputs: Any) -> Any:
        if kwarg_types or not func.is_builtin():
            return find(adj, func, arg_types, kwarg_types, min_outputs)
        key = (func, min_outputs, *map(_named_type, arg_types))
        if None in key[2:]:
            return find(adj, func, arg_types, kwarg_types, min_outputs)
        overload = _overloads.get(key)
        if overload is None:
            overload = _overloads[key] = find(adj, func, arg_types, kwarg_types, min_outputs)
        return overload

    codegen.Adjoint.resolve_func = found
    try:
        yield
    finally:
        codegen.Adjoint.resolve_func = find


def _named_type(type_: Any) -> Any:
    """What tells one of Warp's own types, or an array of those, from all others; None for what is of one kernel."""
    from warp._src import types as warp_types

    if isinstance(type_, warp_types.Reference):
        type_ = type_.value_type
    if isinstance(type_, type):
        return type_ if type_.__module__ in {"warp._src.types", "builtins"} else None
    if type_.__class__ is warp_types.array or type_.__class__ is warp_types._ArrayAnnotation:
        inner = _named_type(type_.dtype)
        return None if inner is None else (type_.__class__, inner, type_.ndim)
    return None


@contextmanager
def _types_looked_up_fast() -> Iterator[None]:
    """Answer for plain types and variables of those at once what Warp asks of every argument of every call.

    Warp's own functions go through all that an argument might be before they come to these.
    """
    from warp._src import codegen

    strip, type_of, value_of = codegen.strip_reference, codegen.get_arg_type, codegen.get_arg_value
    variable = codegen.Var

    def stripped(arg: Any) -> Any:
        return arg if arg.__class__ is variable or isinstance(arg, type) else strip(arg)

    def arg_type(arg: Any) -> Any:
        held = arg.type if arg.__class__ is variable else arg
        return held if isinstance(held, type) else type_of(arg)

    def arg_value(arg: Any) -> Any:
        if arg.__class__ is not variable or not isinstance(arg.type, type):
            return value_of(arg)
        return arg if arg.constant is None else arg.constant

    codegen.strip_reference, codegen.get_arg_type, codegen.get_arg_value = stripped, arg_type, arg_value
    try:
        yield
    finally:
        codegen.strip_reference, codegen.get_arg_type, codegen.get_arg_value = strip, type_of, value_of


def _build(kernel: Any, options: dict[str, Any], names: _Names, target: str) -> Any:
    from warp._src import context

    while True:
        with _overloads_found_once(), _types_looked_up_fast(), _promoted_in_order():
            builder = context.ModuleBuilder(kernel.module, options, _OneKernel(kernel), target=target)
        if names.named(builder):
            return builder


def _uses_tiles(builder: Any) -> bool:
    from warp._src import types as warp_types

    adjoints = [owner.adj for owner in (*builder.kernels, *builder.functions)]
    return any(
        warp_types.is_tile(variable.type) or warp_types.is_tile_stack(variable.type)
        for adj in adjoints
        for variable in adj.variables
    )


def _texts(builder: Any, kernel: Any, device: str, options: dict[str, Any]) -> dict[str, str]:
    """The parts of one device's unit, following ``ModuleBuilder.codegen`` step by step."""
    from warp._src import codegen

    if builder.native_types:
        raise NotImplementedError("native C++ types stand outside the text")
    builder.options = options
    tiled = builder._get_tile_helper_struct_hashes()
    structs = {struct.hash: struct for struct in builder.structs}
    functions = list(builder.functions)
    for function in functions:
        _forget_file(function.adj)
        _count_from_source(function)
    plain = [function for function in functions if not function.adj.uses_grad_call]
    custom = {function.custom_grad_func for function in plain if function.custom_grad_func is not None}
    adjoints = [f for f in plain if f in custom] + [f for f in plain if f not in custom]
    parts = {
        "structs": "".join(
            codegen.codegen_struct(struct, include_tile_helpers=struct.hash in tiled) for struct in structs.values()
        ),
        "functions_forward": builder._codegen_functions(plain, device, forward_only=True),
        "functions_backward": builder._codegen_functions(adjoints, device, reverse_only=True),
        "functions_grad": builder._codegen_functions(
            [f for f in functions if f.adj.uses_grad_call], device, forward_only=True
        ),
    }
    if kernel.adj.uses_grad_call or parts["functions_grad"]:
        # The forward calls adjoints, so that they belong to it.
        parts["functions_grad"] = parts.pop("functions_backward") + parts["functions_grad"]
        parts["functions_backward"] = ""
    parts |= _kernel_parts(kernel, device, options)
    _rename_specialisations(functions, parts)
    header = codegen.cpu_module_header if device == "cpu" else codegen.cuda_module_header
    wide = any("bfloat16" in text for text in parts.values())
    parts["header"] = (
        ("" if wide else "#define WP_NO_BFLOAT16\n")
        + header.format(block_dim=options["block_dim"])
        + options["extra_cpu_preamble" if device == "cpu" else "extra_cuda_preamble"]
        + codegen.codegen_cast_macros
        + "".join(f'extern "C" {builder.ltoirs_decl[symbol]}\n' for symbol in sorted(builder.ltoirs_decl))
    )
    # Blank lines between parts come from Warp's templates and say nothing.
    return {name: text.strip("\n") + "\n" if text.strip() else "" for name, text in parts.items()}


def _forget_file(adj: Any) -> None:
    """Take a library's file and its lines out of what was built from it: they are not those of the source.

    Some of Warp's builtins are themselves written in Python, such as ``wp.quat_to_rpy``.
    """
    if adj.filename == FILE_NAME:
        return
    path = Path(adj.filename)
    if path.is_absolute():
        # From here on, and for later kernels: the function is Warp's own and lives as long as the process.
        last = max((place for place, part in enumerate(path.parts) if part == "site-packages"), default=-2)
        adj.filename = "/".join(path.parts[last + 1 :])
    adj.fun_lineno = 1
    _change_lines(adj, lambda line: _LINE_MARK.sub("", line).rstrip())


def _count_from_source(function: Any) -> None:
    """Make the lines of an instance of a generic function count as those of the function: Warp's begin anew."""
    adj, parent = function.adj, function.generic_parent
    if parent is None or adj.fun_lineno != 0 or adj.filename != FILE_NAME:
        return
    first = adj.fun_lineno = parent.adj.fun_lineno
    _change_lines(adj, lambda line: _LINE_MARK.sub(lambda mark: f"<L {int(mark[1]) + first}>", line))


def _change_lines(adj: Any, change: Callable[[str], str]) -> None:
    """Change the comments that Warp leaves where a line of the source begins."""
    block = adj.blocks[0]
    for body in (block.body_forward, block.body_replay, block.body_reverse):
        body[:] = [change(line) if line.lstrip().startswith("//") else line for line in body]


def _kernel_parts(kernel: Any, device: str, options: dict[str, Any]) -> dict[str, str]:
    from warp._src import codegen

    text = codegen.codegen_kernel(kernel, device=device, options=options)
    name = kernel.get_mangled_name()
    backward = (options | kernel.options)["enable_backward"]
    if device == "cuda":
        forward, adjoint = _split(text, f"{name}_cuda_kernel_backward(", '\n\nextern "C"', backward)
        return {"forward": forward, "backward": adjoint}
    arguments, kernels = _split(text, f"{name}_cpu_kernel_forward(", "\n\ntemplate", True)
    forward, adjoint = _split(kernels, f"{name}_cpu_kernel_backward(", "\n\ntemplate", backward)
    entry = codegen.codegen_module(kernel, device=device, options=options)
    blocks = options["block_dim"] != 1
    marker = f"{name}_cpu_block_payload_backward" if blocks else f"{name}_cpu_backward_tasks("
    entry_forward, entry_backward = _split(entry, marker, "\n\nstruct" if blocks else "\n\ntemplate", backward)
    return {
        "arguments": arguments,
        "forward": forward,
        "backward": adjoint,
        "entry_forward": entry_forward,
        "entry_backward": entry_backward,
    }


def _split(text: str, marker: str, opening: str, present: bool) -> tuple[str, str]:
    """Cut a text where the definition that holds the marker opens."""
    if not present:
        return text, ""
    cut = text.rindex(opening, 0, text.index(marker))
    return text[:cut], text[cut:]


def _rename_specialisations(functions: list[Any], parts: dict[str, str]) -> None:
    """Number the functions that Warp specialised on a callable argument and named by a digest."""
    names: dict[str, str] = {}
    for function in functions:
        stem, specialised, _ = function.native_func.rpartition("_callable_")
        if specialised and function.native_func not in names:
            names[function.native_func] = f"{stem}_callable_{len(names)}"
    if names:
        pattern = re.compile(r"\b(adj_)?(" + "|".join(map(re.escape, names)) + r")\b")
        for part, text in parts.items():
            parts[part] = pattern.sub(lambda match: (match[1] or "") + names[match[2]], text)
