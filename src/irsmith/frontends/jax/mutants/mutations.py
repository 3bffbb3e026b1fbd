"""The ways to spoil a line: each gives the changed line, or None where it has no place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from irsmith.frontends.jax.mutants.lines import Dialect, Line, Type

_OPERATIONS = {
    "add": "subtract", "subtract": "add", "multiply": "add", "divide": "multiply", "maximum": "minimum",
    "minimum": "maximum", "sine": "cosine", "cosine": "sine", "exponential": "negate", "log": "abs", "tanh": "sine",
    "logistic": "tanh", "sqrt": "abs", "rsqrt": "sqrt", "negate": "abs", "abs": "negate", "floor": "ceil",
    "ceil": "floor", "power": "multiply", "atan2": "add", "exponential_minus_one": "exponential",
    "log_plus_one": "abs", "and": "or", "or": "and", "xor": "or", "sign": "abs", "remainder": "divide",
    "shift_left": "shift_right_logical", "shift_right_logical": "shift_left",
}  # fmt: skip
_ORDERED = {"subtract", "divide", "power", "atan2", "remainder", "shift_left", "shift_right_logical", "dot",
            "dot_general", "concatenate", "complex"}  # fmt: skip
_TURNED = {"LT": "GT", "GT": "LT", "LE": "GE", "GE": "LE", "EQ": "NE", "NE": "EQ"}
_EDGE = {"LT": "LE", "LE": "LT", "GT": "GE", "GE": "GT"}
_REDUCTIONS = {"add": "maximum", "maximum": "minimum", "minimum": "maximum", "multiply": "add", "and": "or",
               "or": "and"}  # fmt: skip
_NO_OPERANDS = {"constant", "parameter", "get_tuple_element", "while", "tuple", "iota", "call", "fusion"}
_INDEXED = {"dynamic_slice": 1, "dynamic_update_slice": 2, "gather": 1, "scatter": 1}
"""Which operand of each is the first of its indices."""

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_DIRECTION = re.compile(r"(?<=direction=)\w\w|(?<=compare )\w\w(?=,)")
_ORDERS = re.compile(
    r"(?P<what>\b(?:dimensions|dims|(?:[lr]hs_)?contracting_dims)\b(?: = |=))"
    r"[\[{](?P<axes>[\d, ]*)[\]}](?: x \[(?P<right>[\d, ]*)\])?"
)


def _operation(line: Line) -> str | None:
    other = _OPERATIONS.get(line.op)
    # Whole numbers mostly count, and a loop that ends no more says nothing of the check.
    if other is None or (_counts(line) and line.op in ("add", "subtract", "multiply")):
        return None
    return line.rewritten(line.arguments, other)


def _counts(line: Line) -> bool:
    return line.type is not None and line.type.is_whole and line.type.shape == ()


def _swapped(line: Line) -> str | None:
    arguments = line.arguments
    if line.op not in _ORDERED or len(arguments) < 2 or arguments[0] == arguments[1]:
        return None
    if line.type_of(arguments[0]) != line.type_of(arguments[1]):
        return None
    return line.rewritten([arguments[1], arguments[0], *arguments[2:]])


def _cases(line: Line) -> str | None:
    """The cases of a selection, or the branches of a condition, in each other's place."""
    branches = re.search(r"branch_computations=\{(%[\w.-]+), (%[\w.-]+)", line.text)
    if branches and len(line.arguments) > 2 and line.type_of(line.arguments[1]) == line.type_of(line.arguments[2]):
        return line.text.replace(branches[0], f"branch_computations={{{branches[2]}, {branches[1]}")
    if line.op != "select" or len(line.arguments) != 3 or line.arguments[1] == line.arguments[2]:
        return None
    test, first, second = line.arguments
    return line.rewritten([test, second, first])


def _another_operand(line: Line) -> str | None:
    if line.match is None or line.op in _NO_OPERANDS:
        return None
    arguments = line.arguments
    for place in line.random.shuffled(range(len(arguments))):
        others = line.others(arguments[place])
        if others:
            arguments[place] = line.random.pick(others)
            return line.rewritten(arguments)
    return None


def _compared(signs: dict[str, str], *, loops: bool) -> Callable[[Line], str | None]:
    def mutation(line: Line) -> str | None:
        found = _DIRECTION.search(line.text)
        if found is None or found[0] not in signs or loops != (line.scope.role == "condition"):
            return None
        return line.text[: found.start()] + signs[found[0]] + line.text[found.end() :]

    return mutation


def _constant(line: Line) -> str | None:
    """A number, or one of an array's."""
    whole = re.search(r"= (?:[su]\d+\[|.*x?u?i\d+>$)", line.text)
    opened = re.search(r"constant\(|dense<", line.text)
    if opened is None or (whole and line.scope.role == "condition"):
        return None
    end = line.text.find(")" if opened[0] == "constant(" else "> :", opened.end())
    numbers = [m for m in re.finditer(_NUMBER, line.text) if opened.end() <= m.start() and m.end() <= end]
    if not numbers or "true" in line.text or "false" in line.text or "0x" in line.text:
        return None
    number = line.random.pick(numbers)
    changed = str(int(number[0]) + 1) if whole else f"{float(number[0]) * 1.5 + 0.25:e}"
    return line.text[: number.start()] + changed + line.text[number.end() :]


def _loop_bound(line: Line) -> str | None:
    """A loop that ends a round early: its bound where it stands in the condition."""
    found = re.search(r"(?<=constant\()\d+(?=\))", line.text)
    if found is None or line.scope.role != "condition" or int(found[0]) < 2:
        return None
    return line.text[: found.start()] + str(int(found[0]) - 1) + line.text[found.end() :]


def _dropped(line: Line) -> str | None:
    """A value passed on as it was."""
    arguments, kind = line.arguments, line.type
    if kind is None or line.op in _NO_OPERANDS or not (kind.is_float or kind.kind == "i1"):
        return None
    fitting = [name for name in arguments if line.type_of(name) == kind]
    if not fitting or line.scope.role == "to_apply":
        return None
    name = line.random.pick(fitting)
    assert line.match is not None
    head = line.text[: line.match.start("op")]
    if line.dialect is Dialect.HLO:
        return f"{head}maximum({name}, {name})"
    if not line.text.endswith(">"):
        return None
    return f"{head.replace('chlo.', 'stablehlo.')}maximum {name}, {name} : {line.text.rpartition(' ')[2]}"


def _negated(line: Line) -> str | None:
    """The first operand with the other sign."""
    return _changed_operand(line, lambda type_, name: [("negate " + name, type_)])


def _fewer_bits(line: Line) -> str | None:
    """The first operand converted to a narrower type on its way."""
    narrow = {"f32": "bf16", "f64": "f32"}

    def change(type_: Type, name: str) -> list[tuple[str, Type]] | None:
        if type_.kind not in narrow:
            return None
        low = Type(narrow[type_.kind], type_.shape)
        return [(f"convert {name} : {type_.kind}", low), (f"convert {{}} : {low.kind}", type_)]

    return _changed_operand(line, change)


def _changed_operand(line: Line, change: Callable[[Type, str], Sequence[tuple[str, Type]] | None]) -> str | None:
    """It behind operations on one of its float operands, each on what the one before it gave."""
    if line.match is None or line.op in _NO_OPERANDS:
        return None
    arguments = line.arguments
    places = [n for n, name in enumerate(arguments) if (type_ := line.type_of(name)) is not None and type_.is_float]
    if not places:
        return None
    place = line.random.pick(places)
    type_ = line.type_of(arguments[place])
    assert type_ is not None
    steps = change(type_, arguments[place])
    if steps is None:
        return None
    made: list[tuple[str, str, Type]] = []
    for what, given in steps:
        made.append((line.fresh(f"_{len(made)}"), what.format(made[-1][0]) if made else what, given))
    arguments[place] = made[-1][0]
    return line.behind(made, line.rewritten(arguments))


def _shifted_slice(line: Line) -> str | None:
    """The part of an array that begins one element later or earlier along an axis."""
    found = re.search(r"(?<=slice=\{)\[[^}]*(?=\})|(?<= )\[\d+:\d[^\]]*\]", line.text)
    if found is None or line.op != "slice":
        return None
    source = line.type_of(line.arguments[0])
    ranges = list(re.finditer(r"(\d+):(\d+)", found[0]))
    if source is None or len(ranges) != len(source.shape):
        return None
    spans = [(r, size) for r, size in zip(ranges, source.shape, strict=True) if int(r[1]) > 0 or int(r[2]) < size]
    if not spans:
        return None
    chosen, size = line.random.pick(spans)
    by = 1 if int(chosen[2]) < size else -1
    moved = f"{int(chosen[1]) + by}:{int(chosen[2]) + by}"
    start = found.start() + chosen.start()
    return line.text[:start] + moved + line.text[start + len(chosen[0]) :]


def _shifted_index(line: Line) -> str | None:
    """An index that is one too large."""
    first, arguments = _INDEXED.get(line.op), line.arguments
    if first is None or len(arguments) <= first:
        return None
    places = range(first, len(arguments)) if line.op.startswith("dynamic") else [first]
    place = line.random.pick(list(places))
    type_ = line.type_of(arguments[place])
    if type_ is None or not type_.is_whole:
        return None
    one, next_ = line.fresh("_one"), line.fresh("_next")
    made = [(one, "constant 1", type_ if line.dialect is Dialect.STABLEHLO else Type(type_.kind, ()))]
    if line.dialect is Dialect.HLO and type_.shape:
        # HLO writes an array's constant element by element.
        made.append((line.fresh("_ones"), f"broadcast {one}", type_))
        one = made[-1][0]
    made.append((next_, f"add {arguments[place]}, {one}", type_))
    arguments[place] = next_
    text = line.behind(made, line.rewritten(arguments))
    return text.replace(f"broadcast({made[0][0]})", f"broadcast({made[0][0]}), dimensions={{}}")


def _axes(line: Line) -> str | None:
    """Another axis of the same length: of a transposition, a sum, a product, a broadcast or the like."""
    found = _ORDERS.search(line.text)
    arguments = line.arguments
    source = line.type_of(arguments[0]) if arguments else None
    if found is None or source is None or line.type is None:
        return None
    right = found["right"] is not None or "rhs" in found["what"]
    if right:
        source = line.type_of(arguments[1])
    sizes = line.type.shape if line.op in ("broadcast", "broadcast_in_dim") else source.shape if source else ()
    group = "right" if found["right"] is not None else "axes"
    axes = [int(axis) for axis in found[group].replace(" ", "").split(",") if axis]
    edits = []
    for place, axis in enumerate(axes):
        for other, size in enumerate(sizes):
            if axis < len(sizes) and other != axis and size == sizes[axis] and size > 1:
                edits.append([axis if a == other else other if n == place else a for n, a in enumerate(axes)])
    if not edits:
        return None
    separator = ", " if ", " in found[0] or line.dialect is Dialect.STABLEHLO else ","
    new = separator.join(map(str, line.random.pick(edits)))
    return line.text[: found.start(group)] + new + line.text[found.end(group) :]


def _reduction(line: Line) -> str | None:
    """Another way to put elements together: in a reduction, a scatter or a window."""
    if line.dialect is Dialect.HLO:
        other = _REDUCTIONS.get(line.op) if line.scope.role == "to_apply" and "ROOT" in line.text else None
        scalar = line.type is not None and not line.type.shape and all(name.strip() for name in line.arguments)
        return line.rewritten(line.arguments, other) if other and scalar and len(line.arguments) == 2 else None
    found = re.search(r"(?<=applies stablehlo\.)\w+", line.text)
    if found is None or found[0] not in _REDUCTIONS:
        return None
    return line.text[: found.start()] + _REDUCTIONS[found[0]] + line.text[found.end() :]


def _padding(line: Line) -> str | None:
    """What is put around an array on the other side of it."""
    windows = re.search(r"(?<=pad=)\d+_\d+|(?<=padding=)\d+_\d+", line.text)
    if windows:
        low, high = windows[0].split("_")
        return line.text[: windows.start()] + f"{high}_{low}" + line.text[windows.end() :] if low != high else None
    pads = re.search(r"low = \[([\d, ]*)\], high = \[([\d, ]*)\]", line.text)
    if pads and pads[1] != pads[2]:
        return line.text.replace(pads[0], f"low = [{pads[2]}], high = [{pads[1]}]")
    dense = re.search(r"(?<=padding = dense<\[\[)(\d+), (\d+)", line.text)
    if dense and dense[1] != dense[2]:
        return line.text[: dense.start()] + f"{dense[2]}, {dense[1]}" + line.text[dense.end() :]
    return None


def _results(line: Line) -> str | None:
    """Two results, or two values that a loop carries, in each other's place."""
    tuples = re.fullmatch(r"(\s*ROOT .* tuple\()(.*)\)", line.text)
    returned = re.fullmatch(r"(\s*(?:stablehlo\.|func\.)?return )((?:%[\w#]+(?:, )?)+)( : .*)", line.text)
    found = tuples or returned
    if found is None:
        return None
    names = found[2].split(", ")
    pairs = [
        (a, b)
        for a in range(len(names))
        for b in range(a)
        if names[a] != names[b] and (one := line.type_of(names[a])) is not None and one == line.type_of(names[b])
        and one.is_float
    ]  # fmt: skip
    if not pairs:
        return None
    a, b = line.random.pick(pairs)
    names[a], names[b] = names[b], names[a]
    return found[1] + ", ".join(names) + (")" if tuples else found[3])


MUTATIONS: dict[str, Callable[[Line], str | None]] = {
    "another operation": _operation,
    "operands swapped": _swapped,
    "cases swapped": _cases,
    "another operand": _another_operand,
    "operand negated": _negated,
    "operand in fewer bits": _fewer_bits,
    "operation dropped": _dropped,
    "comparison turned": _compared(_TURNED, loops=False),
    "comparison at its edge": _compared(_EDGE, loops=False),
    "loop lengthened": _compared(_EDGE, loops=True),
    "loop shortened": _loop_bound,
    "another constant": _constant,
    "another reduction": _reduction,
    "another part of an array": _shifted_slice,
    "another index": _shifted_index,
    "another axis": _axes,
    "padding on the other side": _padding,
    "results exchanged": _results,
}
"""By what each is called."""
