"""Scientific computing: transforms, sorting, running results, linear algebra, interpolation, stencils."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth import shapes
from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, called, mul, products
from irsmith.frontends.jax.synth.learning.common import BATCH, WIDTH, before, tamed
from irsmith.frontends.jax.synth.moves import MIXED, PLAIN, grown
from irsmith.frontends.jax.synth.straight import fill, finish, statement

_SIGNAL = ("signal", "x", "wave", "series", "samples", "field")


def _ended(scope: Scope) -> None:
    # The shortest functions would be alike without one more.
    if scope.budget <= 3 and scope.rng.chance(0.85):
        statement(scope, MIXED, reshape=0.12)
    fill(scope, MIXED, reshape=0.12)
    finish(scope)


def _plain(scope: Scope, x: Expr) -> Expr:
    return x if x.size == 0 else scope.assign(x)


def fourier(scope: Scope) -> None:
    """A spectrum, or something done to one."""
    rng = scope.rng
    n = rng.pick((6, 8, 8, 10, 12, 16))
    lead: Shape = rng.pick(((), (), (rng.pick((2, 3)),)))
    x = _plain(scope, before(scope, scope.argument((*lead, n), _SIGNAL, bounds=(-1, 1))))
    bins = n // 2 + 1
    if rng.chance(0.4):
        window = scope.argument((n,), ("window", "taper"), bounds=(0.2, 1))
        x = scope.assign(mul(x, window))
    kind = rng.pick(("power", "lowpass", "multiplier", "full", "derivative"))
    spectrum = scope.names.claim(rng.pick(("spectrum", "spec", "freq", "x_hat")))
    scope.use(x)
    reach = x.reach * n
    if kind == "full":
        scope.write(f"{spectrum} = jnp.fft.fft({x.text})")
        pick = rng.pick(
            (
                f"jnp.real({spectrum}) ** 2 + jnp.imag({spectrum}) ** 2",
                f"jnp.real({spectrum})",
                f"{spectrum}.real + {spectrum}.imag",
            )
        )
        made = Expr(pick, 3, (*lead, n), scope.draft.real, -2 * reach**2 - reach, 2 * reach**2 + reach)
    else:
        scope.write(f"{spectrum} = jnp.fft.rfft({x.text})")
        if kind == "power":
            text = (
                f"jnp.abs({spectrum}) ** 2"
                if rng.chance(0.3)
                else (f"jnp.real({spectrum} * jnp.conj({spectrum})) / {n}")
            )
            made = Expr(text, 4, (*lead, bins), scope.draft.real, 0, reach**2)
        else:
            if kind == "multiplier":
                gain = scope.argument((bins,), ("gain", "response", "filt"), bounds=(0.2, 1.5))
                scope.use(gain)
                factor, grow = gain.text, 1.5
            elif kind == "lowpass":
                cut = rng.between(1, bins - 1)
                factor, grow = f"(jnp.arange({bins}) <= {cut})", 1.0
            else:
                k = number(rng, 0.1, 1.0)
                factor, grow = f"jnp.exp(-{k!r} * jnp.arange({bins}))", 1.0
            text = f"jnp.fft.irfft({spectrum} * {factor}, n={n})"
            made = Expr(text, 7, (*lead, n), scope.draft.real, -reach * grow, reach * grow)
    y = scope.assign(made, rng.pick(("y", "power", "filtered", "density")))
    scope.assign(tamed(scope, y, 8) if y.reach > 8 else add(y, scope.number(0.1)))
    _ended(scope)


def sorting(scope: Scope) -> None:
    """Values in order, the largest few, ranks."""
    rng = scope.rng
    shape: Shape = rng.pick(((rng.pick((5, 6, 8, 10, 12)),), (rng.pick(BATCH), rng.pick((4, 5, 6, 8)))))
    x = _plain(scope, before(scope, scope.argument(shape, ("x", "values", "scores", "keys"), bounds=(-2, 2))))
    n = shape[-1]
    kind = rng.pick(("sort", "top_k", "argsort", "median", "descending", "gaps", "rank", "pairs", "nearest"))
    if kind == "sort":
        y = scope.assign(called(f"jnp.sort({x.text}, axis=-1)", x, shape=shape, low=x.low, high=x.high), "ordered")
    elif kind == "descending":
        y = scope.assign(called(f"-jnp.sort(-{x.text}, axis=-1)", x, shape=shape, low=x.low, high=x.high), "ordered")
    elif kind == "top_k":
        k = rng.between(1, n - 1)
        scope.use(x)
        values, where = scope.names.claim(rng.pick(("top", "values", "best"))), scope.names.claim("indices")
        scope.write(f"{values}, {where} = {scope.draft.lax}.top_k({x.text}, {k})")
        y = scope.rebind(values, Expr("", 7, (*shape[:-1], k), x.dtype, x.low, x.high))
        if rng.chance(0.4):
            scope.rebind(where, Expr("", 7, (*shape[:-1], k), "int32", 0, n - 1))
        else:
            scope.lines[-1] = scope.lines[-1].replace(f"{values}, {where}", f"{values}, _")
    elif kind == "median":
        y = scope.assign(called(f"jnp.median({x.text}, axis=-1)", x, shape=shape[:-1], low=x.low, high=x.high), "mid")
    elif kind == "gaps":
        order = scope.assign(called(f"jnp.sort({x.text}, axis=-1)", x, shape=shape, low=x.low, high=x.high), "ordered")
        y = scope.assign(
            called(f"jnp.diff({order.text}, axis=-1)", order, shape=(*shape[:-1], n - 1), low=0, high=x.width), "gaps"
        )
    elif kind == "pairs":
        payload = scope.argument(shape, ("payload", "labels", "mass"), bounds=(-1, 1))
        scope.use(x, payload)
        ordered, moved = scope.names.claim("keys_sorted"), scope.names.claim(rng.pick(("moved", "carried")))
        scope.write(f"{ordered}, {moved} = {scope.draft.lax}.sort_key_val({x.text}, {payload.text})")
        scope.rebind(ordered, Expr("", 7, shape, x.dtype, x.low, x.high))
        y = scope.rebind(moved, Expr("", 7, shape, x.dtype, -1, 1))
    elif kind == "nearest":
        at = scope.argument((), ("target", "centre", "pivot"), bounds=(-1, 1))
        places = scope.names.claim(rng.pick(("nearest", "closest")))
        scope.use(x, at)
        scope.write(f"{places} = jnp.argmin(jnp.abs({x.text} - {at.text}), axis=-1, keepdims=True)")
        text = f"jnp.take_along_axis({x.text}, {places}, axis=-1)"
        y = scope.assign(called(text, x, shape=(*shape[:-1], 1), low=x.low, high=x.high), "found")
    else:
        payload = scope.argument(shape, ("payload", "weights", "costs"), bounds=(-1, 1))
        ranks = scope.names.claim("order")
        scope.use(x, payload)
        scope.write(f"{ranks} = jnp.argsort({x.text}, axis=-1)")
        text = f"jnp.take_along_axis({payload.text}, {ranks}, axis=-1)"
        y = scope.assign(Expr(text, 7, shape, x.dtype, -1, 1), rng.pick(("sorted_payload", "ranked")))
    if y.rank and rng.chance(0.4):
        w = scope.argument((y.shape[-1],), ("w", "discount", "decay"), bounds=(0.1, 1))
        scope.assign(mul(y, w))
    _ended(scope)


def cumulative(scope: Scope) -> None:
    """Running sums, products and extremes."""
    rng = scope.rng
    shape: Shape = rng.pick(((rng.pick((5, 6, 8, 10)),), (rng.pick(BATCH), rng.pick(WIDTH))))
    x = before(scope, scope.argument(shape, ("x", "increments", "returns", "steps"), bounds=(-1, 1)))
    for _ in range(rng.pick((1, 2, 2))):
        made = None
        for _ in range(8):
            made = made or shapes.cumulated(scope, x)
        require(made is not None)
        assert made is not None
        x = scope.assign(made)
        if x.reach > 8:
            x = scope.assign(tamed(scope, x))
    if rng.chance(0.25):
        y = scope.argument(x.shape, ("a", "decay", "gates"), bounds=(0.2, 0.9))
        text = (
            f"{scope.draft.lax}.associative_scan(lambda p, q: (p[0] * q[0], q[0] * p[1] + q[1]), "
            f"({y.text}, {x.text}))[1]"
        )
        scope.assign(called(text, y, x, shape=x.shape, low=-10 * x.reach, high=10 * x.reach))
    _ended(scope)


def _definite(scope: Scope, n: int) -> Expr:
    """A positive definite matrix made of an argument."""
    rng = scope.rng
    a = scope.argument((n, n), ("a", "m", "A", "basis"), bounds=(-1, 1))
    shift = rng.pick((1.0, 2.0, float(n)))
    text = f"{a.text} @ {a.text}.T + {shift!r} * jnp.eye({n})"
    made = replace(called(text, a, shape=(n, n), low=-n, high=n + shift), binding=3)
    return scope.assign(made, rng.pick(("spd", "cov", "gram", "K")))


def linear_algebra(scope: Scope) -> None:
    """Equations solved, factors, determinants."""
    rng = scope.rng
    n = rng.pick((2, 3, 3, 4, 5))
    kind = rng.pick(
        ("solve", "cholesky", "qr", "logdet", "inverse", "triangular", "ridge", "values", "bands", "update")
    )
    if kind == "values":
        _values(scope, n)
        _ended(scope)
        return
    if kind == "bands":
        _bands(scope)
        _ended(scope)
        return
    k = _definite(scope, n)
    b = scope.argument((n,) if rng.chance(0.6) else (n, rng.pick((1, 2, 3))), ("b", "rhs", "y"), bounds=(-1, 1))
    if rng.chance(0.4):
        b = _plain(scope, grown(scope, b, PLAIN, 1))
        require(b.reach <= 8 and b.rank >= 1 and b.shape[0] == n)
    reach = b.reach * n * 2
    if kind in ("solve", "ridge"):
        x = scope.assign(
            called(f"jnp.linalg.solve({k.text}, {b.text})", k, b, shape=b.shape, low=-reach, high=reach), "sol"
        )
        if rng.chance(0.5):
            text = f"jnp.sum({b.text} * {x.text})"
            scope.assign(called(text, b, x, shape=(), low=-reach * b.reach * n, high=reach * b.reach * n), "energy")
    elif kind == "cholesky":
        low = scope.assign(
            called(f"jnp.linalg.cholesky({k.text})", k, shape=(n, n), low=-n - 1, high=n + 1),
            rng.pick(("L", "chol", "factor")),
        )
        lower, upper = (bound * n for bound in products(low, b))
        scope.assign(replace(called(f"{low.text} @ {b.text}", low, b, shape=b.shape, low=lower, high=upper), binding=4))
    elif kind == "triangular":
        low = scope.assign(called(f"jnp.linalg.cholesky({k.text})", k, shape=(n, n), low=-n - 1, high=n + 1), "L")
        text = f"{scope.draft.jax}.scipy.linalg.solve_triangular({low.text}, {b.text}, lower=True)"
        scope.assign(called(text, low, b, shape=b.shape, low=-reach, high=reach), rng.pick(("white", "alpha")))
    elif kind == "update":
        low = scope.assign(called(f"jnp.linalg.cholesky({k.text})", k, shape=(n, n), low=-n - 1, high=n + 1), "L")
        v = scope.argument((n,), ("v", "direction", "innovation"), bounds=(-1, 1))
        lax = scope.draft.lax
        text = f"{lax}.linalg.cholesky_update({low.text}.T, {v.text}).T @ {b.text}"
        if rng.chance(0.4):
            factors = f"{low.text}, {k.text}, alpha={number(rng, 0.1, 1)!r}, beta=0.5, symmetrize_output=True"
            column = v.text if b.rank == 1 else f"{v.text}[:, None]"
            text = f"{lax}.linalg.symmetric_product({factors}) @ {b.text} + {column}"
        made = called(text, low, v, b, k, shape=b.shape, low=-4 * n * n * b.reach, high=4 * n * n * b.reach)
        scope.assign(replace(made, binding=3), rng.pick(("updated", "y", "moved")))
    elif kind == "qr":
        q, r = scope.names.claim("q"), scope.names.claim("r")
        scope.use(k)
        scope.write(f"{q}, {r} = jnp.linalg.qr({k.text})")
        one = scope.rebind(q, Expr("", 7, (n, n), k.dtype, -1, 1))
        scope.rebind(r, Expr("", 7, (n, n), k.dtype, -2 * n * n, 2 * n * n))
        scope.assign(
            replace(
                called(f"{one.text}.T @ {b.text}", one, b, shape=b.shape, low=-b.reach * n, high=b.reach * n), binding=4
            )
        )
    elif kind == "logdet":
        if rng.chance(0.5):
            text = f"jnp.linalg.slogdet({k.text})[1]"
            value = scope.assign(called(text, k, shape=(), low=-1, high=4 * n), "logdet")
        else:
            low = scope.assign(called(f"jnp.linalg.cholesky({k.text})", k, shape=(n, n), low=-n, high=n), "L")
            text = f"2.0 * jnp.sum(jnp.log(jnp.diag({low.text})))"
            value = scope.assign(called(text, low, shape=(), low=-1, high=4 * n), "logdet")
        scope.assign(mul(b, value))
    else:
        inv = scope.assign(called(f"jnp.linalg.inv({k.text})", k, shape=(n, n), low=-1, high=1), "k_inv")
        scope.assign(
            replace(called(f"{inv.text} @ {b.text}", inv, b, shape=b.shape, low=-reach, high=reach), binding=4)
        )
    _ended(scope)


def _values(scope: Scope, n: int) -> None:
    """Singular values, or the eigenvalues of a symmetric matrix."""
    rng = scope.rng
    a = scope.argument((n, rng.pick((n, n + 1))), ("a", "m", "A", "basis"), bounds=(-1, 1))
    if rng.chance(0.5):
        text = rng.pick(("jnp.linalg.svd({}, compute_uv=False)", "jnp.linalg.svdvals({})")).format(a.text)
        found = scope.assign(called(text, a, shape=(n,), low=0, high=2 * n), rng.pick(("s", "sigma", "spectrum")))
    else:
        text = f"jnp.linalg.eigvalsh({a.text} @ {a.text}.T)"
        found = scope.assign(called(text, a, shape=(n,), low=0, high=2 * n * n), rng.pick(("evals", "lam", "spectrum")))
    if rng.chance(0.5):
        scope.assign(called(f"jnp.sum({found.text} ** 2)", found, shape=(), low=0, high=4 * n**3), "energy")
    else:
        w = scope.argument((n,), ("w", "weights", "decay"), bounds=(0.1, 1))
        scope.assign(mul(tamed(scope, found), w))


def _bands(scope: Scope) -> None:
    """Equations of which each names three neighbours."""
    rng = scope.rng
    n, m = rng.pick((4, 5, 6, 8)), rng.pick((1, 2, 3))
    below, middle, above = (
        scope.argument((n,), wish, bounds=(-1, 1)) for wish in (("dl", "lower"), ("d", "diag"), ("du", "upper"))
    )
    b = scope.argument((n, m), ("b", "rhs", "loads"), bounds=(-1, 1))
    heavy = scope.assign(add(scope.number(rng.pick((3.0, 4.0))), middle), rng.pick(("main", "pivot_diag")))
    text = f"{scope.draft.lax}.linalg.tridiagonal_solve({below.text}, {heavy.text}, {above.text}, {b.text})"
    made = called(text, below, heavy, above, b, shape=(n, m), low=-3, high=3)
    scope.assign(made, rng.pick(("sol", "x", "deflection")))


_EQUATIONS = (
    ("{x} ** 3 + {k} * {x} - {c}", "3.0 * {x} ** 2 + {k}", (0.5, 2.0)),
    ("{x} + {k} * jnp.sin({x}) - {c}", "1.0 + {k} * jnp.cos({x})", (0.1, 0.6)),
    ("jnp.exp({x}) + {k} * {x} - {c}", "jnp.exp({x}) + {k}", (0.5, 2.0)),
    ("{x} + {k} * jnp.tanh({x}) - {c}", "1.0 + {k} * (1.0 - jnp.tanh({x}) ** 2)", (0.1, 1.0)),
)
"""Equations whose left side rises, with their slopes and what their parameter may be."""


def roots(scope: Scope) -> None:
    """Where a function is zero, by Newton's method, with the slope of the root itself."""
    rng, lax = scope.rng, scope.draft.lax
    shape: Shape = rng.pick(((), (4,), (6,), (8,), (3, 4)))
    c = _plain(scope, before(scope, scope.argument(shape, ("c", "target", "load", "level"), bounds=(-1.5, 1.5))))
    require(c.reach <= 4)
    equation, slope, bounds = rng.pick(_EQUATIONS)
    if rng.chance(0.5):
        k = f"{number(rng, *bounds)!r}"
    else:
        given = scope.argument((), ("k", "stiffness", "eps", "damping"), bounds=bounds)
        scope.use(given)
        k = given.text
    x = rng.pick(("x", "v", "u"))
    require(x not in scope.names.taken)
    residual, newton, tangent = (
        scope.names.claim(rng.pick(wishes))
        for wishes in (("residual", "f", "balance"), ("newton", "solve"), ("tangent_solve", "slope_of"))
    )
    steps = rng.pick((12, 15, 20))
    blocks = (
        (f"def {residual}({x}):", f"return {equation.format(x=x, k=k, c=c.text)}"),
        (
            f"def {newton}(g, guess):",
            f"return {lax}.fori_loop(0, {steps}, lambda _, {x}: {x} - g({x}) / ({slope.format(x=x, k=k)}), guess)",
        ),
        (f"def {tangent}(g, y):", "return y / g(jnp.ones_like(y))"),
    )
    for head, line in blocks:
        body = scope.inner()
        body.write(line)
        scope.put(body, head)
        scope.lines.append("")
    text = f"{lax}.custom_root({residual}, jnp.zeros_like({c.text}), {newton}, {tangent})"
    reach = c.reach + 2
    scope.assign(called(text, c, shape=c.shape, low=-reach, high=reach), rng.pick(("root", "x_star", "equilibrium")))
    _ended(scope)


def interpolation(scope: Scope) -> None:
    """Values between points."""
    rng = scope.rng
    n, m = rng.pick((4, 5, 6, 8)), rng.pick((4, 6, 8, 10))
    q = before(scope, scope.argument((m,), ("x", "query", "t", "positions"), bounds=(0.2, n - 1.2)))
    if rng.chance(0.4):
        q = add(q, scope.argument(rng.pick(((), (m,))), ("shift", "phase", "start"), bounds=(-0.5, 0.5)))
    q = _plain(scope, q)
    values = scope.argument((n,), ("table", "fp", "knots", "samples"), bounds=(-1, 1))
    values = _plain(scope, before(scope, values)) if rng.chance(0.5) else values
    low, high = values.low, values.high
    kind = rng.pick(("interp", "linear", "nearest", "cubic", "bilinear"))
    inside = (
        q
        if (q.low >= 0 and q.high <= n - 1)
        else scope.assign(
            called(f"jnp.clip({q.text}, 0.1, {n - 1.1:.1f})", q, shape=q.shape, low=0.1, high=n - 1.1), "t_in"
        )
    )
    if kind == "interp":
        cast = "" if scope.draft.real in ("float32", "float64") else f", dtype={values.text}.dtype"
        text = f"jnp.interp({inside.text}, jnp.arange({n}{cast or ', dtype=' + values.text + '.dtype'}), {values.text})"
        scope.assign(called(text, inside, values, shape=(m,), low=low, high=high), "y")
        _ended(scope)
        return
    floor = scope.names.claim(rng.pick(("i0", "left", "base")))
    scope.use(inside)
    if kind == "nearest":
        scope.write(f"{floor} = jnp.round({inside.text}).astype(jnp.int32)")
        scope.assign(Expr(f"{values.text}[{floor}]", 7, (m,), values.dtype, low, high, values.names), "y")
    else:
        scope.write(f"{floor} = jnp.floor({inside.text}).astype(jnp.int32)")
        frac = scope.assign(Expr(f"{inside.text} - {floor}", 3, (m,), values.dtype, 0, 1, inside.names), "frac")
        if kind == "cubic":
            frac = scope.assign(
                called(f"{frac.text} * {frac.text} * (3.0 - 2.0 * {frac.text})", frac, shape=(m,), low=0, high=1), "s"
            )
        text = f"(1.0 - {frac.text}) * {values.text}[{floor}] + {frac.text} * {values.text}[{floor} + 1]"
        scope.assign(replace(called(text, frac, values, shape=(m,), low=low, high=high), binding=3), "y")
    _ended(scope)


def _neighbours(name: str, rank: int) -> list[str]:
    """An array moved by one along each axis, there and back."""
    return [f"jnp.roll({name}, {step}, axis={axis})" for axis in range(rank) for step in (1, -1)]


def stencil(scope: Scope) -> None:
    """Neighbours on a grid."""
    rng = scope.rng
    two = rng.chance(0.6)
    shape: Shape = (rng.pick((5, 6, 8)), rng.pick((5, 6, 8))) if two else (rng.pick((8, 10, 12, 16)),)
    u = _plain(scope, before(scope, scope.argument(shape, ("u", "field", "grid", "temp"), bounds=(-1, 1))))
    k = scope.argument((), ("alpha", "kappa", "dt", "nu"), bounds=(0.05, 0.2))
    kind = rng.pick(("roll", "slice", "loop", "advect"))
    neighbours = _neighbours(u.text, len(shape))
    count = len(neighbours)
    if kind == "slice" and not two:
        text = f"{u.text}[2:] - 2.0 * {u.text}[1:-1] + {u.text}[:-2]"
        lap = scope.assign(
            replace(called(text, u, shape=(shape[0] - 2,), low=-4 * u.reach, high=4 * u.reach), binding=3),
            rng.pick(("lap", "curvature", "d2u")),
        )
        move = mul(k, lap)
        if rng.chance(0.5):
            text = f"{u.text}.at[1:-1].add({move.text})"
            scope.assign(called(text, u, move, shape=shape, low=-3 * u.reach, high=3 * u.reach), "u_new")
        else:
            scope.assign(add(replace(u, text=f"{u.text}[1:-1]", shape=lap.shape), move))
    elif kind == "advect":
        text = f"({neighbours[1]} - {neighbours[0]}) / 2.0"
        grad = scope.assign(replace(called(text, u, shape=shape, low=-u.reach, high=u.reach), binding=4), "grad_u")
        c = scope.argument(shape if rng.chance(0.5) else (), ("c", "velocity", "speed"), bounds=(-1, 1))
        way = mul(k, mul(c, grad))
        from irsmith.frontends.jax.synth.expr import sub

        scope.assign(sub(u, way))
    elif kind == "loop":
        steps = rng.pick((2, 3, 4, 5))
        body = scope.inner()
        body.write(f"lap = {' + '.join(_neighbours('v', len(shape)))} - {count}.0 * v")
        body.write(f"return v + {k.text} * lap")
        label = scope.names.claim(rng.pick(("step", "diffuse", "relax")))
        scope.put(body, f"def {label}(_, v):")
        scope.lines.append("")
        text = f"{scope.draft.lax}.fori_loop(0, {steps}, {label}, {u.text})"
        scope.assign(called(text, u, k, shape=shape, low=-u.reach, high=u.reach), "u_new")
    else:
        text = f"{' + '.join(neighbours)} - {count}.0 * {u.text}"
        lap = scope.assign(
            replace(called(text, u, shape=shape, low=-2 * count * u.reach, high=2 * count * u.reach), binding=3),
            rng.pick(("lap", "laplacian")),
        )
        scope.assign(add(u, mul(k, lap)))
    _ended(scope)
