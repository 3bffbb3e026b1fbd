"""The ways to spoil an equation of a jaxpr: another primitive, number, operand or axis."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from irsmith.rng import Stream
from irsmith.verify.mutants import Mutant

_PRIMITIVES = {
    "add": "sub", "sub": "add", "mul": "add", "div": "mul", "max": "min", "min": "max", "sin": "cos", "cos": "sin",
    "exp": "neg", "log": "abs", "tanh": "sin", "logistic": "tanh", "neg": "abs", "abs": "neg", "lt": "gt", "gt": "lt",
    "le": "ge", "ge": "le", "reduce_max": "reduce_min", "reduce_min": "reduce_max", "add_any": "sub", "expm1": "exp",
    "log1p": "abs",
}  # fmt: skip
_PLAIN = re.compile(r"(\s*\w+:\S+ = )(\w+) (\S+) (\S+)")
_ONE = re.compile(r"(\s*\w+:(\w+)\[\S* = )(\w+)( .*)")


def _primitive(line: str, _: Stream) -> str | None:
    found = _ONE.fullmatch(line)
    if found is None or found[3] not in _PRIMITIVES or found[2].startswith(("i", "u")):
        return None
    return f"{found[1]}{_PRIMITIVES[found[3]]}{found[4]}"


def _swapped(line: str, _: Stream) -> str | None:
    found = _PLAIN.fullmatch(line)
    if found is None or found[2] not in ("sub", "div", "pow", "atan2", "lt", "gt", "le", "ge", "rem"):
        return None
    return f"{found[1]}{found[2]} {found[4]} {found[3]}"


def _dropped(line: str, _: Stream) -> str | None:
    found = _PLAIN.fullmatch(line)
    if found is None or found[2] not in ("add", "sub", "mul", "div", "add_any", "max", "min", "pow"):
        return None
    # A number has no axes, whatever the result has.
    kept = found[4] if ":" in found[3] else found[3]
    return f"{found[1]}max {kept} {kept}"


def _number(line: str, random: Stream) -> str | None:
    numbers = list(re.finditer(r"(?<= )-?\d+\.\d+(?:e[+-]?\d+)?(?=:)", line))
    if not numbers:
        return None
    number = random.pick(numbers)
    return f"{line[: number.start()]}{float(number[0]) * 1.5 + 0.25!r}{line[number.end() :]}"


def _power(line: str, _: Stream) -> str | None:
    found = re.search(r"(?<=integer_pow\[y=)-?\d+", line)
    return None if found is None else f"{line[: found.start()]}{int(found[0]) + 1}{line[found.end() :]}"


def _direction(line: str, _: Stream) -> str | None:
    turned = {"reverse=True": "reverse=False", "reverse=False": "reverse=True"}
    found = re.search(r"reverse=(?:True|False)", line)
    return line.replace(found[0], turned[found[0]]) if found else None


def _cases(line: str, _: Stream) -> str | None:
    found = re.fullmatch(r"(.* = select_n \S+) (\S+) (\S+)", line)
    return f"{found[1]} {found[3]} {found[2]}" if found else None


MUTATIONS: dict[str, Callable[[str, Stream], str | None]] = {
    "another operation": _primitive,
    "operands swapped": _swapped,
    "operation dropped": _dropped,
    "another constant": _number,
    "another power": _power,
    "loop the other way": _direction,
    "cases swapped": _cases,
}
"""By what each is called."""


def spoiled(texts: Mapping[str, str | None], column: str, random: Stream) -> Iterator[Mutant]:
    """For each mutation that has a place in a jaxpr, one mutant at a random such place."""
    lines = (texts.get(column) or "").splitlines()
    for name, mutation in MUTATIONS.items():
        edits = [
            (place, new) for place, line in enumerate(lines) if (new := mutation(line, random)) not in (None, line)
        ]
        if edits:
            place, new = random.pick(edits)
            changed = "\n".join([*lines[:place], str(new), *lines[place + 1 :]]) + "\n"
            yield Mutant(name, column, lines[place].strip(), texts={**texts, column: changed})
