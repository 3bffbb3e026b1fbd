"""Reordering: independent statements in another order."""

from __future__ import annotations

from dataclasses import replace

from irsmith.rng import Stream
from irsmith.synth.augment.walk import Block, pure, read, replaced
from irsmith.synth.ir import Assign, Expr, Program, Stmt


def reordered(program: Program, rng: Stream) -> Program | None:
    """Neighbouring assignments to variables change places where neither needs the other."""
    swapped = 0

    def change(block: Block) -> Block:
        nonlocal swapped
        statements = list(block)
        for _ in range(2):
            for place in range(len(statements) - 1):
                a, b = statements[place], statements[place + 1]
                if _independent(a, b) and rng.chance(0.5):
                    statements[place], statements[place + 1] = b, a
                    swapped += 1
        return tuple(statements)

    body = replaced(program.body, change)
    return replace(program, body=body) if swapped and body != program.body else None


def _independent(a: Stmt, b: Stmt) -> bool:
    """Whether two statements only define variables, neither of which the other reads or defines."""
    if not isinstance(a, Assign) or not isinstance(b, Assign):
        return False
    if a.target.op != "name" or b.target.op != "name" or not pure(a.value) or not pure(b.value):
        return False
    mine, theirs = a.target.name, b.target.name
    return mine != theirs and mine not in _needs(b) and theirs not in _needs(a)


def _needs(s: Assign) -> set[str]:
    """What an assignment reads, its own target where it only changes it."""
    target: set[str] = {s.target.name} if s.op else set()
    value: Expr = s.value
    return read(value) | target
