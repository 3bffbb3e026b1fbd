"""What nobody does to a value, given what made it: operations that change nothing, undo it, or do the same once more.

A value remembers the operation that made it through the names that hold it; see `Expr.made`. What its bounds say (that
a rectifier changes nothing above zero) is read off them.
"""

from __future__ import annotations

from collections.abc import Mapping

from irsmith.frontends.jax.synth.expr import Expr

_ALSO = {"logistic": "sigmoid", "asinh": "arcsinh", "erf_inv": "erfinv", "arccosh": "acosh"}
"""Other names of functions."""

_INVERSES = (
    ("exp", "log"), ("expm1", "log1p"), ("exp2", "log2"), ("sinh", "arcsinh"), ("tan", "arctan"), ("tanh", "arctanh"),
    ("sin", "arcsin"), ("cos", "arccos"), ("sigmoid", "logit"), ("erf", "erfinv"), ("square", "sqrt"),
    ("power", "cbrt"), ("inverse", "reciprocal"),
)  # fmt: skip
_UNDOES: Mapping[str, frozenset[str]] = {
    name: frozenset(b if a == name else a for a, b in _INVERSES if name in (a, b))
    for name in {name for pair in _INVERSES for name in pair}
}

_CUT = frozenset({"clip", "relu", "relu6", "hard_tanh"})
"""What cuts values off at fixed ends."""

_ACTIVATIONS = _CUT - {"clip"} | {
    "sigmoid", "silu", "gelu", "elu", "leaky_relu", "selu", "log_sigmoid", "soft_sign", "tanh"
}  # fmt: skip
_POWERS = frozenset({"square", "power", "sqrt"})
_EVEN = frozenset({"cos", "cosh", "abs", "square", "sinc", "i0e"})
_NORMALISED = frozenset({"softmax", "log_softmax", "standardize"})
_TURNED = frozenset({"transpose", "swap"})
_SCALED = frozenset({"scale", "inverse"})
_FAMILIES = (_CUT, _ACTIVATIONS, _POWERS, _NORMALISED, _TURNED, _SCALED)
"""Of each, one says little of what another of them has just made."""

_AS_IS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("abs", "relu", "leaky_relu", "elu", "selu"), (0.0, float("inf"))),
    "relu6": (0.0, 6.0), "hard_tanh": (-1.0, 1.0),
}  # fmt: skip
"""Between which ends a function gives what it is given, or a multiple of it."""

_OF_BOTH = {
    "add": ("add", "sub", "shift"),
    "sub": ("add", "sub", "shift"),
    "mul": ("div",),
    "div": ("mul", "div", "scale", "gate"),
    "extreme": ("extreme", "clip", "add", "sub", "shift"),
}
"""By operation, those of whose operands none is to be its other operand."""


def idle(name: str, x: Expr) -> bool:
    """Whether nobody applies a function, or does something of that kind, to a value."""
    name = _ALSO.get(name, name)
    before = _ALSO.get(x.made[0], x.made[0]) if x.made else ""
    low, high = _AS_IS.get(name, (float("inf"), float("-inf")))
    return (
        name == before
        or before in _UNDOES.get(name, ())
        or (before in ("neg", "abs") and name in _EVEN)
        or (name == "clip" and before in _ACTIVATIONS)
        or (low <= x.low and x.high <= high)
        or any(name in family and before in family for family in _FAMILIES)
    )


def undone(kind: str, a: Expr, b: Expr) -> bool:
    """Whether one of the operands of an operation goes into the other, so that it cancels out or counts twice."""
    return a.text == b.text or any(
        x.made[:1] and x.made[0] in _OF_BOTH[kind] and y.text in x.made[1:] for x, y in ((a, b), (b, a))
    )
