"""Builtins that ask a mesh for one place on it, or for what it is made of."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from irsmith.frontends.warp.reference import expressions
from irsmith.frontends.warp.reference.builtins import vector
from irsmith.frontends.warp.reference.errors import FaultKind, Unsupported
from irsmith.frontends.warp.reference.geometry import calls, triangles
from irsmith.frontends.warp.reference.geometry.calls import POINT, Handler
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.values import Array, Expr, ListType, Type, Value, along
from irsmith.types import BOOL, FLOAT32, INT32, UINT64, Field, Struct

_SURE = (Field("result", BOOL), Field("sign", FLOAT32), Field("face", INT32))
_WEIGHTS = (Field("u", FLOAT32), Field("v", FLOAT32))

AT_POINT = Struct("MeshQueryPoint", (*_SURE, *_WEIGHTS))
ARRAYS = Struct("Mesh", ())
"""A mesh's arrays, whose elements are read."""
_HELD = ("points", "velocities", "indices")
ON_RAY = Struct("MeshQueryRay", (*_SURE, Field("t", FLOAT32), *_WEIGHTS, Field("normal", POINT)))

_OPEN = frozenset({"face", "u", "v"})
"""What hangs on which of several triangles that share the closest point is named."""


def told(scope: Scope, owner: Expr, name: str, value: Expr) -> Expr:
    """A field of what a query found, as it is read.

    The closest point of a mesh often lies on an edge. It is the same whichever of the edge's triangles is named; what
    is made of that triangle alone is not.
    """
    if owner.type != AT_POINT or name not in _OPEN:
        return value
    whole, decide = owner.run, scope.ops.decide
    place = [field.name for field in AT_POINT.fields].index(name)

    def run() -> Value:
        found = whole()
        decide(found[2])
        return found[place]

    return Expr(value.type, run, guarded=True)


def _kept(found: Array, *values: Array) -> tuple[Array, ...]:
    """Values where something was found, and zeros elsewhere."""
    kept = [np.where(along(found, value.ndim), value, np.zeros((), value.dtype)) for value in values]
    return found, *kept


def _closest(*, signed: bool, usual: dict[str, float] | None = None, furthest: bool = False) -> Handler:
    """The closest point within a distance, or the furthest beyond one."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        mesh, point, limit = calls.operands(scope, node, UINT64, POINT, FLOAT32, usual=usual)
        ops, machine = scope.ops, scope.machine

        def run() -> Value:
            of = calls.triangles(mesh.run(), node)
            at, bound = (calls.spread(part.run(), len(of.corners)) for part in (point, limit))
            # Some of Warp's searches square it.
            negative = np.broadcast_to(bound < 0, machine.lanes)
            machine.fault(FaultKind.NEGATIVE_DISTANCE, negative, node.lineno)
            found = triangles.closest(ops, of, at, furthest=furthest)
            ops.decide(found.feature)
            sign = np.zeros(len(at), np.float32)
            if signed:
                ops.decide(found.inside)
                sign = np.where(found.inside, -1.0, 1.0)
            within = ops.compare(np.greater if furthest else np.less, found.distance, bound)
            return _kept(within, sign.astype(found.u.dtype), found.face, found.u, found.v)

        return Expr(AT_POINT, run, guarded=True)

    return handler


@dataclass(frozen=True, slots=True)
class _Rays:
    """A ray in each lane, and what it meets."""

    of: triangles.Triangles
    start: Array
    way: Array
    hits: triangles.Hits


def _rays(scope: Scope, node: ast.Call, *types: Type) -> tuple[Callable[[], _Rays], list[Expr]]:
    mesh, start, way, *rest = calls.operands(scope, node, UINT64, POINT, POINT, *types, usual={"root": -1})
    ops = scope.ops

    def run() -> _Rays:
        of = calls.triangles(mesh.run(), node)
        origin, towards = (calls.spread(part.run(), len(of.corners)) for part in (start, way))
        return _Rays(of, origin, towards, triangles.hits(ops, of, origin, towards))

    return run, rest


def _ray(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The first triangle that a ray meets."""
    del expected
    cast, (limit,) = _rays(scope, node, FLOAT32)
    ops = scope.ops

    def run() -> Value:
        rays = cast()
        met = rays.hits.met
        face = np.where(met, rays.hits.along, np.inf).argmin(axis=1).astype(np.int32)
        some = met.any(axis=1)
        ops.decide(np.where(some, face, -1))
        there = triangles.meeting(ops, rays.of, face, rays.start, rays.way)
        within = some & ops.compare(np.less, there.along, calls.spread(limit.run(), len(face)))
        return _kept(within, there.sign, face, there.along, there.u, there.v, there.normal)

    return Expr(ON_RAY, run, guarded=True)


def _any_hit(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Whether a ray meets a triangle before some distance."""
    del expected
    cast, (limit,) = _rays(scope, node, FLOAT32)
    ops = scope.ops

    def run() -> Value:
        hits = cast().hits
        found = (hits.met & (hits.along < limit.run()[:, None])).any(axis=1)
        ops.decide(found)
        return found

    return Expr(BOOL, run, guarded=True)


def _hit_count(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """How many triangles a ray meets."""
    del expected
    cast, _ = _rays(scope, node)
    ops = scope.ops

    def run() -> Value:
        count = cast().hits.met.sum(axis=1).astype(np.int32)
        ops.decide(count)
        return count

    return Expr(INT32, run, guarded=True)


def _field(scope: Scope, node: ast.expr) -> Expr:
    """An operand, where a query's own field stands for the point that it tells with the others."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in scope.variables:
        owner = expressions.expression(scope, node.value)
        if owner.type == AT_POINT:
            return expressions.member(scope, owner, node.attr, node)
    return expressions.expression(scope, node)


def _interpolated(held: int) -> Handler:
    """The position or the velocity at weights of a triangle's corners."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        given = [_field(scope, argument) for argument in node.args]
        if [part.type for part in given] != [UINT64, INT32, FLOAT32, FLOAT32] or node.keywords:
            raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
        mesh, face, u, v = given
        ops, line = scope.ops, node.lineno

        def run() -> Value:
            arrays = calls.mesh(mesh.run(), node)
            of = triangles.Triangles.of(arrays[held], arrays[2])
            number = _number(scope, face.run(), of.corners.shape[1], len(of.corners), line)
            return triangles.interpolated(ops, of.face(number), u.run(), v.run())

        return Expr(POINT, run, guarded=True)

    return handler


def _number(scope: Scope, number: Array, count: int, lanes: int, line: int) -> Array:
    """A number below a count in each lane; another one is a fault."""
    bad = (number < 0) | (number >= count)
    scope.machine.fault(FaultKind.OUT_OF_BOUNDS, calls.spread(bad, lanes), line)
    return calls.spread(np.clip(number, 0, count - 1), lanes)


def _normal(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A triangle's normal.

    Of the closest one it is open which that is. Randomly rounded runs name different ones, so that it shows how far
    their normals are apart; a difference in float64, whose own rounding is not shown, must not cross from one to
    another.
    """
    del expected
    given = [_field(scope, argument) for argument in node.args]
    if [part.type for part in given] != [UINT64, INT32] or node.keywords:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    mesh, face = given
    ops, line = scope.ops, node.lineno

    def run() -> Value:
        of = calls.triangles(mesh.run(), node)
        named = face.run()
        if ops.precision.exact:
            ops.decide(named)
        number = _number(scope, named, of.corners.shape[1], len(of.corners), line)
        return vector.normalize(ops, of.normals(ops, number))

    return Expr(POINT, run, guarded=True)


def _corner(held: int) -> Handler:
    """What a mesh holds for a corner of a triangle: its point, its velocity, or which vertex it is."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        mesh, index = calls.operands(scope, node, UINT64, INT32)
        line = node.lineno

        def run() -> Value:
            arrays = calls.mesh(mesh.run(), node)
            indices = arrays[2]
            lanes = np.arange(len(indices))
            number = _number(scope, index.run(), indices.shape[1], len(indices), line)
            vertex = indices[lanes, number]
            return vertex if held == 2 else arrays[held][lanes, vertex]

        return Expr(INT32 if held == 2 else POINT, run, guarded=True)

    return handler


def _get(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A mesh's arrays."""
    del expected
    (mesh,) = calls.operands(scope, node, UINT64)
    return Expr(ARRAYS, lambda: calls.mesh(mesh.run(), node), guarded=True)


def held(owner: Expr, name: str) -> Expr | None:
    """One of a mesh's arrays, or None if the field is of something else, or no array."""
    if owner.type != ARRAYS or name not in _HELD:
        return None
    place = _HELD.index(name)
    return Expr(ListType(INT32 if place == 2 else POINT), lambda: owner.run()[place], guarded=True)


def element(scope: Scope, owner: Expr, index: Expr, node: ast.AST) -> Expr:
    """An element of one of a mesh's arrays."""
    assert isinstance(owner.type, ListType)
    line = getattr(node, "lineno", 0)

    def run() -> Value:
        values = owner.run()
        number = _number(scope, index.run(), values.shape[1], max(len(values), scope.machine.lanes), line)
        return values[np.arange(len(number)) if len(values) == len(number) else 0, number]

    return Expr(owner.type.element, run, guarded=True)


def length(scope: Scope, owner: Expr) -> Expr:
    """How many elements one of a mesh's arrays has."""
    return Expr(INT32, lambda: scope.machine.integer(owner.run().shape[1]), guarded=owner.guarded)


MESHES: dict[str, Handler] = {
    "mesh_query_point": _closest(signed=True),
    "mesh_query_point_no_sign": _closest(signed=False),
    "mesh_query_point_sign_normal": _closest(signed=True, usual={"epsilon": 1e-3}),
    "mesh_query_point_sign_winding_number": _closest(signed=True, usual={"accuracy": 2.0, "threshold": 0.5}),
    "mesh_query_point_sign_parity": _closest(signed=True, usual={"n_sample": 1, "perturbation_scale": 0.1}),
    "mesh_query_furthest_point_no_sign": _closest(signed=False, furthest=True),
    "mesh_query_ray": _ray,
    "mesh_query_ray_anyhit": _any_hit,
    "mesh_query_ray_count_intersections": _hit_count,
    "mesh_eval_position": _interpolated(0),
    "mesh_eval_velocity": _interpolated(1),
    "mesh_eval_face_normal": _normal,
    "mesh_get": _get,
    "mesh_get_point": _corner(0),
    "mesh_get_velocity": _corner(1),
    "mesh_get_index": _corner(2),
}
"""Builtins by name."""
