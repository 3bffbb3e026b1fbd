"""Optimised HLO as text that XLA compiles again: what its passes added is written out in plain HLO.

A fusion is a call of its computation. A layout says in which order an array's axes lie in memory, which no operation
but a bitcast sees: that one is a transposition to the order in memory, a reshape, and a transposition back, or a
change of type. Calls into libraries keep the layouts that they were compiled for; every other array is row-major.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FUSION = re.compile(r" fusion\((?P<operands>.*?)\), kind=\w+, calls=(?P<called>%[\w.-]+)")
_BITCAST = re.compile(
    r"(?P<head>\s*(?:ROOT )?(?P<name>%[\w.-]+) = )(?P<type>\w+\[[^ ]*) bitcast\((?P<operand>%[\w.-]+)\)(?P<rest>.*)"
)
_DEFINED = re.compile(r"\s*(?:ROOT )?(%[\w.-]+) = (\w+\[[^ ]*)")
_ARRAY = re.compile(r"(?P<dtype>\w+)\[(?P<shape>[\d,]*)\](?:\{(?P<order>[\d,]*)[^}]*\})?")
_LAYOUT = re.compile(r"(?<=\])\{[\d,]+[^}]*\}")
_CALL = " custom-call("


class NotTakenError(Exception):
    """A text that says something which HLO before XLA's passes cannot say."""


def plain(text: str) -> str:
    """An optimised HLO text without fusions, bitcasts and layouts.

    Raises:
        NotTakenError: It looks at the memory of an array of which it does not say how it lies there.
    """
    return "\n".join(_lines(_FUSION.sub(r" call(\g<operands>), to_apply=\g<called>", text))) + "\n"


def _lines(text: str) -> Iterator[str]:
    types: dict[str, str] = {}
    for line in text.splitlines():
        defined = _DEFINED.match(line)
        if defined is not None:
            types[defined[1]] = defined[2]
        bitcast = _BITCAST.fullmatch(line)
        if bitcast is not None:
            yield from _written_out(bitcast, types)
        else:
            yield line if _CALL in line else _LAYOUT.sub("", line)


def _written_out(bitcast: re.Match[str], types: dict[str, str]) -> Iterator[str]:
    """The elements of an array in memory as those of another one."""
    source = _ARRAY.fullmatch(types.get(bitcast["operand"], ""))
    target = _ARRAY.fullmatch(bitcast["type"])
    if source is None or target is None:
        raise NotTakenError(f"a bitcast of {bitcast['operand']}, of whatever type that is")
    head, name, operand, rest = bitcast["head"], bitcast["name"], bitcast["operand"], bitcast["rest"]
    (sizes, order), (wanted, into) = _in_memory(source), _in_memory(target)
    if source["dtype"] != target["dtype"]:
        if (order, into) != (sorted(order), sorted(into)):
            raise NotTakenError("a bitcast that changes an array's type and its layout")
        yield f"{head}{target['dtype']}[{target['shape']}] bitcast-convert({operand}){rest}"
        return
    kind = source["dtype"]
    if order != sorted(order):
        yield f"  {name}.lying = {_typed(kind, [sizes[a] for a in order])} transpose({operand}), {_axes(order)}"
        operand = f"{name}.lying"
    if into == sorted(into):
        yield f"{head}{_typed(kind, wanted)} reshape({operand}){rest}"
        return
    yield f"  {name}.read = {_typed(kind, [wanted[a] for a in into])} reshape({operand})"
    back = [into.index(axis) for axis in range(len(into))]
    yield f"{head}{_typed(kind, wanted)} transpose({name}.read), {_axes(back)}{rest}"


def _in_memory(array: re.Match[str]) -> tuple[list[int], list[int]]:
    """An array's shape, and its axes from the one that moves slowest in memory to the one that moves fastest."""
    shape = [int(size) for size in array["shape"].split(",") if size]
    order = [int(axis) for axis in (array["order"] or "").split(",") if axis]
    return shape, order[::-1] if order else list(range(len(shape)))


def _typed(dtype: str, shape: list[int]) -> str:
    return f"{dtype}[{','.join(map(str, shape))}]"


def _axes(order: list[int]) -> str:
    return f"dimensions={{{','.join(map(str, order))}}}"
