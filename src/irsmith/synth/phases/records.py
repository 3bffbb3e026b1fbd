"""Structs, with structs and arrays inside them, and named constants."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import NO_SPAN, kind_of, usual
from irsmith.synth.algebra import name as variable
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, size_of
from irsmith.synth.ir import Assign, Constant, Expr
from irsmith.synth.literals import nice
from irsmith.synth.moves import MECHANICAL
from irsmith.synth.names import plural
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, ArrayType, Domain, Field, Struct

_SETTINGS = ("Params", "Settings", "Config", "SimParams", "Options", "Coefficients", "Constants")
_MODELS = ("Model", "State", "Scene", "System", "SimData", "Fields", "Buffers", "Mesh", "Inputs", "Workspace")
_LINKS = ("parent", "neighbor", "links", "indices", "partner", "next_id", "owner")
_HOLDERS = ("data", "sim", "m", "args", "ctx")
_ARGUMENTS = ("params", "cfg", "settings", "args", "opts", "p")
_ITEMS = ("State", "Particle", "Record", "Sample", "Node", "Body", "Element", "Entry", "Cell")
# What a struct within another is called, and the field that holds it.
_PARTS = (
    ("Material", "material"), ("Limits", "limits"), ("Gains", "gains"), ("Shape", "shape"), ("Motion", "motion"),
    ("Profile", "profile"), ("Response", "response"), ("Frame", "frame"), ("Bounds", "bounds"), ("Properties", "props"),
    ("Contact", "contact"), ("Calibration", "calib"),
)  # fmt: skip
# How likely a record holds another, and how likely a field of one is a matrix; of mechanics, a rotation or a frame.
_NESTED = 0.22
_MATRIX = 0.06
_RIGID = 0.35

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


def _struct(s: Sketch, names: tuple[str, ...], role: str, vectors: int, count: int, *, within: bool = False) -> Struct:
    """A new struct type of a few quantities, now and then with another one inside."""
    rng = s.rng
    mechanical = s.repertoire is MECHANICAL
    fields: list[Field] = []
    taken: set[str] = set()
    for position in range(count):
        kind = "v" if position < vectors else "f"
        if role == "scalars" and mechanical and position and rng.chance(_RIGID):
            kind = rng.pick("qqttw")
        elif role == "scalars" and position and rng.chance(_MATRIX):
            kind = "m"
        type, quantity = s.array_type(kind)
        if kind == "f" and role == "params":
            quantity = s.quantity("params")
        if quantity.name in taken or quantity.name in _AWKWARD:
            continue
        taken.add(quantity.name)
        fields.append(Field(quantity.name, type, Domain(quantity.low, quantity.high)))
    if not fields:
        raise Discard("struct")
    if count > 2 and not within and rng.chance(_NESTED):
        name, place = rng.pick(_PARTS)
        if place not in taken:
            inner = _struct(s, (name,), role, rng.pick((0, 0, 1)), rng.between(2, 3), within=True)
            fields.insert(rng.below(len(fields) + 1), Field(place, inner))
    struct = Struct(s.module_name(s.rng.pick(names)), tuple(fields))
    s.structs.append(struct)
    return struct


def bring(s: Sketch, owner: Expr) -> None:
    """Bring the values that a struct holds into scope, unread; those of structs within it too."""
    struct = owner.type
    assert isinstance(struct, Struct)
    for entry in struct.fields:
        place = s.al.field(owner, struct, entry.name)
        if isinstance(entry.type, Struct):
            bring(s, place)
        elif not isinstance(entry.type, ArrayType):
            s.add(place)


def parameters(s: Sketch) -> None:
    """A struct of parameters, passed by value; its fields are in scope and unread."""
    rng = s.rng
    struct = _struct(s, _SETTINGS, "params", rng.pick((0, 0, 1)), rng.between(2, 4))
    text = s.names.claim(rng.pick(_ARGUMENTS))
    s.arguments.append(Argument(text, struct, 0, Direction.IN))
    s.probe.shared.add(text)
    bring(s, Expr("name", "s", struct, NO_SPAN, (), text))


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
    bring(s, owner)
    return owner


def holding(s: Sketch, kinds: str, settings: int, links: int = 0) -> list[Expr]:
    """A struct of arrays and settings, passed by value; the settings are in scope and unread.

    Args:
        s: The kernel in the making.
        kinds: A kind for each array.
        settings: How many settings there are.
        links: Below what the whole numbers of one more array lie, which is the last; 0 for none such.

    Returns:
        For each array what stands for its elements and lacks subscripts.
    """
    rng = s.rng
    arrays: list[tuple[Field, Domain]] = []
    fields: list[Field] = []
    taken: set[str] = set()
    plurals = rng.chance(0.5)
    for kind in kinds:
        type, (quantity, low, high) = s.array_type(kind)
        name = plural(quantity) if plurals else quantity
        if name in taken or name in _AWKWARD:
            raise Discard("struct")
        taken.add(name)
        arrays.append((Field(name, ArrayType(type, len(s.extents))), Domain(low, high)))
    if links:
        arrays.append((Field(rng.pick(_LINKS), ArrayType(INT32, 1)), Domain(0, links - 1)))
    for _ in range(settings):
        name, low, high = s.quantity("params")
        if name not in taken and name not in _AWKWARD:
            taken.add(name)
            fields.append(Field(name, s.al.real, Domain(low, high)))
    if not fields:
        raise Discard("struct")
    held = [field for field, _ in arrays]
    ordered = rng.pick(([*held, *fields], [*fields, *held], rng.shuffled([*held, *fields])))
    struct = Struct(s.module_name(rng.pick(_MODELS)), tuple(ordered))
    s.structs.append(struct)
    text = s.names.claim(rng.pick((struct.name.lower(), *_HOLDERS)))
    s.arguments.append(Argument(text, struct, 0, Direction.IN))
    found: list[Expr] = []
    for field, domain in arrays:
        assert isinstance(field.type, ArrayType)
        path, element = f"{text}.{field.name}", field.type.element
        s.arguments.append(Argument(path, element, field.type.rank, Direction.IN, s.extents, domain))
        found.append(Expr("index", kind_of(element), element, usual(domain.low, domain.high), (), path))
    s.probe.shared.add(text)
    bring(s, Expr("name", "s", struct, NO_SPAN, (), text))
    return found


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
