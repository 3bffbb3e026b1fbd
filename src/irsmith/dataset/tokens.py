"""A source as tokens of which names and numbers are taken out, for telling how alike two sources are.

Unlike a structure, which is one program or another, tokens are taken from any text, Python or not, so that a
stranger's file can be compared too, and a statement more changes few of them: user names are all the same token,
and not numbered. One regular expression cuts them, as Python's own tokenizer takes ten times as long.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re

_TOKEN = re.compile(
    r"""(?P<string>[rRbBfFuU]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<comment>\#[^\n]*)
    |(?P<real>(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    |(?P<whole>0[xXbBoO][\da-fA-F_]+|\d[\d_]*)
    |(?P<name>\w+)
    |(?P<blank>\n[ \t]*(?=\n|\#|$))
    |(?P<line>\n[ \t]*)
    |(?P<operator>\*\*=?|//=?|<<=?|>>=?|->|:=|[-+*/%&|^@<>=!]=|[^\s\w])""",
    re.DOTALL | re.VERBOSE,
)
_STAY = frozenset({*keyword.kwlist, *dir(builtins)})
_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+(.+)$", re.MULTILINE)
_BOUND = re.compile(r"\w+")


def normalised(text: str) -> list[str]:
    """The tokens of a source: keywords, operators, Python's builtins and what comes from modules stay.

    Where a line begins, its indentation is a token.
    """
    modules = {name for line in _IMPORT.findall(text) for name in _BOUND.findall(line)} - {"import", "as"}
    found: list[str] = []
    depth = 0
    # The last name that did not follow a dot: whether what follows its dots comes from a module.
    whose = ""
    for match in _TOKEN.finditer(text):
        kind, word = match.lastgroup, match[0]
        if kind == "name":
            if found and found[-1] == ".":
                found.append(word if whose in modules else "n")
            else:
                whose = word
                found.append(word if word in _STAY or word in modules else "n")
        elif kind == "operator":
            found.append(word)
            if word in "([{":
                depth += 1
            elif word in ")]}":
                depth -= 1
        elif kind == "line":
            if depth <= 0:
                found.append(f"\n{len(word)}")
        elif kind in _LITERALS:
            found.append(_LITERALS[kind])
    return found


_LITERALS = {"string": "''", "real": "1.0", "whole": "1"}


def shingles(tokens: list[str], length: int) -> set[bytes]:
    """The runs of so many tokens; of a shorter text itself."""
    last = max(len(tokens) - length, 0)
    return {"\x1f".join(tokens[place : place + length]).encode() for place in range(last + 1)}


def definitions(text: str) -> list[tuple[str, str]]:
    """The functions at the top of a source, each with its name; none where it is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    lines = text.splitlines(keepends=True)
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.append((node.name, "".join(lines[first - 1 : node.end_lineno])))
    return found
