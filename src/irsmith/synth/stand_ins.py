"""A program that can be imagined, in place of one that asks what cannot: parts of arrays, records, searches.

What a helper makes of a part or a record, and what a search finds, is in arrays of its own there: so it is seen what
becomes of it, and not what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import NO_SPAN
from irsmith.synth.algebra import name as variable
from irsmith.synth.ir import Assign, Atomic, Do, Expr, For, If, Program, Span, Stmt, Thread, Unpack, While
from irsmith.synth.phases.indexed import plain
from irsmith.types import INT32, UINT64, Bvh, Domain, HashGrid, Mesh

_PARTS = frozenset({"row", "column", "slice"})
_FOUND = 3
"""How many things a search is imagined to find at most."""


def imaginable(program: Program) -> tuple[Program, set[str]]:
    """A program that says the same of what it does with answers, and the names of what only the questions read.

    Those are arguments and variables that need change nothing in it.
    """
    standing = _Standing(program)
    body = standing.block(program.body)
    arguments = (*plain(program.arguments), *standing.added)
    if not standing.added and not standing.held:
        return replace(program, arguments=arguments), set()
    asked = _closed(standing.asked, (*program.body, *body))
    named = set(_names(body))
    asked |= {a.name for a in program.arguments if a.name not in named or isinstance(a.type, Mesh | Bvh | HashGrid)}
    asked |= {s.value.name for s in body if isinstance(s, Assign) and s.target.name in standing.records}
    return replace(program, arguments=arguments, body=body), asked


def assigned(statement: Stmt) -> set[str]:
    """The variables that a statement gives a value, with those that do so within it; the arrays that it writes to."""
    if isinstance(statement, Assign | Atomic):
        return {statement.target.name}
    if isinstance(statement, Unpack):
        return {target.name for target in statement.targets}
    if isinstance(statement, If):
        return set().union(*map(assigned, (*statement.then, *statement.orelse)))
    if isinstance(statement, For | While):
        return set().union(*map(assigned, statement.body))
    return {statement.call.args[0].name} if isinstance(statement, Do) else set()


class _Standing:
    """Statements rewritten, and what that takes.

    Attributes:
        added: The arrays that answers are in.
        held: Variables that hold what a search found.
        asked: What questions read.
        records: What was given whole to a helper.
    """

    def __init__(self, program: Program) -> None:
        first = program.body[0]
        names = first.names if isinstance(first, Thread) else ()
        self._places = tuple(variable(name, INT32, NO_SPAN) for name in names)
        self._shape = program.launch
        self._known: dict[tuple[Expr, tuple[Expr, ...]], Expr] = {}
        self.held: set[str] = set()
        self.added: list[Argument] = []
        self.asked: set[str] = set()
        self.records: set[str] = set()

    def block(self, body: Iterable[Stmt]) -> tuple[Stmt, ...]:
        """Statements, without those that hold what a search found."""
        return tuple(made for statement in body for made in self._statement(statement))

    def _statement(self, s: Stmt) -> tuple[Stmt, ...]:
        if isinstance(s, Assign):
            if s.value.op == "query" and s.value.kind == "s":
                self.held.add(s.target.name)
                self.asked |= set(_names(s.value.args))
                return ()
            return (s._replace(target=self._expression(s.target), value=self._expression(s.value)),)
        if isinstance(s, Atomic):
            return (s._replace(target=self._expression(s.target), value=self._expression(s.value)),)
        if isinstance(s, If):
            test = self._expression(s.test)
            return (s._replace(test=test, then=self.block(s.then), orelse=self.block(s.orelse)),)
        if isinstance(s, While):
            if s.test.op != "query":
                return (s._replace(test=self._expression(s.test), body=self.block(s.body)),)
            return self._each(s.test.args[1].name, s.test, s.body)
        if isinstance(s, For):
            return (
                self._each(s.name, s.stop, s.body) if s.stop.op == "query" else (s._replace(body=self.block(s.body)),)
            )
        return (s,)

    def _each(self, item: str, search: Expr, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        """A loop over what a search finds, of which each is known by its number: as many as an array says."""
        self.asked |= set(_names(search.args))
        count = Expr("found", "i", INT32, Span(0, _FOUND, 0, _FOUND), search.args, item)
        stop = self._stand_in(count)
        places, shape = self._places, self._shape
        self._places, self._shape = (*places, variable(item, INT32, NO_SPAN)), (*shape, _FOUND)
        made = self.block(body)
        self._places, self._shape = places, shape
        return (For(item, None, stop, None, made),)

    def _expression(self, e: Expr) -> Expr:
        if e.op == "call" and any(_is_part(arg) for arg in e.args):
            self.records |= {arg.name for arg in e.args if arg.op == "name" and arg.kind == "s"}
            return self._stand_in(e)
        held = e.args[0].name if e.op == "field" and e.args else e.name.partition(".")[0] if e.op == "index" else ""
        if e.op == "query" or held in self.held:
            self.asked |= set(_names(e.args))
            return self._stand_in(e)
        return e._replace(args=tuple(map(self._expression, e.args))) if e.args else e

    def _stand_in(self, e: Expr) -> Expr:
        """An element of an array of answers to one question."""
        known = self._known.get((e, self._places))
        if known is None:
            name = f"<{len(self.added)}>"
            span = e.span
            # An index is any of those there are.
            domain = Domain(span.low, span.high) if e.kind == "i" else Domain(span.usual_low, span.usual_high)
            self.added.append(Argument(name, e.type, len(self._places), Direction.IN, self._shape, domain))
            known = self._known[e, self._places] = e._replace(op="index", args=self._places, name=name)
        return known


def _is_part(e: Expr) -> bool:
    return e.op in _PARTS or (e.op == "name" and e.kind == "s" and e.type is not UINT64)


def _closed(names: set[str], body: tuple[Stmt, ...]) -> set[str]:
    """Names, and those of what the variables among them are made of."""
    made: dict[str, set[str]] = {}
    queue = list(body)
    while queue:
        s = queue.pop()
        if isinstance(s, Assign):
            made.setdefault(s.target.name, set()).update(_names((s.value,)))
        elif isinstance(s, If):
            queue += (*s.then, *s.orelse)
        elif isinstance(s, For | While):
            queue += s.body
    closed: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in closed:
            closed.add(name)
            left += made.get(name, ())
    return closed


def _names(nodes: tuple[object, ...]) -> Iterable[str]:
    """The names that statements or expressions say."""
    queue: list[object] = list(nodes)
    while queue:
        node = queue.pop()
        if isinstance(node, Expr):
            yield node.name
            yield node.name.partition(".")[0]
        if isinstance(node, tuple):
            queue += [part for part in node if isinstance(part, tuple)]
