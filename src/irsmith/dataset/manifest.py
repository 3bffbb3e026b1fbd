"""The manifest: what made a dataset, and what it holds, as ``manifest.json``."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from irsmith.dataset import fields
from irsmith.dataset.shard import Shard
from irsmith.errors import UserError
from irsmith.places import Place, check_within
from irsmith.real import Origin
from irsmith.row import SCHEMA_CHANGES, SCHEMA_VERSION

FILE = "manifest.json"
RECIPE_FILE = "recipe.toml"
"""What decides the content, beside it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that another was made of.

    Attributes:
        recipe: Its recipe, as a table.
        toolchain: The versions that made it.
        version: Its own version.
        content: What tells it from any other.
        rows: Its rows.
    """

    recipe: dict[str, Any]
    toolchain: dict[str, str]
    version: str
    content: str
    rows: int


@dataclass(frozen=True, slots=True)
class Derived:
    """How a dataset was made of others.

    Attributes:
        command: What made it: ``merge``, ``dedup`` or ``decontaminate``.
        settings: What it was told, by name.
        sources: The datasets that recipes made, in the order of precedence.
    """

    command: str
    settings: dict[str, Any]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made a dataset and what it holds.

    Attributes:
        schema_version: Of the row format.
        toolchain: Versions by distribution name: irsmith, what lowers, and what writes the files.
        python: The version of Python.
        platform: Operating system and processor.
        version: The dataset's own version, which its recipe states.
        shards: In order of their first index.
        origins: The packages that kernels which people wrote were gathered from.
        derived: How it was made of other datasets; None where a recipe made it.
    """

    schema_version: int
    version: str
    toolchain: dict[str, str]
    python: str
    platform: str
    shards: tuple[Shard, ...]
    derived: Derived | None = None
    origins: tuple[Origin, ...] = ()

    @property
    def configs(self) -> tuple[str, ...]:
        """Which rows it holds, those of a frontend or those of it that people wrote, in the order of its parts."""
        return tuple(dict.fromkeys(shard.config for shard in self.shards))

    @property
    def content(self) -> str:
        """What tells this dataset from any other: a hash of its parts' checksums."""
        return blake2b(" ".join(shard.sha256 for shard in self.shards).encode(), digest_size=16).hexdigest()

    @property
    def end(self) -> int:
        """The index after the last that was tried."""
        return max((shard.end for shard in self.shards), default=0)

    @property
    def tried(self) -> int:
        """Indices tried."""
        return sum(shard.tried for shard in self.shards)

    @property
    def rows(self) -> int:
        """Rows delivered."""
        return sum(shard.rows for shard in self.shards)

    @property
    def bytes(self) -> int:
        """Bytes of data files."""
        return sum(shard.bytes for shard in self.shards)

    @property
    def rejects(self) -> dict[str, int]:
        """Rejects by reason, the most frequent first."""
        return _frequent(_total(shard.reasons for shard in self.shards))

    @property
    def verdicts(self) -> dict[str, int]:
        """How often each check ended how, as ``check: status``; empty where nothing was checked."""
        return _total(shard.verdicts for shard in self.shards)

    @property
    def difficulty(self) -> dict[str, int]:
        """Rows by difficulty, ``1`` to ``5``."""
        return _total(shard.difficulty for shard in self.shards)

    @property
    def tags(self) -> dict[str, int]:
        """Rows by tag, the most frequent first."""
        return _frequent(_total(shard.tags for shard in self.shards))

    def to_json(self) -> str:
        """The manifest as its file's text."""
        table = {
            "schema_version": self.schema_version,
            "version": self.version,
            "content": self.content,
            "toolchain": self.toolchain,
            "python": self.python,
            "platform": self.platform,
            "configs": self.configs,
            "tried": self.tried,
            "rows": self.rows,
            "bytes": self.bytes,
            "rejects": self.rejects,
            "verdicts": self.verdicts,
            "difficulty": self.difficulty,
            "tags": self.tags,
            "origins": [asdict(origin) for origin in self.origins],
            "derived": self.derived and asdict(self.derived),
            "shards": [{"file": shard.file.as_posix(), **shard.to_json()} for shard in self.shards],
        }
        return json.dumps(table, indent=1) + "\n"


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counted in counts:
        total.update(counted)
    return dict(sorted(total.items()))


def _frequent(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent first, and of as many in the order of their names."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def made_here(
    version: str,
    versions: dict[str, str],
    shards: Iterable[Shard],
    origins: Iterable[Origin] = (),
    derived: Derived | None = None,
) -> Manifest:
    """The manifest of a dataset that this process has just finished, its shards in order."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        version=version,
        toolchain=versions,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        shards=tuple(shards),
        derived=derived,
        origins=tuple(origins),
    )


def _why(theirs: object) -> str:
    """What stands between another schema version and this one, and the way out."""
    if not isinstance(theirs, int):
        return ""
    if theirs > SCHEMA_VERSION:
        return ": install a newer irsmith"
    changes = ", ".join(f"in {v} {what}" for v, what in SCHEMA_CHANGES.items() if v > theirs)
    return f" ({changes}): make it again with `irsmith generate` and the folder's recipe.toml"


def read(root: Place) -> Manifest:
    """The manifest of a dataset's folder.

    Raises:
        UserError: There is no finished dataset there, or it is of another schema version.
    """
    path = root / FILE
    table = read_table(root)
    theirs = table.get("schema_version")
    if theirs != SCHEMA_VERSION:
        raise UserError(f"{path}: schema version {theirs}, but this irsmith reads {SCHEMA_VERSION}{_why(theirs)}")
    try:
        return _of_table(table)
    except ValueError as error:
        raise UserError(f"{path}: is no manifest: {error}") from None


def read_table(root: Place) -> dict[str, Any]:
    """The JSON of a dataset's manifest, whatever its schema version.

    Raises:
        UserError: There is no finished dataset there, or no JSON object in its manifest.
    """
    path = root / FILE
    if isinstance(path, Path):
        check_within(path.parent.resolve(), path)
    try:
        table: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{root}: no dataset here ({FILE} is missing; an unfinished run has none yet)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not isinstance(table, dict):
        raise UserError(f"{path}: is no manifest: not a JSON object")
    return table


_COUNTED = (
    "schema_version",
    "content",
    "configs",
    "tried",
    "rows",
    "bytes",
    "rejects",
    "verdicts",
    "difficulty",
    "tags",
    "shards",
)
"""Keys that are read by themselves, or follow from the shards, of which `validate` compares what they say."""


def _of_table(table: dict[str, Any]) -> Manifest:
    shards = table.get("shards")
    if not isinstance(shards, list) or not all(isinstance(item, dict) for item in shards):
        raise ValueError("shards: is not a list of objects")
    found = replace(
        fields.of_json(
            Manifest,
            {name: value for name, value in table.items() if name not in _COUNTED}
            | {"schema_version": SCHEMA_VERSION, "shards": []},
            "",
        ),
        shards=tuple(
            Shard.from_json({name: value for name, value in item.items() if name != "file"}, f"shards[{number}]")
            for number, item in enumerate(shards)
        ),
    )
    for number, source in enumerate(found.derived.sources if found.derived is not None else ()):
        fields.digest(source.content, 16, f"derived.sources[{number}].content")
    if found.derived is not None and not found.derived.sources:
        raise ValueError("derived.sources: is empty")
    return found
