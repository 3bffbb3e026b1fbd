"""Characters that no page may hold, whatever a row says."""

from __future__ import annotations

import re
from typing import Any

_NO_XML = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe(text: str) -> str:
    """A text without what XML and HTML forbid: control characters and halves of characters become U+FFFD."""
    return _NO_XML.sub("\ufffd", text)


def safe_values(value: Any) -> Any:
    """A JSON value with `safe` texts: what draws charts ends the process at such a character."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, dict):
        return {safe(name): safe_values(item) for name, item in value.items()}
    if isinstance(value, list):
        return [safe_values(item) for item in value]
    return value
