"""Kernels paired with real compiler output.

``generate`` makes a dataset from a `Recipe`, ``load`` opens one, and ``lower`` shows what a JIT makes of a
user's own file. Importing this package loads no JIT and nothing heavy: each name is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irsmith.dataset.load import Dataset, load
    from irsmith.errors import StoppedError, UserError
    from irsmith.generation import Progress, Summary, generate
    from irsmith.outcome import Reject
    from irsmith.recipe import Recipe
    from irsmith.row import Row
    from irsmith.userfile import lower

_HOMES = {
    "Dataset": "irsmith.dataset.load",
    "Progress": "irsmith.generation",
    "Recipe": "irsmith.recipe",
    "Reject": "irsmith.outcome",
    "Row": "irsmith.row",
    "StoppedError": "irsmith.errors",
    "Summary": "irsmith.generation",
    "UserError": "irsmith.errors",
    "generate": "irsmith.generation",
    "load": "irsmith.dataset.load",
    "lower": "irsmith.userfile",
}

__all__ = [
    "Dataset",
    "Progress",
    "Recipe",
    "Reject",
    "Row",
    "StoppedError",
    "Summary",
    "UserError",
    "generate",
    "load",
    "lower",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'irsmith' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
