"""Categories of regular grids: image filters, steps of partial differential equations, launches of many axes."""

from __future__ import annotations

from irsmith.synth.algebra import usual, whole
from irsmith.synth.categories.patterns import close_border, moved
from irsmith.synth.categories.pen import Pen, Q, closing, grown, outside
from irsmith.synth.ir import Expr
from irsmith.synth.phases import straight
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32

_IMAGES = ("image", "img", "src", "pixels", "frame", "channel", "luma", "depth_map")


def _clamped(p: Pen, coord: Q, offset: Q | int, extent: int) -> Q:
    """A coordinate some places further, kept inside."""
    s = p.s
    span = usual(0, extent - 1)
    if isinstance(offset, int):
        if offset == 0:
            return coord
        word = "add" if offset > 0 else "sub"
        inner = Expr(word, "i", INT32, span, (coord.e, whole(abs(offset))))
        return Q(p, Expr("min" if offset > 0 else "max", "i", INT32, span,
            (inner, whole(extent - 1 if offset > 0 else 0))))  # fmt: skip
    inner = Expr("add", "i", INT32, span, (coord.e, offset.e))
    if s.rng.chance(0.6):
        return Q(p, Expr("clamp", "i", INT32, span, (inner, whole(0), whole(extent - 1))))
    return Q(p, Expr("min", "i", INT32, span, (Expr("max", "i", INT32, span, (inner, whole(0))), whole(extent - 1))))


def image_filter(s: Sketch) -> None:
    """A window over an image: convolutions, blurs, edges, extremes and range-weighted means."""
    rng, p = s.rng, Pen(s)
    height, width = rng.between(5, 8), rng.between(5, 8)
    s.open(2, (height, width))
    image = p.reals(_IMAGES, 0.0, 1.0)
    roll = rng.random()
    if roll < 0.3:
        _edges(p, image, height, width)
    else:
        _window(p, image, height, width, ("convolve", "convolve", "mean", "extreme", "range")[rng.below(5)])
    if rng.chance(0.5):
        amount = p.value(("amount", "strength", "gain", "sharpness", "mix"), 0.2, 1.5)
        centre = p.let(p.at(image), "center", "orig", "pix", "base") if rng.chance(0.6) else p.at(image)
        values = outside(p)
        p.keep(centre + amount * (centre - values[0]) if rng.chance(0.5) else p.fn("lerp", centre, values[0], amount),
            "sharp", "mixed", "enhanced", "filtered")  # fmt: skip
    if rng.chance(0.4):
        s.load("f")
    closing(s)


def _window(p: Pen, image: Q, height: int, width: int, form: str) -> None:
    _s, rng = p.s, p.s.rng
    y, x = p.coords
    reach = rng.pick((1, 1, 1, 2))
    size = 2 * reach + 1
    turns = size * size
    start = {"extreme": rng.pick((-100.0, 100.0))}.get(form, 0.0)
    acc = p.start(start, *(("best", "peak") if form == "extreme" else ("acc", "total", "accum", "sum_val")))
    norm = p.start(0.0, "weight_sum", "norm", "wsum") if form == "range" else None
    kernel = p.reals(("kernel", "weights", "taps", "mask"), -1.0, 1.0, (size, size)) if form == "convolve" else None
    sigma = p.value(("sigma", "falloff", "range_sigma", "inv_sigma"), 0.5, 3.0) if form == "range" else None
    centre = p.let(p.at(image), "center", "c", "here") if form == "range" else None
    # Offsets from -reach, or places from 0 with the reach taken off.
    signed = rng.chance(0.6)
    squares = rng.chance(0.2)

    def inner(dy: Q, dx: Q) -> None:
        oy, ox = dy, dx
        if not signed:
            oy, ox = (Q(p, Expr("sub", "i", INT32, usual(-reach, reach), (d.e, whole(reach)))) for d in (dy, dx))
        yy = p.let(_clamped(p, y, oy, height), "yy", "row_n", "sy", "ny")
        xx = p.let(_clamped(p, x, ox, width), "xx", "col_n", "sx", "nx")
        value = p.at(image, yy, xx)
        value = p.let(value, "v", "pixel", "sample", "neighbor") if rng.chance(0.6) or squares else value
        if squares:
            value = value * value
        if form == "extreme":
            p.most_of(acc, value, "max" if start < 0 else "min")
        elif kernel is not None:
            places = [
                d if not signed else Q(p, Expr("add", "i", INT32, usual(0, size - 1), (d.e, whole(reach))))
                for d in (dy, dx)
            ]
            p.add_to(acc, value * p.at(kernel, *places), turns)
        elif norm is not None and centre is not None and sigma is not None:
            gap = p.let(value - centre, "diff", "d_range", "delta")
            w = p.let(p.fn("exp", -(gap * gap) * sigma), "w", "weight", "w_range")
            p.add_to(acc, w * value, turns)
            p.add_to(norm, w, turns)
        else:
            p.add_to(acc, value, turns)

    rows, columns = ("dy", "ky", "oy", "j"), ("dx", "kx", "ox", "k")
    bounds = (reach + 1, -reach) if signed else (size, None)

    def outer(dy: Q) -> None:
        p.loop(bounds[0], columns, lambda dx: inner(dy, dx), first=bounds[1], most=size)

    p.loop(bounds[0], rows, outer, first=bounds[1], most=size)
    if norm is not None:
        p.keep(p.now(acc) / p.fn("max", p.now(norm), 0.1), "filtered", "smooth", "denoised")
    elif form == "mean" or (form == "convolve" and rng.chance(0.2)):
        p.keep(p.now(acc) / float(turns), "mean", "blurred", "avg")
    else:
        p.result(acc)


def _edges(p: Pen, image: Q, height: int, width: int) -> None:
    """Differences of opposite neighbours, weighted as Sobel or Prewitt do."""
    rng = p.s.rng
    y, x = p.coords
    middle = rng.pick((1.0, 2.0, 2.0))
    names = [("y0", "up", "ym"), ("y1", "down", "yp"), ("x0", "left", "xm"), ("x1", "right", "xp")]
    y0, y1 = (p.let(_clamped(p, y, by, height), *words) for by, words in zip((-1, 1), names[:2], strict=True))
    x0, x1 = (p.let(_clamped(p, x, by, width), *words) for by, words in zip((-1, 1), names[2:], strict=True))
    form = rng.pick(("sobel", "sobel", "central", "laplace"))
    if form == "laplace":
        around = p.at(image, y0, x) + p.at(image, y1, x) + p.at(image, y, x0) + p.at(image, y, x1)
        p.keep(around - p.at(image) * 4.0, "lap", "edge", "response")
        return
    if form == "central":
        gx, gy = p.at(image, y, x1) - p.at(image, y, x0), p.at(image, y1, x) - p.at(image, y0, x)
        if rng.chance(0.5):
            gx, gy = gx * 0.5, gy * 0.5
    else:

        def weigh(q: Q) -> Q:
            return q * middle if middle != 1.0 else q

        gx = (p.at(image, y0, x1) + weigh(p.at(image, y, x1)) + p.at(image, y1, x1)) - (
            p.at(image, y0, x0) + weigh(p.at(image, y, x0)) + p.at(image, y1, x0))  # fmt: skip
        gy = (p.at(image, y1, x0) + weigh(p.at(image, y1, x)) + p.at(image, y1, x1)) - (
            p.at(image, y0, x0) + weigh(p.at(image, y0, x)) + p.at(image, y0, x1))  # fmt: skip
    gx, gy = p.let(gx, "gx", "grad_x", "dx"), p.let(gy, "gy", "grad_y", "dy")
    roll = rng.random()
    if roll < 0.5:
        p.keep(p.fn("sqrt", gx * gx + gy * gy + rng.pick((0.01, 0.1))), "mag", "edge", "grad_mag")
    elif roll < 0.7:
        p.keep(p.fn("abs", gx) + p.fn("abs", gy), "mag", "edge", "response")
    else:
        p.s.add(gx.e)
        p.s.add(gy.e)


_SIDES = ((("north", "up", "above"), ("south", "down", "below")), (("west", "left", "um"), ("east", "right", "up")))
_DEPTHS = (("back", "zm", "behind"), ("front", "zp", "ahead"))
_FIELDS = ("u", "temp", "phi", "density", "field", "concentration", "height_map", "pressure", "psi", "q")


def pde_step(s: Sketch) -> None:
    """One explicit step of a partial differential equation: diffusion, waves, advection, reactions, relaxation."""
    rng, p = s.rng, Pen(s)
    rank = rng.pick((1, 1, 2, 2, 2, 3))
    s.open(rank, (4, rng.between(4, 5), 4) if rank == 3 else ())
    u = p.reals(_FIELDS, rng.pick((-1.0, 0.0)), 2.0)
    centre = p.let(p.at(u), "c", "center", "u0", "here") if rng.chance(max(0.5, s.style.locals)) else p.at(u)

    def near(axis: int, by: int) -> Q:
        places = [moved(c.e, by if a == axis else 0) for a, c in enumerate(p.coords)]
        element = u.e._replace(args=tuple(places))
        s.neighbours.append(element)
        return Q(p, element)

    s.neighbours.append(p.at(u).e)
    named = s.style.locals > 0.6
    form = rng.pick(("diffusion", "diffusion", "wave", "advection", "reaction", "poisson", "burgers"))
    pairs = []
    words = _SIDES[-rank:] if rank < 3 else (_SIDES[1], _SIDES[0], _DEPTHS)
    for axis in range(1 if form in {"advection", "burgers"} else rank):
        low, high = near(axis, -1), near(axis, 1)
        if named:
            low, high = p.let(low, *words[axis][0]), p.let(high, *words[axis][1])
        pairs.append((low, high))
    timed = form not in {"wave", "poisson"} or (form == "wave" and rng.chance(0.5))
    dt = p.value(("dt", "time_step", "tau", "h"), 0.05, 0.25) if timed else None
    scaled = form != "poisson" and rng.chance(0.5)
    scale = p.value(("inv_dx2", "inv_h2", "rdx2"), 0.5, 2.0) if scaled else None

    def laplacian() -> Q:
        total = pairs[0][0] + pairs[0][1]
        if rank == 1 and rng.chance(0.4):
            total = pairs[0][0] - 2.0 * centre + pairs[0][1]
        else:
            for low, high in pairs[1:]:
                total = total + low + high if rng.chance(0.7) else total + (low + high)
            total = total - float(2 * rank) * centre
        return p.let(total * scale if scale is not None else total, "lap", "laplacian", "d2u", "diffusion")

    if form in {"diffusion", "reaction"} and dt is not None:
        local = rng.chance(0.3)
        rate = (
            p.at(p.reals(("alpha", "kappa", "diffusivity", "nu"), 0.1, 0.9))
            if local
            else p.value(("alpha", "kappa", "diffusivity", "nu"), 0.1, 0.9)
        )
        change = rate * laplacian()
        if form == "reaction":
            source = _reaction(p, centre)
            change = change + source if rng.chance(0.6) else p.let(change, "flux", "transport") + source
        p.keep(centre + dt * change, "u_new", "next_u", "updated", "new_val")
    elif form == "wave":
        before = p.reals(("u_prev", "u_old", "last", "prev"), -1.0, 1.0)
        speed = p.value(("c2", "speed_sq", "courant2", "wave_speed"), 0.1, 0.9)
        held = p.at(before)
        inertia = 2.0 * centre - held
        if rng.chance(0.4):
            damping = p.value(("damping", "drag", "loss"), 0.01, 0.2)
            inertia = centre + (1.0 - damping) * (centre - held)
        push = speed * laplacian()
        p.keep(inertia + (push * dt if dt is not None else push), "u_next", "advanced", "wave")
    elif form == "poisson":
        rhs = p.at(p.reals(("rhs", "divergence", "source", "b"), -1.0, 1.0))
        total = pairs[0][0] + pairs[0][1]
        for low, high in pairs[1:]:
            total = total + low + high
        relaxed = p.let((total - rhs) / float(2 * rank), "relaxed", "jacobi", "new_p")
        omega = p.value(("omega", "relax", "w"), 0.5, 1.5)
        p.keep(
            (1.0 - omega) * centre + omega * relaxed if rng.chance(0.5) else centre + omega * (relaxed - centre),
            "sor",
            "blend",
            "p_new",
        )
    elif dt is not None:
        low, high = pairs[0]
        if form == "burgers":
            speed = centre
        else:
            field = p.at(p.reals(("vel", "velocity", "wind", "flow"), -1.0, 1.0))
            speed = p.let(field, "a", "vel_i", "speed", "w") if rng.chance(0.6) else field
        flux = _upwind(p, speed, centre, low, high)
        p.keep(centre - dt * (flux * scale if scale is not None else flux), "u_new", "advected", "transported")
    if rng.chance(0.5):
        extra = p.reals(("source", "forcing", "mask", "obstacle", "heat"), 0.0, 1.0)
        s.add(p.at(extra).e)
    closing(s, most=2)
    close_border(s)


def _reaction(p: Pen, u: Q) -> Q:
    """What a reaction adds: growth, cubic, decay, or a second species."""
    rng = p.s.rng
    roll = rng.random()
    if roll < 0.3:
        r = p.value(("growth", "r", "rate"), 0.1, 1.5)
        return r * u * (1.0 - u) if rng.chance(0.6) else r * (u - u * u)
    if roll < 0.5:
        return u - u * u * u
    if roll < 0.7:
        other = p.at(p.reals(("v", "w_field", "inhibitor", "species_b"), 0.0, 1.0))
        other = p.let(other, "b", "vv", "inhib") if rng.chance(0.6) else other
        if rng.chance(0.5):
            feed = p.value(("feed", "f", "supply"), 0.02, 0.1)
            return feed * (1.0 - u) - u * other * (other if other.e.op == "name" else u)
        return u * (1.0 - u) - other
    k = p.value(("decay", "k_loss", "sink"), 0.05, 0.6)
    return -(k * u) if rng.chance(0.4) else grown(p, k, u, size=2)


def _upwind(p: Pen, speed: Q, centre: Q, low: Q, high: Q) -> Q:
    """A first-order difference against the flow."""
    rng = p.s.rng
    form = rng.pick(("if", "choose", "split", "central"))
    if form == "central":
        return speed * (high - low) * 0.5
    if form == "split":
        forward = p.let(p.fn("max", speed, 0.0), "a_pos", "ap")
        backward = p.let(p.fn("min", speed, 0.0), "a_neg", "am")
        return forward * (centre - low) + backward * (high - centre)
    positive = speed > 0.0
    if form == "choose":
        return speed * p.let(p.choose(positive, centre - low, high - centre), "grad", "du", "slope")
    slope = p.let(high - centre, "grad", "du", "slope")
    p.when(positive, lambda: p.put(slope, centre - low, slope.e.span))
    return speed * slope


def multi_dimensional(s: Sketch) -> None:
    """Launches of two and three axes, with arrays that have only some of them."""
    rng, p = s.rng, Pen(s)
    rank = rng.pick((2, 2, 2, 3, 3))
    s.open(rank)
    coords, extents = p.coords, s.extents
    choices: list[tuple[int, ...]] = [tuple(range(rank)), *((axis,) for axis in range(rank))]
    if rank == 3:
        choices += [(0, 1), (1, 2), (0, 2)]
    if rank == 2:
        choices.append((1, 0))
    for axes in rng.shuffled(choices)[: rng.pick((2, 2, 3, 3, 4))]:
        kind = rng.pick("fffv")
        type, (quantity, low, high) = s.array_type(kind)
        array = p.array((s.array_name(quantity),), low, high, tuple(extents[axis] for axis in axes), type)
        element = p.at(array, *(coords[axis] for axis in axes))
        if rng.chance(s.style.locals):
            p.keep(element, s.local_name(quantity, array.e.name))
        else:
            s.add(element.e)
    if rng.chance(0.3):
        s.param()
    if rng.chance(0.35):
        _parity(p)
    straight.temps(s, rng.below(2))
    if rng.chance(0.3):
        _reduced_axis(p)
    closing(s)


def _parity(p: Pen) -> None:
    """A value that changes by the thread's place: a checkerboard, a diagonal, a position between 0 and 1."""
    s, rng = p.s, p.s.rng
    i, j = p.coords[0], p.coords[-1]
    roll = rng.random()
    if roll < 0.4:
        extent = float(s.extents[-1])
        p.keep((p.real(j) + 0.5) / extent if rng.chance(0.5) else p.real(j) / extent, "u", "frac_x", "s_coord")
        return
    total = Expr("add", "i", INT32, usual(0, 10), (i.e, j.e))
    values = outside(p, 1, "f")
    if roll < 0.7:
        test = s.al.compare("eq", Expr("rem", "i", INT32, usual(0, 1), (total, whole(2))), whole(0))
    else:
        test = s.al.compare(rng.pick(("lt", "le", "gt")), i.e, j.e)
    factor = rng.pick((0.5, 2.0, 0.25, 1.5))
    p.keep(p.choose(test, values[0], values[0] * factor), "checker", "tri", "masked", "weighted")


def _reduced_axis(p: Pen) -> None:
    """Add something up along an axis of the launch."""
    s, rng = p.s, p.s.rng
    values = outside(p, 1, "f")
    value = values[0] if values[0].e.op == "name" else p.let(values[0], "part", "term", "share")
    axis = rng.below(len(s.extents))
    total = p.totals(("row_total", "col_sum", "marginal", "profile", "axis_sum"), (s.extents[axis],), s.al.real)
    p.atomic("add", p.at(total, p.coords[axis]), value)
    if not any(v.kind == "f" for v in s.pool):
        s.load("f")
