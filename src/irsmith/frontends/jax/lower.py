"""Lower a source text to what JAX and XLA write of it, forward and backward."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from irsmith.frontends.base import Stage
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.located import Located
from irsmith.frontends.jax.stages import EXPORTS, HLO, HLO_OPTIMIZED, JAXPR, STABLEHLO
from irsmith.kernel import Argument, Direction, Kernel
from irsmith.outcome import LineSpan, Lowering, Reject, Step

_NO_REVERSE = (
    "Reverse-mode differentiation does not work",
    "Differentiation rule for",
    "JVP rule for composite not implemented",
    "Linearization failed to produce known values",
    "Pure callbacks do not support JVP",
    "IO callbacks do not support JVP",
    "transpose_solve required for backwards mode",
)
"""How JAX begins to say that something has no backward: a loop of unknown length, an operation without a rule, a call
of Python, a solver that is not told of its transpose."""


class WrongSignatureError(Exception):
    """The function gives something else than its signature says."""


def lower(kernel: Kernel, stages: Sequence[Stage]) -> Lowering | Reject:
    """Lower a kernel's text by executing it and asking JAX for its texts.

    Whatever the text or JAX raises becomes a reject: both run code that irsmith did not write.
    """
    texts: dict[str, str | None] = {}
    spans: list[LineSpan] = []
    try:
        with compiler.declared(kernel.source) as module:
            function = getattr(module, kernel.name)
            arguments = [a for a in kernel.signature.arguments if a.direction is not Direction.OUT]
            forward, backward = staged(plain(function), kernel.name, arguments)
            _check(kernel, flat(forward.results))
            for stage in stages:
                for direction, traced in (("forward", forward), ("backward", backward)):
                    column = f"{stage.name}_{direction}"
                    found = _text(traced, stage) if traced is not None else None
                    texts[column] = found.text if found is not None else None
                    spans.extend(found.spans(column) if found is not None else ())
    except Exception as error:  # noqa: BLE001
        return Reject(Step.LOWER, type(error).__name__, str(error), kernel.name, kernel.category, kernel.source)
    return Lowering(texts, tuple(spans))


def staged(
    function: Callable[..., Any], name: str, arguments: Sequence[Argument]
) -> tuple[compiler.Staged, compiler.Staged | None]:
    """A function traced, and its vector-Jacobian product, which is None where it has none.

    Args:
        function: The function, without a ``jax.jit`` around it.
        name: Its name.
        arguments: What it is given.
    """
    shapes = [_shape(argument) for argument in arguments]
    forward = compiler.Staged(function, shapes)
    return forward, _backward(function, name, [a.name for a in arguments], shapes, flat(forward.results))


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function without the ``jax.jit`` that its author put around it: the texts are those of one compilation."""
    inner: Callable[..., Any] = getattr(function, "__wrapped__", function) if hasattr(function, "trace") else function
    return inner


def _shape(argument: Argument) -> Any:
    import jax

    return jax.ShapeDtypeStruct(argument.shape, numpy_dtype(str(argument.type)))


def flat(results: Any) -> list[Any]:
    """The leaves of a structure of results, in JAX's order."""
    import jax

    leaves: list[Any] = jax.tree.leaves(results)
    return leaves


def _check(kernel: Kernel, results: Sequence[Any]) -> None:
    promised = [(str(a.type), a.shape) for a in kernel.signature.arguments if a.direction is Direction.OUT]
    found = [(str(result.dtype), tuple(result.shape)) for result in results]
    if promised and promised != found:
        raise WrongSignatureError(f"returns {found}, and the signature says {promised}")


def _is_float(leaf: Any) -> bool:
    """Whether a type, an array or a number of Python's is of floats."""
    import jax.numpy as jnp

    return bool(jnp.issubdtype(leaf.dtype if hasattr(leaf, "dtype") else jnp.result_type(leaf), np.floating))


def _backward(
    function: Callable[..., Any], name: str, names: Sequence[str], shapes: Sequence[Any], results: Sequence[Any]
) -> compiler.Staged | None:
    """The function's vector-Jacobian product; None where it has none."""
    active = [place for place, shape in enumerate(shapes) if _is_float(shape)]
    cotangents = [result for result in results if _is_float(result)]
    if not active or not cotangents:
        return None
    try:
        labels = _labels(names, len(cotangents))
        return compiler.Staged(product(function, name, len(shapes), active, labels), [*shapes, *cotangents])
    except (ValueError, TypeError, NotImplementedError) as error:
        if str(error).startswith(_NO_REVERSE) or (isinstance(error, NotImplementedError) and compiler.raised(error)):
            return None
        raise


def product(
    function: Callable[..., Any], name: str, count: int, active: Sequence[int], labels: Sequence[str]
) -> Callable[..., Any]:
    """A function of the arguments and the cotangents of float results, to the gradients of the float arguments.

    Args:
        function: The function.
        name: Its name.
        count: How many arguments it has.
        active: The places of those that are floats.
        labels: What the parameters are called, cotangents behind arguments.
    """
    import jax

    def backward(*given: Any) -> Any:
        arguments, cotangents = given[:count], given[count:]

        def of_floats(*floats: Any) -> tuple[Any, ...]:
            filled = list(arguments)
            for place, value in zip(active, floats, strict=True):
                filled[place] = value
            return tuple(leaf for leaf in flat(function(*filled)) if _is_float(leaf))

        return jax.vjp(of_floats, *(arguments[place] for place in active))[1](cotangents)

    backward.__name__ = f"{name}_vjp"
    # What the texts call its parameters.
    kind = inspect.Parameter.POSITIONAL_ONLY
    backward.__signature__ = inspect.Signature([inspect.Parameter(label, kind) for label in labels])  # type: ignore[attr-defined]
    return backward


def _labels(names: Sequence[str], cotangents: int) -> list[str]:
    """Names for the parameters of a backward: the function's own, and such as none of them has."""
    wish = "cotangent"
    while any(name.startswith(wish) for name in names):
        wish += "_"
    return [*names, *([wish] if cotangents == 1 else [f"{wish}_{place}" for place in range(cotangents)])]


def _text(staged: compiler.Staged, stage: Stage) -> Located:
    for platform, export in EXPORTS.items():
        if stage is export:
            return staged.exported(platform)
    emit = {
        JAXPR.name: staged.jaxpr,
        STABLEHLO.name: staged.stablehlo,
        HLO.name: staged.hlo,
        HLO_OPTIMIZED.name: staged.hlo_optimized,
    }
    return emit[stage.name]()
