"""Find the kernels of a user's own file by importing it. Run this in a process of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from irsmith.frontends.source import imported, provenance_of
from irsmith.frontends.warp import compiler
from irsmith.frontends.warp.extract import CannotStandAloneError, source_of
from irsmith.kernel import Argument, Direction, Kernel, Provenance, Signature
from irsmith.outcome import Reject, Step

CATEGORY = "user"


def read(path: Path) -> list[Kernel | Reject]:
    """The kernels that a file defines, each with a source that stands alone, in the file's order.

    A generic kernel is as many kernels as it has instances. Whatever the file raises when it is imported comes
    through.
    """
    compiler.start()
    text = path.read_text(encoding="utf-8")
    provenance = provenance_of(path, text)
    module = imported(path)
    found = [kernel for kernel in compiler.registered_kernels() if Path(kernel.func.__code__.co_filename) == path]
    found.sort(key=lambda kernel: (kernel.func.__code__.co_firstlineno, kernel.key))
    blocks = block_dims(ast.parse(text), vars(module))
    return [item for kernel in found for item in _describe(kernel, blocks.get(kernel.func.__name__), provenance)]


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


def _describe(kernel: Any, block_dim: int | None, provenance: Provenance) -> Iterator[Kernel | Reject]:
    instances = compiler.instances_of(kernel)
    name = kernel.func.__name__
    if not instances:
        message = "a generic kernel that no overload gives types to"
        yield Reject(Step.LOWER, "GenericWithoutInstance", message, name, CATEGORY, kernel.adj.source)
    docstring = (ast.get_docstring(kernel.adj.tree.body[0]) or "").strip()
    for instance in instances:
        try:
            source = source_of(instance)
        except CannotStandAloneError as error:
            message = f"cannot stand alone: {error}"
            yield Reject(Step.LOWER, "CannotStandAlone", message, name, CATEGORY, kernel.adj.source)
            continue
        if block_dim is not None and compiler.uses_tiles(kernel):
            # Otherwise the text would depend on a launch that the source does not hold.
            source = f'{source.rstrip()}\n\n\nwp.set_module_options({{"block_dim": {block_dim}}})\n'
        yield Kernel(
            name=name,
            category=CATEGORY,
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
