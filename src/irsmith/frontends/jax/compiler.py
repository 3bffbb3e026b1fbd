"""The one module that calls JAX's private API and pins what its texts would otherwise take from the machine.

What it relies on was read from, and tested with, one version of JAX; `require` refuses any other.

XLA's CPU compiler partitions loops by the number of cores and chooses instructions by those that the processor
has. Both are fixed before its client is made: one core, and AVX2 at most. Everything else that steers a text is
set through JAX's own options, which a source may set too, or leave a context open that does: they are put back for
each. JAX keeps jaxprs of what was traced before and names functions by them, so its caches are emptied as well. What
XLA's threads allocate and free stays with the allocator, a little more for each size that a program asks for: it goes
back to the system every so many programs.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import itertools
import os
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from irsmith.errors import UserError
from irsmith.frontends.jax.dtypes import content
from irsmith.frontends.jax.located import Located, of_assembly, of_hlo, of_jaxpr
from irsmith.frontends.jax.options import BUILT_IN, OWN

TESTED_VERSION = "0.10.2"
FILE_NAME = "kernel.py"
"""The file that a source stands in, whatever its real file was."""

MODULE_NAME = "irsmith_kernel"

_PINNED = {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2", "NPROC": "1", "JAX_PLATFORMS": "cpu"}
"""Read by XLA when its client is made."""

EMIT = {"xla_backend_optimization_level": "0"}
"""XLA's passes over HLO are the same at every level; below them is machine code, which is thrown away."""

_RUN = {"xla_backend_optimization_level": 1, "xla_cpu_use_fusion_emitters": False}
"""The fastest way to machine code that is run a few hundred times, and that is right: at level 0 the derivative of a
layer norm was not a number where every level above it gives one."""


RELEASED = 50
"""Programs after which what was freed is given back."""

_uses = itertools.count(1)


def require() -> None:
    """Check that the installed JAX is the tested one, without importing it.

    Raises:
        UserError: JAX is not installed, or it is another version; the message names both.
    """
    for name in ("jax", "jaxlib"):
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise UserError(
                f"the jax frontend needs {name}, which is not installed: pip install 'irsmith[jax]'"
            ) from None
        if found != TESTED_VERSION:
            raise UserError(
                f"the jax frontend was tested with {name} {TESTED_VERSION}, but {found} is installed: "
                f"pip install jax=={TESTED_VERSION} jaxlib=={TESTED_VERSION}"
            )


@cache
def start() -> Any:
    """Import the tested JAX and make its CPU client as pinned; once a process.

    Raises:
        UserError: As `require`; or this process has already made a client, which cannot be pinned any more.
    """
    require()
    before = {name: os.environ.get(name) for name in _PINNED}
    os.environ |= _PINNED
    try:
        import jax
        from jax._src import xla_bridge
        from jaxlib import lapack

        if xla_bridge.backends_are_initialized():
            raise UserError(
                "JAX computed something in this process before irsmith pinned it to one core: start a fresh process"
            )
        _leave_contexts()
        _set(BUILT_IN | OWN)
        _pinned()
        jax.devices()
        # What linear algebra calls is looked up by JAX when it lowers such a call, and has to be there for a text.
        lapack._lapack.initialize()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return jax


def reset() -> None:
    """Put all of JAX's options back to what texts are made with, and leave the contexts that were not left."""
    _leave_contexts()
    _set(_pinned())


@cache
def _pinned() -> dict[str, Any]:
    """All options after those that matter were pinned."""
    import jax

    return dict(jax.config.values)


def _set(wanted: Mapping[str, Any]) -> None:
    import jax

    found = jax.config.values
    for name, value in wanted.items():
        # To set one may do more than that, and for some it is too late once the client is there.
        if found[name] != value:
            jax.config.update(name, value)


def _leave_contexts() -> None:
    """Take back what holds for this thread alone."""
    import jax
    from jax._src import config

    unset = config.config_ext.unset
    for item in (*vars(config).values(), *jax.config._value_holders.values()):
        if isinstance(item, config.config_ext.Config) and item.get_local() is not unset:
            item.set_local(unset)
            hook = getattr(item, "_update_thread_local_hook", None)
            if hook is not None:
                hook(None)


@contextmanager
def declared(source: str) -> Iterator[types.ModuleType]:
    """Execute a source text as a module of its own, with JAX as if it had just started, and forget it afterwards.

    Whatever the source itself raises comes through.
    """
    jax = start()
    module = types.ModuleType(MODULE_NAME)
    module.__file__ = FILE_NAME
    # Whoever calls may have set something since.
    reset()
    jax.clear_caches()
    sys.modules[MODULE_NAME] = module
    try:
        exec(compile(source, FILE_NAME, "exec"), module.__dict__)
        yield module
    finally:
        sys.modules.pop(MODULE_NAME, None)
        module.__dict__.clear()
        reset()
        jax.clear_caches()
        used()


def used() -> None:
    """Note that one more program is done with; now and then give what was freed back to the system."""
    if next(_uses) % RELEASED == 0:
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            # None but glibc keeps so much, or has this.
            trim(0)


_ADDRESS = re.compile(r"0x[0-9a-f]+")


def _constants(closed: Any) -> Iterator[Any]:
    """The constants of a jaxpr and of those inside it."""
    yield from closed.consts
    for equation in closed.jaxpr.eqns:
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                if hasattr(inner, "consts") and hasattr(inner, "jaxpr"):
                    yield from _constants(inner)


def raised(error: Exception) -> bool:
    """Whether JAX's own code raised an exception, and not what it was given."""
    import jax

    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and str(place.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == jax.__name__


def static_arguments(function: Any) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The places and the names of the arguments that a ``jax.jit`` around a function was told are no arrays."""
    known = getattr(function, "_jit_info", None)
    return (known.static_argnums, known.static_argnames) if known is not None else ((), ())


class Staged:
    """A function traced with types and shapes, and what JAX and XLA write of it.

    Args:
        function: The function. Its name goes into the texts.
        arguments: The type and shape of each argument.
    """

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
        import jax

        self._arguments = arguments
        self._jitted = jax.jit(function, keep_unused=True)
        self._traced = self._jitted.trace(*arguments)
        self._lowered: Any = None

    @property
    def results(self) -> Any:
        """The types and shapes of the results, in the structure that the function returns."""
        return self._traced.out_info

    def lowered(self) -> Any:
        """What JAX hands to XLA."""
        self._lowered = self._lowered or self._traced.lower()
        return self._lowered

    def jaxpr(self) -> Located:
        """The jaxpr."""
        places: list[list[tuple[int, int, Any]]] = []
        text = str(self._traced.jaxpr.pretty_print(use_color=False, source_info=False, source_map=places))
        return of_jaxpr(text + "\n", [_place(regions) for regions in places])

    def meaning(self, module: str) -> tuple[Any, ...]:
        """What tells the function from others: its jaxpr without addresses, and all constants of it.

        Args:
            module: The module that the function stands in, whose name its objects carry.
        """
        closed = self._traced.jaxpr
        text = str(closed.pretty_print(use_color=False, source_info=False))
        return _ADDRESS.sub("", text).replace(f"<{module}.", "<"), tuple(content(c) for c in _constants(closed))

    def stablehlo(self) -> Located:
        """The StableHLO module."""
        return _assembly(self.lowered().compiler_ir("stablehlo"))

    def hlo(self) -> Located:
        """The HLO module before XLA's passes."""
        return _module(self.lowered().compiler_ir("hlo").get_hlo_module())

    def hlo_optimized(self) -> Located:
        """The HLO module after XLA's passes."""
        compiled = self.lowered().compile(compiler_options=EMIT)
        return _module(compiled.runtime_executable().hlo_modules()[0])

    def exported(self, platform: str) -> Located:
        """The StableHLO module for another platform."""
        import jax
        import jax.export
        from jax._src.interpreters import mlir
        from jaxlib.mlir import ir

        text = jax.export.export(self._jitted, platforms=[platform])(*self._arguments).mlir_module()
        with mlir.make_ir_context():
            return _assembly(ir.Module.parse(text))


def operations() -> Iterator[tuple[str, str | None, bool]]:
    """What `jax.lax` and `jax.lax.linalg` offer to call, in alphabetical order.

    Yields:
        The name behind ``jax.lax.``; the primitive of the same name, None where there is none; whether JAX
        differentiates that primitive to something else than zero.
    """
    jax = start()
    from jax.interpreters import ad

    for module, prefix in ((jax.lax, ""), (jax.lax.linalg, "linalg.")):
        for name, function in sorted(vars(module).items()):
            # Types are capitalised, and primitives cannot be called.
            if not callable(function) or not name[0].islower():
                continue
            primitive = getattr(module, f"{name}_p", None)
            rule = ad.primitive_jvps.get(primitive)
            zero = getattr(getattr(rule, "func", rule), "__name__", "") == "zero_jvp"
            yield f"{prefix}{name}", None if primitive is None else primitive.name, rule is not None and not zero


def dialects() -> list[str]:
    """The operations that StableHLO, and CHLO on top of it, define, with their dialect before them."""
    start()
    from jaxlib.mlir.dialects import chlo, stablehlo

    found = {getattr(item, "OPERATION_NAME", None) for module in (stablehlo, chlo) for item in vars(module).values()}
    return sorted((name for name in found if name), key=lambda name: (name.startswith("chlo"), name))


def _place(regions: Sequence[tuple[int, int, Any]]) -> tuple[int, int | None]:
    """Where the last of the regions of a jaxpr's line ends, and the line of the kernel's source that it came from."""
    from jax._src import source_info_util

    frames = (source_info_util.user_frame(traceback) for _, _, traceback in regions)
    found = (frame.start_line for frame in frames if frame is not None and frame.file_name == FILE_NAME)
    return max((end for _, end, _ in regions), default=0), next(found, None)


@cache
def _primitives() -> dict[str, Any]:
    """JAX's primitives by the name that a jaxpr has them under."""
    from jax.extend.core import Primitive

    modules = [module for name, module in list(sys.modules.items()) if name.startswith("jax._src.") and module]
    return {item.name: item for module in modules for item in vars(module).values() if isinstance(item, Primitive)}


_ROUGHLY = ("cbrt", "cos", "exp", "exp2", "expm1", "log", "log1p", "logistic", "rsqrt", "sin", "sqrt", "tan", "tanh")
_LEFT_OUT = {
    **dict.fromkeys(_ROUGHLY, ("accuracy",)), "broadcast_in_dim": ("sharding",), "mul": ("out_dtype",),
    "convert_element_type": ("sharding",), "dot_general": ("precision", "preferred_element_type", "out_sharding"),
    "conv_general_dilated": ("precision", "preferred_element_type"), "ragged_dot_general": ("precision",),
}  # fmt: skip
"""By primitive, the parameters that a jaxpr's text leaves out where they are None."""


def bound(name: str, operands: Sequence[Any], parameters: dict[str, Any]) -> Sequence[Any]:
    """What a primitive gives.

    Raises:
        TypeError: There is no such primitive, or it has other parameters.
    """
    primitive = _primitives().get(name)
    if primitive is None:
        raise TypeError(f"no primitive {name}")
    found = primitive.bind(*operands, **{**dict.fromkeys(_LEFT_OUT.get(name, ())), **parameters})
    return list(found) if primitive.multiple_results else [found]


def _assembly(module: Any) -> Located:
    text, located = (str(module.operation.get_asm(enable_debug_info=debug)) for debug in (False, True))
    return of_assembly(text, located, FILE_NAME)


def _module(module: Any) -> Located:
    return of_hlo(module_text(module), module_text(module, metadata=True), FILE_NAME)


def module_text(module: Any, *, metadata: bool = False) -> str:
    """An HLO module as text, with or without metadata."""
    from jaxlib import _hlo

    options = _hlo.HloPrintOptions()
    options.print_metadata = metadata
    return str(module.to_string(options)).rstrip("\n") + "\n"


def parsed(text: str) -> Any:
    """The HLO module of a text.

    Raises:
        jax.errors.JaxRuntimeError: The text is none.
    """
    from jaxlib import _hlo

    return _hlo.hlo_module_from_text(text)


def parsed_stablehlo(text: str) -> Any:
    """The HLO module that a StableHLO text is to XLA.

    Raises:
        jax.errors.JaxRuntimeError: The text is none.
    """
    from jaxlib import _jax

    return _jax.mlir.mlir_module_to_xla_computation(text, use_tuple_args=False, return_tuple=False).get_hlo_module()


def traced_again(function: Callable[..., Any], shapes: Sequence[tuple[str, tuple[int, ...]]]) -> Any:
    """The HLO module of a function of arrays of 64 bits at most, of which JAX remembers nothing afterwards."""
    import jax

    from irsmith.frontends.jax.dtypes import numpy_dtype

    given = [jax.ShapeDtypeStruct(shape, numpy_dtype(name)) for name, shape in shapes]
    try:
        with jax.enable_x64(True):
            return jax.jit(function, keep_unused=True).lower(*given).compiler_ir("hlo").get_hlo_module()
    finally:
        jax.clear_caches()


def canonical(module: Any) -> str:
    """An HLO module as text in which no value has a name that its maker chose, and computations stand in order."""
    from jaxlib import _hlo

    # A parser keeps the order in which computations are written, a translation that in which they are called.
    head, *computations = str(module.to_string(_hlo.HloPrintOptions.canonical())).rstrip("\n").split("\n\n")
    return "\n\n".join([head, *sorted(computations)])


def program_shape(module: Any) -> tuple[list[tuple[str, tuple[int, ...]]], list[tuple[str, tuple[int, ...]]]]:
    """The dtypes and shapes of an HLO module's parameters, and of its results."""
    from jaxlib import _hlo

    shape = _hlo.XlaComputation(module.as_serialized_hlo_module_proto()).program_shape()
    results = shape.result_shape()
    members = results.tuple_shapes() if results.is_tuple() else [results]
    return [_array_shape(item) for item in shape.parameter_shapes()], [_array_shape(item) for item in members]


def _array_shape(shape: Any) -> tuple[str, tuple[int, ...]]:
    return str(shape.numpy_dtype()), tuple(shape.dimensions())


def loaded(module: Any) -> Any:
    """The executable of an HLO module for one CPU.

    Raises:
        jax.errors.JaxRuntimeError: XLA does not compile it.
    """
    import jax
    from jaxlib import _jax

    options = _jax.CompileOptions()
    options.env_option_overrides = list(_RUN.items())
    device = jax.devices()[0]
    stablehlo = _jax.mlir.hlo_to_stablehlo(module.as_serialized_hlo_module_proto())
    return device.client.compile_and_load(stablehlo, _jax.DeviceList((device,)), options)
