"""Combinations that bounds allow but algebra empties: what cancels, repeats itself or is constant.

A value's history is looked up through the variables that hold it, so that ``d = normalize(v)`` followed by
``length(d)`` is seen for the constant that it is.
"""

from __future__ import annotations

from collections.abc import Callable

from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr

Definitions = dict[str, Expr]

_ROUNDED = frozenset({"floor", "ceil", "round", "trunc", "rint"})

# Applying the first to a result of one of the second changes nothing, or leaves nothing.
_EMPTY_AFTER: dict[str, frozenset[str]] = {
    "normalize": frozenset({"normalize", "vscale", "vdiv", "vneg", "cross_unit"}),
    "length": frozenset({"normalize", "vneg", "vabs"}),
    "length_sq": frozenset({"normalize", "vneg", "vabs"}),
    "vabs": frozenset({"vabs", "vneg"}),
    "vneg": frozenset({"vneg", "vsub"}),
    "transpose": frozenset({"transpose"}),
    "trace": frozenset({"transpose"}),
    "determinant": frozenset({"transpose", "inverse", "outer", "mmul"}),
    "abs": frozenset({"abs", "neg"}),
    "neg": frozenset({"neg", "sub"}),
    "exp": frozenset({"log", "exp"}),
    "log": frozenset({"exp", "log"}),
    "log2": frozenset({"exp", "log", "log2", "log10"}),
    "log10": frozenset({"exp", "log", "log2", "log10"}),
    "sqrt": frozenset({"square", "sqrt"}),
    "cbrt": frozenset({"sqrt", "cbrt"}),
    "square": frozenset({"sqrt", "square"}),
    "sin": frozenset({"sin", "cos", "asin", "acos", "floor", "ceil", "round"}),
    "cos": frozenset({"sin", "cos", "asin", "acos", "floor", "ceil", "round"}),
    "tan": frozenset({"atan", "sin", "cos", "tan"}),
    "atan": frozenset({"tan", "atan", "tanh"}),
    "tanh": frozenset({"tanh", "atan", "sin", "cos"}),
    "asin": frozenset({"sin", "cos", "asin", "acos"}),
    "acos": frozenset({"sin", "cos", "asin", "acos"}),
    "sinh": frozenset({"cosh", "sinh", "log"}),
    "cosh": frozenset({"cosh", "sinh", "log", "abs"}),
    "degrees": frozenset({"degrees", "radians"}),
    "radians": frozenset({"degrees", "radians", "sin", "cos", "tanh"}),
    "sign": frozenset({"sign", "floor", "ceil", "round", "trunc", "rint"}),
    **{word: _ROUNDED | {"sign", "frac"} for word in (*_ROUNDED, "frac")},
    **{word: frozenset({"erf", "erfc", "erfinv", "erfcinv", "tanh"}) for word in ("erf", "erfc", "erfinv", "erfcinv")},
    "norm_l1": frozenset({"vneg", "vabs"}),
    "norm_l2": frozenset({"normalize", "vneg", "vabs"}),
    "vsign": frozenset({"vsign", "vabs"}),
    "invert": frozenset({"invert"}),
    "nonzero": frozenset({"nonzero"}),
    "qnormalize": frozenset({"qnormalize", "qrpy", "qslerp", "qfrom_euler", "qfrom_matrix", "qtwist"}),
    "qlength": frozenset({"qnormalize", "qrpy", "qslerp", "qfrom_euler", "qfrom_matrix", "qtwist", "qaxis_angle"}),
    "qinverse": frozenset({"qinverse"}),
    "tinverse": frozenset({"tinverse"}),
    "qto_rpy": frozenset({"qrpy"}),
    "qto_euler": frozenset({"qfrom_euler"}),
    "qfrom_matrix": frozenset({"qmatrix", "transpose", "diag", "skew"}),
    "qmatrix": frozenset({"qfrom_matrix"}),
    "get_diag": frozenset({"diag", "transpose", "skew"}),
    "diag": frozenset({"get_diag"}),
    "wtop": frozenset({"make"}),
    "wbottom": frozenset({"make"}),
    "tposition": frozenset({"make"}),
    "trotation": frozenset({"make"}),
}


def root(value: Expr, definitions: Definitions) -> Expr:
    """The expression that a variable holds, through copies."""
    if value.op != "name":
        return value
    for _ in range(4):
        held = definitions.get(value.name)
        if held is None:
            return value
        value = held
        if value.op != "name":
            return value
    return value


def axis(value: Expr, definitions: Definitions) -> Expr:
    """What a vector points along, whatever it was scaled by."""
    for _ in range(8):
        held = root(value, definitions)
        if held.op not in {"vscale", "vdiv", "normalize", "vneg"}:
            return held
        value = held.args[0]
    return value


def _holds(
    value: Expr, operators: tuple[str, ...], part: Expr, definitions: Definitions, places: tuple[int, ...] = (0, 1)
) -> bool:
    """Whether a value was made by one of some operators from a part, in one of some operand places."""
    held = root(value, definitions)
    if held.op not in operators:
        return False
    return any(place < len(held.args) and same(held.args[place], part) for place in places)


def same(a: Expr, b: Expr) -> bool:
    """Whether two expressions are one value, as far as their text says."""
    return a is b or (
        a.op == b.op
        and a.name == b.name
        and a.value == b.value
        and len(a.args) == len(b.args)
        and all(map(same, a.args, b.args))
    )


_MINUS = ("sub", "vsub", "msub")
_PLUS = ("add", "vadd", "madd")


def _sum(a: Expr, b: Expr, definitions: Definitions) -> bool:
    """(c - b) + b."""
    return _holds(a, _MINUS, b, definitions, (1,)) or _holds(b, _MINUS, a, definitions, (1,))


def _difference(a: Expr, b: Expr, definitions: Definitions) -> bool:
    """(b + c) - b, (b - c) - b, and a value less itself."""
    for x, y in ((a, b), (b, a)):
        if _holds(x, _PLUS, y, definitions) or _holds(x, _MINUS, y, definitions, (0,)):
            return True
    return _equal(a, b, definitions)


def _product(a: Expr, b: Expr, definitions: Definitions) -> bool:
    """(c / b) * b."""
    return _holds(a, ("div",), b, definitions, (1,)) or _holds(b, ("div",), a, definitions, (1,))


def _quotient(a: Expr, b: Expr, definitions: Definitions) -> bool:
    """(b * c) / b, (b / c) / b, and a value by itself."""
    for x, y in ((a, b), (b, a)):
        if _holds(x, ("mul", "square"), y, definitions) or _holds(x, ("div",), y, definitions, (0,)):
            return True
    return _equal(a, b, definitions)


def _parallel(a: Expr, b: Expr, definitions: Definitions) -> bool:
    return same(axis(a, definitions), axis(b, definitions))


def _parallel_sum(a: Expr, b: Expr, definitions: Definitions) -> bool:
    return _difference(a, b, definitions) or _parallel(a, b, definitions)


def _orthogonal(a: Expr, b: Expr, definitions: Definitions) -> bool:
    for x, y in ((axis(a, definitions), b), (axis(b, definitions), a)):
        if x.op == "cross" and any(_parallel(arg, y, definitions) for arg in x.args):
            return True
    # Two unit vectors along one line.
    return root(a, definitions).op == "normalize" and _parallel(a, b, definitions)


def _equal(a: Expr, b: Expr, definitions: Definitions) -> bool:
    return same(root(a, definitions), root(b, definitions))


_PAIRS: dict[str, Callable[[Expr, Expr, Definitions], bool]] = {
    "add": _sum,
    "madd": _sum,
    "sub": _difference,
    "msub": _difference,
    "vadd": _parallel_sum,
    "vsub": _parallel_sum,
    "mul": _product,
    "div": _quotient,
    "mod": _quotient,
    "cross": _parallel,
    "dot": _orthogonal,
    "min": _equal,
    "max": _equal,
    "vmin": _equal,
    "vmax": _equal,
    "cw_div": _equal,
    "atan2": _quotient,
}


def refuse_empty(operator: str, args: tuple[Expr, ...], definitions: Definitions) -> None:
    """Refuse an application that algebra empties.

    Raises:
        Discard: It would cancel, repeat itself, or be constant.
    """
    if len(args) == 1:
        banned = _EMPTY_AFTER.get(operator)
        if banned is not None:
            held = root(args[0], definitions)
            if operator == "exp" and held.op == "neg":
                held = root(held.args[0], definitions)
            if held.op in banned or held.op == "sign":
                raise Discard(operator)
            if (
                operator in {"length", "length_sq"}
                and held.op in {"vscale", "vdiv"}
                and root(held.args[0], definitions).op == "normalize"
            ):
                raise Discard(operator)
    elif len(args) == 2:
        test = _PAIRS.get(operator)
        if test is not None and test(args[0], args[1], definitions):
            raise Discard(operator)
