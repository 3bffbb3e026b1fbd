"""Lines that print, as people leave them in while they look for a mistake."""

from __future__ import annotations

from dataclasses import replace

from irsmith.rng import Stream
from irsmith.synth.algebra import TRUTH, exactly
from irsmith.synth.ir import Assign, Atomic, Expr, If, Print, Program, Return, Stmt, Thread
from irsmith.types import BOOL, FLOAT32, INT32


def watched(program: Program, rng: Stream) -> Program:
    """A program that prints a variable, mostly of one thread alone; the program itself where it has none to print."""
    body = program.body
    if not isinstance(body[0], Thread) or len(body) < 3:
        return program
    # A tile is no number, though to what grows expressions it is one.
    tiles = any(isinstance(s, Assign) and _of_tiles(s.value) for s in body)
    variables = [
        (place, s.target)
        for place, s in enumerate(body)
        if isinstance(s, Assign) and s.target.op == "name" and s.target.type in (FLOAT32, INT32) and not tiles
    ]
    if not variables:
        return program
    place, shown = rng.pick(variables)
    # Where it is defined, or before the first result behind that is written.
    stores = [n for n, s in enumerate(body) if n > place and _ends(s)]
    at = place + 1 if not stores or rng.chance(0.5) else stores[0]
    thread = Expr("name", "i", INT32, exactly(0.0), (), body[0].names[0])
    line: Stmt
    if rng.chance(0.4):
        line = Print("", (shown,))
    else:
        sign = "%f" if shown.type is FLOAT32 else "%d"
        alone, beside = f"{shown.name} = {sign}", f"{thread.name} %d: {shown.name} {sign}"
        line = Print(alone, (shown,)) if rng.chance(0.5) else Print(beside, (thread, shown))
    if rng.chance(0.7):
        line = If(Expr("eq", "b", BOOL, TRUTH, (thread, Expr("literal", "i", INT32, exactly(0.0)))), (line,))
    return replace(program, body=(*body[:at], line, *body[at:]))


def _of_tiles(e: Expr) -> bool:
    """Whether an expression calls a builtin of tiles."""
    return e.op == "tile" or any(map(_of_tiles, e.args))


def _ends(s: Stmt) -> bool:
    """Whether a statement writes a result."""
    return isinstance(s, Atomic | Return) or (isinstance(s, Assign) and s.target.op == "index")
