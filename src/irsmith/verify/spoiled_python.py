"""Spoiling the Python text of a row, one syntax node at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from irsmith.rng import Stream
from irsmith.verify.mutants import Mutant

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "+", ast.Div: "*", ast.Mod: "+", ast.FloorDiv: "*", ast.Pow: "*",
    ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "&", ast.LShift: ">>", ast.RShift: "<<",
}  # fmt: skip
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Lt: ">", ast.Gt: "<", ast.LtE: ">=", ast.GtE: "<=", ast.Eq: "!=", ast.NotEq: "==",
}  # fmt: skip
_EDGES: dict[type[ast.cmpop], str] = {ast.Lt: "<=", ast.Gt: ">=", ast.LtE: "<", ast.GtE: ">"}
_CALLS = {
    "sin": "cos", "cos": "sin", "min": "max", "max": "min", "floor": "ceil", "exp": "sin", "sqrt": "abs", "abs": "sin",
    "log": "sin", "tanh": "sin", "atomic_add": "atomic_sub", "atomic_max": "atomic_min", "atomic_min": "atomic_max",
    "length": "length_sq", "length_sq": "length",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Site:
    """A node that might be replaced, the lines of the source, and a random stream."""

    node: ast.AST
    lines: list[str]
    random: Stream


Mutation = Callable[[_Site], list[str]]
"""The texts that may stand in a node's place."""


def spoiled_source(source: str, random: Stream) -> Iterator[Mutant]:
    """For each mutation that has a place in a source, one mutant at a random such place."""
    tree = ast.parse(source)
    lines = source.splitlines()
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for name, mutation in MUTATIONS.items():
        edits = []
        for function in functions:
            for node in ast.walk(function):
                if any(node is part for held in function.args.args for part in ast.walk(held)):
                    continue
                edits += [(node, new) for new in mutation(_Site(node, lines, random))]
        edits = [(node, new) for node, new in edits if not _decorates(functions, node)]
        if not edits:
            continue
        node, new = random.pick(edits)
        spoiled = _replaced(source, node, new)
        if spoiled != source:
            line = source.splitlines()[getattr(node, "lineno", 1) - 1].strip()
            yield Mutant(name, "python_source", line, source=spoiled)


def _decorates(functions: list[ast.FunctionDef], node: ast.AST) -> bool:
    return any(node is part for f in functions for d in [*f.decorator_list, f.returns] if d for part in ast.walk(d))


def _replaced(source: str, node: ast.AST, new: str) -> str:
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    data = source.encode()
    first = starts[getattr(node, "lineno", 1) - 1] + getattr(node, "col_offset", 0)
    last = starts[getattr(node, "end_lineno", 1) - 1] + getattr(node, "end_col_offset", 0)
    return (data[:first] + new.encode() + data[last:]).decode()


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _operator(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return [f"({_text(node.left)} {_OPERATORS[type(node.op)]} {_text(node.right)})"]
    return []


def _operands(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div | ast.Mod | ast.Pow | ast.FloorDiv):
        operation = _text(ast.BinOp(ast.Name("a"), node.op, ast.Name("b"))).split()[1]
        return [f"(({_text(node.right)}) {operation} ({_text(node.left)}))"]
    return []


def _sign(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [_text(node.operand)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        return [f"(-({_text(node)}))"]
    return []


def _constant(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        if isinstance(node.value, int):
            return [str(node.value + 1)]
        return [repr(node.value * 1.01 if node.value else 0.01)]
    return []


def _compared(signs: dict[type[ast.cmpop], str]) -> Mutation:
    def mutation(site: _Site) -> list[str]:
        node = site.node
        if isinstance(node, ast.Compare) and type(node.ops[0]) in signs:
            return [f"{_text(node.left)} {signs[type(node.ops[0])]} {_text(node.comparators[0])}"]
        return []

    return mutation


def _negated(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.Compare):
        return [f"(not ({_text(node)}))"]
    return []


def _connective(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.BoolOp):
        word = " or " if isinstance(node.op, ast.And) else " and "
        return [f"({word.join(f'({_text(value)})' for value in node.values)})"]
    return []


def _call(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS:
        return [f"{_text(node.func.value)}.{_CALLS[node.func.attr]}({', '.join(map(_text, node.args))})"]
    return []


def _call_dropped(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.func, ast.Attribute):
        return [f"({_text(node.args[0])})"]
    return []


def _index(site: _Site) -> list[str]:
    node = site.node
    if not isinstance(node, ast.Subscript) or isinstance(node.slice, ast.Constant):
        return []
    indices = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    place = site.random.below(len(indices))
    if not isinstance(indices[place], ast.Name):
        return []
    texts = [_text(index) for index in indices]
    texts[place] = f"wp.abs({texts[place]} - 1)"
    return [f"{_text(node.value)}[{', '.join(texts)}]"]


def _range(change: Callable[[list[str]], list[str]]) -> Mutation:
    def mutation(site: _Site) -> list[str]:
        node = site.node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            return [f"range({', '.join(change([_text(argument) for argument in node.args]))})"]
        return []

    return mutation


def _dropped(*kinds: type[ast.stmt]) -> Mutation:
    def mutation(site: _Site) -> list[str]:
        node = site.node
        if not isinstance(node, kinds) or site.lines[node.lineno - 1].lstrip().startswith("elif"):
            return []
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            return []
        return ["pass"]

    return mutation


def _store_dropped(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.Assign | ast.AugAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return ["pass"] if isinstance(target, ast.Subscript) else []
    return []


def _augmented(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        sign = {ast.Add: "-=", ast.Sub: "+=", ast.Mult: "+="}[type(node.op)]
        return [f"{_text(node.target)} {sign} {_text(node.value)}", f"{_text(node.target)} = {_text(node.value)}"]
    return []


def _name(site: _Site) -> list[str]:
    """A variable of the function read instead of another one; what does not type is rejected as it is read."""
    node = site.node
    if not isinstance(node, ast.BinOp | ast.Compare):
        return []
    left = node.left
    others = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - {_text(left)}
    if isinstance(left, ast.Name) and others - {"wp", "float", "int"}:
        other = site.random.pick(sorted(others - {"wp", "float", "int"}))
        return [_text(node).replace(left.id, other, 1)]
    return []


def _branches(site: _Site) -> list[str]:
    node = site.node
    if isinstance(node, ast.IfExp):
        return [f"({_text(node.orelse)} if {_text(node.test)} else {_text(node.body)})"]
    return []


MUTATIONS: dict[str, Mutation] = {
    "wrong operator": _operator,
    "swapped operands": _operands,
    "wrong sign": _sign,
    "changed constant": _constant,
    "comparison turned round": _compared(_SIGNS),
    "comparison off by one": _compared(_EDGES),
    "negated condition": _negated,
    "wrong connective": _connective,
    "wrong function": _call,
    "dropped call": _call_dropped,
    "neighbouring index": _index,
    "shortened loop": _range(
        lambda args: [f"({a}) - 1" if n == min(1, len(args) - 1) else a for n, a in enumerate(args)]
    ),
    "wrong loop start": _range(lambda args: ["1", args[0]] if len(args) == 1 else [f"({args[0]}) + 1", *args[1:]]),
    "missing branch": _dropped(ast.If),
    "missing loop": _dropped(ast.For, ast.While),
    "missing exit": _dropped(ast.Break, ast.Continue, ast.Return),
    "dropped store": _store_dropped,
    "lost call": _dropped(ast.Expr),
    "dropped statement": _dropped(ast.Assign, ast.AugAssign),
    "wrong accumulation": _augmented,
    "wrong variable": _name,
    "swapped branches": _branches,
}
"""Mutations by name: each gives the texts that may stand in a node's place."""
