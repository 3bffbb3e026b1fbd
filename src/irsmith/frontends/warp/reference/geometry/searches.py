"""Searches in structures, by trying everything that they hold.

A grid gives candidates, of which all within the radius are sure to be and others may be: here every point is one. What
a kernel makes of them must not hang on those that are too far. A search of boxes gives those that it meets and no
others. In which order any of them come is not defined: here it is that of their numbers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import expressions, places
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.geometry import calls, triangles
from irsmith.frontends.warp.reference.geometry.calls import POINT, Handler
from irsmith.frontends.warp.reference.ops import Ops
from irsmith.frontends.warp.reference.scope import Scope
from irsmith.frontends.warp.reference.values import Array, Expr, QueryType, TileType, Type, Value, select
from irsmith.types import BOOL, FLOAT32, INT32, UINT64

_FAR = float(np.finfo(np.float32).max)

Search = tuple[Array, Array, Array]
"""Where a search stands ``(lanes,)``, what it finds ``(lanes, items)``, and how far along a ray that begins.

The first axis of each may be 1.
"""


def _everything(count: int) -> Search:
    return np.zeros(1, np.int32), np.ones((1, count), bool), np.full((1, count), -np.inf)


def _found(ops: Ops, slack: Array, size: Array, along: Array | None = None) -> Search:
    """A search that finds what overlaps.

    Args:
        ops: The arithmetic of the run.
        slack: How far each item could move before it were left, negative where it is not met ``(lanes, items)``.
        size: How large the numbers were that it was computed from ``(lanes,)``.
        along: How far along a ray each item begins.
    """
    found = slack >= 0
    if ops.machine.tracing:
        # One number for all that was found.
        marks = np.random.default_rng(0).integers(1, 1 << 62, found.shape[1])
        ops.machine.decide((found * marks).sum(axis=1))
        nearest = np.take_along_axis(slack, np.abs(slack).argmin(axis=1)[:, None], axis=1)[:, 0]
        ops.machine.near(size + nearest, size, kink=False)
    return np.zeros(1, np.int32), found, np.full((1, found.shape[1]), -np.inf) if along is None else along


def _overlap(ops: Ops, boxes: tuple[Array, Array], low: Array, high: Array) -> Search:
    """Boxes that overlap another one."""
    lowers, uppers = boxes
    slack = np.minimum(high[:, None] - lowers, uppers - low[:, None]).min(axis=-1)
    return _found(ops, slack, np.abs(np.concatenate([low, high], axis=1)).max(axis=1))


def _around(ops: Ops, boxes: tuple[Array, Array], centre: Array, radius: Array) -> Search:
    """Boxes that reach into a sphere."""
    lowers, uppers = boxes
    gaps = np.maximum(np.maximum(lowers - centre[:, None], centre[:, None] - uppers), 0.0)
    radius = np.maximum(radius, 0.0)
    return _found(ops, radius[:, None] - np.sqrt((gaps * gaps).sum(axis=-1)), radius)


def _along(ops: Ops, boxes: tuple[Array, Array], start: Array, way: Array, radius: Array | None = None) -> Search:
    """Boxes that a ray meets, or that it comes so close to in each coordinate."""
    lowers, uppers = (corner.astype(np.float64) for corner in boxes)
    reach = np.nan_to_num(np.abs(lowers)).reshape(len(lowers), -1).max(axis=1)
    origin = triangles.moved(ops, start, reach)[:, None]
    towards = triangles.moved(ops, way, np.zeros(len(way)))[:, None]
    grown = 0.0 if radius is None else np.maximum(radius, 0.0)[:, None, None]
    one, other = (lowers - grown - origin) / towards, (uppers + grown - origin) / towards
    entry, leave = np.minimum(one, other).max(axis=-1), np.maximum(one, other).min(axis=-1)
    slack = np.minimum(leave - entry, leave)
    # What a capsule begins to touch at its very end is met too.
    return _found(ops, slack, np.ones(len(slack)), entry if radius is None else np.nextafter(entry, -np.inf))


def _within(value: Value, root: Value, node: ast.AST) -> tuple[Array, Array]:
    """The boxes of a hierarchy below a root: all, or those of a group, of which those of others are nowhere."""
    groups, lowers, uppers = calls.boxes(value, node)
    outside = ((root[:, None] != -1) & (groups != root[:, None]))[..., None]
    return np.where(outside, np.nan, lowers), np.where(outside, np.nan, uppers)


def _of_boxes(search: Callable[..., Search], *types: Type) -> Handler:
    """A search of a hierarchy, below a root if one is given."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        root = scope.constant(INT32, -1)
        call = node
        given = [keyword.value for keyword in node.keywords if keyword.arg == "root"] or node.args[1 + len(types) :]
        if len(given) == 1:
            root = expressions.expression(scope, given[0])
            call = ast.Call(node.func, node.args[: 1 + len(types)], [])
        ast.copy_location(call, node)
        bvh, *rest = calls.operands(scope, call, UINT64, *types)
        if root.type != INT32:
            raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
        ops = scope.ops

        def run() -> Value:
            boxes = _within(bvh.run(), root.run(), node)
            return search(ops, boxes, *(calls.spread(part.run(), len(boxes[0])) for part in rest))

        return Expr(QueryType(), run, guarded=True)

    return handler


def _of_mesh(search: Callable[..., Search], *types: Type) -> Handler:
    """A search of a mesh's triangles."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        mesh, *rest = calls.operands(scope, node, UINT64, *types)
        ops = scope.ops

        def run() -> Value:
            found = calls.triangles(mesh.run(), node)
            return search(ops, found, *(calls.spread(part.run(), len(found.corners)) for part in rest))

        return Expr(QueryType(), run, guarded=True)

    return handler


def _touching(ops: Ops, found: triangles.Triangles, centre: Array, radius: Array) -> Search:
    """Triangles that reach into a sphere."""
    away = triangles.distances(ops, found, centre)
    return _found(ops, np.maximum(radius, 0.0)[:, None] - away, found.reach)


def _grid_query(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The candidates within some distance of a point."""
    del expected
    grid, point, distance = calls.operands(scope, node, UINT64, POINT, FLOAT32)

    def run() -> Value:
        points = calls.points(grid.run(), node)
        point.run()
        distance.run()
        return _everything(points.shape[1])

    return Expr(QueryType(), run, guarded=True)


def _next(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Move a search on: whether there is another item, whose number goes to a variable."""
    del expected
    limit = scope.constant(FLOAT32, _FAR)
    if len(node.args) == 3 and ast.unparse(node.func).endswith("bvh_query_next"):
        limit = expressions.expression(scope, node.args[2])
    elif len(node.args) != 2:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    if node.keywords or not isinstance(node.args[0], ast.Name) or limit.type != FLOAT32:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    query, index = places.place(scope, node.args[0]), places.place(scope, node.args[1])
    if not isinstance(query.type, QueryType) or index.type != INT32:
        raise Unsupported(f"{ast.unparse(node.func)} of {query.type} and {index.type}", node)

    def run() -> Value:
        here, found, along = query.load()
        left = found & (np.arange(found.shape[1]) >= here[:, None]) & (along < limit.run()[:, None])
        index.find()
        more, number = left.any(axis=1), left.argmax(axis=1).astype(np.int32)
        index.save(select(more, number, index.load()))
        query.save((np.where(more, number + 1, found.shape[1]).astype(np.int32), found, along))
        return more

    return Expr(BOOL, run, guarded=True)


def _next_of_block(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """A tile of what the threads of a block find next, of which a CPU's has one: an item's number, or -1."""
    del expected
    query = _only(scope, node)

    def run() -> Value:
        here, found, along = query.load()
        left = found & (np.arange(found.shape[1]) >= here[:, None])
        more, number = left.any(axis=1), left.argmax(axis=1).astype(np.int32)
        # Beyond the last of all, a search has ended.
        query.save((np.where(more, number + 1, found.shape[1] + 1).astype(np.int32), found, along))
        return np.where(more, number, -1).astype(np.int32)[:, None]

    return Expr(TileType(INT32, (1,)), run, guarded=True)


def _valid(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Whether a block's search has not yet said that there is nothing more."""
    del expected
    query = _only(scope, node)

    def run() -> Value:
        here, found, _ = query.load()
        return here <= found.shape[1]

    return Expr(BOOL, run, guarded=True)


def _only(scope: Scope, node: ast.Call) -> places.Place:
    """The variable that holds a search, all that a call takes."""
    if len(node.args) != 1 or node.keywords:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    return _variable(scope, node)


def _variable(scope: Scope, node: ast.Call) -> places.Place:
    """The variable that holds a search, a call's first argument."""
    query = places.place(scope, node.args[0]) if isinstance(node.args[0], ast.Name) else None
    if query is None or not isinstance(query.type, QueryType):
        raise Unsupported(f"{ast.unparse(node.func)} of what is no search", node)
    return query


def _point_id(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The point at a place of a grid's own order, which is not defined: here that of the points."""
    del expected
    _, index = calls.operands(scope, node, UINT64, INT32)
    return Expr(INT32, index.run, guarded=index.guarded)


def _group_root(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Where the boxes of a group begin, which only searches understand: here its number, or -1 if it has none."""
    del expected
    bvh, group = calls.operands(scope, node, UINT64, INT32)

    def run() -> Value:
        groups, wanted = calls.boxes(bvh.run(), node)[0], group.run()
        return np.where((groups == wanted[:, None]).any(axis=1), wanted, -1).astype(np.int32)

    return Expr(INT32, run, guarded=True)


def _mesh_boxes(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """The hierarchy of the boxes around a mesh's triangles."""
    del expected
    (mesh,) = calls.operands(scope, node, UINT64)

    def run() -> Value:
        found = calls.triangles(mesh.run(), node)
        return np.zeros(found.corners.shape[:2], np.int32), *triangles.boxes(found)

    return Expr(UINT64, run, guarded=True)


def _mesh_overlap(ops: Ops, found: triangles.Triangles, low: Array, high: Array) -> Search:
    return _overlap(ops, triangles.boxes(found), low, high)


SEARCHES: dict[str, Handler] = {
    "hash_grid_query": _grid_query,
    "hash_grid_point_id": _point_id,
    "bvh_query_aabb": _of_boxes(_overlap, POINT, POINT),
    "bvh_query_sphere": _of_boxes(_around, POINT, FLOAT32),
    "bvh_query_ray": _of_boxes(_along, POINT, POINT),
    "bvh_query_capsule": _of_boxes(_along, POINT, POINT, FLOAT32),
    "bvh_get_group_root": _group_root,
    "mesh_query_aabb": _of_mesh(_mesh_overlap, POINT, POINT),
    "mesh_query_sphere": _of_mesh(_touching, POINT, FLOAT32),
    "mesh_get_bvh": _mesh_boxes,
    **dict.fromkeys(("tile_bvh_query_aabb", "bvh_query_aabb_tiled"), _of_boxes(_overlap, POINT, POINT)),
    **dict.fromkeys(("tile_bvh_query_ray", "bvh_query_ray_tiled"), _of_boxes(_along, POINT, POINT)),
    **dict.fromkeys(("tile_mesh_query_aabb", "mesh_query_aabb_tiled"), _of_mesh(_mesh_overlap, POINT, POINT)),
    **dict.fromkeys(
        ("tile_bvh_query_next", "bvh_query_next_tiled", "tile_mesh_query_aabb_next", "mesh_query_aabb_next_tiled"),
        _next_of_block,
    ),
    "tile_query_valid": _valid,
    **dict.fromkeys(("hash_grid_query_next", "bvh_query_next", "mesh_query_next", "mesh_query_aabb_next"), _next),
}
"""Builtins by name."""
