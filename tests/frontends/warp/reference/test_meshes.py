"""Meshes and hierarchies of boxes, against compiled Warp."""

import numpy as np
import pytest

from irsmith.frontends.warp.reference import Reference, Unsupported
from irsmith.frontends.warp.runner.layout import dtype_of
from irsmith.types import Bvh, Domain, Mesh
from irsmith.verify import geometry
from irsmith.verify.stream import Uniform

wp = pytest.importorskip("warp")

POINT_QUERIES = (
    "mesh_query_point(mesh, x[i], r)",
    "mesh_query_point_no_sign(mesh, x[i], r)",
    "mesh_query_point_sign_normal(mesh, x[i], r)",
    "mesh_query_point_sign_winding_number(mesh, x[i], r, 2.0, 0.5)",
    "mesh_query_point_sign_parity(mesh, x[i], r, n_sample=1)",
    "mesh_query_furthest_point_no_sign(mesh, x[i], r)",
)
_ARGUMENTS = """
    id: wp.uint64,
    x: wp.array(dtype=wp.vec3),
    d: wp.array(dtype=wp.vec3),
    r: float,
    out: wp.array2d(dtype=float),
    at: wp.array(dtype=wp.vec3),
"""
_POINTS = "".join(
    f"""
@wp.kernel
def point_{place}({_ARGUMENTS}):
    i = wp.tid()
    mesh = id
    query = wp.{query}
    if query.result:
        at[i] = wp.mesh_eval_position(mesh, query.face, query.u, query.v)
        v = wp.mesh_eval_velocity(mesh, query.face, query.u, query.v)
        out[i, 0] = query.sign
        out[i, 1] = v[0]
        out[i, 2] = v[1]
    else:
        out[i, 3] = 1.0 + query.sign + query.u + query.v + float(query.face)
"""
    for place, query in enumerate(POINT_QUERIES)
)
SOURCE = f"""
import warp as wp

wp.set_module_options({{"enable_backward": False}})

{_POINTS}


@wp.kernel
def rays({_ARGUMENTS}):
    i = wp.tid()
    query = wp.mesh_query_ray(id, x[i], d[i], r)
    if query.result:
        at[i] = query.normal + wp.mesh_eval_position(id, query.face, query.u, query.v)
        out[i, 0] = query.t
        out[i, 1] = query.u + query.v
        out[i, 2] = query.sign
        out[i, 3] = float(query.face)
    if wp.mesh_query_ray_anyhit(id, x[i], d[i], r):
        out[i, 3] += 1000.0
    out[i, 3] += 100000.0 * float(wp.mesh_query_ray_count_intersections(id, x[i], d[i]))


@wp.kernel
def faces({_ARGUMENTS}):
    i = wp.tid()
    around = wp.vec3(r, r, r) * 0.5
    for face in wp.mesh_query_aabb(id, x[i] - around, x[i] + around):
        out[i, 0] += 1.0 + float(face)
        if face > 9:
            continue
        at[i] += wp.mesh_eval_face_normal(id, face)
    sphere = wp.mesh_query_sphere(id, x[i], r)
    f = int(0)
    while wp.mesh_query_next(sphere, f):
        out[i, 1] += 1.0 + float(wp.mesh_get_index(id, 3 * f))
        at[i] += wp.mesh_get_point(id, 3 * f + 1) + wp.mesh_get_velocity(id, 3 * f + 2)
    box = wp.mesh_query_aabb(id, x[i], x[i] + around)
    g = int(0)
    while wp.mesh_query_aabb_next(box, g):
        out[i, 2] += 1.0 + float(g)
    block = wp.tile_mesh_query_aabb(id, x[i], x[i] + around)
    while wp.tile_query_valid(block):
        k = wp.untile(wp.tile_mesh_query_aabb_next(block))
        if k >= 0:
            out[i, 2] += 100.0 + float(k)
    old = wp.mesh_query_aabb_tiled(id, x[i] - around, x[i])
    while wp.tile_query_valid(old):
        m = wp.untile(wp.mesh_query_aabb_next_tiled(old))
        if m >= 0:
            out[i, 2] += 1000.0 + float(m)
    held = wp.mesh_get(id)
    at[i] += held.points[held.indices[i % 6]] - held.velocities[i % 6]
    bvh = wp.mesh_get_bvh(id)
    ray = wp.bvh_query_ray(bvh, x[i], d[i])
    h = int(0)
    while wp.bvh_query_next(ray, h, r):
        out[i, 3] += 1.0 + float(h)


@wp.kernel
def boxes({_ARGUMENTS}):
    i = wp.tid()
    around = wp.vec3(r, r, r)
    root = wp.bvh_get_group_root(id, i % 4)
    query = wp.bvh_query_aabb(id, x[i] - around, x[i] + around, root)
    a = int(0)
    while wp.bvh_query_next(query, a):
        out[i, 0] += 1.0 + float(a)
    sphere = wp.bvh_query_sphere(id, x[i], r)
    b = int(0)
    while wp.bvh_query_next(sphere, b):
        out[i, 1] += 1.0 + float(b)
    ray = wp.bvh_query_ray(id, x[i], d[i], root=root)
    c = int(0)
    while wp.bvh_query_next(ray, c):
        out[i, 2] += 1.0 + float(c)
    capsule = wp.bvh_query_capsule(id, x[i], d[i], 0.1)
    e = int(0)
    while wp.bvh_query_next(capsule, e, 1.0):
        out[i, 3] += 1.0 + float(e)
    block = wp.tile_bvh_query_aabb(id, x[i] - around, x[i] + around)
    while wp.tile_query_valid(block):
        k = wp.untile(wp.tile_bvh_query_next(block))
        if k >= 0:
            out[i, 0] += 100.0 + float(k)
    along = wp.tile_bvh_query_ray(id, x[i], d[i])
    while wp.tile_query_valid(along):
        m = wp.untile(wp.tile_bvh_query_next(along))
        if m >= 0:
            out[i, 1] += 100.0 + float(m)
    old = wp.bvh_query_aabb_tiled(id, x[i], x[i] + around)
    while wp.tile_query_valid(old):
        n = wp.untile(wp.bvh_query_next_tiled(old))
        if n >= 0:
            out[i, 2] += 1000.0 + float(n)
    older = wp.bvh_query_ray_tiled(id, x[i], d[i])
    while wp.tile_query_valid(older):
        q = wp.untile(wp.bvh_query_next_tiled(older))
        if q >= 0:
            out[i, 3] += 1000.0 + float(q)
"""
OPEN = f"""
import warp as wp


@wp.kernel
def names({_ARGUMENTS}):
    i = wp.tid()
    query = wp.mesh_query_point_no_sign(id, x[i], r)
    out[i, 0] = float(query.face)
    at[i] = wp.mesh_eval_position(id, query.face, query.u, query.v)


@wp.kernel
def beyond({_ARGUMENTS}):
    i = wp.tid()
    at[i] = wp.mesh_eval_face_normal(id, 12)


@wp.kernel
def threshold({_ARGUMENTS}):
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(id, x[i], r, 2.0, 0.9)
    out[i, 0] = query.sign
"""
SETS, THREADS = 16, 48


def drawn(type_, low, high):
    data = np.zeros(SETS, dtype_of(type_))
    geometry.draw(data, type_, Domain(low, high), Uniform("test", str(type_)))
    return data


def inputs(data):
    random = np.random.default_rng(1)
    x = random.uniform(-1.5, 1.5, (SETS, THREADS, 3)).astype(np.float32)
    d = random.normal(size=x.shape).astype(np.float32)
    d[:, ::2] = -x[:, ::2]
    r = np.linspace(0.3, 2.5, SETS).astype(np.float32)
    out, at = np.zeros((SETS, THREADS, 4), np.float32), np.zeros(x.shape, np.float32)
    return {"id": data, "x": x, "d": d, "r": r, "out": out, "at": at}


def built(one):
    def array(name, dtype):
        return wp.array(one[name], dtype=dtype, device="cpu")

    if "points" in one.dtype.names:
        arrays = array("points", wp.vec3), array("indices", int), array("velocities", wp.vec3)
        return wp.Mesh(*arrays, support_winding_number=True)
    groups = array("groups", int)
    return wp.Bvh(array("lowers", wp.vec3), array("uppers", wp.vec3), groups=groups)


def agree(comparison, kernel, data):
    given = inputs(data)
    found = comparison.reference(kernel).run(given, (THREADS,))
    assert found.faults == (None,) * SETS
    for lane in range(SETS):
        structure = built(data[lane])
        arrays = [wp.array(given[name][lane], dtype=wp.vec3, device="cpu") for name in ("x", "d", "at")]
        out = wp.zeros((THREADS, 4), dtype=float, device="cpu")
        arguments = [structure.id, *arrays[:2], float(given["r"][lane]), out, arrays[2]]
        wp.launch(getattr(comparison.module, kernel), dim=THREADS, inputs=arguments, device="cpu")
        for name, array in (("out", out), ("at", arrays[2])):
            np.testing.assert_allclose(array.numpy(), found.outputs[name][lane], rtol=1e-4, atol=1e-5)
    return found.outputs


@pytest.fixture(scope="module")
def comparison(against_warp):
    return against_warp(SOURCE)


@pytest.mark.parametrize("place", range(len(POINT_QUERIES)), ids=[query.partition("(")[0] for query in POINT_QUERIES])
def test_closest_points(comparison, place):
    outputs = agree(comparison, f"point_{place}", drawn(Mesh(2, 5), 0.6, 1.2))
    signs = outputs["out"][..., 0]
    assert (outputs["out"][..., 3] == 1.0).any()
    if "no_sign" not in POINT_QUERIES[place]:
        assert {-1.0, 0.0, 1.0} == set(signs.reshape(-1).tolist())


@pytest.mark.parametrize("shape", [Mesh(1, 4), Mesh(3, 6)], ids=str)
@pytest.mark.parametrize("kernel", ["rays", "faces"])
def test_what_meets_a_mesh(comparison, kernel, shape):
    outputs = agree(comparison, kernel, drawn(shape, 0.6, 1.2))
    assert (outputs["out"] != 0).any(axis=(0, 1)).all()


@pytest.mark.parametrize("groups", [1, 3])
def test_what_meets_boxes(comparison, groups):
    outputs = agree(comparison, "boxes", drawn(Bvh(20, groups), -1.0, 1.0))
    assert (outputs["out"] != 0).any(axis=(0, 1)).all()


def test_meshes_are_closed_around_the_origin():
    data = drawn(Mesh(3, 5), 0.6, 1.2)
    corners = data["points"][np.arange(SETS)[:, None], data["indices"]].reshape(SETS, -1, 3, 3).astype(float)
    assert (np.linalg.det(corners) > 0).all()
    for faces in data["indices"].reshape(SETS, -1, 3):
        edges = {(int(face[k]), int(face[(k + 1) % 3])) for face in faces for k in range(3)}
        assert len(edges) == 3 * len(faces)
        assert {(b, a) for a, b in edges} == edges
    sizes = np.linalg.norm(data["points"], axis=-1)
    assert sizes.min() >= 0.6 - 1e-6
    assert sizes.max() <= 1.2 + 1e-6


def test_which_triangle_of_an_edge_is_named_is_open():
    """Randomly rounded runs name different triangles, tell that, and find the same point."""
    given = inputs(drawn(Mesh(2, 4), 0.6, 1.2)) | {"r": np.full(SETS, 9.0, np.float32)}
    reference = Reference(OPEN, "names")
    exact, shaken = (
        reference.run(given, (THREADS,), trace=True, perturb=None if quiet else np.ones(SETS, bool), seed=4)
        for quiet in (True, False)
    )
    assert (exact.path != shaken.path).all()
    other = exact.outputs["out"] != shaken.outputs["out"]
    assert 0.05 < other[..., 0].mean() < 0.5
    # Of a thin triangle's inside, rounding leaves little.
    np.testing.assert_allclose(exact.outputs["at"], shaken.outputs["at"], atol=1e-3)


def test_a_point_alone_has_one_path():
    """What only asks where the closest point is does not hang on which triangle is named."""
    given = inputs(drawn(Mesh(2, 4), 0.6, 1.2)) | {"r": np.full(SETS, 9.0, np.float32)}
    source = OPEN.replace("out[i, 0] = float(query.face)", "out[i, 0] = 1.0")
    paths = [
        Reference(source, "names").run(given, (THREADS,), trace=True, perturb=np.ones(SETS, bool), seed=seed).path
        for seed in (4, 5)
    ]
    assert (paths[0] == paths[1]).mean() > 0.5


def test_a_triangle_that_is_not_there_is_a_fault():
    found = Reference(OPEN, "beyond").run(inputs(drawn(Mesh(2, 4), 0.6, 1.2)), (THREADS,))
    assert not any(found.faults)
    found = Reference(OPEN, "beyond").run(inputs(drawn(Mesh(1, 4), 0.6, 1.2)), (THREADS,))
    assert all(found.faults)


def test_another_threshold_has_no_meaning():
    with pytest.raises(Unsupported, match="arguments of"):
        Reference(OPEN, "threshold")


def test_an_id_of_something_else_has_no_meaning():
    with pytest.raises(Unsupported, match="a mesh that is not given"):
        Reference(OPEN, "names").run(inputs(drawn(Bvh(20), -1.0, 1.0)), (THREADS,))


@pytest.mark.parametrize("name", ["mesh_query_aabb", "tile_mesh_query_aabb"])
def test_a_sum_over_what_is_found_rounds_although_it_is_exact_in_one_order(name):
    tiled = name.startswith("tile")
    next_ = "wp.tile_query_valid(found)" if tiled else "wp.mesh_query_aabb_next(found, k)"
    taken = "k = wp.untile(wp.tile_mesh_query_aabb_next(found))" if tiled else "k = k"
    source = f"""
import warp as wp


@wp.kernel
def total({_ARGUMENTS}):
    i = wp.tid()
    found = wp.{name}(id, x[i], x[i] + wp.vec3(9.0))
    k = int(0)
    while {next_}:
        {taken}
        if k >= 0:
            out[i, 0] += 1.0
"""
    given = inputs(drawn(Mesh(2, 4), 0.6, 1.2))
    run = Reference(source, "total").run(given, (THREADS,), perturb=np.ones(SETS, bool), seed=4)
    sums = run.outputs["out"][..., 0]
    assert (sums != np.round(sums)).mean() > 0.3
