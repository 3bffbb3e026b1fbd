"""JSON that strangers wrote, read as the type that it should hold: each field is checked against its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_LARGEST = 2**63 - 1
"""The greatest whole number that Arrow and Parquet hold."""
_SHOWN = 60
_LIST, _TABLE = "a list", "an object"


def of_json(kind: type[_T], value: object, where: str) -> _T:
    """What JSON holds, as a type: a dataclass of an object with its fields, or a type that such a field may have.

    Whole numbers are counts or indices: from 0 to what 64 bits hold. Other numbers are finite. Further keys are
    refused, and those that have a default may be left out. A field of type `Any` takes what it is given.

    Args:
        kind: The type.
        value: What ``json.loads`` returned.
        where: What to call it in errors.

    Raises:
        ValueError: It holds something else; the message names the field, by its path from ``where``.
    """
    found: _T = _read(kind, value, where)
    return found


def digest(value: str, size: int, where: str) -> None:
    """Check a hash that is written in hexadecimal.

    Args:
        value: The hash.
        size: Its length in bytes.
        where: What to call it in errors.

    Raises:
        ValueError: It is none of that length.
    """
    if not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise _wrong(where, value, f"a hash of {2 * size} hexadecimal digits")


def _wrong(where: str, value: object, wanted: str) -> ValueError:
    shown = ascii(value)
    return ValueError(f"{where}: {shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''} is not {wanted}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: object, where: str) -> Any:
    """A value of a type, as it stands in JSON."""
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    name, inner = get_origin(kind), get_args(kind)
    if name is UnionType:
        # Of a type or None.
        return None if value is None else _read(next(one for one in inner if one is not NoneType), value, where)
    if name is tuple:
        if not isinstance(value, list):
            raise _wrong(where, value, _LIST)
        return tuple(_read(inner[0], item, f"{where}[{number}]") for number, item in enumerate(value))
    if name is not None and issubclass(name, Mapping):
        if not isinstance(value, dict):
            raise _wrong(where, value, _TABLE)
        return {_read(str, key, where): _read(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if not (isinstance(value, str) and value in list(kind)):
            raise _wrong(where, value, f"one of {', '.join(kind)}")
        return kind(value)
    if kind is int and not (type(value) is int and 0 <= value <= _LARGEST):
        raise _wrong(where, value, "a whole number of 0 or more, in 64 bits")
    if kind is float and not (type(value) in (int, float) and abs(value) <= sys.float_info.max):  # type: ignore[arg-type]
        raise _wrong(where, value, "a finite number")
    if kind is bool and not isinstance(value, bool):
        raise _wrong(where, value, "true or false")
    if kind is str and not (isinstance(value, str) and _is_whole(value)):
        raise _wrong(where, value, "a text")
    return value


def _is_whole(text: str) -> bool:
    """Whether a text holds no halves of characters, which JSON may escape, and which no file and no terminal takes."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _dataclass(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(where, value, _TABLE)
    known = {field.name: field for field in fields(kind)}
    prefix = f"{where}." if where else ""
    for name in value:
        if name not in known:
            raise ValueError(f"{prefix}{name}: is no field that irsmith writes")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{prefix}{name}: is missing")
    hints = _hints(kind)
    return kind(**{name: _read(hints[name], item, f"{prefix}{name}") for name, item in value.items()})
