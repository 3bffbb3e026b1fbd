"""The category of small systems of equations, one for each block: factored, and solved for their unknowns."""

from __future__ import annotations

from irsmith.synth.algebra import exactly, whole
from irsmith.synth.categories.pen import Q, closing
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.ir import Do, Expr, Span
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT16, FLOAT32

_RIGHT = ("b", "rhs", "residuals", "targets", "loads", "y_in")
_STATES = ("positions", "x_prev", "params_in", "guess", "velocities")
_BEFORE = ("z", "z_t", "half", "w_t", "inner")
_AFTER = ("x", "x_t", "sol", "delta", "u_t")
_UPPER = Expr("option", "s", FLOAT32, exactly(0), (), 'fill_mode="upper"')


def tile_solve(s: Sketch) -> None:
    """Each block solves a small system of equations: normal equations, or those of a triangle."""
    rng = s.rng
    if s.al.real is FLOAT16:
        s.al.real = FLOAT32
    p = TilePen(s)
    s.open(1, (rng.between(3, 6),))
    work = _Systems(p)
    for _ in range(rng.pick((0, 0, 1))):
        p.parameter()
    if rng.chance(0.5):
        work.normal()
    else:
        work.triangle()
    if rng.chance(0.35):
        # What the unknowns are steps of, or are weighed with.
        work.loaded(_STATES, "q", "x_old", "u_prev", "state")
    p.steps(rng.pick((0, 1, 1, 2, 2, 3)))
    total = rng.chance(0.15)
    p.finish(work.add_up if total else lambda tile: work.store(OUT, tile), most=1 if total else 2)
    if s.fresh:
        closing(s)


class _Systems:
    """Equations of which every block has a system: a matrix, and one or more right sides."""

    def __init__(self, p: TilePen) -> None:
        rng = p.s.rng
        self.p, self.size = p, rng.pick((3, 4, 4, 5, 6))
        self.side = p.extent(self.size, "N", "DIM", "DOFS", "SIZE")
        self.columns = 0 if rng.chance(0.75) else rng.pick((2, 3))
        wide = [p.extent(self.columns, "NRHS", "COLS", "K")] if self.columns else []
        p.shape = (self.side, *wide)
        p.extents = (p.s.extents[0], self.size, *([self.columns] if self.columns else []))

    def row(self, array: Q, shape: tuple[Expr, ...], *names: str) -> Q:
        """This block's part of an array, which nothing else is combined with."""
        p = self.p
        part = array.e._replace(args=(p.s.coords[0],))
        made = p.bind(p.call("tile_load", part, p.of_shape(*shape), span=array.e.span), None, *names)
        p.read_tile(made)
        p.known.remove(made)
        return made

    def square(self, names: tuple[str, ...], low: float, high: float, *called: str) -> Q:
        """A square matrix."""
        extents = (self.p.s.extents[0], self.size, self.size)
        return self.row(self.p.reals(names, low, high, extents), (self.side, self.side), *called)

    def loaded(self, names: tuple[str, ...], *called: str) -> Q:
        """This block's part of an array of the shape of the right sides, to be combined with others."""
        p = self.p
        array = p.reals(names, -1.0, 1.0, p.extents)
        made = p.bind(
            p.call("tile_load", array.e._replace(args=(p.s.coords[0],)), p.of_shape(*p.shape), span=array.e.span),
            None,
            *called,
        )
        p.raw.add(made.e.name)
        return made

    def right(self) -> Q:
        """The right side of this block's equations: what an array holds, or what is made of it and of others."""
        p, rng = self.p, self.p.s.rng
        for _ in range(rng.pick((1, 1, 1, 2, 2))):
            self.loaded(_RIGHT, "b_t", "r", "rhs_t", "y", "r2")
        p.steps(rng.pick((0, 0, 0, 1, 1, 2)))
        while len(p.tiles) > 1:
            p.operators(p.chosen(2))
        (right,) = p.tiles
        p.read_tile(right)
        # It may be solved in place.
        p.known.remove(right)
        return right

    def changed(self, matrix: Q) -> Q:
        """A matrix made of another one, element by element."""
        p = self.p
        made = p.s.rng.pick((p.operators, p.operators, p.mapped_helper))([matrix])
        p.read_tile(made)
        p.known.remove(made)
        return made

    def solved(self, builtin: str, matrix: Q | Expr, right: Q, names: tuple[str, ...], most: float, *more: Expr) -> Q:
        """What a builtin makes of a matrix and a right side: a new tile, or in place of the right side."""
        p, rng = self.p, self.p.s.rng
        e = right.e
        span = Span(-most, most, -0.5, 0.5)
        lanes = p.s.probe.of(e) + 0.1
        if rng.chance(0.25):
            p.s.emit(Do(p.call(f"{builtin}_inplace", matrix, right, *more)))
            p.s.settle(e.name, lanes)
            return Q(p, e._replace(span=span))
        return p.bind(p.call(builtin, matrix, right, *more, span=span, type=e.type), lanes, *names, keep=False)

    def normal(self) -> None:
        """``(J^T J + D) x = b``, by Cholesky's factor."""
        p, rng = self.p, self.p.s.rng
        jac = self.square(("J", "jac", "A", "basis"), -1.0, 1.0, "j_t", "jt", "a_t")
        if rng.chance(0.3):
            jac = self.changed(jac)
        ridge = p.reals(("damping", "ridge", "reg", "mass"), 0.5, 2.0, (p.s.extents[0], self.size))
        extra = self.row(ridge, (self.side,), "d", "reg_t", "damp")
        turned = p.call("tile_transpose", jac, span=jac.e.span)
        gram = p.call("tile_matmul", *rng.shuffled((turned, jac.e)), span=Span(-6.0, 6.0, -1.0, 1.0))
        held = p.bind(gram, p.s.probe.of(jac.e), "gram", "h", "hess", "jtj", keep=False)
        added = p.call("tile_diag_add", held, extra, span=Span(-6.0, 8.0, -1.0, 2.0))
        held = p.bind(added, p.s.probe.of(jac.e), "m", "h_reg", "spd", "lhs", keep=False)
        right = self.right()
        more = (_UPPER,) if rng.chance(0.25) else ()
        at_once = bool(more) or rng.chance(0.7)
        if at_once and rng.chance(0.4):
            p.s.emit(Do(p.call("tile_cholesky_inplace", held, *more)))
            factor = held
        else:
            made = p.call("tile_cholesky", held, *more, span=Span(-3.0, 3.0, -1.0, 1.0))
            factor = p.bind(made, p.s.probe.of(jac.e), "l_t", "chol", "fac", "L", keep=False)
        if at_once:
            x = self.solved("tile_cholesky_solve", factor, right, _AFTER, 6.0, *more)
        else:
            z = self.solved("tile_lower_solve", factor, right, _BEFORE, 6.0)
            x = self.solved("tile_upper_solve", p.call("tile_transpose", factor, span=factor.e.span), z, _AFTER, 6.0)
        self.known(x)

    def triangle(self) -> None:
        """Equations of a triangle, or of two that are held in one matrix."""
        rng = self.p.s.rng
        matrix = self.square(("L", "tri", "factors", "lu", "pivots"), 0.8, 1.4, "l_t", "m", "fac")
        right = self.right()
        form = rng.pick(("lower", "lower", "lower", "upper", "both"))
        if form != "upper":
            right = self.solved("tile_lower_solve", matrix, right, _BEFORE, 60.0)
        if form != "lower":
            right = self.solved("tile_upper_solve", matrix, right, _AFTER, 300.0)
        self.known(right)

    def known(self, x: Q) -> None:
        """Bring unknowns that were found into scope."""
        self.p.tiles.append(x)
        self.p.known.append(x)

    def add_up(self, tile: Q) -> None:
        """A sum over unknowns, as a scalar."""
        self.p.element(
            self.p.fold(tile, "sum", self.size * (self.columns or 1)), whole(0), names=("cost", "energy", "l1")
        )

    def store(self, names: tuple[str, ...], tile: Q) -> None:
        """Write a tile to this block's part of a new array."""
        p = self.p
        array = p.result(names, p.extents, p.s.al.real)
        p.put_tile("tile_store", array._replace(op="index", args=(p.s.coords[0],)), tile)
