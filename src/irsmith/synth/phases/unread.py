"""The last look at a kernel: nothing that was named may stay unread."""

from __future__ import annotations

from collections.abc import Iterator

from irsmith.kernel import Direction
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Atomic, Do, Expr, For, If, Return, Stmt, Unpack, While
from irsmith.synth.phases.indexed import behind
from irsmith.synth.sketch import Sketch


def refuse_unread(s: Sketch) -> None:
    """Refuse a kernel with an input or a variable that nothing reads. A change of a variable does not read it.

    Of what a call with several results gives, one that is read is enough.

    Raises:
        Discard: There is one.
    """
    inputs = {argument.name for argument in s.arguments if argument.direction is not Direction.OUT}
    inputs -= behind(s.arguments)
    bodies = [(tuple(s.body), inputs), *((helper.body, {p.name for p in helper.parameters}) for helper in s.helpers)]
    for body, given in bodies:
        read: set[str] = set()
        made: set[str] = set()
        _statements(body, read, made)
        unread = (made | given) - read
        unread -= {name for names in _together(body) if names & read for name in names}
        if unread:
            raise Discard(f"unread {min(unread)}")


def _together(body: tuple[Stmt, ...]) -> Iterator[set[str]]:
    """The names that are made by one call."""
    for statement in body:
        if isinstance(statement, Unpack):
            yield {target.name for target in statement.targets}
        elif isinstance(statement, If):
            yield from _together(statement.then + statement.orelse)
        elif isinstance(statement, For | While):
            yield from _together(statement.body)


def _statements(body: tuple[Stmt, ...], read: set[str], made: set[str]) -> None:
    for statement in body:
        if isinstance(statement, Assign):
            target = statement.target
            if target.op == "name":
                made.add(target.name)
                _expression(statement.value, read, target.name)
            else:
                _expression(target, read)
                _expression(statement.value, read)
        elif isinstance(statement, If):
            _expression(statement.test, read)
            _statements(statement.then, read, made)
            _statements(statement.orelse, read, made)
        elif isinstance(statement, For):
            for bound in (statement.start, statement.stop, statement.step):
                if bound is not None:
                    _expression(bound, read)
            _statements(statement.body, read, made)
        elif isinstance(statement, While):
            _expression(statement.test, read)
            _statements(statement.body, read, made)
        elif isinstance(statement, Atomic):
            _expression(statement.target, read)
            _expression(statement.value, read)
        elif isinstance(statement, Return) and statement.value is not None:
            _expression(statement.value, read)
        elif isinstance(statement, Unpack):
            made.update(target.name for target in statement.targets)
            _expression(statement.value, read)
        elif isinstance(statement, Do):
            call = statement.call
            # What is changed in place is not read by that: its first operand, but for tiles.
            for arg in call.args if call.op == "tile" else call.args[1:]:
                _expression(arg, read)


def _expression(e: Expr, read: set[str], but: str = "") -> None:
    """Note the names that an expression reads, but for one."""
    if e.name and e.name != but:
        read.add(e.name)
        # Who reads an array that a struct holds reads the struct.
        read.add(e.name.partition(".")[0])
    for arg in e.args:
        _expression(arg, read, but)
