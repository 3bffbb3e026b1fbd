"""Expressions of scalar code over threads as text over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from irsmith.frontends.jax.printing.composites import (
    ATOM,
    ELEMENTWISE,
    PRODUCT,
    STACKED,
    SUM,
    WHOLE,
    Shape,
    core,
    raised,
    scalar,
)
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr

_INFIX = {
    "add": ("+", 3), "sub": ("-", 3), "mul": ("*", 4), "div": ("/", 4), "pow": ("**", 6),
    "lt": ("<", 2), "le": ("<=", 2), "gt": (">", 2), "ge": (">=", 2), "eq": ("==", 2), "ne": ("!=", 2),
    "both": ("&", 1), "either": ("|", 0),
}  # fmt: skip
"""Signs with how tightly they bind; truth values are joined bit by bit, whose operands stand in parentheses."""
_CALLS = {
    **{name: f"jnp.{name}" for name in ("abs", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp",
                                        "log", "log2", "log10", "floor", "ceil", "trunc", "square")},
    "asin": "jnp.arcsin", "acos": "jnp.arccos", "atan": "jnp.arctan", "atan2": "jnp.arctan2", "mod": "jnp.fmod",
    "min": "jnp.minimum", "max": "jnp.maximum", "clamp": "jnp.clip", "rint": "jnp.round", "erf": "lax.erf",
    "erfc": "lax.erfc", "erfinv": "lax.erf_inv", "degrees": "jnp.rad2deg", "radians": "jnp.deg2rad",
    "choose": "jnp.where",
}  # fmt: skip


class Value(NamedTuple):
    """A name that stands for a variable, what it holds in shape over threads, and the axes of a vector or matrix."""

    name: str
    shape: Shape
    core: Shape = ()


class Text(NamedTuple):
    """An expression's text, how tightly it binds, its shape over threads, and the axes of a vector or matrix."""

    text: str
    binding: int
    shape: Shape
    core: Shape = ()

    def at(self, binding: int) -> str:
        """It where an operand has to bind so tightly."""
        return self.text if self.binding >= binding else f"({self.text})"


@dataclass
class Scope:
    """Statements of one function or of one way of a branch.

    Attributes:
        values: What variables stand for there.
        lines: The text.
        indent: What stands before each line.
        kept: Names that must stay as they are, for the other way of a branch reads them.
    """

    values: dict[str, Value]
    lines: list[str] = field(default_factory=list)
    indent: str = "    "
    kept: frozenset[str] = frozenset()

    def write(self, line: str) -> None:
        """Add a line."""
        self.lines.append(self.indent + line)


class Expressions:
    """Writes expressions; what writes statements builds on it.

    Attributes:
        launch: How many threads there are along each axis.
        shapes: The shapes of the arrays that are given.
        threads: The names of a thread's place.
        helping: Whether a helper is written, in which no shape is known.
        taken: Names that are in use.
    """

    def __init__(self, launch: Shape, shapes: dict[str, Shape], taken: set[str]) -> None:
        self.launch = launch
        self.shapes = shapes
        self.taken = taken
        self.threads: tuple[str, ...] = ()
        self.helping = False

    def fresh(self, wish: str) -> str:
        """A name that nothing has."""
        name, number = wish, 2
        while name in self.taken:
            name, number = f"{wish}_{number}", number + 1
        self.taken.add(name)
        return name

    def expr(self, e: Expr, scope: Scope) -> Text:
        """An expression."""
        match e.op:
            case "name":
                return self.name(e, scope)
            case "literal":
                return self.literal(e)
            case "mutable":
                if core(e.type):
                    return Text(f"jnp.zeros({core(e.type)}, dtype=jnp.{scalar(e.type)})", ATOM, (), core(e.type))
                return Text(f"jnp.{e.type}({_digits(e)})", ATOM, ())
            case "index":
                return self.element(e, scope)
            case "neg":
                inner = self.expr(e.args[0], scope)
                return Text(f"-{inner.at(5)}", 5, inner.shape)
            case "not":
                inner = self.expr(e.args[0], scope)
                return Text(f"~{inner.at(ATOM)}", 5, inner.shape)
            case "sign":
                # Zero counts as positive.
                inner = self.expr(e.args[0], scope)
                return Text(f"jnp.where({inner.at(SUM)} < 0.0, -1.0, 1.0)", ATOM, inner.shape)
            case "lerp":
                a, b, t = (self.expr(arg, scope) for arg in e.args)
                text = f"{a.at(PRODUCT)} * (1.0 - {t.at(PRODUCT)}) + {b.at(PRODUCT)} * {t.at(5)}"
                return Text(text, SUM, broadcast(a.shape, b.shape, t.shape))
            case "cast":
                return self.cast(e, scope)
            case "call":
                given = [self.expr(arg, scope) for arg in e.args]
                return Text(
                    f"{e.name}({', '.join(g.text for g in given)})",
                    ATOM,
                    broadcast(*(g.shape for g in given)),
                    core(e.type),
                )
            case "component":
                inner = self.expr(e.args[0], scope)
                return Text(f"{inner.at(ATOM)}[..., {int(e.value)}]", ATOM, inner.shape)
            case "element":
                inner = self.expr(e.args[0], scope)
                if any(arg.op != "literal" for arg in e.args[1:]):
                    raise Discard("an element of a matrix at a place that is computed")
                row, column = (int(arg.value) for arg in e.args[1:])
                return Text(f"{inner.at(ATOM)}[..., {row}, {column}]", ATOM, inner.shape)
            case "identity":
                dtype = str(scalar(e.type))
                return Text(f"jnp.eye({core(e.type)[0]}, dtype=jnp.{dtype})", ATOM, (), core(e.type))
            case "make":
                return self.made(e, scope)
        if core(e.type) or any(core(arg.type) for arg in e.args):
            return self.composite(e, scope)
        return self.operation(e, scope)

    def composite(self, e: Expr, scope: Scope) -> Text:
        """An operation on vectors or matrices."""
        if e.op in STACKED:
            vectors = [self.expr(arg, scope) for arg in e.args]
            return self.stacked(vectors, STACKED[e.op], core(e.type), numbers=False)
        if e.op == "normalize":
            return self.normalised(e, scope)
        form = ELEMENTWISE.get(e.op) or WHOLE.get(e.op)
        if form is None:
            raise Discard(f"{e.op} of {e.type}")
        args = [self.expr(arg, scope) for arg in e.args]
        shape, inner = broadcast(*(arg.shape for arg in args)), core(e.type)
        if e.op in ELEMENTWISE:
            args = [self.aligned(arg, inner) for arg in args]
        texts = [arg.at(place) for arg, place in zip(args, form.places, strict=True)]
        return Text(form.template.format(*texts), form.binding, shape, inner)

    def normalised(self, e: Expr, scope: Scope) -> Text:
        """A vector over its length. One of length zero stays as it is."""
        vector = self.expr(e.args[0], scope)
        if not vector.text.isidentifier():
            name = self.fresh("vec")
            scope.write(f"{name} = {vector.text}")
            vector = vector._replace(text=name)
        length = self.fresh(f"{vector.text}_len")
        scope.write(f"{length} = jnp.linalg.norm({vector.text}, axis=-1, keepdims=True)")
        return vector._replace(text=f"{vector.text} / jnp.where({length} > 0.0, {length}, 1.0)", binding=PRODUCT)

    def aligned(self, text: Text, inner: Shape) -> Text:
        """A scalar with axes for the components of what it meets; anything else, and what is one number, as it is."""
        if text.core or not inner or not (text.shape or self.helping):
            return text
        whole = text.text if self.helping else text.at(ATOM)
        return Text(raised(whole, len(inner), traced=not self.helping), ATOM, text.shape, text.core)

    def made(self, e: Expr, scope: Scope) -> Text:
        """A vector or matrix of its components."""
        inner = core(e.type)
        args = [self.expr(arg, scope) for arg in e.args]
        if not inner or len(args) != inner[0] * (inner[1] if len(inner) > 1 else 1) or any(arg.core for arg in args):
            raise Discard(f"{len(args)} components of a {e.type}")
        texts = [arg.text for arg in args]
        if all(arg.op == "literal" for arg in e.args):
            rows = texts if len(inner) == 1 else [f"[{', '.join(texts[n : n + inner[1]])}]" for n in _starts(inner)]
            return Text(f"jnp.array([{', '.join(rows)}], dtype=jnp.{scalar(e.type)})", ATOM, (), inner)
        found = self.stacked(args, -1, inner, numbers=any(arg.op == "literal" for arg in e.args))
        if len(inner) == 1:
            return found
        if self.helping:
            raise Discard("a matrix of components of unknown shape")
        return found._replace(text=f"{found.text}.reshape({', '.join(map(str, found.shape + inner))})")

    def stacked(self, args: Sequence[Text], axis: int, inner: Shape, *, numbers: bool) -> Text:
        """Values side by side, of which some may be plain numbers."""
        shape = broadcast(*(arg.shape for arg in args))
        texts = ", ".join(arg.text for arg in args)
        alike = not numbers and not self.helping and all(arg.shape == shape for arg in args)
        packed = f"[{texts}]" if alike else f"jnp.broadcast_arrays({texts})"
        return Text(f"jnp.stack({packed}, axis={axis})", ATOM, shape, inner)

    def operation(self, e: Expr, scope: Scope) -> Text:
        """An operator of the table."""
        args = [self.expr(arg, scope) for arg in e.args]
        shape = broadcast(*(arg.shape for arg in args))
        if (e.op in _INFIX and e.kind in "fb") or (e.op in ("add", "sub", "mul") and e.kind == "i"):
            sign, binding = _INFIX[e.op]
            inner = 5 if binding < 2 else binding
            left = args[0].at(ATOM if e.op == "pow" else max(inner, SUM))
            right = args[1].at(5 if e.op == "pow" else max(inner, SUM) + (binding != 6))
            return Text(f"{left} {sign} {right}", binding, shape)
        if e.op in _CALLS and (e.kind == "f" or e.op in ("choose", "min", "max", "abs")):
            return Text(f"{_CALLS[e.op]}({', '.join(arg.text for arg in args)})", ATOM, shape)
        raise Discard(f"{e.op} of {e.type}")

    def name(self, e: Expr, scope: Scope) -> Text:
        """A variable, or a thread's place."""
        if e.name in self.threads:
            axis = self.threads.index(e.name)
            behind = len(self.launch) - 1 - axis
            text = f"jnp.arange({self.launch[axis]}, dtype=jnp.int32)"
            text += f"[:{', None' * behind}]" if behind else ""
            return Text(text, ATOM, (self.launch[axis], *(1,) * behind))
        if e.name not in scope.values:
            raise Discard(f"{e.name} is not known")
        value = scope.values[e.name]
        return Text(value.name, ATOM, value.shape, value.core)

    def literal(self, e: Expr) -> Text:
        """A number, which takes the dtype of what it meets."""
        text = _digits(e)
        return Text(text, ATOM if e.value >= 0 else 5, ())

    def cast(self, e: Expr, scope: Scope) -> Text:
        """A value in another dtype."""
        inner = self.expr(e.args[0], scope)
        if e.args[0].op == "literal" or str(e.type) not in ("float16", "float32", "float64", "int32"):
            raise Discard(f"a cast to {e.type}")
        return Text(f"{inner.at(ATOM)}.astype(jnp.{e.type})", ATOM, inner.shape)

    def element(self, e: Expr, scope: Scope) -> Text:
        """An element of an array: of each thread its own, or one that all of them read."""
        inner = core(e.type)
        if e.name not in self.shapes:
            raise Discard("a result that is read")
        axes = [
            self.threads.index(arg.name) if arg.op == "name" and arg.name in self.threads else None for arg in e.args
        ]
        own = [axis for axis in axes if axis is not None]
        if own != sorted(set(own)):
            raise Discard("places that are turned round")
        sizes = {axis: self.shapes[e.name][place] for place, axis in enumerate(axes) if axis is not None}
        if any(self.launch[axis] != size for axis, size in sizes.items()):
            raise Discard("an array that is longer than the launch")
        places = []
        for arg, axis in zip(e.args, axes, strict=True):
            place = Text(":", ATOM, ()) if axis is not None else self.expr(arg, scope)
            if place.shape:
                raise Discard("a place that differs between threads")
            places.append(place.text)
        while places and places[-1] == ":":
            places.pop()
        text = f"{e.name}[{', '.join(places)}]" if places else e.name
        if not own:
            return Text(text, ATOM, (), inner)
        # Axes of length one stand for those of the launch along which an array does not change.
        aligned = range(own[0], len(self.launch))
        if len(own) < len(aligned):
            text += f"[{', '.join(':' if axis in sizes else 'None' for axis in aligned)}]"
        return Text(text, ATOM, tuple(sizes.get(axis, 1) for axis in aligned), inner)


def _digits(e: Expr) -> str:
    if e.kind == "f":
        return repr(float(e.value))
    return str(int(e.value)) if e.kind == "i" else str(bool(e.value))


def broadcast(*shapes: Shape) -> Shape:
    """The shape that shapes meet in."""
    longest = max(map(len, shapes), default=0)
    padded = [(1,) * (longest - len(shape)) + shape for shape in shapes]
    return tuple(max(sizes) for sizes in zip(*padded, strict=True))


def _starts(inner: Shape) -> range:
    """Where each row of a matrix begins among its components."""
    return range(0, inner[0] * inner[1], inner[1])
