"""Ask Warp to compile the kernel of this folder, which irsmith could not lower: see README.md.

    python run.py

It needs `warp-lang`, and no GPU. The exit status is 0 if Warp compiles it and 1 if not.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Compile; say what Warp says."""
    import warp as wp

    wp.config.kernel_cache_dir = str(HERE / "build")
    sys.path.insert(0, str(HERE))
    try:
        wp.load_module(importlib.import_module("kernel"), device="cpu")
    except Exception:  # noqa: BLE001  (whatever it is, it is what is to be shown)
        traceback.print_exc()
        return 1
    sys.stdout.write("Warp compiles it\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
