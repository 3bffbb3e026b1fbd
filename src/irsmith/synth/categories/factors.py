"""The category that takes small matrices apart: stretches and rotations, principal values, orthogonal frames."""

from __future__ import annotations

from irsmith.synth.algebra import matrix, vector, whole
from irsmith.synth.categories.pen import Pen, Q, closing, grown
from irsmith.synth.factors import FACTORS
from irsmith.synth.ir import Expr, Span, Unpack
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT16, FLOAT32

_REACH = 0.2
"""The largest entry of what is added to the identity: so no singular value is zero."""

_FLAT = 0.0
"""The least in two dimensions: Warp 1.19.0 takes a turn that stretches nothing for the identity (`wp.svd2`)."""

_ENTRIES = Span(-1.0, 1.0, -0.6, 0.6)


def matrix_factors(s: Sketch) -> None:
    """Matrices taken apart: polar decompositions, principal stretches and stresses, orthogonal frames."""
    rng = s.rng
    if s.al.real is FLOAT16:
        s.al.real = FLOAT32
    form = rng.pick(("stretch", "stretch", "stretch", "flat", "principal", "principal", "frame"))
    s.length = 2 if form == "flat" else 3
    s.open(rng.pick((1, 1, 1, 2)))
    p = Pen(s)
    if form == "principal":
        _principal(p)
    elif form == "frame":
        _frame(p)
    else:
        _stretch(p, "svd2" if form == "flat" else "svd3")
    straight.temps(s, rng.below(3))
    if rng.chance(0.6):
        straight.finish(s, 3)
    else:
        closing(s, kinds="fv")


def _taken_apart(p: Pen, builtin: str, m: Q, *parts: tuple[str, tuple[str, ...], Span]) -> list[Q]:
    """Variables for the factors of a matrix.

    Args:
        p: The pen.
        builtin: What takes it apart.
        m: The matrix.
        parts: For each factor its kind, what it may be called, and where its entries lie.
    """
    s = p.s
    size, real = s.length, s.al.real
    made = FACTORS[builtin](s.probe.of(m.e))
    targets = []
    for kind, names, span in parts:
        text = s.names.claim(s.names_free(names))
        type = matrix(size, size, real) if kind == "m" else vector(size, real)
        targets.append(Expr("name", kind, type, span, (), text))
    s.read(m.e)
    s.emit(Unpack(tuple(targets), Expr(builtin, "s", m.e.type, m.e.span, (m.e,))))
    s.probe.derive(m.e, {target.name: lanes for target, lanes in zip(targets, made, strict=True)})
    return [Q(p, target) for target in targets]


def _gradient(p: Pen, names: tuple[str, ...]) -> Q:
    """A matrix that is not far from the identity, as a variable."""
    s, rng = p.s, p.s.rng
    square = matrix(s.length, s.length, s.al.real)
    least = _FLAT if s.length == 2 else -1.0
    unit = Q(p, Expr("identity", "m", square, Span(0.0, 1.0, 0.0, 1.0)))
    if rng.chance(0.5):
        held = p.at(
            p.array(("grad_u", "H", "strain_rate", "disp_grad", "C"), least * _REACH, _REACH, s.extents, square)
        )
        return p.let(unit + held, *names)
    rate = p.at(p.array(("grad_v", "vel_grad", "L", "C", "affine"), least, 1.0, s.extents, square))
    step = p.value(("dt", "time_step", "h"), 0.05, _REACH)
    if rng.chance(0.4):
        return p.let(unit + rate * step, *names)
    change = p.let(rate * step, "dF", "increment", "delta")
    return p.let(unit + change, *names)


def _stretch(p: Pen, builtin: str) -> None:
    """Singular values: how far a deformation stretches, and the rotation in it."""
    s, rng = p.s, p.s.rng
    size = s.length
    f = _gradient(p, ("F", "F_new", "deform", "def_grad", "A"))
    most = size * _REACH
    values = Span(1.0 - most, 1.0 + most, 1.0 - most / 4, 1.0 + most / 4)
    u, sigma, v = _taken_apart(
        p, builtin, f,
        ("m", ("U", "u"), _ENTRIES), ("v", ("sig", "sigma", "S", "stretch"), values), ("m", ("V", "v"), _ENTRIES),
    )  # fmt: skip
    uses = rng.shuffled(("rotation", "limited", "energy", "stress", "log", "ratio"))[: rng.pick((1, 1, 2))]
    for use in uses:
        if use == "rotation":
            _rotation(p, f, u, v)
        elif use in {"limited", "stress", "log"}:
            _along_axes(p, use, u, sigma, v)
        elif use == "energy":
            _energy(p, sigma)
        else:
            ratio = sigma[0] / sigma[size - 1] if rng.chance(0.6) else p.fn("log", sigma[0] / sigma[size - 1])
            p.keep(ratio, "cond", "anisotropy", "aspect", "ratio")


def _rotation(p: Pen, f: Q, u: Q, v: Q) -> None:
    rng = p.s.rng
    turned = u @ p.fn("transpose", v)
    turned = Q(p, turned.e._replace(span=_ENTRIES))
    r = p.let(turned, "R", "rot", "polar_r", "Q")
    form = rng.pick(("vector", "vector", "strain", "matrix"))
    if form == "vector":
        held = p.at(p.vectors(("rest_dirs", "velocities", "fibers", "edges", "offsets"), -1.0, 1.0))
        moved = r @ held if rng.chance(0.6) else p.fn("transpose", r) @ held
        p.keep(moved, "rotated", "goal", "aligned", "local_v")
    elif form == "strain":
        p.keep(p.fn("transpose", r) @ f, "strain", "stretch_mat", "S_mat")
    else:
        p.keep((f - r) * p.value(("mu", "shear", "two_mu"), 0.5, 4.0), "P", "stress", "piola")


def _along_axes(p: Pen, use: str, u: Q, sigma: Q, v: Q) -> None:
    """The matrix whose singular values are some function of those given."""
    s, rng = p.s, p.s.rng
    size = s.length
    parts = [sigma[k] for k in range(size)]
    if use == "limited":
        low, high = p.value(("lo", "sig_min", "min_stretch", "theta_c"), 0.85, 0.95), p.value(
            ("hi", "sig_max", "max_stretch", "theta_s"), 1.02, 1.15)  # fmt: skip
        parts = [p.fn("clamp", part, low, high) for part in parts]
        names: tuple[str, ...] = ("F_elastic", "clamped", "F_proj")
    elif use == "stress":
        mu = p.value(("mu", "shear", "shear_mod"), 0.5, 3.0)
        parts = [2.0 * mu * (part - 1.0) for part in parts]
        names = ("P", "stress", "piola")
    else:
        parts = [p.fn("log", part) for part in parts]
        names = ("log_strain", "hencky", "eps_log")
    core = p.perhaps(p.make(*parts), "d", "sig_new", "diag_vals", "principal")
    product = u @ p.fn("diag", core) @ p.fn("transpose", v)
    m = p.keep(product, *names)
    if rng.chance(0.35):
        s.read(m.e)
        held = p.at(p.vectors(("normals", "directions", "dX", "grads"), -1.0, 1.0))
        p.keep(m @ held, "traction", "force", "mapped", "f_i")


def _energy(p: Pen, sigma: Q) -> None:
    rng = p.s.rng
    size = p.s.length
    mu, bulk = p.value(("mu", "shear"), 0.5, 3.0), p.value(("lam", "bulk", "kappa"), 0.5, 3.0)
    jac = sigma[0]
    for k in range(1, size):
        jac = jac * sigma[k]
    jac = p.let(jac, "J", "det_f", "vol_ratio")
    if rng.chance(0.5):
        gaps = [p.let(sigma[k] - 1.0, f"e{k}", f"d{k}", f"s{k}") for k in range(size)]
        shear = gaps[0] * gaps[0]
        for gap in gaps[1:]:
            shear = shear + gap * gap
    else:
        ones = p.make(*(1.0 for _ in range(size)))
        shear = p.norm2(p.let(sigma - ones, "e", "stretch_err", "ds"))
    volume = p.let(jac - 1.0, "dJ", "vol_err")
    p.keep(mu * shear + 0.5 * bulk * (volume * volume), "psi", "energy", "w_elastic")


def _principal(p: Pen) -> None:
    """Eigenvalues of a symmetric matrix: principal stresses and axes."""
    s, rng = p.s, p.s.rng
    square = matrix(3, 3, s.al.real)
    form = rng.pick(("symmetric", "symmetric", "covariance"))
    if form == "symmetric":
        held = p.at(p.array(("grad_v", "stress_in", "tensors", "hess", "T"), -1.0, 1.0, s.extents, square))
        held = p.let(held, "A", "L", "t") if held.e.op == "index" else held
        m = p.let((held + p.fn("transpose", held)) * 0.5, "sym", "D", "eps", "S")
    else:
        a, b = (p.at(p.vectors(names, -1.0, 1.0)) for names in (("offsets", "r", "dx"), ("normals", "dirs", "fibers")))
        a, b = p.perhaps(a, "r_i", "d", "a"), p.perhaps(b, "n", "f", "b")
        m = p.let(p.do("outer", a, a) + p.do("outer", b, b), "cov", "M", "structure")
    most = 3.0 * max(-m.e.span.low, m.e.span.high)
    values = Span(-most, most, -most / 4, most / 4)
    q, d = _taken_apart(p, "eig3", m, ("m", ("Q", "vecs", "axes"), _ENTRIES), ("v", ("d", "lam", "evals"), values))
    use = rng.pick(("largest", "mises", "split", "squares", "exp"))
    if use == "largest":
        top = Q(p, s.al.do("vhigh", d.e))
        if rng.chance(0.5):
            top = p.let(top, "top", "d_max", "s1") - Q(p, s.al.do("vlow", d.e))
        p.keep(top, "tresca", "max_principal", "spread_d")
    elif use == "mises":
        gaps = [d[i] - d[j] for i, j in ((0, 1), (1, 2), (2, 0))]
        gaps = [p.let(gap, *names) for gap, names in zip(gaps, (("a", "g0"), ("b", "g1"), ("c", "g2")), strict=True)]
        total = gaps[0] * gaps[0] + gaps[1] * gaps[1] + gaps[2] * gaps[2]
        p.keep(p.fn("sqrt", 0.5 * total + 1e-2), "mises", "eq_stress", "von_mises")
    elif use == "squares":
        p.keep(p.norm2(d) * p.value(("mu", "weight", "k"), 0.3, 2.0), "energy", "norm_sq", "w_d")
    else:
        parts = [p.fn("max", d[k], 0.0) if use == "split" else p.fn("exp", d[k] * 0.3) for k in range(3)]
        core = p.perhaps(p.make(*parts), "pos", "d_new", "f_d")
        p.keep(q @ p.fn("diag", core) @ p.fn("transpose", q), "tensile", "mapped", "S_plus")
    if rng.chance(0.3) and s.fresh and s.fresh[-1].kind == "f":
        value = Q(p, s.fresh[-1])
        s.read(value.e)
        p.keep(grown(p, value, p.at(p.reals(("weights", "volumes", "scale"), 0.3, 2.0))), "scaled", "total", "measure")


def _frame(p: Pen) -> None:
    """An orthogonal frame and a triangle: axes made orthogonal, equations solved, determinants."""
    s, rng = p.s, p.s.rng
    a = _gradient(p, ("A", "M", "J", "basis"))
    entries = Span(-1.7, 1.7, -0.9, 0.9)
    q, r = _taken_apart(p, "qr3", a, ("m", ("Q", "q", "rot"), _ENTRIES), ("m", ("R", "r_mat", "upper"), entries))

    def at(row: int, column: int) -> Q:
        e = s.al.element(r.e, whole(row), whole(column))
        if row == column:
            e = e._replace(span=Span(0.4, 1.7, 0.85, 1.15))
        return Q(p, e)

    use = rng.pick(("axes", "axes", "solve", "solve", "determinant"))
    if use == "axes":
        held = p.at(p.vectors(("points", "velocities", "normals", "axes"), -1.0, 1.0))
        moved = q @ held if rng.chance(0.5) else p.fn("transpose", q) @ held
        p.keep(moved, "aligned", "in_frame", "y")
        if rng.chance(0.5):
            p.keep(at(0, 1) / at(0, 0), "shear", "skew_xy", "ratio")
    elif use == "solve":
        b = p.at(p.vectors(("b", "rhs", "residuals", "loads"), -1.0, 1.0))
        y = p.let(p.fn("transpose", q) @ b, "y", "qtb", "c")
        z = p.let(y[2] / at(2, 2), "x2", "z", "last")
        mid = p.let((y[1] - at(1, 2) * z) / at(1, 1), "x1", "mid", "w")
        first = p.let((y[0] - at(0, 1) * mid - at(0, 2) * z) / at(0, 0), "x0", "first", "t0")
        p.keep(p.make(first, mid, z), "x", "sol", "solution")
    else:
        p.keep(at(0, 0) * at(1, 1) * at(2, 2), "det", "volume", "jac")
        if rng.chance(0.5):
            held = p.at(p.vectors(("points", "edges"), -1.0, 1.0))
            p.keep(q @ held, "turned", "moved")
