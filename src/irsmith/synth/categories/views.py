"""Categories of parts of arrays and of structs: rows and slices that helpers are given, records, indexed arrays."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import NO_SPAN, Algebra, exactly, kind_of, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.describe import describe_helper
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands
from irsmith.synth.ir import Assign, Expr, For, Helper, Parameter, Return, Span
from irsmith.synth.names import Names
from irsmith.synth.phases import branches, indexed, records, straight
from irsmith.synth.probe import LANES, Lanes
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, ArrayType, Struct

_PARTS = ("row", "values", "x", "a", "seg", "v", "data", "window", "xs")
_COUNTERS = ("k", "j", "n", "c", "m")
_WORDS = ("row", "segment", "slice", "window", "line", "span", "block")


def indexed_array(s: Sketch) -> None:
    """Elements of arrays that are seen through places of their own."""
    rng, p = s.rng, Pen(s)
    s.open(rng.pick((1, 1, 1, 2)))
    for kind in rng.pick(("f", "ff", "fv", "v", "vf")):
        array = indexed.shown(s, kind)
        element = p.at(Q(p, array))
        if rng.chance(s.style.locals):
            s.define(element.e, s.local_name(array.name, array.name))
        else:
            s.add(element.e)
    for _ in range(rng.pick((0, 1, 1, 2))):
        s.load(rng.pick("ffv"))
    if rng.chance(0.4):
        s.param()
    straight.temps(s, rng.below(3))
    closing(s, branches.branch, kinds="fv")


def row_helper(s: Sketch) -> None:
    """Rows of a matrix, or slices of an array, that a function of the module goes over."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    for _ in range(rng.pick((1, 1, 2))):
        _called_on_part(p)
    if rng.chance(0.5):
        s.load(rng.pick("ffv"))
    if rng.chance(0.3):
        s.param()
    straight.temps(s, rng.below(3))
    closing(s, branches.branch, kinds="fv")


def struct_helper(s: Sketch) -> None:
    """Records that a function of the module is given whole."""
    rng = s.rng
    s.open(rng.pick((1, 1, 1, 2)))
    for _ in range(rng.pick((1, 1, 2))):
        _called_on_record(s)
    if rng.chance(0.5):
        s.load(rng.pick("ffv"))
    straight.temps(s, rng.below(3))
    closing(s, branches.branch, kinds="fv")


# Rows and slices.


def _called_on_part(p: Pen) -> None:
    """A helper that goes over a row or a slice, and what it finds for this thread's own."""
    s, rng = p.s, p.s.rng
    width = rng.pick((3, 4, 4, 5, 6, 8))
    several = rng.chance(0.35)
    parts = [_part(p, width) for _ in range(2 if several else 1)]
    scalars = [Q(p, value) for value in operands(s, 1, "f")] if s.pool and rng.chance(0.4) else []
    if not scalars and rng.chance(0.4):
        scalars = [p.value(("scale", "alpha", "cutoff", "gain", "shift"), 0.2, 2.0)]
    sized = rng.chance(0.45)
    helper, span, lanes = _over_parts(p, len(parts), scalars, width, sized=sized)
    given = (*parts, *([] if sized else [_width(p, width)]), *(value.e for value in scalars))
    call = Expr("call", "f", s.al.real, span, given, helper.name)
    _given_back(s, call, lanes, ("total", "score", "r", "found", "acc_row", "energy", "part_sum", "val"))


def _given_back(s: Sketch, call: Expr, lanes: Lanes, names: tuple[str, ...]) -> None:
    """A variable for what a helper returns, in scope and unread.

    Raises:
        Discard: It hardly varies, or is not finite.
    """
    low, high = (float(end) for end in np.quantile(lanes, (0.03, 0.97)))
    if not high - low > 0.05 * max(abs(low), abs(high), 0.1) or not abs(low) + abs(high) < 1e3:
        raise Discard("constant")
    span = call.span._replace(usual_low=low, usual_high=high)
    text = s.names.claim(s.names_free(names))
    target = variable(text, call.type, span)
    s.emit(Assign(target, call._replace(span=span)))
    s.probe.weights = {}
    s.probe.settle(text, lanes)
    s.add(target)


def _width(p: Pen, width: int) -> Expr:
    return whole(width) if p.s.rng.chance(0.5) else p.count(("n", "width", "cols", "length", "stride"), width, width).e


def _part(p: Pen, width: int) -> Expr:
    """This thread's part of an array: a row, a column, or a slice of what lies in one line."""
    s, rng = p.s, p.s.rng
    (count,) = s.extents
    own = p.coords[0]
    type_ = ArrayType(s.al.real, 1)
    bounds: tuple[Expr, ...]
    form = rng.pick(("row", "row", "row", "column", "slice", "slice"))
    names = ("weights", "samples", "features", "signal", "heights", "table", "grid_rows", "coeffs", "levels", "probs")
    if form == "slice":
        name = p.reals(names, -1.0, 1.0, (count * width,)).e.name
        first = p.perhaps(own * width, "base", "start", "offset", "begin")
        bounds = (first.e, (first + width).e)
    else:
        name = p.reals(names, -1.0, 1.0, (count, width) if form == "row" else (width, count)).e.name
        bounds = (own.e,)
    s.fixed.add(name)
    return Expr(form, "a", type_, NO_SPAN, bounds, name)


def _over_parts(p: Pen, parts: int, scalars: list[Q], width: int, *, sized: bool) -> tuple[Helper, Span, Lanes]:
    """A helper that makes a number of the elements of its arrays, one after the other; and what it returns."""
    s = p.s
    inner = Sketch(s.rng, s.theme, s.style, Algebra(s.al.real, s.al.whole, s.al.chances), s.length, 6)
    inner.names = Names(s.module_names)
    inner.probe.looping = 1
    pen = Pen(inner)
    parameters: list[Parameter] = []
    arrays: list[Expr] = []
    for _ in range(parts):
        text = inner.names.claim(inner.names_free(_PARTS))
        parameters.append(Parameter(text, ArrayType(s.al.real, 1)))
        arrays.append(Expr("index", "f", s.al.real, usual(-1.0, 1.0), (), text))
    stop = Expr("extent", "i", INT32, exactly(width), (), arrays[0].name, 0)
    if not sized:
        text = inner.names.claim(inner.names_free(("n", "count", "width", "size")))
        parameters.append(Parameter(text, INT32))
        stop = variable(text, INT32, exactly(width))
        inner.probe.argument(stop)
    values: list[Q] = []
    for value in scalars:
        text = inner.names.claim(inner.names_free(("s", "w", "scale", "t", "c")))
        parameters.append(Parameter(text, s.al.real))
        made = variable(text, s.al.real, value.e.span)
        lanes = s.probe.of(value.e)
        inner.probe.weights = {}
        inner.probe.settle(text, lanes if isinstance(lanes, np.ndarray) else np.full(LANES, lanes))
        values.append(Q(pen, made))
    result = _folded(pen, arrays, values, Q(pen, stop), width)
    lanes = _tried(inner, arrays, result.e, width)
    inner.emit(Return(result.e))
    word = s.module_name(f"{s.rng.pick(_WORDS)}_{s.rng.pick(('sum', 'energy', 'score', 'mix', 'term', 'fold'))}")
    docs = describe_helper(word, parameters) if s.style.helper_docs else ""
    helper = Helper(word, tuple(parameters), s.al.real, tuple(inner.body), docs)
    s.helpers.append(helper)
    s.budget -= 3
    return helper, result.e.span, lanes


def _tried(s: Sketch, arrays: list[Expr], result: Expr, width: int) -> Lanes:
    """What a helper returns for arrays of which each turn of its loop reads elements of its own."""
    for statement in s.body:
        if isinstance(statement, For):
            counter = variable(statement.name, INT32, exactly(0))
            for _ in range(width):
                for array in arrays:
                    s.probe.element(array._replace(args=(counter,)))
                s.probe.goes_through(statement.body)
        else:
            s.probe.goes_through((statement,))
    return np.broadcast_to(s.probe.of(result), (LANES,)).copy()


def _folded(p: Pen, arrays: list[Expr], values: list[Q], stop: Q, width: int) -> Q:
    """A loop over the elements of arrays: what they give is added up, or its greatest or smallest kept."""
    s, rng = p.s, p.s.rng
    extreme = rng.chance(0.25)
    total = p.start(
        -1000.0 if extreme else 0.0, *(("best", "top", "peak") if extreme else ("acc", "total", "s_sum", "res"))
    )

    def body(k: Q) -> None:
        elements = [Q(p, array._replace(args=(k.e,))) for array in arrays]
        if rng.chance(max(0.4, s.style.locals)):
            elements = [p.let(element, "xk", "cur", "item", "a_k", "y_k") for element in elements]
        term = grown(p, *elements, *values, size=rng.pick((1, 1, 2, 3)))
        if rng.chance(0.4):
            term = p.let(term, "term", "d", "contrib", "part")
        if extreme:
            p.most_of(total, term, "max")
        else:
            p.add_to(total, term, width)

    p.loop(stop, _COUNTERS, body, most=width)
    found = p.now(total)
    if not extreme and rng.chance(0.35):
        found = found * float(f"{1.0 / width:.3g}") if rng.chance(0.5) else p.fn("abs", found)
    return found


# Records.


def _called_on_record(s: Sketch) -> None:
    """A helper that is given a record, and mostly a value of this thread's own beside it."""
    rng = s.rng
    before = list(s.fresh)
    own = rng.chance(0.5)
    if own:
        owner = records.items(s)
    else:
        records.parameters(s)
        owner = Expr("name", "s", s.arguments[-1].type, NO_SPAN, (), s.arguments[-1].name)
    fields = [value for value in s.fresh if value not in before]
    for value in fields:
        s.read(value)
    if not own and not any(value.kind in "fv" for value in s.fresh):
        s.load(rng.pick("fv"))
    values = [value for value in s.fresh if value.kind in "fv"][: rng.pick((1, 1, 2))] if not own or s.fresh else []
    for value in values:
        s.read(value)
    assert isinstance(owner.type, Struct)
    helper, span, lanes = _over_record(s, owner.type, values)
    call = Expr("call", kind_of(helper.returns), helper.returns, span, (owner, *values), helper.name)
    _given_back(s, call, lanes, ("response", "result_val", "f_val", "r", "val", "effect"))


def _over_record(s: Sketch, struct: Struct, values: list[Expr]) -> tuple[Helper, Span, Lanes]:
    """A helper that makes a value of a record's fields and of others; and what it returns."""
    rng = s.rng
    inner = Sketch(rng, s.theme, s.style, Algebra(s.al.real, s.al.whole, s.al.chances), s.length, rng.pick((2, 3, 5)))
    inner.names = Names(s.module_names)
    inner.probe.looping = 1
    text = inner.names.claim(inner.names_free((struct.name.lower(), struct.name[0].lower(), "item", "p", "cfg")))
    parameters = [Parameter(text, struct)]
    records.bring(inner, Expr("name", "s", struct, NO_SPAN, (), text))
    for value in values:
        wish = value.name if value.op == "name" and rng.chance(0.4) else rng.pick(("x", "u", "q", "v_in", "t"))
        name = inner.names.claim(wish)
        parameters.append(Parameter(name, value.type))
        made = variable(name, value.type, value.span)
        inner.add(made)
        inner.probe.weights = {}
        inner.probe.settle(name, s.probe.of(value))
    straight.temps(inner, rng.below(inner.budget + 1))
    kind = "v" if any(value.kind == "v" for value in inner.fresh) and rng.chance(0.5) else "f"
    rest = [value for value in inner.fresh if value.kind in "fv"]
    if len(rest) < len(inner.fresh):
        raise Discard("record")
    for value in rest:
        inner.read(value)
    while len(rest) > 3:
        pair = [rest.pop(rng.below(len(rest))) for _ in range(2)]
        want = "v" if "v" in (pair[0].kind, pair[1].kind) else "f"
        rest.append(inner.define(grow(inner, pair, 1, want), keep=False))
    result = grow(inner, rest or operands(inner, 1, kind), max(len(rest) - 1, 1), kind)
    lanes = inner.probe.check(result)
    inner.emit(Return(result))
    word = s.module_name(rng.pick(s.theme.temps) + rng.pick(("_of", "_for", "_response", "_law")), inner.names.taken)
    docs = f"Compute the {word.rpartition('_')[0].replace('_', ' ')} of a record." if s.style.helper_docs else ""
    helper = Helper(word, tuple(parameters), result.type, tuple(inner.body), docs)
    s.helpers.append(helper)
    s.helpers[:-1] = [*s.helpers[:-1], *inner.helpers]
    s.budget -= 1
    return helper, result.span, lanes
