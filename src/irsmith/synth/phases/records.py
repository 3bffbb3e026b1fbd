"""Structs and named constants."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import NO_SPAN, kind_of, usual
from irsmith.synth.algebra import name as variable
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, size_of
from irsmith.synth.ir import Assign, Constant, Expr
from irsmith.synth.literals import nice
from irsmith.synth.sketch import Sketch
from irsmith.types import Domain, Field, Struct

_SETTINGS = ("Params", "Settings", "Config", "SimParams", "Options", "Coefficients", "Constants")
_ARGUMENTS = ("params", "cfg", "settings", "args", "opts", "p")
_ITEMS = ("State", "Particle", "Record", "Sample", "Node", "Body", "Element", "Entry", "Cell")

# Fields that would clash with names in what compilers generate for a struct.
_AWKWARD = frozenset({"ret", "rhs", "lhs"})


def constant(s: Sketch) -> None:
    """A number of the module with a name, in scope and unread."""
    name, low, high = s.quantity("params")
    text = s.module_name(name.upper())
    value = s.al.literal(nice((low + high) / 2, (high - low) / 2))
    s.constants.append(Constant(text, value))
    made = variable(text, s.al.real, value.span)
    s.probe.weights = {}
    s.probe.settle(text, s.probe.of(value))
    s.add(made)


def _struct(s: Sketch, names: tuple[str, ...], role: str, vectors: int, count: int) -> Struct:
    """A new struct type of a few quantities."""
    fields: list[Field] = []
    taken: set[str] = set()
    for position in range(count):
        kind = "v" if position < vectors else "f"
        type, quantity = s.array_type(kind)
        if kind == "f" and role == "params":
            quantity = s.quantity("params")
        if quantity.name in taken or quantity.name in _AWKWARD:
            continue
        taken.add(quantity.name)
        fields.append(Field(quantity.name, type, Domain(quantity.low, quantity.high)))
    if not fields:
        raise Discard("struct")
    struct = Struct(s.module_name(s.rng.pick(names)), tuple(fields))
    s.structs.append(struct)
    return struct


def parameters(s: Sketch) -> None:
    """A struct of parameters, passed by value; its fields are in scope and unread."""
    rng = s.rng
    struct = _struct(s, _SETTINGS, "params", rng.pick((0, 0, 1)), rng.between(2, 4))
    text = s.names.claim(rng.pick(_ARGUMENTS))
    s.arguments.append(Argument(text, struct, 0, Direction.IN))
    owner = Expr("name", "s", struct, NO_SPAN, (), text)
    s.probe.shared.add(text)
    for entry in struct.fields:
        s.add(s.al.field(owner, struct, entry.name))


def items(s: Sketch, *, write: bool = False) -> Expr:
    """An array of structs: this thread's own is read into a variable, its fields are in scope and unread."""
    rng = s.rng
    struct = _struct(s, _ITEMS, "scalars", rng.pick((0, 1, 1, 2)), rng.between(2, 5))
    plural = struct.name.lower() + "s" if not struct.name.endswith("y") else struct.name.lower()[:-1] + "ies"
    array = s.names.claim(plural)
    s.arguments.append(Argument(array, struct, len(s.extents), Direction.INOUT if write else Direction.IN, s.extents))
    element = Expr("index", "s", struct, NO_SPAN, s.coords, array)
    text = s.names.claim(rng.pick((struct.name.lower(), struct.name[0].lower(), "item", "cur")))
    owner = Expr("name", "s", struct, NO_SPAN, (), text)
    s.emit(Assign(owner, element))
    for entry in struct.fields:
        s.add(s.al.field(owner, struct, entry.name))
    return owner


def result(s: Sketch) -> None:
    """Store unread values in the fields of a new struct, and that in an output array.

    Raises:
        Discard: Too few values are left.
    """
    rng = s.rng
    values = [value for value in s.fresh if value.kind in "fvi"]
    if len(values) < 2:
        raise Discard("result")
    values = rng.shuffled(values)[: rng.between(2, min(4, len(values)))]
    finished: list[Expr] = []
    for value in values:
        s.read(value)
        finished.append(
            value if value.op == "name" and rng.chance(0.5) else grow(s, [value], size_of(s) - 1, value.kind)
        )
    names: list[str] = []
    for value in finished:
        words = s.theme.vector_results if value.kind == "v" else s.theme.results
        free = [word for word in words if word not in names and word not in _AWKWARD]
        names.append(rng.pick(free))
    struct = Struct(
        s.module_name(rng.pick(("Result", "Output", "Response", "Summary", "Update"))),
        tuple(Field(name, value.type, Domain(-1.0, 1.0)) for name, value in zip(names, finished, strict=True)),
    )
    s.structs.append(struct)
    text = s.names.claim(rng.pick(("res", "result", "out_val", "r", "summary")))
    owner = Expr("name", "s", struct, NO_SPAN, (), text)
    varying = False
    s.emit(Assign(owner, Expr("new", "s", struct, NO_SPAN)))
    for name, value in zip(names, finished, strict=True):
        lanes = s.probe.of(value) if value.op in {"name", "field", "index"} else s.probe.check(value)
        varying = varying or s.probe.varies_by_thread(lanes)
        s.emit(Assign(Expr("field", kind_of(value.type), value.type, usual(-1.0, 1.0), (owner,), name), value))
    if not varying:
        raise Discard("the same for every thread")
    array = s.names.claim(rng.pick(("results", "outputs", "out", "summaries", "states_out")))
    s.arguments.append(Argument(array, struct, len(s.extents), Direction.OUT, s.extents))
    s.emit(Assign(Expr("index", "s", struct, NO_SPAN, s.coords, array), owner))
