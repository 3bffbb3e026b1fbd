"""Kernels that people wrote, as a dataset's folder keeps them: what a recipe of real kernels draws from.

A folder's ``kernels.jsonl`` holds where they come from in its first line and then one kernel a line, as it was taken
out of its package, or why it could not be. The recipe names the lines by their digest, so that a recipe and an index
still decide a row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, TypeVar

from irsmith import frontends
from irsmith.dataset import fields
from irsmith.errors import UserError
from irsmith.kernel import Kernel
from irsmith.licence import PERMISSIVE
from irsmith.outcome import Reject
from irsmith.places import Place
from irsmith.records import kernel_of_json, kernel_record

FILE = "kernels.jsonl"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Real:
    """The recipe's table ``real``: which kernels that people wrote a dataset holds, if it holds such.

    Attributes:
        kernels: The digest of the kernels; empty for a recipe that synthesises.
        packages: The packages that they come from, as ``name version``.
        licences: The SPDX identifiers whose code may be in rows; ``unstated`` for code that states none.
    """

    kernels: str = ""
    packages: tuple[str, ...] = ()
    licences: tuple[str, ...] = PERMISSIVE


@dataclass(frozen=True, slots=True)
class Origin:
    """A package or folder that was gathered from, and what was found in it.

    Attributes:
        package: Its name.
        version: Its version; None where nothing states one.
        licence: Its licence; None where it states none. A file's own goes before it.
        modules: How many of its modules were imported.
        failed: Module to why it was not imported.
        kernels: The kernels found, those left out included.
        licences: Those kernels by licence, `unstated` where nothing states one.
    """

    package: str
    version: str | None
    licence: str | None
    modules: int
    failed: Mapping[str, str] = field(default_factory=dict)
    kernels: int = 0
    licences: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its name and, where it has one, its version."""
        return self.package if self.version is None else f"{self.package} {self.version}"

    def reasons(self) -> dict[str, int]:
        """Modules by why they were not imported, in a word, the most frequent first."""
        return dict(Counter(reason.partition(":")[0] for reason in self.failed.values()).most_common())


@dataclass(frozen=True, slots=True)
class Gathered:
    """Kernels that people wrote, with what could not be taken, in order: an index is a place in it."""

    origins: tuple[Origin, ...]
    items: tuple[Kernel | Reject, ...]

    def text(self) -> str:
        """The file that keeps them."""
        head = json.dumps({"origins": [asdict(origin) for origin in self.origins]}, ensure_ascii=False)
        return "".join(f"{line}\n" for line in (head, *self._lines()))

    def digest(self) -> str:
        """What tells these kernels from others. Where they come from is no part of it."""
        return _digest(self._lines())

    def sampled(self, count: int) -> Gathered:
        """As many of them, in their order: which ones follows from their texts."""
        drawn = sorted(enumerate(self.items), key=lambda item: (_drawn(item[1]), item[0]))[:count]
        return Gathered(self.origins, tuple(self.items[place] for place in sorted(place for place, _ in drawn)))

    def _lines(self) -> list[str]:
        return [json.dumps(_record(item), ensure_ascii=False) for item in self.items]


def read(root: Place, digest: str) -> Gathered:
    """The kernels of a dataset's folder.

    Args:
        root: The folder.
        digest: What the recipe says of them.

    Raises:
        UserError: They are missing, are others, or are none.
    """
    path = root / FILE
    try:
        head, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: the kernels of this recipe cannot be read ({error}): harvest them anew") from None
    if _digest(lines) != digest:
        raise UserError(f"{path}: holds other kernels than the recipe names: harvest them anew")
    origins = _parsed(_origins, head, f"{path}:1")
    items = (_parsed(_item, line, f"{path}:{number}") for number, line in enumerate(lines, 2))
    return Gathered(origins, tuple(items))


def _parsed(read_as: Callable[[Any], _T], line: str, where: str) -> _T:
    try:
        return read_as(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: cannot be read: {error}: harvest them anew") from None


@dataclass(frozen=True, slots=True)
class _Head:
    """The first line."""

    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class _Left:
    """The line of what is no kernel."""

    reject: Reject


def _digest(lines: Iterable[str]) -> str:
    return blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def _drawn(item: Kernel | Reject) -> bytes:
    """The key of a draw without chance."""
    return blake2b(f"sample\n{item.name}\n{item.source}".encode(), digest_size=16).digest()


def _record(item: Kernel | Reject) -> dict[str, Any]:
    return kernel_record(item) if isinstance(item, Kernel) else {"reject": asdict(item)}


def _origins(table: Any) -> tuple[Origin, ...]:
    return fields.of_json(_Head, table, "").origins


def _item(table: Any) -> Kernel | Reject:
    if isinstance(table, dict) and "reject" in table:
        return fields.of_json(_Left, table, "").reject
    return kernel_of_json(table)


def group_of(package: str) -> str:
    """The group of all rows of a package: its versions are one program as far as a split is concerned."""
    return blake2b(f"package:{package}".encode(), digest_size=16).hexdigest()


def config_of(frontend: str, *, synthesised: bool) -> str:
    """What a dataset calls the rows of a frontend that irsmith synthesised, or those that people wrote."""
    return frontend if synthesised else f"{frontend}-real"


CONFIGS = tuple(config_of(name, synthesised=synthesised) for name in frontends.TABLE for synthesised in (True, False))
"""All that rows are called so; each is the name of a folder."""


def id_of(frontend: str, kernel: Kernel) -> str:
    """The id of a kernel that people wrote: it follows from its text, whatever it was gathered with."""
    digest = blake2b(f"{kernel.name}\n{kernel.source}".encode(), digest_size=8).hexdigest()
    return f"{frontend}-{kernel.category}-{digest}"
