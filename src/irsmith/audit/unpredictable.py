"""Parts of a text that do not follow from its source, which no model can learn to write."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Each begins with letters that are rare in code, and looks back from there: that is several times as fast.
_PATTERNS = (
    ("hash", re.compile(r"_(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,64}(?![0-9A-Za-z])")),
    ("address", re.compile(r" at 0x[0-9a-f]{6,16}\b")),
    ("address", re.compile(r"0x(?:7f|55|56)[0-9a-f]{10}\b")),
    ("path", re.compile(r"/(?<![\w/.]/)(?:tmp|home|root|usr|var|opt|mnt|Users|private|workspace)/[^\s\"'<>)]+")),
    ("path", re.compile(r":\\(?<=\b[A-Za-z]:\\)[\w\\.]+")),
    ("date", re.compile(r"20\d\d[-/](?<=\b.{5})(?:0[1-9]|1[0-2])[-/](?:0[1-9]|[12]\d|3[01])\b")),
    ("date", re.compile(r":[0-5]\d:(?<=\b[012]\d.{4})[0-5]\d\b")),
    ("machine", re.compile(r"outer_dimension_partitions")),
)
_LINES = (re.compile(r"<L (\d+)>"), re.compile(r"line[ =](\d+)"))

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


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not follow from the source: its kind and the words it stands in."""

    kind: str
    excerpt: str


def find(text: str, source: str | None, tree: ast.Module | None) -> Iterator[Finding]:
    """What is found in a text, each kind at most once a pattern.

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
        for pattern in _LINES:
            far = next((match for match in pattern.finditer(text) if int(match[1]) > last), None)
            if far:
                yield Finding("line", _around(text, far))
    if tree is not None:
        counted = _counted(text, tree)
        if counted:
            yield Finding("counter", _around(text, counted))


def _counted(text: str, tree: ast.Module) -> re.Match[str] | None:
    """A number behind a helper's or struct's name that does not count from 0 within the text."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    if len(names) < 2:
        # A kernel alone has no helper to be numbered.
        return None
    numbered = re.compile(rf"\b(?:adj_)?({'|'.join(map(re.escape, sorted(names)))})_(\d+)\b")
    lowest: dict[str, re.Match[str]] = {}
    for match in numbered.finditer(text):
        if match[1] not in lowest or int(match[2]) < int(lowest[match[1]][2]):
            lowest[match[1]] = match
    return next((match for match in lowest.values() if int(match[2]) > 0), None)


def _around(text: str, match: re.Match[str]) -> str:
    first = text.rfind("\n", 0, match.start()) + 1
    last = text.find("\n", match.end())
    line = text[first : len(text) if last < 0 else last]
    begin = max(0, match.start() - first - 60)
    return line[begin : begin + 160].strip()
