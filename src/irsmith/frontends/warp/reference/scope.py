"""The translation of one function: its variables, and what its parts share.

No helper is recursive in Warp, so a function's variables live in one fixed frame.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.machine import Machine
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.source import Source, TypedConstant
from irsmith.frontends.warp.reference.values import Array, Expr, Type, Value, components, scalar_of
from irsmith.types import BOOL, FLOAT32, INT32, ArrayType, Scalar

if TYPE_CHECKING:
    from irsmith.frontends.warp.reference.calls import Callables

Run = Callable[[], Value]


@dataclass(frozen=True, slots=True)
class Cut:
    """Every so many places of an axis.

    Attributes:
        start: The first place.
        count: How many places there are.
        step: From each to the next.
    """

    start: Run
    count: Run
    step: int = 1


@dataclass(frozen=True, slots=True)
class ArrayView:
    """An array argument, or what is left of it after some indices are fixed and axes are cut.

    Attributes:
        argument: The argument, or the array within it.
        axes: What became of its first axes: the index that one is fixed at, or its cut. The others are whole.
        tables: For an indexed array, along each axis the argument that holds the places.
    """

    argument: str
    axes: tuple[Run | Cut, ...] = ()
    tables: tuple[str, ...] = ()

    def free(self, rank: int) -> list[tuple[int, Cut | None]]:
        """The axes that an index of the view goes along, of an array of this rank; each with its cut."""
        found: list[tuple[int, Cut | None]] = []
        for axis in range(rank):
            held = self.axes[axis] if axis < len(self.axes) else None
            if held is None or isinstance(held, Cut):
                found.append((axis, held))
        return found


@dataclass(slots=True)
class ArrayExpr(Expr):
    """An expression whose value is an array: which one is known when the function is translated.

    Attributes:
        view: The array.
        prepare: Computes the indices that the view keeps; run where the expression stands.
    """

    view: ArrayView = ArrayView("")
    prepare: tuple[Callable[[], None], ...] = ()


@dataclass(slots=True)
class Variable:
    """A local variable, parameter or loop counter.

    Attributes:
        type: The one type that it has.
        slot: Its place in the frame.
        const: The number that it stands for, when it is bound to a literal in one place only.
        view: For an array, which one.
        holder: For a struct that holds arrays, whose they are, as in `Expr`.
    """

    type: Type
    slot: int
    const: bool | int | float | None = None
    view: ArrayView | None = None
    holder: str = ""


@dataclass(slots=True)
class Loop:
    """The lanes that left the running iteration early."""

    broken: Array | None = None
    continued: Array | None = None


@dataclass(slots=True)
class Statement:
    """A translated statement.

    ``leaves`` says whether some lane may not go on to the next statement (``break``, ``continue``, ``return``).
    """

    run: Callable[[], None]
    leaves: bool = False


@dataclass(slots=True)
class Scope:
    """A function being translated.

    Attributes:
        alone: The call that is a statement by itself, whose result nobody looks at.
        seen_through: The tiles that another name shows, wholly or in part.
        changed: The tiles that are changed in place.
    """

    source: Source
    machine: Machine
    ops: Ops
    callables: Callables
    function: ast.FunctionDef
    is_kernel: bool
    doubtful: set[str]
    once: set[str]
    frame: list[Value] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    assigned: dict[str, Array | None] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    alone: ast.Call | None = None
    seen_through: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    returns: Type | None = None
    result: Value = None

    def new_slot(self) -> int:
        """A fresh place in the frame."""
        self.frame.append(None)
        return len(self.frame) - 1

    def declare(self, name: str, type: Type, node: ast.AST) -> Variable:
        """The variable of a name, made when it is new; its type never changes."""
        variable = self.variables.get(name)
        if variable is None:
            variable = self.variables[name] = Variable(type, self.new_slot())
        elif variable.type != type:
            raise Unsupported(f"variable {name} of type {variable.type} assigned a {type}", node)
        return variable

    def constant(self, type: Scalar, number: bool | int | float) -> Expr:
        """A literal, or a constant that is written as one."""
        value = convert_number(number, type, self.ops.dtype(type))
        return Expr(type, lambda: value, const=number)

    def plain_constant(self, number: bool | int | float) -> Expr:
        """A Python number as the literal that it is: int32, float32 or bool."""
        kind = BOOL if isinstance(number, bool) else INT32 if isinstance(number, int) else FLOAT32
        return self.constant(kind, number)

    def typed_constant(self, constant: TypedConstant) -> Expr:
        """A module-level constant with its own type."""
        scalar = scalar_of(constant.type)
        if isinstance(constant.type, Scalar):
            expr = self.constant(scalar, constant.numbers[0])
            return Expr(constant.type, expr.run, const=constant.numbers[0])
        flat = [convert_number(number, scalar, self.ops.dtype(scalar)) for number in constant.numbers]
        value = np.concatenate(flat).reshape(1, *components(constant.type))
        return Expr(constant.type, lambda: value)

    def array(self, type: ArrayType, view: ArrayView, prepare: tuple[Callable[[], None], ...] = ()) -> ArrayExpr:
        """An expression for an array or a view of one."""

        def run() -> Value:
            raise AssertionError("an array is no value")

        return ArrayExpr(type, run, view=view, prepare=prepare)


def convert_number(number: bool | int | float, type: Scalar, dtype: np.dtype[Any]) -> Array:
    """A Python number as a value that is the same in every lane; whole numbers wrap as in C++."""
    if type == BOOL:
        return np.array([bool(number)])
    if type.is_integer:
        width = dtype.itemsize * 8
        bits = int(number) & ((1 << width) - 1)
        return np.array([bits], f"u{dtype.itemsize}").view(dtype)
    with np.errstate(over="ignore"):
        # A literal is a value of its type, in whatever precision it is then computed with.
        return np.array([number], np.float64).astype(type.name).astype(dtype)
