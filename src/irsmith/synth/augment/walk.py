"""Walks over programs that variants are made with."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.ir import Assign, Atomic, Do, Expr, For, If, Print, Return, Stmt, Unpack, While

Block = tuple[Stmt, ...]


def mapped(body: Block, change: Callable[[Expr], Expr]) -> Block:
    """A block with every outermost expression changed."""
    return tuple([_statement(statement, change) for statement in body])


def _statement(s: Stmt, change: Callable[[Expr], Expr]) -> Stmt:
    if isinstance(s, Assign):
        return s._replace(target=change(s.target), value=change(s.value))
    if isinstance(s, If):
        return If(change(s.test), mapped(s.then, change), mapped(s.orelse, change))
    if isinstance(s, For):
        bounds = [None if b is None else change(b) for b in (s.start, s.stop, s.step)]
        return For(s.name, bounds[0], bounds[1] or s.stop, bounds[2], mapped(s.body, change), s.backwards)
    if isinstance(s, While):
        return While(change(s.test), mapped(s.body, change))
    if isinstance(s, Atomic):
        compared = None if s.compare is None else change(s.compare)
        return s._replace(target=change(s.target), value=change(s.value), compare=compared)
    if isinstance(s, Unpack):
        return Unpack(tuple(map(change, s.targets)), change(s.value))
    if isinstance(s, Do):
        return Do(change(s.call))
    if isinstance(s, Print):
        return s._replace(values=tuple(map(change, s.values)))
    if isinstance(s, Return) and s.value is not None:
        return Return(change(s.value))
    return s


def everywhere(e: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """An expression with every node changed, operands first."""
    return change(e._replace(args=tuple([everywhere(arg, change) for arg in e.args])) if e.args else e)


def blocks(body: Block) -> list[Block]:
    """A block and every block inside it."""
    found = [body]
    for s in body:
        if isinstance(s, If):
            found += blocks(s.then) + blocks(s.orelse)
        elif isinstance(s, For | While):
            found += blocks(s.body)
    return found


def replaced(body: Block, change: Callable[[Block], Block]) -> Block:
    """A block with every block inside it, and then itself, changed."""
    inner: list[Stmt] = []
    for s in body:
        if isinstance(s, If):
            inner.append(If(s.test, replaced(s.then, change), replaced(s.orelse, change) if s.orelse else ()))
        elif isinstance(s, For | While):
            inner.append(s._replace(body=replaced(s.body, change)))
        else:
            inner.append(s)
    return change(tuple(inner))


def read(e: Expr) -> set[str]:
    """The names that an expression reads: variables, arrays, helpers, constants."""
    found = {e.name.partition(".")[0]} if e.name else set()
    for arg in e.args:
        found |= read(arg)
    return found


def pure(e: Expr) -> bool:
    """Whether an expression changes nothing: no random draw, no exchange."""
    # An operand of kind "r" is the state of a generator, which a draw moves on.
    return e.kind != "r" and e.op not in {"random", "atomic_cas", "atomic_exch", "tile"} and all(map(pure, e.args))
