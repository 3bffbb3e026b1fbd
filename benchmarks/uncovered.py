"""What real kernels use and the reference does not know, by how many kernels it stops.

    python -m benchmarks.uncovered DATASET… [--top 40] [--names]

Each folder is what ``irsmith harvest`` or ``irsmith record`` made of Warp kernels. A kernel counts for the first
construct that stops its translation; nothing is run.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import irsmith
from irsmith.frontends.warp.reference import Reference, Unsupported
from irsmith.row import Row


def uncovered(rows: Iterable[Row]) -> tuple[Counter[str], dict[str, dict[str, list[str]]]]:
    """How many kernels each package has; and by package and construct, the kernels that it stops."""
    kernels: Counter[str] = Counter()
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        package = (row.kernel.provenance and row.kernel.provenance.package) or "no package"
        kernels[package] += 1
        try:
            Reference(row.kernel.source, row.kernel.name)
        except Unsupported as error:
            found[package][error.construct].append(row.id)
    return kernels, found


def main() -> None:
    """Print the constructs, the most frequent first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument("--top", type=int, default=40, help="how many constructs are shown")
    parser.add_argument("--names", action="store_true", help="show some of the rows that each construct stops")
    asked = parser.parse_args()
    kernels, found = uncovered(row for path in asked.datasets for row in irsmith.load(path))
    for package, count in kernels.items():
        stopped = sum(map(len, found[package].values()))
        print(f"{package}: {stopped} of {count} kernels use something that the reference lacks ({stopped / count:.1%})")
    rows: dict[str, list[str]] = defaultdict(list)
    for constructs in found.values():
        for construct, names in constructs.items():
            rows[construct] += names
    for construct, names in sorted(rows.items(), key=lambda item: -len(item[1]))[: asked.top]:
        print(f"{len(names):5}  {construct}" + (f"   {' '.join(names[:4])}" if asked.names else ""))


if __name__ == "__main__":
    main()
