"""What is said of the compiler still reproduces with the compiler alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adjoints", "forward", "refused"])
def test_reproducers_reproduce(name):
    shown = subprocess.run(
        [sys.executable, DOCS / "findings" / f"{name}.py"], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.count(": wrong") >= 5


def test_the_page_names_every_reproducer():
    page = (DOCS / "findings.md").read_text()
    for name in ("adjoints", "forward", "refused"):
        text = (DOCS / "findings" / f"{name}.py").read_text()
        for kernel in re.findall(r"@wp\.kernel(?:\(.*\))?\ndef (\w+)", text):
            assert f"`{kernel}`" in page or kernel == "unrolled_product"
