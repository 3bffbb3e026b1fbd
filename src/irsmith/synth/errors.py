"""What the synthesiser raises."""

from __future__ import annotations


class Discard(Exception):  # noqa: N818
    """Try another: the choice just made leads nowhere. Raised out of `synthesise` only when nothing worked.

    Attributes:
        category: The category that was being made; empty inside the synthesiser.
    """

    def __init__(self, reason: str, category: str = "") -> None:
        super().__init__(reason)
        self.category = category
