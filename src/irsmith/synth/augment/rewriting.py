"""Rewriting: another form of control flow that computes the same."""

from __future__ import annotations

from dataclasses import replace

from irsmith.rng import Stream
from irsmith.synth.algebra import union, whole
from irsmith.synth.augment.walk import Block, blocks, everywhere, mapped, pure, read, replaced
from irsmith.synth.ir import Assign, Comment, Expr, For, If, Jump, Program, Return, Stmt

_LONGEST = 6
# A conditional expression computes both of its operands: only what is legal anywhere may become one.
_LEGAL = frozenset({"name", "literal", "index", "add", "sub", "mul", "neg", "abs", "min", "max", "square"})


def rewritten(program: Program, rng: Stream) -> Program | None:
    """One rewrite, of those that apply: a ternary as a branch, a branch as a ternary, a short loop unrolled."""
    for rewrite in rng.shuffled((_branched, _chosen, _unrolled)):
        done = False

        def change(block: Block, rewrite=rewrite) -> Block:  # type: ignore[no-untyped-def]  # noqa: ANN001
            nonlocal done
            out: list[Stmt] = []
            for s in block:
                new = None if done else rewrite(s)
                done = done or new is not None
                out += [s] if new is None else new
            return tuple(out)

        body = replaced(program.body, change)
        if done:
            return _tidied(replace(program, body=body))
    return None


def _branched(s: Stmt) -> list[Stmt] | None:
    """``x = a if test else b`` as a branch."""
    if isinstance(s, Assign) and not s.op and s.target.op == "name" and s.value.op == "choose":
        test, then, otherwise = s.value.args
        return [If(test, (Assign(s.target, then),), (Assign(s.target, otherwise),))]
    return None


def _chosen(s: Stmt) -> list[Stmt] | None:
    """A branch whose arms assign one variable as a conditional expression."""
    if not isinstance(s, If):
        return None
    then, orelse = ([x for x in arm if not isinstance(x, Comment)] for arm in (s.then, s.orelse))
    if len(then) != 1 or len(orelse) != 1:
        return None
    a, b = then[0], orelse[0]
    if (
        isinstance(a, Assign)
        and isinstance(b, Assign)
        and not a.op
        and not b.op
        and a.target.op == "name"
        and a.target.name == b.target.name
        and a.value.kind == b.value.kind == "f"
        and _legal(a.value)
        and _legal(b.value)
    ):
        made = Expr("choose", "f", a.value.type, union(a.value.span, b.value.span), (s.test, a.value, b.value))
        return [Assign(a.target, made)]
    return None


def _legal(e: Expr) -> bool:
    return e.op in _LEGAL and all(map(_legal, e.args)) and pure(e)


def _unrolled(s: Stmt) -> list[Stmt] | None:
    """A loop of a few turns, turn by turn."""
    if not isinstance(s, For) or s.start is not None or s.step is not None or s.stop.op not in {"literal", "static"}:
        return None
    if s.backwards:
        return None
    turns = int(s.stop.span.low)
    inner = [x for block in blocks(s.body) for x in block]
    if not 1 < turns <= _LONGEST or any(isinstance(x, Jump | Return) for x in inner) or len(inner) * turns > 30:
        return None
    out: list[Stmt] = []
    for turn in range(turns):

        def change(e: Expr, turn: int = turn) -> Expr:
            return whole(turn) if e.op == "name" and e.name == s.name else e

        out += mapped(s.body, lambda e, change=change: everywhere(e, change))  # type: ignore[misc]
    return out


def _tidied(program: Program) -> Program:
    """Without the constants that nothing names any more."""
    named: set[str] = set()

    def note(e: Expr) -> Expr:
        named.update(read(e))
        return e

    mapped(program.body, note)
    for helper in program.helpers:
        mapped(helper.body, note)
        if helper.gradient is not None:
            mapped(helper.gradient.body, note)
    return replace(program, constants=tuple(c for c in program.constants if c.name in named))
