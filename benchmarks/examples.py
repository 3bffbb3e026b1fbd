"""Lower every kernel of the examples that ship inside the Warp wheel, and list those that do not lower.

python -m benchmarks.examples
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import irsmith


def main() -> None:
    """Lower and print."""
    spec = importlib.util.find_spec("warp")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent / "examples"
    lowered, found = 0, 0
    files: Counter[str] = Counter()
    for path in sorted(root.rglob("*.py")):
        if "@wp.kernel" not in path.read_text(encoding="utf-8"):
            continue
        name = path.relative_to(root).as_posix()
        try:
            outcomes = irsmith.lower(path)
        except (irsmith.UserError, irsmith.StoppedError) as error:
            files["not imported, or no kernel at import"] += 1
            print(f"{name}: {str(error).partition(': ')[2]}")
            continue
        files["imported"] += 1
        for outcome in outcomes:
            found += 1
            if isinstance(outcome, irsmith.Reject):
                print(f"{name}: {outcome.name}: {outcome.symptom}: {' '.join(outcome.message.split())}")
            else:
                lowered += 1
    print(f"{lowered} of {found} kernels lower; files: {dict(files)}")


if __name__ == "__main__":
    main()
