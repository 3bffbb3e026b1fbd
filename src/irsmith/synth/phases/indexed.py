"""Indexed arrays: arguments that show some places of an array, in an order of their own."""

from __future__ import annotations

from collections.abc import Iterable

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import usual
from irsmith.synth.ir import Expr
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, PLACES, SHOWN, Domain, IndexedArray

_BEHIND = (4, 8, 12, 16)
"""How many more elements the array has than are shown."""


def shown(s: Sketch, kind: str) -> Expr:
    """A new indexed array of which each thread sees an element; it stands for that and lacks subscripts."""
    type_, (quantity, low, high) = s.array_type(kind)
    rank = len(s.extents)
    text = s.names.claim(s.array_name(quantity))
    extents = tuple(extent + s.rng.pick(_BEHIND) for extent in s.extents)
    s.arguments.append(Argument(text, IndexedArray.of(type_, rank), 0, Direction.IN))
    s.arguments.append(Argument(f"{text}.{SHOWN}", type_, rank, Direction.IN, extents, Domain(low, high)))
    for axis, (extent, count) in enumerate(zip(extents, s.extents, strict=True)):
        places = Domain(0, extent - 1)
        s.arguments.append(Argument(f"{text}.{PLACES}{axis}", INT32, 1, Direction.IN, (count,), places))
    return Expr("index", kind, type_, usual(low, high), (), text)


def behind(arguments: Iterable[Argument]) -> set[str]:
    """The arrays that indexed arrays among some arguments are made of, which no text names."""
    given = list(arguments)
    owners = {a.name: a.type for a in given if isinstance(a.type, IndexedArray)}
    return {a.name for a in given if a.held and a.name.partition(".")[0] in owners}


def plain(arguments: Iterable[Argument]) -> tuple[Argument, ...]:
    """The same arguments with arrays of what they show in place of the indexed ones: a kernel cannot tell."""
    given = tuple(arguments)
    hidden = behind(given)
    by_name = {a.name: a for a in given}
    result = []
    for argument in given:
        if isinstance(argument.type, IndexedArray):
            data = by_name[f"{argument.name}.{SHOWN}"]
            places = [by_name[f"{argument.name}.{PLACES}{axis}"] for axis in range(argument.type.rank)]
            extents = tuple(extent for one in places for extent in one.shape)
            result.append(Argument(argument.name, data.type, data.rank, argument.direction, extents, data.domain))
        elif argument.name not in hidden:
            result.append(argument)
    return tuple(result)
