"""What a module's statements change beside the names that they bind: elements, attributes, settings, global names.

This is by syntax and on the safe side: a statement that may change something counts as one that does. What JAX and
NumPy return is taken for new, what they are given for unchanged unless the call stands for itself.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

DRAWS = "numpy.random"
"""Stands for the state of NumPy's generator, which is no name of a module."""

_DEFINITION = (ast.FunctionDef, ast.ClassDef)
_PURE_MODULES = {"jax", "numpy", "collections", "copy", "dataclasses", "enum", "functools", "itertools", "math",
                 "typing"}  # fmt: skip
_BUILTINS = frozenset(dir(builtins))
_CHANGING_BUILTINS = {"setattr", "delattr", "exec", "eval", "next"}
_LOOKING = {"astype", "clear_cache", "copy", "count", "eval_shape", "get", "index", "item", "items", "keys", "lower",
            "max", "mean", "min", "reshape", "sum", "tolist", "trace", "values"}  # fmt: skip
"""Methods that leave what they belong to as it is."""
CHANGING = {"add", "append", "clear", "discard", "extend", "fill", "insert", "pop", "popitem", "remove", "reverse",
             "setdefault", "sort", "update"}  # fmt: skip
"""Methods that change what they belong to even where their result is used."""
_FACTS = {"dtype", "ndim", "shape", "size"}


@dataclass(slots=True)
class _Changes:
    """What a call of a function of the file changes.

    Attributes:
        names: The module's names whose values it changes.
        parameters: Whether it changes what it is given.
    """

    names: set[str]
    parameters: bool


@dataclass(frozen=True, slots=True)
class _Body:
    """The inside of a function or of a class.

    Attributes:
        nodes: What may change something, each with whether its value is used by nothing.
        globals: The module's names that it binds.
        parameters: The names of what it is given.
        own: All names that are its own.
    """

    nodes: list[tuple[ast.AST, bool]]
    globals: set[str]
    parameters: set[str]
    own: set[str]


class Effects:
    """What the statements of a module change.

    Args:
        module: The module.
    """

    def __init__(self, module: ast.Module) -> None:
        self._imports: dict[str, str] = {}
        self._functions: dict[str, ast.FunctionDef | ast.ClassDef] = {}
        self._values: dict[str, list[ast.expr | None]] = {}
        self._aliases: dict[str, set[str]] = {}
        for statement in module.body:
            for node, _ in _run(statement):
                self._note(node)
        self._changes = {name: _Changes(set(), parameters=False) for name in self._functions}
        bodies = {name: _body(node) for name, node in self._functions.items()}
        grown = True
        while grown:
            # As far as is known of those that each calls.
            grown = sum(self._learns(name, body) for name, body in bodies.items()) > 0

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    self._imports[bound] = alias.name if alias.asname else bound
            case ast.ImportFrom(module=module, names=names):
                self._imports |= {a.asname or a.name: f"{module}.{a.name}" for a in names}
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                self._functions[name] = node
            case ast.Assign(targets=targets, value=value):
                self._bound(targets, value)
            case ast.AnnAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                self._bound([target], value)
            case ast.AugAssign(target=target, value=value):
                # A sum of numbers is a number, but a list that grows is the list.
                self._bound([target], value)
            case ast.For(target=target, iter=value):
                self._bound([target], None, value)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                self._bound([target], None, value)

    def _bound(self, targets: list[ast.expr], value: ast.expr | None, of: ast.expr | None = None) -> None:
        held = of or value
        roots = {root for part in _members(held) if (root := _root(part)) is not None} if held is not None else set()
        for target in targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    self._values.setdefault(node.id, []).append(value)
                    self._aliases.setdefault(node.id, set()).update(roots - {node.id})

    def of(self, statement: ast.stmt) -> set[str]:
        """The module's names whose values a statement of the module may change, aliases followed."""
        if _is_main(statement):
            # No text runs it.
            return set()
        found: set[str] = set()
        for node, discarded in _run(statement):
            found.update(self._changed(node, discarded=discarded, top=True))
            if isinstance(node, _DEFINITION):
                for decorator in node.decorator_list:
                    found.update(self._decorated(decorator))
        return self._followed(found)

    def draws(self, node: ast.AST) -> bool:
        """Whether a statement, or what it defines, draws random numbers from NumPy's own generator."""
        return any(self._is_draw(part) for part in ast.walk(node))

    def _is_draw(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            return self._imports.get(node.id, "").startswith(DRAWS)
        inner = node.value if isinstance(node, ast.Attribute) and node.attr == "random" else None
        return isinstance(inner, ast.Name) and self._imports.get(inner.id) == "numpy"

    def _followed(self, names: set[str]) -> set[str]:
        while True:
            further = set().union(*(self._aliases.get(name, set()) for name in names)) - names - self._imports.keys()
            if not further:
                return names
            names = names | further

    def _may_change(self, name: str) -> bool:
        if name in self._imports or name in _BUILTINS:
            return False
        definition = self._functions.get(name)
        if definition is not None and name not in self._values:
            return isinstance(definition, ast.ClassDef) or bool(definition.decorator_list)
        values = self._values.get(name, [None])
        return not all(value is not None and self._is_fixed(value) for value in values)

    def _is_fixed(self, value: ast.expr) -> bool:
        """Whether nothing can change a value: a number, a text, a tuple of them, an array of JAX's."""
        match value:
            case ast.Constant():
                return True
            case ast.UnaryOp(operand=operand):
                return self._is_fixed(operand)
            case ast.BinOp(left=left, right=right):
                return self._is_fixed(left) and self._is_fixed(right)
            case ast.Tuple(elts=items):
                return all(self._is_fixed(item) for item in items)
            case ast.Call(func=function):
                root = _root(function)
                parts = ast.unparse(function).split(".") if root is not None else []
                path = ".".join([self._imports.get(root or "", ""), *parts[1:]])
                return path.startswith(("jax.numpy.", "jax.random.", "jax.lax.", "jax.nn."))
        return False

    def _decorated(self, decorator: ast.expr) -> Iterator[str]:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        root = _root(function)
        if isinstance(function, ast.Name):
            yield from self._called(function.id)
        elif root is not None and self._may_change(root):
            yield root

    def _called(self, name: str) -> set[str]:
        changes = self._changes.get(name)
        return changes.names if changes is not None else set()

    def _changed(self, node: ast.AST, *, discarded: bool, top: bool) -> Iterator[str]:
        """The names whose values one node changes; those of the function that it stands in among them."""
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            root = _root(node)
            if root is not None:
                yield root
            if isinstance(node, ast.Subscript):
                # Such as a primitive that a table of rules is told of.
                yield from (name for name in _passed([node.slice]) if self._may_change(name))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            yield node.id
        elif self._is_draw(node):
            yield DRAWS
        elif isinstance(node, ast.Call):
            yield from self._by_call(node, discarded=discarded, top=top)

    def _by_call(self, call: ast.Call, *, discarded: bool, top: bool) -> Iterator[str]:
        function = call.func
        root = _root(function)
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        passed = [name for name in _passed(given) if self._may_change(name)]
        out = [keyword.value for keyword in call.keywords if keyword.arg == "out"]
        if root is None:
            yield from passed if discarded else ()
        elif root in self._imports:
            origin = self._imports[root].partition(".")[0]
            pure = origin in _PURE_MODULES
            if origin == "random" or (discarded and not pure):
                yield root
            yield from passed if discarded or not pure else _passed(out)
        elif isinstance(function, ast.Name):
            if root in self._changes:
                yield from self._called(root)
                yield from passed if self._changes[root].parameters else ()
            elif root not in _BUILTINS or root in _CHANGING_BUILTINS:
                yield from passed
        else:
            method = function.attr if isinstance(function, ast.Attribute) else ""
            if self._may_change(root) and method not in _LOOKING and (top or discarded or method in CHANGING):
                yield root
            yield from passed if top or discarded else ()

    def _learns(self, name: str, body: _Body) -> bool:
        """Whether more is known of what a call of a function changes than before."""
        changed = set(body.globals)
        for node, discarded in body.nodes:
            changed.update(self._changed(node, discarded=discarded, top=False))
        changes = self._changes[name]
        before = len(changes.names), changes.parameters
        changes.names |= changed - body.own
        changes.parameters = changes.parameters or bool(changed & body.parameters)
        return before != (len(changes.names), changes.parameters)


def _body(function: ast.FunctionDef | ast.ClassDef) -> _Body:
    declared: set[str] = set()
    parameters: set[str] = set()
    stored: set[str] = set()
    alone: set[int] = set()
    nodes: list[ast.AST] = []
    for node in ast.walk(function):
        match node:
            case ast.Global(names=names):
                declared.update(names)
            case ast.arg(arg=name):
                parameters.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                stored.add(name)
            case ast.Expr():
                alone.update(map(id, ast.walk(node)))
            case ast.Call() | ast.Attribute() | ast.Subscript() | ast.Name():
                nodes.append(node)
    parameters -= {"self", "cls"}
    own = (parameters | stored | {"self", "cls"}) - declared
    return _Body([(node, id(node) in alone) for node in nodes], stored & declared, parameters, own)


def read_inside(module: ast.Module) -> set[str]:
    """The names that insides of functions of a module read, and not only write to.

    A list that a function only appends to has no part in what the function gives.
    """
    found: set[str] = set()
    for statement in module.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.FunctionDef | ast.Lambda):
                written = {id(name) for part in ast.walk(node) for name in _written(part)}
                body = node.body if isinstance(node.body, list) else [node.body]
                found.update(
                    part.id
                    for inner in body
                    for part in ast.walk(inner)
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and id(part) not in written
                )
    return found


def _written(node: ast.AST) -> Iterator[ast.Name]:
    """The name whose value a node changes without a look at it."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() as name))):
            yield name
        case ast.Attribute(value=ast.Name() as name) | ast.Subscript(value=ast.Name() as name):
            if not isinstance(node.ctx, ast.Load):
                yield name


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in {
        node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)
    }


def _run(statement: ast.AST, *, discarded: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """What runs when a module's statement does, each with whether its value is used: no insides of functions."""
    yield statement, discarded
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        inside: Iterable[ast.AST] = [
            *statement.args.defaults,
            *(d for d in statement.args.kw_defaults if d is not None),
        ]
    else:
        inside = ast.iter_child_nodes(statement)
    discarded = isinstance(statement, ast.Expr) or (discarded and not isinstance(statement, ast.stmt))
    for child in inside:
        yield from _run(child, discarded=discarded)


def _members(value: ast.expr) -> Iterator[ast.expr]:
    """An expression, or the items of one that puts several together."""
    match value:
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            for item in items:
                yield from _members(item)
        case ast.Dict(values=items):
            for item in items:
                yield from _members(item)
        case ast.Starred(value=item):
            yield from _members(item)
        case _:
            yield value


def _root(node: ast.expr) -> str | None:
    """The name that an expression is a part, or the result of a method of."""
    while True:
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=ast.Attribute(value=inner)):
                node = inner
            case ast.Name(id=name):
                return name
            case _:
                return None


def _passed(given: Iterable[ast.expr]) -> Iterator[str]:
    """The names that are handed over, or parts of which are."""
    for argument in given:
        for item in _members(argument):
            part = item
            while isinstance(part, ast.Attribute | ast.Subscript):
                if isinstance(part, ast.Attribute) and part.attr in _FACTS:
                    break
                part = part.value
            if isinstance(part, ast.Name):
                yield part.id
