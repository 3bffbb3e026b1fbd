"""Figures that other benchmarks compute with, kept as JSON beside what is printed; and tables in Markdown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def option(parser: argparse.ArgumentParser) -> None:
    """The option ``--json``."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the figures")


def keep(path: Path | None, figures: dict[str, Any]) -> None:
    """Write figures where the option says, if it says anything."""
    if path is not None:
        path.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def print_table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    print(f"| {' | '.join(head)} |")
    print(f"|{' --- |' * len(head)}")
    for line in lines:
        print(f"| {' | '.join(map(str, line))} |", flush=True)
