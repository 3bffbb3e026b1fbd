"""Prints a program of scalar code over threads as a function over arrays that means the same.

A value of each thread becomes an array over all of them: an element read at the thread's own place is the whole
array, a conditional computes both ways and selects, a loop carries arrays. What has no such form is refused: writes
that other threads see, jumps out of loops and kernels, tests of loops, vectors and matrices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from irsmith.frontends.jax.synth.synthesis import results_of
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Comment, Expr, For, Helper, If, Program, Return, Stmt, Thread
from irsmith.types import Scalar

_INFIX = {
    "add": ("+", 3), "sub": ("-", 3), "mul": ("*", 4), "div": ("/", 4), "pow": ("**", 6),
    "lt": ("<", 2), "le": ("<=", 2), "gt": (">", 2), "ge": (">=", 2), "eq": ("==", 2), "ne": ("!=", 2),
    "both": ("&", 1), "either": ("|", 0),
}  # fmt: skip
"""Signs with how tightly they bind; truth values are joined bit by bit, whose operands stand in parentheses."""
_CALLS = {
    **{name: f"jnp.{name}" for name in ("abs", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp",
                                        "log", "log2", "log10", "floor", "ceil", "trunc", "square")},
    "asin": "jnp.arcsin", "acos": "jnp.arccos", "atan": "jnp.arctan", "atan2": "jnp.arctan2", "mod": "jnp.fmod",
    "min": "jnp.minimum", "max": "jnp.maximum", "clamp": "jnp.clip", "rint": "jnp.round", "erf": "lax.erf",
    "erfc": "lax.erfc", "erfinv": "lax.erf_inv", "degrees": "jnp.rad2deg", "radians": "jnp.deg2rad",
    "choose": "jnp.where",
}  # fmt: skip
_ATOM, _PRODUCT, _SUM, _LOOSE = 7, 4, 3, 0
_FEW = 40
"""Characters up to which a way of a branch stands within the selection."""

Shape = tuple[int, ...]


class _Value(NamedTuple):
    """A name that stands for a variable, and the shape of what it holds."""

    name: str
    shape: Shape


class _Text(NamedTuple):
    """An expression's text, how tightly it binds, and its shape."""

    text: str
    binding: int
    shape: Shape

    def at(self, binding: int) -> str:
        return self.text if self.binding >= binding else f"({self.text})"


def print_program(program: Program) -> Kernel:
    """The program as a complete module, with its signature.

    Raises:
        Discard: It has no form over arrays.
    """
    if program.structs or program.constants:
        raise Discard("structs and constants")
    given = [a for a in program.arguments if a.direction is Direction.IN]
    results = [a for a in program.arguments if a.direction is Direction.OUT]
    if len(given) + len(results) < len(program.arguments) or not results:
        raise Discard("an array that is changed in place")
    for argument in program.arguments:
        if not isinstance(argument.type, Scalar) or (argument in results and argument.shape != program.launch):
            raise Discard(f"{argument.type} of shape {argument.shape}")
    printer = _Printer(program, given)
    source = printer.module(given, results)
    outputs = results_of([(str(a.type), a.shape) for a in results])
    signature = Signature((*given, *outputs), None)
    return Kernel(program.name, program.category, program.description, source, signature)


@dataclass
class _Scope:
    """Statements of one function or of one way of a branch.

    Attributes:
        values: What variables stand for there.
        lines: The text.
        indent: What stands before each line.
        kept: Names that must stay as they are, for the other way of a branch reads them.
    """

    values: dict[str, _Value]
    lines: list[str] = field(default_factory=list)
    indent: str = "    "
    kept: frozenset[str] = frozenset()

    def write(self, line: str) -> None:
        self.lines.append(self.indent + line)


class _Printer:
    """Prints one program."""

    def __init__(self, program: Program, given: Sequence[Argument]) -> None:
        self.program = program
        self.launch = program.launch
        self.shapes = {a.name: a.shape for a in given}
        self.threads: tuple[str, ...] = ()
        self.helpers = {helper.name for helper in program.helpers}
        self.taken = {a.name for a in program.arguments} | {"jax", "jnp", "lax", program.name, *self.helpers}
        self.stored: dict[str, str] = {}
        self.inside = 0

    # The module.

    def module(self, given: Sequence[Argument], results: Sequence[Argument]) -> str:
        """The whole text."""
        blocks = ["\n".join(self.helper(helper)) for helper in self.program.helpers]
        scope = _Scope({a.name: _Value(a.name, a.shape) for a in given if a.rank == 0})
        self.block(self.program.body, scope)
        if set(self.stored) != {a.name for a in results}:
            raise Discard("a result that is not stored")
        values = [self.stored[a.name] for a in results]
        body = [*scope.lines, f"    return {', '.join(values)}"]
        head = f"def {self.program.name}({', '.join(a.name for a in given)}):"
        if len(head) > 100:
            head = "\n".join([f"def {self.program.name}(", *(f"    {a.name}," for a in given), "):"])
        doc = [f'    """{self.program.docstring}"""'] if self.program.docstring else []
        blocks.append("\n".join([head, *doc, *body]))
        text = "\n".join(blocks)
        wide = any(str(a.type) == "float64" for a in self.program.arguments)
        imports = ["import jax"] * wide + ["import jax.numpy as jnp"] * ("jnp." in text)
        imports += ["from jax import lax"] * ("lax." in text)
        lines = ["\n".join(imports)] + ['\njax.config.update("jax_enable_x64", True)'] * wide
        return "\n\n\n".join(["\n".join(lines), *blocks]).lstrip("\n") + "\n"

    def helper(self, helper: Helper) -> Iterator[str]:
        """A function of the module; its parameters may be of any shape, so its shapes are not known."""
        if helper.gradient is not None:
            raise Discard("a gradient of the author's own")
        names = [p.name for p in helper.parameters]
        yield f"def {helper.name}({', '.join(names)}):"
        if helper.docstring:
            yield f'    """{helper.docstring}"""'
        scope = _Scope({name: _Value(name, ()) for name in names})
        for statement in helper.body[:-1]:
            if not isinstance(statement, Assign | Comment):
                raise Discard("a helper with several ways")
            self.statement(statement, scope)
        last = helper.body[-1]
        if not isinstance(last, Return) or last.value is None:
            raise Discard("a helper without a value at its end")
        yield from scope.lines
        yield f"    return {self.expr(last.value, scope).text}"

    # Statements.

    def block(self, statements: Sequence[Stmt], scope: _Scope) -> None:
        """Statements in order."""
        for statement in statements:
            self.statement(statement, scope)

    def statement(self, s: Stmt, scope: _Scope) -> None:
        """One statement."""
        match s:
            case Thread(names):
                self.threads = names
                self.taken |= set(names)
            case Comment(text):
                scope.write(f"# {text}")
            case Assign(target):
                self.assign(target, self.expr(_whole(s), scope), scope)
            case If():
                self.conditional(s, scope)
            case For():
                self.loop(s, scope)
            case _:
                raise Discard(type(s).__name__)

    def assign(self, target: Expr, value: _Text, scope: _Scope) -> None:
        """Give a variable a value, or a result its elements."""
        if target.op == "index":
            if self.inside or [arg.name for arg in target.args] != list(self.threads) or target.name in self.stored:
                raise Discard("a store that depends")
            text = value.text if value.shape == self.launch else f"jnp.broadcast_to({value.text}, {self.launch})"
            self.stored[target.name] = self.named(target.name, text, value, scope)
            return
        if target.op != "name":
            raise Discard(target.op)
        name = self.target(target.name, scope)
        scope.write(f"{name} = {value.text}")
        scope.values[target.name] = _Value(name, value.shape)

    def target(self, variable: str, scope: _Scope) -> str:
        """The name that a variable's next value gets."""
        before = scope.values.get(variable)
        if before is None:
            return self.fresh(variable)
        return self.fresh(f"{variable}_way") if before.name in scope.kept else before.name

    def named(self, wish: str, text: str, value: _Text, scope: _Scope) -> str:
        """The text of a result: a name as it stands, or a name for what is longer."""
        if text.isidentifier() and value.shape == self.launch:
            return text
        name = self.fresh(f"{wish}_new" if wish in self.shapes else f"{wish}_value")
        scope.write(f"{name} = {text}")
        return name

    def fresh(self, wish: str) -> str:
        """A name that nothing has."""
        name, number = wish, 2
        while name in self.taken:
            name, number = f"{wish}_{number}", number + 1
        self.taken.add(name)
        return name

    def conditional(self, s: If, scope: _Scope) -> None:
        """Both ways, and for each variable that one of them gives a value a selection."""
        test = self.expr(s.test, scope)
        ways = []
        self.inside += 1
        for statements in (s.then, s.orelse):
            kept = scope.kept | {value.name for value in scope.values.values()}
            way = _Scope(dict(scope.values), indent=scope.indent, kept=kept)
            self.block(statements, way)
            ways.append(way)
        self.inside -= 1
        then, other = ways
        changed = [n for n in {**then.values, **other.values} if self.differs(n, scope, then, other)]
        if not then.lines and not other.lines:
            raise Discard("nothing is chosen")
        if len(changed) > 1 or len(test.text) > _FEW:
            name = self.fresh("above" if ">" in test.text else "below" if "<" in test.text else "chosen")
            scope.write(f"{name} = {test.text}")
            test = _Text(name, _ATOM, test.shape)
        short = len(changed) == 1 and all(len(way.lines) <= 1 for way in ways)
        for name in changed:
            pair = [self.chosen(name, way, short=short) for way in ways]
            if not short and name == changed[0]:
                for way in ways:
                    scope.lines += way.lines
            shape = _broadcast(test.shape, pair[0].shape, pair[1].shape)
            target = self.target(name, scope)
            scope.write(f"{target} = jnp.where({test.text}, {pair[0].text}, {pair[1].text})")
            scope.values[name] = _Value(target, shape)

    @staticmethod
    def differs(name: str, scope: _Scope, then: _Scope, other: _Scope) -> bool:
        """Whether a variable has a value after a conditional that it did not have before."""
        one, two = then.values.get(name), other.values.get(name)
        return one is not None and two is not None and not (one == two == scope.values.get(name))

    @staticmethod
    def chosen(name: str, way: _Scope, *, short: bool) -> _Text:
        """What a variable is at the end of a way: its name, or the expression that the one line of the way holds."""
        value = way.values[name]
        if short and way.lines:
            head, _, text = way.lines[0].strip().partition(" = ")
            if head == value.name:
                return _Text(text, _LOOSE, value.shape)
        return _Text(value.name, _ATOM, value.shape)

    def loop(self, s: For, scope: _Scope) -> None:
        """A loop that carries what it changes."""
        bounds = [self.bound(part) for part in (s.start, s.stop)]
        if s.step is not None or bounds[1] is None:
            raise Discard("a loop of unknown length")
        if s.backwards:
            raise Discard("a loop that counts down")
        start, stop = bounds[0] or ("0", 0), bounds[1]
        carried = [name for name in _assigned(s.body) if name in scope.values]
        if not carried or stop[1] <= start[1]:
            raise Discard("a loop that carries nothing")
        carry = self.carry(s, carried, scope)
        self.inside += 1
        name = self.fresh(s.name)
        label = self.fresh(f"{name}_step" if len(name) > 1 else "step")
        body = _Scope({**scope.values, **carry, s.name: _Value(name, ())}, indent=scope.indent + "    ")
        self.block(s.body, body)
        self.inside -= 1
        starts, names = [], [carry[variable].name for variable in carried]
        for variable in carried:
            before, after, shape = scope.values[variable], body.values[variable], carry[variable].shape
            starts.append(before.name if before.shape == shape else f"jnp.broadcast_to({before.name}, {shape})")
            if after.shape != shape:
                body.write(f"{after.name} = jnp.broadcast_to({after.name}, {shape})")
        packed = starts[0] if len(names) == 1 else f"({', '.join(starts)})"
        scope.write(f"def {label}({name}, {'carry' if len(names) > 1 else names[0]}):")
        if len(names) > 1:
            body.lines.insert(0, f"{body.indent}{', '.join(names)} = carry")
        scope.lines += body.lines
        scope.lines.append(f"{body.indent}return {', '.join(names)}")
        scope.lines.append("")
        targets = [self.target(variable, scope) for variable in carried]
        scope.write(f"{', '.join(targets)} = lax.fori_loop({start[0]}, {stop[0]}, {label}, {packed})")
        for variable, target in zip(carried, targets, strict=True):
            scope.values[variable] = _Value(target, carry[variable].shape)

    def carry(self, s: For, carried: Sequence[str], scope: _Scope) -> dict[str, _Value]:
        """What is carried, with shapes that hold for every round: found by trying one round."""
        found = {name: scope.values[name] for name in carried}
        for _ in range(3):
            trial = copy(self)
            trial.taken, trial.stored, trial.inside = set(self.taken), dict(self.stored), self.inside + 1
            body = _Scope({**scope.values, **found, s.name: _Value(s.name, ())})
            trial.block(s.body, body)
            grown = {n: _Value(v.name, _broadcast(v.shape, body.values[n].shape)) for n, v in found.items()}
            if grown == found:
                return found
            found = {n: v._replace(shape=self.launch if v.shape else ()) for n, v in grown.items()}
        raise Discard("a shape that does not settle")

    def bound(self, e: Expr | None) -> tuple[str, int] | None:
        """An end of a loop that is known when a function is traced."""
        if e is None:
            return None
        if e.op == "literal":
            return str(int(e.value)), int(e.value)
        if e.op == "extent" and e.name in self.shapes:
            axis = int(e.value)
            return f"{e.name}.shape[{axis}]", self.shapes[e.name][axis]
        raise Discard("a loop of unknown length")

    # Expressions.

    def expr(self, e: Expr, scope: _Scope) -> _Text:
        """An expression."""
        match e.op:
            case "name":
                return self.name(e, scope)
            case "literal":
                return self.literal(e)
            case "mutable":
                return _Text(f"jnp.{e.type}({_digits(e)})", _ATOM, ())
            case "index":
                return self.element(e, scope)
            case "neg":
                inner = self.expr(e.args[0], scope)
                return _Text(f"-{inner.at(5)}", 5, inner.shape)
            case "not":
                inner = self.expr(e.args[0], scope)
                return _Text(f"~{inner.at(_ATOM)}", 5, inner.shape)
            case "sign":
                # Zero counts as positive.
                inner = self.expr(e.args[0], scope)
                return _Text(f"jnp.where({inner.at(_SUM)} < 0.0, -1.0, 1.0)", _ATOM, inner.shape)
            case "lerp":
                a, b, t = (self.expr(arg, scope) for arg in e.args)
                text = f"{a.at(_PRODUCT)} * (1.0 - {t.at(_PRODUCT)}) + {b.at(_PRODUCT)} * {t.at(5)}"
                return _Text(text, _SUM, _broadcast(a.shape, b.shape, t.shape))
            case "cast":
                return self.cast(e, scope)
            case "call":
                given = [self.expr(arg, scope) for arg in e.args]
                return _Text(
                    f"{e.name}({', '.join(g.text for g in given)})", _ATOM, _broadcast(*(g.shape for g in given))
                )
        return self.operation(e, scope)

    def operation(self, e: Expr, scope: _Scope) -> _Text:
        """An operator of the table."""
        args = [self.expr(arg, scope) for arg in e.args]
        shape = _broadcast(*(arg.shape for arg in args))
        if (e.op in _INFIX and e.kind in "fb") or (e.op in ("add", "sub", "mul") and e.kind == "i"):
            sign, binding = _INFIX[e.op]
            inner = 5 if binding < 2 else binding
            left = args[0].at(_ATOM if e.op == "pow" else max(inner, _SUM))
            right = args[1].at(5 if e.op == "pow" else max(inner, _SUM) + (binding != 6))
            return _Text(f"{left} {sign} {right}", binding, shape)
        if e.op in _CALLS and (e.kind == "f" or e.op in ("choose", "min", "max", "abs")):
            return _Text(f"{_CALLS[e.op]}({', '.join(arg.text for arg in args)})", _ATOM, shape)
        raise Discard(f"{e.op} of {e.type}")

    def name(self, e: Expr, scope: _Scope) -> _Text:
        """A variable, or a thread's place."""
        if e.name in self.threads:
            axis = self.threads.index(e.name)
            behind = len(self.launch) - 1 - axis
            text = f"jnp.arange({self.launch[axis]}, dtype=jnp.int32)"
            text += f"[:{', None' * behind}]" if behind else ""
            return _Text(text, _ATOM, (self.launch[axis], *(1,) * behind))
        if e.name not in scope.values:
            raise Discard(f"{e.name} is not known")
        value = scope.values[e.name]
        return _Text(value.name, _ATOM, value.shape)

    def literal(self, e: Expr) -> _Text:
        """A number, which takes the dtype of what it meets."""
        text = _digits(e)
        return _Text(text, _ATOM if e.value >= 0 else 5, ())

    def cast(self, e: Expr, scope: _Scope) -> _Text:
        """A value in another dtype."""
        inner = self.expr(e.args[0], scope)
        if e.args[0].op == "literal" or str(e.type) not in ("float16", "float32", "float64", "int32"):
            raise Discard(f"a cast to {e.type}")
        return _Text(f"{inner.at(_ATOM)}.astype(jnp.{e.type})", _ATOM, inner.shape)

    def element(self, e: Expr, scope: _Scope) -> _Text:
        """An element of an array: of each thread its own, or one that all of them read."""
        if e.name not in self.shapes:
            raise Discard("a result that is read")
        axes = [
            self.threads.index(arg.name) if arg.op == "name" and arg.name in self.threads else None for arg in e.args
        ]
        own = [axis for axis in axes if axis is not None]
        if own != sorted(set(own)):
            raise Discard("places that are turned round")
        sizes = {axis: self.shapes[e.name][place] for place, axis in enumerate(axes) if axis is not None}
        if any(self.launch[axis] != size for axis, size in sizes.items()):
            raise Discard("an array that is longer than the launch")
        places = []
        for arg, axis in zip(e.args, axes, strict=True):
            place = _Text(":", _ATOM, ()) if axis is not None else self.expr(arg, scope)
            if place.shape:
                raise Discard("a place that differs between threads")
            places.append(place.text)
        while places and places[-1] == ":":
            places.pop()
        text = f"{e.name}[{', '.join(places)}]" if places else e.name
        if not own:
            return _Text(text, _ATOM, ())
        # Axes of length one stand for those of the launch along which an array does not change.
        aligned = range(own[0], len(self.launch))
        if len(own) < len(aligned):
            text += f"[{', '.join(':' if axis in sizes else 'None' for axis in aligned)}]"
        return _Text(text, _ATOM, tuple(sizes.get(axis, 1) for axis in aligned))


def _whole(s: Assign) -> Expr:
    """What an assignment gives its target, with an operator of its own written out."""
    return Expr(s.op, s.target.kind, s.target.type, s.value.span, (s.target, s.value)) if s.op else s.value


def _digits(e: Expr) -> str:
    if e.kind == "f":
        return repr(float(e.value))
    return str(int(e.value)) if e.kind == "i" else str(bool(e.value))


def _broadcast(*shapes: Shape) -> Shape:
    longest = max(map(len, shapes), default=0)
    padded = [(1,) * (longest - len(shape)) + shape for shape in shapes]
    return tuple(max(sizes) for sizes in zip(*padded, strict=True))


def _assigned(statements: Sequence[Stmt]) -> list[str]:
    """The variables that statements give values, in order."""
    found: dict[str, None] = {}
    for s in statements:
        if isinstance(s, Assign) and s.target.op == "name":
            found[s.target.name] = None
        elif isinstance(s, If):
            found |= dict.fromkeys((*_assigned(s.then), *_assigned(s.orelse)))
        elif isinstance(s, For):
            found |= dict.fromkeys(_assigned(s.body))
    return list(found)
