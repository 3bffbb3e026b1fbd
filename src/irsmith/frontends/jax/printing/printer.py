"""Prints a program of scalar code over threads as a function over arrays that means the same.

A value of each thread becomes an array over all of them: an element read at the thread's own place is the whole
array, a conditional computes both ways and selects, a loop carries arrays. The components of vectors and matrices stand
along axes behind those of the threads. What has no such form is refused: writes that other threads see, jumps out of
loops and kernels, tests of loops, components that are changed one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace

from irsmith.folding import folded
from irsmith.frontends.jax.printing.composites import ATOM, LOOSE, core, scalar
from irsmith.frontends.jax.printing.expressions import Expressions, Scope, Text, Value, broadcast
from irsmith.frontends.jax.synth.synthesis import WIDTH, results_of
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Comment, Expr, For, Helper, If, Program, Return, Stmt, Thread
from irsmith.types import Matrix, Scalar, Vector

_FEW = 40
"""Characters up to which a way of a branch stands within the selection."""


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
        if not isinstance(argument.type, Scalar | Vector | Matrix) or (
            argument in results and argument.shape != program.launch
        ):
            raise Discard(f"{argument.type} of shape {argument.shape}")
    printer = _Printer(program, given)
    source = printer.module(given, results)
    outputs = results_of([(str(scalar(a.type)), a.shape + core(a.type)) for a in results])
    signature = Signature((*map(_plain, given), *outputs), None)
    return Kernel(program.name, program.category, program.description, source, signature)


def _plain(argument: Argument) -> Argument:
    """An argument with its components along axes of their own."""
    inner = core(argument.type)
    return replace(argument, type=scalar(argument.type), rank=argument.rank + len(inner), shape=argument.shape + inner)


class _Printer(Expressions):
    """Prints one program."""

    def __init__(self, program: Program, given: Sequence[Argument]) -> None:
        helpers = {helper.name for helper in program.helpers}
        taken = {a.name for a in program.arguments} | {"jax", "jnp", "lax", program.name, *helpers}
        super().__init__(program.launch, {a.name: a.shape for a in given}, taken)
        self.program = program
        self.stored: dict[str, str] = {}
        self.inside = 0

    # The module.

    def module(self, given: Sequence[Argument], results: Sequence[Argument]) -> str:
        """The whole text."""
        self.helping = True
        blocks = ["\n".join(self.helper(helper)) for helper in self.program.helpers]
        self.helping = False
        scope = Scope({a.name: Value(a.name, a.shape, core(a.type)) for a in given if a.rank == 0})
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
        wide = "jnp.float64" in text or any(scalar(a.type).name.endswith("64") for a in self.program.arguments)
        imports = ["import jax"] * wide + ["import jax.numpy as jnp"] * ("jnp." in text)
        imports += ["from jax import lax"] * ("lax." in text)
        lines = ["\n".join(imports)] + ['\njax.config.update("jax_enable_x64", True)'] * wide
        whole = "\n\n\n".join(["\n".join(lines), *blocks]).lstrip("\n")
        return "".join(f"{part}\n" for line in whole.split("\n") for part in folded(line, WIDTH))

    def helper(self, helper: Helper) -> Iterator[str]:
        """A function of the module; its parameters may be of any shape, so its shapes are not known."""
        if helper.gradient is not None:
            raise Discard("a gradient of the author's own")
        names = [p.name for p in helper.parameters]
        yield f"def {helper.name}({', '.join(names)}):"
        if helper.docstring:
            yield f'    """{helper.docstring}"""'
        scope = Scope({p.name: Value(p.name, (), core(p.type)) for p in helper.parameters})
        for statement in helper.body[:-1]:
            if not isinstance(statement, Assign | Comment):
                raise Discard("a helper with several ways")
            self.statement(statement, scope)
        last = helper.body[-1]
        if not isinstance(last, Return) or last.value is None:
            raise Discard("a helper without a value at its end")
        value = self.expr(last.value, scope).text
        yield from scope.lines
        yield f"    return {value}"

    # Statements.

    def block(self, statements: Sequence[Stmt], scope: Scope) -> None:
        """Statements in order. A comment behind which nothing is written is left out, as is one on a thread's part."""
        for statement in statements:
            if scope.lines and scope.lines[-1].lstrip().startswith("# ") and isinstance(statement, Comment):
                scope.lines.pop()
            self.statement(statement, scope)
        if scope.lines and scope.lines[-1].lstrip().startswith("# "):
            scope.lines.pop()

    def statement(self, s: Stmt, scope: Scope) -> None:
        """One statement."""
        match s:
            case Thread(names):
                self.threads = names
                self.taken |= set(names)
            case Comment(text):
                if "thread" not in text:
                    scope.write(f"# {text}")
            case Assign(target):
                self.assign(target, self.expr(_whole(s), scope), scope)
            case If():
                self.conditional(s, scope)
            case For():
                self.loop(s, scope)
            case _:
                raise Discard(type(s).__name__)

    def assign(self, target: Expr, value: Text, scope: Scope) -> None:
        """Give a variable a value, or a result its elements."""
        if target.op == "index":
            if self.inside or [arg.name for arg in target.args] != list(self.threads) or target.name in self.stored:
                raise Discard("a store that depends")
            wanted = self.launch + value.core
            text = value.text if value.shape == self.launch else f"jnp.broadcast_to({value.text}, {wanted})"
            self.stored[target.name] = self.named(target.name, text, value, scope)
            return
        if target.op != "name":
            raise Discard(target.op)
        name = self.target(target.name, scope)
        scope.write(f"{name} = {value.text}")
        scope.values[target.name] = Value(name, value.shape, value.core)

    def target(self, variable: str, scope: Scope) -> str:
        """The name that a variable's next value gets."""
        before = scope.values.get(variable)
        if before is None:
            return self.fresh(variable)
        return self.fresh(f"{variable}_way") if before.name in scope.kept else before.name

    def named(self, wish: str, text: str, value: Text, scope: Scope) -> str:
        """The text of a result: a name as it stands, or a name for what is longer."""
        if text.isidentifier() and value.shape == self.launch:
            return text
        name = self.fresh(f"{wish}_new" if wish in self.shapes else f"{wish}_value")
        scope.write(f"{name} = {text}")
        return name

    def conditional(self, s: If, scope: Scope) -> None:
        """Both ways, and for each variable that one of them gives a value a selection."""
        test = self.expr(s.test, scope)
        ways = []
        self.inside += 1
        for statements in (s.then, s.orelse):
            kept = scope.kept | {value.name for value in scope.values.values()}
            way = Scope(dict(scope.values), indent=scope.indent, kept=kept)
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
            test = Text(name, ATOM, test.shape)
        short = len(changed) == 1 and all(len(way.lines) <= 1 for way in ways)
        for name in changed:
            pair = [self.chosen(name, way, short=short) for way in ways]
            if not short and name == changed[0]:
                for way in ways:
                    scope.lines += way.lines
            shape = broadcast(test.shape, pair[0].shape, pair[1].shape)
            target = self.target(name, scope)
            where = self.aligned(test, pair[0].core)
            scope.write(f"{target} = jnp.where({where.text}, {pair[0].text}, {pair[1].text})")
            scope.values[name] = Value(target, shape, pair[0].core)

    @staticmethod
    def differs(name: str, scope: Scope, then: Scope, other: Scope) -> bool:
        """Whether a variable has a value after a conditional that it did not have before."""
        one, two = then.values.get(name), other.values.get(name)
        return one is not None and two is not None and not (one == two == scope.values.get(name))

    @staticmethod
    def chosen(name: str, way: Scope, *, short: bool) -> Text:
        """What a variable is at the end of a way: its name, or the expression that the one line of the way holds."""
        value = way.values[name]
        if short and way.lines:
            head, _, text = way.lines[0].strip().partition(" = ")
            if head == value.name:
                return Text(text, LOOSE, value.shape, value.core)
        return Text(value.name, ATOM, value.shape, value.core)

    def loop(self, s: For, scope: Scope) -> None:
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
        body = Scope({**scope.values, **carry, s.name: Value(name, ())}, indent=scope.indent + "    ")
        self.block(s.body, body)
        self.inside -= 1
        starts, names = [], [carry[variable].name for variable in carried]
        for variable in carried:
            before, after, shape = scope.values[variable], body.values[variable], carry[variable].shape
            full = shape + before.core
            starts.append(before.name if before.shape == shape else f"jnp.broadcast_to({before.name}, {full})")
            if after.shape != shape:
                body.write(f"{after.name} = jnp.broadcast_to({after.name}, {full})")
        packed = starts[0] if len(names) == 1 else f"({', '.join(starts)})"
        if scope.lines and not scope.lines[-1].lstrip().startswith("#"):
            scope.lines.append("")
        scope.write(f"def {label}({name}, {'carry' if len(names) > 1 else names[0]}):")
        if len(names) > 1:
            body.lines.insert(0, f"{body.indent}{', '.join(names)} = carry")
        scope.lines += body.lines
        scope.lines.append(f"{body.indent}return {', '.join(names)}")
        scope.lines.append("")
        targets = [self.target(variable, scope) for variable in carried]
        scope.write(f"{', '.join(targets)} = lax.fori_loop({start[0]}, {stop[0]}, {label}, {packed})")
        for variable, target in zip(carried, targets, strict=True):
            scope.values[variable] = Value(target, carry[variable].shape, carry[variable].core)

    def carry(self, s: For, carried: Sequence[str], scope: Scope) -> dict[str, Value]:
        """What is carried, with shapes that hold for every round: found by trying one round."""
        found = {name: scope.values[name] for name in carried}
        for _ in range(3):
            trial = copy(self)
            trial.taken, trial.stored, trial.inside = set(self.taken), dict(self.stored), self.inside + 1
            body = Scope({**scope.values, **found, s.name: Value(s.name, ())})
            trial.block(s.body, body)
            grown = {n: v._replace(shape=broadcast(v.shape, body.values[n].shape)) for n, v in found.items()}
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


def _whole(s: Assign) -> Expr:
    """What an assignment gives its target, with an operator of its own written out."""
    return Expr(s.op, s.target.kind, s.target.type, s.value.span, (s.target, s.value)) if s.op else s.value


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
