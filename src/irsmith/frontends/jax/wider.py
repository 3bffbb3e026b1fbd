"""A function of half precision as the same function of float32, and one of float32 as one of float64.

With seven or ten bits, rounding hides most of what may be wrong with a derivative. The same operations in float32 hide
nothing of it: the texts keep their constants, which were rounded, and the reference rounds the source's numbers so.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.stages import HLO, HLO_OPTIMIZED, JAXPR
from irsmith.kernel import Kernel
from irsmith.types import SCALARS, is_differentiable

SINGLE, DOUBLE = "float32", "float64"
_SHORT = {"bfloat16": "bf16", "float16": "f16"}
UNITS = {"bfloat16": 2.0**-8, "float16": 2.0**-11}
"""What numbers are rounded by, as a share of them."""

_BITS = {"bfloat16": (8, 7), "float16": (5, 10)}
"""Of the exponent and of the mantissa."""

_LOOKS_AT_BITS = re.compile(r"\bbitcast.convert|\breduce.precision")
_OF_OTHERS = re.compile(r"custom.call|\bffi_call\b|\bcomplex<|\bc(?:64|128)\[")
"""What a text holds whose types cannot be exchanged alone: a library that is called, or complex numbers."""
_FLOAT = re.compile(r"(?<![a-wyz])(?:bf16|f16|f32|f64)(?=[\[>])|\b(?:bfloat16|float16|float32|float64)\b")
_BY_NAME = {**_SHORT, SINGLE: "f32", DOUBLE: "f64"}
_WIDTHS = ("", "bf16", "f16", "f32", "f64")
_CONVERTED = re.compile(r"= (\w+)\[\S* convert\(|new_dtype=(\w+)|stablehlo\.convert.*[x<](\w+)>$", re.MULTILINE)
"""What a text converts values to."""
_INFINITE = {
    **dict.fromkeys(("0xFF800000", "0xFF80", "0xFC00"), "0xFFF0000000000000"),
    **dict.fromkeys(("0x7F800000", "0x7F80", "0x7C00"), "0x7FF0000000000000"),
}
"""How StableHLO writes what is not finite, and how it does so in float64."""
_BITS_OF_NUMBERS = re.compile(r"\b0x(?!7FF0{13}\b|FFF0{13}\b)")
_OF_NUMBERS = r":{}\[\] = (?!convert_element_type|neg|broadcast_in_dim)\w+(?:\[.*\])?(?: \S+:\w+\[\])+\s*$"
"""A line of a jaxpr that computes a half-precision number of literals alone."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")


def narrow_dtype(kernel: Kernel) -> str | None:
    """The half precision that all floats of a function have; None where they have another, or several."""
    kinds = {str(a.type) for a in kernel.signature.arguments if is_differentiable(a.type)}
    return next(iter(kinds)) if len(kinds) == 1 and kinds <= set(_SHORT) else None


def widened(kernel: Kernel, narrow: str) -> Kernel:
    """The function with float32 for its half precision. Its source still says what numbers are rounded to."""
    return _retyped(kernel, {narrow}, SINGLE)


def doubled(kernel: Kernel) -> Kernel:
    """The function with float64 for all floats."""
    return _retyped(kernel, {SINGLE, *_SHORT}, DOUBLE)


def _retyped(kernel: Kernel, narrow: set[str], wide: str) -> Kernel:
    arguments = tuple(
        replace(a, type=SCALARS[wide]) if str(a.type) in narrow else a for a in kernel.signature.arguments
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
        jaxpr = texts.get(f"{JAXPR.name}_{direction}")
        found[f"{JAXPR.name}_{direction}"] = None if jaxpr is None else _widened_jaxpr(jaxpr, narrow)
    return found


def _widened_jaxpr(text: str, narrow: str) -> str | None:
    """A jaxpr with float32 for a half precision, as the HLO text with it.

    None where it looks at bits; where it raises two to a power, for what that is made of has a number that was rounded;
    and where it computes a number of numbers, which XLA does beforehand and rounds.
    """
    if (
        _LOOKS_AT_BITS.search(text)
        or "= exp2 " in text
        or re.search(_OF_NUMBERS.format(_SHORT[narrow]), text, re.MULTILINE)
    ):
        return None
    kind, dtype = _SHORT[narrow], numpy_dtype(narrow)
    exponent, mantissa = _BITS[narrow]
    heads = " ".join(re.findall(r"\{ lambda ;([^.]*)\. let", text))
    given = set(re.findall(r"(\w+):f32\[\]", heads))

    def still_rounded(found: re.Match[str]) -> str:
        if found[2] not in given and not found[2].endswith(":f32[]"):
            return found[0]
        return f"{found[1]}:f32[] = reduce_precision[exponent_bits={exponent} mantissa_bits={mantissa}] {found[2]}"

    def rounded(found: re.Match[str]) -> str:
        return f"{float(np.asarray(float(found[1]), dtype))!r}:f32["

    convert = rf"(\w+):{kind}\[\] = convert_element_type\[\s*new_dtype={narrow}\s+weak_type=\w+\s*\] (\S+)"
    exact = re.sub(convert, still_rounded, text)
    exact = re.sub(rf"(?<![\w.])(-?(?:\d[\d.]*(?:e[+-]?\d+)?|inf|nan)):{kind}\[", rounded, exact)
    return re.sub(rf"\b{narrow}\b", SINGLE, re.sub(rf"\b{kind}(?=\[)", "f32", exact))


def in_float64(texts: Sequence[Mapping[str, str | None]], stage: str) -> list[dict[str, str | None]] | None:
    """Versions of a stage's texts with float64 for all types of floats that the first one has.

    Types that it has not stay what they are. None where a text looks at the bits of a value or calls what is not known
    here; and where not all convert as often to those types that are gone in float64.
    """
    columns = [f"{stage}_{direction}" for direction in ("forward", "backward")]
    written = ["\n".join(one.get(column) or "" for column in columns) for one in texts]
    if any(_LOOKS_AT_BITS.search(text) or _OF_OTHERS.search(text) for text in written):
        return None
    known = {_BY_NAME.get(name, name) for name in _FLOAT.findall(written[0])}
    # To convert to the widest of them loses nothing.
    lossy = known - {max(known, key=_WIDTHS.index, default="")}
    if any(_conversions(text, lossy) != _conversions(written[0], lossy) for text in written):
        return None
    found = [
        {column: None if (text := one.get(column)) is None else _doubled(text, known) for column in columns}
        for one in texts
    ]
    return None if any(_BITS_OF_NUMBERS.search(text or "") for one in found for text in one.values()) else found


def _conversions(text: str, kinds: set[str]) -> Counter[str]:
    """How often a text converts to each of some types."""
    to = ("".join(groups) for groups in _CONVERTED.findall(text))
    return Counter(kind for name in to if (kind := _BY_NAME.get(name, name)) in kinds)


def _doubled(text: str, known: set[str]) -> str:
    def renamed(name: re.Match[str]) -> str:
        if _BY_NAME.get(name[0], name[0]) not in known:
            return name[0]
        return DOUBLE if name[0] in _BY_NAME else "f64"

    text = re.sub(r"\b0x(?:[0-9A-F]{4}){1,2}\b", lambda number: _INFINITE.get(number[0], number[0]), text)
    return _FLOAT.sub(renamed, text)


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
