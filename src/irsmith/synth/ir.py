"""Programs as data: expressions, statements and functions that any frontend can print.

Expressions and statements are named tuples: immutable, cheap to make by the hundred, compared by value.
Every expression carries its type and its `Span`, so whoever grows a program knows what is legal to do next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from irsmith.kernel import Argument
from irsmith.types import Struct, ValueType


class Span(NamedTuple):
    """Where a value lies: bounds that it never leaves, and the band in which it usually is.

    Composite values have one span for all components. The usual band is what thresholds are picked from, so
    that both sides of a comparison are reached by ordinary inputs.
    """

    low: float
    high: float
    usual_low: float
    usual_high: float


class Expr(NamedTuple):
    """One node of an expression.

    Attributes:
        op: An operator of the table, or one of the leaf and structural kinds below.
        kind: The family of the type: ``f``loat, ``i``nteger, ``b``ool, ``v``ector, ``m``atrix, ``q``uaternion,
            ``t``ransform, ``w`` a spatial vector, ``h`` a 4x4 matrix among 3x3 ones, ``a`` a 6x6 one, ``r`` a
            random state, ``s``truct.
        type: The value's type.
        span: The value's bounds.
        args: The operands.
        name: What a ``name``, ``index``, ``field``, ``call`` or ``extent`` refers to.
        value: What a ``literal`` holds; the position of a ``component``; the axis of an ``extent``.

    Kinds of node that are not operators: ``literal``; ``name`` (a variable, an argument by value or a
    constant); ``index`` (an array element, args are the subscripts); ``field`` (of a struct); ``component``
    (of a vector); ``element`` (of a matrix, args are the matrix and two subscripts); ``extent`` (an array's
    size along an axis); ``call`` (of a helper); ``cast``; ``make`` (a vector or matrix from its components);
    ``new`` (a struct with its defaults); ``mutable`` (a literal that will be changed in a loop); ``tidentity`` (the
    transform that moves nothing); ``choose`` (a conditional expression: test, then, otherwise); ``static`` (a named
    number of the module, as a loop's bound);
    ``atomic_cas`` and ``atomic_exch`` (an element's old value:
    args are the element, what is expected in a compare-and-swap, and what replaces it); ``random`` (a call of the
    named function of a random generator's state, which it changes); ``tile`` (a call of the named builtin of tiles,
    whose operands are tiles, arrays and scalars by ``name``; extents by ``constant``, a named number of the module
    that is written no other way; ``tuple`` and ``axis``; functions by ``function``, a helper, or ``builtin``, an
    operator of the table; ``dtype``; ``shared`` for where the tile is held; and ``option`` for a
    keyword that is written as it is named); ``query`` (a call of a
    builtin of geometry, or the variable of that name that holds what it gave; a loop's ``stop`` where it goes over it);
    ``adjoint`` (in a custom gradient, what is added up for the parameter of that name); ``row``, ``column`` and
    ``slice`` (a part of the array of that name, args are its place, or its first and the one behind its last).
    """

    op: str
    kind: str
    type: ValueType
    span: Span
    args: tuple[Expr, ...] = ()
    name: str = ""
    value: float = 0.0


class Thread(NamedTuple):
    """The thread's coordinates in the launch, one name an axis."""

    names: tuple[str, ...]


class Assign(NamedTuple):
    """``target = value``, or ``target op= value`` when ``op`` names an operator."""

    target: Expr
    value: Expr
    op: str = ""


class If(NamedTuple):
    """A conditional; an ``orelse`` of a single `If` is an ``elif``."""

    test: Expr
    then: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...] = ()


class For(NamedTuple):
    """A counted loop over ``range(start, stop, step)``; an absent start is 0, an absent step 1.

    ``backwards`` is for one of neither, and goes from ``stop - 1`` down to 0.
    """

    name: str
    start: Expr | None
    stop: Expr
    step: Expr | None
    body: tuple[Stmt, ...]
    backwards: bool = False


class While(NamedTuple):
    """A loop that runs as long as its test holds."""

    test: Expr
    body: tuple[Stmt, ...]


class Jump(NamedTuple):
    """``break`` or ``continue``."""

    word: str


class Return(NamedTuple):
    """Leave the function, with a value in a helper."""

    value: Expr | None


class Atomic(NamedTuple):
    """An atomic update of an array element, whose old value is not used.

    Attributes:
        op: ``add``, ``sub``, ``min``, ``max``, ``and``, ``or``, ``xor``, ``exch`` or ``cas``.
        target: The element.
        value: The operand, or what replaces the element.
        compare: For ``cas``, what the element must hold to be replaced.
    """

    op: str
    target: Expr
    value: Expr
    compare: Expr | None = None


class Unpack(NamedTuple):
    """``first, second = value`` for a function with several results."""

    targets: tuple[Expr, ...]
    value: Expr


class Do(NamedTuple):
    """A call for what it changes: that of its first operand, a variable."""

    call: Expr


class Print(NamedTuple):
    """A line printed for whoever debugs: a format with a place for each value, or without one a value alone."""

    form: str
    values: tuple[Expr, ...]


class Comment(NamedTuple):
    """A line of comment."""

    text: str


Stmt = Thread | Assign | If | For | While | Jump | Return | Atomic | Unpack | Do | Print | Comment
"""A statement of a function's body."""


class Constant(NamedTuple):
    """A named number of the module."""

    name: str
    value: Expr


class Parameter(NamedTuple):
    """A parameter of a helper, always by value."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class Gradient:
    """A helper's derivative in its author's own words. It takes the helper's parameters, by the same names.

    Attributes:
        name: The function's name.
        given: The adjoint of the helper's result, its last parameter.
        body: Statements, of which some add to the ``adjoint`` of a parameter.
        docstring: Its docstring; empty for none.
    """

    name: str
    given: Parameter
    body: tuple[Stmt, ...]
    docstring: str = ""


@dataclass(frozen=True, slots=True)
class Helper:
    """A function that the kernel calls.

    Attributes:
        name: Its name.
        parameters: Its parameters.
        returns: The type that it returns, for the parameters' own types.
        body: Its statements.
        docstring: Its docstring; empty for none.
        generic: How many of its parameters, from the first, take values of any type.
        gradient: Its derivative where the author wrote that too. It is the true one.
        typed: Whether the source says what it returns, whatever the author's habit: of a vector that is made of its
            components, Warp does not know the name of its type otherwise, which some builtins ask for.
    """

    name: str
    parameters: tuple[Parameter, ...]
    returns: ValueType
    body: tuple[Stmt, ...]
    docstring: str = ""
    generic: int = 0
    gradient: Gradient | None = None
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A synthesised kernel with all it needs, before it is printed.

    Attributes:
        name: The kernel's name.
        category: The shape that it was made as.
        description: One sentence on what it computes.
        arguments: The kernel's arguments in order.
        launch: The launch dimension of a test run.
        body: The kernel's statements.
        docstring: The kernel's docstring; empty for none.
        constants: Named numbers of the module.
        structs: Structs, each before those that hold it.
        helpers: Helper functions, each before its callers.
        accent: A number from which a printer draws the spellings that vary between authors.
    """

    name: str
    category: str
    description: str
    arguments: tuple[Argument, ...]
    launch: tuple[int, ...]
    body: tuple[Stmt, ...]
    docstring: str = ""
    constants: tuple[Constant, ...] = ()
    structs: tuple[Struct, ...] = ()
    helpers: tuple[Helper, ...] = ()
    accent: int = field(default=0)
