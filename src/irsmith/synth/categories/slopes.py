"""Custom gradients: the derivative of a helper's result, written out as its author would.

What is written is the true derivative. So the adjoint that a compiler makes of a kernel can be judged by the
derivative of what the kernel computes, whoever wrote the parts of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from irsmith.synth.algebra import Algebra, exactly, usual
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.pen import Pen, Q
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Expr, Gradient, Helper, If, Parameter, Return, Stmt
from irsmith.synth.names import Names
from irsmith.synth.sketch import Contract, Sketch, mentions

_FORMS = ("adj_{}", "adj_{}", "{}_grad", "grad_{}", "{}_adjoint", "d_{}", "{}_backward")
_GIVEN = ("adj_ret", "adj_ret", "adj_ret", "adj_out", "adj_y", "grad_out", "adj")

Derivative = Callable[["Slopes"], None]
"""Writes a gradient's body."""


class Slopes(Pen):
    """Writes a gradient into a sketch of its own.

    Attributes:
        given: The adjoint of the helper's result.
        values: The helper's parameters.
        helper: The helper.
    """

    __slots__ = ("_again", "_first", "given", "helper", "values")

    def __init__(self, s: Sketch, contract: Contract, given: Q, values: tuple[Q, ...], *, first: bool) -> None:
        super().__init__(s)
        self.given = given
        self.values = values
        self.helper = contract.helper
        self._again = contract.gives
        self._first = first

    def let(self, value: Q, *names: str) -> Q:
        """A variable, by the name that the helper has for such a value."""
        s = self.s
        for step in self.helper.body:
            if isinstance(step, Assign) and step.value == value.e and step.target.name not in s.names.taken:
                s.names.taken.add(step.target.name)
                s.put(step.target, value.e)
                s.al.definitions[step.target.name] = value.e
                return Q(self, step.target)
        return super().let(value, *names)

    def again(self, *names: str) -> Q:
        """What the helper returns, called once more."""
        args = tuple(q.e for q in self.values)
        returns = self.helper.returns
        kind = self.given.e.kind
        return self.let(Q(self, Expr("call", kind, returns, self._again, args, self.helper.name)), *names)

    def add(self, place: int, slope: Q) -> None:
        """Add a scalar result's adjoint times a slope to the adjoint of a parameter."""
        given = self.given
        if slope.e.op == "neg" and slope.e.kind == "f":
            inner = Q(self, slope.e.args[0])
            slope, given = inner, -given
        self.give(place, given * slope if self._first and slope.e.kind == "f" else slope * given)

    def give(self, place: int, value: Q) -> None:
        """Add a value to the adjoint of a parameter."""
        to = self.values[place].e
        target = Expr("adjoint", to.kind, to.type, exactly(0.0), (), to.name)
        self.s.emit(Assign(target, value.e, "vadd" if to.kind == "v" else "add"))


def differentiated(s: Sketch, derive: Derivative | None = None) -> None:
    """Give the last helper a gradient.

    Args:
        s: The kernel in the making.
        derive: Writes it; by the rules of differentiation where it is not given.

    Raises:
        Discard: It cannot be written.
    """
    rng = s.rng
    contract = s.contracts[-1]
    helper = contract.helper
    inner = Sketch(rng, s.theme, s.style, Algebra(s.al.real, s.al.whole, s.al.chances), s.length, 8)
    inner.names = Names()
    inner.names.taken |= (
        {h.name for h in s.helpers} | {c.name for c in s.constants} | {struct.name for struct in s.structs}
    )
    inner.probe.looping = 1
    inner.probe.helpers = s.probe.helpers
    values: list[Expr] = []
    for parameter, span in zip(helper.parameters, contract.takes, strict=True):
        inner.names.taken.add(parameter.name)
        values.append(variable(parameter.name, parameter.type, span))
        inner.probe.drawn(values[-1])
    given = variable(inner.names.claim(rng.pick(_GIVEN)), helper.returns, usual(-1.0, 1.0))
    inner.probe.drawn(given)
    plain = Pen(inner)
    pen = Slopes(inner, contract, Q(plain, given), tuple(Q(plain, value) for value in values), first=rng.chance(0.5))
    if derive is None:
        _by_rule(pen, helper)
    else:
        derive(pen)
    if not any(_adds(statement) for statement in _all(tuple(inner.body))):
        raise Discard("gradient")
    text = s.module_name(rng.pick(_FORMS).format(helper.name), inner.names.taken)
    docs = f"Adjoint of {helper.name}." if helper.docstring else ""
    gradient = Gradient(text, Parameter(given.name, given.type), tuple(inner.body), docs)
    done = replace(helper, gradient=gradient)
    s.helpers[-1] = s.probe.helpers[helper.name] = done
    s.contracts[-1] = contract._replace(helper=done)
    s.budget -= 2


def _all(body: tuple[Stmt, ...]) -> list[Stmt]:
    """Every statement, those of branches too."""
    found: list[Stmt] = []
    for statement in body:
        found.append(statement)
        if isinstance(statement, If):
            found += _all(statement.then) + _all(statement.orelse)
    return found


def _adds(statement: Stmt) -> bool:
    return isinstance(statement, Assign) and statement.target.op == "adjoint"


# By the rules of differentiation.

Shares = dict[str, list[Q]]
"""What flows back to each variable, as far as it was found."""

_BENT = frozenset({"div", "vdiv", "sqrt", "exp", "log", "sin", "cos", "tanh", "atan", "length"})
# A longer derivative is one that nobody writes by hand.
_LONGEST = 16


def _by_rule(pen: Slopes, helper: Helper) -> None:
    """Follow the helper's steps backwards; those whose values are needed are taken once more, in front.

    Raises:
        Discard: A step has no rule here, or the derivative grows long.
    """
    s = pen.s
    if not any(_bends(statement) for statement in helper.body):
        # Nobody writes the derivative of a product.
        raise Discard("gradient")
    *steps, last = helper.body
    assigned: list[tuple[str, Expr]] = []
    for step in steps:
        if not isinstance(step, Assign) or step.op or step.target.op != "name":
            raise Discard("gradient")
        assigned.append((step.target.name, step.value))
        s.names.taken.add(step.target.name)
        s.probe.weights = {}
        s.probe.settle(step.target.name, s.probe.of(step.value))
    names = [name for name, _ in assigned]
    if not isinstance(last, Return) or last.value is None or len(set(names)) < len(names):
        raise Discard("gradient")
    shares: Shares = {name: [] for name in (*names, *(p.name for p in helper.parameters))}
    _pull(pen, last.value, pen.given, shares)
    for name, value in reversed(assigned):
        if shares[name]:
            total = _total(shares[name])
            if total.e.op != "name":
                total = pen.let(total, f"d_{name}", f"adj_{name}", f"g_{name}")
            _pull(pen, value, total, shares)
    for place, parameter in enumerate(helper.parameters):
        for share in shares[parameter.name]:
            pen.give(place, share)
    written = tuple(s.body)
    if any(isinstance(statement, Assign) and _size(statement.value) > _LONGEST for statement in written):
        raise Discard("long")
    needed: list[Stmt] = []
    for name, value in reversed(assigned):
        if any(isinstance(x, Assign) and mentions(x.value, name) for x in (*needed, *written)):
            needed.insert(0, next(step for step in steps if isinstance(step, Assign) and step.value is value))
    s.body[:0] = needed


def _bends(statement: Stmt) -> bool:
    """Whether a step is more than a few products."""

    def bends(e: Expr) -> bool:
        return e.op in _BENT or any(map(bends, e.args))

    return isinstance(statement, Assign | Return) and statement.value is not None and bends(statement.value)


def _total(shares: list[Q]) -> Q:
    total = shares[0]
    for share in shares[1:]:
        total = total + share
    return total


def _size(e: Expr) -> int:
    return 1 + sum(map(_size, e.args))


def _pull(pen: Slopes, e: Expr, seed: Q, shares: Shares) -> None:
    """Note what flows back through an expression to the variables in it.

    Raises:
        Discard: There is no rule for what it is made of, or the bounds rule the derivative out.
    """
    if e.op == "name":
        if e.name in shares:
            shares[e.name].append(seed)
        return
    if not any(mentions(e, name) for name in shares):
        return
    rule = _RULES.get(e.op)
    if rule is None:
        raise Discard(e.op)
    args = tuple(Q(pen, arg) for arg in e.args)
    for arg, share in zip(e.args, rule(pen, seed, *args), strict=True):
        if share is not None:
            _pull(pen, arg, share, shares)


def _of_dot(_: Slopes, seed: Q, a: Q, b: Q) -> tuple[Q | None, ...]:
    if a.e == b.e:
        return a * (2.0 * seed), None
    return b * seed, a * seed


def _of_sqrt(p: Slopes, seed: Q, a: Q) -> tuple[Q]:
    return (seed * 0.5 / p.fn("sqrt", a),) if p.s.rng.chance(0.5) else (seed / (2.0 * p.fn("sqrt", a)),)


def _of_tanh(p: Slopes, seed: Q, a: Q) -> tuple[Q]:
    t = p.let(p.fn("tanh", a), "t", "th", "y")
    return (seed * (1.0 - t * t),)


_RULES: dict[str, Callable[..., tuple[Q | None, ...]]] = {
    "add": lambda _, seed, *__: (seed, seed),
    "sub": lambda _, seed, *__: (seed, -seed),
    "mul": lambda _, seed, a, b: (seed * b, seed * a),
    "div": lambda _, seed, a, b: (seed / b, -(seed * a / (b * b))),
    "neg": lambda _, seed, __: (-seed,),
    "square": lambda _, seed, a: (2.0 * a * seed,),
    "sqrt": _of_sqrt,
    "exp": lambda p, seed, a: (seed * p.fn("exp", a),),
    "log": lambda _, seed, a: (seed / a,),
    "sin": lambda p, seed, a: (seed * p.fn("cos", a),),
    "cos": lambda p, seed, a: (-(seed * p.fn("sin", a)),),
    "tanh": _of_tanh,
    "atan": lambda _, seed, a: (seed / (1.0 + a * a),),
    "abs": lambda p, seed, a: (seed * p.fn("sign", a),),
    "lerp": lambda _, seed, a, b, t: (seed * (1.0 - t), seed * t, seed * (b - a)),
    "vadd": lambda _, seed, *__: (seed, seed),
    "vsub": lambda _, seed, *__: (seed, -seed),
    "vneg": lambda _, seed, __: (-seed,),
    "vscale": lambda p, seed, a, x: (seed * x, p.do("dot", seed, a)),
    "vdiv": lambda p, seed, a, x: (seed / x, -(p.do("dot", seed, a) / (x * x))),
    "cw_mul": lambda p, seed, a, b: (p.do("cw_mul", seed, b), p.do("cw_mul", seed, a)),
    "dot": _of_dot,
    "length": lambda p, seed, a: (a * (seed / p.fn("length", a)),),
    "length_sq": lambda _, seed, a: (a * (2.0 * seed),),
    "vlerp": lambda p, seed, a, b, t: (seed * (1.0 - t), seed * t, p.do("dot", seed, b - a)),
}
"""For each operator, what of the result's adjoint goes to each operand; None for an operand that another covers."""
