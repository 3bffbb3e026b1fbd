"""What real kernels are written with: each construct means to the reference what its compiled text does."""

from __future__ import annotations

import textwrap

import pytest

pytest.importorskip("warp")

import irsmith
from irsmith.harvest import harvest
from irsmith.recipe import Recipe

TEXT = """
from typing import Any

import warp as wp


@wp.kernel
def gathered(port: wp.indexedarray(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    if i < port.shape[0]:
        out[i] = port[i] * 2.0


@wp.kernel
def scattered(x: wp.array(dtype=float), grid: wp.indexedarray2d(dtype=float)):
    i, j = wp.tid()
    wp.atomic_add(grid, i, j, x[i])


@wp.func
def row_sum(row: wp.array(dtype=float), n: int):
    s = float(0.0)
    for k in range(n):
        s += row[k]
    return s


@wp.kernel
def rows(m: wp.array2d(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    out[i] = row_sum(m[i], m.shape[1])


@wp.kernel
def cut(a: wp.array(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    part = a[1:7:2]
    tail = a[2:]
    out[i] = part[i % 3] + tail[i % 2] + row_sum(a[1:4], 3)


@wp.kernel
def columns(m: wp.array2d(dtype=float), out: wp.array(dtype=float)):
    j = wp.tid()
    out[j] = row_sum(m[:, j], m.shape[0])


@wp.kernel
def local(a: wp.array(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    buf = wp.zeros(shape=(4,), dtype=float)
    for k in range(4):
        buf[k] = a[i] * float(k)
    s = float(0.0)
    for k in range(4):
        s += buf[(k + 1) % 4] * buf[k]
    out[i] = s


@wp.kernel
def typed(a: wp.array(dtype=wp.float64), out: wp.array(dtype=wp.float64)):
    i = wp.tid()
    x = a[i]
    v = wp.vector(x, x * x, dtype=a.dtype)
    out[i] = type(x)(2.0) * x + a.dtype(type(v).length)


@wp.func
def scaled(v: wp.vec3, s: float):
    return v * s, v[0]


@wp.kernel
def stars(v: wp.array(dtype=wp.vec3), out: wp.array(dtype=wp.spatial_vector), o: wp.array(dtype=float)):
    i = wp.tid()
    a, b = scaled(v[i], 2.0)
    out[i] = wp.spatial_vector(*v[i], *a)
    o[i] = b


@wp.kernel
def blocks(
    m: wp.array(dtype=wp.mat33),
    k: wp.array(dtype=int),
    out: wp.array(dtype=wp.vec3),
    o2: wp.array(dtype=wp.mat22),
):
    i = wp.tid()
    x = m[i]
    j = wp.clamp(k[i], 0, 2)
    out[i] = x[:, j] + x[j, :]
    o2[i] = x[0:2, 1:3]


@wp.kernel
def strided(a: wp.array(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    s = float(0.0)
    for k in range(0, a.shape[0], wp.block_dim()):
        s += a[k]
    out[i] = s


@wp.func
def search(values: wp.array[Any], value: Any):
    n = int(0)
    while n < values.shape[0] and values[n] < value:
        n += 1
    return n


@wp.kernel
def found(values: wp.array(dtype=int), x: wp.array(dtype=int), out: wp.array(dtype=int)):
    i = wp.tid()
    out[i] = search(values, x[i])


@wp.kernel
def quats(v: wp.array(dtype=wp.vec4), out: wp.array(dtype=wp.quat)):
    i = wp.tid()
    out[i] = wp.normalize(wp.quaternion(v[i][:3], v[i][3]))


@wp.kernel
def ray(mesh: wp.uint64, p: wp.array(dtype=wp.vec3), out: wp.array(dtype=float)):
    i = wp.tid()
    q = wp.mesh_query_ray(mesh, p[i], wp.vec3(0.0, 0.0, 1.0), 10.0)
    if q.result:
        out[i] = q.t


@wp.kernel
def verts(mesh: wp.uint64, out: wp.array(dtype=wp.vec3)):
    i = wp.tid()
    m = wp.mesh_get(mesh)
    if i < m.points.shape[0]:
        out[i] = m.points[m.indices[i]]
"""
"""Kernels that each hold one construct."""

WRONG = {"gathered", "scattered", "local"}
"""Those of which Warp's adjoint is wrong: it has none through indexed arrays and local arrays."""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    root = tmp_path_factory.mktemp("language")
    folder = root / "project" / "pieces"
    folder.mkdir(parents=True)
    (root / "project" / "pyproject.toml").write_text(
        '[project]\nname = "pieces"\nversion = "1.0"\nlicense = "MIT"\n', encoding="utf-8"
    )
    (folder / "__init__.py").write_text("", encoding="utf-8")
    (folder / "kernels.py").write_text(textwrap.dedent(TEXT), encoding="utf-8")
    summary = harvest([str(root / "project")], root / "made", recipe=Recipe(stages=("cpp", "cuda")), workers=1)
    assert summary.manifest.rejects == {}
    return {row.kernel.name: {v.check: v for v in row.verdicts} for row in irsmith.load(summary.out)}


def test_every_construct_is_known_and_agrees_with_what_runs(verdicts):
    assert len(verdicts) == TEXT.count("@wp.kernel")
    assert {
        name: found["forward"].reason for name, found in verdicts.items() if found["forward"].status != "passed"
    } == {}
    assert all(found["cuda"].status == "passed" for found in verdicts.values())


def test_the_adjoints_that_warp_lacks_are_told(verdicts):
    told = {name for name, found in verdicts.items() if found["backward"].status == "compiler_wrong"}
    assert told == WRONG
    assert all(
        found["backward"].status in ("passed", "not_applicable") for name, found in verdicts.items() if name not in told
    )
