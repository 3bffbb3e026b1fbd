"""How each operator of the synthesiser is written in Warp: a template, and how tightly it binds.

In a template ``{0}`` is an operand that may bind as loosely as the operator itself and ``{0!r}`` is not used;
the printer adds parentheses where an operand binds less tightly than its place asks for.
"""

from __future__ import annotations

from typing import NamedTuple

# Python's precedence, loosest first.
TERNARY, OR, AND, NOT, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(14)


class Spelling(NamedTuple):
    """One operator in Warp.

    Attributes:
        template: The text, operands in braces.
        binding: How tightly the text binds.
        places: How tightly each operand must bind to stand without parentheses.
    """

    template: str
    binding: int
    places: tuple[int, ...]


def _infix(sign: str, binding: int, *, chain: bool = True) -> Spelling:
    """A left-associative infix operator; comparisons do not chain."""
    return Spelling(f"{{}} {sign} {{}}", binding, (binding if chain else binding + 1, binding + 1))


def _call(name: str, count: int) -> Spelling:
    return Spelling(f"{name}({', '.join(['{}'] * count)})", ATOM, (TERNARY,) * count)


_FUNCTIONS = {
    1: ("abs", "sign", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp",
        "log", "log2",
        "log10", "floor", "ceil", "round", "frac", "degrees", "radians", "normalize", "length", "length_sq",
        "transpose",
        "determinant", "trace", "inverse", "diag"),
    2: ("min", "max", "pow", "atan2", "cw_mul", "cw_div", "dot", "cross", "ddot", "outer"),
    3: ("clamp", "lerp", "smoothstep"),
}  # fmt: skip

_SUMS = ("add", "sub", "vadd", "vsub", "madd", "msub")
_SIGNS = {
    "add": "+", "vadd": "+", "madd": "+", "sub": "-", "vsub": "-", "msub": "-",
    "mul": "*", "vscale": "*", "mscale": "*", "mmul": "@", "mvmul": "@", "div": "/", "vdiv": "/", "mod": "%",
    "rem": "%", "floordiv": "//",
    "shl": "<<", "shr": ">>", "and": "&", "xor": "^", "or": "|",
}  # fmt: skip
_BINDINGS = {"<<": SHIFT, ">>": SHIFT, "&": BIT_AND, "^": BIT_XOR, "|": BIT_OR, "+": SUM, "-": SUM}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}

SPELLINGS: dict[str, Spelling] = {
    **{name: _call(f"wp.{name}", count) for count, names in _FUNCTIONS.items() for name in names},
    **{name: _infix(sign, _BINDINGS.get(sign, PRODUCT)) for name, sign in _SIGNS.items()},
    **{name: _infix(sign, COMPARE, chain=False) for name, sign in _COMPARISONS.items()},
    "neg": Spelling("-{}", UNARY, (UNARY,)),
    "vneg": Spelling("-{}", UNARY, (UNARY,)),
    "vmin": _call("wp.min", 2),
    "vmax": _call("wp.max", 2),
    "vabs": _call("wp.abs", 1),
    "vlerp": _call("wp.lerp", 3),
    "square": Spelling("{0} * {0}", PRODUCT, (PRODUCT + 1,)),
    "both": _infix("and", AND),
    "either": _infix("or", OR),
    "not": Spelling("not {}", NOT, (NOT,)),
    "choose": Spelling("{1} if {0} else {2}", TERNARY, (OR, OR, TERNARY)),
}
"""Every operator that the synthesiser uses, by its name there."""

AUGMENTED: dict[str, str] = {
    name: sign for name, sign in _SIGNS.items() if sign in {"+", "-", "*", "/", "%", "//", "&", "|", "^"}
}
"""The signs of augmented assignments."""

VECTOR_SUFFIX = {
    "float16": "h", "float32": "f", "float64": "d", "int8": "b", "uint8": "ub", "int16": "s", "uint16": "us",
    "int32": "i", "uint32": "ui",
    "int64": "l", "uint64": "ul",
}  # fmt: skip
"""What Warp appends to ``vec3`` or ``mat33`` for each scalar."""
