"""A kernel with single precision in place of half.

A text says the same in any precision, and what rounding hides of a mistake in half precision it does not hide in
single. The texts name half precision by one word, wherever it stands.
"""

from __future__ import annotations

import re
from dataclasses import replace

from irsmith.kernel import Kernel
from irsmith.types import ArrayType, IndexedArray, Matrix, Quaternion, Scalar, Struct, Transformation, ValueType, Vector
from irsmith.verify.ports import Texts

_HALF, _SINGLE = Scalar("float16"), Scalar("float32")

_SPELLINGS = (
    (re.compile(r"float16\b"), "float32"),
    (re.compile(r"\bhalf\b"), "float32"),
    (re.compile(r"\b((?:vec|mat|quat|transform|spatial_)\w*)h\b"), r"\1f"),
)
"""``float16`` and ``adj_float16``; ``vec3h`` and its like."""


def widened(kernel: Kernel, texts: Texts, stage: str) -> tuple[Kernel, Texts] | None:
    """A kernel with single precision in place of half, and its texts of one stage; None where none is."""
    source = _text(kernel.source)
    if source == kernel.source:
        return None
    arguments = tuple(replace(argument, type=_type(argument.type)) for argument in kernel.signature.arguments)
    wide = replace(kernel, source=source, signature=replace(kernel.signature, arguments=arguments))
    return wide, {name: text and _text(text) for name, text in texts.items() if name.startswith(f"{stage}_")}


def _text(text: str) -> str:
    for half, single in _SPELLINGS:
        text = half.sub(single, text)
    return text


def _type(type_: ValueType) -> ValueType:
    if isinstance(type_, IndexedArray):
        return IndexedArray.of(_type(type_.element), type_.rank)
    if isinstance(type_, Struct):
        return replace(type_, fields=tuple(replace(field, type=_type(field.type)) for field in type_.fields))
    if isinstance(type_, ArrayType):
        return replace(type_, element=_type(type_.element))
    if isinstance(type_, Vector | Matrix | Quaternion | Transformation):
        return replace(type_, scalar=_SINGLE) if type_.scalar == _HALF else type_
    return _SINGLE if type_ == _HALF else type_
