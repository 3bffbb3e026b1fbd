"""Which whole numbers among a kernel's arguments are ids of meshes, of hierarchies of boxes, or of hash grids.

Their type does not say so: a number is an id where it is given to a builtin that asks for one, in the kernel or in a
helper.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace

from irsmith.kernel import Argument, Kernel, Signature
from irsmith.types import FLOAT32, UINT64, Bvh, Domain, Handle, HashGrid, Mesh, Vector

_KINDS = ("mesh_", "bvh_", "hash_grid_")
"""How the builtins of each kind begin, whose first operand is the id."""

_MESH, _BOXES = Mesh(2, 4), Bvh(12)
_RADII, _CENTRES, _CELLS = Domain(0.5, 1.5), Domain(-1.0, 1.0), Domain(1.0, 1.0)


def with_handles(kernel: Kernel, points: int) -> Kernel:
    """The kernel with structures in place of the ids among its arguments.

    Args:
        kernel: The kernel.
        points: How many points a hash grid holds, which are those of an argument.
    """
    kinds = dict(_kinds(ast.parse(kernel.source), kernel.name))
    if not kinds:
        return kernel
    arguments = tuple(_with_handle(a, kinds, kernel.signature, points) for a in kernel.signature.arguments)
    return replace(kernel, signature=replace(kernel.signature, arguments=arguments))


def _with_handle(argument: Argument, kinds: Mapping[str, str], signature: Signature, points: int) -> Argument:
    if argument.type != UINT64 or argument.rank or argument.name not in kinds:
        return argument
    found = _structure(kinds[argument.name], signature, points)
    return argument if found is None else replace(argument, type=found[0], domain=found[1])


def _structure(kind: str, signature: Signature, points: int) -> tuple[Handle, Domain] | None:
    """What is built for an id; None where there are no points to build a grid of."""
    if kind == "mesh_":
        return _MESH, _RADII
    if kind == "bvh_":
        return _BOXES, _CENTRES
    held = [a.name for a in signature.arguments if a.rank == 1 and a.type == Vector(3, FLOAT32) and not a.held]
    return (HashGrid(held[0], points), _CELLS) if held else None


def _kinds(tree: ast.Module, name: str) -> Iterator[tuple[str, str]]:
    """The arguments of a function that are ids, each with how the builtins begin that ask it."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    def within(function: ast.FunctionDef, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            kind = next((kind for kind in _KINDS if called.startswith(kind)), None)
            if isinstance(node.func, ast.Name) and called in functions and called not in above:
                helper = functions[called]
                asked = dict(within(helper, (*above, called)))
                for parameter, given in zip(helper.args.args, node.args, strict=False):
                    if parameter.arg in asked and isinstance(given, ast.Name):
                        yield given.id, asked[parameter.arg]
            elif kind is not None and node.args and isinstance(node.args[0], ast.Name):
                yield node.args[0].id, kind

    if name in functions:
        yield from within(functions[name], (name,))
