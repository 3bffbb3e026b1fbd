"""Variables that an adjoint reads although its replay of the forward never sets them.

An adjoint begins with the forward's statements again. Those that must not happen twice, stores and atomics, are
commented out; where the result of an atomic is read further down, nobody has set it, and what the adjoint computes
is whatever stood in memory.
"""

from __future__ import annotations

import re

_LEFT_OUT = re.compile(r"^\s*// (var_\w+) = (?!.*<L \d+>$)", re.MULTILINE)
"""A generated statement that is commented out; a comment that quotes the source names its line."""

_DECLARATION = re.compile(r"^\s*[\w:<>, ]+[\w>][*&]? var_\w+;$")


def unset(text: str) -> str | None:
    """The first variable that is read although the statement which sets it is commented out, or None.

    Args:
        text: The generated adjoints of one or more functions.
    """
    for function in re.split(r"^}", text, flags=re.MULTILINE):
        left_out: list[str] = list(dict.fromkeys(_LEFT_OUT.findall(function)))
        if not left_out:
            continue
        lines = [line for line in function.splitlines() if not line.lstrip().startswith("//")]
        live = "\n".join(line for line in lines if not _DECLARATION.match(line))
        for name in left_out:
            if re.search(rf"\b{name}\b", live) and not re.search(rf"\b{name} = ", live):
                return name
    return None
