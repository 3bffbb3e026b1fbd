"""Categories of access patterns: who reads and writes which element."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, usual, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.base import must, opened, spend
from irsmith.synth.errors import Discard
from irsmith.synth.grow import grow, operands, size_of
from irsmith.synth.ir import Assign, Atomic, Expr, If, Return, Span, Stmt
from irsmith.synth.moves import MECHANICAL
from irsmith.synth.phases import atomics, branches, functions, loops, records, straight, tables, whiles
from irsmith.synth.sketch import Sketch
from irsmith.synth.themes import nature, numbers
from irsmith.types import FLOAT16, INT32, Domain


def moved(coord: Expr, by: int) -> Expr:
    """A coordinate some places further."""
    if by == 0:
        return coord
    word = "add" if by > 0 else "sub"
    low, high, near, far = coord.span
    return Expr(word, "i", INT32, Span(low + by, high + by, near + by, far + by), (coord, whole(abs(by))))


_DIRECTIONS = {
    (-1,): ("left", "prev", "lo"), (1,): ("right", "next_val", "hi"), (-2,): ("left2", "prev2"), (2,): ("right2",
    "next2"),
    (-1, 0): ("up", "north", "top"), (1, 0): ("down", "south", "bottom"), (0, -1): ("left", "west"), (0,
    1): ("right", "east"),
    (-1, -1): ("nw", "up_left"), (-1, 1): ("ne", "up_right"), (1, -1): ("sw", "down_left"), (1, 1): ("se",
    "down_right"),
    (-1, 0, 0): ("x_lo", "back"), (1, 0, 0): ("x_hi", "front"), (0, -1, 0): ("y_lo", "below"), (0, 1, 0): ("y_hi",
    "above"),
    (0, 0, -1): ("z_lo", "near_val"), (0, 0, 1): ("z_hi", "far_val"), (0,): ("center", "c", "mid"), (0,
    0): ("center", "c", "mid"),
    (0, 0, 0): ("center", "c", "mid"),
}  # fmt: skip
_SHAPES: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((-1,), (1,)), ((-1,), (0,), (1,)), ((-2,), (-1,), (1,), (2,)), ((-1,), (0,)), ((0,), (1,))),
    2: (
        ((-1, 0), (1, 0), (0, -1), (0, 1)), ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)), ((0, -1), (0, 1)), ((-1, 0),
        (1, 0)),
        ((-1, -1), (-1, 1), (1, -1), (1, 1)), ((0, 0), (0, 1), (1, 0)),
    ),
    3: (((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)),
        ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))),
}  # fmt: skip


def stencil(s: Sketch) -> None:
    """An element from its neighbours, with the border guarded."""
    rng = s.rng
    rank = rng.pick((1, 1, 2, 2, 2, 3))
    # Enough along each axis for an inside.
    s.open(rank, (4, rng.between(4, 5), 4) if rank == 3 else ())
    for _ in range(1 if s.budget < 16 else rng.pick((1, 1, 2))):
        _neighbourhood(s, rank)
    if rng.chance(0.7):
        s.param()
    if rng.chance(0.35):
        s.load("f")
    spend(s, branches.branch)
    straight.finish(s, 2)
    close_border(s)


def close_border(s: Sketch) -> None:
    """Keep threads at the border from reading neighbours that are not there."""
    rng, al = s.rng, s.al
    s.guarded = True
    edges = _edges(s)
    # Either the border leaves early, perhaps with a value of its own, or everything else is for the inside.
    if rng.chance(0.65):
        tests = [
            al.compare(word, coord, bound)
            for coord, low, high in edges
            for word, bound in (("lt", low), ("ge", high))
            if bound is not None
        ]
        tests = [
            al.compare("eq", t.args[0], whole(0)) if t.op == "lt" and t.args[1].value == 1 and rng.chance(0.5) else t
            for t in tests
        ]
        body = [*_border_value(s), Return(None)]
        s.body[1:1] = [If(_joined(s, "either", tests), tuple(body))]
        return
    tests = [
        al.compare(word, coord, bound)
        for coord, low, high in edges
        for word, bound in (("ge", low), ("lt", high))
        if bound is not None
    ]
    s.body[1:] = [If(_joined(s, "both", tests), tuple(s.body[1:]))]


def _joined(s: Sketch, word: str, tests: list[Expr]) -> Expr:
    test = tests[0]
    for other in tests[1:]:
        test = s.al.connect(word, test, other)
    return test


def _edges(s: Sketch) -> list[tuple[Expr, Expr | None, Expr | None]]:
    """For each coordinate that a neighbour was read along: the first inside place, and the first behind the inside."""
    rng = s.rng
    reach: dict[int, list[int]] = {axis: [0, 0] for axis in range(len(s.coords))}

    def visit(e: Expr) -> None:
        if e.op == "index":
            for axis, subscript in enumerate(e.args):
                if subscript.op in {"add", "sub"} and len(e.args) == len(s.coords):
                    by = int(subscript.args[1].value) * (1 if subscript.op == "add" else -1)
                    reach[axis][0], reach[axis][1] = min(reach[axis][0], by), max(reach[axis][1], by)
        for arg in e.args:
            visit(arg)

    for place in s.neighbours:
        visit(place)
    by_shape = next((a for a in s.arguments if a.rank == len(s.coords) and a.shape == s.extents), None)
    use_shape = by_shape is not None and rng.chance(0.5)
    edges = []
    for axis, (coord, extent) in enumerate(zip(s.coords, s.extents, strict=True)):
        low, high = reach[axis]
        if low == high == 0:
            continue
        bound = None
        if high > 0:
            size = (
                Expr("extent", "i", INT32, exactly(extent), (), by_shape.name, axis)  # type: ignore[union-attr]
                if use_shape
                else _size_argument(s, axis, extent)
            )
            bound = moved(size, -high)
        edges.append((coord, whole(-low) if low < 0 else None, bound))
    return edges


def _size_argument(s: Sketch, axis: int, extent: int) -> Expr:
    words = (("n", "size", "nx", "width"), ("ny", "m", "height", "cols"), ("nz", "depth_n"))[axis]
    text = s.names.free(words, s.rng)
    s.arguments.append(Argument(text, INT32, 0, Direction.IN, (), Domain(extent, extent)))
    return variable(text, INT32, exactly(extent))


def _border_value(s: Sketch) -> list[Stmt]:
    """The border's own result: a copy of the field, where there is one of the same type."""
    out = next(
        (a for a in s.arguments if a.direction is Direction.OUT and a.type is s.al.real and a.shape == s.extents), None
    )
    field = next(
        (a for a in s.arguments if a.direction is Direction.IN and a.type is s.al.real and a.shape == s.extents), None
    )
    if out is None or field is None or s.rng.chance(0.5):
        return []
    span = usual(-1.0, 1.0)
    target = Expr("index", "f", out.type, span, s.coords, out.name)
    return [Assign(target, Expr("index", "f", field.type, span, s.coords, field.name))]


def _neighbourhood(s: Sketch, rank: int) -> None:
    """Read a field's neighbours, and combine them as people do before anything else."""
    rng, al = s.rng, s.al
    name, low, high = s.quantity("scalars")
    field = s.array(s.array_name(name), al.real, s.extents, Domain(low, high))
    shape = rng.pick(_SHAPES[rank])
    values = []
    for offset in shape:
        place = field._replace(args=tuple(moved(coord, by) for coord, by in zip(s.coords, offset, strict=True)))
        s.neighbours.append(place)
        values.append(s.define(place, s.names_free(_DIRECTIONS[offset])) if s.style.locals > 0.6 else s.add(place))
    neighbours = [value for value, offset in zip(values, shape, strict=True) if any(offset)]
    for value in neighbours:
        s.read(value)
    centre = field._replace(args=s.coords)
    s.neighbours.append(centre)
    centre_value = next((value for value, offset in zip(values, shape, strict=True) if not any(offset)), None)
    if len(neighbours) == 2 and rng.chance(0.5):
        slope = al.do("sub", neighbours[1], neighbours[0])
        slope = al.do("mul", al.literal(0.5), slope) if rng.chance(0.5) else slope
        s.define(slope, s.names_free(("grad", "slope", "central", "d_dx", "deriv")))
        if rng.chance(0.5):
            _laplacian(s, neighbours, centre_value or centre)
    elif len(neighbours) == 1:
        s.read(centre_value or centre)
        s.define(al.do("sub", neighbours[0], centre_value or centre), s.names_free(("diff", "grad", "slope", "jump")))
    elif rng.chance(0.65):
        _laplacian(s, neighbours, centre_value or centre)
    else:
        total = neighbours[0]
        for value in neighbours[1:]:
            total = al.do("add", total, value)
        if rng.chance(0.6):
            total = al.do("mul", al.literal({2: 0.5, 4: 0.25}.get(len(neighbours), 0.2)), total)
        s.define(total, s.names_free(("avg", "neighbor_sum", "mean_val", "smoothed")))


def _laplacian(s: Sketch, neighbours: list[Expr], centre: Expr) -> None:
    al = s.al
    s.read(centre)
    total = neighbours[0]
    for value in neighbours[1:]:
        total = al.do("add", total, value)
    held = al.do("mul", al.literal(float(len(neighbours))), centre)
    s.define(al.do("sub", total, held), s.names_free(("lap", "laplacian", "curvature", "d2")))


def scan(s: Sketch) -> None:
    """Running results along a row, one thread a row: sums, products, extremes, moving averages."""
    rng = s.rng
    s.open(1)
    for _ in range(rng.pick((0, 1, 1, 2))):
        s.load("f")
    if rng.chance(0.3):
        s.param()
    must(s, _scan)
    spend(s, loops.loop)
    if s.fresh:
        straight.finish(s, 2)


def _scan(s: Sketch) -> None:
    rng = s.rng
    turns = loops.trip(s, rng.pick((4, 6, 8, 10, 12, 16)), fixed=rng.chance(0.7))
    form = rng.pick(("sum", "sum", "sum", "max", "min", "decay", "product", "relax"))

    def body(target: Expr) -> None:
        out = s.output("f", s.al.real, Direction.OUT, (s.extents[0], turns.most))._replace(
            args=(s.coords[0], turns.counter)
        )
        s.emit(Assign(out, target))

    s.note("running total along the row", "scan the row")
    loops.accumulate(s, form, turns, 2, each=body, exclusive=rng.chance(0.25))


def histogram(s: Sketch) -> None:
    """Count or weigh values in the bins that they fall into."""
    rng, al = s.rng, s.al
    opened(s, "f")
    straight.temps(s, rng.pick((1, 2, 2, 3)))
    spend(s, branches.branch)
    values = [value for value in s.pool if value.kind == "f" and value.span.high - value.span.low > 0.5]
    if not values:
        raise Discard("histogram")
    value = rng.pick([value for value in values if value in s.fresh] or values)
    s.read(value)
    low, high = value.span.low, value.span.high
    bins = rng.pick((4, 8, 8, 10, 16, 32))
    width = (high - low) / bins
    shifted = (
        value
        if low >= 0
        else Expr("add", "f", al.real, usual(0.0, high - low), (value, al.literal(float(f"{-low:.3g}"))))
    )
    form = rng.random()
    if form < 0.5:
        scaled = Expr("mul", "f", al.real, usual(0.0, bins), (shifted, al.literal(float(f"{1.0 / width:.2g}"))))
    else:
        scaled = Expr("div", "f", al.real, usual(0.0, bins), (shifted, al.literal(float(f"{width:.2g}"))))
    index = Expr("cast", "i", INT32, Span(0, bins, bins // 4, 3 * bins // 4), (scaled,))
    # Bounds need not be tight: what falls outside goes to the last bin.
    inside = Expr("clamp", "i", INT32, Span(0, bins - 1, 0, bins - 1), (index, whole(0), whole(bins - 1)))
    s.probe.check(inside)
    text = s.names.claim(s.names_free(("bin_idx", "b", "bucket", "slot")))
    target = variable(text, INT32, inside.span)
    if rng.chance(0.5):
        s.emit(Assign(target, index))
        s.emit(Assign(target, inside._replace(args=(target, *inside.args[1:]))))
    else:
        s.emit(Assign(target, inside))
    cells = s.names.free(("hist", "histogram", "bins", "counts", "bin_counts"), rng)
    weights = [value for value in s.fresh if value.kind == "f"]
    if weights and rng.chance(0.6):
        for value in weights[:2]:
            s.read(value)
        weight = grow(s, weights[:2], size_of(s), "f")
        s.probe.check(weight)
        s.arguments.append(Argument(cells, al.real, 1, Direction.INOUT, (bins,), Domain(0.0, 1.0)))
        s.emit(Atomic("add", Expr("index", "f", al.real, usual(0.0, 1.0), (target,), cells), weight))
    else:
        s.arguments.append(Argument(cells, INT32, 1, Direction.INOUT, (bins,), Domain(0, 4)))
        s.emit(Atomic("add", Expr("index", "i", INT32, usual(0, 4), (target,), cells), whole(1)))
    while s.fresh:
        straight.finish(s)


def gather(s: Sketch) -> None:
    """Values read through an array of indices."""
    rng = s.rng
    opened(s, rng.pick(("f", "fv")))
    for _ in range(rng.pick((1, 1, 2))):
        must(s, _gathered)
    if rng.chance(0.12):
        s.attempt(lambda: tables.looked_up(s))
    spend(s, branches.branch)
    straight.finish(s)


def _gathered(s: Sketch) -> None:
    rng = s.rng
    size = rng.pick((8, 12, 16, 32))
    coords, extents = s.subscripts()
    several = rng.pick((1, 1, 2, 2, 3)) if len(coords) == 1 else 1
    text = s.names.free(
        ("indices", "index_map", "ids", "neighbors", "connectivity", "faces", "edges_idx", "parents", "lookup"), rng
    )
    shape = extents if several == 1 else (*extents, several)
    s.arguments.append(Argument(text, INT32, len(shape), Direction.IN, shape, Domain(0, size - 1)))
    kind = "v" if rng.chance(0.3) else "f"
    type, (quantity, low, high) = s.array_type(kind)
    table = s.array(s.array_name(quantity), type, (size,), Domain(low, high))
    for position in range(several):
        subscripts = coords if several == 1 else (*coords, whole(position))
        index = Expr("index", "i", INT32, usual(0, size - 1), subscripts, text)
        if rng.chance(max(0.4, s.style.locals)):
            index = s.define(
                index, s.names_free(("idx", "j", "src_idx", "nb", "a", "b", "k", "left_id", "other")), keep=False
            )
        element = table._replace(args=(index,))
        if rng.chance(max(0.3, s.style.locals)):
            s.define(
                element, s.local_name(quantity, table.name) if several == 1 else f"{quantity[0].lower()}{position}"
            )
        else:
            s.add(element)


def scatter(s: Sketch) -> None:
    """Results written somewhere else than where they were read: by atomics, or to places that no two threads share."""
    rng = s.rng
    opened(s, rng.pick(("f", "fv", "f")))
    spend(s, branches.branch)
    if rng.chance(0.5):
        must(s, atomics.scattered)
        while s.fresh:
            must(s, atomics.scattered)
        return
    while s.fresh:
        must(s, _placed)


def _placed(s: Sketch) -> None:
    """Store to a place of this thread's own, found by arithmetic."""
    rng = s.rng
    values = rng.shuffled(s.fresh)[:2] or operands(s, 1, "fv")
    for value in values:
        s.read(value)
    kind = "v" if any(value.kind == "v" for value in values) else "f"
    value = grow(s, values, max(straight.work_left(s), len(values) - 1), kind)
    lanes = s.probe.of(value) if value.op == "name" else s.probe.check(value)
    if not s.probe.varies_by_thread(lanes):
        raise Discard("the same for every thread")
    coords, extents = s.coords, s.extents
    places: tuple[Expr, ...]
    shape: tuple[int, ...]
    if len(coords) == 1:
        i, n = coords[0], extents[0]
        roll = rng.random()
        if roll < 0.4:
            flipped = Expr("sub", "i", INT32, usual(0, n - 1), (whole(n - 1), i))
            places, shape = (flipped,), (n,)
        elif roll < 0.75:
            stride = rng.pick((2, 2, 3, 4))
            at = Expr(
                "mul", "i", INT32, usual(0, stride * n), (i, whole(stride)) if rng.chance(0.5) else (whole(stride), i)
            )
            places, shape = (moved(at, rng.below(stride)),), (n * stride,)
        else:
            shift = rng.pick((1, 2, 3, 5))
            turned = Expr("rem", "i", INT32, usual(0, n - 1), (moved(i, shift), whole(n)))
            places, shape = (turned,), (n,)
    elif len(coords) == 2 and rng.chance(0.5):
        places, shape = coords[::-1], extents[::-1]
    elif len(coords) == 2:
        flat = Expr(
            "add",
            "i",
            INT32,
            usual(0, extents[0] * extents[1]),
            (Expr("mul", "i", INT32, usual(0, extents[0] * extents[1]), (coords[0], whole(extents[1]))), coords[1]),
        )
        places, shape = (flat,), (extents[0] * extents[1],)
    else:
        places, shape = (coords[-1], *coords[:-1]), (extents[-1], *extents[:-1])
    if len(places) == 1 and rng.chance(0.5):
        text = s.names.claim(s.names_free(("dst_idx", "out_idx", "target_id", "slot", "pos_idx")))
        place = variable(text, INT32, places[0].span)
        s.emit(Assign(place, places[0]))
        places = (place,)
    out = s.output(kind, value.type, Direction.OUT, shape)
    s.emit(Assign(out._replace(args=places), value))


def helper_function(s: Sketch) -> None:
    """Work handed to functions of the module."""
    opened(s, s.rng.pick(("f", "fv")), fewest=2)
    for _ in range(s.rng.pick((1, 1, 2, 3))):
        must(s, functions.call)
    spend(s, functions.call, functions.call, branches.branch)
    straight.finish(s)


def struct(s: Sketch) -> None:
    """Records in, records out."""
    rng = s.rng
    if rng.chance(0.25) and s.al.real is not FLOAT16:
        # Bodies, with frames and rotations among their fields.
        s.length, s.repertoire, s.theme = (
            3,
            MECHANICAL,
            rng.pick((nature.PARTICLES, numbers.ROBOTICS, numbers.ROBOTICS)),
        )
    s.open(rng.pick((1, 1, 1, 2)))
    roll = rng.random()
    if roll < 0.7 or s.repertoire is MECHANICAL:
        records.items(s)
    if roll > 0.45:
        records.parameters(s)
        s.load("f")
    spend(s, branches.branch, functions.call, kinds="fv")
    if rng.chance(0.4):
        s.attempt(lambda: records.result(s))
    while s.fresh:
        straight.finish(s)


def while_loop(s: Sketch) -> None:
    """Loops that run until something holds."""
    opened(s, s.rng.pick(("f", "f", "fi", "i")))
    straight.temps(s, s.rng.pick((0, 0, 1)))
    must(s, whiles.while_phase)
    spend(s, whiles.while_phase, branches.branch)
    straight.finish(s)


def early_exit(s: Sketch) -> None:
    """Threads that leave before the end."""
    opened(s, s.rng.pick(("f", "fi", "fv")), fewest=2)
    straight.temps(s, s.rng.pick((0, 1)))
    must(s, branches.leave_early)
    spend(s, branches.leave_early, branches.branch, loops.loop)
    straight.finish(s)
