"""The operations of an HLO or a StableHLO text, line by line: what each takes, gives, and could have taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from irsmith.rng import Stream


class Dialect(Enum):
    """In which language a text is."""

    HLO = auto()
    STABLEHLO = auto()


_HLO = re.compile(
    r"(?P<head>\s*(?:ROOT )?(?P<to>%[\w.-]+) = (?P<type>\w+\[\S*|\(.*?\)) )"
    r"(?P<op>[\w-]+)\((?P<args>(?:%[\w.-]+(?:, )?)*)\)(?P<tail>.*)"
)
_HLO_OTHER = re.compile(r"\s*(?:ROOT )?(?P<to>%[\w.-]+) = (?P<type>\w+\[\S*|\(.*?\)) (?P<op>[\w-]+)\(")
_VALUE = r"%\w+(?:#\d+)?"
_STABLEHLO = re.compile(
    r"(?P<head>\s*(?P<to>%\w+) = \"?(?:stablehlo|chlo)\.)(?P<op>\w+)\"?(?P<open>\(| )"
    rf"(?P<sign>(?:[A-Z]+, +)?)(?P<args>{_VALUE}(?:, {_VALUE})*)(?P<tail>[ ,)].*)"
)
_TENSOR = re.compile(r"tensor<((?:\d+x)*)(\w+(?:<\w+>)?)>")
_HLO_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")

_KINDS = {"pred": "i1", "s32": "i32", "s64": "i64", "u32": "ui32", "u64": "ui64", "s8": "i8", "u8": "ui8"}
"""HLO's names of types, where StableHLO has others."""


@dataclass(frozen=True, slots=True)
class Type:
    """An array's type: StableHLO's name of its elements' type, and its shape."""

    kind: str
    shape: tuple[int, ...]

    @property
    def is_float(self) -> bool:
        """Whether it holds real numbers."""
        return self.kind in ("f16", "bf16", "f32", "f64")

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.kind.lstrip("u").startswith("i") and self.kind != "i1"


@dataclass(slots=True)
class Scope:
    """A computation.

    Attributes:
        role: What calls it, by the word before its name: ``to_apply``, ``condition``, ``body``; empty for others.
        types: The types of its values.
        order: Those values, in the order in which they are computed.
    """

    role: str = ""
    types: dict[str, Type] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text.

    Attributes:
        place: Its number, from 0.
        text: It.
        dialect: Its language.
        match: What it says, if it is an operation on named values.
        scope: The computation that it stands in.
        known: How many values of that are computed before it.
        random: What to choose by.
    """

    place: int
    text: str
    dialect: Dialect
    match: re.Match[str] | None
    scope: Scope
    known: int
    random: Stream

    @property
    def op(self) -> str:
        """The operation as StableHLO spells it; empty where there is none."""
        return self.match["op"].replace("-", "_") if self.match is not None else ""

    @property
    def arguments(self) -> list[str]:
        """The names of what it takes."""
        return self.match["args"].split(", ") if self.match is not None and self.match["args"] else []

    @property
    def type(self) -> Type | None:
        """What it gives, if that is one array."""
        return self.scope.types.get(self.match["to"]) if self.match is not None else None

    def type_of(self, name: str) -> Type | None:
        """The type of a value of its computation."""
        return self.scope.types.get(name)

    def others(self, name: str) -> Sequence[str]:
        """Values of the same type as another one that stand before the line."""
        kind = self.type_of(name)
        before = self.scope.order[: self.known]
        return [other for other in before if other != name and kind is not None and self.type_of(other) == kind]

    def rewritten(self, arguments: Sequence[str], op: str | None = None) -> str:
        """It with other operands, or with another operation: named as StableHLO does."""
        found = self.match
        assert found is not None
        name = found["op"] if op is None else op.replace("_", "-") if self.dialect is Dialect.HLO else op
        between = self.text[found.end("op") : found.start("args")]
        return self.text[: found.start("op")] + name + between + ", ".join(arguments) + self.text[found.end("args") :]

    def behind(self, made: Sequence[tuple[str, str, Type]], text: str) -> str:
        """It behind further operations, each with the value's name, what is done, and the type of what that gives."""
        indent = re.match(r"\s*", self.text)
        assert indent is not None
        written = [f"{indent[0]}{name} = {_spelled(what, type_, self.dialect)}" for name, what, type_ in made]
        return "\n".join([*written, text])

    def fresh(self, suffix: str) -> str:
        """A name that no other value has."""
        return f"%spoiled{self.place}{suffix}"


def read(text: str, dialect: Dialect, random: Stream) -> list[Line]:
    """The lines of a text."""
    lines = text.splitlines()
    roles = {name: role for role, name in re.findall(r"(to_apply|condition|body)=(%[\w.-]+)", text)}
    return _read_hlo(lines, roles, random) if dialect is Dialect.HLO else _read_stablehlo(lines, random)


def _read_hlo(lines: Sequence[str], roles: Mapping[str, str], random: Stream) -> list[Line]:
    found, scope = [], Scope()
    for place, text in enumerate(lines):
        opening = re.match(r"(?:ENTRY )?(%[\w.-]+) .*\{$", text)
        if opening:
            scope = Scope(roles.get(opening[1], ""))
        match = _HLO.fullmatch(text)
        found.append(Line(place, text, Dialect.HLO, match, scope, len(scope.order), random))
        defined = match or _HLO_OTHER.match(text)
        if defined is not None:
            array = _HLO_ARRAY.match(defined["type"])
            if array is not None:
                shape = tuple(int(size) for size in array[2].split(",") if size)
                scope.types[defined["to"]] = Type(_KINDS.get(array[1], array[1]), shape)
                scope.order.append(defined["to"])
    return found


def _read_stablehlo(lines: Sequence[str], random: Stream) -> list[Line]:
    found, scope, inside = [], Scope(), ""
    for place, text in enumerate(lines):
        if "func.func" in text:
            scope, inside = Scope(), ""
            for name, given in re.findall(r"(%\w+): (tensor<[^ ,)]*>)", text):
                _define(scope, name, given)
        words = text.strip()
        inside = "condition" if words == "cond {" else "body" if words == "} do {" else inside
        scope.role = inside
        match = _STABLEHLO.fullmatch(text)
        # What a region defines is not seen behind it; a text that names it there is no program, and counts for nothing.
        role = Scope(inside, scope.types, scope.order)
        found.append(Line(place, text, Dialect.STABLEHLO, match, role, len(scope.order), random))
        defined = re.match(r"\s*(%\w+) = ", text)
        if defined is not None:
            _define(scope, defined[1], text.rpartition(" ")[2])
        if words == "}":
            inside = ""
    return found


def _define(scope: Scope, name: str, given: str) -> None:
    tensor = _TENSOR.fullmatch(given)
    if tensor is not None:
        scope.types[name] = Type(tensor[2], tuple(int(size) for size in tensor[1].split("x") if size))
        scope.order.append(name)


def _spelled(what: str, type_: Type, dialect: Dialect) -> str:
    """An operation: its name and its operands; ``constant`` and a number; ``convert`` and an operand with its type."""
    op, _, operands = what.partition(" ")
    shape, kind = type_.shape, type_.kind
    if dialect is Dialect.HLO:
        names = {new: old for old, new in _KINDS.items()}
        written = f"{names.get(kind, kind)}[{','.join(map(str, shape))}]"
        return f"{written} {op.replace('_', '-')}({operands.partition(' : ')[0]})"
    written = f"tensor<{''.join(f'{size}x' for size in shape)}{kind}>"
    if op == "constant":
        return f"stablehlo.constant dense<{operands}> : {written}"
    operands, _, source = operands.partition(" : ")
    if op == "convert":
        return f"stablehlo.convert {operands} : (tensor<{''.join(f'{size}x' for size in shape)}{source}>) -> {written}"
    return f"stablehlo.{op} {operands} : {written}"
