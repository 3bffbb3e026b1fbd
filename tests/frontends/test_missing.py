"""Each frontend works without the other's JIT, and says what to install when its own is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A process in which some distributions are not installed.
WITHOUT = """
import importlib.metadata, sys
missing, argv = set(sys.argv[1].split(',')), sys.argv[2:]
found = importlib.metadata.version
def version(name):
    if name in missing:
        raise importlib.metadata.PackageNotFoundError(name)
    return found(name)
importlib.metadata.version = version
for name in missing:
    sys.modules[{'warp-lang': 'warp'}.get(name, name)] = None
from irsmith.cli import main
sys.argv = ['irsmith', *argv]
main()
"""


def without(missing, *arguments):
    line = [sys.executable, "-c", WITHOUT, missing, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("missing", "frontend"), [("jax,jaxlib", "jax"), ("warp-lang", "warp")])
def test_a_missing_jit_is_named_with_its_extra(missing, frontend, tmp_path):
    shown = without(missing, "generate", "--frontend", frontend, "--count", 1, "--out", tmp_path / "out")
    assert shown.returncode == 2
    assert f"pip install 'irsmith[{frontend}]'" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("missing", "frontend"), [("jax,jaxlib", "warp"), ("warp-lang", "jax")])
def test_the_other_half_needs_nothing_of_it(missing, frontend):
    code = (
        "import sys\n"
        f"for name in {missing.split(',')!r}:\n    sys.modules[{{'warp-lang': 'warp'}}.get(name, name)] = None\n"
        "from irsmith.pipeline import Pipeline\nfrom irsmith.recipe import Recipe\nfrom irsmith.row import Row\n"
        f"row = Pipeline(Recipe(frontend={frontend!r}, verify='none')).row(0)\nassert isinstance(row, Row), row\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
