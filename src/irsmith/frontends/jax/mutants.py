"""Spoiling HLO and StableHLO texts: one change at a time, in the ways that a compiler or a tool may go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from irsmith.frontends.jax.stages import STABLEHLO
from irsmith.rng import Stream
from irsmith.verify.mutants import Mutant

_HLO = re.compile(
    r"(?P<head>\s*(?:ROOT )?(?P<to>%[\w.-]+) = (?P<type>\w+\[[^ ]*) )(?P<op>[\w-]+)\((?P<args>[^()]*)\)(?P<tail>.*)"
)
_STABLEHLO = re.compile(
    r"(?P<head>\s*(?P<to>%\w+) = )stablehlo\.(?P<op>\w+) (?P<args>(?:[A-Z]+, +)?%\w+(?:, %\w+)*)(?P<tail>[ ,].*)"
)
_OPERATIONS = {
    "add": "subtract", "subtract": "add", "multiply": "add", "divide": "multiply", "maximum": "minimum",
    "minimum": "maximum", "sine": "cosine", "cosine": "sine", "exponential": "negate", "log": "abs", "tanh": "sine",
    "logistic": "tanh", "sqrt": "abs", "rsqrt": "sqrt", "negate": "abs", "abs": "negate", "floor": "ceil",
    "ceil": "floor", "power": "multiply", "exponential-minus-one": "exponential", "log-plus-one": "abs",
    "exponential_minus_one": "exponential", "log_plus_one": "abs", "and": "or", "or": "and",
}  # fmt: skip
_ORDERED = {"subtract", "divide", "power", "atan2", "remainder"}
_SIGNS = {"LT": "GT", "GT": "LT", "LE": "GE", "GE": "LE", "EQ": "NE", "NE": "EQ"}
_HLO_CONSTANT = re.compile(r"constant\((-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\)")
_STABLEHLO_CONSTANT = re.compile(r"dense<(-?\d+\.\d+e[+-]\d+)>")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a computation, the types of its values, and those that come before it."""

    text: str
    match: re.Match[str] | None
    types: Mapping[str, str]
    before: Sequence[str]
    random: Stream

    @property
    def arguments(self) -> list[str]:
        assert self.match is not None
        return self.match["args"].split(", ")

    def rewritten(self, op: str, arguments: Sequence[str]) -> str:
        found = self.match
        assert found is not None
        start, end = found.start("op"), found.end("args")
        between = self.text[found.end("op") : found.start("args")]
        return self.text[:start] + op + between + ", ".join(arguments) + self.text[end:]


def _operation(line: _Line) -> str | None:
    if line.match is None or line.match["op"] not in _OPERATIONS or _whole(line):
        return None
    return line.rewritten(_OPERATIONS[line.match["op"]], line.arguments)


def _whole(line: _Line) -> bool:
    """Whether a line is of whole numbers, which mostly count."""
    assert line.match is not None
    return bool(re.search(r"\b[su]\d+\[|xi\d+>|<i\d+>|ui\d+>", line.text))


def _swapped(line: _Line) -> str | None:
    if line.match is None or line.match["op"] not in _ORDERED:
        return None
    first, second, *rest = line.arguments
    return line.rewritten(line.match["op"], [second, first, *rest]) if first != second else None


def _chosen_other(line: _Line) -> str | None:
    """The cases of a selection in each other's place."""
    if line.match is None or line.match["op"] != "select" or len(line.arguments) != 3:
        return None
    test, first, second = line.arguments
    return line.rewritten("select", [test, second, first]) if first != second else None


def _another_operand(line: _Line) -> str | None:
    if line.match is None or line.match["op"] in ("constant", "parameter", "get-tuple-element", "while", "tuple"):
        return None
    arguments = line.arguments
    for place in line.random.shuffled(range(len(arguments))):
        name = arguments[place].strip()
        kind = line.types.get(name)
        others = [other for other in line.before if other != name and kind and line.types.get(other) == kind]
        if others:
            arguments[place] = line.random.pick(others)
            return line.rewritten(line.match["op"], arguments)
    return None


def _direction(line: _Line) -> str | None:
    hlo = re.search(r"direction=(\w\w)", line.text)
    if hlo:
        return line.text.replace(hlo[0], f"direction={_SIGNS[hlo[1]]}")
    stablehlo = re.search(r"compare (\w\w),", line.text)
    return line.text.replace(stablehlo[0], f"compare {_SIGNS[stablehlo[1]]},") if stablehlo else None


def _constant(line: _Line) -> str | None:
    hlo = _HLO_CONSTANT.search(line.text)
    if hlo and re.search(r"= b?f\d+\[", line.text):
        return line.text.replace(hlo[0], f"constant({float(hlo[1]) * 1.5 + 0.25:g})")
    stablehlo = _STABLEHLO_CONSTANT.search(line.text)
    return line.text.replace(stablehlo[0], f"dense<{float(stablehlo[1]) * 1.5 + 0.25:e}>") if stablehlo else None


def _dropped(line: _Line) -> str | None:
    """A value passed on as it was."""
    if line.match is None or line.match["op"] not in _OPERATIONS or _whole(line):
        return None
    first = line.arguments[0]
    return line.rewritten("maximum", [first, first])


MUTATIONS: dict[str, Callable[[_Line], str | None]] = {
    "another operation": _operation,
    "operands swapped": _swapped,
    "cases swapped": _chosen_other,
    "another operand": _another_operand,
    "comparison turned": _direction,
    "another constant": _constant,
    "operation dropped": _dropped,
}
"""By what each is called."""


def spoiled(texts: Mapping[str, str | None], stage: str, *, backward: bool, random: Stream) -> Iterator[Mutant]:
    """For each mutation that has a place in a stage's texts, one mutant at a random such place.

    Args:
        texts: The row's columns.
        stage: The stage to spoil.
        backward: Whether its backward too.
        random: Which places.
    """
    for direction in ("forward", "backward") if backward else ("forward",):
        column = f"{stage}_{direction}"
        text = texts.get(column)
        if text is None:
            continue
        lines = text.splitlines()
        known = list(_read(lines, random, _STABLEHLO if stage.startswith(STABLEHLO.name) else _HLO))
        for name, mutation in MUTATIONS.items():
            edits = [(place, new) for place, line in enumerate(known) if (new := mutation(line)) and new != line.text]
            if edits:
                place, new = random.pick(edits)
                changed = "\n".join([*lines[:place], new, *lines[place + 1 :]]) + "\n"
                yield Mutant(name, column, lines[place].strip(), texts={**texts, column: changed})


def _read(lines: Sequence[str], random: Stream, pattern: re.Pattern[str]) -> Iterator[_Line]:
    types: dict[str, str] = {}
    before: list[str] = []
    for text in lines:
        if text.rstrip().endswith("{") and (" = " not in text):
            types, before = {}, []
            for name, kind in re.findall(r"(%\w+): (tensor<[^>]*>)", text):
                types[name] = kind
                before.append(name)
        match = pattern.fullmatch(text)
        yield _Line(text, match, dict(types), list(before), random)
        if match is not None:
            kind = match["type"] if "type" in match.groupdict() else text.rpartition(" ")[2]
            types[match["to"]] = kind
            before.append(match["to"])
