"""What is harvested: an installed package, a wheel, or a folder of sources."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from irsmith import licence, scratch
from irsmith.errors import UserError

_SCRIPTS = ("__main__", "setup", "conftest")
"""Modules that do their work when they are imported."""


@dataclass(frozen=True, slots=True)
class Target:
    """Modules to import, and whose they are.

    Attributes:
        name: The distribution's name, or the folder's.
        version: The distribution's version; None where nothing states one.
        licence: Its licence as an SPDX expression; None where it states none.
        path: What has to stand on Python's path for the modules to import.
        folder: Where the modules' files lie.
        modules: Their dotted names, in order.
    """

    name: str
    version: str | None
    licence: str | None
    path: Path
    folder: Path
    modules: tuple[str, ...]


@contextmanager
def opened(what: str) -> Iterator[Target]:
    """Find what a user names: a wheel or a folder if there is one of that name, else an installed package.

    A wheel is unpacked into a folder that is gone afterwards.

    Raises:
        UserError: There is no such thing, or no Python module in it.
    """
    path = Path(what)
    if path.suffix == ".whl":
        with scratch.folder("wheel") as folder:
            yield _wheel(path, folder.resolve())
    elif path.is_dir() and (os.sep in what or any(path.rglob("*.py"))):
        yield _folder(path.resolve())
    elif path.is_file():
        raise UserError(f"{what}: neither a folder nor a wheel: for one file, use irsmith lower")
    else:
        yield _package(what)


def _wheel(path: Path, folder: Path) -> Target:
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a wheel: {error}") from None
    found = list(importlib.metadata.distributions(path=[str(folder)]))
    if not found:
        raise UserError(f"{path}: not a wheel: it has no metadata")
    return _distributed(found[0].metadata, folder, folder)


def _folder(path: Path) -> Target:
    """A folder's modules; a ``pyproject.toml`` in it, or beside the package that it is, says whose they are."""
    base = path.parent if (path / "__init__.py").exists() else path
    name, version, stated = path.name, None, None
    for place in (path, base):
        project = place / "pyproject.toml"
        if project.is_file():
            name, version, stated = _stated(project, path.name)
            break
    return _target(name, version, stated, base, path)


def _stated(project: Path, otherwise: str) -> tuple[str, str | None, str | None]:
    try:
        table = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{project}: cannot be read: {error}") from None
    given = table.get("license")
    text = given.get("text") if isinstance(given, dict) else given
    return table.get("name", otherwise), table.get("version"), licence.canonical(text) if text else None


def _package(name: str) -> Target:
    """An installed package, by its own name, with that of a package within it, or by its distribution's."""
    owners = importlib.metadata.packages_distributions()
    top, _, inner = name.partition(".")
    if top not in owners:
        wanted = canonicalize_name(name)
        named = [p for p, names in owners.items() if wanted in map(canonicalize_name, names)]
        packages = [package for package in named if _home(package) is not None]
        if not packages:
            raise UserError(f"{name}: neither a folder, nor a wheel, nor an installed package")
        top, inner = packages[0], ""
    home = _home(top)
    folder = None if home is None else home.joinpath(*inner.split(".")) if inner else home
    if home is None or folder is None or not folder.is_dir():
        raise UserError(f"{name}: not a package with modules of its own")
    return _distributed(importlib.metadata.metadata(owners[top][0]), home.parent, folder)


def _home(package: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _distributed(metadata: importlib.metadata.PackageMetadata, path: Path, folder: Path) -> Target:
    return _target(metadata["Name"], metadata["Version"], licence.of_metadata(metadata), path, folder)


def _target(name: str, version: str | None, stated: str | None, path: Path, folder: Path) -> Target:
    modules = tuple(_modules(path, folder))
    if not modules:
        raise UserError(f"{folder}: no Python module in it")
    return Target(name, version, stated, path, folder, modules)


def _modules(path: Path, folder: Path) -> Iterator[str]:
    """The importable names of the files under a folder, packages before what is in them."""
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(path).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts and parts[-1] not in _SCRIPTS and all(part.isidentifier() for part in parts):
            yield ".".join(parts)
