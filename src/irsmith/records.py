"""A kernel as a plain record, such as JSON and Arrow hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from irsmith.dataset.fields import of_json
from irsmith.kernel import Argument, Direction, Kernel, Provenance, Signature
from irsmith.types import ArrayType, Domain, Field, IndexedArray, Struct, ValueType, parse_type

PROVENANCE = ("file", "licence", "version", "package", "line", "docstring")
"""The keys of where a kernel comes from, all null for a synthesised one."""


def kernel_record(kernel: Kernel) -> dict[str, Any]:
    """A kernel as a record, from which `kernel_of` makes it again."""
    return {
        "name": kernel.name,
        "category": kernel.category,
        "description": kernel.description,
        "python_source": kernel.source,
        "arguments": [_argument_record(a) for a in kernel.signature.arguments],
        "structs": [_struct_record(s) for s in structs_of(kernel.signature)],
        "launch": kernel.signature.launch,
        "recorded": kernel.recorded,
        **{key: kernel.provenance and getattr(kernel.provenance, key) for key in PROVENANCE},
    }


def kernel_of(record: Mapping[str, Any]) -> Kernel:
    """The kernel of a record, which may hold more.

    Raises:
        ValueError: It is none.
    """
    structs: dict[str, Struct] = {}
    for item in record["structs"]:
        fields = tuple(Field(f["name"], parse_type(f["type"], structs), _domain(f)) for f in item["fields"])
        structs[item["name"]] = Struct(item["name"], fields)
    arguments = tuple(
        Argument(
            a["name"],
            parse_type(a["type"], structs),
            a["rank"],
            Direction(a["direction"]),
            tuple(a["shape"]),
            _domain(a),
        )
        for a in record["arguments"]
    )
    provenance = None
    if record["file"] is not None:
        provenance = Provenance(**{key: record[key] for key in PROVENANCE})
    return Kernel(
        record["name"],
        record["category"],
        record["description"],
        record["python_source"],
        Signature(arguments, None if record["launch"] is None else tuple(record["launch"])),
        provenance,
        record["recorded"],
    )


@dataclass(frozen=True, slots=True)
class _Argument:
    name: str
    type: str
    rank: int
    direction: Direction
    shape: tuple[int, ...]
    low: float | None
    high: float | None
    rising: bool | None


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    type: str
    low: float | None
    high: float | None
    rising: bool | None


@dataclass(frozen=True, slots=True)
class _Struct:
    name: str
    fields: tuple[_Field, ...]


@dataclass(frozen=True, slots=True)
class _Kernel:
    """The record of a kernel, as JSON."""

    name: str
    category: str
    description: str
    python_source: str
    arguments: tuple[_Argument, ...]
    structs: tuple[_Struct, ...]
    launch: tuple[int, ...] | None
    recorded: str | None
    file: str | None
    licence: str | None
    version: str | None
    package: str | None
    line: int | None
    docstring: str | None


def kernel_of_json(table: dict[str, Any]) -> Kernel:
    """The kernel of a record that stood in a file, whoever wrote it.

    Args:
        table: What ``json.loads`` returned.

    Raises:
        ValueError: It is none; the message names the field.
    """
    of_json(_Kernel, table, "")
    return kernel_of(table)


def structs_of(signature: Signature) -> list[Struct]:
    """The structs that a signature's types name, those within others first."""
    found: dict[str, Struct] = {}

    def visit(type_: ValueType) -> None:
        if isinstance(type_, ArrayType):
            visit(type_.element)
        elif isinstance(type_, Struct):
            for field in type_.fields:
                visit(field.type)
            if isinstance(type_, IndexedArray):
                return
            found.setdefault(type_.name, type_)

    for argument in signature.arguments:
        visit(argument.type)
    return list(found.values())


def _bounds(domain: Domain | None) -> dict[str, float | bool | None]:
    if domain is None:
        return {"low": None, "high": None, "rising": None}
    return {"low": domain.low, "high": domain.high, "rising": domain.rising}


def _argument_record(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "type": str(argument.type),
        "rank": argument.rank,
        "direction": argument.direction.value,
        "shape": argument.shape,
        **_bounds(argument.domain),
    }


def _struct_record(struct: Struct) -> dict[str, Any]:
    fields = [{"name": f.name, "type": str(f.type), **_bounds(f.domain)} for f in struct.fields]
    return {"name": struct.name, "fields": fields}


def _domain(record: Mapping[str, Any]) -> Domain | None:
    return None if record["low"] is None else Domain(record["low"], record["high"], record["rising"])
