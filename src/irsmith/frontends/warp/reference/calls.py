"""Calls: of types, of helper functions, and of builtins."""

from __future__ import annotations

import ast
from functools import partial

from irsmith.frontends.warp.reference import expressions, indexing, special, statements, tiles, types
from irsmith.frontends.warp.reference.assigned import doubtful_names, once_assigned_names
from irsmith.frontends.warp.reference.builtins.table import BUILTINS
from irsmith.frontends.warp.reference.constructors import construct
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.machine import Machine
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.scope import ArrayExpr, Run, Scope
from irsmith.frontends.warp.reference.source import Builtin, Function, Meaning, PythonModule, Source
from irsmith.frontends.warp.reference.values import Expr, TileType, TupleType, Type, Value, zero
from irsmith.types import BOOL, ArrayType, IndexedArray, Scalar


class Callables:
    """What can be called in a module, under one precision."""

    def __init__(self, source: Source, machine: Machine, ops: Ops) -> None:
        self.source = source
        self.machine = machine
        self.ops = ops
        self.in_progress: list[int] = []
        self.made: dict[object, _Instance] = {}
        self.scopes: list[Scope] = []
        self.locals = 0

    def forget(self) -> None:
        """Empty every function's variables, which hold what another run, of other lanes, left there."""
        for scope in self.scopes:
            scope.frame[:] = [None] * len(scope.frame)

    def new_local(self) -> str:
        """A name for an array that a function makes, which no argument has."""
        self.locals += 1
        return f"<{self.locals}>"

    def zero(self, type: Type) -> Value:
        """The value of a type with every bit zero."""
        return zero(type, self.ops.precision)

    def scope(self, function: ast.FunctionDef, *, is_kernel: bool) -> Scope:
        """An empty scope for a function."""
        made = Scope(
            source=self.source,
            machine=self.machine,
            ops=self.ops,
            callables=self,
            function=function,
            is_kernel=is_kernel,
            doubtful=self.source.once(doubtful_names, function),
            once=self.source.once(once_assigned_names, function),
        )
        self.scopes.append(made)
        return made

    def call(self, scope: Scope, node: ast.Call, expected: int = 1) -> Expr:
        """Translate a call whose result is unpacked to so many names."""
        target = self.target(scope, node.func)
        if isinstance(target, Builtin) and target.name in special.SPECIAL:
            return special.SPECIAL[target.name](scope, node, expected)
        arguments = indexing.spread(scope, node.args)
        named = {keyword.arg or "": expressions.expression(scope, keyword.value) for keyword in node.keywords}
        match target:
            case Builtin(name):
                if named:
                    raise Unsupported(f"named arguments of {name}", node)
                return self.call_builtin(scope, name, arguments, node)
            case Function():
                return self.call_function(scope, target, arguments, node, named)
            case PythonModule() | bool() | int() | float():
                raise Unsupported(f"call of {ast.unparse(node.func)}", node)
        return construct(scope, target, arguments, named, node)  # type: ignore[arg-type]

    def target(self, scope: Scope, node: ast.expr) -> Meaning:
        """What is called by a name, or the type that an expression stands for."""
        if (type_ := types.of_expression(scope, node)) is not None:
            return type_
        if isinstance(node, ast.Name):
            if node.id in scope.variables:
                raise Unsupported(f"call of variable {node.id}", node)
            if node.id not in self.source.names:
                return Builtin(node.id)
        return self.source.meaning(node)

    def call_builtin(self, scope: Scope, name: str, arguments: list[Expr], node: ast.AST) -> Expr:
        """A builtin that is a formula of its arguments' values."""
        if name not in BUILTINS:
            raise Unsupported(f"builtin {name}", node)
        types = [argument.type for argument in arguments]
        if (of_tiles := tiles.operator(scope, name, arguments, node)) is not None:
            return of_tiles
        for overload in BUILTINS[name]:
            result = overload.rule(types)
            if result is None:
                continue
            faults = overload.faults and not _harmless(name, arguments)
            formula = partial(overload.formula, scope.ops)
            if overload.faults:
                formula = partial(formula, line=getattr(node, "lineno", 0))
            guarded = faults or any(argument.guarded for argument in arguments)
            return Expr(result, _applied(_direct(scope.ops, name, types) or formula, arguments), guarded=guarded)
        raise Unsupported(f"{name} of {', '.join(map(str, types))}", node)

    def accepts(self, function: Function, arguments: list[Expr], scope: Scope) -> bool:
        """Whether some overload of a helper takes the arguments."""
        return self._overload(function, arguments, {}, scope) is not None

    def _overload(
        self, function: Function, arguments: list[Expr], named: dict[str, Expr], scope: Scope
    ) -> tuple[ast.FunctionDef, list[Expr]] | None:
        # A later definition with the same argument types replaces an earlier one.
        for definition in reversed(function.overloads):
            bound = self._bind(definition, arguments, named, scope)
            if bound is not None:
                return definition, bound
        return None

    def _bind(
        self, definition: ast.FunctionDef, arguments: list[Expr], named: dict[str, Expr], scope: Scope
    ) -> list[Expr] | None:
        declared = definition.args.args
        names = [argument.arg for argument in declared]
        given = dict(zip(names, arguments, strict=False)) | named
        if len(arguments) > len(names) or set(given) - set(names):
            return None
        defaults = dict(zip(reversed(names), reversed(definition.args.defaults), strict=False))
        bound = []
        for argument in declared:
            if argument.arg in given:
                value = given[argument.arg]
            elif argument.arg in defaults:
                value = scope.plain_constant(self.source.number(defaults[argument.arg]))
            else:
                return None
            if not self._fits(argument.annotation, value):
                return None
            bound.append(value)
        return bound

    def _fits(self, annotation: ast.expr | None, value: Expr) -> bool:
        if annotation is None or ast.unparse(annotation).split(".")[-1] == "Any":
            return True
        indexed = isinstance(value, ArrayExpr) and bool(value.view.tables)
        wanted, is_open = types.wanted(self.source, annotation)
        if isinstance(value.type, ArrayType) and indexed:
            given: Type = IndexedArray.of(value.type.element, value.type.rank)
        else:
            given = value.type
        return types.alike(wanted, given) if is_open else wanted == given

    def call_function(
        self,
        scope: Scope,
        function: Function,
        arguments: list[Expr],
        node: ast.AST,
        named: dict[str, Expr] | None = None,
    ) -> Expr:
        """A helper function; each combination of argument types, and of arrays, is translated once."""
        found = self._overload(function, arguments, named or {}, scope)
        if found is None:
            types = ", ".join(str(argument.type) for argument in arguments)
            raise Unsupported(f"{function.name} of {types}", node)
        definition, bound = found
        if any(isinstance(argument.type, TileType) for argument in bound):
            raise Unsupported(f"{function.name} of a tile", node)
        key = (id(definition), *((a.type, a.view if isinstance(a, ArrayExpr) else a.holder) for a in bound))
        instance = self.made.get(key)
        if instance is None:
            if id(definition) in self.in_progress:
                raise Unsupported(f"recursive helper {function.name}", node)
            self.in_progress.append(id(definition))
            instance = self.made[key] = _Instance(self, definition, bound)
            self.in_progress.pop()
        return instance.call(bound)


class _Instance:
    """A helper function translated for some argument types."""

    def __init__(self, callables: Callables, definition: ast.FunctionDef, arguments: list[Expr]) -> None:
        scope = self.scope = callables.scope(definition, is_kernel=False)
        self.slots: list[int | None] = []
        for parameter, argument in zip(definition.args.args, arguments, strict=True):
            variable = scope.declare(parameter.arg, argument.type, parameter)
            variable.view = argument.view if isinstance(argument, ArrayExpr) else None
            variable.holder = argument.holder
            self.slots.append(None if variable.view is not None else variable.slot)
        self.body = statements.block(scope, definition.body)
        self.type = scope.returns
        # What a lane gets that ends without a `return`, as Warp's text has it.
        self.fallback = None if self.type is None else callables.zero(self.type)
        if self.type is not None and _ends_with_return(definition.body):
            self.fallback = None

    def call(self, arguments: list[Expr]) -> Expr:
        """A call with some arguments."""
        runs = [(slot, argument.run) for slot, argument in zip(self.slots, arguments, strict=True) if slot is not None]
        prepares = [step for argument in arguments if isinstance(argument, ArrayExpr) for step in argument.prepare]
        scope, machine, body, fallback = self.scope, self.scope.machine, self.body.run, self.fallback
        frame, assigned = scope.frame, scope.assigned

        def run() -> Value:
            values = [(slot, compute()) for slot, compute in runs]
            for prepare in prepares:
                prepare()
            for slot, value in values:
                frame[slot] = value
            if assigned:
                assigned.clear()
            scope.result = fallback
            entry = machine.mask
            body()
            machine.mask = entry
            return scope.result

        return Expr(self.type or TupleType(()), run, guarded=True)


def _ends_with_return(body: list[ast.stmt]) -> bool:
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _ends_with_return(last.body) and _ends_with_return(last.orelse)
    return isinstance(last, ast.Return)


def _harmless(name: str, arguments: list[Expr]) -> bool:
    """Whether a division or shift by a literal cannot be undefined."""
    amount = arguments[-1].const
    if not isinstance(amount, int):
        return False
    return amount > 0 if name in ("div", "floordiv", "mod") else 0 <= amount < 32


def _direct(ops: Ops, name: str, types: list[Type]) -> partial[Value] | None:
    """The scalar operators that are one operation of the run, without a call in between."""
    if all(isinstance(type, Scalar) and type != BOOL for type in types) and name in ("add", "sub", "mul"):
        return partial(getattr(ops, name))
    return None


def _applied(formula: partial[Value], arguments: list[Expr]) -> Run:
    runs = [argument.run for argument in arguments]
    if len(runs) == 1:
        (only,) = runs
        return lambda: formula(only())
    if len(runs) == 2:
        first, second = runs
        return lambda: formula(first(), second())
    return lambda: formula(*(run() for run in runs))
