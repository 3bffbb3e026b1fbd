"""From the records of a program to kernels: each text once, with the inputs that it was seen with."""

from __future__ import annotations

import ast
import importlib.metadata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from irsmith import licence
from irsmith.kernel import REAL, Kernel, Provenance
from irsmith.outcome import Reject, Step
from irsmith.real import Gathered, Origin, id_of
from irsmith.record import samples
from irsmith.record.spool import Recorded
from irsmith.records import kernel_of

MOST_THREADS = 16_384
"""Threads of a launch that a row is proved with. A larger launch is proved on its first ones along each axis."""
MOST_LOOPING = 1024
"""The same where threads have loops, of which nobody knows how long they are."""


@dataclass(frozen=True, slots=True)
class Harvested:
    """What a program was seen to lower in one language.

    Attributes:
        gathered: The kernels.
        launches: One object for each distinct launch or call: what it ran, on what shapes, how often.
    """

    gathered: Gathered
    launches: tuple[dict[str, Any], ...]


def gather(records: Sequence[Recorded], script: str, licences: Sequence[str]) -> Harvested:
    """The kernels of one language, in the order of their files.

    Args:
        records: What was recorded.
        script: What the program is called: the package of files that belong to none.
        licences: What is allowed, by SPDX identifier.
    """
    of_text: dict[tuple[str, str, str], list[Recorded]] = defaultdict(list)
    for record in records:
        kernel = record.content.get("kernel")
        key = record.content["file"], record.content["name"], kernel["python_source"] if kernel else ""
        of_text[key].append(record)
    items: list[Kernel | Reject] = []
    launches: list[dict[str, Any]] = []
    stated: Counter[tuple[str, str | None, str | None, str]] = Counter()
    for (file, name, _), same in sorted(of_text.items(), key=_place):
        where = _provenance(file, script)
        stated[where.package or script, where.version, where.licence, file] += 1
        item = _item(name, same, where, licences)
        items.append(item)
        launches += _launches(item, same)
    origins = []
    for package in sorted({key[0] for key in stated}):
        mine = {one: times for one, times in stated.items() if one[0] == package}
        counts: Counter[str] = Counter()
        for (_, _, own, _), times in mine.items():
            counts[own or licence.UNSTATED] += times
        _, version, own, _ = next(iter(mine))
        origins.append(
            Origin(
                package, version, own, len({one[3] for one in mine}), {}, counts.total(), dict(sorted(counts.items()))
            )
        )
    return Harvested(Gathered(tuple(origins), tuple(items)), tuple(launches))


def _place(item: tuple[tuple[str, str, str], list[Recorded]]) -> tuple[str, int, str, str]:
    (file, name, source), [first, *_] = item
    return file, (first.content.get("kernel") or {}).get("line") or 0, name, source


def _item(name: str, same: Sequence[Recorded], where: Provenance, licences: Sequence[str]) -> Kernel | Reject:
    if not licence.allowed(where.licence, licences):
        message = f"is under {where.licence or 'no stated licence'}"
        return Reject(Step.HARVEST, "Licence", message, name, REAL, source="")
    found = same[0].content.get("kernel")
    if found is None:
        symptom, message = same[0].content["reject"]
        return Reject(Step.HARVEST, symptom, message, name, REAL, source="")
    kernel = kernel_of(found)
    assert kernel.provenance is not None
    provenance = replace(where, line=kernel.provenance.line, docstring=kernel.provenance.docstring)
    return _with_inputs(replace(kernel, provenance=provenance), same)


def _with_inputs(kernel: Kernel, same: Sequence[Recorded]) -> Kernel:
    """A kernel with the extents of a launch, and with samples where some were taken."""
    groups: dict[tuple[Any, ...], list[Recorded]] = defaultdict(list)
    for record in same:
        shapes = tuple(tuple(argument["shape"]) for argument in record.content["arguments"])
        groups[tuple(record.content["launch"] or ()), shapes].append(record)
    # Most samples first, and of those the smallest launch: the cheapest to prove, and the likeliest to be whole.
    (launch, shapes), chosen = min(
        groups.items(), key=lambda group: (-sum(len(record.samples) for record in group[1]), group[0])
    )
    by_name = dict(zip((argument.name for argument in kernel.signature.parameters), shapes, strict=True))
    arguments = tuple(
        replace(argument, shape=by_name[argument.name])
        if not argument.held and (argument.rank or kernel.signature.launch is None)
        else argument
        for argument in kernel.signature.arguments
    )
    most = MOST_LOOPING if _loops(kernel.source) else MOST_THREADS
    extents = None if kernel.signature.launch is None else bounded(launch, most)
    kernel = replace(kernel, signature=replace(kernel.signature, arguments=arguments, launch=extents))
    taken = [sample for record in chosen for sample in record.samples]
    return samples.put(kernel, taken, whole=extents is None or extents == launch)


def bounded(launch: tuple[int, ...], most: int) -> tuple[int, ...]:
    """The extents of a launch, the longest halved until there are no more threads than ``most``."""
    extents = list(launch)
    while _product(extents) > most:
        longest = extents.index(max(extents))
        extents[longest] = max(1, min(extents[longest] // 2, most))
    return tuple(extents)


def _loops(source: str) -> bool:
    return any(isinstance(node, ast.For | ast.While) for node in ast.walk(ast.parse(source)))


def _product(extents: Sequence[int]) -> int:
    result = 1
    for extent in extents:
        result *= extent
    return result


def _launches(item: Kernel | Reject, same: Sequence[Recorded]) -> list[dict[str, Any]]:
    """The distinct launches of a kernel: what is said of each holds no value of the program."""
    found: dict[str, dict[str, Any]] = {}
    for record in same:
        content = record.content
        told = {
            "kernel": item.name,
            "row": id_of(content["frontend"], item) if isinstance(item, Kernel) else None,
            "launch": content["launch"],
            "arguments": content["arguments"],
        }
        known = found.setdefault(repr(told), told | {"times": 0})
        known["times"] += max(1, record.times)
    return [found[key] for key in sorted(found)]


def _provenance(file: str, script: str) -> Provenance:
    """Whose a file is: that of an installed distribution, or the program's own. No folder of the machine is named."""
    path = Path(file)
    parts = path.parts
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    stated = licence.of_text(text)
    if "site-packages" not in parts:
        return Provenance(path.name, stated, package=script)
    place = len(parts) - parts[::-1].index("site-packages")
    inside = parts[place:]
    name, version, own = _distribution(str(Path(*parts[:place])), inside[0])
    return Provenance("/".join(inside), stated or own, version, package=name or script)


@cache
def _distribution(folder: str, top: str) -> tuple[str | None, str | None, str | None]:
    """The name, version and licence of the distribution that a package of a folder belongs to."""
    for found in importlib.metadata.distributions(path=[folder]):
        if any(file.parts[0] == top for file in found.files or ()):
            return found.metadata["Name"], found.version, licence.of_metadata(found.metadata)
    return None, None, None
