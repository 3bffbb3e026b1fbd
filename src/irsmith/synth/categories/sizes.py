"""Categories of vectors and matrices of other sizes than those that have names of their own."""

from __future__ import annotations

from irsmith.synth.algebra import matrix, vector
from irsmith.synth.categories.base import spend
from irsmith.synth.categories.pen import Pen, Q, closing
from irsmith.synth.ir import Expr, Span
from irsmith.synth.moves import WIDE
from irsmith.synth.phases import branches, straight
from irsmith.synth.sketch import Sketch

_SHAPES = ((2, 3), (2, 3), (3, 2), (2, 4), (3, 4), (4, 3), (3, 5), (2, 5))


def wide_vector(s: Sketch) -> None:
    """Vectors longer than four: features, joint angles, weights, in a type of the module."""
    rng = s.rng
    s.length, s.repertoire = rng.pick((5, 5, 7, 8)), WIDE
    s.open(rng.pick((1, 1, 1, 2)))
    straight.loads(s, "v" + "".join(rng.pick("vvf") for _ in range(rng.pick((1, 1, 2, 3)))))
    if rng.chance(0.4):
        s.param()
    s.budget = max(s.budget, 5 + rng.below(4))
    spend(s, branches.branch, kinds="vvf")
    straight.finish(s)


def oblong_matrix(s: Sketch) -> None:
    """Matrices that are not square: projections, Jacobians and their transposes."""
    rng, p = s.rng, Pen(s)
    rows, columns = rng.pick(_SHAPES)
    s.length = rows
    s.open(rng.pick((1, 1, 1, 2)))
    real = s.al.real
    shape = s.extents if rng.chance(0.7) else (1,)
    held = p.array(("jac", "J", "proj", "basis_mat", "A", "weights_mat"), -1.0, 1.0, shape, matrix(rows, columns, real))
    m = p.at(held) if shape == s.extents else p.at(held, 0)
    m = p.perhaps(m, "m", "jac_i", "proj_i", "a_mat")
    x = p.at(p.array(("q_vel", "features", "inputs", "state_vec", "x"), -1.0, 1.0, s.extents, vector(columns, real)))
    x = p.perhaps(x, "v", "x_i", "feat", "dq")
    y = p.keep(Q(p, _product(m.e, x.e, rows, columns)), "y", "mapped", "projected", "task_vel", "out_vec")
    if rng.chance(0.45):
        # And back by the transpose, as forces go.
        turned = Expr("transpose", "m", matrix(columns, rows, real), m.e.span, (m.e,))
        force = p.perhaps(p.at(p.vectors(("force", "residual", "target", "err_vec"), -1.0, 1.0)), "f", "r", "e_vec")
        s.read(y.e)
        given = p.let(y - force if rng.chance(0.5) else y + force, "gap", "err", "rhs")
        back = p.let(Q(p, _product(turned, given.e, columns, rows)), "tau", "back", "grad", "g")
        value = p.fn("length", back) if rng.chance(0.5) else p.norm2(back)
        p.keep(value, "effort", "cost", "norm", "size")
    if rng.chance(0.5):
        s.load(rng.pick("fv"))
    straight.temps(s, rng.below(3))
    closing(s, branches.branch, kinds="fv")


def _product(m: Expr, x: Expr, rows: int, columns: int) -> Expr:
    """A matrix times a vector."""
    most = columns * max(-m.span.low, m.span.high) * max(-x.span.low, x.span.high)
    span = Span(-most, most, -most / 4, most / 4)
    scalar = m.type.scalar  # type: ignore[union-attr]
    return Expr("mvmul", "v", vector(rows, scalar), span, (m, x))
