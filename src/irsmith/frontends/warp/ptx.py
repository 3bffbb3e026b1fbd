"""The PTX of a row: what NVRTC makes of its CUDA unit at Warp's default level, without what the kernel does not use.

NVRTC works in a worker process, on one row's unit as it stands. Its module is cut into items (a table, a
helper, an entry). What no entry reaches is left out, and what NVRTC counts over its module or derives from its
input file is made to follow from the row: labels, frames and calls count within their function, and names that
only their file can see lose the mark of the file. The instructions are as NVRTC wrote them.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from irsmith.errors import StoppedError
from irsmith.frontends.warp.runner import Backward, Failure, Job, Runner, Symptom
from irsmith.kernel import Signature

ARCHITECTURE = 80
"""The compute capability that rows are compiled for."""

_HEADER = (".version", ".target", ".address_size")
_SYMBOL = re.compile(r"(?<![\w$%.])[A-Za-z_$][\w$]*")
_PARAMETER = "_param_"
_FUNCTION = re.compile(r"\.(?P<kind>entry|func)\s+(?:\([^)]*\)\s*)?(?P<name>[\w$]+)")
_DATA = re.compile(r"\.(?:global|const|shared)\s[^=;{]*?(?P<name>[A-Za-z_$][\w$]*)(?:\[\d*\])*\s*[=;]")
# `wp::TABLE` is `_ZN37_INTERNAL_00000000_7_unit_cu_9ed34b562wp5TABLEE` where only its file sees it: the number is
# the length of the mark. What else can see it calls it `_ZN2wp5TABLEE`.
_FILE_MARK = re.compile(r"(?P<size>[1-9]\d)(?=_INTERNAL_[0-9a-f]{8}_|_GLOBAL__N__[0-9a-f]{8}_)")
_BLOCK = re.compile(r"(?<=\$L__BB)\d+(?=_)")
_FRAME = re.compile(r"(?<=\b__local_depot)\d+\b")
_CALL = re.compile(r"(?<=\bcallseq )\d+|(?<=\bprototype_)\d+")


class UnknownPtxError(ValueError):
    """NVRTC wrote what this module cannot read."""


@cache
def _runner(process: int) -> Runner:  # noqa: ARG001  (a fork must not write to its parent's worker)
    runner = Runner()
    atexit.register(runner.close)
    return runner


def emit(name: str, cuda: Mapping[str, str | None]) -> dict[str, str] | Failure:
    """The parts of a row's PTX: those of `irsmith.frontends.warp.stages.PTX`, empty where there is nothing.

    Args:
        name: The kernel's name.
        cuda: The columns of the row's CUDA stage.

    Returns:
        The texts by part, or how NVRTC failed.

    Raises:
        StoppedError: NVRTC did not end in time, twice: on another machine it might.
        UnknownPtxError: As `parts`.
    """
    backward = Backward({}, {}) if cuda["cuda_backward"] else None
    job = Job(name, name, "cuda", cuda, Signature(()), (), backward=backward)
    [outcome] = _runner(os.getpid()).ptx([job], architecture=ARCHITECTURE)
    if isinstance(outcome, Failure):
        if outcome.symptom is Symptom.TIMED_OUT:
            raise StoppedError(f"{name}: compiling to PTX: {outcome.message}")
        return outcome
    assert outcome.ptx is not None
    return parts(outcome.ptx)


@dataclass(frozen=True, slots=True)
class _Item:
    """One statement of a module.

    Attributes:
        kind: ``data``, ``func`` (a helper, or its prototype) or ``entry``.
        name: The symbol that it declares.
        text: The statement.
    """

    kind: str
    name: str
    text: str


def parts(module: str) -> dict[str, str]:
    """Cut a module that NVRTC made of one kernel into the stage's parts.

    Raises:
        UnknownPtxError: It holds something that is not known here, or other entries than a kernel's.
    """
    lines = module.splitlines()
    header = [line for line in lines if line.startswith(_HEADER)]
    items = list(_items(line for line in lines if not line.startswith(_HEADER)))
    entries = {item.name.rpartition("_cuda_kernel_")[2]: item for item in items if item.kind == "entry"}
    if not {"forward"} <= entries.keys() <= {"forward", "backward"}:
        raise UnknownPtxError(f"the entries are {sorted(entries)}")
    forward = _reached(items, [entries["forward"].name])
    everything = _reached(items, [item.name for item in entries.values()])
    names = _plain_names(sorted(everything))

    def text(chosen: Iterable[_Item]) -> str:
        joined = "\n".join(_counted(item.text) for item in chosen)
        return _SYMBOL.sub(lambda match: _renamed(match[0], names), joined)

    shared = [item for item in items if item.kind != "entry" and item.name in everything]
    return {
        "header": "".join(f"{line}\n" for line in header),
        "globals_forward": text(item for item in shared if item.name in forward),
        "globals_backward": text(item for item in shared if item.name not in forward),
        "forward": text([entries["forward"]]),
        "backward": text([entries["backward"]] if "backward" in entries else []),
    }


def _items(lines: Iterable[str]) -> Iterator[_Item]:
    """The statements of a module, without its header and the comments between them."""
    taken: list[str] = []
    for line in lines:
        if not taken and (not line.strip() or line.lstrip().startswith("//")):
            continue
        taken.append(line)
        # A body closes with a brace of its own line; what has none, with a semicolon before any body opens.
        if line == "}" or ("{" not in taken and line.endswith(";")):
            yield _item("".join(f"{line}\n" for line in taken))
            taken = []
    if taken:
        raise UnknownPtxError(f"an unfinished statement: {taken[0]}")


def _item(text: str) -> _Item:
    if function := _FUNCTION.search(text):
        return _Item(function["kind"], function["name"], text)
    if data := _DATA.search(text):
        return _Item("data", data["name"], text)
    raise UnknownPtxError(f"an unknown statement: {text[:200]}")


def _reached(items: Iterable[_Item], roots: Iterable[str]) -> set[str]:
    """The symbols that the roots refer to, by way of others too, and the roots."""
    uses: dict[str, set[str]] = {}
    for item in items:
        uses.setdefault(item.name, set()).update(_SYMBOL.findall(item.text))
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in uses and name not in reached:
            reached.add(name)
            waiting += uses[name]
    return reached


def _plain_names(names: Iterable[str]) -> dict[str, str]:
    """Symbol to the name that it would have if other files could see it, for those that have another."""
    plain: dict[str, str] = {}
    for name in names:
        plain[name] = name
        while mark := _FILE_MARK.search(plain[name]):
            plain[name] = plain[name][: mark.start()] + plain[name][mark.end() + int(mark["size"]) :]
    if len(set(plain.values())) != len(plain):
        raise UnknownPtxError(f"without the mark of the file, two names are one: {sorted(plain)}")
    return {name: other for name, other in plain.items() if other != name}


def _renamed(word: str, names: Mapping[str, str]) -> str:
    # A function's parameters carry its name.
    stem, parameter, number = word.rpartition(_PARAMETER)
    return names[stem] + parameter + number if stem in names else names.get(word, word)


def _counted(text: str) -> str:
    """A statement in which blocks, frames and calls count as if it stood alone in its module."""
    calls: dict[str, int] = {}
    text = _CALL.sub(lambda match: str(calls.setdefault(match[0], len(calls))), text)
    return _FRAME.sub("0", _BLOCK.sub("0", text))
