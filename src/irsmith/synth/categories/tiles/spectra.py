"""The category of signals that are transformed, changed where they are frequencies, and transformed back."""

from __future__ import annotations

from irsmith.synth.algebra import usual, vector, whole
from irsmith.synth.categories.pen import Pen, Q
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.ir import Do, Expr
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, FLOAT64

_SIZE = 256
"""As many as a block has threads, which without a library of its own a GPU's text asks for."""


def tile_spectrum(s: Sketch) -> None:
    """Each block transforms a signal of complex numbers: spectra, filters, convolutions."""
    rng = s.rng
    if s.al.real is not FLOAT64:
        s.al.real = FLOAT32
    s.length = 2
    p = TilePen(s)
    s.open(1, (rng.between(2, 3),))
    size = p.extent(_SIZE, "FFT_SIZE", "N", "NUM_BINS", "SAMPLES")
    pair, i = vector(2, s.al.real), s.coords[0]
    extents = (s.extents[0], _SIZE)
    shape, offset = p.several(whole(1), size), p.several(i, whole(0))

    def loaded(names: tuple[str, ...], *called: str, shared: bool = False) -> Q:
        array = p.array(names, -1.0, 1.0, (1, _SIZE) if shared else extents, pair)
        args = (shape,) if shared else (shape, offset)
        value = p.call("tile_load", p.whole_array(array), *args, span=array.e.span, type=pair)
        return p.bind(value, None, *called, keep=False)

    t = loaded(("signal", "samples", "x", "field", "wave"), "t", "spec", "x_t", "freq")
    for step in rng.shuffled(("window", "other", "gain"))[: rng.pick((0, 1, 1, 2))]:
        if step == "window":
            changed = _scaled(p, t, "window", rng.pick(("taps", "window", "taper")), shape)
            t = p.bind(changed, s.probe.of(t.e), "windowed", "w_x", "tapered", keep=False)
        elif step == "other":
            u = loaded(("reference", "echo", "noise_in", "other"), "u", "ref", "e_t")
            t = p.bind((t + u if rng.chance(0.5) else t - u).e, s.probe.of(t.e), "mixed_in", "gap", "diff", keep=False)
        else:
            gain = p.parameter()
            s.read(gain.e)
            t = p.bind((t * gain).e, s.probe.of(t.e), "amplified", "g_x", "scaled_in", keep=False)
    s.emit(Do(p.call("tile_fft", t)))
    if rng.chance(0.5):
        names = rng.pick(("response", "gains", "transfer"))
        changed = _scaled(p, t, "response", names, shape)
        t = p.bind(changed, s.probe.of(t.e), "filtered", "shaped", "g_t", keep=False)
    form = rng.pick(("power", "power", "back", "back", "back", "product", "forward"))
    if form == "power":
        _power(p, t)
        for _ in range(rng.pick((0, 1, 1))):
            p.parameter()
        p.steps(rng.pick((1, 1, 2, 3)))
        results = ("power_out", "psd_out", "spectrum")
        p.finish(
            lambda tile: p.put_tile("tile_store", p.result(results, extents, s.al.real), tile, i, whole(0)), most=1
        )
        return
    if form == "product":
        kernel = loaded(("kernel_spec", "filter_spec", "template_f"), "k", "h", "k_t", shared=rng.chance(0.6))
        t = p.bind(_multiplied(p, t, kernel), s.probe.of(t.e), "prod", "conv", "mixed", keep=False)
    elif form == "back":
        s.emit(Do(p.call("tile_ifft", t)))
    number = Q(p, p.literal(rng.pick((0.0039, 0.0039, 0.5, 0.0625))))
    if rng.chance(0.3):
        number = p.parameter()
        s.read(number.e)
    scaled = p.bind((t * number).e, s.probe.of(t.e), "y", "scaled", "back", "result_t", keep=False)
    p.put_tile("tile_store", p.result(OUT, extents, pair), scaled, i, whole(0))


def _power(p: TilePen, t: Q) -> None:
    """How strong each frequency is, as a tile that is to be read."""
    word = p.s.rng.pick(("length_sq", "length", "helper"))
    span = usual(0.0, 300.0 if word == "length_sq" else 17.0)
    function = p.function(word)
    if word == "helper":
        floor = p.s.rng.pick((1e-3, 1.0))
        names = ("power_of", "log_power", "magnitude")
        called = p.via(names, lambda q, z: q.fn("log", q.norm2(z) + floor), t, words=("z",), chance=1.0)
        span, function = usual(0.0, 9.0), p.function(called.e.name, helper=True)
    lanes = (p.s.probe.of(t.e) ** 2).sum(axis=1)
    p.bind(p.call("tile_map", function, t, span=span), lanes, "power", "psd", "mag", "spec_pow")


def _scaled(p: TilePen, t: Q, helper: str, name: str, shape: Expr) -> Expr:
    """Complex numbers, each times a real one of its place."""
    array = p.reals((name, f"{name}_in"), 0.0, 1.5, (1, _SIZE))
    weights = p.bind(p.call("tile_load", p.whole_array(array), shape, span=array.e.span), None, "w", "g", "coef",
                     keep=False)  # fmt: skip
    called = p.via((f"apply_{helper}", "weighted", "scale_by"), lambda _, z, g: z * g, t, weights, words=("z", "g"),
                   chance=1.0)  # fmt: skip
    return p.call("tile_map", p.function(called.e.name, helper=True), t, weights, span=t.e.span, type=t.e.type)


def _multiplied(p: TilePen, a: Q, b: Q) -> Expr:
    """Products of complex numbers, perhaps with the conjugate of the second."""
    sign = p.s.rng.chance(0.3)

    def product(q: Pen, u: Q, v: Q) -> Q:
        if sign:
            return q.make(u[0] * v[0] + u[1] * v[1], u[1] * v[0] - u[0] * v[1])
        return q.make(u[0] * v[0] - u[1] * v[1], u[0] * v[1] + u[1] * v[0])

    names = ("correlate", "conj_mul") if sign else ("complex_mul", "cmul", "mul_complex")
    called = p.via(names, product, a, b, words=_words(p), chance=1.0)
    return p.call("tile_map", p.function(called.e.name, helper=True), a, b, span=usual(-2.0, 2.0), type=a.e.type)


def _words(p: TilePen) -> tuple[str, str]:
    """What the factors of a complex product are called."""
    return p.s.rng.pick((("a", "b"), ("u", "v"), ("z", "w")))
