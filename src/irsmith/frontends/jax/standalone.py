"""Cut a function out of its file: the statements that it needs, in their order, as a text that stands alone."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from functools import lru_cache

from irsmith.frontends.jax.effects import DRAWS, Effects

EXAMPLES = "example_args"
"""The name under which a file gives arguments to its functions. No function needs it."""


def standalone(source: str, name: str) -> str | None:
    """The part of a module's text that defines one of its top-level functions and all that it refers to.

    Kept are the statements that bind a name which a kept one uses, or that may change what it stands for; bare calls
    that configure JAX; and ``__future__`` imports.

    Returns:
        The text, or None where no top-level function has that name.
    """
    module, bound, used = _facts(source)
    if not any(isinstance(s, ast.FunctionDef) and s.name == name for s in module.body):
        return None
    kept: set[int] = {i for i, statement in enumerate(module.body) if _always_kept(statement)}
    wanted = {name}.union(*(used[i] for i in kept))
    while True:
        grown = {i for i, names in enumerate(bound) if names & wanted}
        if grown <= kept:
            break
        kept |= grown
        for index in grown:
            wanted |= used[index]
    lines = source.splitlines()
    pieces: list[str] = []
    previous: ast.stmt | None = None
    for index in sorted(kept):
        statement = module.body[index]
        if previous is not None:
            spaced = isinstance(statement, _DEFINITION) or isinstance(previous, _DEFINITION)
            imports = isinstance(statement, _IMPORT) and isinstance(previous, _IMPORT)
            alike = type(statement) is type(previous)
            pieces.append("\n\n\n" if spaced else "\n" if imports or alike else "\n\n")
        pieces.append("\n".join(lines[_first_line(statement) - 1 : statement.end_lineno]))
        previous = statement
    return "".join(pieces) + "\n"


@lru_cache(maxsize=4)
def _facts(source: str) -> tuple[ast.Module, list[set[str]], list[set[str]]]:
    """A module, and of each of its statements the names that it binds or changes, and those that it refers to."""
    module = ast.parse(source)
    effects = Effects(module)
    bound = [set(_bindings(statement)) for statement in module.body]
    bound = [
        names if names == {EXAMPLES} else names | effects.of(s) for names, s in zip(bound, module.body, strict=True)
    ]
    used = [set(_uses(s)) | ({DRAWS} if effects.draws(s) else set()) for s in module.body]
    return module, bound, used


_DEFINITION = (ast.FunctionDef, ast.ClassDef)
_IMPORT = (ast.Import, ast.ImportFrom)
_CONFIGURATION = "config.update"


def _first_line(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, _DEFINITION) else []
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _bindings(statement: ast.stmt) -> Iterator[str]:
    """The module-level names that a statement binds."""
    for node in _own_scope(statement):
        if isinstance(node, _DEFINITION):
            yield node.name
        elif isinstance(node, _IMPORT):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _own_scope(statement: ast.stmt) -> Iterator[ast.AST]:
    """A statement and what it runs in the module's own scope: not the insides of functions and classes."""
    yield statement
    if isinstance(statement, _DEFINITION):
        return
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield from _own_scope(child)
        else:
            yield from ast.walk(child)


def _uses(statement: ast.stmt) -> Iterator[str]:
    """The module-level names that a statement refers to: what a function calls so of its own is none."""
    yield from _referred(symtable.symtable(ast.unparse(statement), "<statement>", "exec"))
    for node in ast.walk(statement):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            for part in ast.walk(annotation) if annotation is not None else ():
                # An annotation may be written as a text.
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
                    yield part.value


def _referred(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _referred(inner)


def _always_kept(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return configures(statement)


def configures(statement: ast.stmt) -> bool:
    """Whether a statement sets an option of JAX's."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    return ast.unparse(statement.value.func).endswith(_CONFIGURATION)
