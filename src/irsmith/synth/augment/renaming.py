"""Renaming: the same program with other names."""

from __future__ import annotations

import re
from dataclasses import replace

from irsmith.kernel import Argument
from irsmith.rng import Stream
from irsmith.synth.augment.walk import Block, blocks, everywhere, mapped, replaced
from irsmith.synth.ir import Assign, Expr, For, Helper, Parameter, Print, Program, Stmt, Thread, Unpack
from irsmith.synth.names import RESERVED, initials
from irsmith.synth.themes import THEMES
from irsmith.types import HashGrid

_NAMED = frozenset({"name", "index", "extent", "adjoint", "row", "column", "slice"})


def renamed(program: Program, rng: Stream) -> Program | None:
    """Other names for the kernel, its arguments and its variables; fields, helpers and constants keep theirs."""
    module = {program.name, *(c.name for c in program.constants), *(s.name for s in program.structs)}
    module |= {helper.name for helper in program.helpers}
    module |= {helper.gradient.name for helper in program.helpers if helper.gradient is not None}
    taken = module | RESERVED
    theme = THEMES.draw(rng)
    words = [q.name for q in (*theme.scalars, *theme.vectors, *theme.params)] + [*theme.temps, *theme.results]
    local = [argument.name for argument in program.arguments]
    local += [name for name in _assigned(program.body) if name not in local]
    names = _fresh([name for name in local if "." not in name], taken, words, rng)
    for name in local:
        owner, dot, path = name.partition(".")
        if dot:
            names[name] = f"{names[owner]}.{path}"
    kernel = _fresh(
        [program.name], taken | {*names.values()}, [f"{verb}_{rng.pick(words)}" for verb in theme.verbs], rng
    )
    return replace(
        program,
        name=kernel[program.name],
        arguments=tuple(_argument(argument, names) for argument in program.arguments),
        body=_body(program.body, names),
        helpers=tuple(_helper(helper, taken, words, rng) for helper in program.helpers),
        description=_prose(program.description, names),
        docstring=_prose(program.docstring, names),
    )


def _argument(argument: Argument, names: dict[str, str]) -> Argument:
    type_ = argument.type
    if isinstance(type_, HashGrid):
        type_ = replace(type_, of=names[type_.of])
    return replace(argument, name=names[argument.name], type=type_)


def _assigned(body: Block) -> list[str]:
    found: dict[str, None] = {}
    for block in blocks(body):
        for s in block:
            if isinstance(s, Thread):
                found.update(dict.fromkeys(s.names))
            elif isinstance(s, Assign) and s.target.op == "name":
                found[s.target.name] = None
            elif isinstance(s, Unpack):
                found.update((target.name, None) for target in s.targets)
            elif isinstance(s, For):
                found[s.name] = None
    return list(found)


def _fresh(names: list[str], taken: set[str], words: list[str], rng: Stream) -> dict[str, str]:
    """A new name for each: short ones stay short, as counters are."""
    made: dict[str, str] = {}
    used = taken.union(names)
    for name in names:
        wish = rng.pick(words)
        if len(name) < 3 or rng.chance(0.2):
            wish = initials(wish) if rng.chance(0.6) else rng.pick("abcdefghkmnpqrstuvwxyz")
        text, tail = wish, 2
        while text in used or text == name:
            text, tail = f"{wish}{tail}" if not wish[-1].isdigit() else f"{wish}_{tail}", tail + 1
        used.add(text)
        made[name] = text
    return made


def _body(body: Block, names: dict[str, str]) -> Block:
    def change(e: Expr) -> Expr:
        if e.op not in _NAMED and (e.op != "query" or e.args):
            return e
        # A mesh's arrays are read behind a dot.
        owner, dot, member = e.name.partition(".")
        return e._replace(name=f"{names[owner]}{dot}{member}") if owner in names else e

    changed = mapped(body, lambda e: everywhere(e, change))

    def bindings(block: Block) -> Block:
        out: list[Stmt] = []
        for s in block:
            if isinstance(s, Thread):
                out.append(Thread(tuple(names[name] for name in s.names)))
            elif isinstance(s, For):
                out.append(s._replace(name=names[s.name]))
            elif isinstance(s, Print):
                form = re.sub(r"\b\w+\b", lambda word: names.get(word[0], word[0]), s.form)
                out.append(s._replace(form=form))
            else:
                out.append(s)
        return tuple(out)

    return replaced(changed, bindings)


def _helper(helper: Helper, taken: set[str], words: list[str], rng: Stream) -> Helper:
    local = [p.name for p in helper.parameters]
    gradient = helper.gradient
    if gradient is not None:
        local.append(gradient.given.name)
        local += [name for name in _assigned(gradient.body) if name not in local]
    local += [name for name in _assigned(helper.body) if name not in local]
    names = _fresh(local, taken, words, rng)
    if gradient is not None:
        given = Parameter(names[gradient.given.name], gradient.given.type)
        gradient = replace(gradient, given=given, body=_body(gradient.body, names))
    return replace(
        helper,
        gradient=gradient,
        parameters=tuple(Parameter(names[p.name], p.type) for p in helper.parameters),
        body=_body(helper.body, names),
        docstring=_prose(helper.docstring, names),
    )


def _prose(text: str, names: dict[str, str]) -> str:
    """A sentence with the new names, word for word; underscores read as spaces, as descriptions have it."""
    spoken = {old.replace("_", " "): new.replace("_", " ") for old, new in names.items() if len(old) > 1}
    if not spoken or not text:
        return text
    longest_first = sorted(map(re.escape, spoken), key=len, reverse=True)
    return re.sub(rf"\b({'|'.join(longest_first)})\b", lambda match: spoken[match[1]], text)
