"""Texts of JAX and XLA with the line of the kernel's Python that each of their lines came from.

Where an operation stands in the source is no part of a text. JAX and XLA say it when they are asked to: in a second
print of the same module that is the same line for line, but for tables of places beside it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from irsmith.outcome import LineSpan

_NAMED = re.compile(r"(#loc\d*) = loc\((.*)\)")
_PLACE = re.compile(r"loc\((#loc\d*)\)$")
_REFERENCE = re.compile(r"#loc\d*")
_OPERATION = ("%", '"', "stablehlo.", "func.")
"""How an operation's first line begins; what else stands below it in the same column is of its regions."""
_FUNCTION = re.compile(r"  func\.func (?:public|private @(\w+))")
_CALL = re.compile(r"call @(\w+)")

_TABLES = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
_ENTRY = re.compile(r"(\d+) (.+)")
_FRAME = re.compile(r"stack_frame_id=(\d+)")
_FIELDS = re.compile(r"(\w+)=(\d+)")
_COMPUTATION = re.compile(r"(?:ENTRY \S+|%(\S+)) .*\{$")
_APPLIED = re.compile(r"(?:to_apply|calls|body|condition|\w+_computations?)=(%[^\s,]+|\{[^}]*\})")
_NAME = re.compile(r"%([^\s,{}]+)")

_JAXPR = re.compile(r"(?:let (\w+) = )?\{ lambda")
_JAXPR_NAMED = re.compile(r"=(\w+)")


@dataclass(frozen=True, slots=True)
class Located:
    """A text, and for each of its lines the line of Python that it came from; None where there is none."""

    text: str
    lines: Sequence[int | None]

    def spans(self, column: str) -> Iterator[LineSpan]:
        """The line map of the text as that column: a span for each run of lines that came from the same."""
        first = 1
        for number, line in enumerate(self.lines, 1):
            if number == len(self.lines) or self.lines[number] != line:
                if line is not None:
                    yield LineSpan(column, line, first, number)
                first = number + 1


def of_jaxpr(text: str, places: Sequence[tuple[int, int | None]]) -> Located:
    """A jaxpr.

    Args:
        text: The jaxpr.
        places: For each line that JAX laid out, how many of its characters have a place, and the line of Python.

    Raises:
        ValueError: These are not the lines of the text.
    """
    written = text.rstrip("\n").split("\n")
    lines: list[int | None] = []
    for length, found in places:
        # What JAX takes for a word of a line may have lines of its own.
        rest = length
        while rest >= 0:
            if len(lines) == len(written):
                raise ValueError("a jaxpr has fewer lines than JAX laid out")
            rest -= len(written[len(lines)]) + 1
            lines.append(found)
    if len(lines) != len(written):
        raise ValueError("a jaxpr has more lines than JAX laid out")
    equations: list[tuple[int, int]] = []
    for number, line in enumerate(written):
        column = _column(line)
        while equations and equations[-1][0] >= column:
            equations.pop()
        found = lines[number]
        if found is not None:
            equations.append((column, found))
        elif equations:
            lines[number] = equations[-1][1]
    _called(written, lines, _JAXPR, _JAXPR_NAMED.findall)
    return Located(text, lines)


def of_assembly(text: str, located: str, file: str) -> Located:
    """An MLIR module.

    Args:
        text: The module without locations.
        located: The same with them, under names.
        file: What the kernel's source is called in a location.

    Raises:
        ValueError: The two have not the same lines.
    """
    named: dict[str, str] = {}
    body: list[str] = []
    for line in located.split("\n"):
        definition = _NAMED.fullmatch(line)
        if definition is not None:
            named[definition[1]] = definition[2]
        elif line:
            body.append(line)
    here = re.compile(rf'"{re.escape(file)}":(\d+):')

    def resolved(place: str) -> int | None:
        found = here.match(place)
        if found is not None:
            return int(found[1])
        # A name or a call refers to another place; of a call the innermost comes first.
        inner = _REFERENCE.search(place)
        return resolved(named.get(inner[0], "")) if inner is not None else None

    written = text.rstrip("\n").split("\n")
    lines: list[int | None] = []
    for plain, line in zip(written, body, strict=True):
        place = _PLACE.search(line)
        lines.append(resolved(place[1]) if place is not None else None)
        if plain.lstrip().startswith("}") and lines[-1] is not None:
            _spread(written, lines)
    _called(written, lines, _FUNCTION, _CALL.findall)
    return Located(text, lines)


def _spread(written: Sequence[str], lines: list[int | None]) -> None:
    """Give what the last line of an operation with regions says to those of its lines that say nothing."""
    end = len(lines) - 1
    column = _column(written[end])
    for number in range(end - 1, -1, -1):
        lines[number] = lines[number] or lines[end]
        if _column(written[number]) == column and written[number].lstrip().startswith(_OPERATION):
            break


def _called(
    written: Sequence[str],
    lines: list[int | None],
    head: re.Pattern[str],
    calls: Callable[[str], Sequence[str]],
) -> None:
    """Give the lines of a function that say nothing the line of its first call.

    Args:
        written: The text's lines.
        lines: Where they came from.
        head: The first line of a function, with its name; without one it is that which is called from outside.
        calls: The names of the functions that a line calls.
    """
    starts = [(number, found[1]) for number, line in enumerate(written) if (found := head.match(line))]
    ends = [*(number for number, _ in starts[1:]), len(written)]
    functions = {name: range(start, end) for (start, name), end in zip(starts, ends, strict=True)}
    waiting = deque([functions[None]])
    seen: set[str | None] = set()
    while waiting:
        for number in waiting.popleft():
            for name in calls(written[number]):
                if name in functions and name not in seen:
                    seen.add(name)
                    for inner in functions[name]:
                        lines[inner] = lines[inner] or lines[number]
                    waiting.append(functions[name])


def _column(line: str) -> int:
    return len(line) - len(line.lstrip())


def of_hlo(text: str, located: str, file: str) -> Located:
    """An HLO module.

    Args:
        text: The module without metadata.
        located: The same with it, and with the tables that it refers to.
        file: What the kernel's source is called in them.

    Raises:
        ValueError: The two have not the same lines.
    """
    tables: dict[str, dict[str, str]] = {name: {} for name in _TABLES}
    body: list[str] = []
    table = ""
    for line in filter(None, located.split("\n")):
        entry = _ENTRY.fullmatch(line) if table else None
        if line in tables:
            table = line
        elif entry is not None:
            tables[table][entry[1]] = entry[2]
        else:
            body.append(line)
            table = ""
    resolved = _frames(tables, f'"{file}"')
    written = text.rstrip("\n").split("\n")
    rest = iter(body)
    lines: list[int | None] = []
    for plain in written:
        frame = _FRAME.search(next(rest)) if plain else None
        lines.append(resolved(frame[1]) if frame is not None else None)
    if next(rest, None) is not None:
        raise ValueError("an HLO module has more lines with metadata than without")
    _called(written, lines, _COMPUTATION, lambda line: _NAME.findall(" ".join(_APPLIED.findall(line))))
    return Located(text, lines)


def _frames(tables: Mapping[str, Mapping[str, str]], file: str) -> Callable[[str], int | None]:
    def resolved(frame: str) -> int | None:
        location = dict(_FIELDS.findall(tables["StackFrames"][frame]))["file_location_id"]
        place = dict(_FIELDS.findall(tables["FileLocations"][location]))
        return int(place["line"]) if tables["FileNames"][place["file_name_id"]] == file else None

    return resolved
