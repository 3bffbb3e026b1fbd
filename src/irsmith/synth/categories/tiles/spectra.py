"""The category of signals that are transformed, changed where they are frequencies, and transformed back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from irsmith.synth.algebra import usual, vector, whole
from irsmith.synth.categories.pen import Pen, Q, grown
from irsmith.synth.categories.tiles.pen import OUT, TilePen
from irsmith.synth.ir import Do
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, FLOAT64

_SIZE = 256
"""As many as a block has threads, which without a library of its own a GPU's text asks for."""


def tile_spectrum(s: Sketch) -> None:
    """Each block transforms a signal: spectra, filters, convolutions, delays."""
    rng = s.rng
    if s.al.real is not FLOAT64:
        s.al.real = FLOAT32
    s.length = 2
    p = TilePen(s)
    s.open(1, (rng.between(2, 3),))
    work = _Signals(p)
    plain = rng.chance(0.35)
    t = work.made_complex() if plain else work.complex()
    s.emit(Do(p.call("tile_fft", t)))
    form = rng.pick(("power", "power", "back", "back", "forward"))
    # There and back without a change between would be for nothing.
    changes = rng.pick((1, 1, 2)) if form == "back" else rng.pick((0, 1, 1, 2))
    if form == "forward" and plain:
        # The first frequency of real numbers is real: its other half is to be mixed with something.
        changes = max(changes, 1)
    t = work.filtered(t, changes, mixed=form == "forward" and plain)
    if form == "power":
        work.power(t)
        return
    if form == "back":
        s.emit(Do(p.call("tile_ifft", t)))
        if plain or rng.chance(0.35):
            work.real_part(t)
            return
    number = Q(p, p.literal(rng.pick((0.0039, 0.0039, 0.5, 0.0625))))
    if rng.chance(0.3):
        number = p.parameter()
        s.read(number.e)
    t = p.bind((t * number).e, s.probe.of(t.e), "y", "scaled", "back", "result_t", keep=False)
    if rng.chance(0.25):
        t = work.sum_with_another(t)
    p.put_tile("tile_store", p.result(OUT, work.extents, work.pair), t, *work.offset)


class _Signals:
    """Signals of which every block has one.

    Attributes:
        p: The pen.
        pair: The type of a complex number.
    """

    def __init__(self, p: TilePen) -> None:
        s = p.s
        self.p, self.pair = p, vector(2, s.al.real)
        size = p.extent(_SIZE, "FFT_SIZE", "N", "NUM_BINS", "SAMPLES")
        p.shape = (whole(1), size)
        p.extents = self.extents = (s.extents[0], _SIZE)
        self.shape, self.offset = p.several(*p.shape), (s.coords[0], whole(0))

    def loaded(self, names: tuple[str, ...], *called: str, shared: bool = False) -> Q:
        """Complex numbers: this block's of an array, or those of a row that all blocks share."""
        p = self.p
        array = p.array(names, -1.0, 1.0, (1, _SIZE) if shared else self.extents, self.pair)
        args = (self.shape,) if shared else (self.shape, p.several(*self.offset))
        value = p.call("tile_load", p.whole_array(array), *args, span=array.e.span, type=self.pair)
        return p.bind(value, None, *called, keep=False)

    def weights(self, names: tuple[str, ...], low: float, high: float) -> Q:
        """A real number for each place, which all blocks share."""
        p = self.p
        array = p.reals(names, low, high, (1, _SIZE))
        value = p.call("tile_load", p.whole_array(array), self.shape, span=array.e.span)
        return p.bind(value, None, "w", "g", "coef", "h_t", keep=False)

    def each(
        self, names: Sequence[str], build: Callable[..., Q], *values: Q, words: Sequence[str], called: Sequence[str]
    ) -> Q:
        """A tile of what a helper makes of each place's numbers, and of scalars, which count as read."""
        p = self.p
        made = p.via(names, build, *values, words=words, chance=1.0).e
        if made.kind == "v":
            p.s.helpers[-1] = replace(p.s.helpers[-1], typed=True)
        lanes = p.s.probe.check(made)
        for value in values:
            p.s.read(value.e)
        function = p.function(made.name, helper=True)
        span = usual(-2.0, 2.0) if made.kind == "v" else made.span
        return p.bind(
            p.call("tile_map", function, *values, span=span, type=made.type), lanes, *called, keep=made.kind != "v"
        )

    def complex(self) -> Q:
        """Complex numbers of an array, windowed, mixed with others or amplified."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        t = self.loaded(("signal", "samples", "x", "field", "wave"), "t", "spec", "x_t", "freq")
        for step in rng.shuffled(("window", "other", "gain", "carrier"))[: rng.pick((0, 1, 1, 2))]:
            if step == "window":
                t = self._weighed(t, ("apply_window", "weighted", "scale_by"), ("taps", "window", "taper"),
                                  ("windowed", "w_x", "tapered"))  # fmt: skip
            elif step == "other":
                t = self.sum_with_another(t)
            elif step == "carrier":
                t = self._product(t, ("carrier", "chirp", "local_osc"), "lo_t", "c_t", "mix_t")
            else:
                gain = p.parameter()
                s.read(gain.e)
                t = p.bind((t * gain).e, s.probe.of(t.e), "amplified", "g_x", "scaled_in", keep=False)
        return t

    def made_complex(self) -> Q:
        """Complex numbers made of real ones, and these of one array or several."""
        p, rng = self.p, self.p.s.rng
        for _ in range(rng.pick((1, 1, 2))):
            self._real_row(("signal", "samples", "audio", "trace"), -1.0, 1.0)
        if rng.chance(0.4):
            p.parameter()
        p.steps(rng.pick((0, 1, 1, 2)))
        while len(p.tiles) > 1:
            p.operators(p.chosen(2))
        (x,) = p.tiles
        p.read_tile(x)
        p.known.remove(x)
        names, words, called = ("to_complex", "as_complex", "make_pair"), ("x", "w"), ("t", "z", "c_t", "spec")
        if rng.chance(0.5):
            window = self.weights(("taps", "window", "taper"), 0.0, 1.5)
            return self.each(names, lambda q, v, w: q.make(v * w, 0.0), x, window, words=words, called=called)
        return self.each(names, lambda q, v: q.make(v, 0.0), x, words=words, called=called)

    def _real_row(self, names: tuple[str, ...], low: float, high: float) -> Q:
        p = self.p
        return p.load(p.reals(names, low, high, self.extents), self.shape, *self.offset, names=("x_r", "row", "s_t"))

    def sum_with_another(self, t: Q) -> Q:
        """Complex numbers and those of another array, added or subtracted."""
        p, rng = self.p, self.p.s.rng
        u = self.loaded(("reference", "echo", "noise_in", "other"), "u", "ref", "e_t")
        if rng.chance(0.4):
            gain = p.parameter()
            p.s.read(gain.e)
            u = u * gain
        added = t + u if rng.chance(0.5) else t - u
        return p.bind(added.e, p.s.probe.of(t.e), "mixed_in", "gap", "diff", keep=False)

    def filtered(self, t: Q, changes: int, *, mixed: bool = False) -> Q:
        """Frequencies after some changes; the first of these mixes a number's two parts where that is asked for."""
        rng = self.p.s.rng
        forms = ["response", "response", "delay", "product", "wiener", "another"]
        chosen = rng.shuffled(forms)[:changes]
        if mixed and not {"product", "another"} & set(chosen):
            chosen[0] = rng.pick(("product", "another"))
        for form in chosen:
            if form == "response":
                t = self._weighed(t, ("apply_response", "shape_bin", "weighted"), ("response", "gains", "transfer"),
                                  ("filtered", "shaped", "g_t"))  # fmt: skip
            elif form == "delay":
                t = self._delayed(t)
            elif form == "product":
                names = ("kernel_spec", "filter_spec", "template_f")
                t = self._product(t, names, "k", "h", "k_t", shared=rng.chance(0.6))
            elif form == "wiener":
                t = self._denoised(t)
            else:
                t = self.sum_with_another(t)
        return t

    def _scalars(self, chance: float) -> list[Q]:
        """A new argument by value, or none."""
        return [self.p.parameter()] if self.p.s.rng.chance(chance) else []

    def _weighed(self, t: Q, helpers: tuple[str, ...], names: tuple[str, ...], called: tuple[str, ...]) -> Q:
        """Complex numbers, each times a real one that is made of what its place has."""
        rng = self.p.s.rng
        size = rng.pick((0, 1, 1, 2))

        def build(q: Pen, z: Q, g: Q, *scalars: Q) -> Q:
            return z * (grown(q, g, *scalars, size=size) if size or scalars else g)

        weights = self.weights(names, 0.0, 1.5)
        return self.each(helpers, build, t, weights, *self._scalars(0.35), words=("z", "g", "a"), called=called)

    def _delayed(self, t: Q) -> Q:
        """Complex numbers turned by an angle of their place."""
        rng = self.p.s.rng
        size = rng.pick((0, 0, 1))

        def build(q: Pen, z: Q, angle: Q, *scalars: Q) -> Q:
            if scalars or size:
                angle = q.let(grown(q, angle, *scalars, size=size), "phase", "theta", "ang")
            c, d = q.perhaps(q.fn("cos", angle), "c", "cos_a"), q.perhaps(q.fn("sin", angle), "s", "sin_a")
            return q.make(z[0] * c - z[1] * d, z[0] * d + z[1] * c)

        angles = self.weights(("phases", "angles", "delays"), -3.0, 3.0)
        names = ("rotate", "shift_phase", "delay_bin")
        return self.each(names, build, t, angles, *self._scalars(0.4), words=("z", "phi", "k"),
                         called=("turned", "delayed", "rot_t"))  # fmt: skip

    def _denoised(self, t: Q) -> Q:
        """Complex numbers made smaller where they are weak against the noise of their place."""
        rng = self.p.s.rng
        form = rng.pick(("ratio", "ratio", "knee", "squeeze"))
        floor = rng.pick((0.1, 0.5, 1.0))

        def build(q: Pen, z: Q, noise: Q, *scalars: Q) -> Q:
            level = grown(q, noise, *scalars, size=1) if scalars else noise
            if form == "squeeze":
                return z / (floor + q.fn("length", z) * q.fn("abs", level))
            power = q.let(q.norm2(z), "power", "n2", "e")
            if form == "ratio":
                return z * (power / (power + q.fn("abs", level) + floor))
            return z * q.fn("max", 1.0 - q.fn("abs", level) / (power + floor), 0.0)

        noise = self.weights(("noise_psd", "noise_floor", "damping"), 0.1, 1.0)
        return self.each(("wiener", "shrink", "suppress", "denoise_bin"), build, t, noise, *self._scalars(0.3),
                         words=("z", "n", "a"), called=("cleaned", "kept_t", "quiet"))  # fmt: skip

    def _product(self, t: Q, names: tuple[str, ...], *called: str, shared: bool = False) -> Q:
        """Products of complex numbers, perhaps with the conjugate of the second."""
        rng = self.p.s.rng
        conjugate = rng.chance(0.3)

        def build(q: Pen, u: Q, v: Q) -> Q:
            if conjugate:
                return q.make(u[0] * v[0] + u[1] * v[1], u[1] * v[0] - u[0] * v[1])
            return q.make(u[0] * v[0] - u[1] * v[1], u[0] * v[1] + u[1] * v[0])

        helpers = ("correlate", "conj_mul") if conjugate else ("complex_mul", "cmul", "mul_complex")
        words = rng.pick((("a", "b"), ("u", "v"), ("z", "w")))
        other = self.loaded(names, *called, shared=shared)
        return self.each(helpers, build, t, other, words=words, called=("prod", "conv", "mixed"))

    def power(self, t: Q) -> None:
        """How strong each frequency is, and what is made of that: stored, or added up."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        word = rng.pick(("length_sq", "length", "helper", "helper"))
        if word == "helper":
            floor = rng.pick((1e-3, 1.0))
            form = rng.pick(("log", "log", "scaled", "root"))

            def build(q: Pen, z: Q, *scalars: Q) -> Q:
                strength = q.norm2(z)
                if form == "log":
                    strength = q.fn("log", strength + floor)
                elif form == "root":
                    strength = q.fn("sqrt", strength + floor)
                return strength * scalars[0] if scalars else strength

            self.each(("power_of", "log_power", "magnitude"), build, t, *self._scalars(0.4), words=("z", "k"),
                      called=("power", "psd", "mag", "spec_pow"))  # fmt: skip
        else:
            span = usual(0.0, 300.0 if word == "length_sq" else 17.0)
            lanes = (s.probe.of(t.e) ** 2).sum(axis=1)
            p.bind(p.call("tile_map", p.function(word), t, span=span), lanes, "power", "psd", "mag", "spec_pow")
        self._end(("power_out", "psd_out", "spectrum"))

    def real_part(self, t: Q) -> None:
        """What a signal is after it was changed, as real numbers."""
        rng = self.p.s.rng
        number = rng.pick((0.0039, 0.0039, 0.0625))

        def build(_: Pen, z: Q, *scalars: Q) -> Q:
            return z[0] * scalars[0] if scalars else z[0] * number

        self.each(("real_part", "to_real", "take_real"), build, t, *self._scalars(0.3), words=("z", "k"),
                  called=("y", "restored", "back", "real_t"))  # fmt: skip
        self._end(OUT)

    def _end(self, names: tuple[str, ...]) -> None:
        """Go on with real numbers, and store them."""
        p, s, rng = self.p, self.p.s, self.p.s.rng
        if rng.chance(0.3):
            self._real_row(("baseline", "expected", "previous", "target"), 0.0, 2.0)
        for _ in range(rng.pick((0, 1, 1))):
            p.parameter()
        p.steps(rng.pick((1, 1, 2, 3)))
        p.finish(
            lambda tile: p.put_tile("tile_store", p.result(names, self.extents, s.al.real), tile, *self.offset), most=1
        )
