"""What a module's text declares: imports, constants, type aliases, structs, helper functions and kernels."""

from __future__ import annotations

import ast
import math
import operator as op
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.spelling import BUILTIN_TYPES, FEM, NUMBERS, PYTHON_TYPES
from irsmith.frontends.warp.reference.values import (
    ListType,
    QueryType,
    StackType,
    TileType,
    TupleType,
    Type,
    scalar_of,
)
from irsmith.syntax import nodes
from irsmith.types import (
    SCALARS,
    ArrayType,
    Field,
    IndexedArray,
    Matrix,
    Quaternion,
    Scalar,
    Struct,
    Transformation,
    ValueType,
    Vector,
)


@dataclass(frozen=True, slots=True)
class TypedConstant:
    """A module-level constant with a type of its own, such as ``wp.constant(wp.float64(0.5))``.

    ``numbers`` are the components in order, not rounded yet.
    """

    type: Type
    numbers: tuple[float | int, ...]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A name of the ``warp`` module that is called as a function."""

    name: str


@dataclass(frozen=True, slots=True)
class PythonModule:
    """An imported module."""

    name: str


@dataclass(slots=True)
class Function:
    """A ``@wp.func`` helper with all its overloads."""

    name: str
    overloads: list[ast.FunctionDef] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Missing:
    """A name whose declaration has no meaning here, with what was said about it."""

    error: Unsupported


@dataclass(frozen=True, slots=True)
class Holder:
    """A class of constants, such as an enumeration, by attribute."""

    name: str
    members: dict[str, Meaning]


Meaning = bool | int | float | str | TypedConstant | Builtin | PythonModule | Function | Missing | Holder | Type
"""What a module-level name or expression stands for."""


_ARRAY = re.compile(r"(?P<indexed>indexed)?array(?:(?P<rank>[1-4])d)?")
"""The names under which array annotations are made."""

_OVERLOAD = Builtin("overload")
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: op.eq,
    ast.NotEq: op.ne,
    ast.Lt: op.lt,
    ast.LtE: op.le,
    ast.Gt: op.gt,
    ast.GtE: op.ge,
}


class Source:
    """The declarations of a module."""

    def __init__(self, text: str) -> None:
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise Unsupported(f"text that is not Python: {error.msg}", error.lineno or 0) from error
        self.names: dict[str, Meaning] = dict(PYTHON_TYPES)
        self.kernels: dict[str, ast.FunctionDef] = {}
        self.instances: dict[str, list[ast.expr]] = {}
        self._facts: dict[tuple[object, int], set[str]] = {}
        for statement in tree.body:
            try:
                self._declare(statement)
            except Unsupported as error:
                # Only a kernel that uses what is declared here is out of reach.
                for name in _bound_by(statement):
                    self.names[name] = Missing(error)

    def once(self, analysis: Callable[[ast.FunctionDef], set[str]], function: ast.FunctionDef) -> set[str]:
        """What an analysis finds in a function, which every translation of it asks for."""
        key = analysis, id(function)
        if key not in self._facts:
            self._facts[key] = analysis(function)
        return self._facts[key]

    def _declare(self, node: ast.stmt) -> None:
        match node:
            case ast.Import(names):
                for alias in names:
                    self.names[alias.asname or alias.name.split(".")[0]] = PythonModule(alias.name)
            case ast.ImportFrom(module="warp", names=names):
                for alias in names:
                    self.names[alias.asname or alias.name] = self.attribute(PythonModule("warp"), alias.name, node)
            case ast.ImportFrom(module="typing" | "enum", names=names):
                for alias in names:
                    self.names[alias.asname or alias.name] = PythonModule(f"{node.module}.{alias.name}")
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, ast.expr() as value):
                self.names[name] = self.meaning(value)
            case ast.FunctionDef():
                self._declare_function(node)
            case ast.ClassDef(name):
                self.names[name] = self._class(node)
            case ast.Expr(ast.Call(called, [ast.Name(name), ast.List(types)])) if self.meaning(called) == _OVERLOAD:
                self.instances[name] = types
            case ast.Expr():
                pass
            case _:
                raise Unsupported(f"module-level {type(node).__name__}", node)

    def _declare_function(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            match self.meaning(called):
                case Builtin("func"):
                    known = self.names.get(node.name)
                    function = known if isinstance(known, Function) else Function(node.name)
                    function.overloads.append(node)
                    self.names[node.name] = function
                    return
                case Builtin("kernel"):
                    self.kernels[node.name] = node
                    return
                case Builtin("func_native"):
                    raise Unsupported("functions whose body is C++ text (wp.func_native)", node)
        raise Unsupported(f"function {node.name} that is neither kernel nor helper", node)

    def _class(self, node: ast.ClassDef) -> Struct | Holder:
        constants = [s for s in node.body if isinstance(s, ast.Assign)]
        if node.decorator_list or not constants:
            return self._struct(node)
        members: dict[str, Meaning] = {}
        for statement in constants:
            if not isinstance(statement.targets[0], ast.Name):
                raise Unsupported(f"statement in class {node.name}", statement)
            try:
                members[statement.targets[0].id] = self.meaning(statement.value)
            except Unsupported as error:
                members[statement.targets[0].id] = Missing(error)
        return Holder(node.name, members)

    def _struct(self, node: ast.ClassDef) -> Struct:
        if [self.meaning(decorator) for decorator in node.decorator_list] != [Builtin("struct")]:
            raise Unsupported(f"class {node.name} that is no struct", node)
        fields: list[Field] = []
        for statement in node.body:
            match statement:
                case ast.AnnAssign(ast.Name(name), annotation, None):
                    fields.append(Field(name, self.type(annotation)))  # type: ignore[arg-type]
                case ast.Expr(ast.Constant()) | ast.Pass():
                    pass
                case _:
                    raise Unsupported("statement in a struct", statement)
        return Struct(node.name, tuple(fields))

    def name(self, name: str, node: ast.AST) -> Meaning:
        """What a module-level name stands for."""
        meaning = self.names.get(name)
        if meaning is None:
            raise Unsupported(f"name {name}", node)
        if isinstance(meaning, Missing):
            raise meaning.error
        return meaning

    def attribute(self, owner: Meaning, name: str, node: ast.AST) -> Meaning:
        """What ``owner.name`` stands for."""
        if isinstance(owner, PythonModule):
            if owner.name == "warp":
                if name in BUILTIN_TYPES:
                    return BUILTIN_TYPES[name]
                if name in NUMBERS:
                    return NUMBERS[name]
                if name in ("types", "fem"):
                    return PythonModule("warp" if name == "types" else "warp.fem")
                return PYTHON_TYPES.get(name, Builtin(name))
            if owner.name == "warp.fem" and name in FEM:
                return FEM[name]
            if owner.name in ("math", "numpy"):
                number = getattr(math, name, None)
                # A function of another module stands for Warp's builtin of that name.
                return float(number) if isinstance(number, float) else Builtin(name)
        if name == "value" and isinstance(owner, bool | int | float | TypedConstant):
            # Of an enumeration's member.
            return owner
        if isinstance(owner, Holder) and name in owner.members:
            meaning = owner.members[name]
            if isinstance(meaning, Missing):
                raise meaning.error
            return meaning
        raise Unsupported(f"attribute {name}", node)

    def meaning(self, node: ast.expr) -> Meaning:
        """What an expression at module level, or a type or callee inside a function, stands for."""
        match node:
            case ast.Constant(bool() | int() | float() | str() as value):
                return value
            case ast.Name(name):
                return self.name(name, node)
            case ast.Attribute(value, name):
                return self.attribute(self.meaning(value), name, node)
            case ast.UnaryOp(ast.Not(), operand):
                return not self.number(operand)
            case ast.Compare(left, [operator], [right]) if type(operator) in _COMPARISONS:
                return _COMPARISONS[type(operator)](self._plain(left), self._plain(right))
            case ast.BoolOp(operator, values):
                return (all if isinstance(operator, ast.And) else any)(self.number(value) for value in values)
            case ast.UnaryOp(operator, operand):
                return self._unary(operator, self.meaning(operand), node)
            case ast.BinOp(left, operator, right):
                return self._binary(operator, self.meaning(left), self.meaning(right), node)
            case ast.Subscript() | ast.Call():
                made = self._type_made_by(node)
                return self._constant_made_by(node) if made is None else made
        raise Unsupported(f"constant expression {type(node).__name__}", node)

    def type(self, node: ast.expr) -> Type:
        """The type that an annotation names."""
        meaning = self.meaning(node)
        if isinstance(meaning, Scalar | Vector | Matrix | Quaternion | Transformation | Struct | ArrayType):
            return meaning
        raise Unsupported(f"annotation {ast.unparse(node)}", node)

    def _element(self, node: ast.expr) -> ValueType:
        """The type that an annotation gives the elements of an array."""
        type = self.type(node)
        if isinstance(type, TileType | QueryType | StackType | ListType | TupleType):
            raise Unsupported(f"array of {type}", node)
        return type

    def _plain(self, node: ast.expr) -> Any:
        """The plain number or text that an expression stands for."""
        meaning = self.meaning(node)
        return meaning if isinstance(meaning, str) else self.number(node)

    def number(self, node: ast.expr) -> int | float:
        """The plain number that an expression stands for."""
        meaning = self.meaning(node)
        if isinstance(meaning, int | float):
            return meaning
        raise Unsupported("constant that is not a plain number", node)

    def _unary(self, operator: ast.unaryop, value: Meaning, node: ast.AST) -> Meaning:
        if isinstance(operator, ast.USub):
            if isinstance(value, int | float):
                return -value
            if isinstance(value, TypedConstant):
                return TypedConstant(value.type, tuple(-number for number in value.numbers))
        raise Unsupported("operator in a constant", node)

    def _binary(self, operator: ast.operator, left: Meaning, right: Meaning, node: ast.AST) -> Meaning:
        if isinstance(left, int | float) and isinstance(right, int | float):
            # A module-level constant is evaluated by Python itself.
            match operator:
                case ast.Add():
                    return left + right
                case ast.Sub():
                    return left - right
                case ast.Mult():
                    return left * right
                case ast.Div():
                    return left / right
                case ast.FloorDiv():
                    return left // right
                case ast.Mod():
                    return left % right
                case ast.Pow():
                    return Source._power(left, right)
                case ast.LShift() if isinstance(left, int) and isinstance(right, int):
                    return left << right
                case ast.RShift() if isinstance(left, int) and isinstance(right, int):
                    return left >> right
                case ast.BitOr() if isinstance(left, int) and isinstance(right, int):
                    return left | right
                case ast.BitAnd() if isinstance(left, int) and isinstance(right, int):
                    return left & right
        raise Unsupported("operator in a constant", node)

    @staticmethod
    def _power(left: int | float, right: int | float) -> int | float:
        result: int | float = left**right
        return result

    def _type_made_by(self, node: ast.Subscript | ast.Call) -> Type | None:
        """The type that ``wp.array2d(dtype=float)``, ``wp.array[float]`` or ``wp.types.vector(...)`` makes."""
        called = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(called, ast.Name | ast.Attribute):
            return None
        maker = self.meaning(called)
        if not isinstance(maker, Builtin):
            return None
        if (array := _ARRAY.fullmatch(maker.name)) is not None:
            indexed = bool(array["indexed"])
            rank = int(array["rank"] or 1)
            if isinstance(node, ast.Subscript):
                return _array(self._element(node.slice), rank, indexed=indexed)
            options = {keyword.arg: keyword.value for keyword in node.keywords}
            if "dtype" not in options or node.args:
                raise Unsupported("array annotation without a dtype", node)
            if "ndim" in options:
                rank = int(self.number(options["ndim"]))
            return _array(self._element(options["dtype"]), rank, indexed=indexed)
        if isinstance(node, ast.Subscript):
            return None
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        given = [*node.args, *options.values()]
        inside_types = isinstance(called, ast.Attribute) and ast.unparse(called.value).endswith("types")
        if not inside_types and maker.name not in ("vec", "mat"):
            return None
        if len(node.args) == 2 and "dtype" not in options:
            options["dtype"] = node.args[1]
        if not given or "dtype" not in options:
            raise Unsupported(f"type made by {maker.name}", node)
        scalar = scalar_of(self.type(options["dtype"]))
        match maker.name:
            case "vector" | "vec":
                return Vector(int(self.number(options["length"] if "length" in options else node.args[0])), scalar)
            case "matrix" | "mat":
                shape = options["shape"] if "shape" in options else node.args[0]
                if isinstance(shape, ast.Tuple) and len(shape.elts) == 2:
                    return Matrix(int(self.number(shape.elts[0])), int(self.number(shape.elts[1])), scalar)
            case "quaternion":
                return Quaternion(scalar)
            case "transformation":
                return Transformation(scalar)
        raise Unsupported(f"type made by {maker.name}", node)

    def _constant_made_by(self, node: ast.Subscript | ast.Call) -> Meaning:
        if not isinstance(node, ast.Call) or node.keywords:
            raise Unsupported(f"constant expression {type(node).__name__}", node)
        callee = self.meaning(node.func)
        arguments = [self.meaning(argument) for argument in node.args]
        if callee in (Builtin("constant"), Builtin("static")) and len(arguments) == 1:
            return arguments[0]
        numbers: list[Any] = []
        for argument in arguments:
            if isinstance(argument, TypedConstant):
                numbers += argument.numbers
            elif isinstance(argument, int | float):
                numbers.append(argument)
            else:
                raise Unsupported("constant made of something other than numbers", node)
        if isinstance(node.func, ast.Name) and node.func.id in ("float", "int", "bool") and len(numbers) == 1:
            # At module level these are Python's own.
            made: Meaning = {"float": float, "int": int, "bool": bool}[node.func.id](numbers[0])
            return made
        if isinstance(callee, Builtin) and callee.name in SCALARS and len(numbers) == 1:
            # NumPy's own, which rounds.
            rounded: int | float = np.dtype(callee.name).type(numbers[0]).item()
            return rounded
        if isinstance(callee, Scalar) and len(numbers) == 1:
            return TypedConstant(callee, tuple(numbers))
        if isinstance(callee, Vector | Matrix | Quaternion):
            count = callee.rows * callee.columns if isinstance(callee, Matrix) else getattr(callee, "length", 4)
            if len(numbers) in (0, 1):
                numbers = (numbers or [0]) * count
            if len(numbers) == count:
                return TypedConstant(callee, tuple(numbers))
        raise Unsupported(f"constant {ast.unparse(node)}", node)


def _array(element: ValueType, rank: int, *, indexed: bool) -> Type:
    return IndexedArray.of(element, rank) if indexed else ArrayType(element, rank)


def _bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement declares or assigns."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    parts = nodes(statement)
    names = {node.id for node in parts if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in parts:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names
