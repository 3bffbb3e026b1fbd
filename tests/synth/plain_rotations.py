"""Rotations, rigid transforms and spatial vectors in plain Python: what operators mean, written down a second time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Vec = list[float]
Mat = list[Vec]


def dot(a: Vec, b: Vec) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def cross(a: Vec, b: Vec) -> Vec:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def plus(*vs: Vec) -> Vec:
    return [sum(xs) for xs in zip(*vs, strict=True)]


def times(v: Vec, x: float) -> Vec:
    return [a * x for a in v]


def apply(m: Mat, v: Vec) -> Vec:
    return [dot(row, v) for row in m]


def multiply(a: Vec, b: Vec) -> Vec:
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]


def conjugate(q: Vec) -> Vec:
    return [-q[0], -q[1], -q[2], q[3]]


def unit(v: Vec) -> Vec:
    size = math.sqrt(dot(v, v))
    return [x / size for x in v] if size else [0.0] * (len(v) - 1) + [1.0]


def rotate(q: Vec, v: Vec) -> Vec:
    u, w = q[:3], q[3]
    return plus(times(v, 2 * w * w - 1), times(u, 2 * dot(u, v)), times(cross(u, v), 2 * w))


def matrix(q: Vec) -> Mat:
    columns = [rotate(q, axis) for axis in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])]
    return [list(row) for row in zip(*columns, strict=True)]


def from_matrix(m: Mat) -> Vec:
    trace = m[0][0] + m[1][1] + m[2][2]
    if trace >= 0:
        root = math.sqrt(trace + 1)
        h = 0.5 / root
        return unit([(m[2][1] - m[1][2]) * h, (m[0][2] - m[2][0]) * h, (m[1][0] - m[0][1]) * h, 0.5 * root])
    i = max(range(3), key=lambda axis: m[axis][axis])
    j, k = (i + 1) % 3, (i + 2) % 3
    root = math.sqrt(m[i][i] - m[j][j] - m[k][k] + 1)
    result = [0.0] * 4
    result[i] = 0.5 * root
    result[j], result[k] = 0.5 * (m[i][j] + m[j][i]) / root, 0.5 * (m[i][k] + m[k][i]) / root
    result[3] = 0.5 * (m[k][j] - m[j][k]) / root
    return unit(result)


def about(axis: Vec, angle: float) -> Vec:
    return [*times(axis, math.sin(angle / 2)), math.cos(angle / 2)]


def about_place(place: int, angle: float) -> Vec:
    return about([float(place == axis) for axis in range(3)], angle)


def slerp(a: Vec, b: Vec, t: float) -> Vec:
    d = multiply(conjugate(a), b)
    if d[3] < 0:
        d = times(d, -1.0)
    size = math.sqrt(dot(d[:3], d[:3]))
    axis = times(d[:3], 1 / size) if size else [0.0] * 3
    return multiply(a, about(axis, t * 2 * math.atan2(size, d[3])))


def from_euler(e: Vec, *axes: float) -> Vec:
    result = [0.0, 0.0, 0.0, 1.0]
    for axis in map(int, axes):
        result = multiply(about_place(axis, e[axis]), result)
    return result


def to_rpy(q: Vec) -> Vec:
    x, y, z, w = q
    return [
        math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
        math.asin(min(max(2 * (w * y - z * x), -1.0), 1.0)),
        math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
    ]


def twist(axis: Vec, q: Vec) -> Vec:
    return unit([*times(axis, dot(axis, q[:3])), q[3]])


def twist_angle(axis: Vec, q: Vec) -> float:
    return 2 * math.atan2(dot(axis, q[:3]), q[3])


def point(t: Vec, p: Vec) -> Vec:
    return plus(t[:3], rotate(t[3:], p))


def homogeneous(r: Mat, p: Vec) -> Mat:
    return [[*row, x] for row, x in zip(r, p, strict=True)] + [[0.0, 0.0, 0.0, 1.0]]


def scaled(r: Mat, s: Vec) -> Mat:
    return [[x * y for x, y in zip(row, s, strict=True)] for row in r]


def spatial_cross(a: Vec, b: Vec) -> Vec:
    return cross(a[:3], b[:3]) + plus(cross(a[3:], b[:3]), cross(a[:3], b[3:]))


def spatial_cross_dual(a: Vec, b: Vec) -> Vec:
    return plus(cross(a[:3], b[:3]), cross(a[3:], b[3:])) + cross(a[:3], b[3:])


def moved_twist(t: Vec, x: Vec) -> Vec:
    w, v = rotate(t[3:], x[:3]), rotate(t[3:], x[3:])
    return w + plus(v, cross(t[:3], w))


def moved_wrench(t: Vec, x: Vec) -> Vec:
    torque, force = rotate(t[3:], x[:3]), rotate(t[3:], x[3:])
    return plus(torque, cross(t[:3], force)) + force


def adjoint(r: Mat, s: Mat) -> Mat:
    return [[*row, 0.0, 0.0, 0.0] for row in r] + [[*low, *row] for low, row in zip(s, r, strict=True)]


MEANS: dict[str, Callable[..., Any]] = {
    "qmul": multiply, "qinverse": conjugate, "qnormalize": unit, "qdot": dot, "qrotate": rotate, "qmatrix": matrix,
    "qlength": lambda q: math.sqrt(dot(q, q)), "qrotate_inv": lambda q, v: rotate(conjugate(q), v),
    "qfrom_matrix": from_matrix, "qaxis_angle": about, "qslerp": slerp, "qfrom_euler": from_euler,
    "qrpy": lambda x, y, z: from_euler([x, y, z], 0, 1, 2), "qto_rpy": to_rpy, "qtwist": twist,
    "qtwist_signed": twist_angle, "qtwist_angle": lambda a, q: 2 * math.atan2(abs(dot(a, q[:3])), q[3]),
    "tmul": lambda a, b: point(a, b[:3]) + multiply(a[3:], b[3:]), "tpoint": point,
    "tvector": lambda t, v: rotate(t[3:], v),
    "tinverse": lambda t: times(rotate(conjugate(t[3:]), t[:3]), -1.0) + conjugate(t[3:]),
    "tposition": lambda t: t[:3], "trotation": lambda t: t[3:],
    "tmatrix": lambda t: homogeneous(matrix(t[3:]), t[:3]), "hpoint": lambda h, v: apply(h, [*v, 1.0])[:3],
    "hvector": lambda h, v: apply(h, [*v, 0.0])[:3],
    "htransform": lambda h: [row[3] for row in h[:3]] + from_matrix(h),
    "hcompose": lambda p, q, s: homogeneous(scaled(matrix(q), s), p),
    "wadd": plus, "wsub": lambda a, b: plus(a, times(b, -1.0)), "wscale": times, "wdot": dot,
    "wcross": spatial_cross, "wcross_dual": spatial_cross_dual, "wtop": lambda w: w[:3], "wbottom": lambda w: w[3:],
    "wvelocity": lambda w, r: plus(w[3:], cross(w[:3], r)), "ttwist": moved_twist, "twrench": moved_wrench,
    "wadjoint": adjoint, "amul": apply,
}  # fmt: skip
"""By operator."""
