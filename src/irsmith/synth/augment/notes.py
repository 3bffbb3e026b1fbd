"""Notes and spellings: what a reader sees and the compiler does not."""

from __future__ import annotations

from dataclasses import replace

from irsmith.rng import Stream
from irsmith.synth.augment.walk import Block, blocks, replaced
from irsmith.synth.ir import Assign, Atomic, Comment, For, If, Program, Return, Stmt, While

_NOTES: dict[type, tuple[str, ...]] = {
    If: ("depends on the case", "only where it applies", "two cases"),
    For: ("go over all of them", "one after the other", "accumulate"),
    While: ("until it settles", "repeat while it lasts"),
    Atomic: ("shared between threads", "combine with the other threads"),
}
_STORES = ("write it out", "store the result", "done: keep it")


def annotated(program: Program, rng: Stream) -> Program | None:
    """All comments and docstrings taken away; or, where there are none, a docstring and comments added."""
    has = bool(program.docstring) or any(isinstance(s, Comment) for block in blocks(program.body) for s in block)
    if has:
        bare = replaced(program.body, lambda block: tuple([s for s in block if not isinstance(s, Comment)]))
        return replace(program, docstring="", body=bare)

    def change(block: Block) -> Block:
        out: list[Stmt] = []
        for s in block:
            texts = _STORES if isinstance(s, Assign) and s.target.op == "index" else _NOTES.get(type(s), ())
            early = isinstance(s, If) and any(isinstance(inner, Return) for inner in s.then)
            if texts and rng.chance(0.6):
                out.append(Comment("leave early" if early else rng.pick(texts)))
            out.append(s)
        return tuple(out)

    return replace(program, docstring=program.description, body=replaced(program.body, change))


def respelt(program: Program, rng: Stream) -> Program | None:
    """The same program in another author's spelling of annotations, types and components."""
    return replace(program, accent=rng.below(2**30))
