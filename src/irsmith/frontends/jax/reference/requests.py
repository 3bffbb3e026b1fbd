"""What the process of the reference is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from irsmith.verify import ports


@dataclass(frozen=True, slots=True)
class Declared:
    """Read a source, and keep what it means.

    Attributes:
        key: What it is called from then on.
        source: A module's text.
        name: The function.
        narrow: A half precision in which is computed as in float32.
    """

    key: int
    source: str
    name: str
    narrow: str | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Forget what was kept under a key."""

    key: int


@dataclass(frozen=True, slots=True)
class Run:
    """Call a function that is kept; see `irsmith.verify.ports.Reference.run`.

    Attributes:
        key: Which.
        declared: The dtypes that its arguments are declared with.
    """

    key: int
    declared: Mapping[str, str]
    inputs: ports.Sets
    precision: str
    perturb: ports.Array | None
    epsilon: float | None
    seed: int
    trace: bool
