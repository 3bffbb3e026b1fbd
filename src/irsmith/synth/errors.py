"""What the synthesiser raises."""

from __future__ import annotations


class Discard(Exception):  # noqa: N818
    """Try another: the choice just made leads nowhere. Raised out of `synthesise` only when nothing worked."""

    # Raised by the dozen a kernel, so without an initialiser of its own.

    @property
    def category(self) -> str:
        """The category that was being made; empty inside the synthesiser."""
        return str(self.args[1]) if len(self.args) > 1 else ""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""
