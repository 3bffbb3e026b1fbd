"""The ways to spoil an equation of a jaxpr: another primitive, number, operand, axis or type."""

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
_KINDS = {
    "f64": "f32", "f32": "f16", "f16": "f32", "bf16": "f32", "bool": "i32", "i64": "i32", "i32": "i16", "i16": "i32",
    "i8": "i32", "u64": "u32", "u32": "i32", "u16": "u32", "u8": "i8", "c64": "f32",
}  # fmt: skip
_TYPE = re.compile(rf"(?<!\s_:)(?<=:)({'|'.join(_KINDS)})\[([\d,]*)\]")
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


def _element_type(line: str, random: Stream) -> str | None:
    found = _declared(line, random)
    return None if found is None else f"{line[: found.start(1)]}{_KINDS[found[1]]}{line[found.end(1) :]}"


def _shape(line: str, random: Stream) -> str | None:
    """An axis that is one longer, or one more."""
    found = _declared(line, random)
    if found is None:
        return None
    sizes = found[2].split(",") if found[2] else []
    if sizes:
        place = random.below(len(sizes))
        sizes[place] = str(int(sizes[place]) + 1)
    return f"{line[: found.start(2)]}{','.join(sizes or ['3'])}{line[found.end(2) :]}"


def _declared(line: str, random: Stream) -> re.Match[str] | None:
    """The type of one of the values that an equation gives, or that a jaxpr inside another takes."""
    where = re.match(r"\s*(?:[A-Za-z_]\w*:\S+ )+= |.*\S.*\{ lambda ;[^.]*\. let", line)
    found = list(_TYPE.finditer(line, 0, where.end())) if where else []
    return random.pick(found) if found else None


MUTATIONS: dict[str, Callable[[str, Stream], str | None]] = {
    "another operation": _primitive,
    "operands swapped": _swapped,
    "operation dropped": _dropped,
    "another constant": _number,
    "another power": _power,
    "loop the other way": _direction,
    "cases swapped": _cases,
    "another element type": _element_type,
    "another shape": _shape,
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
