"""Spoiling a row: one change at a time in a compiled text, in the ways that a compiler or a tool may go wrong.

The mutations know the shape of C++ that Warp writes: one operation a line, ``var_7 = wp::add(var_2, var_3);``,
and the adjoints of a backward text behind ``// reverse``. Those of the Python text are in `spoiled_python`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from irsmith.rng import Stream

_CALL = re.compile(r"(?P<head>\s*(?:(?P<to>\w+) = )?wp::(?P<name>\w+)\()(?P<args>[^()]*)(?P<tail>\);.*)")
_DECLARED = re.compile(
    r"\s*(?:const )?(?P<type>wp::[\w:]+(?:<[^=]*>)?|bool)(?P<pointer>\*?)(?: |\* )(?P<name>\w+)(?: = .*)?;"
)
_NUMBER = re.compile(r"(?P<head>\s*const wp::\w+ var_\w+ = )(?P<number>-?[\d.]+(?:e[+-]?\d+)?)(?P<tail>[^;]*;.*)")
_TEST = re.compile(r"(?P<head>\s*)if \((?P<test>!?\(?\w+\)?(?: == false)?)\) (?P<tail>\{|goto \w+;|continue;|return;)")
_COMPARISON = re.compile(r"(?P<head>.* = \(\w+ )(?P<sign>[<>]=?|==|!=)(?P<tail> \w+\);)")

_FUNCTIONS = {
    "sin": "cos", "cos": "sin", "exp": "abs", "log": "abs", "sqrt": "abs", "tanh": "sin", "atan": "sin", "abs": "neg",
    "floor": "ceil", "ceil": "floor", "normalize": "neg", "length": "length_sq", "length_sq": "length",
    "transpose": "neg", "round": "floor",
}  # fmt: skip
_OPERATORS = {"add": "sub", "sub": "add", "mul": "add", "div": "mul", "min": "max", "max": "min", "dot": "add"}
_ORDERED = {"sub", "div", "mod", "pow", "atan2", "floordiv", "lshift", "rshift", "cross", "where"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One spoiled text.

    Attributes:
        mutation: Which way it was spoiled.
        where: The column that was changed.
        line: The line that was changed, as it was.
        texts: All columns with the change, if a compiled text was changed.
        source: The source with the change, if that was.
    """

    mutation: str
    where: str
    line: str
    texts: Mapping[str, str | None] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a body, the types that its text declares, and the variables assigned before it."""

    text: str
    types: Mapping[str, str]
    before: Sequence[str]
    random: Stream

    @property
    def call(self) -> re.Match[str] | None:
        return _CALL.fullmatch(self.text)

    def another(self, name: str) -> str | None:
        """Another variable of the same type that has a value here."""
        kind = self.types.get(name)
        names = [other for other in self.before if other != name and self.types.get(other) == kind]
        return self.random.pick(names) if kind and names else None


Mutation = Callable[[_Line], str | None]


def _rewritten(call: re.Match[str], arguments: Sequence[str], name: str | None = None) -> str:
    head = call["head"] if name is None else call["head"].replace(f"wp::{call['name']}(", f"wp::{name}(")
    return f"{head}{', '.join(arguments)}{call['tail']}"


def _arguments(call: re.Match[str]) -> list[str]:
    return call["args"].split(", ") if call["args"] else []


def _is_float(line: _Line, name: str | None) -> bool:
    return name is not None and "float" in line.types.get(name, "") and "*" not in line.types.get(name, "")


def _swapped_operands(line: _Line) -> str | None:
    call = line.call
    if call is None or call["name"] not in _ORDERED:
        return None
    args = _arguments(call)
    if len(args) < 2 or args[-1] == args[-2]:
        return None
    return _rewritten(call, [*args[:-2], args[-1], args[-2]])


def _operator(line: _Line) -> str | None:
    call = line.call
    if call is None or call["name"] not in _OPERATORS or call["to"] is None:
        return None
    return _rewritten(call, _arguments(call), _OPERATORS[call["name"]])


def _min_max(line: _Line) -> str | None:
    call = line.call
    swap = {"min": "max", "max": "min", "atomic_min": "atomic_max", "atomic_max": "atomic_min"}
    if call is None or call["name"] not in swap:
        return None
    return _rewritten(call, _arguments(call), swap[call["name"]])


def _function(line: _Line) -> str | None:
    call = line.call
    if call is None or call["name"] not in _FUNCTIONS or call["to"] is None:
        return None
    return _rewritten(call, _arguments(call), _FUNCTIONS[call["name"]])


def _sign(line: _Line) -> str | None:
    call = line.call
    if call is None or not _is_float(line, call["to"]) or call["name"] in ("load", "copy", "address"):
        return None
    return f"{line.text} {call['to']} = wp::neg({call['to']});"


def _truncated(line: _Line) -> str | None:
    call = line.call
    if call is None or line.types.get(call["to"] or "") != "wp::float32":
        return None
    return f"{line.text} {call['to']} = wp::float32(wp::int({call['to']}));"


def _halved(line: _Line) -> str | None:
    call = line.call
    if call is None or line.types.get(call["to"] or "") != "wp::float32":
        return None
    return f"{line.text} {call['to']} = wp::float32(wp::float16({call['to']}));"


def _neighbour(line: _Line) -> str | None:
    call = line.call
    if call is None or call["name"] not in ("address", "array_store", "atomic_add", "atomic_sub"):
        return None
    args = _arguments(call)
    place = 1 + line.random.below(len(args) - (1 if call["name"] == "address" else 2))
    args[place] = f"({args[place]} > 0 ? {args[place]} - 1 : {args[place]} + 1)"
    return _rewritten(call, args)


def _wrong_argument(line: _Line) -> str | None:
    call = line.call
    if call is None or call["name"] in ("load", "assign") or call["name"].startswith("adj_"):
        return None
    args = _arguments(call)
    place = line.random.below(len(args)) if args else 0
    other = line.another(args[place]) if args else None
    if other is None:
        return None
    args[place] = other
    return _rewritten(call, args)


def _stale(line: _Line) -> str | None:
    call = line.call
    if call is None or call["name"] not in ("load", "copy"):
        return None
    (argument,) = _arguments(call)
    other = line.another(argument)
    return None if other is None else _rewritten(call, [other])


def _constant(line: _Line) -> str | None:
    found = _NUMBER.fullmatch(line.text)
    if found is None:
        return None
    number = found["number"]
    whole = "int" in line.text.split("=")[0]
    changed = str(int(number) + 1) if whole else repr(float(number) * 1.01 if float(number) else 0.01)
    return f"{found['head']}{changed}{found['tail']}"


def _branch(test: str) -> Mutation:
    def mutation(line: _Line) -> str | None:
        found = _TEST.fullmatch(line.text)
        if found is None:
            return None
        condition = f"!({found['test']})" if test == "!" else test
        return f"{found['head']}if ({condition}) {found['tail']}"

    return mutation


def _compared(signs: Mapping[str, str]) -> Mutation:
    def mutation(line: _Line) -> str | None:
        found = _COMPARISON.fullmatch(line.text)
        if found is None or found["sign"] not in signs:
            return None
        return f"{found['head']}{signs[found['sign']]}{found['tail']}"

    return mutation


def _dropped(*names: str) -> Mutation:
    def mutation(line: _Line) -> str | None:
        call = line.call
        return "" if call is not None and call["name"].startswith(names) else None

    return mutation


def _twice(*names: str) -> Mutation:
    def mutation(line: _Line) -> str | None:
        call = line.call
        return f"{line.text} {line.text.strip()}" if call is not None and call["name"].startswith(names) else None

    return mutation


def _overwritten(line: _Line) -> str | None:
    call = line.call
    if call is None or call["name"] not in ("atomic_add", "atomic_sub"):
        return None
    head = re.sub(r"\w+ = ", "", call["head"])
    return head.replace(f"wp::{call['name']}(", "wp::array_store(") + call["args"] + call["tail"]


def _loop(place: int, change: str) -> Mutation:
    def mutation(line: _Line) -> str | None:
        call = line.call
        if call is None or call["name"] != "range":
            return None
        args = _arguments(call)
        index = len(args) - 1 if len(args) == 1 and place else min(place, len(args) - 1)
        if len(args) == 1 and not place:
            return _rewritten(call, [f"1, {args[0]}"])
        args[index] = f"{args[index]} {change}"
        return _rewritten(call, args)

    return mutation


def _adjoints_swapped(line: _Line) -> str | None:
    call = line.call
    if call is None or not call["name"].startswith("adj_"):
        return None
    args = _arguments(call)
    places = [place for place, name in enumerate(args) if name.startswith("adj_") and line.types.get(name)]
    pairs = [
        (a, b)
        for a in places[:-1]
        for b in places[:-1]
        if a < b and args[a] != args[b] and line.types[args[a]] == line.types[args[b]]
    ]
    if not pairs:
        return None
    first, second = line.random.pick(pairs)
    args[first], args[second] = args[second], args[first]
    return _rewritten(call, args)


def _adjoint_of(change: Callable[[str], str]) -> Mutation:
    """Something is done to the adjoint that a statement of the reverse part starts from."""

    def mutation(line: _Line) -> str | None:
        call = line.call
        if call is None or not call["name"].startswith("adj_"):
            return None
        last = _arguments(call)[-1]
        if not _is_float(line, last):
            return None
        return f"{change(last)} {line.text.strip()}"

    return mutation


def _adjoint_function(line: _Line) -> str | None:
    call = line.call
    swaps = {
        "adj_add": "adj_sub", "adj_sub": "adj_add", "adj_sin": "adj_cos", "adj_cos": "adj_sin", "adj_min": "adj_max",
        "adj_max": "adj_min", "adj_mul": "adj_add", "adj_atomic_add": "adj_atomic_sub",
    }  # fmt: skip
    if call is None or call["name"] not in swaps:
        return None
    return _rewritten(call, _arguments(call), swaps[call["name"]])


def _primal_argument(line: _Line) -> str | None:
    call = line.call
    if call is None or not call["name"].startswith("adj_"):
        return None
    args = _arguments(call)
    places = [place for place, name in enumerate(args) if name.startswith("var_")]
    if not places:
        return None
    place = line.random.pick(places)
    other = line.another(args[place])
    if other is None:
        return None
    args[place] = other
    return _rewritten(call, args)


_FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "=="}
_EDGE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}

FORWARD: dict[str, Mutation] = {
    "swapped operands": _swapped_operands,
    "wrong operator": _operator,
    "swapped min and max": _min_max,
    "wrong function": _function,
    "wrong sign": _sign,
    "truncated to a whole number": _truncated,
    "rounded to half precision": _halved,
    "neighbouring index": _neighbour,
    "wrong argument": _wrong_argument,
    "stale load": _stale,
    "changed constant": _constant,
    "missing branch": _branch("0"),
    "branch always taken": _branch("1"),
    "negated condition": _branch("!"),
    "comparison turned round": _compared(_FLIP),
    "comparison off by one": _compared(_EDGE),
    "dropped store": _dropped("array_store"),
    "lost atomic": _dropped("atomic_"),
    "atomic made a store": _overwritten,
    "duplicated accumulation": _twice("atomic_"),
    "dropped assignment": _dropped("assign"),
    "shortened loop": _loop(1, "- 1"),
    "lengthened loop": _loop(1, "+ 1"),
    "wrong loop start": _loop(0, "+ 1"),
}
"""Mutations of what computes values, in a forward text and where a backward text repeats it."""

REVERSE: dict[str, Mutation] = {
    "dropped adjoint": _dropped("adj_"),
    "duplicated adjoint": _twice("adj_"),
    "swapped adjoints": _adjoints_swapped,
    "zeroed adjoint": _adjoint_of(lambda name: f"    {name} = {{}};"),
    "wrong sign of an adjoint": _adjoint_of(lambda name: f"    {name} = wp::neg({name});"),
    "adjoint counted twice": _adjoint_of(lambda name: f"    {name} = wp::add({name}, {name});"),
    "adjoint of another function": _adjoint_function,
    "wrong primal in an adjoint": _primal_argument,
    "swapped operands in reverse": _swapped_operands,
    "missing branch in reverse": _branch("0"),
    "negated condition in reverse": _branch("!"),
}
"""Mutations of what propagates adjoints."""


def spoiled_texts(texts: Mapping[str, str | None], column: str, random: Stream) -> Iterator[Mutant]:
    """For each mutation that has a place in a column, one mutant at a random such place."""
    text = texts.get(column)
    if not text:
        return
    lines = text.split("\n")
    types = {m["name"]: m["type"] + m["pointer"] for line in lines if (m := _DECLARED.match(line))}
    start = next((n for n, line in enumerate(lines) if line.strip() == "// forward"), 0)
    reverse = next((n for n, line in enumerate(lines) if line.strip() == "// reverse"), len(lines))
    for mutations, region, prefix in ((FORWARD, range(reverse), ""), (REVERSE, range(reverse, len(lines)), "")):
        for name, mutation in mutations.items():
            sites = []
            for number in region:
                if lines[number].strip().startswith("//") or (number < start and name != "changed constant"):
                    continue
                before = _assigned(lines[start:number])
                if mutation(_Line(lines[number], types, before, random)) not in (None, lines[number]):
                    sites.append(number)
            if not sites:
                continue
            number = random.pick(sites)
            changed = mutation(_Line(lines[number], types, _assigned(lines[start:number]), random))
            if changed is None or changed == lines[number]:
                continue
            spoiled = "\n".join([*lines[:number], changed, *lines[number + 1 :]])
            yield Mutant(prefix + name, column, lines[number].strip(), texts={**texts, column: spoiled})


def _assigned(lines: Sequence[str]) -> list[str]:
    return [m[1] for line in lines if (m := re.match(r"\s*(var_\w+) = ", line))]
