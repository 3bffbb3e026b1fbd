"""What Python runs first in a recorded program: it waits for the program to import a kernel language.

`irsmith record` puts this file's folder on the program's path and says in the environment what is to be done. Nothing
here may change what the program does: whatever goes wrong becomes a note, and this folder leaves the path again.
"""

import importlib.machinery
import importlib.util
import json
import os
import sys
import uuid

VARIABLE = "IRSMITH_RECORD"


class _Watch:
    """Finds the modules that are waited for as Python would, and has them looked at once they are there."""

    def __init__(self, settings):
        self.settings = settings
        self.waiting = dict(settings["recorders"])

    def find_spec(self, name, path=None, target=None):
        recorder = self.waiting.pop(name, None)
        if recorder is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        loader, original = spec.loader, spec.loader.exec_module

        def exec_module(module):
            original(module)
            try:
                del loader.exec_module
                _reach(self.settings["home"])
                importlib.import_module(recorder).attach(module, self.settings)
            except Exception as error:
                _note(self.settings["spool"], f"{name} could not be recorded: {type(error).__name__}: {error}")

        loader.exec_module = exec_module
        return spec


def _reach(home):
    """Make the irsmith that records importable, whatever is installed where the program runs."""
    if "irsmith" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "irsmith", os.path.join(home, "__init__.py"), submodule_search_locations=[home]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["irsmith"] = module
    spec.loader.exec_module(module)


def _note(spool, text):
    try:
        name = os.path.join(spool, uuid.uuid4().hex)
        with open(name, "w", encoding="utf-8") as file:
            json.dump({text: 1}, file)
        os.replace(name, name + ".notes")
    except OSError:
        # The recording is over, and its folder gone.
        pass


def _give_way():
    """Run the ``sitecustomize`` that this one stands before, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if VARIABLE in os.environ:
    sys.meta_path.insert(0, _Watch(json.loads(os.environ[VARIABLE])))
_give_way()
