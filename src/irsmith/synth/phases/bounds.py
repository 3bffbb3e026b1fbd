"""Names for the fixed bounds of loops: constants of the module, where an author likes those."""

from __future__ import annotations

from irsmith.synth.ir import Constant, Expr, For, If, Stmt, While
from irsmith.synth.sketch import Sketch

_NAMES = ("NUM_STEPS", "K_MAX", "WINDOW", "NUM_TERMS", "MAX_ITERS", "DIM", "NUM_NEIGHBORS", "ORDER")


def name_bounds(s: Sketch) -> None:
    """Replace the number in each fixed ``range`` by a constant of the module, one for each number."""
    names: dict[int, str] = {}

    def visit(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return tuple([_renamed(statement) for statement in body])

    def _renamed(statement: Stmt) -> Stmt:
        if isinstance(statement, For):
            stop = statement.stop
            if stop.op == "literal" and stop.value > 2 and statement.start is None and statement.step is None:
                turns = int(stop.value)
                if turns not in names:
                    names[turns] = s.module_name(s.names_free(_NAMES))
                    s.constants.append(Constant(names[turns], stop))
                stop = Expr("static", "i", stop.type, stop.span, (), names[turns], turns)
            return statement._replace(stop=stop, body=visit(statement.body))
        if isinstance(statement, If):
            return statement._replace(then=visit(statement.then), orelse=visit(statement.orelse))
        return statement._replace(body=visit(statement.body)) if isinstance(statement, While) else statement

    s.body[:] = visit(tuple(s.body))
