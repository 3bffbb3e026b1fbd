"""A function of half precision as the same function of float32.

With seven or ten bits, rounding hides most of what may be wrong with a derivative. The same operations in float32 hide
nothing of it: the texts keep their constants, which were rounded, and the reference rounds the source's numbers so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.stages import HLO, HLO_OPTIMIZED
from irsmith.kernel import Kernel
from irsmith.types import SCALARS, is_differentiable

WIDE = "float32"
_SHORT = {"bfloat16": "bf16", "float16": "f16"}
UNITS = {"bfloat16": 2.0**-8, "float16": 2.0**-11}
"""What numbers are rounded by, as a share of them."""

_BITS = {"bfloat16": (8, 7), "float16": (5, 10)}
"""Of the exponent and of the mantissa."""

_LOOKS_AT_BITS = re.compile(r" bitcast-convert\(| reduce-precision\(")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")


def narrow_dtype(kernel: Kernel) -> str | None:
    """The half precision that all floats of a function have; None where they have another, or several."""
    kinds = {str(a.type) for a in kernel.signature.arguments if is_differentiable(a.type)}
    return next(iter(kinds)) if len(kinds) == 1 and kinds <= set(_SHORT) else None


def widened(kernel: Kernel, narrow: str) -> Kernel:
    """The function with float32 for its half precision. Its source still says what numbers are rounded to."""
    arguments = tuple(
        replace(a, type=SCALARS[WIDE]) if str(a.type) == narrow else a for a in kernel.signature.arguments
    )
    return replace(kernel, signature=replace(kernel.signature, arguments=arguments))


def widened_texts(texts: Mapping[str, str | None], narrow: str) -> dict[str, str | None] | None:
    """The HLO texts with float32 for a half precision; None where one looks at the bits of a value.

    The StableHLO text says the same as the HLO text; what of it XLA computes beforehand it would compute in float32. An
    optimised text in which XLA has computed constants beforehand is left out: they were rounded.
    """
    found: dict[str, str | None] = {}
    for direction in ("forward", "backward"):
        text, optimised = (texts.get(f"{stage}_{direction}") for stage in (HLO.name, HLO_OPTIMIZED.name))
        if text is not None and _LOOKS_AT_BITS.search(text):
            return None
        found[f"{HLO.name}_{direction}"] = None if text is None else _widened_text(_still_rounded(text, narrow), narrow)
        same = (
            text and optimised and not any(map(_was_rounded, _constants(optimised, narrow) - _constants(text, narrow)))
        )
        taken = optimised if same and not _LOOKS_AT_BITS.search(optimised or "") else None
        found[f"{HLO_OPTIMIZED.name}_{direction}"] = None if taken is None else _widened_text(taken, narrow)
    return found


def _was_rounded(number: float) -> bool:
    """Whether a number may have been rounded: it needs more than three bits."""
    return math.isfinite(number) and 8 * math.frexp(number)[0] % 1 != 0


def _constants(text: str, narrow: str) -> set[float]:
    """The numbers in a text's constants, rounded to a half precision."""
    dtype = numpy_dtype(narrow)
    inside = (found for line in re.findall(r" constant\((.*)\)", text) for found in _NUMBER.findall(line))
    return {abs(float(np.asarray(float(number), dtype))) for number in inside}


def _still_rounded(text: str, narrow: str) -> str:
    """A text in which numbers of the source that JAX's own functions are given as float32 are rounded as they were."""
    exponent, mantissa = _BITS[narrow]
    given = set(re.findall(r"(%[\w.-]+) = f32\[\] (?:parameter|constant)\(", text))

    def rounded(found: re.Match[str]) -> str:
        if found[1] not in given:
            return found[0]
        return f"f32[] reduce-precision({found[1]}), exponent_bits={exponent}, mantissa_bits={mantissa}"

    return re.sub(rf"(?<== ){_SHORT[narrow]}\[\] convert\((%[\w.-]+)\)", rounded, text)


def _widened_text(text: str, narrow: str) -> str:
    kind = _SHORT[narrow]
    dtype = numpy_dtype(narrow)

    def rounded(number: re.Match[str]) -> str:
        return f"{float(np.asarray(float(number[0]), dtype)):.9e}"

    exact = re.sub(
        rf"(?<== ){kind}(\[[^ ]* constant\()(.*)(?=\))",
        lambda found: f"f32{found[1]}{_NUMBER.sub(rounded, found[2])}",
        text,
    )
    return re.sub(rf"\b{kind}(?=\[)", "f32", exact)
