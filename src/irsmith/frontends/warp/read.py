"""Find the kernels of a user's own file, or of modules that are imported. Run this in a process of its own."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from irsmith.errors import UserError, nearest
from irsmith.frontends.source import imported, provenance_of
from irsmith.frontends.warp import compiler
from irsmith.frontends.warp.extract import CannotStandAloneError, source_of
from irsmith.kernel import REAL, USER, Argument, Direction, Kernel, Provenance, Signature
from irsmith.outcome import Reject, Step
from irsmith.types import Struct


def read(path: Path, kernel: str | None) -> list[Kernel | Reject]:
    """The kernels that a file defines, or those of one name, each with a source that stands alone, in the file's order.

    A generic kernel is as many kernels as it has instances. Whatever the file raises when it is imported comes
    through.

    Raises:
        UserError: There are kernels, and none of that name.
    """
    compiler.start()
    text = path.read_text(encoding="utf-8")
    names = vars(imported(path))
    found = list(_kernels_of(path, text, names, _by_file().get(path, []), USER, provenance_of(path, text)))
    named = [item for item in found if kernel in (None, item.name)]
    if found and not named:
        raise UserError(f"{path}: no kernel {kernel!r}: {nearest(str(kernel), [item.name for item in found])}")
    return named


def living(folder: Path) -> Iterator[tuple[Path, Kernel | Reject]]:
    """The kernels that the modules of a folder have defined in this process, file by file, each with its file."""
    modules = {Path(found): vars(module) for module in list(sys.modules.values()) if (found := _file_of(module))}
    for path, kernels in sorted(_by_file().items()):
        if path.is_relative_to(folder):
            text = path.read_text(encoding="utf-8")
            for item in _kernels_of(path, text, modules.get(path, {}), kernels, REAL, Provenance(path.name)):
                yield path, item


def _file_of(module: Any) -> str | None:
    found = getattr(module, "__file__", None)
    return found if isinstance(found, str) else None


def _by_file() -> dict[Path, list[Any]]:
    """The kernels of this process by the file that they are written in."""
    found: dict[Path, list[Any]] = defaultdict(list)
    for kernel in compiler.live_kernels():
        found[Path(kernel.func.__code__.co_filename)].append(kernel)
    return found


def _kernels_of(
    path: Path, text: str, names: Mapping[str, Any], kernels: list[Any], category: str, provenance: Provenance
) -> Iterator[Kernel | Reject]:
    blocks = block_dims(ast.parse(text, str(path)), names)
    found = []
    for kernel in kernels:
        # Kernels that one function made have one place, and differ in what it was given.
        items = tuple(_describe(kernel, blocks.get(kernel.func.__name__), category, provenance))
        place = kernel.func.__code__.co_firstlineno, kernel.key, *(item.source for item in items)
        found.append((place, items))
    for _, items in sorted(found, key=lambda one: one[0]):
        yield from items


def block_dims(tree: ast.Module, names: Mapping[str, Any]) -> dict[str, int]:
    """The threads a block that the file's launches ask for, by kernel: tile operations are built for a number.

    Args:
        tree: The file.
        names: What the file's names stand for.
    """
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Name):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("launch", "launch_tiled"):
            for keyword in node.keywords:
                value = keyword.value
                asked = names.get(value.id) if isinstance(value, ast.Name) else getattr(value, "value", None)
                if keyword.arg == "block_dim" and isinstance(asked, int):
                    found[node.args[0].id] = asked
    return found


def _describe(kernel: Any, block_dim: int | None, category: str, provenance: Provenance) -> Iterator[Kernel | Reject]:
    instances = compiler.instances_of(kernel)
    if not instances:
        message = "a generic kernel that no overload gives types to"
        yield Reject(Step.LOWER, "GenericWithoutInstance", message, kernel.func.__name__, category, kernel.adj.source)
    for instance in instances:
        yield describe(kernel, instance, block_dim, category, provenance)


def describe(
    kernel: Any, instance: Any, block_dim: int | None, category: str, provenance: Provenance
) -> Kernel | Reject:
    """A kernel of this process as a text that stands alone, or why there is none.

    Args:
        kernel: The Warp kernel.
        instance: What of it is wanted: itself, or an instance of a generic one.
        block_dim: The threads a block that it is launched with, where that is known.
        category: What the kernel is called as.
        provenance: Where its file comes from.
    """
    name = kernel.func.__name__
    docstring = (ast.get_docstring(kernel.adj.tree.body[0]) or "").strip()
    provenance = replace(provenance, line=kernel.func.__code__.co_firstlineno, docstring=docstring or None)
    try:
        source = source_of(instance)
    except (CannotStandAloneError, ValueError) as error:
        message = f"cannot stand alone: {error}"
        return Reject(Step.LOWER, "CannotStandAlone", message, name, category, kernel.adj.source)
    if block_dim is not None and compiler.uses_tiles(kernel):
        # Otherwise the text would depend on a launch that the source does not hold.
        source = f'{source.rstrip()}\n\n\nwp.set_module_options({{"block_dim": {block_dim}}})\n'
    return Kernel(
        name=name,
        category=category,
        description=docstring.partition("\n\n")[0].replace("\n", " "),
        source=source,
        signature=signature_of(instance),
        provenance=provenance,
    )


def signature_of(kernel: Any) -> Signature:
    """The signature of a Warp kernel, as far as it can be read: extents and domains are not known."""
    written, read_ = accesses(kernel.adj.tree.body[0])
    arguments = []
    for name, type_, rank in compiler.arguments_of(kernel):
        direction = Direction.IN
        if name in written and rank:
            direction = Direction.INOUT if name in read_ else Direction.OUT
        arguments.append(Argument(name, type_, rank, direction))
        if isinstance(type_, Struct) and not rank:
            held = Direction.INOUT if name in written else Direction.IN
            arguments += [Argument(f"{name}.{path}", array.element, array.rank, held) for path, array in type_.arrays]
    return Signature(tuple(arguments))


def accesses(function: ast.FunctionDef) -> tuple[set[str], set[str]]:
    """The names whose elements a function writes, and those whose elements it reads.

    An array that is passed on to a helper counts as both, for the helper may do either.
    """
    written: set[str] = set()
    read_: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript | ast.Attribute):
            root: ast.expr = node
            while isinstance(root, ast.Subscript | ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name):
                (read_ if isinstance(node.ctx, ast.Load) else written).add(root.id)
        elif isinstance(node, ast.Call):
            names = [argument.id for argument in node.args if isinstance(argument, ast.Name)]
            read_.update(names)
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            written.update(names[:1] if name.startswith("atomic_") else [] if name else names)
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign):
            target: ast.expr = node.target
            while isinstance(target, ast.Subscript | ast.Attribute):
                target = target.value
            if isinstance(target, ast.Name):
                read_.add(target.id)
    return written, read_
