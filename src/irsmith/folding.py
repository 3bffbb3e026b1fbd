"""Long lines of Python, broken inside brackets as a formatter breaks them."""

from __future__ import annotations

import re
import textwrap

_KEYWORD = re.compile(r"(if |elif |while |return |for .+? in )(.*?)(:?)")
_ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "//=", "%=", "&=", "|=", "^=", "<<=", ">>="})
_LOOSEST = (
    {"if", "else"}, {"or"}, {"and"}, {"<", ">", "<=", ">=", "==", "!="}, {"|"}, {"^"}, {"&"}, {"<<", ">>"},
    {"+", "-"}, {"*", "/", "//", "%", "@"},
)  # fmt: skip
"""Operators from those that bind least to those that bind most."""
_BINDING = {operator: level for level, operators in enumerate(_LOOSEST) for operator in operators}
_WORDS = frozenset({"not", "and", "or", "if", "else", "lambda", "in"})
_TOKEN = re.compile(r"""\d[\w.]*(?:(?<=e)[-+]\d+)?|\w+|"[^"]*"|'[^']*'|(?:\*\*|//|<<|>>)=?|[<>=!+\-*/%&|^@]=?|\S""")


def folded(line: str, width: int) -> list[str]:
    """A line of code as lines no longer than a width, where brackets, operators and commas allow.

    Args:
        line: A statement on one line, with its indentation; or the first line of a compound statement.
        width: The most columns.
    """
    if len(line) <= width:
        return [line]
    text = line.lstrip()
    indent = line[: len(line) - len(text)]
    keyword = _KEYWORD.fullmatch(text)
    if keyword:
        head, value, tail = keyword.groups()
    else:
        *targets, (sign, value) = _split(text, _ASSIGNMENTS)
        head, tail = f"{targets[0][1]} {sign} " if targets else "", ""
    if len(_operands(value)) == 1 and value[-1] in ")]":
        return _bracket(value, indent, head, tail, width)
    return [f"{indent}{head}(", *_lines(value, indent + "    ", "", "", width), f"{indent}){tail}"]


def quoted(text: str, indent: str, width: int) -> list[str]:
    """A docstring of one sentence, over several lines where it is long."""
    line = f'{indent}"""{text}"""'
    if len(line) <= width:
        return [line]
    first, *rest = textwrap.wrap(text, width - len(indent) - 3)
    return [f'{indent}"""{first}', *(indent + part for part in rest), f'{indent}"""']


def _lines(value: str, indent: str, before: str, after: str, width: int) -> list[str]:
    """An expression inside brackets, with what stands before and after it on its own lines."""
    line = f"{indent}{before}{value}{after}"
    if len(line) <= width:
        return [line]
    operands = _operands(value)
    if len(operands) == 1:
        return _bracket(value, indent, before, after, width)
    lines = []
    for place, (operator, operand) in enumerate(operands):
        mine = operator + " " if operator else before
        lines += _lines(operand, indent, mine, after if place == len(operands) - 1 else "", width)
    return lines


def _bracket(value: str, indent: str, before: str, after: str, width: int) -> list[str]:
    """An expression that ends with a bracket, broken inside it."""
    start = _opening(value)
    if start < 0:
        return [f"{indent}{before}{value}{after}"]
    inner, deeper = value[start + 1 : -1], indent + "    "
    parts = _split(inner, frozenset(","))
    if len(parts) == 1:
        body = _lines(inner, deeper, "", "", width)
    elif len(deeper + inner) <= width:
        body = [deeper + inner]
    else:
        body = [line for _, part in parts for line in _lines(part, deeper, "", ",", width)]
    return [f"{indent}{before}{value[: start + 1]}", *body, f"{indent}{value[-1]}{after}"]


def _opening(value: str) -> int:
    """Where the bracket opens that the expression ends with; -1 where it ends otherwise."""
    depth = 0
    for place in range(len(value) - 1, -1, -1):
        depth += (value[place] in ")]") - (value[place] in "([")
        if depth == 0:
            return place if value[-1] in ")]" else -1
    return -1


def _operands(value: str) -> list[tuple[str, str]]:
    """What the loosest operators of an expression combine, each with the operator before it."""
    return _cut(value, _BINDING)


def _split(value: str, operators: frozenset[str]) -> list[tuple[str, str]]:
    """The parts of an expression between operators outside brackets, each with the operator before it."""
    return _cut(value, dict.fromkeys(operators, 0))


def _cut(value: str, binding: dict[str, int]) -> list[tuple[str, str]]:
    found, depth, ended = [], 0, False
    for match in _TOKEN.finditer(value):
        text = match[0]
        if depth == 0 and ended and text in binding:
            found.append((binding[text], match))
        depth += (text in {"(", "[", "{"}) - (text in {")", "]", "}"})
        # A sign stands where no operand has ended.
        ended = text in {")", "]", "}"} or ((text[0].isalnum() or text[0] in "_\"'") and text not in _WORDS)
    loosest = min((level for level, _ in found), default=0)
    parts, first, word = [], 0, ""
    for level, match in found:
        if level == loosest:
            parts.append((word, value[first : match.start()].strip()))
            first, word = match.end(), match[0]
    return [*parts, (word, value[first:].strip())]
