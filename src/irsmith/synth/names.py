"""Names that fit, each used once in its scope."""

from __future__ import annotations

import keyword
from collections.abc import Sequence

from irsmith.rng import Stream
from irsmith.synth.ir import Expr
from irsmith.synth.operators import OPERATORS

# Builtins that a kernel calls by bare name, and what a module of kernels binds.
RESERVED = frozenset(keyword.kwlist) | {
    "abs",
    "bool",
    "float",
    "int",
    "len",
    "max",
    "min",
    "range",
    "round",
    "sum",
    "print",
    "wp",
    "np",
    "pow",
}

_PREFIXES = {
    "sqrt": "sqrt_",
    "log": "log_",
    "exp": "exp_",
    "sin": "sin_",
    "cos": "cos_",
    "abs": "abs_",
    "normalize": "unit_",
    "inverse": "inv_",
}
_SUFFIXES = {"square": "_sq", "transpose": "_t", "clamp": "_clamped", "length": "_len", "normalize": "_dir"}
_TAILS = ("2", "_b", "3", "_new", "4", "_next", *map(str, range(5, 400)))
_ADJECTIVES = (
    "local",
    "net",
    "base",
    "adj",
    "raw",
    "total",
    "rel",
    "eff",
    "prev",
    "mean",
    "half",
    "corr",
    "ref",
    "mod",
    "inner",
    "outer",
)


_RIGID = {
    "q": ("q", "rot", "dq", "q_new", "q_rel", "q_err"),
    "t": ("xform", "pose", "tf", "X", "frame", "X_rel"),
    "h": ("M", "mat", "pose_mat"),
    "w": ("twist", "wrench", "spatial", "s_vel", "sv"),
    "a": ("ad", "adT"),
}


class Names:
    """The names taken in one scope."""

    __slots__ = ("taken",)

    def __init__(self, outer: Names | None = None) -> None:
        self.taken: set[str] = set(outer.taken) if outer else set(RESERVED)

    def claim(self, wish: str) -> str:
        """The wished name, or the nearest that is free."""
        taken = self.taken
        if wish in taken:
            if wish[-1].isdigit():
                wish += "_"
            wish = next(wish + tail for tail in _TAILS if wish + tail not in taken)
        taken.add(wish)
        return wish

    def free(self, wishes: Sequence[str], rng: Stream) -> str:
        """One of several wishes, free ones first."""
        for _ in range(4):
            wish = rng.pick(wishes)
            if wish not in self.taken:
                self.taken.add(wish)
                return wish
        return self.claim(rng.pick(wishes))

    def distinguished(self, wish: str, rng: Stream) -> str:
        """The wished name, claimed; where it is taken, with an adjective that sets it apart."""
        if wish in self.taken and "_" not in wish and len(wish) > 2 and rng.chance(0.75):
            return self.claim(f"{rng.pick(_ADJECTIVES)}_{wish}")
        return self.claim(wish)


def suggestion(value: Expr, rng: Stream, temps: Sequence[str]) -> str:
    """What a person would call a variable for this value."""
    op, args = value.op, value.args
    if args and args[0].op == "name" and len(args[0].name) < 12:
        inner = args[0].name
        if op in _PREFIXES and rng.chance(0.4):
            return _PREFIXES[op] + inner
        if op in _SUFFIXES and rng.chance(0.4):
            return inner + _SUFFIXES[op]
        if op in {"mul", "vscale", "div"} and rng.chance(0.1):
            return "scaled_" + inner
        if op in {"sub", "vsub"} and rng.chance(0.2):
            return "d" + inner if len(inner) < 4 else "delta_" + inner
    if op == "div" and args[0].op == "literal" and args[1].op == "name":
        return "inv_" + args[1].name
    if op in OPERATORS and rng.chance(0.45):
        nouns = OPERATORS[op].nouns
        if nouns:
            return rng.pick(nouns)
    wishes = _RIGID.get(value.kind)
    if wishes:
        return rng.pick(wishes)
    if value.kind == "v":
        return rng.pick(("v", "dir", "vec", "step", "shift", "delta", "move", "offset", "target"))
    if value.kind == "m":
        return rng.pick(("m", "mat", "block", "m_tmp", "op", "lin"))
    return rng.pick(temps)


def initials(word: str) -> str:
    """The first letters of a name's parts: ``d`` for ``dist``, ``nf`` for ``net_force``."""
    return "".join(part[0] for part in word.lower().split("_") if part)


def plural(word: str) -> str:
    """The plural of a name, where it has one that reads well."""
    if len(word) < 3 or word.endswith(("s", "x", "ed", "d", "in", "of")) or "_" in word:
        return word
    if word.endswith(("ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeiou" else word + "s"
