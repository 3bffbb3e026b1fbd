"""Say what is in a dataset of kernels and compiler output, whoever made it, from its files alone.

Nothing of a row is executed: its Python is parsed. A row is in memory at a time, and two hashes of every row stay
(some 400 bytes a row).
"""

from __future__ import annotations

import os
from pathlib import Path

from irsmith.audit.layouts import LAYOUTS, Layout, Sample
from irsmith.audit.reading import Unreadable, detected
from irsmith.audit.tally import Audit, Tally

__all__ = ["LAYOUTS", "Audit", "Layout", "Sample", "audit"]


def audit(path: str | os.PathLike[str]) -> Audit:
    """Read a file or a folder in any layout of `LAYOUTS`, and count what is in it.

    Raises:
        UserError: Nothing is there, or nothing in a layout that is known.
    """
    root = Path(path)
    layout, files, samples = detected(root)
    tally = Tally(str(root), layout.name, len(files))
    for item in samples:
        if isinstance(item, Unreadable):
            tally.unreadable(item.place, item.reason)
        else:
            tally.add(item)
    return tally.result()
