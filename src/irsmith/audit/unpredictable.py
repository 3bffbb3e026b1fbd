"""Parts of a text that do not follow from its source, which no model can learn to write."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_HASH = re.compile(r"(?<=_)(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,64}(?![0-9A-Za-z])")
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,16}\b|\b0x(?:7f|55|56)[0-9a-f]{10}\b")
_PATH = re.compile(
    r"(?<![\w/.])/(?:tmp|home|root|usr|var|opt|mnt|Users|private|workspace)/[^\s\"'<>)]+|\b[A-Za-z]:\\[\w\\.]+"
)
_DATE = re.compile(r"\b(?:19|20)\d\d[-/](?:0[1-9]|1[0-2])[-/](?:0[1-9]|[12]\d|3[01])\b|\b[012]\d:[0-5]\d:[0-5]\d\b")
_MACHINE = re.compile(r"outer_dimension_partitions")
_LINE = re.compile(r"<L (\d+)>|\bline[ =](\d+)|source_line=(\d+)")
_NUMBERED = re.compile(r"\b([A-Za-z_]\w*?)_(\d+)\b")

KINDS = {
    "hash": "a hash in a name",
    "counter": "a number that counts what the process had made before",
    "address": "an address in memory",
    "path": "a path on someone's machine",
    "date": "a date or a time",
    "line": "a line number that the source does not have",
    "machine": "a number of the machine's cores",
}
"""What is looked for, by kind."""
_PATTERNS = (("hash", _HASH), ("address", _ADDRESS), ("path", _PATH), ("date", _DATE), ("machine", _MACHINE))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not follow from the source: its kind and the words it stands in."""

    kind: str
    excerpt: str


def find(text: str, source: str | None, tree: ast.Module | None) -> Iterator[Finding]:
    """The first finding of each kind in a text.

    Args:
        text: The compiler's output.
        source: Its Python, which may say such things itself; None where there is none.
        tree: The Python's syntax tree; None where it does not parse.
    """
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if source is None or match[0] not in source:
                yield Finding(kind, _around(text, match))
                break
    if source is not None:
        last = source.count("\n") + 1
        far = next((m for m in _LINE.finditer(text) if max(int(n) for n in m.groups() if n) > last), None)
        if far:
            yield Finding("line", _around(text, far))
    if tree is not None:
        counted = _counted(text, tree)
        if counted:
            yield Finding("counter", _around(text, counted))


def _counted(text: str, tree: ast.Module) -> re.Match[str] | None:
    """A number behind a helper's or struct's name that does not count from 0 within the text."""
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    lowest: dict[str, re.Match[str]] = {}
    for match in _NUMBERED.finditer(text):
        name = match[1].removeprefix("adj_")
        if name in names and (name not in lowest or int(match[2]) < int(lowest[name][2])):
            lowest[name] = match
    return next((match for match in lowest.values() if int(match[2]) > 0), None)


def _around(text: str, match: re.Match[str]) -> str:
    first = text.rfind("\n", 0, match.start()) + 1
    last = text.find("\n", match.end())
    line = text[first : len(text) if last < 0 else last]
    begin = max(0, match.start() - first - 60)
    return line[begin : begin + 160].strip()
