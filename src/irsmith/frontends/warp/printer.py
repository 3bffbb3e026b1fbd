"""Prints a synthesised program as Warp source.

What varies between authors and says nothing about the program (how an array is annotated, ``float`` or
``wp.float32``, ``v.x`` or ``v[0]``) is drawn from the program's accent.
"""

from __future__ import annotations

from itertools import zip_longest

from irsmith.folding import folded, quoted
from irsmith.frontends.warp.spelling import (
    ATOM,
    AUGMENTED,
    OF_LIBRARIES,
    SPELLINGS,
    SUM,
    TERNARY,
    TILED,
    UNARY,
    VECTOR_SUFFIX,
)
from irsmith.kernel import Argument, Kernel, Signature
from irsmith.synth.ir import (
    Assign,
    Atomic,
    Comment,
    Do,
    Expr,
    For,
    Helper,
    If,
    Jump,
    Print,
    Program,
    Return,
    Stmt,
    Thread,
    Unpack,
    While,
)
from irsmith.types import (
    BOOL,
    FLOAT32,
    ArrayType,
    Handle,
    IndexedArray,
    Matrix,
    Opaque,
    Quaternion,
    Scalar,
    Struct,
    Transformation,
    ValueType,
    Vector,
)

_WIDTHS = (100, 120, 88, 120)
_AXES = "xyzw"
_NAMED_LENGTHS = (2, 3, 4, 6)
_BARE = {"float32": "float", "int32": "int", "bool": "bool"}


def print_program(program: Program) -> Kernel:
    """The program as a complete module, with its signature."""
    return Kernel(
        name=program.name,
        category=program.category,
        description=program.description,
        source=_Printer(program.accent).module(program),
        signature=Signature(program.arguments, program.launch),
    )


class _Printer:
    """One author's spellings."""

    def __init__(self, accent: int) -> None:
        # Each habit reads bits of its own.
        self.bare = accent % 10 < 7
        self.array_form = (accent >> 4) % 8
        self.dotted = (accent >> 8) % 2 == 0
        self.suffixed = (accent >> 9) % 6 == 0
        self.power = (accent >> 12) % 12
        self.where = (accent >> 16) % 5 == 0
        self.returns = (accent >> 19) % 3 == 0
        self.static = (accent >> 21) % 2 == 0
        self.multiplied = (accent >> 24) % 4 == 0
        self.counted = (accent >> 26) % 4 == 0
        self.keywords = (accent >> 22) % 4 != 0
        self.reverses = (accent >> 14) % 4
        self.width = _WIDTHS[(accent >> 28) % 4]
        self.aliases: dict[str, str] = {}
        self.constants: set[str] = set()
        self.vectors: set[str] = set()
        self.lines: list[str] = []
        self.options: set[str] = set()

    # The module.

    def module(self, program: Program) -> str:
        """The whole text."""
        lines = self.lines
        if any(helper.generic for helper in program.helpers):
            lines += ["from typing import Any", ""]
        lines.append("import warp as wp")
        imported = len(lines)
        if program.constants:
            lines.append("")
        self.constants = {constant.name for constant in program.constants}
        self.vectors = {argument.name for argument in program.arguments if argument.rank == 1}
        for constant in program.constants:
            value = self.expr(constant.value)
            plain = constant.value.kind == "i" and self.static
            lines.append(f"{constant.name} = {value}" if plain else f"{constant.name} = wp.constant({value})")
        for struct in program.structs:
            lines += ["", "", "@wp.struct", f"class {struct.name}:"]
            lines += [f"    {field.name}: {self.type(field.type)}" for field in struct.fields]
        for helper in program.helpers:
            self.helper(helper)
        lines += ["", "", "@wp.kernel"]
        self.header(program.name, [f"{a.name}: {self.annotation(a)}" for a in program.arguments if not a.held], "")
        if program.docstring:
            lines += quoted(program.docstring, "    ", self.width)
        self.block(program.body, "    ")
        if self.aliases:
            lines[imported:imported] = ["", *(f"{name} = {made}" for name, made in self.aliases.items())]
        if self.options:
            # Without them, a CUDA text calls functions of a library that is linked apart.
            given = ", ".join(f'"enable_mathdx_{name}": False' for name in sorted(self.options))
            lines[imported:imported] = ["", f"wp.set_module_options({{{given}}})"]
        lines.append("")
        return "\n".join(lines)

    def helper(self, helper: Helper) -> None:
        """A helper function."""
        self.lines += ["", "", "@wp.func"]
        said = helper.typed or (self.returns and not helper.generic)
        returns = f" -> {self.type(helper.returns)}" if said else ""
        types = ["Any" if place < helper.generic else self.type(p.type) for place, p in enumerate(helper.parameters)]
        named = [f"{p.name}: {type}" for p, type in zip(helper.parameters, types, strict=True)]
        self.header(helper.name, named, returns)
        if helper.docstring:
            self.lines += quoted(helper.docstring, "    ", self.width)
        self.block(helper.body, "    ")
        gradient = helper.gradient
        if gradient is not None:
            self.lines += ["", "", f"@wp.func_grad({helper.name})"]
            given = f"{gradient.given.name}: {self.type(gradient.given.type)}"
            self.header(gradient.name, [*named, given], "")
            if gradient.docstring:
                self.lines += quoted(gradient.docstring, "    ", self.width)
            self.block(gradient.body, "    ")

    def header(self, name: str, parameters: list[str], returns: str) -> None:
        """The line of a ``def``, broken where it is long."""
        line = f"def {name}({', '.join(parameters)}){returns}:"
        if len(line) <= self.width:
            self.lines.append(line)
            return
        self.lines.append(f"def {name}(")
        self.lines += [f"    {parameter}," for parameter in parameters]
        self.lines.append(f"){returns}:")

    # Types.

    def type(self, type: ValueType) -> str:
        """A type's annotation."""
        if isinstance(type, Scalar):
            return _BARE.get(type.name, f"wp.{type.name}") if self.bare else f"wp.{type.name}"
        if isinstance(type, IndexedArray):
            axes = "" if type.rank == 1 else f"{type.rank}d"
            return f"wp.indexedarray{axes}(dtype={self.type(type.element)})"
        if isinstance(type, Struct):
            return type.name
        if isinstance(type, Handle):
            return "wp.uint64"
        if isinstance(type, ArrayType):
            return self.array(type.element, type.rank)
        if isinstance(type, Opaque):
            raise ValueError(f"Warp has no annotation for {type}")
        return self.composite(type)

    def composite(self, type: Vector | Matrix | Quaternion | Transformation) -> str:
        """The name of a type made of several scalars, also as its constructor."""
        name = type.scalar.name
        suffix = "" if name == "float32" and not self.suffixed else VECTOR_SUFFIX[name]
        if isinstance(type, Transformation):
            return f"wp.transform{suffix}"
        if isinstance(type, Vector):
            if type.length not in _NAMED_LENGTHS:
                made = f"wp.types.vector(length={type.length}, dtype={self.type(type.scalar)})"
                return self.alias(f"vec{type.length}{suffix}", made)
            return f"wp.spatial_vector{suffix}" if type.length == 6 else f"wp.vec{type.length}{suffix}"
        if isinstance(type, Matrix):
            if type.rows != type.columns:
                made = f"wp.types.matrix(shape=({type.rows}, {type.columns}), dtype={self.type(type.scalar)})"
                return self.alias(f"mat{type.rows}{type.columns}{suffix}", made)
            return f"wp.mat{type.rows}{type.columns}{suffix}"
        return f"wp.quat{suffix}"

    def alias(self, name: str, made: str) -> str:
        """The name that the module gives a type of another size than those that have one."""
        self.aliases[name] = made
        return name

    def annotation(self, argument: Argument) -> str:
        """The annotation of a kernel's argument."""
        return self.array(argument.type, argument.rank) if argument.rank else self.type(argument.type)

    def array(self, type: ValueType, rank: int) -> str:
        """The annotation of an array."""
        element = self.type(type)
        form = self.array_form
        if form < 4:
            return f"wp.array[{element}]" if rank == 1 else f"wp.array{rank}d[{element}]"
        if form < 6:
            return f"wp.array(dtype={element})" if rank == 1 else f"wp.array{rank}d(dtype={element})"
        return f"wp.array(dtype={element})" if rank == 1 else f"wp.array(dtype={element}, ndim={rank})"

    # Expressions.

    def expr(self, e: Expr, place: int = TERNARY) -> str:
        """An expression, in parentheses where its place binds more tightly than it does."""
        op = e.op
        if op == "name":
            return f"wp.static({e.name})" if self.static and e.name in self.constants else e.name
        if op == "literal":
            text = self.literal(e.type, e.value)
            return f"({text})" if place > UNARY and e.value < 0 and text[0] == "-" else text
        if op == "index":
            return f"{e.name}[{', '.join([self.expr(arg) for arg in e.args])}]"
        spelling = SPELLINGS.get(op)
        if spelling is None:
            return self.structural(e)
        template, binding, places = spelling
        args = e.args
        if op == "square" and self.power < 2:
            return self.squared(args[0], place)
        if op == "tmul" and self.multiplied:
            return f"wp.transform_multiply({self.expr(args[0])}, {self.expr(args[1])})"
        if op == "choose" and self.where:
            return f"wp.where({', '.join([self.expr(arg) for arg in args])})"
        if len(args) == 2:
            text = template.format(self.expr(args[0], places[0]), self.expr(args[1], places[1]))
        elif len(args) == 1:
            text = template.format(self.expr(args[0], places[0]))
        else:
            text = template.format(*[self.expr(arg, needed) for arg, needed in zip(args, places, strict=True)])
        return f"({text})" if binding < place else text

    def squared(self, e: Expr, place: int) -> str:
        """A square as a power."""
        two = self.literal(e.type, 2.0)
        if self.power == 0 or e.kind != "f":
            inner = self.expr(e, ATOM)
            text = f"{inner} * {inner}" if e.kind != "f" else f"{inner} ** {two}"
            return f"({text})" if place > SPELLINGS["square"].binding else text
        return f"wp.pow({self.expr(e)}, {two})"

    def literal(self, type: ValueType, value: float) -> str:
        """A number, wrapped where Python's own would have another type."""
        name = str(type)
        if name == "float32":
            return number(value)
        if name == "int32":
            return str(int(value))
        if name == "bool":
            return "True" if value else "False"
        return f"wp.{name}({number(value) if name.startswith('float') else int(value)})"

    def structural(self, e: Expr) -> str:
        """A node that is not an operator of the table."""
        op, args = e.op, e.args
        if op == "component":
            inner = self.expr(args[0], ATOM)
            short = not isinstance(args[0].type, Vector) or args[0].type.length <= len(_AXES)
            return f"{inner}.{_AXES[int(e.value)]}" if self.dotted and short else f"{inner}[{int(e.value)}]"
        if op == "field":
            return f"{self.expr(args[0], ATOM)}.{e.name}"
        if op == "element":
            return f"{self.expr(args[0], ATOM)}[{self.expr(args[1])}, {self.expr(args[2])}]"
        if op == "extent":
            return f"len({e.name})" if self.counted and e.name in self.vectors else f"{e.name}.shape[{int(e.value)}]"
        if op == "bits":
            return f"wp.cast({self.expr(args[0])}, {self.type(e.type)})"
        if op == "adjoint":
            return f"wp.adjoint[{e.name}]"
        if op == "call":
            return f"{e.name}({', '.join([self.expr(arg) for arg in args])})"
        if op == "cast":
            return f"{self.conversion(e.type)}({self.expr(args[0])})"
        if op == "mutable":
            return self.start(e)
        if op == "make":
            assert isinstance(e.type, Vector | Matrix | Quaternion | Transformation)
            of_halves = isinstance(e.type, Vector) and e.type.length == 6 and len(args) == 2
            # Only the name without a suffix takes two vectors.
            name = "wp.spatial_vector" if of_halves else self.composite(e.type)
            return f"{name}({', '.join([self.expr(arg) for arg in args])})"
        if op == "identity":
            assert isinstance(e.type, Matrix)
            return f"wp.identity(n={e.type.rows}, dtype={self.type(e.type.scalar)})"
        if op == "qidentity":
            scalar = e.type.scalar  # type: ignore[union-attr]
            return f"wp.quat_identity({'' if scalar is FLOAT32 else f'dtype={self.type(scalar)}'})"
        if op == "tidentity":
            scalar = e.type.scalar  # type: ignore[union-attr]
            return f"wp.transform_identity({'' if scalar is FLOAT32 else f'dtype={self.type(scalar)}'})"
        if op == "rand_init":
            return f"wp.rand_init({', '.join([self.expr(arg) for arg in args])})"
        if op in {"atomic_cas", "atomic_exch"}:
            target, *values = args
            given = ", ".join([self.expr(arg) for arg in (*target.args, *values)])
            return f"wp.{op}({target.name}, {given})"
        if op == "static":
            return f"wp.static({e.name})" if self.static else e.name
        if op == "random":
            return f"wp.{e.name}({', '.join([self.expr(arg) for arg in args])})"
        if op == "new":
            return f"{e.type}()"
        if op == "tile":
            return self.of_tiles(e)
        if op == "query":
            return f"wp.{e.name}({', '.join([self.expr(arg) for arg in args])})" if args else e.name
        if op == "row":
            return f"{e.name}[{self.expr(args[0])}]"
        if op == "column":
            return f"{e.name}[:, {self.expr(args[0])}]"
        if op == "slice":
            return f"{e.name}[{':'.join([self.expr(arg) for arg in args])}]"
        if op in {"constant", "function"}:
            return e.name
        if op == "tuple":
            return f"({', '.join([self.expr(arg) for arg in args])}{',' if len(args) == 1 else ''})"
        if op == "builtin":
            return SPELLINGS[e.name].template.split("(")[0]
        if op == "dtype":
            return self.type(e.type)
        raise ValueError(f"Warp has no spelling for {op!r}")

    def of_tiles(self, e: Expr) -> str:
        """A call of a builtin of tiles."""
        if e.name in OF_LIBRARIES:
            self.options.add(OF_LIBRARIES[e.name])
        texts: list[str] = []
        for arg, name in zip_longest(e.args, TILED.get(e.name, ())[: len(e.args)], fillvalue=""):
            assert isinstance(arg, Expr)
            if arg.op == "shared":
                texts.append('storage="shared"')
            elif arg.op == "option":
                texts.append(arg.name)
            elif arg.op == "axis":
                texts.append(f"axis={self.expr(arg.args[0])}")
            elif arg.op == "dtype":
                texts.append(f"dtype={self.expr(arg)}")
            else:
                texts.append(f"{name}={self.expr(arg)}" if name and self.keywords else self.expr(arg))
        return f"wp.{e.name}({', '.join(texts)})"

    def conversion(self, type: ValueType) -> str:
        """The function that converts to a scalar type."""
        return self.type(type)

    def start(self, e: Expr) -> str:
        """A variable's starting value, such that a loop may change it."""
        if isinstance(e.type, Scalar):
            digits = number(e.value) if e.type.is_float else str(bool(e.value) if e.type is BOOL else int(e.value))
            return f"{self.conversion(e.type)}({digits})"
        assert isinstance(e.type, Vector | Matrix | Quaternion | Transformation)
        return f"{self.composite(e.type)}()"

    # Statements.

    def block(self, statements: tuple[Stmt, ...], indent: str) -> None:
        """Statements at one depth, and below it."""
        first = len(self.lines)
        self.statements(statements, indent)
        if len(indent) == 4 and max(map(len, self.lines[first:])) > self.width:
            self.lines[first:] = [part for line in self.lines[first:] for part in folded(line, self.width)]

    def statements(self, statements: tuple[Stmt, ...], indent: str) -> None:
        """Statements at one depth, each simple one on one line."""
        lines = self.lines
        expr = self.expr
        for s in statements:
            kind = type(s)
            if kind is Assign:
                sign = AUGMENTED[s.op] + "=" if s.op else "="  # type: ignore[union-attr]
                lines.append(f"{indent}{expr(s.target)} {sign} {expr(s.value)}")  # type: ignore[union-attr, arg-type]
            elif isinstance(s, If):
                self.conditional(s, indent)
            elif isinstance(s, For):
                over = expr(s.stop) if s.stop.op == "query" else self.range(s)
                lines.append(f"{indent}for {s.name} in {over}:")
                self.statements(s.body, indent + "    ")
            elif isinstance(s, Thread):
                lines.append(f"{indent}{', '.join(s.names)} = wp.tid()")
            elif isinstance(s, Atomic):
                self.atomic(s, indent)
            elif isinstance(s, Unpack):
                lines.append(f"{indent}{', '.join([expr(target) for target in s.targets])} = {expr(s.value)}")
            elif isinstance(s, Do):
                lines.append(f"{indent}{expr(s.call)}")
            elif isinstance(s, Print):
                given = ", ".join([expr(value) for value in s.values])
                lines.append(f'{indent}wp.printf("{s.form}\\n", {given})' if s.form else f"{indent}print({given})")
            elif isinstance(s, Comment):
                lines.append(f"{indent}# {s.text}")
            elif isinstance(s, While):
                lines.append(f"{indent}while {expr(s.test)}:")
                self.statements(s.body, indent + "    ")
            elif isinstance(s, Return):
                lines.append(f"{indent}return" if s.value is None else f"{indent}return {expr(s.value)}")
            elif isinstance(s, Jump):
                lines.append(f"{indent}{s.word}")

    def range(self, loop: For) -> str:
        """What a counted loop goes over."""
        if loop.backwards:
            # Fixed bounds are written out by most: a compiler unrolls those.
            if self.reverses == 0 or (self.reverses < 3 and loop.stop.op != "literal"):
                return f"reversed(range({self.expr(loop.stop)}))"
            last = int(loop.stop.value) - 1 if loop.stop.op == "literal" else f"{self.expr(loop.stop, SUM)} - 1"
            return f"range({last}, -1, -1)"
        parts = [loop.stop] if loop.start is None else [loop.start, loop.stop]
        if loop.step is not None:
            parts.append(loop.step)
        return f"range({', '.join([self.expr(part) for part in parts])})"

    def conditional(self, s: If, indent: str) -> None:
        """An ``if`` with its ``elif`` and ``else``."""
        word = "if"
        while True:
            self.lines.append(f"{indent}{word} {self.expr(s.test)}:")
            self.statements(s.then, indent + "    ")
            if not s.orelse:
                return
            only = s.orelse[0]
            if len(s.orelse) == 1 and isinstance(only, If):
                s, word = only, "elif"
                continue
            self.lines.append(f"{indent}else:")
            self.statements(s.orelse, indent + "    ")
            return

    def atomic(self, s: Atomic, indent: str) -> None:
        """An atomic update."""
        subscripts = ", ".join([self.expr(arg) for arg in s.target.args])
        values = [self.expr(value) for value in (s.compare, s.value) if value is not None]
        self.lines.append(f"{indent}wp.atomic_{s.op}({s.target.name}, {subscripts}, {', '.join(values)})")


def number(value: float) -> str:
    """A float as people write it: short, with a point, and an exponent where it is tiny or huge."""
    if value == 0.0 or 1e-3 <= abs(value) < 1e6:
        return repr(float(value))
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}0e{int(exponent)}" if mantissa.endswith(".") else f"{mantissa}e{int(exponent)}"
