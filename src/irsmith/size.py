"""Sizes in bytes as people write them, and of what a dataset's size may be."""

from __future__ import annotations

import math
import re

from irsmith.errors import UserError
from irsmith.export.table import TABLE

FORMATS = ("parquet", "jsonl", *TABLE)
"""What a size may be of: the data files, ``dataset.jsonl``, or what an export writes."""

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]I?)?B?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes of a size such as ``200MB`` (millions), ``1.5GiB`` (of 2**30) or ``4096``.

    Raises:
        UserError: It is no size, or nothing.
    """
    match = _SIZE.fullmatch(text.strip())
    found = float(match[1]) * _UNITS[(match[2] or "").upper()] if match else 0.0
    if not 1 <= found < math.inf:
        raise UserError(f"size: {text!r} is not a size: give for example 200MB, 1.5GB or 64MiB")
    return int(found)
