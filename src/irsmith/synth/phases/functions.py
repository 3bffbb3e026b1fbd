"""Helper functions: a small sketch of their own, called from the kernel."""

from __future__ import annotations

from irsmith.synth.algebra import Algebra, kind_of, union
from irsmith.synth.algebra import name as variable
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands
from irsmith.synth.ir import Expr, Helper, Parameter, Return, Span
from irsmith.synth.names import Names
from irsmith.synth.phases import straight
from irsmith.synth.phases.branches import condition, fork
from irsmith.synth.sketch import Contract, Sketch

_GENERIC = {
    "f": ("x", "y", "z", "a", "b", "c", "t", "u", "w", "s", "k", "value", "scale", "r"),
    "v": ("p", "q", "v", "a", "b", "d", "n", "u", "dir"),
    "m": ("m", "A", "mat", "R"),
    "i": ("n", "k", "i", "idx", "count"),
}
_SUFFIXES = ("", "", "_term", "_fn", "_func", "_of", "_factor", "_value")


def call(s: Sketch) -> Expr:
    """Call a helper, a new one or one that exists, and give the result a variable.

    Raises:
        Discard: No operands, or nothing grew from them.
    """
    rng = s.rng
    values = operands(s, rng.pick((1, 2, 2, 3)), "fv", fresh=0.7)
    if s.helpers and rng.chance(0.5):
        for contract in s.contracts:
            if _fits(contract, values):
                return s.define(called(contract, values))
    return s.define(called(write(s, values), values))


def _fits(contract: Contract, values: list[Expr]) -> bool:
    """Whether values lie where a helper was made for."""
    parameters = contract.helper.parameters
    return len(values) == len(parameters) and all(
        value.type is parameter.type and span.low <= value.span.low and value.span.high <= span.high
        for value, parameter, span in zip(values, parameters, contract.takes, strict=True)
    )


def called(contract: Contract, values: list[Expr]) -> Expr:
    """A call as an expression."""
    helper = contract.helper
    return Expr("call", kind_of(helper.returns), helper.returns, contract.gives, tuple(values), helper.name)


def write(s: Sketch, values: list[Expr]) -> Contract:
    """Write a helper for such operands.

    Raises:
        Discard: Nothing grew.
    """
    rng = s.rng
    al = Algebra(s.al.real, s.al.whole, s.al.chances)
    inner = Sketch(rng, s.theme, s.style, al, s.length, rng.pick((1, 1, 2, 3, 4, 6)))
    inner.repertoire = s.repertoire
    inner.names = Names(s.module_names)
    inner.probe.mask = s.probe.mask
    inner.probe.looping = 1
    parameters = []
    for value in values:
        wish = value.name if value.op == "name" and rng.chance(0.35) else rng.pick(_GENERIC[value.kind])
        text = inner.names.claim(wish)
        parameters.append(Parameter(text, value.type))
        inner.add(variable(text, value.type, value.span))
        inner.probe.weights = {}
        inner.probe.settle(text, s.probe.of(value))
    body_budget = inner.budget
    straight.temps(inner, rng.below(body_budget + 1))
    kind = "v" if any(value.kind == "v" for value in inner.fresh) and rng.chance(0.5) else "f"
    spans: list[Span] = []
    returned: list[Expr] = []

    def leave() -> None:
        value = grow(inner, operands(inner, rng.pick((1, 1, 2)), kind, fresh=0.3), rng.pick((0, 1, 1)), kind)
        if value.op != "name":
            inner.probe.check(value)
        spans.append(value.span)
        returned.append(value)
        inner.emit(Return(value))

    def early() -> None:
        test = condition(inner, simple=True)
        fork(inner, test, leave)

    if rng.chance(0.3):
        inner.attempt(early)
    rest = list(inner.fresh)
    for value in rest:
        inner.read(value)
    if not rest:
        rest = operands(inner, 1, kind)
    while len(rest) > 3:
        pair = [rest.pop(rng.below(len(rest))) for _ in range(2)]
        rest.append(inner.define(grow(inner, pair, 1, "v" if "v" in (pair[0].kind, pair[1].kind) else "f"), keep=False))
    result = grow(inner, rest, max(len(rest) - 1, rng.pick((1, 1, 2))), kind)
    if result.op == "name" and not inner.body:
        raise Discard("helper")
    inner.probe.check(result)
    if any(result == other for other in returned):
        raise Discard("helper")
    inner.emit(Return(result))
    span = result.span
    for other in spans:
        span = union(span, other)
    word = rng.pick(s.theme.temps)
    text = s.module_name(word + rng.pick(_SUFFIXES[2:] if len(word) < 5 else _SUFFIXES), inner.names.taken)
    subject = text.removesuffix("_of").removesuffix("_fn").removesuffix("_func").replace("_", " ")
    given = " and ".join(parameter.name for parameter in parameters)
    docs = f"{rng.pick(('Return', 'Compute', 'Evaluate'))} the {subject} for {given}." if s.style.helper_docs else ""
    helper = Helper(text, tuple(parameters), result.type, tuple(inner.body), docs)
    s.helpers.append(helper)
    contract = Contract(helper, tuple(value.span for value in values), span)
    s.contracts.append(contract)
    s.probe.helpers[text] = helper
    s.budget -= 1
    return contract
