"""Splits: what a model is trained on, and what it never sees until it is measured.

A row's split is a function of the row and the recipe's settings, so that it stands in the row (column ``split``)
and a shard stays a pure function. Among the rows of the distribution it is a function of ``group_id`` alone: the
same for all stages of a kernel, and for every dataset with the same shares, whatever its seed.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from irsmith.errors import UserError
from irsmith.kernel import Kernel
from irsmith.structure import Structure, parsed
from irsmith.types import Field, Struct, ValueType


class Split(StrEnum):
    """What a row is for. The order is the order in which exports list splits."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    HELD_OUT = "held_out"
    OUT_OF_DISTRIBUTION = "out_of_distribution"


@dataclass(frozen=True, slots=True)
class Splits:
    """The recipe's table ``splits``.

    A row with a category or builtin that is held out goes to ``held_out``; else one beyond a bound goes to
    ``out_of_distribution``; else its group's hash decides between the other three.

    Attributes:
        train: The share of groups to train on; the three shares add up to 1.
        validation: The share of groups to choose between models with.
        test: The share of groups to measure a model with.
        hold_out_categories: Categories that are never trained on.
        hold_out_builtins: Functions of the frontend's module or of Python that are never trained on, as they
            stand in the source after the module's name, such as ``atan2``, ``linalg.norm`` or ``min``.
        max_lines: The longest kernel of the distribution, in lines; None for no bound.
        max_nesting: The deepest nesting of blocks of the distribution; None for no bound.
        max_loop_depth: The deepest nesting of loops of the distribution; None for no bound.
        max_magnitude: The greatest magnitude that the distribution's inputs are drawn up to; None for no bound.
    """

    train: float = 0.7
    validation: float = 0.15
    test: float = 0.15
    hold_out_categories: tuple[str, ...] = ()
    hold_out_builtins: tuple[str, ...] = ()
    max_lines: int | None = None
    max_nesting: int | None = None
    max_loop_depth: int | None = None
    max_magnitude: float | None = None

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"splits.{name}: {getattr(self, name)} is not a share: give 0 to 1")
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise UserError(f"splits: train, validation and test add up to {total:g}, not 1")
        for name in ("max_lines", "max_nesting", "max_loop_depth", "max_magnitude"):
            bound = getattr(self, name)
            if bound is not None and not bound >= 0:
                raise UserError(f"splits.{name}: {bound} is not a bound: give 0 or more")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row's split is decided by.

    Attributes:
        group_id: The same for all rows that came from one program.
        category: The shape of program.
        python_source: The source, for the builtins in it.
        lines: The kernel's lines.
        nesting: The deepest nesting of its blocks.
        loop_depth: The deepest nesting of its loops.
        magnitude: The greatest magnitude that one of its inputs is drawn up to.
    """

    group_id: str
    category: str
    python_source: str
    lines: int
    nesting: int
    loop_depth: int
    magnitude: float

    @classmethod
    def of_kernel(cls, kernel: Kernel, structure: Structure, group_id: str) -> Facts:
        """The facts of a kernel that is about to become a row."""
        domains = [a.domain for a in kernel.signature.arguments]
        domains += [f.domain for a in kernel.signature.arguments for f in _fields(a.type)]
        reach = max((abs(end) for d in domains if d is not None for end in (d.low, d.high)), default=0.0)
        sizes = (structure.lines, structure.nesting, structure.loop_depth)
        return cls(group_id, kernel.category, kernel.source, *sizes, reach)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Facts:
        """The facts of a row's record, of which the columns in `FACTS` are needed."""
        domains = [*record["arguments"], *(field for struct in record["structs"] for field in struct["fields"])]
        reach = max((abs(d[end]) for d in domains for end in ("low", "high") if d[end] is not None), default=0.0)
        names = ("group_id", "category", "python_source", "lines", "nesting", "loop_depth")
        return cls(**{name: record[name] for name in names}, magnitude=reach)


FACTS = ("group_id", "category", "python_source", "lines", "nesting", "loop_depth", "arguments", "structs")
"""The columns of a row that decide its split."""


def _fields(type_: ValueType) -> Iterator[Field]:
    if isinstance(type_, Struct):
        for field in type_.fields:
            yield field
            yield from _fields(field.type)


def split_of(facts: Facts, settings: Splits) -> Split:
    """The split of a row, by the row alone."""
    if held_out(facts, settings):
        return Split.HELD_OUT
    if beyond(facts, settings):
        return Split.OUT_OF_DISTRIBUTION
    return of_group(facts.group_id, settings)


def of_group(group_id: str, settings: Splits) -> Split:
    """The split of a group of the distribution: train, validation or test, by hash."""
    place = int.from_bytes(blake2b(f"split:{group_id}".encode(), digest_size=8).digest(), "big") / 2**64
    if place < settings.train:
        return Split.TRAIN
    # Not ``train + validation``, which rounding may leave below 1 where nothing is left for test.
    return Split.TEST if place >= 1 - settings.test else Split.VALIDATION


def held_out(facts: Facts, settings: Splits) -> list[str]:
    """The held-out category and builtins that a row has; empty where it may be trained on."""
    found = [f"category {facts.category}"] if facts.category in settings.hold_out_categories else []
    if settings.hold_out_builtins:
        used = builtins_of(facts.python_source)
        found += [f"builtin {name}" for name in settings.hold_out_builtins if name in used]
    return found


def beyond(facts: Facts, settings: Splits) -> list[str]:
    """The bounds of the distribution that a row passes; empty where it is within."""
    pairs = [
        ("max_lines", facts.lines, settings.max_lines),
        ("max_nesting", facts.nesting, settings.max_nesting),
        ("max_loop_depth", facts.loop_depth, settings.max_loop_depth),
        ("max_magnitude", facts.magnitude, settings.max_magnitude),
    ]
    return [f"{name} {found:g}" for name, found, bound in pairs if bound is not None and found > bound]


def of_groups(splits: Iterable[tuple[str, str]]) -> dict[str, Split]:
    """One split a group, of groups whose rows alone would go apart: the one furthest from training.

    Twins in different frontends may differ in length, so that one is within a bound and the other beyond.

    Args:
        splits: Group and split of each row.
    """
    order = list(Split)
    found: dict[str, Split] = {}
    for group, name in splits:
        split = Split(name)
        if group not in found or order.index(split) > order.index(found[group]):
            found[group] = split
    return found


def builtins_of(source: str) -> frozenset[str]:
    """The functions that a source takes from imported modules, and Python's own that it calls.

    What stands after a module's name is one name: ``wp.sin`` is ``sin``, ``jnp.linalg.norm`` is ``linalg.norm``.

    Raises:
        SyntaxError: The source is not Python.
    """
    tree = parsed(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted = _dotted(node, modules)
            if dotted:
                found.add(dotted)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in modules or hasattr(builtins, name):
                found.add(name)
    return frozenset(found)


def _dotted(node: ast.Attribute, modules: set[str]) -> str:
    names = [node.attr]
    value = node.value
    while isinstance(value, ast.Attribute):
        names.append(value.attr)
        value = value.value
    return ".".join(reversed(names)) if isinstance(value, ast.Name) and value.id in modules else ""
