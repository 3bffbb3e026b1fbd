"""What is harvested: an installed package, a wheel, or a folder of sources."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from irsmith.errors import UserError
from irsmith.harvest import licence


@dataclass(frozen=True, slots=True)
class Target:
    """Modules to import, and whose they are.

    Attributes:
        name: The distribution's name, or the folder's.
        version: The distribution's version; None for a folder.
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
        with TemporaryDirectory(prefix="irsmith-wheel-") as folder:
            yield _wheel(path, Path(folder))
    elif path.is_dir():
        yield _folder(path.resolve())
    elif path.exists():
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
    metadata = found[0].metadata
    return _target(metadata["Name"], metadata["Version"], licence.of_metadata(metadata), folder, folder)


def _folder(path: Path) -> Target:
    if (path / "__init__.py").exists():
        return _target(path.name, None, None, path.parent, path)
    return _target(path.name, None, None, path, path)


def _package(name: str) -> Target:
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    owners = importlib.metadata.packages_distributions().get(name, [])
    if spec is None:
        # The name of a distribution may not be that of its package.
        try:
            distribution = importlib.metadata.distribution(name)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            raise UserError(f"{name}: neither a folder, nor a wheel, nor an installed package") from None
        tops = (distribution.read_text("top_level.txt") or name.replace("-", "_")).split()
        spec = importlib.util.find_spec(tops[0])
        owners = [name]
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"{name}: not a package with modules of its own")
    folder = Path(next(iter(spec.submodule_search_locations))).resolve()
    if not owners:
        return _target(folder.name, None, None, folder.parent, folder)
    metadata = importlib.metadata.metadata(owners[0])
    return _target(metadata["Name"], metadata["Version"], licence.of_metadata(metadata), folder.parent, folder)


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
        # What runs as a script does its work when it is imported.
        if parts and parts[-1] not in ("__main__", "setup", "conftest") and all(part.isidentifier() for part in parts):
            yield ".".join(parts)
