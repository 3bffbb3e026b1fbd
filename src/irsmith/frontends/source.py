"""A user's own source file: imported as a module, and where it comes from."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import types
from pathlib import Path

from irsmith import licence
from irsmith.kernel import Provenance

_VERSION = re.compile(r"^__version__\s*=\s*['\"]([^'\"]+)['\"]", re.MULTILINE)


def imported(path: Path) -> types.ModuleType:
    """The module of a file. Whatever the file raises comes through."""
    # The file's own folder comes first on the path, as when Python runs a script.
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def provenance_of(path: Path, text: str) -> Provenance:
    """Where a file comes from, and its licence and version where it or its package states them."""
    parts = path.parts
    file, package_version = path.name, None
    if "site-packages" in parts:
        inside = parts[len(parts) - parts[::-1].index("site-packages") :]
        file = "/".join(inside)
        owners = importlib.metadata.packages_distributions().get(inside[0], [])
        if owners:
            package_version = f"{owners[0]} {importlib.metadata.version(owners[0])}"
    own_version = _VERSION.search(text)
    return Provenance(
        file=file,
        licence=licence.of_text(text),
        version=own_version[1] if own_version else package_version,
    )
