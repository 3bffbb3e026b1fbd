"""Optimised HLO as text that XLA compiles again: what its passes added is written out in plain HLO.

A fusion is a call of its computation, and a bitcast of one row-major array to another is a reshape or a change of
type. What stands in a text with other layouts depends on them, and is not taken.
"""

from __future__ import annotations

import re

_FUSION = re.compile(r" fusion\((?P<operands>.*?)\), kind=\w+, calls=(?P<called>%[\w.-]+)")
_BITCAST = re.compile(r"= (?P<type>\w+)(?P<rest>\[[^ ]*) bitcast\((?P<operand>%[\w.-]+)\)")
_TYPE = re.compile(r"(%[\w.-]+)(?: =|:) (\w+)\[")
_LAYOUT = re.compile(r"\]\{([\d,]+)[^}]*\}")
_HEADER = re.compile(r"^HloModule .*$", re.MULTILINE)


class NotTakenError(Exception):
    """A text that says something which HLO before XLA's passes cannot say."""


def plain(text: str) -> str:
    """An optimised HLO text without fusions and bitcasts.

    Raises:
        NotTakenError: It depends on layouts other than row-major ones.
    """
    for layout in _LAYOUT.findall(text):
        order = [int(axis) for axis in layout.split(",")]
        if order != sorted(order, reverse=True):
            raise NotTakenError(f"an array in the layout {{{layout}}}")
    types = dict(_TYPE.findall(text))

    def written_out(match: re.Match[str]) -> str:
        same = types.get(match["operand"]) == match["type"]
        return f"= {match['type']}{match['rest']} {'reshape' if same else 'bitcast-convert'}({match['operand']})"

    text = _FUSION.sub(r" call(\g<operands>), to_apply=\g<called>", text)
    return _BITCAST.sub(written_out, text)
