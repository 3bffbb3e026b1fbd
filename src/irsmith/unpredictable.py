"""Parts of a text that do not follow from its source, which no model can learn to write."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

# Each begins with letters that are rare in code, and looks back from there: that is several times as fast.
_PATTERNS = (
    ("hash", re.compile(r"_(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,64}(?![0-9A-Za-z])")),
    ("address", re.compile(r" at 0x[0-9a-f]{6,16}\b")),
    ("address", re.compile(r"0x(?:7f|55|56)[0-9a-f]{10}\b")),
    ("path", re.compile(r"/(?<![\w.]/)(?:tmp|home|root|usr|var|opt|mnt|work|workspace|Users|private)/[^\s\"'<>)]+")),
    ("path", re.compile(r":\\(?<=\b[A-Za-z]:\\)[\w\\.]+")),
    ("date", re.compile(r"20\d\d[-/](?<=\b.{5})[01]\d[-/][0-3]\d\b")),
    ("date", re.compile(r":[0-5]\d:(?<=\b[012]\d.{4})[0-5]\d\b")),
    # An empty list says that nothing was divided among cores.
    ("machine", re.compile(r"outer_dimension_partitions\W{1,6}\d+")),
)
_LINES = (re.compile(r"<L (\d{1,18})>"), re.compile(r"line[ =](\d{1,18})"), re.compile(r"\.py:(\d{1,18})"))

_DECLARED = re.compile(r"^ *func\.func |^(?:ENTRY )?%[\w.-]+ \(.*\{$", re.MULTILINE)
"""The head of a function in StableHLO, or of a computation in HLO."""

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
    """What is found in a text, each kind at most once.

    Args:
        text: The compiler's output.
        source: Its Python, which may say such things itself; None where there is none.
        tree: The Python's syntax tree; None where it does not parse.
    """
    found = dict[str, re.Match[str]]()
    for kind, pattern in _PATTERNS:
        if kind not in found:
            match = next((m for m in pattern.finditer(text) if source is None or m[0] not in source), None)
            if match:
                found[kind] = match
    if source is not None:
        last = source.count("\n") + 1
        matches = (match for pattern in _LINES for match in pattern.finditer(text))
        beyond = next((match for match in matches if not 1 <= int(match[1]) <= last), None)
        if beyond:
            found["line"] = beyond
    if tree is not None:
        counted = _counted(text, tree)
        if counted:
            found["counter"] = counted
    for kind, match in found.items():
        yield Finding(kind, _around(text, match))


def _counted(text: str, tree: ast.Module) -> re.Match[str] | None:
    """A number behind a helper's or struct's name that its declarations do not count up to."""
    names = Counter(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    if len(names) < 2:
        # A kernel alone has no helper to be numbered.
        return None
    numbered = re.compile(rf"\b(?:adj_)?({'|'.join(map(re.escape, sorted(names)))})_(\d{{1,18}})\b")
    lowest: dict[str, re.Match[str]] = {}
    for match in numbered.finditer(text):
        if match[1] not in lowest or int(match[2]) < int(lowest[match[1]][2]):
            lowest[match[1]] = match
    # One that declares functions itself, as those of HLO do, numbers all those whose names another one has.
    declared = len(_DECLARED.findall(text))
    # A text may name the second of two overloads alone.
    return next((match for match in lowest.values() if int(match[2]) >= max(names[match[1]], declared)), None)


def _around(text: str, match: re.Match[str]) -> str:
    first = text.rfind("\n", 0, match.start()) + 1
    last = text.find("\n", match.end())
    line = text[first : len(text) if last < 0 else last]
    begin = max(0, match.start() - first - 60)
    return line[begin : begin + 160].strip()
