"""How vectors and matrices are written over arrays, whose last axes hold the components."""

from __future__ import annotations

from typing import NamedTuple

from irsmith.types import Matrix, Scalar, ValueType, Vector, scalar_of

ATOM, UNARY, PRODUCT, SUM, LOOSE = 7, 5, 4, 3, 0
"""How tightly a text binds."""

Shape = tuple[int, ...]


class Form(NamedTuple):
    """An operation.

    Attributes:
        template: The text, with a place for each operand.
        binding: How tightly it binds.
        places: How tightly each operand must bind to stand without parentheses.
    """

    template: str
    binding: int
    places: tuple[int, ...]


def _infix(sign: str, binding: int) -> Form:
    return Form(f"{{}} {sign} {{}}", binding, (binding, binding + 1))


def _call(template: str, *places: int) -> Form:
    return Form(template, ATOM, places)


ELEMENTWISE: dict[str, Form] = {
    **{name: _infix("+", SUM) for name in ("vadd", "madd")},
    **{name: _infix("-", SUM) for name in ("vsub", "msub")},
    **{name: _infix("*", PRODUCT) for name in ("vscale", "mscale", "cw_mul", "mcw_mul")},
    **{name: _infix("/", PRODUCT) for name in ("vdiv", "cw_div")},
    "vneg": Form("-{}", UNARY, (UNARY,)),
    "vmin": _call("jnp.minimum({}, {})", LOOSE, LOOSE),
    "vmax": _call("jnp.maximum({}, {})", LOOSE, LOOSE),
    "vabs": _call("jnp.abs({})", LOOSE),
    # Zero counts as positive.
    "vsign": _call("jnp.where({} < 0.0, -1.0, 1.0)", SUM),
    "choose": _call("jnp.where({}, {}, {})", LOOSE, LOOSE, LOOSE),
}
"""Operations component by component: a scalar among their operands gets an axis of length one for each of theirs."""

_ROOT = "jnp.linalg.norm({}, axis=-1)"

WHOLE: dict[str, Form] = {
    "dot": _call("jnp.sum({} * {}, axis=-1)", PRODUCT, PRODUCT + 1),
    "cross": _call("jnp.cross({}, {})", LOOSE, LOOSE),
    "length": _call(_ROOT, LOOSE),
    "norm_l2": _call(_ROOT, LOOSE),
    "length_sq": _call("jnp.sum(jnp.square({}), axis=-1)", LOOSE),
    "norm_l1": _call("jnp.sum(jnp.abs({}), axis=-1)", LOOSE),
    "vlow": _call("jnp.min({}, axis=-1)", LOOSE),
    "vhigh": _call("jnp.max({}, axis=-1)", LOOSE),
    "argmin": _call("jnp.argmin({}, axis=-1).astype(jnp.uint32)", LOOSE),
    "argmax": _call("jnp.argmax({}, axis=-1).astype(jnp.uint32)", LOOSE),
    "mmul": Form("{} @ {}", PRODUCT, (PRODUCT, PRODUCT + 1)),
    "mvmul": _call('jnp.einsum("...ij,...j->...i", {}, {})', LOOSE, LOOSE),
    "transpose": _call("{}.mT", ATOM),
    "determinant": _call("jnp.linalg.det({})", LOOSE),
    "trace": _call("jnp.trace({}, axis1=-2, axis2=-1)", LOOSE),
    "inverse": _call("jnp.linalg.inv({})", LOOSE),
    "ddot": _call("jnp.sum({} * {}, axis=(-2, -1))", PRODUCT, PRODUCT + 1),
    "get_diag": _call("jnp.diagonal({}, axis1=-2, axis2=-1)", LOOSE),
    "outer": Form("{}[..., :, None] * {}[..., None, :]", PRODUCT, (ATOM, ATOM)),
}
"""Operations on whole vectors and matrices."""

STACKED = {"from_rows": -2, "from_cols": -1}
"""Operations that put vectors side by side, with the axis along which they stand."""


def core(type_: ValueType) -> Shape:
    """The last axes of an array of such values: none for a scalar, one for a vector, two for a matrix."""
    if isinstance(type_, Vector):
        return (type_.length,)
    return (type_.rows, type_.columns) if isinstance(type_, Matrix) else ()


def scalar(type_: ValueType) -> Scalar:
    """The type of a component, or of a scalar itself."""
    found = scalar_of(type_)
    assert found is not None
    return found


def raised(text: str, axes: int, *, traced: bool) -> str:
    """A scalar with axes of length one behind its own.

    Args:
        text: The scalar; it binds as tightly as a name.
        axes: How many.
        traced: Whether it is an array for certain, and no number of Python's.
    """
    if traced:
        return f"{text}[{', '.join(['...'] + ['None'] * axes)}]"
    return f"jnp.expand_dims({text}, {-1 if axes == 1 else tuple(range(-axes, 0))})"
