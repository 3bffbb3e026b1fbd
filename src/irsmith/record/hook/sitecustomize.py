"""What Python runs first in a recorded program: it waits for the program to import a kernel language.

`irsmith record` puts this file's folder on the program's path and says in the environment what is to be done. Nothing
here may change what the program does: whatever goes wrong becomes a note, and this folder leaves the path again.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

VARIABLE = "IRSMITH_RECORD"


class _Watch(importlib.abc.MetaPathFinder):
    """Finds the modules that are waited for as Python would, and has them looked at once they are there."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.waiting: dict[str, str] = dict(settings["recorders"])

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """What Python itself finds, with what is to follow once the module was executed."""
        del path, target
        recorder = self.waiting.pop(fullname, None)
        if recorder is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        loader, original = spec.loader, spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            # The loader stays of its kind, for those who ask what it is.
            del loader.exec_module
            original(module)
            try:
                _reach(Path(self.settings["home"]))
                importlib.import_module(recorder).attach(module, self.settings)
            except Exception as error:  # noqa: BLE001  (the program must not see it)
                _note(self.settings["spool"], f"{fullname}, not recorded: {type(error).__name__}: {error}")

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _reach(home: Path) -> None:
    """Make the irsmith that records importable, whatever is installed where the program runs."""
    if "irsmith" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "irsmith", home / "__init__.py", submodule_search_locations=[str(home)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no irsmith in {home}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["irsmith"] = module
    spec.loader.exec_module(module)


def _note(spool: str, text: str) -> None:
    aside = Path(spool) / uuid.uuid4().hex
    try:
        aside.write_text(json.dumps({text: 1}), encoding="utf-8")
        aside.replace(aside.with_suffix(".notes"))
    except OSError:
        # The recording is over, and its folder gone.
        pass


def _give_way() -> None:
    """Run the ``sitecustomize`` that this one stands before, if there is one."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if VARIABLE in os.environ:
    sys.meta_path.insert(0, _Watch(json.loads(os.environ[VARIABLE])))
_give_way()
