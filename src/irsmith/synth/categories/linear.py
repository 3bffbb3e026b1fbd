"""Categories of linear algebra: products, sweeps, solves, powers and orthogonalisation."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.algebra import usual, whole
from irsmith.synth.categories.pen import Pen, Q, closing, grown, outside
from irsmith.synth.ir import Expr, If, Span
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32

_LEFT = ("A", "a", "lhs", "matrix", "W", "K", "jac", "X")
_RIGHT = ("B", "b_mat", "rhs", "other", "V", "Y", "basis")


def matrix_product(s: Sketch) -> None:
    """An element of a product of matrices: plain, transposed, batched, weighted, with an epilogue."""
    rng, p = s.rng, Pen(s)
    rank = rng.pick((2, 2, 2, 3))
    s.open(rank)
    coords, extents = p.coords, s.extents
    row, column = coords[-2], coords[-1]
    inner = rng.pick((3, 4, 6, 8))
    batch, batch_shape = coords[:-2], extents[:-2]
    left_t, right_t = rng.chance(0.3), rng.chance(0.3)
    a = p.reals(_LEFT, -1.0, 1.0, (*batch_shape, *((inner, extents[-2]) if left_t else (extents[-2], inner))))
    shared = rng.chance(0.4)
    b = p.reals(
        _RIGHT,
        -1.0,
        1.0,
        (*(() if shared else batch_shape), *((extents[-1], inner) if right_t else (inner, extents[-1]))),
    )
    diagonal = p.reals(("diag", "scales", "weights", "d"), 0.2, 2.0, (inner,)) if rng.chance(0.35) else None
    acc = p.start(0.0, "acc", "total", "s_val", "dot_val", "c_ij")
    stop: Q | int = p.count(("k_dim", "inner_dim", "K_len", "depth_n"), inner, inner) if rng.chance(0.4) else inner
    twist = rng.pick(("plain", "plain", "plain", "distance", "kernel", "max"))

    def each(k: Q) -> None:
        x = p.at(a, *batch, *((k, row) if left_t else (row, k)))
        y = p.at(b, *(() if shared else batch), *((column, k) if right_t else (k, column)))
        if rng.chance(0.3):
            x, y = p.let(x, "a_ik", "av", "x_k"), p.let(y, "b_kj", "bv", "y_k")
        if twist == "distance":
            gap = p.let(x - y, "diff", "gap", "d_k")
            term = gap * gap if rng.chance(0.7) else p.fn("abs", gap)
        elif twist == "kernel":
            term = p.fn("exp", -p.fn("abs", x - y)) if rng.chance(0.5) else p.fn("min", x, y)
        elif twist == "max":
            p.most_of(acc, x + y if rng.chance(0.5) else x * y, "max")
            return
        else:
            term = x * y
        p.add_to(acc, p.at(diagonal, k) * term if diagonal is not None else term, inner)

    p.loop(stop, ("k", "p_idx", "m", "l"), each)
    result = p.now(acc)
    for step in rng.shuffled(("alpha", "bias", "beta", "activation"))[: rng.pick((0, 1, 1, 2))]:
        if step == "alpha":
            result = p.value(("alpha", "scale", "inv_sqrt_d"), 0.2, 2.0) * result
        elif step == "bias":
            result = result + p.at(p.reals(("bias", "shift", "offset"), -1.0, 1.0, (extents[-1],)), column)
        elif step == "beta":
            result = result + p.value(("beta", "decay", "momentum"), 0.1, 0.9) * p.at(
                p.reals(("C_in", "previous", "residual"), -1.0, 1.0)
            )
        else:
            result = p.fn("max", result, 0.0) if rng.chance(0.5) else p.fn("tanh", result)
    s.add(result.e) if result.e.op == "name" else p.keep(result, "out_val", "res", "c_val", "y_val")
    closing(s)


def matrix_vector(s: Sketch) -> None:
    """A row times a vector, and what is done with it: residuals, sweeps, powers, projections."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    i = p.coords[0]
    n = s.extents[0]
    square = rng.chance(0.5)
    inner = n if square else rng.pick((4, 6, 8, 12))
    a = p.reals(_LEFT, -1.0, 1.0, (n, inner))
    x = p.reals(("x", "v", "vec", "p_vec", "solution"), -1.0, 1.0, (inner,))
    form = (
        rng.pick(("product", "residual", "jacobi", "triangular", "quadratic", "norm"))
        if square
        else rng.pick(("product", "residual", "quadratic", "norm"))
    )
    acc = p.start(0.0, "acc", "sigma", "ax", "row_dot", "total")
    norm = p.start(0.0, "norm_sq", "row_norm", "aa") if form in {"norm", "quadratic"} else None
    most = inner

    def each(k: Q) -> None:
        v = p.at(a, i, k)
        v = p.let(v, "a_ij", "coef", "a_val") if norm is not None or rng.chance(0.3) else v

        def add() -> None:
            p.add_to(acc, v * p.at(x, k), most)

        if form == "jacobi" and rng.chance(0.8):
            p.s.emit(_if_other(p, k, i, add))
        else:
            add()
        if norm is not None:
            p.add_to(norm, v * v if v.e.op == "name" else p.do("square", v), most)

    if form == "triangular":
        p.loop(i, ("k", "j"), each, most=n)
    else:
        stop: Q | int = p.count(("n_cols", "dim", "cols_n"), inner, inner) if rng.chance(0.3) else inner
        p.loop(stop, ("k", "j"), each)
    total = Q(p, p.now(acc).e)
    b = (
        p.at(p.reals(("b", "rhs", "f_vec", "target"), -1.0, 1.0))
        if form in {"residual", "jacobi", "triangular"} or rng.chance(0.3)
        else None
    )
    if form == "residual" and b is not None:
        r = p.let(b - total, "r", "res", "residual")
        p.s.add(r.e)
        if rng.chance(0.5):
            p.atomic("add", p.at(p.totals(("norm_out", "rr", "err_total"), (1,), s.al.real), 0), r * r)
            s.read(r.e)
    elif form in {"jacobi", "triangular"} and b is not None:
        d = p.at(p.reals(("diag", "d", "pivots"), 1.0, 3.0))
        new = p.let((b - total) / d, "x_new", "xi", "y_i")
        if rng.chance(0.6):
            omega = p.value(("omega", "relax", "w"), 0.3, 1.2)
            old = p.at(x, i)
            p.keep(
                old + omega * (new - old) if rng.chance(0.5) else (1.0 - omega) * old + omega * new,
                "relaxed",
                "x_next",
                "blend",
            )
        else:
            s.add(new.e)
    elif norm is not None:
        size = p.now(norm)
        size = Q(p, size.e._replace(span=Span(max(0.0, size.e.span.low), *size.e.span[1:])))
        p.keep(
            total / (size + rng.pick((0.1, 0.5, 1.0))) if rng.chance(0.6) else total * p.fn("sqrt", size + 0.1),
            "proj",
            "scaled",
            "coeff",
        )
        if b is not None:
            s.add(b.e)
    else:
        s.add(total.e)
        if b is not None:
            s.add(b.e)
    closing(s)


def _if_other(p: Pen, k: Q, i: Q, add: Callable[[], None]) -> If:
    return If(p.s.al.compare("ne", k.e, i.e), p.s.block(add))


def vector_update(s: Sketch) -> None:
    """Steps of iterative solvers: conjugate gradients, gradient descent, Krylov vectors, orthogonalisation."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    i = p.coords[0]
    names = rng.shuffled(
        (("x", "sol"), ("r", "residual"), ("d", "p_dir"), ("q", "Ap"), ("z", "precond"), ("g", "grad"))
    )
    vectors = [
        p.perhaps(p.at(p.reals(words, -1.5, 1.5)), words[0] + "_i", words[1] + "_i")
        for words in names[: rng.pick((2, 3, 3, 4))]
    ]
    scalars: list[Q] = []
    for words in rng.shuffled((("alpha", "step"), ("beta", "momentum"), ("rho", "rz"), ("omega", "shift")))[
        : rng.pick((1, 1, 2))
    ]:
        if rng.chance(0.4):
            held = p.reals((words[0] + "_buf", words[1] + "_arr"), 0.2, 1.5, (1,))
            scalars.append(p.let(p.at(held, 0), words[0], words[1] + "_val"))
        else:
            scalars.append(p.value(words, 0.2, 1.5))
    if rng.chance(0.3):
        top, bottom = p.reals(("rz_new", "dot_new"), 0.1, 2.0, (1,)), p.reals(("rz_old", "dot_old"), 0.5, 2.0, (1,))
        scalars.append(p.let(p.at(top, 0) / p.at(bottom, 0), "beta", "ratio", "mu"))
    results: list[Q] = []
    rest = list(vectors)
    while len(rest) > 1:
        a, b = rest.pop(0), rest.pop(0)
        factor = scalars[len(results) % len(scalars)]
        new = p.let(a + factor * b if rng.chance(0.6) else a - factor * b, "x_new", "r_new", "d_new", "next_v", "upd")
        results.append(new)
        if rest and rng.chance(0.6):
            rest.insert(0, new)
    if rest and not any(r.e == rest[0].e for r in results):
        results[-1:] = [p.let(results[-1] * rest[0], "prod_i", "had", "w_i")]
    for factor in scalars[len(results) :]:
        results[-1] = p.let(results[-1] * factor, "scaled", "damped", "y_i")
    if rng.chance(0.5):
        basis_count = rng.pick((2, 3, 4))
        basis = p.reals(("basis", "Q_vecs", "krylov"), -1.0, 1.0, (basis_count, s.extents[0]))
        coefs = p.reals(("coefs", "h_col", "projections"), -1.0, 1.0, (basis_count,))
        v = p.begin(results[-1], "v", "w_vec", "ortho", span=usual(-8.0, 8.0))

        def each(k: Q) -> None:
            p.add_to(v, p.at(coefs, k) * p.at(basis, k, i), basis_count, "sub")

        p.loop(basis_count, ("k", "j"), each)
        results[-1] = Q(p, v.e)
    for result in results[-2:]:
        s.add(result.e)
    if rng.chance(0.35):
        last = Q(p, s.fresh[-1])
        s.read(last.e)
        p.atomic("add", p.at(p.totals(("dot_out", "norm_sq", "rr_out"), (1,), s.al.real), 0), last * last)
        p.store(("v_out", "next_vec", "r_out"), last)
    straight.temps(s, rng.below(2))
    closing(s) if s.fresh else None


def dense_solve(s: Sketch) -> None:
    """A small system for each thread, worked out in loops: elimination, substitution, powers, Gram matrices."""
    rng, p = s.rng, Pen(s)
    s.open(1)
    i = p.coords[0]
    n = rng.pick((3, 4, 4, 5, 6))
    m = p.reals(("L", "U", "A", "mats", "factor"), -1.0, 1.0, (s.extents[0], n, n))
    form = rng.pick(("forward", "power", "gram", "norms", "apply"))
    extent = usual(0, n - 1)
    if form in {"forward", "apply"}:
        b = p.reals(("b", "rhs", "y"), -1.0, 1.0, (s.extents[0], n))
        diag = p.reals(("inv_diag", "pivots_inv", "scales"), 0.3, 1.5, (n,)) if rng.chance(0.6) else None
        total = p.start(0.0, "norm", "total", "energy", "sum_x")

        def row(r: Q) -> None:
            acc = p.begin(p.at(b, i, r), "acc", "s_r", "y_r", span=usual(-8.0, 8.0))

            def inner(k: Q) -> None:
                p.add_to(acc, p.at(m, i, r, k) * p.at(b, i, k), n, "sub" if form == "forward" else "add")

            p.loop(r if form == "forward" else n, ("k", "c", "j"), inner, most=n)
            value = Q(p, acc.e)
            if diag is not None:
                value = value * p.at(diag, r)
            value = p.let(value, "x_r", "val", "z_r") if value.e.op != "name" else value
            p.add_to(total, value * value if rng.chance(0.5) else p.fn("abs", value) if rng.chance(0.5) else value, n)

        p.loop(n, ("r", "row", "q"), row)
        p.result(total)
    else:
        first = p.start(0.0, "trace", "acc", "frob", "top")
        second = p.start(0.0, "off", "skew", "low_sum") if rng.chance(0.5) else None
        weights = p.reals(("w", "vec", "direction"), -1.0, 1.0, (n,)) if rng.chance(0.6) else None

        def outer(r: Q) -> None:
            def inner(c: Q) -> None:
                v = p.at(m, i, r, c)
                t = p.at(m, i, c, r)
                v = p.let(v, "a_rc", "v", "e_rc") if rng.chance(0.5) or second is not None else v
                term = v * t if form == "gram" else v * v if v.e.op == "name" else p.do("square", v)
                if form == "power" and weights is not None:
                    term = p.at(weights, r) * v * p.at(weights, c)
                elif weights is not None:
                    term = term * p.at(weights, c)
                p.add_to(first, term, n * n)
                if second is not None:
                    skew = p.fn("abs", v - t) if rng.chance(0.5) else v + t
                    p.add_to(second, skew, n * n)

            start: Q | int | None = None
            if rng.chance(0.3):
                start = Q(p, Expr("add", "i", INT32, extent, (r.e, whole(1)))) if rng.chance(0.5) else r
            p.loop(n, ("c", "j", "k"), inner, first=start)

        p.loop(n, ("r", "row", "q"), outer)
        p.result(first)
        if second is not None:
            p.result(second)
    if rng.chance(0.4):
        result = outside(p)
        p.keep(grown(p, *result, p.value(("scale", "shift", "tol"), 0.2, 1.5)), "measure", "cond", "score")
    closing(s)
