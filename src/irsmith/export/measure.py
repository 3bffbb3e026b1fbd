"""Count a record's tokens, and hold it to a length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irsmith.export.base import Exported, Options
from irsmith.export.tokens import counter

MARK = "over_length"
"""The field that says whether a record is longer than asked."""


class Measure:
    """Adds the token counts that the options ask for to records, and says which records stay."""

    def __init__(self, options: Options, exported: Exported) -> None:
        self._count = counter(options.tokenizer) if options.tokenizer else None
        self._limit = options.max_tokens
        self._mark = options.over == "mark"
        self._exported = exported

    def __call__(self, texts: Mapping[str, str | None]) -> dict[str, Any] | None:
        """The fields to add to a record with these texts.

        Returns:
            ``<name>_tokens`` a text (null for a null), and `MARK` where that was asked for; empty without a
            tokenizer; None for a record that is to be left out, which is counted.
        """
        if self._count is None:
            return {}
        found = {name: None if text is None else self._count(text) for name, text in texts.items()}
        fields: dict[str, Any] = {f"{name}_tokens": value for name, value in found.items()}
        if self._limit is not None:
            over = sum(value or 0 for value in found.values()) > self._limit
            if self._mark:
                fields[MARK] = over
            elif over:
                self._exported.leave_out(f"over {self._limit} tokens")
                return None
        for name, value in found.items():
            self._exported.tokens[name] = self._exported.tokens.get(name, 0) + (value or 0)
        return fields
