"""What a folder's files hold, to compare folders by."""

from __future__ import annotations

import hashlib
from pathlib import Path


def checksums(root: Path) -> dict[str, str]:
    """SHA-256 by name of every file below a folder."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
