"""The manifest: what made a dataset, and what it holds, as ``manifest.json``."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from irsmith.dataset.shard import Shard, data_file
from irsmith.errors import UserError
from irsmith.frontends.base import Frontend
from irsmith.row import SCHEMA_VERSION
from irsmith.synth import GENERATOR_VERSION

FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made a dataset and what it holds.

    Attributes:
        schema_version: Of the row format.
        toolchain: Versions by distribution name: irsmith, what lowers, and what writes the files.
        python: The version of Python.
        platform: Operating system and processor.
        frontend: The recipe's frontend.
        shards: In order of their first index.
    """

    schema_version: int
    toolchain: dict[str, str]
    python: str
    platform: str
    frontend: str
    shards: tuple[Shard, ...]

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
        total: Counter[str] = Counter()
        for shard in self.shards:
            total.update(shard.reasons)
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def verdicts(self) -> dict[str, int]:
        """How often each check ended how, as ``check: status``; empty where nothing was checked."""
        total: Counter[str] = Counter()
        for shard in self.shards:
            total.update(shard.verdicts)
        return dict(sorted(total.items()))

    @property
    def difficulty(self) -> dict[str, int]:
        """Rows by difficulty, ``1`` to ``5``."""
        total: Counter[str] = Counter()
        for shard in self.shards:
            total.update(shard.difficulty)
        return dict(sorted(total.items()))

    @property
    def tags(self) -> dict[str, int]:
        """Rows by tag, the most frequent first."""
        total: Counter[str] = Counter()
        for shard in self.shards:
            total.update(shard.tags)
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    def to_json(self) -> str:
        """The manifest as its file's text."""
        table = {
            "schema_version": self.schema_version,
            "toolchain": self.toolchain,
            "python": self.python,
            "platform": self.platform,
            "frontend": self.frontend,
            "tried": self.tried,
            "rows": self.rows,
            "bytes": self.bytes,
            "rejects": self.rejects,
            "verdicts": self.verdicts,
            "difficulty": self.difficulty,
            "tags": self.tags,
            "shards": [
                {"file": data_file(self.frontend, shard.first).as_posix(), **shard.to_json()} for shard in self.shards
            ],
        }
        return json.dumps(table, indent=1) + "\n"


def toolchain(frontend: Frontend) -> dict[str, str]:
    """The versions of all that decides a dataset's bytes, by distribution name.

    Raises:
        UserError: The frontend is not installed, or not in the version that was tested.
    """
    ours = {"irsmith": version("irsmith"), "irsmith-generator": str(GENERATOR_VERSION)}
    return ours | frontend.toolchain() | {name: version(name) for name in ("numpy", "pyarrow")}


def of_run(frontend: str, versions: dict[str, str], shards: Iterable[Shard]) -> Manifest:
    """The manifest of a dataset that this process has just finished."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        toolchain=versions,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        frontend=frontend,
        shards=tuple(sorted(shards, key=lambda shard: shard.first)),
    )


def read(root: Path) -> Manifest:
    """The manifest of a dataset's folder.

    Raises:
        UserError: There is no finished dataset there, or it is of another schema version.
    """
    path = root / FILE
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{root}: no dataset here ({FILE} is missing; an unfinished run has none yet)") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if table.get("schema_version") != SCHEMA_VERSION:
        raise UserError(
            f"{path}: schema version {table.get('schema_version')}, but this irsmith reads {SCHEMA_VERSION}"
        )
    shards = []
    for item in table["shards"]:
        item.pop("file")
        shards.append(Shard.from_json(item))
    return Manifest(
        schema_version=SCHEMA_VERSION,
        toolchain=table["toolchain"],
        python=table["python"],
        platform=table["platform"],
        frontend=table["frontend"],
        shards=tuple(shards),
    )
