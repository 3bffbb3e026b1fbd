"""What categories of geometry share: ids of meshes and boxes, and what queries of them find."""

from __future__ import annotations

from copy import copy

import numpy as np

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import NO_SPAN, exactly, usual, vector
from irsmith.synth.algebra import name as variable
from irsmith.synth.categories.pen import Pen, Q
from irsmith.synth.ir import Assign, Expr, Span
from irsmith.synth.probe import Lanes
from irsmith.types import BOOL, FLOAT32, INT32, UINT64, Bvh, Domain, Mesh, ValueType

POINT = vector(3, FLOAT32)
NEAR, FAR = 0.6, 1.2
"""How far from the origin the vertices of meshes are."""

_MESHES = ("mesh", "mesh", "mesh_id", "shape", "surface", "collider", "geo")
_BOXES = ("bvh", "bvh", "bvh_id", "tree", "boxes")
_SHAPES = ((1, 4), (2, 4), (2, 5), (2, 6), (3, 5), (3, 6))
_TYPES: dict[str, ValueType] = {"v": POINT, "f": FLOAT32, "i": INT32, "b": BOOL, "s": UINT64}
_WEIGHT = usual(0.0, 1.0)
_DISTANCE = Span(0.0, 20.0, 0.4, 2.0)


class Surface:
    """A mesh or boxes among a kernel's arguments.

    Attributes:
        type: What is built.
        id: The argument.
    """

    def __init__(self, p: Pen, type: Mesh | Bvh, names: tuple[str, ...], domain: Domain) -> None:
        self.pen = p
        self.type = type
        text = self._given = p.s.names.free(names, p.s.rng)
        p.s.arguments.append(Argument(text, type, 0, Direction.IN, (), domain))
        self.id = Expr("name", "i", UINT64, NO_SPAN, (), text)

    @property
    def kind(self) -> str:
        """What builtins that search it begin with."""
        return "mesh" if isinstance(self.type, Mesh) and self.id.name == self._given else "bvh"

    def boxes(self) -> Surface:
        """The boxes around the triangles of a mesh."""
        text = self.pen.s.names.claim(self.pen.s.names_free(("bvh", "tree", "face_bvh")))
        inner = copy(self)
        inner.id = self.id._replace(name=text)
        self.pen.s.emit(Assign(inner.id, self.call("mesh_get_bvh", "s", NO_SPAN)))
        return inner

    @property
    def count(self) -> int:
        """How many triangles or boxes there are."""
        return self.type.faces if isinstance(self.type, Mesh) else self.type.count

    def call(self, builtin: str, kind: str, span: Span, *operands: Q | Expr | int | float) -> Expr:
        """A call of a builtin that takes the id first."""
        return Expr("query", kind, _TYPES[kind], span, (self.id, *map(self._operand, operands)), builtin)

    def _operand(self, value: Q | Expr | int | float) -> Expr:
        if isinstance(value, Q):
            return value.e
        if isinstance(value, int):
            return Expr("literal", "i", INT32, exactly(value), (), "", value)
        return self.pen.literal(value) if isinstance(value, float) else value

    def ask(self, builtin: str, *operands: Q | Expr | int | float, names: tuple[str, ...]) -> Found:
        """A variable for what a query finds."""
        s = self.pen.s
        text = s.names.claim(s.names_free(names))
        held = Expr("name", "s", UINT64, NO_SPAN, (), text)
        s.emit(Assign(held, self.call(builtin, "s", NO_SPAN, *operands)))
        return Found(self, held)

    def tell(self, value: Expr, lanes: Lanes, source: Q, *names: str) -> Q:
        """A variable for a value whose lanes are imagined, made of another one."""
        s = self.pen.s
        text = s.names.claim(s.names_free(names))
        s.emit(Assign(variable(text, value.type, value.span), value))
        s.probe.derive(source.e, {text: lanes})
        return Q(self.pen, variable(text, value.type, value.span))


class Found:
    """What a query of a mesh found: a record whose fields are read."""

    def __init__(self, surface: Surface, held: Expr) -> None:
        self.surface = surface
        self.held = held

    def _field(self, name: str, kind: str, span: Span) -> Q:
        return Q(self.surface.pen, Expr("field", kind, _TYPES[kind], span, (self.held,), name))

    @property
    def result(self) -> Expr:
        """Whether anything was found."""
        return self._field("result", "b", usual(0.0, 1.0)).e

    @property
    def sign(self) -> Q:
        """The side of the surface."""
        return self._field("sign", "f", usual(-1.0, 1.0))

    @property
    def along(self) -> Q:
        """How far along the ray."""
        return self._field("t", "f", _DISTANCE)

    @property
    def normal(self) -> Q:
        """The normal where a ray meets the surface."""
        return self._field("normal", "v", usual(-1.0, 1.0))

    @property
    def face(self) -> Q:
        """The triangle."""
        return self._field("face", "i", usual(0, self.surface.count - 1))

    @property
    def weights(self) -> tuple[Q, Q]:
        """The weights of the triangle's first two corners."""
        return self._field("u", "f", _WEIGHT), self._field("v", "f", _WEIGHT)

    def place(self, source: Q, *names: str) -> Q:
        """A variable for the point that was found, for another one."""
        at = self.surface.call("mesh_eval_position", "v", usual(-FAR, FAR), self.face, *self.weights)
        lanes = self.surface.pen.s.probe.of(source.e)
        size = np.sqrt((lanes * lanes).sum(axis=-1, keepdims=True)) + 1e-3
        return self.surface.tell(at, lanes / size * (0.9 + 0.1 * np.sin(3.0 * lanes[:, :1])), source, *names)

    def velocity(self, source: Q, *names: str) -> Q:
        """A variable for how fast the surface moves there."""
        at = self.surface.call("mesh_eval_velocity", "v", usual(-1.0, 1.0), self.face, *self.weights)
        return self.surface.tell(at, 0.5 * np.roll(self.surface.pen.s.probe.of(source.e), 9, axis=0), source, *names)


def mesh(p: Pen) -> Surface:
    """A new mesh."""
    return Surface(p, Mesh(*p.s.rng.pick(_SHAPES)), _MESHES, Domain(NEAR, FAR))


def boxes(p: Pen, groups: int = 1) -> Surface:
    """A new hierarchy of boxes."""
    return Surface(p, Bvh(p.s.rng.pick((12, 16, 20, 24, 32)), groups), _BOXES, Domain(-1.0, 1.0))
